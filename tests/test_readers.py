"""Readers of exports: every layout gives the articles it holds, says how, and refuses what is hostile."""

import csv
import gzip
import io
import json
import random
import sys
import zipfile
from pathlib import Path

import exports
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import audit, copies, flow, item_log, read_articles, reading_report, write_articles
from analysis.corpus import SYNONYMS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

TITLES = [a["title"] for a in exports.ARTICLES]
OUTLETS = [a["outlet"] for a in exports.ARTICLES]
DAYS = [str(a["date"]) for a in exports.ARTICLES]
BODIES = [" ".join(a["text"]) for a in exports.ARTICLES]
AUTHORS = [(a["author"] or "").removeprefix("By ") for a in exports.ARTICLES]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return exports.every(tmp_path_factory.mktemp("exports"))


def flat(text):
    return " ".join(text.split())


def days(articles):
    return [str(d.date()) for d in articles["date"]]


def noted(articles, step):
    report = reading_report(articles)
    return "; ".join(report.loc[report["step"] == step, "detail"])


# Layouts


@pytest.mark.parametrize(
    "name",
    [
        "nexis.docx",
        "nexis.rtf",
        "lexis.txt",
        "factiva.html",
        "fields.html",
        "factiva.rtf",
        "fields.rtf",
        "proquest.txt",
    ],
)
def test_an_export_gives_its_articles_whole(files, name):
    articles = read_articles(files[name])
    assert articles["title"].tolist() == TITLES
    assert articles["outlet"].tolist() == OUTLETS
    assert days(articles) == DAYS
    assert articles["date_precision"].tolist() == ["day"] * 3
    assert [flat(t) for t in articles["text"]] == BODIES
    assert [a.removeprefix("By ") for a in articles["author"].fillna("")] == AUTHORS
    assert articles.index.is_unique
    assert not noted(articles, "warned")


def test_paragraphs_stay_apart(files):
    for name in ("nexis.docx", "factiva.html", "factiva.rtf", "fields.rtf", "proquest.txt", "lexis.txt"):
        assert read_articles(files[name])["text"].iloc[0].split("\n\n") == exports.ARTICLES[0]["text"], name


def test_nexis_as_pdf_text(files):
    articles = read_articles(files["nexis.pdf"])
    assert (articles["title"].tolist(), articles["outlet"].tolist(), days(articles)) == (TITLES, OUTLETS, DAYS)
    plain = [b.replace("“", '"').replace("”", '"').replace("—", "-") for b in BODIES]
    assert [flat(t) for t in articles["text"]] == plain


def test_a_word_broken_over_two_lines_of_a_pdf_is_joined(tmp_path):
    lines = ["The firm will keep its encryp-", "tion, which is end-to-", "end, and the Anglo-", "Saxon tongue."]
    text = flat(read_articles(exports.pdf(tmp_path / "a.pdf", lines))["text"].iloc[0])
    assert text == "The firm will keep its encryption, which is end-to-end, and the Anglo- Saxon tongue."


@pytest.mark.parametrize("name", ["crawl.warc", "crawl.warc.gz"])
def test_a_web_archive(files, name):
    articles = read_articles(files[name])
    assert (articles["title"].tolist(), articles["outlet"].tolist(), days(articles)) == (TITLES, OUTLETS, DAYS)
    assert articles["url"].tolist() == [f"https://invented.example/{i}" for i in range(3)]
    assert all(a["text"][0] in t for a, t in zip(exports.ARTICLES, articles["text"], strict=True))
    dropped = noted(articles, "dropped")
    assert all(why in dropped for why in ("status 404", "not HTML", "an address met before"))


@pytest.mark.parametrize(
    ("name", "url"),
    [("page.html", "https://invented.example/2019-03-04"), ("page.mhtml", "https://invented.example/saved")],
)
def test_a_saved_page(files, name, url):
    row = read_articles(files[name]).loc["page"]
    assert (row["title"], row["outlet"], str(row["date"].date()), row["url"]) == (TITLES[0], OUTLETS[0], DAYS[0], url)
    assert exports.ARTICLES[0]["text"][0] in row["text"]
    assert "cookies" not in row["text"]


