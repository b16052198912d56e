"""Read, check and clean coverage: articles, coded statements and events.

One schema (`SCHEMA`) says which columns each table has, of what kind, and which codebook variable limits their values.
Every reader checks the whole file against it and, when something is wrong, raises one ValueError that names the file
and, for each problem, the row, the column, the value found and what would work.
"""

import csv
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pandas.api.types import infer_dtype, is_object_dtype

from analysis import _check, _readers, codebook
from analysis._audit import audit as audit  # these have modules of their own; the names live here
from analysis._audit import flow as flow
from analysis._audit import item_log as item_log
from analysis._clean import boilerplate as boilerplate
from analysis._clean import clean as clean
from analysis._copies import copies as copies
from analysis._dates import dates
from analysis._documents import inert
from analysis._files import written


class Column(NamedTuple):
    """How one column is checked: its kind, whether it must be there, and the codebook variable that limits it."""

    kind: str = "text"  # text, id, date, code, codes (semicolon separated), whole, number
    required: bool = False
    variable: str | None = None


def _code(variable: str, required: bool = False) -> Column:
    return Column("code", required, variable)


_CODED = {
    "article_id": Column("id", True),
    "n": Column("whole", True),
    "sentence": Column("whole"),
    "start": Column("whole"),
    "end": Column("whole"),
    "position": _code("position", True),
    "speaker": Column(),
    "speaker_group": _code("speaker_group", True),
    "attribution": _code("attribution", True),
    "verb": Column(),
    "target": _code("target", True),
    "stance": _code("stance", True),
    "stance_author": _code("stance"),
    "frame": _code("frame", True),
    "frame_second": _code("frame"),
    "confidence": Column("number"),  # a coder's 1 to 3, or a machine's probability
    "coder": Column(),
}

SCHEMA: dict[str, dict[str, Column]] = {
    "articles": {
        "article_id": Column("id"),
        "outlet": Column(),
        "date": Column("date"),
        "date_precision": _code("date_precision"),
        "country": Column(),
        "type": _code("article_type"),
        "url": Column(),
        "title": Column(),
        "text": Column(),
        "copy_group": Column("id"),
    },
    "coded_articles": {
        "site": Column(),
        "relation": _code("relation"),
        "licence": Column(),
        "gist": Column(),
        "coder": Column(),
        "n_statements": Column("whole"),
        "stance_author": _code("stance"),
        "stance_confidence": Column("whole"),
        "stance_headline": _code("stance"),
        "frame_dominant": _code("frame"),
        "frames_present": Column("codes", variable="frame"),
        "first_speaker_group": _code("speaker_group"),
        "n_speakers_favour": Column("whole"),
        "n_speakers_against": Column("whole"),
        "mentions_child_harm": _code("yes_no"),
        "mentions_surveillance_or_privacy": _code("yes_no"),
        "mentions_terrorism": _code("yes_no"),
        "cites_statistic": _code("yes_no"),
        "tone": _code("tone"),
        "generic_frames": Column("codes", variable="generic_frame"),
        "first_reader_stance": _code("stance"),
        "first_reader_frame": _code("frame"),
    },
    "statements": _CODED,
    "events": {
        "event_id": Column("id", True),
        "date": Column("date", True),
        "date_precision": _code("date_precision"),
        "jurisdiction": Column(),
        "actor": Column(),
        "actor_group": _code("speaker_group", True),
        "event": Column(required=True),
        "stance": _code("stance", True),
        "source_url": Column(),
        "source_outlet": Column(),
        "is_checked": _code("yes_no"),
    },
}

# Names that other tools give to our columns; compared in small letters, with _ for spaces and other marks.
SYNONYMS = {
    "article_id": ["id", "stories_id", "story_id", "doc_id", "document_id"],
    "outlet": ["publication", "source", "media_name", "newspaper", "publication_title", "pubtitle", "domain",
               "container_title"],
    "date": ["published", "pubdate", "pub_date", "publish_date", "publication_date", "published_at", "date_published",
             "seendate"],
    "country": ["sourcecountry", "source_country"],
    "url": ["link", "address", "web_url", "document_url", "documenturl", "article_url"],
    "title": ["headline", "hd"],
    "text": ["body", "content", "full_text", "fulltext", "article_text", "body_text", "articlebody"],
}  # fmt: skip
_MEANT = {other: name for name, others in SYNONYMS.items() for other in others}
_STEPS = ["read", "mapped", "guessed", "dropped", "warned"]
_SHOWN = 5  # problems listed in one error
_LISTED = 20  # rows listed in one line of a report


