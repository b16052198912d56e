"""Who says what: every attribution of a text, and every relevant statement with its speaker.

Method: rules over quotation marks, clauses and a list of reporting verbs, after the attribution scheme (source, cue,
content) of Pareti (2012); speakers are resolved within the article by name, title, apposition and pronoun.
"""

import re
from bisect import bisect_left, bisect_right
from functools import cache
from typing import NamedTuple

import pandas as pd

from analysis import _attribution, _check, encoder
from analysis._attribution import Attribution, Span
from analysis._quotes import Quote, quotes
from analysis._speakers import AUTHOR, Cast, Speaker
from analysis.lexicon import match, read_lexicon
from analysis.text import _bounds, _strings, _tokens

_TARGETS = {
    "target:encryption": "e2ee",
    "target:lawful_access": "child_safety_measures",
    "target:scanning": "child_safety_measures",
}
_VAGUE = re.compile(
    r"(?i)\b(?:critics?|campaigners|experts|officials|opponents|supporters|proponents|advocates|activists|analysts|"
    r"observers|sources|lawmakers|researchers|people|groups|engineers|scientists|companies|firms|users|parents|"
    r"authorities|ministers|senators|agencies|investigators|cryptographers|academics|charities|detectives|"
    r"many|some|others|several|most|lawyers|executives|officers|survivors|teenagers|politicians|chiefs|technologists)\b"
)
_BELIEF = frozenset(
    ["believe", "think", "feel", "hope", "fear", "worry", "expect", "assume", "suspect", "doubt", "know", "consider",
     "understand", "want", "wish", "see", "view"]
)  # fmt: skip
_SAYING = frozenset(
    "say tell add ask reply claim argue warn note explain report state insist allege confirm deny announce "
    "contend believe think reveal conclude admit acknowledge concede tweet predict complain caution "
    "assert testify declare estimate stress emphasize maintain recommend".split()
) | {"according to", "point out"}
_ACTING = frozenset(["platform"])
_CARRIED, _CARRIED_AUTHOR = 8, 1  # sentences for which a target stays the subject: of others, of the author
_PRONOUNS = frozenset("he she they we i it you who which that this one".split())
_NOBODY = Speaker("", "unnamed", "unknown")
# Types of text that a body issues, with the group that it has if nothing says more.
_ISSUED = {"company": "platform", "government": "government", "NGO": ""}
_CHILD = re.compile(r"(?i)\bchild")
_SCARE = re.compile(r"(?:\b(?:[Tt]he|[Aa]|an|its|their|his|her|this|such|so-called)\s+)[\"“‘'](?=[a-z-]+[\"”’']\s)")


Use = tuple[int, str]  # where a text names a target, and which


class Said(NamedTuple):
    """One statement of one sentence, before its target is known."""

    start: int
    end: int
    speaker: Speaker
    attribution: str
    verb: str
    colour: str
    evidence: tuple[tuple[int, int, str, str], ...]


def attributions(text: pd.Series) -> pd.DataFrame:
    """Find every attribution: a source, a cue and what is said, thought or wanted, relevant or not.

    One row of `text` is one article, its index value the `article_id`; missing text has none. Returns one row per
    attribution, in the order of the text: `article_id`, `n` (0, 1, … within the article), `source_start` and
    `source_end` (missing where no source is named), `cue_start`, `cue_end`, `content` (a list of (start, end) pairs, in
    characters of the text), `verb` (lemma), `colour` (neutral, doubt, assert, …, of reporting_verbs.csv), `rule` and
    `depth` (1 inside the content of another attribution). Raises TypeError where `text` is no Series of strings.

    Method: rules, after the scheme of Pareti (2012) and Newell and others (2018).

    >>> text = pd.Series(["“No. Never,” said Jo Lee. The charity warned that abuse would be missed."])
    >>> found = attributions(text)
    >>> found[["verb", "colour", "rule"]].values.tolist()
    [['say', 'neutral', 'inverted'], ['warn', 'warn', 'subject']]
    >>> [text[0][a:b] for a, b in zip(found["source_start"], found["source_end"])]
    ['Jo Lee', 'The charity']
    """
    labels, rows = [], []
    for label, item in _check.text(text).items():
        if isinstance(item, str):
            for n, one in enumerate(_attribution.attributions(_tokens(item), _bounds(item), item)):
                labels.append(label)
                rows.append((n, *(one.source or (pd.NA, pd.NA)), *one.cue, list(one.content), one.verb, one.colour,
                             one.rule, one.depth))  # fmt: skip
    names = ["n", "source_start", "source_end", "cue_start", "cue_end", "content", "verb", "colour", "rule", "depth"]
    table = _table(rows, names, whole=[*names[:5], "depth"], strings=["verb", "colour", "rule"])
    table.insert(0, "article_id", pd.Index(labels, dtype=text.index.dtype))
    return table


