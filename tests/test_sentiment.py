import hashlib
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.codebook import RESOURCES
from analysis.sentiment import COLUMNS, mean_sentiment, sentiment, tone

SCORES = COLUMNS[:4]
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="needs the development data in ../shared")
# Words that VADER has rules for, and marks, cases and characters that its reading of words turns on.
RULED = """
    good bad great horrible no not never without doubt isn't ain't so this very kinda kind sort of just enough least at
    or nor but the shit bomb ass bus stop yeah right kiss death to die for beating heart badass fed up plain words I A
    NATO İ ß ǅ :) :D :-Þ ok! ! ? ??? 😀 😀good 🔛 ❤️ isn’t
""".split()  # fmt: skip


@pytest.fixture(scope="module")
def reference():
    vader = pytest.importorskip("vaderSentiment.vaderSentiment", reason="needs vaderSentiment 3.3.2, the oracle")
    return vader.SentimentIntensityAnalyzer()


def assert_equal(texts, reference, **options):
    ours = sentiment(pd.Series(texts, dtype=object), **options)[SCORES].to_numpy()
    theirs = np.array([[reference.polarity_scores(text)[name] for name in SCORES] for text in texts]).reshape(-1, 4)
    different = np.flatnonzero((ours != theirs).any(axis=1))
    assert not different.size, (texts[different[0]], ours[different[0]], theirs[different[0]])


def compound(text, **options):
    return sentiment(pd.Series([text]), **options)["compound"].iloc[0]


def test_one_word_by_pencil():
    # good is worth 1.9: 1.9 / sqrt(1.9² + 15) = .4404; its weight is 2.9 beside one word of weight 1.
    assert sentiment(pd.Series(["Good keys"])).loc[0].tolist() == [0, 0.256, 0.744, 0.4404, 1]
    assert compound("Good keys!") == round(2.192 / (2.192**2 + 15) ** 0.5, 4)
    assert compound("Not good") == round(1.9 * -0.74 / ((1.9 * 0.74) ** 2 + 15) ** 0.5, 4)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("the app :Þ", "the app :þ"),  # listed with a capital, looked up without
        ("they are fed up", "they are up there"),  # an entry with a space
        ("kind of app", "the new app"),
    ],
)
def test_quirks_that_change_nothing(text, same, reference):
    assert_equal([text, same], reference)
    assert compound(text) == compound(same) == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("we think this good", 1.9 * 1.25),  # strengthened without "never" once three words precede
        ("think this good", 1.9),
        ("the kiss of death", 1.8 - 1.5),  # an idiom from the fourth word on
        ("kiss of death", 1.8 - 2.9),  # kiss and death
        ("good but good", 1.9 * 0.5 + 1.9 * 1.5),  # the first turn halves, the second raises the other
        ("good good but good", 1.9 * 0.5 * 2 + 1.9 * 1.5),
        ("good but bad bad", 1.9 * 0.5 + (-2.5 * 1.5 - 2.5 * 1.5)),
        ("no good", 1.9 * -0.74),
        ("I say it is GOOD", 1.9 + 0.733),
        ("GOOD 5", 1.9 + 0.733),
        ("GOOD", 1.9),  # capitals count only beside small letters
        ("good??", 1.9 + 0.36),
        ("good???????", 1.9 + 0.96),
        ("good!!!!!!!", 1.9 + 4 * 0.292),
    ],
)
def test_quirks_by_pencil(text, value, reference):
    assert compound(text) == pytest.approx(value / (value**2 + 15) ** 0.5, abs=6e-5)
    assert_equal([text], reference)


def test_every_emoji_and_every_entry(reference):
    emoji = list(reference.emojis)
    entries = list(reference.lexicon)
    texts = emoji + [f"a{e}b" for e in emoji] + entries + [word.upper() for word in entries]
    assert_equal(texts + [f"It is not {word} here" for word in entries], reference)


def test_every_order_of_three_ruled_words_before_a_tone(reference):
    words = [*RULED[:36], "plain"]
    assert_equal([" ".join([*before, "good here"]) for before in itertools.product(words, repeat=3)], reference)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.sampled_from(RULED) | st.text(max_size=6), max_size=14), max_size=8), st.data())
