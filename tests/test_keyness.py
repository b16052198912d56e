"""Keyness and word shift against a pencil, an independent implementation, and planted words."""

import math
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis import figures, keyness, word_shift


def corpus(seed=0, n=60):
    rng = np.random.default_rng(seed)
    words = np.array(["the", "key", "child", "lock", "police", "rare"])
    weights = {"a": [50, 10, 2, 10, 2, 1], "b": [50, 2, 10, 2, 10, 1]}
    group = pd.Series(["a", "b"] * (n // 2), index=[f"t{i}" for i in range(n)])
    draw = [list(rng.choice(words, rng.integers(20, 80), p=np.array(weights[g]) / sum(weights[g]))) for g in group]
    return pd.Series(draw, index=group.index), group


def monroe(tokens, group, target, alpha):
    """Equations 15 to 22 of Monroe, Colaresi and Quinn (2008), word by word, with their exact model variance."""
    one = Counter(w for t, g in zip(tokens, group, strict=True) if g == target for w in t)
    two = Counter(w for t, g in zip(tokens, group, strict=True) if g != target for w in t)
    n1, n2, a0 = sum(one.values()), sum(two.values()), sum(alpha.values())
    out = {}
    for w, a in alpha.items():
        l1 = (one[w] + a) / (n1 + a0 - one[w] - a)
        l2 = (two[w] + a) / (n2 + a0 - two[w] - a)
        var = sum(1 / (c[w] + a) + 1 / (n + a0 - c[w] - a) for c, n in ((one, n1), (two, n2)))
        out[w] = (math.log(l1) - math.log(l2), math.sqrt(var))
    return out


def test_an_independent_implementation_agrees():
    tokens, group = corpus()
    alpha = dict.fromkeys(["the", "key", "child", "lock", "police", "rare"], 2.0)
    out = keyness(tokens, group, target="a", prior=pd.Series(alpha))
    for word, (log_odds, error) in monroe(tokens, group, "a", alpha).items():
        assert out.loc[word, "log_odds"] == pytest.approx(log_odds, abs=1e-12)
        mine = out.loc[word, "log_odds"] / out.loc[word, "z"]
        assert mine >= error * (1 - 1e-9), "never surer than the model"


def test_a_table_by_hand():
    tokens = pd.Series([["x"] * 3 + ["y"], ["x", "y"], ["y"] * 3, ["x", "y", "y"]])
    group = pd.Series(list("aabb"))
    out = keyness(tokens, group, target="a", prior=pd.Series({"x": 1.0, "y": 1.0}), min_articles=1)
    # a: x 4, y 2; b: x 1, y 5. log(5 / 3) - log(2 / 6) = 1.609
    assert out.loc["x", "log_odds"] == pytest.approx(math.log(5 / 3) - math.log(2 / 6))
    assert out.loc["y", "log_odds"] == pytest.approx(-out.loc["x", "log_odds"])
    assert out.loc["x", ["count", "count_reference", "articles", "articles_reference"]].tolist() == [4, 1, 2, 1]
    # DP of x over article lengths 4, 2, 3, 3: |3/5 - 4/12| + |1/5 - 2/12| + |0 - 3/12| + |1/5 - 3/12|, halved
    assert out.loc["x", "dispersion"] == pytest.approx((4 / 15 + 1 / 30 + 1 / 4 + 1 / 20) / 2)


def test_one_articles_pet_word_does_not_win():
    tokens, group = corpus()
    tokens = tokens.copy()
    tokens.iloc[0] = tokens.iloc[0] + ["pet"] * 60
    for i in (2, 4):
        tokens.iloc[i] = tokens.iloc[i] + ["pet"]
    out = keyness(tokens, group, target="a")
    assert out.loc["pet", "log_odds"] > out.loc["key", "log_odds"]
    assert out.loc["pet", "z"] < out.loc["key", "z"] / 2
    assert out.loc["pet", "dispersion"] > 0.8
    assert out.index[0] in ("key", "lock")


def test_signs_belong_to_names():
    tokens, group = corpus()
    a, b = keyness(tokens, group, target="a"), keyness(tokens, group, target="b")
    pd.testing.assert_series_equal(a["log_odds"], -b["log_odds"].reindex(a.index), check_names=False)
    assert a.attrs["target"] == "a"
    third = group.where(np.arange(len(group)) > 9, "c")
    out = keyness(tokens, third, target="a", reference="b")
    assert out["articles"].max() <= (third == "a").sum()


def test_copies_taken_as_one_widen_the_interval():
    tokens, group = corpus()
    twice, labels = pd.concat([tokens, tokens.rename(lambda i: i + "x")]), pd.concat([group] * 2)
    labels.index = twice.index
    cluster = pd.Series([i.rstrip("x") for i in twice.index], index=twice.index)
    naive, fair = keyness(twice, labels, target="a"), keyness(twice, labels, target="a", cluster=cluster)
    assert (fair["high"] - fair["low"] >= naive["high"] - naive["low"]).all()
    with pytest.raises(ValueError, match="cluster holds articles of both groups"):
        keyness(tokens, group, target="a", cluster=pd.Series("same", index=tokens.index))


def test_no_difference_is_rarely_called_one():
    rng = np.random.default_rng(5)
    words, hits, looked_at = np.array([f"w{i}" for i in range(40)]), 0, 0
    for _ in range(40):
        tokens = pd.Series([list(rng.choice(words[rng.permutation(40)[:15]], 60)) for _ in range(40)])
        out = keyness(tokens, pd.Series(["a", "b"] * 20), target="a")
        hits, looked_at = hits + (out["p"] < 0.05).sum(), looked_at + len(out)
    assert hits / looked_at < 0.07


def test_the_parts_of_a_word_shift_add_up():
    tokens = pd.Series([["good", "bad", "bad", "day"], ["good", "good", "bad"], ["fine", "good"]])
    scores = pd.Series({"good": 2.0, "bad": -1.5, "fine": 1.0})
    out = word_shift(tokens, pd.Series(["x", "y", "y"]), scores, target="x")
    mean_x, mean_y = (2 - 1.5 - 1.5) / 3, (2 + 2 - 1.5 + 1 + 2) / 5
    assert out["shift"].sum() == pytest.approx(mean_x - mean_y)
    assert out.loc["bad", "is_more"]
    with pytest.raises(ValueError, match="no word of group 'x' has a score"):
        word_shift(tokens, pd.Series(["x", "y", "y"]), pd.Series({"fine": 1.0}), target="x")


@pytest.mark.parametrize(
    ("tokens", "group", "error", "message"),
    [
        (["a"], pd.Series(["a"]), TypeError, "must be pandas Series"),
        (pd.Series([["a"], ["b"]]), pd.Series(["x", "y"], index=[5, 6]), ValueError, "must have the same index"),
        (pd.Series(["a b", "c"]), pd.Series(["x", "y"]), TypeError, "tokens holds a str at index 0"),
        (pd.Series([["a"], ["b"]]), pd.Series(["x", "y"]), ValueError, "at least 2 articles"),
        (pd.Series([["a"], ["b"]]), pd.Series(["z", "y"]), ValueError, "target='x' is not known; use 'z' or 'y'"),
    ],
)
def test_wrong_use(tokens, group, error, message):
    with pytest.raises(error, match=message):
        keyness(tokens, group, target="x")


def test_time_grows_with_the_text():
    import time

    def cpu(n):
        tokens, group = corpus(n=n)
        began = time.process_time()
        keyness(tokens, group, target="a")
        return time.process_time() - began

    cpu(200)
    assert cpu(16_000) < 2.6 * 4 * cpu(4_000) + 0.2


def test_figures_put_the_target_on_top():
    tokens, group = corpus()
    ax = figures.plot_keyness(keyness(tokens, group, target="a"), n=2)
    assert [t.get_text().split()[0] for t in ax.get_yticklabels()][:2] in (["key", "lock"], ["lock", "key"])
    assert ax.get_xlabel() == "all others  ←  log-odds  →  a"
    plt.close("all")
