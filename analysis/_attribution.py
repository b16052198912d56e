"""Who is said to say what in one string: source, cue and content of every attribution, by rules.

The rules read tokens, quotation marks, punctuation, a list of reporting verbs and closed classes of words; there is no
tagger or parser behind them. A quotation counts as one word of the sentence that holds it, so that "“No. Never,” he
said" is one clause. From each reporting verb a subject is looked for on its left (or, after a quotation, on its right),
past auxiliaries, adverbs and appositions; what is said is the clause after the verb, or before it ("…, he said").
"""

import csv
from functools import cache
from typing import NamedTuple

from analysis._quotes import Quote, quotes
from analysis.codebook import RESOURCES

Span = tuple[int, int]


class Attribution(NamedTuple):
    """One source saying, thinking or wanting one thing; offsets are characters of the string."""

    source: Span | None
    cue: Span
    content: tuple[Span, ...]
    verb: str
    colour: str
    complement: str
    rule: str
    is_quoted: bool  # the content is, or opens with, a quotation of several words
    depth: int  # 0, or 1 inside the content of another attribution
    noun: Span | None  # the noun phrase that names the source: that before a relative pronoun, else the source itself


class Verb(NamedTuple):
    """One row of reporting_verbs.csv."""

    verb: str
    particle: tuple[str, ...]
    colour: str
    complement: str
    takes: str  # "that": a cue only beside a quotation, "that" or the like


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BE = _words("is are was were be been being am 's 're get gets got gotten getting")
_AUX = _BE | _words(
    "has have had will would could can may might must should shall do does did 'd 've 'll 'm ca wo n't not never to "
    "having cannot used"
)
_ADVERBS = _words(
    "also then now later still first again once even just only often always ever further already soon earlier both all "
    "each instead yesterday today tonight too rather better long since so far thus nevertheless nonetheless however "
    "quite twice almost simply indeed perhaps monday tuesday wednesday thursday friday saturday sunday"
)
_DAYS = _words(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december today yesterday tonight tomorrow"
)
_DETERMINERS = _words("the a an this these those that his her its their our my your no every any each another some")
_RELATIVE = _words("who which that")
_PARTICIPLES = _words("known seen written given shown taken sung drawn forgotten spoken thrown sworn foreseen")
_BARE = _words("those many some few most several both this another neither all")
_POSSESSIVE = _words("his her its their our my your whose")
_PREPOSITIONS = _words(
    "of for at in from with on to by about against under over between among during after before without within into "
    "onto through toward towards despite like near since until as than via per amid behind beyond upon inside outside "
    "across along around regarding concerning including following"
)
_PRONOUNS = _words("he she they we i it you who which one everyone everybody someone somebody nobody anyone others")
_SUBORDINATE = _words(
    "that because while when if although though whereas unless where whether how why what who which whom whose but or "
    "nor so than yet as since until after before"
)
_CONJUNCTIONS = _words("and but while though although as because yet or whereas when since")
_CLOSE = frozenset(",;:()[]—–-.…|") | {"--", "..."}
_TELL = _words("tell ask inform warn remind assure advise urge notify accuse promise teach persuade convince")
_ADJUNCT = _words("in on at during after of through via to before when while as by last this earlier from this with")
_CHAIN = _words("on continued continues began begun started refused declined proceeded goes went used expected")
_CLOSING = _words("say add write report note explain warn argue concede admit")
_THAT = _words("that how what why whether if there")
_PLURAL = _words(
    "people police many some others few most several both media public those women men officers staff none"
)
_PASSIVE_ALONE = _words(
    "tell ask expect say report believe know consider accuse quote urge allege see think understand announce warn deem "
    "describe view suspect estimate suppose call project predict charge describe portray regard"
)
_NOT_HEAD = _DETERMINERS | _PREPOSITIONS | _words("and or very more such same own new whose 's much too")
_APPOSITION = (
    _DETERMINERS
    | _PREPOSITIONS
    | _words("who which whose now then himself herself however though meanwhile too")
    | _words("former chief president director chairman head")
)
_LONGEST = 400  # tokens of a sentence; a longer one is read in pieces, so that the cost stays linear
_MOST = 100  # pieces of one quotation


