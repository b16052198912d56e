"""Bring coverage in: from lists of addresses, feeds, sitemaps and search interfaces to a table of articles.

Three files of the output folder hold all that is known, so that a collection can be stopped at any moment and goes on
where it was: `state.sqlite` (every item and what became of it, one transaction each), `pages.sqlite` (the pages as they
were sent, hishel's cache) and a lock. `articles.jsonl` and `log.csv` are written from them, whole, when a run ends.
"""

import csv
import hashlib
import heapq
import io
import json
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import date, datetime
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from filelock import FileLock, Timeout

from analysis import _check
from analysis._documents import inert
from analysis._extract import Extractors
from analysis._fetch import Fetcher, Limits, LostError, Page, checked, now, pause
from analysis._sources import TRIES, Found, Source, cleaned, identity
from analysis.corpus import flow

UNKNOWN_LICENCE = "unknown: all rights reserved"
_AT_ONCE = 8  # hosts asked at the same time, one request each
_EXTRACTION = 30  # seconds for the text of one page
_FILES = {"state.sqlite", "pages.sqlite", "articles.jsonl", "log.csv", "lock", ".gitignore"}
_LEAST = 80  # characters; less than a sentence is a menu, a cookie notice, an error
_NOT_YET = "not analysed yet"  # why an article went no further than its text: that is the collection's end
_LOG = ["item", "stage", "reason", "url", "source"]


class CollectError(Exception):
    """Sources that could not be read, or not to their end. What could be is collected, and in `log`, all the same."""

    def __init__(self, reason: str, log: pd.DataFrame) -> None:
        super().__init__(reason)
        self.log = log


def collect(
    sources: str | Path | list[str | Path],
    out: str | Path,
    *,
    contact: str | None = None,
    since: str | date | None = None,
    until: str | date | None = None,
    match: str | None = None,
    delay: float = 1.0,
    workers: int = 2,
    limits: Limits | None = None,
    allow_private: bool = False,
    report: Callable[[int, int], object] | None = None,
) -> pd.DataFrame:
    """Fetch the articles that `sources` name, and write their text into the private folder `out`.

    `sources`, one or a list of: a table of articles with a column url, in any format that `read_articles` reads (this
    study's `data/coverage/articles.csv` among them; `article_id` is kept, so that codes join); a `.txt` file with an
    address on each line; the http(s) address of an RSS or Atom feed or of a sitemap; `gdelt:QUERY`, `guardian:QUERY`
    (key in the environment variable GUARDIAN_API_KEY) or `mediacloud:QUERY`, `mediacloud@COLLECTION,...:QUERY` (key in
    MEDIACLOUD_API_KEY). `since` and `until` (days, "2026-03-01") bound what is searched for and what feeds and sitemaps
    list; `match` is a regular expression that addresses from feeds and sitemaps must contain.

    Every request names `contact`, an e-mail or web address (or the environment variable ANALYSIS_CONTACT), obeys
    robots.txt, and leaves `delay` seconds between two requests to one host. `limits` bounds each page; nothing but
    public addresses is connected to unless `allow_private`. `workers` processes extract the text (30 s a page at most);
    with 0, this process does, without that limit. `report` is called with the items done and known. A proxy of the
    environment is not used: it would look names up itself, and no address could be checked.

    `out` is made, or must be empty or an earlier collection, which then goes on: what is done is not done again, and
    only losses that may pass (a time-out, a server's error) are tried once more. It holds a `.gitignore` of `*`, since
    text of others must not be published. Written at the end: `articles.jsonl`, which `read_articles` reads (a line per
    article: article_id, outlet, date, country, type, url, title, text, author, language, licence as the source or page
    states it, canonical_url, final_url, retrieved in UTC, sha256 of the page as sent, found_in), and `log.csv`.

    Returns the log. Grain: one item, an address found. Columns: `item` (the article_id), `stage` (the furthest of
    found, fetched, extracted), `reason` for its loss ("not analysed yet" where it was not lost), `url`, `source`; as
    `flow` and `item_log` take it.

    Raises ValueError or FileNotFoundError for wrong use, before anything is fetched; CollectError, after all else is
    done and written, when a source could not be read; OSError when `out` cannot be written.

    >>> log = collect("data/coverage/articles.csv", "private/study", contact="you@example.org")  # doctest: +SKIP
    >>> read_articles("private/study/articles.jsonl")                                            # doctest: +SKIP
    """
    since, until = _day(since, "since"), _day(until, "until")
    _check.whole(workers, "workers")
    if not isinstance(delay, Real) or not 0 <= delay < float("inf"):
        raise ValueError(f"delay={delay!r} must be a number of seconds, 0 or more")
    listed = [sources] if isinstance(sources, (str, Path)) else list(sources)
    if not listed:
        raise ValueError("sources is empty; name a file, a feed or a search")
    read = [Source(name, since=since, until=until, match=match) for name in listed]
    out = _folder(Path(out))
    lock = FileLock(out / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"out={str(out)!r} is in use by another collection; wait for it, or name another folder"
        ) from None
    try:
        fetcher = Fetcher(
            contact or os.environ.get("ANALYSIS_CONTACT", ""), out / "pages.sqlite", delay=delay, limits=limits,
            allow_private=allow_private,
        )  # fmt: skip
        extractors = Extractors(workers, _EXTRACTION)
        state = _State(out / "state.sqlite")
        try:
            failed = [reason for source in read if (reason := _take_in(source, fetcher, state))]
            try:
                _work_off(state, fetcher, extractors, report)
            finally:
                _export(state, out)
        finally:
            state.close()
            extractors.close()
            fetcher.close()
    finally:
        lock.release()
    log = pd.read_csv(out / "log.csv", dtype="str", keep_default_na=False)
    if failed:
        raise CollectError("; ".join(failed), log)
    return log


