"""Files as bytes, text and lines: encodings, archives, Word, RTF, PDF and cells, all treated as hostile.

Nothing is executed, followed or unpacked to disk. Sizes are checked before anything is decompressed, XML that declares
a document type (and so every entity) is refused, and nesting is limited. Every failure is a ValueError with the path.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers import expat

MAX_FILE = 1 << 30  # bytes of a file that is read whole
MAX_PART = 1 << 28  # bytes of one member of an archive, decompressed
MAX_RATIO = 100  # how many times larger than its compressed form a member of over 10 MB may be
MAX_DEPTH = 200  # nesting of XML and RTF
MAX_PAGES = 5_000  # of a PDF


def content(path: Path, limit: int = MAX_FILE) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path}: larger than {limit >> 20} MB; split it")
    return data


def decode(data: bytes, path: Path, notes: list | None = None) -> str:
    """Text of `data` in UTF-8, UTF-16 or, where it is neither and `notes` can say so, Windows-1252."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _decoded(data, name, path)
    zeros = data[:2000].count(0)
    if zeros > len(data[:2000]) // 4:
        name = "utf-16-le" if data[1:2000:2].count(0) >= data[0:2000:2].count(0) else "utf-16-be"
        if notes is not None:
            notes.append(("guessed", f"encoding UTF-16 ({name[-2:]}) without a mark: every other byte is zero", []))
        return _decoded(data, name, path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if notes is None:
            raise ValueError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
        if odd := re.search(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]", data):
            raise ValueError(f"{path}: not text (byte {odd.start()} is a control character)") from error
        notes.append(("guessed", f"encoding Windows-1252: byte {error.start} is not UTF-8", []))
        return _decoded(data, "cp1252", path)
    if "\0" in text:
        raise ValueError(f"{path}: not text (byte {data.index(0)} is zero)")
    return text


def _decoded(data: bytes, name: str, path: Path) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not {name.upper()} at byte {error.start}; save the file as UTF-8") from error


@contextmanager
def archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A ZIP file whose members are of reasonable size; `zipfile` reads no more of a member than it announces."""
    try:
        with zipfile.ZipFile(path) as parts:
            total = 0
            for member in parts.infolist():
                total += member.file_size
                swollen = member.file_size > max(10 << 20, MAX_RATIO * member.compress_size)
                if swollen or member.file_size > MAX_PART or total > 2 * MAX_PART:
                    raise ValueError(
                        f"{path}: {member.filename[:60]!r} would unpack to {member.file_size >> 20} MB, "
                        f"{total >> 20} MB in all; refused"
                    )
            yield parts
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
        LookupError,
    ) as error:
        raise ValueError(f"{path}: a damaged, encrypted or unusual archive ({str(error)[:80]})") from error


def _chunks(parts: zipfile.ZipFile, member: str | zipfile.ZipInfo, path: Path) -> Iterator[bytes]:
    try:
        with parts.open(member) as file:
            while part := file.read(1 << 16):
                yield part
    except (zlib.error, zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"{path}: a damaged archive ({str(error)[:80]})") from error


def refuse_doctype(parts: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Raise ValueError where a member declares a document type, which a .docx or .xlsx never does."""
    kept = b""
    for i, part in enumerate(_chunks(parts, member, path)):
        part = kept + part
        if b"<!DOCTYPE" in part or b"<!ENTITY" in part or (i == 0 and b"\0" in part[:64]):
            raise ValueError(f"{path}: {member.filename[:60]!r} declares a document type or is not UTF-8; refused")
        kept = part[-16:]


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
_SKIPPED = {"http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback", _WORD + "del", _WORD + "instrText"}


def docx_lines(path: Path) -> list[str]:
    """Paragraphs of a .docx file."""
    lines: list[str] = []
    words: list[str] = []
    depth, skipped, in_text = 0, 0, False

    def start(name: str, attributes: dict) -> None:
        nonlocal depth, skipped, in_text
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"{path}: XML nested more than {MAX_DEPTH} deep; refused")
        if skipped or name in _SKIPPED:
            skipped += 1
        elif name == _WORD + "t":
            in_text = True
        elif name in (_WORD + "tab", _WORD + "br", _WORD + "cr"):
            words.append("\t" if name.endswith("tab") else "\n")

    def end(name: str) -> None:
        nonlocal depth, skipped, in_text
        depth -= 1
        in_text = False
        if skipped:
            skipped -= 1
        elif name == _WORD + "p":
            lines.extend("".join(words).split("\n"))
            words.clear()

    def characters(data: str) -> None:
        if in_text and not skipped:
            words.append(data)

    def doctype(*_: object) -> None:
        raise ValueError(f"{path}: the XML declares a document type; refused")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, doctype
    try:
        with archive(path) as parts:
            for part in _chunks(parts, "word/document.xml", path):
                parser.Parse(part, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(f"{path}: not a .docx file ({error})") from error
    return lines


_RTF = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\", re.S
)
_RTF_BREAKS = {"par": "\n", "line": "\n", "row": "\n", "sect": "\n", "page": "\n", "cell": "\t", "tab": "\t",
               "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
               "bullet": "•"}  # fmt: skip
