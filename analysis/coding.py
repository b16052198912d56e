"""From articles to coded statements: who says what, for or against, and what is at stake.

`statements` finds who says what, `stance` and `frames` code it; this module joins the three into one table, in memory
(`code`) or from file to file (`code_file`, the command line's `code`). Articles go through in blocks of a fixed size.
What a block gives depends on its articles alone, so neither the number of processes nor a restart changes a code.
"""

import csv
import hashlib
import json
import os
import socket
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import cache, partial
from importlib.util import find_spec
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis import __version__, _check, encoder
from analysis._documents import inert
from analysis.codebook import RESOURCES
from analysis.framing import frames
from analysis.stance import stance
from analysis.statements import _span, statements
from analysis.text import _bounds

if TYPE_CHECKING:
    import pyarrow as pa

_READ = ["title", "text", "type", "outlet"]  # columns of articles that the codes depend on
_BLOCK = 64  # articles coded at a time; a part of an unfinished file holds so many
_PARTS_PER_GROUP = 32  # parts that one row group of the finished Parquet file joins
_AT_ONCE = 512  # statements whose vectors are in memory at a time
_PATIENCE = 20  # seconds until a cluster without a scheduler, or without workers, is given up
_COLUMNS = [
    "article_id", "n", "sentence", "start", "end", "position", "speaker", "speaker_group", "attribution", "verb",
    "colour", "target", "stance", "frame", "frame_second", "confidence", "evidence",
]  # fmt: skip


class Coded(NamedTuple):
    """What `code_file` did: how many articles it read, how many statements it wrote, which articles it skipped."""

    articles: int
    statements: int
    failures: list[dict[str, str]]


def code(articles: pd.DataFrame, *, workers: int = 1) -> pd.DataFrame:
    """Code every relevant statement: who speaks, for or against encryption, and what is at stake.

    One row of `articles` is one article, as `read_articles` returns it: index `article_id`, columns `title` and `text`,
    and, where they are there, `type` and `outlet`. Returns the rows of `statements`, in its order, with

    - `article_id` to `verb` (and its `colour`) as `statements` gives them; where its rules find no group for a speaker,
      the likeliest by the encoder;
    - `target`: the likeliest of the three by the encoder, which tells them apart better than the words named;
    - `stance` of the speaker toward encryption, as `stance` gives it for the statement's own characters, with what goes
      before it, back to the start of the previous sentence, as context (none for a headline or an opening sentence);
    - `frame` and `frame_second`, as `frames` gives them for the same characters and context;
    - `confidence`: the probability of the side (favour, neutral, against) that `stance` belongs to, 0 to 1;
    - `evidence`: a list of dicts `start`, `end`, `cue`, `rule`, in characters of `text` (of `title` in a headline): the
      cues of the attribution with their rules, then the words that carried the stance and the frame, with the rules
      "stance" and "frame".

    Sentences that name no target are not in the table, and are not coded. An article that raises is skipped and
    reported: in a warning, and in `.attrs["failures"]`, a list with `article_id`, `error` and `message` for each.
    `workers` processes share the work (a script that uses more than one must guard its main part with
    `if __name__ == "__main__":`); the result is the same with any number. Raises TypeError or ValueError where
    `articles` is no table of articles.

    Method: the codebook; see `statements`, `stance` and `frames` for theirs.

    >>> articles = pd.DataFrame(
    ...     {"title": ["New rules for messages"],
    ...      "text": ["“Encryption keeps families safe,” said Jo Lee, the minister."]},
    ...     index=pd.Index(["a1"], name="article_id"))
    >>> coded = code(articles)
    >>> coded[["speaker", "speaker_group", "verb", "target"]].values.tolist()
    [['Jo Lee', 'government', 'say', 'e2ee']]
    >>> coded["stance"].isin(["favour", "mixed", "neutral", "against", "not_addressed"]).all()
    np.True_
    >>> coded.attrs["failures"]
    []
    """
    _check.frame(articles, ["title", "text"], "articles")
    _check.whole(workers, "workers", 1)
    articles = articles[[name for name in _READ if name in articles]]
    blocks = [articles.iloc[i : i + _BLOCK] for i in range(0, max(len(articles), 1), _BLOCK)]
    done = list(_in_order(blocks, min(workers, len(blocks))))
    table = pd.concat([table for table, _ in done], ignore_index=True)
    failures = [failure for _, failed in done for failure in failed]
    table.attrs["failures"] = failures
    if failures:
        warnings.warn(
            f"{len(failures)} of {len(articles)} articles could not be coded and were skipped, the first "
            f"{failures[0]['article_id']!r} ({failures[0]['error']}: {failures[0]['message']}); all are in "
            '.attrs["failures"]',
            RuntimeWarning,
            stacklevel=2,
        )
    return table


