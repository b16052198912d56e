"""Where words and phrases stand in a string: one automaton over its folded form, offsets in the string as it was."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import repeat
from unicodedata import normalize

import ahocorasick
import pandas as pd

# Soft hyphen, zero-width spaces and joiners, direction marks, byte order mark: nothing that a reader sees.
INVISIBLE = r"\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_ACCENT = r"[\u0300-\u036f]"
# One character for one, so that offsets hold; İ is the one letter that lower() makes two of.
_SAME = [
    *((c, "'") for c in "‘’ʼ`´"),
    *((c, '"') for c in "“”„«»"),
    *((c, "-") for c in "‐‑"),
    *((c, " ") for c in "\t\v\f\r\xa0\u2002\u2003\u2007\u2009\u202f"),
    ("İ", "i"),
]
# What changes the length goes through a map: runs of white space in most texts, invisible characters and accents that
# stand apart from their letters in few.
_RUN = re.compile(r"\s\s+")
_ODD = re.compile(rf"[{INVISIBLE}\u0300-\u036f]")
_UNEVEN = re.compile(rf"\s\s+|[{INVISIBLE}]+|[^\W\d_]{_ACCENT}+")
# A lone line break is a space; a blank line is none, so that no phrase runs from one paragraph into the next.
_LONE_BREAK = re.compile(r"\n(?<!\n\n)(?!\n)")
_ACCENTS = re.compile(f"{_ACCENT}*")
_WORD_END = re.compile(r"\w*")
_NEAR = 100


class Folded:
    """A string with one form of quotes, hyphens and spaces and nothing invisible, and the way back to its offsets."""

    def __init__(self, string: str) -> None:
        self.string, self._at, self._shift = string, [0], [0]
        # `cased` keeps capitals, for forms that must be written so; `lower` is what the automaton reads.
        is_odd = not string.isascii() and _ODD.search(string)
        cased = (_UNEVEN if is_odd else _RUN).sub(self._shorten, string)
        for variant, plain in _SAME:
            cased = cased.replace(variant, plain)
        self.cased = _LONE_BREAK.sub(" ", cased) if "\n" in cased else cased
        self.lower = self.cased.lower()

    def _shorten(self, found: re.Match) -> str:
        piece = found.group()
        if piece == "\n\n":
            return piece
        if piece.isspace():
            short = "\n\n" if piece.count("\n") > 1 else " "
        else:
            short = normalize("NFC", piece) if piece[0].isalpha() else ""
        self._at.append(found.start() - self._shift[-1] + len(short))
        self._shift.append(found.end() - self._at[-1])
        return short

    def offsets(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the string as it was written."""
        if len(self._at) == 1:
            return start, end
        first, last = (i + self._shift[bisect_right(self._at, i) - 1] for i in (start, end - 1))
        return first, _ACCENTS.match(self.string, last + 1).end()


class Finder:
    """Finds many forms at once: whole words, the leftmost first, the longest of those that start together.

    A form that ends in `*` matches words that begin so. `exact` forms must be written as given. A form with
    `context` words counts only where one of them stands within 100 characters. Method: Aho and Corasick (1975);
    all hits are taken, and the rules applied, before the longest is chosen: the other way round a hit that fails
    a rule would hide a shorter one that holds.
    """

    def __init__(
        self, forms: Sequence[str], exact: Iterable[bool] = repeat(False), context: Iterable[list[str]] = repeat(())
    ) -> None:
        by_key: dict[str, list] = {}
        for number, (form, as_written, near) in enumerate(zip(forms, exact, context, strict=False)):
            form = form.strip()
            folded = Folded(form)
            key = folded.lower.removesuffix("*")
            if not key:
                raise ValueError(f"forms[{number}]={form!r} holds no letter or mark to look for")
            written = folded.cased.removesuffix("*") if as_written else None
            by_key.setdefault(key, []).append((form.endswith("*"), number, written, _any_of(near) if near else None))
        self._automaton = ahocorasick.Automaton()
        for key, rules in by_key.items():
            self._automaton.add_word(key, (len(key), _is_word(key[0]), _is_word(key[-1]), rules))
        if by_key:
            self._automaton.make_automaton()

    @classmethod
    def of(cls, lexicon: pd.DataFrame) -> "Finder":
        """Find the forms of a lexicon, by its own rules of case and context where it has them."""
        exact = lexicon["case"] == "exact" if "case" in lexicon else repeat(False)
        context = lexicon["context"].fillna("") if "context" in lexicon else repeat("")
        return cls(list(lexicon["form"]), exact, (listed(words) for words in context))

    def find(self, string: str) -> list[tuple[int, int, int]]:
        """Start, end and form number of each match, in order, none overlapping another."""
        if not len(self._automaton):
            return []
        folded = Folded(string)
        lower, size, hits = folded.lower, len(folded.lower), []
        for last, (length, opens, closes, rules) in self._automaton.iter(lower):
            start, end = last + 1 - length, last + 1
            if opens and start and _is_word(lower[start - 1]):
                continue
            is_whole = not closes or end == size or not _is_word(lower[end])
            for is_stem, number, written, near in rules:
                stop = _WORD_END.match(lower, end).end() if is_stem else end
                if (
                    (is_whole or is_stem)
                    and (written is None or folded.cased[start : start + len(written)] == written)
                    and (
                        near is None
                        or near.search(lower, max(0, start - _NEAR), start)
                        or near.search(lower, stop, stop + _NEAR)
                    )
                ):
                    hits.append((start, -stop, is_stem, number))
                    break
        hits.sort()
        found, free = [], 0
        for start, stop, _, number in hits:
            if start >= free:
                free = -stop
                found.append((*folded.offsets(start, free), number))
        return found


def listed(cell: str) -> list[str]:
    """Return the items of a cell such as "app; apps".

    >>> listed("app; apps;")
    ['app', 'apps']
    """
    return [item.strip() for item in cell.split(";") if item.strip()]


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _any_of(words: Iterable[str]) -> re.Pattern:
    folded = (re.escape(Folded(word).lower.removesuffix("*")) + r"\w*" * word.endswith("*") for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(folded)})(?!\w)")
