"""How news coverage frames encryption against child safety: read, measure, compare, draw.

The public names are loaded on first use, so that `import analysis` costs next to nothing.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "compare": [
        "adjusted",
        "arrange",
        "differences",
        "in_words",
        "keyness",
        "means",
        "period",
        "shares",
        "trend",
        "word_shift",
    ],
    "corpus": ["read_articles", "read_events", "read_statements"],
    "validity": ["agreement"],
}
_PLACE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_PLACE)


def __getattr__(name: str) -> object:
    if name not in _PLACE:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    value = getattr(import_module(f"analysis.{_PLACE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
