"""Who a noun phrase means: the speaker's name and group, within one article."""

import csv
import re
from functools import cache
from typing import NamedTuple

from analysis.codebook import RESOURCES
from analysis.text import _tokens


class Speaker(NamedTuple):
    """A speaker as named in the article; `kind` is person, body, group, document or unknown."""

    name: str
    group: str
    kind: str


class _Term(NamedTuple):
    group: str
    kind: str
    yields: bool  # gives way to a body named beside it: "the company’s lawyer"
    name: str


AUTHOR = Speaker("author", "author", "person")
_HE = frozenset("he she his her him himself herself".split())
_IT = frozenset(["it", "its", "itself"])
_THEY = frozenset("they their them".split())
_WRITER = frozenset("i we you my our your me us".split())
_PLEAS = frozenset("letter filing brief motion lawsuit complaint petition statement memo submission email".split())
_OPENS_APPOSITION = frozenset("a an the who its their our one from also now".split())
_BODIES = ("group", "charity", "company", "firm", "agency", "app", "platform", "nonprofit", "hotline", "helpline")
_BARE = frozenset("many some others few most several one no".split())
_TITLES = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Lord|Lady|Dame)\.?\s+")
_OFFICES = frozenset(
    "League Federation Union Society Association Institute Office Board College School Council Bank".split()
)
_LONGEST = 12  # words of a name
_PARTICLES = frozenset("de van von der den la le bin al el di da of &".split())
_NOT_NAME = frozenset(
    "the a an this that these those it he she they we i but and in on at if when while as for to after before so yet "
    "however meanwhile monday tuesday wednesday thursday friday saturday sunday january february march april may june "
    "july august september october november december last some many most other another one two both there here what "
    "who why how now then also still critics experts officials our his her their its my your no not yes by with from "
    "according under over since until during while although though because despite instead even just only".split()
)
_HEAD_END = frozenset("of for at in from with on to by who which that about against over under between".split())


_Table = dict[str, list[tuple[tuple[str, ...], _Term]]]


@cache
def _terms() -> tuple[_Table, _Table]:
    """Actors (as written) and roles (in lower case), each by first token, the longest first."""
    actors: _Table = {}
    roles: _Table = {}
    for row in _rows("actors.csv"):
        for variant in row["variants"].split("; "):
            words = _plain(variant)
            actors.setdefault(words[0], []).append(
                (words, _Term(row["speaker_group"], row["kind"], False, row["actor"]))
            )
    for row in _rows("roles.csv"):
        words = tuple(word.lower() for word in _plain(row["role"].title()))
        term = _Term(row["speaker_group"], row["kind"], row["yields"] == "yes", row["role"])
        forms = [words] if words[-1].endswith("s") else [words, (*words[:-1], words[-1] + "s")]
        for form in forms:
            roles.setdefault(form[0], []).append((form, term))
    for table in (actors, roles):
        for rows in table.values():
            rows.sort(key=lambda row: -len(row[0]))
    return actors, roles


