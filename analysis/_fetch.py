"""Pages over HTTP from sites that may be hostile: checked addresses, hard limits, good manners, a cache on disk.

The client is httpx2 with hishel's cache. What they leave open is settled here: which addresses may be connected to (the
check is made on the address that the connection then uses, so that a name cannot change its mind between the two), how
much and how long a site may send, robots.txt, and a rate for every host. Proxies of the environment are not used: a
proxy looks names up itself, and the check would be worth nothing.
"""

import contextlib
import email.utils
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import NamedTuple

import httpcore2
import httpx2
from hishel import CacheOptions, SqliteStorage
from hishel.httpx2 import CacheTransport
from protego import Protego

from analysis import __version__

AGENT = "encryption-framing"  # the name that robots.txt is asked about
MAX_URL = 4000
_ROBOTS_BYTES = 512_000  # RFC 9309 asks for 500 KiB at least
_ROBOTS_SECONDS = 20
_ROBOTS_KEPT = 500  # hosts whose rules are held in memory
_CRAWL_DELAY = 60  # seconds; a site that asks for more gets this
_WAITS = (1, 2, 4, 8)  # seconds before another try, when the site names no time
_RETRIEVED = "x-retrieved"  # our own header: when the page came over the wire
_REDIRECTS = (301, 302, 303, 307, 308)
_RETRIED = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
_MEANING = {
    401: "a log-in is needed", 402: "payment is needed", 403: "the site refuses", 404: "no such page",
    410: "the page is gone", 429: "too many requests", 451: "blocked for legal reasons",
}  # fmt: skip


class Limits(NamedTuple):
    """How much of one page, and how long, is waited for. Sizes hold on the wire and again after decompression."""

    size: int = 10_000_000  # bytes
    seconds: float = 60  # all redirects together, without the waits that politeness asks for
    redirects: int = 10
    retry_after: float = 300  # seconds; a site that asks for more is given up


class LostError(Exception):
    """A page that could not be had. The message is the reason, in words; `wait` is set where another try may help."""

    def __init__(self, reason: str, *, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait  # seconds, 0 for the usual


class Page(NamedTuple):
    """One fetched page: its last address, its body without compression, and what the site said about it."""

    url: str
    body: bytes
    charset: str | None
    retrieved: str  # UTC, ISO 8601


def pause(attempt: int, asked: float) -> float:
    """Seconds before try number `attempt` + 1: what the site asked for, or twice as long each time.

    >>> [pause(n, 0) for n in (1, 2, 3)], pause(1, 30)
    ([1, 2, 4], 30)
    """
    return max(asked, _WAITS[min(attempt, len(_WAITS)) - 1])


def checked(url: str) -> httpx2.URL:
    """`url` as an address that may be asked for, or LostError: a web scheme, a host, no user name, of sane length."""
    if len(url) > MAX_URL:
        raise LostError(f"the address is longer than {MAX_URL:,} characters")
    try:
        address = httpx2.URL(url.strip())
    except (httpx2.InvalidURL, UnicodeError, ValueError, TypeError):
        raise LostError("not an address of the web") from None
    if address.scheme not in ("http", "https"):
        raise LostError(f"the scheme {address.scheme[:20]!r} is not http or https")
    if not re.fullmatch(rb"[\w.-]+|\[?[\da-fA-F:.]+\]?", address.raw_host):
        raise LostError("the address names no host")
    if address.userinfo:
        raise LostError("the address holds a user name or password")
    return address.copy_with(fragment=None) if address.fragment or "#" in url else address


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also when it hides an IPv4 address within IPv6.

    >>> is_public("1.1.1.1"), is_public("10.0.0.1"), is_public("::ffff:127.0.0.1"), is_public("64:ff9b::a00:1")
    (True, False, False, False)
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a scoped address, fe80::1%eth0, among them
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        hidden = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64 or int(ip) < 2**32:
            hidden.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if not all(_is_open(v4) for v4 in hidden if v4):
            return False
        if ip.ipv4_mapped or ip in _NAT64:
            return True
    return _is_open(ip)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL = (ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("fec0::/10"))  # Python 3.11 calls them global


def _is_open(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback:
        return False
    return ip.version == 4 or not any(ip in network for network in _LOCAL)


class _Budget(threading.local):
    """What the fetch of this thread may still use: the clock and the bytes on the wire."""

    deadline = float("inf")
    left = 0

    def seconds(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise LostError("took longer than the limit", wait=0)
        return left


class _Stream(httpcore2.NetworkStream):
    """A connection that counts what arrives and looks at the clock before every wait."""

    def __init__(self, inner: httpcore2.NetworkStream, budget: _Budget) -> None:
        self._inner, self._budget = inner, budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, self._budget.seconds())
        self._budget.left -= len(data)
        if self._budget.left < 0:
            raise LostError("larger than the limit")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._budget.seconds())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._budget.seconds()), self._budget)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class _Network(httpcore2.NetworkBackend):
    """Looks a name up once and connects to an address that passed the check."""

    def __init__(self, budget: _Budget, allow_private: bool) -> None:
        self._budget, self._allow_private, self._sockets = budget, allow_private, httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        found = _resolve(host.strip("[]"), port, self._budget.seconds())
        allowed = [address for address in found if self._allow_private or is_public(address)][:3]
        if not allowed:
            raise LostError("the site is not on the public internet")
        for i, address in enumerate(allowed):
            try:
                patience = min(timeout or 15, self._budget.seconds())
                stream = self._sockets.connect_tcp(address, port, patience, local_address, socket_options)
                return _Stream(stream, self._budget)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if i + 1 == len(allowed):
                    raise
        raise AssertionError("unreachable")


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """Addresses of `host`. The system's look-up has no time limit, so it runs beside and is left behind if late."""
    answer: list = []

    def look_up() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answer:
        raise LostError("looking up the site took longer than the limit", wait=0)
    if isinstance(answer[0], Exception):
        is_passing = getattr(answer[0], "errno", None) == socket.EAI_AGAIN
        raise LostError("the site has no address", wait=0 if is_passing else None)
    return list(dict.fromkeys(str(entry[4][0]) for entry in answer[0]))


