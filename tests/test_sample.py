"""The invented sample: every code points at its sentence, and the planted difficulties are there."""

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis import read_articles, read_statements

FOLDER = "data/sample/"


@pytest.fixture(scope="module")
def articles():
    return read_articles(FOLDER + "articles.csv")


@pytest.fixture(scope="module")
def codes(articles):
    return read_statements(FOLDER + "codes.csv", articles=articles)


def test_every_file_says_that_the_text_is_invented(articles, codes):
    assert (articles["is_invented"] == "yes").all()
    assert (codes["is_invented"] == "yes").all()
    assert "invented" in Path(FOLDER, "README.md").read_text(encoding="utf-8").splitlines()[0].lower()


def test_size_and_variety(articles):
    originals = articles[articles["copy_of"].isna()]
    assert len(originals) >= 60
    words = articles["text"].str.split().str.len()
    assert words.between(250, 700).all()
    assert originals["outlet_kind"].nunique() == 9
    assert originals["date"].dt.year.min() == 1993
    assert originals["date"].dt.year.max() == 2026


def test_twelve_stories_have_two_to_five_copies(articles):
    copies = articles[articles["copy_of"].notna()].groupby("copy_of").size()
    assert len(copies) == 12
    assert copies.between(2, 5).all()
    assert set(articles.loc[copies.index, "outlet_kind"]) == {"wire"}


def test_codes_cover_every_sentence_in_order(articles, codes):
    first = codes[codes["coder"] == "writer"]
    assert first["article_id"].nunique() == len(articles)
    for article, rows in first.groupby("article_id"):
        body = rows[rows["position"] != "headline"]
        text = articles.loc[article, "text"]
        gaps = [text[a:b] for a, b in zip([0, *body["end"]], [*body["start"], len(text)], strict=True)]
        assert not "".join(gaps).strip(), article
        headline = rows[rows["position"] == "headline"].iloc[0]
        assert (headline["start"], headline["end"]) == (0, len(articles.loc[article, "title"]))


def test_a_third_is_coded_twice(articles, codes):
    second = codes[codes["coder"] == "second"]
    assert second["article_id"].nunique() >= len(articles) / 3
    first = codes[(codes["coder"] == "writer") & codes["article_id"].isin(second["article_id"])]
    pd.testing.assert_frame_equal(
        first[["article_id", "n", "start", "end"]].reset_index(drop=True),
        second[["article_id", "n", "start", "end"]].reset_index(drop=True),
    )


@pytest.mark.parametrize(
    "device",
    ["negation", "concession", "irony", "rhetorical_question", "hedge", "nested", "overclaim", "split_quote",
     "multi_paragraph_quote", "unbalanced_quote", "passive", "pronoun", "metaphor"],
)  # fmt: skip
def test_hard_cases_are_marked(codes, device):
    assert codes["device"].dropna().str.split(";").explode().eq(device).sum() >= 5


def test_both_spellings_and_both_kinds_of_quotes(articles):
    text = articles["text"]
    assert (
        text.str.contains(r"\b(?:defence|favour|behaviour|centre|colour|\w+is(?:ed|ing|ation))\b", regex=True).sum()
        >= 5
    )
    assert (
        text.str.contains(r"\b(?:defense|favor|behavior|center|color|\w+iz(?:ed|ing|ation))\b", regex=True).sum() >= 5
    )
    assert text.str.contains("“").sum() >= 20
    assert text.str.contains('"').sum() >= 5


def test_no_address_leads_anywhere(articles):
    assert articles["url"].isna().all()
    assert not articles["text"].str.contains(re.compile("https?://")).any()


def test_the_readme_states_the_agreement_of_the_two_coders(articles, codes):
    from analysis import agreement

    twice = codes[codes["article_id"].isin(codes.loc[codes["coder"] == "second", "article_id"])].copy()
    twice["copy_group"] = twice["article_id"].map(articles["copy_of"].fillna(articles.index.to_series()))
    twice["three"] = twice["stance"].astype("str").replace({"mixed": "neutral", "not_addressed": "neutral"})
    variables = ["speaker_group", "attribution", "target", "stance", "three", "stance_author", "frame"]
    twice[variables] = twice[variables].astype("str")
    alpha = agreement(twice, unit=["article_id", "n"], value=variables)["alpha"]
    stated = re.findall(r"^\|[^|]+\| (\.\d{3}) \|", Path(FOLDER, "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [f"{a:.3f}"[1:] for a in alpha] == stated
