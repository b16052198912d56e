"""The study at a glance in JupyterLab, with filters that change every panel."""

import base64
import io
from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis import _check, codebook, figures
from analysis._board import QUERY, Board, Filters, bundle
from analysis._html import escaped, visible
from analysis.compare import arrange, shares
from analysis.corpus import read_articles, read_statements
from analysis.explore import Rows
from analysis.reproduce import ROOT
from analysis.validity import agreement

_DRAWS = 300  # bootstrap samples behind the intervals


class Dashboard:
    """The study at a glance. Made by `dashboard`."""

    def __init__(self, data: pd.DataFrame, filters: Filters, has_dates: bool, verdicts: pd.DataFrame | None) -> None:
        self._data, self._filters, self._verdicts = data, filters, verdicts
        self._mask = np.ones(len(data), dtype=bool)
        controls = {"label": "Filter the study", "hows": [], "categories": [], "examples": "", "has_rows": False,
                    "dates": has_dates, "facets": filters.controls()}  # fmt: skip
        self.widget = Board(controls=controls)
        self._update()
        self.widget.observe(self._update, "query")

    @property
    def filtered(self) -> pd.DataFrame:
        """The statements that pass the filters, with what their articles say of them: for `explore` or `shares`."""
        return self._data[self._mask].copy()

    def _update(self, change: object = None) -> None:
        everything = np.ones(len(self._data), dtype=bool)
        with self.widget.hold_sync():
            self._mask, self.widget.counts = self._filters.passing(everything, QUERY | self.widget.query)
            chosen = self._data[self._mask]
            self.widget.status = (
                f"{len(chosen):,} of {len(self._data):,} statements in {chosen['article_id'].nunique():,} articles"
            )
            self.widget.pane = "".join([*_panels(chosen), _verdicts_table(self._verdicts)])

    def __repr__(self) -> str:
        """Show the counts as plain text."""
        lines = [self.widget.status]
        if self._verdicts is not None:
            lines += [f"{row.variable}: alpha {row.alpha:.2f}, {row.verdict}" for row in self._verdicts.itertuples()]
        return visible("\n".join(lines))

    def _repr_html_(self) -> str:
        return f"<p><b>{escaped(self.widget.status)}</b></p>{self.widget.pane}"

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        return bundle(self)


def dashboard(
    statements: pd.DataFrame | None = None,
    *,
    articles: pd.DataFrame | None = None,
    verdicts: pd.DataFrame | None = None,
    filters: Iterable[str] = ("country", "type", "speaker_group"),
) -> Dashboard:
    """Show a study at a glance: coverage over time, voices and their sides, frames, and how far the codes are to trust.

    Grain: one row of `statements` is a statement, with `article_id` and any of `stance`, `speaker_group`, `frame`;
    `articles`, by `article_id`, supply date, country, type and `copy_group`. `verdicts` is what `agreement` returns.
    Without `statements`, the coverage that comes with a checkout of this project is shown. `filters` names the columns
    to filter by. Every filter changes all panels and all counts; shares have 95% intervals by `shares`.

    Returns an object that shows itself, with its figures where there are no widgets; `.filtered` holds the statements
    that pass, for `explore` or `shares`. Raises ValueError for a column that is missing, FileNotFoundError where there
    is no checkout.

    >>> codes = pd.DataFrame({"article_id": ["a1", "a2"], "stance": ["favour", "against"], "frame": ["none"] * 2})
    >>> dashboard(codes, filters=["frame"])
    2 of 2 statements in 2 articles
    """
    if statements is None:
        statements, articles, verdicts = _shipped()
    _check.frame(statements, ["article_id"], "statements")
    rows = Rows(statements, None if articles is None else _check.frame(articles, name="articles"))
    names = _check.names(filters if isinstance(filters, str) else list(filters), "filters")
    data = statements.reset_index(drop=True)
    for name in {"date", "copy_group", *names} - set(data.columns):
        column = rows.column(name)
        if column is not None:
            data[name] = column
    for name in set(names) - set(data.columns) - {"country", "type", "speaker_group"}:
        raise ValueError(f"filters={name!r} is no column of statements or articles")
    if verdicts is not None:
        _check.frame(verdicts, ["variable", "alpha", "low", "high", "n", "verdict"], "verdicts")
    when = data["date"] if "date" in data and pd.api.types.is_datetime64_any_dtype(data["date"]) else None
    sieve = Filters({name: data[name] for name in names if name in data}, when)
    data.index = statements.index
    return Dashboard(data, sieve, when is not None, verdicts)


