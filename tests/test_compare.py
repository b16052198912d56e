"""Shares, differences, means and trends against numbers a pencil can check and against simulation."""

import numpy as np
import pandas as pd
import pytest

from analysis import arrange, differences, in_words, means, period, shares, trend
from analysis.compare import adjusted


def table(counts, cluster=None):
    """Rows of one value each, every row its own cluster unless told otherwise."""
    values = [v for v, n in counts.items() for _ in range(n)]
    return pd.DataFrame({"article_id": cluster or range(len(values)), "y": values})


def test_independent_rows_get_wilsons_interval():
    # 3 of 10: (0.3 + 1.92 / 10) / (1 + 3.84 / 10) -+ ... = .108 to .603; n is shrunk by (1.96 / t)^2, t = 2.262
    row = shares(table({"no": 7, "yes": 3}), "y", draws=20_000).set_index("y").loc["yes"]
    n = max(10 * (9 / 10) * (1.959964 / 2.262157) ** 2, 10)  # never under the number of clusters
    z2 = 1.959964**2
    centre = (0.3 + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (0.21 / n + z2 / (4 * n * n))) / (1 + z2 / n)
    assert row["share"] == pytest.approx(0.3)
    assert (row["low"], row["high"]) == pytest.approx((centre - reach, centre + reach), abs=1e-6)
    assert (row["low"], row["high"]) == pytest.approx((0.1078, 0.6032), abs=1e-4)  # Wilson's 3 of 10


def test_identical_rows_in_a_cluster_count_once():
    one = table({"no": 20, "yes": 10})
    many = pd.concat([one] * 7)  # seven equal rows per article
    a, b = shares(one, "y"), shares(many, "y")
    np.testing.assert_allclose(a[["share", "low", "high"]], b[["share", "low", "high"]])
    assert b["n"].tolist() == [210, 210]
    assert b["clusters"].tolist() == [30, 30]


def test_a_share_of_nought_and_of_one_has_an_interval():
    data = pd.concat([table({"yes": 10}).assign(g="a"), table({"yes": 5, "no": 5}).assign(g="b")])
    row = shares(data.assign(article_id=range(20)), "y", by="g").set_index(["g", "y"]).loc[("a", "no")]
    assert (row["share"], row["low"], row["count"]) == (0, 0, 0)
    assert row["high"] == pytest.approx(0.2775, abs=1e-3)  # Wilson: 3.84 / (10 + 3.84)


def test_weights_count_copies_as_one():
    data = pd.DataFrame({"article_id": range(5), "y": ["a", "a", "a", "a", "b"], "w": [0.25] * 4 + [1.0]})
    assert shares(data, "y", weights="w")["share"].tolist() == [0.5, 0.5]
    assert shares(data, "y", weights="w")["n"].tolist() == [5, 5]


def test_intervals_depend_on_the_seed_and_on_nothing_else():
    rng = np.random.default_rng(0)
    article = np.repeat(np.arange(40), 5)
    data = pd.DataFrame({"article_id": article, "y": np.where(rng.random(200) < rng.beta(1, 1, 40)[article], "a", "b")})
    first = shares(data, "y", seed=1)
    pd.testing.assert_frame_equal(first, shares(data, "y", seed=1))
    assert not first.equals(shares(data, "y", seed=2))


def test_missing_values_leave_numerator_and_denominator():
    data = pd.DataFrame({"article_id": list("abcd"), "y": ["a", None, "a", "b"]})
    assert shares(data, "y")["n"].tolist() == [3, 3]
    assert data["y"].isna().sum() == 1


def test_the_default_cluster_is_the_copy_group():
    data = pd.DataFrame({"article_id": list("abcd"), "copy_group": list("aacc"), "y": list("xxyy")})
    assert shares(data, "y")["clusters"].iloc[0] == 2
    assert shares(data, "y", cluster="article_id")["clusters"].iloc[0] == 4
    assert shares(data.drop(columns="copy_group"), "y").attrs["cluster"] == "article_id"