def test_references_hold_no_text(files):
    ris, csl = read_articles(files["proquest.ris"]), read_articles(files["zotero.json"])
    assert (ris["title"].tolist(), ris["outlet"].tolist(), days(ris)) == (TITLES, OUTLETS, DAYS)
    assert ris["abstract"].tolist() == [a["text"][0] for a in exports.ARTICLES]
    assert (csl["title"].tolist(), csl["outlet"].tolist()) == (TITLES, OUTLETS)
    assert csl["date_precision"].tolist() == ["day", "month", "year"]
    assert days(csl) == ["2019-03-04", "2019-12-01", "2020-01-01"]
    for articles in (ris, csl):
        assert articles["text"].isna().all()
        assert "holds no text" in noted(articles, "read")
    assert list(ris.index) == ["880001", "880002", "880003"]


@pytest.mark.parametrize("name", ["mediacloud.csv", "gdelt.csv", "gdelt.json"])
def test_lists_of_addresses_are_kept_without_text(files, name):
    articles = read_articles(files[name])
    assert articles["title"].tolist() == TITLES
    assert articles["url"].str.startswith("https://invented.example/").all()
    assert days(articles) == DAYS
    assert articles["text"].isna().all()
    assert ("GDELT saw the pages" in noted(articles, "warned")) == name.startswith("gdelt")


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.json", "rows.jsonl", "rows.parquet"])
def test_tables_of_other_names(files, name):
    articles = read_articles(files[name])
    assert (list(articles.index), articles["title"].tolist(), days(articles)) == (["0", "1", "2"], TITLES, DAYS)
    assert "column 'headline' read as 'title'" in noted(articles, "mapped")


def test_excel_keeps_dates_and_says_what_it_left(files):
    articles = read_articles(files["table.xlsx"])
    assert (articles["title"].tolist(), days(articles)) == (TITLES, DAYS)
    assert articles["Number"].tolist() == [0, 1, 2]
    assert "only the first sheet" in noted(articles, "dropped")


def test_a_document_that_is_no_export_is_one_article(files):
    assert read_articles(files["letter.docx"]).loc["letter", "text"].split("\n\n") == exports.ARTICLES[0]["text"]


def test_the_kind_can_be_named(files, tmp_path):
    path = tmp_path / "export.xyz"
    path.write_bytes(files["factiva.rtf"].read_bytes())
    with pytest.raises(ValueError, match=r"no articles of Nexis found in it; each must end with a line 'End of"):
        read_articles(path, kind="nexis")
    assert len(read_articles(path, kind="factiva")) == 3
    with pytest.raises(ValueError, match="kind='lexis' is not known; use 'csv', 'tsv'"):
        read_articles(path, kind="lexis")


def test_an_article_exported_twice_is_left_out(tmp_path):
    articles = read_articles(exports.factiva_html(tmp_path / "a.html", exports.ARTICLES))
    again = exports.factiva_html(tmp_path / "b.html", exports.ARTICLES).read_text(encoding="utf-8")
    (tmp_path / "b.html").write_text(again.replace("</body></html>", again.split("<body>")[1]), encoding="utf-8")
    twice = read_articles(tmp_path / "b.html")
    pd.testing.assert_frame_equal(twice, articles)
    assert "twice" in noted(twice, "dropped")


def test_a_text_much_shorter_than_stated_is_noted(tmp_path):
    lines = [line.replace("Length: 76 words", "Length: 760 words") for line in exports.nexis_lines()]
    articles = read_articles(exports.docx(tmp_path / "a.docx", lines))
    assert "much shorter or longer than the number of words" in noted(articles, "warned")


def test_a_folder_of_exports(files, tmp_path):
    for name in ("nexis.docx", "factiva.html", "plain.txt", "page.html"):
        (tmp_path / name).write_bytes(files[name].read_bytes())
    (tmp_path / "notes.odt").write_bytes(b"x")
    (tmp_path / "broken.docx").write_bytes(b"x")
    (tmp_path / ".hidden.txt").write_text("x", encoding="utf-8")
    articles = read_articles(tmp_path)
    assert len(articles) == 3 + 3 + 1 + 1
    assert {"nexis-1", "nexis-3", "plain", "page"} <= set(articles.index)
    report = reading_report(articles).set_index("detail")
    assert report.loc["files of other kinds, and folders", "rows"] == "notes.odt"
    assert report.index.str.contains("broken.docx: a damaged").any()


