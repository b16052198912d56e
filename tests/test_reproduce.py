"""Executing notebooks: bytes that stay the same, failures that say where, nothing half-written."""

import ast
import json
import os
import subprocess
import sys

import nbformat
import pytest

from analysis import __main__, doctor, reproduce
from analysis.reproduce import ROOT, ReproduceError

FIGURE = """
import pandas as pd
from analysis import figures
fig, ax = figures.figure(height=1)
figures.save_figure(fig, "../figures/01-a", alt="Nothing.", data=pd.DataFrame({"x": [1]}), caption="Invented, n = 1.")
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "notebooks").mkdir()

    def write(name, *cells):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")
        return tmp_path

    return write


def files(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_run_writes_figures_and_the_check_passes_then_fails_on_a_change(project):
    root = project("01-a", FIGURE, "1 + 1")
    lines = []
    assert reproduce.reproduce(root=root, report=lines.append) == ["01-a.ipynb"]
    assert lines[0].startswith("01-a.ipynb")
    made = files(root)
    assert {"figures/01-a.csv", "figures/01-a.png", "figures/index.html", "figures/manifest.json"} <= set(made)
    assert b"Nothing." in made["figures/index.html"]
    reproduce.reproduce(root=root, check=True)
    assert files(root) == made, "a check writes nothing"

    (root / "figures" / "01-a.csv").write_text("x\n2\n", encoding="utf-8")
    with pytest.raises(ReproduceError, match=r"figures/01-a.csv: the file is not the one the manifest names"):
        reproduce.reproduce(root=root, check=True)
    (root / "figures" / "01-a.csv").write_bytes(made["figures/01-a.csv"])
    path = root / "notebooks" / "01-a.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace('"2"', '"3"'), encoding="utf-8")
    with pytest.raises(ReproduceError, match=r"notebooks/01-a.ipynb: cell 2 differs"):
        reproduce.reproduce(root=root, check=True)


def test_another_matplotlib_is_compared_by_data(project, capsys):
    root = project("01-a", FIGURE)
    reproduce.reproduce(root=root)
    path = root / "figures" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | {"matplotlib": "0.1"}), encoding="utf-8")
    reproduce.reproduce(root=root, check=True)
    assert "compared by their data alone" in capsys.readouterr().err


def test_a_failing_cell_is_named_and_nothing_is_overwritten(project):
    root = project("01-a", "x = 1", "raise KeyError('gone')")
    before = files(root)
    with pytest.raises(ReproduceError, match=r"01-a.ipynb, cell 2: KeyError: 'gone'"):
        reproduce.reproduce(root=root)
    after = files(root)
    kept = after.pop("build/failed/01-a.ipynb")
    assert after == before
    assert b"gone" in kept


def test_output_on_stderr_is_a_failure(project):
    with pytest.raises(ReproduceError, match="cell 1: wrote to stderr: careful"):
        reproduce.reproduce(root=project("01-a", "import sys; print('careful', file=sys.stderr)"))


def test_unknown_notebooks_and_empty_folders_are_refused(project, tmp_path):
    root = project("01-a", "1")
    with pytest.raises(ValueError, match="only='09' is not known; use '01'"):
        reproduce.reproduce(root=root, only=["09"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no notebooks"):
        reproduce.reproduce(root=tmp_path / "empty")


def test_hostile_surroundings_change_nothing(project):
    """No writable home, a C locale, another hash seed, a far time zone, another current directory, umask 002."""
    root = project("01-a", FIGURE, "import locale, time; {'b', 'a', 'c'}")
    reproduce.reproduce(root=root)
    code = (
        "import os, sys, pathlib; os.umask(0o002); from analysis.reproduce import reproduce; "
        "reproduce(root=pathlib.Path(sys.argv[1]), check=True)"
    )
    environment = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(ROOT), "SYSTEMROOT": os.environ.get("SYSTEMROOT", ""),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_committed_notebooks_are_executed_in_order_and_clean():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = [c for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
        assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1)), path.name
        text = path.read_text(encoding="utf-8")
        for trace in ("0x7f", "ipykernel_", "/home/", "/tmp/", "Traceback"):
            assert trace not in text, f"{path.name} holds {trace}"
        functions = [f for c in cells for f in ast.walk(ast.parse(c.source)) if isinstance(f, ast.FunctionDef)]
        for f in functions:
            assert f.end_lineno - f.lineno <= 3, f"{path.name}: {f.name} belongs in the library"


def test_every_figure_says_what_it_shows():
    manifest = json.loads((ROOT / "figures" / "manifest.json").read_text(encoding="utf-8"))
    for name, entry in manifest["figures"].items():
        assert len(entry["alt"]) > 40, name
        caption = entry["caption"]
        assert "real" in caption.lower() or "invented" in caption.lower(), name
        assert "n = " in caption or "sentences" in caption or "n beside" in caption, name
        assert "interval" in caption, name
        assert (ROOT / "figures" / f"{name}.pdf").exists()


def test_the_readme_figure_has_the_number_the_readme_names():
    manifest = json.loads((ROOT / "figures" / "manifest.json").read_text(encoding="utf-8"))
    number = manifest["figures"]["04-side-by-group"]["caption"].split("n = ")[1].split()[0]
    assert f"in {number} statements" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_command_line(capsys):
    assert __main__.main(["reproduce", "--only", "99"]) == 2
    assert "only='99' is not known" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        __main__.main(["reprodcue"])
    assert wrong.value.code == 2


def test_doctor_finds_nothing_wrong_and_names_what_is(tmp_path):
    wrong = {name: problem for name, problem in doctor.examine() if problem}
    assert not wrong
    elsewhere = dict(doctor.examine(tmp_path))
    assert "requirements.txt is missing" in elsewhere["packages as pinned"]
    assert "no such file" in elsewhere["data follow the schema"]
