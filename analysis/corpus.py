"""Read, check and clean coverage: articles, coded statements and events.

One schema (`SCHEMA`) says which columns each table has, of what kind, and which codebook variable limits their values.
Every reader checks the whole file against it and, when something is wrong, raises one ValueError that names the file
and, for each problem, the row, the column, the value found and what would work.
"""

import csv
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from analysis import _check, codebook
from analysis._copies import copies as copies  # the clustering has a module of its own, the name lives here


class Column(NamedTuple):
    """How one column is checked: its kind, whether it must be there, and the codebook variable that limits it."""

    kind: str = "text"  # text, id, date, code, codes (semicolon separated), whole
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
    "confidence": Column("whole"),
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

_MEANT = {  # names that other tools give to our columns, for the error message
    "headline": "title", "body": "text", "content": "text", "full_text": "text", "published": "date", "pubdate": "date",
    "publication": "outlet", "source": "outlet", "media_name": "outlet", "link": "url", "id": "article_id",
}  # fmt: skip
_SHOWN = 5  # problems listed in one error
_YEARS = range(1900, 2101)


def read_articles(path: str | Path, *, date_format: str | None = None, tz: str | None = None) -> pd.DataFrame:
    """Read articles from a CSV, JSON Lines or Parquet file, or from a folder of UTF-8 `.txt` files.

    Grain: one row per article. The index `article_id` is unique: the column of that name, the file's stem in a folder,
    or the row's number ("1", "2", ...) where there is none. The columns `outlet`, `date`, `country`, `type`, `url`,
    `title` and `text` are always there, missing where the file has none; any other column is kept as it is.

    `date` is the first day of the period that is known, and `date_precision` says how much is known (day, month or
    year): "2026-03" becomes 1 March 2026 with precision month. Without `date_format` (as in `datetime.strptime`), dates
    must be ISO 8601; anything else is an error that names the row, since 04/03/2026 has two readings. Time stamps that
    carry an offset are turned into the calendar day in `tz` (such as "Europe/London") or, without it, kept as written.

    Raises FileNotFoundError, or ValueError that lists the rows, columns and values at fault.

    >>> articles = read_articles("data/coverage/articles.csv")
    >>> articles.loc["a001", ["outlet", "date_precision"]].tolist()
    ['Social Media Today', 'day']
    """
    path = Path(path)
    table = _folder(path) if path.is_dir() else _table(path)
    columns = SCHEMA["articles"] | {k: v for k, v in SCHEMA["coded_articles"].items() if k in table.columns}
    if not {"text", "title", "url"} & set(table.columns):
        raise ValueError(f"{path}: no column text, title or url; it has {_check.listed(table.columns)}{_meant(table)}")
    if "article_id" not in table.columns:
        table.insert(0, "article_id", [str(i + 1) for i in range(len(table))])
    for name in ("outlet", "date", "country", "type", "url", "title", "text"):
        if name not in table.columns:
            table[name] = pd.Series(pd.NA, index=table.index, dtype="str")
    table = _checked(table, columns, path, unique=["article_id"], date_format=date_format, tz=tz)
    return table.set_index("article_id")


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
    table = _table(path)
    unique = ["article_id", "n"] + (["coder"] if "coder" in table.columns else [])
    table = _checked(table, SCHEMA["statements"], path, unique=unique)
    if articles is not None:
        _check.frame(articles, name="articles")
        absent = ~table["article_id"].isin(articles.index)
        if absent.any():
            row, value = absent.idxmax(), table.loc[absent.idxmax(), "article_id"]
            raise ValueError(
                f"{path}: row {row + 2}, column article_id: {value!r} is not among the {len(articles)} articles; "
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
    return _checked(_table(path), SCHEMA["events"], path, unique=["event_id"])


def _table(path: Path) -> pd.DataFrame:
    if not path.exists():
        near = sorted(p.name for p in path.parent.glob("*") if p.suffix in _READERS) if path.parent.is_dir() else []
        raise FileNotFoundError(f"{path}: no such file" + (f"; the folder has {_check.listed(near)}" if near else ""))
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path}: the ending {path.suffix!r} is not known; use {_check.listed(_READERS)} or a folder")
    table = reader(path)
    table.columns = [str(c).strip() for c in table.columns]
    twice = table.columns[table.columns.duplicated()]
    if len(twice) or "" in table.columns:
        raise ValueError(f"{path}: the header {'repeats ' + repr(twice[0]) if len(twice) else 'has an empty name'}")
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    limit = csv.field_size_limit(2**31 - 1)  # an article may be longer than the module's 128 kB
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, None)
            if header is None:
                raise ValueError(f"{path}: the file is empty; the first row must name the columns")
            cells = []
            for row, values in enumerate(rows, 2):
                if not values:
                    continue  # a blank line
                if len(values) != len(header):
                    raise ValueError(f"{path}: row {row} has {len(values)} cells, the header names {len(header)}")
                cells.append([v if v.strip() else None for v in values])
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except csv.Error as error:
        raise ValueError(f"{path}: line {rows.line_num}: {error}; quote cells that hold commas or quotes") from error
    finally:
        csv.field_size_limit(limit)
    return pd.DataFrame(cells, columns=header, dtype="str")


