"""Tone: of words as VADER scores them, toward a target, and of news sentences as readers rate them.

`sentiment` is VADER exactly (Hutto and Gilbert 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", as vaderSentiment 3.3.2 computes it), at a cost that grows with the text's length and not with its
square. nltk's VADER is a variant whose scores differ; it is not offered. `tone` is closer to what readers make of news.
Neither is stance: a sentence can deplore abuse and favour encryption.

Quirks of the reference code, kept here because equal scores are the point:

- Words are cut at white space. Marks are stripped from both ends unless two characters or fewer would be left, so
  "ok!" keeps its mark (and is not found), while "bad--good" and "isn’t" (curly quote) are words of no list.
- Words and emoticons are looked up in lower case, so ":Þ" never matches; nor do entries that hold a space ("fed up")
  and emoji of more than one character (flags, skin tones).
- An emoji becomes its description, and the words of that count. What follows it unspaced sticks to its last word.
- A word of tone in capitals gains .733 as soon as anything between spaces is not in capitals, be it a number or a dash;
  so does the effect of a booster.
- "this" or "so" right before a word of tone strengthens it by a quarter, with or without "never", once three words
  precede it and the first of the three carries no tone.
- Idioms ("kiss of death", "the bomb") count only from the fourth word on, unless the word three before carries tone;
  "the bomb" also gives its value to a word of tone that follows it.
- "no" reverses a word of tone one or two words on, and has no tone of its own right before one; "kind" in "kind of" has
  none either.
- "but": each tone in the list, in turn, halves or raises by half the *first* word that has the same tone at that
  moment, so repeated words can change twice or never. Only the first "but" of the text counts.
- Two question marks add .36, three .54, more .96; "!" adds .292 each, four at most, wherever in the text they stand.
- The compound of a long text runs to -1 or +1: average sentences instead (`mean_sentiment`).
"""

import re
import string
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from heapq import heappop, heappush
from itertools import chain, compress, pairwise

import numpy as np
import pandas as pd

from analysis import _check, encoder
from analysis.codebook import RESOURCES
from analysis.text import sentences

COLUMNS = ["neg", "neu", "pos", "compound", "n_cues"]

_BOOSTERS = dict.fromkeys(
    """
    absolutely amazingly awfully completely considerable considerably decidedly deeply effing enormous enormously
    entirely especially exceptional exceptionally extreme extremely fabulously flipping flippin frackin fracking
    fricking frickin frigging friggin fully fuckin fucking fuggin fugging greatly hella highly hugely incredible
    incredibly intensely major majorly more most particularly purely quite really remarkably so substantially
    thoroughly total totally tremendous tremendously uber unbelievably unusually utter utterly very
    """.split(),
    0.293,
) | dict.fromkeys(
    """
    almost barely hardly kinda kindof kind-of less little marginal marginally occasional occasionally partly scarce
    scarcely slight slightly somewhat sorta sortof sort-of
    """.split(),
    -0.293,
)
_BOOSTER_PAIRS = dict.fromkeys(["just enough", "kind of", "sort of"], -0.293)
_NEGATIONS = frozenset(
    """
    aint arent cannot cant couldnt darent didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt neither neednt never
    none nope nor not nothing nowhere oughtnt shant shouldnt uhuh uh-uh wasnt werent without wont wouldnt rarely seldom
    despite n't
    """.split()  # n't stands for every word that holds it
)
_IDIOMS = {
    "the shit": 3,
    "the bomb": 3,
    "bad ass": 1.5,
    "bus stop": 0.0,
    "yeah right": -2,
    "kiss of death": -1.5,
    "to die for": 3,
    "beating heart": 3.5,
}
_HEADS = frozenset("shit bomb ass stop right death die heart just kind sort".split())  # one word of each phrase
_CAPITALS = 0.733
_REVERSAL = -0.74
_FADE = (1, 0.95, 0.9)  # of a booster one, two and three words before

