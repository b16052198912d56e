"""Extraction from pages that are wrong, broken or hostile; and from the benchmark's pages, where they are here."""

import importlib.util
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import _extract
from analysis._extract import Extractors, decode, extract

LINES = [f"Invented line {i}: the minister said that messages – “all of them” – stay closed." for i in range(9)]
PAGE = "<html><head><title>Keys</title>{head}</head><body><article>{body}</article></body></html>"
PLAIN = PAGE.format(head="", body="".join(f"<p>{line}</p>" for line in LINES))
KEYS = ["title", "text", "date", "outlet", "author", "language", "url", "licence", "reason"]


def with_head(head):
    return extract(
        PAGE.format(head=head, body="".join(f"<p>{line}</p>" for line in LINES)), url="https://news.example/a/b"
    )


def test_a_page_gives_a_line_per_paragraph():
    found = extract(PLAIN)
    assert list(found) == KEYS
    assert found["text"].splitlines() == LINES
    assert found["title"] == "Keys"
    assert {found[key] for key in ("date", "author", "language", "url", "licence", "reason")} == {None}


@pytest.mark.parametrize(
    ("head", "key", "value"),
    [
        ('<meta property="article:published_time" content="2026-03-04T23:59:00+00:00">', "date", "2026-03-04"),
        ('<meta property="og:site_name" content="The Invented Post">', "outlet", "The Invented Post"),
        ('<meta name="author" content="Ada Invented">', "author", "Ada Invented"),
        ('<meta http-equiv="Content-Language" content="en-GB">', "language", "en"),
        ('<meta property="og:locale" content="fr_CA">', "language", "fr"),
        ('<meta property="og:locale" content="()">', "language", None),
        ('<link rel="canonical" href="/c?x=1">', "url", "https://news.example/c?x=1"),
        ('<link rel="canonical" href="javascript:alert(1)">', "url", None),
        ('<link rel="canonical" href="http://[bad">', "url", None),
        ('<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">', "licence",
         "https://creativecommons.org/licenses/by/4.0/"),
        ('<meta name="copyright" content="© 2026\n  The Invented Post">', "licence", "© 2026 The Invented Post"),
    ],
)  # fmt: skip
def test_what_the_page_declares(head, key, value):
    assert with_head(head)[key] == value


def test_a_date_is_never_guessed_from_prose():
    body = "".join(f"<p>{line} It began on 4 March 2019.</p>" for line in LINES)
    assert extract(PAGE.format(head="", body=body))["date"] is None


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("“naïve”".encode(), None, "“naïve”"),
        ("“naïve”".encode(), "iso-8859-1", "“naïve”"),  # UTF-8 wins over what is said of it
        ("“naïve”".encode("cp1252"), None, "“naïve”"),
        ("“naïve”".encode("cp1252"), "iso-8859-1", "“naïve”"),  # as browsers read it
        ("“naïve”".encode("cp1252"), "utf-8", "“naïve”"),
        ("“naïve”".encode("utf-8-sig"), "ascii", "“naïve”"),
        ("“naïve”".encode("utf-16"), None, "“naïve”"),
        ("<p>naïve text".encode("utf-16-be"), None, "<p>naïve text"),
        ("ключ".encode("koi8-r"), "koi8-r", "ключ"),
        (b'<meta charset="windows-1251">' + "ключ".encode("cp1251"), None, '<meta charset="windows-1251">ключ'),
        (b'<?xml version="1.0" encoding="windows-1251"?>' + "ключ".encode("cp1251"), None,
         '<?xml version="1.0" encoding="windows-1251"?>ключ'),
        ("鍵".encode("iso2022_jp"), "iso-2022-jp", "鍵"),
        ("鍵".encode("shift_jis"), "shift_jis", "鍵"),
        (b"a\\x41", "unicode_escape", "a\\x41"),
        (b"+AGE-", "utf-7", "+AGE-"),
        (b"abc", "hex", "abc"),
        (b"abc\xff", "no such thing", "abcÿ"),
        (b"abc\x81", "utf-8", "abc\ufffd"),
        (b"", None, ""),
    ],
)  # fmt: skip
def test_encodings(data, charset, text):
    assert decode(data, charset) == text


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        (b"", "an empty page"),
        ("  \n", "an empty page"),
        (b"%PDF-1.4 ...", "a PDF file, not a web page"),
        ("\n%PDF-1.4 ...", "a PDF file, not a web page"),
        (b"PK\x03\x04...", "a zip or Office file, not a web page"),
        (b"\x89PNG\r\n\x1a\n", "an image, not a web page"),
        (bytes(range(256)), "binary data, not a web page"),
        (b"x" * (_extract.MAX_BYTES + 1), "larger than 10 MB"),
        ("<i>" * 300_000, "more than 50,000 elements"),
        ("<br>x" * 60_000, "more than 50,000 elements"),
        ("<!-- nothing -->", "no element could be read: not a web page"),
        ("<html><body></body></html>", "no article text found on the page"),
        ("<div>" * 5000 + "deep", "no article text found on the page"),
    ],
)  # fmt: skip
def test_what_is_no_article_has_a_reason(html, reason):
    found = extract(html)
    assert (found["text"], found["reason"]) == (None, reason)


@pytest.mark.parametrize("html", [None, 3, ["<p>"], bytearray(b"<p>")])
def test_only_bytes_and_text_are_pages(html):
    with pytest.raises(TypeError, match="html must be bytes or str"):
        extract(html)


