"""Formats in which coverage arrives, each turned into one table of what the file says, with notes on how it was read.

Beyond tables (CSV, Excel, JSON, Parquet) these are exports of Nexis, Factiva and ProQuest in Word, RTF, HTML, PDF or
plain text; RIS and CSL JSON; WARC 1.0 and 1.1; saved web pages (HTML, MHTML); and folders of any of them. Every
failure is a ValueError that names the file and what would work.
"""

import csv
import email
import email.policy
import gzip
import io
import json
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from analysis import _check
from analysis._documents import MAX_FILE, archive, content, decode, docx_lines, pdf_lines, refuse_doctype, rtf_lines
from analysis._exports import PRODUCTS, csl, factiva_div, is_csl, paragraphs, product, ris

MAX_COLUMNS = 2_000
MAX_CELLS = 50_000_000
MAX_PAGE = 10_000_000  # bytes of a web page
_GAP = 10_000  # empty rows of a sheet in succession
_TOGETHER = 500  # files of a folder that are held as objects
_NO_TEXT = "no text found"

Notes = list[tuple[str, str, list | int]]  # step (read, guessed, dropped, warned), detail, rows or their number


Rename = Callable[[pd.DataFrame, Path, Notes], pd.DataFrame]


class Found(NamedTuple):
    """What a file holds: `table` (its index holds the rows' numbers or names), the kind, and notes for the report."""

    table: pd.DataFrame
    kind: str
    notes: Notes


def read(path: Path, kind: str | None, workers: int, rename: Rename) -> Found:
    """Read any file or folder of `KINDS`, by its content and then its ending, or as the `kind` that is named.

    `rename` gives the table of each file our names, before tables are joined; it may add notes.
    """
    _check.whole(workers, "workers", 1)
    if kind is not None:
        _check.option(kind, KINDS, "kind")
    if path.is_dir():
        return _folder(path, kind, workers, rename)
    _there(path)
    return _file(path, kind, rename)


