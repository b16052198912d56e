"""The one small sentence encoder that the measures share, with its heads; onnxruntime runs it, torch is not needed.

A sentence is read after its context (the sentence before it). The vectors of its word pieces are averaged twice: over
the sentence, and over the words that mention the target. Each head is one linear layer on the two averages, so that
the score of a class is a sum over words: that sum is the evidence. Weights are stored as int8, one scale a channel,
and widened when they are loaded; sentences run in batches of one length, without padding, so that neighbours don't
change a score. Made by `python -m analysis train`; fine-tuned from all-MiniLM-L6-v2 (Apache-2.0).
"""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import _check
from analysis.codebook import RESOURCES

LONGEST, CONTEXT = 160, 48  # word pieces read of a sentence, and of the end of its context
MOST = LONGEST + CONTEXT + 3
CLS, SEP = 101, 102
BATCH = 32


class Pieces(NamedTuple):
    """A sentence as the encoder reads it: ids and segments of all pieces, offsets of the sentence's own."""

    ids: list[int]
    segments: list[int]
    first: int
    offsets: list[tuple[int, int]]


class Vectors(NamedTuple):
    """A sentence as the encoder sees it: one vector a word piece, and where each piece stands in the text."""

    states: np.ndarray
    offsets: list[tuple[int, int]]


@cache
def _tokenizer() -> object:
    from tokenizers import Tokenizer

    return Tokenizer.from_str((RESOURCES / "tokenizer.json").read_text(encoding="utf-8"))