_RTF_SIGNS = {"~": "\u00a0", "_": "\u2011", "\n": "\n", "\r": "\n", "{": "{", "}": "}", "\\": "\\"}
_RTF_HIDDEN = set(
    "fonttbl colortbl stylesheet info pict header headerl headerr headerf footer footerl footerr footerf fldinst "
    "object listtable listoverridetable rsidtbl generator themedata datastore xmlnstbl bkmkstart bkmkend footnote "
    "annotation".split()
)


def rtf_lines(code: str, path: Path) -> list[str]:
    """Lines of an RTF file. Written here because the readers on PyPI take quadratic time on hostile input."""
    parts: list[str] = []
    pending = bytearray()
    page, skip, after = "cp1252", 1, 0  # code page, characters to skip after \u, how many are left to skip
    hidden = False
    stack: list[tuple[bool, int]] = []

    def flush() -> None:
        if pending:
            parts.append(pending.decode(page, "replace"))
            pending.clear()

    end = 0
    for match in _RTF.finditer(code):
        if match.start() < end:
            continue  # binary data
        word, number, byte, sign, brace, text = match.groups()
        if byte:
            if after:
                after -= 1
            elif not hidden:
                pending.append(int(byte, 16))
            continue
        flush()
        if brace == "{":
            if len(stack) >= MAX_DEPTH:
                raise ValueError(f"{path}: RTF groups nested more than {MAX_DEPTH} deep; refused")
            stack.append((hidden, skip))
        elif brace == "}":
            hidden, skip = stack.pop() if stack else (False, 1)
            after = 0
        elif sign:
            if sign == "*":
                hidden = True
            elif not hidden:
                parts.append(_RTF_SIGNS.get(sign, ""))
        elif word:
            if word in _RTF_HIDDEN:
                hidden = True
            elif word == "bin":
                end = match.end() + max(0, int(number or 0))
            elif word == "ansicpg" and _is_codec(f"cp{number}"):
                page = f"cp{number}"
            elif word == "uc":
                skip = min(int(number or 1), 9) if not (number or "").startswith("-") else 1
            elif word == "u" and number and not hidden:
                value = int(number) % 65536
                parts.append(chr(value))
                after = skip
            elif word in _RTF_BREAKS and not hidden:
                parts.append(_RTF_BREAKS[word])
        elif text and not hidden:
            parts.append(text[after:].encode("latin-1").decode(page, "replace"))
            after = max(0, after - len(text))
    flush()
    whole = "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins halves of one sign
    return whole.split("\n")


def _is_codec(name: str) -> bool:
    try:
        b"".decode(name)
        "".encode(name)
    except (LookupError, ValueError, UnicodeError):
        return False
    return True


def pdf_lines(path: Path) -> list[str]:
    """Lines of text of a PDF file, page after page."""
    import pypdfium2

    content(path, MAX_PART)
    lines: list[str] = []
    try:
        with pypdfium2.PdfDocument(path) as document:
            if len(document) > MAX_PAGES:
                raise ValueError(f"{path}: {len(document)} pages; at most {MAX_PAGES} can be read")
            for number in range(len(document)):
                page = document[number]
                part = page.get_textpage()
                found = part.get_text_bounded()
                part.close()
                page.close()
                lines.extend(_BROKEN.sub(_rejoined, found).splitlines())
    except pypdfium2.PdfiumError as error:
        raise ValueError(f"{path}: not a PDF file that can be read ({error}); unlock or repair it first") from error
    if not any(map(str.strip, lines)):
        raise ValueError(f"{path}: the PDF holds no text, only images; run text recognition on it first")
    return lines


_BROKEN = re.compile(
    "([^\\s\u0002\ufffe]{0,40})[\u0002\ufffe]\r?\n?(\\S?)"
)  # so PDFium marks a hyphen at the end of a line


def _rejoined(match: re.Match) -> str:
    """A word that was broken over two lines, made whole; the hyphen stays in end-to-end and before no small letter."""
    before, after = match.groups()
    if not after.islower():
        return f"{before}-\n{after}"
    return f"{before}{'-' if '-' in before else ''}{after}"


_RUN = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")  # how a cell opens that a spreadsheet would run
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:[.,]\d{1,30})?%?")


def inert(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what one would run (OWASP).

    >>> inert("=HYPERLINK(1)"), inert("-5"), inert("a = b"), inert(3)
    ("'=HYPERLINK(1)", '-5', 'a = b', 3)
    """
    return f"'{value}" if isinstance(value, str) and _RUN.match(value) and not _NUMBER.fullmatch(value) else value
