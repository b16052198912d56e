"""Extraction against trafilatura's own, and the pace and memory of `collect`: python benchmarks/collect.py [PART ...].

Parts: `extraction` (F1 on the 181 pages of the article extraction benchmark, in ../shared/data), `pace` (1,000 cached
pages to a table, seconds on two processes) and `memory` (most memory in use for 1,000 and 20,000 pages).
Pages for pace and memory are those 181, repeated under addresses of their own, served once on the loopback.
"""

import argparse
import gzip
import http.server
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT.parent / "shared" / "data" / "html_scrapinghub" / "pages.tar.gz"
CHILD = """
import json, os, sys, threading, time
import psutil
from analysis.collect import collect
most, stop = [0, 0], threading.Event()
def watch():
    me = psutil.Process()
    while not stop.wait(0.2):
        family = [me, *me.children()]
        most[0] = max(most[0], me.memory_info().rss)
        for process in family[1:]:
            try:
                most[1] = max(most[1], process.memory_info().rss)
            except psutil.NoSuchProcess:
                pass
threading.Thread(target=watch, daemon=True).start()
started = time.perf_counter()
log = collect(sys.argv[1], sys.argv[2], contact="benchmark@example.org", delay=0, allow_private=True)
spent = time.perf_counter() - started
stop.set()
print(json.dumps([spent, sum(os.times()[:4]), *most, int((log["stage"] == "extracted").sum())]))
"""


def pages() -> dict[str, tuple[bytes, str, str]]:
    """Markup, true text and address of each page of the benchmark, by its name."""
    found, truth = {}, {}
    with tarfile.open(PAGES) as archive:
        for member in archive:
            if member.name.endswith(".html.gz"):
                found[Path(member.name).name.removesuffix(".html.gz")] = gzip.decompress(
                    archive.extractfile(member).read()
                )
            elif member.name.endswith("ground-truth.json"):
                truth = json.load(archive.extractfile(member))
    return {name: (found[name], truth[name]["articleBody"], truth[name]["url"]) for name in sorted(truth)}


def overlap(true: str, found: str) -> np.ndarray:
    """Shares of runs of four words that are in both, in `found` only, in `true` only (the benchmark's own measure)."""

    def runs(text: str) -> Counter:
        words = re.findall(r"\w+", text)
        return Counter(run for i in range(max(1, len(words) - 3)) if (run := tuple(words[i : i + 4])))

    a, b = runs(true), runs(found)
    counts = np.array([(a & b).total(), (b - a).total(), (a - b).total()], dtype=float)
    return counts / max(counts.sum(), 1)


def f1(shares: np.ndarray) -> float:
    """F1 of the mean precision and the mean recall over pages, as the benchmark has it."""
    both, false, missed = shares.T
    with np.errstate(invalid="ignore"):  # 0 of 0: a page that has, or was found to have, no text
        precision, recall = np.nanmean(both / (both + false)), np.nanmean(both / (both + missed))
    return 2 * precision * recall / (precision + recall)


def extraction() -> None:
    """F1 of both, and of the difference, each with a 95% bootstrap interval over pages."""
    import trafilatura

    from analysis._extract import extract

    data = pages()
    methods = {
        f"trafilatura {trafilatura.__version__}": lambda html, url: trafilatura.extract(
            html.decode("utf-8"), include_comments=False
        ),
        "extract": lambda html, url: extract(html, url=url)["text"],
    }
    shares, seconds = {}, {}
    for name, method in methods.items():
        started = time.perf_counter()
        texts = [method(html, url) or "" for html, _, url in data.values()]
        seconds[name] = time.perf_counter() - started
        shares[name] = np.array([overlap(true, text) for (_, true, _), text in zip(data.values(), texts, strict=True)])
    draws = np.random.default_rng(0).integers(0, len(data), (2000, len(data)))
    scores = {name: (f1(s), np.array([f1(s[d]) for d in draws])) for name, s in shares.items()}
    (base, base_draws), (ours, our_draws) = scores.values()
    rows = [(name, *score) for name, score in scores.items()] + [("difference", ours - base, our_draws - base_draws)]
    print(f"F1 of extraction, {len(data)} pages, runs of four words")
    for name, score, drawn in rows:
        low, high = np.quantile(drawn, [0.025, 0.975])
        took = f"  {1000 * seconds[name] / len(data):.0f} ms a page" if name in seconds else ""
        print(f"  {name:20} {score:.4f}  [{low:.4f}, {high:.4f}]{took}")


class Site(http.server.BaseHTTPRequestHandler):
    """Serves the benchmark's pages, gzipped, whatever the number in the path."""

    protocol_version = "HTTP/1.1"
    bodies: list[bytes] = []  # noqa: RUF012

    def do_GET(self) -> None:
        """Answer one request."""
        number = re.fullmatch(r"/(\d+)", self.path)
        body = self.bodies[int(number[1]) % len(self.bodies)] if number else b""
        self.send_response(200 if number else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if number:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def collected(n: int, runs: int) -> list[list]:
    """What each of `runs` collections of the same `n` pages used; all but the first find them in the cache."""
    Site.bodies = Site.bodies or [gzip.compress(html, 6) for html, _, _ in pages().values()]
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) for _ in range(8)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        urls, out = Path(folder, "urls.txt"), Path(folder, "out")
        urls.write_text("\n".join(f"http://127.0.0.1:{servers[i % 8].server_port}/{i}" for i in range(n)))

        def run() -> list:
            done = subprocess.run([sys.executable, "-c", CHILD, urls, out], capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        used = []
        for _ in range(runs):
            used.append(run())
            (out / "state.sqlite").unlink()  # forget what was extracted, keep the pages
    for server in servers:
        server.shutdown()
        server.server_close()
    return used


def pace() -> None:
    """Seconds for 1,000 pages."""
    (fetched, *_), (cached, cpu, _, _, n) = collected(1000, 2)
    print(f"1,000 pages, {n} with text: {fetched:.1f} s from the loopback")
    print(f"  from the cache: {cached:.1f} s, {cpu:.1f} s CPU in all processes")


def memory() -> None:
    """The most memory that the collecting process, and one of its extracting processes, had."""
    for n in (1000, 20_000):
        [(seconds, _, own, child, _)] = collected(n, 1)
        print(
            f"{n:6,} pages: {own / 2**20:.0f} MB, extractors {child / 2**20:.0f} MB each; {seconds:.0f} s", flush=True
        )


if __name__ == "__main__":
    parts = {"extraction": extraction, "pace": pace, "memory": memory}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", help=f"any of {', '.join(parts)} (default: all but memory)")
    if not PAGES.exists():
        sys.exit(f"{PAGES} is not here")
    for part in parser.parse_args().part or ["extraction", "pace"]:
        parts[part]()
