"""JupyterLab: from a number to the sentences behind it, and back.

`explore` searches and filters articles or statements and shows them in their text, `close_reading` shows one article.
What runs in the browser comes with the package; nothing is fetched.
"""

import json
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import regex

from analysis import _check, codebook
from analysis._board import QUERY, Board, Filters, bundle, days
from analysis._find import Finder, listed
from analysis._html import Mark, badge, cut, escaped, isolated, link, visible
from analysis.lexicon import CATEGORIES, read_lexicon

_FILTERS = {"statements": ["stance", "speaker_group", "frame", "outlet"], "articles": ["type", "country", "outlet"]}
_SECONDS = 1.0  # for a regular expression
_HITS = 200  # matches of a regular expression that are marked in one text
_ROW, _PANE = 500, 20_000  # characters shown at a time
_APART = "\n\n" + "\0" * 101 + "\n\n"  # no phrase runs over a blank line, no context word is sought this far


class Hits(NamedTuple):
    """Where a search was found: the number of the string, start and end in it, in the order of the strings."""

    string: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def of(self, string: int) -> list[tuple[int, int]]:
        """Return the matches in one string."""
        low, high = np.searchsorted(self.string, [string, string + 1])
        return list(zip(self.start[low:high].tolist(), self.end[low:high].tolist(), strict=True))


class Search:
    """Many strings that are searched as one."""

    def __init__(self, strings: list[str], lexicon: pd.DataFrame) -> None:
        self._strings = strings
        self._lexicon = lexicon

    @cached_property
    def _joined(self) -> tuple[str, np.ndarray]:
        lengths = np.array([len(s) for s in self._strings], dtype=np.int64) + len(_APART)
        return _APART.join(self._strings), np.cumsum(lengths) - lengths

    def find(self, search: str, how: str, category: str) -> list[Hits]:
        """Return the matches of `search` and those of `category`, whichever is asked for."""
        found = []
        if search.strip():
            found.append(self._expression(search) if how == "regex" else self._forms(Finder(_forms(search))))
        if category:
            chosen = self._lexicon[self._lexicon["category"] == category]
            found.append(self._forms(Finder.of(chosen)))
        return found

    def _forms(self, finder: Finder) -> Hits:
        joined, starts = self._joined
        found = finder.find(joined)
        start, end = (np.array([f[i] for f in found], dtype=np.int64) for i in (0, 1))
        string = np.searchsorted(starts, start, side="right") - 1
        return Hits(string, start - starts[string], end - starts[string])

    def _expression(self, pattern: str) -> Hits:
        if len(pattern) > 1000:
            raise ValueError("the expression has more than 1,000 characters; make it shorter")
        try:
            compiled = regex.compile(pattern, regex.IGNORECASE)
        except (regex.error, RecursionError, MemoryError) as error:
            raise ValueError(f"this is not a regular expression: {error}") from error
        found, deadline = [], time.monotonic() + _SECONDS
        for number, string in enumerate(self._strings):
            try:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                for n, match in enumerate(compiled.finditer(string, timeout=left)):
                    if match.end() > match.start():
                        found.append((number, *match.span()))
                    if n == _HITS:
                        break
            except TimeoutError:
                raise ValueError(
                    f"the expression was stopped after {_SECONDS:.0f} second, at text {number + 1:,} of "
                    f"{len(self._strings):,}; make it simpler, or search for words"
                ) from None
        columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
        return Hits(*columns)


def _forms(search: str) -> list[str]:
    return listed(search.replace("\n", " ").strip('"“” ')) or [search]


