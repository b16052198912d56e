"""The layouts in which Nexis, Factiva, ProQuest, RIS and CSL JSON write articles: lines in, one dict an article out.

Nexis Uni and Lexis Advance write a title, the outlet, the date, then labels, `Body`, the text, `Load-Date:` and `End of
Document`; the older LexisNexis text files open each article with "1 of 10 DOCUMENTS". Factiva writes fields (HD, SN,
PD, LP, TD, ...) or a plain display, both closed by `Document` and the accession number. ProQuest writes paragraphs that
open with a label, between lines of underscores. Nothing here opens a file; whatever does not fit a layout is left out.
"""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise


def product(lines: list[str]) -> str | None:
    """Key of `PRODUCTS` that the lines belong to, by the lines that close an article there, or None."""
    stripped = [line.strip() for line in lines if len(line) < 200]
    if "End of Document" in stripped or any(map(_OLD_NEXIS.fullmatch, stripped)):
        return "nexis"
    if any(map(_ACCESSION.fullmatch, stripped)):
        return "factiva"
    return "proquest" if any(line.startswith("ProQuest document ID:") for line in stripped) else None


def paragraphs(lines: Iterable[str], is_wrapped: bool) -> str:
    """Text of `lines`, one paragraph each, or paragraphs of wrapped lines with empty lines between them."""
    lines = [" ".join(line.split()) for line in lines]
    if not is_wrapped:
        return "\n\n".join(filter(None, lines))
    parts: list[list[str]] = [[]]
    for line in lines:
        if line:
            parts[-1].append(line)
        elif parts[-1]:
            parts.append([])
    return "\n\n".join(" ".join(part) for part in parts if part)


# Nexis

_DAYS = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTHS = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_NEXIS_DATE = re.compile(
    rf"(?P<date>(?:{_DAYS},? )?(?:{_MONTHS} \d{{1,2}},? \d{{4}}|\d{{1,2}} {_MONTHS},? \d{{4}}|{_MONTHS},? \d{{4}})"
    rf"(?:,? {_DAYS})?(?:,? \d{{1,2}}:\d\d(?::\d\d)? ?(?:[AaPp]\.?[Mm]\.?)?(?: [A-Z]{{2,5}})?)?)"
    r"(?P<more>[ ,;].{0,80})?"
)
_OLD_NEXIS = re.compile(r"\d{1,6} of \d{1,6} DOCUMENTS?")
_NEXIS_LABEL = re.compile(
    r"(Section|Length|Byline|Dateline|Highlight|Edition|Language|Publication-Type|Load-Date|Copyright|URL)\s?:\s?(.*)",
    re.I,
)
_NEXIS_AFTER = re.compile(
    r"(?:Graphic|Classification|Notes|Correction|Correction-Date|Url)"
    r"|(?:Load-Date|LOAD-DATE|LANGUAGE|PUBLICATION-TYPE|GRAPHIC)\s?:.*"
)
_COVER = re.compile(  # lines of the cover, which lists what was downloaded
    r"(?:User Name|Date and Time|Job Number|Client/Matter|Search Terms|Search Type|Narrowed by|Content Type)\b"
    r"|Documents? \(\d{1,5}\)|\d{1,4}\. |-None-|News$"
)
_RUNNING = re.compile(r"Page \d{1,5} of \d{1,5}")
_NEXIS_COLUMNS = {"section": "section", "byline": "author", "language": "language", "publication-type": "document_type",
                  "length": "n_words", "dateline": "dateline", "highlight": "standfirst", "url": "url"}  # fmt: skip


def _nexis(lines: list[str], is_wrapped: bool) -> list[dict]:
    """Articles of Nexis Uni, Lexis Advance and, from "1 of 10 DOCUMENTS" on, of the older LexisNexis text files."""
    lines = [" ".join(line.split()) for line in lines]
    if "End of Document" not in lines:
        starts = [i for i, line in enumerate(lines) if _OLD_NEXIS.fullmatch(line)]
        parts = [lines[a + 1 : b] for a, b in pairwise([*starts, len(lines)])]
        return [row for part in parts if (row := _nexis_old(part))]
    parts, current = [], []
    for line in lines:
        if line == "End of Document":
            parts.append(current)
            current = []
        else:
            current.append(line)
    return [row for part in parts if (row := _nexis_one(part, is_wrapped))]


