"""The command line: `python -m analysis COMMAND`. Exit status 0: done, 1: failed, 2: wrong use."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata

from analysis import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(prog="analysis", description="How news coverage frames encryption.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("reproduce", help="execute the notebooks and write the figures")
    command.add_argument("--check", action="store_true", help="compare with what is committed; write nothing")
    command.add_argument("--only", action="append", metavar="N", help="only the notebook with this number (repeatable)")
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="notebooks at a time (default 1)")
    command.set_defaults(run=_reproduce)

    command = commands.add_parser("collect", help="fetch the articles that lists, feeds or searches name")
    command.add_argument(
        "sources", nargs="+", metavar="SOURCE",
        help="a table with a column url, a .txt file of addresses, the address of a feed or sitemap, gdelt:QUERY, "
        "guardian:QUERY or mediacloud:QUERY",
    )  # fmt: skip
    command.add_argument("--out", required=True, metavar="DIR", help="private folder, new or to go on with")
    command.add_argument("--contact", help="your e-mail or web address, told to every site (default: ANALYSIS_CONTACT)")
    command.add_argument("--from", dest="since", metavar="DAY", help="first day, YYYY-MM-DD")
    command.add_argument("--to", dest="until", metavar="DAY", help="last day, YYYY-MM-DD")
    command.add_argument("--match", metavar="REGEX", help="what addresses from feeds and sitemaps must contain")
    command.add_argument("--delay", type=float, default=1.0, metavar="S", help="seconds between requests to a host (1)")
    command.add_argument("--workers", type=int, default=2, metavar="N", help="processes that extract text (default 2)")
    command.add_argument("--allow-private", action="store_true", help="also fetch from private addresses, for tests")
    command.set_defaults(run=_collect)

    command = commands.add_parser("code", help="code every statement of a file of articles")
    command.add_argument("input", metavar="INPUT", help="Parquet, CSV or JSON Lines file, or a folder of .txt files")
    command.add_argument("--out", required=True, metavar="FILE", help="statements, as .parquet or .csv")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine (default 1)")
    where.add_argument("--engine", choices=["dask"], help="let a cluster do it (needs the `cluster` extra)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="where the cluster's scheduler is, tcp://HOST:8786")
    command.set_defaults(run=_code)

    command = commands.add_parser("train", help="train the encoder again (needs the development data and torch)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="first seed (default 0)")
    command.add_argument("--threads", type=int, default=1, metavar="N", help="of torch (default 1)")
    command.add_argument("--teacher", action="store_true", help="train the teachers anew first (two hours more)")
    command.set_defaults(run=_train)

    command = commands.add_parser("release", help="bundle codes, addresses and digests for others; never article text")
    command.add_argument("--out", required=True, metavar="DIR", help="new folder for the bundle")
    command.add_argument("--articles", metavar="FILE", help="your articles (default: this study)")
    command.add_argument("--statements", metavar="FILE", help="their coded statements")
    command.add_argument("--codes", metavar="FILE", help="units that several coders coded, one row per unit and coder")
    command.add_argument("--unit", action="append", metavar="COLUMN", help="names the unit in CODES (repeatable)")
    command.set_defaults(run=_release)

    command = commands.add_parser("benchmark", help="measure speed and accuracy beside other tools")
    command.add_argument("name", nargs="*", metavar="NAME", help="a file of benchmarks/ (default: all but accuracy)")
    command.set_defaults(run=_benchmark)

    command = commands.add_parser("doctor", help="check that everything the package needs is in place")
    command.set_defaults(run=_doctor)

    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, TypeError, FileNotFoundError, FileExistsError) as error:
        print(f"analysis {arguments.command}: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:  # an extra that is not installed; the message says which
        print(f"analysis {arguments.command}: {error}", file=sys.stderr)
        return 1


def _reproduce(arguments: argparse.Namespace) -> int:
    from analysis.reproduce import ROOT, ReproduceError, reproduce

    try:
        done = reproduce(
            check=arguments.check,
            only=arguments.only,
            jobs=arguments.jobs,
            report=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except ReproduceError as error:
        print(f"analysis reproduce: {error}", file=sys.stderr)
        return 1
    what = "equal to what is committed" if arguments.check else f"figures and index.html are in {ROOT / 'figures'}"
    print(f"{len(done)} notebooks executed; {what}")
    return 0


def _collect(arguments: argparse.Namespace) -> int:
    from urllib.request import getproxies

    from analysis.collect import CollectError, collect, summary

    if getproxies():
        print("analysis collect: no proxy is used, since behind one no address can be checked", file=sys.stderr)

    def report(done: int, known: int) -> None:
        print(f"\r{done} of {known} articles", end="", file=sys.stderr, flush=True)

    options = {k: v for k, v in vars(arguments).items() if k not in ("command", "run")}
    failed = None
    try:
        log = collect(**options, report=report if sys.stderr.isatty() else None)
    except CollectError as error:
        failed, log = error, error.log
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr, flush=True)
        os._exit(1)  # all is written; threads that still wait for a site are not waited for
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(summary(log))
    print(f"the articles are in {arguments.out}/articles.jsonl, every loss in {arguments.out}/log.csv")
    if failed:
        print(f"analysis collect: {failed}", file=sys.stderr)
    return int(failed is not None)


def _code(arguments: argparse.Namespace) -> int:
    from concurrent.futures.process import BrokenProcessPool
    from pathlib import Path

    from analysis.coding import code_file

    if (arguments.engine is None) != (arguments.scheduler is None):
        raise ValueError("--engine dask and --scheduler ADDRESS go together; for this machine alone give --workers N")
    report = _bar if sys.stderr.isatty() else lambda done, total: None
    try:
        done = code_file(
            arguments.input, arguments.out, workers=arguments.workers, scheduler=arguments.scheduler, report=report
        )
    except FileNotFoundError:
        raise
    except KeyboardInterrupt:
        print("\nanalysis code: stopped; the same command goes on from here", file=sys.stderr)
        return 1
    except (OSError, BrokenProcessPool) as error:
        print(f"analysis code: {error}; the same command goes on from here", file=sys.stderr)
        return 1
    print(f"{done.statements:,} statements of {done.articles:,} articles are in {Path(arguments.out)}")
    if done.failures:
        failed = f"{len(done.failures):,} articles could not be coded and were skipped"
        print(f"analysis code: {failed}; they are listed in {arguments.out}.failures.csv", file=sys.stderr)
    return int(0 < done.articles == len(done.failures))


def _bar(done: int, total: int) -> None:
    """Draw how far a command is, over what was drawn before."""
    filled = 30 * done // total if total else 30
    line = f"\r[{'#' * filled}{'.' * (30 - filled)}] {done:,} of {total:,} articles"
    print(line, end="\n" * (done == total), file=sys.stderr, flush=True)


def _train(arguments: argparse.Namespace) -> int:
    from analysis.train import train

    settings = {"seed": arguments.seed, "threads": arguments.threads, "teacher": arguments.teacher}
    train(**settings, report=lambda line: print(line, file=sys.stderr, flush=True))
    return 0


def _release(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    import pandas as pd

    from analysis.corpus import read_articles, read_statements
    from analysis.release import release, study
    from analysis.reproduce import ROOT

    if (arguments.articles is None) != (arguments.statements is None):
        raise ValueError("--articles and --statements go together: name both files, or neither for this study")
    if arguments.articles is None:
        tables = study(ROOT / "data")
    else:
        articles = read_articles(arguments.articles)
        tables = {"articles": articles, "statements": read_statements(arguments.statements, articles=articles)}
        if arguments.codes:
            tables |= {"codes": pd.read_csv(arguments.codes), "unit": arguments.unit or ["article_id", "n"]}
    out = release(Path(arguments.out), **tables)
    print(f"{out}: {len(list(out.iterdir()))} files, and no article text; methods.md has the paragraph for the paper")
    return 0


def _benchmark(arguments: argparse.Namespace) -> int:
    import subprocess

    from analysis._check import option
    from analysis.reproduce import ROOT

    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))
    if not known:
        raise FileNotFoundError(f"{ROOT / 'benchmarks'}: no benchmarks; run from a checkout")
    failed = []
    for name in arguments.name or [k for k in known if k != "accuracy"]:  # that one trains for two hours
        print(f"## {option(name, known, 'name')}", flush=True)
        done = subprocess.run([sys.executable, ROOT / "benchmarks" / f"{name}.py"], check=False)  # noqa: S603
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"analysis benchmark: failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _doctor(arguments: argparse.Namespace) -> int:
    from analysis.doctor import examine

    results = list(examine())
    for name, problem in results:
        print(f"{'ok  ' if problem is None else 'FAIL'}  {name}{'' if problem is None else ': ' + problem}")
    print(f"analysis {metadata.version('encryption-framing')}, Python {sys.version.split()[0]}")
    return int(any(problem for _, problem in results))


if __name__ == "__main__":
    sys.exit(main())