def summary(log: pd.DataFrame) -> str:
    """How many items of a log reached which stage, and why the others were lost, in lines to print.

    >>> log = pd.DataFrame({"item": ["a", "b"], "stage": ["extracted", "found"],
    ...                     "reason": ["not analysed yet", "answered 404: no such page"]})
    >>> print(summary(log))
    found 2, fetched 1, extracted 1
        1  answered 404: no such page
    """
    reached = flow(log).head(3)
    lines = [", ".join(f"{stage} {n:,}" for stage, n in zip(reached["stage"], reached["n"], strict=True))]
    lost = log.loc[log["reason"] != _NOT_YET, "reason"].value_counts()
    lines += [f"{n:5,}  {reason}" for reason, n in lost.items()]
    return "\n".join(lines)


def _day(value: str | date | None, name: str) -> date | None:
    if value is None or isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{name}={value!r} is no day; write YYYY-MM-DD") from None


def _folder(out: Path) -> Path:
    """Make the folder, private and ignored by git, or make sure that it is one of ours."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"out={str(out)!r} is a file; name a folder")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    others = sorted(p.name for p in out.iterdir() if p.name.split(".tmp")[0].split("-")[0] not in _FILES)
    ignored = out / ".gitignore"
    if ignored.exists() and ignored.read_text(encoding="utf-8", errors="replace").strip() not in ("*", ""):
        others.append(".gitignore")
    if others:
        raise ValueError(
            f"out={str(out)!r} holds other files ({others[0]!r}); name a new folder, or an earlier collection"
        )
    _write(ignored, ["*\n"])
    return out


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".tmp")
    with part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


# What is known


class _Item(NamedTuple):
    n: int
    article_id: str
    url: str  # as the source wrote it
    source: str
    known: dict[str, dict[str, str]]
    attempts: int


class _Outcome(NamedTuple):
    stage: str
    reason: str | None = None
    wait: float | None = None  # seconds until another try may help
    record: dict | None = None


class _State:
    """Every item and what became of it. One thread uses it; each change is on the disk before the next begins."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        with self:
            self._db.execute("""
                CREATE TABLE IF NOT EXISTS items (
                    n INTEGER PRIMARY KEY,
                    article_id TEXT NOT NULL UNIQUE,
                    address TEXT UNIQUE,  -- what spellings of the url share; none where another item has it
                    url TEXT NOT NULL, host TEXT NOT NULL, source TEXT NOT NULL,
                    known TEXT NOT NULL,  -- JSON: what the source told
                    attempts INT NOT NULL DEFAULT 0,
                    stage TEXT, reason TEXT,  -- no stage: it waits
                    may_pass INT NOT NULL DEFAULT 0,  -- the reason may be gone at the next run
                    final TEXT, record TEXT  -- where the page was found; JSON: the line of articles.jsonl
                )
            """)
            self._db.execute("CREATE INDEX IF NOT EXISTS written ON items (url)")
            self._db.execute("CREATE INDEX IF NOT EXISTS waiting ON items (host, n) WHERE stage IS NULL")
            self._db.execute("CREATE INDEX IF NOT EXISTS ends ON items (final, n) WHERE record IS NOT NULL")
            self._db.execute("UPDATE items SET stage = NULL, reason = NULL, may_pass = 0, attempts = 0 WHERE may_pass")

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type | None, *_: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")

    def close(self) -> None:
        self._db.close()

    def add(self, found: Found, source: str) -> None:
        """Take in one item, unless its address is known. An article_id that the source gave is never dropped."""
        told = [name for (name,) in self._db.execute("SELECT article_id FROM items WHERE url = ?", (found.url[:4000],))]
        if told and (not found.article_id or found.article_id in told):
            return
        reason, host = None, ""
        try:
            address, host = identity(found.url), checked(found.url).netloc.decode("ascii", "replace")
        except LostError as lost:
            address, reason = found.url[:4000], str(lost) if found.url else "the source gives no address"
        name = found.article_id or "u" + hashlib.sha256(address.encode()).hexdigest()[:12]
        known = self._db.execute("SELECT article_id, address FROM items WHERE address = ?", (address,)).fetchone()
        same = self._db.execute("SELECT url FROM items WHERE article_id = ?", (name,)).fetchone()
        if same and (not known or known[0] != name):
            raise ValueError(
                f"source {source!r}: article_id {name!r} stands for two addresses, {same[0][:200]!r} and "
                f"{found.url[:200]!r}; give each article its own"
            )
        if known and (not found.article_id or known[0] == name):
            return
        if known:
            address, reason = None, f"the same address as {known[0]}"
        elif not found.url:
            address = None
        outcome = _Outcome("found", reason) if reason else None
        given = json.dumps({"given": found.given, "likely": found.likely})
        row = (name, address, found.url[:4000], host, source, given)
        n = self._db.execute(
            "INSERT INTO items (article_id, address, url, host, source, known) VALUES (?, ?, ?, ?, ?, ?)", row
        ).lastrowid
        if outcome is None and found.given.get("text"):
            item = _Item(n, name, found.url, source, {"given": found.given, "likely": {}}, 0)
            text = found.given["text"]
            outcome = _extracted(item, Page(cleaned(found.url), text.encode(), None, now()), {})
        if outcome:
            self.settle(n, outcome)

    def settle(self, n: int, outcome: _Outcome) -> None:
        """Write down what became of item `n`."""
        record = outcome.record
        self._db.execute(
            "UPDATE items SET stage = ?, reason = ?, may_pass = ?, record = ?, final = ? WHERE n = ?",
            (
                outcome.stage,
                outcome.reason,
                outcome.wait is not None,
                json.dumps(record, ensure_ascii=False) if record else None,
                identity(record["final_url"]) if record else None,
                n,
            ),
        )

    def postpone(self, n: int) -> None:
        """Write down that item `n` was tried in vain and is to be tried again."""
        self._db.execute("UPDATE items SET attempts = attempts + 1 WHERE n = ?", (n,))

    def hosts(self) -> list[str]:
        """Hosts with items that wait."""
        return [host for (host,) in self._db.execute("SELECT DISTINCT host FROM items WHERE stage IS NULL")]

    def next(self, host: str) -> _Item | None:
        """The first item of `host` that waits."""
        row = self._db.execute(
            "SELECT n, article_id, url, source, known, attempts FROM items WHERE stage IS NULL AND host = ? "
            "ORDER BY n LIMIT 1",
            (host,),
        ).fetchone()
        return _Item(*row[:4], json.loads(row[4]), row[5]) if row else None

    def counts(self) -> tuple[int, int]:
        """Items done, and items known."""
        return self._db.execute("SELECT COUNT(stage), COUNT(*) FROM items").fetchone()

    def rows(self) -> Iterator[tuple]:
        """article_id, stage, reason, url, source, record and the item that ended on the same page before, in order."""
        return self._db.execute(
            "SELECT article_id, stage, reason, url, source, record, (SELECT article_id FROM items AS first WHERE "
            "first.final = items.final AND first.record IS NOT NULL AND first.n < items.n ORDER BY first.n LIMIT 1) "
            "FROM items ORDER BY n"
        )


