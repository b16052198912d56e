"""Collecting from a server on the loopback that misbehaves, stops at any moment, and must never be left waiting for."""

import contextlib
import gzip
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import psutil
import pytest

from analysis import _fetch, _sources, flow, item_log, read_articles
from analysis.__main__ import main
from analysis._fetch import Fetcher, Limits, LostError, is_public
from analysis._sources import cleaned, identity
from analysis.collect import CollectError, collect, summary

collect_module = sys.modules["analysis.collect"]  # `analysis.collect` is the function

CONTACT = "tests@example.org"
KEPT = "not analysed yet"
SMALL = Limits(size=200_000, seconds=1, redirects=5, retry_after=3)


def article(name="one", *, head="", extra=""):
    """An invented page with an invented article."""
    lines = "".join(
        f"<p>Invented sentence {i} of page {name}: the ministry said the keys stay with the naïve user.</p>"
        for i in range(9)
    )
    head = f"<head><title>Page {name}</title>{head}</head>"
    return f"<html lang=en>{head}<body><article>{lines}</article>{extra}</body></html>"


def reply(body, status="200 OK", **headers):
    body = body.encode() if isinstance(body, str) else body
    lines = {"Content-Type": "text/html; charset=utf-8", "Content-Length": len(body), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


class Server:
    """A server on a port of its own. `behave(path, headers, connection, visit)` answers, or returns what to send."""

    def __init__(self, behave, robots=None, tls=None):
        self.behave, self.robots, self.visits, self.seen = behave, robots, Counter(), []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            request = b""
            while b"\r\n\r\n" not in request:
                if not (more := connection.recv(65536)):
                    return
                request += more
            first, *lines = request.decode("latin-1").split("\r\n")
            path = first.split(" ")[1]
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}
            self.visits[path] += 1
            self.seen.append((path, headers, time.monotonic()))
            if path == "/robots.txt" and self.robots is None:
                answer = reply("none", "404 Not Found")
            elif path == "/robots.txt":
                answer = self.robots(path, headers, connection, self.visits[path])
            else:
                answer = self.behave(path, headers, connection, self.visits[path])
            if answer:
                connection.sendall(answer)

    def close(self):
        self.socket.close()


@pytest.fixture
def serve():
    running = []

    def start(*args, **kwargs):
        running.append(Server(*args, **kwargs))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture(autouse=True)
def _quick_and_local(monkeypatch):
    """No test waits long, and none looks up a name outside this machine."""
    look_up = socket.getaddrinfo

    def local(host, *args, **kwargs):
        if isinstance(host, str) and host.endswith((".invalid", ".example")):
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        found = look_up(host, *args, **kwargs)
        assert all(str(entry[4][0]).startswith(("127.", "10.", "169.254.", "::", "0.")) for entry in found), host
        return found

    monkeypatch.setattr(socket, "getaddrinfo", local)
    monkeypatch.setattr(_fetch, "_WAITS", (0.02, 0.05, 0.1))
    monkeypatch.setattr(_sources, "_PACE", dict.fromkeys(_sources._PACE, 0))


def gather(sources, out, **options):
    return collect(sources, out, **{"contact": CONTACT, "delay": 0, "limits": SMALL, "allow_private": True} | options)


def listed(path, urls):
    path.write_text("\n".join(urls), encoding="utf-8")
    return path


# Ways to misbehave: what the server does, and what must come of it: "text", or the reason


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def reset_at_once(path, headers, connection, visit):
    reset(connection)


def reset_in_the_body(path, headers, connection, visit):
    connection.sendall(reply(article())[:400])
    time.sleep(0.05)
    reset(connection)


def drip(data, connection):
    for i in range(len(data)):
        connection.sendall(data[i : i + 1])
        time.sleep(0.15)


def slow_body(path, headers, connection, visit):
    page = reply(article())
    start = page.index(b"\r\n\r\n") + 4
    connection.sendall(page[:start])
    drip(page[start:], connection)


def slow_headers(path, headers, connection, visit):
    drip(reply(article()), connection)


def silence(path, headers, connection, visit):
    time.sleep(3)


def endless_body(path, headers, connection, visit):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"<p>more</p>     " * 4096 + b"\r\n")


def endless_headers(path, headers, connection, visit):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_hints(path, headers, connection, visit):
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 50)


def cookie_wall(path, headers, connection, visit):
    if "seen=yes" in headers.get("cookie", ""):
        return reply(article())
    return reply("", "302 Found", Location=path, Set_Cookie="seen=yes; Path=/")


def late(path, headers, connection, visit):
    return reply(article()) if visit > 2 else reply("", "429 Too Many Requests", Retry_After="1")


def flapping(path, headers, connection, visit):
    return reply(article()) if visit == 4 else reply("", "503 Service Unavailable")


def garbage_cookies(path, headers, connection, visit):
    if visit == 1:
        return reply("", "302 Found", Location="/on", Set_Cookie="=;=\x01;a b; ü=\xff" + "x" * 9000)
    return reply(article(), X_Name="\xff\xfe naïve")


BOMB = gzip.compress(b"<p>" + b"a" * 200_000_000, 9)
NESTED = zlib.compress(gzip.compress(article().encode()))
raw = zlib.compressobj(9, zlib.DEFLATED, -15)
RAW = raw.compress(article().encode()) + raw.flush()
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
GONE = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)


def fixed(*args, **kwargs):
    answer = reply(*args, **kwargs)
    return lambda *_: answer


def to(target, status="302 Found"):
    return fixed("", status, Location=target)


