"""The release bundle: everything that may go out, nothing of an article."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from analysis import code, read_articles, read_statements, release, statements, write_articles
from analysis.__main__ import main
from analysis.coding import code_file
from analysis.release import study

DATA = Path(__file__).resolve().parents[1] / "data"
FILES = {
    "articles.csv", "codebook.md", "codebook.toml", "codes.csv", "events.csv", "manifest.json", "methods.md",
    "reliability.csv", "statements.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def sample():
    articles = read_articles(DATA / "sample" / "articles.csv").head(6)
    coded = statements(articles).assign(stance="neutral", frame="none")
    return articles, coded


def test_bundle_of_the_study_is_whole_and_repeats(tmp_path):
    first, second = (release(tmp_path / name, **study(DATA)) for name in ("a", "b"))
    assert {p.name for p in first.iterdir()} == FILES
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in FILES)
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((first / name).read_bytes()).hexdigest() == entry["sha256"]
    rows = {name: entry["rows"] for name, entry in manifest["files"].items() if "rows" in entry}
    assert rows == {
        "articles.csv": 407,
        "statements.csv": 3027,
        "events.csv": 162,
        "codes.csv": 1120,
        "reliability.csv": 7,
    }


def test_methods_paragraph_states_the_numbers_of_the_tables(tmp_path):
    out = release(tmp_path / "out", **study(DATA))
    text = (out / "methods.md").read_text(encoding="utf-8")
    alpha = pd.read_csv(out / "reliability.csv").set_index("variable")["alpha"]
    assert "407 articles" in text
    assert "3,027 statements in 322" in text
    assert f"stance {alpha['stance']:.2f} [" in text
    assert "language models" in text


def test_text_stays_and_its_digest_goes(tmp_path, sample):
    articles, coded = sample
    out = release(tmp_path / "out", articles=articles, statements=coded)
    table = pd.read_csv(out / "articles.csv")
    assert not {"text", "title"} & set(table.columns)
    text = articles["text"].iloc[0]
    assert table["text_sha256"][0] == hashlib.sha256(text.encode()).hexdigest()
    assert table["text_characters"][0] == len(text)
    released = pd.read_csv(out / "statements.csv")
    assert (released["start"] == coded["start"].to_numpy()).all()
    assert released["evidence"].dropna().str.fullmatch(r"\d+-\d+ [\w ]+(; \d+-\d+ [\w ]+)*").all()
    everything = " ".join(" ".join(p.read_text(encoding="utf-8").split()) for p in out.iterdir())
    for paragraph in articles["text"].str.split("\n").explode():
        if len(paragraph.split()) > 12:
            assert " ".join(paragraph.split()) not in everything


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_codes_from_a_file_are_released_like_those_in_memory(tmp_path, sample, suffix):
    articles, _ = sample
    write_articles(articles, tmp_path / "articles.csv")
    code_file(tmp_path / "articles.csv", tmp_path / f"codes{suffix}")
    read = read_statements(tmp_path / f"codes{suffix}", articles=articles)
    first = release(tmp_path / "a", articles=articles, statements=read)
    second = release(tmp_path / "b", articles=articles, statements=code(articles))
    a, b = (pd.read_csv(folder / "statements.csv") for folder in (first, second))
    assert a["evidence"].notna().any()
    pd.testing.assert_frame_equal(a, b[a.columns], check_dtype=False)


def test_a_cell_that_repeats_an_article_is_refused(tmp_path, sample):
    articles, coded = sample
    words = " ".join(articles["text"].iloc[2].split()[20:29])
    bad = coded.assign(coder="a")
    bad.loc[bad.index[3], "coder"] = f"see: {words.upper()}!"
    with pytest.raises(ValueError, match=r"statements\.csv, row 5, column 'coder' repeats 8 words"):
        release(tmp_path / "out", articles=articles, statements=bad)
    with pytest.raises(ValueError, match=r"articles\.csv, row 2, column 'gist': 305 characters"):
        release(tmp_path / "out", articles=articles.assign(gist="long " * 61), statements=coded)
    assert list(tmp_path.iterdir()) == []


def test_a_column_that_is_not_in_the_schema_stays(tmp_path, sample):
    articles, coded = sample
    out = release(tmp_path / "out", articles=articles.assign(body=articles["text"]), statements=coded.assign(quote="x"))
    assert "body" not in pd.read_csv(out / "articles.csv")
    assert "quote" not in pd.read_csv(out / "statements.csv")


def test_nothing_is_written_over(tmp_path, sample):
    articles, coded = sample
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError, match="is there already"):
        release(tmp_path / "out", articles=articles, statements=coded)
    with pytest.raises(ValueError, match="no column 'stance'"):
        release(tmp_path / "new", articles=articles, statements=coded.drop(columns="stance"))


def test_command(tmp_path, capsys):
    assert main(["release", "--out", str(tmp_path / "out")]) == 0
    assert "9 files" in capsys.readouterr().out
    assert main(["release", "--out", str(tmp_path / "out")]) == 2
    assert "there already" in capsys.readouterr().err
    assert main(["release", "--out", str(tmp_path / "other"), "--articles", "x.csv"]) == 2
    assert "go together" in capsys.readouterr().err


def test_formulas_are_made_inert(tmp_path, sample):
    articles, coded = sample
    out = release(tmp_path / "out", articles=articles.assign(outlet="=HYPERLINK(1)"), statements=coded)
    assert set(pd.read_csv(out / "articles.csv")["outlet"]) == {"'=HYPERLINK(1)"}
