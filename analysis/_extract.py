"""The article in a saved web page: text, title, date and the rest, whatever the page is made of.

`extract` is trafilatura (Barbaresi 2021, ACL demonstrations) behind limits: pages are hostile. Run as a program, the
module answers pages on standard input, one after the other, so that `collect` can end a page that takes too long.
"""

import codecs
import contextlib
import json
import logging
import os
import queue
import re
import struct
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

MAX_BYTES = 10_000_000  # of markup; the largest of 181 news pages has 2 million
MAX_ELEMENTS = 50_000  # extraction takes about 0.1 ms for each
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_META = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,80}?encoding=["']([\w.-]{2,40})""", re.I
)
_WEB = re.compile(  # codecs that pages are written in; the rest of Python's (utf-7, unicode-escape, ...) are traps
    r"utf-8|utf-16(-[lb]e)?|iso8859-\d+|cp(125\d|874|866|932|949)|koi8-[ru]|mac-(roman|cyrillic)"
    r"|gbk|gb2312|gb18030|big5(hkscs)?|euc_jp|iso2022_jp|shift_jis|euc_kr"
)
_AS_READ = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}  # as browsers read them
_NOT_HTML = {
    b"%PDF": "a PDF file", b"PK\x03\x04": "a zip or Office file", b"\x89PNG": "an image", b"\xff\xd8\xff": "an image",
    b"GIF8": "an image", b"RIFF": "a sound or image file", b"\x1f\x8b": "a gzip file", b"{\\rtf": "an RTF file",
}  # fmt: skip
_TEXTUAL = bytes(set(range(256)) - set(range(32)) | {9, 10, 12, 13, 27})  # 27: ISO-2022-JP
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

logging.getLogger("trafilatura").addHandler(logging.NullHandler())  # reasons are returned, not printed


def decode(data: bytes, charset: str | None = None) -> str:
    """Text of `data`: by its byte-order mark, else as UTF-8 where it is valid, else as `charset` or the page declares.

    `charset` is what the server said. Both it and the page are often wrong, and bytes that are not UTF-8 hardly ever
    pass for it, so valid UTF-8 wins. What fits no declaration is read as Windows-1252, undecodable bytes replaced.

    >>> decode("naïve".encode("cp1252"), "utf-8")
    'naïve'
    """
    for mark, name in _BOMS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if name := _unmarked_utf16(data):
        return data.decode(name, "replace")
    meta = _META.search(data[:4096])
    declared = [_codec(name) for name in (charset, meta and (meta[1] or meta[2]).decode("ascii", "replace")) if name]
    seven_bit = [name for name in declared if name == "iso2022_jp"]
    for name in [*seven_bit, "utf-8", *declared]:
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    return data.decode("cp1252", "replace")


def _unmarked_utf16(data: bytes) -> str | None:
    """The kind of UTF-16 that `data` is in without saying so: every other byte of markup is then zero."""
    even, odd = data[:1000:2].count(0), data[1:1000:2].count(0)
    most = 0.6 * min(len(data), 1000) / 2
    return "utf-16-le" if odd > most > 4 * even else "utf-16-be" if even > most > 4 * odd else None


def _codec(name: str) -> str:
    try:
        known = codecs.lookup(name.strip("\"' ")).name
    except (LookupError, ValueError, UnicodeError):
        return "utf-8"
    return _AS_READ.get(known, known) if _WEB.fullmatch(known) else "utf-8"


