"""Attribution against two hand-coded sources: `python benchmarks/attribution.py [--part dev]`.

PolNeAR (Newell, Margolin and Ruths 2018) marks source, cue and content of every attribution in US political news. Two
scorers read it. `overlap` pairs an attribution with one of the gold standard when cues overlap, sources overlap (any
source will do where the gold standard names none), and contents share at least half of the shorter one's characters.
`strict` wants the same characters in all three, white space and punctuation at their ends aside. `direct` are the
attributions whose content opens with a quotation mark, on either side. Each F1 has a 95 per cent interval from 1,000
resamplings of articles. An article that several people annotated is read as the first of them did.

The sentences of gold/dev.csv give the accuracy of speaker group and attribution where both coders agree, each with the
sentence before it as context. Both corpora stay in the shared folder; a part that is not there is skipped.
"""

import argparse
import re
import sys
import tarfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.statements import attributions, speakers, statements

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
POLNEAR = DATA / "polnear" / "polnear_train_dev.tar.gz"
SENTENCES = DATA / "gold" / "dev.csv"
EDGE = " \t\n.,;:!?\"'“”‘’`()[]—–-"
Spans = list[tuple[int, int]]


def read_brat(raw: str) -> list[dict[str, Spans]]:
    """Attributions of one brat file: role (Source, Cue, Content) to spans; those without cue or content left out."""
    spans = {
        key: [tuple(map(int, piece.split())) for piece in places.split(";")]
        for key, places in re.findall(r"^(T\d+)\t\w+ ([\d ;]+)\t", raw, re.MULTILINE)
    }
    found = []
    for event in re.findall(r"^E\d+\t(.*)$", raw, re.MULTILINE):
        roles = defaultdict(list)
        for part in event.split():
            role, key = part.split(":")
            roles[role.rstrip("0123456789")] += spans.get(key, [])
        found.append({role: sorted(roles[role]) for role in ("Source", "Cue", "Content")})
    return [one for one in found if one["Cue"] and one["Content"]]


def read_polnear(path: Path, part: str) -> list[tuple[str, list[dict[str, Spans]]]]:
    """Text and attributions of each article."""
    texts, marks = {}, {}
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.startswith(f"{part}/"):
                name, raw = Path(member.name), archive.extractfile(member).read().decode("utf-8")
                if name.suffix == ".txt":
                    texts[name.stem] = raw
                else:
                    stem, coder = name.stem.rsplit("_", 1)
                    marks.setdefault(stem, {})[coder] = raw
    return [(texts[stem], read_brat(marks[stem][min(marks[stem])])) for stem in sorted(texts) if stem in marks]


def predicted(texts: list[str]) -> list[list[dict[str, Spans]]]:
    """Return what the package finds, in the gold standard's form; attributions inside others are left out, as there."""
    table = attributions(pd.Series(texts))
    found = [[] for _ in texts]
    for row in table[table["depth"] == 0].itertuples():
        source = [] if pd.isna(row.source_start) else [(row.source_start, row.source_end)]
        found[row.article_id].append({"Source": source, "Cue": [(row.cue_start, row.cue_end)], "Content": row.content})
    return found


def shared(first: Spans, second: Spans) -> int:
    """Characters that two lists of spans share."""
    return sum(max(0, min(a[1], b[1]) - max(a[0], b[0])) for a in first for b in second)


def is_overlap(text: str, gold: dict[str, Spans], found: dict[str, Spans]) -> bool:
    """Whether cues and sources overlap, and contents by half of the shorter one."""
    if not shared(gold["Cue"], found["Cue"]) or (gold["Source"] and not shared(gold["Source"], found["Source"])):
        return False
    shorter = min(sum(end - start for start, end in one["Content"]) for one in (gold, found))
    return 2 * shared(gold["Content"], found["Content"]) >= shorter


def is_strict(text: str, gold: dict[str, Spans], found: dict[str, Spans]) -> bool:
    """Whether source, cue and content are the same words."""
    return all(trimmed(text, gold[role]) == trimmed(text, found[role]) for role in ("Source", "Cue", "Content"))