class _Answer(httpx2.SyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _Transport(httpx2.BaseTransport):
    """The wire, below the cache: waits for the host's turn, then asks."""

    def __init__(self, budget: _Budget, allow_private: bool) -> None:
        self._budget, self._network = budget, _Network(budget, allow_private)
        self._pools: dict[str, httpcore2.ConnectionPool] = {}
        self._lock = threading.Lock()
        self._next: OrderedDict[str, float] = OrderedDict()  # when each host may be asked again

    def _pool(self, scheme: str) -> httpcore2.ConnectionPool:
        with self._lock:
            if scheme not in self._pools:
                context = httpx2.create_ssl_context() if scheme == "https" else None
                self._pools[scheme] = httpcore2.ConnectionPool(
                    context, max_connections=100, max_keepalive_connections=20, keepalive_expiry=5,
                    network_backend=self._network,
                )  # fmt: skip
            return self._pools[scheme]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        waited = self._turn(request.url.netloc.decode("ascii"), request.extensions["delay"])
        self._budget.deadline += waited
        response = self._pool(request.url.scheme).handle_request(
            httpcore2.Request(
                request.method,
                httpcore2.URL(
                    scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                extensions={"timeout": {"connect": 15, "pool": 30}},
            )
        )  # fmt: skip
        headers = [(name, value) for name, value in response.headers if name.lower() != _RETRIEVED.encode()]
        headers.append((_RETRIEVED.encode(), now().encode()))  # the cache keeps it, as it keeps what the site sent
        return httpx2.Response(
            response.status, headers=headers, stream=_Answer(response), extensions=response.extensions
        )

    def _turn(self, host: str, delay: float) -> float:
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next.pop(host, 0))
            self._next[host] = start + delay
            while len(self._next) > _ROBOTS_KEPT and next(iter(self._next.values())) < now:
                self._next.popitem(last=False)
        time.sleep(start - now)
        return start - now

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


class Fetcher:
    """Fetches pages for `contact` (an e-mail or web address, told to every site), keeping them in `cache`.

    `delay` is the least time between two requests to a host, in seconds. May be used from several threads.
    """

    def __init__(
        self, contact: str, cache: Path, *, delay: float = 1, limits: Limits | None = None, allow_private: bool = False
    ) -> None:
        if not re.fullmatch(r"[^@\s<>()]+@[^@\s<>()]+\.[^@\s<>()]+|https?://[^\s<>()]+", contact or ""):
            raise ValueError(
                f"contact={contact!r} must be an e-mail or web address at which a site can reach you, such as "
                "'you@example.org'"
            )
        self.limits, self._delay = limits or Limits(), delay
        self._agent = f"{AGENT}/{__version__} (research; contact: {contact})"
        self._budget = _Budget()
        self._wire = _Transport(self._budget, allow_private)
        self._storage = SqliteStorage(database_path=cache, max_size=None)
        self._cached = CacheTransport(self._wire, self._storage)
        self._robots: OrderedDict[str, Protego | LostError] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close every connection and the cache."""
        self._cached.close()

    def page(self, url: str) -> Page:
        """The page at `url`: from the cache once it is there, for good. Raises LostError with the reason."""
        return self._follow(checked(url), {"rfc": False})

    def listing(self, url: str) -> Page:
        """A page that changes, such as a feed: from the cache while it is fresh, else asked for on condition."""
        return self._follow(checked(url), {"rfc": _PRIVATE})

    def answer(self, url: str, *, headers: dict[str, str] | None = None, delay: float | None = None) -> Page:
        """The answer of an interface that may need a key: never cached, never redirected, robots.txt not asked."""
        self._start(self.limits.seconds, self.limits.size)
        address = checked(url)
        with self._ask(address, None, headers or {}, delay or self._delay) as response:
            if response.status_code in _REDIRECTS:
                raise LostError("the interface redirects, which a key must not follow")
            return self._read(address, response, self.limits.size)

    def _start(self, seconds: float, size: int) -> None:
        self._budget.deadline = time.monotonic() + seconds
        self._budget.left = size + 300_000  # headers, and the framing of chunks

    def _follow(self, address: httpx2.URL, caching: dict) -> Page:
        """Follow redirects: each step is checked and has rules of its own; cookies go back to their origin."""
        cookies: dict[tuple, dict[str, str]] = {}
        used = 0.0
        for step in range(self.limits.redirects + 1):
            origin = (address.scheme, address.netloc)
            try:
                rules = self._rules(address)
                if not rules.can_fetch(str(address), AGENT):
                    raise LostError("robots.txt does not allow it")
                delay = max(self._delay, min(rules.crawl_delay(AGENT) or 0, _CRAWL_DELAY))
                sent = "; ".join(f"{name}={value}" for name, value in cookies.get(origin, {}).items())
                self._start(self.limits.seconds - used, self.limits.size)
                begun, deadline = time.monotonic(), self._budget.deadline
                with self._ask(address, caching, {"Cookie": sent} if sent else {}, delay) as response:
                    if response.status_code not in _REDIRECTS:
                        return self._read(address, response, self.limits.size)
                    cookies.setdefault(origin, {}).update(_cookies(response.headers))
                    target = response.headers.get("location", "")
            except LostError as lost:
                if step:
                    raise LostError(f"after a redirect: {lost}", wait=lost.wait) from None
                raise
            used += time.monotonic() - begun - (self._budget.deadline - deadline)  # waiting for a turn is free
            if not target:
                raise LostError(f"answered {response.status_code} without saying where the page went")
            try:
                address = checked(str(address.join(target[:MAX_URL])))
            except (httpx2.InvalidURL, UnicodeError, ValueError, TypeError):
                raise LostError("redirected to something that is no address") from None
            except LostError as lost:
                raise LostError(f"redirected to an address that is refused: {lost}") from None
        raise LostError(f"redirected more than {self.limits.redirects} times")

    def _rules(self, address: httpx2.URL) -> Protego:
        origin = str(address.copy_with(raw_path=b"/robots.txt"))
        with self._lock:
            rules = self._robots.get(origin)
        if rules is None:
            rules = self._read_rules(origin)
            with self._lock:
                self._robots[origin] = rules
                while len(self._robots) > _ROBOTS_KEPT:
                    self._robots.popitem(last=False)
        return rules

    def _read_rules(self, url: str) -> Protego:
        """Rules of a site (RFC 9309): none where there is no such file, all closed while the site cannot tell."""
        address = httpx2.URL(url)
        for _ in range(6):
            self._start(min(_ROBOTS_SECONDS, self.limits.seconds), _ROBOTS_BYTES)
            try:
                with self._ask(address, {"rfc": _PRIVATE}, {}, 0) as response:
                    status = response.status_code
                    if status in _REDIRECTS:
                        address = checked(str(address.join(response.headers.get("location", "")[:MAX_URL])))
                        continue
                    if status == 429 or status >= 500:
                        raise LostError(f"robots.txt answered {status}: the site is left alone", wait=0)
                    if status >= 400:
                        return _OPEN
                    body = self._read(address, response, _ROBOTS_BYTES, is_cut=True).body
                    return Protego.parse(body.decode("utf-8", "replace"))
            except (httpx2.InvalidURL, UnicodeError, ValueError, TypeError):
                return _OPEN
        return _OPEN

    @contextlib.contextmanager
    def _ask(
        self, address: httpx2.URL, caching: dict | None, headers: dict[str, str], delay: float
    ) -> Iterator[httpx2.Response]:
        """One request, and every way it can fail turned into a reason."""
        request = httpx2.Request(
            "GET",
            address,
            headers={
                "User-Agent": self._agent,
                "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5",
                "Accept-Language": "en,*;q=0.5",
                "Accept-Encoding": "gzip, deflate",
            }
            | headers,
            extensions={"caching": caching or {}, "delay": delay},
        )
        response = None
        try:
            response = (self._cached if caching else self._wire).handle_request(request)
            yield response
        except httpcore2.TimeoutException:
            raise LostError("took longer than the limit", wait=0) from None
        except httpcore2.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
                raise LostError("the site's certificate is not valid") from None
            raise LostError("no connection to the site", wait=0) from None
        except httpcore2.RemoteProtocolError as error:
            kind = "sent headers larger than the limit" if "too long" in str(error) else "broke the rules of HTTP"
            raise LostError(f"the site {kind} or closed the connection early", wait=0) from None
        except (httpcore2.NetworkError, ssl.SSLError, OSError):
            raise LostError("the connection broke", wait=0) from None
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, httpx2.InvalidURL, UnicodeError):
            raise LostError("the site or its address breaks the rules of HTTP") from None
        finally:
            if response is not None:
                with contextlib.suppress(httpcore2.NetworkError, OSError):
                    response.close()

    def _read(self, address: httpx2.URL, response: httpx2.Response, limit: int, *, is_cut: bool = False) -> Page:
        status = response.status_code
        if status in _RETRIED:
            asked = _retry_after(response.headers.get("retry-after"))
            reason = f"answered {status}" + (f": {_MEANING[status]}" if status in _MEANING else "")
            if asked > self.limits.retry_after:
                raise LostError(f"{reason}, and asks to come back after {asked:.0f} s")
            raise LostError(reason, wait=asked)
        if status not in (200, 203):
            raise LostError(f"answered {status}: {_MEANING.get(status, 'no page')}")
        body = _body(response, limit, is_cut)
        charset = re.search(r"charset\s*=\s*\"?([\w.:-]{1,40})", response.headers.get("content-type", ""), re.I)
        return Page(str(address), body, charset[1] if charset else None, response.headers[_RETRIEVED])


_PRIVATE = CacheOptions(shared=False)  # hishel's name for the cache of one reader
_OPEN = Protego.parse("")


def _body(response: httpx2.Response, limit: int, is_cut: bool) -> bytes:
    """The body, decompressed no further than `limit` bytes; more is an error, or cut off with `is_cut`."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise LostError(f"compressed as {coding[:30]!r}, which was not asked for")
    opened = _Inflated(coding) if coding not in ("", "identity") else None
    body = bytearray()
    for chunk in response.iter_raw():
        body += opened.feed(chunk, limit + 1 - len(body)) if opened else chunk
        if len(body) > limit:
            if is_cut:
                return bytes(body[:limit])
            raise LostError(f"larger than {limit / 1e6:g} MB")
    if opened and body and not opened.is_whole:
        raise LostError("the compressed page is cut short", wait=0)
    return bytes(body)


class _Inflated:
    """A gzip or deflate stream that is opened no further than it must be."""

    def __init__(self, coding: str) -> None:
        self._bits = 47 if coding != "deflate" else 15  # 47: gzip or zlib, by its header
        self._coding = coding
        self._inflate = zlib.decompressobj(self._bits)
        self._is_first = True

    @property
    def is_whole(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes, limit: int) -> bytes:
        out = bytearray()
        while data and len(out) < limit:
            try:
                out += self._inflate.decompress(data, limit - len(out))
            except zlib.error:
                if not (self._is_first and self._coding == "deflate"):
                    raise LostError("the compressed page is damaged", wait=0) from None
                self._inflate = zlib.decompressobj(-15)  # some servers leave the zlib header out
                self._is_first = False
                continue
            self._is_first = False
            if self._inflate.eof and self._inflate.unused_data[:1] == b"\x1f":
                data = self._inflate.unused_data  # another gzip member
                self._inflate = zlib.decompressobj(self._bits)
            else:
                data = self._inflate.unconsumed_tail
        return bytes(out)


def gunzip(data: bytes, limit: int) -> bytes:
    """`data` without its gzip layer, if it has one, up to `limit` bytes. Raises LostError beyond it."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    out = _Inflated("gzip").feed(data, limit + 1)
    if len(out) > limit:
        raise LostError(f"larger than {limit / 1e6:g} MB")
    return out


def _retry_after(value: str | None) -> float:
    """Seconds that a Retry-After header asks for: a number, or a date; 0 where it says neither."""
    if not value:
        return 0
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return 0
    return max(0, (then - datetime.now(then.tzinfo)).total_seconds())


def now() -> str:
    """The time in UTC, to the second, as ISO 8601 writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _cookies(headers: httpx2.Headers) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    for line in headers.get_list("set-cookie")[:20]:
        with contextlib.suppress(CookieError):
            jar.load(line[:4096])
    return {name: morsel.coded_value for name, morsel in jar.items() if len(name) + len(morsel.coded_value) < 4096}