def test_entities_are_not_opened(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me")
    laughs = "".join(f'<!ENTITY {b} "{f"&{a};" * 50}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    for declared in (f'<!ENTITY i SYSTEM "{secret.as_uri()}">', f'<!ENTITY a "ha">{laughs}'):
        found = extract(
            f"<?xml version='1.0'?><!DOCTYPE html [{declared}]>" + PLAIN.replace("messages", "messages &i;")
        )
        assert "Invented line 8" in found["text"]
        assert "do not read me" not in found["text"]
        assert len(found["text"]) < 2 * len(PLAIN)


def test_no_control_character_gets_through():
    found = extract(PLAIN.replace("minister", "mini\x00ster\x1b[2J\u009b\ufffe").replace("Keys", "Ke\x07ys"))
    assert "mini" in found["text"]
    assert all(c.isprintable() or c == "\n" for c in found["text"] + found["title"])


MARKUP = st.lists(
    st.one_of(
        st.sampled_from(["<p>", "</p>", "<div ", ">", "<", "</", "&", "&#0;", "&#x110000;", "<!--", "-->", "<![CDATA[",
                         "<script>", "<table><td>", "<svg>", "<title>", 'lang="', "href=", "\x00",
                         "<meta charset=", "\ud800"]),
        st.text(max_size=20),
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.one_of(MARKUP, MARKUP.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=300)))
def test_no_page_raises(html):
    found = extract(html, url="https://news.example/")
    assert list(found) == KEYS
    assert (found["text"] is None) == (found["reason"] is not None)
    for value in filter(None, found.values()):
        value.encode("utf-8")


# Processes


@pytest.fixture
def pool():
    extractors = Extractors(1, 20)
    yield extractors
    extractors.close()


def test_a_process_answers_as_the_function_does(pool):
    assert pool.extract(PLAIN.encode(), url="https://news.example/") == extract(PLAIN, url="https://news.example/")


def test_a_page_that_takes_too_long_costs_only_itself():
    slow = PAGE.format(head="", body="<p " + " ".join(f'a{i}="x"' for i in range(120_000)) + ">" + "<p>".join(LINES))
    extractors = Extractors(1, 20)
    assert extractors.extract(PLAIN.encode())["text"]  # it runs
    extractors._seconds = 0.5
    started = time.monotonic()
    found = extractors.extract(slow.encode())  # lxml compares every attribute with all before it
    assert found["reason"] == "extraction took longer than 0.5 s"
    assert time.monotonic() - started < 5
    extractors._seconds = 20
    assert extractors.extract(PLAIN.encode())["text"]
    extractors.close()


def test_a_process_that_dies_costs_only_its_page(pool):
    pool.extract(PLAIN.encode())
    child = pool._idle.get()
    child._process.kill()
    child._process.wait()
    pool._idle.put(child)
    assert pool.extract(PLAIN.encode())["reason"] == "the extractor broke off"
    assert pool.extract(PLAIN.encode())["text"]


def test_processes_are_replaced_after_their_life(pool, monkeypatch):
    monkeypatch.setattr(_extract, "_LIFE", 2)
    seen = []
    for _ in range(4):
        assert pool.extract(PLAIN.encode())["text"]
        child = pool._idle.get()
        seen.append(child and child._process.pid)
        pool._idle.put(child)
    assert seen[0]
    assert seen[1] is None
    assert seen[2] not in (None, seen[0])
    assert seen[3] is None


def test_what_reads_pages_knows_no_secret(monkeypatch, pool):
    monkeypatch.setenv("GUARDIAN_API_KEY", "5e5e0c1a")
    monkeypatch.setenv("SOME_TOKEN", "5e5e0c1a")
    started = {}
    popen = _extract.subprocess.Popen
    monkeypatch.setattr(_extract.subprocess, "Popen", lambda *a, **k: started.update(k["env"]) or popen(*a, **k))
    assert pool.extract(PLAIN.encode())["text"]
    assert "5e5e0c1a" not in started.values()
    assert started["PATH"] == os.environ["PATH"]


def test_a_module_of_the_same_name_where_the_user_stands_is_not_run(tmp_path, monkeypatch, pool):
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "__init__.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    assert pool.extract(PLAIN.encode())["text"]


def test_many_threads_share_few_processes():
    extractors, texts = Extractors(2, 20), []
    pages = [PLAIN.replace("Invented line", f"Invented {n} line") for n in range(12)]
    threads = [threading.Thread(target=lambda p=p: texts.append(extractors.extract(p.encode())["text"])) for p in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    extractors.close()
    assert sorted(texts) == sorted(extract(page)["text"] for page in pages)


# The benchmark's pages, where they are here


BENCHMARK = Path(__file__).resolve().parents[1] / "benchmarks" / "collect.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmarks_collect", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks_collect"] = module
    spec.loader.exec_module(module)
    return module


def test_the_measure_by_pencil(benchmark):
    # runs of four: true has abcd, bcde; found has bcde, cdef: one of three is in both
    assert benchmark.overlap("a b c d e", "b c d e f").tolist() == [1 / 3, 1 / 3, 1 / 3]
    shares = benchmark.overlap("a b c d e", "a b c d e")
    assert benchmark.f1(shares[None]) == 1
    assert benchmark.f1(benchmark.overlap("a b c d e", "b c d e f")[None]) == pytest.approx(1 / 2)


@pytest.mark.slow
def test_extraction_is_at_least_as_good_as_trafilatura_alone(benchmark):
    if not benchmark.PAGES.exists():
        pytest.skip("the benchmark's pages are not here")
    import numpy as np
    import trafilatura

    data = benchmark.pages().values()
    pairs = [(true, trafilatura.extract(html.decode("utf-8"), include_comments=False), extract(html, url=url)["text"])
             for html, true, url in data]  # fmt: skip
    scores = [benchmark.f1(np.array([benchmark.overlap(pair[0], pair[i] or "") for pair in pairs])) for i in (1, 2)]
    assert len(pairs) == 181
    assert scores[1] >= scores[0]
    assert scores[1] > 0.95