MISBEHAVIOUR = {
    "behaves": (fixed(article()), "text"),
    "reset at once": (reset_at_once, "the connection broke"),
    "reset in the body": (reset_in_the_body, "the connection broke|closed the connection early"),
    "slow drip of the body": (slow_body, "took longer than the limit"),
    "slow drip of the headers": (slow_headers, "took longer than the limit"),
    "accepts and says nothing": (silence, "took longer than the limit"),
    "length too long": (fixed(article(), Content_Length=99_999), "closed the connection early"),
    "length too short": (fixed(article(extra="<p>" + "x" * 99), Content_Length=len(article().encode())), "text"),
    "length no number": (fixed(article(), Content_Length="many"), "broke the rules of HTTP"),
    "two lengths": (lambda *_: reply(article(), Content_length=7), "broke the rules of HTTP"),
    "redirect loop": (to("/again"), "redirected more than 5 times"),
    "redirect without a place": (fixed("", "302 Found"), "without saying where"),
    "redirect to nonsense": (to("http://127.0.0.1:no/"), "redirected to something that is no address"),
    "redirect to a file": (to("file:///etc/passwd"), "refused: the scheme 'file'"),
    "redirect to data": (to("data:text/html,hello"), "refused: the scheme 'data'"),
    "redirect with a password": (to("http://u:p@127.0.0.1/"), "refused: the address holds a user name"),
    "redirect to the front page": (
        lambda path, *_: reply(article()) if path == "/" else reply("", "301 Moved", Location="/"), "front page",
    ),
    "cookie wall": (cookie_wall, "text"),
    "garbage cookies and headers": (garbage_cookies, "text"),
    "429, and back after 1 s": (late, "text"),
    "429, and back in two days": (
        fixed("", "429 Too Many Requests", Retry_After=format_datetime(GONE, usegmt=True)), "asks to come back after",
    ),
    "flapping": (flapping, "text"),
    "500 for ever": (fixed("no", "500 Broken"), "answered 500"),
    "403": (fixed("no", "403 Forbidden"), "answered 403: the site refuses"),
    "404": (fixed("no", "404 Not Found"), "answered 404: no such page"),
    "410": (fixed("no", "410 Gone"), "answered 410: the page is gone"),
    "451": (fixed("no", "451 Blocked"), "answered 451"),
    "999": (fixed("no", "999 Denied"), "answered 999"),
    "204": (fixed("", "204 No Content", Content_Length=None), "answered 204"),
    "empty 200": (fixed(""), "an empty page"),
    "not HTTP": (lambda *_: b"220 mail.example ESMTP\r\n", "broke the rules of HTTP"),
    "no status": (lambda *_: b"HTTP/1.1 abc\r\n\r\n" + article().encode(), "broke the rules of HTTP"),
    "broken chunks": (
        lambda *_: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + article().encode(),
        "broke the rules",
    ),
    "huge header": (fixed(article(), X_Big="x" * 1_000_000), "headers larger than the limit"),
    "endless headers": (endless_headers, "headers larger than the limit|larger than the limit"),
    "endless early hints": (endless_hints, "larger than the limit|took longer"),
    "endless body": (endless_body, "larger than"),
    "too large": (fixed(article(extra="<p>" + "x" * 300_000)), "larger than 0.2 MB"),
    "gzip": (fixed(gzip.compress(article().encode()), Content_Encoding="gzip"), "text"),
    "gzip in two parts": (
        fixed(b"".join(gzip.compress(p.encode()) for p in (article()[:200], article()[200:])), Content_Encoding="gzip"),
        "text",
    ),
    "gzip bomb": (fixed(BOMB, Content_Encoding="gzip"), "larger than 0.2 MB"),
    "gzip cut short": (fixed(gzip.compress(article().encode())[:-30], Content_Encoding="gzip"), "cut short"),
    "gzip that is none": (fixed(article(), Content_Encoding="gzip"), "compressed page is damaged"),
    "deflate without a header": (fixed(RAW, Content_Encoding="deflate"), "text"),
    "brotli, not asked for": (fixed(b"\x0b\x02\x80abc\x03", Content_Encoding="br"), "'br', which was not asked for"),
    "gzip within deflate": (fixed(NESTED, Content_Encoding="gzip, deflate"), "which was not asked for"),
    "wrong charset": (fixed(article().encode("cp1252")), "text"),
    "charset of yesterday": (fixed(article(), Content_Type="text/html; charset=iso-8859-1"), "text"),
    "charset unknown": (fixed(article(), Content_Type="text/html; charset=klingon"), "text"),
    "charset a trap": (fixed(article(), Content_Type="text/html; charset=unicode_escape"), "text"),
    "UTF-16": (fixed(article().encode("utf-16")), "text"),
    "UTF-16 unmarked": (fixed(article().encode("utf-16-le")), "text"),
    "PDF as HTML": (fixed(b"%PDF-1.7\n" + b"\x00\xff" * 900), "a PDF file"),
    "HTML as PDF": (fixed(article(), Content_Type="application/pdf"), "text"),
    "an image": (fixed(b"\x89PNG\r\n\x1a\n" + b"\x00" * 900), "an image"),
    "binary": (fixed(bytes(range(256)) * 50), "binary data"),
    "control characters": (fixed(article().replace("keys", "ke\x00ys\x1b[2J")), "text"),
    "5,000 levels deep": (fixed("<div>" * 5000 + article()), "no article text"),
    "60,000 elements": (fixed("<i>" * 60_000), "elements|no article text"),
    "a billion laughs": (fixed(LAUGHS + article("&i;")), "text"),
    "no article": (fixed("<html><body><nav><a href=/>home</a></nav></body></html>"), "no article text"),
}  # fmt: skip
ROBOTS = {
    "robots disallow": (fixed("User-agent: *\nDisallow: /"), "robots.txt does not allow it"),
    "robots disallow us": (
        fixed("User-agent: encryption-framing\nDisallow: /page\n\nUser-agent: *\nAllow: /"),
        "robots.txt does not allow it",
    ),
    "robots disallow others": (fixed("User-agent: other\nDisallow: /\n"), "text"),
    "robots break": (fixed("", "500 Broken"), "robots.txt answered 500"),
    "robots forbidden": (fixed("", "403 Forbidden"), "text"),
    "robots go round": (to("/robots.txt"), "text"),
    "robots to a private file": (to("file:///etc/passwd"), "the scheme 'file'"),
    "robots without end": (endless_body, "text"),
    "robots silent": (silence, "took longer than the limit"),
    "robots in bytes": (fixed(bytes(range(256)) * 9), "text"),
}  # fmt: skip


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory):
    """All the misbehaviour, collected in one go: the log and the texts by case, and the seconds that it took."""
    servers = {name: Server(behave) for name, (behave, _) in MISBEHAVIOUR.items()}
    servers |= {name: Server(fixed(article()), robots) for name, (robots, _) in ROBOTS.items()}
    folder = tmp_path_factory.mktemp("hostile")
    urls = {f"{server.url}/page": name for name, server in servers.items()}
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fetch, "_WAITS", (0.02, 0.05, 0.1))
        log = gather(listed(folder / "urls.txt", urls), folder / "out")
    spent = time.monotonic() - started
    for server in servers.values():
        server.close()
    texts = read_articles(folder / "out" / "articles.jsonl").set_index("url")["text"]
    return log.set_index(log["url"].map(urls)), texts.rename(urls), spent


