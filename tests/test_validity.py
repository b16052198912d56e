"""Agreement, accuracy, correction, sampling and sensitivity, against published examples, oracles and simulation."""

import pathlib
import time

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import validity as v
from analysis.compare import shares

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
needs_shared = pytest.mark.skipif(not (SHARED / "data" / "gold" / "dev.csv").exists(), reason="needs ../shared/data")


def long(*rows):
    """Codes of several coders, one row of values per coder, as one row per unit and coder."""
    return pd.DataFrame(
        [(u, c, x) for c, row in enumerate(rows) for u, x in enumerate(row) if x is not None],
        columns=["unit", "coder", "x"],
    )


# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, sections C and D: four observers, twelve units
FOUR = long(
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(level, alpha):
    out = v.agreement(FOUR, unit="unit", value="x", level=level)
    assert out["alpha"].round(3).tolist() == [alpha]
    assert out[["n", "codes", "coders"]].to_numpy().tolist() == [[11, 40, 4]]  # the last unit has one code


def test_alpha_of_the_published_binary_example():
    # Krippendorff (2011), section A: ten units, two observers, coincidences 10, 4, 4, 2:
    # alpha = 1 - 19 * 4 / (14 * 6) = 0.095
    out = v.agreement(long([0, 1, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 1, 0, 0, 1, 0]), unit="unit", value="x")
    assert out["alpha"].round(3)[0] == 0.095
    assert out["agreement"][0] == 0.6


def test_ac1_of_the_published_example():
    # Gwet's cac.raw4raters is the table of FOUR; irrCAC gives AC1 0.77544 and percent agreement 0.81818
    out = v.agreement(FOUR, unit="unit", value="x").iloc[0]
    assert round(out["ac1"], 5) == 0.77544
    assert round(out["agreement"], 5) == 0.81818


def test_nominal_alpha_by_pencil():
    # a: p p n n, b: p p n p. Coincidences pp 4, nn 2, pn 1 each way; margins p 5, n 3 of 8.
    # observed 2/8; expected 2*5*3/(8*7) = 30/56; alpha = 1 - .25 * 56/30 = .5333
    out = v.agreement(long(list("ppnn"), list("ppnp")), unit="unit", value="x").iloc[0]
    assert out["alpha"] == pytest.approx(1 - 0.25 * 56 / 30)
    # AC1: chance = (5/8 * 3/8) * 2 / (2 - 1) = 30/64; (.75 - .46875) / .53125
    assert out["ac1"] == pytest.approx((0.75 - 30 / 64) / (1 - 30 / 64))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=3, max_size=3), min_size=3, max_size=25),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_equals_the_krippendorff_package(units, level):
    table = np.array([[np.nan if x is None else x for x in row] for row in units], dtype=float)
    paired = table[(~np.isnan(table)).sum(1) > 1]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        return  # undefined: the package raises
    codes = long(*[[None if np.isnan(x) else int(x) for x in row] for row in table.T])
    ours = v.agreement(codes, unit="unit", value="x", level=level, draws=100)["alpha"][0]
    assert ours == pytest.approx(krippendorff.alpha(table.T, level_of_measurement=level), abs=1e-9)


def test_each_value_is_that_value_against_the_rest():
    codes = long(list("ppnnm"), list("ppnpm"))
    out = v.agreement(codes, unit="unit", value="x", each=True)
    assert out["value"].tolist() == ["m", "n", "p"]
    assert out["count"].tolist() == [2, 3, 5]
    binary = v.agreement(codes.assign(x=codes["x"] == "p"), unit="unit", value="x")
    assert out["alpha"][2] == binary["alpha"][0]


def test_perfect_agreement_on_few_units_keeps_a_lower_bound_below_one():
    out = v.agreement(long([0, 1] * 5, [0, 1] * 5), unit="unit", value="x").iloc[0]
    assert (out["alpha"], out["high"]) == (1, 1)
    assert 0 < out["low"] < 0.8
    assert out["verdict"] == "reliable; the interval reaches below .667"