def _nexis_one(lines: list[str], is_wrapped: bool) -> dict | None:
    lines = [line for line in lines if not _RUNNING.fullmatch(line)]
    at = lines.index("Body") if "Body" in lines else None
    labels = [i for i, line in enumerate(lines[:at]) if _NEXIS_LABEL.fullmatch(line)]
    dated = [i for i, line in enumerate(lines[:at]) if _NEXIS_DATE.fullmatch(line)]
    if not dated and at is None:
        return None  # a cover page or a list of documents
    day = dated[-1] if dated else (labels or [at])[0]
    match = _NEXIS_DATE.fullmatch(lines[day]) if dated else None
    before = [i for i in range(day) if lines[i]]
    outlet = before[-1] if before else None
    title = []
    for i in reversed(before[:-1]):
        if _COVER.match(lines[i]) or (title and (not is_wrapped or not lines[i + 1])):
            break
        title.insert(0, lines[i])
    row = {
        "outlet": lines[outlet] if outlet is not None else None,
        "date": match["date"] if match else None,
        "title": re.sub(r" ?\(https?://[^ )]{1,500}\)$", "", " ".join(title)) or None,
        "edition": (match["more"] or "").strip(" ,;") or None if match else None,
    }
    stop = at + 1 if at is not None else len(lines)
    body = []
    for i, line in enumerate(lines[stop:], stop):
        if _NEXIS_AFTER.fullmatch(line):
            stop = i
            break
        if line != row["title"] or not is_wrapped:  # the running head of a printed page
            body.append(line)
    else:
        stop = len(lines)
    for line in [*lines[day : at if at is not None else len(lines)], *lines[stop:]]:
        if (label := _NEXIS_LABEL.fullmatch(line)) and (name := _NEXIS_COLUMNS.get(label[1].lower())):
            row.setdefault(name, label[2].strip() or None)
    return row | {"text": paragraphs(body, is_wrapped) or None}


def _nexis_old(lines: list[str]) -> dict | None:
    filled = [i for i, line in enumerate(lines) if line]
    dated = next((i for i in filled[:12] if _NEXIS_DATE.fullmatch(lines[i])), None)
    length = next((i for i in filled if re.match(r"LENGTH: ", lines[i])), None)
    if not filled or length is None:
        return None
    outlet = next((i for i in filled if not re.match(r"Copyright |All Rights Reserved", lines[i])), None)
    end = next((i for i in range(length + 1, len(lines)) if _NEXIS_AFTER.fullmatch(lines[i])), len(lines))
    row = {"outlet": lines[outlet], "date": _NEXIS_DATE.fullmatch(lines[dated])["date"] if dated is not None else None}
    between = [lines[i] for i in filled if (dated or outlet) < i < length and not _NEXIS_LABEL.fullmatch(lines[i])]
    row["title"] = " ".join(line for line in between if not re.search(r"\bEdition\b", line)) or None
    for line in lines:
        if (label := _NEXIS_LABEL.fullmatch(line)) and (name := _NEXIS_COLUMNS.get(label[1].lower())):
            row.setdefault(name, label[2].strip() or None)
    return row | {"text": paragraphs(lines[length + 1 : end], True) or None}


# Factiva

_ACCESSION = re.compile(r"(?:AN\s{1,9})?Document ([A-Za-z]{2,8}\d{8,30}[A-Za-z0-9]{1,24})")
_WORDS = re.compile(r"([\d,.]{1,9}) words?")
_CODES = {"HD": "title", "BY": "author", "WC": "n_words", "PD": "date", "SN": "outlet", "SE": "section",
          "ED": "edition",
          "LA": "language", "AN": "article_id", "NS": "subjects", "RE": "regions", "PG": "page",
          "ET": "time"}  # fmt: skip