def test_nonsense_equals_the_reference(reference, texts, data):
    change = st.sampled_from([str, str.upper, str.title, "{}!".format, '"{}"'.format, "{}--".format])
    space = st.sampled_from([" ", " ", "\n", "\x1c", "\u2003", ""])
    assert_equal(
        ["".join(data.draw(change)(word) + data.draw(space) for word in text) for text in texts],
        reference,
    )


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=60))
def test_any_string_equals_the_reference(reference, text):
    assert_equal([text], reference)


def test_long_texts_and_batches_equal_the_reference(reference):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(RULED, size)) for size in [600, 900, *rng.integers(0, 9, 3000)]]
    assert_equal([*texts, "x" * 40_000, ("x" * 20_000 + " good ") * 3, "good but\u2003" * 300], reference)


@needs_data
@pytest.mark.parametrize("name", ["nytEditorialSnippets", "tweets"])
def test_rated_sentences_equal_the_reference(reference, name):
    lines = (DATA / "sentiment_vader" / f"{name}_GroundTruth.txt").read_text(encoding="latin-1").split("\n")
    assert_equal([line.split("\t")[-1] for line in lines], reference)


@needs_data
@pytest.mark.slow
def test_articles_equal_the_reference(reference):
    articles = pd.read_json(DATA / "abp" / "topical_subset.jsonl.gz", lines=True)["content_original"]
    assert_equal(articles.dropna().sample(100, random_state=0).tolist(), reference)


def test_mask_is_a_lexicon_without_the_words(reference):
    words = {"good", "no", "kind", "death"}
    kept = dict(reference.lexicon)
    try:
        reference.lexicon = {word: value for word, value in kept.items() if word not in words}
        texts = [" ".join(order) for order in itertools.permutations(["no", "good", "kind", "of", "bad", "death"])]
        assert_equal(texts, reference, mask=[word.upper() for word in words])
    finally:
        reference.lexicon = kept


def test_shipped_mask_names_words_of_the_lexicon_and_gives_reasons():
    mask = pd.read_csv(RESOURCES / "sentiment_mask.csv", keep_default_na=False)
    lexicon = (RESOURCES / "vader_lexicon.txt").read_text(encoding="utf-8")
    assert all(f"\n{term}\t" in lexicon for term in mask["term"])
    assert mask["term"].is_unique
    assert (mask["reason"] != "").all()
    text = pd.Series(["Abuse is a crime against child safety and security, say terrible critics."])
    assert sentiment(text)["n_cues"].tolist() == [6]
    assert sentiment(text, mask=True)["n_cues"].tolist() == [2]


def test_curly_quotes_are_read_on_request():
    text = pd.Series(["It isn’t good", "It isn't good"])
    assert sentiment(text)["compound"].tolist() == [0.4404, -0.3412]
    assert sentiment(text, normalize=True)["compound"].tolist() == [-0.3412, -0.3412]
    assert mean_sentiment(text)["compound"].tolist() == [-0.3412, -0.3412]


@pytest.mark.parametrize("measure", [sentiment, mean_sentiment, tone])
def test_index_order_and_missing_values_survive(measure):
    text = pd.Series(["Good.", None, "Bad.", pd.NA, "", "Good."], index=list("bbacda"), name="line", dtype=object)
    before = text.copy()
    result = measure(text)
    pd.testing.assert_series_equal(text, before)
    pd.testing.assert_index_equal(result.index, text.index)
    table = result.to_frame() if isinstance(result, pd.Series) else result
    assert table.iloc[[1, 3]].isna().all(axis=None)
    pd.testing.assert_frame_equal(table.iloc[[0]], table.iloc[[5]].set_axis(["b"]))
    empty = measure(pd.Series([], dtype="str"))
    assert len(empty) == 0
    for dtype in ("str", "string"):
        pd.testing.assert_frame_equal(pd.DataFrame(measure(text.astype(dtype))), table)