# What is done


def _take_in(source: Source, fetcher: Fetcher, state: _State) -> str | None:
    """Put every item of `source` into the state; the reason where the source cannot be read, or not to its end."""
    with state:
        try:
            for found in source.items(fetcher):
                state.add(found, source.name)
        except LostError as lost:
            return f"{source.name}: {lost}"
    return None


def _work_off(
    state: _State, fetcher: Fetcher, extractors: Extractors, report: Callable[[int, int], object] | None
) -> None:
    """Fetch and extract what waits: one item of a host at a time, several hosts at once."""
    ready = deque(state.hosts())
    later: list[tuple[float, str]] = []  # hosts that asked for patience, by when
    failing: set[str] = set()  # hosts whose last item was lost after every try: the next gets one
    busy: dict[Future, tuple[_Item, str]] = {}
    done, known = state.counts()
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        while ready or later or busy:
            while later and later[0][0] <= time.monotonic():
                ready.append(heapq.heappop(later)[1])
            while ready and len(busy) < _AT_ONCE:
                host = ready.popleft()
                if item := state.next(host):
                    busy[pool.submit(_outcome, item, fetcher, extractors)] = (item, host)
            patience = max(0, later[0][0] - time.monotonic()) if later else None
            if not busy:
                time.sleep(patience or 0)
                continue
            finished, _ = wait(busy, timeout=patience, return_when=FIRST_COMPLETED)
            with state:
                for future in finished:
                    item, host = busy.pop(future)
                    outcome = future.result()
                    tries = 1 if host in failing else TRIES
                    if outcome.wait is not None and item.attempts + 1 < tries:
                        state.postpone(item.n)
                        when = time.monotonic() + pause(item.attempts + 1, outcome.wait)
                        heapq.heappush(later, (when, host))
                        continue
                    (failing.discard if outcome.wait is None else failing.add)(host)
                    state.settle(item.n, outcome)
                    ready.append(host)
                    done += 1
            if report and finished:
                report(done, known)
    finally:
        pool.shutdown(wait=not busy, cancel_futures=True)  # what is still busy was interrupted: nobody waits for it


