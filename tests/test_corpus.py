"""Readers: what they return, and what they say when a file is wrong."""

import pandas as pd
import pytest

from analysis import codebook, read_articles, read_events, read_statements
from analysis.corpus import SCHEMA

STATEMENT = {
    "article_id": "a1", "n": "1", "position": "lead", "speaker": "A firm", "speaker_group": "platform",
    "attribution": "indirect", "target": "e2ee", "stance": "favour", "frame": "none",
}  # fmt: skip


def csv(path, *rows):
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_three_kinds_of_file_give_the_same_table(tmp_path):
    rows = [
        {"article_id": "1", "outlet": "X", "date": "2026-03", "text": "a, “quoted”\nline", "extra": "kept"},
        {"article_id": "2", "outlet": None, "date": None, "text": None, "extra": "é"},
    ]
    table = pd.DataFrame(rows)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    table.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    read = [read_articles(tmp_path / f"a{kind}") for kind in (".csv", ".parquet", ".jsonl")]
    pd.testing.assert_frame_equal(read[0], read[1])
    pd.testing.assert_frame_equal(read[0], read[2])
    assert read[0].loc["1", "text"] == "a, “quoted”\nline"
    assert read[0]["text"].isna().tolist() == [False, True]
    assert list(read[0].columns) == [
        "outlet", "date", "date_precision", "text", "extra", "country", "type", "url", "title",
    ]  # fmt: skip


def test_a_folder_of_text_files(tmp_path):
    (tmp_path / "b.txt").write_text("second", encoding="utf-8")
    (tmp_path / "a.txt").write_text("\ufefffirst", encoding="utf-8")
    assert read_articles(tmp_path)["text"].to_dict() == {"a": "first", "b": "second"}


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.txt").write_text("x", encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ValueError, match="leads out of the folder"):
        read_articles(folder)


@pytest.mark.parametrize(
    ("value", "options", "day", "precision"),
    [
        ("2026", {}, "2026-01-01", "year"),
        ("2026-03", {}, "2026-03-01", "month"),
        ("2026-03-04", {}, "2026-03-04", "day"),
        ("2026-03-04T23:30:00-05:00", {}, "2026-03-04", "day"),
        ("2026-03-04T23:30:00-05:00", {"tz": "Europe/London"}, "2026-03-05", "day"),
        ("2026-03-04T23:30:00Z", {"tz": "America/New_York"}, "2026-03-04", "day"),
        ("04/03/2026", {"date_format": "%d/%m/%Y"}, "2026-03-04", "day"),
        ("March 2026", {"date_format": "%B %Y"}, "2026-03-01", "month"),
    ],
)
def test_dates_keep_their_precision(tmp_path, value, options, day, precision):
    path = csv(tmp_path / "a.csv", {"article_id": "1", "text": "x", "date": value})
    row = read_articles(path, **options).iloc[0]
    assert (str(row["date"].date()), row["date_precision"]) == (day, precision)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the first row must name the columns"),
        ("article_id,lead\n1,x\n", "no column text, title or url; it has 'article_id' or 'lead'"),
        ("article_id,body,content\n1,x,y\n", "columns 'body' and 'content' both stand for 'text'"),
        ("article_id,text\n1,x\n1,y\n", "row 3: article_id 1 stands a second time"),
        ("article_id,text\n,x\n", "row 2, column article_id: empty"),
        ("article_id,text\n1,x,y\n", "row 2 has 3 cells, the header names 2"),
        ('article_id,text\n1,"x\n', "line 2: unexpected end of data"),
        ("text,text\nx,y\n", "the header repeats 'text'"),
        ("article_id,text,type\n1,x,News\n", "row 2, column type: 'News'; use 'news', 'opinion'"),
        ("article_id,text,date\n1,x,04/03/2026\n", "row 2, column date: '04/03/2026'; write YYYY"),
        ("article_id,text,date\n1,x,2026-02-30\n", "row 2, column date: '2026-02-30'; no such day"),
        ("article_id,text,date\n1,x,2026-13\n", "row 2, column date: '2026-13'; no such month"),
        ("article_id,text,date\n1,x,0026\n", "row 2, column date: '0026'"),
    ],
)
def test_a_wrong_file_is_named_with_row_column_and_value(tmp_path, content, message):
    path = tmp_path / "wrong.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="wrong.csv") as error:
        read_articles(path)
    assert message in str(error.value)


def test_every_problem_is_counted_and_the_first_five_shown(tmp_path):
    rows = [{"article_id": str(i), "text": "x", "date": f"{i}/1/2020"} for i in range(2, 11)]
    with pytest.raises(ValueError, match=r"9 problem") as error:
        read_articles(csv(tmp_path / "a.csv", *rows))
    assert str(error.value).count("column date") == 5
    assert "and 4 more" in str(error.value)


