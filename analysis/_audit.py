"""From what was found to what was analysed, and the holes in it: the flow of items, and an audit of coverage."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from analysis import _check

STAGES = ["found", "fetched", "extracted", "relevant", "deduplicated", "analysed"]
_LEVEL = 0.001  # chance of a false warning, for each check over all outlets
_LEAST = 8  # dated articles below which an outlet has no rate
_SHORT = 50  # words
_COLUMNS = ["check", "where", "detail", "value", "expected", "n"]


def item_log(
    articles: pd.DataFrame,
    *,
    log: pd.DataFrame | None = None,
    relevant: pd.Series | None = None,
    analysed: pd.Series | None = None,
) -> pd.DataFrame:
    """How far each item came, with the later stages taken from a table of articles.

    Grain of `articles`: one article, index `article_id`, with `text` and, once `copies` has been run, `copy_group`.
    `log` is the item log of the collection (`item`, `stage`, `reason`), whose items include every article's id;
    without it the articles are what was found. `relevant` and `analysed` are Series of True and False over the index
    of `articles`; what they leave out, or hold as missing, counts as False.

    An article without text was fetched and no more; one that is not `relevant` was extracted; of each copy group the
    first relevant article, in the order of the table, goes on. Without `analysed` what is left was analysed.

    Returns one row per item: `item`, `stage` (the furthest of found, fetched, extracted, relevant, deduplicated,
    analysed) and `reason` for going no further, missing where the item was analysed. Raises TypeError or ValueError
    for other tables, and where an article's id is not in `log`.

    >>> articles = pd.DataFrame({"text": ["x", "x", None], "copy_group": ["a", "a", "c"]}, index=["a", "b", "c"])
    >>> item_log(articles)
      item         stage                   reason
    0    a      analysed                      NaN
    1    b      relevant  copy of another article
    2    c       fetched                  no text
    """
    _check.frame(articles, ["text"], name="articles")
    twice = articles.index[articles.index.duplicated()]
    if len(twice):
        raise ValueError(
            f"articles hold {twice[0]!r} more than once in their index; each article needs an id of its own"
        )
    stage = pd.Series("analysed", index=articles.index, dtype="str")
    reason = pd.Series(pd.NA, index=articles.index, dtype="str")

    def lose(who: pd.Series, at: str, why: str) -> None:
        lost = who & reason.isna()
        stage[lost], reason[lost] = at, why

    lose(articles["text"].isna() | (articles["text"].fillna("").str.strip() == ""), "fetched", "no text")
    lose(~_flags(relevant, articles, "relevant"), "extracted", "not relevant")
    if "copy_group" in articles.columns:
        group = articles["copy_group"].fillna(articles.index.to_series()).where(reason.isna())
        lose(group.duplicated() & group.notna(), "relevant", "copy of another article")
    lose(~_flags(analysed, articles, "analysed"), "deduplicated", "not analysed")
    found = pd.DataFrame({"item": articles.index, "stage": stage.to_numpy(), "reason": reason.array})
    if log is None:
        return found.astype({"item": "str", "stage": "str"})
    log = _log(log)
    absent = ~articles.index.isin(log["item"])
    if absent.any():
        raise ValueError(
            f"article {articles.index[absent][0]!r} is not among the items of log; {absent.sum()} such article(s)"
        )
    found = pd.concat([log[~log["item"].isin(articles.index)], found])
    order = pd.Series(range(len(log)), index=log["item"])
    return found.sort_values("item", key=lambda item: item.map(order), ignore_index=True)[["item", "stage", "reason"]]


def flow(log: pd.DataFrame) -> pd.DataFrame:
    """Count the items that reached each stage, and why the others did not.

    Grain of `log`: one item found, with `item`, `stage` (the furthest it reached: found, fetched, extracted, relevant,
    deduplicated or analysed) and `reason` for going no further, missing where it was analysed; as `item_log` and the
    file `log.csv` of a collection hold them.

    Returns one row per stage, in order: `stage`; `n`, the items that reached it; `lost`, those that reached the stage
    before and not this one; `share`, n in those found; `reasons`, the reasons with their counts, commonest first.
    Raises TypeError or ValueError naming the item at fault.

    Method: the flow diagram of PRISMA 2020 (Page et al. 2021), for items of news.

    >>> rows = [("a", "analysed", None), ("b", "fetched", "no text"), ("c", "found", "robots.txt")]
    >>> flow(pd.DataFrame(rows, columns=["item", "stage", "reason"]))[["stage", "n", "lost", "reasons"]].head(3)
           stage  n  lost        reasons
    0      found  3     0
    1    fetched  2     1  robots.txt: 1
    2  extracted  1     1     no text: 1
    """
    log = _log(log)
    reached = log["stage"].map(STAGES.index).to_numpy(dtype=int)
    rows = []
    for i, stage in enumerate(STAGES):
        lost = log.loc[reached == i - 1, "reason"].value_counts()
        lost = lost.sort_index().sort_values(ascending=False, kind="stable")
        reasons = "; ".join(f"{reason}: {n}" for reason, n in lost.items())
        n = int((reached >= i).sum())
        rows.append((stage, n, int(lost.sum()), n / len(log) if len(log) else np.nan, reasons))
    return pd.DataFrame(rows, columns=["stage", "n", "lost", "share", "reasons"]).astype(
        {"stage": "str", "reasons": "str"}
    )


def audit(articles: pd.DataFrame) -> pd.DataFrame:
    """Warn of holes in coverage: what a reader of shares and trends should know is missing.

    Grain: one article per row, with `outlet`, `date`, `text`; `date_precision` where it is known (dates known only to
    the month or year are left out of what depends on days). Looks at every outlet with at least eight dated articles.

    Returns one row per warning, and none where nothing is amiss: `check`, `where` (outlet, month, or all), `detail` in
    words, `value` found, `expected` value or limit, and `n`, the articles the warning rests on. Checks:

    - starts, silent, stops: no article of an outlet before, between or after certain days, though the other outlets
      had M; had it kept its share p of the rest, that would happen with chance (1 - p)^M, which is below .001 after
      Bonferroni's correction. `value` is its articles there, 0, `expected` is M p / (1 - p). Since it is measured
      against the others, a quiet season warns of nothing.
    - month: a month without any article whose neighbours (six months on each side) have a median of five or more.
    - shorter: an outlet's articles become shorter at some day and stay so, to less than 60% of the median number of
      words (Mann and Whitney's test, one-sided, .001 after Bonferroni's correction): extraction broke, or a pay wall.
    - same text: an outlet's articles with the very same text; short text: a fifth or more, and three or more, of an
      outlet's texts have under 50 words. Both are the marks of notices taken for articles.
    - date, text, outlet: how many articles have none.

    Raises TypeError or ValueError where a column is missing.

    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> text = [f"{i} word " * 200 for i in range(120)]
    >>> kept = pd.DataFrame({"outlet": ["A", "B"] * 60, "date": days.repeat(2), "text": text})
    >>> len(audit(kept))
    0
    >>> audit(kept[(kept["outlet"] == "A") | (kept["date"] < "2024-02-01")])[["check", "where", "value", "n"]]
       check where  value   n
    0  stops     B    0.0  29
    """
    _check.frame(articles, ["outlet", "date", "text"], name="articles")
    if not pd.api.types.is_datetime64_any_dtype(articles["date"]) and articles["date"].notna().any():
        raise TypeError("articles['date'] must hold dates; read them with read_articles, or pd.to_datetime")
    data = articles[["outlet", "date", "text"]].reset_index(drop=True)
    data = data.assign(text=data["text"].where(data["text"].fillna("").str.strip() != ""))
    data = data.assign(n_words=data["text"].str.count(r"\S+"), outlet=data["outlet"].astype("str"))
    exact = data
    if "date_precision" in articles.columns:
        exact = data[(articles["date_precision"].astype("str") == "day").to_numpy()]
    exact = exact[exact["date"].notna()].sort_values("date", kind="stable")
    found = [*_missing(data), *_silences(exact), *_months(data, exact), *_shorter(exact), *_notices(data)]
    table = pd.DataFrame(found, columns=_COLUMNS)
    return table.astype(
        {"check": "str", "where": "str", "detail": "str", "value": "float64", "expected": "float64", "n": "int64"}
    )


def _log(log: pd.DataFrame) -> pd.DataFrame:
    _check.frame(log, ["item", "stage", "reason"], name="log")
    log = log[["item", "stage", "reason"]].astype({"item": "str"}).reset_index(drop=True)
    wrong = ~log["stage"].isin(STAGES)
    if wrong.any():
        item, stage = log.loc[wrong.idxmax(), ["item", "stage"]]
        raise ValueError(f"log: item {item!r} has the stage {stage!r}; use {_check.listed(STAGES)}")
    if log["item"].duplicated().any():
        raise ValueError(f"log: item {log.loc[log['item'].duplicated().idxmax(), 'item']!r} stands a second time")
    is_end = log["stage"] == STAGES[-1]
    untold = ~is_end & log["reason"].isna()
    if untold.any():
        raise ValueError(
            f"log: item {log.loc[untold.idxmax(), 'item']!r} went no further than its stage without a reason"
        )
    told = is_end & log["reason"].notna()
    if told.any():
        raise ValueError(f"log: item {log.loc[told.idxmax(), 'item']!r} was analysed and has a reason for its loss")
    return log


def _flags(value: pd.Series | None, articles: pd.DataFrame, name: str) -> pd.Series:
    if value is None:
        return pd.Series(True, index=articles.index)
    if not isinstance(value, pd.Series) or not set(value.dropna().unique()) <= {True, False}:
        raise TypeError(f"{name} must be a Series of True and False over the index of articles")
    if value.index.has_duplicates:
        raise ValueError(f"{name} holds {value.index[value.index.duplicated()][0]!r} more than once in its index")
    return value.reindex(articles.index).astype("boolean").fillna(False).astype(bool)


def _missing(data: pd.DataFrame) -> Iterator[tuple]:
    for name in ("date", "text", "outlet"):
        absent = int(data[name].isna().sum())
        if absent:
            yield name, "all", f"{absent} of {len(data)} articles have no {name}", absent / len(data), 0.0, len(data)


def _regular(data: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for outlet, own in data[data["outlet"].notna()].groupby("outlet", sort=True):
        if len(own) >= _LEAST:
            yield outlet, own


def _silences(exact: pd.DataFrame) -> Iterator[tuple]:
    outlets = list(_regular(exact))
    day = exact["date"].to_numpy()
    for outlet, own in outlets:
        others = day[(exact["outlet"] != outlet).to_numpy()]
        own_days = own["date"].to_numpy()
        # how many articles the others had before, between and after its own
        before = np.searchsorted(others, own_days, side="left")
        upto = np.searchsorted(others, own_days, side="right")
        gaps = np.concatenate([[before[0]], np.maximum(before[1:] - upto[:-1], 0), [len(others) - upto[-1]]])
        for i, gap in enumerate(gaps):
            share = len(own) / (len(own) + len(others) - gap)
            if gap and share < 1 and (1 - share) ** gap < _LEVEL / (len(outlets) * len(gaps)):
                first, last = (
                    str(pd.Timestamp(d).date()) for d in (own_days[max(i - 1, 0)], own_days[min(i, len(own) - 1)])
                )
                check, said = ("starts", f"none before {last}") if i == 0 else ("stops", f"none after {first}")
                if 0 < i < len(own):
                    check, said = "silent", f"none from {first} to {last}"
                detail = f"{said}, where the others have {gap}; {len(own)} articles in all"
                yield check, outlet, detail, 0.0, gap * share / (1 - share), int(gap)


def _months(data: pd.DataFrame, exact: pd.DataFrame) -> Iterator[tuple]:
    if exact.empty:
        return
    months = data.loc[data["date"].notna(), "date"].dt.to_period("M")
    span = pd.period_range(exact["date"].min(), exact["date"].max(), freq="M")
    counts = months.value_counts().reindex(span, fill_value=0)
    for i, (month, n) in enumerate(counts.items()):
        near = [*counts.iloc[max(0, i - 6) : i], *counts.iloc[i + 1 : i + 7]]
        if n == 0 and np.median(near) >= 5:
            detail = f"no article, where the months around it have {int(np.median(near))} in the median"
            yield "month", str(month), detail, 0.0, float(np.median(near)), int(sum(near))


def _shorter(exact: pd.DataFrame) -> Iterator[tuple]:
    outlets = [(outlet, own) for outlet, own in _regular(exact[exact["n_words"].notna()]) if len(own) >= 12]
    for outlet, own in outlets:
        words, days = own["n_words"].to_numpy(float), own["date"].to_numpy()
        cuts = np.flatnonzero(days[1:] != days[:-1]) + 1
        cuts = cuts[(cuts >= 5) & (cuts <= len(own) - 5)]
        cuts = cuts[np.unique(np.linspace(0, len(cuts) - 1, min(len(cuts), 60)).astype(int))] if len(cuts) else cuts
        best = None
        for cut in cuts:
            old, new = np.median(words[:cut]), np.median(words[cut:])
            if new < 0.6 * old:
                p = stats.mannwhitneyu(words[cut:], words[:cut], alternative="less").pvalue
                if p < _LEVEL / (len(cuts) * len(outlets)) and (best is None or p < best[0]):
                    best = p, cut, old, new
        if best:
            _, cut, old, new = best
            since = str(pd.Timestamp(days[cut]).date())
            detail = f"since {since} the median text has {new:.0f} words, before {old:.0f}"
            yield "shorter", outlet, detail, new, old, len(own)


def _notices(data: pd.DataFrame) -> Iterator[tuple]:
    held = data[data["outlet"].notna() & data["text"].notna()]
    for outlet, own in held.groupby("outlet", sort=True):
        counts = own["text"].str.strip().value_counts()
        again = counts[counts > 1]
        if len(again):
            detail = f"{int(again.sum())} of {len(own)} articles share their text with another"
            detail += f"; the commonest stands {int(again.iloc[0])} times"
            yield "same text", outlet, detail, float(again.sum() / len(own)), 0.0, len(own)
        short = int((own["n_words"] < _SHORT).sum())
        if short >= 3 and short / len(own) >= 0.2:
            detail = f"{short} of {len(own)} texts have fewer than {_SHORT} words"
            yield "short text", outlet, detail, short / len(own), 0.2, len(own)