@pytest.mark.parametrize(
    ("alpha", "low", "n", "words"),
    [
        (0.9, 0.85, 9, "reliable"),
        (0.9, 0.7, 9, "reliable; the interval reaches below .800"),
        (0.9, 0.5, 9, "reliable; the interval reaches below .667"),
        (0.7, 0.67, 9, "tentative conclusions only"),
        (0.7, 0.5, 9, "tentative conclusions only; the interval reaches below .667"),
        (0.66, 0.6, 9, "do not use for claims"),
        (np.nan, np.nan, 9, "undefined: every code is the same value"),
        (np.nan, np.nan, 0, "not measured: no unit has two codes"),
    ],
)
def test_verdict(alpha, low, n, words):
    assert v._verdict(alpha, low, n) == words


def test_a_variable_that_only_one_coder_coded_is_not_measured():
    codes = long([1, 2, 1], [1, 2, 2]).assign(y=[1, 2, 3, None, None, None])
    out = v.agreement(codes, unit="unit", value=["x", "y"])
    assert out["n"].tolist() == [3, 0]
    assert np.isnan(out["alpha"][1])


def test_clusters_widen_the_interval():
    # every unit stands four times in its article: four times the codes, not four times the knowledge
    once = long([0, 1, 0, 1, 0, 1, 0, 1, 0, 1] * 4, [0, 1, 0, 1, 0, 1, 0, 1, 1, 1] * 4)
    codes = pd.concat([once.assign(part=i, article_id=once["unit"]) for i in range(4)])
    together = v.agreement(codes, unit=["unit", "part"], value="x").iloc[0]
    apart = v.agreement(codes, unit=["unit", "part"], value="x", cluster="part").iloc[0]
    single = v.agreement(once, unit="unit", value="x").iloc[0]
    assert (together["clusters"], apart["clusters"], together["n"]) == (40, 4, 160)
    assert together["low"] == pytest.approx(single["low"], abs=0.03)


def test_confusion_counts_units_by_both_coders():
    codes = long(list("ppnnm"), list("pnnnp"))
    out = v.confusion(codes, unit="unit", value="x")
    assert out.loc["p"].tolist() == [0, 1, 1]  # m, n, p of the second coder
    assert out.to_numpy().sum() == 5
    assert (out.index.name, out.columns.name) == (0, 1)
    turned = v.confusion(codes, unit="unit", value="x", coders=[1, 0])
    assert (turned.to_numpy() == out.to_numpy().T).all()


def test_agreement_refuses_what_it_cannot_measure():
    codes = long(list("ppn"), list("pnn"))
    with pytest.raises(ValueError, match="has no order"):
        v.agreement(codes, unit="unit", value="x", level="ordinal")
    with pytest.raises(ValueError, match="needs numbers"):
        v.agreement(codes, unit="unit", value="x", level="interval")
    with pytest.raises(ValueError, match="level='ratio' is not known"):
        v.agreement(codes, unit="unit", value="x", level="ratio")
    with pytest.raises(ValueError, match="coded the same unit twice"):
        v.agreement(pd.concat([codes, codes]), unit="unit", value="x")
    with pytest.raises(ValueError, match="needs the same units coded twice"):
        v.agreement(codes[codes["coder"] == 0], unit="unit", value="x")
    with pytest.raises(ValueError, match="did you mean 'coder'"):
        v.agreement(codes, unit="unit", value="x", coder="coders")
    with pytest.raises(ValueError, match="differs within a unit"):
        v.agreement(codes.assign(c=range(6)), unit="unit", value="x", cluster="c")
    with pytest.raises(ValueError, match="missing at index 1"):
        v.agreement(codes.assign(c=[1, None, 1, 1, 1, 1]), unit="unit", value="x", cluster="c")
    with pytest.raises(ValueError, match="must name two coders"):
        v.confusion(FOUR, unit="unit", value="x")


def articles_twice_coded():
    """Articles as coders B and C coded them; reliability.md counts a missing headline stance as a value."""
    first = pd.read_csv(ROOT / "data" / "coverage" / "articles.csv")
    second = pd.read_csv(ROOT / "data" / "coverage" / "articles_second.csv")
    first = first[first["coder"] == "coder_b"]
    second = second.merge(first[["article_id", "copy_group"]], on="article_id")
    return pd.concat([first, second]).fillna({"stance_headline": "none"})


