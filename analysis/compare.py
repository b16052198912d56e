"""Shares, means, differences and trends, each with an interval that respects how the data were collected.

Statements of one article, and copies of one story, are not independent. Every interval here therefore resamples whole
clusters: `draws` bootstrap samples, as multinomial weights times a table of cluster totals, seeded. For shares, the
bootstrap variance sets the effective sample size of a Wilson interval (as Korn and Graubard 1998 do for the exact
one), kept between the effective number of clusters and the number of rows, so that a share of 0 or 1 and a group
of three articles still get an honest interval. Differences combine the two Wilson intervals and the bootstrap
correlation of the two shares (Newcombe 1998; Zou and Donner 2008); p is the level at which the interval touches 0.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse, stats

from analysis import _check
from analysis._clusters import Sample, Table, draw_variance, inflation, mover, pairs_of, touches_zero, wilson

_DRAWS = 2000


def shares(
    data: pd.DataFrame,
    value: str,
    *,
    by: str | list[str] | None = None,
    cluster: str = "copy_group",
    weights: str | None = None,
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of each value of a coded column, within each group.

    Grain in: one row per coded unit (statement, sentence, article). Grain out: one row per group and value, also where
    the count is 0. Rows whose `value` or `by` is missing are left out of numerator and denominator.

    Columns returned: the `by` columns, `value`, then `share`, `low`, `high` (0 to 1), `count` (rows with the value),
    `n` (rows in the group), `clusters` (independent clusters in the group). `weights` names a column of positive row
    weights (such as 1 over the number of copies); `count` and `n` stay unweighted. `cluster` names the column of units
    to resample; without a `copy_group` column the default falls back to `article_id`. `attrs` records the settings.

    Raises ValueError for an unknown column, an empty table, or weights that are not positive.

    >>> stances = ["for", "for", "for", "against", "for", "against"]
    >>> data = pd.DataFrame({"article_id": list("aabbcd"), "stance": stances})
    >>> shares(data, "stance").round(2)
        stance  share   low  high  count  n  clusters
    0  against   0.33  0.07  0.77      2  6         4
    1      for   0.67  0.23  0.93      4  6         4
    """
    table = Table(data, value, by, cluster, weights, level, draws, seed)
    out = table.keys.copy()
    p, n_eff = table.share, table.n_eff
    low, high = wilson(p, n_eff, 1 - level)
    out["share"], out["low"], out["high"] = p, low, high
    out["count"], out["n"], out["clusters"] = table.count, table.n, table.clusters
    out.attrs = table.attrs
    return out