def read_articles(
    path: str | Path,
    *,
    kind: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    date_format: str | None = None,
    tz: str | None = None,
    workers: int = 1,
) -> pd.DataFrame:
    """Read articles from a table, an export of a news database, saved pages, or a folder of any of these.

    Grain: one row per article. The index `article_id` is unique: the column of that name, the number that the export
    gives, the file's name without ending in a folder, or else the row's number. The columns `outlet`, `date`,
    `date_precision`, `country`, `type`, `url`, `title` and `text` are always there, missing where the file has none;
    any other column is kept as it is. Text is never cleaned here: see `clean`.

    The kind is told by the content and the ending, or named: "csv", "tsv", "excel", "json", "jsonl", "parquet";
    "nexis" (Word, RTF, PDF, text), "factiva" (HTML, RTF), "proquest" (text, RIS), "ris", "csl" (Zotero's CSL JSON);
    "warc", "html" (also MHTML); "docx", "rtf", "pdf", "text" (one article each). Lists of addresses, such as those of
    Media Cloud and GDELT, are tables without text; RIS and CSL JSON hold abstracts at most.

    Columns of other names are mapped by `corpus.SYNONYMS` (headline to title, publication to outlet, body to text);
    two columns for one name are an error. `columns` overrides it: {"standfirst": "text", "date": None} takes one
    column for the text and leaves another out.

    `date` is the first day of the period that is known, and `date_precision` says how much is known (day, month or
    year): "2026-03" becomes 1 March 2026 with precision month. Dates are ISO 8601, year first, or with an English name
    of a month. 04/03/2026 has two readings: it is an error that names the row, unless another row (31/03/2026) tells
    the order of the whole file, or `date_format` (as in `datetime.strptime`) does. Time stamps that carry an offset
    are turned into the calendar day in `tz` (such as "Europe/London") or, without it, kept as written.

    `workers` processes share the files of a folder, which pays for web pages (a script that uses more than one must
    guard its main part with `if __name__ == "__main__":`); the table is the same with any number.

    Files are UTF-8, UTF-16 or, with a note, Windows-1252. What was read, mapped, guessed, dropped and is doubtful
    stands in `reading_report(articles)`. Raises FileNotFoundError, or ValueError that lists the rows, columns and
    values at fault; a file that asks for too much memory or depth, or declares entities, is refused.

    >>> articles = read_articles("data/coverage/articles.csv")
    >>> articles.loc["a001", ["outlet", "date_precision"]].tolist()
    ['Social Media Today', 'day']
    """
    path = Path(path)
    if columns is not None and not isinstance(columns, Mapping):
        raise TypeError(f"columns must be a mapping of the file's names to ours, not {type(columns).__name__}")
    rename = partial(_renamed, columns=dict(columns or {}), strict=not path.is_dir())
    found = _readers.read(path, kind, workers, rename)
    table, notes = found.table, [("read", f"articles from {path.name}, kind {found.kind!r}", len(found.table))]
    notes += found.notes
    schema = SCHEMA["articles"] | {k: v for k, v in SCHEMA["coded_articles"].items() if k in table.columns}
    if not {"text", "title", "url"} & set(table.columns):
        raise ValueError(f"{path}: no column text, title or url; it has {_check.listed(table.columns)}")
    if "article_id" not in table.columns:
        table.insert(0, "article_id", [str(i + 1) for i in range(len(table))])
    for name in ("outlet", "date", "country", "type", "url", "title", "text"):
        if name not in table.columns:
            table[name] = pd.Series(pd.NA, index=table.index, dtype="str")
    table = _checked(table, schema, path, unique=["article_id"], date_format=date_format, tz=tz, notes=notes)
    _doubt(table, notes)
    words = [c for c, t in table.dtypes.items() if is_object_dtype(t) and infer_dtype(table[c]) in ("string", "empty")]
    table = table.astype(dict.fromkeys(words, "str")).infer_objects().set_index("article_id")
    table.attrs["report"] = _report(notes)  # plain tuples: tables with attrs can be joined and written to Parquet
    return table