def statements(articles: pd.DataFrame, *, relevant: bool = True) -> pd.DataFrame:
    """Find who says what in each article.

    One row of `articles` is one article, as `read_articles` returns it: index `article_id`, columns `title` and
    `text`; either may be missing. A sentence gives one statement per speaker, and one by the author where nobody
    speaks. `relevant` keeps those sentences that name a target of the codebook, and the rest of a quotation that does.

    Returns one row per statement, in the order of the text: `article_id`, `n` (1, 2, … within the article), `sentence`
    (0, 1, …, missing in the headline), `start` and `end` (characters of `text`, or of `title` where `position` is
    "headline"), `position`, `speaker` (as named in the article, resolved from pronouns and descriptions),
    `speaker_group`, `attribution`, `verb` (lemma, missing where there is none), `colour` of the verb, `target`, and
    `evidence`: a list of dicts `start`, `end`, `cue`, `rule`. Raises TypeError or ValueError where `articles` is no
    such table.

    Method: codebook sections 1 to 4a; attribution by rules (see `attributions`), speakers by the nearest named source.

    >>> articles = pd.DataFrame(
    ...     {"title": ["Minister attacks encryption plan"],
    ...      "text": ["“Encryption hides abuse,” said Jo Lee, the minister. She wants a backdoor."]},
    ...     index=pd.Index(["a1"], name="article_id"))
    >>> statements(articles)[["position", "speaker", "speaker_group", "attribution", "verb"]].values.tolist()[1:]
    [['lead', 'Jo Lee', 'government', 'direct_quote', 'say'], ['lead', 'Jo Lee', 'government', 'belief', 'want']]
    """
    _check.frame(articles, ["title", "text"], "articles")
    for name in ("title", "text"):
        _check.text(articles[name], name)
    rows: list[tuple] = []
    kinds, outlets = (
        articles[name].tolist() if name in articles else [None] * len(articles) for name in ("type", "outlet")
    )
    titles, texts = (
        [item if isinstance(item, str) else "" for item in articles[name].tolist()] for name in ("title", "text")
    )
    uses = _uses(titles + texts)
    columns = (articles.index, titles, texts, kinds, outlets, uses[: len(titles)], uses[len(titles) :])
    for label, title, text, kind, outlet, *targets in zip(*columns, strict=True):
        if relevant and not any(targets):
            continue  # nothing names a target, so that no statement can be relevant
        author = _issuer(kind, outlet, text) if isinstance(outlet, str) and isinstance(kind, str) else AUTHOR
        found = _article(title, text, author, *targets)
        kept = [row for row in found if row[-1] or not relevant]
        rows += [(label, n, *row[:-1]) for n, row in enumerate(kept, 1)]
    names = ["n", "sentence", "start", "end", "position", "speaker", "speaker_group", "attribution", "verb", "colour",
             "target", "evidence"]  # fmt: skip
    table = _table([row[1:] for row in rows], names, whole=["n", "sentence", "start", "end"], strings=names[4:-1])
    table.insert(0, "article_id", pd.Index([row[0] for row in rows], dtype=articles.index.dtype))
    return table