def _rows(name: str) -> list[dict[str, str]]:
    with (RESOURCES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _plain(string: str) -> tuple[str, ...]:
    return tuple(token.replace("’", "'") for token, _, _ in _tokens(string))


def _find(
    words: tuple[str, ...], table: dict[str, list[tuple[tuple[str, ...], _Term]]]
) -> list[tuple[int, int, _Term]]:
    """Longest matches, left to right."""
    found, i = [], 0
    while i < len(words):
        for form, term in table.get(words[i], ()):
            if words[i : i + len(form)] == form:
                found.append((i, i + len(form), term))
                i += len(form) - 1
                break
        i += 1
    return found


class Cast:
    """The speakers of one article, as far as it has been read."""

    def __init__(self, issuer: Speaker = AUTHOR) -> None:
        self.bodies: _Table = {}  # what the article itself says a body is: the charity Open Hand
        self.by_name: dict[str, Speaker] = {}  # by full name, by last word and by initials
        self.by_role: dict[str, Speaker] = {}
        # Last speaker of each kind; the body that issues a text is the first.
        self.last: dict[str, Speaker] = {} if issuer is AUTHOR else {"body": issuer}
        self.last_group: dict[str, Speaker] = {}  # last speaker of each group

    def read(self, string: str) -> None:
        """Learn the names of `string` from what stands beside them: Chief Constable Lee; Jo Lee, a cryptographer.

        Bodies first, since they say what their people are: Open Hand, a charity … Jo Lee of Open Hand.
        """
        words = _plain(string)
        names = _names(words)
        for is_body in (True, False):
            recent = self.last["body"].group if "body" in self.last else ""
            for first, last in names:
                group, kind = self._beside(
                    words[first:last], words[max(0, first - 6) : first], words[last : last + 18], recent
                )
                if kind == "body" and group:
                    recent = group
                if group and (kind == "body") == is_body:
                    self._learn(words, first, last, Speaker("", group, kind))

    def _learn(self, words: tuple[str, ...], first: int, last: int, found: Speaker) -> None:
        name = words[first:last]
        known = self._named_bodies(name)
        plain = " ".join(name)
        plain = _person(plain) if found.kind == "person" else _trim(plain)
        full = next((term.name for a, b, term in known if (a, b) == (0, len(name))), plain)
        speaker = found._replace(name=full)
        key = name[-1]
        if key.lower() in _terms()[1]:  # "Inc" names nobody
            self.by_name.setdefault(" ".join(name), speaker)
        elif len(name) > 1 or key not in self.by_name:
            self.by_name.setdefault(" ".join(name), speaker)
            self.by_name.setdefault(key, speaker)
            initials = "".join(word[0] for word in name if word[0].isupper())
            if len(initials) > 2 and found.kind == "body":
                self.by_name.setdefault(initials, speaker)
        if found.kind == "body" and name[0] not in self.bodies and not known:
            self.bodies.setdefault(name[0], []).append((name, _Term(found.group, "body", False, full)))
        beside = tuple(word.lower() for word in (*words[max(0, first - 4) : first], *words[last : last + 8]))
        for _, _, role in _find(beside, _terms()[1]):
            self.by_role.setdefault(role.name, speaker)

    def _named_bodies(self, words: tuple[str, ...]) -> list[tuple[int, int, _Term]]:
        found = [match for match in _find(words, _terms()[0]) if not _is_namesake(words, match)]
        return sorted(found + _find(words, self.bodies), key=lambda match: match[0]) if self.bodies else found

    def mention(self, string: str) -> None:
        """Remember the person or body that a sentence without a speaker is about, for the pronouns after it."""
        words = _plain(string[:80])
        for first, last in _names(words)[:1]:
            speaker = self._known(words, (first, last))
            if speaker and first < 5:
                self._remember(speaker)

    def speaker(self, noun: str, after: str = "") -> Speaker:
        """Say whom a noun phrase means; `after` is what follows it, where an apposition may stand."""
        words = _plain(noun)
        if not words:
            return Speaker("", "unnamed", "unknown")
        lower = tuple(word.lower() for word in words)
        if len(words) == 1 and lower[0] in _HE | _IT | _THEY | _WRITER | {"who", "which", "that"}:
            return self._pronoun(lower[0])
        speaker = self._named(words, lower, after)
        self._remember(speaker)
        return speaker

    def _pronoun(self, word: str) -> Speaker:
        if word in _WRITER:
            return AUTHOR
        kinds = ["person"] if word in _HE else ["body", "document"] if word in _IT else ["group", "body", "person"]
        if word in ("who", "which", "that"):
            kinds = ["person", "body"]
        for kind in kinds:
            if kind in self.last:
                return self.last[kind]
        return Speaker(word, "unnamed", "unknown")

    def _remember(self, speaker: Speaker) -> None:
        self.last[speaker.kind] = speaker
        self.last_group[speaker.group] = speaker

    def _named(self, words: tuple[str, ...], lower: tuple[str, ...], after: str) -> Speaker:
        actors = self._named_bodies(words)
        roles = _unnamed_roles(words, actors) if len(words) > 1 else _find(lower, _terms()[1])
        name = _trim(" ".join(words))
        head = next((i for i, word in enumerate(lower) if i and word in _HEAD_END), len(words))
        documents = [r for r in roles if r[0] < head][-1:]
        documents = [r for r in documents if r[2].kind == "document"]
        names = [(first, last) for first, last in _names(words) if first < head]
        if lower[0] in ("its", "their", "our") and roles and not names and "body" in self.last and not documents:
            return self.last["body"]._replace(name=name, kind="person")
        if documents:
            owner = actors[0][2].group if actors else next((self._group_of(words, n) for n in names), "")
            owner = owner or next((r[2].group for r in roles if r[2].group and r[2].kind != "document"), "")
            group = owner
            is_plea = documents[0][2].name in _PLEAS and lower[0] == "the"
            if not group and not documents[0][2].group and (is_plea or lower[0] in ("its", "their", "his", "her")):
                latest = self.last.get("body") or self.last.get("group") or self.last.get("person")
                group = latest.group if latest else ""
            return Speaker(name, group or documents[0][2].group or "author", "document")
        firm = next((r for r in roles if not r[2].yields and r[2].kind != "document" and r[0] < head), None)
        person = next((a for a in actors if a[2].kind == "person"), None)
        if person and (firm is None or person[1] == len(words)):
            return Speaker(person[2].name, person[2].group, "person")
        if firm and firm[2].group:
            # A name inside the phrase is the speaker's name: Tory MP Jo Lee.
            full = next((" ".join(words[a:b]) for a, b in names if b > firm[1] and b - a > 1), name)
            known = self.by_role.get(firm[2].name) if full == name and lower[0] == "the" and len(words) < 5 else None
            kind = "group" if firm[2].kind == "group" or lower[firm[1] - 1].endswith("s") else firm[2].kind
            if any(a < firm[0] and firm[1] == b for a, b in names):
                kind = "body"  # the role is part of a name: National League of Detectives
            return known or Speaker(_trim(full) if kind in ("body", "group") else _person(full), firm[2].group, kind)
        if actors:
            term = actors[0][2]
            is_body = actors[0][1] == len(words) and not roles
            people = [(a, b) for a, b in names if b - a > 1 and not any(x <= a < y for x, y, _ in actors)]
            full = _person(" ".join(words[people[0][0] : people[0][1]])) if people else term.name if is_body else name
            is_group = bool(roles) and not people and lower[roles[-1][1] - 1].endswith("s")
            return Speaker(full, term.group, "body" if is_body else "group" if is_group else "person")
        headed = next((r for r in roles if r[1] == head and r[2].group and r[2].kind in ("person", "group")), None)
        headed = None if headed and headed[2].group == "unnamed" else headed
        if headed and lower[headed[1] - 1].endswith("s") and not any(b > headed[0] for _, b in names):
            return Speaker(name, headed[2].group, "group")
        known = next((s for n in reversed(names) if (s := self._known(words, n))), None)
        if known:
            return known
        soft = next((r for r in roles if r[2].group and r[2].group != "unnamed"), None)
        soft = soft or next((r for r in roles if r[2].group), None)
        if names:
            first, last = names[-1] if names[-1][1] == len(words) else names[0]
            latest = self.last.get("body")
            group, kind = self._beside(
                words[first:last], words[:first], _plain(after[:120]), latest.group if latest else ""
            )
            full = _person(" ".join(words[first:last])) if kind == "person" else _trim(" ".join(words[first:last]))
            if group or soft:
                return Speaker(full, group or soft[2].group, kind if group else "person")
            is_person = last - first > 1 or bool(_TITLES.match(" ".join(words)))
            return Speaker(full, "unnamed", "person" if is_person else "body")
        if soft:
            if lower[0] in ("the", "its", "their") and len(words) < 5:
                known = self.by_role.get(soft[2].name) or self.last_group.get(soft[2].group)
                if known is None and soft[2].kind == "body":
                    known = self.last.get("body")
                if known:
                    return known
            return Speaker(name, soft[2].group, "group" if lower[soft[1] - 1].endswith("s") else soft[2].kind)
        if roles and lower[0] in ("the", "a", "an", "its", "their", "another", "his", "her"):
            owner = self.by_role.get(roles[0][2].name) or self.last.get("body")
            if owner:
                is_body = roles[0][2].name in ("group", "agency", "body", "organisation", "organization", "coalition")
                is_same = is_body or (lower[0] == "the" and owner.kind == "person")
                return owner if is_same else owner._replace(name=name)
        return Speaker(name, "unnamed", "group" if lower[-1].endswith("s") else "unknown")

    def _known(self, words: tuple[str, ...], span: tuple[int, int]) -> Speaker | None:
        return self.by_name.get(" ".join(words[span[0] : span[1]])) or self.by_name.get(words[span[1] - 1])

    def _group_of(self, words: tuple[str, ...], span: tuple[int, int]) -> str:
        known = self._known(words, span)
        return known.group if known else ""

    def _beside(
        self, name: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...], recent: str
    ) -> tuple[str, str]:
        """Group and kind of a name, from itself, the title before it, or the apposition after it.

        `recent` is the group of the body named last, whose people "its director" and the like are.
        """
        inside = self._named_bodies(name)
        if inside and inside[-1][1] == len(name) and (inside[-1][2].kind == "person" or inside[-1][0] == 0):
            return inside[-1][2].group, inside[-1][2].kind
        # Title before the name, nothing between: FBI Director Jo Lee, security researcher Jo Lee.
        cut = max(
            (i + 1 for i, word in enumerate(before) if not word[0].isalnum() and word not in ("-", "'s")), default=0
        )
        before = before[cut:]
        title = (*before, *name)
        bodies = self._named_bodies(title)
        near = [
            role
            for role in _unnamed_roles(title, bodies)
            if len(before) - 1 <= role[1] <= len(title) and role[2].kind != "document"
        ]
        is_body = any(role[2].kind == "body" for role in near) and not any(role[2].kind == "person" for role in near)
        kind = "person" if len(name) > 1 and not is_body else "body"
        if near:
            firm = next((role for role in near if role[2].group and not role[2].yields), None)
            if firm:  # a role inside the name makes it a body: National League of Detectives
                is_body = firm[0] > len(before) and firm[1] == len(title)
                return firm[2].group, "body" if is_body or firm[2].kind in ("group", "body") else "person"
            body = next((match for match in bodies if match[2].kind == "body"), None)
            if body:
                return body[2].group, "person"
            soft = next((role for role in near if role[2].group), None)
            if soft:
                return soft[2].group, "body" if soft[0] >= len(before) else kind
            if before and len(name) > 1:  # the director, policy chief Jo Lee
                return recent, "person"
        if inside:
            return inside[0][2].group, inside[0][2].kind
        group, is_body = self._apposition(after, recent)
        return group, "body" if is_body else kind

    def _apposition(self, after: tuple[str, ...], recent: str) -> tuple[str, bool]:
        """Group that the words after a name give it (Jo Lee, a cryptographer), and whether they say it is a body."""
        if after[:1] not in ((",",), ("(",), ("of",)):
            return "", False
        ends = (i for i, word in enumerate(after[1:], 1) if word in (".", ";", ":", ")") or (word == "," and i > 3))
        piece = after[1 : next(ends, len(after))]
        if not piece or piece[0].lower() in _NOT_NAME - _OPENS_APPOSITION:
            return "", False
        bodies = self._named_bodies(piece)
        found = [role for role in _unnamed_roles(piece, bodies) if role[2].kind != "document"]
        if piece[0].lower() in ("its", "their", "whose", "our") and recent and found and not bodies:
            return recent, False
        firm = next((role for role in found if role[2].group and not role[2].yields), None)
        soft = next((role for role in found if role[2].group), None)
        if bodies and (firm is None or bodies[0][0] < firm[0]):
            return bodies[0][2].group, False
        if firm or soft:
            role = firm or soft
            return role[2].group, piece[0] in ("a", "an", "the") and role[2].name.endswith(_BODIES)
        return recent if found and (after[0], piece[0]) == (",", "the") else "", False