def reading_report(articles: pd.DataFrame) -> pd.DataFrame:
    """What `read_articles` read, mapped, guessed, dropped and doubts, as a table.

    Grain of `articles`: as `read_articles` returns them; the report lives in their `attrs` and is lost when tables are
    joined, so look at it first. Returns one row per thing noted: `step` (read, mapped, guessed, dropped or warned),
    `detail`, `n` (rows or files concerned; 1 where it concerns the file) and `rows`, the first 20 of them.

    Raises TypeError for anything but a DataFrame, ValueError where it carries no report.

    >>> articles = read_articles("data/coverage/articles.csv")
    >>> reading_report(articles)["detail"].tolist()
    ["articles from articles.csv, kind 'csv'", 'date: missing', 'text: missing']
    """
    _check.frame(articles, name="articles")
    if "report" not in articles.attrs:
        raise ValueError("articles carry no report; take them as read_articles returned them, before they were joined")
    report = pd.DataFrame(articles.attrs["report"], columns=["step", "detail", "n", "rows"])
    step = pd.CategoricalDtype(_STEPS, ordered=True)
    return report.astype({"step": step, "detail": "str", "n": "int64", "rows": "str"})


def write_articles(articles: pd.DataFrame, path: str | Path) -> Path:
    """Write articles as CSV, JSON Lines or Parquet, by the ending of `path`; `read_articles` reads them again.

    Grain: one article per row, index `article_id`. JSON Lines and Parquet keep every character. In CSV, which is opened
    in spreadsheets, cells that one would run as a formula (from = + - @) get an apostrophe in front. The file is put in
    place whole. Text that is not yours stays in a private folder. Returns the path.

    Raises TypeError for anything but a DataFrame, ValueError for another ending or an index that repeats an id.

    >>> articles = pd.DataFrame({"text": ["=1+1"]}, index=pd.Index(["a1"], name="article_id"))
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_articles(articles, Path(folder) / "a.csv").read_text()
    '"article_id","text"\\n"a1","\\'=1+1"\\n'
    """
    _check.frame(articles, name="articles")
    path = Path(path)
    ending = _check.option(path.suffix.lower(), [".csv", ".jsonl", ".parquet"], f"{path}: the ending")
    twice = articles.index[articles.index.duplicated()]
    if len(twice):
        raise ValueError(f"articles hold {twice[0]!r} more than once in their index; each needs an id of its own")
    table = articles.rename_axis("article_id").reset_index()
    if ending != ".parquet" and "date" in table.columns:
        table["date"] = table["date"].dt.strftime("%Y-%m-%d")
    with written(path) as file:
        if ending == ".csv":
            # all text quoted: a bare carriage return is not, by default, and would end the row
            how = {"quoting": csv.QUOTE_NONNUMERIC, "lineterminator": "\n", "encoding": "utf-8"}
            table.map(inert).rename(columns=inert).to_csv(file, index=False, **how)
        elif ending == ".jsonl":
            table.to_json(file, orient="records", lines=True, force_ascii=False)
        else:
            table.to_parquet(file, index=False)
    return path


def read_statements(path: str | Path, *, articles: pd.DataFrame | None = None) -> pd.DataFrame:
    """Read coded statements (or sentences) from a CSV, JSON Lines or Parquet file.

    Grain: one speaker saying one relevant thing, as one coder coded it; `article_id`, `n` and `coder` together are
    unique. Coded columns come back as ordered categories in the codebook's order. With `articles`, every statement's
    article must be in its index, and the article's `copy_group` (the article itself where there is none) is added, so
    that `shares` can resample whole groups of copies.

    Raises FileNotFoundError, or ValueError that lists the rows, columns and values at fault.

    >>> statements = read_statements("data/coverage/statements.csv")
    >>> len(statements), statements["stance"].cat.categories[0]
    (3027, 'favour')
    """
    path = Path(path)
    table = _headed(_readers.read_codes(path), path)
    unique = ["article_id", "n"] + (["coder"] if "coder" in table.columns else [])
    table = _checked(table, SCHEMA["statements"], path, unique=unique)
    if articles is not None:
        _check.frame(articles, name="articles")
        absent = ~table["article_id"].isin(articles.index)
        if absent.any():
            row, value = absent.idxmax(), table.loc[absent.idxmax(), "article_id"]
            raise ValueError(
                f"{path}: row {row}, column article_id: {value!r} is not among the {len(articles)} articles; "
                f"{absent.sum()} such rows. Add the article, or drop the statement"
            )
        groups = articles["copy_group"] if "copy_group" in articles.columns else articles.index.to_series()
        table["copy_group"] = table["article_id"].map(groups.fillna(articles.index.to_series()))
    return table


def read_events(path: str | Path) -> pd.DataFrame:
    """Read dated events of the debate from a CSV, JSON Lines or Parquet file.

    Grain: one event; `event_id` is unique. `date` and `date_precision` are as in `read_articles`; `stance` is the
    event's stance toward end-to-end encryption; `is_checked` tells whether the source page was read.

    Raises FileNotFoundError, or ValueError that lists the rows, columns and values at fault.

    >>> events = read_events("data/coverage/events.csv")
    >>> events["date"].min().year
    1993
    """
    path = Path(path)
    return _checked(_headed(_readers.read_codes(path), path), SCHEMA["events"], path, unique=["event_id"])


