"""Searching, filtering, reading and selecting, without a browser. All text here is invented."""

import json
import time
from html.parser import HTMLParser

import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import _html, close_reading, dashboard, explore, read_articles, read_statements, reproduce
from analysis._html import Mark
from analysis.statements import statements

HOSTILE = [
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    '"><svg onload=window.hacked=1>',
    "' onmouseover='window.hacked=1",
    "</textarea></li></ol><b>out</b>",
    "&lt;script&gt;window.hacked = 1&lt;/script&gt;",
    "half a character \ud800 and its other half \udc00",
    "safe\u202egnp.exe \u2066isolated",
    "nul \x00 bell \x07 escape \x1b[31m",
    "${window.hacked = 1} {{window.hacked = 1}}",
]
LINKS = [
    "javascript:window.hacked=1",
    " JavaScript:window.hacked=1",
    "java\tscript:window.hacked=1",
    "data:text/html,<script>window.hacked=1</script>",
    'https://example.org/"onclick="window.hacked=1',
    "https://example.org/\u202egnp",
    "https://[bad",
    "//example.org/x",
]


FEARS = {"start": 12, "end": 17, "cue": "fears", "rule": "verb"}


@pytest.fixture
def articles():
    return pd.DataFrame(
        {
            "outlet": ["Post", "Mail", None],
            "date": pd.to_datetime(["2016-02-17", "2019-06-01", "2026-03-01"]),
            "date_precision": ["day", "month", "year"],
            "url": ["https://example.org/a1?x=1&y=2", "javascript:alert(1)", None],
            "title": ["Keys for all, says minister", "No back door", "Untold"],
            "text": [
                "“Open the back door,” said Jo Lee. The charity fears abuse. Nobody else spoke.",
                "A key is a key. Ann Wu wants encryption.",
                None,
            ],
        },
        index=pd.Index(["a1", "a2", "a3"], name="article_id"),
    )


@pytest.fixture
def codes():
    table = pd.DataFrame(
        {
            "article_id": ["a1", "a1", "a1", "a2", "a3"],
            "n": [1, 2, 3, 1, 1],
            "position": ["headline", "lead", "lead", "body", "headline"],
            "start": [0, 0, 35, 16, None],
            "end": [27, 34, 59, 40, None],
            "speaker": ["minister", "Jo Lee", "the charity", "Ann Wu", "Bo Key"],
            "speaker_group": ["government", "government", "child_safety_ngo", "academic_technical", None],
            "stance": pd.Categorical(
                ["against", "against", "against", "favour", "neutral"],
                categories=["favour", "mixed", "neutral", "against"],
                ordered=True,
            ),
            "frame": ["law_enforcement", "none", "child_protection", "none", "none"],
            "evidence": [None, [(10, 19, "back door", "cue")], [FEARS], None, None],
        },
        index=[10, 11, 12, 20, 30],
    )  # fmt: skip
    return table.astype({"start": "Int64", "end": "Int64"})


def ask(view, **query):
    view.widget.query = view.widget.query | query


def found(view):
    return view.filtered.index.tolist()


def text_of(html):
    """What a reader sees of HTML, and the tags and attributes it uses."""
    words, tags = [], set()

    class Reader(HTMLParser):
        def handle_data(self, data):
            words.append(data)

        def handle_starttag(self, tag, attributes):
            tags.add(tag)
            tags.update(f"@{name}" for name, _ in attributes)
            tags.update(value for name, value in attributes if name == "href")

    reader = Reader(convert_charrefs=True)
    reader.feed(html)
    reader.close()
    return "".join(words), tags


# Searching


def test_words_phrases_and_stems_are_found_in_words_and_speakers(codes, articles):
    view = explore(codes, articles=articles, search="back door")
    assert found(view) == [11]
    ask(view, search="key*")
    assert found(view) == [10, 30], "the headline's Keys, and the speaker Bo Key"
    ask(view, search="BACK DOORS; encrypt*; fears")
    assert found(view) == [12, 20]
    ask(view, search="“back door”")
    assert found(view) == [11]
    ask(view, search="")
    assert len(found(view)) == 5
    assert view.widget.status == "5 of 5 statements in 3 articles · 0 selected"