@pytest.mark.parametrize("case", [*MISBEHAVIOUR, *ROBOTS])
def test_every_misbehaviour_ends_in_text_or_in_a_reason(aftermath, case):
    log, texts, _ = aftermath
    expected = (MISBEHAVIOUR | ROBOTS)[case][1]
    row = log.loc[case]
    if expected == "text":
        assert row["stage"] == "extracted", row["reason"]
        assert "the naïve user." in texts[case]
        assert not re.search("[\x00-\x08\x1b]", texts[case])
    else:
        assert row["stage"] in ("found", "fetched")
        assert re.search(expected, row["reason"]), row["reason"]
        assert case not in texts


def test_no_misbehaviour_is_waited_for_beyond_its_limit(aftermath):
    # 7 cases take all of 1 s in each of 4 tries, 8 run side by side; the rest is this machine's
    assert aftermath[2] < 60


# Addresses that are nobody's business


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "240.0.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
     "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
     "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "nonsense", ""],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]
)
def test_addresses_that_are_public(address):
    assert is_public(address)


@pytest.fixture
def only_one(monkeypatch):
    """As if 127.0.0.1 were on the public internet, and nothing else that tests can reach."""
    monkeypatch.setattr(_fetch, "is_public", lambda address: address == "127.0.0.1")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.2]", "2130706434", "0x7f000002",
     "0177.0.0.2", "127.2", "localhost.example"],
)  # fmt: skip
def test_no_private_address_is_connected_to_also_after_a_redirect(serve, tmp_path, only_one, monkeypatch, host):
    inner = serve(fixed(article("secret")))
    target = f"http://{host}:{inner.port}/secret"
    outer = serve(to(target))
    log = gather(listed(tmp_path / "urls.txt", [target, f"{outer.url}/page"]), tmp_path / "out", allow_private=False)
    assert log["reason"].str.contains("not on the public internet|has no address|not an address|no address").all(), log[
        "reason"
    ].tolist()
    assert not inner.seen


def test_what_was_checked_is_what_is_connected_to(serve, tmp_path, only_one, monkeypatch):
    inner, looked_up, look_up = serve(fixed(article("secret"))), [], socket.getaddrinfo

    def changing_its_mind(host, port, *args, **kwargs):
        if host != "rebinding.example":
            return look_up(host, port, *args, **kwargs)
        looked_up.append(host)
        address = "127.0.0.1" if len(looked_up) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with socket.create_server(("127.0.0.2", inner.port)) as private:
        private.settimeout(0.2)
        monkeypatch.setattr(_fetch.socket, "getaddrinfo", changing_its_mind)
        fetcher = Fetcher(CONTACT, tmp_path / "pages.sqlite", delay=0, limits=SMALL)
        with pytest.raises(LostError, match="not on the public internet"):
            fetcher.page(f"http://rebinding.example:{inner.port}/a")  # robots.txt on one address, the page on the next
        fetcher.close()
        with pytest.raises(TimeoutError):
            private.accept()
    assert [path for path, *_ in inner.seen] == ["/robots.txt"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/a", "scheme 'ftp'"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("javascript:alert(1)", "scheme 'javascript'"),
        ("http://user:word@example.org/", "user name or password"),
        ("http:///nowhere", "names no host"),
        ("just words", "scheme ''"),
        ("http://exa mple.org/", "not an address|no host"),
        ("http://" + "a" * 5000, "longer than 4,000"),
    ],
)
def test_addresses_that_are_none(tmp_path, url, reason):
    log = gather(listed(tmp_path / "urls.txt", [url]), tmp_path / "out")
    assert re.search(reason, log.loc[0, "reason"]), log.loc[0, "reason"]
    assert log.loc[0, "stage"] == "found"


def test_a_look_up_that_hangs_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(_fetch.socket, "getaddrinfo", lambda *_, **__: time.sleep(2))
    started = time.monotonic()
    with pytest.raises(LostError, match="looking up the site took longer"):
        Fetcher(CONTACT, tmp_path / "p", limits=SMALL._replace(seconds=0.3)).page("http://slow.example/")
    assert time.monotonic() - started < 1.5


