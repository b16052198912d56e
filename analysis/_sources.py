"""Where coverage is found: lists of addresses, feeds, sitemaps, the interfaces of GDELT, Guardian and Media Cloud.

Every source gives `Found` items: an address, and what is known of the article before its page is read.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode, urljoin

import pandas as pd
from lxml import etree

from analysis import corpus
from analysis._extract import decode
from analysis._fetch import Fetcher, LostError, Page, checked, gunzip, pause

TRIES = 4
ADDRESSES = {  # of the interfaces
    "gdelt": "https://api.gdeltproject.org/api/v2/doc/doc",
    "guardian": "https://content.guardianapis.com/search",
    "mediacloud": "https://search.mediacloud.org/api/search/story-list",
}
_KEYS = {"guardian": "GUARDIAN_API_KEY", "mediacloud": "MEDIACLOUD_API_KEY"}
_PACE = {"gdelt": 5.5, "guardian": 1.0, "mediacloud": 2.0}  # seconds between requests, as each of them asks for
_GUARDIAN_TERMS = "Guardian Open Platform terms and conditions, open-platform.theguardian.com; all rights reserved"
_MOST = 50_000  # addresses from one source
_MOST_LISTS, _DEPTH = 500, 3  # sitemaps below one sitemap
_LIST_BYTES = 50_000_000  # a sitemap may have 50 MB when opened (sitemaps.org)
_KNOWN = ("outlet", "date", "country", "type", "title", "licence", "copy_group")  # what a table of articles may tell
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|igsh|mc_[ce]id|_hs\w+|hsa_\w+"
    r"|at_(medium|campaign|custom\d|link_\w+|bbc_team|ptr_name)|ns_(mchannel|source|campaign|linkname|fee)"
    r"|cmp|cmpid|ocid|ncid|icid|ito|smid|smtyp|xtor|ref_src|ref_url|sr_share|spm|wt\.mc_id|oly_(enc|anon)_id|vero_id",
    re.I,
)


class Found(NamedTuple):
    """One article as a source names it: `given` columns stand, `likely` ones only fill what its page leaves open."""

    url: str
    given: dict[str, str] = {}  # noqa: RUF012 - never changed
    likely: dict[str, str] = {}  # noqa: RUF012
    article_id: str | None = None


def cleaned(url: str) -> str:
    """`url` without its fragment and the parameters that only follow readers about; the rest as it is.

    >>> cleaned("https://Example.org:443/story?id=7&utm_source=x&fbclid=y#top")
    'https://example.org/story?id=7'
    """
    address = checked(url)
    query = address.query.decode("ascii", "replace")
    if query:
        kept = [part for part in query.split("&") if not _TRACKING.fullmatch(part.split("=")[0])]
        address = address.copy_with(query="&".join(kept).encode() if kept else None)
    return str(address)


def identity(url: str) -> str:
    """What two spellings of one address share: neither scheme, tracking, nor a closing slash tells pages apart.

    >>> identity("http://example.org/a/?utm_medium=m") == identity("https://example.org/a")
    True
    """
    return cleaned(url).split("://", 1)[1].rstrip("/?")


class Source:
    """One source as the user wrote it. Raises ValueError or FileNotFoundError at once if it cannot work."""

    def __init__(self, name: str | Path, *, since: date | None, until: date | None, match: str | None) -> None:
        self.name, self._since, self._until = str(name), since, until
        try:
            self._match = re.compile(match) if match else None
        except re.error as error:
            raise ValueError(f"match={match!r} is no regular expression ({error})") from None
        found = re.match(r"(gdelt|guardian|mediacloud)(?:@([\d,]+))?:(.+)", self.name, re.S)
        self._query = found.groups() if found else None
        self._table: list[Found] | None = None
        if found:
            kind, collections, _ = found.groups()
            if kind in _KEYS and not os.environ.get(_KEYS[kind]):
                raise ValueError(f"source {self.name!r} needs a key: set the environment variable {_KEYS[kind]}")
            if kind == "mediacloud" and not (since and until):
                raise ValueError(f"source {self.name!r} needs a period: pass since and until (--from and --to)")
            if collections and kind != "mediacloud":
                raise ValueError(f"source {self.name!r}: only mediacloud has collections; write {kind}:QUERY")
        elif not re.match(r"https?://", self.name, re.I):
            if re.match(r"[a-z][a-z\d+.-]+:", self.name, re.I) and not Path(self.name).exists():
                raise ValueError(
                    f"source {self.name!r} is not known; use a file, the http(s) address of a feed or sitemap, "
                    "gdelt:QUERY, guardian:QUERY or mediacloud:QUERY"
                )
            self._table = _file(Path(self.name))

    def items(self, fetcher: Fetcher) -> Iterator[Found]:
        """Everything the source names. Raises LostError when it, or a part of it, cannot be read."""
        found = self._table if self._table is not None else self._remote(fetcher)
        for n, item in enumerate(found):
            if n == _MOST:
                raise LostError(f"names more than {_MOST:,} articles; narrow it by dates or with match")
            yield item

    def _remote(self, fetcher: Fetcher) -> Iterator[Found]:
        if not self._query:
            yield from (i for i in _listed(self.name, fetcher, self._since) if self._is_wanted(i))
            return
        kind, collections, query = self._query
        if kind == "gdelt":
            yield from _gdelt(query, fetcher, self._since, self._until)
        elif kind == "guardian":
            yield from _guardian(query, fetcher, self._since, self._until)
        else:
            yield from _mediacloud(query, collections, fetcher, self._since, self._until)

    def _is_wanted(self, item: Found) -> bool:
        day = item.likely.get("date", "")
        if (self._since and day and day < self._since.isoformat()) or (
            self._until and day and day > self._until.isoformat()
        ):
            return False
        return not self._match or bool(self._match.search(item.url))


# Files


def _file(path: Path) -> list[Found]:
    if path.suffix.lower() == ".txt" and path.is_file():
        lines = decode(path.read_bytes()).splitlines()
        return [Found(line.strip()) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    table = corpus.read_articles(path)
    numbered = [str(i + 1) for i in range(len(table))] == list(table.index)  # numbers of rows, not names of articles
    known = pd.DataFrame({name: table[name] for name in _KNOWN if name in table}, index=table.index)
    if "date_precision" in table:
        length = table["date_precision"].astype(object).map({"year": 4, "month": 7}).fillna(10).astype(int)
        days = table["date"].dt.strftime("%Y-%m-%d")
        known["date"] = [d[:n] if isinstance(d, str) else None for d, n in zip(days, length, strict=True)]
    found = []
    for label, url, row in zip(table.index, table["url"], known.to_dict("records"), strict=True):
        given = {name: str(value) for name, value in row.items() if not pd.isna(value) and str(value)}
        found.append(Found("" if pd.isna(url) else str(url), given, {}, None if numbered else str(label)))
    if not any(item.url for item in found):
        raise ValueError(f"{path}: no address in the column url; give a table with one, or a .txt file of addresses")
    return found


# Feeds and sitemaps


def _patiently(ask: Callable[[], Page]) -> Page:
    for attempt in range(1, TRIES):
        try:
            return ask()
        except LostError as lost:
            if lost.wait is None:
                raise
            time.sleep(pause(attempt, lost.wait))
    return ask()


def _listed(url: str, fetcher: Fetcher, since: date | None) -> Iterator[Found]:
    """Articles of a feed or a sitemap, and of the sitemaps below it. Parts that fail are named after the rest."""
    failed: list[str] = []
    seen, waiting = {url}, [(url, 0)]
    while waiting:
        address, depth = waiting.pop(0)
        try:
            page = _patiently(lambda address=address: fetcher.listing(address))
            items, below = _parsed(page, since)
        except LostError as lost:
            if not depth:
                raise
            failed.append(f"{address[:200]}: {lost}")
            continue
        yield from items
        for further in below:
            if further not in seen and depth < _DEPTH and len(seen) < _MOST_LISTS:
                seen.add(further)
                waiting.append((further, depth + 1))
    if failed:
        raise LostError(f"{len(failed)} of {len(seen)} sitemaps could not be read; the first: {failed[0]}")


def _parsed(page: Page, since: date | None) -> tuple[list[Found], list[str]]:
    text = decode(gunzip(page.body, _LIST_BYTES), page.charset).lstrip()
    if re.match(r"https?://", text):  # a sitemap in plain text: an address a line
        return [Found(line.strip()) for line in text.splitlines() if line.strip()], []
    # no entities, no DTD, nothing fetched, no depth beyond 256; damage is skipped
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        root = None
    kind = _local(root) if root is not None else ""
    if kind in ("rss", "rdf", "feed"):
        return [item for entry in root.iter() if (item := _entry(entry, page.url))], []
    if kind not in ("urlset", "sitemapindex"):
        raise LostError("neither a feed nor a sitemap; addresses of articles go into a .txt file, one a line")
    items, below = [], []
    for element in root:
        told = {_local(child): (child.text or "").strip() for child in element.iter() if child is not element}
        address, changed = told.get("loc", ""), _day(told.get("lastmod", ""))
        if not address or (since and changed and changed < since.isoformat()):
            continue  # what was last changed before the period was not published in it
        if kind == "sitemapindex":
            below.append(urljoin(page.url, address))
        else:
            likely = {"date": _day(told.get("publication_date", "")), "title": told.get("title", "")}
            items.append(Found(urljoin(page.url, address), {}, {k: v for k, v in likely.items() if v}))
    return items, below


_SPACES = ("", "http://purl.org/rss/1.0/", "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#")


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname.lower() if isinstance(element.tag, str) else ""


def _entry(entry: etree._Element, base: str) -> Found | None:
    """The article in one entry of RSS 0.9 to 2.0 or Atom, or None for any other element."""
    if _local(entry) not in ("item", "entry"):
        return None
    told: dict[str, str] = {}
    for child in entry:
        name = _local(child)
        if name == "link" and child.get("rel", "alternate") == "alternate":
            if (etree.QName(child).namespace or "") in _SPACES:
                told.setdefault("link", (child.get("href") or child.text or "").strip())
        elif name == "guid" and child.get("ispermalink", child.get("isPermaLink", "true")).lower() == "true":
            told.setdefault("guid", (child.text or "").strip())
        elif name in ("pubdate", "published", "date", "issued", "updated", "title", "origlink"):
            told.setdefault(name, "".join(child.itertext()).strip())
    address = told.get("origlink") or told.get("link") or told.get("guid") or ""
    if not address:
        return None
    days = (_day(told.get(name, "")) for name in ("pubdate", "published", "date", "issued", "updated"))
    likely = {"date": next(filter(None, days), ""), "title": " ".join(told.get("title", "").split())}
    try:
        return Found(urljoin(base, address), {}, {k: v for k, v in likely.items() if v})
    except ValueError:
        return None


def _day(stamp: str) -> str:
    """The calendar day that a feed or an interface writes, as YYYY-MM-DD, or nothing."""
    stamp = stamp.strip()[:64]
    if found := re.match(r"(\d{4})-?(\d\d)-?(\d\d)(?!\d)", stamp):
        year, month, day = map(int, found.groups())
    else:
        try:
            then = parsedate_to_datetime(stamp)
        except (ValueError, TypeError, IndexError, OverflowError):
            return ""
        year, month, day = then.year, then.month, then.day
    try:
        return date(year, month, day).isoformat() if 1900 <= year <= 2100 else ""
    except ValueError:
        return ""


# Search interfaces


def _asked(
    kind: str, fetcher: Fetcher, parameters: dict[str, str], headers: dict[str, str] | None = None
) -> dict[str, object]:
    """One answer in JSON. No error names the address, which may hold a key."""
    url = f"{ADDRESSES[kind]}?{urlencode({k: v for k, v in parameters.items() if v}, quote_via=quote)}"
    page = _patiently(lambda: fetcher.answer(url, headers=headers, delay=_PACE[kind]))
    text = page.body.decode("utf-8", "replace")
    try:
        answer = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        said = "".join(c if c.isprintable() else " " for c in text[:120]).strip()
        said = said if said and kind not in _KEYS and "<" not in said else "no JSON"
        raise LostError(f"the interface answered: {said}") from None
    if not isinstance(answer, dict):
        raise LostError("the interface answered in a form that is not known")
    return answer


def _rows(value: object) -> list[dict]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _told(row: dict, **names: str) -> dict[str, str]:
    """Columns by their names in an answer, those that hold text."""
    return {
        ours: row[theirs].strip() for ours, theirs in names.items() if isinstance(row.get(theirs), str) and row[theirs]
    }


def _gdelt(query: str, fetcher: Fetcher, since: date | None, until: date | None) -> Iterator[Found]:
    """GDELT DOC 2.0: at most 250 articles an answer, so a period that is full is halved until it is not."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    end = min(now, datetime.combine(until, datetime.max.time()).replace(microsecond=0)) if until else now
    start = datetime.combine(since, datetime.min.time()) if since else end - timedelta(days=90)
    periods = [(start, end)]
    while periods:
        start, end = periods.pop()
        answer = _asked("gdelt", fetcher, {
            "query": query, "mode": "artlist", "format": "json", "maxrecords": "250", "sort": "dateasc",
            "startdatetime": f"{start:%Y%m%d%H%M%S}", "enddatetime": f"{end:%Y%m%d%H%M%S}",
        })  # fmt: skip
        rows = _rows(answer.get("articles"))
        if len(rows) >= 250 and end - start > timedelta(minutes=15):
            middle = start + (end - start) / 2
            middle = middle.replace(microsecond=0)
            periods += [(middle + timedelta(seconds=1), end), (start, middle)]
            continue
        for row in rows:
            told = _told(row, url="url", title="title", country="sourcecountry", outlet="domain", date="seendate")
            likely = told | {"date": _day(told.get("date", ""))}
            url = likely.pop("url", "")
            yield Found(url, {}, {k: v for k, v in likely.items() if v})


