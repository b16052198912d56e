"""Checks of the installation: each says what is wrong and what to do."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from analysis import codebook
from analysis.reproduce import ROOT


def examine(root: Path = ROOT) -> Iterator[tuple[str, str | None]]:
    """Yield the name of each check with None, or with the problem in words."""
    for name, check in _CHECKS.items():
        try:
            yield name, check(root)
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            yield name, f"{type(error).__name__}: {error}"


def _python(root: Path) -> str | None:
    return None if sys.version_info >= (3, 11) else f"Python {sys.version.split()[0]}; use 3.11 or later"


def _packages(root: Path) -> str | None:
    pins = root / "requirements.txt"
    if not pins.exists():
        return "requirements.txt is missing; run from a checkout"
    lines = [line.strip() for line in pins.read_text(encoding="utf-8").splitlines() if "==" in line]
    wrong = []
    for name, wanted in (line.split("==") for line in lines):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "none"
        if found != wanted:
            wrong.append(f"{name} {found} (pinned {wanted})")
    return f"{', '.join(wrong)}; run `pip install -r requirements.txt`" if wrong else None


def _data(root: Path) -> str | None:
    from analysis.corpus import read_articles, read_events, read_statements

    for folder, codes in (("coverage", "statements.csv"), ("sample", "codes.csv")):
        articles = read_articles(root / "data" / folder / "articles.csv")
        read_statements(root / "data" / folder / codes, articles=articles)
    read_events(root / "data" / "coverage" / "events.csv")
    return None


def _codebook(root: Path) -> str | None:
    return None if "stance" in codebook.variables() else "resources/codebook.toml is damaged; reinstall"


def _fonts(root: Path) -> str | None:
    from matplotlib import font_manager

    path = font_manager.findfont("DejaVu Sans", fallback_to_default=False)
    return None if Path(path).exists() else "DejaVu Sans is missing; reinstall matplotlib"


def _kernel(root: Path) -> str | None:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return "no kernel named python3; run `pip install ipykernel`"
    return None


def _writable(root: Path) -> str | None:
    with tempfile.TemporaryFile(dir=root), tempfile.TemporaryFile():
        return None


_CHECKS: dict[str, Callable[[Path], str | None]] = {
    "Python": _python,
    "packages as pinned": _packages,
    "codebook": _codebook,
    "data follow the schema": _data,
    "font": _fonts,
    "Jupyter kernel": _kernel,
    "folders can be written": _writable,
}
