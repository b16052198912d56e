"""Accuracy on real sentences, cross-validated by article: `python benchmarks/accuracy.py`. Needs the `train` extra.

Reads gold/dev.csv of the shared folder (its text never leaves it) and prints one table a question, with 95 per cent
intervals from 1,000 resamplings of articles. Each system is trained on two thirds of the articles and scored on the
rest, so that no article, and no sentence of one, is on both sides. Only sentences where both coders agree are scored;
stance has three sides, with mixed and not addressed counted as neutral. The parts of the system, one by one:

- rules: patterns for either side, the one met more often wins, neutral when they draw;
- linear: logistic regression on 4,096 hashed word and word-pair counts;
- frozen: logistic regression on the vectors of the base model, sentence and mention;
- teacher: the large network that teaches, without the fold's articles; it does not ship, and what it says is read from
  data/training/teacher.npz;
- transformer: the encoder as `train` makes it, taught by that teacher, without the fold's articles;
- all: the mean of the probabilities of transformer (weight 2) and linear.

`--share` trains on a part of the real articles, teachers included (the learning curve). `--out` writes what the
transformer says of each sentence, which is `data/gold/machine.csv`.
"""

import argparse
import re
import sys
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import encoder, train
from analysis.stance import SIDES

RESAMPLES = 1000
QUESTIONS = ["stance", "frame", "speaker_group", "attribution", "target"]
FOR = r"weaken|back ?door|fight|refus|resist|oppos|wrong|dangerous|protect|secur|privacy|precedent|rights|will encrypt"
AGAINST = r"warn|hamper|thwart|terror|crimin|pedophil|abuse|force|compel|unable|cannot|going dark|hid(?:e|ing)|demand"


def three(p: np.ndarray) -> np.ndarray:
    """Five stances to three sides."""
    classes = train.HEADS["stance"]
    return np.stack([p[:, [classes.index(c) for c in side]].sum(axis=1) for side in SIDES.values()], axis=1)


def rules(table: pd.DataFrame) -> np.ndarray:
    """Probabilities of the three sides by counting patterns."""
    votes = [[len(re.findall(p, t, re.IGNORECASE)) for p in (FOR, AGAINST)] for t in table["text"]]
    return np.array([[f > a, f == a, a > f] for f, a in votes], dtype=float)


def hashed(table: pd.DataFrame, width: int = 4096) -> np.ndarray:
    """Counts of words and word pairs, hashed and scaled to length one."""
    x = np.zeros((len(table), width))
    for row, text in enumerate(table["text"]):
        words = re.findall(r"\w+", text.lower())
        for term in words + [" ".join(pair) for pair in pairwise(words)]:
            x[row, zlib.crc32(term.encode()) % width] += 1
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def frozen(network: train.Network, table: pd.DataFrame) -> np.ndarray:
    """The base model's averages over sentence and mention."""
    import torch

    cached = train.Cached(network, table)
    order = np.argsort(cached.lengths)
    x = np.zeros((len(table), 2 * network.width))
    with torch.no_grad():
        for i in range(0, len(order), 64):
            x[order[i : i + 64]] = cached.features(network, order[i : i + 64]).numpy()
    return x


def fitted(x: np.ndarray, table: pd.DataFrame, name: str, inside: np.ndarray, penalty: float) -> np.ndarray:
    """Probabilities for all rows from a logistic regression on the rows `inside`."""
    truth = np.stack(table[name].to_list())
    usable = inside & ~np.isnan(truth).any(axis=1)
    return encoder.fit_head(x[usable], truth[usable], train.HEADS[name], penalty=penalty).probabilities(x)


def macro(truth: np.ndarray, guess: np.ndarray, classes: list[int]) -> float:
    """Mean F1 over `classes`."""
    scores = []
    for c in classes:
        both, either = ((truth == c) & (guess == c)).sum(), (truth == c).sum() + (guess == c).sum()
        scores.append(2 * both / either if either else 0.0)
    return float(np.mean(scores))


