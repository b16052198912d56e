"""The command line: `python -m analysis COMMAND`. Exit status 0: done, 1: failed, 2: wrong use."""

import argparse
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

    command = commands.add_parser("train", help="train the encoder again (needs the development data and torch)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="first seed (default 0)")
    command.set_defaults(run=_train)

    command = commands.add_parser("doctor", help="check that everything the package needs is in place")
    command.set_defaults(run=_doctor)

    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, TypeError, FileNotFoundError) as error:
        print(f"analysis {arguments.command}: {error}", file=sys.stderr)
        return 2


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


def _train(arguments: argparse.Namespace) -> int:
    from analysis.train import train

    train(seed=arguments.seed, report=lambda line: print(line, file=sys.stderr, flush=True))
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from analysis.doctor import examine

    results = list(examine())
    for name, problem in results:
        print(f"{'ok  ' if problem is None else 'FAIL'}  {name}{'' if problem is None else ': ' + problem}")
    print(f"analysis {metadata.version('encryption-framing')}, Python {sys.version.split()[0]}")
    return int(any(problem for _, problem in results))


if __name__ == "__main__":
    sys.exit(main())
