import pandas as pd
import pytest

from analysis.encoder import targets
from analysis.framing import crosswalk, frames
from analysis.stance import entailment, fit_stance, stance

TEXT = pd.Series(
    [
        "“We will never build a back door into our customers’ phones,” the company said.",
        None,
        "Detectives warned that encryption lets child abusers hide from justice.",
        "  ",
    ],
    index=[2, 0, 2, 9],
    name="s",
)


def test_rows_index_and_missingness_are_kept():
    before = TEXT.copy()
    found = stance(TEXT)
    assert found.index.equals(TEXT.index)
    assert found["stance"].isna().tolist() == [False, True, False, True]
    assert found["evidence"].isna().tolist() == [False, True, False, True]
    assert found["stance"].dropna().tolist() == ["favour", "against"]
    pd.testing.assert_series_equal(TEXT, before)


def test_sides_add_up_and_confidence_is_the_largest():
    found = stance(TEXT).dropna()
    sides = found[["p_favour", "p_neutral", "p_against"]]
    assert sides.sum(axis=1).tolist() == pytest.approx([1, 1], abs=2e-4)
    assert found["confidence"].tolist() == sides.max(axis=1).tolist()


def test_evidence_points_at_the_words():
    for text, cues in zip(TEXT.iloc[[0, 2]], stance(TEXT)["evidence"].dropna(), strict=True):
        assert 1 <= len(cues) <= 3
        assert all(text[c["start"] : c["end"]] == c["cue"] and c["weight"] > 0 for c in cues)
        assert [c["weight"] for c in cues] == sorted((c["weight"] for c in cues), reverse=True)


def test_threshold_abstains_and_keeps_the_probabilities():
    found = stance(TEXT.iloc[[0]], threshold=0.9999)
    assert found["stance"].isna().all()
    assert found["p_favour"].notna().all()


def test_empty():
    found = stance(pd.Series([], dtype="str"))
    assert found.shape == (0, 6)
    assert frames(pd.Series([], dtype="str")).shape == (0, 13)


@pytest.mark.parametrize(
    ("kws", "message"),
    [
        ({"target": "nuclear"}, "use 'encryption' or 'access_measures'"),
        ({"threshold": 2}, "threshold=2"),
        ({"context": pd.Series(["a"])}, "must have the index of text"),
    ],
)
def test_wrong_arguments(kws, message):
    with pytest.raises(ValueError, match=message):
        stance(TEXT, **kws)


def test_wrong_text():
    with pytest.raises(TypeError, match="wrap it"):
        stance("Encryption is good.")
    with pytest.raises(TypeError, match="holds a int"):
        frames(pd.Series(["a", 3]))


def test_access_measures_is_a_target_of_its_own():
    text = pd.Series(["Ministers said that firms must scan every message for abuse images, and rightly so."])
    assert stance(text, target="access_measures").loc[0, "stance"] == "favour"
    assert set(targets()) == {"encryption", "access_measures"}


# An invented second topic: a toll on cars in the city centre.
FOR = [
    "The toll has cleared the air in {}, {} said.", "{1} called the {0} toll the best thing the city ever did.",
    "Bus times in {} have improved thanks to the toll, according to {}.", "“Keep the toll in {},” {} urged.",
    "{1} wants the toll extended to every street in {0}.", "Without the toll, {} would choke again, {} argued.",
    "{1} praised the {0} toll for making children healthier.", "The toll in {} is fair, {} insisted.",
]  # fmt: skip
AGAINST = [
    "The toll is killing shops in {}, {} said.", "{1} called the {0} toll a tax on the poor.",
    "“Scrap the toll in {},” {} demanded.", "The toll punishes nurses who drive through {}, according to {}.",
    "{1} vowed to tear down every toll camera in {0}.", "The toll in {} has failed, {} complained.",
    "{1} fears that the toll will empty the centre of {0}.", "Nobody in {} asked for this unfair toll, {} argued.",
]  # fmt: skip
NEUTRAL = [
    "The toll in {} starts at seven in the morning, {} said.", "{1} will count the cars that pay the {0} toll.",
    "The toll in {} was first proposed in 2011, according to {}.", "{1} asked how the toll in {0} would be collected.",
    "A vote on the {} toll is due in June, {} confirmed.", "The toll covers two square miles of {}, {} explained.",
    "{1} read out the dates of the {0} toll.", "Cameras read number plates for the {} toll, {} noted.",
]  # fmt: skip
TOWNS = ["Harrowby", "Millport", "Eastvale", "Corbridge", "Ashby", "Stonehaven"]
PEOPLE = ["a councillor", "the mayor", "one driver", "the transport office", "a shopkeeper", "Dr. Lowe"]


