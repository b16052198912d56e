"""An append-only file of one coder's decisions that survives a kill at any moment and two writers at once.

JSON Lines, in ASCII. The first line, the head, says whose codes of what the file holds; every further line is one
record. Nothing that stands in the file is changed or removed: a line that a kill or a full disk cut short stays where
it is and is listed in `torn`.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

FORMAT = 1
_PATIENCE = 20  # seconds to wait for the lock, which a writer holds for milliseconds


class Journal:
    """One file of records, as far as it has been read.

    A new or empty file gets `head` as its first line; otherwise `self.head` is the one found there, for the caller to
    compare. Without `head` the file must exist and is only read. Raises ValueError for a file that has no head.
    """

    def __init__(self, path: Path, head: dict | None = None) -> None:
        self.path = path
        self.torn: list[tuple[int, str]] = []  # number and text of every line that holds no record
        if head is None:
            self._start()
            return
        with self._held():
            if not path.exists() or path.stat().st_size == 0:
                _create(path, {"kind": "head", "format": FORMAT} | head)
            self._start()

    def _start(self) -> None:
        with self.path.open("rb") as file:
            line = file.readline()
        self.head = _record(line)
        if self.head is None or self.head["kind"] != "head":
            raise ValueError(
                f"{self.path} is no file of hand-coded decisions: it begins {line[:40]!r}; name another path"
            )
        if self.head.get("format") != FORMAT:
            raise ValueError(
                f"{self.path} has format {self.head.get('format')!r}, not {FORMAT}; open it with the version of this "
                "package that wrote it, or name another path"
            )
        self._offset, self._lines = len(line), line.count(b"\n")
        self._is_ended = self._lines == 1  # whether the last byte read ends a line

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        lock = FileLock(f"{self.path}.lock", timeout=_PATIENCE, poll_interval=0.005)
        try:
            lock.acquire()
        except Timeout:
            raise TimeoutError(
                f"{self.path}: another window has held the file for {_PATIENCE} s; close it and try again"
            ) from None
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def turn(self) -> Iterator[list[dict]]:
        """Hold the file against every other process, and yield the records appended since the last look."""
        with self._held():
            yield self.news()

    def news(self) -> list[dict]:
        """Read the records appended since the last look."""
        with self.path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._offset:
                raise ValueError(
                    f"{self.path} is shorter than it was: another program changed it; restore it from a copy"
                )
            file.seek(self._offset)
            data = file.read()
        records = []
        for number, line in enumerate(data.split(b"\n"), self._lines + 1):
            record = _record(line)
            if record is not None:
                records.append(record)
            elif line:
                self.torn.append((number, line.decode("utf-8", "backslashreplace")))
        self._offset += len(data)
        self._lines += data.count(b"\n")
        self._is_ended = data.endswith(b"\n") if data else self._is_ended
        return records

    def write(self, record: dict) -> list[dict]:
        """Append one record within a `turn`, and return it as read back; when this returns, the disk has it."""
        line = json.dumps(record).encode("ascii") + b"\n"
        if not self._is_ended:  # the last line was cut short: what comes now must not join it
            line = b"\n" + line
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        try:
            written = os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
        if written != len(line):
            raise OSError(f"{self.path}: only {written} of {len(line)} bytes were written; is the disk full?")
        return self.news()


def _record(line: bytes) -> dict | None:
    """Return a line's record, or None if it holds none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("kind"), str) else None


def _create(path: Path, head: dict) -> None:
    """Write the first line, so that the file has it whole or does not exist."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(json.dumps(head).encode("ascii") + b"\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # the name, too, must survive a power cut; Windows has no such call
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