@pytest.mark.slow
def test_several_processes_read_a_folder_alike(files, tmp_path):
    for name in ("nexis.docx", "page.html", "proquest.txt", "rows.json"):
        (tmp_path / name).write_bytes(files[name].read_bytes())
    (tmp_path / "broken.docx").write_bytes(b"x")
    one, two = (read_articles(tmp_path, workers=n) for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one.attrs == two.attrs
    with pytest.raises(ValueError, match="workers=0 must be a whole number"):
        read_articles(tmp_path, workers=0)


# Columns, encodings, dates


def test_synonyms_are_unambiguous():
    names = [name for others in SYNONYMS.values() for name in others]
    assert len(names) == len(set(names))
    assert not set(names) & set(SYNONYMS)


def test_columns_choose_among_two_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("title,headline,body,published\na,b,c,2020\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"columns 'title' and 'headline' both stand for 'title'; say which: columns="):
        read_articles(path)
    articles = read_articles(path, columns={"headline": "title", "title": "short", "published": None})
    assert articles[["title", "short", "text"]].to_numpy().tolist() == [["b", "a", "c"]]
    assert articles["date"].isna().all()
    with pytest.raises(ValueError, match=r"columns names 'lead'; .*a.csv has 'title', 'headline'"):
        read_articles(path, columns={"lead": "text"})
    with pytest.raises(TypeError, match="columns must be a mapping"):
        read_articles(path, columns=["title"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes("title,text\ncafé,“naïve” – 5 €\n".encode(encoding))
    articles = read_articles(tmp_path / "a.csv")
    assert articles[["title", "text"]].to_numpy().tolist() == [["café", "“naïve” – 5 €"]]
    guessed = {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}.get(encoding, "")
    assert guessed in noted(articles, "guessed")
    assert bool(noted(articles, "guessed")) == bool(guessed)


def test_mojibake_is_reported_and_not_touched(tmp_path):
    broken = "the ‘naïve’ café".encode().decode("cp1252")
    rows = pd.DataFrame(
        {"title": ["Ärger", "«CAFÉ»", "naïve Ã la carte"], "text": [broken, "fine – “so” é", "lost \ufffd sign"]}
    )
    rows.to_csv(tmp_path / "a.csv", index=False)
    articles = read_articles(tmp_path / "a.csv")
    assert articles["text"].iloc[0] == broken
    warned = reading_report(articles).query("step == 'warned'").set_index("detail")["rows"]
    assert warned[warned.index.str.startswith("text: UTF-8 read as Windows-1252")].tolist() == ["2"]
    assert warned["text: signs lost in an earlier conversion (\ufffd)"] == "4"
    assert not warned.index.str.startswith("title").any()


def test_semicolons_are_guessed_and_said(tmp_path):
    (tmp_path / "a.csv").write_text("title;text\na, b;c\n", encoding="utf-8")
    articles = read_articles(tmp_path / "a.csv")
    assert articles["title"].tolist() == ["a, b"]
    assert "';'" in noted(articles, "guessed")


@pytest.mark.parametrize(
    ("value", "day", "precision"),
    [
        ("March 4, 2019 Monday 10:30 PM GMT", "2019-03-04", "day"),
        ("4 March 2019", "2019-03-04", "day"),
        ("4th Mar. 2019", "2019-03-04", "day"),
        ("Wed, 04 Mar 2026 10:00:00 +0000", "2026-03-04", "day"),
        ("Sept. 4, 2019", "2019-09-04", "day"),
        ("2019/3/4", "2019-03-04", "day"),
        ("2019/03/04/", "2019-03-04", "day"),
        ("2019///", "2019-01-01", "year"),
        ("2013 Mar 04", "2013-03-04", "day"),
        ("2019.03", "2019-03-01", "month"),
        ("20190304T063400Z", "2019-03-04", "day"),
        ("20190304", "2019-03-04", "day"),
        ("March 2019", "2019-03-01", "month"),
        ("5/5/2019", "2019-05-05", "day"),
        ("31/12/2019", "2019-12-31", "day"),
        ("12/31/2019 10:15", "2019-12-31", "day"),
    ],
)
def test_dates_of_exports(tmp_path, value, day, precision):
    pd.DataFrame({"text": ["x"], "date": [value]}).to_csv(tmp_path / "a.csv", index=False)
    row = read_articles(tmp_path / "a.csv").iloc[0]
    assert (str(row["date"].date()), row["date_precision"]) == (day, precision)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["04/03/2019", "31/03/2019"], ["2019-03-04", "2019-03-31"]),
        (["04/03/2019", "03/31/2019"], ["2019-04-03", "2019-03-31"]),
        (["04.03.2019", "31.03.2019"], ["2019-03-04", "2019-03-31"]),
        (["04/03/2019", "05/03/2019"], "row 2, column date: '04/03/2019'.*two readings and no other row"),
        (["31/03/2019", "03/31/2019"], "row 2.*some rows put the day first, others the month"),
        (["04/03/19"], "row 2, column date: '04/03/19'; write YYYY"),
        (["32/03/2019"], "no such"),
        (["4 mars 2019"], "'mars' is no English name of a month"),
        (["March 4, 2019 at noon"], "the part 'at noon' is no time of day"),
        (["March 4, 2019 25:10"], "no such day or time"),
    ],
)
def test_day_and_month_are_never_guessed_without_proof(tmp_path, values, expected):
    pd.DataFrame({"text": "x", "date": values}).to_csv(tmp_path / "a.csv", index=False)
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=expected):
            read_articles(tmp_path / "a.csv")
    else:
        articles = read_articles(tmp_path / "a.csv")
        assert days(articles) == expected
        report = reading_report(articles).query("step == 'guessed'")
        assert report["rows"].tolist() == ["2"], "the row with two readings is named"
        assert "has no other reading" in report["detail"].iloc[0]


