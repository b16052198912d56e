import numpy as np
import pandas as pd
import pytest

from analysis import encoder

TEXTS = pd.Series(
    ["Encryption keeps families safe, the firm said.", None, "Police say it shields criminals.", ""], index=[3, 1, 3, 7]
)


def test_file_is_small_and_says_what_it_is():
    assert (encoder.RESOURCES / "encoder.onnx").stat().st_size < 30e6


def test_a_row_does_not_depend_on_its_neighbours():
    alone = encoder.encode(["Encryption keeps families safe."], [""])[0]
    crowd = encoder.encode(
        ["Short.", "Encryption keeps families safe.", "Police say it helps criminals hide."], [""] * 3
    )
    np.testing.assert_allclose(alone.states, crowd[1].states, atol=1e-5)


def test_context_changes_the_vectors_but_not_the_offsets():
    without, with_context = encoder.encode(["He refused."] * 2, ["", "The chief asked for a key."])
    assert without.offsets == with_context.offsets == [(0, 2), (3, 10), (10, 11)]
    assert abs(without.states - with_context.states).max() > 0.01


def test_shares_are_averages_over_sentence_and_mentions():
    rows = encoder.shares([(0, 2), (3, 6), (6, 9), (10, 12)], [(3, 9)])
    np.testing.assert_allclose(rows, [[0.25] * 4, [0, 0.5, 0.5, 0]])
    np.testing.assert_allclose(encoder.shares([(0, 2), (3, 6)], []), [[0.5, 0.5]] * 2)


def test_contributions_sum_to_the_score():
    rng = np.random.default_rng(0)
    seen = encoder.Vectors(rng.normal(size=(5, 384)).astype("f4"), [(i, i + 1) for i in range(5)])
    weight = rng.normal(size=768).astype("f4")
    where = [(1, 3)]
    assert encoder.contributions(seen, where, weight).sum() == pytest.approx(
        weight @ encoder.pooled(seen, where), rel=1e-4
    )


def test_heads_keep_index_and_missingness():
    found = encoder.heads(TEXTS, names=["frame", "attribution"])
    for frame in found.values():
        assert frame.index.equals(TEXTS.index)
        assert frame.isna().all(axis=1).tolist() == [False, True, False, True]
        assert frame.sum(axis=1)[frame.notna().all(axis=1)].tolist() == pytest.approx([1, 1], abs=1e-3)


def test_targeted_reads_the_mention():
    text = pd.Series(["The brave nurse was betrayed by a greedy, lying broker."] * 2, index=["a", "b"])
    found = encoder.targeted(text, pd.Series([0, 32]), pd.Series([15, 54]))
    assert found.index.tolist() == ["a", "b"]
    assert found.loc["b"].idxmax() == "negative"
    assert found.loc["a", "positive"] > found.loc["b", "positive"]


def test_targeted_missing_offsets_are_missing():
    text = pd.Series(["The nurse won.", None, "The nurse won."])
    found = encoder.targeted(text, pd.Series([0, 0, None]), pd.Series([9, 9, 9]))
    assert found.isna().all(axis=1).tolist() == [False, True, True]


def test_targeted_offsets_outside():
    with pytest.raises(ValueError, match="start=0, end=99 at index 5"):
        encoder.targeted(pd.Series(["The nurse won."], index=[5]), pd.Series([0]), pd.Series([99]))


def test_unknown_head_lists_the_heads():
    with pytest.raises(ValueError, match="'attribution'"):
        encoder.head("tone")


@pytest.mark.parametrize("text", ["", "\ud800 lone", "\u200b", "a" * 5000, "🔒 emoji", "[SEP]"])
def test_odd_text_never_raises(text):
    assert len(encoder.heads(pd.Series([text], dtype=object), names=["stance"])["stance"]) == 1


def test_logistic_regression_separates_what_can_be_separated():
    x = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]])
    truth = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    head = encoder.fit_head(x, truth, ["up", "right"], penalty=0.1)
    assert head.probabilities(x).argmax(axis=1).tolist() == [0, 0, 1, 1]