def toll(templates, code):
    rows = [(t.format(town, who), code) for t in templates for town, who in zip(TOWNS, PEOPLE, strict=True)]
    return pd.DataFrame(rows, columns=["text", "stance"])


def test_a_second_topic_is_learned_from_its_own_codes():
    train = pd.concat([toll(t[:6], c) for t, c in [(FOR, "favour"), (AGAINST, "against"), (NEUTRAL, "neutral")]])
    unseen = pd.concat([toll(t[6:], c) for t, c in [(FOR, "favour"), (AGAINST, "against"), (NEUTRAL, "neutral")]])
    found = stance(unseen["text"], target=fit_stance(train, name="toll", mentions=[r"\btoll"]))
    assert (found["stance"] == unseen["stance"]).mean() > 0.7


def test_fit_stance_says_what_it_needs():
    few = pd.DataFrame({"text": ["a", "b"], "stance": ["favour", "against"]})
    with pytest.raises(ValueError, match="five sentences each"):
        fit_stance(few, name="x", mentions=["x"])
    with pytest.raises(ValueError, match="list of regular expressions"):
        fit_stance(toll(FOR + AGAINST, "favour").assign(stance=["favour", "against"] * 48), name="x", mentions="x")
    with pytest.raises(ValueError, match="'pro' is not known"):
        fit_stance(few.replace("favour", "pro"), name="x", mentions=["x"])


def test_frames_are_probabilities_of_the_codebook():
    found = frames(TEXT)
    p = found.filter(like="p_")
    assert p.shape == (4, 10)
    assert p.dropna().sum(axis=1).tolist() == pytest.approx([1, 1], abs=1e-3)
    assert found["frame"].isna().tolist() == [False, True, False, True]
    assert (found["frame"].dropna() == p.dropna().idxmax(axis=1).str.removeprefix("p_")).all()


@pytest.mark.parametrize(("scheme", "pairs", "others"), [("policy", 19, 13), ("generic", 17, 5)])
def test_crosswalk_covers_all_nine_frames(scheme, pairs, others):
    walk = crosswalk(scheme)
    assert (len(walk), walk["frame"].nunique(), walk["other"].nunique()) == (pairs, 9, others)


def test_a_model_of_the_user_answers_in_place_of_the_encoder():
    context = pd.Series(["Before.", None, None, None], index=TEXT.index)
    asked = []

    def model(texts, contexts):
        asked.extend(zip(texts, contexts, strict=True))
        return [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]

    found = stance(TEXT, context=context, model=model)
    assert asked == [(TEXT.iloc[0], "Before."), (TEXT.iloc[2], "")]
    assert found["stance"].fillna("-").tolist() == ["favour", "-", "against", "-"]
    assert found["confidence"].dropna().tolist() == [0.7, 0.6]
    assert found["evidence"].isna().all()
    assert stance(TEXT, model=model, threshold=0.65)["stance"].fillna("-").tolist() == ["favour", "-", "-", "-"]
    assert stance(pd.Series([], dtype="str"), model=model).shape == (0, 6)


@pytest.mark.parametrize("answer", [[[0.5, 0.5]], [[1, 1, 1], [1, 0, 0]], [[float("nan")] * 3] * 2])
def test_a_model_that_gives_no_probabilities_is_named(answer):
    with pytest.raises(ValueError, match="must give three probabilities"):
        stance(TEXT, model=lambda texts, contexts: answer)


def test_entailment_with_a_tiny_model(tmp_path):
    pytest.importorskip("torch", reason="needs torch and transformers, which the package does not")
    transformers = pytest.importorskip("transformers", reason="needs transformers, which the package does not")
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *"the speaker supports opposes encryption or . end to".split(),
    ]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    labels = {0: "contradiction", 1: "entailment", 2: "neutral"}
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        num_labels=3, id2label=labels, label2id={v: k for k, v in labels.items()},
    )  # fmt: skip
    transformers.set_seed(0)
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    found = stance(TEXT, model=entailment(tmp_path, size=1))
    again = stance(TEXT, model=entailment(tmp_path, size=8))
    assert found["stance"].notna().tolist() == [True, False, True, False]
    pd.testing.assert_frame_equal(found, again, atol=2e-4)
    with pytest.raises(ValueError, match="entails='yes' is not known; use 'contradiction', 'entailment' or 'neutral'"):
        entailment(tmp_path, entails="yes")