# Each word of a text becomes one character: absent, of no list, or its number in the table of listed words; plus
# _UPPER if it is in capitals. What a word of tone is worth then depends on six characters, three before, two after.
_ABSENT, _PLAIN, _FIRST, _UPPER = 0, 1, 2, 0x4000
_MEMO = 1 << 16  # entries before a memo starts afresh
_PIECE = 1 << 14  # characters of a long text that are cut into words at a time
_BATCH = 1 << 18  # characters of a batch of texts

_EMOJI = re.compile("[©®\u203c-\u3299\U0001f000-\U0001ffff]")  # and other symbols; a class of emoji alone is slow
_QUOTES = str.maketrans({"‘": "'", "’": "'", "‛": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "‟": '"'})


def sentiment(
    text: pd.Series,
    *,
    mask: bool | Iterable[str] | None = None,
    target: str | pd.Series | pd.DataFrame | None = None,
    normalize: bool = False,
) -> pd.DataFrame:
    """Score the tone of each text exactly as vaderSentiment 3.3.2 does.

    One row of `text` is any string; VADER is made for a sentence. Returns a DataFrame with the same index: `neg`,
    `neu`, `pos` (shares of the text's weight, 0 to 1, three decimals), `compound` (-1 to 1, four decimals) and `n_cues`
    (words met that the lexicon lists; 0 means no evidence, though VADER's compound is then 0). Missing text gives
    missing scores.

    `mask` leaves out words that name the topic rather than judge it: True for the list in
    `resources/sentiment_mask.csv`, which gives the reason for each, or a list of your own. A masked word is a word
    that the lexicon doesn't have. On rated editorials the list costs agreement with readers (r = .484 against .503):
    mask for the topic's sake, not for accuracy. `normalize=True` reads curly quotes as straight ones, so that "isn’t
    good" is negated; VADER alone does not, so this is off here and on in `mean_sentiment`.

    `target` asks for the tone toward one mention in the sentence instead: a term (its first use as a whole word, in any
    case), a Series of terms, or a DataFrame of offsets with columns `start` and `end`, each with the index of `text`.
    A trained model answers (`encoder.targeted`), not VADER: `neg`, `neu` and `pos` are then probabilities, `compound`
    is `pos` less `neg`, and `n_cues` is 1 where the target is mentioned, else 0 with missing scores. Its macro-F1 on
    1,456 targets of NewsMTSC articles held out of training is .750 (95% interval .728 to .773).

    Raises TypeError where `text` is no Series of strings, `mask` no list of words or `target` none of these, ValueError
    where a masked term can never match, a target is empty, has another index or lies outside the text, or `mask` and
    `target` are both given.

    Method: Hutto and Gilbert (2014), whose quirks the module's docstring lists; for `target` Hamborg and Donnay (2021).

    >>> text = pd.Series(["Encryption is good.", "Abuse isn't good!", "Police met Apple.", None])
    >>> sentiment(text)
         neg    neu    pos  compound  n_cues
    0  0.000  0.408  0.592    0.4404       1
    1  0.873  0.127  0.000   -0.7844       2
    2  0.000  1.000  0.000    0.0000       0
    3    NaN    NaN    NaN       NaN    <NA>
    >>> sentiment(text, mask=["abuse"])["compound"].tolist()[1]
    -0.4015
    >>> twice = pd.Series(["Parents love the nurse but hate the broker."] * 2)
    >>> toward = sentiment(twice, target=pd.Series(["nurse", "broker"]))["compound"]
    >>> bool(toward[0] > 0 > toward[1])
    True
    """
    is_text = _check.text(text).notna().to_numpy()
    vader = _vader(_masked(mask))
    if not isinstance(normalize, bool):
        raise TypeError(f"normalize={normalize!r} must be True or False")
    texts = list(compress(text.tolist(), is_text))
    if normalize:
        texts = [item if item.isascii() else item.translate(_QUOTES) for item in texts]
    scores = np.full((len(text), len(COLUMNS)), np.nan)
    if target is not None:
        if mask is not None and mask is not False:
            raise ValueError("mask leaves out words of VADER's lexicon, which target does not use; give one of the two")
        spans = _spans(text, target)
        read = pd.Series(texts, index=np.flatnonzero(is_text), dtype=object).reindex(range(len(text)))
        toward = encoder.targeted(read, spans["start"], spans["end"]).to_numpy()
        scores = np.column_stack([toward, toward[:, 2] - toward[:, 0], spans["start"].notna()])
        scores[~is_text] = np.nan
    elif texts:
        scores[is_text] = np.concatenate([vader.scores(batch) for batch in _batches(texts)])
    columns = dict(zip(COLUMNS, scores.T, strict=True))
    return pd.DataFrame(columns | {"n_cues": pd.array(columns["n_cues"], dtype="Int64")}, index=text.index)