def test_other_endings_and_damaged_files_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("article_id,text\n", encoding="utf-8")
    (tmp_path / "a.odt").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"the ending '.odt' is not known"):
        read_articles(tmp_path / "a.odt")
    (tmp_path / "e.docx").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"e.docx: a damaged, encrypted or unusual archive"):
        read_articles(tmp_path / "e.docx")
    (tmp_path / "e.docx").unlink()
    (tmp_path / "b.parquet").write_bytes(b"no")
    with pytest.raises(ValueError, match="not a Parquet file"):
        read_articles(tmp_path / "b.parquet")
    (tmp_path / "c.jsonl").write_text('{"text": "x"}\n{"text": \n', encoding="utf-8")
    with pytest.raises(ValueError, match="row 2 is not JSON"):
        read_articles(tmp_path / "c.jsonl")
    with pytest.raises(FileNotFoundError, match=r"the folder has 'a.csv', 'b.parquet' or 'c.jsonl'"):
        read_articles(tmp_path / "d.csv")


def test_codes_are_read_in_utf_8_only(tmp_path):
    (tmp_path / "s.csv").write_bytes("article_id,speaker\n1,caf\u00e9\n".encode("cp1252"))
    with pytest.raises(ValueError, match="not UTF-8 at byte 24; save the file as UTF-8"):
        read_statements(tmp_path / "s.csv")
    with pytest.raises(ValueError, match="the ending='.xlsx' is not known; use '.csv', '.jsonl'"):
        read_statements(csv(tmp_path / "s.xlsx", STATEMENT))


def test_an_unknown_time_zone_is_refused(tmp_path):
    path = csv(tmp_path / "a.csv", {"text": "x", "date": "2026"})
    with pytest.raises(ValueError, match="tz='Mars/Base' is not a known time zone"):
        read_articles(path, tz="Mars/Base")


def test_statements_carry_the_copy_group_of_their_article(tmp_path):
    articles = pd.DataFrame({"copy_group": ["a0", None]}, index=pd.Index(["a1", "a2"], name="article_id"))
    path = csv(tmp_path / "s.csv", STATEMENT, STATEMENT | {"article_id": "a2"})
    table = read_statements(path, articles=articles)
    assert table["copy_group"].tolist() == ["a0", "a2"]
    assert list(table["stance"].cat.categories) == codebook.values("stance")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stance": "pro"}, "row 3, column stance: 'pro'; use 'favour', 'mixed', 'neutral', 'against'"),
        ({"n": "1.5"}, "row 3, column n: '1.5'; use a whole number"),
        ({"n": "1", "article_id": "a1"}, "row 3: article_id a1, n 1 stands a second time"),
        ({"frame": None}, "row 3, column frame: empty"),
        ({"article_id": "zz"}, "row 3, column article_id: 'zz' is not among the 1 articles"),
    ],
)
def test_wrong_statements(tmp_path, change, message):
    path = csv(tmp_path / "s.csv", STATEMENT, STATEMENT | {"n": "2"} | change)
    articles = pd.DataFrame({"text": ["x"]}, index=pd.Index(["a1"], name="article_id"))
    with pytest.raises(ValueError) as error:  # noqa: PT011
        read_statements(path, articles=articles)
    assert message in str(error.value)


def test_a_missing_column_is_named(tmp_path):
    row = {k: v for k, v in STATEMENT.items() if k != "stance"}
    with pytest.raises(ValueError, match="no column 'stance'"):
        read_statements(csv(tmp_path / "s.csv", row))


def test_every_limited_column_names_a_codebook_variable():
    limited = {c.variable for table in SCHEMA.values() for c in table.values() if c.kind in ("code", "codes")}
    assert limited <= set(codebook.variables())


def test_the_shipped_data_follow_the_schema():
    articles = read_articles("data/coverage/articles.csv")
    assert (len(articles), articles["coder"].notna().sum()) == (407, 322)
    statements = read_statements("data/coverage/statements.csv", articles=articles)
    assert (len(statements), statements["article_id"].nunique()) == (3027, 322)
    assert len(read_statements("data/coverage/statements_second.csv", articles=articles)) == 380
    assert len(read_statements("data/coverage/seed_coding.csv", articles=articles)) == 24
    assert len(read_events("data/coverage/events.csv")) == 162
    assert articles["text"].isna().all(), "no article text may be shipped"
    counted = statements.groupby("article_id").size()
    assert (articles["n_statements"].dropna() == counted).all()


def test_copy_groups_are_named_after_a_member():
    articles = read_articles("data/coverage/articles.csv")
    named = articles.loc[articles["copy_group"], "copy_group"]
    assert (named.index == named).all()