def test_a_phrase_never_runs_from_one_row_into_the_next():
    rows = pd.DataFrame({"article_id": ["a", "a"], "text": ["the back", "door opened"]})
    assert found(explore(rows, search="back door")) == []
    lexicon = pd.DataFrame({"form": ["door"], "category": ["c"], "case": ["any"], "context": ["back"]})
    view = explore(rows, lexicon=lexicon)
    ask(view, category="c")
    assert found(view) == [], "a context word of the row before is none"


def test_lexicon_categories_and_search_must_both_hold(codes, articles):
    lexicon = pd.DataFrame({"form": ["encryption", "back door"], "category": ["target:encryption", "metaphor"]})
    view = explore(codes, articles=articles, lexicon=lexicon)
    assert [value for value, _ in view.widget.controls["categories"]] == ["", "target:encryption", "metaphor"]
    ask(view, category="metaphor")
    assert found(view) == [11]
    ask(view, search="jo lee")
    assert found(view) == [11]
    ask(view, search="ann wu")
    assert found(view) == []


def test_regular_expressions(codes, articles):
    view = explore(codes, articles=articles, search=r"^.*(fears|wants)\b", how="regex")
    assert found(view) == [12, 20]
    ask(view, search="(")
    assert found(view) == []
    assert view.widget.problem.startswith("No search: this is not a regular expression")
    ask(view, search="x" * 1001)
    assert "more than 1,000 characters" in view.widget.problem
    ask(view, search="fears")
    assert (found(view), view.widget.problem) == ([12], "")
    ask(view, search="z*")
    assert found(view) == [], "an expression that finds nothing but nothing finds nothing"


def test_a_runaway_expression_is_stopped():
    view = explore(pd.DataFrame({"article_id": ["a"], "text": ["a" * 5000 + "!"]}))
    began = time.monotonic()
    ask(view, search=r"^(a|aa)+$", how="regex")
    assert time.monotonic() - began < 3
    assert "stopped after 1 second, at text 2 of 2" in view.widget.problem


def test_a_search_that_can_never_match_says_so(codes, articles):
    view = explore(codes, articles=articles)
    ask(view, search="*")
    assert view.widget.problem.startswith("No search:")
    assert found(view) == []


# Filtering


def test_filters_and_their_counts(codes, articles):
    view = explore(codes, articles=articles)
    counts = view.widget.counts
    assert counts["stance"] == [1, 1, 3], "favour, neutral, against: the codebook's order, values in use"
    names = [v["text"] for v in view.widget.controls["facets"][1]["values"]]
    assert dict(zip(names, counts["speaker_group"], strict=True)) == {
        "government": 2, "academic or technical": 1, "child-safety NGO": 1, "(missing)": 1,
    }  # fmt: skip
    ask(view, facets={"stance": [2]})
    assert found(view) == [10, 11, 12]
    assert view.widget.counts["stance"] == [1, 1, 3], "a filter's own choice does not change its counts"
    assert view.widget.counts["speaker_group"] == [2, 0, 1, 0]
    ask(view, facets={"stance": [2], "speaker_group": [1, 2]})
    assert found(view) == [12]
    ask(view, facets={}, since="2019-01-01", until="2019-12-31")
    assert found(view) == [20]
    ask(view, since="2016-02-17", until="2016-02-17")
    assert found(view) == [10, 11, 12]


def test_where_starts_with_filters(codes, articles):
    view = explore(
        codes, articles=articles, where={"stance": "against", "date": ("2016-01-01", None)}, filters=["stance"]
    )
    assert found(view) == [10, 11, 12]
    assert found(explore(codes, where={"speaker_group": ["government", None]})) == [10, 11, 30]


def test_paging(codes, articles):
    view = explore(codes, articles=articles, page=2)
    assert (view.widget.place, view.widget.pages, view.widget.rows.count("<li")) == ("page 1 of 3", 3, 2)
    ask(view, page=2)
    assert (view.widget.place, view.widget.rows.count("<li")) == ("page 3 of 3", 1)
    ask(view, page=99)
    assert view.widget.place == "page 3 of 3"