@pytest.fixture
def encrypted(serve, tmp_path):
    """A site with a certificate that nobody vouches for."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate, and is not here")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return serve(fixed(article()), tls=context), certificate


def test_a_certificate_must_be_vouched_for(encrypted, tmp_path, monkeypatch):
    site, certificate = encrypted
    urls = listed(tmp_path / "urls.txt", [f"{site.url}/a"])
    assert gather(urls, tmp_path / "out").loc[0, "reason"] == "the site's certificate is not valid"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # now somebody does
    assert gather(urls, tmp_path / "trusting").loc[0, "stage"] == "extracted"


def test_no_proxy_of_the_environment_is_used(serve, tmp_path, monkeypatch):
    proxy, site = serve(fixed(article("proxy"))), serve(fixed(article("site")))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    log = gather(listed(tmp_path / "urls.txt", [f"{site.url}/page"]), tmp_path / "out")
    assert log.loc[0, "stage"] == "extracted"
    assert not proxy.seen


# Manners


def test_a_site_is_told_who_asks_and_asked_slowly(serve, tmp_path):
    site = serve(lambda path, *_: reply(article(path)), fixed("User-agent: *\nCrawl-delay: 0.3\n"))
    gather(listed(tmp_path / "urls.txt", [f"{site.url}/{n}" for n in range(4)]), tmp_path / "out", delay=0.1)
    paths, headers, times = zip(*site.seen, strict=True)
    assert paths == ("/robots.txt", "/0", "/1", "/2", "/3")  # the rules once, the pages in order
    assert all(re.fullmatch(rf"encryption-framing/\S+ \(.*{CONTACT}\)", h["user-agent"]) for h in headers)
    assert times[-1] - times[1] > 0.8  # 3 pauses of 0.3 s, less what this machine makes of them


def test_one_slow_host_does_not_keep_the_others_waiting(serve, tmp_path):
    slow, quick = serve(silence), serve(lambda path, *_: reply(article(path)))
    urls = [f"{slow.url}/a", *(f"{quick.url}/{n}" for n in range(5))]
    started = time.monotonic()
    log = gather(listed(tmp_path / "urls.txt", urls), tmp_path / "out")
    assert log["stage"].tolist() == ["found"] + ["extracted"] * 5
    assert quick.seen[-1][2] - started < slow.seen[-1][2] - started


def test_a_host_that_is_down_is_not_tried_in_full_for_every_page(serve, tmp_path):
    site = serve(fixed("", "500 Broken"))
    log = gather(listed(tmp_path / "urls.txt", [f"{site.url}/{n}" for n in range(5)]), tmp_path / "out")
    assert log["reason"].tolist() == ["answered 500"] * 5
    assert [site.visits[f"/{n}"] for n in range(5)] == [4, 1, 1, 1, 1]


def test_cookies_stay_with_their_host(serve, tmp_path):
    other = serve(fixed(article()))
    site = serve(lambda *_: reply("", "302 Found", Location=f"{other.url}/page", Set_Cookie="who=me; Domain=127.0.0.1"))
    gather(listed(tmp_path / "urls.txt", [f"{site.url}/{n}" for n in range(2)]), tmp_path / "out")
    assert not any("cookie" in headers for server in (site, other) for _, headers, _ in server.seen)


def test_tracking_does_not_make_a_second_page(serve, tmp_path):
    site = serve(lambda path, *_: reply(article(path)))
    spellings = ["/a?utm_source=x&id=7", "/a?id=7&fbclid=9#top", "/a?id=7", "/a/?id=8", "/b", "/b/", "/b?CMP=share"]
    log = gather(listed(tmp_path / "urls.txt", [site.url + s for s in spellings]), tmp_path / "out")
    assert log["url"].str.removeprefix(site.url).tolist() == ["/a?utm_source=x&id=7", "/a/?id=8", "/b"]
    assert sorted(site.visits) == ["/a/?id=8", "/a?id=7", "/b", "/robots.txt"]


def test_the_same_page_by_two_roads_is_kept_once(serve, tmp_path):
    site = serve(lambda path, *_: to("/end")() if path != "/end" else reply(article()))
    log = gather(listed(tmp_path / "urls.txt", [f"{site.url}/{n}" for n in "ab"]), tmp_path / "out")
    assert log["reason"].tolist() == [KEPT, f"the same page as {log.loc[0, 'item']}"]
    assert len(read_articles(tmp_path / "out" / "articles.jsonl")) == 1


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://Example.ORG:443/A?b=1&utm_campaign=c#d", "https://example.org/A?b=1"),
        ("http://example.org?fbclid=1", "http://example.org"),
        ("http://example.org/?p=12&at_medium=RSS&q=a%20b", "http://example.org/?p=12&q=a%20b"),
        ("https://example.org/ü", "https://example.org/%C3%BC"),
    ],
)
def test_addresses_are_cleaned(url, clean):
    assert cleaned(url) == clean
    assert cleaned(clean) == clean
    assert identity(url) == identity(clean)


# What it leaves behind


def test_a_study_is_brought_back_with_its_ids(serve, tmp_path):
    site = serve(
        lambda path, *_: reply(article(path, head='<link rel="license" href="/cc"><link rel=canonical href=/c>'))
    )
    table = pd.DataFrame({
        "article_id": ["a7", "a8", "a9", "b1"],
        "url": [f"{site.url}/1", f"{site.url}/2?utm_source=q", f"{site.url}/2", None],
        "outlet": ["The Invented", None, None, None], "date": ["2026-03", "2026-03-04", None, "2025"],
        "type": ["news", None, None, None], "copy_group": ["a7", "a7", "a9", "b1"],
    })  # fmt: skip
    table.to_csv(tmp_path / "study.csv", index=False)
    log = gather(tmp_path / "study.csv", tmp_path / "out")
    assert log.set_index("item")["reason"].to_dict() == {
        "a7": KEPT, "a8": KEPT, "a9": "the same address as a8", "b1": "the source gives no address",
    }  # fmt: skip
    articles = read_articles(tmp_path / "out" / "articles.jsonl")
    assert articles.index.tolist() == ["a7", "a8"]
    first, second = articles.loc["a7"], articles.loc["a8"]
    assert (first["outlet"], first["type"], str(first["date"])[:10]) == ("The Invented", "news", "2026-03-01")
    assert articles["date_precision"].tolist() == ["month", "day"]
    assert second["url"] == f"{site.url}/2?utm_source=q"  # as the study has it
    assert second["final_url"] == f"{site.url}/2"
    assert second["canonical_url"] == f"{site.url}/c"
    assert (first["title"], first["language"], first["licence"]) == ("Page /1", "en", f"{site.url}/cc")
    assert first["text"].count("Invented sentence") == 9
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["retrieved"])
    assert len(first["sha256"]) == 64
    assert articles["copy_group"].tolist() == ["a7", "a7"]
    assert summary(log).splitlines()[0] == "found 4, fetched 2, extracted 2"
    whole = flow(item_log(articles, log=log)).set_index("stage")
    assert whole["n"].to_dict() == {
        "found": 4, "fetched": 2, "extracted": 2, "relevant": 2, "deduplicated": 1, "analysed": 1,
    }  # fmt: skip


def test_two_addresses_with_one_id_are_refused(tmp_path):
    table = pd.DataFrame({"article_id": ["a1"], "url": ["http://127.0.0.1:9/1"]})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.assign(url="http://127.0.0.1:9/2").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(ValueError, match="article_id 'a1' stands for two addresses"):
        gather([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "out")


def test_rows_without_an_id_of_their_own_get_one_that_lasts(serve, tmp_path):
    site = serve(lambda path, *_: reply(article(path)))
    for name, paths in {"a.csv": "xy", "b.csv": "yz"}.items():
        pd.DataFrame({"url": [f"{site.url}/{p}" for p in paths]}).to_csv(tmp_path / name, index=False)
    log = gather([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "out")
    assert log["url"].str[-1].tolist() == ["x", "y", "z"]
    assert log["item"].is_unique


def test_the_folder_is_private(serve, tmp_path):
    site = serve(fixed(article()))
    out = tmp_path / "deep" / "out"
    gather(listed(tmp_path / "urls.txt", [f"{site.url}/a"]), out)
    assert (out / ".gitignore").read_text() == "*\n"
    assert os.name == "nt" or out.stat().st_mode & 0o777 == 0o700
    assert not list(out.glob("*.tmp"))
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    status = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert status.stdout == "?? urls.txt\n"


@pytest.mark.parametrize("name", ["notes.txt", ".git", ".gitignore"])
def test_a_folder_with_other_files_is_left_alone(tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(ValueError, match=f"holds other files \\('{re.escape(name)}'\\)"):
        gather(listed(tmp_path / "urls.txt", ["http://127.0.0.1:9/"]), out)
    assert (out / name).read_text() == "mine"
    assert len(list(out.iterdir())) == 1


def test_no_cell_of_the_log_is_a_formula(tmp_path):
    pd.DataFrame({"article_id": ["=1+1", "b"], "url": ["@SUM(A1)", "+A1"]}).to_csv(tmp_path / "x.csv", index=False)
    gather(tmp_path / "x.csv", tmp_path / "out")
    cells = pd.read_csv(tmp_path / "out" / "log.csv", dtype="str").to_numpy().ravel()
    assert not [c for c in cells if str(c).startswith(("=", "+", "-", "@"))]


def test_what_is_done_is_not_done_again_and_what_may_pass_is(serve, tmp_path):
    is_up = []
    site = serve(lambda path, *_: reply(article(path)) if path == "/a" or is_up else reply("", "503 Down"))
    urls = listed(tmp_path / "urls.txt", [f"{site.url}/{n}" for n in "ab"] + ["ftp://x/"])
    log = gather(urls, tmp_path / "out")
    assert log["reason"].tolist() == [KEPT, "answered 503", "the scheme 'ftp' is not http or https"]
    is_up.append(True)
    log = gather(urls, tmp_path / "out")
    assert log["stage"].tolist() == ["extracted", "extracted", "found"]
    assert site.visits["/a"] == 1


def test_text_can_be_extracted_again_from_the_cache_alone(serve, tmp_path):
    site = serve(lambda path, *_: reply(article(path)), fixed("User-agent: *\nAllow: /", Cache_Control="max-age=9"))
    urls = listed(tmp_path / "urls.txt", [f"{site.url}/{n}" for n in range(5)])
    gather(urls, tmp_path / "out")
    before = read_articles(tmp_path / "out" / "articles.jsonl")
    site.close()
    (tmp_path / "out" / "state.sqlite").unlink()
    gather(urls, tmp_path / "out")
    after = read_articles(tmp_path / "out" / "articles.jsonl")
    pd.testing.assert_frame_equal(before.drop(columns="retrieved"), after.drop(columns="retrieved"))


def test_two_collections_do_not_share_a_folder(serve, tmp_path):
    site = serve(silence)
    urls = listed(tmp_path / "urls.txt", [f"{site.url}/a"])
    running = threading.Thread(target=gather, args=(urls, tmp_path / "out"))
    running.start()
    while not site.seen:
        time.sleep(0.01)
    with pytest.raises(ValueError, match="in use by another collection"):
        gather(urls, tmp_path / "out")
    running.join()


# Feeds and sitemaps


ITEM = """<item><title>Story {0}</title><link>/story/{0}?utm_source=rss</link>
<pubDate>Wed, 0{0} Mar 2026 23:30:00 -0500</pubDate></item>"""
RSS = '<?xml version="1.0" encoding="iso-8859-1"?><rss version="2.0"><channel><link>/</link>'
RSS += "".join(ITEM.format(n) for n in range(1, 5)) + "</channel></rss>"
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><link href="/"/>
<entry><title type="html">One</title><link rel="self" href="/self"/><link href="/story/1"/>
<published>2026-03-01T10:00:00Z</published></entry>
<entry><title>Two</title><link rel="alternate" href="story/2"/><updated>2026-03-02</updated></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel/>
<item><title>One</title><link>/story/1</link><dc:date>2026-03-01</dc:date></item></rdf:RDF>"""
GUIDS = """<rss><channel><item><guid>/story/1</guid></item><item><guid isPermaLink="false">x</guid></item>
<item><title>no link</title></item><item><link>http://[bad</link></item><item><link>/story/2</link><pubDate>yesterday</pubDate></item></channel></rss>"""
SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>{0}/story/1</loc><lastmod>2026-03-01</lastmod></url>
<url><loc>{0}/story/2</loc><news:news><news:publication_date>2026-03-02T08:00:00Z</news:publication_date>
<news:title>Two</news:title></news:news></url>
<url><loc>{0}/other/3</loc></url><url><loc></loc></url></urlset>"""
INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>{0}/list/old</loc><lastmod>2020-01-01</lastmod></sitemap><sitemap><loc>{0}/list/new.gz</loc></sitemap><sitemap><loc>{0}/list</loc></sitemap></sitemapindex>"""
ENTITIES = """<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "haha">]>
<rss><channel><item><title>&x;&y;</title><link>/story/1</link></item></channel></rss>"""