@cache
def verbs() -> tuple[dict[str, list[tuple[Verb, str]]], dict[str, Verb], frozenset[str]]:
    """Inflected form to verbs and kind of form (base, s, past, ing); noun to verb; forms that are nouns as well."""
    by_form: dict[str, list[tuple[Verb, str]]] = {}
    by_noun: dict[str, Verb] = {}
    with (RESOURCES / "reporting_verbs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            verb = Verb(row["verb"], tuple(row["particle"].split()), row["colour"], row["complement"], row["takes"])
            forms = row["forms"].split("; ")
            for form in forms:
                kind = "base" if form == forms[0] else "ing" if form.endswith("ing") else "past"
                kind = "s" if form == forms[1] and form.endswith("s") else kind
                by_form.setdefault(form, []).append((verb, kind))
            for noun in row["nouns"].split("; ") if row["nouns"] else ():
                by_noun.setdefault(noun, verb)
    for rows in by_form.values():  # the longest particle first: "call for" before "call"
        rows.sort(key=lambda row: -len(row[0].particle))
    return by_form, by_noun, frozenset(by_form) & frozenset(by_noun)


class Cue(NamedTuple):
    """A cue as found in a clause, in token numbers; `source` and `cue` are half-open."""

    at: int
    source: tuple[int, int] | None
    cue: tuple[int, int]
    verb: Verb
    order: str  # pre: the content follows; post: it goes before; split: both; noun, passive
    rule: str


class Clause:
    """The tokens of one sentence, each quotation of several words folded into one token."""

    def __init__(self, tokens: list[tuple[str, int, int]], is_quote: list[bool]) -> None:
        self.word = [token[0] for token in tokens]
        self.lower = [word.lower().replace("’", "'") for word in self.word]
        self.start = [token[1] for token in tokens]
        self.end = [token[2] for token in tokens]
        self.is_quote = is_quote
        self.size = len(tokens)
        self.is_title = sum(word[0].isupper() for word in self.word) * 2 > self.size

    def is_mark(self, i: int) -> bool:
        return not self.is_quote[i] and not self.word[i][0].isalnum() and self.lower[i][0] not in "'@#$£€"

    def is_name(self, i: int) -> bool:
        return self.word[i][0].isupper() and self.lower[i] not in _DAYS


def attributions(
    tokens: list[tuple[str, int, int]], sentences: list[Span], string: str, *, acts: bool = False
) -> list[Attribution]:
    """Every attribution of `string`, given its tokens and sentences, in the order of their cues.

    With `acts`, also what somebody does in a sentence without a quotation (rule "act"): Apple removed the option.
    """
    found: list[Attribution] = []
    is_announced = False  # the sentence before ended with a colon: Lee continued:
    for clause, opens_paragraph in _clauses(tokens, _pieces(tokens, sentences), string):
        here = _resolve(clause, _cues(clause))
        if acts and not any(clause.is_quote):
            here = here + _resolve(clause, _acts(clause))
        if is_announced and clause.is_quote[0]:
            last = found[-1]
            quoted = (clause.start[0], clause.end[0])
            found[-1] = last._replace(content=(*last.content, quoted) if last.is_quoted else (quoted,), is_quoted=True)
        elif is_announced and not found[-1].content:
            found.pop()
        is_announced = bool(here) and clause.word[-1] == ":" and here[-1].depth == 0
        if here:
            found += here if is_announced else [one for one in here if one.content]
        elif not opens_paragraph and clause.is_quote[:1] == [True] and found and found[-1].is_quoted:
            # “One,” she said. “Two.” The second quotation belongs to the first.
            last = found[-1]
            if len(last.content) < _MOST:
                found[-1] = last._replace(content=(*last.content, (clause.start[0], clause.end[0])))
    if is_announced and not found[-1].content:
        found.pop()
    return found


def _pieces(tokens: list[tuple[str, int, int]], sentences: list[Span]) -> list[Span]:
    """Cut sentences of more than `_LONGEST` tokens."""
    pieces, token = [], 0
    for start, end in sentences:
        first = token
        while token < len(tokens) and tokens[token][1] < end:
            if token - first == _LONGEST:
                pieces.append((start, tokens[token][1]))
                start, first = tokens[token][1], token
            token += 1
        pieces.append((start, end))
    return pieces


def _clauses(tokens: list[tuple[str, int, int]], sentences: list[Span], string: str) -> list[tuple[Clause, bool]]:
    """Sentences as clauses; one that ends inside a quotation is joined with what the quotation goes on with."""
    marks = quotes(string)
    clauses: list[tuple[Clause, bool]] = []
    token, mark, sentence = 0, 0, 0
    while sentence < len(sentences):
        first, stop = sentences[sentence]
        sentence += 1
        folded: list[tuple[str, int, int]] = []
        flags: list[bool] = []
        while token < len(tokens) and tokens[token][1] < stop:
            word, start, end = tokens[token]
            while mark < len(marks) and marks[mark].end <= start:
                mark += 1
            if mark < len(marks) and marks[mark].start <= start and _is_speech(marks[mark], string):
                quote = marks[mark]
                folded.append((string[quote.start : quote.end], quote.start, quote.end))
                flags.append(True)
                while token < len(tokens) and tokens[token][1] < quote.end:
                    token += 1
                while stop < quote.end and sentence < len(sentences):
                    stop = sentences[sentence][1]
                    sentence += 1
            else:
                folded.append((word, start, end))
                flags.append(False)
                token += 1
        before = string[max(0, first - 3) : first]
        clauses.append((Clause(folded, flags), first == 0 or "\n" in before))
    return clauses


def _is_speech(quote: Quote, string: str) -> bool:
    """Whether a quotation is more than a word or two in quotation marks."""
    inside = quote.inside(string)
    return inside.count(" ") >= 3 or inside[-1:] in (",", ".", "!", "?", "…", "-", "–", "—")


# --- cues of one clause


def _cues(clause: Clause) -> list[Cue]:
    by_form, by_noun, _ = verbs()
    found: list[Cue] = []
    i = 0
    while i < clause.size:
        if clause.is_quote[i]:
            i += 1
            continue
        lower = clause.lower[i]
        cue = None
        if lower == "according" and i + 1 < clause.size and clause.lower[i + 1] == "to":
            stop = _noun_phrase_right(clause, i + 2)
            cue = Cue(i, (i + 2, stop), (i, i + 2), _ACCORDING, "pre" if i <= 1 else "post", "according to")
        elif lower in by_form and not (i and clause.word[i][0].isupper() and not clause.is_title):
            cue = _verb_cue(clause, i, found)
            if cue is None and lower in by_noun:
                cue = _noun_cue(clause, i, by_noun[lower])
        elif lower in by_noun:
            cue = _noun_cue(clause, i, by_noun[lower])
        elif lower == ":":
            cue = _script(clause, i, found)
        if cue:
            found.append(cue)
            i = max(i, cue.cue[1] - 1)
        i += 1
    return found or _spoken(clause)


def _spoken(clause: Clause) -> list[Cue]:
    """Read a quotation beside a subject and a verb that no list has: “No, no, no,” Lee barked."""
    for i in range(min(clause.size - 2, 3)):
        if clause.is_quote[i] and clause.word[i].rstrip("\"'”’»")[-1:] in (",", "?", "!", "—", "–"):
            first, end = i + 1, _noun_phrase_right(clause, i + 1)
            for at in range(first + 1, min(end + 1, clause.size)):
                if clause.lower[at].endswith("ed") and not clause.is_name(at):
                    order = "split" if _goes_on(clause, at + 1) else "post"
                    return [Cue(first, (first, at), (at, at + 1), _COLON, order, "spoken")]
            if clause.lower[first].endswith("ed") and end > first + 1:
                return [Cue(first, (first + 1, end), (first, first + 1), _COLON, "post", "spoken")]
    return []


def _script(clause: Clause, colon: int, found: list[Cue]) -> Cue | None:
    """Read a name, a colon and what is said: LEE: No. Or: Lee on the bill: “No. Never.”."""
    if not 0 < colon < clause.size - 1 or (found and found[-1].cue[1] > colon - 8):
        return None
    if clause.is_quote[colon + 1]:
        first = colon - 1
        while first > 0 and colon - first < 8 and not (clause.is_quote[first - 1] or clause.word[first - 1] in _CLOSE):
            first -= 1
        if clause.is_quote[first] or not any(map(clause.is_name, range(first, colon))):
            return None
        return Cue(first, (first, colon), (colon, colon + 1), _COLON, "pre", "colon")
    is_named = colon <= 3 and clause.size > colon + 3 and all(clause.word[i].isupper() for i in range(colon))
    return Cue(0, (0, colon), (colon, colon + 1), _COLON, "pre", "colon") if is_named else None


def _acts(clause: Clause) -> list[Cue]:
    """Return the first thing that a subject does, where nobody is said to say anything."""
    by_form = verbs()[0]
    for i in range(1, clause.size - 1):
        for verb, kind in by_form.get(clause.lower[i], ()):
            n = len(verb.particle)
            if verb.complement not in ("act", "intent") or tuple(clause.lower[i + 1 : i + 1 + n]) != verb.particle:
                continue
            left, auxiliaries, has_to = _verb_group(clause, i)
            is_passive = kind == "past" and auxiliaries & _BE
            is_reduced = kind == "past" and not auxiliaries and clause.lower[i + 1] in ("by", "up")  # an app made by
            if is_passive or has_to or is_reduced or (kind == "ing" and not auxiliaries & _BE):
                continue
            source = _subject(clause, left, kind, auxiliaries, i)
            before = clause.lower[source[0] - 1] if source and source[0] else ","
            if (
                source
                and before in (",", "and", "but", "now", "then", "when", ")", "—")
                and clause.lower[source[0]] not in _RELATIVE
            ):
                return [Cue(source[0], source, (left + 1, i + 1 + n), verb, "pre", "act")]
    return []


_ACCORDING = Verb("according to", (), "neutral", "clause", "")
_COLON = Verb("say", (), "neutral", "clause", "")


def _verb_cue(clause: Clause, i: int, found: list[Cue]) -> Cue | None:
    """Read the token `i`, a form of a reporting verb, as a cue if it has a subject and something said."""
    verb, kind, stop = _match(clause, i)
    if verb is None or verb.complement == "act":
        return None
    left, auxiliaries, has_to = _verb_group(clause, i)
    is_passive = kind == "past" and bool(auxiliaries & _BE) and not auxiliaries & {"having"}
    following = clause.lower[stop] if stop < clause.size else ""
    if is_passive:
        return _passive(clause, i, left, stop, verb)
    if clause.lower[i] in _PARTICIPLES and not auxiliaries & {"has", "have", "had", "'ve", "'s", "'d"}:
        return None
    if kind == "ing" and not auxiliaries & _BE:
        return _participle(clause, i, left, stop, verb, found)
    if has_to:
        return _infinitive(clause, i, left, stop, verb, found)
    if clause.lower[i] == "asked" and following and (left < 0 or clause.lower[left] in ("when", "if")):
        return Cue(i, None, (i, stop), verb, "pre", "asked")
    is_said = kind in ("past", "s") or clause.lower[i] == "say"
    if (
        is_said
        and verb.verb not in _TELL - {"ask"}
        and verb.complement == "clause"
        and _is_inverted(clause, i, stop, left, verb)
    ):
        end = max(stop + 1, _noun_phrase_right(clause, stop))
        order = "split" if _quote_follows(clause, end) else "post"
        return Cue(i, (stop, end), (i, stop), verb, order, "inverted")
    if kind == "past" and following == "by" and not auxiliaries and verb.verb != "say":
        return _passive(clause, i, left, stop, verb)
    source = _subject(clause, left, kind, auxiliaries, i)
    if source is None:
        joined = left >= 0 and (clause.lower[left] in ("and", "but", "or", "then") or clause.word[left] == ",")
        if kind not in ("past", "s") or not joined or (verb.takes and not _is_that(clause, stop)):
            return None
        first = next((cue for cue in reversed(found) if cue.order != "noun"), None)
        if first and clause.lower[i] not in verbs()[2]:
            return Cue(left + 1, first.source, (left + 1, stop), verb, "pre", "joined")
        if kind == "past" and not found and (verb.verb in ("say", "tell") or _is_that(clause, stop)):
            source = _first_subject(clause, 0)
            if source and source[1] <= left:
                return Cue(left + 1, source, (left + 1, stop), verb, "pre", "joined")
        return None
    before = source[0] - 1
    cue = (max(source[1], min(left + 1, i)), stop)
    if verb.complement == "clause":
        may_close = not verb.takes or before < 0 or clause.is_quote[before] or (before and clause.is_quote[before - 1])
        is_after = before >= 0 and clause.is_quote[before]
        if (
            before >= 0
            and may_close
            and _follows_content(clause, before)
            and _is_closing(clause, stop, verb, is_after)
            and (
                clause.is_quote[before]
                or clause.is_quote[before - 1]
                or clause.word[before] in ('"', "''", "”")
                or (
                    (clause.size - stop < 10 or clause.word[stop] == ",")
                    and not (clause.lower[0] in _PREPOSITIONS and before < 6)
                )
            )
        ):
            order = "split" if _goes_on(clause, stop) else "post"
            return Cue(source[0], source, cue, verb, order, "closing")
        if clause.lower[i] == "say" and not following:
            return None
    if not following or (clause.is_mark(stop) and verb.complement != "clause"):
        return None
    if verb.takes and not _is_that(clause, stop):
        return None
    return Cue(source[0], source, cue, verb, "pre", "subject")


def _is_that(clause: Clause, i: int) -> bool:
    """Whether what follows can only be something said: a quotation, a colon, that, how."""
    window = clause.lower[i : i + 8]
    return bool(window) and (
        clause.is_quote[i] or window[0] in _THAT or ":" in window or any(clause.is_quote[i : i + 8])
    )


def _match(clause: Clause, i: int) -> tuple[Verb | None, str, int]:
    """Return the verb whose form and particle stand at `i`, the kind of form, and the token after it."""
    for verb, kind in verbs()[0][clause.lower[i]]:
        n = len(verb.particle)
        if tuple(clause.lower[i + 1 : i + 1 + n]) == verb.particle:
            following = clause.lower[i + 1 + n] if i + 1 + n < clause.size else ""
            if verb.complement == "intent" and following not in ("to", "a", "the", "an", "more", "it", "his"):
                continue
            return verb, kind, i + 1 + n
    return None, "", i + 1


def _verb_group(clause: Clause, i: int) -> tuple[int, set[str], bool]:
    """Step left over auxiliaries and adverbs: the token before them, the auxiliaries, whether "to" is one."""
    left, seen = i - 1, set()
    while left >= 0 and i - left < 9:
        lower = clause.lower[left]
        if lower == "'s" and (not left or clause.lower[left - 1] not in _PRONOUNS | {"that", "there", "what"}):
            break  # a genitive
        if lower in _AUX:
            seen.add(lower)
        elif lower in _DAYS and left and clause.lower[left - 1] in ("on", "last", "this", "late", "early"):
            left -= 1
        elif not (lower in _ADVERBS or (lower.endswith("ly") and len(lower) > 4 and not clause.is_name(left))):
            break
        left -= 1
    return left, seen, "to" in seen


def _is_inverted(clause: Clause, i: int, stop: int, left: int, verb: Verb) -> bool:
    """Whether the subject follows: “…,” said Lee; …, said Lee, a lawyer."""
    if left != i - 1 or stop >= clause.size or left < 0:
        return False
    is_after = clause.is_quote[left] or clause.word[left] in (",", '"', "”", "''") or clause.word[left] in ("-", "—")
    if not is_after or clause.is_quote[stop] or clause.is_mark(stop):
        return False
    if clause.word[left] == "," and not (left and clause.is_quote[left - 1]):
        if verb.verb not in _CLOSING:
            return False
        end = _noun_phrase_right(clause, stop)
        if end < clause.size and not (clause.is_mark(end) or clause.lower[end] in _ADJUNCT):
            return False
    lower = clause.lower[stop]
    if (
        lower in _DAYS
        or lower in _ADJUNCT
        or (lower.endswith("ly") and not clause.is_name(stop))
        or lower in ("that", "it", "he", "she", "they", "we", "i")
    ):
        return False
    return (
        clause.is_name(stop) or lower in _DETERMINERS or lower.endswith("s") or lower in _PLURAL or lower[0].isalpha()
    )


def _follows_content(clause: Clause, before: int) -> bool:
    return clause.is_quote[before] or clause.word[before] in (",", "—", "–", "--", "-", '"', "”", "?", "!")


def _quote_follows(clause: Clause, i: int) -> bool:
    return any(clause.is_quote[i : i + 12])


def _is_closing(clause: Clause, stop: int, verb: Verb, is_after: bool) -> bool:
    """Whether nothing is said after the verb: it ends the sentence, or only when, where and to whom follows.

    `is_after`: a quotation goes before, so that another one after a comma is its second half.
    """
    if stop >= clause.size:
        return True
    if clause.is_quote[stop]:
        return False
    lower = clause.lower[stop]
    if clause.is_mark(stop):
        is_opening = lower == "," and stop + 1 < clause.size and clause.is_quote[stop + 1]
        return is_after or not (is_opening or lower == ":")
    if lower in _DAYS or lower in _ADJUNCT or lower in ("recently", "again", "later"):
        end = next((i for i in range(stop, clause.size) if clause.is_mark(i)), clause.size)
        return is_after or ("that" not in clause.lower[stop:end] and not any(clause.is_quote[stop : stop + 16]))
    if verb.verb in _TELL:
        end = _noun_phrase_right(clause, stop)
        return end >= clause.size or not clause.word[end][0].isalpha() or clause.lower[end] in _ADJUNCT | _DAYS
    return lower.endswith("ly")


def _goes_on(clause: Clause, stop: int) -> bool:
    """Whether the content goes on after the cue: The plan, he said, would fail."""
    if stop >= clause.size or clause.is_quote[stop]:
        return stop < clause.size
    if clause.word[stop] not in (",", ":", ";", "—", "–"):
        return _quote_follows(clause, stop)
    follows = clause.lower[stop + 1 : stop + 2]
    return bool(follows) and follows[0] not in ("who", "which", "whose", "and", "but", "a", "adding", "while", "as")


def _passive(clause: Clause, i: int, left: int, stop: int, verb: Verb) -> Cue | None:
    """“was told”, “is expected to”, “criticised by”: the source is behind "by", or is not named."""
    for by in range(stop, min(stop + 8, clause.size - 1)):
        if clause.lower[by] == "by" and clause.lower[by + 1] not in _DAYS:
            end = _noun_phrase_right(clause, by + 1)
            if clause.lower[by + 1].endswith("ing") or end <= by + 1:
                break
            return Cue(left + 1, (by + 1, end), (left + 1, by + 1), verb, "passive", "passive by")
        if clause.is_mark(by) or clause.is_quote[by]:
            break
    if clause.lower[i] == "expected" and clause.lower[stop : stop + 1] == ["to"] and stop + 1 < clause.size:
        expected = verbs()[0].get(clause.lower[stop + 1], ())
        if any(row[0].complement == "clause" for row in expected):
            return None  # is expected to say: the infinitive is the cue
    if verb.verb in _PASSIVE_ALONE and left + 1 < i:
        return Cue(left + 1, None, (left + 1, stop), verb, "passive", "passive")
    return None


def _participle(clause: Clause, i: int, left: int, stop: int, verb: Verb, found: list[Cue]) -> Cue | None:
    """“…, adding that”, “critics saying that”: the subject of the clause, or the noun on the left."""
    if stop >= clause.size or verb.complement in ("seem", "intent") or (verb.takes and not _is_that(clause, stop)):
        return None
    if left < 0 or clause.word[left] in _CLOSE or clause.is_quote[left] or clause.lower[left] in ("and", "while", "by"):
        if found and found[-1].source and found[-1].order != "noun":
            source = found[-1].source
        else:
            source = _first_subject(clause, 0 if left >= 0 else _after_comma(clause, stop))
        if source is None or source[0] >= i > source[0] + 60:
            return None
        return Cue(i, source, (i, stop), verb, "pre", "participle")
    says_that = clause.lower[stop] == "that" or clause.is_quote[stop]
    if clause.lower[left] in _NOT_HEAD or verb.complement != "clause" or not says_that:
        return None
    source = _noun_phrase_left(clause, left)
    return Cue(source[0], source, (i, stop), verb, "pre", "participle noun") if source else None


def _infinitive(clause: Clause, i: int, left: int, stop: int, verb: Verb, found: list[Cue]) -> Cue | None:
    """“went on to say”, “declined to comment”: only after a verb that passes its subject on."""
    if verb.complement not in ("clause", "object") or left < 1 or stop >= clause.size:
        return None
    if clause.lower[left] in _CHAIN:
        start = left - 1 if clause.lower[left] == "on" else left
        source = _subject(clause, _verb_group(clause, start)[0], "past", set(), start)
        if source:
            return Cue(source[0], source, (start, stop), verb, "pre", "infinitive")
    return None


def _noun_cue(clause: Clause, i: int, verb: Verb) -> Cue | None:
    """“her claim that”, “the charity's call for”, “the claim that”."""
    if i + 1 >= clause.size or clause.is_quote[i + 1] or verb.complement == "intent":
        return None
    following = clause.lower[i + 1]
    source: tuple[int, int] | None = None
    at = i - 1
    while at >= 0 and i - at < 4 and clause.word[at][0].isalpha() and clause.lower[at] not in _NOT_HEAD | _AUX:
        at -= 1  # adjectives
    if at >= 0 and clause.lower[at] in _POSSESSIVE:
        source = (at, at + 1)
    elif at >= 1 and clause.lower[at] in ("'s", "'", "’"):
        source = _noun_phrase_left(clause, at - 1)
    if source:
        if following not in ("that", "of", "for", "to", "about", "on", "against", "as", "with", "over", "by"):
            return None
        return Cue(source[0], source, (source[1], i + 2), verb, "noun", "noun")
    return None


# --- noun phrases


def _subject(clause: Clause, left: int, kind: str, auxiliaries: set[str], verb: int) -> tuple[int, int] | None:
    """Return the subject that ends at `left`, if what stands there can be the subject of the form `kind`."""
    if left < 0 or clause.is_quote[left]:
        return None
    lower = clause.lower[left]
    if lower in _PRONOUNS or lower in _BARE:
        return left, left + 1
    if lower == "that":  # a relative pronoun if a noun goes before it
        has_noun = left and clause.word[left - 1][0].isalpha() and clause.lower[left - 1] not in _NOT_HEAD | _AUX
        return (left, left + 1) if has_noun and clause.lower[left - 1] not in verbs()[0] else None
    if clause.word[left] in (",", ")", "—", "–", "--", "]"):
        return _before_apposition(clause, left)
    if clause.is_mark(left) or lower in _NOT_HEAD or lower in _SUBORDINATE or lower in _CONJUNCTIONS or lower in _DAYS:
        return None
    if not auxiliaries and not _agrees(clause, left, kind, verb):
        return None
    found = _noun_phrase_left(clause, left)
    if found and found[0] and not auxiliaries and kind in ("base", "s") and clause.lower[verb] in verbs()[2]:
        # A form that is a noun as well is a verb only where its subject opens a clause: not "over state demands that".
        before = clause.lower[found[0] - 1]
        opens = before in _SUBORDINATE or before in _CONJUNCTIONS or clause.is_quote[found[0] - 1] or before in _CLOSE
        return found if opens or before in _PRONOUNS else None
    return found


def _agrees(clause: Clause, left: int, kind: str, verb: int) -> bool:
    """Whether the noun at `left` can be the subject of this form; a form that is also a noun needs more."""
    lower = clause.lower[left]
    if kind == "base":
        if not (_is_plural(clause, left) or _is_plural(clause, _head(clause, left))):
            return False
    elif kind == "s" and lower.endswith("s") and not clause.is_name(left) and not lower.endswith("ss"):
        return False
    if kind in ("base", "s") and clause.lower[verb] in verbs()[2]:
        following = verb + 1
        if following >= clause.size or clause.is_mark(following):
            return False
        after = clause.lower[following]
        return (
            clause.is_quote[following]
            or after in ("that", "it", "he", "she", "they", "we", "i", "to")
            or after in _DETERMINERS
            or clause.is_name(following)
            or after in ("there", "for", "on")
        )
    return True


def _is_plural(clause: Clause, noun: int) -> bool:
    lower = clause.lower[noun]
    return lower.endswith("s") or lower in _PLURAL or (noun > 0 and clause.lower[noun - 1] == "and")


def _head(clause: Clause, last: int) -> int:
    """Return the head of the noun phrase that ends at `last`: organisers in Leeds."""
    phrase = _noun_phrase_left(clause, last) or (last, last + 1)
    prepositions = (i for i in range(phrase[0] + 1, phrase[1]) if clause.lower[i] in _PREPOSITIONS)
    return next(prepositions, last + 1) - 1


def _noun_phrase_left(clause: Clause, last: int) -> tuple[int, int] | None:
    """Return the noun phrase that ends with the token `last`."""
    by_form, by_noun, _ = verbs()
    first = last + 1
    while first > 0 and last - first < 14:
        i = first - 1
        lower = clause.lower[i]
        if clause.is_quote[i] or lower in _SUBORDINATE - {"as"} or lower in _PRONOUNS or lower in _AUX - {"'s", "to"}:
            break
        if clause.is_mark(i) and clause.word[i] not in ("&", ".", "'", "’", "/"):
            break
        is_verb = lower in by_form and lower not in by_noun and not lower.endswith("ing")
        if is_verb and i < last and not clause.is_name(i):
            break
        if lower == "and" and i and clause.word[i - 1] in (",", ";"):
            break
        first -= 1
    while first <= last and (clause.lower[first] in _PREPOSITIONS or clause.lower[first] in ("and", "'s", "or")):
        first += 1
    if first > last or (first == last and clause.lower[last] in _ADVERBS):
        return None
    return first, last + 1


def _noun_phrase_right(clause: Clause, first: int) -> int:
    """Return the end of the noun phrase that begins at `first`, with "of" phrases and a first apposition left out."""
    by_form, by_noun, _ = verbs()
    i = first
    while i < clause.size and i - first < 16:
        lower = clause.lower[i]
        is_name = i > 0 and clause.word[i][0].isupper()  # Will Doyle, May
        if clause.is_quote[i] or (lower in _AUX - {"'s"} and not is_name) or lower in _SUBORDINATE - {"who"}:
            break
        if lower in _DAYS and not (is_name and i == first):
            break
        if lower in ("who", "which") and i > first:
            break
        if clause.is_mark(i) and clause.word[i] not in ("&", "'", "’", "/"):
            break
        if lower in by_form and lower not in by_noun and i > first and not clause.is_name(i):
            break
        if lower in ("in", "on", "at", "during", "after", "to") and i > first:
            break
        i += 1
        if lower in _PRONOUNS and i - first == 1:
            break
    return i


def _before_apposition(clause: Clause, left: int) -> tuple[int, int] | None:
    """Return the noun phrase before what stands between commas: Samantha Lee, the city's director, said."""
    at = left - 1
    for _ in range(4):
        stop = at
        while at >= max(0, stop - 31) and not (
            clause.word[at] in (",", "(", "—", "–", "--", "[") or clause.is_quote[at]
        ):
            at -= 1
        if at <= 0 or stop - at > 30 or stop == at or clause.is_quote[at]:
            return None
        opening = clause.lower[at + 1]
        before = at - 1
        is_apposition = (
            opening in _APPOSITION
            or opening[0].isdigit()
            or clause.is_name(before)
            or (stop - at < 6 and all(map(clause.is_name, range(at + 1, stop + 1))))
        )
        if is_apposition and clause.word[before][0].isalpha() and clause.lower[before] not in _NOT_HEAD:
            source = _noun_phrase_left(clause, before)
            if source is None or clause.lower[source[0]] in _ADJUNCT:
                return None
            # Lee, 22, of Flint, said: go on to the left while the piece before is an apposition itself.
            if source[0] and clause.word[source[0] - 1] in (",", "("):
                piece = clause.lower[source[0]]
                if clause.word[source[0]][0].isdigit() or (piece in _PREPOSITIONS) or source[1] - source[0] == 1:
                    at = source[0] - 1 - 1
                    if at > 0 and clause.is_name(at):
                        return _noun_phrase_left(clause, at)
            return source
        at = before
    return None


def _first_subject(clause: Clause, first: int) -> tuple[int, int] | None:
    """Return the first noun phrase of the clause from `first` on, past an opening phrase such as "In May,"."""
    if first >= clause.size:
        return None
    if clause.is_quote[first] or clause.is_mark(first) or clause.lower[first] in _CONJUNCTIONS | _ADVERBS:
        return _first_subject(clause, first + 1) if first < 3 else None
    if clause.lower[first] in _PREPOSITIONS | _SUBORDINATE or clause.lower[first].endswith("ing"):
        after = _after_comma(clause, first)
        return _first_subject(clause, after) if after < clause.size else None
    end = _noun_phrase_right(clause, first)
    return (first, end) if end > first else None


def _after_comma(clause: Clause, first: int) -> int:
    for i in range(first, clause.size):
        if clause.word[i] == ",":
            return i + 1
    return clause.size


# --- contents


def _resolve(clause: Clause, cues: list[Cue]) -> list[Attribution]:
    """Give each cue its content, and say which cues lie inside the content of another."""
    if not cues:
        return []
    stop = clause.size
    while stop and clause.word[stop - 1] in (".", "!", "?", ":"):
        stop -= 1
    depth = [0] * len(cues)
    content: list[list[tuple[int, int]]] = [[] for _ in cues]
    base = 0  # where what is not yet claimed begins
    outer = -1  # the attribution whose content is open
    for n, cue in enumerate(cues):
        if cue.order in ("post", "split"):
            begin = base
            at = min(cue.at, cue.source[0] if cue.source else cue.at, cue.cue[0])
            last = at
            while last > begin and clause.word[last - 1] in (",", "—", "–", "--", "-"):
                last -= 1
            if last > begin:
                content[n].append((begin, last))
            for m in range(n):
                if cues[m].at >= begin and depth[m] == 0 and cues[m].order not in ("post", "split"):
                    depth[m] = 1
            end = max(cue.cue[1], cue.source[1] if cue.source else 0)
            if cue.order == "split":
                begin = end
                if begin < stop and not clause.is_quote[begin] and clause.word[begin] not in (",", ":", ";", "—"):
                    begin = next(i for i in range(begin, stop) if clause.is_quote[i])
                while begin < stop and clause.word[begin] in (",", ":", ";", "—"):
                    begin += 1
                if begin < stop:
                    content[n].append((begin, stop))
                outer = n
            else:
                outer = -1
            base = end
            continue
        if outer >= 0 and not _breaks(clause, cue, cues[outer]):
            depth[n] = 1
        elif outer >= 0 and content[outer] and content[outer][-1][1] > cue.at:
            begin, _ = content[outer][-1]
            at = cue.at if cue.at > begin else cue.cue[0]
            content[outer][-1] = (begin, max(begin + 1, _cut(clause, at)))
        if cue.order == "passive":
            if cue.verb.complement == "object" or cue.source or cue.verb.verb not in _TELL:
                subject = _noun_phrase_left(clause, cue.cue[0] - 1) if cue.cue[0] else None
                if subject and not clause.is_mark(cue.cue[0] - 1):
                    content[n].append(subject)
            end = max(cue.cue[1], cue.source[1] if cue.source else 0)
            if end < stop and not clause.is_mark(end):
                content[n].append((end, stop))
        else:
            begin = _content_start(clause, cue, stop)
            if begin < stop:
                content[n].append((begin, stop))
        if depth[n] == 0:
            outer = n
    return [_attribution(clause, cue, spans, level) for cue, spans, level in zip(cues, content, depth, strict=True)
            if spans or (cue is cues[-1] and clause.word[-1] == ":")]  # fmt: skip


def _breaks(clause: Clause, cue: Cue, outer: Cue) -> bool:
    """Whether the cue starts a clause of its own, so that what was being said ends before it."""
    at = cue.at
    if cue.rule == "subject" and cue.source and cue.source[0] < outer.at:
        return True  # Lee, who backed it, said …
    if cue.rule == "noun" or at == 0:
        return False
    before = clause.lower[at - 1]
    if cue.rule in ("joined", "asked"):
        return True
    is_relative = clause.lower[at] in _RELATIVE
    if is_relative and outer.verb.complement == "object" and cue.verb.complement == "clause":
        return True  # echoing experts who say …
    if cue.rule == "participle":
        return before in _CLOSE or before in ("and", "while")
    if before in (";", "—", "–", "--", "but", "while", "although", "though", "whereas"):
        return True
    if before in ("and", "as", "because", "or", "when") and at > 1 and clause.word[at - 2] in (",", ";"):
        return True
    if before == "," or (before in ("which", "who", "whom", "that") and at > 1 and clause.word[at - 2] == ","):
        if clause.lower[at] in ("who", "which") or before != ",":
            return True
        if cue.verb.complement != "clause" or cue.rule != "subject":
            return False
        is_reported = outer.verb.complement == "clause" and _is_that(clause, outer.cue[1])
        return not is_reported or (_is_that(clause, cue.cue[1]) and clause.is_name(at))
    return False


def _cut(clause: Clause, at: int) -> int:
    while at > 0 and (clause.word[at - 1] in _CLOSE or clause.lower[at - 1] in _CONJUNCTIONS):
        at -= 1
    return at


def _content_start(clause: Clause, cue: Cue, stop: int) -> int:
    """Return where the content begins after the cue, past the person told and the time and place of telling."""
    begin = cue.cue[1]
    if cue.rule == "according to":
        begin = _after_comma(clause, max(begin, cue.source[1] if cue.source else 0))
        return begin if begin < stop else stop
    window = clause.lower[begin : begin + 12]
    if cue.verb.verb in _TELL:
        for k, word in enumerate(window):
            if word in ("that", "to", "if", "whether", ":") or clause.is_quote[begin + k]:
                return begin + k
        return begin + 1 if begin + 1 < stop else begin
    if window and cue.verb.complement == "clause" and (window[0] in _ADJUNCT or window[0] in _DAYS):
        for k, word in enumerate(window):
            if word == "that" or clause.is_quote[begin + k] or word == ":":
                return begin + k
        if window[0] in _DAYS and len(window) > 1:
            return begin + 1
    while begin < stop and clause.word[begin] in (",", ":"):
        begin += 1
    return begin


def _attribution(clause: Clause, cue: Cue, spans: list[tuple[int, int]], depth: int) -> Attribution:
    def characters(span: tuple[int, int]) -> Span:
        return clause.start[span[0]], clause.end[span[1] - 1]

    noun = cue.source
    if noun and noun[1] - noun[0] == 1 and clause.lower[noun[0]] in ("who", "which", "that") and noun[0]:
        noun = _noun_phrase_left(clause, noun[0] - 1 - (clause.word[noun[0] - 1] == ",")) or noun
    is_quoted = any(clause.is_quote[i] for first, last in spans for i in (first, last - 1))
    return Attribution(
        characters(cue.source) if cue.source else None,
        characters(cue.cue),
        tuple(characters(span) for span in spans),
        cue.verb.verb,
        cue.verb.colour,
        cue.verb.complement,
        cue.rule,
        is_quoted,
        depth,
        characters(noun) if noun else None,
    )