# --- one block ------------------------------------------------------------------------------------------------------


def _coded(articles: pd.DataFrame) -> tuple[pd.DataFrame, list[dict]]:
    """Codes of a block, and the articles that raise: found by halving, so that a good block costs one attempt."""
    try:
        return _block(articles), []
    except Exception as error:  # whatever is wrong with one article must not cost the others
        if len(articles) == 1:
            label = articles.index[0]
            return _block(articles[:0]), [
                {"article_id": label, "error": type(error).__name__, "message": " ".join(str(error).split())[:300]}
            ]
    half = len(articles) // 2
    (first, failed), (second, also) = _coded(articles[:half]), _coded(articles[half:])
    return pd.concat([first, second], ignore_index=True), failed + also


def _block(articles: pd.DataFrame) -> pd.DataFrame:
    for name in ("title", "text"):
        _check.text(articles[name], name)
    found = statements(articles.set_axis(range(len(articles))))  # labels may repeat, places do not
    place = found["article_id"].to_numpy(dtype=int)
    texts, titles = articles["text"].tolist(), articles["title"].tolist()
    starts = {i: [start for start, _ in _bounds(texts[i])] for i in set(place) if isinstance(texts[i], str)}
    said, before = [], []
    for i, sentence, start, end in zip(place, found["sentence"], found["start"], found["end"], strict=True):
        is_title = sentence is pd.NA
        said.append((titles if is_title else texts)[i][start:end])
        before.append("" if is_title else texts[i][starts[i][max(0, sentence - 1)] : start].strip())
    codes = _codes(pd.Series(said, dtype="str"), pd.Series(before, dtype="str"))
    found["article_id"] = articles.index.take(place)
    found["sentence"] = found["sentence"].astype("Int64")
    found["evidence"] = pd.Series(
        [
            [
                *cues,
                *(_span(start + c["start"], start + c["end"], c["cue"], rule) for rule in added for c in added[rule]),
            ]
            for cues, start, added in zip(found["evidence"], found["start"], codes.pop("evidence"), strict=True)
        ],
        dtype=object,
    )
    group, found["target"] = codes.pop("group"), codes.pop("target")
    found["speaker_group"] = found["speaker_group"].mask(found["speaker_group"].eq("unnamed"), group)
    return found.join(codes)[_COLUMNS]


def _codes(said: pd.Series, before: pd.Series) -> pd.DataFrame:
    """Codes of statements from one pass of the encoder; `evidence` maps a rule to its words."""
    pieces = []
    for i in range(0, max(len(said), 1), _AT_ONCE):
        text, context = said[i : i + _AT_ONCE], before[i : i + _AT_ONCE]
        with encoder.shared():
            sides, stakes = stance(text, context=context), frames(text, context=context)
            p = encoder.heads(text, context=context, names=["speaker_group", "target"])
        piece = sides[["stance", "confidence"]].join(stakes[["frame", "frame_second"]])
        piece["group"] = encoder.likeliest(p["speaker_group"])
        piece["target"] = encoder.likeliest(p["target"].drop(columns="none"))
        pairs = zip(sides["evidence"], stakes["evidence"], strict=True)
        piece["evidence"] = pd.Series([{"stance": a, "frame": b} for a, b in pairs], index=text.index, dtype=object)
        pieces.append(piece)
    return pd.concat(pieces)


