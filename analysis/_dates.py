"""Dates as exports write them: read by stated rules, kept as exactly as they are known, never guessed in silence.

In this order: `date_format`, where it is given, for every value; ISO 8601 and its compact forms (2026-03-04, 2026-03,
2026, 20260304T063400Z); year first with other marks (2026/03/04, 2026 Mar 04); English names of months (4 March 2026,
March 4, 2026 Monday 6:02 PM GMT, Wed, 04 Mar 2026 10:00:00 +0000, March 2026). A date such as 04/03/2026 has two
readings. One order is taken for the whole column, and only where some other value of the column, such as 31/03/2026,
has no other reading, or where both readings are the same day; else each such row is an error.
"""

import re
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

YEARS = range(1900, 2101)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NAMES = "january february march april may june july august september october november december".split()
# offsets in hours of RFC 2822; any other name of a zone (BST, IST) stands for several, and is not read
_ZONES = {"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
          "PST": -8, "PDT": -7}  # fmt: skip

_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_REST = r"(?P<rest>.{0,60})"
_ISO = re.compile(rf"(?P<year>\d{{4}})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[T ]{_REST})?)?)?", re.ASCII)
_COMPACT = re.compile(rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d)(?:T?{_REST})?", re.ASCII)
_WRITTEN = [
    re.compile(rf"(?P<year>\d{{4}})/(?P<month>\d{{1,2}})?(?:/(?P<day>\d{{1,2}})?(?:[/T ]{_REST})?)?", re.ASCII),
    re.compile(rf"(?P<year>\d{{4}})\.(?P<month>\d{{1,2}})(?:\.(?P<day>\d{{1,2}})(?:[T ]{_REST})?)?", re.ASCII),
    re.compile(rf"(?P<year>\d{{4}})[ -]{_NAME}(?:[ -]{_DAY}(?: {_REST})?)?", re.ASCII),
    re.compile(rf"(?:[A-Za-z]{{3,9}}\.?,? )?{_DAY}[ -]{_NAME},?[ -](?P<year>\d{{4}})(?:[, ]{_REST})?", re.ASCII),
    re.compile(rf"(?:[A-Za-z]{{3,9}}\.?,? )?{_NAME} {_DAY},? (?P<year>\d{{4}})(?:[, ]{_REST})?", re.ASCII),
    re.compile(rf"{_NAME},? (?P<year>\d{{4}})", re.ASCII),
]
_TWO_WAYS = re.compile(
    rf"(?P<first>\d{{1,2}})(?P<mark>[/.-])(?P<second>\d{{1,2}})(?P=mark)(?P<year>\d{{4}})(?:[, ]{_REST})?"
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,]\d{1,9})?)? ?(?P<half>[AaPp])?(?:\.?[Mm]\.?)? ?"
    r"(?P<zone>[+-]\d\d(?::?\d\d)?|[A-Za-z]{1,5})?",
    re.ASCII,
)
_WEEKDAY = re.compile(
    r"[ ,]*(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|(?:mon|tue|wed|thu|fri|sat|sun)\b)?[ ,]*", re.I
)
_HINT = "write YYYY, YYYY-MM or YYYY-MM-DD, or pass date_format, such as '%d/%m/%Y' or '%m/%d/%Y'"


class Dates(NamedTuple):
    """What was read: first days, their precision, notes (step, detail, rows) for the report, and errors by row."""

    day: pd.Series
    precision: pd.Series
    notes: list[tuple[str, str, list]]
    problems: list[str]


def dates(raw: pd.Series, *, date_format: str | None = None, tz: str | None = None) -> Dates:
    """Read a column of dates; the index of `raw` holds the numbers of the rows, for messages.

    Raises ValueError where `tz` is not a known time zone, TypeError where an option is no string.
    """
    for name, value in (("date_format", date_format), ("tz", tz)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} must be a string, not {type(value).__name__}")
    try:
        zone = ZoneInfo(tz) if tz else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"tz={tz!r} is not a known time zone; use a name such as 'Europe/London'") from error
    raw = raw.map(lambda v: v if isinstance(v, (str, int, date)) else str(v), na_action="ignore")
    rows: dict = {}  # where each value stands
    for row, value in raw.dropna().items():
        rows.setdefault(value, []).append(row)
    values = list(rows)
    read: dict = {}
    problems: dict = {}
    notes: list[tuple[str, str, list]] = []
    order = None if date_format else _order(values, rows, notes)
    offsets = set()
    for value in values:
        try:
            stamp, precision = _stamp(value, date_format, order)
            if isinstance(stamp, datetime) and stamp.tzinfo:
                offsets.add(stamp.utcoffset())
            read[value] = _within(_calendar_day(stamp, zone)), precision
        except ValueError as error:
            problems[value] = f"row {rows[value][0]}, column date: {str(value)[:40]!r}; {error}"
    if offsets and not zone and (len(offsets) > 1 or offsets != {timedelta(0)}):
        notes.append(
            ("guessed", "days of time stamps as written, whatever their offset; tz= brings all to one zone", [])
        )
    day = raw.map({k: v[0] for k, v in read.items()}, na_action="ignore")
    precision = raw.map({k: v[1] for k, v in read.items()}, na_action="ignore")
    return Dates(pd.to_datetime(day).astype("datetime64[s]"), precision, notes, list(problems.values()))


