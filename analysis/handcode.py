"""Hand-coding in JupyterLab: one sentence at a time, keys for every value, every decision on disk at once."""

import hashlib
import json
import statistics
import time
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

import anywidget
import pandas as pd
import traitlets
from scipy.optimize import linear_sum_assignment

from analysis import _check
from analysis._html import isolated, visible
from analysis._journal import Journal
from analysis.codebook import RESOURCES
from analysis.corpus import SCHEMA
from analysis.text import sentences
from analysis.validity import agreement

_VARIABLES = ["target", "speaker_group", "attribution", "stance", "frame"]
_UNITS = [["article_id", "n"], ["article_id", "sentence"], ["sentence_id"], ["unit"]]
_CONFIDENCE = {"1": "guess", "2": "likely", "3": "plain in the text"}  # codebook, section 10
_FIELDS = {"code": {"id", "codes", "seconds"}, "skip": {"id", "seconds"}, "undo": {"of"}, "note": {"text"}}
_LONGEST = 100_000  # characters shown: a browser lays out so many at once without a pause
_KEYS = "1234567890" + ascii_lowercase


class _Variable(NamedTuple):
    name: str
    meanings: dict[str, str]  # value to definition
    labels: dict[str, str]  # value to label
    keys: dict[str, str]  # key to value


class _Unit(NamedTuple):
    id: tuple  # the values of the columns that name it
    text: str
    before: str
    after: str


def hand_code(
    sample: pd.DataFrame,
    *,
    coder: str,
    path: str | Path,
    codebook: str | Path | Mapping | None = None,
    variables: Sequence[str] | None = None,
    unit: str | list[str] | None = None,
    text: str = "text",
    context: str | None = None,
    articles: pd.DataFrame | None = None,
    other: str | Path | None = None,
) -> "HandCoding":
    """Code sentences by hand with the keyboard, in JupyterLab or from a program.

    Grain: one row of `sample` is one unit, as `sample` draws them (where there is a column `is_drawn`, only the rows
    drawn are coded), in the order of the table. `unit` names the column or columns that tell units apart: by default
    `article_id` with `n` or `sentence`, `sentence_id`, `unit`, or else the index. The words come from the column
    `text`, with the sentence before from the column `context` (by default `context` or `previous`, where there is one),
    or, with `articles`, from the characters `start` to `end` of each article (of its `title` where `position` is
    "headline"), shown within their sentence and after the one before.

    `codebook` is a mapping of variables to their values (a list, or a dict with a definition for each) or a TOML file
    of that shape, with `version` and `labels` beside them; by default, the project's own. `variables` says which are
    coded, in which order: by default target, speaker_group, attribution, stance and frame, or all of another codebook.

    **Blind**: no column but those that hold the words reaches the screen, so neither a machine's nor another coder's
    codes can be seen; nor is `other`, the file of a second coder, opened before the last unit is coded. Then, and once
    the second coder is done too, their agreement is shown.

    **Safe**: `path` is a JSON Lines file to which each decision is appended, and on disk before the next sentence is
    shown; taking one back appends a record, too. The file holds ids and codes, no text. Run the same call again to go
    on where it stopped. Two windows may be open on one file: each reads what the other wrote before it writes, and a
    unit that was coded in one is not coded again in the other, which says so and moves on. The first decision stands;
    undo takes it back.

    Returns a `HandCoding`: shown in a cell, it is the keyboard; `.table()` gives the codes.

    Raises TypeError or ValueError for a sample without ids or words, a codebook that cannot be coded from, and a
    `path` that holds another coder's codes, other units or texts, or codes by another codebook; FileNotFoundError for
    a folder that does not exist.

    >>> import tempfile
    >>> drawn = pd.DataFrame({"text": ["The plan is sound.", "The plan is a danger."]}, index=["a", "b"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codes = hand_code(drawn, coder="ana", path=f"{folder}/ana.jsonl", variables=["stance"])
    ...     codes.press("f"), codes.decide(stance="against")
    ...     codes.table()[["unit", "coder", "stance"]]
    ('Saved: favour. 1 of 2 coded.', 'Saved: against. 2 of 2 coded.')
      unit coder   stance
    a    a   ana   favour
    b    b   ana  against
    """
    _check.frame(sample, name="sample")
    if not isinstance(coder, str) or not coder.strip():
        raise ValueError(f"coder={coder!r} must be the coder's name or initials")
    path = Path(path).absolute()  # the working folder may change while coding
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path: there is no folder {str(path.parent)!r}; make it first")
    rows, names, units = _units(sample, unit, text, context, articles)
    version, coded = _scheme(codebook, variables)
    taken = [v.name for v in coded if v.name in {*names, "article_id", "copy_group", "coder", "note", "seconds"}]
    if taken:
        raise ValueError(f"variables={taken!r}: the table of codes has columns of these names; rename them")
    return HandCoding(rows, names, units, version, coded, coder, path, None if other is None else Path(other))


