"""Kills while coding and the time a decision takes: python benchmarks/handcode.py [--kills 1000].

Bars: 1,000 SIGKILLs at random moments lose no decision whose call had returned, and leave no torn line; a decision is
on disk before the next sentence could be read.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from test_handcode import killed

from analysis import hand_code


def decisions(folder: Path, n: int) -> tuple[list[float], float]:
    """Seconds that each of `n` decisions takes, and that opening a file of them takes."""
    table = pd.DataFrame({"text": [f"Invented sentence {i}." for i in range(n)]})
    settings = {"coder": "ana", "path": folder / "ana.jsonl", "variables": ["stance"]}
    codes = hand_code(table, **settings)
    took = []
    for _ in range(n):
        began = time.perf_counter()
        codes.press("f")
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    hand_code(table, **settings)
    return took, time.perf_counter() - began


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as folder:
        took, opening = decisions(Path(folder), 2000)
        took = [1000 * one for one in sorted(took)]
        print(f"a decision: median {statistics.median(took):.1f} ms, 99 of 100 under {took[-20]:.1f} ms")
        print(f"opening a file of 2,000 decisions: {1000 * opening:.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        told, torn = killed(folder, kills)
        print(
            f"{kills} kills in {time.perf_counter() - began:.0f} s: {told} decisions told as saved, 0 lost, {torn} torn"
        )


if __name__ == "__main__":
    main()