def speakers(text: pd.Series, *, context: pd.Series | None = None) -> pd.DataFrame:
    """Say who speaks in each sentence, and how the words are attributed.

    One row of `text` is one sentence; `context`, with the same index, is the sentence before it, where names that
    a pronoun stands for are looked up. Returns, with the index of `text`, the first statement's `speaker`,
    `speaker_group` (where the rules find none, the likeliest by the encoder), `attribution`, `verb` and `colour`;
    missing text stays missing. Raises TypeError where `text` or `context` is no Series of strings, ValueError where
    their indexes differ.

    >>> text = pd.Series(["He said encryption was a danger."])
    >>> speakers(text, context=pd.Series(["FBI Director Jo Lee spoke first."])).iloc[0].tolist()
    ['Jo Lee', 'police', 'indirect', 'say', 'neutral']
    """
    _check.text(text)
    if context is not None and not _check.text(context, "context").index.equals(text.index):
        raise ValueError("context must have the index of text")
    before = context.tolist() if context is not None else [None] * len(text)
    rows = []
    for item, previous in zip(text.tolist(), before, strict=True):
        if not isinstance(item, str) or not item.strip():
            rows.append((None,) * 5)
            continue
        previous = previous.strip() if isinstance(previous, str) else ""
        string = f"{previous} {item}" if previous else item
        bounds = [(0, len(previous))] * bool(previous) + [(len(string) - len(item), len(string))]
        said = _said(string, bounds, quotes(string))[-1][0]
        rows.append((said.speaker.name, said.speaker.group, said.attribution, said.verb or None, said.colour or None))
    names = ["speaker", "speaker_group", "attribution", "verb", "colour"]
    table = _table(rows, names, whole=[], strings=names)
    open_ = table["speaker_group"].eq("unnamed").to_numpy()
    if open_.any():
        asked = text.reset_index(drop=True)[open_]
        contexts = pd.Series(before, dtype=object)[open_]
        table.loc[open_, "speaker_group"] = speaker_group(asked, contexts)
    return table.set_index(text.index)


def speaker_group(text: pd.Series, context: pd.Series | None = None) -> pd.Series:
    """Return the group of whoever speaks in each sentence that the encoder finds likeliest, from the words alone.

    `text` and `context` are as for `speakers`, whose rules know more of names; this answers where they find none.

    >>> speaker_group(pd.Series(["“We will never read your messages,” the app's maker said."])).tolist()
    ['platform']
    """
    return encoder.likeliest(encoder.heads(text, context=context, names=["speaker_group"])["speaker_group"])


def _table(rows: list[tuple], names: list[str], *, whole: list[str], strings: list[str]) -> pd.DataFrame:
    """Make a table of `rows`: whole numbers and strings may be missing, anything else stays an object."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in zip(names, columns, strict=True)})
    for name in whole:
        table[name] = table[name].astype("Int64" if table[name].isna().any() else "int64")
    for name in strings:
        table[name] = _strings(table[name].tolist())
    return table


def _issuer(kind: str, outlet: str, text: str) -> Speaker:
    """Return who speaks in the author's voice: the body that issues a text (ruling 1), else the author."""
    if kind not in _ISSUED:
        return AUTHOR
    group = Cast().speaker(outlet).group
    if group in ("unnamed", "author"):
        group = _ISSUED[kind] or ("child_safety_ngo" if len(_CHILD.findall(text)) * 400 > len(text) else "privacy_ngo")
    return Speaker(outlet, group, "body")


def _article(title: str, text: str, author: Speaker, in_title: list[Use], in_text: list[Use]) -> list[tuple]:
    """Rows of one article: sentence to evidence, then whether the statement is relevant."""
    rows: list[tuple] = []
    cast = Cast(author)
    for is_title, string, uses in ((False, text, in_text), (True, title, in_title)):
        if not string.strip():
            continue
        bounds = [(0, len(string.rstrip()))] if is_title else _bounds(string)
        marks = quotes(string)
        lead = len(string) if is_title else _lead(string)
        found = []
        latest, since = "none", 0  # the target named last, and how many sentences ago
        for number, said in enumerate(_said(string, bounds, marks, cast, author)):
            named = _target(uses, *bounds[number])
            latest, since = (named, 0) if named != "none" else (latest, since + 1)
            for one in said:
                target = _target(uses, one.start, one.end) if len(said) > 1 else named
                # What somebody says soon after a target was named is about it, whatever words it takes.
                if target == "none" and since <= (_CARRIED_AUTHOR if one.speaker == author else _CARRIED):
                    target = latest
                position = "headline" if is_title else "lead" if bounds[number][0] < lead else "body"
                found.append((pd.NA if is_title else number, one.start, one.end, position, one.speaker.name,
                              one.speaker.group, one.attribution, one.verb or pd.NA, one.colour or pd.NA, target,
                              [_span(*e) for e in one.evidence], target != "none"))  # fmt: skip
        rows = found + rows if is_title else found
    return rows