def extract(html: bytes | str, *, url: str | None = None, charset: str | None = None) -> dict[str, str | None]:
    """Article in one web page, as a dict whose values are text, or None where the page does not tell.

    `html` is the page as bytes (best: the encoding is then found) or text, `url` its address and `charset` the encoding
    that the server named. Keys: `title`; `text` (a line per paragraph); `date` of publication (YYYY-MM-DD, from the
    markup only, never guessed from prose); `outlet` (the site's name); `author`; `language` (as declared); `url` (the
    canonical address that the page claims); `licence` (address or notice that the page carries); and `reason`, in
    words, when there is no text. A page never raises, whatever it holds, but may take long: size and number of elements
    are limited, time is not. Source: trafilatura's extractor, comments left out.

    Raises TypeError when `html` is neither bytes nor str.

    >>> page = "<html lang=en><title>Keys</title><article>" + "<p>An invented line about keys.</p>" * 9 + "</article>"
    >>> found = extract(page)
    >>> found["title"], found["language"], found["text"].splitlines()[0]
    ('Keys', 'en', 'An invented line about keys.')
    >>> extract(b"%PDF-1.7")["reason"]
    'a PDF file, not a web page'
    """
    if not isinstance(html, (bytes, str)):
        raise TypeError(f"html must be bytes or str, not {type(html).__name__}")
    import trafilatura  # half a second, which `decode` alone need not cost

    found = dict(_NOTHING)
    problem = _unfit(html)
    if problem:
        return found | {"reason": problem}
    text = decode(html, charset) if isinstance(html, bytes) else html
    if text.count("<") > 4 * MAX_ELEMENTS:
        return found | {"reason": f"more than {MAX_ELEMENTS:,} elements"}
    parser = HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False, collect_ids=False,
        default_doctype=False,
    )  # fmt: skip
    try:
        tree = document_fromstring(_UNPRINTABLE.sub(" ", text).encode("utf-8"), parser=parser)
    except (etree.LxmlError, ValueError):
        return found | {"reason": "no element could be read: not a web page"}
    if sum(1 for _ in tree.iter()) > MAX_ELEMENTS:
        return found | {"reason": f"more than {MAX_ELEMENTS:,} elements"}
    found |= _declared(tree, url)
    try:
        document = trafilatura.bare_extraction(
            tree,
            url=url,
            include_comments=False,
            with_metadata=True,
            date_extraction_params=_DATE | {"max_date": date.today().isoformat()},
        )
    except Exception as error:  # a page may break any part of the extractor; the reason names the kind
        return found | {"reason": f"the extractor failed ({type(error).__name__})"}
    for key in ("title", "text", "date", "outlet", "author"):
        value = getattr(document, "sitename" if key == "outlet" else key, None)
        found[key] = (_UNPRINTABLE.sub("", value).strip() or None) if isinstance(value, str) else None
    if not found["text"]:
        found["reason"] = "no article text found on the page"
    return found


_NOTHING: dict[str, str | None] = dict.fromkeys(
    ["title", "text", "date", "outlet", "author", "language", "url", "licence", "reason"]
)
_DATE = {"original_date": True, "extensive_search": False, "outputformat": "%Y-%m-%d"}


def _unfit(html: bytes | str) -> str | None:
    """Why `html` is no web page to extract from, before any parser sees it."""
    if len(html) > MAX_BYTES:
        return f"larger than {MAX_BYTES // 1_000_000} MB"
    if not html.strip():
        return "an empty page"
    if isinstance(html, bytes):
        start = html.lstrip()[:8]
        for magic, kind in _NOT_HTML.items():
            if start.startswith(magic):
                return f"{kind}, not a web page"
        strange = len(html[:4096].translate(None, delete=_TEXTUAL))
        if strange > 0.02 * len(html[:4096]) and not html.startswith(tuple(_BOMS)) and not _unmarked_utf16(html):
            return "binary data, not a web page"
    elif html.lstrip().startswith("%PDF"):
        return "a PDF file, not a web page"
    return None


