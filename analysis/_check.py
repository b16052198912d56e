"""Argument checks that every module shares: each names the parameter, the value found and what would work."""

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Real

import pandas as pd


def listed(options: Iterable) -> str:
    """Options as prose, for an error message.

    >>> listed(["favour", "against"])
    "'favour' or 'against'"
    """
    names = [repr(option) for option in options]
    return " or ".join(([", ".join(names[:-1])] if names[:-1] else []) + names[-1:])


def option(value: object, options: Iterable, name: str) -> object:
    """Return `value` if it is one of `options`, else raise ValueError that lists them."""
    options = list(options)
    if not any(value is o or (isinstance(value, type(o)) and value == o) for o in options):
        raise ValueError(f"{name}={value!r} is not known; use {listed(options)}")
    return value


def text(value: pd.Series, name: str = "text") -> pd.Series:
    """Return `value` if it is a Series of strings and missing values, else raise TypeError naming the first other."""
    if not isinstance(value, pd.Series):
        hint = "; wrap it: pd.Series([...])" if isinstance(value, (str, list, tuple)) else ""
        raise TypeError(f"{name} must be a pandas Series of strings, not {type(value).__name__}{hint}")
    if isinstance(value.dtype, pd.StringDtype):
        return value
    for label, item in value.items():
        if not isinstance(item, str) and not _missing(item):
            raise TypeError(
                f"{name} holds a {type(item).__name__} at index {label!r}: {str(item)[:40]!r}; "
                "it must hold strings, or missing values"
            )
    return value


def _missing(item: object) -> bool:
    return item is None or item is pd.NA or item is pd.NaT or (isinstance(item, float) and item != item)


def frame(value: pd.DataFrame, columns: Iterable[str] = (), name: str = "data") -> pd.DataFrame:
    """Return `value` if it is a DataFrame with `columns`, else raise TypeError or ValueError naming what is missing."""
    if not isinstance(value, pd.DataFrame):
        raise TypeError(f"{name} must be a pandas DataFrame, not {type(value).__name__}")
    have = list(map(str, value.columns))
    for column in columns:
        if column not in value.columns:
            near = get_close_matches(str(column).casefold(), [h.casefold() for h in have], n=1)
            hint = f"; did you mean {next(h for h in have if h.casefold() == near[0])!r}?" if near else ""
            raise ValueError(f"{name} has no column {column!r}; it has {listed(have) or 'no columns'}{hint}")
    return value


def names(value: str | list[str] | None, name: str) -> list[str]:
    """Column names as a list: one name, a list of names, or None for none."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return list(value)
    raise TypeError(f"{name} must be a column name or a list of them, not {value!r}")


def fraction(value: float, name: str) -> float:
    """Return `value` if it lies strictly between 0 and 1, else raise ValueError."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < value < 1:
        raise ValueError(f"{name}={value!r} must be a number between 0 and 1, such as 0.95")
    return float(value)


def whole(value: int, name: str, least: int = 0) -> int:
    """Return `value` if it is a whole number of at least `least`, else raise ValueError."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r} must be a whole number of at least {least}")
    return int(value)
