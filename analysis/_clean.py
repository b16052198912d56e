"""What stands in the text of a page and is no part of the article: found by rule, removed only when asked.

Each rule looks at one line (a paragraph) of at most 500 characters and must fit the whole of it, so that a sentence
*about* cookies, newsletters or picture agencies stays: a line with quotation marks or a verb of speech is never taken
for a notice. Only agency datelines, credits in brackets and picture credits in brackets are taken out of a line. A
list of headlines is taken for related links where its lines are bulleted, or where nothing but such lines follows to
the end of the text. Every pattern is bounded, so the time is linear in the length of the text.
"""

import re
import tomllib

import pandas as pd

from analysis import _check
from analysis.codebook import RESOURCES

_LONGEST = 500  # characters of a line that a rule may fit
_TITLE = 160  # characters of a line that may be a headline
_NOTICES = {"cookies", "newsletter", "share", "related"}  # which prose can look like
_BULLET = re.compile(r"[•·●▪■*–-]\s{1,9}\S")
_LINE = re.compile(r"[^\n\r]+")


def _rules() -> tuple[dict[str, dict[str, re.Pattern]], re.Pattern]:
    book = tomllib.loads((RESOURCES / "boilerplate.toml").read_text(encoding="utf-8"))
    parts: dict[str, str] = {}

    def filled(pattern: str) -> str:
        return re.sub(r"\{([a-z]+)\}", lambda m: parts[m[1]], pattern)

    for name, pattern in book["parts"].items():
        parts[name] = filled(pattern)
    flags = {"lines": re.IGNORECASE, "tails": re.NOFLAG, "inline": re.MULTILINE}
    rules = {
        group: {kind: re.compile("|".join(map(filled, patterns)), flag) for kind, patterns in book[group].items()}
        for group, flag in flags.items()
    }
    return rules, re.compile(book["speech"], re.IGNORECASE)


_RULES, _SPEECH = _rules()
_HEADING = _RULES["lines"].pop("heading")
KINDS = [*_RULES["lines"]]


def boilerplate(text: pd.Series) -> pd.DataFrame:
    """Find what stands in the text of a page and is no part of the article.

    One row of `text` is one article, its index value the `article_id`; missing text has none. Returns one row per piece
    found, in order: `article_id`, `start` and `end` in characters, `kind` and `text`, the article's `[start:end]`.
    Kinds: cookies, newsletter (subscriptions and pay walls too), share (buttons, comments, advertisements), related
    (links and lists of headlines), caption (and picture credits), credit (agencies, datelines, copyright) and stamp
    (times of publication and of live blogs). Raises TypeError where `text` is no Series of strings.

    Method: rules that must fit a whole line, made on invented text: `analysis/resources/boilerplate.toml`.

    >>> boilerplate(pd.Series(["The bill passed.\\nRead more: Who holds the keys?\\nShare on Facebook"], index=["a1"]))
      article_id  start  end     kind                           text
    0         a1     17   47  related  Read more: Who holds the keys?
    1         a1     48   65    share              Share on Facebook
    """
    rows = [
        (label, start, end, kind, item[start:end])
        for label, item in _check.text(text).items()
        if isinstance(item, str)
        for start, end, kind in _found(item)
    ]
    table = pd.DataFrame(rows, columns=["article_id", "start", "end", "kind", "text"])
    kinds = pd.CategoricalDtype(KINDS)
    table = table.astype({"start": "int64", "end": "int64", "kind": kinds, "text": "str"})
    return table if len(table) else table.astype({"article_id": text.index.dtype})


def clean(text: pd.Series) -> pd.Series:
    """Leave out of each text what `boilerplate` finds.

    One row of `text` is one article. Returns a Series with the same index and name; missing text stays missing, and
    text that is nothing else becomes empty. The removed pieces are the rows of `boilerplate(text)`: look at them first.
    Offsets into the clean text are not those into the original. Raises TypeError where `text` is no Series of strings.

    >>> clean(pd.Series(["LONDON (Reuters) - The bill passed.\\nShare on Facebook\\nIt is law."])).tolist()
    ['The bill passed.\\nIt is law.']
    """
    return _check.text(text).map(_cleaned, na_action="ignore").astype("str")


def _cleaned(text: str) -> str:
    kept, at = [], 0
    for start, end, _ in _found(text):
        kept.append(text[at:start])
        at = end
        if start == 0 or text[start - 1] in "\n\r":  # a whole line goes with the breaks after it
            while at < len(text) and text[at] in "\n\r":
                at += 1
    return ("".join(kept) + text[at:]).rstrip("\n\r") if kept else text


def _found(text: str) -> list[tuple[int, int, str]]:
    """Pieces of boilerplate, in order, without overlap."""
    lines = [(m.start() + len(m[0]) - len(m[0].lstrip()), m.start() + len(m[0].rstrip())) for m in _LINE.finditer(text)]
    lines = [(start, end) for start, end in lines if end > start]
    kinds = [_kind(text[start:end]) for start, end in lines]
    _lists(text, lines, kinds)
    pieces = [(start, end, kind) for (start, end), kind in zip(lines, kinds, strict=True) if kind]
    pieces += [(m.start(), m.end(), kind) for kind, rule in _RULES["inline"].items() for m in rule.finditer(text)]
    merged: list[tuple[int, int, str]] = []
    for piece in sorted(pieces, key=lambda p: (p[0], -p[1])):
        if not merged or piece[0] >= merged[-1][1]:
            merged.append(piece)
    return merged


def _kind(line: str) -> str | None:
    if len(line) > _LONGEST:
        return None
    kind = next((kind for kind, rule in _RULES["lines"].items() if rule.fullmatch(line)), None)
    if kind in _NOTICES and _SPEECH.search(line):
        kind = None
    return kind or next((kind for kind, rule in _RULES["tails"].items() if rule.search(line)), None)


def _lists(text: str, lines: list[tuple[int, int]], kinds: list[str | None]) -> None:
    """Mark headings of related links, with the headlines below them, as such."""
    bare = [text[start:end] for start, end in lines]
    tail = len(lines)  # from here on there is no prose
    while tail and (kinds[tail - 1] or _is_headline(bare[tail - 1]) or _HEADING.fullmatch(bare[tail - 1])):
        tail -= 1
    for i, line in enumerate(bare):
        if kinds[i] or len(line) > _TITLE or not _HEADING.fullmatch(line):
            continue
        below = i + 1
        while below < len(bare) and (_BULLET.match(bare[below]) and _is_headline(bare[below])):
            below += 1
        if i >= tail:
            below = len(bare)
        kinds[i:below] = [kind or "related" for kind in kinds[i:below]]


def _is_headline(line: str) -> bool:
    return len(line) <= _TITLE and line[-1] not in ".!…:;,"