class Rows:
    """The rows of a table of statements or articles, with what the articles say of them."""

    def __init__(self, data: pd.DataFrame, articles: pd.DataFrame | None) -> None:
        self.data = data
        self.are_statements = "article_id" in data.columns
        self.articles = articles if self.are_statements else data
        if self.articles is None:
            self.place = np.full(len(data), -1)
        elif self.are_statements:
            self.place = self.articles.index.get_indexer(data["article_id"])
        else:
            self.place = np.arange(len(data))
        self.kind = "statements" if self.are_statements else "articles"

    def __len__(self) -> int:
        return len(self.data)

    def column(self, name: str) -> pd.Series | None:
        """Return a column by position, of the rows themselves or else of their articles; None where neither has it."""
        if name in self.data.columns:
            return self.data[name].reset_index(drop=True)
        if self.articles is None or name not in self.articles.columns:
            return None
        column = self.articles[name].reset_index(drop=True)
        return column.reindex(pd.Series(self.place).where(self.place >= 0)).reset_index(drop=True)

    def texts(self, name: str) -> list[str]:
        """Return a column as strings, empty where it is missing."""
        column = self.column(name)
        return [""] * len(self) if column is None else [_string(v) for v in column.tolist()]

    @cached_property
    def ids(self) -> list[str]:
        """What each row is called on the screen."""
        if not self.are_statements:
            return [str(label) for label in self.data.index]
        ids = [str(label) for label in self.data["article_id"]]
        return [f"{a} · {n}" for a, n in zip(ids, self.texts("n"), strict=True)] if "n" in self.data else ids

    @cached_property
    def heads(self) -> list[str]:
        """Who speaks, or the headline: searched and shown before the text."""
        return self.texts("speaker" if self.are_statements else "title")

    @cached_property
    def bodies(self) -> list[str]:
        """The words of each row."""
        if not self.are_statements or "text" in self.data.columns:
            return self.texts("text")
        if not {"start", "end"} <= set(self.data.columns) or self.articles is None:
            return [""] * len(self)
        places = (self._offsets(name) for name in ("start", "end"))
        strings = [self._article_strings(name) for name in ("text", "title")]
        return [
            strings[is_title][at][start:end] if at >= 0 and 0 <= start < end else ""
            for at, is_title, start, end in zip(self.place.tolist(), self._in_title.tolist(), *places, strict=True)
        ]

    @property
    def _in_title(self) -> np.ndarray:
        if "position" not in self.data.columns:
            return np.zeros(len(self), dtype=np.int64)
        return (self.data["position"] == "headline").fillna(False).to_numpy(dtype=np.int64)

    def _offsets(self, name: str) -> list[int]:
        return pd.to_numeric(self.data[name]).fillna(-1).astype("int64").tolist()

    def _article_strings(self, name: str) -> list[str]:
        column = self.articles[name] if name in self.articles.columns else [None] * len(self.articles)
        return [_string(value) for value in column]

    @cached_property
    def gists(self) -> list[str]:
        """What stands in for the words where there are none."""
        gist, title = self.texts("gist"), self.texts("title") if self.are_statements else [""] * len(self)
        return [a or b for a, b in zip(gist, title, strict=True)]

    @cached_property
    def dates(self) -> list[str]:
        """The date of each row, as far as it is known."""
        when, how = self.column("date"), self.texts("date_precision")
        if when is None:
            return [""] * len(self)
        if not pd.api.types.is_datetime64_any_dtype(when):
            return [_string(v) for v in when.tolist()]
        form = {"year": "%Y", "month": "%Y-%m"}
        return [
            "" if pd.isna(day) else day.strftime(form.get(known, "%Y-%m-%d"))
            for day, known in zip(when.tolist(), how, strict=True)
        ]

    def of_article(self, row: int) -> np.ndarray:
        """Return the rows of the same article, in order."""
        if not self.are_statements:
            return np.array([row])
        ids = self.data["article_id"]
        return np.flatnonzero((ids == ids.iloc[row]).to_numpy(dtype=bool))