def _units(
    sample: pd.DataFrame, unit: str | list[str] | None, text: str, context: str | None, articles: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[str], list[_Unit]]:
    """Return the rows to code, the columns that name a unit (all of them there now), and the units."""
    rows = sample[sample["is_drawn"].astype(bool)] if "is_drawn" in sample.columns else sample
    if rows.empty:
        raise ValueError("sample has no row to code" + ("; is_drawn is false throughout" if len(sample) else ""))
    if unit is None:
        names = next((names for names in _UNITS if set(names) <= set(rows.columns)), [])
        if not names:
            names = [str(rows.index.name or "unit")]
            rows = rows.assign(**{names[0]: rows.index})
    else:
        names = _check.names(unit, "unit")
        _check.frame(rows, names, "sample")
    ids = list(zip(*(rows[name].tolist() for name in names), strict=True))
    for one, label in zip(ids, rows.index, strict=True):
        for name, part in zip(names, one, strict=True):
            if isinstance(part, bool) or not isinstance(part, str | int):
                raise ValueError(
                    f"column {name!r} holds {part!r} at index {label!r}; ids must be strings or whole numbers"
                )
    twice = pd.Series(ids, dtype=object).duplicated()
    if twice.any():
        raise ValueError(
            f"unit={names!r} names {ids[int(twice.to_numpy().argmax())]!r} twice; name every column that tells units "
            "apart, and keep the rows of one coder only"
        )
    words = _located(rows, articles) if articles is not None else _given(rows, text, context)
    for label, (now, _, _) in zip(rows.index, words, strict=True):
        if not isinstance(now, str) or not now.strip():
            raise ValueError(f"there are no words to code at index {label!r}; leave out rows without text")
    return rows, names, [_Unit(one, *map(visible, parts)) for one, parts in zip(ids, words, strict=True)]


def _given(rows: pd.DataFrame, text: str, context: str | None) -> list[tuple]:
    """Words and context from columns of the sample."""
    if text not in rows.columns:
        raise ValueError(
            f"sample has no column {text!r} with the words to code; name it in text, or give articles=, from which the "
            "characters start to end are taken"
        )
    _check.text(rows[text], text)
    if context is None:
        context = next((name for name in ("context", "previous") if name in rows.columns), None)
    else:
        _check.frame(rows, [context], "sample")
    before = [""] * len(rows) if context is None else _check.text(rows[context], context).fillna("").tolist()
    return [(now, f"{then} " if then else "", "") for now, then in zip(rows[text].tolist(), before, strict=True)]