def mean_sentiment(
    text: pd.Series, *, mask: bool | Iterable[str] | None = None, normalize: bool = True
) -> pd.DataFrame:
    """Average the tone of each article over its sentences that hold a word of tone.

    One row of `text` is one article. Returns a DataFrame with the same index: `neg`, `neu`, `pos` and `compound`, each
    the mean over sentences with at least one cue (units as in `sentiment`); `n_cues` (words met that the lexicon
    lists), `n_scored` (sentences with a cue, the denominator) and `n_sentences`. An article without a cue has no tone:
    its means are missing, not 0. Missing text has missing counts too. `mask` and `normalize` are those of `sentiment`,
    but curly quotes are read as straight ones unless `normalize=False`. Raises as `sentiment` does.

    Method: Hutto and Gilbert (2014) by the sentence; the compound of a whole article saturates.

    >>> mean_sentiment(pd.Series(["Privacy is good. It isn’t bad. Apple met police.", "Apple met police."]))
       neg   neu   pos  compound  n_cues  n_scored  n_sentences
    0  0.0  0.41  0.59    0.4357       2         2            3
    1  NaN   NaN   NaN       NaN       0         0            1
    """
    positions = pd.RangeIndex(len(_check.text(text)))  # labels may repeat
    found = sentences(text.set_axis(positions))
    scores = sentiment(found["text"], mask=mask, normalize=normalize)
    article = found["article_id"].to_numpy(dtype=np.intp)
    has_cue = (scores["n_cues"] > 0).to_numpy(dtype=bool)
    means = scores.loc[has_cue, COLUMNS[:4]].groupby(article[has_cue]).mean().reindex(positions)
    counted = {"n_cues": scores["n_cues"].to_numpy(dtype=float), "n_scored": has_cue, "n_sentences": None}
    for name, weights in counted.items():
        count = np.bincount(article, weights=weights, minlength=len(text))
        means[name] = pd.array(np.where(text.isna(), np.nan, count), dtype="Int64")
    return means.set_axis(text.index)


def tone(text: pd.Series, *, threads: int = 1) -> pd.Series:
    """Estimate how negative or positive readers find a news sentence.

    One row of `text` is a sentence. Returns a Series of the same index, named `tone`: the mean rating of twenty readers
    as the model expects it, -4 (extremely negative) to 4 (extremely positive); the ratings it learnt from spread by
    about 1 around 0. Missing and blank text has missing tone. Only the first 160 word pieces are read. `threads` are
    those of the encoder. Raises TypeError where `text` is no Series of strings.

    Correlation with the mean rating of 5,190 snippets of 498 New York Times editorials (Hutto and Gilbert 2014), each
    predicted by a model that saw no snippet of its editorial: .687 (95% interval .669 to .703, editorials resampled),
    against .503 (.479 to .528) for VADER's compound; the gain is .184 (.163 to .205). One reader against the others
    reaches .714. `benchmarks/sentiment.py` repeats this. Made on American editorials: elsewhere, check it first.

    Method: ridge regression on the encoder's average vector of the sentence and VADER's four scores.

    >>> text = pd.Series(["The law is a shameful failure.", "The law is a welcome success.", None])
    >>> (tone(text) > 0).tolist(), tone(text).isna().tolist()
    ([False, True, False], [False, False, True])
    """
    known, seen = encoder.read(text, None, threads=threads)
    weight = _tone_weights()
    values = np.full(len(text), np.nan)
    if seen:
        values[known] = tone_features(text[known], seen) @ weight[1:] + weight[0]
    return pd.Series(values, index=text.index, name="tone")