def test_wrong_input_says_what_would_work(codes, articles):
    with pytest.raises(TypeError, match="data must be a pandas DataFrame, not str"):
        explore("x")
    with pytest.raises(ValueError, match="neither statements .* nor articles"):
        explore(pd.DataFrame({"x": [1]}))
    with pytest.raises(ValueError, match=r"where='stances' is not known; use 'stance'"):
        explore(codes, where={"stances": "against"})
    with pytest.raises(ValueError, match=r"where\['stance'\]='for' is not known; use 'favour'"):
        explore(codes, where={"stance": "for"})
    with pytest.raises(ValueError, match="needs a column 'date'"):
        explore(codes, where={"date": ("2016", "2017")})
    with pytest.raises(ValueError, match="first and the last day"):
        explore(codes, articles=articles, where={"date": "2016"})
    with pytest.raises(ValueError, match="must be dates"):
        explore(codes, articles=articles, where={"date": ("soon", None)})
    with pytest.raises(ValueError, match="filters='tone' is no column"):
        explore(codes, filters=["tone"])
    with pytest.raises(ValueError, match="how='fuzzy' is not known; use 'words' or 'regex'"):
        explore(codes, how="fuzzy")
    with pytest.raises(ValueError, match="use articles.set_index"):
        explore(codes, articles=articles.reset_index(drop=True))
    with pytest.raises(ValueError, match="index that repeats"):
        explore(codes, articles=pd.concat([articles, articles]))
    with pytest.raises(TypeError, match="search must be a string"):
        explore(codes, search=["a", "b"])


# Selecting


def test_selection_is_rows_of_the_input(codes, articles):
    before = codes.copy(deep=True)
    view = explore(codes, articles=articles)
    assert view.selection.equals(codes.iloc[:0])
    view._told(view.widget, {"do": "tick", "rows": [3, 0], "on": True}, [])
    assert view.widget.status.endswith("2 selected")
    assert view.widget.ticked == [0, 3]
    pd.testing.assert_frame_equal(view.selection, codes.iloc[[0, 3]])
    ask(view, search="fears")
    assert view.selection.index.tolist() == [10, 20], "what was ticked stays so when the filter changes"
    view._told(view.widget, {"do": "all"}, [])
    assert view.selection.index.tolist() == [10, 12, 20]
    view._told(view.widget, {"do": "tick", "rows": [0, 77, -1], "on": False}, [])
    assert view.selection.index.tolist() == [12, 20]
    view._told(view.widget, {"do": "none"}, [])
    assert view.selection.empty
    taken = view.filtered
    taken.loc[:, "n"] = 0
    pd.testing.assert_frame_equal(codes, before)


def test_articles_and_empty_tables(articles):
    view = explore(articles, search="key*")
    assert found(view) == ["a1", "a2"]
    assert view.widget.status == "2 of 3 articles · 0 selected"
    ask(view, open=1)
    assert "<mark" in view.widget.pane
    empty = explore(articles.iloc[:0])
    assert (empty.widget.status, len(empty.filtered), empty.widget.place) == (
        "0 of 0 articles · 0 selected",
        0,
        "page 1 of 1",
    )
    ask(empty, search="x", since="2016-01-01")
    assert empty.filtered.empty


# Reading


def test_statements_stand_marked_in_their_article_with_evidence_on_hover(codes, articles):
    view = explore(codes, articles=articles, search="abuse")
    assert "The charity fears <mark" not in view.widget.rows
    assert 'title="evidence: fears (verb)"' in view.widget.rows, "offsets from the start of the statement"
    ask(view, open=2)
    seen, tags = text_of(view.widget.pane)
    assert "said Jo Lee. against Jo Lee · government The charity fears abuse. against the charity" in seen.replace(
        "\xa0", " "
    )
    assert 'title="evidence: back door (cue)"' in view.widget.pane, "offsets from the start of the text"
    assert view.widget.pane.count("data-current") >= 1
    assert "https://example.org/a1?x=1&y=2" in tags
    assert {"@rel", "@target"} <= tags
    assert 'rel="noopener noreferrer"' in view.widget.pane
    assert "Post</bdi> · 2016-02-17" in view.widget.pane


