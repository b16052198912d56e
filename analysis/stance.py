"""Stance toward a target: for, against, mixed, neutral, or not addressed, with its probability and its evidence."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import _check, codebook, encoder

SIDES = {"favour": ["favour"], "neutral": ["neutral", "mixed", "not_addressed"], "against": ["against"]}
CUES = 3  # words of evidence a sentence
FAVOUR = "The speaker supports end-to-end encryption or opposes weakening it."
AGAINST = "The speaker opposes end-to-end encryption or wants access to encrypted messages."
Model = Callable[[list[str], list[str]], np.ndarray]
_WORD = re.compile(r"\w+(?:[-'\u2019.]\w+)*")


class Target(NamedTuple):
    """What a stance is taken toward: its name, the patterns that mention it, and the head that answers."""

    name: str
    mentions: list[str]
    head: encoder.Head


def target(name: str) -> Target:
    """Return a target that comes with the package.

    >>> target("encryption").head.classes
    ['favour', 'mixed', 'neutral', 'against', 'not_addressed']
    """
    known = encoder.targets()
    _check.option(name, known, "target")
    return Target(name, known[name]["mentions"], encoder.head(known[name]["head"]))


def stance(
    text: pd.Series,
    *,
    context: pd.Series | None = None,
    target: str | Target = "encryption",
    threshold: float | None = None,
    model: Model | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Stance of whoever speaks in each sentence toward `target`.

    `text` holds one sentence a row and `context` the sentence before it, on the same index. `target` is `encryption`,
    `access_measures`, or what `fit_stance` returns. Columns, on the index of `text`:

    - `stance`: `favour`, `mixed`, `neutral`, `against` or `not_addressed` (the codebook's values);
    - `confidence`: the probability of the side (favour, neutral, against) that `stance` belongs to, 0 to 1;
    - `p_favour`, `p_neutral` (with mixed and not addressed), `p_against`: calibrated, and adding up to 1;
    - `evidence`: a list of dicts `start`, `end`, `cue`, `weight`, `rule`: the words that add most to the score of the
      side against the others; positions count characters of the text.

    `model` answers in the place of the encoder: any function of the sentences and the sentences before them (two lists
    of strings, "" for none) that returns one row of favour, neutral and against for each; `entailment` makes one from
    a model of your own. `target` then plays no part, and `evidence` is NA, since such a model shows none.

    With `threshold`, a row whose confidence is lower abstains: `stance` is NA and the probabilities stay. Missing or
    blank text is NA throughout. Only the first 160 word pieces of a sentence are read. Raises TypeError for text that
    is no Series of strings, ValueError for an unknown target, a threshold outside 0 to 1, a context on another index,
    or a `model` whose answer is not a table of probabilities.

    Source: stance toward a target that need not be named, Mohammad et al. (2016); linear heads on a fine-tuned
    sentence encoder (Wang et al. 2020), temperature scaling (Guo et al. 2017).

    >>> text = pd.Series(["“We won’t weaken encryption,” the firm said.", "Police say encryption shields criminals."])
    >>> stance(text)["stance"].tolist()
    ['favour', 'against']
    """
    chosen = target if isinstance(target, Target) else globals()["target"](target)
    if threshold is not None:
        _check.fraction(threshold, "threshold")
    if model is None:
        known, seen = encoder.read(text, context, threads=threads)
        rows = [_row(t, v, chosen, threshold) for t, v in zip(text.to_numpy(dtype=object)[known], seen, strict=True)]
    else:
        known, texts, contexts = encoder.given(text, context)
        rows = _answered(model, texts, contexts, threshold)
    columns = ["stance", "confidence", "p_favour", "p_neutral", "p_against", "evidence"]
    found = pd.DataFrame(rows, columns=columns, index=np.flatnonzero(known)).reindex(range(len(text)))
    found.index = text.index
    return found.astype({"stance": "str"} | dict.fromkeys(columns[1:5], float))


def entailment(
    model: str | Path, *, favour: str = FAVOUR, against: str = AGAINST, entails: str = "entailment", size: int = 16
) -> Model:
    """Make a `model=` for `stance` from a natural-language-inference model of your own (needs transformers and torch).

    `model` is a folder that `transformers` can load; nothing is downloaded. Each sentence, with the one before it, is
    the premise, and `favour` and `against` are the hypotheses: another debate's need only these two sentences. With e
    and f the probabilities that the premise entails each, the sides weigh e(1-f), (1-e)(1-f) and (1-e)f. `entails` is
    the model's label for entailment, `size` the number of sentences a batch. How good the answers are depends on the
    model: check them on coded sentences with `analysis.accuracy`. Raises ModuleNotFoundError without transformers,
    FileNotFoundError where there is no such folder, ValueError for a model without that label.

    Source: zero-shot classification by entailment, Yin, Hay and Roth (2019).

    >>> entailment("no-such-folder")
    Traceback (most recent call last):
    FileNotFoundError: no-such-folder is not a folder with a model; nothing is downloaded, so give one on your disk
    """
    folder = Path(model)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is not a folder with a model; nothing is downloaded, so give one on your disk"
        )
    if find_spec("transformers") is None or find_spec("torch") is None:
        raise ModuleNotFoundError("a model of your own needs `pip install transformers torch`")
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    network = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    network.eval()
    labels = {name.lower(): number for number, name in network.config.id2label.items()}
    column = labels[_check.option(entails.lower(), labels, "entails")]

    def entailed(premises: list[str], hypothesis: str) -> np.ndarray:
        found = []
        for i in range(0, len(premises), size):
            batch = premises[i : i + size]
            ready = tokenizer(
                batch, [hypothesis] * len(batch), truncation="only_first", padding=True, return_tensors="pt"
            )
            with torch.no_grad():
                found.append(network(**ready).logits.softmax(dim=1)[:, column].numpy())
        return np.concatenate(found).astype(float)

    def answer(texts: list[str], contexts: list[str]) -> np.ndarray:
        premises = [f"{before} {text}".strip() for before, text in zip(contexts, texts, strict=True)]
        e, f = entailed(premises, favour), entailed(premises, against)
        sides = np.column_stack([e * (1 - f), (1 - e) * (1 - f), (1 - e) * f])
        return sides / sides.sum(axis=1, keepdims=True)

    return answer