def _headed(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    table = table.set_axis([str(c).strip() for c in table.columns], axis=1)
    twice = table.columns[table.columns.duplicated()]
    if len(twice) or "" in table.columns:
        raise ValueError(f"{path}: the header {'repeats ' + repr(twice[0]) if len(twice) else 'has an empty name'}")
    return table


def _renamed(table: pd.DataFrame, path: Path, notes: list, *, columns: dict, strict: bool) -> pd.DataFrame:
    """The table with our names, by `columns` and then by `SYNONYMS`, each change noted."""
    table = _headed(table, path)
    for name, ours in columns.items():
        if ours is not None and not isinstance(ours, str):
            raise TypeError(f"columns gives {name!r} the name {ours!r}; use a string, or None to leave it out")
        if strict and name not in table.columns:
            raise ValueError(f"columns names {name!r}; {path} has {_check.listed(table.columns)}")
    chosen = {name: ours for name, ours in columns.items() if name in table.columns}
    meant: dict[str, list[str]] = {}
    for name in table.columns:
        plain = re.sub(r"\W+", "_", name.casefold()).strip("_")
        ours = chosen[name] if name in chosen else plain if plain in SYNONYMS else _MEANT.get(plain)
        if ours is not None and (name in chosen or ours not in chosen.values()):
            meant.setdefault(ours, []).append(name)
    for ours, names in meant.items():
        taken = list(dict.fromkeys([*names, *(c for c in table.columns if c == ours and chosen.get(c, c) == c)]))
        if len(taken) > 1:
            both = " and ".join(map(repr, taken))
            one = f"columns={{{taken[0]!r}: {ours!r}}}"
            raise ValueError(f"{path}: columns {both} both stand for {ours!r}; say which: {one}")
    names = {name: ours for ours, (name, *_) in meant.items() if name != ours}
    gone = [name for name, ours in chosen.items() if ours is None]
    notes += [("mapped", f"column {name!r} read as {ours!r}", []) for name, ours in names.items()]
    notes += [("dropped", f"column {name!r}, as asked", []) for name in gone]
    if {"seendate", "MobileURL"} & set(table.columns):
        notes.append(("warned", "dates are those on which GDELT saw the pages, not those of publication", []))
    return table.drop(columns=gone).rename(columns=names)


def _report(notes: list) -> tuple[tuple[str, str, int, str], ...]:
    """Notes in the order of their steps; those of the same thing joined, as many files of a folder bring them."""
    joined: dict[tuple[str, str], list] = {}
    counts: dict[tuple[str, str], int] = {}
    for step, detail, rows in notes:
        counted = isinstance(rows, int)  # a number alone, where the rows go without saying
        joined.setdefault((step, detail), []).extend([] if counted else rows)
        counts[step, detail] = counts.get((step, detail), 0) + (rows if counted else max(1, len(rows)))
    return tuple(
        (step, detail, counts[step, detail], ", ".join(map(str, rows[:_LISTED])) + ", ..." * (len(rows) > _LISTED))
        for (step, detail), rows in sorted(joined.items(), key=lambda item: _STEPS.index(item[0][0]))
    )


# what UTF-8 becomes when it is read as Windows-1252: a lead byte and its followers, each as a sign of its own
_MOJIBAKE = re.compile(
    r"[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{1,3}"
)


def _is_mojibake(text: str) -> bool:
    for match in _MOJIBAKE.finditer(text):
        try:
            meant = match[0].encode("cp1252").decode("utf-8")
        except UnicodeError:
            continue
        # «CAFÉ» holds such a pair too, but it would stand for a sign that no news text has
        if all("\u00a0" <= sign <= "\u017f" or "\u2010" <= sign <= "\u2122" or sign >= "\U0001f000" for sign in meant):
            return True
    return False


def _doubt(table: pd.DataFrame, notes: list) -> None:
    """Note missing dates and texts, broken encodings and signs lost before the file was written."""
    for name in ("date", "text"):
        if (absent := table[name].isna()).any():
            notes.append(("warned", f"{name}: missing", table.index[absent].tolist()))
    for name in ("title", "text"):
        broken, lost, shown = [], [], ""
        for row, value in table[name].dropna().items():  # one at a time: the column as objects takes several times more
            if _is_mojibake(value):
                broken.append(row)
                shown = shown or _MOJIBAKE.search(value)[0]
            if "\ufffd" in value:
                lost.append(row)
        if broken:
            said = f"{name}: UTF-8 read as Windows-1252 before it came here ({shown!r}); export it again, or use ftfy"
            notes.append(("warned", said, broken))
        if lost:
            notes.append(("warned", f"{name}: signs lost in an earlier conversion (\ufffd)", lost))


def _meant(table: pd.DataFrame) -> str:
    found = [f"{c!r} to {_MEANT[c.lower()]!r}" for c in table.columns if c.lower() in _MEANT]
    return f". Rename {', '.join(found)}?" if found else ""


def _checked(
    table: pd.DataFrame,
    columns: dict[str, Column],
    path: Path,
    *,
    unique: list[str],
    date_format: str | None = None,
    tz: str | None = None,
    notes: list | None = None,
) -> pd.DataFrame:
    problems: list[str] = []
    absent = [name for name, c in columns.items() if c.required and name not in table.columns]
    if absent:
        raise ValueError(
            f"{path}: no column {_check.listed(absent)}; it has {_check.listed(table.columns)}{_meant(table)}"
        )
    for name in [c for c in columns if c in table.columns]:
        rule, raw = columns[name], table[name]
        if rule.required and raw.isna().any():
            problems.append(f"row {_row(raw, raw.isna())}, column {name}: empty; it must have a value")
        if name == "date":
            read = dates(raw, date_format=date_format, tz=tz)
            problems += read.problems
            if notes is not None:
                notes += read.notes
            table["date"] = read.day
            if "date_precision" not in table.columns:
                options = codebook.values("date_precision")
                precision = pd.Categorical(read.precision.where(read.precision.notna()), categories=options)
                table.insert(table.columns.get_loc("date") + 1, "date_precision", precision)
            continue
        table[name] = _CONVERT[rule.kind](raw, name, rule, problems)
    repeated = table.duplicated(unique)
    if repeated.any() and not problems:
        at = repeated.to_numpy().argmax()
        shown = ", ".join(f"{u} {table[u].iloc[at]}" for u in unique)
        problems.append(f"row {table.index[at]}: {shown} stands a second time; each must be unique")
    if problems:
        more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ValueError("\n  ".join([f"{path}: {len(problems)} problem(s)", *problems[:_SHOWN]]) + more)
    return table


def _row(raw: pd.Series, wrong: pd.Series) -> object:
    """Number or name of the first row that is wrong."""
    return raw.index[wrong.to_numpy().argmax()]


def _each(raw: pd.Series, name: str, good: Callable[[str], bool], wanted: str, problems: list[str]) -> None:
    """Report, once per wrong value, the first row that holds it."""
    for value in raw.dropna().unique():
        if not good(value):
            problems.append(f"row {_row(raw, raw == value)}, column {name}: {str(value)[:60]!r}; {wanted}")


def _text(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    if isinstance(raw.dtype, pd.StringDtype):
        return raw.astype("str")
    _each(raw.map(type, na_action="ignore"), name, lambda t: t in (str, int, float, bool), "use text", problems)
    return raw.map(str, na_action="ignore").astype("str")


def _id(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    if name == "article_id" and raw.isna().any():
        problems.append(f"row {_row(raw, raw.isna())}, column article_id: empty; each needs an id")
    return _text(raw, name, rule, problems)


def _coded(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    options = codebook.values(rule.variable)
    _each(raw.astype(object), name, options.__contains__, f"use {_check.listed(options)}", problems)
    return pd.Series(pd.Categorical(raw.where(raw.isin(options)), categories=options), index=raw.index, name=name)


def _codes(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    options = codebook.values(rule.variable)
    wanted = f"use {_check.listed(options)}, separated by semicolons"
    _each(raw, name, lambda v: all(part in options for part in str(v).split(";")), wanted, problems)
    return raw.astype("str")


def _whole(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    number = pd.to_numeric(raw, errors="coerce")
    wrong = raw.notna() & (number.isna() | (number % 1 != 0) | (number < 0))
    _each(raw.where(wrong), name, lambda _: False, "use a whole number, 0 or more", problems)
    return number.where(~wrong).astype("Int64")


def _number(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    number = pd.to_numeric(raw, errors="coerce")
    wrong = raw.notna() & (number.isna() | (number < 0))
    _each(raw.where(wrong), name, lambda _: False, "use a number, 0 or more", problems)
    whole = number.where(~wrong).astype("Float64")
    return whole.astype("Int64") if (whole.dropna() % 1 == 0).all() else whole


_CONVERT = {"text": _text, "id": _id, "code": _coded, "codes": _codes, "whole": _whole, "number": _number}