def tone_features(text: pd.Series, seen: list[encoder.Vectors]) -> np.ndarray:
    """One row per sentence: what `tone` weighs, VADER's four scores and the encoder's average vector."""
    words = sentiment(text, normalize=True)[COLUMNS[:4]].to_numpy()
    vectors = np.array([np.split(encoder.pooled(vectors, []), 2)[0] for vectors in seen])
    return np.column_stack([words, vectors])


@cache
def _tone_weights() -> np.ndarray:
    return pd.read_csv(RESOURCES / "tone.csv", comment="#")["weight"].to_numpy()


def _spans(text: pd.Series, target: str | pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Return `start` and `end` of the target in each text, by position; missing where it isn't mentioned."""
    if isinstance(target, str):
        target = pd.Series(target, index=text.index)
    if not isinstance(target, (pd.Series, pd.DataFrame)):
        raise TypeError(f"target must be a term, a Series of terms or a DataFrame of offsets, not {target!r}")
    if not target.index.equals(text.index):
        raise ValueError(f"target has {len(target)} rows and its own index; it must have the index of text")
    if isinstance(target, pd.DataFrame):
        return _check.frame(target, ["start", "end"], "target")[["start", "end"]].reset_index(drop=True)
    spans = []
    for item, term in zip(text, _check.text(target, "target"), strict=True):
        if isinstance(term, str) and not term.strip():
            raise ValueError(f"target={term!r} is empty; name what the tone is toward")
        is_given = isinstance(item, str) and isinstance(term, str)
        found = re.search(rf"(?<!\w){re.escape(term)}(?!\w)", item, re.IGNORECASE) if is_given else None
        spans.append(found.span() if found else (np.nan, np.nan))
    return pd.DataFrame(spans, columns=["start", "end"], dtype=float)


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """Cut a list where another _BATCH of characters is full."""
    size = np.cumsum([len(text) + 16 for text in texts]) // _BATCH
    cuts = np.flatnonzero(np.diff(size)) + 1
    for start, end in pairwise([0, *cuts.tolist(), len(texts)]):
        yield texts[start:end]


def _masked(mask: bool | Iterable[str] | None) -> frozenset[str]:
    """Return the words to leave out, in lower case."""
    if mask is None or mask is False:
        return frozenset()
    if mask is True:
        return frozenset(pd.read_csv(RESOURCES / "sentiment_mask.csv", keep_default_na=False)["term"])
    if isinstance(mask, (str, bytes)) or not isinstance(mask, Iterable):
        raise TypeError(f"mask must be True, None or a list of words, not {mask!r}; for one word write [{mask!r}]")
    words = list(mask)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"mask holds a {type(word).__name__}: {word!r}; it must hold words")
        if word.split() != [word]:
            raise ValueError(f"mask holds {word!r}, which can never match; give single words without spaces")
    return frozenset(word.lower() for word in words)


@cache
def _table(name: str) -> dict[str, str]:
    """Return the first two columns of one of VADER's two files."""
    lines = (RESOURCES / name).read_text(encoding="utf-8").split("\n")
    return dict(line.strip().split("\t")[:2] for line in lines if line)


def _described(match: re.Match) -> str:
    """Return what stands for a character: an emoji's description."""
    description = _table("vader_emoji.txt").get(match[0])
    return match[0] if description is None else " " + description


class _Codes(dict):
    """The character that stands for each word as it is written: a memo of up to _MEMO words."""

    def __init__(self, characters: dict[str | None, tuple[str, str]]) -> None:
        self.characters = characters

    def __missing__(self, token: str) -> str:
        word = token.strip(string.punctuation)
        if len(word) <= 2:
            word = token
        lower = word.lower()
        characters = self.characters.get(lower) or self.characters["n't" if "n't" in lower else ""]
        code = characters[word.isupper()]
        if len(token) <= 64:
            if len(self) >= _MEMO:
                self.clear()
            self[token] = code
        return code