def test_columns_and_types():
    assert sentiment(pd.Series(["Good", None])).dtypes.astype(str).to_dict() == {
        **dict.fromkeys(SCORES, "float64"),
        "n_cues": "Int64",
    }


def test_mean_is_over_sentences_with_a_cue():
    text = pd.Series(["It is good. It is bad. Apple met police.", "Apple met police.", ""], index=["a", "a", "b"])
    table = mean_sentiment(text)
    assert table["compound"].iloc[0] == pytest.approx((0.4404 - 0.5423) / 2)
    assert table[["n_cues", "n_scored", "n_sentences"]].to_numpy().tolist() == [[2, 2, 3], [0, 0, 1], [0, 0, 0]]
    assert table[SCORES].iloc[1:].isna().all(axis=None)


def test_tone_toward_a_target():
    text = pd.Series(["Parents love the nurse but hate the broker.", "No one is named.", None], index=[1, 1, 2])
    broker = sentiment(text, target="Broker")
    assert broker["compound"].iloc[0] < 0 < sentiment(text, target="nurse")["compound"].iloc[0]
    assert broker["n_cues"].tolist() == [1, 0, pd.NA]
    assert broker[SCORES].isna().all(axis=1).tolist() == [False, True, True]
    assert broker.iloc[0][["neg", "neu", "pos"]].sum() == pytest.approx(1, abs=2e-4)
    offsets = pd.DataFrame({"start": [36, np.nan, 0], "end": [42, np.nan, 1]}, index=text.index)
    pd.testing.assert_frame_equal(sentiment(text, target=offsets), broker)
    pd.testing.assert_frame_equal(sentiment(text, target=pd.Series(["broker", None, "x"], index=text.index)), broker)
    assert sentiment(pd.Series(["nurses"]), target="nurse")["n_cues"].tolist() == [0]


def test_tone_weights_belong_to_the_encoder():
    notes = (RESOURCES / "tone.csv").read_text(encoding="utf-8")
    digest = hashlib.sha256((RESOURCES / "encoder.onnx").read_bytes()).hexdigest()
    assert digest in notes, "the encoder has changed: python benchmarks/sentiment.py --fit"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mask": "abuse"}, TypeError, "write ['abuse']"),
        ({"mask": 3}, TypeError, "list of words"),
        ({"mask": [3]}, TypeError, "holds a int: 3"),
        ({"mask": ["child abuse"]}, ValueError, "'child abuse', which can never match"),
        ({"mask": [""]}, ValueError, "can never match"),
        ({"normalize": 1}, TypeError, "True or False"),
        ({"target": 3}, TypeError, "DataFrame of offsets, not 3"),
        ({"target": " "}, ValueError, "is empty"),
        ({"target": pd.Series(["a"], index=[7])}, ValueError, "must have the index of text"),
        ({"target": pd.DataFrame({"start": [0]})}, ValueError, "no column 'end'"),
        ({"target": pd.DataFrame({"start": [0], "end": [99]})}, ValueError, "outside the text"),
        ({"target": "good", "mask": True}, ValueError, "one of the two"),
    ],
)
def test_wrong_options_say_what_would_work(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        sentiment(pd.Series(["good"]), **options)


@pytest.mark.parametrize("measure", [sentiment, mean_sentiment, tone])
@pytest.mark.parametrize("wrong", ["good", ["good"], pd.Series([b"good"]), pd.Series(["good", 1.5]), None])
def test_wrong_text_is_refused(measure, wrong):
    with pytest.raises(TypeError, match="text"):
        measure(wrong)


def test_lone_surrogates_are_words():
    assert sentiment(pd.Series(["good \ud800"], dtype=object))["compound"].tolist() == [0.4404]
    assert tone(pd.Series(["good \ud800"], dtype=object)).notna().all()


@pytest.mark.slow
def test_huge_input():
    assert (sentiment(pd.Series(["so good, " * 11_000_000]))["n_cues"] == 11_000_000).all()
    assert sentiment(pd.Series(["x" * 100_000_000]))["neu"].tolist() == [1]
    assert (sentiment(pd.Series([""] * 1_000_000))["n_cues"] == 0).all()
