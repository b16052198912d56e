"""How news coverage frames encryption against child safety: read, measure, compare, draw.

The public names are loaded on first use, so that `import analysis` costs next to nothing.
"""

import sys
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_HOME = {
    "coding": ["code"],
    "compare": [
        "adjusted", "arrange", "differences", "in_words", "keyness", "means", "period", "shares", "trend", "word_shift",
    ],
    "_copies": ["copy_sensitivity", "copy_weights"],
    "collect": ["collect"],
    "corpus": [
        "audit", "boilerplate", "clean", "copies", "flow", "item_log", "read_articles", "read_events",
        "read_statements", "reading_report", "write_articles",
    ],
    "dashboard": ["dashboard"],
    "explore": ["close_reading", "explore"],
    "framing": ["frames"],
    "handcode": ["hand_code"],
    "lexicon": ["match", "read_lexicon"],
    "release": ["release"],
    "sentiment": ["mean_sentiment", "sentiment", "tone"],
    "stance": ["entailment", "fit_stance", "stance"],
    "statements": ["attributions", "speakers", "statements"],
    "text": ["collocations", "concordance", "ngrams", "sentences", "spans", "tokenize"],
    "validity": [
        "accuracy", "agreement", "calibration", "confusion", "corrected_differences", "corrected_shares", "multiverse",
        "plan_sample", "sample",
    ],
}  # fmt: skip
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


class _Package(ModuleType):
    """`analysis.sentiment` is the function, also once the module of that name has been imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in _PLACE):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