def _declared(tree: HtmlElement, url: str | None) -> dict[str, str | None]:
    """Language, canonical address and licence, as the page states them."""
    meta: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("name") or element.get("property") or element.get("http-equiv")
        if name and element.get("content"):
            meta.setdefault(name.strip().lower(), element.get("content").strip())
    links: dict[str, str] = {}
    for element in tree.iter("link", "a"):
        for rel in (element.get("rel") or "").lower().split():
            if rel == "license" or (rel == "canonical" and element.tag == "link"):
                links.setdefault(rel, _absolute(element.get("href"), url) or "")
    language = tree.get("lang") or meta.get("content-language") or meta.get("og:locale") or ""
    language = re.match(r"[A-Za-z]{2,3}(?=$|[-_,; ])", language.strip())
    notices = (meta.get(name) for name in ("dcterms.license", "dcterms.rights", "dc.rights", "copyright"))
    licence = links.get("license") or next(filter(None, notices), "")
    return {
        "language": language and language[0].lower(),
        "url": links.get("canonical") or None,
        "licence": _UNPRINTABLE.sub("", " ".join(licence.split()))[:200] or None,
    }


def _absolute(href: str | None, base: str | None) -> str | None:
    """`href` as a full web address, or None."""
    try:
        address = urljoin(base or "", (href or "").strip())
        parts = urlsplit(address)
    except ValueError:
        return None
    return address[:2000] if parts.scheme in ("http", "https") and parts.hostname else None


class Extractors:
    """Processes that run `extract`, so that a page which takes too long, or breaks the parser, costs only itself.

    `size` processes start when they are first needed, and each is replaced after `_LIFE` pages, which returns what the
    extractor keeps in its caches. With `size=0` the work is done in this process, and nothing limits its time.
    """

    def __init__(self, size: int, seconds: float) -> None:
        self._seconds, self._size = seconds, size
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        self._alive: set[_Child] = set()
        self._is_closed = False
        for _ in range(size):
            self._idle.put(None)

    def extract(self, page: bytes, *, url: str | None = None, charset: str | None = None) -> dict[str, str | None]:
        """`extract(page)`; where the time runs out or the process dies, `reason` says so. For any thread."""
        if not self._size:
            return extract(page, url=url, charset=charset)
        child = self._idle.get()
        try:
            if self._is_closed:
                return _NOTHING | {"reason": "extraction was stopped"}
            if child is None:
                child = _Child()
                self._alive.add(child)
            answer, reason = child.ask(page, {"url": url, "charset": charset}, self._seconds)
            if reason or child.asked >= _LIFE:
                self._alive.discard(child)
                child.close()
                child = None
        finally:
            self._idle.put(child)
        return _NOTHING | {"reason": reason} if reason else answer

    def close(self) -> None:
        """End the processes, also those that are at work."""
        self._is_closed = True
        while self._alive:
            self._alive.pop().close()


_LIFE = 500  # pages
_MEMORY = 2 << 30  # bytes of address space for one process, where the system can hold it to that


class _Child:
    def __init__(self) -> None:
        secrets = re.compile("KEY|TOKEN|SECRET|PASSWORD", re.I)  # which what reads hostile pages need not know
        environment = {name: value for name, value in os.environ.items() if not secrets.search(name)}
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
        self.asked = 0
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "analysis._extract"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip

    def ask(self, page: bytes, options: dict, seconds: float) -> tuple[dict, str | None]:
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            self._process.kill()

        self.asked += 1
        words = json.dumps(options).encode()
        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            self._process.stdin.write(struct.pack("!II", len(words), len(page)) + words + page)
            self._process.stdin.flush()
            answer = self._process.stdout.read(struct.unpack("!I", self._process.stdout.read(4))[0])
            return json.loads(answer), None
        except (OSError, struct.error, ValueError):
            late = f"extraction took longer than {seconds:g} s"
            return {}, late if is_late.is_set() else "the extractor broke off"
        finally:
            timer.cancel()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, ValueError):  # what was never read; a thread that still waits for it
                pipe.close()


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer pages from `source` on `sink` until it ends. In: two lengths, options as JSON, the page. Out: JSON."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limit, macOS may refuse it
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    while len(header := source.read(8)) == 8:
        n_options, n_page = struct.unpack("!II", header)
        options = json.loads(source.read(n_options))
        answer = json.dumps(extract(source.read(n_page), **options)).encode()
        sink.write(struct.pack("!I", len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
