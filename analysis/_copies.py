"""Find copies of the same text: wire stories, rewrites, mirrors, cut and edited versions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from analysis import _check

_RUN = 3  # words that must stand together in both texts
_SKETCH = 48  # about how many of a text's runs stand for it when candidates are sought
_NEAR = 6  # a text is paired with this many of the next that share a run, and with the first
_COMMON = 100  # where more texts than this share a run, with the next and the first only: stock phrases stay cheap
_BYTES = 250_000  # text held as numbers at a time: fits the cache
_BASE = np.uint64(0x9E3779B97F4A7C15)
_BASE_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def copies(articles: pd.DataFrame, *, threshold: float = 0.4) -> pd.Series:
    """Group articles that are copies of one text.

    Grain in: one article, indexed by a unique id, with a column `text`. Returned: one entry per article, `copy_group`,
    the id of the group's first article in the order given; an article without copies, without text or with fewer than
    three words is its own group. Two articles are copies when at least `threshold` of the words of the shorter one
    stand in runs of three that the other one has too, wherever they stand: a story cut to half its length, or half
    rewritten, is a copy. Copies of copies are in one group. Case, punctuation and spacing do not count.

    Candidates come from a sketch of each text, its smallest run hashes, and each is then compared exactly: what is
    grouped reaches the threshold, and what reaches it is found unless the sketch misses it (rare above 0.3). Time
    grows linearly with the number of articles.

    Raises TypeError or ValueError for a table without `text`, an index that repeats, or a threshold not in 0 to 1.

    Sources: Broder (1997) for sketches and containment.

    >>> text = "the minister said on friday that the bill would not weaken encryption for anyone"
    >>> texts = {"a": text, "b": "Update: " + text[:60], "c": "rain is expected in the north"}
    >>> copies(pd.DataFrame({"text": texts})).tolist()
    ['a', 'a', 'c']
    """
    pairs = copy_pairs(articles, threshold=threshold)
    return _grouped(articles.index, pairs)


def copy_pairs(articles: pd.DataFrame, *, threshold: float = 0.4) -> pd.DataFrame:
    """Pairs of articles that are copies, with how much of the shorter one stands in the other.

    Grain in and errors: as for `copies`. Grain out: one pair of articles; where many articles share one text, each is
    paired with its neighbours, not with all. Columns returned: `a`, `b` (ids, in the order given), `similarity` (share
    of the words of the shorter text that stand in runs of three of the longer, `threshold` to 1).

    >>> texts = {"a": "one two three four five six", "b": "zero one two three four nine"}
    >>> copy_pairs(pd.DataFrame({"text": texts})).round(2)
       a  b  similarity
    0  a  b        0.67
    """
    _check.frame(articles, ["text"], "articles")
    _check.text(articles["text"])
    _check.fraction(threshold, "threshold")
    if not articles.index.is_unique:
        raise ValueError(
            f"articles repeats the id {articles.index[articles.index.duplicated()][0]!r}; each needs its own"
        )
    runs, sketches = _runs(articles["text"].astype("str"))
    a, b = _candidates(sketches, np.array([len(r) for r in runs], dtype=np.int64), threshold)
    similarity = _similarity(runs, a, b)
    keep = similarity >= threshold
    index = articles.index
    return pd.DataFrame({"a": index[a[keep]], "b": index[b[keep]], "similarity": similarity[keep]})


def copy_weights(group: pd.Series) -> pd.Series:
    """Weight of each article when a text counts once however often it was copied: 1 over the size of its group.

    >>> copy_weights(pd.Series(["a", "a", "c"])).tolist()
    [0.5, 0.5, 1.0]
    """
    if not isinstance(group, pd.Series):
        raise TypeError(f"group must be a pandas Series, such as copies() gives, not {type(group).__name__}")
    return (1 / group.map(group.value_counts())).rename("weight")


def copy_sensitivity(
    articles: pd.DataFrame, *, thresholds: Sequence[float] = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
) -> pd.DataFrame:
    """How the grouping of copies depends on the threshold.

    Grain in: as for `copies`. Grain out: one row per threshold, rising. Columns returned: `threshold`, `pairs`,
    `groups` (with two articles or more), `copies` (articles in such groups beyond the first of each), `share` (of all
    articles, 0 to 1), `largest` (articles in the largest group).

    >>> text = "the minister said on friday that the bill would not weaken encryption for anyone"
    >>> texts = [text, text, text[:60] + " but an expert from a university disagreed with this"]
    >>> copy_sensitivity(pd.DataFrame({"text": texts}), thresholds=[0.5, 0.9])
       threshold  pairs  groups  copies     share  largest
    0        0.5      3       1       2  0.666667        3
    1        0.9      1       1       1  0.333333        2
    """
    thresholds = sorted(thresholds)
    pairs = copy_pairs(articles, threshold=thresholds[0])
    rows = []
    for threshold in thresholds:
        kept = pairs[pairs["similarity"] >= _check.fraction(threshold, "thresholds")]
        size = _grouped(articles.index, kept).value_counts()
        extra = len(articles) - len(size)
        share, largest = extra / max(len(articles), 1), size.max() if len(size) else 0
        rows.append([threshold, len(kept), int((size > 1).sum()), extra, share, largest])
    return pd.DataFrame(rows, columns=["threshold", "pairs", "groups", "copies", "share", "largest"])


def _grouped(index: pd.Index, pairs: pd.DataFrame) -> pd.Series:
    """Return the first id of each article's connected component."""
    n = len(index)
    a, b = index.get_indexer(pairs["a"]), index.get_indexer(pairs["b"])
    graph = sparse.coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(n, n))
    _, group = sparse.csgraph.connected_components(graph, directed=False)
    first = np.full(n, n)
    np.minimum.at(first, group, np.arange(n))
    return pd.Series(index[first[group]], index=index, name="copy_group")