@pytest.mark.parametrize(
    ("variable", "level", "alpha", "equal"),
    [
        ("stance_author", "nominal", 0.917, 0.952),
        ("stance_headline", "nominal", 0.931, 0.952),
        ("frame_dominant", "nominal", 0.821, 0.857),
        ("first_speaker_group", "nominal", 0.915, 0.929),
        ("tone", "nominal", 0.848, 0.929),
        ("mentions_surveillance_or_privacy", "nominal", 0.795, 0.905),
        ("mentions_child_harm", "nominal", 1.0, 1.0),
        ("mentions_terrorism", "nominal", 1.0, 1.0),
        ("cites_statistic", "nominal", 1.0, 1.0),
        ("n_speakers_favour", "interval", 0.804, None),
        ("n_speakers_against", "interval", 0.903, None),
        ("n_statements", "interval", 0.886, None),
    ],
)
def test_agreement_of_the_coverage_is_that_of_reliability_md(variable, level, alpha, equal):
    out = v.agreement(articles_twice_coded(), unit="article_id", value=variable, level=level).iloc[0]
    assert (round(out["alpha"], 3), out["n"]) == (alpha, 42)
    assert equal is None or round(out["agreement"], 3) == equal
    assert out["low"] < alpha <= out["high"]


@needs_shared
def test_agreement_of_the_gold_codes_is_near_that_of_all_840():
    gold = pd.read_csv(SHARED / "data" / "gold" / "dev.csv")
    known = {"relevant": 0.872, "speaker_group": 0.830, "attribution": 0.764, "target": 0.856, "frame": 0.812}
    known |= {"stance_encryption": 0.889, "stance_author": 0.854}
    wide = gold.rename(columns={"article": "article_id"})
    codes = pd.wide_to_long(wide, list(known), i="sentence_id", j="coder", sep="_", suffix="[de]").reset_index()
    out = v.agreement(codes, unit="sentence_id", value=list(known)).set_index("variable")
    assert (out["n"] == 560).all()
    assert (out["low"] < pd.Series(known)).all()
    assert (out["high"] > pd.Series(known)).all()


# accuracy and calibration


def test_accuracy_by_pencil():
    true = pd.Series(["a", "a", "a", "a", "b", "b", None], index=list("tuvwxyz"))
    predicted = pd.Series(["a", "a", "b", None, "b", "a", "a"], index=list("tuvwxyz"))
    out = v.accuracy(true, predicted).set_index("value")
    # a: 2 right of 3 said and 4 true; b: 1 right of 2 said and 2 true; the unit without trusted code is left out
    assert out["precision"].tolist() == pytest.approx([2 / 3, 1 / 2, 7 / 12, 3 / 5])
    assert out["recall"].tolist() == pytest.approx([2 / 4, 1 / 2, 1 / 2, 3 / 6])
    assert out["f1"].tolist() == pytest.approx([4 / 7, 1 / 2, 15 / 28, 6 / 11])
    assert out["n_true"].tolist() == [4, 2, 6, 6]
    assert out["n_predicted"].tolist() == [3, 2, 5, 5]
    for name in ["precision", "recall", "f1"]:
        assert ((out[f"{name}_low"] < out[name]) & (out[name] < out[f"{name}_high"])).all()


def test_a_class_that_is_never_true_or_never_said():
    out = v.accuracy(pd.Series(list("aab")), pd.Series(list("aac"))).set_index("value")
    assert np.isnan(out.loc["b", "precision"])  # never said
    assert np.isnan(out.loc["c", "recall"])  # never true
    assert out.loc["macro", "f1"] == pytest.approx(1 / 3)  # as sklearn.metrics.f1_score(average="macro")


def test_accuracy_weights_undo_the_drawing():
    # "a" was drawn with probability 1/4, "b" with certainty
    true, said = pd.Series(list("aabb")), pd.Series(list("abbb"))
    out = v.accuracy(true, said, weights=pd.Series([4.0, 4.0, 1.0, 1.0])).set_index("value")
    assert out.loc["all", "recall"] == pytest.approx(6 / 10)
    assert out.loc["b", "precision"] == pytest.approx(2 / 6)


def test_accuracy_of_repeated_units_is_known_no_better():
    rng = np.random.default_rng(0)
    true = pd.Series(rng.choice(["a", "b"], 100))
    said = true.where(rng.random(100) < 0.8, true.map({"a": "b", "b": "a"}))
    many = pd.Series(np.tile(np.arange(100), 5))
    one, five = v.accuracy(true, said), v.accuracy(pd.concat([true] * 5), pd.concat([said] * 5), cluster=None)
    index = pd.RangeIndex(500)
    tied = v.accuracy(*(pd.concat([s] * 5).set_axis(index) for s in (true, said)), cluster=many)
    width = [(t["f1_high"] - t["f1_low"]).iloc[-1] for t in (one, five, tied)]
    assert width[1] < 0.6 * width[0]
    assert width[2] == pytest.approx(width[0], rel=0.05)