def test_evidence_of_statements_points_at_its_cue(articles):
    said = statements(articles)
    view = explore(said, articles=articles)
    ask(view, open=0)
    assert said["evidence"].map(len).sum() > 0
    for row in said.itertuples():
        for start, end, cue, _ in (span.values() for span in row.evidence):
            source = articles.loc[row.article_id, "title" if row.position == "headline" else "text"]
            assert source[start:end] == cue
            assert f"evidence: {cue}" in close_reading(articles.loc[row.article_id], said)._repr_html_()


def test_without_text_there_are_codes_and_a_link():
    real = read_articles("data/coverage/articles.csv")
    codes = read_statements("data/coverage/statements.csv", articles=real)
    view = explore(codes, articles=real, where={"speaker_group": "police"})
    row = int(np.flatnonzero(codes["speaker_group"] == "police")[0])
    ask(view, open=row)
    seen, tags = text_of(view.widget.pane)
    article = codes["article_id"].iloc[row]
    assert real.loc[article, "url"] in tags
    assert "The text is not part of the data." in seen
    assert view.widget.pane.count("<tr") == 1 + (codes["article_id"] == article).sum()
    assert view.widget.pane.count("data-current") == 1


def test_long_texts_are_cut_and_can_be_read_on():
    long = "x " * 50_000 + "needle " + "y " * 450_000
    articles = pd.DataFrame({"title": ["Long"], "text": [long]}, index=["a"])
    codes = pd.DataFrame({"article_id": ["a"], "start": [0], "end": [len(long)], "stance": ["favour"]})
    view = explore(codes, articles=articles, search="needle")
    assert len(view.widget.rows) < 3000
    assert "<b>needle</b>" in view.widget.rows
    assert "characters before]" in view.widget.rows
    ask(view, open=0)
    first = len(view.widget.pane)
    assert first < 30_000
    assert f"[{len(long) - 20_000:,} characters more]" in view.widget.pane
    assert "data-more" in view.widget.pane
    ask(view, more=3)
    assert len(view.widget.pane) > 4 * first
    ask(view, more=12)
    assert "characters more" not in view.widget.pane


def test_close_reading_prints_and_cuts(codes, articles):
    shown = close_reading(articles.loc["a1"], codes, search="abuse")
    assert repr(shown) == (
        "[Keys for all, says minister] (against · minister · government · law enforcement)\n\n"
        "[“Open the back door,” said Jo Lee.] (against · Jo Lee · government) "
        "[The charity fears abuse.] (against · the charity · child-safety NGO · child protection) Nobody else spoke."
    )
    assert "<b>abuse</b>" in shown._repr_html_()
    assert (
        repr(close_reading(articles.loc["a1"], limit=6))
        == "Keys f … [21 characters more]\n\n“Open  … [72 characters more]"
    )
    assert "[72 characters more]" in close_reading(articles.loc["a1"], limit=6)._repr_html_()
    assert "neutral · Bo Key" in repr(close_reading(articles.loc["a3"], codes))
    with pytest.raises(TypeError, match="article must be one row, such as articles.loc"):
        close_reading(articles)
    with pytest.raises(ValueError, match="article has no title, text or url; it has 'x'"):
        close_reading(pd.Series({"x": 1}))


# Showing


def test_static_output_is_the_same_every_time_and_needs_no_style(codes, articles):
    once, again = (explore(codes, articles=articles, search="back door")._repr_mimebundle_() for _ in range(2))
    view = "application/vnd.jupyter.widget-view+json"
    assert set(once) == {"text/plain", "text/html", view}
    assert {k: v for k, v in once.items() if k != view} == {k: v for k, v in again.items() if k != view}
    assert "<b>back door</b></mark>" in once["text/html"]
    assert ">against</b>" in once["text/html"]
    assert (
        once["text/plain"].splitlines()[1] == "a1 · 2  against  Jo Lee  government: “Open the back door,” said Jo Lee."
    )