@pytest.mark.parametrize(("zone", "day"), [("GMT", "2019-03-04"), ("EST", "2019-03-05"), ("BST", "2019-03-04")])
def test_names_of_zones_that_have_one_meaning_are_read(tmp_path, zone, day):
    pd.DataFrame({"text": ["x"], "date": [f"March 4, 2019 Monday 10:30 PM {zone}"]}).to_csv(
        tmp_path / "a.csv", index=False
    )
    assert days(read_articles(tmp_path / "a.csv", tz="Europe/London")) == [day]


def test_options_of_the_wrong_kind_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("text,date\nx,2019\n", encoding="utf-8")
    with pytest.raises(TypeError, match="tz must be a string, not int"):
        read_articles(tmp_path / "a.csv", tz=3)


# The report


def test_the_report_survives_what_pandas_does_with_attrs(files, tmp_path):
    articles = read_articles(files["rows.csv"])
    report = reading_report(articles)
    assert list(report.columns) == ["step", "detail", "n", "rows"]
    assert report["step"].is_monotonic_increasing
    pd.testing.assert_frame_equal(report, reading_report(articles[articles["title"] != ""]))
    assert len(pd.concat([articles, read_articles(files["rows.csv"])])) == 6
    articles.to_parquet(tmp_path / "a.parquet")
    assert (
        reading_report(read_articles(tmp_path / "a.parquet"))["detail"].iloc[0]
        == "articles from a.parquet, kind 'parquet'"
    )
    with pytest.raises(ValueError, match="carry no report"):
        reading_report(pd.DataFrame())


# Hostile files


def bomb(size):
    return b"0" * size


def test_archives_that_swell_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    for name, part in (("a.docx", "word/document.xml"), ("a.xlsx", "xl/workbook.xml")):
        exports.zipped(tmp_path / name, {part: bomb(30 << 20)})
        with pytest.raises(ValueError, match="would unpack to 30 MB"):
            read_articles(tmp_path / name)
    monkeypatch.setattr("analysis._documents.MAX_PART", 1 << 20)
    exports.zipped(tmp_path / "b.xlsx", {"xl/workbook.xml": "x"} | {f"xl/{i}.xml": bomb(9 << 16) for i in range(5)})
    with pytest.raises(ValueError, match="2 MB in all; refused"):
        read_articles(tmp_path / "b.xlsx")


def test_entities_are_refused(tmp_path):
    laughs = '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with pytest.raises(ValueError, match="declares a document type; refused"):
        read_articles(exports.docx(tmp_path / "a.docx", ["&b;"], prolog=laughs))
    outside = '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(ValueError, match="declares a document type; refused"):
        read_articles(exports.docx(tmp_path / "a.docx", ["&a;"], prolog=outside))
    sheet = exports.excel(tmp_path / "a.xlsx")
    with zipfile.ZipFile(sheet) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = outside.encode() + parts["xl/worksheets/sheet1.xml"].split(b"?>", 1)[-1]
    with pytest.raises(ValueError, match="declares a document type or is not UTF-8; refused"):
        read_articles(exports.zipped(sheet, parts))