def test_accuracy_refuses_unaligned_codes():
    with pytest.raises(TypeError, match="predicted must be a pandas Series, not list"):
        v.accuracy(pd.Series(["a"]), ["a"])
    with pytest.raises(ValueError, match="same index"):
        v.accuracy(pd.Series(["a", "b"]), pd.Series(["a", "b"], index=[1, 0]))
    with pytest.raises(ValueError, match="no trusted code"):
        v.accuracy(pd.Series([None, None]), pd.Series(["a", "b"]))


def test_calibration_by_pencil():
    event = pd.Series([True, False, True, True, None])
    p = pd.Series([0.2, 0.4, 0.8, 1.0, 0.5])
    out = v.calibration(event, p, bins=2)
    assert out["bin"].tolist() == [1, 2, "all"]
    assert out["p"].tolist() == pytest.approx([0.3, 0.9, 0.6])
    assert out["share"].tolist() == [0.5, 1.0, 0.75]
    assert out["n"].tolist() == [2, 2, 4]
    assert out.attrs["brier"] == pytest.approx((0.64 + 0.16 + 0.04 + 0) / 4)
    assert out.attrs["ece"] == pytest.approx(0.2 / 2 + 0.1 / 2)
    with pytest.raises(ValueError, match="from 0 to 1"):
        v.calibration(event, p * 2)


# corrected shares


def drawn(machine, trusted, probability, **columns):
    return pd.DataFrame(
        {"article_id": range(len(machine)), "m": machine, "t": trusted, "probability": probability} | columns
    )


def test_corrected_shares_equal_ppi_py():
    # 2,000 units, the first 200 trusted; machine code = trusted code, but 0 -> 1 every third time
    #   python -m pip install ppi-python==0.2.3   (MIT; numba, statsmodels, scikit-learn, gdown: not a dependency)
    #   i = np.arange(2000); t = i * 7 % 10 % 3; f = np.where((t == 0) & (i % 3 == 0), 1, t); E = np.eye(3)
    #   ppi_mean_pointestimate(E[t[:200]], E[f[:200]], E[f[200:]])
    #   ppi_mean_ci(E[t[:200]], E[f[:200]], E[f[200:]], alpha=0.05)
    i = np.arange(2000)
    t = i * 7 % 10 % 3
    f = np.where((t == 0) & (i % 3 == 0), 1, t)
    point = [0.4012400572992606, 0.29875994270073664, 0.2999999999999977]
    low, high = [0.352585, 0.253018, 0.277364], [0.449895, 0.344502, 0.322636]
    data = drawn(f, pd.Series(t).where(i < 200), 0.1)
    out = v.corrected_shares(data, "m", truth="t", draws=10_000)
    assert out["share"].tolist() == pytest.approx(point, abs=1e-12)
    # theirs is the normal interval; ours adds half an error, Student's t and Wilson's form
    assert out["low"].tolist() == pytest.approx(low, abs=0.006)
    assert out["high"].tolist() == pytest.approx(high, abs=0.006)


def test_corrected_share_by_pencil():
    # 60 "a" and 40 "b" by machine; trusted: 12 "a" (9 right) and 8 "b" (all right): told = machine, so 9/20 stays
    machine = ["a"] * 60 + ["b"] * 40
    trusted = pd.Series(index=range(100), dtype=object)
    trusted[:9], trusted[9:12], trusted[60:68] = "a", "b", "b"
    data = drawn(machine, trusted, 0.2)
    out = v.corrected_shares(data, "m", truth="t")
    assert out["raw"].tolist() == [0.6, 0.4]
    assert out["share"].tolist() == pytest.approx([0.45, 0.55])
    assert out[["n", "n_truth", "clusters"]].to_numpy().tolist() == [[100, 20, 20]] * 2
    # tuning: covariance (17/20 - .45 * .6 - .55 * .4) over variance (.6 * .4 * 2) * 100/99
    assert out.attrs["tuning"] == pytest.approx([(0.85 - 0.27 - 0.22) / 0.48 * 0.99])


