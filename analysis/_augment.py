"""Varied copies of sentences: some words give way to near ones (data augmentation as in TinyBERT, Jiao et al. 2020)."""

import json
import re

import numpy as np

WORD = re.compile(r"[A-Za-z]{3,}")
NEAR = 8


def neighbours(words: np.ndarray, tokenizer: str) -> dict[str, list[str]]:
    """The eight nearest of each whole word of the vocabulary, by the cosine of the base model's word vectors."""
    vocabulary = json.loads(tokenizer)["model"]["vocab"]
    whole = {term: i for term, i in vocabulary.items() if re.fullmatch("[a-z]{3,}", term)}
    names = np.array(list(whole))
    x = words[list(whole.values())].astype(np.float64)  # in single precision the order would hang on the machine
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = {}
    for low in range(0, len(x), 1024):
        close = x[low : low + 1024] @ x.T
        close[np.arange(len(close)), low + np.arange(len(close))] = -2
        top = np.argpartition(-close, NEAR, axis=1)[:, :NEAR]
        top = np.take_along_axis(top, np.argsort(-np.take_along_axis(close, top, axis=1), axis=1), axis=1)
        found |= {names[low + row]: names[at].tolist() for row, at in enumerate(top)}
    return found


def varied(text: str, near: dict[str, list[str]], rng: np.random.Generator, rate: float = 0.3) -> str:
    """`text` with about `rate` of its words replaced by one of their neighbours; words without any stay."""

    def near_one(match: re.Match) -> str:
        word = match[0]
        others = near.get(word.lower())
        if others is None or rng.random() >= rate:
            return word
        other = others[rng.integers(len(others))]
        return other.capitalize() if word[0].isupper() else other

    return WORD.sub(near_one, text)
