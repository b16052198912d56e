"""Who says what: attributions, speakers and statements, on text written for these tests and on the sample."""

import csv
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import codebook
from analysis._quotes import quotes
from analysis.statements import attributions, speakers, statements

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
SENTENCES = SHARED / "gold" / "dev.csv"
POLNEAR = SHARED / "polnear" / "polnear_train_dev.tar.gz"


def found(text):
    """Attributions as words: source, cue, contents."""
    table = attributions(pd.Series([text]))
    return [
        (
            None if pd.isna(row.source_start) else text[row.source_start : row.source_end],
            text[row.cue_start : row.cue_end],
            [text[start:end] for start, end in row.content],
        )
        for row in table[table["depth"] == 0].itertuples()
    ]


def said(text, title=None, **columns):
    """Statements of one article as (speaker, group, attribution)."""
    articles = pd.DataFrame({"title": [title], "text": [text], **{k: [v] for k, v in columns.items()}}, index=["a"])
    table = statements(articles, relevant=False)
    return list(zip(table["speaker"], table["speaker_group"], table["attribution"], strict=True))


# --- quotations


@pytest.mark.parametrize(
    "text",
    [
        "“We will not scan chats,” Jo Lee said.",
        '"We will not scan chats," Jo Lee said.',
        "''We will not scan chats,'' Jo Lee said.",
        "‘We will not scan chats,’ Jo Lee said.",
        "'We will not scan chats,' Jo Lee said.",
        "«We will not scan chats,» Jo Lee said.",
        "„We will not scan chats,“ Jo Lee said.",
        "“We will not scan chats,“ Jo Lee said.",
    ],
)
def test_every_kind_of_quotation_mark(text):
    source, cue, content = found(text)[0]
    assert (source, cue) == ("Jo Lee", "said")
    assert "We will not scan chats" in content[0]


def test_an_apostrophe_is_no_quotation_mark():
    assert quotes("The app's users' keys aren't the firm’s, and rock 'n' roll's '90s are over") == []
    text = "'It's the users' choice, isn't it,' she said."
    assert [text[q.start : q.end] for q in quotes(text)] == ["'It's the users' choice, isn't it,'"]


def test_quotation_inside_a_quotation_is_part_of_it():
    text = "“He told me ‘no backdoors’ and left,” said Jo Lee."
    assert [text[q.start : q.end] for q in quotes(text)] == ["“He told me ‘no backdoors’ and left,”"]
    assert found(text) == [("Jo Lee", "said", ["“He told me ‘no backdoors’ and left,”"])]


def test_quotation_left_open_ends_with_its_paragraph_and_goes_on_in_the_next():
    text = "“The first part of it.\n\n“The second part of it,” Jo Lee said.\n\nNobody spoke."
    first, second = quotes(text)
    assert (first.is_closed, second.is_closed, second.is_continued) == (False, True, True)
    assert [row[2] for row in said(text)] == ["direct_quote", "direct_quote", "author_voice"]


def test_split_quotation_has_two_contents():
    assert found("“The plan,” Jo Lee said, “is a hole in every lock.”") == [
        ("Jo Lee", "said", ["“The plan,”", "“is a hole in every lock.”"])
    ]


def test_second_sentence_of_a_quotation_belongs_to_the_first():
    text = "“It is wrong,” Jo Lee said. “It will always be wrong.”"
    assert found(text) == [("Jo Lee", "said", ["“It is wrong,”", "“It will always be wrong.”"])]


def test_quotation_in_the_paragraph_after_a_colon():
    assert found("Jo Lee continued:\n\n“We will not scan chats.”") == [
        ("Jo Lee", "continued", ["“We will not scan chats.”"])
    ]


# --- cues and clauses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The firm said it would add locks.", ("The firm", "said", ["it would add locks"])),
        ("“No, not ever,” said Jo Lee, a lawyer.", ("Jo Lee", "said", ["“No, not ever,”"])),
        ("Crime will rise, the chief warned.", ("the chief", "warned", ["Crime will rise"])),
        ("According to the paper, keys leak.", ("the paper", "According to", ["keys leak"])),
        ("Keys leak, according to the paper.", ("the paper", "according to", ["Keys leak"])),
        ("Jo Lee, 41, the city's mayor, said it was late.", ("Jo Lee", "said", ["it was late"])),
        ("“No, not ever,” said Will Doyle.", ("Will Doyle", "said", ["“No, not ever,”"])),
        ("Organizers in Leeds say it is late.", ("Organizers in Leeds", "say", ["it is late"])),
        ("Critics fear that the plan will fail.", ("Critics", "fear", ["that the plan will fail"])),
        ("Police have often warned that chats go dark.", ("Police", "have often warned", ["that chats go dark"])),
    ],
)  # fmt: skip
def test_source_cue_content(text, expected):
    assert found(text)[0] == expected


def test_passive_with_by_has_the_agent_as_source():
    source, cue, content = found("Apple was warned by the FBI that it would fail.")[0]
    assert (source, cue) == ("the FBI", "was warned by")
    assert content[-1] == "that it would fail"