@cache
def _session(threads: int) -> object:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    model = (RESOURCES / "encoder.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def _heads() -> dict[str, np.ndarray]:
    with (RESOURCES / "heads.npz").open("rb") as file:
        return dict(np.load(file, allow_pickle=False))


@cache
def targets() -> dict[str, dict]:
    """The targets that come with the package, each with label, head and mention patterns.

    >>> list(targets())
    ['encryption', 'access_measures']
    """
    return tomllib.loads((RESOURCES / "targets.toml").read_text(encoding="utf-8"))


@cache
def _pattern(mentions: tuple[str, ...]) -> re.Pattern:
    return re.compile("|".join(mentions), re.IGNORECASE)


def mentions(text: str, patterns: list[str]) -> list[tuple[int, int]]:
    """Offsets of what `patterns` match in `text`.

    >>> mentions("Encrypted chats", targets()["encryption"]["mentions"])
    [(0, 9)]
    """
    return [match.span() for match in _pattern(tuple(patterns)).finditer(text)] if patterns else []


def pieces(texts: list[str], contexts: list[str]) -> Iterator[Pieces]:
    """Cut sentences and their contexts into word pieces: [CLS] end of context [SEP] sentence [SEP]."""
    read = _tokenizer().encode_batch
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    before = [text.encode("utf-8", "replace").decode() for text in contexts]
    for sentence, context in zip(
        read(clean, add_special_tokens=False), read(before, add_special_tokens=False), strict=True
    ):
        head = [CLS, *context.ids[-CONTEXT:], SEP] if context.ids else [CLS]
        body = [*sentence.ids[:LONGEST], SEP]
        yield Pieces(head + body, [0] * len(head) + [1] * len(body), len(head), sentence.offsets[:LONGEST])


_SEEN: ContextVar[dict[tuple[str, str], Vectors] | None] = ContextVar("_SEEN", default=None)


@contextmanager
def shared() -> Iterator[None]:
    """Within the block, no sentence with the same context is encoded twice: several measures cost one pass.

    The vectors stay in memory until the block ends, some 50 kB a sentence.
    """
    before = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(before)


def encode(texts: list[str], contexts: list[str], *, threads: int = 1) -> list[Vectors]:
    """Vectors of every word piece of every sentence, in the order given."""
    seen = _SEEN.get()
    if seen is None:
        return _encode(texts, contexts, threads)
    pairs = list(zip(texts, contexts, strict=True))
    if fresh := [pair for pair in dict.fromkeys(pairs) if pair not in seen]:
        seen.update(zip(fresh, _encode(*map(list, zip(*fresh, strict=True)), threads), strict=True))
    return [seen[pair] for pair in pairs]


def _encode(texts: list[str], contexts: list[str], threads: int) -> list[Vectors]:
    cut = list(pieces(texts, contexts))
    order = sorted(range(len(cut)), key=lambda i: len(cut[i].ids))
    found: list[Vectors] = [None] * len(cut)
    start = 0
    while start < len(order):
        length = len(cut[order[start]].ids)
        batch = [i for i in order[start : start + BATCH] if len(cut[i].ids) == length]
        inputs = {
            "ids": np.array([cut[i].ids for i in batch], dtype=np.int64),
            "segments": np.array([cut[i].segments for i in batch], dtype=np.int64),
        }
        for i, values in zip(batch, _session(threads).run(None, inputs)[0], strict=True):
            first, offsets = cut[i].first, cut[i].offsets
            found[i] = Vectors(values[first : first + len(offsets)], offsets)
        start += len(batch)
    return found


def shares(offsets: list[tuple[int, int]], where: list[tuple[int, int]]) -> np.ndarray:
    """Weight of each piece in the two averages: one row for the sentence, one for the mentions (or the sentence)."""
    n = len(offsets)
    inside = [any(start < high and low < end for low, high in where) for start, end in offsets]
    if not any(inside):
        inside = [True] * n
    rows = np.array([[1.0] * n, inside], dtype=np.float32).reshape(2, n)
    return rows / max(n, 1) if not n else rows / rows.sum(axis=1, keepdims=True)


def pooled(seen: Vectors, where: list[tuple[int, int]]) -> np.ndarray:
    """The average over the sentence and the average over the mentions, end to end."""
    return (shares(seen.offsets, where) @ seen.states).ravel()


def contributions(seen: Vectors, where: list[tuple[int, int]], weight: np.ndarray) -> np.ndarray:
    """What each piece adds to the score `weight @ pooled(...)`: the pieces' values sum to that score."""
    return (shares(seen.offsets, where) * (weight.reshape(2, -1) @ seen.states.T)).sum(axis=0)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis.

    >>> softmax(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class Head(NamedTuple):
    """A trained head: its classes, a row of weights and a bias for each, and the temperature that calibrates it."""

    classes: list[str]
    weight: np.ndarray
    bias: np.ndarray
    temperature: float

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, a column for each class."""
        return softmax((features @ self.weight.T + self.bias) / self.temperature)


def head(name: str) -> Head:
    """Return the trained head called `name`.

    >>> head("targeted").classes
    ['negative', 'neutral', 'positive']
    """
    stored = _heads()
    _check.option(name, sorted(key.split(".")[0] for key in stored if key.endswith(".bias")), "name")
    part = {key: stored[f"{name}.{key}"] for key in ("classes", "weight", "bias", "temperature")}
    return Head(part["classes"].tolist(), part["weight"].astype(np.float32), part["bias"], float(part["temperature"]))


def fit_head(features: np.ndarray, truth: np.ndarray, classes: list[str], *, penalty: float = 1.0) -> Head:
    """Multinomial logistic regression with a ridge penalty on standardised features, folded back into plain weights."""
    from scipy.optimize import minimize

    n, width = features.shape
    mean, spread = features.mean(axis=0), features.std() + 1e-9
    x = ((features - mean) / spread).astype(float)
    k = len(classes)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight, bias = flat[: k * width].reshape(k, width), flat[k * width :]
        p = softmax(x @ weight.T + bias)
        gap = (p - truth) / n
        value = -(truth * np.log(p + 1e-12)).sum() / n + penalty * (weight**2).sum() / (2 * n)
        return value, np.concatenate([(gap.T @ x + penalty * weight / n).ravel(), gap.sum(axis=0)])

    flat = minimize(loss, np.zeros(k * width + k), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    weight = flat[: k * width].reshape(k, width) / spread
    return Head(list(classes), weight.astype(np.float32), (flat[k * width :] - weight @ mean).astype(np.float32), 1.0)


def read(text: pd.Series, context: pd.Series | None, *, threads: int = 1) -> tuple[np.ndarray, list[Vectors]]:
    """Which rows of `text` can be scored, and the vectors of those rows; checks both arguments."""
    known, texts, contexts = given(text, context)
    return known, encode(texts, contexts, threads=threads)


def given(text: pd.Series, context: pd.Series | None) -> tuple[np.ndarray, list[str], list[str]]:
    """Which rows of `text` can be scored, their sentences and those before; checks both arguments."""
    _check.text(text)
    known = np.array([isinstance(t, str) and bool(t.strip()) for t in text], dtype=bool)
    before = np.full(len(text), "", dtype=object)
    if context is not None:
        _check.text(context, "context")
        if len(context) != len(text) or not context.index.equals(text.index):
            raise ValueError(
                f"context has {len(context)} rows and its own index; it must have the index of text ({len(text)} rows)"
            )
        before = np.array([t if isinstance(t, str) else "" for t in context], dtype=object)
    return known, text.to_numpy(dtype=object)[known].tolist(), before[known].tolist()


def likeliest(p: pd.DataFrame) -> pd.Series:
    """Name of the likeliest class of each row of what `heads` returns; missing where the row is.

    >>> likeliest(pd.DataFrame({"both": [0.2, None], "none": [0.8, None]})).fillna("-").tolist()
    ['none', '-']
    """
    found = p.columns.to_numpy()[p.fillna(0).to_numpy().argmax(axis=1)]
    return pd.Series(found, index=p.index, dtype="str").where(p.notna().all(axis=1))


def heads(
    text: pd.Series, *, context: pd.Series | None = None, names: list[str] | None = None, threads: int = 1
) -> dict[str, pd.DataFrame]:
    """Probabilities of every class of several heads at once, from one pass of the encoder.

    `text` holds one sentence a row, `context` the sentence before it. Returned is a frame for each name (default:
    `speaker_group`, `attribution`, `target`, `stance`, `frame`), with the index of `text` and a column for each class;
    a row of missing or blank text is NA. Only the first 160 word pieces of a sentence are read.

    >>> seen = heads(pd.Series(["“Encryption protects everyone,” the firm said."]), names=["speaker_group"])
    >>> seen["speaker_group"].idxmax(axis=1).tolist()
    ['platform']
    """
    names = ["speaker_group", "attribution", "target", "stance", "frame"] if names is None else names
    known, seen = read(text, context, threads=threads)
    texts = text.to_numpy(dtype=object)[known]
    patterns = targets()["encryption"]["mentions"]
    features = np.array([pooled(v, mentions(t, patterns)) for v, t in zip(seen, texts, strict=True)])
    result = {}
    for name in names:
        trained = head(name)
        values = np.full((len(text), len(trained.classes)), np.nan)
        if len(features):
            values[known] = trained.probabilities(features)
        result[name] = pd.DataFrame(values.round(4), index=text.index, columns=trained.classes)
    return result


def targeted(text: pd.Series, start: pd.Series, end: pd.Series, *, threads: int = 1) -> pd.DataFrame:
    """Tone toward the mention `text[start:end]` of each row: `negative`, `neutral`, `positive` as probabilities.

    One sentence with one mention a row; offsets count characters. The head was trained on NewsMTSC (Hamborg and
    Donnay 2021). A row whose text or offsets are missing is NA. Raises ValueError when offsets lie outside the text.

    >>> text = pd.Series(["The brave nurse was cheated by a greedy broker."])
    >>> toward = targeted(text, pd.Series([0]), pd.Series([15]))
    >>> toward.columns.tolist()
    ['negative', 'neutral', 'positive']
    """
    _check.text(text)
    trained = head("targeted")
    low, high = (pd.to_numeric(pd.Series(np.asarray(v), index=text.index)) for v in (start, end))
    given = (low.notna() & high.notna()).to_numpy()
    texts = text.where(given)
    known, seen = read(texts, None, threads=threads)
    values = np.full((len(text), 3), np.nan)
    rows = zip(np.flatnonzero(known), seen, strict=True)
    features = []
    for row, vectors in rows:
        span = int(low.iloc[row]), int(high.iloc[row])
        if not 0 <= span[0] < span[1] <= len(texts.iloc[row]):
            raise ValueError(
                f"start={span[0]}, end={span[1]} at index {text.index.tolist()[row]!r} lie outside the text"
            )
        features.append(pooled(vectors, [span]))
    if features:
        values[known] = trained.probabilities(np.array(features))
    return pd.DataFrame(values.round(4), index=text.index, columns=trained.classes)