def read_codes(path: Path) -> pd.DataFrame:
    """Read a table of codes, in which nothing may be guessed: CSV in UTF-8, JSON Lines or Parquet, by its ending."""
    _there(path)
    reader = {".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}
    ending = _check.option(path.suffix.lower(), reader, f"{path}: the ending")
    return reader[ending](path, None)


def _there(path: Path) -> None:
    if not path.exists():
        near = sorted(p.name for p in path.parent.glob("*") if p.suffix in _ENDINGS) if path.parent.is_dir() else []
        raise FileNotFoundError(f"{path}: no such file" + (f"; the folder has {_check.listed(near)}" if near else ""))
    if not path.is_file():
        raise ValueError(f"{path}: neither a file nor a folder of files")


def _file(path: Path, kind: str | None, rename: Rename) -> Found:
    notes: Notes = []
    try:
        kind = kind or _kind(path, notes)
        table = rename(KINDS[kind](path, notes), path, notes)
    except RecursionError as error:
        raise ValueError(f"{path}: nested too deeply to be read") from error
    except MemoryError as error:
        raise ValueError(f"{path}: does not fit into memory; split it") from error
    return Found(table, kind, notes)


# Which kind a file is


def _kind(path: Path, notes: Notes) -> str:
    ending = path.suffix.lower()
    kind = _container(path) or _BY_ENDING.get(ending)
    if kind:
        return kind
    if ending not in _ENDINGS:
        raise ValueError(
            f"{path}: the ending {path.suffix!r} is not known; use {_check.listed(_ENDINGS)}, a folder, or name its "
            f"kind: {_check.listed(KINDS)}"
        )
    usual = {".txt": "text", ".json": "json"}.get(ending, "html")
    kind = _page_kind(content(path)) if usual == "html" else _text_kind(decode(content(path), path, []))
    if kind and kind != usual:
        notes.append(("guessed", f"a file of kind {kind!r}, by its content", []))
    return kind or usual


def _container(path: Path) -> str | None:
    """The kind that the first bytes tell."""
    with path.open("rb") as file:
        head = file.read(8)
    for magic, kind in ((b"PAR1", "parquet"), (b"%PDF-", "pdf"), (b"{\\rtf", "rtf"), (b"WARC/", "warc")):
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        with archive(path) as parts:
            names = set(parts.namelist())
        for part, kind in (("xl/workbook.xml", "excel"), ("word/document.xml", "docx")):
            if part in names:
                return kind
        raise ValueError(f"{path}: an archive that is neither a .docx nor an .xlsx file; unpack it first")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise ValueError(f"{path}: an Office file of before 2007, or an encrypted one; save it as .xlsx or .docx")
    if head.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as file:
                if file.read(5) == b"WARC/":
                    return "warc"
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: a damaged gzip file") from error
        raise ValueError(f"{path}: gzip; unpack it first (only WARC files are read packed)")
    return None


_FACTIVA = re.compile(r"class=[\"']?[^\"'>]{0,80}\b[a-z]{2}Article\b")
_MARKUP = re.compile(
    r"(?:<\?xml[^>]{0,200}>\s{0,99})?(?:<!--.{0,2000}?-->\s{0,99})?"
    r"<(?:!doctype html|html|head|body|article|div|meta|title)\b",
    re.I | re.S,
)
_ARCHIVED = re.compile(rb"(?:From: <?Saved by|MIME-Version: 1\.0)[^\0]{0,3000}?multipart/related", re.I)


def _page_kind(data: bytes) -> str | None:
    # Factiva writes a long script before the first article
    return "factiva" if _FACTIVA.search(data[: 2 * MAX_PAGE].decode("latin-1")) else None


def _text_kind(text: str) -> str | None:
    """The kind that the marks of a text file tell, or None."""
    bare = text.lstrip("\ufeff \t\r\n")
    if bare[:1] in ("{", "["):
        try:
            return "csl" if is_csl(json.loads(bare)) else "json"
        except (ValueError, RecursionError):
            return "jsonl" if re.match(r"\{[^\n]*\}\s*\n\s*\{", bare) else None
    if _MARKUP.match(bare):
        return "factiva" if _FACTIVA.search(text) else "html"
    if _ARCHIVED.match(bare[:4000].encode("utf-8", "replace")):
        return "html"
    return "ris" if re.match(r"TY {1,2}- ", bare) else product(text.splitlines())


# Tables


def _csv(path: Path, notes: Notes | None, delimiter: str | None = None) -> pd.DataFrame:
    text = decode(content(path), path, notes)
    if delimiter is None:
        delimiter = _delimiter(text) if notes is not None else ","
        if delimiter != ",":
            notes.append(("guessed", f"cells are separated by {delimiter!r}: the header has no comma", []))
    limit = csv.field_size_limit(2**31 - 1)  # an article may be longer than the module's 128 kB
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        header = next(rows, None)
        if header is None:
            raise ValueError(f"{path}: the file is empty; the first row must name the columns")
        _narrow(header, path)
        cells, numbers, blank = [], [], []
        for row, values in enumerate(rows, 2):
            if not values:
                blank.append(row)
                continue
            if len(values) != len(header):
                raise ValueError(f"{path}: row {row} has {len(values)} cells, the header names {len(header)}")
            cells.append([v if v.strip() else None for v in values])
            numbers.append(row)
    except csv.Error as error:
        raise ValueError(f"{path}: line {rows.line_num}: {error}; quote cells that hold commas or quotes") from error
    finally:
        csv.field_size_limit(limit)
    if blank and notes is not None:
        notes.append(("dropped", "blank lines", blank))
    return pd.DataFrame(cells, columns=header, index=numbers, dtype="str")


def _delimiter(text: str) -> str:
    bare = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return "," if "," in bare or not set(bare) & set(";\t|") else max(";\t|", key=bare.count)


def _narrow(header: Iterable, path: Path) -> None:
    if len(list(header)) > MAX_COLUMNS:
        raise ValueError(f"{path}: {len(list(header))} columns; at most {MAX_COLUMNS} can be read")


def _excel(path: Path, notes: Notes) -> pd.DataFrame:
    import openpyxl

    with archive(path) as parts:
        for member in parts.infolist():
            if member.filename.endswith((".xml", ".rels")):
                refuse_doctype(parts, member, path)
    try:
        with path.open("rb") as file, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            first, *others = book.worksheets or [None]
            rows = list(_sheet(first, path)) if first is not None else []
    except Exception as error:  # whatever openpyxl meets inside a damaged file
        if isinstance(error, ValueError) and str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path}: not an Excel file ({type(error).__name__}: {str(error)[:80]})") from error
    notes += [("warned", f"openpyxl: {str(w.message)[:120]}", []) for w in caught]
    if others:
        notes.append(("dropped", f"only the first sheet, {first.title!r}, was read", [s.title for s in others]))
    if not rows:
        raise ValueError(f"{path}: the first sheet is empty; its first row must name the columns")
    header = ["" if v is None else str(v) for v in rows[0][1]]
    while header and not header[-1].strip():
        header.pop()
    _narrow(header, path)
    cells = []
    for number, values in rows[1:]:
        if any(v is not None for v in values[len(header) :]):
            raise ValueError(f"{path}: row {number} has {len(values)} cells, the header names {len(header)}")
        cells.append([*values, *[None] * len(header)][: len(header)])
    return pd.DataFrame(cells, columns=header, index=[number for number, _ in rows[1:]], dtype=object)