_CODE = re.compile(
    r"(HD|BY|CR|WC|PD|ET|SN|SC|SE|ED|PG|VOL|LA|CY|LP|TD|ART|CO|IN|NS|RE|IPC|IPD|PUB|AN|CT|RF|CLM)(?:\t+(.*))?"
)


def _factiva(lines: list[str], is_wrapped: bool) -> list[dict]:
    """Articles of a Factiva RTF or text file, by fields ("Full Article plus Indexing") or in the plain display."""
    articles, current = [], []
    for line in lines:
        current.append(line)
        if match := _ACCESSION.fullmatch(line.strip()):
            articles.append((current[:-1], match[1]))
            current = []
    return [_factiva_one(part, number, is_wrapped) for part, number in articles]


def _factiva_one(lines: list[str], number: str, is_wrapped: bool) -> dict:
    fields: dict[str, list[str]] = {}
    code = None
    for line in lines:
        if match := _CODE.fullmatch(line.strip(" ")):
            code = match[1]
            fields.setdefault(code, [])
            line = match[2] or ""
        if code:
            fields[code].append(line)
    if "HD" in fields and {"LP", "TD", "SN"} & set(fields):
        row = {_CODES[c]: " ".join(" ".join(v).split()) or None for c, v in fields.items() if c in _CODES}
        text = paragraphs([*fields.get("LP", []), "", *fields.get("TD", [])], is_wrapped)
        return row | {"article_id": number, "text": text or None}
    lines = [" ".join(line.split()) for line in lines]
    at = next((i for i, line in enumerate(lines) if _WORDS.fullmatch(line)), None)
    if at is None:
        return {"article_id": number, "text": paragraphs(lines, is_wrapped) or None}
    head = [line for line in lines[:at] if line]
    byline = head.pop() if len(head) > 1 and re.match(r"By ", head[-1]) else None
    # in the display the section may stand above the headline, never below it
    row = {
        "article_id": number,
        "title": (" ".join(head) if is_wrapped else head[-1]) if head else None,
        "author": byline,
    }
    rest, used = _factiva_header(lines[at:])
    return row | rest | {"text": paragraphs(lines[at + used :], is_wrapped) or None}


def _factiva_header(lines: list[str]) -> tuple[dict, int]:
    """What stands below the headline: length, date, time, outlet, code, pages, language, copyright; and its size."""
    row: dict = {}
    names = iter(["outlet", "source_code"])
    used = 0
    for i, line in enumerate(lines[:16]):
        if not line:
            continue
        if "n_words" not in row and (match := _WORDS.fullmatch(line)):
            row["n_words"] = match[1]
        elif "date" not in row and _NEXIS_DATE.fullmatch(line):
            row["date"] = line
        elif re.fullmatch(r"\d{1,2}:\d\d(?: ?[AP]M)?", line):
            row["time"] = line
        elif re.match(r"(?:\([cC]\)|©|Copyright\b|All rights reserved)", line):
            used = i + 1
            break
        elif "date" in row and (name := next(names, None)):
            row[name] = line
        elif line in _LANGUAGES:
            row["language"], used = line, i + 1
    return row, used or min(len(lines), 1)


_LANGUAGES = set(
    "English French German Spanish Italian Dutch Portuguese Russian Chinese Japanese Korean Arabic Swedish "
    "Norwegian Danish Finnish Polish Turkish".split()
)