def trimmed(text: str, spans: Spans) -> list[int]:
    """Characters of spans but for white space and punctuation."""
    return [i for start, end in spans for i in range(start, end) if text[i] not in EDGE]


def is_direct(text: str, one: dict[str, Spans]) -> bool:
    """Whether the content opens with a quotation mark."""
    return text[one["Content"][0][0]] in "\"'“‘«„`"


def paired(text: str, gold: list, found: list, test: object) -> int:
    """Count the pairs, each attribution used once."""
    free, pairs = list(gold), 0
    for one in found:
        for other in free:
            if test(text, other, one):
                free.remove(other)
                pairs += 1
                break
    return pairs


def f1(counts: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 of pairs, found and gold."""
    pairs, found, gold = counts
    return pairs / max(found, 1), pairs / max(gold, 1), 2 * pairs / max(found + gold, 1)


def score_polnear(part: str) -> pd.DataFrame:
    """One row per scorer and kind: precision, recall, F1 with interval, counts."""
    articles = read_polnear(POLNEAR, part)
    texts = [text for text, _ in articles]
    start = time.perf_counter()
    answers = predicted(texts)
    seconds = time.perf_counter() - start
    print(f"PolNeAR {part}: {len(texts)} articles, {sum(map(len, texts)) / 1000 / seconds:.0f} kB a second")
    rng = np.random.default_rng(0)
    rows = []
    for scorer, test in (("overlap", is_overlap), ("strict", is_strict)):
        for kind in ("all", "direct"):
            counts = []
            for (text, gold), found in zip(articles, answers, strict=True):
                if kind == "direct":
                    gold, found = ([one for one in ones if is_direct(text, one)] for ones in (gold, found))
                counts.append((paired(text, gold, found, test), len(found), len(gold)))
            counts = np.array(counts)
            precision, recall, score = f1(counts.sum(axis=0))
            draws = [f1(counts[rng.integers(len(counts), size=len(counts))].sum(axis=0))[2] for _ in range(1000)]
            low, high = np.quantile(draws, [0.025, 0.975])
            rows.append((scorer, kind, precision, recall, score, low, high, *counts.sum(axis=0)))
    names = ["scorer", "kind", "precision", "recall", "f1", "low", "high", "pairs", "found", "gold"]
    return pd.DataFrame(rows, columns=names).round(3)


def score_sentences(path: Path = SENTENCES) -> pd.DataFrame:
    """One row per question: accuracy where both coders agree, with interval over articles, and n."""
    table = pd.read_csv(path)
    found = speakers(table["text"], context=table["previous"])
    relevant = (table["relevant_d"] == "yes") & (table["relevant_e"] == "yes")
    rng = np.random.default_rng(0)
    rows = []
    for name in ("speaker_group", "attribution"):
        agreed = relevant & (table[f"{name}_d"] == table[f"{name}_e"])
        right = (found[name] == table[f"{name}_d"])[agreed]
        by_article = right.groupby(table["article"]).agg(["sum", "count"]).to_numpy()
        draws = by_article[rng.integers(len(by_article), size=(1000, len(by_article)))].sum(axis=1)
        low, high = np.quantile(draws[:, 0] / draws[:, 1], [0.025, 0.975])
        rows.append((name, right.mean(), low, high, len(right)))
    return pd.DataFrame(rows, columns=["question", "accuracy", "low", "high", "n"]).round(3)


def speed() -> str:
    """Characters a second of `statements` on the sample articles, best of three."""
    articles = pd.read_csv(Path(__file__).resolve().parents[1] / "data/sample/articles.csv").set_index("article_id")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        statements(articles)
        times.append(time.perf_counter() - start)
    return f"statements: {articles['text'].str.len().sum() / 1000 / min(times):.0f} kB a second on the sample"


def main() -> int:
    """Print every table that the data at hand allows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", choices=["train", "dev"], default="dev", help="part of PolNeAR (default: dev)")
    part = parser.parse_args().part
    print(score_polnear(part).to_string(index=False) if POLNEAR.exists() else f"skipped: no {POLNEAR}")
    print(score_sentences().to_string(index=False) if SENTENCES.exists() else f"skipped: no {SENTENCES}")
    print(speed())
    return 0


if __name__ == "__main__":
    sys.exit(main())