def test_matrix_by_pencil():
    # Rogan and Gladen (1978): sensitivity .9, specificity .8, apparent share .38: (.38 + .8 - 1) / (.9 + .8 - 1)
    machine = ["y"] * 380 + ["n"] * 620
    trusted = pd.Series(index=range(1000), dtype=object)
    trusted[:9], trusted[9:19] = "y", "n"  # machine y: 9 true y, 10 true n
    trusted[380:381], trusted[381:421] = "y", "n"  # machine n: 1 true y, 40 true n
    out = v.corrected_shares(drawn(machine, trusted, 0.06), "m", truth="t", method="matrix").set_index("m")
    assert out.loc["y", "share"] == pytest.approx(0.18 / 0.7)


def test_dsl_equals_a_plain_loop():
    rng = np.random.default_rng(5)
    n = 60
    t, g = rng.choice(["a", "b", "c"], n), rng.choice(["x", "y"], n)
    m = np.where(rng.random(n) < 0.7, t, rng.choice(["a", "b", "c"], n))
    pi = np.where(m == "c", 0.8, 0.4)
    has = rng.random(n) < pi
    data = drawn(m, pd.Series(t).where(has), pi, g=g)
    out = v.corrected_shares(data, "m", truth="t", by="g", method="dsl").set_index(["g", "m"])["share"]
    fold = np.random.default_rng(0).permutation(n) % 5
    mean = (1 / pi[has]).mean()
    for group in "xy":
        for code in "abc":
            total = 0
            for i in np.flatnonzero(g == group):
                alike = [j for j in range(n) if has[j] and fold[j] != fold[i] and m[j] == m[i]]

                def mass(rows, want):
                    return sum(1 / pi[j] / mean for j in rows if want in ("any", t[j]))

                pooled = (mass(alike, code) + (m[i] == code)) / (mass(alike, "any") + 1)
                near = [j for j in alike if g[j] == group]
                guess = (mass(near, code) + pooled) / (mass(near, "any") + 1)
                total += guess + (has[i] / pi[i]) * ((t[i] == code) - guess)
            assert out[group, code] == pytest.approx(np.clip(total / (g == group).sum(), 0, 1))


@pytest.mark.parametrize("method", ["ppi", "dsl", "matrix"])
def test_a_perfect_machine_is_left_as_it_is(method):
    machine = ["a"] * 700 + ["b"] * 300
    trusted = pd.Series(machine).where(np.arange(1000) % 10 == 0)
    out = v.corrected_shares(drawn(machine, trusted, 0.1), "m", truth="t", method=method)
    assert out["share"].tolist() == pytest.approx([0.7, 0.3], abs=0.003)
    assert ((out["low"] < out["share"]) & (out["share"] < out["high"])).all()


@pytest.mark.parametrize("method", ["ppi", "dsl"])
def test_corrected_shares_sum_to_one_and_keep_the_input(method):
    data = simulated(np.random.default_rng(1), 2000, 200)
    before = data.copy(deep=True)
    out = v.corrected_shares(data, "m", truth="t", by="g", method=method)
    pd.testing.assert_frame_equal(data, before)
    assert out.groupby("g")["share"].sum().tolist() == pytest.approx([1, 1])
    pd.testing.assert_frame_equal(out, v.corrected_shares(data, "m", truth="t", by="g", method=method))


def test_raw_is_what_shares_gives_and_a_value_the_machine_never_gave_is_there():
    data = simulated(np.random.default_rng(1), 2000, 200)
    data.loc[data["t"].notna().idxmax(), "t"] = "other"
    out = v.corrected_shares(data, "m", truth="t")
    raw = shares(data, "m")
    assert out.loc[:1, ["raw", "raw_low", "raw_high"]].to_numpy() == pytest.approx(
        raw[["share", "low", "high"]].to_numpy()
    )
    assert out["m"].tolist() == ["against", "favour", "other"]
    assert (out["raw"][2], out["raw_low"][2]) == (0, 0)
    assert 0 < out["share"][2] < out["high"][2] < 0.05


