"""How far codes can be trusted, and what a share is worth once their errors are counted.

Agreement between coders, accuracy against trusted codes, shares corrected for the machine's errors, the design of the
hand-coding that correction needs, and the sensitivity of a claim to the choices behind it. Every interval resamples
whole clusters (copies of one story, the statements of one article), as in `compare`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from scipy import sparse, stats

from analysis import _check
from analysis._clusters import Sample, Table, draw_variance, inflation, mover, pairs_of, touches_zero, wilson
from analysis.compare import adjusted, differences, shares

_DRAWS = 2000
_LEVELS = ["nominal", "ordinal", "interval"]


def agreement(
    codes: pd.DataFrame,
    *,
    coder: str = "coder",
    unit: str | list[str],
    value: str | list[str],
    level: str = "nominal",
    each: bool = False,
    cluster: str | None = None,
    confidence: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Agreement between coders: Krippendorff's alpha with its interval, Gwet's AC1 and percent agreement.

    Grain in: one row per unit as one coder coded it; `unit` (one column or several) names the unit, `value` the coded
    variable or variables. Missing codes are left out, and so are units that only one coder coded. Grain out: one row
    per variable or, with `each=True`, per variable and value (that value against all others). Two columns per coder
    (`stance_d`, `stance_e`) become this shape with `pd.wide_to_long`.

    Columns returned: `variable` (and `value`, `count`: codes with that value), `alpha`, `low`, `high`, `ac1` (missing
    for interval data), `agreement` (0 to 1: chance that two codes of one unit are equal), `n` (units with two codes or
    more), `codes` (codes of those units), `coders`, `clusters`, and `verdict`: alpha and its interval against .800
    (reliable) and .667 (tentative conclusions only).

    `level` says which difference counts: "nominal" (any), "ordinal" (distance in rank; numbers or an ordered category)
    or "interval" (squared distance; numbers). `cluster` names the column to resample, by default `copy_group`,
    `article_id` or the unit, whichever comes first. The bootstrap variance sets the effective number of units of a
    Wilson interval for the observed disagreement, so that perfect agreement on few units keeps an honest lower bound.

    Raises ValueError for an unknown column or level, a coder who coded a unit twice, no unit with two coders, or values
    without the order or distance that `level` needs.

    Sources: Krippendorff (2004, chapter 11; 2011 for missing codes); Gwet (2008) for AC1, over the values observed.

    >>> codes = pd.DataFrame({"unit": [1, 2, 3, 4] * 2, "coder": list("aaaabbbb"), "tone": list("ppnnppnp")})
    >>> agreement(codes, unit="unit", value="tone").round(3)[["alpha", "low", "high", "ac1", "agreement", "n"]]
       alpha    low   high    ac1  agreement  n
    0  0.533 -0.563  0.961  0.529       0.75  4
    """
    units, variables = _check.names(unit, "unit"), _check.names(value, "value")
    _check.frame(codes, [coder, *units, *variables], "codes")
    _check.option(level, _LEVELS, "level")
    _check.fraction(confidence, "confidence")
    if cluster is None:
        cluster = next((c for c in ("copy_group", "article_id") if c in codes.columns), None)
    keys = list(dict.fromkeys([coder, *units, *([cluster] if cluster else [])]))
    _check.frame(codes, keys, "codes")
    for name in keys:
        if codes[name].isna().any():
            raise ValueError(f"column {name!r} is missing at index {codes.index[codes[name].isna()][0]!r}; fill it in")
    twice = codes.duplicated([coder, *units])
    if twice.any():
        row = codes.loc[twice, [coder, *units]].iloc[0].to_dict()
        raise ValueError(f"a coder coded the same unit twice: {row}; name in unit every column that tells units apart")
    number = codes.groupby(units, sort=False, observed=True).ngroup().to_numpy()
    if np.bincount(number).max(initial=0) < 2:
        raise ValueError(f"no unit of {unit!r} has codes by two coders; agreement needs the same units coded twice")
    group = codes[cluster] if cluster else pd.Series(number, index=codes.index)
    if group.groupby(number).nunique().max() > 1:
        raise ValueError(f"cluster={cluster!r} differs within a unit; every unit must lie in one cluster")
    rows = []
    for variable in variables:
        known = codes[variable].notna().to_numpy()
        code, values = _coded(codes[variable][known], level, variable)
        parts = [(None, code, level)] if not each else [(v, code == i, "nominal") for i, v in enumerate(values)]
        for v, part, scale in parts:
            numbers = values if scale == "interval" else None
            row = _reliability(number[known], group[known], part, scale, numbers, confidence, draws, seed)
            row["coders"] = codes[coder][known].nunique()
            head = {"variable": variable} | ({"value": v, "count": int(part.sum())} if each else {})
            rows.append(head | row)
    out = pd.DataFrame(rows)
    out["verdict"] = [_verdict(*row) for row in zip(out["alpha"], out["low"], out["n"], strict=True)]
    out.attrs = {"level": level, "cluster": cluster or unit, "confidence": confidence, "draws": draws}
    return out


def _interval(
    p: np.ndarray | float,
    variance: np.ndarray | float,
    *,
    least: np.ndarray | float,
    most: np.ndarray | float,
    df: np.ndarray | int,
    level: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval for `p` at the effective size that `variance` implies, kept in `least` to `most`."""
    tail = (1 + level) / 2
    shrink = (stats.norm.ppf(tail) / stats.t.ppf(tail, np.maximum(df, 1))) ** 2
    p, variance = np.clip(np.asarray(p, dtype=float), 0, 1), np.asarray(variance, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = p * (1 - p) / variance * shrink
    size = np.clip(np.where((variance > 0) & np.isfinite(size), size, 0), least * shrink, most)
    return wilson(p, size, 1 - level)


def _coded(column: pd.Series, level: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return codes 0, 1, ... of a column and the values they stand for, in category or sorted order."""
    numeric = pd.api.types.is_numeric_dtype(column)
    ordered = isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered
    if level == "interval" and not numeric:
        raise ValueError(f"{name!r} holds {column.dtype}; level='interval' needs numbers")
    if level == "ordinal" and not (numeric or ordered):
        raise ValueError(
            f"{name!r} has no order; make it one with pd.Categorical(..., categories=[low, ..., high], ordered=True), "
            "or use level='nominal'"
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories()
        return column.cat.codes.to_numpy().astype(np.int64), column.cat.categories.to_numpy()
    code, values = pd.factorize(column, sort=True)
    return code, np.asarray(values)


def _reliability(
    unit: np.ndarray,
    cluster: pd.Series,
    code: np.ndarray,
    level: str,
    values: np.ndarray | None,
    confidence: float,
    draws: int,
    seed: int,
) -> dict:
    """Alpha, its interval, AC1 and percent agreement of one variable."""
    empty = dict.fromkeys(["alpha", "low", "high", "ac1", "agreement"], np.nan) | {"n": 0, "codes": 0, "clusters": 0}
    frame = pd.DataFrame({"unit": unit, "cluster": cluster.to_numpy(), "code": code.astype(np.int64)})
    frame["m"] = frame.groupby("unit")["unit"].transform("size")
    paired = frame[frame["m"] > 1]
    if paired.empty:
        return empty
    pairs = paired.reset_index().merge(paired.reset_index(), on="unit", suffixes=("", "_other"))
    pairs = pairs[pairs["index"] != pairs["index_other"]].reset_index(drop=True)
    weight = (1 / (pairs["m"] - 1)).to_numpy()
    same = (pairs["code"] == pairs["code_other"]).to_numpy()
    sample = Sample(pairs, [], None, "cluster", None, confidence, draws, seed)
    size = int(frame["code"].max()) + 1
    if level == "interval":
        x = (values - values.min()) / max(np.ptp(values), np.finfo(float).tiny)  # the largest distance becomes 1
        a, b = x[pairs["code"]], x[pairs["code_other"]]
        amounts = np.column_stack([weight * (a - b) ** 2, weight, weight * a, weight * a**2])
        one = np.zeros(len(pairs), dtype=np.int64)
        totals = sparse.hstack([sample.totals(one, amount, 1) for amount in amounts.T])
        disagreement = _by_moments
    else:
        cell = (pairs["code"] * size + pairs["code_other"]).to_numpy()
        totals = sample.totals(cell, weight, size * size)
        disagreement = _by_rank if level == "ordinal" else _by_name
    observed, expected, most = (float(x[0]) for x in disagreement(np.atleast_2d(totals.sum(0))))
    n, clusters = paired["unit"].nunique(), sample.n_clusters
    share = np.bincount(pairs["unit"], weight * same) / np.maximum(np.bincount(pairs["unit"], weight), 1)
    equal = share[paired["unit"].unique()].mean()
    row = empty | {"agreement": equal, "n": n, "codes": len(paired), "clusters": clusters}
    if level != "interval" and size > 1:
        part = np.bincount(frame["code"], 1 / frame["m"], minlength=size) / frame["unit"].nunique()
        chance = (part * (1 - part)).sum() / (size - 1)
        row["ac1"] = (equal - chance) / (1 - chance)
    if expected == 0:
        return row
    row["alpha"] = 1 - observed / expected
    with np.errstate(invalid="ignore", divide="ignore"):
        d, e, _ = disagreement(sample.resample(totals))
        variance = draw_variance((d / e)[:, None])[0] * inflation(np.array(clusters)) * (expected / most) ** 2
    cap = len(paired) - n if level == "nominal" else np.inf  # two codes of one unit are one comparison
    least, largest = _interval(observed / most, variance, least=clusters, most=cap, df=clusters - 1, level=confidence)
    row["low"], row["high"] = (float(1 - bound * most / expected) for bound in (largest, least))
    return row


def _by_name(o: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed, expected and largest disagreement per code, from coincidences (draws by cells), nominal."""
    o = o.reshape(len(o), round(o.shape[1] ** 0.5), -1)
    margin = o.sum(2)
    n = margin.sum(1)
    return 1 - np.trace(o, axis1=1, axis2=2) / n, (n - (margin**2).sum(1) / n) / (n - 1), np.ones(len(o))


def _by_rank(o: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed, expected and largest disagreement per code, from coincidences (draws by cells), ordinal."""
    o = o.reshape(len(o), round(o.shape[1] ** 0.5), -1)
    margin = o.sum(2)
    n = margin.sum(1)
    rank = (margin.cumsum(1) - margin / 2) / n[:, None]  # a code's midpoint among all codes
    moments = (margin * rank**2).sum(1) / n, (margin * rank).sum(1) / n
    observed = 2 * (moments[0] - np.einsum("dij,di,dj->d", o, rank, rank) / n)
    return observed, 2 * (moments[0] - moments[1] ** 2) * n / (n - 1), np.ptp(rank, axis=1) ** 2


def _by_moments(m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed, expected and largest disagreement per code, from sums (draws by 4), interval."""
    apart, n, x, xx = m.T
    return apart / n, 2 * (xx - x**2 / n) / (n - 1), np.ones(len(m))


def _verdict(alpha: float, low: float, n: int) -> str:
    """Krippendorff's (2004) customary thresholds, in words."""
    if n == 0:
        return "not measured: no unit has two codes"
    if np.isnan(alpha):
        return "undefined: every code is the same value"
    if alpha < 0.667:
        return "do not use for claims"
    words, limit = ("reliable", 0.8) if alpha >= 0.8 else ("tentative conclusions only", 0.667)
    if low >= limit:
        return words
    return f"{words}; the interval reaches below {'.667' if low < 0.667 else '.800'}"


def confusion(
    codes: pd.DataFrame,
    *,
    coder: str = "coder",
    unit: str | list[str],
    value: str,
    coders: Sequence[str] | None = None,
) -> pd.DataFrame:
    """How often one coder's value meets another coder's value on the same unit.

    Grain in: as for `agreement`. Grain out: one row per value of the first coder and one column per value of the
    second, holding counts of units; the values are the same on both sides, in category or sorted order. `coders` names
    the two coders, first and second; it may be left out where there are only two.

    Raises ValueError for an unknown column or coder, or where `coders` is needed.

    >>> codes = pd.DataFrame({"unit": [1, 2, 3, 1, 2, 3], "coder": list("aaabbb"), "tone": list("ppnpnn")})
    >>> confusion(codes, unit="unit", value="tone")
    b  n  p
    a
    n  1  0
    p  1  1
    """
    units = _check.names(unit, "unit")
    _check.frame(codes, [coder, *units, value], "codes")
    known = codes.dropna(subset=[value])
    have = sorted(known[coder].unique().tolist())
    if coders is None:
        coders = have
    if len(coders) != 2:
        raise ValueError(f"coders={list(coders)!r} must name two coders of {_check.listed(have)}")
    for name in coders:
        _check.option(name, have, "coders")
    code, values = _coded(known[value], "nominal", value)
    first, second = (
        pd.Series(code, index=pd.MultiIndex.from_frame(known[units]))[(known[coder] == name).to_numpy()]
        for name in coders
    )
    both = pd.concat([first, second], axis=1, join="inner").to_numpy()
    k = len(values)
    table = np.bincount(both[:, 0] * k + both[:, 1], minlength=k * k).reshape(k, k)
    return pd.DataFrame(table, index=pd.Index(values, name=coders[0]), columns=pd.Index(values, name=coders[1]))


def accuracy(
    true: pd.Series,
    predicted: pd.Series,
    *,
    cluster: pd.Series | None = None,
    weights: pd.Series | None = None,
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Precision, recall and F1 of predicted codes against trusted ones, per class and over all, with intervals.

    Grain in: one entry per unit, both Series on the same index. Units without a trusted code are left out; a missing
    prediction is an answer the machine did not give: it lowers recall, not precision. `cluster` (same index) holds the
    clusters to resample, such as `copy_group`; by default each unit is its own. `weights` (same index) are 1 over the
    probability with which a unit was drawn, where that differs. Grain out: one row per class, then `macro` (the mean
    over classes) and `all` (every unit counted once: the accuracy, where no prediction is missing).

    Columns returned: `value`, then `precision`, `recall`, `f1`, each with `_low` and `_high` (0 to 1), `n_true` and
    `n_predicted` (units). A measure without a denominator is missing and not part of `macro`.

    Raises TypeError for anything but Series, ValueError for indexes that differ, no trusted code, or weights that are
    not positive.

    >>> true, predicted = pd.Series(list("aaaabb")), pd.Series(list("aaabbb"))
    >>> accuracy(true, predicted)[["value", "precision", "recall", "f1", "recall_low", "recall_high"]].round(2)
       value  precision  recall    f1  recall_low  recall_high
    0      a       1.00    0.75  0.86        0.16         0.98
    1      b       0.67    1.00  0.80        0.01         1.00
    2  macro       0.83    0.88  0.83        0.02         1.00
    3    all       0.83    0.83  0.83        0.34         0.98
    """
    data = _aligned({"true": true, "predicted": predicted, "cluster": cluster, "weights": weights})
    data = data[data["true"].notna()]
    if data.empty:
        raise ValueError("true holds no trusted code; at least one unit must be coded")
    sample = Sample(data, ["true"], None, "cluster", "weights", level, draws, seed)
    t, p, values = _pair(sample.rows["true"], sample.rows["predicted"])
    k, w = len(values), sample.weight
    said, right = p >= 0, (p == t)
    cells = [(t, w), (np.maximum(p, 0), w * said), (t, w * right)]
    totals = sparse.hstack([sample.totals(cell, amount, k) for cell, amount in cells])

    def measures(x: np.ndarray) -> np.ndarray:
        """Precision, recall and F1 (last axis) of each class, macro and all."""
        x = x.reshape(len(x), 3, k)
        x = np.concatenate([x, x.sum(2, keepdims=True)], axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.stack([x[:, 2] / x[:, 1], x[:, 2] / x[:, 0], 2 * x[:, 2] / (x[:, 0] + x[:, 1])], axis=2)
        known = np.isfinite(scores[:, :k])
        with np.errstate(invalid="ignore"):
            macro = np.where(known, scores[:, :k], 0).sum(1, keepdims=True) / known.sum(1, keepdims=True)
        return np.concatenate([scores[:, :k], macro, scores[:, k:]], axis=1)

    point = measures(totals.sum(0)[None])[0]
    variance = draw_variance(measures(sample.resample(totals)).reshape(draws, -1)).reshape(point.shape)
    n_true, n_predicted = np.bincount(t, minlength=k), np.bincount(p[said], minlength=k)
    rows = np.column_stack([n_predicted, n_true, n_predicted + n_true - np.bincount(t[right], minlength=k)])
    by_true = sample.clusters_per(t, k)
    by_said = np.array([len(np.unique(sample.cluster[p == i])) for i in range(k)])
    clusters = np.column_stack([by_said, by_true, np.minimum(by_said, by_true)])
    rows = np.vstack([rows, rows.sum(0), rows.sum(0)])
    present = np.where(clusters > 0, clusters, sample.n_clusters)
    clusters = np.maximum(np.vstack([clusters, present.min(0), np.full(3, sample.n_clusters)]), 1)
    variance = variance * inflation(clusters)
    low, high = _interval(point, variance, least=clusters, most=np.maximum(rows, 1), df=clusters - 1, level=level)
    out = pd.DataFrame({"value": [*values, "macro", "all"]})
    for i, name in enumerate(["precision", "recall", "f1"]):
        out[name], out[f"{name}_low"], out[f"{name}_high"] = point[:, i], low[:, i], high[:, i]
    out["n_true"] = [*n_true, n_true.sum(), n_true.sum()]
    out["n_predicted"] = [*n_predicted, n_predicted.sum(), n_predicted.sum()]
    return out


def calibration(
    event: pd.Series,
    p: pd.Series,
    *,
    bins: int = 10,
    cluster: pd.Series | None = None,
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Stated probability against observed share, in bins of about equal size.

    Grain in: one entry per unit, both Series on the same index: `event` says whether the thing happened (such as
    `true == "favour"`, or `true == predicted` for a confidence), `p` the probability that the machine gave it. Units
    where either is missing are left out. Equal probabilities always share a bin. Grain out: one row per bin, from low
    to high `p`, then `all`.

    Columns returned: `bin`, `p` (mean), `share` (observed), `low`, `high`, `gap` (share less p), `n`. `attrs` holds
    `brier` (mean squared error; Brier 1950) and `ece` (mean absolute gap over bins, weighted by n; Naeini et al. 2015).

    Raises TypeError for anything but Series, ValueError for indexes that differ or probabilities outside 0 to 1.

    >>> event = pd.Series([False, False, True, True])
    >>> calibration(event, pd.Series([0.1, 0.1, 0.8, 0.8]), bins=2)[["bin", "p", "share", "gap", "n"]].round(2)
       bin     p  share   gap  n
    0    1  0.10    0.0 -0.10  2
    1    2  0.80    1.0  0.20  2
    2  all  0.45    0.5  0.05  4
    """
    data = _aligned({"event": event, "p": p, "cluster": cluster}).dropna(subset=["event", "p"])
    wrong = data.loc[~data["p"].between(0, 1), "p"]
    if len(wrong):
        raise ValueError(f"p={wrong.iloc[0]!r} at index {wrong.index[0]!r} must be a probability, from 0 to 1")
    try:
        data["event"] = data["event"].astype(float)
    except (TypeError, ValueError):
        raise TypeError(f"event must hold True and False, not {data['event'].iloc[0]!r}") from None
    place = pd.qcut(data["p"], _check.whole(bins, "bins", 1), labels=False, duplicates="drop")
    data["bin"] = pd.factorize(place, sort=True)[0] + 1
    sample = Sample(data, ["event"], ["bin"], "cluster", None, level, draws, seed)
    k, y, stated = len(sample.groups), data["event"].to_numpy(), data["p"].to_numpy()
    totals = sparse.hstack([sample.totals(sample.group, y, k), sample.totals(sample.group, np.ones(len(y)), k)])

    def observed(x: np.ndarray) -> np.ndarray:
        x = np.concatenate([x[:, :k], x[:, :k].sum(1, keepdims=True), x[:, k:], x[:, k:].sum(1, keepdims=True)], axis=1)
        with np.errstate(invalid="ignore"):
            return x[:, : k + 1] / x[:, k + 1 :]

    share, n = observed(totals.sum(0)[None])[0], np.bincount(sample.group, minlength=k)
    clusters = np.append(sample.clusters_per(sample.group, k), sample.n_clusters)
    variance = draw_variance(observed(sample.resample(totals))) * inflation(clusters)
    mean = np.append(np.bincount(sample.group, stated) / n, stated.mean())
    n = np.append(n, len(y))
    low, high = _interval(share, variance, least=clusters, most=n, df=clusters - 1, level=level)
    names = [*sample.groups["bin"], "all"]
    out = pd.DataFrame({"bin": names, "p": mean, "share": share, "low": low, "high": high, "gap": share - mean, "n": n})
    out.attrs = {
        "brier": float(((y - stated) ** 2).mean()),
        "ece": float(np.average(abs(out["gap"][:k]), weights=n[:k])),
    }
    return out


def _aligned(series: dict[str, pd.Series | None]) -> pd.DataFrame:
    """Series of one index as a frame numbered from 0; clusters default to the row, weights to 1."""
    first, index = next((k, v) for k, v in series.items()), None
    out = {}
    for name, value in series.items():
        if value is None:
            continue
        if not isinstance(value, pd.Series):
            raise TypeError(f"{name} must be a pandas Series, not {type(value).__name__}")
        index = value.index if index is None else index
        if not value.index.equals(index):
            raise ValueError(f"{name} and {first[0]} must have the same index, in the same order")
        out[name] = value.reset_index(drop=True)
    out = pd.DataFrame(out)
    if out.get("cluster", pd.Series()).isna().any():
        raise ValueError("cluster has missing values; fill them in, with the unit's own id where it stands alone")
    return out.assign(cluster=out.get("cluster", out.index), weights=out.get("weights", 1.0))


def _pair(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, np.ndarray, list]:
    """Return the codes of two columns over their common values, -1 where missing, and the values in order."""
    if isinstance(first.dtype, pd.CategoricalDtype) and first.dtype == second.dtype:
        used = set(first.dropna()) | set(second.dropna())
        values = [v for v in first.cat.categories if v in used]
    else:
        values = sorted(set(first.dropna()) | set(second.dropna()))
    a, b = (pd.Index(values, dtype=object).get_indexer(c.astype(object)) for c in (first, second))
    return a, b, values


_METHODS = ["ppi", "dsl", "matrix"]
_FOLDS = 5


def corrected_shares(
    data: pd.DataFrame,
    value: str,
    *,
    truth: str,
    by: str | list[str] | None = None,
    method: str = "ppi",
    probability: str = "probability",
    cluster: str = "copy_group",
    weights: str | None = None,
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of each value, raw and corrected for the machine's errors by the codes of a trusted sample.

    Grain in: one row per coded unit. `value` holds the machine's code of every unit, `truth` the trusted code of the
    units that were drawn for hand-coding (missing elsewhere), `probability` the probability with which each unit could
    be drawn (`sample` records it; n / N for a simple random sample of n of N). Rows whose `value`, `by` or
    `probability` is missing are left out. Grain out: one row per group and value of machine or truth.

    Columns returned: the `by` columns, `value`, then `raw`, `raw_low`, `raw_high` (as `shares` gives them), `share`,
    `low`, `high` (corrected; 0 to 1), `n` (units), `n_truth` (trusted codes), and `clusters` (with a trusted code).

    `method`: "ppi", prediction-powered inference with power tuning (Angelopoulos, Duchi and Zrnic 2023): the trusted
    share plus what all machine codes add, as far as they help; "dsl", design-based supervised learning (Egami et al.
    2023): a cross-fitted guess of the trusted code, corrected by the inverse drawing probability; "matrix", the
    inverse of the misclassification matrix (Rogan and Gladen 1978), for comparison: its intervals are the widest. All
    intervals resample clusters, and half an error is added to those that the trusted codes show. `attrs` records the
    settings, for "ppi" also the power tuning of each group (`tuning`, 0: the trusted codes alone; 1: the machine's
    codes in full).

    Raises ValueError, saying what to do, where the trusted codes are no probability sample as far as can be told: no
    `probability`, a value of it that is not in (0, 1], units drawn but not coded, codes that are more or fewer than the
    probabilities say in a group or a machine code, or a group with fewer than two trusted clusters.

    >>> machine = ["for"] * 60 + ["against"] * 40
    >>> data = pd.DataFrame({"article_id": range(100), "stance": machine, "probability": 0.2})
    >>> data["trusted"] = pd.Series(["for"] * 3, index=[0, 5, 10]).reindex(range(100))
    >>> data.loc[15:99:5, "trusted"] = ["for"] * 6 + ["against"] * 11  # 3 of 12 "for" are wrong
    >>> corrected_shares(data, "stance", truth="trusted")[["stance", "raw", "share", "low", "high", "n_truth"]].round(2)
        stance  raw  share   low  high  n_truth
    0  against  0.4   0.55  0.36  0.73       20
    1      for  0.6   0.45  0.27  0.64       20
    """
    table = _Corrected(data, value, truth, by, method, probability, cluster, weights, level, draws, seed)
    raw = shares(data, value, by=by, cluster=cluster, weights=weights, level=level, draws=draws, seed=seed)
    out = table.keys.copy()
    names = [*table.by, value]
    raw = raw[[*names, "share", "low", "high"]].astype({value: object})
    raw.columns = [*names, "raw", "raw_low", "raw_high"]
    out = out.merge(raw, on=names, how="left", sort=False)
    never = out["raw"].isna()  # a value that the machine gave to no unit of the group
    out.loc[never, ["raw", "raw_low"]] = 0.0
    out.loc[never, "raw_high"] = wilson(np.zeros(never.sum()), table.clusters[never], 1 - level)[1]
    out["share"] = table.share
    out["low"], out["high"] = wilson(table.share, table.n_eff, 1 - level)
    out["n"], out["n_truth"], out["clusters"] = table.n, table.n_truth, table.clusters
    out.attrs = table.attrs
    return out


class _Corrected(Sample):
    """Corrected shares within groups: points, effective sizes and draws, one entry per group and value."""

    def __init__(
        self,
        data: pd.DataFrame,
        value: str,
        truth: str,
        by: str | list[str] | None,
        method: str,
        probability: str,
        cluster: str,
        weights: str | None,
        level: float,
        draws: int,
        seed: int,
    ) -> None:
        _check.option(method, _METHODS, "method")
        _check.frame(data, [value, truth])
        if probability not in data.columns:
            raise ValueError(
                f"data has no column {probability!r}: correction needs the probability with which each unit was drawn "
                "for trusted coding; draw with validity.sample, which records it, or, if you drew n of the N units "
                f"purely at random, add it: data.assign({probability}=n / N)"
            )
        super().__init__(data, [value, probability], by, cluster, weights, level, draws, seed)
        f, y, values = _pair(self.rows[value], self.rows[truth])
        pi = self.rows[probability].to_numpy(dtype=float)
        self.size, g = len(values), len(self.groups)
        self._check_design(f, y, pi, truth, probability, values)
        has = y >= 0
        self.inverse = np.where(has, self.weight / pi, 0)
        full = np.arange(g * self.size)
        self.keys = self.groups.iloc[full // self.size].reset_index(drop=True)
        self.keys[value] = pd.Series([values[i] for i in full % self.size], dtype=object)
        self.n = np.repeat(np.bincount(self.group, minlength=g), self.size)
        n_truth = np.bincount(self.group[has], minlength=g)
        pairs = np.unique(np.column_stack([self.group, self.cluster])[has], axis=0)
        clusters = np.bincount(pairs[:, 0], minlength=g)
        point, self.drawn, self.attrs["tuning"] = getattr(self, f"_{method}")(f, y, has)
        self.share = np.clip(point, 0, 1)
        mass = sparse.coo_array((self.inverse, (self.cluster, self.group)), shape=(self.n_clusters, g)).tocsr()
        alone = np.repeat(mass.sum(0) ** 2 / mass.power(2).sum(0), self.size)  # effective clusters with a trusted code
        self.n_truth, self.clusters = np.repeat(n_truth, self.size), np.repeat(clusters, self.size)
        # errors that no trusted code happened to show are not known to be absent: half an error more
        variance = draw_variance(self.drawn) * inflation(self.clusters) + 1 / (2 * alone**2)
        quantile = stats.t.ppf((1 + level) / 2, self.clusters - 1)
        # a share near 0 or 1 may be off by more than its own size: its error is then judged at the margin's end
        margin = np.minimum(quantile * np.sqrt(variance), 0.5)
        inside = np.clip(self.share, margin, 1 - margin)
        size = self.share * (1 - self.share) / variance
        size = np.maximum(size, np.minimum(inside * (1 - inside) / variance, alone))
        self.n_eff = np.minimum(size, self.n) * (stats.norm.ppf((1 + level) / 2) / quantile) ** 2
        self.attrs |= {"value": value, "truth": truth, "probability": probability, "method": method}

    def _check_design(
        self, f: np.ndarray, y: np.ndarray, pi: np.ndarray, truth: str, probability: str, values: list
    ) -> None:
        """Refuse trusted codes that cannot be the probability sample that `pi` describes."""
        has, where = y >= 0, f"column {truth!r}"
        if not ((pi > 0) & (pi <= 1)).all():
            wrong = self.rows.index[~((pi > 0) & (pi <= 1))][0]
            raise ValueError(
                f"column {probability!r} must lie above 0 and at most at 1, not {self.rows[probability][wrong]!r} at "
                f"index {wrong!r}; a unit that could not be drawn cannot be corrected for: leave it out of data"
            )
        if "is_drawn" in self.rows.columns:
            drawn = self.rows["is_drawn"].to_numpy(dtype=bool)
            if (drawn & ~has).any():
                raise ValueError(
                    f"{(drawn & ~has).sum()} of {drawn.sum()} units that were drawn have no code in {where}; code them "
                    "all, or give them the value that the codebook has for units that cannot be coded"
                )
            if (has & ~drawn).any():
                raise ValueError(
                    f"{(has & ~drawn).sum()} codes in {where} are of units that were not drawn; set them to missing: "
                    "codes chosen by hand are no probability sample"
                )
        names = [" ".join(map(str, row)) for row in self.groups.to_numpy()] if self.by else ["data"]
        pairs = np.unique(np.column_stack([self.group, self.cluster])[has], axis=0)
        few = np.flatnonzero(np.bincount(pairs[:, 0], minlength=len(names)) < 2)
        if len(few):
            raise ValueError(
                f"{where} has trusted codes of fewer than two clusters in {_check.listed(names[i] for i in few)}; "
                f"draw more there, with validity.sample(by={self.by!r}, allocation='equal'), or merge or drop the group"
            )
        cell = self.group * self.size + f
        k = len(names) * self.size
        excess = self.totals(cell, has - pi, k)
        model = self.totals(cell, np.sqrt(pi * (1 - pi)), k)
        gap, variance = excess.sum(0), np.maximum(excess.power(2).sum(0), model.power(2).sum(0))
        odd = np.flatnonzero(np.abs(gap) > 4 * np.sqrt(variance) + 1e-9)
        if len(odd):
            i, got = odd[0], np.bincount(cell[has], minlength=k)
            raise ValueError(
                f"{where} has {got[i]} codes where the machine says {values[i % self.size]!r} in "
                f"{names[i // self.size]!r}, but {probability!r} makes about {got[i] - gap[i]:.0f} likely: the coded "
                "units are no probability sample of data with these probabilities; draw them with validity.sample and "
                "keep the probabilities that it records"
            )

    def _parts(self, *amounts: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Totals of (cell, amount) pairs, as they are and in every draw."""
        k = len(self.groups) * self.size
        totals = sparse.hstack([self.totals(cell, amount, k) for cell, amount in amounts])
        shape = (-1, len(amounts), len(self.groups), self.size)
        return totals.sum(0).reshape(shape)[0], self.resample(totals).reshape(shape)

    def _ppi(self, f: np.ndarray, y: np.ndarray, has: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict]:
        """Trusted share plus tuning times (machine share of all, less machine share of the trusted)."""
        said, trusted = self.group * self.size + f, self.group * self.size + np.maximum(y, 0)
        totals = self._parts((said, self.weight), (said, self.inverse), (trusted, self.inverse))
        with np.errstate(invalid="ignore", divide="ignore"):
            point, drawn = (x / x.sum(-1, keepdims=True) for x in totals)
        machine, told, true = point
        mass = np.bincount(self.group, self.inverse)
        covariance = np.bincount(self.group, self.inverse * (f == y)) / mass - (true * told).sum(1)
        rows = np.bincount(self.group)
        spread = (machine * (1 - machine)).sum(1) * rows / np.maximum(rows - 1, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            tuning = np.nan_to_num(np.clip(covariance / spread, 0, 1))

        def estimate(x: np.ndarray) -> np.ndarray:
            return x[..., 2, :, :] + tuning[:, None] * (x[..., 0, :, :] - x[..., 1, :, :])

        return estimate(point).ravel(), estimate(drawn).reshape(len(drawn), -1), tuning.tolist()

    def _dsl(self, f: np.ndarray, y: np.ndarray, has: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
        """Mean of cross-fitted guesses of the trusted code, each corrected by its inverse drawing probability."""
        k, g, rows = self.size, len(self.groups), np.arange(len(f))
        fold = (np.random.default_rng(self.seed).permutation(self.n_clusters) % _FOLDS)[self.cluster]
        index = np.ravel_multi_index((fold, self.group, f, np.maximum(y, 0)), (_FOLDS, g, k, k))
        amount = self.inverse / self.inverse[has].mean()
        counts = np.bincount(index, amount, minlength=_FOLDS * g * k * k).reshape(_FOLDS, g, k, k)
        other = counts.sum(0) - counts  # what the other folds say of fold, group, machine code and trusted code
        pooled = other.sum(1) + np.eye(k)
        guess = other + (pooled / pooled.sum(2, keepdims=True))[:, None]
        guess = (guess / guess.sum(3, keepdims=True))[fold, self.group, f]
        error = -guess
        error[rows[has], y[has]] += 1
        pseudo = self.weight[:, None] * guess + self.inverse[:, None] * error
        cell = (self.group[:, None] * k + np.arange(k)).ravel()
        totals = sparse.coo_array((pseudo.ravel(), (np.repeat(self.cluster, k), cell)), (self.n_clusters, g * k))
        totals = sparse.hstack([totals, self.totals(self.group, self.weight, g)]).tocsr()

        def estimate(x: np.ndarray) -> np.ndarray:
            with np.errstate(invalid="ignore", divide="ignore"):
                return x[..., : g * k] / np.repeat(x[..., g * k :], k, axis=-1)

        return estimate(totals.sum(0)), estimate(self.resample(totals)), None

    def _matrix(self, f: np.ndarray, y: np.ndarray, has: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
        """Shares that the misclassification matrix of the trusted codes turns into the machine's shares."""
        k = self.size
        amounts = [(self.group * k + f, np.where(y == i, self.inverse, 0)) for i in range(k)]
        totals = self._parts((self.group * k + f, self.weight), *amounts)

        def estimate(x: np.ndarray) -> np.ndarray:
            x = np.moveaxis(x, 1, 2)  # draw, group, (machine, then machine by trusted code), machine code
            with np.errstate(invalid="ignore", divide="ignore"):
                machine = x[:, :, 0] / x[:, :, 0].sum(-1, keepdims=True)
                table = np.swapaxes(x[:, :, 1:], 2, 3)
                table = table + np.eye(k) * (table.sum(2, keepdims=True) == 0)  # a code never seen: taken as error-free
                table = table / table.sum(2, keepdims=True)
            usable = np.isfinite(machine).all(-1) & (np.abs(np.linalg.det(np.nan_to_num(table))) > 1e-6)
            out = np.full(machine.shape, np.nan)
            out[usable] = np.linalg.solve(table[usable], machine[usable][..., None])[..., 0]
            return np.clip(out, 0, 1).reshape(len(x), -1)

        point = estimate(totals[0][None])[0]
        if np.isnan(point).any():
            raise ValueError(
                "method='matrix' has no solution: in some group the machine codes do not tell the trusted codes apart; "
                "use method='ppi'"
            )
        return point, estimate(totals[1]), None

    correlation = Table.correlation


def corrected_differences(
    data: pd.DataFrame,
    value: str,
    *,
    truth: str,
    by: str,
    against: object = None,
    only: object = None,
    method: str = "ppi",
    probability: str = "probability",
    cluster: str = "copy_group",
    weights: str | None = None,
    level: float = 0.95,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Difference in the share of each value between groups, raw and corrected for the machine's errors.

    Grain in and settings: as for `corrected_shares`. Grain out: one row per value and pair of groups: every pair, or
    every group against the reference group `against`. `only` keeps one value or a list of values.

    Columns returned: `value`, `a`, `b`, `raw`, `raw_low`, `raw_high` (as `differences` gives them), `share_a`,
    `share_b` (corrected), `difference` (a minus b), `low`, `high`, `p` (two-sided), `p_adjusted` (Holm 1979),
    `n_truth_a`, `n_truth_b`.

    Raises ValueError as `corrected_shares` does, and for unknown groups or values.

    >>> data = pd.DataFrame({"article_id": range(400), "side": ["x", "y"] * 200, "probability": 0.1})
    >>> data["stance"] = data["side"].map({"x": "for", "y": "against"})
    >>> data["trusted"] = data["stance"].where(data.index % 20 < 2)
    >>> corrected_differences(data, "stance", truth="trusted", by="side", only="for")[["a", "b", "raw", "difference"]]
       a  b  raw  difference
    0  x  y  1.0         1.0
    """
    if not isinstance(by, str):
        raise TypeError(f"by must be one column name, not {by!r}")
    table = _Corrected(data, value, truth, by, method, probability, cluster, weights, level, draws, seed)
    groups, values = list(dict.fromkeys(table.keys[by])), list(dict.fromkeys(table.keys[value]))
    wanted, pairs = pairs_of(groups, values, against, only)
    out = pd.DataFrame([(v, a, b) for v in wanted for a, b in pairs], columns=[value, "a", "b"])
    where = {key: i for i, key in enumerate(zip(table.keys[by], table.keys[value], strict=True))}
    a, b = (np.array([where[key] for key in zip(out[side], out[value], strict=True)], dtype=int) for side in "ab")
    r, p, n = table.correlation(a, b), table.share, table.n_eff

    def bounds(alpha: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        return mover(p[a], n[a], p[b], n[b], r, alpha)

    raw = differences(data, value, by=by, cluster=cluster, weights=weights, level=level, draws=draws, seed=seed)
    raw = raw.astype(dict.fromkeys([value, "a", "b"], object)).set_index([value, "a", "b"])
    for name, column in {"raw": "difference", "raw_low": "low", "raw_high": "high"}.items():
        out[name] = [raw[column].get(key, np.nan) for key in zip(out[value], out["a"], out["b"], strict=True)]
    out["share_a"], out["share_b"], out["difference"] = p[a], p[b], p[a] - p[b]
    out["low"], out["high"] = bounds(1 - level)
    out["p"] = touches_zero(bounds, len(a))
    out["p_adjusted"] = adjusted(out["p"])
    out["n_truth_a"], out["n_truth_b"] = table.n_truth[a], table.n_truth[b]
    out.attrs = table.attrs
    return out


def sample(
    data: pd.DataFrame,
    *,
    n: int,
    by: str | list[str] | None = None,
    unit: str | None = None,
    allocation: str = "proportional",
    seed: int = 0,
) -> pd.DataFrame:
    """Draw units to code by hand, with the probability of each recorded, so that correction is valid.

    Grain in: one row per coded unit. Grain out: the same rows, with `probability` (that the row is drawn) and
    `is_drawn`. Exactly `n` units are drawn without replacement: rows, or with `unit` (such as "article_id") whole
    units with all their rows. `by` names strata, which must not differ within a unit: the groups to be compared, the
    machine's code, or both. `allocation` is "proportional" to the units of each stratum or "equal", so that rare
    groups and codes get as many as common ones; every stratum gets at least two, or all it has.

    Raises ValueError for unknown columns, missing strata, or an `n` that is more than the units or less than two per
    stratum.

    Source: Cochran (1977, chapter 5).

    >>> data = pd.DataFrame({"article_id": range(100), "outlet": ["big"] * 90 + ["small"] * 10})
    >>> drawn = sample(data, n=10, by="outlet", allocation="equal")
    >>> drawn.groupby("outlet")[["probability", "is_drawn"]].agg({"probability": "first", "is_drawn": "sum"}).round(3)
            probability  is_drawn
    outlet
    big           0.056         5
    small         0.500         5
    """
    strata = _check.names(by, "by")
    _check.frame(data, [*strata, *([unit] if unit else [])])
    _check.option(allocation, ["proportional", "equal"], "allocation")
    for name in [*strata, *([unit] if unit else [])]:
        if data[name].isna().any():
            raise ValueError(f"column {name!r} is missing at index {data.index[data[name].isna()][0]!r}; fill it in")
    row_unit = pd.factorize(data[unit])[0] if unit else np.arange(len(data))
    stratum = data.groupby(strata, observed=True).ngroup().to_numpy() if strata else np.zeros(len(data), dtype=int)
    per_unit = pd.DataFrame({"unit": row_unit, "stratum": stratum}).drop_duplicates()
    if per_unit["unit"].duplicated().any():
        raise ValueError(f"by={by!r} differs within one {unit!r}; stratify by columns that all rows of a unit share")
    where = per_unit["stratum"].to_numpy()
    size = np.bincount(where)
    least = int(np.minimum(size, 2).sum())
    if not least <= _check.whole(n, "n", 1) <= len(where):
        raise ValueError(f"n={n} must lie between {least}, two per stratum, and {len(where)}, the number of units")
    take = np.minimum(size, 2)
    weight = size if allocation == "proportional" else np.ones(len(size))
    for _ in range(n - least):
        turn = np.where(take < size, (take + 0.5) / weight, np.inf)
        take[turn.argmin()] += 1
    order = np.lexsort((np.random.default_rng(seed).random(len(where)), where))
    place = np.empty(len(where), dtype=int)
    place[order] = np.arange(len(where)) - np.repeat(np.cumsum(size) - size, size)
    drawn = (place < take[where])[row_unit]
    return data.assign(probability=(take / size)[stratum], is_drawn=drawn)


def plan_sample(
    data: pd.DataFrame,
    value: str,
    *,
    half_width: float = 0.05,
    by: str | list[str] | None = None,
    correlation: float | None = None,
    truth: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How many units to code by hand for a wanted interval, with the machine's help and without.

    Grain in: one row per coded unit, `value` the machine's code. Grain out: one row per group and value, as for
    `shares`. How good the machine is comes from `correlation` (phi between machine and trusted code of a value, about
    Cohen's kappa; a machine right on 75% of an even split has 0.5) or from a pilot: `truth`, the trusted codes of a
    random few. Columns returned: the `by` columns, `value`, `share` (the machine's), `correlation`, `n_alone` (trusted
    codes needed where they stand alone), `n_truth` (needed for `corrected_shares`), `n` (units in the group). A number
    is missing where all the group's units would not do. Units are taken as independent; a group needs the largest
    number among its values, and shares nearer one half than the machine says need more.

    Raises ValueError unless exactly one of `correlation` and `truth` is given, or for a pilot without variation.

    Source: the variance of prediction-powered means (Angelopoulos, Duchi and Zrnic 2023).

    >>> data = pd.DataFrame({"stance": ["for"] * 2500 + ["against"] * 2500})
    >>> plan_sample(data, "stance", half_width=0.05, correlation=0.5)
        stance  share  correlation  n_alone  n_truth     n
    0  against    0.5          0.5      385      294  5000
    1      for    0.5          0.5      385      294  5000
    """
    if (correlation is None) == (truth is None):
        raise ValueError("give correlation, a guess between 0 and 1 such as 0.5, or truth, the column of a pilot")
    groups = _check.names(by, "by")
    _check.frame(data, [value, *groups, *([truth] if truth else [])])
    _check.fraction(half_width, "half_width")
    z = stats.norm.ppf((1 + _check.fraction(level, "level")) / 2)
    rows = data.dropna(subset=[value, *groups])
    out = []
    for key, part in rows.groupby(groups, observed=True, sort=True) if groups else [((), rows)]:
        for item, count in part[value].value_counts(sort=False).sort_index().items():
            if count == 0:
                continue
            rho = _phi(part, value, truth, item) if truth else _check.fraction(correlation, "correlation")
            n, p = len(part), count / len(part)
            spread, wanted = p * (1 - p), (half_width / z) ** 2
            alone = spread / wanted
            needed = (1 - rho**2) * spread / (wanted - rho**2 * spread / n) if wanted > spread / n else np.inf
            counts = [int(np.ceil(x)) if x <= n else pd.NA for x in (alone, needed)]
            out.append([*key, item, p, rho, *counts, n])
    out = pd.DataFrame(out, columns=[*groups, value, "share", "correlation", "n_alone", "n_truth", "n"])
    return out.astype({"n_alone": "Int64", "n_truth": "Int64"})


def _phi(part: pd.DataFrame, value: str, truth: str, item: object) -> float:
    pilot = part.dropna(subset=[truth])
    a, b = (pilot[value] == item).to_numpy(dtype=float), (pilot[truth] == item).to_numpy(dtype=float)
    if len(pilot) < 2 or a.std() == 0 or b.std() == 0:
        raise ValueError(
            f"the pilot in {truth!r} has {len(pilot)} codes in a group and {item!r} never or always among them; code "
            "more, plan without by, or give correlation"
        )
    return max(float(np.corrcoef(a, b)[0, 1]), 0.0)


def multiverse(
    data: pd.DataFrame,
    choices: Mapping[str, Mapping[str, Callable[[pd.DataFrame], pd.DataFrame] | None]],
    *,
    claim: Callable[[pd.DataFrame], object] | Mapping[str, Callable[[pd.DataFrame], object]],
    null: float = 0.0,
) -> pd.DataFrame:
    """Recompute a claim under every combination of reasonable choices: the specification curve.

    Grain in: any. `choices` maps each choice to its options, and each option to a function from data to data (None
    leaves it as it is), applied in the order given. `claim` is a function from data to the estimate: a table of one
    row or a mapping with `low`, `high`, and `estimate`, `difference`, `share`, `mean` or `alpha` (as `shares`,
    `differences` and their corrected forms give it); several claims by name (raw, corrected) are one more choice. The
    first option of every choice is the reference. Grain out: one row per combination, sorted by estimate, so that the
    index is the rank along the curve.

    Columns returned: one per choice (and `claim`), `estimate`, `low`, `high`, `stands` (the interval lies on the same
    side of `null` as the reference estimate), `is_reference`, and `note` (why a combination has no estimate). `attrs`
    holds `null` and `verdict`, the result in words.

    Raises TypeError for options that are not functions, ValueError for a claim without estimate or interval, or a
    reference that cannot be computed; a ValueError in another combination becomes its note.

    Sources: Steegen et al. (2016); Simonsohn, Simmons and Nelson (2020).

    >>> data = pd.DataFrame({"x": [1.0, 2.0, 3.0, 9.0], "copy": [False, False, False, True]})
    >>> choices = {"copies": {"kept": None, "dropped": lambda d: d[~d["copy"]]}}
    >>> curve = multiverse(data, choices, claim=lambda d: {"estimate": d["x"].mean(), "low": 0.5, "high": 5.0})
    >>> curve[["copies", "estimate", "stands", "is_reference"]]
        copies  estimate  stands  is_reference
    0  dropped      2.00    True         False
    1     kept      3.75    True          True
    >>> curve.attrs["verdict"]
    'stands in 2 of 2 specifications; estimates from 2 to 3.75'
    """
    _check.frame(data)
    claims = claim if isinstance(claim, Mapping) else {"": claim}
    for name, options in {**choices, "claim": claims}.items():
        if not isinstance(options, Mapping) or not options:
            raise TypeError(f"choices[{name!r}] must map names to functions, not {options!r}")
        for label, function in options.items():
            if not (callable(function) or (function is None and name != "claim")):
                raise TypeError(f"option {label!r} of {name!r} must be a function, not {function!r}")
    rows = []
    for labels in product(*choices.values(), claims):
        row = dict(zip([*choices, "claim"], labels, strict=True))
        try:
            part = data
            for name, label in zip(choices, labels, strict=False):
                part = part if choices[name][label] is None else choices[name][label](part)
            row |= _estimate(claims[labels[-1]](part)) | {"note": pd.NA}
        except ValueError as error:
            if not rows:
                raise
            row |= dict.fromkeys(["estimate", "low", "high"], np.nan) | {"note": str(error)}
        rows.append(row)
    out = pd.DataFrame(rows).drop(columns=[] if isinstance(claim, Mapping) else ["claim"])
    side = np.sign(out["estimate"].iloc[0] - null)
    stands = (side * (out["low"] - null) > 0) & (side * (out["high"] - null) > 0)
    out.insert(out.columns.get_loc("high") + 1, "stands", stands.astype("boolean").where(out["estimate"].notna()))
    out.insert(out.columns.get_loc("stands") + 1, "is_reference", out.index == 0)
    known = out["estimate"].dropna()
    verdict = f"stands in {stands.sum()} of {len(known)} specifications; "
    verdict += f"estimates from {known.min():.3g} to {known.max():.3g}"
    if len(known) < len(out):
        verdict += f"; {len(out) - len(known)} not computed"
    out = out.sort_values("estimate", kind="stable", ignore_index=True)
    out.attrs = {"null": null, "verdict": verdict}
    return out


def _estimate(result: object) -> dict:
    """Return estimate, low and high of what a claim gave."""
    if isinstance(result, pd.DataFrame):
        if len(result) != 1:
            raise ValueError(f"claim gave a table of {len(result)} rows; choose one, with only= or query")
        result = result.iloc[0]
    names = ["estimate", "difference", "share", "mean", "alpha"]
    name = next((n for n in names if n in result), None)
    if name is None or "low" not in result or "high" not in result:
        raise ValueError(
            f"claim gave {_check.listed(map(str, result))}; it must give low, high and {_check.listed(names)}"
        )
    return {"estimate": float(result[name]), "low": float(result["low"]), "high": float(result["high"])}