def differences(
    data: pd.DataFrame,
    value: str,
    *,
    by: str,
    against: object = None,
    only: object = None,
    cluster: str = "copy_group",
    weights: str | None = None,
    adjust: str = "holm",
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Difference in the share of each value between groups, with interval and adjusted p.

    Grain in: as for `shares`. Grain out: one row per value and pair of groups: every pair, or every group against the
    reference group `against`. `only` keeps one value or a list of values (the family that p is adjusted over).

    Columns returned: `value`, `a`, `b`, `share_a`, `share_b`, `difference` (a minus b), `low`, `high`, `p` (two-sided),
    `p_adjusted` (Holm 1979, or Benjamini and Hochberg 1995 with `adjust="bh"`), `n_a`, `n_b`. Groups that share
    clusters (two speakers in one article) are compared with their covariance.

    Raises ValueError for unknown columns, groups or values.

    >>> data = pd.DataFrame({"article_id": range(40), "side": ["x", "y"] * 20, "stance": ["for", "against"] * 20})
    >>> differences(data, "stance", by="side", only="for")[["a", "b", "difference", "low", "high"]].round(2)
       a  b  difference   low  high
    0  x  y         1.0  0.77   1.0
    """
    _check.option(adjust, ["holm", "bh"], "adjust")
    if not isinstance(by, str):
        raise TypeError(f"by must be one column name, not {by!r}")
    table = Table(data, value, by, cluster, weights, level, draws, seed)
    keys = table.keys
    groups = list(dict.fromkeys(keys[by]))
    values = list(dict.fromkeys(keys[value]))
    wanted, pairs = pairs_of(groups, values, against, only)
    where = {(g, v): i for i, (g, v) in enumerate(zip(keys[by], keys[value], strict=True))}
    a = np.array([where[g, v] for v in wanted for g, _ in pairs], dtype=int)
    b = np.array([where[h, v] for v in wanted for _, h in pairs], dtype=int)
    correlation = table.correlation(a, b)

    def bounds(alpha: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        return mover(table.share[a], table.n_eff[a], table.share[b], table.n_eff[b], correlation, alpha)

    low, high = bounds(1 - level)
    p = touches_zero(bounds, len(a))
    out = pd.DataFrame(
        {
            value: [v for v in wanted for _ in pairs],
            "a": [g for _ in wanted for g, _ in pairs],
            "b": [h for _ in wanted for _, h in pairs],
            "share_a": table.share[a],
            "share_b": table.share[b],
            "difference": table.share[a] - table.share[b],
            "low": low,
            "high": high,
            "p": p,
            "p_adjusted": adjusted(p, adjust),
            "n_a": table.n[a],
            "n_b": table.n[b],
        }
    )
    out.attrs = table.attrs | {"adjust": adjust}
    return out


def means(
    data: pd.DataFrame,
    value: str,
    *,
    by: str | list[str] | None = None,
    cluster: str = "copy_group",
    weights: str | None = None,
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean of a numeric column within each group.

    Grain in: one row per unit. Columns returned: the `by` columns, then `mean`, `low`, `high` (in the units of
    `value`), `n` (rows), `clusters`. The interval is Student's t with clusters less one degrees of freedom around the
    bootstrap standard error; a group of one cluster has no interval (missing).

    Raises TypeError if `value` is not numeric, ValueError for unknown columns or an empty table.

    >>> data = pd.DataFrame({"article_id": range(5), "gap": [1.0, 2.0, 3.0, 4.0, 5.0]})
    >>> means(data, "gap").round(1)
       mean  low  high  n  clusters
    0   3.0  1.1   4.9  5         5
    """
    _check.frame(data, [value])
    if not pd.api.types.is_numeric_dtype(data[value]):
        raise TypeError(f"{value} must be numeric, not {data[value].dtype}")
    sample = Sample(data, [value], by, cluster, weights, level, draws, seed)
    x = sample.rows[value].to_numpy(dtype=float)
    k = len(sample.groups)
    total = sample.totals(sample.group, sample.weight * x, k)
    size = sample.totals(sample.group, sample.weight, k)
    mean = total.sum(0) / size.sum(0)
    replicate = sample.resample(sparse.hstack([total, size]))
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = replicate[:, :k] / replicate[:, k:]
    clusters = sample.clusters_per(sample.group, k)
    error = np.sqrt(draw_variance(drawn) * inflation(clusters))
    reach = stats.t.ppf((1 + level) / 2, np.maximum(clusters - 1, 1)) * error
    reach = np.where(clusters > 1, reach, np.nan)
    out = sample.groups.copy()
    out["mean"], out["low"], out["high"] = mean, mean - reach, mean + reach
    out["n"], out["clusters"] = np.bincount(sample.group, minlength=k), clusters
    out.attrs = sample.attrs | {"value": value}
    return out


def trend(
    data: pd.DataFrame,
    value: str,
    *,
    freq: str | Sequence[int] = "year",
    date: str = "date",
    by: str | None = None,
    **settings: object,
) -> pd.DataFrame:
    """Shares over time: `shares` by period, with the gaps shown.

    `freq` is "year", "quarter" or "month", or the first years of periods of your own ([1993, 2014, 2019] makes
    1993-2013, 2014-2018 and 2019 to the last year). Rows whose date is missing or known less exactly than `freq` needs
    (column `date_precision`, where there is one) are left out and counted in `attrs["n_undated"]`.

    Columns returned: `period` (label), `start` (first day), the `by` column, `value`, then those of `shares`. Periods
    between the first and the last without any row are there with n 0 and a missing share. `settings` go to `shares`.

    Raises ValueError for an unknown `freq`, a date column that is not datetime, or no dated row.

    >>> data = pd.DataFrame({"article_id": range(3), "date": pd.to_datetime(["2016-02-01", "2016-03-01", "2018-05-01"]),
    ...                      "frame": ["crime", "rights", "rights"]})
    >>> trend(data, "frame")[["period", "frame", "share", "n"]]
      period   frame  share  n
    0   2016   crime    0.5  2
    1   2016  rights    0.5  2
    2   2017   crime    NaN  0
    3   2017  rights    NaN  0
    4   2018   crime    0.0  1
    5   2018  rights    1.0  1
    """
    data = period(data, freq=freq, date=date)
    dated = data[data["period"].notna()]
    if dated.empty:
        raise ValueError(f"no row has a date in {date!r} as exact as freq={freq!r} needs")
    dated = dated.assign(period=dated["period"].cat.remove_unused_categories())
    groups = ["period", *_check.names(by, "by")]
    out = shares(dated, value, by=groups, **settings)
    settings_used = out.attrs
    labels = data["period"].cat.categories
    first, last = labels.get_loc(dated["period"].min()), labels.get_loc(dated["period"].max())
    cells = [list(labels[first : last + 1])] + [list(dict.fromkeys(out[c])) for c in [*groups[1:], value]]
    grid = pd.MultiIndex.from_product(cells, names=[*groups, value])
    out = out.astype({"period": object}).set_index([*groups, value]).reindex(grid).reset_index()
    out[["count", "n", "clusters"]] = out[["count", "n", "clusters"]].fillna(0).astype(int)
    out.insert(1, "start", out["period"].map(_start))
    out["period"] = pd.Categorical(out["period"], categories=cells[0], ordered=True)
    out.attrs = settings_used | {"n_undated": int(data["period"].isna().sum())}
    return out


def period(data: pd.DataFrame, *, freq: str | Sequence[int] = "year", date: str = "date") -> pd.DataFrame:
    """`data` with a column `period`: an ordered category of labels, missing where the date is not known well enough.

    `freq` and the rule for dates are those of `trend`. Every period from the first to the last is a category.

    >>> data = pd.DataFrame({"date": pd.to_datetime(["1994-04-01", "2016-02-16", None])})
    >>> period(data, freq=[1993, 2014, 2019])["period"].tolist()
    ['1993-2013', '2014-2018', nan]
    """
    _check.frame(data, [date])
    stamp = data[date]
    if not pd.api.types.is_datetime64_any_dtype(stamp):
        raise ValueError(f"column {date!r} must hold datetimes, not {stamp.dtype}; use pd.to_datetime or read_articles")
    if isinstance(freq, str):
        _check.option(freq, ["year", "quarter", "month"], "freq")
        whole = stamp.dt.to_period({"year": "Y", "quarter": "Q", "month": "M"}[freq])
        coarse = {"year": [], "quarter": ["year"], "month": ["year"]}[freq]
        known = stamp.notna()
        if "date_precision" in data.columns and coarse:
            known &= ~data["date_precision"].isin(coarse)
        whole = whole.where(known)
        every = pd.period_range(whole.min(), whole.max()).astype(str) if known.any() else []
        label = whole.astype(object).map(str, na_action="ignore")
    else:
        starts = [_check.whole(year, "freq", 1) for year in freq]
        if not starts or starts != sorted(set(starts)):
            raise ValueError(f"freq={freq!r} must be first years in rising order, such as [1993, 2014, 2019]")
        last = int(stamp.dt.year.max()) if stamp.notna().any() else starts[-1]
        ends = [year - 1 for year in starts[1:]] + [max(last, starts[-1])]
        every = [str(s) if s == e else f"{s}-{e}" for s, e in zip(starts, ends, strict=True)]
        place = np.searchsorted(starts, stamp.dt.year.fillna(0).to_numpy(), side="right") - 1
        label = pd.Series([every[i] if i >= 0 else None for i in place], index=data.index, dtype=object)
    return data.assign(period=pd.Categorical(label, categories=list(every), ordered=True))


def _start(label: str) -> pd.Timestamp:
    text = str(label)
    return pd.Timestamp(f"{text[:4]}-01-01") if len(text) in (4, 9) else pd.Period(text).start_time


def keyness(
    tokens: pd.Series,
    group: pd.Series,
    *,
    target: object,
    reference: object = None,
    prior: pd.Series | None = None,
    cluster: pd.Series | None = None,
    min_articles: int = 3,
    level: float = 0.95,
) -> pd.DataFrame:
    """Words that set one group of articles apart: weighted log-odds with an informative Dirichlet prior.

    Grain in: one article per row, `tokens` a list of words (as `tokenize` returns), `group` aligned with it by index.
    `target` is compared with `reference`, or with all other rows; a positive value always means more in the target.
    `prior` holds pseudo-counts by word, by default the pooled counts scaled to the length of an average article.

    Grain out: one row per word that stands in at least `min_articles` articles, surest first. The index is the word.
    Columns: `log_odds` (natural logarithm, target against reference), `low`, `high`, `z`, `p` (two-sided), `p_adjusted`
    (Benjamini and Hochberg 1995), `count` and `count_reference` (tokens), `articles` and `articles_reference` (articles
    with the word), `dispersion` (Gries's 2008 DP over all articles: 0 even, towards 1 in a single article).

    The estimate and its model variance are those of Monroe, Colaresi and Quinn (2008). Since words cluster in articles,
    the variance is that, or the variance between articles (linearised; `cluster` names groups of copies to be taken as
    one) where this is larger: one article's pet word does not win.

    Raises TypeError if `tokens` does not hold lists, ValueError if a group has fewer than two articles.

    >>> tokens = pd.Series([["lock", "key"], ["lock", "lock"], ["child", "key"], ["child", "key"]])
    >>> group = pd.Series(["tech", "tech", "care", "care"])
    >>> keyness(tokens, group, target="tech", min_articles=2)[["log_odds", "count", "count_reference"]].round(2)
           log_odds  count  count_reference
    lock       2.46      3                0
    key       -0.72      1                2
    child     -2.06      0                2
    """
    _check.fraction(level, "level")
    _check.whole(min_articles, "min_articles", 1)
    words, counts, is_target = _counted(tokens, group, target, reference)
    if cluster is not None:
        code, names = pd.factorize(cluster.reindex(tokens.index)[is_target.index])
        pooled = sparse.coo_array((np.ones(len(code)), (code, np.arange(len(code)))), shape=(len(names), len(code)))
        if (pd.Series(code).groupby(is_target.to_numpy()).nunique().sum()) > len(names):
            raise ValueError("a cluster holds articles of both groups; copies of one text must lie in one group")
        counts, side = (pooled @ counts).tocsr(), np.zeros(len(names), dtype=bool)
        side[code] = is_target.to_numpy()
    else:
        side = is_target.to_numpy()
    present = counts.astype(bool)
    both = np.asarray(present.sum(0)).ravel()
    total = np.asarray(counts.sum(0)).ravel()
    if prior is None:
        alpha = total / total.sum() * (total.sum() / counts.shape[0])
    else:
        alpha = prior.reindex(words).fillna(0).to_numpy(dtype=float)
        if not (alpha > 0).all():
            raise ValueError(f"prior lacks a positive value for {words[alpha <= 0][0]!r}; every word needs one")
    parts = [_log_odds(counts[side], alpha), _log_odds(counts[~side], alpha)]
    log_odds = parts[0][0] - parts[1][0]
    error = np.sqrt(parts[0][1] + parts[1][1])
    z = log_odds / error
    reach = stats.norm.isf((1 - level) / 2) * error
    length = np.asarray(counts.sum(1)).ravel()
    out = pd.DataFrame(
        {
            "log_odds": log_odds,
            "low": log_odds - reach,
            "high": log_odds + reach,
            "z": z,
            "p": 2 * stats.norm.sf(np.abs(z)),
            "count": np.asarray(counts[side].sum(0)).ravel().astype(int),
            "count_reference": np.asarray(counts[~side].sum(0)).ravel().astype(int),
            "articles": np.asarray(present[side].sum(0)).ravel(),
            "articles_reference": np.asarray(present[~side].sum(0)).ravel(),
            "dispersion": _dispersion(counts, length, total),
        },
        index=pd.Index(words, name=None),
    )[both >= min_articles]
    out.insert(5, "p_adjusted", adjusted(out["p"].to_numpy(), "bh"))
    out.attrs = {"target": target, "reference": "all others" if reference is None else reference, "level": level}
    return out.iloc[np.lexsort((out.index, -out["z"]))]


def word_shift(
    tokens: pd.Series, group: pd.Series, scores: pd.Series, *, target: object, reference: object = None
) -> pd.DataFrame:
    """Which words make the mean score of one group of articles differ from another's.

    Grain in: as for `keyness`; `scores` gives a number by word (a sentiment lexicon), and words without one are left
    out of both means. Grain out: one row per scored word, largest contribution first. Columns: `shift` (the word's part
    of the difference in mean score, target minus reference; the parts add up to it), `score`, `share` and
    `share_reference` (of the scored tokens), and `is_more` (whether the target uses the word more).

    Source: the word shift of Dodds and others (2011), unnormalised, around the reference's mean.

    Raises ValueError if a group has no scored word.

    >>> tokens = pd.Series([["good", "day"], ["bad", "day"]])
    >>> shift = word_shift(tokens, pd.Series(["x", "y"]), pd.Series({"good": 2.0, "bad": -2.0}), target="x")
    >>> shift["shift"].to_dict()
    {'good': 4.0, 'bad': 0.0}
    """
    words, counts, is_target = _counted(tokens, group, target, reference, least=1)
    scored = np.isin(words, scores.index)
    words, counts = words[scored], counts[:, scored]
    part = [np.asarray(counts[rows].sum(0)).ravel() for rows in (is_target.to_numpy(), ~is_target.to_numpy())]
    for amount, name in zip(part, (target, reference or "the rest"), strict=True):
        if not amount.sum():
            raise ValueError(f"no word of group {name!r} has a score")
    share, other = (p / p.sum() for p in part)
    score = scores[words].to_numpy(dtype=float)
    shift = (share - other) * (score - (other * score).sum()) + 0.0  # no negative zeros
    out = pd.DataFrame(
        {"shift": shift, "score": score, "share": share, "share_reference": other, "is_more": share > other},
        index=words,
    )
    out.attrs = {"target": target, "reference": "all others" if reference is None else reference}
    return out.iloc[np.lexsort((out.index, -out["shift"].abs()))]


def _counted(
    tokens: pd.Series, group: pd.Series, target: object, reference: object, least: int = 2
) -> tuple[np.ndarray, sparse.csr_array, pd.Series]:
    """Sorted vocabulary, articles by words counts, and which rows are the target's; other groups left out."""
    if not isinstance(tokens, pd.Series) or not isinstance(group, pd.Series):
        raise TypeError("tokens and group must be pandas Series with the same index")
    if not tokens.index.equals(group.index):
        raise ValueError("tokens and group must have the same index")
    known = tokens.notna() & group.notna()
    names = list(dict.fromkeys(group[known]))
    for name in [target] + ([] if reference is None else [reference]):
        _check.option(name, names, "target" if name is target else "reference")
    if reference is not None:
        known &= group.isin([target, reference])
    lists = tokens[known]
    for label, item in lists.items():
        if not isinstance(item, (list, tuple, np.ndarray)):
            raise TypeError(f"tokens holds a {type(item).__name__} at index {label!r}; it must hold lists of words")
    is_target = group[known] == target
    if min(is_target.sum(), (~is_target).sum()) < least:
        raise ValueError(f"each side needs at least {least} articles; target={target!r} has {is_target.sum()}")
    flat = lists.explode().dropna()
    code, words = pd.factorize(flat, sort=True)
    row = np.repeat(np.arange(len(lists)), lists.map(len))
    counts = sparse.coo_array((np.ones(len(code)), (row, code)), shape=(len(lists), len(words))).tocsr()
    return np.asarray(words, dtype=object), counts, is_target


def _log_odds(counts: sparse.csr_array, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of each word in one group, and its variance: the model's, or between articles where that is larger."""
    y, m = np.asarray(counts.sum(0)).ravel(), np.asarray(counts.sum(1)).ravel()
    with_word, without = y + alpha, m.sum() + alpha.sum() - y - alpha
    # an article with c of the word in m tokens moves the log-odds by c (1/with + 1/without) - m/without
    a, b, n = 1 / with_word + 1 / without, 1 / without, len(m)
    squares = np.asarray(counts.power(2).sum(0)).ravel()
    spread = a**2 * squares - 2 * a * b * (counts.T @ m) + b**2 * (m**2).sum() - (a * y - b * m.sum()) ** 2 / n
    between = np.maximum(spread, 0) * n / max(n - 1, 1)
    return np.log(with_word / without), np.maximum(1 / with_word + 1 / without, between)


def _dispersion(counts: sparse.csr_array, length: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Gries's DP: half the sum of differences between where a word is and where all words are."""
    expected = length / length.sum()
    entries = counts.tocoo()
    row, column = entries.coords
    observed = entries.data / total[column]
    # articles without the word add their expected share; those with it, the difference
    change = np.abs(observed - expected[row]) - expected[row]
    return (1 + np.bincount(column, change, len(total))) / 2


def arrange(table: pd.DataFrame, column: str, order: Sequence) -> pd.DataFrame:
    """Rows of `table` whose `column` is in `order`, in that order; rows of one value keep theirs.

    Figures draw rows as they come, so this says which are drawn and in what order.

    >>> arrange(pd.DataFrame({"who": ["a", "b", "c"], "share": [0.1, 0.2, 0.3]}), "who", ["c", "a"])["share"].tolist()
    [0.3, 0.1]
    """
    _check.frame(table, [column], "table")
    place = {value: i for i, value in enumerate(order)}
    rows = table[column].astype(object).map(place)
    return table.loc[rows.dropna().sort_values(kind="stable").index]


def in_words(table: pd.DataFrame, *, digits: int = 0, **where: object) -> str:
    """One estimate of a table as a phrase for prose: the estimate, then its interval and denominator in brackets.

    `table` is what `shares`, `trend`, `differences` or `means` returned; `where` names the row. Shares are written in
    per cent, differences in percentage points with their adjusted p, means as they are, each with `digits` decimals.

    Raises ValueError unless exactly one row fits.

    >>> data = pd.DataFrame({"article_id": range(40), "stance": ["for", "against"] * 20})
    >>> in_words(shares(data, "stance"), stance="for")
    '50% [35 to 65, n = 40]'
    """
    _check.frame(table, where, "table")
    rows = table
    for name, wanted in where.items():
        rows = rows[rows[name].astype(object) == wanted]
    if len(rows) != 1:
        raise ValueError(f"{where} fits {len(rows)} rows of the table; it must fit one")
    row = rows.iloc[0]
    kind = next(k for k in ("share", "difference", "mean") if k in rows.columns)
    scale, unit = {"share": (100, "%"), "difference": (100, " points"), "mean": (1, "")}[kind]
    point, low, high = (f"{scale * row[k]:.{digits}f}" for k in (kind, "low", "high"))
    tail = f"p {_p(row['p_adjusted'])}" if kind == "difference" else f"n = {int(row['n']):,}"
    return f"{point}{unit} [{low} to {high}, {tail}]".replace("-", "\N{MINUS SIGN}")


def _p(p: float) -> str:
    return "under .001" if p < 0.001 else "= " + f"{p:.3f}".lstrip("0")


def adjusted(p: Sequence[float], method: str = "holm") -> np.ndarray:
    """P values adjusted for their number: "holm" (family-wise error) or "bh" (false discovery rate).

    >>> adjusted([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    _check.option(method, ["holm", "bh"], "method")
    if method == "bh" or not len(p):
        return stats.false_discovery_control(p) if len(p) else p
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(stepped, 1)
    return out
