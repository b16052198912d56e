"""The screen that `explore` and `dashboard` share: what the browser shows and was asked, and filters with counts."""

from collections.abc import Mapping

import anywidget
import numpy as np
import pandas as pd
import traitlets

from analysis import _check, _html, codebook
from analysis._html import visible

VIEW = "application/vnd.jupyter.widget-view+json"
QUERY = {"search": "", "how": "words", "category": "", "since": "", "until": "", "facets": {}, "page": 0, "open": -1,
         "more": 0}  # fmt: skip
_VALUES = 300  # values of a filter that the screen lists, the first or most frequent


class Board(anywidget.AnyWidget):
    """What the browser shows, and what was asked there."""

    _esm = (codebook.RESOURCES / "explore.js").read_text(encoding="utf-8")
    _css = (codebook.RESOURCES / "explore.css").read_text(encoding="utf-8")
    controls = traitlets.Dict().tag(sync=True)
    query = traitlets.Dict(QUERY).tag(sync=True)
    counts = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Unicode().tag(sync=True)
    ticked = traitlets.List().tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)
    place = traitlets.Unicode().tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    pane = traitlets.Unicode().tag(sync=True)


class Filters:
    """Columns to filter by: which rows pass, and how many each value has among the rows that pass all the others."""

    def __init__(self, data: Mapping[str, pd.Series], when: pd.Series | None) -> None:
        self.values: dict[str, list] = {}
        self._codes: dict[str, np.ndarray] = {}
        for name, column in data.items():
            values, codes = _values(column)
            self.values[name], self._codes[name] = values, codes
        self._when = None if when is None else when.to_numpy(dtype="datetime64[s]")

    def controls(self) -> list[dict]:
        """Describe the filters to the browser."""
        described = []
        for name, values in self.values.items():
            more = len(values) - _VALUES
            options = [{"text": visible(_label(v))} | _colours(name, v) for v in values[:_VALUES]]
            described.append({
                "name": name, "title": visible(_title(name)), "values": options,
                "more": f"and {more:,} rarer values" if more > 0 else "",
            })  # fmt: skip
        return described

    def chosen(self, where: Mapping[str, object]) -> dict[str, list[int]]:
        """Return the places of the values that `where` names."""
        chosen = {}
        for name, wanted in where.items():
            _check.option(name, self.values, "where")
            wanted = list(wanted) if isinstance(wanted, (list, tuple, set)) else [wanted]
            for value in wanted:
                _check.option(value, self.values[name], f"where[{name!r}]")
            chosen[name] = [self.values[name].index(value) for value in wanted]
        return chosen

    def passing(self, base: np.ndarray, query: Mapping) -> tuple[np.ndarray, dict[str, list[int]]]:
        """Return which rows of `base` pass, and the counts of each filter's values."""
        base = base & self._between(query["since"], query["until"])
        failed = np.zeros(len(base), dtype=np.int8)
        fails = {}
        for name, codes in self._codes.items():
            chosen = query["facets"].get(name)
            if chosen:
                fails[name] = ~np.isin(np.arange(len(self.values[name])), chosen)[codes]
                failed += fails[name]
        counts = {}
        for name, codes in self._codes.items():
            others = base & (failed - fails.get(name, 0) == 0)
            counts[name] = np.bincount(codes[others], minlength=len(self.values[name]))[:_VALUES].tolist()
        return base & (failed == 0), counts

    def _between(self, since: str, until: str) -> np.ndarray | bool:
        if self._when is None or not (since or until):
            return True
        low = np.datetime64(since) if since else None
        high = np.datetime64(until) if until else None
        return (
            ~np.isnat(self._when)
            & (True if low is None else self._when >= low)
            & (True if high is None else self._when <= high)
        )


def _values(column: pd.Series) -> tuple[list, np.ndarray]:
    """Values in the order of the codebook, or the most frequent first, with each row's place among them."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy().astype(np.int64), list(column.cat.categories)
        used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(values)))
    else:
        codes, found = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
        values = list(found)
        n = np.bincount(codes[codes >= 0], minlength=len(values))
        used = np.array(sorted(range(len(values)), key=lambda i: (-n[i], str(values[i]))), dtype=np.int64)
    place = np.full(len(values) + 1, len(used), dtype=np.int64)  # a missing value, -1, is the last
    place[used] = np.arange(len(used))
    has_missing = bool((codes < 0).any())
    return [values[i] for i in used] + [None] * has_missing, place[codes]


def _label(value: object) -> str:
    return "(missing)" if value is None else codebook.label(value) if isinstance(value, str) else str(value)


def _title(name: str) -> str:
    return codebook.label(name).capitalize()


def _colours(name: str, value: object) -> dict[str, str]:
    if not name.startswith("stance") or value not in _html.STANCE:
        return {}
    ground, ink = _html.STANCE[value]
    return {"ground": ground, "ink": ink}


def days(dates: tuple, when: pd.Series | None) -> tuple[str, str]:
    """Return the first and last day as the browser writes them, empty where there is no limit."""
    if tuple(dates) == ("", ""):
        return "", ""
    if when is None:
        raise ValueError("where['date'] needs a column 'date' of dates in data or articles")
    if isinstance(dates, str) or len(dates) != 2:
        raise ValueError(f"where['date']={dates!r} must be the first and the last day, such as ('2016-01-01', None)")
    try:
        return tuple("" if day in (None, "") else pd.Timestamp(day).strftime("%Y-%m-%d") for day in dates)
    except ValueError as error:
        raise ValueError(f"where['date']={dates!r} must be dates, such as '2016-01-01'") from error


def bundle(shown: object) -> dict:
    """Offer the widget of `shown`, and its HTML and plain text to whoever has no widgets."""
    data, _ = shown.widget._repr_mimebundle_()
    return {"text/plain": repr(shown), "text/html": shown._repr_html_(), VIEW: data[VIEW]}