def _order(values: list, rows: dict, notes: list) -> str | None:
    """Which of day and month comes first in dates such as 04/03/2026: "day", "month", or None where nothing tells."""
    numeric = {v: m for v in values if isinstance(v, str) and (m := _TWO_WAYS.fullmatch(v.strip()))}
    pairs = {v: (int(m["first"]), int(m["second"])) for v, m in numeric.items()}
    proofs = {
        "day": [v for v, (a, b) in pairs.items() if 12 < a <= 31 and 1 <= b <= 12],
        "month": [v for v, (a, b) in pairs.items() if 1 <= a <= 12 < b <= 31],
    }
    if bool(proofs["day"]) == bool(proofs["month"]):
        return None
    order = "day" if proofs["day"] else "month"
    both = [v for v, (a, b) in pairs.items() if 1 <= a <= 12 and 1 <= b <= 12 and a != b]
    proof = proofs[order][0]
    said = f"dates such as {(both or [proof])[0]!r} read {order} first, since {proof!r} has no other reading"
    notes.append(("guessed", said, [row for value in both for row in rows[value]]))
    return order


def _stamp(value: object, date_format: str | None, order: str | None) -> tuple[date, str]:
    """First day (or moment) of the period that `value` names, and how much of it is known."""
    if isinstance(value, (datetime, date)):
        return value, "day"
    value = " ".join(str(value).split())
    if date_format:
        return _by_format(value, date_format)
    if match := _ISO.fullmatch(value):
        if match["day"]:
            try:
                return datetime.fromisoformat(value), "day"
            except ValueError:
                return _made(match["year"], match["month"], match["day"], match["rest"])
        return _made(match["year"], match["month"], None, None)
    if (match := _COMPACT.fullmatch(value)) or (match := _first(_WRITTEN, value)):
        found = match.groupdict()
        month = _month(found["name"]) if found.get("name") else found.get("month")
        return _made(found["year"], month, found.get("day"), found.get("rest"))
    if match := _TWO_WAYS.fullmatch(value):
        first, second = int(match["first"]), int(match["second"])
        if order is None and first != second and 1 <= first <= 12 and 1 <= second <= 12:
            raise ValueError(f"{_HINT}: it has two readings and no other row tells which is meant")
        if order is None and first != second and 1 <= min(first, second) <= 12 < max(first, second) <= 31:
            raise ValueError(f"{_HINT}: some rows put the day first, others the month")
        day, month = (second, first) if order == "month" else (first, second)
        return _made(match["year"], month, day, match["rest"])
    raise ValueError(_HINT)


def _first(patterns: list[re.Pattern], value: str) -> re.Match | None:
    return next((m for p in patterns if (m := p.fullmatch(value))), None)


def _by_format(value: str, date_format: str) -> tuple[date, str]:
    try:
        stamp = datetime.strptime(value, date_format)
    except (ValueError, re.error) as error:  # a format may repeat a code
        raise ValueError(f"it does not fit date_format={date_format!r}") from error
    has = date_format.replace("%%", "")
    day = any(code in has for code in ("%d", "%j", "%x", "%c", "%D", "%F"))
    return stamp, "day" if day else "month" if re.search(r"%[mbBU]", has) else "year"


def _month(name: str) -> int:
    name = name.lower()
    if name == "sept" or (name in _NAMES or name in _MONTHS):
        return _MONTHS.index(name[:3]) + 1
    raise ValueError(f"{name!r} is no English name of a month; {_HINT}")


def _made(year: object, month: object, day: object, rest: str | None) -> tuple[date, str]:
    year, month, day = int(year), None if month is None else int(month), None if day is None else int(day)
    if year not in YEARS:
        raise ValueError(f"the year must lie between {YEARS[0]} and {YEARS[-1]}")
    if month is not None and not 1 <= month <= 12:
        raise ValueError("no such month; write YYYY-MM with a month from 01 to 12")
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day)
    except ValueError as error:
        raise ValueError(f"no such day or time ({error})") from error
    return _moment(first, rest), "year" if month is None else "month" if day is None else "day"


def _moment(day: date, rest: str | None) -> date:
    """The day with its time and zone, where `rest` holds them: both matter only once the day is moved to a zone."""
    rest = (rest or "").strip(" ,/")
    opening = _WEEKDAY.match(rest)
    rest = rest[opening.end() :]
    if not rest:
        return day
    match = _CLOCK.fullmatch(rest)
    if not match:
        raise ValueError(f"the part {rest!r} is no time of day; {_HINT}")
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"] in "Pp")
    try:
        return datetime(day.year, day.month, day.day, hour, minute, min(second, 59), tzinfo=_offset(match["zone"]))
    except ValueError as error:
        raise ValueError(f"no such day or time ({error})") from error


def _offset(zone: str | None) -> timezone | None:
    if not zone:
        return None
    if zone[0] in "+-":
        size = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:].strip(":") or 0))
        return timezone(size if zone[0] == "+" else -size)
    return timezone(timedelta(hours=_ZONES[zone.upper()])) if zone.upper() in _ZONES else None


def _calendar_day(stamp: date, zone: ZoneInfo | None) -> date:
    if not isinstance(stamp, datetime):
        return stamp
    try:
        return (stamp.astimezone(zone) if zone and stamp.tzinfo else stamp).date()
    except OverflowError as error:
        raise ValueError(f"the year must lie between {YEARS[0]} and {YEARS[-1]}") from error


def _within(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"the year must lie between {YEARS[0]} and {YEARS[-1]}")
    return day