@pytest.mark.slow
@pytest.mark.parametrize(("clusters", "p", "icc", "size"), [(60, 0.2, 0.2, 6), (25, 0.4, 0.3, 8), (150, 0.05, 0.2, 4)])
def test_intervals_cover_the_truth(clusters, p, icc, size):
    rng = np.random.default_rng(20)
    covered, n_runs = 0, 1000
    for _ in range(n_runs):
        of_article = rng.beta(p * (1 / icc - 1), (1 - p) * (1 / icc - 1), clusters)
        article = np.repeat(np.arange(clusters), 1 + rng.poisson(size - 1, clusters))
        y = np.where(rng.random(len(article)) < of_article[article], "yes", "no")
        result = shares(pd.DataFrame({"article_id": article, "y": y}), "y", draws=300)
        row = result[result["y"] == "no"].iloc[0]
        covered += row["low"] <= 1 - p <= row["high"]
    assert 0.93 <= covered / n_runs <= 0.97


@pytest.mark.slow
def test_intervals_of_differences_cover_the_truth():
    rng = np.random.default_rng(21)
    covered, false_alarms, n_runs = 0, 0, 800
    for _ in range(n_runs):
        of_article = rng.beta(2, 3, 50)  # the same articles hold both groups, so their shares go together
        article = np.repeat(np.arange(50), 8)
        g = np.tile(list("aaaabbbb"), 50)
        y = np.where(rng.random(400) < of_article[article], "yes", "no")
        result = differences(pd.DataFrame({"article_id": article, "g": g, "y": y}), "y", by="g", only="yes", draws=300)
        row = result.iloc[0]
        covered += row["low"] <= 0 <= row["high"]
        false_alarms += row["p"] < 0.05
    assert 0.93 <= covered / n_runs <= 0.97
    assert false_alarms == n_runs - covered  # p and interval tell the same story


def test_differences_against_a_reference_and_their_sign():
    data = pd.DataFrame({"article_id": range(90), "g": list("abc") * 30, "y": ["x"] * 30 + ["x", "z", "z"] * 20})
    out = differences(data, "y", by="g", against="a", only="x")
    assert out[["a", "b"]].to_numpy().tolist() == [["b", "a"], ["c", "a"]]
    share = shares(data, "y", by="g").query("y == 'x'").set_index("g")["share"]
    assert out["difference"].tolist() == pytest.approx([share["b"] - share["a"], share["c"] - share["a"]])
    assert ((out["low"] <= out["difference"]) & (out["difference"] <= out["high"])).all()


def test_newcombes_published_example():
    # Newcombe (1998), table II, row a: 56/70 against 48/80, method 10 (score): 0.0524 to 0.3339
    data = pd.DataFrame(
        {"article_id": range(150), "g": ["a"] * 70 + ["b"] * 80, "y": ["+"] * 56 + ["-"] * 14 + ["+"] * 48 + ["-"] * 32}
    )
    row = differences(data, "y", by="g", only="+", draws=4000).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((0.0524, 0.3339), abs=0.015)  # plus what resampling adds


def test_adjusted_p_by_hand():
    assert adjusted([0.01, 0.02, 0.03, 0.5]).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert adjusted([0.01, 0.02, 0.03, 0.5], "bh").tolist() == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert adjusted([]).tolist() == []


def test_means_match_student_t():
    # scipy.stats.t.interval(.95, 4, 3, np.std([1, 2, 3, 4, 5], ddof=1) / 5 ** .5) = 1.0368, 4.9632
    out = means(pd.DataFrame({"article_id": range(5), "x": [1.0, 2, 3, 4, 5]}), "x", draws=50_000).iloc[0]
    assert (out["low"], out["high"]) == pytest.approx((1.0368, 4.9632), abs=0.03)


def test_one_cluster_has_no_interval_for_a_mean():
    out = means(pd.DataFrame({"article_id": [1, 1], "x": [1.0, 2.0]}), "x").iloc[0]
    assert out["mean"] == 1.5
    assert np.isnan(out["low"])