def _sheet(sheet: object, path: Path) -> Iterator[tuple[int, list]]:
    """Rows of a sheet that hold anything, with their numbers."""
    sheet.reset_dimensions()  # what a file says of its own size is not to be trusted
    empty = n_cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        values = [v if not isinstance(v, str) or v.strip() else None for v in row]
        n_cells += len(row)
        empty = 0 if any(v is not None for v in values) else empty + 1
        if empty > _GAP or n_cells > MAX_CELLS:
            raise ValueError(f"{path}: row {number}: over {_GAP} empty rows or {MAX_CELLS} cells; delete the unused")
        if not empty:
            yield number, values


def _parquet(path: Path, notes: Notes | None) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            if file.metadata.num_rows * max(file.metadata.num_columns, 1) > MAX_CELLS:
                raise ValueError(f"more than {MAX_CELLS} cells")
            parts, size = [], 0
            for part in file.iter_batches(batch_size=1024):
                size += part.nbytes
                if size > 4 * MAX_FILE:  # a dictionary can stand for far more than the file holds
                    raise ValueError("larger than 4 GB")
                parts.append(part)
            whole = pa.Table.from_batches(parts, file.schema_arrow)
            whole.validate(full=True)  # strings may be no UTF-8
            table = whole.to_pandas(ignore_metadata=True)
    except (OSError, ValueError, pa.ArrowException, TypeError, KeyError, OverflowError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: not a Parquet file ({why[:200]})") from error
    _narrow(table.columns, path)
    table.index = range(1, len(table) + 1)
    return table.drop(columns=[c for c in table.columns if re.fullmatch(r"__index_level_\d+__", str(c))])


def _json_lines(path: Path, notes: Notes | None) -> pd.DataFrame:
    records, numbers = [], []
    # not splitlines: a text may hold a line separator of Unicode
    for row, line in enumerate(decode(content(path), path, notes).split("\n"), 1):
        if not line.strip():
            continue
        record = _parsed(line, path, row)
        if not isinstance(record, dict):
            raise ValueError(f"{path}: row {row} holds a {type(record).__name__}; each line must be an object")
        records.append(record)
        numbers.append(row)
    return _records(records, numbers, path, notes)


def _json(path: Path, notes: Notes) -> pd.DataFrame:
    held = _parsed(decode(content(path), path, notes), path)
    if isinstance(held, dict):  # GDELT and most programming interfaces wrap their list
        lists = [k for k, v in held.items() if isinstance(v, list) and v and all(isinstance(r, dict) for r in v)]
        if len(lists) > 1:
            raise ValueError(f"{path}: lists of objects under {_check.listed(lists)}; keep one of them")
        held = held[lists[0]] if lists else [held]
    return _records(_objects(held, path), None, path, notes)


def _csl(path: Path, notes: Notes) -> pd.DataFrame:
    held = _parsed(decode(content(path), path, notes), path)
    rows = [csl(item) for item in _objects(held if isinstance(held, list) else [held], path)]
    notes.append(("read", "CSL JSON holds no text: text is missing in every row", []))
    return _finished(rows, notes, has_text=False)


def _objects(held: object, path: Path) -> list[dict]:
    if not isinstance(held, list):
        raise ValueError(f"{path}: a {type(held).__name__}; write a list of objects")
    wrong = next((i for i, item in enumerate(held, 1) if not isinstance(item, dict)), None)
    if wrong:
        raise ValueError(f"{path}: item {wrong} is a {type(held[wrong - 1]).__name__}; write a list of objects")
    return held


def _parsed(text: str, path: Path, row: int | None = None) -> object:
    where, wanted = (f"row {row}", "one object per line") if row else ("the content", "a list of objects")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{path}: {where} is nested too deeply to be read") from error
    except ValueError as error:  # JSONDecodeError, or a number of too many digits
        raise ValueError(f"{path}: {where} is not JSON ({getattr(error, 'msg', error)}); write {wanted}") from error


def _records(records: list[dict], numbers: Iterable | None, path: Path, notes: Notes | None) -> pd.DataFrame:
    names = list(dict.fromkeys(name for record in records for name in record))
    _narrow(names, path)
    if notes is not None:
        nested = [n for n in names if any(isinstance(r.get(n), (dict, list)) for r in records)]
        names = [n for n in names if n not in nested]
        if nested:
            notes.append(("dropped", "fields that hold lists or objects", nested))
    rows = [[None if isinstance(v := r.get(n), str) and not v.strip() else v for n in names] for r in records]
    return pd.DataFrame(rows, columns=names, index=list(numbers or range(1, len(rows) + 1)), dtype=object)


def _table(rows: list[dict], names: Iterable | None = None) -> pd.DataFrame:
    """A table of records with the union of their fields that hold anything, numbered from 1 or named by `names`."""
    columns = list(dict.fromkeys(k for row in rows for k in row))
    columns = [c for c in columns if c == "text" or any(row.get(c) is not None for row in rows)]
    cells = [[row.get(c) for c in columns] for row in rows]
    return pd.DataFrame(cells, columns=columns, index=list(names or range(1, len(rows) + 1)), dtype=object)


# Documents that may hold an export


def _docx(path: Path, notes: Notes) -> pd.DataFrame:
    return _document(docx_lines(path), path, notes)


def _rtf(path: Path, notes: Notes) -> pd.DataFrame:
    return _document(rtf_lines(content(path).decode("latin-1"), path), path, notes)


def _pdf(path: Path, notes: Notes) -> pd.DataFrame:
    return _document(pdf_lines(path), path, notes, is_wrapped=True)


def _text(path: Path, notes: Notes) -> pd.DataFrame:
    text = decode(content(path), path, notes)
    lines = text.splitlines()
    if product(lines):
        return _document(lines, path, notes, is_wrapped=True)
    return _table([{"article_id": path.stem, "text": text if text.strip() else None}], [path.name])


def _document(lines: list[str], path: Path, notes: Notes, is_wrapped: bool = False) -> pd.DataFrame:
    """The articles of an export, or the whole document as one article."""
    kind = product(lines)
    if kind:
        notes.append(("guessed", f"an export of {PRODUCTS[kind][0]}, by its marks", []))
        return _exported(kind, lines, path, notes, is_wrapped)
    return _table([{"article_id": path.stem, "text": paragraphs(lines, is_wrapped) or None}], [path.name])


def _export(kind: str) -> Callable[[Path, Notes], pd.DataFrame]:
    """A reader of a product's exports, in whatever container they come."""

    def reader(path: Path, notes: Notes) -> pd.DataFrame:
        inner = _container(path)
        if inner == "docx":
            return _exported(kind, docx_lines(path), path, notes, False)
        if inner == "rtf":
            return _exported(kind, rtf_lines(content(path).decode("latin-1"), path), path, notes, False)
        if inner == "pdf":
            return _exported(kind, pdf_lines(path), path, notes, True)
        text = decode(content(path), path, notes)
        if kind == "factiva" and _FACTIVA.search(text):
            return _factiva_page(text, path, notes)
        if kind == "proquest" and _text_kind(text) == "ris":
            return _ris(path, notes)
        return _exported(kind, text.splitlines(), path, notes, True)

    return reader


def _exported(kind: str, lines: list[str], path: Path, notes: Notes, is_wrapped: bool) -> pd.DataFrame:
    name, parse, wanted = PRODUCTS[kind]
    rows = parse(lines, is_wrapped)
    if not rows:
        raise ValueError(f"{path}: no articles of {name} found in it; {wanted}")
    return _finished(rows, notes)


def _factiva_page(text: str, path: Path, notes: Notes) -> pd.DataFrame:
    from lxml import etree, html

    try:
        parser = html.HTMLParser(encoding="utf-8", no_network=True)
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (ValueError, etree.LxmlError) as error:
        raise ValueError(f"{path}: not HTML that can be read ({str(error)[:80]})") from error
    found = tree.xpath("//div[contains(concat(' ', @class), ' article') and contains(@class, 'Article')]")
    rows = [row for div in found if (row := factiva_div(div)).get("title") or row.get("text")]
    if not rows:
        raise ValueError(f"{path}: no articles of Factiva found in it; save the page that 'Format for Saving' opens")
    return _finished(rows, notes)


def _ris(path: Path, notes: Notes) -> pd.DataFrame:
    rows, is_cut = ris(decode(content(path), path, notes))
    if not rows:
        raise ValueError(f"{path}: no references in it; each must begin with a line 'TY  - NEWS' and end with 'ER  - '")
    if is_cut:
        notes.append(("warned", "the last reference has no ER line: the file may be cut short", [len(rows)]))
    notes.append(("read", "RIS holds no text, only abstracts: text is missing in every row", []))
    return _finished(rows, notes, has_text=False)


def _finished(rows: list[dict], notes: Notes, has_text: bool = True) -> pd.DataFrame:
    """The table of an export: the second copy of an article left out, doubtful lengths and missing texts noted."""
    seen: set = set()
    kept, again = [], []
    for i, row in enumerate(rows, 1):
        key = tuple(sorted((k, v) for k, v in row.items() if v is not None))
        (again if row.get("article_id") and key in seen else kept).append(i)
        seen.add(key)
    if again:
        notes.append(("dropped", "articles that the file holds twice, with the same number and the same text", again))
    if has_text:
        off, bare = [], []
        for i in kept:
            announced = int(re.sub(r"\D", "", rows[i - 1].get("n_words") or "") or 0)
            found = len((rows[i - 1].get("text") or "").split())
            if not found:
                bare.append(i)
            elif announced >= 40 and not 0.6 <= found / announced <= 1.6:
                off.append(i)
        if bare:
            notes.append(("warned", _NO_TEXT, bare))
        if off:
            notes.append(("warned", "much shorter or longer than the number of words that the export states", off))
    else:
        rows = [row | {"text": None} for row in rows]
    if not any(row.get("article_id") for row in rows):
        rows = [{"article_id": str(i)} | row for i, row in enumerate(rows, 1)]
    return _table([rows[i - 1] for i in kept], kept)


# Web pages


def _html(path: Path, notes: Notes) -> pd.DataFrame:
    data = content(path)
    if _page_kind(data):
        return KINDS["factiva"](path, notes)
    return _table([{"article_id": path.stem} | _page(data, notes, path.name)], [path.name])


def _page(data: bytes, notes: Notes, row: object, url: str | None = None) -> dict:
    from analysis._extract import extract  # slow to import, and most readers do without

    if _ARCHIVED.match(data):
        data, url = _archived(data, url)
    found = extract(data, url=url)
    reason = found.pop("reason", None)
    if not found["text"]:
        notes.append(("warned", f"{_NO_TEXT}: {reason}", [row]))
    return found | {"url": url or found["url"]}


def _archived(data: bytes, url: str | None) -> tuple[bytes, str | None]:
    """The page inside an MHTML file, as browsers save it, and its address."""
    message = email.message_from_bytes(data[: 5 * MAX_PAGE], policy=email.policy.compat32)
    address = message.get("Snapshot-Content-Location")
    for part in message.walk():
        if part.get_content_type() == "text/html":
            return part.get_payload(decode=True) or b"", url or (str(address) if address else None)
    return b"", url


def _warc(path: Path, notes: Notes) -> pd.DataFrame:
    """HTML pages of a WARC file that answered 200; of an address met twice, the first."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    rows, numbers, seen = [], [], set()
    left_out: dict[str, list[int]] = {}
    complaints = io.StringIO()  # warcio writes them to stderr
    try:
        with path.open("rb") as file, redirect_stderr(complaints):
            for i, record in enumerate(ArchiveIterator(file), 1):
                if record.rec_type not in ("response", "resource"):
                    continue
                url = record.rec_headers.get_header("WARC-Target-URI")
                reason, data = ("an address met before", b"") if url in seen else _payload(record)
                if reason:
                    left_out.setdefault(reason, []).append(i)
                    continue
                seen.add(url)
                day = (record.rec_headers.get_header("WARC-Date") or "")[:10]
                rows.append({"article_id": str(i)} | _page(data, notes, i, url) | {"fetched": day or None})
                numbers.append(i)
    except (
        ArchiveLoadFailed,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        AttributeError,
        TypeError,
        LookupError,
    ) as error:
        raise ValueError(f"{path}: a damaged WARC file after {len(rows)} page(s) ({str(error)[:80]})") from error
    for reason, records in left_out.items():
        notes.append(("dropped", f"responses: {reason}", records))
    if complaints.getvalue():
        notes.append(("warned", "records whose stated length is wrong: the file may be damaged", []))
    if not rows:
        raise ValueError(f"{path}: no HTML page that answered 200 in it ({', '.join(left_out) or 'no responses'})")
    return _table(rows, numbers)


def _payload(record: object) -> tuple[str | None, bytes]:
    """Why a record is left out, or its page, unpacked no further than a page may be large."""
    headers = record.http_headers
    if headers is not None and headers.get_statuscode() != "200":
        return f"status {headers.get_statuscode()[:3]}", b""
    kind = (headers or record.rec_headers).get_header("Content-Type") or ""
    if "html" not in kind.lower():
        return "not HTML", b""
    if int(record.rec_headers.get_header("Content-Length") or 0) > 50 * MAX_PAGE:
        raise ValueError(f"a record of over {50 * MAX_PAGE // 1_000_000} MB")
    data = record.content_stream().read(MAX_PAGE + 1)
    return (f"larger than {MAX_PAGE // 1_000_000} MB", b"") if len(data) > MAX_PAGE else (None, data)


# Folders


def _folder(path: Path, kind: str | None, workers: int, rename: Rename) -> Found:
    """Every file of a folder that has a known ending, one after the other; what is nested or unknown is noted."""
    root = path.resolve()
    notes: Notes = []
    files: list[Path] = []
    others: list[str] = []
    for file in sorted(path.iterdir()):
        if file.name.startswith("."):
            continue
        if not file.resolve().is_relative_to(root):
            raise ValueError(f"{file}: the link leads out of the folder; copy the file into it")
        is_known = file.is_file() and (kind is not None or file.suffix.lower() in _ENDINGS)
        files.append(file) if is_known else others.append(file.name)
    parts: list[pd.DataFrame] = []
    single: dict[str, dict] = {}  # files of one article, which are many: records take far less memory than tables
    kinds: Counter = Counter()
    failed: Notes = []
    for file, found in zip(files, _each(files, kind, workers, rename), strict=True):
        if isinstance(found, str):
            failed.append(("dropped", found.removeprefix(f"{path}/"), [file.name]))
            continue
        kinds[found.kind] += 1
        if found.table.index.tolist() == [file.name]:
            single[file.name] = found.table.to_dict("records")[0]
            parts += _flushed(single) if len(single) == _TOGETHER else []
        else:
            parts += [*_flushed(single), _named(found.table, file)]
        for step, detail, rows in found.notes:
            if not isinstance(rows, int):
                rows = [r if r == file.name else f"{file.name}:{r}" for r in rows] or [file.name]
            notes.append((step, detail, rows))
    parts += _flushed(single)
    if not parts:
        why = f"; {failed[0][1]}" if failed else ""
        raise ValueError(f"{path}: the folder has no {_check.listed(_ENDINGS)} file that can be read{why}")
    if others:
        notes.append(("dropped", "files of other kinds, and folders", others))
    read_ = ", ".join(f"{n} of kind {k!r}" for k, n in kinds.items())
    return Found(pd.concat(parts), "folder", [("read", f"files: {read_}", kinds.total()), *notes, *failed])


def _each(files: list[Path], kind: str | None, workers: int, rename: Rename) -> Iterator[Found | str]:
    """What each file holds, or why it cannot be read."""
    if workers == 1 or len(files) < 2 * workers:
        yield from (_tried(file, kind, rename) for file in files)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_tried, files, repeat(kind), repeat(rename), chunksize=16)


def _tried(file: Path, kind: str | None, rename: Rename) -> Found | str:
    try:
        return _file(file, kind, rename)
    except ValueError as error:
        return str(error)


def _flushed(single: dict[str, dict]) -> list[pd.DataFrame]:
    table = [_table(list(single.values()), list(single)).astype("str")] if single else []
    single.clear()
    return table


def _named(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The table of a file with rows named after it, and ids too where they are only numbers within it."""
    if "article_id" not in table.columns:
        table = table.assign(article_id=list(map(str, table.index)))
    if table["article_id"].astype("str").str.fullmatch(r"\d{1,6}").all():
        table = table.assign(article_id=file.stem + "-" + table["article_id"].astype("str"))
    return table.set_axis([f"{file.name}:{row}" for row in table.index])


KINDS: dict[str, Callable[[Path, Notes], pd.DataFrame]] = {
    "csv": _csv,
    "tsv": lambda path, notes: _csv(path, notes, "\t"),
    "excel": _excel,
    "json": _json,
    "jsonl": _json_lines,
    "parquet": _parquet,
    "nexis": _export("nexis"),
    "factiva": _export("factiva"),
    "proquest": _export("proquest"),
    "ris": _ris,
    "csl": _csl,
    "docx": _docx,
    "rtf": _rtf,
    "pdf": _pdf,
    "warc": _warc,
    "html": _html,
    "text": _text,
}
_BY_ENDING = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
    ".xlsx": "excel", ".xlsm": "excel", ".docx": "docx", ".rtf": "rtf", ".pdf": "pdf", ".warc": "warc", ".ris": "ris",
}  # fmt: skip
_ENDINGS = [*_BY_ENDING, ".json", ".txt", ".html", ".htm", ".xhtml", ".mht", ".mhtml", ".gz"]