@pytest.mark.slow
def test_an_executed_notebook_holds_no_widget(tmp_path):
    cell = (
        "import pandas as pd\nfrom analysis import explore\nexplore(pd.DataFrame({'article_id': ['a'], 'text': ['b']}))"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    (tmp_path / "data").mkdir()
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "01-a.ipynb")
    reproduce.reproduce(root=tmp_path)
    reproduce.reproduce(root=tmp_path, check=True)
    outputs = nbformat.read(tmp_path / "notebooks" / "01-a.ipynb", 4).cells[0].outputs
    assert [set(o.data) for o in outputs] == [{"text/html", "text/plain"}]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("pair", [p for p in [*_html.STANCE.values(), _html.MATCH] if p[0].startswith("#")])
def test_contrast_of_words_on_colours(pair):
    low, high = sorted(map(luminance, pair))
    assert (high + 0.05) / (low + 0.05) >= 4.5


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["match", "evidence"]))),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_marking_loses_and_adds_no_letter(text, spans, start, end):
    start, end = min(start, len(text)), min(max(start, end), len(text))
    html = _html.marked(text, [Mark(a, b, kind, "note") for a, b, kind in spans], start, end)
    seen, tags = text_of(html.replace("<br>", "\n"))
    lines = _html._BREAK.sub("\n", text[start:end])
    assert seen == _html.visible(lines)
    assert tags <= {"mark", "b", "u", "@style", "@title"}


SAFE = set(
    "table caption tbody thead tr th td bdi b mark small i u br p h3 a span li input button article @style @title "
    "@class @data-row @type @aria-label @href @target @rel @data-current @data-more".split()
)


def hostile():
    """Invented articles and statements in which every text is an attack."""
    texts = pd.Series(HOSTILE, dtype=object)  # pandas' own strings hold no half characters
    names = pd.Series([f"{text} {i}" for i, text in enumerate(HOSTILE)], dtype=object)
    links = pd.Series([LINKS[i % len(LINKS)] for i in range(len(texts))], dtype=object)
    articles = pd.DataFrame(dict.fromkeys(["outlet", "title", "text", "gist"], texts) | {"url": links})
    articles.index = pd.Index(names, name="article_id", dtype=object)
    spoken = dict.fromkeys(["speaker", "speaker_group", "stance", "frame"], texts)
    evidence = [[(0, len(text), text, text)] for text in HOSTILE]
    codes = {"article_id": names, "n": 1, "position": "body", "start": 0, "end": texts.map(len), "evidence": evidence}
    return articles, pd.DataFrame(codes | spoken)


def test_hostile_text_is_text():
    articles, codes = hostile()
    for view in (explore(codes, articles=articles, search="window; safe"), explore(articles), explore(codes)):
        for row in range(len(codes)):
            ask(view, search="", open=row)
            shown = [view.widget.rows, view.widget.pane, view._repr_html_()]
            for html in shown:
                seen, tags = text_of(html)
                assert {t for t in tags if not t.startswith("https://example.org")} <= SAFE
                assert not any("\u202e" in t or "onclick" in t.split("%22")[0].split('"')[0] for t in tags)
                assert not set(seen) & set("\u202e\u2066\x00\x07\x1b\ud800\udc00")
        json.dumps(view.widget.get_state(), ensure_ascii=False).encode("utf-8")
        repr(view).encode("utf-8")
    assert "<script>window.hacked = 1</script>" in text_of(explore(codes, articles=articles)._repr_html_())[0]
    board = dashboard(codes.assign(stance="against"), articles=articles)
    assert text_of(board._repr_html_())[1] <= SAFE | {"figure", "img", "figcaption", "@src", "@alt"}
    json.dumps(board.widget.get_state(), ensure_ascii=False).encode("utf-8")
    for article in articles.index:
        shown = close_reading(articles.loc[article], codes)
        assert text_of(shown._repr_html_())[1] - SAFE <= {t for t in LINKS if t.startswith("https://example.org")}
        repr(shown).encode("utf-8")