def _guardian(query: str, fetcher: Fetcher, since: date | None, until: date | None) -> Iterator[Found]:
    page, pages = 1, 1
    while page <= min(pages, 1000):
        answer = _asked("guardian", fetcher, {
            "q": query, "from-date": since.isoformat() if since else "", "to-date": until.isoformat() if until else "",
            "order-by": "oldest", "page-size": "50", "page": str(page), "show-fields": "bodyText,byline",
            "api-key": os.environ[_KEYS["guardian"]],
        }).get("response")  # fmt: skip
        if not isinstance(answer, dict) or answer.get("status") != "ok" or not isinstance(answer.get("pages"), int):
            raise LostError("the interface answered in a form that is not known")
        for row in _rows(answer.get("results")):
            told = _told(row, url="webUrl", title="webTitle", date="webPublicationDate")
            told |= _told(
                row.get("fields") if isinstance(row.get("fields"), dict) else {}, text="bodyText", author="byline"
            )
            given = told | {
                "date": _day(told.get("date", "")), "outlet": "The Guardian", "country": "UK",
                "licence": _GUARDIAN_TERMS,
            }  # fmt: skip
            yield Found(given.pop("url", ""), {k: v for k, v in given.items() if v})
        page, pages = page + 1, answer["pages"]


def _mediacloud(query: str, collections: str | None, fetcher: Fetcher, since: date, until: date) -> Iterator[Found]:
    token = ""
    for _ in range(1000):
        answer = _asked(
            "mediacloud",
            fetcher,
            {
                "q": query, "start": since.isoformat(), "end": until.isoformat(), "cs": collections or "",
                "platform": "onlinenews-mediacloud", "page_size": "500", "pagination_token": token,
            },
            {"Authorization": f"Token {os.environ[_KEYS['mediacloud']]}"},
        )  # fmt: skip
        for row in _rows(answer.get("stories")):
            likely = _told(row, url="url", title="title", outlet="media_name", date="publish_date")
            likely |= {"date": _day(likely.get("date", ""))}
            yield Found(likely.pop("url", ""), {}, {k: v for k, v in likely.items() if v})
        further = answer.get("pagination_token")
        if not isinstance(further, str) or further in ("", token):
            return
        token = further
