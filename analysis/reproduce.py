"""Execute the notebooks, write the figures, their manifest and one page; or check them against what is committed.

Everything runs in a temporary copy of `notebooks/` and `data/`, so that a failure leaves the committed files as they
were. Notebooks come out byte for byte the same in every run: no times, paths, process numbers or widget state.
"""

import asyncio
import base64
import hashlib
import html
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

from analysis import __version__, _check, figures

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path("build") / "failed"  # where the notebook of a failed run stays for inspection
_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python", "pygments_lexer": "ipython3"}
_VIEW = "application/vnd.jupyter.widget-view+json"  # names an object of the kernel, by chance; HTML stands beside it
_IMAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")


class ReproduceError(Exception):
    """A notebook failed, or what it made differs from what is committed; the message says which and how."""


def reproduce(
    *,
    root: Path = ROOT,
    check: bool = False,
    only: list[str] | None = None,
    jobs: int = 1,
    report: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Execute the notebooks under `root` in the order of their names and put the results in place.

    `only` keeps notebooks whose name starts with one of the given strings ("04"). `jobs` runs that many at a time.
    `report` is called with a line for each notebook. With `check`, nothing is written: the executed notebooks and the
    figures are compared with those committed. Figures made by another version of matplotlib are compared by the data
    they plot alone, since it draws about a tenth of the pixels otherwise.

    Returns the names of the notebooks executed. Raises ReproduceError if a cell fails or, with `check`, anything
    differs; FileNotFoundError if `root` has no notebooks; ValueError for an unknown notebook.
    """
    source = root / "notebooks"
    names = sorted(p.name for p in source.glob("[0-9]*.ipynb"))
    if not names:
        raise FileNotFoundError(f"{source}: no notebooks; run from a checkout installed with `pip install -e .`")
    for part in only or []:
        if not any(name.startswith(part) for name in names):
            raise ValueError(f"only={part!r} is not known; use {_check.listed(n.split('-')[0] for n in names)}")
    chosen = [n for n in names if not only or n.startswith(tuple(only))]
    with tempfile.TemporaryDirectory(prefix="analysis-") as folder:
        work = Path(folder)
        shutil.copytree(source, work / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        shutil.copytree(root / "data", work / "data")
        environment = _environment(work)

        def run(name: str) -> str | None:
            began = time.monotonic()
            failure = _execute(work / "notebooks" / name, environment)
            report(f"{name:32} {'FAILED' if failure else f'{time.monotonic() - began:5.1f} s'}")
            return failure

        with ThreadPoolExecutor(_check.whole(jobs, "jobs", 1)) as pool:
            failures = [f for f in pool.map(run, chosen) if f]
        if failures:
            kept = root / KEPT
            kept.mkdir(parents=True, exist_ok=True)
            for name in chosen:
                shutil.copyfile(work / "notebooks" / name, kept / name)
            raise ReproduceError("\n".join([*failures, f"the executed notebooks are kept in {kept}"]))
        made = work / "figures"
        made.mkdir(exist_ok=True)
        manifest = _manifest(made, root / "figures", whole=not only)
        (made / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if check:
            _compare(work, root, chosen, manifest, whole=not only)
        else:
            _place(work, root, chosen, whole=not only)
            (root / "figures" / "index.html").write_text(_page(root / "figures", manifest), encoding="utf-8")
    return chosen


def _environment(work: Path) -> dict[str, str]:
    """What the kernels see: nothing of the user's home, locale, time zone or configuration."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "LC_", "PYTHON"))}
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        (work / "home" / name).mkdir(parents=True)
        environment[name] = str(work / "home" / name)
    fixed = {"HOME": str(work / "home"), "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # a checkout need not be installed to be run from its own folder
    return environment | fixed | threads | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


def _execute(path: Path, environment: dict[str, str]) -> str | None:
    """Execute the notebook in place; return None, or the failure in words."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    manager = client.create_kernel_manager()  # made here, so that the client still owns it and shuts it down
    manager.connection_file = str(Path(environment["JUPYTER_RUNTIME_DIR"]) / f"{path.stem}.json")
    manager.transport_encryption = "auto"
    failure = None
    try:
        asyncio.run(client.async_execute(env=environment))
    except CellExecutionError as error:
        cell = next(
            i for i, c in enumerate(notebook.cells) if any(o.output_type == "error" for o in c.get("outputs", []))
        )
        failure = f"{path.name}, cell {cell + 1}: {error.ename}: {error.evalue}"
    except DeadKernelError as error:
        failure = f"{path.name}: {error}"
    notebook.metadata = nbformat.from_dict({"kernelspec": _KERNELSPEC, "language_info": _LANGUAGE})
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i + 1:02d}"
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in ("jupyter", "tags")}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(_VIEW, None)
            if output.output_type == "stream" and output.name == "stderr" and not failure:
                failure = f"{path.name}, cell {i + 1}: wrote to stderr: {output.text.strip().splitlines()[-1]}"
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return failure


def _manifest(made: Path, committed: Path, *, whole: bool) -> dict:
    """Name, text and digests of every figure; with only some notebooks run, the other entries stay."""
    import matplotlib as mpl

    entries = {}
    if not whole and (committed / "manifest.json").exists():
        entries = json.loads((committed / "manifest.json").read_text(encoding="utf-8"))["figures"]
    for png in made.glob("*.png"):
        entries[png.stem] = figures.describe(png) | {
            f"{kind}_sha256": hashlib.sha256(png.with_suffix(f".{kind}").read_bytes()).hexdigest()
            for kind in ("svg", "pdf")
        }
    return {"package": __version__, "matplotlib": mpl.__version__, "figures": dict(sorted(entries.items()))}


def _place(work: Path, root: Path, chosen: list[str], *, whole: bool) -> None:
    target = root / "figures"
    target.mkdir(exist_ok=True)
    made = [*(work / "figures").iterdir(), *(work / "notebooks" / name for name in chosen)]
    for file in made:
        place = (target if file.parent.name == "figures" else root / "notebooks") / file.name
        fresh = place.with_name(f".{place.name}.new")
        shutil.copyfile(file, fresh)
        os.replace(fresh, place)
    if whole:
        for old in target.iterdir():
            if old.is_file() and old.name != "index.html" and not (work / "figures" / old.name).exists():
                old.unlink()


def _compare(work: Path, root: Path, chosen: list[str], manifest: dict, *, whole: bool) -> None:
    problems = []
    try:
        committed = json.loads((root / "figures" / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReproduceError(f"{root / 'figures' / 'manifest.json'} is missing; run `reproduce` first") from None
    same_drawing = committed["matplotlib"] == manifest["matplotlib"]
    for name in chosen:
        old, new = ((folder / "notebooks" / name).read_text(encoding="utf-8") for folder in (root, work))
        if not same_drawing:
            old, new = _IMAGE.sub("", old), _IMAGE.sub("", new)
        if old != new:
            problems.append(f"notebooks/{name}: {_first_difference(old, new)}")
    for name in sorted(committed["figures"].keys() | manifest["figures"].keys()):
        old, new = committed["figures"].get(name), manifest["figures"].get(name)
        if old is None or new is None:
            problems.append(f"figures/{name}: {'not committed' if old is None else 'no longer made'}")
            continue
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key) and (same_drawing or key in ("alt", "caption", "data_sha256")):
                problems.append(f"figures/{name}: {key.replace('_sha256', '')} differs")
        for kind in ("csv", "png", "svg", "pdf"):
            file = root / "figures" / f"{name}.{kind}"
            wanted = old["data_sha256" if kind == "csv" else f"{kind}_sha256"]
            if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != wanted:
                problems.append(f"figures/{name}.{kind}: the file is not the one the manifest names")
    if not same_drawing:
        sys.stderr.write(f"made with matplotlib {committed['matplotlib']}: images are compared by their data alone\n")
    if problems:
        raise ReproduceError("\n".join([f"{len(problems)} difference(s) from what is committed:", *problems]))


def _first_difference(old: str, new: str) -> str:
    for cell, (a, b) in enumerate(zip(json.loads(old)["cells"], json.loads(new)["cells"], strict=False), 1):
        if a != b:
            return f"cell {cell} differs"
    return "the number of cells or the metadata differs"


def _page(folder: Path, manifest: dict) -> str:
    """One page with every figure, its caption and its alternative text, that needs no other file."""
    parts = []
    for name, entry in manifest["figures"].items():
        code = base64.b64encode((folder / f"{name}.png").read_bytes()).decode("ascii")
        alt, caption = html.escape(entry["alt"], quote=True), html.escape(entry["caption"])
        parts.append(
            f'<figure id="{name}"><img alt="{alt}" src="data:image/png;base64,{code}">'
            f"<figcaption><b>{name}.</b> {caption}</figcaption></figure>"
        )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Figures</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>body{font:16px/1.5 sans-serif;max-width:38em;margin:2em auto;padding:0 1em;color:#111;background:#fff}"
        "figure{margin:2.5em 0}img{width:100%;max-width:600px}figcaption{font-size:.9em}</style>"
        "<h1>How news coverage frames encryption against child safety: the figures</h1>"
        "<p>Made by <code>python -m analysis reproduce</code>. What each figure rests on, and how far to trust it, "
        "stands in the notebook whose number begins its name.</p>" + "\n".join(parts) + "</html>\n"
    )