def _span(start: int, end: int, cue: str, rule: str) -> dict[str, int | str]:
    return {"start": start, "end": end, "cue": cue, "rule": rule}


def _lead(string: str) -> int:
    """Return the end of the first paragraph."""
    return len(string) - len(string.lstrip()) + len(string.lstrip().partition("\n")[0])


@cache
def _terms() -> pd.DataFrame:
    lexicon = read_lexicon()
    return lexicon[lexicon["category"].isin(_TARGETS)]


def _uses(strings: list[str]) -> list[list[Use]]:
    """Return where each string names a target, and which."""
    uses: list[list[Use]] = [[] for _ in strings]
    found = match(pd.Series(strings, dtype=object), _terms())
    for label, start, category in zip(found["article_id"], found["start"], found["category"], strict=True):
        uses[label].append((start, _TARGETS[category]))
    return uses


def _target(uses: list[Use], start: int, end: int) -> str:
    targets = set()
    for i in range(bisect_left(uses, (start, "")), len(uses)):
        if uses[i][0] >= end:
            break
        targets.add(uses[i][1])
    return "both" if len(targets) > 1 else targets.pop() if targets else "none"


def _said(
    string: str, bounds: list[Span], marks: list[Quote], cast: Cast | None = None, author: Speaker = AUTHOR
) -> list[list[Said]]:
    """Statements of each sentence, at least one: the author's, where nobody speaks."""
    cast = cast or Cast()
    cast.read(string)
    found = _attribution.attributions(_tokens(string), bounds, string, acts=True)
    starts = [start for start, _ in bounds]
    by_sentence: list[list[Attribution]] = [[] for _ in bounds]
    continued: list[list[Attribution]] = [[] for _ in bounds]
    for one in found:
        at = bisect_right(starts, one.cue[0]) - 1
        by_sentence[at].append(one)
        for first, last in one.content:
            for k in range(max(0, bisect_right(starts, first) - 1), bisect_right(starts, max(first, last - 1))):
                if k != at:
                    continued[k].append(one)
    named: dict[tuple[int, int], Speaker] = {}
    said: list[list[Said]] = []
    last: Said | None = None
    for (start, end), here, more in zip(bounds, by_sentence, continued, strict=True):
        sentence: list[Said] = []
        for one in sorted(here, key=lambda one: one.rule == "act"):
            if one.rule == "act" and sentence:
                break
            if one.depth and sentence and _is_nested(one, string):
                inner = _speaker(one._replace(depth=0), string, cast, named)
                if inner and inner.name != sentence[-1].speaker.name and sentence[-1].attribution != "direct_quote":
                    cue = (*one.cue, string[one.cue[0] : one.cue[1]], "nested")
                    sentence[-1] = sentence[-1]._replace(
                        speaker=inner, attribution="nested", verb=one.verb, colour=one.colour,
                        evidence=(*sentence[-1].evidence, cue))  # fmt: skip
                continue
            speaker = _speaker(one, string, cast, named)
            if speaker is not None and not any(other.speaker.name == speaker.name for other in sentence):
                sentence.append(_statement(one, speaker, string, start, end, marks))
        if not sentence and more:
            one = more[0]
            speaker = _speaker(one, string, cast, named)
            if speaker is not None:
                kind = _kind(one, speaker, marks)
                sentence = [Said(start, end, speaker, kind, "", one.colour, ((*one.cue, one.verb, "quotation"),))]
        if not sentence and _is_within(start, end, marks):
            # A quotation with no cue of its own goes on with the last speaker; with none, nobody is named.
            speaker = last.speaker if last and last.speaker is not author else cast.last.get("person") or _NOBODY
            sentence = [Said(start, end, speaker, "direct_quote", "", "", ((start, end, "", "quotation"),))]
        if len(sentence) == 1:
            sentence = [sentence[0]._replace(start=start, end=end)]
        if not sentence:
            cast.mention(string[start:end])
            attribution = "scare_quotes" if _SCARE.search(string, start, end) else "author_voice"
            sentence = [Said(start, end, author, attribution, "", "", ())]
        last = sentence[-1]
        said.append(sentence)
    return said


