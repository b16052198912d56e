"""CPU time, memory and accuracy of `copies` against its peers: python benchmarks/copies.py [--articles N].

Peers are optional: pip install datasketch rensa gaoya. Every method runs in a process of its own, one after the other,
on the same invented corpus with planted copies of 5 to 60% edits (sentences dropped or rewritten, words replaced), and
on the sample's planted copies. Peers are set for their best recall: runs of three words, Jaccard threshold 0.15.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

ROOT = Path(__file__).resolve().parents[1]
THRESHOLD, PERMUTATIONS = 0.15, 128


def corpus(n: int, seed: int = 0) -> pd.DataFrame:
    """`n` invented articles of about 400 words, a third of them edited copies of others."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(20_000)])
    odds = 1 / np.arange(1, len(words) + 1)
    phrases = [" ".join(rng.choice(words[:300], rng.integers(3, 6))) for _ in range(400)]

    def sentence() -> str:
        text = rng.choice(words, rng.integers(6, 24), p=odds / odds.sum()).tolist()
        return " ".join([*text[:3], rng.choice(phrases), *text[3:]]).capitalize() + "."

    texts, roots = [], []
    while len(texts) < n:
        story = [sentence() for _ in range(rng.integers(12, 28))]
        root = len(texts)
        for copy in range(1 if rng.random() < 0.8 else rng.integers(2, 8)):
            share = rng.uniform(0.05, 0.6) if copy else 0
            kind = rng.integers(3) if share < 0.3 else rng.integers(2)
            if kind == 2:
                edited = [w if rng.random() > share else rng.choice(words[:5000]) for w in " ".join(story).split()]
            else:
                hit = rng.permutation(len(story)) < int(share * len(story))
                edited = [sentence() if h else s for s, h in zip(story, hit, strict=True) if kind or not h]
            texts.append(" ".join(edited))
            roots.append(root)
    return pd.DataFrame({"text": texts, "root": roots}).head(n)


def planted() -> pd.DataFrame:
    """The sample's articles, each with the article that it copies."""
    data = pd.read_csv(ROOT / "data" / "sample" / "articles.csv").set_index("article_id")
    root = data["copy_of"].fillna(data.index.to_series())
    while not root.map(root).equals(root):
        root = root.map(root)
    return data.reset_index().assign(root=root.to_numpy())


def connected(pairs: Iterable[tuple[int, int]], n: int) -> np.ndarray:
    """Group number of each of `n` articles that `pairs` connect."""
    a, b = np.array(list(pairs), dtype=int).reshape(-1, 2).T
    graph = sparse.coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    return sparse.csgraph.connected_components(graph, directed=False)[1]


def shingles(text: str) -> list[str]:
    """Runs of three words."""
    words = text.lower().split()
    return [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]


def ours(text: pd.Series) -> np.ndarray:
    """`analysis.copies`, with exact comparison."""
    from analysis._copies import copies

    return copies(text.to_frame("text")).to_numpy()


def datasketch(text: pd.Series) -> np.ndarray:
    """MinHash and MinHashLSH, candidates compared by estimate."""
    from datasketch import MinHash, MinHashLSH

    index, sketches, pairs = MinHashLSH(THRESHOLD, num_perm=PERMUTATIONS), [], []
    for i, article in enumerate(text):
        sketch = MinHash(PERMUTATIONS)
        sketch.update_batch([s.encode() for s in shingles(article)])
        pairs += [(j, i) for j in index.query(sketch) if sketches[j].jaccard(sketch) >= THRESHOLD]
        index.insert(i, sketch)
        sketches.append(sketch)
    return connected(pairs, len(text))


def rensa(text: pd.Series) -> np.ndarray:
    """RMinHash and RMinHashLSH, candidates compared by estimate."""
    from rensa import RMinHash, RMinHashLSH

    index, sketches, pairs = RMinHashLSH(THRESHOLD, PERMUTATIONS, PERMUTATIONS // 2), [], []
    for i, article in enumerate(text):
        sketch = RMinHash(PERMUTATIONS, seed=1)
        sketch.update(shingles(article))
        pairs += [(j, i) for j in index.query(sketch) if sketches[j].jaccard(sketch) >= THRESHOLD]
        index.insert(i, sketch)
        sketches.append(sketch)
    return connected(pairs, len(text))


def gaoya(text: pd.Series) -> np.ndarray:
    """MinHashStringIndex, which makes runs of words itself."""
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(32, THRESHOLD, PERMUTATIONS // 2, 2, None, "word", True, (3, 3))
    pairs = []
    for i, article in enumerate(text):
        pairs += [(j, i) for j in index.query(article)]
        index.insert_document(i, article)
    return connected(pairs, len(text))


METHODS = {f.__name__: f for f in (ours, datasketch, rensa, gaoya)}


def scores(group: np.ndarray, root: np.ndarray) -> dict[str, float]:
    """Precision and recall of the pairs of articles that share a group."""

    def pairs(column: list[str]) -> int:
        size = table.groupby(column).size()
        return int((size * (size - 1) / 2).sum())

    table = pd.DataFrame({"group": group, "root": root})
    both = pairs(["group", "root"])
    return {"precision": both / max(pairs(["group"]), 1), "recall": both / pairs(["root"])}


def measured(name: str, data: pd.DataFrame) -> dict[str, float]:
    """CPU seconds and scores of one method on one corpus."""
    cpu = time.process_time()
    group = METHODS[name](data["text"])
    return {"cpu_s": time.process_time() - cpu} | scores(group, data["root"].to_numpy())


def main() -> None:
    """Run every installed method in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--only", choices=METHODS)
    parser.add_argument("--child", choices=METHODS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    path = Path(tempfile.gettempdir()) / f"copies-{options.articles}.feather"
    if options.child:
        data = pd.read_feather(path)
        METHODS[options.child](data["text"].head(20))  # imports and caches are not timed
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        row = measured(options.child, data)
        row |= {"peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "loaded_MB": before / 1024}
        row |= {f"sample_{k}": v for k, v in measured(options.child, planted()).items() if k != "cpu_s"}
        print(json.dumps(row))
        return
    if not path.exists():
        corpus(options.articles).to_feather(path, compression="uncompressed")
    names = [options.only] if options.only else [n for n in METHODS if n == "ours" or importlib.util.find_spec(n)]
    rows = {}
    for name in names:
        command = [sys.executable, __file__, "--articles", str(options.articles), "--child", name]
        rows[name] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    table = pd.DataFrame(rows).T
    if "datasketch" in table.index:
        table.insert(1, "times_datasketch", table.loc["datasketch", "cpu_s"] / table["cpu_s"])
    print(f"{options.articles} articles, about 400 words each")
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
