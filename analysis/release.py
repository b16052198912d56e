"""The release bundle: what another scholar may lawfully receive of a study, and nothing of anyone's article.

Addresses, ids, digests, offsets and codes go out; article text and headlines stay. The columns that go are those of the
schema (`analysis.corpus.SCHEMA`) and no others, and every cell is then compared with the text, where there is any.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import __version__, _check, codebook
from analysis._documents import inert
from analysis.corpus import SCHEMA, read_articles, read_events, read_statements
from analysis.validity import agreement

_PRIVATE = ["title", "text"]  # of articles: digests go in their place
_OURS = ["gist", "event", "note"]  # free text that coders write in their own words
_RUN = 8  # words in a row that a cell and an article may not share
_LONGEST = 300  # characters of a cell of our own words; a longer one is an excerpt rather than a note
_VARIABLES = ["relevant", "speaker_group", "attribution", "target", "stance", "stance_author", "frame"]
_PACKAGES = ["numpy", "pandas", "scipy", "pyarrow", "nltk", "onnxruntime", "tokenizers", "matplotlib", "seaborn"]


def release(
    out: str | Path,
    *,
    articles: pd.DataFrame,
    statements: pd.DataFrame,
    events: pd.DataFrame | None = None,
    codes: pd.DataFrame | None = None,
    unit: str | list[str] = "sentence_id",
    coders: str | None = None,
) -> Path:
    """Write the release bundle of a study to the new folder `out` and return its path.

    `articles` and `statements` are as `read_articles` and `read_statements` give them; `events`, from `read_events`,
    may come along. `codes` are units as two coders or more coded them (a row per `unit` and coder, with `article_id`):
    they go into the bundle and give the reliabilities of the methods paragraph. `coders` is a sentence that says who
    coded: a person, several, or a language model.

    Files written: `articles.csv` (the schema's columns; instead of `title` and `text` their sha256 over UTF-8 and the
    number of characters), `statements.csv` (codes and offsets; `evidence` as start, end and rule, without
    the words; `speaker` cut to seven words),
    `events.csv`, `codes.csv`, `reliability.csv`, `codebook.md`, `codebook.toml`, `methods.md` (a paragraph for the
    paper, with the numbers filled in) and `manifest.json` (versions, and rows, columns and sha256 of every file). The
    same tables give the same bytes.

    Raises FileExistsError if `out` is there already, TypeError or ValueError for a wrong table, and ValueError naming
    file, row and column if a cell holds eight words in a row of an article, or more than a note; nothing is then
    written.
    """
    _check.frame(articles, ["url"], "articles")
    _check.frame(statements, ["article_id", "n", "stance", "frame"], "statements")
    out = Path(out)
    if out.exists():
        raise FileExistsError(f"{out} is there already; a release is never written over: name a new folder")
    tables = {
        "articles": _articles(articles),
        "statements": _kept(statements.assign(**_shortened(statements)), [*SCHEMA["statements"], "evidence"]),
    }
    if events is not None:
        tables["events"] = _kept(_check.frame(events, ["event"], "events").reset_index(), SCHEMA["events"])
    if codes is not None:
        units = _check.names(unit, "unit")
        _check.frame(codes, [*units, "coder"], "codes")
        coded = [v for v in _VARIABLES if v in codes]
        tables["codes"] = _kept(codes, [*units, "article_id", "coder", *coded, "frame_second"])
        tables["reliability"] = agreement(codes, unit=units, value=coded)
    _refuse_text(tables, articles)
    _write(out, tables, methods(articles, statements, tables.get("reliability"), coders=coders))
    return out


def study(data: str | Path) -> dict:
    """Read the tables of this project's own study from its folder `data`, as the arguments of `release`.

    The reliabilities are those of `gold/codes.csv`: 560 real sentences, two coders.
    """
    data = Path(data)
    articles = read_articles(data / "coverage" / "articles.csv")
    gold = pd.read_csv(data / "gold" / "codes.csv", dtype={"sentence_id": "str", "article_id": "str"})
    return {
        "coders": "All coders are language models that worked from the codebook, blind to each other.",
        "articles": articles,
        "statements": read_statements(data / "coverage" / "statements.csv", articles=articles),
        "events": read_events(data / "coverage" / "events.csv"),
        "codes": pd.concat(
            gold[["sentence_id", "article_id", *(f"{v}_{coder}" for v in [*_VARIABLES, "frame_second"])]]
            .rename(columns=lambda name, coder=coder: name.removesuffix(f"_{coder}"))
            .assign(coder=coder)
            for coder in "de"
        ),
    }


def methods(
    articles: pd.DataFrame,
    statements: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    *,
    coders: str | None = None,
) -> str:
    """Return the methods paragraph of a study, its numbers computed from the tables.

    `reliability` is what `agreement` returns, `coders` a sentence on who coded; without it the paragraph leaves a gap
    for you to fill. What the tables do not tell (how pages were found) is left for you as well.

    >>> articles = pd.DataFrame({"url": ["https://a.example/1"], "outlet": ["A"], "date": ["2020-02-01"]}, index=["a1"])
    >>> statements = pd.DataFrame({"article_id": ["a1", "a1"], "n": [1, 2], "stance": ["favour", "not_addressed"]})
    >>> methods(articles, statements).split(". ")[1]
    '2 statements in 1 of them are coded; 1 takes up encryption'
    """
    dates = articles["date"].dropna().astype(str).str[:4] if "date" in articles else pd.Series(dtype=str)
    outlets = articles["outlet"].nunique() if "outlet" in articles else 0
    takes_up = int(statements["stance"].ne("not_addressed").sum())
    n_coded = statements["article_id"].nunique()
    parts = [
        f"The study covers {_n(len(articles), 'article')} of {_n(outlets, 'outlet')}"
        + (f", dated {dates.min()} to {dates.max()}." if len(dates) else "."),
        f"{_n(len(statements), 'statement')} in {n_coded:,} of them {'are' if len(statements) != 1 else 'is'} coded; "
        f"{takes_up:,} {'takes' if takes_up == 1 else 'take'} up encryption.",
    ]
    parts.append(coders or "[Say here who coded: persons or language models, how many, how trained.]")
    if "copy_group" in articles:
        groups = articles["copy_group"].dropna()
        parts.append(
            f"The articles form {_n(groups.nunique(), 'group')} of copies of one text; "
            "intervals are 95% cluster-bootstrap intervals that resample these groups."
        )
    if reliability is not None:
        each = [
            f"{row.variable.replace('_', ' ')} {row.alpha:.2f} [{row.low:.2f}, {row.high:.2f}]"
            for row in reliability.itertuples()
        ]
        parts.append(
            f"Krippendorff's alpha on up to {_n(int(reliability['n'].max()), 'unit')} coded independently by "
            f"{int(reliability['coders'].max())} coders: {'; '.join(each)}."
        )
    parts.append(
        f"Codes follow the codebook in this bundle; estimates were made with the Python package analysis {__version__}."
    )
    return "\n".join(["# Methods", "", " ".join(parts), ""])


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _kept(table: pd.DataFrame, columns: list[str] | dict) -> pd.DataFrame:
    return table[[c for c in columns if c in table.columns]].reset_index(drop=True)


def _articles(articles: pd.DataFrame) -> pd.DataFrame:
    """Schema's columns, with digest and length where there was text."""
    table = articles.reset_index(names="article_id") if "article_id" not in articles else articles.copy()
    own = [c for c in [*SCHEMA["articles"], *SCHEMA["coded_articles"]] if c not in _PRIVATE]
    for name in _PRIVATE:
        if name in table and table[name].notna().any():
            table[f"{name}_sha256"] = table[name].map(_digest, na_action="ignore")
            table[f"{name}_characters"] = table[name].str.len().astype("Int64")
            own += [f"{name}_sha256", f"{name}_characters"]
    return _kept(table, own)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _shortened(statements: pd.DataFrame) -> dict[str, pd.Series]:
    """Evidence without the words, `start-end rule` joined by semicolons; of a speaker no more than a name."""
    found = {}
    if "speaker" in statements:
        names = statements["speaker"].str.split()
        found["speaker"] = names.str[: _RUN - 1].str.join(" ") + names.str.len().ge(_RUN).map({True: " …"}).fillna("")
    if "evidence" not in statements:
        return found

    def places(spans: object) -> object:
        if isinstance(spans, str):  # as a CSV file holds them
            spans = json.loads(spans)
        if not isinstance(spans, (list, tuple, np.ndarray)):
            return pd.NA
        return "; ".join(f"{span['start']}-{span['end']} {span['rule']}" for span in spans)

    return found | {"evidence": statements["evidence"].map(places)}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _runs(text: str) -> Iterator[int]:
    words = _words(text)
    for i in range(len(words) - _RUN + 1):
        yield hash(tuple(words[i : i + _RUN]))


