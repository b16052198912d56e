"""Sentences, tokens, n-grams, concordance and collocations."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nltk.metrics import BigramAssocMeasures
from nltk.tokenize import NLTKWordTokenizer

from analysis.lexicon import match, read_lexicon
from analysis.text import collocations, concordance, ngrams, sentences, spans, tokenize

PASSAGES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "benchmarks/boundaries.jsonl").read_text(encoding="utf-8").splitlines()
]
# Any code point, lone surrogates included, with the marks that rules look at drawn more often.
STRINGS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=[]), max_size=8),
        st.sampled_from(
            [
                *[
                    ". ",
                    "? ",
                    "!” ",
                    "...",
                    "…",
                    '"',
                    "\n",
                    "\n\n",
                    "\r\n",
                    " ",
                    "said.Then",
                    "[1]",
                    "1. ",
                    "J. ",
                    "a.m. ",
                ],
                *["Mr. ", "U.S. ", "n't", "don’t", "cannot", "https://a.b/", "@x", "#y"],
                *["e\u0301", "\u00ad", "\u200b", "\ud83d"],
            ]
        ),
    ),
    max_size=12,
).map("".join)


def cut(string):
    return sentences(pd.Series([string], dtype=object))["text"].tolist()


def tokens(string):
    return tokenize(pd.Series([string], dtype=object)).iloc[0]


# --- every function: index, missingness, purity, errors


@pytest.mark.parametrize("function", [sentences, spans, match, lambda text: concordance(text, "a")])
def test_tables_say_which_text_and_skip_the_missing(function):
    text = pd.Series(
        ["a Signal app. b a", None, "", "a"], index=pd.Index(["x", "y", "x", "x"], name="id"), dtype=object
    )
    before = text.copy()
    table = function(text)
    assert set(table.get("article_id", table.index)) == {"x"}
    pd.testing.assert_series_equal(text, before)
    empty = function(text[:0])
    assert len(empty) == 0
    assert list(empty.columns) == list(table.columns)
    assert empty.get("start", pd.Series(dtype="int64")).dtype == "int64"


@pytest.mark.parametrize("function", [tokenize, ngrams])
def test_series_keep_index_name_and_missing(function):
    text = pd.Series(["a b", None, "", pd.NA], index=[3, 1, 1, 2], name="text", dtype=object)
    result = function(text)
    assert result.index.equals(text.index)
    assert result.name == "text"
    assert result.isna().tolist() == [False, True, False, True]
    assert result.iloc[2] == []
    assert function(text[:0]).empty


@pytest.mark.parametrize("function", [sentences, tokenize, spans, ngrams, collocations, match])
@pytest.mark.parametrize("wrong", ["text", ["text"], None, pd.Series([1.5]), pd.Series([b"text"]), pd.Series(["a", 1])])
def test_wrong_input_is_a_type_error(function, wrong):
    with pytest.raises(TypeError, match="text"):
        function(wrong)


def test_columns_are_the_contract():
    text = pd.Series(["Back doors. No."], index=["a"])
    assert list(sentences(text)) == ["article_id", "sentence", "start", "end", "text"]
    assert list(spans(text)) == ["article_id", "token", "start", "end"]
    assert list(concordance(text, "no")) == ["left", "match", "right", "start", "end"]


@given(STRINGS)
@example("\ud800")
@example("..x" * 5)
def test_offsets_give_back_the_text_and_lose_only_space(string):
    text = pd.Series([string], dtype=object)
    for table, column in ((sentences(text), "text"), (spans(text), "token")):
        free = 0
        for piece, start, end in zip(table[column], table["start"], table["end"], strict=True):
            assert string[start:end] == piece
            assert piece == piece.strip() != ""
            assert string[free:start].strip() == ""
            free = end
        assert string[free:].strip() == ""
    assert spans(text)["token"].tolist() == tokens(string)
    for found in (match(text, LEXICON), concordance(text, ["a*", "."])):
        assert [string[a:b] for a, b in zip(found["start"], found["end"], strict=True)] == found["match"].tolist()


LEXICON = read_lexicon()


@pytest.mark.parametrize(
    "unit", [".", "..x", ". ", "\n", "a.", "a-", "a\u200b", ".)", "e\u0301", "http://.", '?" A', "J. "]
)
def test_nasty_strings_cost_no_more_than_their_length(unit):
    string = unit * 30_000  # a square would take minutes
    cut(string)
    tokens(string)
    match(pd.Series([string]), LEXICON)


# --- sentences


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: f"{passage['kind']}: {passage['text'][:30]}")
def test_passages(passage):
    if passage["text"].startswith(("Oaken left", "He works for Veltrix", "She studied", "The site, Rew")):
        pytest.xfail("no rule without knowledge of names can tell")
    if passage["text"].startswith("Sen. Ruth Amos, R-Va."):
        pytest.xfail("a quotation that ends in a stop inside its sentence")
    assert sentences(pd.Series([passage["text"]]))["end"].tolist() == passage["ends"]


def test_a_hard_wrapped_text_is_not_cut_at_its_lines():
    assert cut("The plan was\nset aside by Tim\nHolt. It was\nnever read.") == [
        "The plan was\nset aside by Tim\nHolt.",
        "It was\nnever read.",
    ]
    assert cut("Plan set aside\nTim Holt said so.\nHe left.") == ["Plan set aside", "Tim Holt said so.", "He left."]


# --- tokens


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("Sen. Holt of the U.K. met Lt. Gov. Quist.", "Sen.|Holt|of|the|U.K.|met|Lt.|Gov.|Quist|."),
        ("No. 10 and s. 121 of H.R. 1234 at 9 a.m.", "No.|10|and|s.|121|of|H.R.|1234|at|9|a.m."),
        ("No. He said £3.5m, $5, 50% and 10,000 at 12:30.", "No|.|He|said|£|3.5m|,|$|5|,|50|%|and|10,000|at|12:30|."),
        ("I can't, don’t, cannot; it’s O’Brien’s.", "I|ca|n't|,|do|n’t|,|can|not|;|it|’s|O’Brien|’s|."),
        ("E2EE/end-to-end e-mail, pre- and post-war", "E2EE/end-to-end|e-mail|,|pre-|and|post-war"),
        ("See https://a.uk/b?c=1, or (www.b.uk).", "See|https://a.uk/b?c=1|,|or|(|www.b.uk|)|."),
        ("@ofcom #ChatControl me@b.uk AT&T LGBTQ+", "@ofcom|#ChatControl|me@b.uk|AT&T|LGBTQ+"),
        ("He said.Then… ... -- x—y", "He|said|.|Then|…|...|--|x|—|y"),
        ("safe😀👍🏽🇬🇧", "safe|😀|👍🏽|🇬🇧"),
        ("enc\u00adryption \u200ehi a\xa0b", "enc\u00adryption|\u200e|hi|a|b"),
        ("J. Smith left X. Then Malcolm X.", "J.|Smith|left|X|.|Then|Malcolm|X|."),
        ("“No,” she said. 'Yes'", "“|No|,|”|she|said|.|'|Yes|'"),
        ("Yahoo! said", "Yahoo|!|said"),
        ("cafe\u0301 हिन्दी", "cafe\u0301|हिन्दी"),
    ],
)
def test_tokens(string, expected):
    assert tokens(string) == expected.split("|")


def test_stems_join_the_forms_of_a_word():
    text = pd.Series(
        ["Encrypting, Encrypted ENCRYPTION’s “scanners” \udc80 abused abuses", None],
        index=["b", "b"],
        name="x",
        dtype=object,
    )
    stems = tokenize(text, stem=True)
    assert stems.iloc[0][:4] == ["encrypt", ",", "encrypt", "encrypt"]
    assert stems.iloc[0][-2:] == ["abus", "abus"]
    assert len(stems.iloc[0]) == len(tokenize(text).iloc[0])
    assert stems.isna().tolist() == [False, True]
    assert (list(stems.index), stems.name) == (["b", "b"], "x")


def test_plain_sentences_have_nltk_s_tokens():
    for string in [
        "The minister, who hadn't read it, said it'd cost $3.88 (or 40%).",
        "Isn't the U.S. plan for end-to-end encryption a well-known trade-off; and/or a trap?",
        "They're told: scan 10,000 photos -- or I'll cannot go on...",
        "What's theirs isn't the boys' idea!",
    ]:
        assert tokens(string) == NLTKWordTokenizer().tokenize(string)


@pytest.mark.parametrize(
    ("string", "nltk", "ours"),
    [
        ('a "b" c', "a `` b '' c", 'a " b " c'),
        ("don’t", "don ’ t", "do n’t"),
        ("O’Brien", "O ’ Brien", "O’Brien"),
        ("didn't/", "didn't/", "did n't /"),
        ("York. Then he left", "York. Then he left", "York . Then he left"),
        ("the U.K.", "the U.K .", "the U.K."),
        ("on X. Then he left", "on X. Then he left", "on X . Then he left"),
        ("https://a.uk", "https : //a.uk", "https://a.uk"),
        ("@name #tag", "@ name # tag", "@name #tag"),
        ("AT&T", "AT & T", "AT&T"),
        ("£3.5m", "£3.5m", "£ 3.5m"),
        ("safe😀 5°", "safe😀 5°", "safe 😀 5 °"),
        ("~x E2EE/ |E2EE", "~x E2EE/ |E2EE", "~ x E2EE / | E2EE"),
        ("\u200ehi", "\u200ehi", "\u200e hi"),
        ("12:30 a:1", "12:30 a:1", "12:30 a : 1"),
        ("a --- b", "a -- - b", "a --- b"),
        ("I'm gonna", "I 'm gon na", "I 'm gonna"),
    ],
)
def test_every_class_where_tokens_part_from_nltk_s(string, nltk, ours):
    # The table at the top of analysis.text, row by row.
    assert NLTKWordTokenizer().tokenize(string) == nltk.split(" ")
    assert tokens(string) == ours.split(" ")


def test_lower_comes_after_cutting():
    assert tokenize(pd.Series(["NO. Mr. X"]), lower=True).iloc[0] == ["no", ".", "mr.", "x"]


# --- n-grams and collocations


def test_ngrams_stop_at_marks_and_sentence_ends():
    assert ngrams(pd.Series(["One two, three four five. Six"]), n=2).iloc[0] == ["one two", "three four", "four five"]
    assert ngrams(pd.Series(["One two three"]), n=3, lower=False).iloc[0] == ["One two three"]
    with pytest.raises(ValueError, match="n=0"):
        ngrams(pd.Series(["a"]), n=0)


def test_collocations_equal_nltk_s_measures():
    text = pd.Series(["a back door is a door. A back door, no. the back door is the law and a law"] * 2 + [None])
    for window in (2, 4):
        table = collocations(text, window=window, least=1)
        total = 38  # 19 words, twice
        for row in table.itertuples():
            cells = row.count / (window - 1), (row.count_first, row.count_second), total
            assert row.log_likelihood == pytest.approx(BigramAssocMeasures.likelihood_ratio(*cells), abs=1e-6)
            assert row.pmi == pytest.approx(BigramAssocMeasures.pmi(*cells))
    table = collocations(text, least=6)
    assert table.loc[0, ["first", "second", "count"]].tolist() == ["back", "door", 6]


def test_collocations_of_a_node_and_of_nothing():
    table = collocations(pd.Series(["back door law law back door"]), node="Door", least=1)
    assert sorted(zip(table["first"], table["second"], strict=True)) == [("back", "door"), ("door", "law")]
    assert np.isfinite(table["log_likelihood"]).all()
    assert collocations(pd.Series([], dtype="str")).empty


# --- concordance


def test_concordance_gives_window_words_on_either_side():
    table = concordance(pd.Series(["one two three back\ndoor four five six"]), "back door", window=2)
    assert table.iloc[0].tolist() == ["two three", "back\ndoor", "four five", 14, 23]
    assert concordance(pd.Series(["one two"]), "two", window=0).iloc[0].tolist() == ["", "two", "", 4, 7]


def test_concordance_takes_a_lexicon_category_with_its_rules():
    actors = LEXICON[LEXICON["category"] == "actor"]
    text = pd.Series(["A signal failed near Signal.", "WhatsApp and Signal, both apps, agreed."])
    assert concordance(text, actors)["match"].tolist() == ["WhatsApp", "Signal"]


def test_concordance_views_mark_the_match_and_escape_the_text():
    table = concordance(pd.Series(["<b>x</b> a & b"], index=["<1>"]), "a")
    assert "<mark><b>a</b></mark>" in table._repr_html_()
    assert "&lt;b&gt;x&lt;/b&gt;" in table._repr_html_()
    assert "&lt;1&gt;" in table._repr_html_()
    assert "[a] & b" in repr(table)
    many = concordance(pd.Series(["a "] * 70), "a")
    assert "10 more of 70 rows" in many._repr_html_()
    assert "10 more of 70 rows" in repr(many)
    assert isinstance(table[["start"]]._repr_html_(), str)
    assert repr(table[:0]).startswith("Empty")


def test_concordance_sorts_by_context():
    table = concordance(pd.Series(["b c door a", "a d door c", "c b door b"]), "door")
    assert table.sort("left")["left"].tolist() == ["c b", "b c", "a d"]
    assert table.sort("right")["right"].tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="by='up'"):
        table.sort("up")


def test_concordance_refuses_what_it_cannot_look_for():
    text = pd.Series(["a"])
    with pytest.raises(TypeError, match="terms"):
        concordance(text, 3)
    with pytest.raises(ValueError, match="forms\\[1\\]"):
        concordance(text, ["a", " "])
    with pytest.raises(ValueError, match="form"):
        concordance(text, pd.DataFrame({"term": ["a"]}))