def listing(documents):
    """A site with stories and, under /list..., these documents."""

    def behave(path, *_):
        url = path.split("?")[0]
        return reply(article(path)) if url not in documents else documents[url]

    return behave


@pytest.mark.parametrize(
    ("document", "stories"),
    [
        (RSS, [f"/story/{n}?utm_source=rss" for n in range(1, 5)]),
        (ATOM, ["/story/1", "/story/2"]),
        (RDF, ["/story/1"]),
        (GUIDS, ["/story/1", "/story/2"]),
        (ENTITIES, ["/story/1"]),
        (RSS[:-120], [f"/story/{n}?utm_source=rss" for n in range(1, 4)]),
        ("\ufeff\n " + RSS.replace("iso-8859-1", "utf-8"), [f"/story/{n}?utm_source=rss" for n in range(1, 5)]),
    ],
    ids=["RSS", "Atom", "RDF", "guids", "entities", "cut", "mark"],
)  # fmt: skip
def test_feeds(serve, tmp_path, document, stories):
    site = serve(listing({"/list": reply(document, Content_Type="application/xml")}))
    log = gather(f"{site.url}/list", tmp_path / "out")
    assert log["url"].str.removeprefix(site.url).tolist() == stories
    articles = read_articles(tmp_path / "out" / "articles.jsonl")
    assert not articles["title"].str.contains("haha|localhost").any()