def _refuse_text(tables: dict[str, pd.DataFrame], articles: pd.DataFrame) -> None:
    """Raise ValueError if a cell shares a run of words with an article, or is too long to be a note."""
    known: set[int] = set()
    for name in _PRIVATE:
        if name in articles:
            for text in articles[name].dropna():
                known.update(_runs(text))
    for name, table in tables.items():
        for column in table.columns:
            if column.endswith("_sha256") or pd.api.types.is_numeric_dtype(table[column]):
                continue
            for row, cell in enumerate(table[column]):
                if not isinstance(cell, str):
                    continue
                where = f"{name}.csv, row {row + 2}, column {column!r}"
                if column in _OURS and len(cell) > _LONGEST:
                    raise ValueError(
                        f"{where}: {len(cell)} characters, more than a note ({_LONGEST}): {cell[:60]!r}..."
                    )
                if column != "url" and any(run in known for run in _runs(cell)):
                    raise ValueError(f"{where} repeats {_RUN} words or more of an article: {cell[:60]!r}; leave it out")


def _write(out: Path, tables: dict[str, pd.DataFrame], paragraph: str) -> None:
    """Everything into a folder beside `out`, then renamed: a bundle is whole or absent."""
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        files = {}
        for name, table in tables.items():
            name_csv = work / f"{name}.csv"
            table.map(inert).to_csv(name_csv, index=False, lineterminator="\n", float_format="%.9g", encoding="utf-8")
            files[f"{name}.csv"] = {"rows": len(table), "columns": list(map(str, table.columns))}
        (work / "methods.md").write_text(paragraph, encoding="utf-8")
        for name in ("codebook.md", "codebook.toml"):
            (work / name).write_bytes((codebook.RESOURCES / name).read_bytes())
        for path in sorted(work.iterdir()):
            files.setdefault(path.name, {})["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        manifest = {
            "analysis": __version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            "packages": {name: metadata.version(name) for name in _PACKAGES},
            "files": dict(sorted(files.items())),
        }
        (work / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        work.chmod(0o755)  # mkdtemp's folder is private
        os.replace(work, out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