def factiva_div(div: object) -> dict:
    def words(node: object) -> str:
        return " ".join(node.text_content().split())

    body = [words(p) for p in div.xpath(".//p[starts-with(@class, 'articleParagraph')]")]
    last = [m[1] for p in div.xpath(".//p | .//td | .//div") if (m := _ACCESSION.fullmatch(words(p)))]
    cells = {words(r[0]): words(r[1]) for r in div.xpath(".//tr[count(td) = 2]")}
    row = {"article_id": last[0] if last else None, "text": "\n\n".join(filter(None, body)) or None}
    if "HD" in cells:
        return {_CODES[c]: v or None for c, v in cells.items() if c in _CODES} | row
    heads = div.xpath(".//*[contains(@class, 'Headline')]")
    plain = [words(d) for d in div.xpath(".//div[not(@*)][not(.//div)]")]
    at = next((i for i, line in enumerate(plain) if _WORDS.fullmatch(line)), len(plain))
    bylines = [words(d) for d in div.xpath(".//div[@class='author']")] + [x for x in plain[:at] if x.startswith("By ")]
    return (
        {"title": words(heads[0]) if heads else None, "author": bylines[0] if bylines else None}
        | _factiva_header(plain[at:])[0]
        | row
    )


# ProQuest

_LABELS = {
    "Author": "author", "Publication title": "outlet", "Publication date": "date", "Title": "title",
    "Section": "section",
    "ProQuest document ID": "article_id", "Document URL": "url", "Language of publication": "language",
    "Document type": "document_type", "Abstract": "abstract", "Source type": "source_type", "Subject": "subjects",
}  # fmt: skip
_OTHER_LABELS = set(
    "Publication info|Links|Full text|Location|People|Company / organization|Classification|Identifier / keyword|"
    "Volume|Issue|"
    "Pages|Publication year|Year|Publisher|Place of publication|Country of publication|Publication subject|ISSN|"
    "Copyright|Last updated|Database|Column|First page|Dateline|Business indexing term|e-ISSN|Credit|Illustration|URL|"
    "Narrow subject|Broad subject|Supplement|Document feature".split("|")
)  # fmt: skip
_WORDY = {"Title", "Abstract", "Full text", "Copyright", "Publication info", "Publisher", "Author", "Links"}
_LABEL = re.compile(r"([A-Z][A-Za-z /-]{1,30}): ?(.*)", re.S)


def _proquest(lines: list[str], is_wrapped: bool) -> list[dict]:
    """Articles of a ProQuest text file, between lines of underscores."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if re.fullmatch(r"_{20,}", line.strip()):
            parts.append([])
        else:
            parts[-1].append(line.strip())
    return [row for part in parts if (row := _proquest_one(part))]


def _proquest_one(lines: list[str]) -> dict | None:
    blocks = _blocks(lines)
    labels = [_label(block) for block in blocks]
    if "Title" not in labels and "ProQuest document ID" not in labels:
        return None  # the cover, or the footer with the terms
    row: dict = {}
    start = labels.index("Full text") if "Full text" in labels else None
    end = len(blocks)
    while end and labels[end - 1] not in (None, "Full text"):  # labels below the text; the text may hold a colon itself
        end -= 1
    for block, label in zip(blocks[end:] + blocks[: start or 0], labels[end:] + labels[: start or 0], strict=True):
        if label in _LABELS:
            row.setdefault(_LABELS[label], " ".join(_LABEL.match(block)[2].split()) or None)
    if start is not None:
        text = "\n\n".join([_LABEL.match(blocks[start])[2].strip(), *blocks[start + 1 : max(end, start + 1)]])
        row["text"] = text.strip() or None
    return row if row.get("article_id") or row.get("text") else None


def _label(block: str) -> str | None:
    """The label that a paragraph opens with, unless the paragraph reads like a sentence of the text."""
    match = _LABEL.match(block)
    if not match or match[1] not in _LABELS.keys() | _OTHER_LABELS:
        return None
    is_prose = len(block.split()) > 8 and block[-1] in '.!?”"' and match[1] not in _WORDY
    return None if is_prose else match[1]


def _blocks(lines: list[str]) -> list[str]:
    """Paragraphs between empty lines; a line that begins with a label of the list begins one in any case."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        match = _LABEL.match(line)
        if not line or (match and match[1] in _LABELS.keys() | _OTHER_LABELS):
            blocks.append([])
        if line:
            blocks[-1].append(line)
    return [" ".join(block) for block in blocks if block]