def _string(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None or pd.isna(value) else str(value)


def _codes(row: Mapping) -> list[str]:
    """What a statement was coded as, in words, but for the stance and the speaker's name."""
    words = [codebook.label(_string(row[k])) for k in ("speaker_group", "frame", "frame_second") if _string(row.get(k))]
    return [word for word in dict.fromkeys(words) if word not in ("none", _string(row.get("speaker")))]


def _evidence(value: object, text: str, start: int) -> list[Mark]:
    """Spans behind a code, which count from the start of the text or, where only that fits, of the statement."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:  # a file of another make: its evidence is not ours to read
            return []
    if isinstance(value, np.ndarray):  # as a Parquet file holds them
        value = value.tolist()
    marks = []
    for item in value if isinstance(value, (list, tuple)) else ():
        parts = (
            [item.get(k, "") for k in ("start", "end", "cue", "rule")] if isinstance(item, Mapping) else [*item, "", ""]
        )
        first, last, cue, rule = parts[:4]
        if cue and text[first:last] != cue and text[start + first : start + last] == cue:
            first, last = start + first, start + last
        if 0 <= first < last <= len(text):
            marks.append(
                Mark(first, last, "evidence", f"evidence: {cue or text[first:last]}" + f" ({rule})" * bool(rule))
            )
    return marks


def _article(
    article: Mapping, name: object, said: list[dict], *, current: int, search: tuple[str, str, str],
    lexicon: pd.DataFrame, limit: int, can_grow: bool,
) -> str:  # fmt: skip
    """Return an article as HTML: its headline and text with statements, evidence and matches marked, or its codes."""
    title, text = _string(article.get("title")), _string(article.get("text"))
    found = Search([title, text], lexicon).find(*search)
    marks: list[list[Mark]] = [[Mark(*span, "match") for hits in found for span in hits.of(i)] for i in (0, 1)]
    at, placed = 0, set()
    for number, row in enumerate(said):
        start, end = (-1 if pd.isna(row.get(k)) else int(row[k]) for k in ("start", "end"))
        string, of = (title, marks[0]) if row.get("position") == "headline" else (text, marks[1])
        if not 0 <= start < end <= len(string):
            continue
        placed.add(number)
        note = " · ".join(dict.fromkeys([_string(row.get("speaker")), *_codes(row)]))
        of.append(Mark(start, end, "statement", note, _string(row.get("stance")), number == current))
        of += _evidence(row.get("evidence"), string, start)
        at = start if number == current and string is text else at
    facts = [_string(article.get("outlet")), _date(article), link(article.get("url"))]
    facts = [isolated(facts[0])] * bool(facts[0]) + [f for f in facts[1:] if f]
    parts = [
        f"<h3>{cut(title, marks[0], limit=limit) if title else isolated(name)}</h3>",
        f"<p>{' · '.join(facts)}</p>" if facts else "",
    ]
    if text:
        body = cut(text, marks[1], at=at, limit=limit)
        parts.append(f"<p>{body}</p>")
        if can_grow and len(text) > limit:
            parts.append('<p><button type="button" data-more>Show more of the text</button></p>')
    elif gist := _string(article.get("gist")):
        intro = "The text is not part of the data. What the page says, in a coder’s words:"
        parts.append(f"<p><i>{intro}</i> {isolated(gist)}</p>")
    rest = [(number, row) for number, row in enumerate(said) if number not in placed]
    if rest:
        parts.append(_codes_table(rest, current))
    return "".join(parts)


def _date(article: Mapping) -> str:
    day = article.get("date")
    if not isinstance(day, pd.Timestamp):
        return escaped(_string(day))
    return day.strftime({"year": "%Y", "month": "%Y-%m"}.get(article.get("date_precision"), "%Y-%m-%d"))


def _codes_table(said: list[tuple[int, dict]], current: int) -> str:
    """Return statements whose words are not at hand: their codes alone."""
    cells = [
        (number, [_string(row.get("n")), _string(row.get("position")), _string(row.get("speaker")), *_pair(row)], row)
        for number, row in said
    ]
    lines = [
        f"<tr{' data-current' if number == current else ''}>"
        + "".join(f"<td>{isolated(codebook.label(cell))}</td>" for cell in line)
        + f"<td>{badge(_string(row.get('stance'))) if _string(row.get('stance')) else ''}</td></tr>"
        for number, line, row in cells
    ]
    head = "".join(f"<th>{name}</th>" for name in ("n", "where", "speaker", "group", "frame", "stance"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _pair(row: Mapping) -> tuple[str, str]:
    return _string(row.get("speaker_group")), _string(row.get("frame"))


class Explorer:
    """Articles or statements on the screen. Made by `explore`."""

    def __init__(
        self, rows: Rows, filters: Filters, when: pd.Series | None, lexicon: pd.DataFrame, query: dict, page: int
    ) -> None:
        self._rows, self._filters, self._lexicon, self._page = rows, filters, lexicon, page
        self._ticked = np.zeros(len(rows), dtype=bool)
        self._mask = np.ones(len(rows), dtype=bool)
        self._searched: tuple | None = None
        self._hits: list[Hits] = []
        self._base = self._mask
        hows = [("words", "words, phrases"), ("regex", "regular expression")]
        known = set(lexicon["category"])
        categories = [c for c in CATEGORIES if c in known] + sorted(known - set(CATEGORIES))
        controls = {
            "label": f"Search and filter {rows.kind}", "hows": hows, "has_rows": True, "dates": when is not None,
            "facets": filters.controls(), "examples": "backdoor*; chat control",
            "categories": [("", "any"), *((c, c.replace("_", " ")) for c in categories)],
        }  # fmt: skip
        self.widget = Board(controls=controls, query=query)
        self._update()
        self.widget.observe(self._update, "query")
        self.widget.on_msg(self._told)

    @property
    def selection(self) -> pd.DataFrame:
        """The rows that were ticked, as they stand in the input and in its order."""
        return self._rows.data[self._ticked].copy()

    @property
    def filtered(self) -> pd.DataFrame:
        """The rows that pass the search and the filters, as they stand in the input and in its order."""
        return self._rows.data[self._mask].copy()

    def _told(self, widget: object, content: dict, buffers: object) -> None:
        """Do what a click asked for: tick rows, all that match, or none."""
        if content["do"] == "tick":
            rows = [row for row in content["rows"] if 0 <= row < len(self._rows)]
            self._ticked[rows] = bool(content["on"])
        elif content["do"] == "all":
            self._ticked |= self._mask
        elif content["do"] == "none":
            self._ticked[:] = False
        with self.widget.hold_sync():
            self._count()

    def _update(self, change: object = None) -> None:
        """Answer what the screen asks."""
        board, query = self.widget, QUERY | self.widget.query
        with board.hold_sync():
            self._search(query["search"], query["how"], query["category"])
            self._mask, board.counts = self._filters.passing(self._base, query)
            shown = self._shown()
            board.pages = max(1, -(-int(self._mask.sum()) // self._page))
            board.rows = "".join(self._row(row) for row in shown)
            board.place = f"page {self._at() + 1:,} of {board.pages:,}"
            self._count()
            self._open(query)

    def _search(self, *asked: str) -> None:
        if asked == self._searched:
            return
        self._searched, self._hits, self.widget.problem = asked, [], ""
        self._base = np.ones(len(self._rows), dtype=bool)
        try:
            self._hits = self._strings.find(*asked) if any(asked[::2]) else []
        except ValueError as error:
            self.widget.problem = visible(f"No search: {error}.")
            self._base = np.zeros(len(self._rows), dtype=bool)
        for hits in self._hits:
            found = np.zeros(len(self._rows), dtype=bool)
            found[hits.string // 2] = True
            self._base = self._base & found

    @cached_property
    def _strings(self) -> Search:
        rows = self._rows
        bodies = [body or gist for body, gist in zip(rows.bodies, rows.gists, strict=True)]
        return Search([string for pair in zip(rows.heads, bodies, strict=True) for string in pair], self._lexicon)

    def _at(self) -> int:
        return min(max(int((QUERY | self.widget.query)["page"]), 0), max(0, (int(self._mask.sum()) - 1) // self._page))

    def _shown(self) -> list[int]:
        first = self._at() * self._page
        return np.flatnonzero(self._mask)[first : first + self._page].tolist()

    def _count(self) -> None:
        rows, n, ticked = self._rows, int(self._mask.sum()), int(self._ticked.sum())
        of = (
            f" in {len(np.unique(rows.place[self._mask])):,} articles"
            if rows.are_statements and rows.articles is not None
            else ""
        )
        self.widget.status = f"{n:,} of {len(rows):,} {rows.kind}{of} · {ticked:,} selected"
        self.widget.ticked = [row for row in self._shown() if self._ticked[row]]

    def _marks(self, row: int) -> tuple[list[Mark], list[Mark]]:
        return tuple([Mark(*span, "match") for hits in self._hits for span in hits.of(2 * row + i)] for i in (0, 1))

    def _line(self, row: int) -> tuple[str, str]:
        """Return what a row was coded as and what it says, as HTML."""
        rows = self._rows
        record = rows.data.iloc[row]
        in_head, in_body = self._marks(row)
        stance = _string(record.get("stance"))
        head = cut(rows.heads[row], in_head, limit=200) if rows.heads[row] else ""
        codes = [badge(stance) if stance else "", f"<b>{head}</b>" if head else ""]
        codes += [isolated(word) for word in _codes(record)] if rows.are_statements else []
        codes += [f"<small>{isolated(fact)}</small>" for fact in (self._outlets[row], rows.dates[row]) if fact]
        body = rows.bodies[row]
        if body:
            start = 0 if pd.isna(record.get("start")) or not rows.are_statements else int(record["start"])
            shifted = [
                m._replace(start=m.start - start, end=m.end - start) for m in self._row_evidence(row, record, start)
            ]
            at = in_body[0].start if in_body else 0
            text = cut(body, [*in_body, *shifted], at=at, limit=_ROW)
        elif rows.gists[row]:
            text = f"<small><i>no text; the page:</i></small> {cut(rows.gists[row], in_body, limit=160)}"
        else:
            text = "<small><i>no text</i></small>"
        return " · ".join(code for code in codes if code), text

    def _row_evidence(self, row: int, record: pd.Series, start: int) -> list[Mark]:
        """Evidence of a statement, in the offsets of the text that `start` counts in."""
        return _evidence(record.get("evidence"), " " * start + self._rows.bodies[row], start)

    @cached_property
    def _outlets(self) -> list[str]:
        return self._rows.texts("outlet")

    def _row(self, row: int) -> str:
        codes, text = self._line(row)
        name = escaped(self._rows.ids[row])
        return (
            f'<li data-row="{row}"><input type="checkbox" aria-label="Select {name}"> '
            f'<button type="button" aria-label="Read {name}">{name}</button> {codes}<p>{text}</p></li>'
        )

    def _open(self, query: Mapping) -> None:
        """Show the article of the row that was opened, or how to open one."""
        row = int(query["open"])
        if not 0 <= row < len(self._rows):
            self.widget.opened, self.widget.pane = -1, "<p>Choose a row’s button to read it in its article.</p>"
            return
        rows = self._rows
        said = rows.of_article(row) if rows.are_statements else np.array([], dtype=np.int64)
        article, name = self._article(row)
        searched = self._searched if not self.widget.problem else ("", "words", "")
        self.widget.opened = row
        self.widget.pane = _article(
            article, name, rows.data.iloc[said].to_dict("records"), current=int(np.searchsorted(said, row)),
            search=searched, lexicon=self._lexicon, limit=_PANE * 2 ** min(int(query["more"]), 12), can_grow=True,
        )  # fmt: skip

    def _article(self, row: int) -> tuple[dict, object]:
        rows = self._rows
        if rows.place[row] >= 0:
            record = rows.articles.iloc[rows.place[row]]
            return record.to_dict(), record.name
        return {}, rows.data["article_id"].iloc[row]

    def __repr__(self) -> str:
        """Show the count and the first rows as plain text."""
        rows, shown = self._rows, self._shown()[:10]
        lines = [visible(self.widget.status)]
        for row in shown:
            record = rows.data.iloc[row]
            words = [rows.ids[row], _string(record.get("stance")), rows.heads[row], *_codes(record)]
            text = " ".join((rows.bodies[row] or rows.gists[row]).split())
            lines.append(visible("  ".join(w for w in words if w) + (f": {text[:120]}" if text else "")))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show the count and the rows of this page where no widget can be shown."""
        lines = []
        for row in self._shown():
            codes, text = self._line(row)
            lines.append(
                f"<tr><td>{isolated(self._rows.ids[row])}</td><td style='text-align:left'>{codes}<br>{text}</td></tr>"
            )
        hidden = int(self._mask.sum()) - len(lines)
        status = escaped(self.widget.status) + (f"; {len(lines)} shown here, {hidden:,} more" if hidden else "")
        return f"<table><caption>{status}</caption><tbody>{''.join(lines)}</tbody></table>"

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        """Offer the widget, and HTML and plain text for whoever has none."""
        return bundle(self)


def explore(
    data: pd.DataFrame,
    *,
    articles: pd.DataFrame | None = None,
    search: str = "",
    how: str = "words",
    where: Mapping[str, object] | None = None,
    filters: Iterable[str] | None = None,
    lexicon: pd.DataFrame | None = None,
    page: int = 20,
) -> Explorer:
    """Search, filter, read and select articles or statements in JupyterLab.

    Grain: one row of `data` is a statement (it has a column `article_id`, as from `read_statements`, `statements` or
    `code`) or an article (as from `read_articles`). `articles` supplies the text, outlet, date and address of the
    statements' articles; the words of a statement are its column `text`, or its article's `start` to `end`. Without
    text the codes are shown with a link to the page.

    `search` holds words and phrases with ";" between them (`backdoor*; chat control`) or, with `how="regex"`, a regular
    expression, which is stopped after a second. It is sought in the words and in the name of the speaker (statements)
    or the headline (articles), in any case. `where` maps columns to the values that pass, and "date" to the first and
    last day: `where={"stance": "against", "date": ("2016-01-01", "2018-12-31")}`. All of these are a start: they can be
    changed on the screen. `filters` names the columns to filter by; by default stance, speaker group, frame and outlet,
    or type, country and outlet. `lexicon` is what `read_lexicon` returns; `page` rows are shown at a time.

    Returns an object that shows itself; static renderers get its first page. `.selection` is a DataFrame of the rows
    that were ticked, `.filtered` of those that pass, both as in `data`; `.widget` is the ipywidget, to be laid out with
    others. Raises TypeError or ValueError for tables, columns, values or dates that do not fit.

    >>> codes = pd.DataFrame({"article_id": ["a1", "a1", "a2"], "n": [1, 2, 1],
    ...     "speaker": ["Jo Lee", "author", "Ann Wu"], "stance": ["against", "neutral", "favour"]})
    >>> view = explore(codes, where={"stance": ["against", "favour"]})
    >>> view
    2 of 3 statements · 0 selected
    a1 · 1  against  Jo Lee
    a2 · 1  favour  Ann Wu
    >>> view.filtered.equals(codes.iloc[[0, 2]]), len(view.selection)
    (True, 0)
    """
    _check.frame(data)
    if "article_id" not in data.columns and not {"text", "title", "url"} & set(data.columns):
        raise ValueError(
            f"data is neither statements (a column 'article_id') nor articles ('text', 'title' or 'url'); "
            f"it has {_check.listed(map(str, data.columns)) or 'no columns'}"
        )
    if articles is not None:
        _check.frame(articles, name="articles")
        if not articles.index.is_unique:
            raise ValueError("articles has an index that repeats; it must be the article_id, once each")
        if "article_id" in data.columns and not data["article_id"].isin(articles.index).any() and len(data):
            raise ValueError(
                f"none of data's article_id, such as {data['article_id'].iloc[0]!r}, is in the index of articles, "
                f"which begins with {list(articles.index[:1])!r}; use articles.set_index('article_id')"
            )
    _check.option(how, ["words", "regex"], "how")
    _check.whole(page, "page", 1)
    if not isinstance(search, str):
        raise TypeError(f"search must be a string, not {type(search).__name__}; put ';' between words and phrases")
    rows = Rows(data, articles)
    names = (
        _FILTERS[rows.kind]
        if filters is None
        else _check.names(filters if isinstance(filters, str) else list(filters), "filters")
    )
    columns = {name: rows.column(name) for name in names}
    for name, column in columns.items():
        if column is None and filters is not None:
            raise ValueError(f"filters={name!r} is no column of data or articles")
    when = rows.column("date")
    when = when if when is not None and pd.api.types.is_datetime64_any_dtype(when) else None
    sieve = Filters({n: c for n, c in columns.items() if c is not None}, when)
    where = dict(where or {})
    since, until = days(where.pop("date", ("", "")), when)
    lexicon = read_lexicon() if lexicon is None else _check.frame(lexicon, ["form", "category"], "lexicon")
    query = QUERY | {"search": search, "how": how, "since": since, "until": until, "facets": sieve.chosen(where)}
    return Explorer(rows, sieve, when, lexicon, query, page)


class Reading:
    """An article to read, as HTML and as plain text. Made by `close_reading`."""

    def __init__(self, html: str, text: str) -> None:
        self._html, self._text = html, text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return self._html


def close_reading(
    article: pd.Series,
    statements: pd.DataFrame | None = None,
    *,
    search: str = "",
    lexicon: pd.DataFrame | None = None,
    limit: int = 20_000,
) -> Reading:
    """Show one article with its statements, their evidence and what a search finds in it marked.

    `article` is a row of articles: `articles.loc["s001"]`, named by its `article_id`, with `title` and `text` and, if
    at hand, `outlet`, `date` and `url`. `statements` may hold those of other articles as well; `start` and `end` count
    characters of the text, or of the headline where `position` is "headline". `search` is as in `explore`. Without text
    the codes and a link are shown. More than `limit` characters are cut, and it is said how many are left out.

    Returns an object that shows itself in a notebook and on static pages, and prints as plain text, in which
    each statement stands in brackets before its codes. Raises TypeError where `article` is no such row.

    >>> article = pd.Series({"title": "Keys for all", "text": "“It is safe,” says Jo Lee."}, name="a1")
    >>> said = {"article_id": ["a1"], "start": [0], "end": [26], "speaker": ["Jo Lee"], "stance": ["favour"]}
    >>> close_reading(article, pd.DataFrame(said))
    Keys for all
    <BLANKLINE>
    [“It is safe,” says Jo Lee.] (favour · Jo Lee)
    """
    if not isinstance(article, pd.Series):
        raise TypeError(f"article must be one row, such as articles.loc['a001'], not {type(article).__name__}")
    if not {"title", "text", "url"} & set(article.index):
        raise ValueError(f"article has no title, text or url; it has {_check.listed(map(str, article.index))}")
    _check.whole(limit, "limit", 1)
    said = []
    if statements is not None:
        _check.frame(statements, ["article_id"], "statements")
        said = statements[statements["article_id"] == article.name].to_dict("records")
    lexicon = read_lexicon() if lexicon is None else _check.frame(lexicon, ["form", "category"], "lexicon")
    record = article.to_dict()
    html = _article(
        record, article.name, said, current=-1, search=(search, "words", ""), lexicon=lexicon, limit=limit,
        can_grow=False,
    )  # fmt: skip
    return Reading(f"<article>{html}</article>", _plain(record, article.name, said, limit))


def _plain(article: Mapping, name: object, said: list[dict], limit: int) -> str:
    """Return an article as plain text, each statement in brackets before its codes."""
    strings = [_string(article.get("title")), _string(article.get("text"))]
    ends: list[dict[int, str]] = [{}, {}]
    starts: list[list[int]] = [[], []]
    rest = []
    for row in said:
        start, end = (-1 if pd.isna(row.get(k)) else int(row[k]) for k in ("start", "end"))
        i = int(row.get("position") != "headline")
        words = [codebook.label(_string(row.get("stance"))), _string(row.get("speaker")), *_codes(row)]
        codes = " · ".join(word for word in words if word)
        if 0 <= start < end <= len(strings[i]):
            starts[i].append(start)
            ends[i][end] = ends[i].get(end, "") + f"] ({codes})"
        else:
            rest.append(codes)
    shown = []
    for string, opens, closes in zip(strings, starts, ends, strict=True):
        parts, last = [], 0
        for at in sorted({*opens, *closes}):
            if at > limit:
                break
            parts += [string[last:at], closes.get(at, ""), "[" * opens.count(at)]
            last = at
        parts.append(string[last : max(last, limit)])
        if len(string) > max(last, limit):
            parts.append(f" … [{len(string) - max(last, limit):,} characters more]")
        shown.append("".join(parts))
    title, text = shown
    return visible("\n\n".join(part for part in (title or str(name), text or "\n".join(rest)) if part))