def test_a_share_corrected_to_nothing_keeps_an_honest_upper_bound():
    # the machine calls 10% rare, the drawn units by chance 15%, none rightly: 0 + tuning * (.1 - .15) is below 0
    machine = ["rare"] * 100 + ["usual"] * 900
    trusted = pd.Series("usual", index=[*range(15), *range(100, 185)]).reindex(range(1000))
    out = v.corrected_shares(drawn(machine, trusted, 0.1), "m", truth="t").set_index("m").loc["rare"]
    assert (out["share"], out["low"]) == (0, 0)
    assert 0.03 < out["high"] < 0.06  # 3.7 / (100 + 3.7) for none of a hundred


def test_copies_do_not_narrow_the_interval():
    one = simulated(np.random.default_rng(2), 1000, 200)
    five = pd.concat([one] * 5, ignore_index=True)
    a, b = (v.corrected_shares(d, "m", truth="t") for d in (one, five))
    assert b["share"].tolist() == pytest.approx(a["share"].tolist(), abs=0.002)
    assert ((b["high"] - b["low"]) / (a["high"] - a["low"])).tolist() == pytest.approx([1, 1], abs=0.06)


def undrawn(data, **columns):
    return data.drop(columns="is_drawn").assign(**columns)


WRONG = {
    "no column 'probability'.*validity.sample": lambda d: d.drop(columns="probability"),
    "must lie above 0": lambda d: d.assign(probability=0.0),
    "have no code in column 't'; code them all": lambda d: d.assign(is_drawn=d["t"].notna() | (d.index < 50)),
    "codes chosen by hand are no probability sample": lambda d: d.assign(is_drawn=d["t"].notna() & (d.index > 50)),
    "fewer than two clusters in 'y'.*allocation='equal'": lambda d: undrawn(d, t=d["t"].where(d["g"] == "x")),
    "no probability sample of data": lambda d: undrawn(d, t=d["t"].where(d["m"] == "favour")),
    "has 54 codes where the machine says 'against' in 'x', but 'probability' makes about 3 likely": (
        lambda d: undrawn(d, probability=0.01)
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_design_is_refused(sentence):
    data = WRONG[sentence](simulated(np.random.default_rng(3), 1000, 200))
    with pytest.raises(ValueError, match=sentence):
        v.corrected_shares(data, "m", truth="t", by="g")


def test_other_refusals():
    data = simulated(np.random.default_rng(3), 1000, 200)
    with pytest.raises(ValueError, match="use 'ppi', 'dsl' or 'matrix'"):
        v.corrected_shares(data, "m", truth="t", method="magic")
    with pytest.raises(ValueError, match="data has no column 'truth'"):
        v.corrected_shares(data, "m", truth="truth")
    useless = undrawn(data, m=np.resize(["against", "favour"], 1000), t=np.nan)
    useless["t"] = pd.Series(np.resize(list("aabb"), 200), index=range(200)).map({"a": "against", "b": "favour"})
    with pytest.raises(ValueError, match="use method='ppi'"):
        v.corrected_shares(useless, "m", truth="t", method="matrix")
    with pytest.raises(TypeError, match="by must be one column name"):
        v.corrected_differences(data, "m", truth="t", by=["g"])


def test_corrected_differences_are_those_of_the_corrected_shares():
    data = simulated(np.random.default_rng(4), 5000, 200)
    share = v.corrected_shares(data, "m", truth="t", by="g").set_index(["g", "m"])["share"]
    out = v.corrected_differences(data, "m", truth="t", by="g", only="favour").iloc[0]
    assert out["difference"] == pytest.approx(share["x", "favour"] - share["y", "favour"])
    assert out["low"] < out["difference"] < out["high"]
    assert (out["p"] < 0.05) == (not out["low"] <= 0 <= out["high"])


TRUE = {"x": 0.6, "y": 0.4}


def simulated(rng, n, n_truth, **design):
    """Machine codes of 75% accuracy whose errors differ by group, and a sample of trusted codes."""
    g = rng.choice(["x", "y"], n)
    favour = rng.random(n) < pd.Series(g).map(TRUE)
    right = rng.random(n) < np.where(favour, np.where(g == "x", 0.65, 0.95), np.where(g == "x", 0.95, 0.6))
    data = pd.DataFrame({"article_id": range(n), "g": g, "m": np.where(favour == right, "favour", "against")})
    data = v.sample(data, n=n_truth, seed=int(rng.integers(2**31)), **design)
    data["t"] = favour.map({True: "favour", False: "against"}).where(data["is_drawn"])
    return data


def coverage(times, method, seed, **design):
    """Coverage of raw and corrected shares and differences, and mean widths, over simulated samples."""
    rng, rows = np.random.default_rng(seed), []
    truth = pd.Series(TRUE)
    for _ in range(times):
        data = simulated(rng, 5000, 200, **design)
        settings = {"by": "g", "draws": 200}
        one = v.corrected_shares(data, "m", truth="t", method=method, **settings).query("m == 'favour'").set_index("g")
        gap = v.corrected_differences(data, "m", truth="t", method=method, only="favour", **settings).iloc[0]
        alone = shares(data[data["is_drawn"]], "t", **settings).query("t == 'favour'").set_index("g")
        rows.append(
            {
                "raw": one["raw_low"].le(truth).mul(one["raw_high"].ge(truth)).mean(),
                "share": one["low"].le(truth).mul(one["high"].ge(truth)).mean(),
                "difference": gap["low"] <= truth["x"] - truth["y"] <= gap["high"],
                "raw_difference": gap["raw_low"] <= truth["x"] - truth["y"] <= gap["raw_high"],
                "width": (one["high"] - one["low"]).mean(),
                "width_alone": (alone["high"] - alone["low"]).mean(),
                "bias": (one["share"] - truth).mean(),
            }
        )
    return pd.DataFrame(rows).mean()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ppi", "dsl"])
def test_corrected_intervals_cover_where_raw_ones_do_not(method):
    out = coverage(200, method, seed=1)
    assert 0.93 <= out["share"] <= 0.97
    assert 0.93 <= out["difference"] <= 0.97
    assert out["raw"] < 0.2
    assert out["raw_difference"] < 0.2
    assert out["width"] < out["width_alone"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ppi", "dsl"])
def test_a_stratified_sample_with_unequal_probabilities_covers(method):
    out = coverage(150, method, seed=2, by=["g", "m"], allocation="equal")
    assert out["share"] >= 0.93
    assert abs(out["bias"]) < 0.01
    assert out["width"] < out["width_alone"]


@pytest.mark.slow
def test_ten_thousand_draws_over_a_hundred_thousand_statements():
    rng = np.random.default_rng(0)
    codes = pd.DataFrame({"article_id": np.arange(100_000) // 5, "n": np.arange(100_000) % 5})
    codes["x"] = rng.integers(0, 5, len(codes))
    codes = pd.concat(
        [codes.assign(coder=0), codes.assign(coder=1, x=np.where(rng.random(len(codes)) < 0.8, codes["x"], 0))]
    )
    start = time.process_time()
    out = v.agreement(codes, unit=["article_id", "n"], value="x", draws=10_000).iloc[0]
    assert time.process_time() - start < 30
    assert 0 < out["high"] - out["low"] < 0.01


# drawing and planning


def test_sample_is_exact_seeded_and_recorded():
    data = pd.DataFrame({"outlet": ["big"] * 900 + ["small"] * 100}, index=[f"r{i}" for i in range(1000)])
    out = v.sample(data, n=100, by="outlet")
    assert out.groupby("outlet")["is_drawn"].sum().to_dict() == {"big": 90, "small": 10}
    assert out["probability"].tolist() == [0.1] * 1000
    pd.testing.assert_frame_equal(out, v.sample(data, n=100, by="outlet"))
    assert (out["is_drawn"] != v.sample(data, n=100, by="outlet", seed=1)["is_drawn"]).any()
    assert out.index.equals(data.index)
    assert list(data.columns) == ["outlet"]
    equal = v.sample(data, n=300, by="outlet", allocation="equal")
    assert equal.groupby("outlet")["is_drawn"].sum().to_dict() == {"big": 200, "small": 100}  # all of the small ones


def test_sample_draws_whole_units():
    data = pd.DataFrame({"article_id": np.repeat(range(50), 4)})
    out = v.sample(data, n=10, unit="article_id")
    assert out["probability"].tolist() == [0.2] * 200
    assert out.groupby("article_id")["is_drawn"].nunique().eq(1).all()
    assert out["is_drawn"].sum() == 40


def test_every_unit_is_drawn_as_often_as_its_probability_says():
    data = pd.DataFrame({"s": list("aaab") * 5})
    times = sum(v.sample(data, n=8, by="s", allocation="equal", seed=i)["is_drawn"].to_numpy() for i in range(800))
    wanted = v.sample(data, n=8, by="s", allocation="equal")["probability"].to_numpy()
    assert times / 800 == pytest.approx(wanted, abs=0.07)  # four standard errors


def test_sample_refuses_what_it_cannot_draw():
    data = pd.DataFrame({"a": [1, 1, 2, 2], "s": list("xyxy")})
    with pytest.raises(ValueError, match="must lie between 4, two per stratum, and 4"):
        v.sample(data, n=5, by="s")
    with pytest.raises(ValueError, match="differs within one 'a'"):
        v.sample(data, n=2, by="s", unit="a")
    with pytest.raises(ValueError, match="is missing at index 0"):
        v.sample(data.assign(s=[None, "x", "x", "x"]), n=2, by="s")


def test_plan_by_pencil():
    data = pd.DataFrame({"m": ["a"] * 500 + ["b"] * 500})
    out = v.plan_sample(data, "m", half_width=0.098, correlation=0.6)
    # (0.098 / 1.96)^2 = .0025: alone .25 / .0025 = 100; with the machine .64 * .25 / (.0025 - .36 * .25 / 1000) = 66.4
    assert out["n_alone"].tolist() == [100, 100]
    assert out["n_truth"].tolist() == [67, 67]
    unreachable = v.plan_sample(data, "m", half_width=0.01, correlation=0.6)
    assert unreachable["n_truth"].isna().all()


def test_planned_number_gives_the_planned_width():
    rng = np.random.default_rng(8)
    pilot = simulated(rng, 5000, 400)
    plan = v.plan_sample(pilot, "m", truth="t", half_width=0.06).iloc[0]
    data = simulated(rng, 5000, int(plan["n_truth"]))
    out = v.corrected_shares(data, "m", truth="t").iloc[0]
    assert (out["high"] - out["low"]) / 2 == pytest.approx(0.06, abs=0.008)


def test_plan_refuses():
    data = pd.DataFrame({"m": list("aabb"), "t": list("aaaa")})
    with pytest.raises(ValueError, match="give correlation"):
        v.plan_sample(data, "m")
    with pytest.raises(ValueError, match="never or always"):
        v.plan_sample(data, "m", truth="t")


# sensitivity


def test_multiverse_computes_every_combination():
    data = pd.DataFrame({"article_id": range(60), "s": ["for", "for", "against"] * 20, "copy": [False, True] * 30})
    choices = {
        "copies": {"kept": None, "dropped": lambda d: d[~d["copy"]]},
        "rows": {"all": None, "first ten": lambda d: d.head(10), "none": lambda d: d.head(0)},
    }
    claims = {
        "share": lambda d: shares(d, "s").query("s == 'for'"),
        "half": lambda d: {"estimate": 0.5, "low": 0.4, "high": 0.6},
    }
    out = v.multiverse(data, choices, claim=claims, null=0.5)
    assert len(out) == 12
    assert list(out.columns[:6]) == ["copies", "rows", "claim", "estimate", "low", "high"]
    assert out["estimate"].dropna().is_monotonic_increasing
    reference = out[out["is_reference"]].iloc[0]
    assert reference[["copies", "rows", "claim"]].tolist() == ["kept", "all", "share"]
    assert reference["estimate"] == pytest.approx(2 / 3)
    assert reference["stands"]
    empty = out.query("rows == 'none' and claim == 'share'")
    assert empty["note"].str.contains("no row").all()
    assert empty["stands"].isna().all()
    assert not out.query("claim == 'half'")["stands"].any()
    assert out.attrs["verdict"].endswith("of 10 specifications; estimates from 0.5 to 0.7; 2 not computed")


def test_multiverse_refuses_what_is_no_choice():
    data = pd.DataFrame({"x": [1]})
    with pytest.raises(TypeError, match="option 'b' of 'a' must be a function"):
        v.multiverse(data, {"a": {"b": 3}}, claim=len)
    with pytest.raises(ValueError, match="must give low, high"):
        v.multiverse(data, {"a": {"b": None}}, claim=lambda d: {"estimate": 1})
    with pytest.raises(ValueError, match="a table of 2 rows"):
        v.multiverse(data, {"a": {"b": None}}, claim=lambda d: pd.concat([d, d]))
