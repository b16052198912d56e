"""Hostile and many files: `python benchmarks/readers.py fuzz|pages|clean [N] [SEED or WORKERS]`.

fuzz: N (20,000) damaged files, made by a seeded mutator from one file of every layout (all invented): each must give
articles, or a ValueError that names the file, within 2 seconds. pages: N (1,000) saved pages in a folder to a table,
with the time and the memory beyond the table itself. clean: how much of the true article bodies of
`../shared/data/html_scrapinghub` the rules of `clean` would take, and what.
"""

import gzip
import json
import random
import resource
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import exports  # noqa: E402

from analysis import boilerplate, read_articles  # noqa: E402
from analysis._readers import KINDS  # noqa: E402

LIMIT = 2.0  # seconds
PIECES = [b"\0", b"\xff\xfe", b"{", b"}", b"[" * 300, b"<" * 50, b'"', b"\\", b"\\u99999 ", b"\\bin99999999 ", b"\n",
          b"\r\n",
          b"End of Document\n", b"Document INVH000020190304ef00000x", b"_" * 60, b"TY  - NEWS\nER  - \n", b"Body",
          b"9" * 400,
          b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"=cmd|' /C x'!A0", "\u202e".encode(), b"1 of 1 DOCUMENTS",
          b"PK\x03\x04",
          b"Length: 999999 words", b"Full text:", b"\xf0\x9f\x98\x80", b"{\\rtf", b"WARC/1.0\r\n",
          b"Content-Length: -1\r\n",
          b"Content-Length: 999999999999\r\n", b"class=\"enArticle article\"", b"00/00/0000", b"1e999",
          b"NaN"]  # fmt: skip


