"""The codebook as data: which values each coded variable may take, and what they mean."""

import tomllib
from functools import cache
from importlib.resources import files

from analysis import _check

RESOURCES = files("analysis") / "resources"


@cache
def _book() -> dict:
    return tomllib.loads((RESOURCES / "codebook.toml").read_text(encoding="utf-8"))


def variables() -> list[str]:
    """Names of the coded variables.

    >>> "stance" in variables()
    True
    """
    return [name for name, entry in _book().items() if isinstance(entry, dict) and name != "labels"]


def values(variable: str) -> list[str]:
    """Values that `variable` may take, in the codebook's reading order.

    >>> values("stance")
    ['favour', 'mixed', 'neutral', 'against', 'not_addressed']
    """
    return list(_book()[_check.option(variable, variables(), "variable")])


def definitions(variable: str) -> dict[str, str]:
    """Each value of `variable` with its short definition.

    >>> definitions("frame")["geopolitics"]
    'relations among states; foreign or hostile states'
    """
    return dict(_book()[_check.option(variable, variables(), "variable")])


def label(value: str) -> str:
    """Return a value as a reader would write it.

    >>> label("child_safety_ngo"), label("e2ee"), label("not_addressed")
    ('child-safety NGO', 'end-to-end encryption', 'not addressed')
    """
    return _book()["labels"].get(value, str(value).replace("_", " "))
