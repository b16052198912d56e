"""Figures that hold up in print, in grey and for the colour-blind: `plot_*` draws on Axes, `save_figure` writes.

Every figure is made for a column 3.5 inches wide, so that nothing has to be shrunk. Stance is coded by colour and by
hatch or marker, never by colour alone (#004488, #BBBBBB, #D55E00); categories take the Okabe and Ito (2008) palette.
"""

import base64
import hashlib
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import _check, codebook
from analysis._files import written

WIDTH = 3.5  # inches: one column of a journal
STANCE = {"favour": "#004488", "mixed": "#DDCC99", "neutral": "#BBBBBB", "against": "#D55E00"}
HATCH = {"favour": "", "mixed": "....", "neutral": "", "against": "/////"}
OKABE_ITO = ["#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#F0E442"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<"]
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "ytick.major.size": 0,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "savefig.bbox": "tight",
    "savefig.pad_inches": 0.03,
    "svg.fonttype": "path",
    "svg.hashsalt": "encryption-framing",
    "pdf.fonttype": 42,
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the package's figure style within a `with` block; `figure` does it for you."""
    with mpl.rc_context(_STYLE):
        yield


def figure(height: float = 2.4, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return a new figure of one column's width with one Axes, in the package's style.

    >>> fig, ax = figure(height=2)
    >>> fig.get_size_inches().tolist()
    [3.5, 2.0]
    >>> plt.close(fig)
    """
    with style():
        return plt.subplots(figsize=(width, height), layout="constrained")


def plot_shares(
    data: pd.DataFrame,
    *,
    x: str = "share",
    y: str,
    hue: str | None = None,
    percent: bool = True,
    ax: Axes | None = None,
    **kws: object,
) -> Axes:
    """Draw shares with their intervals as points, one row per value of `y`, one marker per value of `hue`.

    Grain: one estimate per row, with columns `x`, `low` and `high`, as `compare.shares` returns; with a column `n` the
    rows are labelled with it when there is no `hue`. Rows are drawn from top to bottom in the order of the data. With
    `percent=False` the estimates are no shares (differences keep their sign; alpha, means): the axis shows them as they
    are. `kws` go to `Axes.errorbar`. Returns the Axes.

    >>> data = pd.DataFrame({"who": ["police", "author"], "share": [.6, .1], "low": [.4, .0], "high": [.8, .2]})
    >>> ax = plot_shares(data, y="who")
    >>> [t.get_text() for t in ax.get_yticklabels()]
    ['police', 'author']
    >>> plt.close(ax.figure)
    """
    _check.frame(data, [x, y, "low", "high"] + ([hue] if hue else []))
    rows = list(dict.fromkeys(data[y]))
    hues = list(dict.fromkeys(data[hue])) if hue else [None]
    ax = ax or figure(height=0.5 + 0.17 * len(rows) * max(1, 0.7 * len(hues)))[1]
    with style():
        _estimates(ax, data, y, x, hue, spread=0.7, upright=False, kws=kws)
        _rows(ax, rows, data.drop_duplicates(y).set_index(y)["n"] if "n" in data and not hue else None)
        if percent:
            ax.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))
        if data["low"].min() < 0:
            ax.axvline(0, color="black", linewidth=0.6)
        else:
            ax.set_xlim(0, None)
        ax.grid(axis="x", visible=True)
        if hue:
            _legend(ax, len(hues))
    return ax


def plot_diverging(
    data: pd.DataFrame, *, x: str = "share", y: str, hue: str = "stance", ax: Axes | None = None, **kws: object
) -> Axes:
    """Draw stance by group as bars that diverge from the middle of neutral: against to the left, favour to the right.

    Grain: one row per group (`y`) and stance (`hue`), with column `x`, as `compare.shares` returns; the number at the
    right is `n`. Values of `hue` other than favour, mixed, neutral and against are an error: leave out statements that
    address no target first. `kws` go to `Axes.barh`. Returns the Axes.

    >>> data = pd.DataFrame({"who": ["police"] * 2, "stance": ["favour", "against"], "share": [.25, .75], "n": [8, 8]})
    >>> ax = plot_diverging(data, y="who")
    >>> [round(float(p.get_width()), 2) for p in ax.patches]
    [0.75, 0.0, 0.0, 0.25]
    >>> plt.close(ax.figure)
    """
    _check.frame(data, [x, y, hue])
    for value in data[hue].unique():
        _check.option(value, STANCE, hue)
    wide = data.pivot_table(index=y, columns=hue, values=x, sort=False, observed=True, aggfunc="sum")
    rows = list(dict.fromkeys(data[y]))
    order = ["against", "neutral", "mixed", "favour"]
    wide = wide.reindex(index=rows, columns=order).fillna(0)
    ax = ax or figure(height=0.75 + 0.2 * len(rows))[1]
    with style():
        left = -(wide["against"] + wide["neutral"] / 2)
        for name in order:
            ax.barh(
                range(len(rows)),
                wide[name],
                left=left,
                **({"height": 0.72, "edgecolor": "white", "linewidth": 0.4} | kws),
                color=STANCE[name],
                hatch=HATCH[name],
                label=codebook.label(name),
            )
            for row, (width, start) in enumerate(zip(wide[name], left, strict=True)):  # a narrow part has no room
                if width >= 0.17:
                    box = {"boxstyle": "round,pad=0.12", "facecolor": STANCE[name], "edgecolor": "none"}
                    ink = "white" if name == "favour" else "black"
                    ax.text(start + width / 2, row, f"{width:.0%}", ha="center", va="center", color=ink, fontsize=6,
                            bbox=box)  # fmt: skip
            left = left + wide[name]
        ax.axvline(0, color="black", linewidth=0.5)
        ax.margins(x=0.02)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.spines["left"].set_visible(False)
        _rows(ax, rows, data.drop_duplicates(y).set_index(y)["n"] if "n" in data else None)
        _legend(ax, len(order))
    return ax


def plot_timeline(
    data: pd.DataFrame,
    *,
    x: str = "period",
    y: str = "share",
    hue: str | None = None,
    events: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    **kws: object,
) -> Axes:
    """Draw estimates by period with their intervals, in the order of the data, with events marked above them.

    Grain: one row per period (and `hue`), with columns `y`, `low`, `high`, as `compare.trend` returns. Points are not
    joined: the periods are separate samples. `events` maps a period's label to a short name, set above the axis; a
    period that is not among the data is an error. With a column `n` and no `hue`, n stands under each period. `kws` go
    to `Axes.errorbar`. Returns the Axes.

    >>> data = pd.DataFrame({"period": ["2016", "2019"], "share": [.2, .5], "low": [.1, .4], "high": [.3, .6]})
    >>> ax = plot_timeline(data, events={"2016": "locked phone"})
    >>> [t.get_text() for t in ax.texts]
    ['locked phone']
    >>> plt.close(ax.figure)
    """
    _check.frame(data, [x, y, "low", "high"] + ([hue] if hue else []))
    periods = list(dict.fromkeys(data[x].astype(str)))
    hues = list(dict.fromkeys(data[hue])) if hue else [None]
    ax = ax or figure()[1]
    with style():
        _estimates(ax, data.assign(**{x: data[x].astype(str)}), x, y, hue, spread=0.6, upright=True, kws=kws)
        labels = [p.replace("-", "\N{EN DASH}") for p in periods]
        if "n" in data:
            n = data.assign(_p=data[x].astype(str)).groupby("_p")["n"].max()
            labels = [f"{label}\nn={n[p]:,}" for label, p in zip(labels, periods, strict=True)]
        ax.set_xticks(range(len(periods)), labels)
        ax.set_xlim(-0.5, len(periods) - 0.5)
        ax.set_ylim(0, None)
        ax.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))
        ax.grid(axis="y", visible=True)
        for when, name in (events or {}).items():
            at = periods.index(str(_check.option(when, periods, "events")))
            ax.annotate(name, (at, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
                        ha="center", va="bottom", fontsize=6, style="italic")  # fmt: skip
        if hue:
            _legend(ax, len(hues), below=True)
    return ax


def plot_counts(data: pd.DataFrame, *, x: str, hue: str | None = None, ax: Axes | None = None, **kws: object) -> Axes:
    """Draw how many rows each value of `x` has, as bars stacked by `hue`.

    Grain: one row per thing counted. Values of `x` are in category or sorted order, and an ordered category shows its
    empty values as gaps; missing values are not drawn. `kws` go to `Axes.bar`. Returns the Axes.

    >>> ax = plot_counts(pd.DataFrame({"year": ["2016", "2016", "2018"]}), x="year")
    >>> [int(p.get_height()) for p in ax.patches]
    [2, 1]
    >>> plt.close(ax.figure)
    """
    _check.frame(data, [x] + ([hue] if hue else []))
    table = pd.crosstab(data[x], data[hue] if hue else "n", dropna=False)
    table = table.loc[table.index.notna(), table.columns.notna()]
    ax = ax or figure()[1]
    with style():
        base = np.zeros(len(table))
        for i, name in enumerate(table.columns):
            ax.bar(
                range(len(table)),
                table[name],
                bottom=base,
                **({"width": 0.8, "edgecolor": "white", "linewidth": 0.3} | kws),
                color=OKABE_ITO[(i + 4) % len(OKABE_ITO)],
                hatch=["", "////", "....", "xxxx", "----", "\\\\\\\\"][i % 6],
                label=codebook.label(name),
            )
            base = base + table[name].to_numpy()
        ax.set_xticks(range(len(table)), [str(v) for v in table.index])
        ax.grid(axis="y", visible=True)
        if hue:
            _legend(ax, 3)
    return ax


def plot_keyness(data: pd.DataFrame, *, n: int = 12, ax: Axes | None = None, **kws: object) -> Axes:
    """Draw the words that set two groups apart, with their intervals: `n` of the target above `n` of the reference.

    Grain: one word per row of `data`, as `compare.keyness` returns, whose `attrs` name the groups. Words are taken by z
    and labelled with their counts in both groups. `kws` go to `Axes.errorbar`. Returns the Axes.

    >>> columns = {"log_odds": [1.0, -1.0], "low": [0.5, -2.0], "high": [1.5, 0.0], "z": [3.9, -1.9]}
    >>> data = pd.DataFrame(columns | {"count": [9, 1], "count_reference": [2, 5]}, index=["lock", "child"])
    >>> [t.get_text() for t in plot_keyness(data, n=1).get_yticklabels()]
    ['lock (9, 2)', 'child (1, 5)']
    >>> plt.close("all")
    """
    _check.frame(data, ["log_odds", "low", "high", "z", "count", "count_reference"])
    _check.whole(n, "n", 1)
    ranked = data.sort_values("z", ascending=False, kind="stable")
    above, below = ranked[ranked["z"] > 0].head(n), ranked[ranked["z"] < 0].tail(n)
    shown = pd.concat([above, below])
    labels = [
        f"{w} ({a:,}, {b:,})" for w, a, b in zip(shown.index, shown["count"], shown["count_reference"], strict=True)
    ]
    ax = ax or figure(height=0.6 + 0.15 * len(shown))[1]
    shown = shown.assign(word=labels).drop(columns="n", errors="ignore")
    ax = plot_shares(shown, x="log_odds", y="word", percent=False, ax=ax, **kws)
    ax.axhline(len(above) - 0.5, color="#999999", linewidth=0.5)
    ax.axvline(0, color="black", linewidth=0.6)
    names = [codebook.label(data.attrs.get(k, k)) for k in ("reference", "target")]
    ax.set_xlabel(f"{names[0]}  \N{LEFTWARDS ARROW}  log-odds  \N{RIGHTWARDS ARROW}  {names[1]}")
    return ax


def plot_specification(
    data: pd.DataFrame, *, label: str = "estimate", ax: Sequence[Axes] | None = None, **kws: object
) -> Axes:
    """Draw a specification curve: every estimate with its interval, and below it the choices that led there.

    Grain: one row per specification in rising order, as `validity.multiverse` returns; columns before `estimate` are
    the choices. The reference is a diamond; estimates whose interval does not stand on the reference's side of
    `attrs["null"]` are hollow. `ax` is a pair of Axes, one above the other. `kws` go to `Axes.plot`. Returns the upper.

    >>> columns = {"copies": ["dropped", "kept"], "estimate": [0.1, 0.3], "low": [-0.1, 0.2], "high": [0.3, 0.4]}
    >>> data = pd.DataFrame(columns | {"stands": [False, True], "is_reference": [False, True]})
    >>> ax = plot_specification(data)
    >>> [t.get_text() for t in ax.figure.axes[1].get_yticklabels()]
    ['copies: dropped', 'copies: kept']
    >>> plt.close(ax.figure)
    """
    _check.frame(data, ["estimate", "low", "high", "stands", "is_reference"])
    data = data[data["estimate"].notna()].reset_index(drop=True)
    choices = list(data.columns[: data.columns.get_loc("estimate")])
    rows = [(c, v) for c in choices for v in dict.fromkeys(sorted(map(str, data[c])))]
    with style():
        if ax is None:
            size, ratios = (WIDTH, 1.7 + 0.14 * len(rows)), {"height_ratios": [1.5, 0.14 * len(rows)]}
            ax = plt.subplots(2, 1, figsize=size, gridspec_kw=ratios, sharex=True, layout="constrained")[1]
        ax, below = ax
        at = np.arange(len(data))
        ax.vlines(at, data["low"], data["high"], color="#0072B2", linewidth=min(1.0, 60 / len(data)))
        for stands, fill in ((True, "#0072B2"), (False, "white")):
            part = data["stands"].fillna(False).astype(bool) == stands
            ax.plot(at[part], data["estimate"][part], **({"marker": "o", "markersize": 2.5, "linestyle": "none"} | kws),
                    markerfacecolor=fill, markeredgecolor="#0072B2", markeredgewidth=0.6)  # fmt: skip
        reference = data.index[data["is_reference"].astype(bool)]
        ax.plot(reference, data["estimate"][reference], marker="D", color="#D55E00", linestyle="none")
        ax.axhline(data.attrs.get("null", 0), color="black", linewidth=0.6)
        ax.set_ylabel(label)
        ax.tick_params(labelbottom=False, bottom=False)
        ax.spines["bottom"].set_visible(False)
        for row, (choice, value) in enumerate(rows):
            taken = at[data[choice].astype(str) == value]
            below.plot(taken, np.full(len(taken), row), marker="|", markersize=4, linestyle="none", color="black")
        below.set_yticks(range(len(rows)), [f"{codebook.label(c)}: {codebook.label(v)}" for c, v in rows], fontsize=6)
        below.set_ylim(len(rows) - 0.5, -0.5)
        below.set_xticks([])
        for side in ("left", "bottom"):
            below.spines[side].set_visible(False)
    return ax


def plot_word_shift(data: pd.DataFrame, *, n: int = 20, ax: Axes | None = None, **kws: object) -> Axes:
    """Draw the `n` words that contribute most to a difference in mean score, as bars.

    Grain: one word per row, as `compare.word_shift` returns. Bars to the right raise the target's mean; a hatch marks
    words of negative score, and the label says whether the target uses the word more (+) or less (a minus sign). `kws`
    go to `Axes.barh`. Returns the Axes.

    >>> data = pd.DataFrame({"shift": [0.4], "score": [-2.0], "is_more": [False]}, index=["abuse"])
    >>> [t.get_text() for t in plot_word_shift(data).get_yticklabels()]
    ['abuse \N{MINUS SIGN}']
    >>> plt.close("all")
    """
    _check.frame(data, ["shift", "score", "is_more"])
    shown = data.reindex(data["shift"].abs().sort_values(ascending=False, kind="stable").index).head(n)
    ax = ax or figure(height=0.6 + 0.15 * len(shown))[1]
    with style():
        for row, (value, score) in enumerate(zip(shown["shift"], shown["score"], strict=True)):
            ax.barh(row, value, **({"height": 0.7, "edgecolor": "black", "linewidth": 0.4} | kws),
                    color="#BBBBBB" if score < 0 else "#009E73", hatch="////" if score < 0 else "")  # fmt: skip
        ax.axvline(0, color="black", linewidth=0.6)
        marks = ["+" if more else "\N{MINUS SIGN}" for more in shown["is_more"]]
        ax.set_yticks(range(len(shown)), [f"{w} {m}" for w, m in zip(shown.index, marks, strict=True)])
        ax.set_ylim(len(shown) - 0.5, -0.5)
        ax.grid(axis="x", visible=True)
    return ax


def plot_matrix(
    data: pd.DataFrame,
    *,
    x: str,
    y: str,
    value: str = "share",
    n: str | None = "n",
    ax: Axes | None = None,
    **kws: object,
) -> Axes:
    """Draw a table of shares as shaded cells with the percentage written in each, and n beside each row.

    Grain: one row per cell, with columns `x`, `y` and `value` (0 to 1). Shade runs from white to dark blue, so it
    prints in grey; a missing cell is crossed out. Cells are in the order of the data. `kws` go to `seaborn.heatmap`.
    Returns the Axes.

    >>> data = pd.DataFrame({"who": ["a", "a"], "frame": ["f", "g"], "share": [.25, .75], "n": [8, 8]})
    >>> ax = plot_matrix(data, x="frame", y="who")
    >>> [t.get_text() for t in ax.texts]
    ['25', '75']
    >>> plt.close(ax.figure)
    """
    _check.frame(data, [x, y, value])
    rows, columns = list(dict.fromkeys(data[y])), list(dict.fromkeys(data[x]))
    wide = data.pivot_table(index=y, columns=x, values=value, sort=False, observed=True, dropna=False, aggfunc="first")
    wide = wide.reindex(index=rows, columns=columns).astype(float)
    ax = ax or figure(height=0.9 + 0.19 * len(rows))[1]
    with style():
        ax.set_facecolor("#F2F2F2")
        text = wide.map(lambda v: "" if pd.isna(v) else f"{100 * v:.0f}")
        look = {"annot": text, "fmt": "", "cmap": "Blues", "vmin": 0, "vmax": max(0.5, float(np.nanmax(wide)))}
        sns.heatmap(wide, ax=ax, linewidths=0.6, cbar=False, **(look | {"annot_kws": {"fontsize": 6.5}} | kws))
        for i, j in zip(*np.where(wide.isna()), strict=True):
            ax.plot([j + 0.35, j + 0.65], [i + 0.65, i + 0.35], color="#999999", linewidth=0.6)
        counts = data.drop_duplicates(y).set_index(y)[n] if n and n in data else None
        ax.set(xlabel="", ylabel="")
        names = [codebook.label(c) for c in columns]
        ax.set_xticks(np.arange(len(columns)) + 0.5, names, rotation=40, ha="right", rotation_mode="anchor")
        ax.tick_params(length=0)
        labels = [codebook.label(r) + (f" (n={counts[r]:,})" if counts is not None else "") for r in rows]
        ax.set_yticks(np.arange(len(rows)) + 0.5, labels, rotation=0)
    return ax


def _estimates(
    ax: Axes, data: pd.DataFrame, row: str, value: str, hue: str | None, *, spread: float, upright: bool, kws: Mapping
) -> None:
    """Draw estimates with intervals at the place of their `row`, values of `hue` side by side within `spread`."""
    places = {name: i for i, name in enumerate(dict.fromkeys(data[row]))}
    hues = list(dict.fromkeys(data[hue])) if hue else [None]
    for i, name in enumerate(hues):
        part = data if name is None else data[data[hue] == name]
        place = np.array([places[r] for r in part[row]]) + (i - (len(hues) - 1) / 2) * spread / len(hues)
        reach = [part[value] - part["low"], part["high"] - part[value]]
        where = (
            {"x": place, "y": part[value], "yerr": reach} if upright else {"x": part[value], "y": place, "xerr": reach}
        )
        look = _look(name, i)
        drawn = {
            "fmt": look["marker"],
            "color": look["color"],
            "ecolor": look["color"],
            "elinewidth": 1,
            "clip_on": False,
        }
        ax.errorbar(
            **where,
            **(drawn | kws),
            label=None if name is None else codebook.label(name),
            linestyle="none",
            markeredgecolor="black",
            markeredgewidth=0.4,
        )


def _look(name: object, i: int) -> dict[str, str]:
    color = STANCE.get(name, OKABE_ITO[(i + 4) % len(OKABE_ITO)])
    return {"color": color, "marker": MARKERS[i % len(MARKERS)]}


def _rows(ax: Axes, rows: Sequence[object], n: pd.Series | None) -> None:
    if n is not None and len(n) > 1 and (n == n.iloc[0]).all():
        n = None  # one denominator for all rows belongs in the caption
    labels = [codebook.label(r) + (f" (n={n[r]:,})" if n is not None else "") for r in rows]
    ax.set_yticks(range(len(rows)), labels)
    ax.set_ylim(len(rows) - 0.5, -0.5)


def _legend(ax: Axes, columns: int, below: bool = False) -> None:
    anchor = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0 if not below else 1.06)}
    ax.legend(ncols=min(columns, 4), handlelength=1.2, columnspacing=1.0, handletextpad=0.4, **anchor)


class SavedFigure(type(Path())):
    """Path of a saved PNG that shows itself in Jupyter, with its caption and alternative text."""

    def _repr_html_(self) -> str:
        with _png(self) as (texts, data):
            alt, caption = html.escape(texts["Description"], quote=True), html.escape(texts["Caption"])
            width = round(texts["Width"] / 300 * 170)
        code = base64.b64encode(data).decode("ascii")
        return (
            f'<figure style="margin:1em 0;max-width:{width}px"><img alt="{alt}" src="data:image/png;base64,{code}" '
            f'style="width:100%;background:white"><figcaption>{caption}</figcaption></figure>'
        )


@contextmanager
def _png(path: Path) -> Iterator[tuple[dict, bytes]]:
    from PIL import Image

    data = Path(path).read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        yield dict(image.text) | {"Width": image.width}, data


def save_figure(
    fig: Figure,
    path: str | Path,
    *,
    alt: str,
    data: pd.DataFrame,
    caption: str = "",
) -> Path:
    """Write a figure as SVG, PNG and PDF, with the plotted data as CSV beside it, and close it.

    `path` is the name without ending (`figures/04-first-speaker`). `alt` states what the figure shows for those who
    cannot see it; `caption` says what is drawn, with n and the interval, and whether the coverage is real or invented.
    Both are stored inside the PNG. `data` is written with nine significant digits. The same figure gives the same
    bytes in every run, under any locale, hash seed and thread count, for one version of matplotlib.

    Returns the path of the PNG; in Jupyter it shows the figure with its caption. Files are put in place whole.
    Raises TypeError if `fig` or `data` is something else, ValueError if `alt` is empty.

    >>> fig, ax = figure(height=1)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved = save_figure(fig, Path(folder) / "empty", alt="An empty figure.", data=pd.DataFrame({"x": [1 / 3]}))
    ...     sorted(p.name for p in Path(folder).iterdir()), (Path(folder) / "empty.csv").read_text()
    (['empty.csv', 'empty.pdf', 'empty.png', 'empty.svg'], 'x\\n0.333333333\\n')
    """
    if not isinstance(fig, Figure):
        raise TypeError(f"fig must be a matplotlib Figure, not {type(fig).__name__}; use ax.figure")
    _check.frame(data)
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    png = {"Software": None, "Description": alt, "Caption": caption, "Title": path.name}
    nothing = dict.fromkeys(("CreationDate", "ModDate", "Producer", "Creator"))
    with style():
        _write(path.with_name(path.name + ".png"), _drawn(fig, "png", png))
        _write(path.with_name(path.name + ".svg"), _drawn(fig, "svg", {"Date": None, "Creator": None, "Title": alt}))
        _write(path.with_name(path.name + ".pdf"), _drawn(fig, "pdf", nothing))
    plt.close(fig)
    _write(path.with_name(path.name + ".csv"), canonical(data).encode("utf-8"))
    return SavedFigure(path.with_name(path.name + ".png"))


def canonical(data: pd.DataFrame) -> str:
    """CSV of `data` that is the same on every machine: nine significant digits, LF, no index.

    >>> canonical(pd.DataFrame({"a": [0.1 + 0.2, None], "b": ["x", "y"]}))
    'a,b\\n0.3,x\\n,y\\n'
    """
    return data.to_csv(index=False, float_format="%.9g", lineterminator="\n", date_format="%Y-%m-%d")


def describe(path: str | Path) -> dict[str, str]:
    """What a saved PNG says of itself: `alt`, `caption`, and the SHA-256 of its bytes and of its data."""
    path = Path(path)
    with _png(path) as (texts, data):
        return {
            "alt": texts["Description"],
            "caption": texts["Caption"],
            "data_sha256": hashlib.sha256(path.with_suffix(".csv").read_bytes()).hexdigest(),
            "png_sha256": hashlib.sha256(data).hexdigest(),
        }


def _drawn(fig: Figure, kind: str, metadata: dict) -> bytes:
    buffer = io.BytesIO()
    fig.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    with written(path) as file:
        file.write_bytes(data)