def damaged(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """`data` with one to eight changes: bytes flipped, cut, doubled, moved, or pieces of other files put in."""
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        a = chance.randrange(len(out) + 1)
        b = min(len(out), a + chance.choice([1, 2, 8, 64, 1024]))
        kind = chance.randrange(8)
        if kind == 0:
            for i in range(a, b):
                out[i] = chance.randrange(256)
        elif kind == 1:
            del out[a:b]
        elif kind == 2:
            out[a:a] = chance.choice(PIECES) * chance.choice([1, 1, 1, 50])
        elif kind == 3:
            out[a:a] = out[a:b] * chance.choice([1, 5, 100])
        elif kind == 4:
            c = chance.randrange(len(other) + 1)
            out[a:b] = other[c : c + (b - a)]
        elif kind == 5:
            del out[a:]
        elif kind == 6 and a < len(out):
            out[a] ^= 1 << chance.randrange(8)
        else:
            out[a:b] = chance.choice(PIECES)
    return bytes(out[: 4 << 20])


def inside(data: bytes, chance: random.Random) -> bytes:
    """A damaged member in a sound archive: what a mutation of the packed bytes would hardly reach."""
    import io

    parts = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(sorted(parts))
    parts[name] = damaged(parts[name], data, chance)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def inputs(n: int, folder: Path, seed: int = 0) -> Iterator[tuple[Path, str | None]]:
    """`n` damaged files, one after the other; mostly under the name of their layout, and with no kind named."""
    whole = {name: path.read_bytes() for name, path in exports.every(folder / "whole").items()}
    names = sorted(whole)
    chance = random.Random(seed)
    for i in range(n):
        name = names[i % len(names)]
        data, other = whole[name], whole[chance.choice(names)]
        ending = name if chance.random() < 0.9 else f"{Path(name).stem}{Path(chance.choice(names)).suffix}"
        if name.endswith((".docx", ".xlsx")) and chance.random() < 0.6:
            data = inside(data, chance)
        elif name.endswith(".gz") and chance.random() < 0.6:
            data = gzip.compress(damaged(gzip.decompress(data), other, chance), mtime=0)
        else:
            data = damaged(data, other, chance)
        path = folder / f"x{ending}"
        path.write_bytes(data)
        yield path, chance.choice(sorted(KINDS)) if chance.random() < 0.1 else None
        path.unlink()


def tried(path: Path, kind: str | None) -> tuple[str, float]:
    """What became of a file (articles, error, or the name of an unwanted exception), and its seconds of processor time.

    Nothing here waits, and other work on the machine does not count.
    """
    began = time.process_time()
    try:
        read_articles(path, kind=kind)
        outcome = "articles"
    except ValueError as error:
        outcome = "error" if path.name in str(error) else f"unnamed: {error}"
    except Exception as error:
        outcome = f"{type(error).__name__}: {str(error)[:80]}"
    return outcome, time.process_time() - began


def fuzz(n: int = 20_000, seed: int = 0) -> None:
    """Try every damaged file, keep those that are not answered, and print the counts."""
    outcomes: Counter = Counter()
    slowest: list[tuple[float, str]] = []
    bad = Path(tempfile.gettempdir()) / "readers-failed"
    with tempfile.TemporaryDirectory() as folder:
        for i, (path, kind) in enumerate(inputs(n, Path(folder), seed)):
            outcome, seconds = tried(path, kind)
            outcomes[outcome if outcome in ("articles", "error") else "FAILED"] += 1
            slowest = sorted([*slowest, (seconds, path.name)], reverse=True)[:5]
            if outcome not in ("articles", "error") or seconds > LIMIT:
                bad.mkdir(exist_ok=True)
                (bad / f"{seed}-{i}-{path.name}").write_bytes(path.read_bytes())
                print(f"{i} {path.name} (kind {kind}): {outcome} ({seconds:.2f} s), kept in {bad}", flush=True)
    print(json.dumps({"inputs": n, "seed": seed} | outcomes | {"slowest": [(round(s, 2), p) for s, p in slowest]}))


def pages(n: int = 1_000, workers: int = 2) -> None:
    """Read a folder of pages, and print time and memory."""
    with tempfile.TemporaryDirectory() as folder:
        sources = [exports.page(a) for a in exports.ARTICLES]
        packed = ROOT.parent / "shared" / "data" / "html_scrapinghub" / "pages.tar.gz"
        if packed.exists():  # real pages, where there are any
            with tarfile.open(packed) as archive:
                names = [m for m in archive.getmembers() if m.name.endswith(".html.gz")]
                sources = [gzip.decompress(archive.extractfile(m).read()) for m in names]
        for i in range(n):
            (Path(folder) / f"{i:06d}.html").write_bytes(sources[i % len(sources)])
        began = time.perf_counter()
        articles = read_articles(folder, workers=workers)
        seconds = time.perf_counter() - began
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    peak, child = own.ru_maxrss / 1024, others.ru_maxrss / 1024
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    table = articles.memory_usage(deep=True).sum() / 2**20
    print(json.dumps({"pages": n, "kinds": len(sources), "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1),
                      "peak_mb": round(peak), "peak_of_a_worker_mb": round(child), "table_mb": round(table),
                      "with_text": int(articles["text"].notna().sum())}))  # fmt: skip


def cleaning() -> None:
    """Print what the rules would take from the true bodies of real pages (with -v, the pieces)."""
    packed = ROOT.parent / "shared" / "data" / "html_scrapinghub" / "pages.tar.gz"
    with tarfile.open(packed) as archive:
        truth = next(m for m in archive.getmembers() if m.name.endswith("ground-truth.json"))
        bodies = pd.Series({k: v["articleBody"] for k, v in json.load(archive.extractfile(truth)).items()})
    began = time.perf_counter()
    found = boilerplate(bodies)
    seconds = time.perf_counter() - began
    size = (found["end"] - found["start"]).groupby(found["kind"], observed=True).agg(["size", "sum"])
    print(f"{len(bodies)} bodies, {bodies.str.len().sum():,} characters, {seconds:.2f} s; taken:")
    print(size.assign(share=(size["sum"] / bodies.str.len().sum()).map("{:.4%}".format)).to_string())
    if "-v" in sys.argv:
        print(found[["kind", "text"]].to_string(max_colwidth=150))


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["fuzz"]
    numbers = [int(r) for r in rest if r.isdigit()]
    {"fuzz": fuzz, "pages": pages, "clean": cleaning}[what](*numbers)