def test_periods_respect_the_precision_of_dates():
    data = pd.DataFrame(
        {
            "article_id": range(3),
            "date": pd.to_datetime(["2020-01-01", "2020-05-01", "2021-06-02"]),
            "date_precision": ["year", "month", "day"],
            "y": list("aab"),
        }
    )
    assert period(data, freq="year")["period"].astype(str).tolist() == ["2020", "2020", "2021"]
    assert period(data, freq="month")["period"].astype(object).where(lambda p: p.notna(), None).tolist() == [
        None, "2020-05", "2021-06",
    ]  # fmt: skip
    quarterly = trend(data, "y", freq="quarter")
    assert quarterly.attrs["n_undated"] == 1
    assert quarterly["period"].astype(str).unique().tolist() == ["2020Q2", "2020Q3", "2020Q4", "2021Q1", "2021Q2"]
    assert quarterly["share"].isna().sum() == 6
    assert (quarterly.loc[quarterly["share"].isna(), "n"] == 0).all()


def test_words_for_prose():
    data = table({"a": 20, "b": 20})
    assert in_words(shares(data, "y"), y="a", digits=1) == "50.0% [35.2 to 64.8, n = 40]"
    with pytest.raises(ValueError, match="fits 2 rows"):
        in_words(shares(data, "y"))
    gap = differences(data.assign(g=["u", "v"] * 20), "y", by="g", only="a")
    assert in_words(gap).startswith("0 points [−")


def test_arrange_restricts_and_orders():
    data = pd.DataFrame({"who": pd.Categorical(["a", "b", "c", "b"]), "x": [1, 2, 3, 4]})
    assert arrange(data, "who", ["c", "b", "zz"])["x"].tolist() == [3, 2, 4]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: shares(list("ab"), "y"), TypeError, "data must be a pandas DataFrame, not list"),
        (lambda d: shares(d, "Y"), ValueError, "no column 'Y'; it has 'article_id' or 'y'; did you mean 'y'?"),
        (lambda d: shares(d, "y", level=95), ValueError, "level=95 must be a number between 0 and 1"),
        (lambda d: shares(d, "y", draws=10), ValueError, "draws=10 must be a whole number of at least 100"),
        (lambda d: shares(d, "y", by="y"), ValueError, "also stands in by"),
        (lambda d: shares(d.assign(w=0.0), "y", weights="w"), ValueError, "positive, finite weights"),
        (lambda d: shares(d.iloc[:0], "y"), ValueError, "data has no row"),
        (lambda d: differences(d.assign(g="a"), "y", by="g", against="b"), ValueError, "against='b' is not known"),
        (lambda d: differences(d.assign(g="a"), "y", by="g", adjust="bon"), ValueError, "use 'holm' or 'bh'"),
        (lambda d: means(d, "y"), TypeError, "y must be numeric"),
        (lambda d: trend(d.assign(date="2020"), "y"), ValueError, "must hold datetimes"),
        (lambda d: period(d.assign(date=pd.NaT), freq="week"), ValueError, "use 'year', 'quarter' or 'month'"),
    ],
)
def test_wrong_use_says_what_would_work(call, error, message):
    with pytest.raises(error) as raised:
        call(table({"a": 2, "b": 2}))
    assert message in str(raised.value)


def test_nothing_is_mutated():
    data = table({"a": 5, "b": 5}).assign(g=["u", "v"] * 5, date=pd.Timestamp("2020-01-01"), x=1.0)
    before = data.copy(deep=True)
    shares(data, "y", by="g")
    differences(data, "y", by="g")
    means(data, "x", by="g")
    trend(data, "y")
    pd.testing.assert_frame_equal(data, before)


def test_fifty_thousand_rows_take_seconds():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"article_id": rng.integers(0, 50_000, 50_000), "y": rng.choice(list("abcde"), 50_000)})
    data["g"] = rng.integers(0, 14, 50_000)
    import time

    began = time.process_time()
    out = shares(data, "y", by="g")
    assert time.process_time() - began < 10  # about 1 s on an idle core; the bar is "seconds"
    assert len(out) == 70