class _Vader:
    """VADER's rules over its lexicon less the words of `mask`."""

    def __init__(self, mask: frozenset[str]) -> None:
        lexicon = {word: float(value) for word, value in _table("vader_lexicon.txt").items()}
        self.valences = {word: value for word, value in lexicon.items() if word not in mask}
        rulers = {*_BOOSTERS, *_NEGATIONS, *_HEADS, "no", "so", "this", "least"}
        ruled = {*rulers, *" ".join([*_IDIOMS, *_BOOSTER_PAIRS]).split(), "or", "at", "doubt", "but"}
        self.words = [None, "", *self.valences, *sorted(ruled - self.valences.keys())]  # by number
        self.value = np.array([0.0, 0.0, *self.valences.values()])
        self.is_ruled = np.array([word in ruled for word in self.words])
        self.is_ruler = np.array([word in rulers for word in self.words])
        self.but = self.words.index("but")
        self.codes = _Codes({word: (chr(n), chr(n + _UPPER)) for n, word in enumerate(self.words)})
        self.valence = lru_cache(maxsize=_MEMO)(self._valence)

    def scores(self, texts: list[str]) -> np.ndarray:
        """Return one row per text: neg, neu, pos, compound and the number of cues."""
        texts = [text if text.isascii() else _EMOJI.sub(_described, text) for text in texts]
        lines = ["".join(map(self.codes.__getitem__, _words(text))) for text in texts]
        n_words = np.fromiter(map(len, lines), np.intp, len(lines))
        # The words of all texts in one array, with three absent ones before each text and after the last.
        codes = np.frombuffer("\0\0\0".join(["", *lines, ""]).encode("utf-16-le"), "<u2")
        starts = np.cumsum(n_words + 3) - n_words
        is_mixed = np.logical_or.reduceat((codes < _UPPER) & (codes != _ABSENT), starts)
        if not is_mixed.all():  # capitals count only beside small letters
            codes = np.where(np.append([True] * 3, np.repeat(is_mixed, n_words + 3)), codes, codes % _UPPER)
        words = codes % _UPPER

        is_cue = (words >= _FIRST) & (words < len(self.value))
        n_cues = np.add.reduceat(is_cue, starts, dtype=np.intp)
        cues = np.flatnonzero(is_cue)
        valences = self.value[words[cues]]
        rules = (codes[cues] >= _UPPER) | self.is_ruled[words[cues]]
        for distance in (1, 2, 3):
            rules |= self.is_ruler[words[cues - distance]]
        text = codes.tobytes().decode("utf-16-le")
        valences[rules] = [self.valence(text[cue - 3 : cue + 3]) for cue in cues[rules].tolist()]

        bounds = np.append(0, np.cumsum(n_cues)).tolist()
        values = valences.tolist()
        buts = np.flatnonzero(words == self.but)
        for n, first in zip(*np.unique(np.searchsorted(starts, buts, "right") - 1, return_index=True), strict=True):
            part = slice(bounds[n], bounds[n + 1])
            values[part] = _weighed(values[part], cues[part].tolist(), buts[first])
        total = np.array([sum(values[a:b]) for a, b in pairwise(bounds)], dtype=float)
        valences = np.array(values)
        owner = np.repeat(np.arange(len(texts)), n_cues)
        pos = np.bincount(owner, np.where(valences > 0, valences + 1, 0), len(texts))
        neg = np.bincount(owner, np.where(valences < 0, 1 - valences, 0), len(texts))
        neutral = n_words - np.bincount(owner, valences != 0, len(texts))

        exclamations = np.minimum([text.count("!") for text in texts], 4)
        questions = np.minimum([text.count("?") for text in texts], 4)
        emphasis = exclamations * 0.292 + np.array([0, 0, 2 * 0.18, 3 * 0.18, 0.96])[questions]
        total += np.sign(total) * emphasis
        pos, neg = pos + emphasis * (pos > neg), neg + emphasis * (neg > pos)
        weight = np.maximum(pos + neg + neutral, 1)
        shares = [_round(part / weight, 3) for part in (neg, neutral, pos)]
        return np.column_stack([*shares, _round(total / np.sqrt(total * total + 15), 4), n_cues])

    def _valence(self, window: str) -> float:
        """Return what the fourth of six words is worth, given the others."""
        numbers = [ord(code) for code in window]
        three, two, one, word, after, later = (self.words[number % _UPPER] for number in numbers)
        valences = self.valences
        if word == "kind" and after == "of":
            return 0.0
        valence = 0.0 if word == "no" and after in valences else valences[word]
        if "no" in (one, two) or (three == "no" and one in ("or", "nor")):
            valence = valences[word] * _REVERSAL
        if numbers[3] >= _UPPER:
            valence += _CAPITALS if valence > 0 else -_CAPITALS

        intensified = one in ("so", "this")
        for distance, (near, number) in enumerate(zip((one, two, three), numbers[2::-1], strict=True)):
            if near is None or near in valences:
                continue
            if near in _BOOSTERS:
                boost = _BOOSTERS[near] if valence >= 0 else -_BOOSTERS[near]
                if number >= _UPPER:
                    boost += _CAPITALS if valence > 0 else -_CAPITALS
                valence += boost * _FADE[distance]
            if (
                (distance == 1 and near == "never" and intensified)
                or (distance == 2 and near == "never" and two in ("so", "this"))
                or (distance == 2 and intensified)
            ):
                valence *= 1.25
            elif near == "without" and "doubt" in (one, two)[:distance]:
                pass
            elif near in _NEGATIONS:
                valence *= _REVERSAL
            if distance == 2:
                valence = _idiom(valence, three, two, one, word, after, later)
        if one == "least" and two not in ("at", "very"):
            valence *= _REVERSAL
        return valence


