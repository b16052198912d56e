"""Copies of the same text: exact similarity against a plain loop, planted copies, order, and missing text."""

import pathlib
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import _copies
from analysis._copies import copies, copy_pairs, copy_sensitivity, copy_weights

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "data" / "sample" / "articles.csv"


def table(*texts, ids=None):
    return pd.DataFrame({"text": list(texts)}, index=ids or [f"t{i}" for i in range(len(texts))])


def invented(n, words=120, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(f"w{i}" for i in rng.integers(0, 3000, words)) for _ in range(n)]


def overlap(one, other):
    """Share of the words of the shorter text that stand in runs of three of the longer, by a plain loop."""
    short, long = sorted((re.findall("[a-z0-9]+", t.lower()) for t in (one, other)), key=len)
    runs = {tuple(long[i : i + 3]) for i in range(len(long) - 2)}
    inside = {i + k for i in range(len(short) - 2) if tuple(short[i : i + 3]) in runs for k in range(3)}
    return len(inside) / len(short)


def test_similarity_by_pencil():
    # eight words, of which "one two three four" and "six seven eight" stand in the other text: 7/8
    out = copy_pairs(table("one two three four x six seven eight", "six seven eight nine one two three four ten"))
    assert out.to_numpy().tolist() == [["t0", "t1", 0.875]]


@given(
    st.lists(st.sampled_from("abcd"), min_size=3, max_size=30),
    st.lists(st.sampled_from("abcd"), min_size=3, max_size=40),
)
def test_similarity_equals_a_plain_loop(one, other):
    # short texts: every run is in the sketch; of two texts of one length either may be the shorter
    one, other = " ".join(one), " ".join(other)
    wanted = {overlap(one, other), overlap(other, one)}
    got = copy_pairs(table(one, other), threshold=0.05)["similarity"].tolist()
    assert any(s == pytest.approx(w) for s in got for w in wanted) or (not got and min(wanted) < 0.05)


def test_planted_copies_of_the_sample_are_found_and_nothing_else():
    data = pd.read_csv(SAMPLE).set_index("article_id")
    root = data["copy_of"].fillna(data.index.to_series())
    root = root.map(root)
    group = copies(data)
    assert group.index.equals(data.index)
    assert group.tolist() == root.tolist()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6])
def test_rewritten_and_cut_copies_are_found(share):
    texts = invented(40, words=200)
    rng, edited = np.random.default_rng(1), []
    for text in texts:
        blocks = [text.split()[i : i + 10] for i in range(0, 200, 10)]
        for i in rng.permutation(20)[: round(share * 20)]:
            blocks[i] = invented(1, words=10, seed=int(rng.integers(10**6)))[0].split()
        edited.append(" ".join(w for block in blocks for w in block))
    cut = [" ".join(text.split()[: round(200 * (1 - share))]) for text in texts]
    ids = [f"{kind}{i}" for kind in ("a", "b", "c") for i in range(40)]
    group = copies(table(*texts, *edited, *cut, ids=ids), threshold=0.35)
    assert group.tolist() == [f"a{i}" for i in range(40)] * 3


def test_many_copies_of_one_text_are_one_group():
    # more than the neighbours that a text is paired with, and with the last changed beyond likeness to the others
    text = invented(1, words=300)[0]
    texts = [f"{text} {tail}" for tail in invented(60, words=30, seed=2)]
    assert copies(table(*texts)).eq("t0").all()


def test_stock_phrases_do_not_make_copies():
    texts = [f"{a} subscribe to our daily newsletter for more stories like this one {b}" for a, b in zip(
        invented(300, 60), invented(300, 60, seed=3), strict=True)]  # fmt: skip
    assert copies(table(*texts)).is_unique


def test_groups_do_not_depend_on_case_punctuation_or_spacing():
    text = "“Nobody is banning anything,” the minister’s office said – again – on Friday; nobody at all."
    plain = "nobody is banning anything the minister s office SAID again on   friday nobody\nat all"
    assert copy_pairs(table(text, plain))["similarity"].tolist() == [1.0]
    assert copies(table("l’été à Besançon est très chaud", "L'ÉTÉ À BESANÇON EST TRÈS CHAUD")).tolist() == ["t0", "t0"]


def test_the_first_article_names_the_group_and_the_index_survives():
    one, two = invented(2)
    data = table(one, two, one, None, two + " end", "", "two words", "two words", ids=list("hgfedcba"))
    before = data.copy(deep=True)
    out = copies(data)
    assert out.index.tolist() == list("hgfedcba")
    assert out.tolist() == ["h", "g", "h", "e", "g", "c", "b", "a"]
    assert (out.name, out.index.name) == ("copy_group", data.index.name)
    pd.testing.assert_frame_equal(data, before)
    assert copies(data.iloc[:0]).empty
    assert copies(table(None, None)).tolist() == ["t0", "t1"]
    assert copies(table()).tolist() == []


def test_numbers_as_index():
    one, two = invented(2)
    assert copies(table(one, two, one, ids=[30, 20, 10])).tolist() == [30, 20, 30]


def test_result_does_not_depend_on_how_text_is_batched(monkeypatch):
    data = table(*invented(20), *invented(20), "", None)
    whole = copies(data)
    monkeypatch.setattr(_copies, "_BYTES", 100)
    assert copies(data).equals(whole)


def test_weights_of_a_group_sum_to_one():
    group = copies(table(*invented(3), *invented(2)))
    weight = copy_weights(group)
    assert weight.tolist() == [0.5, 0.5, 1.0, 0.5, 0.5]
    assert weight.index.equals(group.index)
    assert weight.name == "weight"


def test_sensitivity_counts_groups_at_each_threshold():
    one = invented(1, words=100)[0]
    half = " ".join(one.split()[:60] + invented(1, words=40, seed=5)[0].split())
    out = copy_sensitivity(table(one, one, half, *invented(2, seed=9)), thresholds=[0.9, 0.5])
    assert out.to_numpy().tolist() == [[0.5, 3, 1, 2, 0.4, 3], [0.9, 1, 1, 1, 0.2, 2]]


def test_refusals():
    with pytest.raises(ValueError, match="articles has no column 'text'"):
        copies(pd.DataFrame({"body": ["a"]}))
    with pytest.raises(TypeError, match="articles must be a pandas DataFrame"):
        copies(pd.Series(["a"]))
    with pytest.raises(TypeError, match="text holds a int"):
        copies(pd.DataFrame({"text": [1]}))
    with pytest.raises(ValueError, match="repeats the id 'x'"):
        copies(table("a", "b", ids=["x", "x"]))
    with pytest.raises(ValueError, match="threshold=50"):
        copies(table("a"), threshold=50)
    with pytest.raises(TypeError, match="group must be a pandas Series"):
        copy_weights([1])