@pytest.mark.parametrize("url", LINKS)
def test_links_lead_to_the_web_or_nowhere(url):
    html = _html.link(url)
    if "<a " in html:
        assert html.startswith('<a href="https://example.org/&quot;onclick=&quot;window.hacked=1" target="_blank"')
    else:
        assert html.startswith("<bdi>")


# Speed


def many(n):
    sample = read_articles("data/sample/articles.csv")
    codes = read_statements("data/sample/codes.csv", articles=sample)
    return sample, pd.concat([codes] * (n // len(codes) + 1), ignore_index=True)[:n]


def seconds(act):
    """Time on the processor: what the clock says where nothing else runs."""
    began = time.process_time()
    act()
    return time.process_time() - began


QUERIES = [{"facets": {"stance": [0]}}, {"search": "key*"}, {"category": "actor"}, {"since": "2016-01-01"}, {"page": 3},
           {"search": "encrypt.{0,30}key", "how": "regex"}, {"open": 7}]  # fmt: skip


@pytest.mark.slow
def test_ten_thousand_statements_answer_at_once():
    articles, codes = many(10_000)
    explore(codes[:10], articles=articles)  # what is loaded once is not what is measured
    made = []
    assert min(seconds(lambda: made.append(explore(codes, articles=articles))) for _ in range(3)) < 0.5
    for query in QUERIES:
        best = min(
            seconds(lambda view=view, query=query: ask(view, **query))
            for view in (explore(codes, articles=articles) for _ in range(3))
        )
        assert best < 0.2, query


@pytest.mark.slow
def test_a_hundred_thousand_statements_do_not_freeze():
    articles, codes = many(100_000)
    made = []
    assert seconds(lambda: made.append(explore(codes, articles=articles))) < 4
    for query in QUERIES:
        assert seconds(lambda query=query: ask(made[0], **query)) < 4, query
    assert len(made[0].widget.rows) < 60_000


# The study at a glance


def test_every_panel_follows_the_filters(codes, articles):
    verdicts = pd.DataFrame(
        {"variable": ["stance"], "alpha": [0.9], "low": [0.8], "high": [1.0], "n": [40], "verdict": ["<b>reliable"]}
    )
    board = dashboard(codes, articles=articles.assign(country=["UK", "US", None]), verdicts=verdicts)
    assert board.widget.status == "5 of 5 statements in 3 articles"
    assert board.widget.pane.count("<figure") == 3
    assert "n = 3 articles with a date" in board.widget.pane
    assert "government 100% against" in board.widget.pane
    assert "&lt;b&gt;reliable" in board.widget.pane
    assert [f["name"] for f in board.widget.controls["facets"]] == ["country", "speaker_group"]
    ask(board, facets={"country": [1]})
    assert board.filtered.index.tolist() == [20]
    assert board.widget.counts["country"] == [3, 1, 1]
    assert "n = 1 articles with a date" in board.widget.pane
    ask(board, until="1999-01-01")
    assert "No statement passes these filters." in board.widget.pane
    assert set(board._repr_mimebundle_()) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}


def test_the_shipped_study_is_shown_with_the_numbers_of_its_tables():
    board = dashboard()
    coded = read_statements("data/coverage/statements.csv")
    assert (
        board.widget.status
        == f"{len(coded):,} of {len(coded):,} statements in {coded['article_id'].nunique()} articles"
    )
    assert "stance_author: alpha 0.92" in repr(board)
    assert board._repr_html_() == dashboard()._repr_html_()
    pd.testing.assert_series_equal(board.filtered["stance"], coded["stance"])
    assert seconds(lambda: ask(board, facets={"country": [0]})) < 2


def test_a_dashboard_refuses_what_it_cannot_show(codes):
    with pytest.raises(ValueError, match="filters='tone' is no column"):
        dashboard(codes, filters=["tone"])
    with pytest.raises(ValueError, match="verdicts has no column 'alpha'"):
        dashboard(codes, verdicts=pd.DataFrame({"variable": ["x"]}))
    with pytest.raises(ValueError, match="statements has no column 'article_id'"):
        dashboard(codes.drop(columns="article_id"))
