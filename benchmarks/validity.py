"""Speed of the bootstrap and coverage of corrected intervals: python benchmarks/validity.py [--times N].

Bars: 10,000 draws over 100,000 statements in under 30 s; 95% intervals from 200 trusted and 5,000 machine codes cover
93 to 97%, where raw ones cover under 20%, and are narrower than those of the 200 codes alone.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from test_validity import coverage

from analysis import validity
from analysis.compare import shares


def statements(n: int = 100_000, per: int = 5) -> pd.DataFrame:
    """Coded statements of articles of `per` statements, 1,000 of the articles hand-coded, all coded by two coders."""
    rng = np.random.default_rng(0)
    stance = rng.choice(["favour", "mixed", "neutral", "against"], n, p=[0.4, 0.1, 0.3, 0.2])
    data = pd.DataFrame({"article_id": np.arange(n) // per, "n": np.arange(n) % per})
    data["group"] = rng.choice(list("abcdef"), n)
    data["stance"] = np.where(rng.random(n) < 0.75, stance, rng.choice(stance, n))
    data = validity.sample(data, n=1000, unit="article_id")
    return data.assign(truth=pd.Series(stance).where(data["is_drawn"]))


def speed() -> None:
    """Print the time that each estimate takes with 10,000 draws."""
    data = statements()
    other = data.assign(stance=np.where(np.arange(len(data)) % 10, data["stance"], "neutral"))
    codes = pd.concat([data.assign(coder="a"), other.assign(coder="b")])
    common = {"draws": 10_000}
    calls = {
        "shares": lambda: shares(data, "stance", by="group", **common),
        "agreement": lambda: validity.agreement(codes, unit=["article_id", "n"], value="stance", **common),
        "accuracy": lambda: validity.accuracy(data["truth"].fillna(data["stance"]), data["stance"], **common),
    }
    for method in ["ppi", "dsl", "matrix"]:
        calls[f"corrected_shares, {method}"] = lambda method=method: validity.corrected_shares(
            data, "stance", truth="truth", by="group", method=method, **common
        )
    print("10,000 draws over 100,000 statements of 20,000 articles (accuracy: of 100,000 clusters)")
    for name, call in calls.items():
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        print(f"  {name:26} {time.perf_counter() - wall:6.1f} s  (CPU {time.process_time() - cpu:5.1f} s)", flush=True)


def main() -> None:
    """Print speed, then coverage by design and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=400, help="simulated samples per design")
    times = parser.parse_args().times
    speed()
    designs = {"simple random": {}, "stratified by group and code": {"by": ["g", "m"], "allocation": "equal"}}
    for name, design in designs.items():
        for method in ["ppi", "dsl", "matrix"]:
            row = coverage(times, method, seed=9, **design).round(3)
            print(f"{name}, {method}, {times} samples: {row.to_dict()}", flush=True)


if __name__ == "__main__":
    main()