def _outcome(item: _Item, fetcher: Fetcher, extractors: Extractors) -> _Outcome:
    """What becomes of one item. Runs beside others, and turns whatever a page can do into a reason."""
    stage = "found"
    try:
        page = fetcher.page(cleaned(item.url))
        stage = "fetched"
        if _is_front(page.url) and not _is_front(item.url):
            return _Outcome(stage, "redirected to the site's front page: the article is probably gone")
        found = extractors.extract(page.body, url=page.url, charset=page.charset)
        if found["reason"]:
            return _Outcome(stage, found["reason"])
        if len(found["text"]) < _LEAST:
            return _Outcome(stage, f"no article text found on the page but {len(found['text'])} characters")
        return _extracted(item, page, found)
    except LostError as lost:
        return _Outcome(stage, str(lost), lost.wait)
    except Exception as error:  # hostile input found a hole: one page is lost, and the log tells of it
        return _Outcome(stage, f"unforeseen failure of the program ({type(error).__name__})")


def _is_front(url: str) -> bool:
    address = checked(url)
    return address.path in ("", "/") and not address.query


def _extracted(item: _Item, page: Page, found: dict[str, str | None]) -> _Outcome:
    given, likely = item.known["given"], item.known["likely"]

    def told(name: str) -> str | None:
        return given.get(name) or found.get(name) or likely.get(name)

    host = checked(page.url).host.removeprefix("www.")
    record = {
        "article_id": item.article_id,
        "outlet": told("outlet") or host,
        "date": told("date"),
        "country": told("country"),
        "type": given.get("type"),
        "url": item.url,
        "title": told("title"),
        "text": told("text"),
        "author": told("author"),
        "language": told("language"),
        "licence": told("licence") or UNKNOWN_LICENCE,
        "canonical_url": found.get("url"),
        "final_url": page.url,
        "retrieved": page.retrieved,
        "sha256": hashlib.sha256(page.body).hexdigest(),
        "found_in": item.source,
    }
    if "copy_group" in given:
        record["copy_group"] = given["copy_group"]
    return _Outcome("extracted", record=record)


# What is written


def _export(state: _State, out: Path) -> None:
    """Write the table and the log, a page once: the first item that ended on it keeps it."""
    _write(out / "articles.jsonl", (f"{row[5]}\n" for row in state.rows() if row[5] and not row[6]))
    _write(out / "log.csv", _log_lines(state.rows()))


def _log_lines(rows: Iterable[tuple]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(_LOG)
    for article_id, stage, reason, url, source, _, first in rows:
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        reason = f"the same page as {first}" if first else reason or (_NOT_YET if stage else "not tried yet")
        writer.writerow([inert(v) for v in (article_id, stage or "found", reason, url, source)])
    yield line.getvalue()