@lru_cache(maxsize=8)
def _vader(mask: frozenset[str]) -> _Vader:
    return _Vader(mask)


def _idiom(valence: float, three: str, two: str, one: str, word: str, after: str | None, later: str | None) -> float:
    """Return the valence of the idiom that these words make, and the effect of a booster of two words."""
    before = [f"{one} {word}", f"{two} {one} {word}", f"{two} {one}", f"{three} {two} {one}", f"{three} {two}"]
    valence = next((_IDIOMS[phrase] for phrase in before if phrase in _IDIOMS), valence)
    for phrase in (f"{word} {after}", f"{word} {after} {later}"):
        valence = _IDIOMS.get(phrase, valence)
    for pair in (f"{three} {two}", f"{two} {one}"):
        valence += _BOOSTER_PAIRS.get(pair, 0.0)
    return valence


def _weighed(valences: list[float], places: list[int], but: int) -> list[float]:
    """Halve tones before "but" and raise those after it: each turn changes the first word of equal tone."""
    valences = list(valences)
    equal: dict[float, list[int]] = {}
    for n, valence in enumerate(valences):
        equal.setdefault(valence, []).append(n)
    for n in range(len(valences)):
        valence = valences[n]
        first = heappop(equal[valence])
        valences[first] = valence * (0.5 if places[first] < but else 1.5)
        heappush(equal.setdefault(valences[first], []), first)
    return valences


def _round(values: np.ndarray, decimals: int) -> np.ndarray:
    """Round as Python does; numpy rounds the scaled value, which differs where that lies half-way."""
    scaled = values * 10**decimals
    rounded = np.rint(scaled) / 10**decimals
    for n in np.flatnonzero(np.abs(scaled % 1 - 0.5) < 1e-6):
        rounded[n] = round(float(values[n]), decimals)
    return rounded


def _words(text: str) -> Iterable[str]:
    """Cut a text at white space; a long one by the piece, so that its words need not all be in memory."""
    return text.split() if len(text) <= _PIECE else chain.from_iterable(map(str.split, _pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    space = re.compile(r"\s")
    start = 0
    while start < len(text):
        cut = space.search(text, start + _PIECE)
        end = cut.end() if cut else len(text)
        yield text[start:end]
        start = end
