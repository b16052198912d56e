"""Issue frames: what is at stake in a sentence, and how the nine frames map on two published schemes."""

from functools import cache

import numpy as np
import pandas as pd

from analysis import _check, encoder
from analysis.codebook import RESOURCES
from analysis.stance import evidence

SECOND = 0.25  # least probability of a second frame


def frames(
    text: pd.Series, *, context: pd.Series | None = None, threshold: float | None = None, threads: int = 1
) -> pd.DataFrame:
    """Issue frame of each sentence: what it says is at stake.

    `text` holds one sentence a row and `context` the sentence before it, on the same index. Columns, on the index of
    `text`:

    - `frame`: the likeliest of the codebook's nine frames, or `none`;
    - `frame_second`: the next frame if its probability is at least .25, else NA;
    - `p_<frame>`: probabilities of the nine frames and of `none`, adding up to 1;
    - `evidence`: a list of dicts `start`, `end`, `cue`, `weight`, `rule`: the words that add most to the frame's score.

    With `threshold`, a row whose likeliest frame is less probable abstains: `frame` and `frame_second` are NA. Missing
    or blank text is NA throughout. Raises TypeError for text that is no Series of strings, ValueError for a threshold
    outside 0 to 1 or a context on another index.

    Source: frames as what a text makes salient, Entman (1993); the nine issue frames are the codebook's, section 5.

    >>> frames(pd.Series(["The bill was sent back to committee by nine votes."]))["frame"].tolist()
    ['regulation']
    """
    if threshold is not None:
        _check.fraction(threshold, "threshold")
    known, seen = encoder.read(text, context, threads=threads)
    trained = encoder.head("frame")
    patterns = encoder.targets()["encryption"]["mentions"]
    rows = [
        _row(t, v, encoder.mentions(t, patterns), trained, threshold)
        for t, v in zip(text.to_numpy(dtype=object)[known], seen, strict=True)
    ]
    columns = ["frame", "frame_second", *(f"p_{name}" for name in trained.classes), "evidence"]
    found = pd.DataFrame(rows, columns=columns, index=np.flatnonzero(known)).reindex(range(len(text)))
    found.index = text.index
    return found.astype(dict.fromkeys(columns[:2], "str") | dict.fromkeys(columns[2:-1], float))


def _row(
    text: str, seen: encoder.Vectors, where: list[tuple[int, int]], trained: encoder.Head, threshold: float | None
) -> tuple:
    p = trained.probabilities(encoder.pooled(seen, where)).round(4)
    first, second = np.argsort(-p, kind="stable")[:2]
    one, two = trained.classes[first], trained.classes[second]
    rest = (trained.weight.sum(axis=0) - trained.weight[first]) / (len(p) - 1)
    cues = evidence(text, seen, where, (trained.weight[first] - rest) / trained.temperature)
    if threshold is not None and p[first] < threshold:
        one = None
    has_second = one is not None and "none" not in (one, two) and p[second] >= SECOND
    return one, two if has_second else None, *p, cues


@cache
def _tables() -> pd.DataFrame:
    with (RESOURCES / "crosswalk.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)


def crosswalk(scheme: str) -> pd.DataFrame:
    """How the nine issue frames map on a published scheme: a default to check with the sentence at hand, not a rule.

    `scheme` is `policy` (the fifteen policy frames of Boydstun et al. 2014) or `generic` (the five of Semetko and
    Valkenburg 2000). One row for each pair, as the map is many-to-many: `frame`, `other`, `note`.

    >>> walk = crosswalk("policy")
    >>> walk.loc[walk["frame"].eq("geopolitics"), "other"].tolist()
    ['Security and defense', 'External regulation and reputation']
    """
    _check.option(scheme, ["policy", "generic"], "scheme")
    table = _tables()
    return table.loc[table["scheme"].eq(scheme), ["frame", "other", "note"]].reset_index(drop=True)