def _located(rows: pd.DataFrame, articles: pd.DataFrame) -> list[tuple]:
    """Words from the articles: characters `start` to `end`, the rest of their sentence, and the sentence before."""
    _check.frame(rows, ["article_id", "start", "end"], "sample")
    position = rows["position"] if "position" in rows.columns else pd.Series("", index=rows.index)
    _check.frame(articles, ["text", *(["title"] if position.eq("headline").any() else [])], "articles")
    if not articles.index.is_unique:
        raise ValueError("articles has an article twice in its index; the index must be unique")
    absent = ~rows["article_id"].isin(articles.index)
    if absent.any():
        first = rows["article_id"][absent].iloc[0]
        raise ValueError(f"article_id {first!r} of the sample is not in the index of articles")
    used = articles.loc[articles.index.isin(rows["article_id"])]
    cut = sentences(used["text"]).groupby("article_id")
    bounds = {label: part[["start", "end"]].to_numpy().tolist() for label, part in cut}
    columns = [rows["article_id"], rows["start"], rows["end"], position]
    words = []
    for label, start, end, where in zip(*columns, strict=True):
        name = "title" if where == "headline" else "text"
        whole = used.loc[label, name]
        if pd.isna(start) or pd.isna(end) or not isinstance(whole, str) or not 0 <= start < end <= len(whole):
            raise ValueError(f"there are no characters {start} to {end} in the {name} of {label!r}")
        start, end = int(start), int(end)
        around = [] if name == "title" else bounds[label]
        over = [i for i, (a, b) in enumerate(around) if a < end and start < b]
        first = min(around[max(over[0] - 1, 0)][0], start) if over else 0
        last = max(around[over[-1]][1], end) if over else len(whole)
        words.append((whole[start:end], whole[first:start], whole[end:last]))
    return words


def _scheme(codebook: str | Path | Mapping | None, variables: Sequence[str] | None) -> tuple[str, list[_Variable]]:
    """Return the codebook's version and the variables to code, with keys."""
    if codebook is None:
        variables = _VARIABLES if variables is None else variables
        codebook = RESOURCES / "codebook.toml"
    elif isinstance(codebook, str | Path):
        codebook = Path(codebook)
    elif not isinstance(codebook, Mapping):
        raise TypeError(f"codebook must be a mapping or the path of a TOML file, not {type(codebook).__name__}")
    where = "codebook" if isinstance(codebook, Mapping) else str(codebook)
    book = codebook if isinstance(codebook, Mapping) else tomllib.loads(codebook.read_text(encoding="utf-8"))
    labels = book.get("labels", {})
    found = {}
    for name, values in book.items():
        if name != "labels" and not isinstance(values, str | int | float):
            found[name] = _values(where, name, values)
    if "confidence" not in found:
        found["confidence"] = _CONFIDENCE
    for name, column in SCHEMA["statements"].items():  # stance_author takes the values of stance, and so on
        if name not in found and column.variable in found:
            found[name] = found[column.variable]
    names = [name for name in book if name in found] if variables is None else _check.names(variables, "variables")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"variables={names!r} must name at least one variable of {where}, and none twice")
    coded = []
    for name in names:
        values = found[_check.option(name, found, "variables")]
        words = {value: visible(labels.get(value, value.replace("_", " "))) for value in values}
        coded.append(_Variable(name, values, words, _keys(words)))
    return str(book.get("version", "none")), coded


def _values(where: str, name: str, values: object) -> dict[str, str]:
    """Values of one variable of a codebook with their definitions, checked."""
    if isinstance(values, Mapping):
        out = dict(values)
    elif isinstance(values, list | tuple):
        out = dict.fromkeys(values, "")
        if len(out) < len(values):
            raise ValueError(f"{where}: {name!r} has a value twice: {list(values)!r}")
    else:
        raise ValueError(
            f"{where}: {name!r} must be a list of values or a dict of value and definition, not {values!r}"
        )
    if not 2 <= len(out) <= len(_KEYS):
        raise ValueError(f"{where}: {name!r} has {len(out)} values; between 2 and {len(_KEYS)} can have a key each")
    for value, definition in out.items():
        if not isinstance(value, str) or not value.strip() or not isinstance(definition, str):
            raise ValueError(f"{where}: {name!r} has the value {value!r}: {definition!r}; both must be strings")
    return out