def _runs(text: pd.Series) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the hashes of each text's runs of words, and the sketches: run hash and text number in one key."""
    bounds = np.concatenate([[0], text.str.len().fillna(0).to_numpy(dtype=np.int64).cumsum()])
    runs, sketches, first = [], [np.empty(0, dtype=np.uint64)], 0
    while first < len(text):
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + _BYTES, side="right")) - 1)
        hashes, count = _hashed(text.iloc[first:last].fillna("").tolist())
        runs += np.split(hashes, np.cumsum(count)[:-1])
        owner = np.repeat(np.arange(first, last, dtype=np.uint64), count)
        keep = hashes < np.repeat(_cutoff(count), count)
        sketches.append((hashes[keep].astype(np.uint64) << np.uint64(32)) | owner[keep])
        first = last
    return runs, np.concatenate(sketches)


def _cutoff(count: np.ndarray) -> np.ndarray:
    """Return the hash below which a run is in the sketch of a text of `count` runs."""
    return np.minimum(_SKETCH / np.maximum(count, 1), 1) * 2.0**32


def _hashed(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return 32-bit hashes of the runs of words of `texts`, and their number per text."""
    joined = "\n".join(t.replace("\n", " ") for t in texts).lower()
    data = np.frombuffer(joined.encode("utf-8", "surrogatepass") + b"\n\n", dtype=np.uint8)
    word = _WORD[data]
    for lead, rest in ((0xC2, 1), (0xE2, 2)):  # U+0080 to U+00BF, U+2000 to U+203F: signs, dashes, quotes, spaces
        sign = np.flatnonzero((data[:-1] == lead) & ((lead == 0xC2) | (data[1:] == 0x80)))
        for i in range(rest + 1):
            word[sign + i] = False
    edge = np.flatnonzero(np.diff(word, prepend=False))
    begin, end = edge[::2], edge[1::2]
    # a word's hash is a polynomial in its bytes: the difference of two running sums, divided by the power it starts at
    power, inverse = np.full(len(data), _BASE), np.full(len(data), _BASE_INVERSE)
    power[0] = inverse[0] = 1
    np.cumprod(power, out=power)
    np.cumprod(inverse, out=inverse)
    total = np.zeros(len(data) + 1, dtype=np.uint64)
    np.cumsum(data * power, out=total[1:])
    words = (total[end] - total[begin]) * inverse[begin]
    words = (words ^ (words >> np.uint64(29))) * _MIX
    text = np.searchsorted(np.flatnonzero(data == 10), begin)
    run = words[: 1 - _RUN] if len(words) >= _RUN else words[:0]
    for i in range(1, _RUN):
        run = run * _BASE + words[i : len(words) - _RUN + 1 + i]
    inside = text[: len(run)] == text[_RUN - 1 :]
    run = (run ^ (run >> np.uint64(31))) * _MIX
    return (run >> np.uint64(32)).astype(np.uint32)[inside], np.bincount(text[: len(run)][inside], minlength=len(texts))


_WORD = np.array([b > 127 or chr(b).isalnum() for b in range(256)])


def _candidates(sketches: np.ndarray, count: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of texts that share enough of their sketches to be compared."""
    sketches = np.sort(sketches)
    runs, text = sketches >> np.uint64(32), (sketches & np.uint64(0xFFFFFFFF)).astype(np.int64)
    opens = np.flatnonzero(np.diff(runs, prepend=~runs[:1]))  # where the texts that share a run begin
    size = np.diff(opens, append=len(runs))
    first, rare = np.repeat(opens, size), np.repeat(size <= _COMMON, size)
    far = np.flatnonzero(np.arange(len(runs)) - first > _NEAR)
    pairs = [text[first[far]] * len(count) + text[far]]
    for step in range(1, _NEAR + 1):
        same = np.flatnonzero((runs[step:] == runs[:-step]) & (rare[step:] | (step == 1)))
        pairs.append(text[same] * len(count) + text[same + step])
    del sketches, runs, text, opens, size, first, rare, far, same
    pairs = np.concatenate(pairs)
    pairs.sort()
    opens = np.flatnonzero(np.diff(pairs, prepend=-1))
    shared = np.diff(opens, append=len(pairs))
    a, b = pairs[opens] // max(len(count), 1), pairs[opens] % max(len(count), 1)
    longer = np.maximum(count[a], count[b])
    expected = np.minimum(count[a], count[b]) * _cutoff(longer) / 2.0**32  # of the shorter's runs, in both sketches
    keep = (shared >= np.maximum(1, threshold * expected / 6)) & (a != b)
    return a[keep], b[keep]


def _similarity(runs: list[np.ndarray], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Share of the words of the shorter text of each pair that stand in runs of the longer one."""
    out = np.empty(len(a))
    for i, pair in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        short, other = sorted((runs[t] for t in pair), key=len)
        other = np.sort(other)
        hit = other.take(other.searchsorted(short), mode="clip") == short
        inside = np.zeros(len(hit) + _RUN - 1, dtype=bool)
        for place in range(_RUN):
            inside[place : place + len(hit)] |= hit
        out[i] = np.count_nonzero(inside) / len(inside)
    return out