def test_passive_without_agent_has_no_source():
    assert found("The firm was told that it must comply.")[0][0] is None


def test_nouns_that_look_like_verbs_are_none():
    assert found("The state of the claims report is unknown in court.") == []
    assert found("Apple is resisting over state demands in court.") == []


def test_participle_takes_the_subject_of_its_clause():
    pairs = found("Jo Lee opposed the bill, adding that it would fail.")
    assert pairs[1] == ("Jo Lee", "adding", ["that it would fail"])


def test_main_clause_is_not_part_of_what_a_relative_clause_says():
    pairs = found("Jo Lee, who denied that it was late, said the bill would pass.")
    assert pairs[-1] == ("Jo Lee", "said", ["the bill would pass"])


def test_a_source_inside_a_source_is_deeper():
    table = attributions(pd.Series(["The paper said that the minister told the firm to wait."]))
    assert table["depth"].tolist() == [0, 1]


# --- speakers


def test_names_descriptions_and_pronouns_mean_the_speaker():
    text = (
        "William Barr said encryption shields crime. The attorney general called for access. "
        "“It cannot wait,” he said. Barr added that it was urgent."
    )
    assert {row[:2] for row in said(text)} == {("William Barr", "government")}


def test_body_by_initials_and_by_what_it_is():
    text = "The NSPCC said the plan was wrong. The charity called for a delay. It warned that abuse would be missed."
    assert {row[:2] for row in said(text)} == {("NSPCC", "child_safety_ngo")}


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("Detective Jo Lee said phones were locked.", "police"),
        ("Jo Lee, a cryptographer, said keys would leak.", "academic_technical"),
        ("Tory MP Jo Lee said the bill was late.", "legislator"),
        ("A spokesperson for WhatsApp said it would stay.", "platform"),
        ("Judge Jo Lee said the order was void.", "court_regulator"),
        ("Critics said it was late.", "unnamed"),
        ("The children’s charity said abuse would be missed.", "child_safety_ngo"),
        ("Privacy campaigners said it was a hole.", "privacy_ngo"),
        ("The mother of a victim said she was angry.", "survivor_parent"),
        ("The home secretary said it was urgent.", "government"),
        ("A former GCHQ official said it was possible.", "intelligence"),
        ("Theodora Vance said it was late.", "unnamed"),
    ],
)
def test_speaker_groups(text, group):
    assert said(text)[0][1] == group


@pytest.mark.parametrize(
    ("text", "attribution"),
    [
        ("The plan leaves phones open to attack.", "author_voice"),
        ("“We will not read your letters,” the director said.", "direct_quote"),
        ("The director said the firm would not read messages.", "indirect"),
        ("Jo Lee fears that evidence will disappear.", "belief"),
        ("Campaigners say the law goes too far.", "collective"),
        ("The filing says the loss is two thirds.", "document"),
        ("The “safe” app kept every message.", "scare_quotes"),
        ("The filing says that the minister told the firm that it must wait.", "nested"),
    ],
)
def test_codebook_examples_of_attribution(text, attribution):
    assert said(text)[0][2] == attribution


def test_ruling_6_the_act_of_a_company_is_its_statement():
    assert said("Meta removed the option on Friday.") == [("Meta", "platform", "indirect")]
    assert said("The rain removed the option on Friday.") == [("author", "author", "author_voice")]


def test_ruling_1_the_issuer_of_a_text_speaks_in_it():
    row = said("Encryption needs care.", type="government", outlet="Home Office")
    assert row == [("Home Office", "government", "author_voice")]


def test_two_speakers_in_one_sentence_are_two_statements():
    text = "The FBI said phones were locked, but Apple said keys would leak."
    articles = pd.DataFrame({"title": [None], "text": [text]}, index=["a"])
    table = statements(articles, relevant=False)
    assert table["speaker"].tolist() == ["FBI", "Apple"]
    assert text[table["start"][1] : table["end"][1]].startswith("Apple said")


# --- tables


ARTICLES = pd.DataFrame(
    {
        "title": ["Minister attacks encryption", None],
        "text": ["Jo Lee, the minister, said encryption hid abuse.\n\nIt rained.", None],
        "outlet": ["The Own Paper", None],
    },
    index=pd.Index(["a1", "a2"], name="article_id"),
)


def test_statements_table():
    before = ARTICLES.copy()
    table = statements(ARTICLES)
    pd.testing.assert_frame_equal(ARTICLES, before)
    assert set(table["article_id"]) == {"a1"}
    assert table["n"].tolist() == list(range(1, len(table) + 1))
    assert table["position"].tolist()[:2] == ["headline", "lead"]
    assert table["sentence"].isna().tolist()[0]
    row = table.iloc[1]
    assert (row["verb"], row["colour"], row["target"]) == ("say", "neutral", "e2ee")
    text = ARTICLES["text"]["a1"]
    assert [text[span["start"] : span["end"]] for span in row["evidence"]] == ["said"]