def _read_json_lines(path: Path) -> pd.DataFrame:
    records = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for row, line in enumerate(file, 1):
                if not line.strip():
                    continue
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError(f"{path}: row {row} holds a {type(record).__name__}; each line must be an object")
                records.append(record)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: row {row} is not JSON ({error.msg}); write one object per line") from error
    return pd.DataFrame.from_records(records)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise ValueError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from error
    return table.reset_index() if table.index.name else table.reset_index(drop=True)


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_csv, ".jsonl": _read_json_lines, ".ndjson": _read_json_lines, ".parquet": _read_parquet,
}  # fmt: skip


def _folder(path: Path) -> pd.DataFrame:
    root, rows = path.resolve(), []
    for file in sorted(path.glob("*.txt")):
        if not file.resolve().is_relative_to(root):
            raise ValueError(f"{file}: the link leads out of the folder; copy the file into it")
        try:
            rows.append((file.stem, file.read_text(encoding="utf-8-sig")))
        except UnicodeDecodeError as error:
            raise ValueError(f"{file}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    if not rows:
        raise ValueError(f"{path}: the folder has no .txt files")
    return pd.DataFrame(rows, columns=["article_id", "text"], dtype="str")


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
            problems.append(f"row {raw.isna().to_numpy().argmax() + 2}, column {name}: empty; it must have a value")
        if name == "date":
            parsed = _dates(raw, date_format, tz, problems)
            table["date"] = parsed[0]
            if "date_precision" not in table.columns:
                table.insert(table.columns.get_loc("date") + 1, "date_precision", parsed[1])
            continue
        table[name] = _CONVERT[rule.kind](raw, name, rule, problems)
    repeated = table.duplicated(unique)
    if repeated.any() and not problems:
        row = repeated.to_numpy().argmax()
        shown = ", ".join(f"{u} {table[u].iloc[row]}" for u in unique)
        problems.append(f"row {row + 2}: {shown} stands a second time; each must be unique")
    if problems:
        more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ValueError("\n  ".join([f"{path}: {len(problems)} problem(s)", *problems[:_SHOWN]]) + more)
    return table


def _each(raw: pd.Series, name: str, good: Callable[[str], bool], wanted: str, problems: list[str]) -> None:
    """Report, once per wrong value, the first row that holds it."""
    for value in raw.dropna().unique():
        if not good(value):
            row = (raw == value).to_numpy().argmax()
            problems.append(f"row {row + 2}, column {name}: {str(value)[:60]!r}; {wanted}")


def _text(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    if not isinstance(raw.dtype, pd.StringDtype):
        _each(raw.map(type, na_action="ignore"), name, lambda t: t in (str, int, float, bool), "use text", problems)
    return raw.map(str, na_action="ignore").astype("str")


def _id(raw: pd.Series, name: str, rule: Column, problems: list[str]) -> pd.Series:
    if name == "article_id" and raw.isna().any():
        problems.append(f"row {raw.isna().to_numpy().argmax() + 2}, column article_id: empty; each needs an id")
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


_CONVERT = {"text": _text, "id": _id, "code": _coded, "codes": _codes, "whole": _whole}

_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ].{0,40})?)?)?")


def _dates(raw: pd.Series, date_format: str | None, tz: str | None, problems: list[str]) -> tuple[pd.Series, pd.Series]:
    try:
        zone = ZoneInfo(tz) if tz else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"tz={tz!r} is not a known time zone; use a name such as 'Europe/London'") from error
    known = {}
    for value in raw.dropna().unique():
        try:
            known[value] = _date(value, date_format, zone)
        except ValueError as error:
            row = (raw == value).to_numpy().argmax()
            problems.append(f"row {row + 2}, column date: {str(value)[:40]!r}; {error}")
    day = raw.map({k: v[0] for k, v in known.items()}, na_action="ignore")
    precision = raw.map({k: v[1] for k, v in known.items()}, na_action="ignore")
    options = codebook.values("date_precision")
    return pd.to_datetime(day).astype("datetime64[s]"), pd.Series(
        pd.Categorical(precision.where(precision.notna()), categories=options), index=raw.index
    )


def _date(value: object, date_format: str | None, zone: ZoneInfo | None) -> tuple[date, str]:
    """First day of the period that `value` names, and how much of it is known."""
    if isinstance(value, (datetime, date)):
        return _day(value, zone), "day"
    value = str(value).strip()
    if date_format:
        try:
            stamp = datetime.strptime(value, date_format)
        except ValueError as error:
            raise ValueError(f"it does not fit date_format={date_format!r}") from error
        has = date_format.replace("%%", "")
        day = any(code in has for code in ("%d", "%j", "%x", "%c", "%D", "%F"))
        return _day(stamp, zone), "day" if day else "month" if re.search(r"%[mbBU]", has) else "year"
    match = _ISO.fullmatch(value)
    if not match:
        raise ValueError("write YYYY, YYYY-MM or YYYY-MM-DD, or pass date_format, such as '%d/%m/%Y' or '%m/%d/%Y'")
    year, month, day = match.groups()
    if day:
        try:
            return _day(datetime.fromisoformat(value), zone), "day"
        except ValueError as error:
            raise ValueError(f"no such day or time ({error})") from error
    if int(year) not in _YEARS or not 1 <= int(month or 1) <= 12:
        raise ValueError("no such month; write YYYY-MM with a month from 01 to 12")
    return date(int(year), int(month or 1), 1), "month" if month else "year"


def _day(stamp: date, zone: ZoneInfo | None) -> date:
    if isinstance(stamp, datetime):
        stamp = stamp.astimezone(zone).date() if zone and stamp.tzinfo else stamp.date()
    if stamp.year not in _YEARS:
        raise ValueError(f"the year must lie between {_YEARS[0]} and {_YEARS[-1]}")
    return stamp