def test_members_with_escaping_names_are_never_written(tmp_path):
    parts = {"../../escaped.txt": "x", "/escaped.txt": "x", "word/document.xml": "<a/>"}
    folder = tmp_path / "in" / "side"
    folder.mkdir(parents=True)
    exports.zipped(folder / "a.docx", parts)
    read_articles(folder / "a.docx")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.docx"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "[" * 100_000, "nested too deeply|not JSON"),
        ("a.jsonl", '{"text": ' + "[" * 100_000, "nested too deeply"),
        ("a.json", '[{"text": ' + "9" * 5_000 + "}]", "is not JSON"),
        ("a.json", "3", "a int; write a list of objects"),
        ("a.json", '[{"text": "x"}, 4]', "item 2 is a int"),
        ("a.json", '{"a": [{"text": "x"}], "b": [{"text": "y"}]}', "lists of objects under 'a' or 'b'; keep one"),
        ("a.json", json.dumps([{f"c{i}": 1} for i in range(3000)]), "3000 columns; at most 2000"),
        ("a.rtf", "{\\rtf1" + "{" * 100_000, "RTF groups nested more than 200 deep"),
        ("a.csv", ",".join(f"c{i}" for i in range(3000)) + "\n", "3000 columns; at most 2000"),
        ("a.csv", "text\n\x00\n", "not text"),
        ("a.txt", "\x1f\x8b\x08", "gzip"),
        ("a.ris", "AB  - x\n", "article|reference|column"),
        ("a.warc", "WARC/1.0\r\n\r\n", "no HTML page that answered 200|damaged WARC"),
        ("a.pdf", "%PDF-1.4\n", "not a PDF file that can be read"),
    ],
)
def test_depth_width_and_damage_are_answered(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=message) as error:
        read_articles(tmp_path / name)
    assert name in str(error.value)


def test_deep_xml_is_refused(tmp_path):
    body = '<?xml version="1.0"?>' + "<a>" * 5000 + "</a>" * 5000
    exports.zipped(tmp_path / "a.docx", {"word/document.xml": body})
    with pytest.raises(ValueError, match="nested more than 200 deep"):
        read_articles(tmp_path / "a.docx")


def test_a_sheet_that_claims_a_million_rows_does_not_cost_them(tmp_path):
    sheet = exports.excel(tmp_path / "a.xlsx")
    with zipfile.ZipFile(sheet) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    part = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = part.replace(b"</sheetData>", far)
    with pytest.raises(ValueError, match="empty rows or"):
        read_articles(exports.zipped(sheet, parts))


def test_a_parquet_file_is_not_believed_about_pickles(tmp_path):
    table = pd.DataFrame({"text": ["x"]}, index=pd.Index(["a"], name="article_id"))
    table.to_parquet(tmp_path / "a.parquet")
    assert read_articles(tmp_path / "a.parquet").index.tolist() == ["a"]


def test_pages_in_archives_are_unpacked_no_further_than_a_page_may_be(tmp_path):
    swollen, fine = (gzip.compress(body) for body in (bomb(80 << 20), exports.page()))
    records = [
        exports.warc_record(f"https://invented.example/{i}", b, encoding="gzip", gz=False)
        for i, b in enumerate([swollen, fine])
    ]
    (tmp_path / "a.warc").write_bytes(b"".join(records))
    articles = read_articles(tmp_path / "a.warc")
    assert articles["url"].tolist() == ["https://invented.example/1"]
    assert "larger than 10 MB" in noted(articles, "dropped")


@pytest.mark.slow
def test_two_thousand_damaged_files_are_answered(tmp_path):
    import readers

    outcomes = [(path.name, *readers.tried(path, kind)) for path, kind in readers.inputs(2_000, tmp_path, seed=7)]
    assert [o for o in outcomes if o[1] not in ("articles", "error") or o[2] > readers.LIMIT] == []
    assert 200 < sum(o[1] == "error" for o in outcomes) < 1800


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(content=st.text(max_size=400), name=st.sampled_from(["a.txt", "a.json", "a.jsonl", "a.csv", "a.ris", "a.html"]))
def test_any_text_is_answered(tmp_path_factory, content, name):
    path = tmp_path_factory.mktemp("any") / name
    path.write_text(content, encoding="utf-8", errors="replace", newline="")
    try:
        articles = read_articles(path)
    except ValueError as error:
        answer = str(error)
    else:
        answer = name * articles.index.is_unique
        assert {"outlet", "date", "country", "type", "url", "title", "text"} <= set(articles.columns)
    assert name in answer