def _keys(words: dict[str, str]) -> dict[str, str]:
    """Give each value a key: a letter of its name, the first where it is free, else a digit."""
    costs = [[_cost(word.casefold(), key, i) for key in _KEYS] for i, word in enumerate(words.values())]
    _, best = linear_sum_assignment(costs)
    return {_KEYS[column]: value for column, value in zip(best, words, strict=True)}


def _cost(word: str, key: str, place: int) -> int:
    """How hard `key` is to remember for `word`; of two with one first letter, the earlier in the codebook keeps it."""
    if word.startswith(key):
        return place
    if any(part.startswith(key) for part in word.split()):
        return 250
    if key in word:
        return 300 + 10 * word.index(key)
    return 10_000 + (100 - place) * _KEYS.index(key)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode("ascii")).hexdigest()[:16]


class _Decisions:
    """What the records of a file amount to: for each unit the decisions that stand, the last of which counts."""

    def __init__(self, units: Iterable[tuple], variables: dict[str, list[str]]) -> None:
        self._place = {json.dumps(one): i for i, one in enumerate(units)}
        self._variables = variables
        self.stands: list[list[dict]] = [[] for _ in self._place]
        self.notes: dict[int, str] = {}
        self.unit: dict[str, int] = {}  # of each decision ever made
        self._order: dict[str, int] = {}

    def add(self, records: Iterable[dict], path: Path) -> list[str]:
        """Take in further records and return the ids of the decisions among them."""
        ids = []
        for record in records:
            i = self._place.get(json.dumps(record.get("unit")))
            if i is None or not self._is_sound(record):
                raise ValueError(
                    f"{path} holds a record that is not of this sample and codebook: {str(record)[:200]}; restore "
                    "the file from a copy"
                )
            if record["kind"] == "note":
                self.notes[i] = record["text"]
            elif record["kind"] == "undo":
                self.stands[i] = [one for one in self.stands[i] if one["id"] != record["of"]]
            else:
                self.stands[i].append(record)
                self.unit[record["id"]] = i
                self._order[record["id"]] = len(self._order)
                ids.append(record["id"])
        return ids

    def _is_sound(self, record: dict) -> bool:
        """Say whether a record has the fields of its kind, and codes that the codebook has."""
        if record["kind"] not in _FIELDS or not _FIELDS[record["kind"]] <= set(record):
            return False
        codes = record.get("codes", {})
        return record["kind"] != "code" or all(codes.get(name) in values for name, values in self._variables.items())

    def is_standing(self, decision: str) -> bool:
        """Say whether a decision has not been taken back."""
        return any(one["id"] == decision for one in self.stands[self.unit[decision]])

    def codes(self, i: int) -> dict[str, str] | None:
        """Return the codes of a unit, or None where it has none."""
        return self.stands[i][-1].get("codes") if self.stands[i] else None

    def open(self) -> list[int]:
        """Return the units without codes, in order; those set aside come last, in the order they were."""
        units = [i for i in range(len(self.stands)) if self.codes(i) is None]
        return sorted(units, key=lambda i: self._order[self.stands[i][-1]["id"]] if self.stands[i] else -1)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


class _Keyboard(anywidget.AnyWidget):
    """What the browser shows; keys come back as messages."""

    _esm = (RESOURCES / "handcode.js").read_text(encoding="utf-8")
    _css = (RESOURCES / "handcode.css").read_text(encoding="utf-8")
    shown = traitlets.Dict().tag(sync=True)
    unit = traitlets.Dict().tag(sync=True)  # apart, as a long text should be sent once