def test_the_days_of_a_feed_are_those_it_writes_and_bound_what_is_taken(serve, tmp_path):
    site = serve(listing({"/list": reply(RSS)}))
    gather(f"{site.url}/list", tmp_path / "out", since="2026-03-02", until="2026-03-03", match="/story/")
    articles = read_articles(tmp_path / "out" / "articles.jsonl")
    assert articles["date"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-02", "2026-03-03"]
    assert articles["title"].tolist() == ["Page /story/2", "Page /story/3"]  # the page's own wins


def test_sitemaps(serve, tmp_path):
    documents = {}
    site = serve(listing(documents))
    documents |= {
        "/list": reply(INDEX.format(site.url)),
        "/list/new.gz": reply(gzip.compress(SITEMAP.format(site.url).encode()), Content_Type="application/gzip"),
        "/list/old": reply("", "500 Never asked"),
    }
    log = gather(f"{site.url}/list", tmp_path / "out", since="2026-03-01", match="/story/")
    assert log["url"].str.removeprefix(site.url).tolist() == ["/story/1", "/story/2"]
    assert not site.visits["/list/old"]
    assert read_articles(tmp_path / "out" / "articles.jsonl").iloc[1]["date"] == pd.Timestamp("2026-03-02")


def test_a_sitemap_in_plain_text(serve, tmp_path):
    documents = {}
    site = serve(listing(documents))
    documents["/list"] = reply(f"{site.url}/a\r\n\r\n{site.url}/b\r\n", Content_Type="text/plain")
    assert len(gather(f"{site.url}/list", tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (reply(article()), "neither a feed nor a sitemap"),
        (reply(""), "neither a feed nor a sitemap"),
        (reply("{}"), "neither a feed nor a sitemap"),
        (reply(gzip.compress(b"<urlset>" + b" " * 60_000_000)), "larger than 50 MB"),
        (reply("", "404 Not Found"), "answered 404"),
    ],
)
def test_a_source_that_cannot_be_read_is_named_after_the_rest_is_done(serve, tmp_path, document, reason):
    site = serve(listing({"/list": document}))
    urls = listed(tmp_path / "urls.txt", [f"{site.url}/a"])
    with pytest.raises(CollectError, match=f"/list: .*{reason}") as caught:
        gather([f"{site.url}/list", urls], tmp_path / "out")
    assert caught.value.log["stage"].tolist() == ["extracted"]
    assert len(read_articles(tmp_path / "out" / "articles.jsonl")) == 1


def test_a_feed_is_asked_for_on_condition(serve, tmp_path):
    def behave(path, headers, connection, visit):
        if path != "/list":
            return reply(article(path))
        if headers.get("if-none-match") == '"one"':
            return reply("", "304 Not Modified", ETag='"one"', Content_Length=None)
        return reply(ATOM, ETag='"one"', Cache_Control="no-cache")

    site = serve(behave)
    for _ in range(2):
        assert len(gather(f"{site.url}/list", tmp_path / "out")) == 2
    assert [h.get("if-none-match") for path, h, _ in site.seen if path == "/list"] == [None, '"one"']
    assert site.visits["/story/1"] == 1


# Search interfaces, in the shapes that their documentation shows


def answering(monkeypatch, serve, kind, answer):
    """The interface `kind`, served here: `answer(parameters, headers)` gives what it says."""

    def behave(path, headers, *_):
        if not path.startswith("/api"):
            return reply(article(path))
        said = answer(dict(parse_qsl(urlsplit(path).query)), headers)
        return said if isinstance(said, bytes) else reply(json.dumps(said), Content_Type="application/json")

    site = serve(behave)
    monkeypatch.setitem(_sources.ADDRESSES, kind, f"{site.url}/api")
    return site


def test_gdelt_is_asked_for_ever_shorter_periods_until_it_tells_all(serve, tmp_path, monkeypatch):
    start = datetime(2026, 3, 1)
    stories = [start + timedelta(minutes=10 * n) for n in range(600)]
    asked = []

    def answer(parameters, headers):
        assert parameters["query"] == '"encryption" sourcelang:english'
        assert (parameters["mode"], parameters["format"], parameters["maxrecords"]) == ("artlist", "json", "250")
        low, high = (datetime.strptime(parameters[k], "%Y%m%d%H%M%S") for k in ("startdatetime", "enddatetime"))
        asked.append((low, high))
        rows = [
            {"url": f"{site.url}/{n}", "title": f"Title {n}", "seendate": f"{s:%Y%m%dT%H%M%SZ}", "url_mobile": "",
             "domain": "invented.example", "language": "English", "sourcecountry": "Ireland", "socialimage": ""}
            for n, s in enumerate(stories) if low <= s <= high
        ]  # fmt: skip
        return {"articles": rows[:250]} if rows else {}

    site = answering(monkeypatch, serve, "gdelt", answer)
    monkeypatch.setattr(collect_module, "_work_off", lambda *_: None)  # the pages are another matter
    log = gather('gdelt:"encryption" sourcelang:english', tmp_path / "out", since="2026-03-01", until="2026-03-05")
    assert len(log) == 600  # each once
    assert log["url"].is_unique
    assert len(asked) == 5  # all 600; the first half, 360, and its halves; the second half, 240
    assert log["reason"].eq("not tried yet").all()


def test_gdelt_says_in_words_what_is_wrong(serve, tmp_path, monkeypatch):
    answering(
        monkeypatch, serve, "gdelt", lambda *_: reply("Your search was too short.\x1b[2J", Content_Type="text/html")
    )
    with pytest.raises(CollectError, match=r"gdelt:x: the interface answered: Your search was too short. *\[2J"):
        gather("gdelt:x", tmp_path / "out")


def guardian(parameters, headers):
    page = int(parameters["page"])
    assert (parameters["q"], parameters["from-date"], parameters["to-date"]) == (
        "encryption AND children",
        "2026-03-01",
        "2026-03-31",
    )
    result = {
        "id": f"technology/2026/{page}", "type": "article", "webPublicationDate": f"2026-03-0{page}T23:59:00Z",
        "webTitle": f"Invented {page}", "webUrl": f"{ADDRESS[0]}/technology/{page}",
        "fields": {"bodyText": f"An invented body of article {page}. " * 9, "byline": "An Author"} if page < 3 else {},
    }  # fmt: skip
    return {"response": {"status": "ok", "total": 3, "pages": 3, "currentPage": page, "results": [result]}}


ADDRESS = []
KEY = "5e5e0c1a-not-a-key-77f1"


def test_guardian_gives_text_by_its_interface(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("GUARDIAN_API_KEY", KEY)
    site = answering(monkeypatch, serve, "guardian", guardian)
    ADDRESS[:] = [site.url]
    log = gather("guardian:encryption AND children", tmp_path / "out", since="2026-03-01", until="2026-03-31")
    assert log["stage"].tolist() == ["extracted"] * 3
    articles = read_articles(tmp_path / "out" / "articles.jsonl")
    assert articles["text"].str[:22].tolist() == ["An invented body of ar"] * 2 + ["Invented sentence 0 of"]
    assert articles["outlet"].eq("The Guardian").all()
    assert articles["licence"].str.startswith("Guardian Open Platform terms").all()
    assert articles["date"].dt.day.tolist() == [1, 2, 3]
    assert site.visits["/technology/1"] == 0
    assert site.visits["/technology/3"] == 1  # no text in the answer: the page is fetched


def test_media_cloud_is_paged_through(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDIACLOUD_API_KEY", KEY)

    def answer(parameters, headers):
        assert headers["authorization"] == f"Token {KEY}"
        assert (parameters["cs"], parameters["start"], parameters["end"]) == ("34412234", "2026-03-01", "2026-03-31")
        n = {"": 1, "t2": 2, "t3": 3}[parameters.get("pagination_token", "")]
        story = {"id": n, "url": f"{site.url}/{n}", "title": "T", "media_name": "invented.example", "media_url": "x",
                 "publish_date": f"2026-03-0{n}", "language": "en", "indexed_date": "2026-03-09T00:00:00"}  # fmt: skip
        return {"stories": [story, "nonsense", {"url": None}], "pagination_token": {1: "t2", 2: "t3", 3: None}[n]}

    site = answering(monkeypatch, serve, "mediacloud", answer)
    gather("mediacloud@34412234:encryption", tmp_path / "out", since="2026-03-01", until="2026-03-31")
    articles = read_articles(tmp_path / "out" / "articles.jsonl")
    assert articles["date"].dt.day.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [
        reply("no", "403 Forbidden"), reply("no", "500 Broken"), reply("", "302 Found", Location="/api?again"),
        reply("<p>no"), reply("[" * 99_999), reply("[]"), reply('{"response": {"status": "error"}}'), reply(""), b"",
    ],
)  # fmt: skip
def test_a_key_stands_nowhere(serve, tmp_path, monkeypatch, caplog, capfd, answer):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("GUARDIAN_API_KEY", KEY)
    site = answering(monkeypatch, serve, "guardian", lambda *_: answer)
    with pytest.raises(CollectError) as caught:
        gather("guardian:x", tmp_path / "out")
    told = caught.getrepr(style="long", showlocals=False).reprcrash.message + str(caught.value) + caplog.text
    told += "".join(capfd.readouterr())
    assert KEY not in told
    assert any(KEY in path for path, *_ in site.seen)  # it was sent, to the interface
    assert not any(KEY.encode() in file.read_bytes() for file in (tmp_path / "out").iterdir())


def test_a_key_stands_nowhere_when_all_is_well(serve, tmp_path, monkeypatch, caplog, capfd):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("GUARDIAN_API_KEY", KEY)
    ADDRESS[:] = [answering(monkeypatch, serve, "guardian", guardian).url]
    gather("guardian:encryption AND children", tmp_path / "out", since="2026-03-01", until="2026-03-31")
    assert KEY not in caplog.text + "".join(capfd.readouterr())
    assert not any(KEY.encode() in file.read_bytes() for file in (tmp_path / "out").iterdir())


# Wrong use, and the command line


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ("nowhere.csv", {}, "nowhere.csv: no such file"),
        ([], {}, "sources is empty"),
        ("guardian:x", {}, "GUARDIAN_API_KEY"),
        ("mediacloud:x", {}, "MEDIACLOUD_API_KEY"),
        ("gdelt@12:x", {}, "only mediacloud has collections"),
        ("gopher://x/", {}, "'gopher://x/' is not known; use a file"),
        ("http://127.0.0.1:9/", {"contact": ""}, "contact='' must be an e-mail or web address"),
        ("http://127.0.0.1:9/", {"contact": "me@example.org\r\nX: y"}, "contact="),
        ("http://127.0.0.1:9/", {"delay": -1}, "delay=-1 must be a number of seconds"),
        ("http://127.0.0.1:9/", {"workers": 1.5}, "workers=1.5 must be a whole number"),
        ("http://127.0.0.1:9/", {"match": "(a"}, "match='(a' is no regular expression"),
        ("http://127.0.0.1:9/", {"since": "01/03/2026"}, "since='01/03/2026' is no day; write YYYY-MM-DD"),
    ],
)
def test_wrong_use_is_told_before_anything_is_fetched(tmp_path, monkeypatch, sources, options, message):
    monkeypatch.delenv("GUARDIAN_API_KEY", raising=False)
    monkeypatch.delenv("MEDIACLOUD_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(message)):
        gather(sources, tmp_path / "out", **options)
    assert not (tmp_path / "out" / "log.csv").exists()


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "analysis", "collect", *map(str, arguments)], capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "ANALYSIS_CONTACT": CONTACT, "LC_ALL": "C"}
        | environment,
    )  # fmt: skip


