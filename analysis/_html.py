"""Text as HTML that reads well and can do no harm: escaped, with what is invisible made visible, and marked.

Marks are ordinary elements (`mark`, `b`, `u`, `small`) and the stance stands as a word, so that a renderer which drops
every style and class, as GitHub's does, loses the colours alone.
"""

import re
from collections.abc import Iterable
from html import escape
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

from analysis import codebook

# Background and ink of each stance. Every pair, and every ink elsewhere, keeps a contrast of at least 4.5 to 1.
STANCE = {
    "favour": ("#004488", "#FFFFFF"),
    "mixed": ("#DDCC99", "#000000"),
    "neutral": ("#BBBBBB", "#000000"),
    "against": ("#D55E00", "#000000"),
    "not_addressed": ("transparent", "inherit"),
}
MATCH = ("#FFE08A", "#000000")
# Control characters but tab and line breaks, marks that turn the direction of what follows, and halves of characters.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_BREAK = re.compile(r"\r\n?|[\n\u2028\u2029]")


class Mark(NamedTuple):
    """A stretch of text to mark: of which kind, what to say of it, and which stance it takes."""

    start: int
    end: int
    kind: str  # "statement", "evidence" or "match"
    note: str = ""
    stance: str = ""
    is_current: bool = False


def visible(text: object) -> str:
    r"""Return `text` as a string that can be sent and shown, with control and direction characters spelt out.

    >>> visible("safe\u202egnp.exe")
    'safe‹U+202E›gnp.exe'
    """
    return _HIDDEN.sub(lambda found: f"‹U+{ord(found.group()):04X}›", str(text))


def escaped(text: object) -> str:
    """Return `text` as it may stand between two tags, or between the quotes of an attribute.

    >>> escaped('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return escape(visible(text), quote=True)


def isolated(text: object) -> str:
    """Return `text` escaped, in an element that keeps its direction to itself.

    >>> isolated("<i>")
    '<bdi>&lt;i&gt;</bdi>'
    """
    return f"<bdi>{escaped(text)}</bdi>"


def link(url: object, text: str = "open the page") -> str:
    """Return a link to `url` where it is an address on the web, else the address as text, or nothing if it is missing.

    >>> link("javascript:alert(1)")
    '<bdi>javascript:alert(1)</bdi>'
    """
    if not isinstance(url, str) or not url.strip():
        return ""
    try:
        parts = urlsplit(url.strip())
        is_web = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web or _HIDDEN.search(url):
        return isolated(url)
    return f'<a href="{escaped(url.strip())}" target="_blank" rel="noopener noreferrer">{escaped(text)}</a>'


def badge(stance: str) -> str:
    """Return a stance as a word on its colour.

    >>> "against" in badge("against")
    True
    """
    ground, ink = STANCE.get(stance, STANCE["not_addressed"])
    style = f"background:{ground};color:{ink};padding:0 .35em;border-radius:.25em;border:1px solid #777777"
    return f'<b style="{style}">{escaped(codebook.label(stance))}</b>'


def excerpt(length: int, at: int = 0, limit: int = 600) -> tuple[int, int]:
    """Start and end of the `limit` characters to show of a text of `length`, so that the place `at` is among them.

    >>> excerpt(1000, at=990, limit=100)
    (900, 1000)
    """
    start = max(0, min(at - limit // 3, length - limit))
    return start, min(length, start + limit)


def cut(text: str, marks: Iterable[Mark] = (), *, at: int = 0, limit: int = 600) -> str:
    """Return `text` with `marks`, cut to `limit` characters around `at`, and how much is left out on either side.

    >>> cut("abcdefghi", at=8, limit=3)
    '<small>[6 characters before]</small> … <bdi>ghi</bdi>'
    """
    start, end = excerpt(len(text), at, limit)
    before = f"<small>[{start:,} characters before]</small> … " if start else ""
    after = f" … <small>[{len(text) - end:,} characters more]</small>" if end < len(text) else ""
    return f"{before}<bdi>{marked(text, marks, start, end)}</bdi>{after}"


def marked(text: str, marks: Iterable[Mark], start: int = 0, end: int | None = None) -> str:
    """Return `text[start:end]` with its `marks`, which may overlap.

    >>> marked("so safe", [Mark(3, 7, "match")])
    'so <mark style="background:#FFE08A;color:#000000"><b>safe</b></mark>'
    """
    end = len(text) if end is None else end
    inside = [m for m in marks if m.start < end and m.end > start and m.start < m.end]
    edges = sorted({start, end} | {min(max(at, start), end) for m in inside for at in (m.start, m.end)})
    opening: dict[int, list[Mark]] = {}
    closing: dict[int, list[Mark]] = {}
    for mark in inside:
        opening.setdefault(max(mark.start, start), []).append(mark)
        closing.setdefault(min(mark.end, end), []).append(mark)
    parts, active = [], []
    for left, right in pairwise(edges):
        active = [m for m in active if m not in closing.get(left, ())] + opening.get(left, [])
        parts.append(_piece(_lines(text[left:right]), active))
        ended = [m for m in closing.get(right, ()) if m.kind == "statement"]
        parts += [f" <small>{badge(m.stance) if m.stance else ''}{_note(m)}</small>" for m in ended]
    return "".join(parts)


def _lines(text: str) -> str:
    return _BREAK.sub("<br>", escaped(_BREAK.sub("\n", text)))


def _note(mark: Mark) -> str:
    return f" {isolated(mark.note)}" if mark.note else ""


def _piece(piece: str, active: list[Mark]) -> str:
    """Return one stretch, in which no mark begins or ends, in the elements of the marks around it."""
    said = next((m for m in active if m.kind == "statement" and m.is_current), None) or next(
        (m for m in active if m.kind == "statement"), None
    )
    evidence = "; ".join(dict.fromkeys(m.note for m in active if m.kind == "evidence"))
    if any(m.kind == "match" for m in active):
        piece = f'<mark style="background:{MATCH[0]};color:{MATCH[1]}"><b>{piece}</b></mark>'
    if evidence:
        piece = f'<u style="text-decoration:underline dotted 2px" title="{escaped(evidence)}">{piece}</u>'
    if said:
        colour = STANCE[said.stance][0] if said.stance in STANCE else "transparent"
        line = f"border-bottom:{4 if said.is_current else 2}px solid {colour if colour != 'transparent' else '#777777'}"
        note = escaped(f"{codebook.label(said.stance)} {said.note}".strip())
        current = " data-current" if said.is_current else ""
        piece = f'<span class="said-{escaped(said.stance)}" style="{line}" title="{note}"{current}>{piece}</span>'
    return piece