def test_values_are_those_of_the_codebook():
    sample = pd.read_csv(ROOT / "data/sample/articles.csv").set_index("article_id")
    table = statements(sample, relevant=False)
    for name in ("position", "speaker_group", "attribution", "target"):
        assert set(table[name]) <= set(codebook.values(name)), name
    for row in table.itertuples():
        text = sample.loc[row.article_id, "title" if row.position == "headline" else "text"]
        assert 0 <= row.start < row.end <= len(text)


@pytest.mark.parametrize("text", [[], [None], ["", " "], ["\n\n"], ["”"], ["“"]])
def test_nothing_said_is_an_empty_table(text):
    series = pd.Series(text, dtype=object)
    assert attributions(series).empty
    articles = pd.DataFrame({"title": series, "text": series})
    assert list(statements(articles).columns) == list(statements(ARTICLES).columns)
    assert statements(articles).empty
    assert len(speakers(series)) == len(series)


def test_index_and_missing_values_are_kept():
    text = pd.Series(["The FBI said no.", None, "It rained."], index=[5, 5, 7])
    table = speakers(text)
    assert table.index.tolist() == [5, 5, 7]
    assert table["speaker_group"].isna().tolist() == [False, True, False]


def test_wrong_input_is_named():
    with pytest.raises(TypeError, match="Series"):
        attributions("The FBI said no.")
    with pytest.raises(TypeError, match="DataFrame"):
        statements(["The FBI said no."])
    with pytest.raises(ValueError, match="'text'"):
        statements(pd.DataFrame({"title": ["No"]}))
    with pytest.raises(ValueError, match="index"):
        speakers(pd.Series(["No."]), context=pd.Series(["Yes."], index=[9]))


MARKS = st.lists(st.sampled_from([*"“”‘’\"'«» \n.,:;—-()abAB", "said ", "he ", "Lee ", "that ", "told "])).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.one_of(MARKS, st.text()))
def test_no_text_raises_and_offsets_hold(text):
    table = attributions(pd.Series([text]))
    for row in table.itertuples():
        spans = [*row.content, (row.cue_start, row.cue_end)]
        if not pd.isna(row.source_start):
            spans.append((row.source_start, row.source_end))
        assert all(0 <= start < end <= len(text) for start, end in spans)
    for mark in quotes(text):
        assert 0 <= mark.start < mark.end <= len(text)
    statements(pd.DataFrame({"title": [text], "text": [text]}), relevant=False)
    speakers(pd.Series([text]), context=pd.Series([text]))


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["“he said ", "A of ", "he said that ", "“a b c d e.” ", "in may, saying ", "'a "])
def test_time_is_linear_in_the_text(piece):
    def seconds(n):
        articles = pd.DataFrame({"title": [None], "text": [piece * n]})
        start = time.perf_counter()
        statements(articles, relevant=False)
        return time.perf_counter() - start

    seconds(100)
    assert seconds(16_000) < 40 * max(seconds(1_600), 0.02)  # ten times the text; a quadratic rule would take a hundred


# --- resources


def rows(name):
    with (codebook.RESOURCES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_resources_are_sound():
    groups = set(codebook.values("speaker_group"))
    assert {row["speaker_group"] for row in rows("actors.csv")} <= groups
    assert {row["speaker_group"] for row in rows("roles.csv")} <= groups | {""}
    for name, key in (("actors.csv", "actor"), ("roles.csv", "role")):
        names = [row[key] for row in rows(name)]
        assert names == sorted(set(names))
    assert {row["complement"] for row in rows("reporting_verbs.csv")} == {
        "clause", "object", "intent", "seem", "act",
    }  # fmt: skip


# --- accuracy, a little below what was measured


def test_accuracy_on_the_sample():
    sample = pd.read_csv(ROOT / "data/sample/articles.csv").set_index("article_id")
    codes = pd.read_csv(ROOT / "data/sample/codes.csv", keep_default_na=False)
    codes = codes[codes["coder"] == "writer"]
    keys = pd.to_numeric(codes["sentence"]).fillna(-1).astype(int)
    table = statements(sample, relevant=False)
    first = table.assign(key=table["sentence"].fillna(-1).astype(int)).groupby(["article_id", "key"]).first()
    joined = codes.assign(key=keys).merge(first, on=["article_id", "key"], suffixes=("", "_found"))
    assert len(joined) > 0.97 * len(codes)
    assert (joined["attribution"] == joined["attribution_found"]).mean() > 0.73
    assert (joined["speaker_group"] == joined["speaker_group_found"]).mean() > 0.55
    spoken = joined[joined["verb"] != ""]
    assert (spoken["verb"] == spoken["verb_found"]).mean() > 0.74


@pytest.mark.skipif(not SENTENCES.exists(), reason="the shared data are not here")
def test_accuracy_on_real_sentences(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import attribution

    scores = attribution.score_sentences().set_index("question")["accuracy"]
    assert scores["speaker_group"] > 0.72
    assert scores["attribution"] > 0.71


@pytest.mark.slow
@pytest.mark.skipif(not POLNEAR.exists(), reason="the shared data are not here")
def test_accuracy_on_polnear(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import attribution

    scores = attribution.score_polnear("train").set_index(["scorer", "kind"])["f1"]
    assert scores["overlap", "all"] > 0.67
    assert scores["overlap", "direct"] > 0.86
