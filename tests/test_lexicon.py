"""Reading, checking and matching lists of terms."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis._find import Finder, Folded
from analysis.lexicon import CATEGORIES, COLUMNS, match, read_lexicon

LEXICON = read_lexicon()


def found(string, lexicon=LEXICON):
    return match(pd.Series([string]), lexicon)["match"].tolist()


def table(forms, **columns):
    return pd.DataFrame({"term": forms, "form": forms, "category": "actor", **columns})


def test_the_shipped_list_is_clean():
    assert list(LEXICON) == COLUMNS
    assert set(LEXICON["category"]) == set(CATEGORIES)
    assert LEXICON["form"].str.lower().is_unique
    assert LEXICON["form"].notna().all()
    kinds = LEXICON.groupby("term")[["category", "frame", "polarity"]].nunique(dropna=False)
    assert kinds.max().max() == 1


@pytest.mark.parametrize(
    ("form", "term"),
    [
        ("ByteDance", "TikTok"),
        ("CyberTip", "abuse reports"),
        ("fine", "fines"),
        ("Instagram Direct", "direct messages"),
        ("morally wrong", "morally wrong"),
        ("secret order", "secrecy of orders"),
        ("secure messaging apps", "secure messaging"),
    ],
)
def test_forms_that_stood_twice_stand_once(form, term):
    assert LEXICON.loc[LEXICON["form"] == form, "term"].tolist() == [term]


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("Signal, the app, said no.", ["Signal"]),
        ("The signal was clear; a Signal box burned.", []),
        ("He posted it on X, Musk's platform.", ["X"]),
        ("Solve for X. The x-axis is long.", []),
        ("Liberty, the rights group, agreed.", ["Liberty"]),
        ("Liberty is worth a fight for the future.", ["fight for the future"]),
        ("The AFP arrested a man in Canberra.", ["AFP"]),
        ("Photograph: AFP", []),
        ("ORG, which defends digital rights, agreed.", ["ORG"]),
        ("See example.org for an org chart.", []),
        ("Privacy International (PI) agreed.", ["Privacy International", "PI"]),
        ("The PI followed him; pi is 3.14.", []),
        ("Ofcom may fine it.", ["Ofcom", "fine"]),
        ("That is fine with me.", []),
        ("Session, a messenger, left.", ["Session"]),
        ("The Session of the House closed.", []),
    ],
)
def test_ambiguous_names_need_case_and_context(string, expected):
    assert found(string) == expected


def test_matching_sees_through_typography_and_keeps_offsets():
    string = "end\u2010to\u2010end\xa0encryption, chat\ncontrol, children’s  safety, "
    string += "en\u00adcryp\u200btion, Rau\u0301l Torrez"
    result = match(pd.Series([string]), LEXICON)
    assert result["term"].tolist() == [
        "end-to-end encryption",
        "chat control",
        "child safety",
        "encryption",
        "Raúl Torrez",
    ]
    assert [string[a:b] for a, b in zip(result["start"], result["end"], strict=True)] == result["match"].tolist()
    assert result["match"].iloc[-1].endswith("Torrez")
    assert found("chat\n\ncontrol", table(["chat control"])) == []


def test_leftmost_then_longest_after_the_boundary_check():
    # A leftmost-longest automaton takes "chat controls" in "chat controlsX" and, when the check fails, loses "chat".
    lexicon = table(["chat", "chat control", "chat controlsx", "control room"])
    assert found("chat controls", lexicon) == ["chat"]
    assert found("a chat control room", lexicon) == ["chat control"]
    assert found("chatty, the chat", lexicon) == ["chat"]
    assert found("the back door", table(["ack door", "door"])) == ["door"]
    # The longer form fails its rule of case: the shorter one counts.
    assert found("big brother watch", table(["Big Brother", "brother"], case=["exact", "any"])) == ["brother"]


def test_stems_and_exact_pairs():
    lexicon = table(["encrypt*", "encryption", "US", "us"], case=["any", "any", "exact", "exact"])
    result = match(pd.Series(["Encryption encrypts US, us and Us"]), lexicon)
    assert result["form"].tolist() == ["encryption", "encrypt*", "US", "us"]


def test_signs_at_the_edge_need_no_boundary():
    assert found("LGBTQ+ people", table(["LGBTQ+"])) == ["LGBTQ+"]


FORMS = ["a", "a b", "b c", "ab", "a-b", "b", "c a b", "ab c", "c’", "é a"]


@given(st.text("abc -’É\n", max_size=30))
def test_no_match_of_an_alternation_is_lost(string):
    keys = sorted((Folded(form).lower for form in FORMS), key=len, reverse=True)
    edged = (rf"(?<!\w){re.escape(key)}" + r"(?!\w)" * key[-1].isalnum() for key in keys)
    folded = Folded(string)
    expected = [folded.offsets(*m.span()) for m in re.finditer("|".join(edged), folded.lower)]
    assert [hit[:2] for hit in Finder(FORMS).find(string)] == expected


def test_no_match_of_the_debate_s_list_is_lost():
    forms = LEXICON["form"].tolist()
    string = ". ".join(forms) + " " + " ".join(forms) + " " + "-".join(forms)
    folded = Folded(string)
    keys = sorted({Folded(form).lower for form in forms}, key=len, reverse=True)
    edged = (rf"(?<!\w){re.escape(key)}" + r"(?!\w)" * key[-1].isalnum() for key in keys)
    expected = [m.span() for m in re.finditer("|".join(edged), folded.lower)]
    assert [hit[:2] for hit in Finder(forms).find(string)] == expected


def test_match_columns_and_missing():
    result = match(pd.Series(["E2EE", None], index=["a", "b"]))
    expected = ["article_id", "start", "end", "match", "term", "form", "category", "frame", "polarity"]
    assert list(result) == expected
    assert result.iloc[0].tolist()[:5] == ["a", 0, 4, "E2EE", "end-to-end encryption"]
    assert result["frame"].isna().all()
    with pytest.raises(ValueError, match="no column 'form'"):
        match(pd.Series(["a"]), pd.DataFrame({"term": ["a"], "category": ["actor"]}))


def test_own_lists(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("term,category,variants,weight\nnet zero,climate,net zero; net-zero,2\ncoal,climate,,1\n")
    own = read_lexicon(path, categories=["climate"])
    assert own["form"].tolist() == ["net zero", "net-zero", "coal"]
    assert own["weight"].tolist() == ["2", "2", "1"]
    assert found("Net-Zero after coal", own) == ["Net-Zero", "coal"]


def test_faults_are_reported_by_row(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(
        "term,category,variants,case\n"
        "backdoor,actor,backdoor; Backdoor,\n"
        ",actor,x,\n"
        "door,actors,door,any\n"
        "no,actor,a;;b,upper\n"
        "star,actor,*,\n"
        "again,actor,DOOR,exact\n"
        "US,actor,US; us,exact\n",
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=re.escape("bad.csv has 7 faults")) as raised:
        read_lexicon(path)
    lines = str(raised.value).split("\n")[1:]
    assert [line.split(":")[0] for line in lines] == [f"row {n}" for n in (2, 3, 4, 5, 5, 6, 7)]
    text = "\n".join(lines)
    for part in [
        "row 2: form 'Backdoor' of 'backdoor' stands in row 2 as well",
        "row 3: the term is empty",
        "row 4: category 'actors' of 'door' is not known",
        "row 5: case 'upper' of 'no' is not known",
        "row 5: form '' of 'no' can never match",
        "row 6: form '*' of 'star' can never match",
        "row 7: form 'DOOR' of 'again' stands in row 4 as well",
    ]:
        assert part in text
    path.write_text("word,category\na,actor\n")
    with pytest.raises(ValueError, match="no column 'term'"):
        read_lexicon(path)