def _shipped() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Statements, articles and agreement of the coverage in a checkout."""
    folder = ROOT / "data" / "coverage"
    articles = read_articles(folder / "articles.csv")
    second = pd.read_csv(folder / "articles_second.csv", dtype="str")
    is_twice = articles.index.isin(second["article_id"]) & articles["coder"].notna()
    first = articles[is_twice].reset_index().astype("str")
    variables = ["stance_author", "frame_dominant", "first_speaker_group", "tone"]
    verdicts = agreement(
        pd.concat([first, second])[["article_id", "coder", *variables]], unit="article_id", value=variables
    )
    return read_statements(folder / "statements.csv", articles=articles), articles, verdicts


def _panels(data: pd.DataFrame) -> list[str]:
    """Return the figures that `data` has the columns for."""
    if data.empty:
        return ["<p>No statement passes these filters.</p>"]
    drawn = [panel(data) for panel in (_years, _voices, _frames)]
    return [panel for panel in drawn if panel]


def _drawable(column: pd.Series) -> pd.Series:
    """Return values as they may stand in a figure: short, with nothing hidden, and no formula for matplotlib to set."""
    return column.astype(object).map(lambda value: visible(value)[:40].replace("$", "\\$"), na_action="ignore")


def _years(data: pd.DataFrame) -> str:
    if "date" not in data or data["date"].isna().all():
        return ""
    dated = data[data["date"].notna()].drop_duplicates("article_id")
    years = dated["date"].dt.year
    first, last = int(years.min()), int(years.max())
    counts = years.value_counts()
    ax = figures.figure(height=1.8)[1]
    table = pd.DataFrame({"year": pd.Categorical(years, categories=range(first, last + 1), ordered=True)})
    figures.plot_counts(table, x="year", ax=ax)
    step = max(1, -(-(last - first) // 6))
    ax.set_xticks(range(0, last - first + 1, step), range(first, last + 1, step))
    ax.set_ylabel("articles")
    return _figure(
        ax,
        alt=f"Articles by year, {first} to {last}; most, {counts.max():,}, in {counts.idxmax()}.",
        caption=f"Coverage over time: n = {len(dated):,} articles with a date. Counts; no interval applies.",
        data=data,
    )


def _voices(data: pd.DataFrame) -> str:
    if not {"stance", "speaker_group"} <= set(data):
        return ""
    sided = data.assign(stance=data["stance"].astype(object), speaker_group=_drawable(data["speaker_group"]))
    sided = sided[sided["stance"].isin(["favour", "mixed", "neutral", "against"]) & sided["speaker_group"].notna()]
    if sided.empty:
        return ""
    n = sided["speaker_group"].value_counts()
    groups = sorted(n.index, key=lambda group: (-n[group], group))[:10]
    table = arrange(shares(sided, "stance", by="speaker_group", draws=_DRAWS), "speaker_group", groups)
    against = table[table["stance"] == "against"].set_index("speaker_group")
    spread = "; ".join(
        f"{codebook.label(g)} {row.share:.0%} against [{100 * row.low:.0f} to {100 * row.high:.0f}], n = {row.n:,}"
        for g, row in zip(against.index, against.itertuples(), strict=True)
    )
    return _figure(
        figures.plot_diverging(table, y="speaker_group"),
        alt=f"Stance by who speaks. {spread or 'Nobody is against.'}",
        caption=f"Voices and their sides: n = {len(sided):,} statements that address the target; the "
        f"{len(groups)} groups that speak most. 95% intervals are in the image’s description.",
        data=data,
    )


def _frames(data: pd.DataFrame) -> str:
    if "frame" not in data:
        return ""
    framed = data.assign(frame=_drawable(data["frame"]))
    framed = framed[framed["frame"].notna() & (framed["frame"] != "none")]
    if framed.empty:
        return ""
    table = shares(framed, "frame", draws=_DRAWS).sort_values("share", ascending=False, kind="stable")
    top, cluster = table.iloc[0], codebook.label(table.attrs["cluster"])
    return _figure(
        figures.plot_shares(table, y="frame"),
        alt=f"Share of each frame; most, {top['share']:.0%}, is {codebook.label(top['frame'])}.",
        caption=f"Frames: n = {len(framed):,} statements with a frame; 95% intervals, by {cluster}.",
        data=data,
    )


def _figure(ax: Axes, *, alt: str, caption: str, data: pd.DataFrame) -> str:
    """Return a drawn figure as HTML that needs no file, and close it."""
    buffer = io.BytesIO()
    with figures.style():
        ax.figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    plt.close(ax.figure)
    invented = "Invented text. " if "is_invented" in data and (data["is_invented"] == "yes").any() else ""
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        '<figure style="display:inline-block;vertical-align:top;margin:.5em 1em .5em 0;width:345px;max-width:100%">'
        f'<img alt="{escaped(alt)}" src="data:image/png;base64,{code}" style="width:100%;background:white">'
        f"<figcaption>{escaped(invented + caption)}</figcaption></figure>"
    )


def _verdicts_table(verdicts: pd.DataFrame | None) -> str:
    if verdicts is None:
        return ""
    lines = (
        f"<tr><td>{escaped(codebook.label(row.variable))}</td>"
        f"<td>{row.alpha:.2f} [{row.low:.2f} to {row.high:.2f}]</td>"
        f"<td>{row.n:,}</td><td><b>{escaped(row.verdict)}</b></td></tr>"
        for row in verdicts.itertuples()
    )
    head = "".join(f"<th>{name}</th>" for name in ("variable", "alpha [95%]", "n", "verdict"))
    return (
        "<table><caption>Validity: agreement of coders on all of the data, whatever the filters</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )
