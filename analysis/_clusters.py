"""Resampling of whole clusters, and the intervals built on it: what `compare` and `validity` share.

A bootstrap draw is a multinomial weight for each cluster times a table of cluster totals, seeded; `compare` tells why.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import sparse, stats

from analysis import _check

_CHUNK = 4_000_000  # resampled cluster indices held in memory at a time


class Sample:
    """Rows with their group, weight and cluster, and bootstrap draws of clusters."""

    def __init__(
        self,
        data: pd.DataFrame,
        used: list[str],
        by: str | list[str] | None,
        cluster: str,
        weights: str | None,
        level: float,
        draws: int,
        seed: int,
    ) -> None:
        self.by = _check.names(by, "by")
        _check.frame(data, [*used, *self.by])
        if cluster == "copy_group" and cluster not in data.columns:
            cluster = "article_id"
        if cluster == "article_id" and data.index.name == cluster and cluster not in data.columns:
            data = data.reset_index()
        _check.frame(data, [cluster] + ([weights] if weights else []))
        self.level = _check.fraction(level, "level")
        self.draws, self.seed = _check.whole(draws, "draws", 100), _check.whole(seed, "seed")
        self.rows = data.dropna(subset=[*used, *self.by, cluster])
        if self.rows.empty:
            raise ValueError(f"data has no row in which {_check.listed([*used, *self.by, cluster])} are all known")
        self.cluster, _ = pd.factorize(self.rows[cluster])
        self.n_clusters = int(self.cluster.max()) + 1
        self.weight = np.ones(len(self.rows))
        if weights:
            self.weight = self.rows[weights].to_numpy(dtype=float)
            if not (np.isfinite(self.weight) & (self.weight > 0)).all():
                raise ValueError(f"column {weights!r} must hold positive, finite weights")
        self.group, self.groups = self._code(self.by)
        self.attrs = {"by": self.by, "cluster": cluster, "weights": weights, "level": level, "draws": draws}

    def _code(self, columns: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
        """Number the observed combinations of `columns`, in category or sorted order."""
        if not columns:
            return np.zeros(len(self.rows), dtype=np.int64), pd.DataFrame(index=range(1))
        grouped = self.rows.groupby(columns, observed=True, sort=True)
        keys = grouped.size().index
        table = keys.to_frame(index=False)
        for name in columns:  # an ordered category stays one
            if isinstance(self.rows[name].dtype, pd.CategoricalDtype):
                table[name] = pd.Categorical(table[name], dtype=self.rows[name].dtype)
        return grouped.ngroup().to_numpy(), table

    def totals(self, cell: np.ndarray, amount: np.ndarray, n_cells: int) -> sparse.csr_array:
        """Sum of `amount` per cluster and cell."""
        return sparse.coo_array((amount, (self.cluster, cell)), shape=(self.n_clusters, n_cells)).tocsr()

    def resample(self, totals: sparse.sparray) -> np.ndarray:
        """Totals of each bootstrap sample of clusters: draws by cells."""
        rng, transposed = np.random.default_rng(self.seed), totals.tocsr().T.tocsr()
        size, step = self.n_clusters, max(1, _CHUNK // self.n_clusters)
        out = np.empty((self.draws, totals.shape[1]))
        for start in range(0, self.draws, step):
            rows = min(step, self.draws - start)
            picked = (
                rng.integers(0, size, (rows, size), dtype=np.int32) + np.arange(rows, dtype=np.int32)[:, None] * size
            )
            times = np.bincount(picked.ravel(), minlength=rows * size).reshape(rows, size)
            out[start : start + rows] = (transposed @ times.T.astype(float)).T
        return out

    def clusters_per(self, cell: np.ndarray, n_cells: int) -> np.ndarray:
        """Number of clusters with at least one row in each cell."""
        pairs = np.unique(cell.astype(np.int64) * self.n_clusters + self.cluster) // self.n_clusters
        return np.bincount(pairs, minlength=n_cells)


class Table(Sample):
    """Shares of a value within groups: points, effective sizes and draws, one entry per group and value."""

    def __init__(self, data: pd.DataFrame, value: str, by: str | list[str] | None, *settings: object) -> None:
        if not isinstance(value, str):
            raise TypeError(f"value must be a column name, not {value!r}")
        super().__init__(data, [value], by, *settings)
        if value in self.by:
            raise ValueError(f"value={value!r} also stands in by; the shares would all be 1")
        code, names = self._code([value])
        n_groups, n_values = len(self.groups), len(names)
        cell = self.group * n_values + code
        full = np.arange(n_groups * n_values)
        self.keys = self.groups.iloc[full // n_values].reset_index(drop=True)
        self.keys[value] = names[value].take(full % n_values).array
        counted = self.totals(cell, self.weight, len(full))
        self._size = n_values
        replicate = self.resample(counted).reshape(self.draws, n_groups, n_values)
        weight = counted.sum(0).reshape(n_groups, n_values)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.drawn = (replicate / replicate.sum(2, keepdims=True)).reshape(self.draws, -1)
        self.share = (weight / weight.sum(1, keepdims=True)).ravel()
        self.count = np.bincount(cell, minlength=len(full))
        self.n = np.repeat(np.bincount(self.group, minlength=n_groups), n_values)
        self.clusters = np.repeat(self.clusters_per(self.group, n_groups), n_values)
        self.n_eff = self._effective(n_groups)
        self.attrs |= {"value": value}

    def _effective(self, n_groups: int) -> np.ndarray:
        """Effective sample size, between Kish's number of equal clusters and of equal rows."""
        per_row = np.bincount(self.group, self.weight, n_groups) ** 2
        per_row = per_row / np.bincount(self.group, self.weight**2, n_groups)
        mass = self.totals(self.group, self.weight, n_groups)
        per_cluster = mass.sum(0) ** 2 / mass.power(2).sum(0)
        most, least = np.repeat(per_row, self._size), np.repeat(per_cluster, self._size)
        variance = draw_variance(self.drawn) * inflation(self.clusters)
        # fewer clusters make the variance itself uncertain: shrink by the squared ratio of normal to t quantile
        tail = (1 + self.level) / 2
        shrink = (stats.norm.ppf(tail) / stats.t.ppf(tail, np.maximum(self.clusters - 1, 1))) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            size = self.share * (1 - self.share) / variance * shrink
        return np.clip(np.where(np.isfinite(size) & (variance > 0), size, 0), least, most)

    def correlation(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Bootstrap correlation of the shares at `a` and `b`; 0 where one of them does not vary."""
        out = np.zeros(len(a))
        for i, (x, y) in enumerate(zip(self.drawn[:, a].T, self.drawn[:, b].T, strict=True)):
            both = np.isfinite(x) & np.isfinite(y)
            if both.sum() > 2 and x[both].std() > 0 and y[both].std() > 0:
                out[i] = np.corrcoef(x[both], y[both])[0, 1]
        return out


def draw_variance(drawn: np.ndarray) -> np.ndarray:
    """Variance over draws; a draw in which a group has no row does not count."""
    known = np.isfinite(drawn)
    n = np.maximum(known.sum(0), 1)
    filled = np.where(known, drawn, 0)
    centre = filled.sum(0) / n
    return (np.where(known, drawn - centre, 0) ** 2).sum(0) / n


def inflation(clusters: np.ndarray) -> np.ndarray:
    """Resampling n clusters understates the variance by (n - 1) / n."""
    return clusters / np.maximum(clusters - 1, 1)


def wilson(p: np.ndarray, n: np.ndarray, alpha: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's (1927) score interval for a share `p` of `n` effective observations, at level 1 - `alpha`."""
    z2 = stats.norm.isf(np.asarray(alpha) / 2) ** 2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    # rounding must not leave the point outside its own interval
    return np.clip(np.minimum(centre - reach, p), 0, 1), np.clip(np.maximum(centre + reach, p), 0, 1)


def mover(
    p1: np.ndarray, n1: np.ndarray, p2: np.ndarray, n2: np.ndarray, r: np.ndarray, alpha: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a difference of two shares that correlate by `r` (Newcombe 1998; Zou and Donner 2008)."""
    low1, high1 = wilson(p1, n1, alpha)
    low2, high2 = wilson(p2, n2, alpha)

    def reach(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(x**2 - 2 * r * x * y + y**2, 0))

    d = p1 - p2
    return np.maximum(d - reach(p1 - low1, high2 - p2), -1), np.minimum(d + reach(high1 - p1, p2 - low2), 1)


def touches_zero(bounds: Callable, size: int) -> np.ndarray:
    """Two-sided p: 1 minus the level at which the interval just reaches 0, by bisection on log p."""
    low, high = np.full(size, -30.0), np.zeros(size)  # log10 of p
    for _ in range(60):
        middle = (low + high) / 2
        lower, upper = bounds(10**middle)
        covers = (lower <= 0) & (upper >= 0)  # the interval at this level holds 0: p is larger
        low, high = np.where(covers, middle, low), np.where(covers, high, middle)
    return np.where(np.isclose(high, 0), 1.0, 10**high)


def pairs_of(groups: list, values: list, against: object, only: object) -> tuple[list, list[tuple]]:
    """Return the values to compare, and the pairs of groups: every pair, or every group with `against`."""
    if against is not None:
        _check.option(against, groups, "against")
    wanted = values if only is None else list(only) if isinstance(only, (list, tuple)) else [only]
    for item in wanted:
        _check.option(item, values, "only")
    return wanted, list(combinations(groups, 2)) if against is None else [(g, against) for g in groups if g != against]