def calibration_error(p: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error of the likeliest class, equal-width bins (Guo et al. 2017)."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == truth
    at = np.minimum((sure * bins).astype(int), bins - 1)
    return float(sum(abs(sure[at == b].mean() - right[at == b].mean()) * (at == b).mean() for b in set(at)))


def score(table: pd.DataFrame, name: str, p: np.ndarray) -> str:
    """One line of the table: macro-F1, accuracy, calibration error and n, with intervals."""
    labels = np.stack(table[name].to_list())
    usable = np.nan_to_num(labels).max(axis=1) >= (0.75 if name == "frame" else 1.0)
    truth = (three(labels) if name == "stance" else labels)[usable].argmax(axis=1)
    guesses, groups = p[usable], table.loc[usable, "group"].to_numpy()
    classes = [c for c in np.unique(truth) if name == "stance" or (truth == c).sum() >= 5]
    rows = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        guess = guesses[drawn].argmax(axis=1)
        draws.append((macro(truth[drawn], guess, classes), (truth[drawn] == guess).mean()))
    (f_low, a_low), (f_high, a_high) = np.percentile(draws, [2.5, 97.5], axis=0)
    f, a = macro(truth, guesses.argmax(axis=1), classes), (guesses.argmax(axis=1) == truth).mean()
    ece = calibration_error(guesses, truth)
    return f"{f:.3f} | {f_low:.3f} to {f_high:.3f} | {a:.3f} | {a_low:.3f} to {a_high:.3f} | {ece:.3f} | {usable.sum()}"


def shipped_tone(shared: Path) -> tuple[pd.DataFrame, str, np.ndarray]:
    """Arguments of `score` for the shipped targeted head on the articles that training held out."""
    toned = train.newsmtsc(shared)
    table = toned[train.held_out(toned)].reset_index(drop=True)
    spans = pd.DataFrame([where[0] for where in table["where"]], columns=["start", "end"])
    return table, "targeted", encoder.targeted(table["text"], spans["start"], spans["end"]).to_numpy()


def machine(table: pd.DataFrame, ids: pd.Series, fold: np.ndarray, found: dict[str, np.ndarray]) -> pd.DataFrame:
    """What is said of each sentence: probabilities of the sides, and the likeliest frame with its probability."""
    sides = pd.DataFrame(three(found["stance"]), columns=[f"p_{side}" for side in SIDES])
    frame = pd.Series(found["frame"].argmax(axis=1)).map(dict(enumerate(train.HEADS["frame"])))
    head = pd.DataFrame({"sentence_id": ids.to_numpy(), "fold": fold})
    return head.join(sides.round(4)).assign(frame=frame, p_frame=found["frame"].max(axis=1).round(4))


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Cross-validated accuracy on real sentences.")
    parser.add_argument("--shared", type=Path, default=train.ROOT.parent / "shared")
    parser.add_argument("--share", type=float, default=1.0, help="part of the real articles to train on (default all)")
    parser.add_argument("--out", type=Path, help="write what the transformer says of each sentence")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    shared = arguments.shared
    if not (shared / "data/gold/dev.csv").exists():
        print(f"skipped: {shared / 'data/gold/dev.csv'} is absent", file=sys.stderr)
        return 0
    train.set_threads(arguments.threads)
    small, tokenizer = train.minilm()
    gold, tables = train.gold(shared), train.parts(shared)
    human = pd.concat([gold, train.real(shared)], ignore_index=True)
    alone = train.judged(shared, train.ROOT / "data", human, tables, small, tokenizer)
    vectors, words = frozen(train.Network(small, lower=0, seed=0), gold), hashed(gold)
    pupil = train.first_stage(small, train.PUPIL, tables, human, alone)
    if arguments.share < 1:
        teacher = train.first_stage(train.mpnet(), train.TEACHER, tables, human, alone)
    else:
        said = train.recorded(
            pd.concat([human["text"], alone["text"]]), len(human), train.ROOT / "data" / train.TEACHERS
        )
    fold, fold_of = (train.folds(table["group"], set(gold["group"])) for table in (gold, human))
    systems = ["linear", "frozen", "teacher", "transformer"]
    found = {s: {q: np.zeros((len(gold), len(train.HEADS[q]))) for q in QUESTIONS} for s in systems}
    for f in range(train.FOLDS):
        inside, outside = fold != f, np.flatnonzero(fold == f)
        for q in QUESTIONS:
            found["linear"][q][outside] = fitted(words, gold, q, inside, 0.3)[outside]
            found["frozen"][q][outside] = fitted(vectors, gold, q, inside, 30.0)[outside]
        groups = np.random.default_rng(f).permutation(sorted(set(human["group"][fold_of != f])))
        kept = human["group"].isin(groups[: int(arguments.share * len(groups))]).to_numpy()
        rows = np.flatnonzero(kept & (fold_of != f))
        judged = train.judge(teacher, rows, seed=f)[1] if arguments.share < 1 else said[f]
        network = train.taught(pupil, rows, [judged], seed=f)
        scores = {"teacher": judged[0], "transformer": pupil.human.take(outside).scores(network, QUESTIONS)}
        for q in QUESTIONS:
            temperature = train.TEMPERATURES.get(q, 1.0)
            found["teacher"][q][outside] = encoder.softmax(scores["teacher"][q][outside] / temperature)
            found["transformer"][q][outside] = encoder.softmax(scores["transformer"][q] / temperature)
        print(f"fold {f + 1} of {train.FOLDS} done", file=sys.stderr, flush=True)
    found["all"] = {q: (found["transformer"][q] * 2 + found["linear"][q]) / 3 for q in QUESTIONS}
    for q in QUESTIONS:
        print(f"\n{q}\n\n| system | macro-F1 | 95% | accuracy | 95% | calibration error | n |\n" + "|---" * 7 + "|")
        if q == "stance":
            print(f"| rules | {score(gold, q, rules(gold))} |")
        for system, probabilities in found.items():
            p = three(probabilities[q]) if q == "stance" else probabilities[q]
            print(f"| {system} | {score(gold, q, p)} |", flush=True)
    print(f"\ntargeted, shipped weights on NewsMTSC's held-out articles: {score(*shipped_tone(shared))}")
    if arguments.out:
        ids = pd.read_csv(shared / "data/gold/dev.csv")["sentence_id"]
        machine(gold, ids, fold, found["transformer"]).to_csv(arguments.out, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