# Writing


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_what_is_written_is_read_again(files, tmp_path, ending):
    articles = read_articles(files["nexis.docx"])
    articles.loc["2", "date"] = pd.NaT
    again = read_articles(write_articles(articles, tmp_path / f"a.{ending}"))
    columns = ["outlet", "date", "title", "text", "author"]
    pd.testing.assert_frame_equal(again[columns], articles[columns])
    assert [p.name for p in tmp_path.iterdir()] == [f"a.{ending}"]


@pytest.mark.parametrize(
    "cell",
    [
        "=cmd|' /C calc'!A0",
        "+1+cmd",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\uff1d1",
        '=HYPERLINK("http://x")',
    ],
)
def test_cells_that_a_spreadsheet_would_run_are_written_as_text(tmp_path, cell):
    articles = pd.DataFrame({"title": [cell], "text": ["plain = text"], "n": [-5], "=x": ["-5"]}, index=["a"])
    path = write_articles(articles, tmp_path / "a.csv")
    header, row = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert header == ["article_id", "title", "text", "n", "'=x"]
    assert row == ["a", "'" + cell, "plain = text", "-5", "-5"]
    exact = read_articles(write_articles(articles.drop(columns="=x"), tmp_path / "a.jsonl"))
    assert exact.loc["a", "title"] == cell


def test_writing_refuses_what_it_cannot_keep(tmp_path):
    with pytest.raises(ValueError, match="the ending='.xlsx' is not known; use '.csv', '.jsonl' or '.parquet'"):
        write_articles(pd.DataFrame({"text": ["x"]}), tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match="articles hold 'a' more than once"):
        write_articles(pd.DataFrame({"text": ["x", "y"]}, index=["a", "a"]), tmp_path / "a.csv")


# From found to analysed


def test_the_flow_counts_every_item_once():
    articles = pd.DataFrame(
        {"text": ["x", "y", "z", None, " "], "copy_group": ["b", "b", "c", "d", "e"]}, index=["a", "b", "c", "d", "e"]
    )
    found = pd.DataFrame(
        {"item": list("abcdef"), "stage": ["extracted"] * 5 + ["found"], "reason": ["-"] * 5 + ["robots.txt"]}
    )
    log = item_log(articles, log=found, relevant=pd.Series({"a": False, "b": True, "c": True}))
    assert log.set_index("item")["stage"].to_dict() == {
        "a": "extracted", "b": "analysed", "c": "analysed", "d": "fetched", "e": "fetched", "f": "found",
    }  # fmt: skip
    table = flow(log).set_index("stage")
    assert table["n"].tolist() == [6, 5, 3, 2, 2, 2]
    assert table["lost"].tolist() == [0, 1, 2, 1, 0, 0]
    assert table.loc["extracted", "reasons"] == "no text: 2"
    assert table["lost"].sum() + table.loc["analysed", "n"] == len(log)


def test_the_copy_that_is_relevant_goes_on():
    articles = pd.DataFrame({"text": ["x", "y"], "copy_group": ["a", "a"]}, index=["a", "b"])
    log = item_log(articles, relevant=pd.Series({"a": False, "b": True}))
    assert log["stage"].tolist() == ["extracted", "analysed"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "read", None)], "item 'a' has the stage 'read'; use 'found', 'fetched'"),
        ([("a", "found", "x"), ("a", "found", "x")], "item 'a' stands a second time"),
        ([("a", "found", None)], "without a reason"),
        ([("a", "analysed", "x")], "has a reason for its loss"),
    ],
)
def test_a_wrong_log_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        flow(pd.DataFrame(rows, columns=["item", "stage", "reason"]))