class HandCoding:
    """One coder's coding of one sample, as `hand_code` opens it; shown in a cell, the keyboard.

    `press`, `decide`, `undo`, `skip` and `note` do what the keys do, return what the screen says once the decision is
    on disk, and raise ValueError for a key, value or step that does not exist.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        names: list[str],
        units: list[_Unit],
        version: str,
        variables: list[_Variable],
        coder: str,
        path: Path,
        other: Path | None,
    ) -> None:
        self.coder, self.path = coder, path
        self._rows, self._names, self._units, self._variables, self._other = rows, names, units, variables, other
        ids = sorted([list(one.id) for one in units], key=json.dumps)
        texts = sorted([[list(one.id), one.text] for one in units], key=json.dumps)
        self._head = {
            "coder": coder,
            "unit": names,
            "n": len(units),
            "sample": _digest(ids),
            "texts": _digest(texts),
            "codebook": {"version": version, "digest": _digest([[v.name, v.meanings] for v in variables])},
            "variables": {v.name: list(v.meanings) for v in variables},
        }
        self._journal = Journal(path, self._head)
        self._compare(self._journal)
        if (found := self._journal.head["coder"]) != coder:
            raise ValueError(f"{path} holds the codes of {found!r}, not of {coder!r}; name a path of {coder!r}'s own")
        self._decisions = _Decisions((one.id for one in units), self._head["variables"])
        with self._journal.turn() as news:
            ids = self._decisions.add(news, path)
        # what undo may take back, the last one last
        self._own = [one for one in ids if self._decisions.is_standing(one)]
        self._turn = 0  # how many sentences this window has shown
        self._answers = 0
        self._say = self._failed = ""
        self._show_unit()

    def _compare(self, journal: Journal) -> None:
        """Refuse a file of other units, other texts or another codebook."""
        there, here = journal.head, self._head
        if not set(here) <= set(there):
            raise ValueError(
                f"{journal.path} has a first line without {sorted(set(here) - set(there))!r}; restore the file"
            )
        if (there["unit"], there["sample"]) != (here["unit"], here["sample"]):
            raise ValueError(
                f"{journal.path} holds codes of another sample ({there['n']} units named by {there['unit']!r}; this "
                f"one has {here['n']} named by {here['unit']!r}); open it with its own sample, or name another path"
            )
        if there["texts"] != here["texts"]:
            raise ValueError(
                f"{journal.path} holds codes of the same units with other texts; open it with the texts as they were "
                "when the coding began, or name another path"
            )
        if (there["variables"], there["codebook"]) != (here["variables"], here["codebook"]):
            old, new = there["variables"], here["variables"]
            differ = [name for name in old | new if old.get(name) != new.get(name)]
            raise ValueError(
                f"{journal.path} holds codes by another codebook: version {there['codebook']['version']} with "
                f"{list(old)!r}, this one has version {here['codebook']['version']} with {list(new)!r}; "
                f"{_check.listed(differ) if differ else 'version, order or definitions'} differ. Open it with its own "
                "codebook, or name another path"
            )

    @property
    def n_coded(self) -> int:
        """Number of units that have codes."""
        return len(self._units) - len(self._decisions.open())

    @property
    def keys(self) -> dict[str, dict[str, str]]:
        """The key of each value, by variable."""
        return {v.name: {value: key for key, value in v.keys.items()} for v in self._variables}

    @property
    def torn(self) -> list[tuple[int, str]]:
        """Lines of the file that a crash cut short, by number: they were never said to be saved, and are not used."""
        return list(self._journal.torn)

    def press(self, key: str) -> str:
        """Press a key: that of a value of the next variable, `Backspace` (undo) or `ArrowRight` (skip)."""
        if key == "Backspace":
            return self.undo()
        if key == "ArrowRight":
            return self.skip()
        self._current()
        variable = self._variables[len(self._chosen)]
        value = variable.keys.get(key.lower())
        if value is None:
            known = ", ".join(f"{k} {variable.labels[v]}" for k, v in variable.keys.items())
            raise ValueError(f"key {key!r} stands for no value of {variable.name}; the keys are: {known}")
        chosen = self._chosen | {variable.name: value}
        if len(chosen) == len(self._variables):
            return self.decide(**chosen)
        self._chosen = chosen
        self._say = f"{_title(variable.name)}: {variable.labels[value]}."
        return self._say

    def decide(self, **codes: str) -> str:
        """Give the sentence shown its codes, one value for every variable."""
        i = self._current()
        if set(codes) != {v.name for v in self._variables}:
            raise ValueError(f"codes for {list(codes)!r}; give one for each of {[v.name for v in self._variables]!r}")
        for v in self._variables:
            _check.option(codes[v.name], v.meanings, v.name)
        codes = {v.name: codes[v.name] for v in self._variables}
        if self._append(i, "code", codes=codes, seconds=self._seconds()):
            self._say = f"Saved: {self._in_words(codes)}. {self.n_coded} of {len(self._units)} coded."
        return self._say

    def skip(self) -> str:
        """Set the sentence shown aside: it comes again when all others are coded."""
        i = self._current()
        if self._append(i, "skip", seconds=self._seconds()):
            self._say = "Set aside; it comes again at the end."
        return self._say

    def undo(self) -> str:
        """Take back the last choice or, where there is none, the last decision of this window.

        The sentence comes back with all of its codes but the last. A window that has decided nothing yet takes back
        what stood in the file when it was opened.
        """
        if self._chosen:
            name, _ = self._chosen.popitem()
            self._say = f"{_title(name)}: taken back."
            return self._say
        if not self._own:
            raise ValueError("there is no decision of this window to take back")
        decision = self._own[-1]
        i = self._decisions.unit[decision]
        with self._held():
            codes = self._decisions.codes(i) or {}
            if was_standing := self._decisions.is_standing(decision):
                self._write(i, "undo", of=decision)
        self._own.pop()
        if not was_standing:
            self._say = "The last decision of this window has been taken back in another window already."
            return self._say
        self._show_unit(i)
        self._chosen = dict(list(codes.items())[:-1])
        self._say = f"Taken back: {self._in_words(codes)}." if codes else "Taken back: it is no longer set aside."
        return self._say

    def note(self, text: str) -> str:
        """Keep a note on the sentence shown, in the place of an earlier one."""
        i = self._current()
        if not isinstance(text, str):
            raise TypeError(f"text must be a string, not {type(text).__name__}")
        with self._held():
            self._write(i, "note", text=visible(text.strip()))
        self._say = "Note saved." if text.strip() else "Note removed."
        return self._say

    def table(self) -> pd.DataFrame:
        """Return the codes as a table that `agreement` and `corrected_shares` take.

        Grain: one row per unit with a decision, in the order and with the index of the sample; a unit that was set
        aside has missing codes. Columns: those that name the unit, `article_id` and `copy_group` where the sample has
        them, `coder`, the variables (ordered categories in the codebook's order; `confidence` whole numbers), `note`,
        and `seconds` (that the last decision took). No other column of the sample is carried along.

        With the table that was sampled from, `data.assign(truth=codes.table()["stance"])` puts each code in its row.
        """
        with self._held():
            return self._table(self._decisions, self.coder)

    def _table(self, decisions: _Decisions, coder: str) -> pd.DataFrame:
        rows = [i for i, stands in enumerate(decisions.stands) if stands]
        groups = [name for name in ("article_id", "copy_group") if name in self._rows.columns]
        out = self._rows.iloc[rows][list(dict.fromkeys([*self._names, *groups]))].copy()
        out["coder"] = pd.Series(coder, index=out.index, dtype="str")
        codes = [decisions.codes(i) or {} for i in rows]
        for v in self._variables:
            column = pd.Categorical([one.get(v.name) for one in codes], categories=list(v.meanings), ordered=True)
            out[v.name] = pd.Series(column, index=out.index)
            if v.meanings is _CONFIDENCE:
                out[v.name] = out[v.name].astype("Int64")
        out["note"] = pd.array([decisions.notes.get(i) or None for i in rows], dtype="str")
        out["seconds"] = pd.array([decisions.stands[i][-1]["seconds"] for i in rows], dtype="float64")
        return out

    def agreement(self, other: str | Path | None = None, **settings: object) -> pd.DataFrame:
        """Return the agreement with a second coder's file on each variable, once both have coded every unit.

        `other` is the path of that file (by default the one given to `hand_code`); `settings` go to `agreement`, which
        says what the columns are. Raises ValueError before both are done, so that neither is swayed, and for a file of
        another sample, another codebook or the same coder; FileNotFoundError where there is none.
        """
        other = self._other if other is None else Path(other)
        if other is None:
            raise ValueError("other=None: name the second coder's file here or in hand_code")
        with self._held():
            todo = len(self._units) - self.n_coded
        if todo:
            raise ValueError(
                f"{self.coder!r} has {todo} of {len(self._units)} units to code; agreement is shown once both coders "
                "are done, so that neither is swayed"
            )
        journal = Journal(other)
        self._compare(journal)
        coder = journal.head["coder"]
        if coder == self.coder:
            raise ValueError(f"{other} holds the codes of {coder!r}, too; agreement needs a second coder")
        theirs = _Decisions((one.id for one in self._units), self._head["variables"])
        theirs.add(journal.news(), other)
        if todo := len(theirs.open()):
            raise ValueError(
                f"{coder!r} has {todo} of {len(self._units)} units to code; agreement is shown once both are done"
            )
        codes = pd.concat([self._table(self._decisions, self.coder), self._table(theirs, coder)])
        return agreement(codes, unit=self._names, value=[v.name for v in self._variables], **settings)

    def __repr__(self) -> str:
        return f"HandCoding(coder={self.coder!r}, path={self.path.name!r}): {self.n_coded} of {len(self._units)} coded"

    def _current(self) -> int:
        """Return the unit shown, or say that there is none."""
        if self._at is None:
            raise ValueError("every sentence is coded; Backspace takes the last decision back")
        return self._at

    def _show_unit(self, i: int | None = None) -> None:
        """Show a unit, by default the next without codes."""
        self._at = next(iter(self._decisions.open()), None) if i is None else i
        self._chosen: dict[str, str] = {}
        self._since = time.monotonic()
        self._turn += 1  # tells a key meant for this sentence from one pressed before it came

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the file, once what other windows wrote has been read."""
        with self._journal.turn() as news:
            self._decisions.add(news, self.path)
            yield

    def _write(self, i: int, kind: str, **fields: object) -> None:
        """Append a record within `_held`."""
        head = {"kind": kind, "id": uuid.uuid4().hex, "unit": list(self._units[i].id)}
        record = head | fields | {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}
        self._own += self._decisions.add(self._journal.write(record), self.path)

    def _append(self, i: int, kind: str, **fields: object) -> bool:
        """Append a decision on the unit shown and show the next, unless another window has coded it."""
        with self._held():
            if is_open := self._decisions.codes(i) is None:
                self._write(i, kind, **fields)
        if not is_open:
            self._say = f"Not saved: coded in another window already ({self._in_words(self._decisions.codes(i))})."
        self._show_unit()
        return is_open

    def _seconds(self) -> float:
        return round(time.monotonic() - self._since, 1)

    def _in_words(self, codes: dict[str, str]) -> str:
        return ", ".join(v.labels[codes[v.name]] for v in self._variables if v.name in codes)

    @cached_property
    def _screen(self) -> _Keyboard:
        screen = _Keyboard(shown=self._shown(), unit=self._words())
        screen.on_msg(lambda _, asked, __: self._answer(asked))
        return screen

    def _repr_mimebundle_(self, **_: object) -> tuple[dict, dict]:
        data, metadata = self._screen._repr_mimebundle_()
        # what a saved notebook shows: no words, as the texts may not be the coder's to pass on
        html = (
            f"<p><b>{isolated(self.coder)}</b>: {self.n_coded} of {len(self._units)} coded.<br>"
            "<small>Run this cell in JupyterLab to see the sentences and code with the keys.</small></p>"
        )
        return data | {"text/plain": repr(self), "text/html": html}, metadata

    def _answer(self, asked: dict) -> None:
        """Do what a key asks for, and show what came of it: the browser waits for that."""
        self._failed = ""
        try:
            if asked.get("turn") != self._turn:
                self._say = "That key came before this sentence was shown, and was not used."
            elif "note" in asked:
                self.note(asked["note"])
            elif "key" in asked:
                self.press(asked["key"])
            else:
                self._look()
        except (ValueError, OSError) as error:
            self._say, self._failed = "", visible(error)
        self._answers += 1  # so that the screen always hears, even where nothing else has changed
        with self._screen.hold_sync():
            self._screen.unit = self._words()
            self._screen.shown = self._shown()

    def _look(self) -> None:
        """Read what other windows wrote, and move on where they coded the sentence shown."""
        with self._held():
            is_open = self._at is not None and self._decisions.codes(self._at) is None
        if not is_open and (self._at is not None or self._decisions.open()):
            self._say = "" if self._at is None else "Coded in another window; this is the next."
            self._show_unit()

    def _words(self) -> dict:
        if self._at is None:
            return {}
        _, text, before, after = self._units[self._at]
        if (more := len(text) - _LONGEST) > 0:
            text, after = text[:_LONGEST], f" … [{more:,} characters more]"
        return {"number": self._at + 1, "before": before[-_LONGEST:], "text": text, "after": after[:_LONGEST]}

    def _shown(self) -> dict:
        """Return all that the screen shows beside the words: this coder's codes, and counts."""
        todo, n = len(self._decisions.open()), len(self._units)
        aside = sum(bool(self._decisions.stands[i]) for i in self._decisions.open())
        times = [one[-1]["seconds"] for one in self._decisions.stands if one]
        left = (
            f"about {max(round(statistics.median(times) * todo / 60), 1)} min left" if todo and len(times) > 2 else ""
        )
        counts = [f"{n - todo} of {n} coded", f"{aside} set aside" if aside else "", left]
        shown = {
            "answer": self._answers, "turn": self._turn, "coder": visible(self.coder), "coded": n - todo, "n": n,
            "progress": " · ".join(filter(None, counts)), "say": self._say, "failed": self._failed,
            "torn": self._torn_in_words(), "verdicts": [], "verdict": "",
        }  # fmt: skip
        if self._at is None:
            return shown | self._verdicts()
        active = self._variables[len(self._chosen)]
        return shown | {
            "note": self._decisions.notes.get(self._at, ""),
            "variables": [
                {
                    "title": _title(v.name),
                    "value": v.labels.get(self._chosen.get(v.name, ""), ""),
                    "is_active": v is active,
                }
                for v in self._variables
            ],
            "options": [
                {"key": key, "label": active.labels[value], "definition": visible(active.meanings[value])}
                for key, value in active.keys.items()
            ],
        }

    def _torn_in_words(self) -> str:
        lines = [str(number) for number, _ in self._journal.torn]
        if not lines:
            return ""
        where = f"Line {lines[0]} was" if len(lines) == 1 else f"Lines {', '.join(lines[:20])} were"
        return (
            f"{where} cut short by a crash before being saved, and set aside; all that was said to be saved is there."
        )

    def _verdicts(self) -> dict:
        """Agreement with the second coder, if there is one and both are done."""
        if self._other is None:
            return {}
        try:
            found = self.agreement()
        except (ValueError, OSError) as error:
            return {"verdict": visible(error)}
        columns = [found[name] for name in ("variable", "alpha", "low", "high", "n", "verdict")]
        rows = [
            {
                "title": _title(name),
                "alpha": f"{alpha:.3f}",
                "interval": f"{low:.3f} to {high:.3f}",
                "n": n,
                "verdict": words,
            }
            for name, alpha, low, high, n, words in zip(*columns, strict=True)
        ]
        return {"verdict": "Agreement with the second coder (Krippendorff's alpha, 95% interval)", "verdicts": rows}
