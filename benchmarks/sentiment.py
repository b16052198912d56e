"""Speed of `sentiment` against its peers, and accuracy of `tone`: python benchmarks/sentiment.py [--fit].

Peers: pip install vaderSentiment==3.3.2 nltk. Text is recombined from the sample's invented sentences, seeded. Ratios
are of CPU time on one thread, the peer's over ours, each pair measured in one run on the same text; the median of five
is returned. `accuracy` needs the development data in ../shared; `--fit` makes resources/tone.csv from it anew, which
is needed whenever the encoder changes.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from analysis import encoder
from analysis.codebook import RESOURCES
from analysis.sentiment import sentiment, tone_features
from analysis.text import sentences

ROOT = Path(__file__).resolve().parents[1]
RATINGS = ROOT.parent / "shared" / "data" / "sentiment_vader" / "nytEditorialSnippets_GroundTruth.txt"
PENALTY, FOLDS, RESAMPLES = 1000, 10, 1000
OURS = """
import sys, pandas as pd
from analysis.sentiment import sentiment
sentiment(pd.read_parquet(sys.argv[1])["text"])
"""
THEIRS = """
import sys, pandas as pd
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
analyzer = SentimentIntensityAnalyzer()
pd.DataFrame([analyzer.polarity_scores(text) for text in pd.read_parquet(sys.argv[1])["text"]])
"""


def made(n: int, seed: int = 0) -> list[str]:
    """`n` sentences, each the first half of one of the sample's and the second half of another."""
    sample = sentences(pd.read_csv(ROOT / "data" / "sample" / "articles.csv")["text"])["text"].str.split()
    rng = np.random.default_rng(seed)
    first, second = sample.iloc[rng.integers(len(sample), size=n)], sample.iloc[rng.integers(len(sample), size=n)]
    return [" ".join(a[: len(a) // 2] + b[len(b) // 2 :]) for a, b in zip(first, second, strict=True)]


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peers() -> dict[str, Callable[[str], dict]]:
    """The scoring functions of vaderSentiment and of nltk, the latter without nltk.download."""
    from nltk.sentiment import vader
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    class Loaded(vader.SentimentIntensityAnalyzer):
        def __init__(self) -> None:
            self.lexicon_file = (RESOURCES / "vader_lexicon.txt").read_text(encoding="utf-8")
            self.lexicon, self.constants = self.make_lex_dict(), vader.VaderConstants()

    return {"vaderSentiment": SentimentIntensityAnalyzer().polarity_scores, "nltk": Loaded().polarity_scores}


def ratios(texts: Iterable[str], runs: int = 5) -> dict[str, float]:
    """The peers' CPU time over ours, and `differences` from vaderSentiment in any of four scores."""
    texts = list(texts)
    series, scorers = pd.Series(texts), peers()
    table = sentiment(series).drop(columns="n_cues").to_numpy()
    theirs = pd.DataFrame(map(scorers["vaderSentiment"], texts)).to_numpy()
    rows = []
    for _ in range(runs):
        ours = cpu(lambda: sentiment(series))
        rows.append({name: cpu(lambda: list(map(score, texts))) / ours for name, score in scorers.items()})  # noqa: B023
    return pd.DataFrame(rows).median().to_dict() | {"differences": int((table != theirs).any(axis=1).sum())}


def sentence_ratios(n: int = 3000) -> dict[str, float]:
    """`ratios` on sentences."""
    return ratios(made(n))


def article_ratios(n: int = 20, words: int = 1500) -> dict[str, float]:
    """`ratios` on articles of at least 1,000 words."""
    pool = " ".join(made(n * words // 8)).split()
    return ratios((" ".join(pool[i * words : (i + 1) * words]) for i in range(n)), runs=3)


def growth() -> dict[str, float]:
    """Cost per kB at 100 kB over cost at 1 kB, and the worst time ratio of a doubling from 1 kB to 1 MB."""
    pool = " ".join(made(10_000))
    costs = {}
    for size in [1000 * 2**k for k in range(11)] + [100_000]:
        series = pd.Series([pool[at : at + size] for at in range(0, 1_024_000 - size + 1, size)])
        costs[size] = median(cpu(lambda: sentiment(series)) for _ in range(5)) / len(series)  # noqa: B023
    doubling = max(costs[2 * size] / costs[size] for size in costs if 2 * size in costs)
    return {"per kB, 100 kB over 1 kB": costs[100_000] / costs[1000] / 100, "worst doubling": doubling}


def process_ratio(n: int = 10_000, runs: int = 5) -> float:
    """The CPU time of a whole process that reads `n` sentences from Parquet: with vaderSentiment over with ours."""
    import resource

    def used(code: str, path: str) -> float:
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code, path], check=True, cwd=ROOT)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/text.parquet"
        pd.DataFrame({"text": made(n)}).to_parquet(path)
        used(OURS, path)  # files into the system's cache
        return median(used(THEIRS, path) / used(OURS, path) for _ in range(runs))


def rated() -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Snippets of editorials, the editorial of each, and its mean rating by twenty readers."""
    rows = [line.rstrip("\n").split("\t") for line in RATINGS.open(encoding="latin-1")]
    return (
        pd.Series([row[2] for row in rows]),
        np.array([row[0].split("_")[0] for row in rows]),
        np.array([float(row[1]) for row in rows]),
    )


def ridge(features: np.ndarray, rating: np.ndarray) -> np.ndarray:
    """Intercept and weights of a ridge regression on standardised features, folded back."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = (features - mean) / spread
    weight = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ (rating - rating.mean())) / spread
    return np.append(rating.mean() - weight @ mean, weight)


def accuracy(*, fit: bool = False) -> pd.DataFrame:
    """Correlation with readers' ratings, cross-validated by editorial; with `fit`, write the weights from all of them.

    Returns `r`, `low`, `high` for `tone`, VADER's compound and the gain; intervals resample editorials.
    """
    text, editorial, rating = rated()
    features = tone_features(text, encoder.encode(text.tolist(), [""] * len(text)))
    names = np.unique(editorial)
    rng = np.random.default_rng(0)
    fold = pd.Series(np.arange(len(names)) % FOLDS, index=rng.permutation(names)).loc[editorial].to_numpy()
    guess = np.empty(len(text))
    for k in range(FOLDS):
        weight = ridge(features[fold != k], rating[fold != k])
        guess[fold == k] = features[fold == k] @ weight[1:] + weight[0]

    def scores(rows: np.ndarray | slice) -> tuple[float, float, float]:
        ours, vader = (np.corrcoef(x[rows], rating[rows])[0, 1] for x in (guess, features[:, 3]))
        return ours, vader, ours - vader

    rows = [np.flatnonzero(editorial == name) for name in names]
    draws = [
        scores(np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    if fit:
        write(ridge(features, rating), len(text))
    return pd.DataFrame(
        {"r": scores(slice(None)), "low": low, "high": high}, index=["tone", "VADER, curly quotes read", "gain"]
    )


def write(weight: np.ndarray, n: int) -> None:
    """Write resources/tone.csv."""
    names = ["intercept", "neg", "neu", "pos", "compound", *(f"vector{i}" for i in range(len(weight) - 5))]
    digest = hashlib.sha256((RESOURCES / "encoder.onnx").read_bytes()).hexdigest()
    notes = [
        f"# Weights of analysis.tone, by python benchmarks/sentiment.py --fit, on {n:,} rated snippets of editorials",
        "# (Hutto and Gilbert 2014, MIT; the snippets themselves are not here).",
        f"# encoder.onnx sha256 {digest}",
    ]
    table = pd.DataFrame({"feature": names, "weight": weight}).to_csv(
        index=False, float_format="%.7g", lineterminator="\n"
    )
    (ROOT / "analysis" / "resources" / "tone.csv").write_text("\n".join([*notes, table]), encoding="utf-8")


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="write resources/tone.csv and stop")
    fit = parser.parse_args().fit
    if not fit:
        print("sentences:", sentence_ratios())
        print("articles:", article_ratios())
        print("growth:", growth())
        print("whole process:", process_ratio())
    elif not RATINGS.exists():
        sys.exit(f"{RATINGS} is absent; tone can only be fitted to it")
    if RATINGS.exists():
        print(accuracy(fit=fit).round(3))


if __name__ == "__main__":
    main()