def _in_order(blocks: Iterable[pd.DataFrame], workers: int) -> Iterator[tuple[pd.DataFrame, list[dict]]]:
    """Code blocks in their order, in this process or in others."""
    if workers == 1:
        yield from map(_coded, blocks)
        return
    # A fresh process rather than a copy of this one: a copy would inherit locks that its threads never release.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_with_parent)
    try:
        yield from _results(blocks, partial(pool.submit, _coded), lambda: workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _results(
    blocks: Iterable[pd.DataFrame], submit: Callable[[pd.DataFrame], Any], workers: Callable[[], int]
) -> Iterator[tuple[pd.DataFrame, list[dict]]]:
    """Results in the order of the blocks; two for each worker wait at a time, so that memory stays flat."""
    waiting: deque = deque()
    for block in blocks:
        waiting.append(submit(block))
        if len(waiting) > 2 * workers():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _on_cluster(
    blocks: Iterable[pd.DataFrame], scheduler: str, mine: dict[str, str]
) -> Iterator[tuple[pd.DataFrame, list[dict]]]:
    """Code blocks in their order on the threads of a Dask cluster, whose `_method` must be `mine`."""
    from distributed import Client, KilledWorker
    from distributed.comm import get_address_host_port

    try:  # a client that finds no scheduler leaves threads behind, so knock first
        socket.create_connection(get_address_host_port(scheduler), timeout=_PATIENCE).close()
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"scheduler={scheduler!r}: no Dask scheduler answers there; start one with `dask scheduler`, its workers "
            "with `dask worker ADDRESS`, and give the address that it prints, as in tcp://127.0.0.1:8786"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError as error:
            raise ValueError(f"scheduler={scheduler!r} has no workers; start one with `dask worker ADDRESS`") from error
        for worker, theirs in client.run(_method).items():
            if theirs != mine:
                raise ValueError(
                    f"the worker {worker} has another package or other weights ({theirs['package']}, "
                    f"{theirs['weights'][:8]}) than this machine ({mine['package']}, {mine['weights'][:8]}); their "
                    "codes would differ, so install the same version there"
                )
        try:
            submit = partial(client.submit, _coded, pure=False)
            yield from _results(blocks, submit, lambda: sum(client.nthreads().values()))
        except KilledWorker as error:
            raise OSError(f"the cluster lost a block: {error}") from error


def _leave_with_parent() -> None:
    """End this process when the one that started it is gone, killed perhaps: nothing else would."""

    def watch() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# --- from file to file ----------------------------------------------------------------------------------------------


def code_file(
    source: str | Path,
    out: str | Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Coded:
    """Code a file of articles into a file of statements, in constant memory; a run that was cut off goes on.

    `source` is what `read_articles` reads: Parquet, CSV, JSON Lines or a folder of `.txt` files, one article a row,
    with a column `text` or `title`; ids are checked, dates and other columns are not looked at. `out` ends in
    `.parquet` or `.csv` (`evidence` is JSON there) and gets the table that `code` returns. Articles that raise are
    skipped and listed in `<out>.failures.csv`, which is there only if there are any. `report` is called with the number
    of articles done and their total.

    Finished parts wait in `<out>.parts` and are used again by the next run with the same input, after a kill at any
    moment; the file at `out` appears whole, and the parts go. The number of `workers` changes no byte. `scheduler` is
    the address of a Dask cluster whose workers, with this package installed, code instead (needs the `cluster` extra);
    only this machine reads and writes files. Raises FileNotFoundError, or ValueError for an input that cannot be read,
    that is not the one the parts were made from, or that another version of the package had begun, and for a cluster
    that is not there or has another version.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source, out = Path(folder, "articles.csv"), Path(folder, "codes.parquet")
    ...     _ = source.write_text("article_id,text\\na1,Encryption protects us all.\\n", encoding="utf-8")
    ...     done = code_file(source, out)
    ...     table = pd.read_parquet(out)
    >>> done.statements, table["target"].tolist()
    (1, ['e2ee'])
    """
    source, out = Path(source), Path(out)
    _check.whole(workers, "workers", 1)
    if out.suffix not in (".parquet", ".csv"):
        raise ValueError(f"out={str(out)!r} must end in '.parquet' or '.csv'")
    if not out.parent.is_dir():
        raise ValueError(f"out={str(out)!r}: there is no folder {str(out.parent)!r}; make it first")
    if scheduler and find_spec("distributed") is None:
        raise ModuleNotFoundError("a cluster needs Dask: pip install distributed")
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file or folder")
    if out.resolve() == source.resolve():
        raise ValueError(f"out={str(out)!r} is the input; name another file")
    total = _count(source)
    folder = out.with_name(out.name + ".parts")
    read = sorted(source.glob("*.txt")) if source.is_dir() else [source]
    method = _method()
    _begin(folder, {"input": _digest(read), "articles_per_part": _BLOCK} | method)
    parts = {i: folder / f"{i:06}.parquet" for i in range(-(-total // _BLOCK))}
    wanted = [i for i, part in parts.items() if not part.exists()]
    done = total - sum(_size(i, total) for i in wanted)
    report(done, total)
    blocks = _blocks(source, set(wanted))
    if scheduler:
        coded = _on_cluster(blocks, scheduler, method)
    else:
        coded = _in_order(blocks, min(workers, max(1, len(wanted))))
    with closing(coded) as results:
        for i, (table, failures) in zip(wanted, results, strict=True):
            _write(parts[i], folder, lambda path, t=table, f=failures: _write_part(path, t, f))
            done += _size(i, total)
            report(done, total)
    return _finish(list(parts.values()), folder, out, total)


def _size(part: int, total: int) -> int:
    return min(_BLOCK, total - part * _BLOCK)


def _method() -> dict[str, str]:
    """What codes depend on besides the articles: the package's version, and its weights and word lists."""
    read = (".csv", ".json", ".npz", ".onnx", ".toml")
    return {
        "package": __version__,
        "weights": _digest(sorted(p for p in Path(str(RESOURCES)).iterdir() if p.suffix in read)),
    }


def _digest(files: Iterable[Path]) -> str:
    """Return the SHA-256 of the names and the bytes of files."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _write(path: Path, folder: Path, make: Callable[[Path], None]) -> None:
    """Let `make` write a file among the parts, then give it its name: it is there whole or not at all."""
    fresh = folder / f".{path.name}.{os.getpid()}.new"
    try:
        make(fresh)
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _begin(folder: Path, made_from: dict) -> None:
    """Go on with the parts in `folder` if they were made from the same, else start with none."""
    manifest = folder / "manifest.json"
    if manifest.exists():
        before = json.loads(manifest.read_text(encoding="utf-8"))
        if changed := [name for name in made_from if before.get(name) != made_from[name]]:
            raise ValueError(
                f"{folder}: these parts of an unfinished run were made from another "
                f"{' and another '.join(name.replace('_', ' ') for name in changed)}; remove the folder to start anew, "
                "or name another output"
            )
        return
    folder.mkdir(exist_ok=True)
    _clear(folder)
    _write(manifest, folder, lambda path: path.write_text(json.dumps(made_from, indent=1) + "\n", encoding="utf-8"))


def _clear(folder: Path) -> None:
    """Remove what an unfinished run leaves: the manifest first, since without it no part is ever used again."""
    (folder / "manifest.json").unlink(missing_ok=True)
    for path in [*folder.glob("[0-9]*.parquet"), *folder.glob(".*.new")]:
        path.unlink(missing_ok=True)


# --- reading articles one by one


def _count(source: Path) -> int:
    """Count the articles of `source`, whose ids must be there and unique."""
    seen: set[int] = set()  # hashes: eight bytes where the id may have a hundred
    for row, (label, *_) in enumerate(_articles(source, ["article_id"]), 1):
        if label is None or hash(label) in seen:
            what = "is empty" if label is None else f"{label!r} stands a second time"
            raise ValueError(f"{source}: article {row}, column article_id: {what}; each needs an id of its own")
        seen.add(hash(label))
    return len(seen)


def _blocks(source: Path, wanted: set[int]) -> Iterator[pd.DataFrame]:
    """Read the blocks with these numbers, each a table as `read_articles` returns it."""
    articles = _articles(source, ["article_id", *_READ])
    for i in range(max(wanted, default=-1) + 1):
        rows = list(islice(articles, _BLOCK))
        if i in wanted:
            table = pd.DataFrame(rows, columns=["article_id", *_READ], dtype=object).set_index("article_id")
            yield table.set_axis(table.index.astype("str"))


def _articles(source: Path, names: list[str]) -> Iterator[tuple]:
    """Read `names` of each article; its number stands in for the id where no column has one."""
    if source.is_dir():
        columns, rows = _folder(source, names)
    else:
        columns, rows = _READERS[_check.option(source.suffix.lower(), _READERS, "ending")](source, names)
    if not {"text", "title"} & set(columns):
        raise ValueError(f"{source}: no column text or title; it has {_check.listed(columns) or 'no columns'}")
    for number, row in enumerate(rows, 1):
        if "article_id" not in columns:
            row["article_id"] = number
        yield tuple(_plain(row.get(name)) for name in names)


def _plain(value: object) -> object:
    """Return a cell as `read_articles` would, but for characters that no file can hold; what is no text stays."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if value is None or value != value:
        return None
    return str(value) if isinstance(value, (bool, int, float)) else value


def _parquet(path: Path, names: list[str]) -> tuple[list[str], Iterator[dict]]:
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise ValueError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from error
    there = {name.strip(): name for name in file.schema_arrow.names}

    def rows() -> Iterator[dict]:
        with file:
            wanted = [there[name] for name in names if name in there]
            for batch in file.iter_batches(_BLOCK, columns=wanted or [file.schema_arrow.names[0]]):
                for row in batch.to_pylist():
                    yield {name.strip(): value for name, value in row.items()}

    return list(there), rows()


def _csv(path: Path, names: list[str]) -> tuple[list[str], Iterator[dict]]:
    def cells() -> Iterator[list[str]]:
        limit = csv.field_size_limit(2**31 - 1)  # an article may be longer than the module's 128 kB
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.reader(file, strict=True)
                for row in rows:
                    if row:
                        yield row
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8; save the file as UTF-8 ({error})") from error
        except csv.Error as error:
            raise ValueError(
                f"{path}: line {rows.line_num}: {error}; quote cells that hold commas or quotes"
            ) from error
        finally:
            csv.field_size_limit(limit)

    def records() -> Iterator[dict]:
        for number, row in enumerate(lines, 2):
            if len(row) != len(columns):
                raise ValueError(f"{path}: row {number} has {len(row)} cells, the header names {len(columns)}")
            yield {
                name: cell if cell.strip() else None for name, cell in zip(columns, row, strict=True) if name in names
            }

    lines = cells()
    columns = [name.strip() for name in next(lines, [])]
    return columns, records()


def _json_lines(path: Path, names: list[str]) -> tuple[list[str], Iterator[dict]]:
    def records() -> Iterator[dict]:
        try:
            with path.open(encoding="utf-8-sig") as file:
                for row, line in enumerate(file, 1):
                    if line.strip():
                        record = json.loads(line)
                        if not isinstance(record, dict):
                            raise ValueError(f"{path}: row {row} holds no object; write one object per line")
                        yield {name.strip(): value for name, value in record.items()}
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8; save the file as UTF-8 ({error})") from error
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}: row {row} is not JSON ({error.msg}); write one object per line") from error

    rows = records()
    first = next(rows, {})
    return list(first), chain([first] if first else [], rows)


def _folder(path: Path, names: list[str]) -> tuple[list[str], Iterator[dict]]:
    def records() -> Iterator[dict]:
        for file in sorted(path.glob("*.txt")):
            if not file.resolve().is_relative_to(path.resolve()):
                raise ValueError(f"{file}: the link leads out of the folder; copy the file into it")
            try:
                yield {
                    "article_id": file.stem,
                    "text": file.read_text(encoding="utf-8-sig") if "text" in names else None,
                }
            except UnicodeDecodeError as error:
                raise ValueError(f"{file}: not UTF-8; save the file as UTF-8 ({error})") from error

    return ["article_id", "text"], records()


_READERS = {".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}


# --- writing statements part by part


@cache
def _schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = {
        "n": pa.int64(), "sentence": pa.int64(), "start": pa.int64(), "end": pa.int64(), "confidence": pa.float64(),
        "evidence": pa.list_(
            pa.struct([("start", pa.int64()), ("end", pa.int64()), ("cue", pa.string()), ("rule", pa.string())])
        ),
    }  # fmt: skip
    bare = pa.schema([(name, kinds.get(name, pa.large_string())) for name in _COLUMNS])
    none = _block(pd.DataFrame(columns=["title", "text"], index=pd.Index([], dtype="str"), dtype="str"))
    # pandas' own note of its types, so that what `read_parquet` returns has those of `code`
    return bare.with_metadata(pa.Table.from_pandas(none, schema=bare, preserve_index=False).schema.metadata)


def _write_part(path: Path, table: pd.DataFrame, failures: list[dict]) -> None:
    """Write the statements of a block; its failures go into the file's own notes, so that both are there or neither."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    part = pa.Table.from_pandas(table, schema=_schema(), preserve_index=False)
    write_table(part.replace_schema_metadata(part.schema.metadata | {"failures": json.dumps(failures)}), path)


def _finish(parts: list[Path], folder: Path, out: Path, articles: int) -> Coded:
    """Join the parts under the final name, and remove them."""
    from pyarrow.parquet import read_metadata

    notes = [read_metadata(part) for part in parts]
    failures = [failure for note in notes for failure in json.loads(note.metadata[b"failures"])]
    listed = out.with_name(out.name + ".failures.csv")
    if failures:
        table = pd.DataFrame(failures)
        _write(listed, folder, lambda path: table.to_csv(path, index=False, lineterminator="\n"))
    else:
        listed.unlink(missing_ok=True)  # of an earlier run
    _write(out, folder, lambda path: (_join_csv if out.suffix == ".csv" else _join)(parts, path))
    _clear(folder)
    folder.rmdir()
    return Coded(articles, sum(note.num_rows for note in notes), failures)


def _join(parts: list[Path], path: Path) -> None:
    from pyarrow import concat_tables
    from pyarrow.parquet import ParquetWriter, read_table

    with ParquetWriter(path, _schema()) as writer:
        for i in range(0, len(parts), _PARTS_PER_GROUP):
            group = concat_tables(read_table(part) for part in parts[i : i + _PARTS_PER_GROUP])
            writer.write_table(group.cast(_schema()), row_group_size=max(1, group.num_rows))


def _join_csv(parts: list[Path], path: Path) -> None:
    from pyarrow.parquet import read_table

    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(_COLUMNS) + "\n")
        for part in parts:
            table = read_table(part)
            rows = table.drop_columns("evidence").to_pandas()
            rows["evidence"] = [json.dumps(row, ensure_ascii=False) for row in table.column("evidence").to_pylist()]
            rows.map(inert).to_csv(file, index=False, header=False, lineterminator="\n")