def _answered(model: Model, texts: list[str], contexts: list[str], threshold: float | None) -> list[tuple]:
    if not texts:
        return []
    p = np.asarray(model(texts, contexts), dtype=float)
    if p.shape != (len(texts), 3) or not (np.isfinite(p).all() and (p >= 0).all() and np.allclose(p.sum(axis=1), 1)):
        raise ValueError(
            f"model gave an array of shape {p.shape} for {len(texts)} sentences; it must give three probabilities "
            "each, for favour, neutral and against, that add up to 1"
        )
    sure = p.max(axis=1)
    sides = np.array(list(SIDES), dtype=object)[p.argmax(axis=1)]
    sides[sure < (threshold or 0)] = None
    return [
        (side, *map(float, row), None) for side, row in zip(sides, np.column_stack([sure, p]).round(4), strict=True)
    ]


def _row(text: str, seen: encoder.Vectors, chosen: Target, threshold: float | None) -> tuple:
    where = encoder.mentions(text, chosen.mentions)
    trained = chosen.head
    p = dict(zip(trained.classes, trained.probabilities(encoder.pooled(seen, where)), strict=True))
    sides = {side: round(float(sum(p.get(c, 0.0) for c in classes)), 4) for side, classes in SIDES.items()}
    side = max(sides, key=sides.get)
    best = max((c for c in SIDES[side] if c in p), key=p.get)
    confident = threshold is None or sides[side] >= threshold
    weight = _against_the_rest(trained, [c for c in SIDES[side] if c in p])
    return best if confident else None, sides[side], *sides.values(), evidence(text, seen, where, weight)


def _against_the_rest(trained: encoder.Head, classes: list[str]) -> np.ndarray:
    chosen = np.isin(trained.classes, classes)
    return (trained.weight[chosen].mean(axis=0) - trained.weight[~chosen].mean(axis=0)) / trained.temperature


def evidence(text: str, seen: encoder.Vectors, where: list[tuple[int, int]], weight: np.ndarray) -> list[dict]:
    """The words of `text` that add most to a head's score, heaviest first, each with what it adds."""
    added = encoder.contributions(seen, where, weight).tolist()
    words, piece, last = [], 0, len(added)
    for match in _WORD.finditer(text):
        start, end = match.span()
        while piece < last and seen.offsets[piece][0] < start:
            piece += 1
        total = 0.0
        while piece < last and seen.offsets[piece][1] <= end:
            total += added[piece]
            piece += 1
        if total > 0:
            words.append({"start": start, "end": end, "cue": match.group(), "weight": round(total, 3)})
    heaviest = sorted(words, key=lambda word: (-word["weight"], word["start"]))[:CUES]
    return [word | {"rule": "weight"} for word in heaviest]


def fit_stance(
    codes: pd.DataFrame,
    *,
    name: str,
    mentions: list[str],
    text: str = "text",
    stance: str = "stance",
    context: str | None = None,
    penalty: float = 1.0,
) -> Target:
    """Learn a stance toward your own proposition from coded sentences; pass the result to `stance(target=)`.

    `codes` holds one coded sentence a row: its `text` and its `stance` (the codebook's values; at least two of them,
    five sentences each), and the sentence before in the column `context`, if given. `mentions` are regular expressions
    for the words that name the target. The encoder stays as it is; a ridge-penalised logistic regression is fitted on
    its vectors. A hundred sentences give a first impression, some hundreds a usable head: check it on sentences of
    other articles with `analysis.validity.accuracy`. Raises ValueError for unknown or too few codes.

    >>> codes = pd.DataFrame({
    ...     "text": ["The toll is fair.", "We welcome the toll.", "The toll works.", "Keep the toll!", "I back tolls."]
    ...     + ["The toll is unfair.", "We oppose the toll.", "The toll fails.", "Scrap the toll!", "I hate tolls."],
    ...     "stance": ["favour"] * 5 + ["against"] * 5,
    ... })
    >>> toll = fit_stance(codes, name="toll", mentions=["tolls?"])
    >>> toll.name, toll.head.classes
    ('toll', ['favour', 'against'])
    """
    _check.frame(codes, [text, stance, *([context] if context else [])], "codes")
    for code in codes[stance].dropna().unique():
        _check.option(code, codebook.values("stance"), stance)
    usable = codes[codes[text].notna() & codes[stance].notna()]
    counts = usable[stance].value_counts()
    classes = [c for c in codebook.values("stance") if counts.get(c, 0)]
    if len(classes) < 2 or counts.min() < 5:
        raise ValueError(f"codes has {counts.to_dict()}; it must have at least two stances with five sentences each")
    if not mentions or isinstance(mentions, str):
        raise ValueError(f"mentions={mentions!r} must be a list of regular expressions, such as ['road tolls?']")
    known, seen = encoder.read(usable[text], usable[context] if context else None)
    texts = usable[text].to_numpy(dtype=object)[known]
    features = np.array([encoder.pooled(v, encoder.mentions(t, mentions)) for v, t in zip(seen, texts, strict=True)])
    truth = np.array([[code == c for c in classes] for code in usable[stance].to_numpy()[known]], dtype=float)
    return Target(name, list(mentions), encoder.fit_head(features, truth, classes, penalty=penalty))
