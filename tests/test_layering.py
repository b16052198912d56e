"""The house: imports point only downward, the public names are pinned, and importing is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import analysis

PACKAGE = Path(analysis.__file__).parent
# every module with the layer it stands on; a module may import only from lower layers
LAYERS = [
    ["_check", "_files"],
    ["codebook", "_audit", "_augment", "_clusters", "_copies", "_dates", "_documents", "_exports", "_extract", "_fetch",
     "_find", "_journal", "_quotes"],
    ["_clean", "_readers"],
    ["_html", "compare", "corpus", "encoder", "figures", "text"],
    ["_attribution", "_board", "_network", "_sources", "_speakers", "lexicon", "sentiment", "stance", "validity"],
    ["collect", "explore", "framing", "handcode", "reproduce", "statements", "train"],
    ["coding", "dashboard", "doctor", "release"],
    ["__main__"],
]  # fmt: skip
LAYER = {name: i for i, names in enumerate(LAYERS) for name in names}
PUBLIC = [
    "accuracy", "adjusted", "agreement", "arrange", "attributions", "audit", "boilerplate", "calibration", "clean",
    "close_reading", "code", "collect", "collocations", "concordance", "confusion", "copies", "copy_sensitivity",
    "copy_weights", "corrected_differences", "corrected_shares", "dashboard", "differences", "entailment", "explore",
    "fit_stance", "flow", "frames", "hand_code", "in_words", "item_log", "keyness", "match", "mean_sentiment", "means",
    "multiverse", "ngrams", "period", "plan_sample", "read_articles", "read_events", "read_lexicon", "read_statements",
    "reading_report", "release", "sample", "sentences", "sentiment", "shares", "spans", "speakers", "stance",
    "statements", "tokenize", "tone", "trend", "word_shift", "write_articles",
]  # fmt: skip


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "analysis":
            yield from (alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("analysis."))


def test_every_module_has_a_layer():
    assert {p.stem for p in PACKAGE.glob("*.py")} - {"__init__"} == set(LAYER)


@pytest.mark.parametrize("name", sorted(LAYER))
def test_imports_point_downward(name):
    for other in imported(PACKAGE / f"{name}.py"):
        assert LAYER[other] < LAYER[name], f"{name} imports {other}"


def test_public_names_are_pinned():
    assert sorted(PUBLIC) == analysis.__all__
    assert all(callable(getattr(analysis, name)) and getattr(analysis, name).__doc__ for name in PUBLIC)
    with pytest.raises(AttributeError, match="no attribute 'share'"):
        _ = analysis.share


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, analysis; print(sorted({'pandas', 'matplotlib', 'scipy', 'nltk'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_version_stands_in_one_place():
    text = {p.name: p.read_text(encoding="utf-8") for p in PACKAGE.parent.glob("*.*") if p.suffix in (".toml", ".cff")}
    assert not any(f'"{analysis.__version__}"' in t or f"version: {analysis.__version__}" in t for t in text.values())