def _is_nested(one: Attribution, string: str) -> bool:
    """Whether a source inside another is named and says something: the paper says the minister said so."""
    if one.noun is None or not one.content or one.verb not in _SAYING or one.rule != "subject":
        return False
    is_that = string.startswith(("that ", "to "), one.content[0][0])
    return is_that and one.noun == one.source and string[one.noun[0] : one.noun[1]].lower() not in _PRONOUNS


def _is_within(start: int, end: int, marks: list[Quote]) -> bool:
    """Whether a sentence stands in quotation marks, or most of it does."""
    return 2 * _covered(start, end, marks) > end - start


def _covered(start: int, end: int, marks: list[Quote]) -> int:
    """Count the characters between `start` and `end` that stand in quotation marks."""
    covered = 0
    for i in range(max(0, bisect_right(marks, start, key=_start) - 1), len(marks)):
        if marks[i].start >= end:
            break
        covered += max(0, min(end, marks[i].end) - max(start, marks[i].start))
    return covered


def _start(mark: Quote) -> int:
    return mark.start


def _speaker(one: Attribution, string: str, cast: Cast, named: dict[tuple[int, int], Speaker]) -> Speaker | None:
    """Speaker of an attribution, or None where it says nothing about who speaks."""
    if one.noun is None or one.complement == "seem" or one.depth or one.rule in ("noun", "participle noun"):
        return None
    cue = string[one.cue[0] : one.cue[1]]
    is_reduced = one.rule == "passive by" and cue.count(" ") < 2  # a phone approved by the agency
    source = string[one.source[0] : one.source[1]].lower() if one.source else ""
    if is_reduced or (
        source in ("it", "this", "that", "which") and one.verb in ("show", "mean", "suggest", "indicate")
    ):
        return None
    is_said = one.complement == "clause" and (one.verb in _SAYING or one.is_quoted)
    if one.rule == "participle" and not is_said:
        return None
    if one.cue not in named:
        start, end = one.noun
        named[one.cue] = cast.speaker(string[start:end], string[end : end + 120])
    speaker = named[one.cue]
    if speaker is AUTHOR or (one.rule == "act" and speaker.group not in _ACTING):
        return None
    is_known = speaker.group != "unnamed" or speaker.kind == "person" or _VAGUE.search(speaker.name)
    is_aside = one.complement == "object" and speaker.group == "unnamed"  # those who favour it
    return speaker if is_said or (is_known and not is_aside) else None


def _statement(one: Attribution, speaker: Speaker, string: str, start: int, end: int, marks: list[Quote]) -> Said:
    spans = [span for span in (one.source, one.cue, *one.content) if span]
    first = max(start, min(a for a, _ in spans))
    last = min(end, max(b for _, b in spans))
    cue = string[one.cue[0] : one.cue[1]]
    kind = _kind(one, speaker, marks)
    return Said(first, last, speaker, kind, one.verb, one.colour, ((*one.cue, cue, one.rule),))


def _kind(one: Attribution, speaker: Speaker, marks: list[Quote]) -> str:
    if speaker.kind == "document":
        return "document"
    covered = sum(_covered(first, last, marks) for first, last in one.content)
    if one.is_quoted and 2 * covered > sum(b - a for a, b in one.content):
        return "direct_quote"
    if speaker.kind == "group" and _VAGUE.search(speaker.name):
        return "collective"
    return "belief" if one.verb in _BELIEF else "indirect"
