"""How news coverage frames encryption against child safety: read, measure, compare, draw."""

from analysis.compare import adjusted, arrange, differences, in_words, means, period, shares, trend
from analysis.corpus import read_articles, read_events, read_statements
from analysis.validity import agreement

__version__ = "0.1.0"

__all__ = [
    "adjusted",
    "agreement",
    "arrange",
    "differences",
    "in_words",
    "means",
    "period",
    "read_articles",
    "read_events",
    "read_statements",
    "shares",
    "trend",
]