_RIS = {"TI": "title", "T1": "title", "JF": "outlet", "JO": "outlet", "T2": "outlet", "JA": "outlet", "DA": "date",
        "Y1": "date",
        "PY": "date", "UR": "url", "AB": "abstract", "N2": "abstract", "AU": "author", "A1": "author", "LA": "language",
        "AN": "article_id", "ID": "article_id", "TY": "document_type", "M3": "document_type",
        "CY": "place"}  # fmt: skip
_TAG = re.compile(r"([A-Z][A-Z0-9]) {1,2}-(?: (.*))?")


def ris(text: str) -> tuple[list[dict], bool]:
    """References in RIS (ProQuest, Zotero), and whether the last one lacks its ER line."""
    rows: list[dict] = []
    fields: dict[str, list[str]] = {}
    last = None
    for line in text.lstrip("\ufeff").splitlines():
        match = _TAG.fullmatch(line.rstrip())
        if match and match[1] == "ER":
            rows.extend([_reference(fields)] if "TY" in fields else [])
            fields, last = {}, None
        elif match:
            last = match[1]
            fields.setdefault(last, []).append((match[2] or "").strip())
        elif last and line.strip():
            fields[last].append(line.strip())
    return rows + ([_reference(fields)] if "TY" in fields else []), "TY" in fields


def _reference(fields: dict[str, list[str]]) -> dict:
    row: dict = {}
    for tag, name in _RIS.items():
        if any(fields.get(tag, [])) and name not in row:
            joint = {"author": "; ", "title": " ", "abstract": "\n\n"}.get(name)
            row[name] = joint.join(filter(None, fields[tag])) if joint else next(filter(None, fields[tag]))
    return row


def is_csl(content: object) -> bool:
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and "type" in first and not {"issued", "container-title"}.isdisjoint(first)


def csl(item: dict) -> dict:
    """An item of CSL JSON (Zotero: Export, CSL JSON): metadata and abstract, no text."""
    return {
        "article_id": _scalar(item.get("id")),
        "outlet": _scalar(item.get("container-title")) or _scalar(item.get("publisher")),
        "date": _issued(item.get("issued")),
        "url": _scalar(item.get("URL")),
        "title": _scalar(item.get("title")),
        "author": _authors(item.get("author")),
        "abstract": _scalar(item.get("abstract")),
        "language": _scalar(item.get("language")),
        "document_type": _scalar(item.get("type")),
    }


def _scalar(value: object) -> str | None:
    return str(value) if isinstance(value, (str, int, float)) and str(value).strip() else None


def _issued(value: object) -> str | None:
    if not isinstance(value, dict):
        return _scalar(value)
    parts = value.get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else []
    numbers = [str(p) for p in first[:3]]
    if numbers and all(re.fullmatch(r"\d{1,4}", n, re.ASCII) for n in numbers):
        return "-".join(n.zfill(4 if i == 0 else 2) for i, n in enumerate(numbers))
    return _scalar(value.get("literal")) or _scalar(value.get("raw"))


def _authors(value: object) -> str | None:
    people = [p for p in value if isinstance(p, dict)] if isinstance(value, list) else []
    names = [
        _scalar(p.get("literal")) or " ".join(filter(None, (_scalar(p.get("given")), _scalar(p.get("family")))))
        for p in people
    ]
    return "; ".join(filter(None, names)) or None


# name, parser of lines (hard-wrapped or not), and what marks an article
PRODUCTS: dict[str, tuple[str, Callable[[list[str], bool], list[dict]], str]] = {
    "nexis": ("Nexis", _nexis, "each must end with a line 'End of Document', or begin with '1 of 10 DOCUMENTS'"),
    "factiva": ("Factiva", _factiva, "each must end with a line 'Document' and its accession number"),
    "proquest": ("ProQuest", _proquest, "each must have a line 'ProQuest document ID:'"),
}