def _is_namesake(words: tuple[str, ...], match: tuple[int, int, _Term]) -> bool:
    """Whether a known surname belongs to somebody else: Theodora Vance, not Cyrus Vance."""
    first, last, term = match
    if term.kind != "person" or last - first > 1 or not first or not words[first - 1][0].isupper():
        return False
    before = words[first - 1].lower()
    return before not in _NOT_NAME and not _TITLES.match(words[first - 1] + " ") and before not in _terms()[1]


def _unnamed_roles(words: tuple[str, ...], bodies: list[tuple[int, int, _Term]]) -> list[tuple[int, int, _Term]]:
    """Roles in `words` that are no part of a known name: "citizen" is none in Citizen Lab."""
    found = _find(tuple(word.lower() for word in words), _terms()[1])
    return [
        role
        for role in found
        if role[2].name not in _BARE and not any(first <= role[0] and role[1] <= last for first, last, _ in bodies)
    ]


def _trim(name: str) -> str:
    name = re.sub(r"\s+(['’]s?\b|[,.)])", r"\1", name)
    return re.sub(r"^(?:Mr|Mrs|Ms|Dr|Prof)\.?\s+(?=\w)", "", name).removesuffix("'s")


def _person(name: str) -> str:
    """Return a person's name without titles and offices: FBI Director Jo Lee is Jo Lee."""
    words = _plain(name)
    ends = [last for _, last, _ in _find(tuple(word.lower() for word in words), _terms()[1]) if last < len(words)]
    return _trim(" ".join(words[max(ends, default=0) :]))


def _is_body(name: tuple[str, ...]) -> bool:
    """Whether a name before "of" goes on after it: Department of Justice, Bank of Leeds; but Jo Lee of Thorn."""
    lower = tuple(word.lower() for word in name)
    return len(name) == 1 or any(role[1] == len(name) for role in _find(lower, _terms()[1])) or name[-1] in _OFFICES


def _names(words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Runs of capitalised words."""
    found, i = [], 0
    while i < len(words):
        if words[i][0].isupper() and words[i].lower() not in _NOT_NAME:
            stop = i + 1
            while stop < min(len(words), i + _LONGEST) and (
                (words[stop][0].isupper() and words[stop].lower() not in _NOT_NAME)
                or (words[stop].lower() in _PARTICLES and stop + 1 < len(words) and words[stop + 1][0].isupper()
                    and (words[stop] != "of" or _is_body(words[i:stop])))
            ):  # fmt: skip
                stop += 1
            found.append((i, stop))
            i = stop
        else:
            i += 1
    return found
