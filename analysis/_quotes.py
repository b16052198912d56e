"""Where quotations stand in a string, whatever marks they wear: one pass, no look-back, nothing ever raised."""

import re
from typing import NamedTuple

_BREAK = re.compile(r"\n+|\r\n?|[\u2028\u2029\x85\v\f]")
_MARK = re.compile(r"``|'(?=''(?!'))|''|[\"“”„«»‟]|['‘’‛‹›]")
_DOUBLE = {"``": 1, "“": 1, "„": 1, "«": 1, "‟": 1, "”": -1, "»": -1, "''": 0, '"': 0}
_OPENS_AFTER = frozenset(' \t\xa0\n([{—–-:/“"‘…')
_STOPS = frozenset(".,!?…;—–-")
# Words that begin with an apostrophe, which a single quotation mark must not be taken for.
_ELIDED = re.compile(r"['’‘](?:s|em|til|tis|twas|cause|bout|n|round|cos|\d\ds?)\b", re.IGNORECASE)


class Quote(NamedTuple):
    """One quotation within one paragraph: `start` and `end` include the marks."""

    start: int
    end: int
    is_closed: bool
    is_continued: bool  # a paragraph of a quotation that the paragraph before left open

    def inside(self, string: str) -> str:
        """Return the words between the marks."""
        return string[self.start : self.end].strip("\"'“”„«»‟‘’‛‹›`")


def quotes(string: str) -> list[Quote]:
    """Outermost quotations of `string`, in order; a quotation left open ends with its paragraph."""
    found: list[Quote] = []
    start, was_open = 0, False
    for stop in [*(match.start() for match in _BREAK.finditer(string)), len(string)]:
        if stop > start:
            inside = _paragraph(string, start, stop)
            if was_open and inside and not string[start : inside[0].start].strip():
                inside[0] = inside[0]._replace(is_continued=True)
            if string[start:stop].strip():
                was_open = bool(inside) and not inside[-1].is_closed
            found += inside
        start = stop
    return found


def _paragraph(string: str, start: int, stop: int) -> list[Quote]:
    found: list[Quote] = []
    opened, single = -1, -1
    for match in _MARK.finditer(string, start, stop):
        mark, at, after = match.group(), match.start(), match.end()
        before = string[at - 1] if at > start else " "
        following = string[after] if after < stop else " "
        if mark in _DOUBLE:
            kind = _DOUBLE[mark] or (1 if before in _OPENS_AFTER and not following.isspace() else -1)
            if kind == 1 and opened >= 0:
                if (mark in ('"', "''") and before not in " \t\xa0\n([") or (before in _STOPS and following == " "):
                    kind = -1  # a straight mark after a dash, or the wrong mark after a comma, closes what is open
                else:  # the first was never closed: it ends where the next begins
                    found.append(Quote(opened, _trimmed(string, opened, at), False, False))
            if kind == 1:
                opened, single = at, -1
            elif opened >= 0:
                found.append(Quote(opened, after, True, False))
                opened = -1
        elif opened < 0:
            opens = mark in "‘‛‹" or (mark == "'" and before in _OPENS_AFTER)
            if single < 0:
                if opens and not following.isspace() and before in _OPENS_AFTER and not _ELIDED.match(string, at):
                    single = at
            elif _closes(mark, before, following):
                found.append(Quote(single, after, True, False))
                single = -1
    if opened >= 0:
        found.append(Quote(opened, _trimmed(string, opened, stop), False, False))
    return found


def _closes(mark: str, before: str, following: str) -> bool:
    """Whether a single mark closes: not an apostrophe inside a word, nor (as far as can be seen) a plural genitive."""
    if mark in "‘‛‹" or following.isalnum() or before.isspace():
        return False
    return before in _STOPS or mark == "›" or before != "s" or following in ".,;:!?)—–\n"


def _trimmed(string: str, start: int, stop: int) -> int:
    while stop > start + 1 and string[stop - 1].isspace():
        stop -= 1
    return stop