def test_an_article_without_an_item_is_refused():
    log = pd.DataFrame({"item": ["a"], "stage": ["found"], "reason": ["x"]})
    with pytest.raises(ValueError, match="article 'b' is not among the items of log; 1 such"):
        item_log(pd.DataFrame({"text": ["x"]}, index=["b"]), log=log)
    with pytest.raises(TypeError, match="relevant must be a Series of True and False"):
        item_log(pd.DataFrame({"text": ["x"]}, index=["b"]), relevant=pd.Series(["yes"], index=["b"]))


def coverage(seed=0, outlets=6, start="2022-01-01", end="2024-01-01"):
    """Invented coverage with bursts, as news has them, of outlets that keep their share."""
    chance = random.Random(seed)
    rows = []
    for day in pd.date_range(start, end):
        busy = 6 if chance.random() < 0.03 else 1
        for outlet in range(outlets):
            for _ in range(busy):
                if chance.random() < 0.05 + 0.05 * outlet:
                    size = max(60, int(chance.gauss(500, 150)))
                    rows.append((f"Outlet {outlet}", day, f"{len(rows)} " + "word " * size))
    return pd.DataFrame(rows, columns=["outlet", "date", "text"])


def test_the_audit_is_quiet_where_nothing_is_amiss():
    assert [len(audit(coverage(seed))) for seed in range(8)] == [0] * 8
    assert audit(coverage().head(0)).empty
    assert audit(coverage().head(3)).empty


@pytest.mark.parametrize("seed", range(3))
def test_the_audit_finds_planted_holes(seed):
    data = coverage(seed)
    late = data["date"] >= "2023-03-01"
    stopped = data[~((data["outlet"] == "Outlet 3") & late)]
    assert audit(stopped)[["check", "where", "value"]].to_numpy().tolist() == [["stops", "Outlet 3", 0.0]]
    began = data[~((data["outlet"] == "Outlet 3") & ~late)]
    assert audit(began)[["check", "where"]].to_numpy().tolist() == [["starts", "Outlet 3"]]
    gap = data[~((data["outlet"] == "Outlet 4") & data["date"].between("2022-06-01", "2023-02-01"))]
    assert audit(gap)[["check", "where"]].to_numpy().tolist() == [["silent", "Outlet 4"]]
    month = data[data["date"].dt.to_period("M") != pd.Period("2022-09")]
    assert audit(month)[["check", "where"]].to_numpy().tolist() == [["month", "2022-09"]]
    short = data.assign(text=data["text"].where(~((data["outlet"] == "Outlet 5") & late), data["text"].str[:800]))
    found = audit(short)
    assert found[["check", "where"]].to_numpy().tolist() == [["shorter", "Outlet 5"]]
    assert "since 2023-0" in found["detail"].iloc[0]


def test_the_audit_counts_what_is_missing_and_what_is_the_same():
    data = coverage(1)
    own = data.index[data["outlet"] == "Outlet 2"]
    data.loc[own[::3], "text"] = "Please accept cookies to read on."
    data.loc[data.index[:7], "date"] = pd.NaT
    found = audit(data).set_index("check")
    assert found.loc["date", "value"] == 7 / len(data)
    assert found.loc["same text", "detail"].startswith(f"{len(own[::3])} of {len(own)} articles share their text")
    assert found.loc["short text", "where"] == "Outlet 2"


def test_days_known_only_to_the_month_do_not_make_gaps():
    data = coverage(2)
    precision = pd.Series("day", index=data.index)
    precision[data["outlet"] == "Outlet 1"] = "month"
    data.loc[data["outlet"] == "Outlet 1", "date"] = data["date"].dt.to_period("M").dt.to_timestamp()
    assert audit(data.assign(date_precision=precision)).empty


def test_the_shipped_exports_read_as_the_notebook_says():
    articles = read_articles("data/sample/exports")
    assert len(articles) == 70
    assert articles["text"].isna().sum() == 1
    assert set(audit(articles)["check"]) == {"text", "same text", "short text"}
    articles["copy_group"] = copies(articles)
    assert flow(item_log(articles))["n"].tolist()[:3] == [70, 70, 69]


def test_the_shipped_exports_are_what_the_script_writes(tmp_path):
    made = read_articles("data/sample/articles.csv")
    made = made[made["type"].isin(["news", "opinion"])].sort_values("date", kind="stable").tail(64)
    exports.sample_exports(tmp_path, made)
    pd.testing.assert_frame_equal(read_articles(tmp_path), read_articles("data/sample/exports"))