def test_the_command_line(serve, tmp_path):
    site = serve(lambda path, *_: reply(article(path)) if path < "/c" else reply("", "404 Not Found"))
    urls = listed(tmp_path / "urls.txt", ["# invented", *(f"{site.url}/{n}" for n in "abcd")])
    done = command(urls, "--out", tmp_path / "out", "--delay", "0", "--allow-private")
    assert (done.returncode, done.stderr) == (0, "")  # losses with a reason are no failure; no progress off a terminal
    assert done.stdout.splitlines()[:2] == ["found 4, fetched 2, extracted 2", "    2  answered 404: no such page"]
    failed = command(f"{site.url}/a", "--out", tmp_path / "out", "--delay", "0", "--allow-private")
    assert failed.returncode == 1
    assert "neither a feed nor a sitemap" in failed.stderr
    assert failed.stdout.startswith("found 4, fetched 2, extracted 2")


def test_the_command_line_says_what_is_wrong(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("ANALYSIS_CONTACT", raising=False)
    urls = listed(tmp_path / "urls.txt", ["http://127.0.0.1:9/"])
    assert main(["collect", str(urls), "--out", str(tmp_path / "out")]) == 2
    assert "analysis collect: contact='' must be" in capsys.readouterr().err
    assert main(["collect", "nowhere.csv", "--out", str(tmp_path / "out"), "--contact", CONTACT]) == 2
    assert "nowhere.csv: no such file" in capsys.readouterr().err


def test_nothing_is_left_running_after_a_kill(serve, tmp_path):
    gate = threading.Event()
    site = serve(lambda path, *_: reply(article(path)) if path < "/3" or gate.wait(5) else None)
    urls = listed(tmp_path / "urls.txt", [f"{site.url}/{n}" for n in range(5)])
    arguments = [urls, "--out", tmp_path / "out", "--delay", "0", "--allow-private", "--contact", CONTACT]
    running = subprocess.Popen([sys.executable, "-m", "analysis", "collect", *map(str, arguments)])
    while not site.visits["/3"]:
        time.sleep(0.02)
    children = psutil.Process(running.pid).children()
    assert children
    running.kill()
    running.wait()
    gate.set()
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert gather(urls, tmp_path / "out")["stage"].tolist() == ["extracted"] * 5
    assert [site.visits[f"/{n}"] for n in range(3)] == [1, 1, 1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_control_c_stops_at_once_and_keeps_what_is_done(serve, tmp_path):
    gate = threading.Event()
    site, slow = serve(lambda path, *_: reply(article(path))), serve(lambda *_: gate.wait(20) and None)
    urls = listed(tmp_path / "urls.txt", [f"{slow.url}/a", *(f"{site.url}/{n}" for n in range(3))])
    arguments = [urls, "--out", tmp_path / "out", "--delay", "0", "--allow-private", "--contact", CONTACT]
    running = subprocess.Popen(
        [sys.executable, "-m", "analysis", "collect", *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    while not (site.visits["/2"] and slow.visits["/a"]):
        time.sleep(0.02)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    started = time.monotonic()
    assert running.communicate(timeout=15)[1] == "\nstopped; the same command goes on from here\n"
    assert running.returncode == 1
    assert time.monotonic() - started < 10  # not the minute that the site may take
    gate.set()
    log = pd.read_csv(tmp_path / "out" / "log.csv")
    assert log["reason"][0] == "not tried yet"
    assert len(read_articles(tmp_path / "out" / "articles.jsonl")) == (log["stage"] == "extracted").sum() >= 2


KILLS, PAGES = 300, 1000
NURSERY = """
import json, os, random, signal, sys, time
from urllib.request import ProxyHandler, build_opener
import trafilatura
from analysis.collect import collect
urls, out, progress, kills, pages = *sys.argv[1:4], *map(int, sys.argv[4:])
run = lambda: collect(urls, out, contact="tests@example.org", delay=0, allow_private=True, workers=0)
ask = build_opener(ProxyHandler({})).open
chance, ends, longest = random.Random(7), [], 0.5
for kill in range(1, kills + 1):
    child = os.fork()
    if not child:
        run()
        os._exit(0)
    time.sleep(chance.uniform(0, longest))
    os.kill(child, signal.SIGKILL)
    ends.append(os.waitpid(child, 0)[1])
    # live longer or shorter, so that the kills fall all over the collection, whatever this machine's pace
    done = int(ask(progress).read())
    longest = min(3, max(0.05, longest * (0.9 if done > pages * kill / kills else 1.1)))
print(json.dumps([done, ends]))
run()
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills are made cheap by fork")
def test_300_kills_lose_nothing_and_repeat_nothing(serve, tmp_path):
    def behave(path, *_):
        if path == "/progress":
            return reply(str(sum(len(site.visits) for site in sites)))
        time.sleep(0.01)
        return reply(article(path))

    sites = [serve(behave) for _ in range(2)]
    urls = listed(tmp_path / "urls.txt", [f"{sites[n % 2].url}/{n}" for n in range(PAGES)])
    done = subprocess.run(
        [sys.executable, "-c", NURSERY, urls, tmp_path / "out", f"{sites[0].url}/progress", str(KILLS), str(PAGES)],
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    asked_for, ends = json.loads(done.stdout)
    assert asked_for > 0.8 * PAGES  # when the last kill came
    ends = Counter(ends)
    articles = read_articles(tmp_path / "out" / "articles.jsonl")
    assert articles["url"].tolist() == urls.read_text().split()  # every page, once, in order
    pages = articles["url"].str.extract(r"(/\d+)$")[0]
    assert all(f"page {page}:" in text for page, text in zip(pages, articles["text"], strict=True))
    log = pd.read_csv(tmp_path / "out" / "log.csv", dtype="str")
    assert log["item"].tolist() == articles.index.tolist()
    assert ends[signal.SIGKILL] > 0.9 * KILLS, ends  # the others had finished before they could be killed
    asked = sum(n for site in sites for path, n in site.visits.items() if path not in ("/robots.txt", "/progress"))
    assert PAGES <= asked < PAGES + 2 * KILLS  # a page is asked for again only if its answer was cut off by a kill
