r"""Sentences, tokens, n-grams, concordance and collocations, each of which keeps its place in the text.

A token or sentence is `text[start:end]`, unchanged; only white space lies between two of them.

Tokens follow NLTK's `NLTKWordTokenizer` (the Penn Treebank's conventions: Marcus, Santorini and Marcinkiewicz 1993).
They part from it here:

=====================  =====================  ======================  ===============================================
class                  NLTK                   here                    reason
=====================  =====================  ======================  ===============================================
double quotes          `` and ''              as written              a token is a piece of the text
curly apostrophe       don ’ t / O ’ Brien    do n’t / O’Brien        the same words as with a straight apostrophe
clitics                ca n't splits only     before anything         "didn't," and "didn't." hold the same words
                       before a space
stops inside text      York. / said.Then      York . / said . Then    sentences need not be cut first
abbreviations          U.K . at the end       U.K. everywhere         one word has one form
X and I before a stop  X. inside the text     X .                     here X is a platform more often than an initial
addresses              https : //a.uk/b?c     whole                   one thing; also e-mail addresses
handles, hashtags      @ name, # tag          @name, #tag             one thing
firms with &           AT & T                 AT&T                    one name (capitals on both sides only)
currency               £3.5m, but $ 3.5m      £ 3.5m, $ 3.5m          all signs as NLTK treats the dollar
emoji, symbols         safe😀, 5°             safe 😀, 5 °            they are no part of the word; one emoji is one
                                                                      token, its joiners and skin tone included
marks at word edges    ~x, =, |, /, ^ kept    split off               E2EE/ and |E2EE are the word E2EE
invisible characters   part of any word       inside a word only      a direction mark before a word does not hide it
colon between letters  splits unless a digit  splits unless digits    12:30 is one token, a:1 is three
                       follows                on both sides
long dashes            splits each pair       --- is one token        one dash
slang in two           gon na, lem me, d 'ye  whole                   halves are no words; cannot stays can not
=====================  =====================  ======================  ===============================================
"""

# Typographic quotes, dashes and lists of words are what this module is about.

import re
from collections import Counter
from collections.abc import Callable
from functools import cache, lru_cache
from html import escape

import numpy as np
import pandas as pd

from analysis import _check, _find

# Abbreviations, as they are written before their stop. Each group ends a sentence under other conditions.
_TITLES = """
    Mr Mrs Ms Mx Messrs Mme Mlle Dr Drs Prof Profs Rev Fr Hon Msgr Sen Sens Rep Reps Gov Govs Lt Gen Gens Col Maj Capt
    Cmdr Cdr Cpl Sgt Pvt Pte Adm Brig Supt Insp Det Pres Amb Atty Cllr Ald Sec Secy Treas Asst Assoc Ft Mt viz cf
""".split()
_OFTEN_LAST = """
    Inc Corp Co Cos Ltd Plc LLC Bros Jr Sr Esq etc al Ave Blvd Rd St Ln Hwy Sq Pkwy Bldg Dept Univ Assn Ctr Intl Natl
    Govt Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Kan Ky Md Mass Mich Minn Mo Mont Neb Nev Okla Ore Pa Penn Tenn Tex
    Va Vt Wash Wis Wyo Ont Que Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri
    dept approx est inc corp ft lb lbs oz hr hrs min mins
""".split()
_NUMBERED = """
    No Nos no nos Art Arts art arts s ss p pp para paras cl Cl ch Ch Fig Figs fig figs Vol Vols vol vols c r reg Reg pt
    Pt op Op App Rm Sch sch sec ver Tel tel ext Ext ca Rs
""".split()
_VERSUS = ["v", "vs"]

# Words that open a sentence and seldom follow an abbreviation inside one.
_STARTERS = frozenset(
    """
    A About According Across After Again Against All Almost Also Although Among An And Another Anyone Are As Asked
    At Because Before Between Both But By Can Could Critics Despite Did Do Does During Each Earlier Even Ever Every
    Everybody Everyone Few For Four From Further Had Has Have He Her Here His How However Hundreds I If In Indeed
    Instead Is It Its Just Last Later Let Like Many Maybe Meanwhile Millions More Moreover Most Much My Nearly Next
    No Nobody Nor Not Nothing Now Of On Once One Only Or Other Others Our Over Perhaps Please Rather Several She
    Should Since So Some Someone Something Still Such Supporters That The Their Then There Therefore These They This
    Those Though Thousands Three Thus To Today Tomorrow Two Under Unless Until Was We Well Were What When Where
    Whether While Who Why Will With Within Without Would Yes Yesterday Yet You Your
    """.split()
)
_CLOCK = frozenset(
    """
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mon Tue Tues Wed Thu Thurs Fri Sat Sun January February
    March April May June July August September October November December Jan Feb Mar Apr Jun Jul Aug Sept Oct Nov Dec
    Eastern Central Mountain Pacific Greenwich ET EST EDT E CT CST CDT C MT MST MDT PT PST PDT P GMT BST UTC CET CEST
    AEST AEDT IST
    """.split()
)
_SAID = "said says asked asks added replied wrote writes tweeted told shouted cried demanded wondered argued answered"

# A word is letters and digits of any script, with the combining marks that \w leaves out.
_W = (
    r"[\w\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u0670\u06d6-\u06ed"
    r"\u0900-\u0963\u0966-\u0df3\u0e31-\u0e4e]"
)
_END = f"(?!{_W})"
_CLITIC = f"['’](?:[sSmMdD]|ll|LL|re|RE|ve|VE){_END}"
_EMOJI = r"[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"


def _after(words: list[str]) -> str:
    """Return a look-behind for each length of `words`: Python wants them of one width."""
    by_length = {n: [w for w in words if len(w) == n] for n in {len(w) for w in words}}
    return "|".join(rf"(?<=\b(?:{'|'.join(same)})\.)" for same in by_length.values())


_TOKEN = re.compile(
    rf"""
    (?!\s)                                              # one look at a space, not one for each line below
    (?: (?!cannot)[a-z]+(?=\s)                          # most words; the lines below would agree, only slower
    | [hH][tT]{{2}}[pP][sS]?://[^\s<>"“”]*[^\s<>"“”.,;:!?'’)\]}}]
    | [wW]{{3}}\.[^\s<>"“”]*[^\s<>"“”.,;:!?'’)\]}}]
    | [cC][aA][nN](?=[nN][oO][tT]{_END})
    | (?:[@#]|(?<![\w.])[-+−.](?=\d))?
      {_W}+
      (?:(?: [-‐‑/@+]
           | ['’] (?! (?:[sSmMdD]|ll|LL|re|RE|ve|VE){_END} | (?<=[nN].)[tT]{_END} )
           | \. (?! (?<=[a-z][a-z]\.)[A-Z][a-z] )       # said.Then: a space is missing
           | [,:] (?<=\d.)(?=\d)
           | & (?<=[A-Z].)(?=[A-Z])
           | [{_find.INVISIBLE}]+
         ){_W}+)*
      (?: (?<![nN]) | (?!['’][tT]{_END}) )              # do|n't
      (?: \. (?: (?<=\.[A-Za-z]\.) | {_after([*_TITLES, *_OFTEN_LAST, *_VERSUS])}
               | (?:{_after(_NUMBERED)})(?=\s?\d)
               | (?<=[A-HJ-WYZ]\.)(?<!{_W}.\.)(?=\s+[A-Z]) )
        | \++{_END} | -(?=\s) )?
    | [nN]['’][tT]{_END}
    | {_CLITIC}
    | \.{{2,}} | -{{2,}} | '' | ``
    | [\U0001f1e6-\U0001f1ff]{{2}}
    | {_EMOJI} (?: [\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff] | \u200d{_EMOJI} )*
    | [{_find.INVISIBLE}]+
    | \S )
    """,
    re.VERBOSE,
)

_BREAKS = r"\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
_BREAK = re.compile(f"[{_BREAKS}]")
# One place where a sentence may end: marks, what closes after them, white space; or a line break. The first line is
# the common case, in which every rule of `_ends` agrees: a long word in small letters, a stop, and a capital.
_STOP = re.compile(
    rf"""
    [.!?…{_BREAKS}]
    (?: (?<=[a-z]{{5}}\.)(?<!\bMessrs\.) (?P<plain>["'”’)]*) [\ \n]+ (?=["“‘]?[A-Z])
      | (?<![{_BREAKS}])(?<![.!?…].)(?<![.!?…][\ \xa0].)  # once for each run of marks, or long runs cost their square
        (?P<more>(?:[\ \xa0]?[.!?…])*+) (?P<close>(?:["'”’»›)\]}}]|\[\d{{1,3}}\])*+) (?:\s+|\Z)
      | (?<=[{_BREAKS}]) \s*
      | (?<=[a-z][a-z][.!?]) (?P<glued>["”’]?) (?=["“‘]?[A-Z][a-z]) )
    """,
    re.VERBOSE,
)

_LINE_OPENING = re.compile(rf"[{_BREAKS}]\s*(\S)")
_SMALL_OPENING = re.compile(r"[a-z]{1,2}[A-Z]|https?://|www\.")
_DASH_AND_CAPITAL = re.compile(r"[—–-]\s*[\"“‘'(]*[A-Z0-9]")
_OPENING_QUOTE = re.compile(r"[\"“‘'`]+[A-Z]")
_ASIDE = re.compile(r"[(\[][a-z\d]")
_NEXT_WORD = re.compile(r"[\"“‘'(\[]*(\w*(?:[.-]\w*)*)")
_BEFORE_WORD = re.compile(r".*[(\[{\"“‘—–/-]|^['’]+")
_NAME_SAID = re.compile(rf"([A-Z][\w.'’-]*)\s+(?:[A-Z][\w.'’-]*\s+){{0,4}}(?:{_SAID.replace(' ', '|')})\b")
_NUMBER = re.compile(r"[#(]?(?:\d|[IVXLC]{2,}\b)")
_DOTTED = re.compile(r"(?:[A-Za-z]{1,2}\.)+[A-Za-z]{1,2}")
_SHOUTED = frozenset(["Yahoo", "Jeb", "Yum", "Jeopardy"])
_KIND = (
    dict.fromkeys(_TITLES, "title")
    | dict.fromkeys(_OFTEN_LAST, "last")
    | dict.fromkeys(_NUMBERED, "numbered")
    | dict.fromkeys(_VERSUS, "versus")
)


def sentences(text: pd.Series) -> pd.DataFrame:
    """Cut news text into sentences, headlines and list items.

    One row of `text` is one article, its index value the `article_id`; missing text has no sentences. A line break
    ends a sentence unless the text is hard-wrapped. Marks that close (quotes, brackets) stay with the sentence that
    they close, and a quoted question that a lower-case word or a name and "said" follows is not cut from it.

    Returns one row per sentence, in order: `article_id`, `sentence` (0, 1, … within the article), `start` and `end`
    in characters, `text`, which is the article's `[start:end]`. Raises TypeError where `text` is no Series of strings.

    Method: rules in the manner of Grefenstette and Tapanainen (1994): every stop is a boundary unless the word
    before it is a known abbreviation, initial or number, whose own class then looks at the word after.

    >>> sentences(pd.Series(["Sen. Lee left at 9 a.m. “Why?” he asked."], index=["a1"]))
      article_id  sentence  start  end                     text
    0         a1         0      0   23  Sen. Lee left at 9 a.m.
    1         a1         1     24   40         “Why?” he asked.
    """
    found = [_bounds(item) if isinstance(item, str) else [] for item in _check.text(text).tolist()]
    return _rows(
        text.index,
        found,
        sentence=[n for spans in found for n in range(len(spans))],
        start=[start for spans in found for start, _ in spans],
        end=[end for spans in found for _, end in spans],
        text=_strings([item[a:b] for item, spans in zip(text.tolist(), found, strict=True) for a, b in spans]),
    )


def tokenize(text: pd.Series, *, lower: bool = False, stem: bool = False) -> pd.Series:
    """Cut each text into words, numbers and marks.

    One row of `text` is any string. Returns a Series of lists of str with the same index and name; missing text stays
    missing. `lower` lowers the tokens, after they are cut; `stem` gives their stems in lower case, by NLTK's Snowball
    stemmer (Porter 2001), so that forms of one word count as one. Nothing but white space is left out. The table at
    the top of this module says where tokens part from NLTK's. Raises TypeError where `text` is no Series of strings.

    >>> tokenize(pd.Series(["The U.K. didn’t ban end-to-end encryption."])).iloc[0]
    ['The', 'U.K.', 'did', 'n’t', 'ban', 'end-to-end', 'encryption', '.']
    >>> tokenize(pd.Series(["It encrypts; they encrypted"]), stem=True).iloc[0]
    ['it', 'encrypt', ';', 'they', 'encrypt']
    """
    cut = _TOKEN.findall
    tokens = [cut(item) if isinstance(item, str) else item for item in _check.text(text).tolist()]
    if stem:
        stems = _stemmer()
        tokens = [list(map(stems, item)) if isinstance(item, list) else item for item in tokens]
    elif lower:
        tokens = [[token.lower() for token in item] if isinstance(item, list) else item for item in tokens]
    return pd.Series(tokens, index=text.index, name=text.name, dtype=object)


@cache
def _stemmer() -> Callable[[str], str]:
    from nltk.stem.snowball import EnglishStemmer  # here: most who cut text do not stem it

    return lru_cache(maxsize=1 << 16)(EnglishStemmer().stem)


def spans(text: pd.Series) -> pd.DataFrame:
    """Cut each text into tokens and say where each stands.

    One row of `text` is one article, its index value the `article_id`; missing text has no tokens. Returns one row
    per token: `article_id`, `token`, `start` and `end` in characters; the article's `[start:end]` is the token, and
    the tokens are those of `tokenize`. Raises TypeError where `text` is no Series of strings.

    >>> spans(pd.Series(["Don't scan."], index=["a1"]))
      article_id token  start  end
    0         a1    Do      0    2
    1         a1   n't      2    5
    2         a1  scan      6   10
    3         a1     .     10   11
    """
    found = [_tokens(item) if isinstance(item, str) else [] for item in _check.text(text).tolist()]
    return _rows(
        text.index,
        found,
        token=_strings([token for tokens in found for token, _, _ in tokens]),
        start=[start for tokens in found for _, start, _ in tokens],
        end=[end for tokens in found for _, _, end in tokens],
    )


def ngrams(text: pd.Series, *, n: int = 2, lower: bool = True) -> pd.Series:
    """List the runs of `n` neighbouring words.

    One row of `text` is any string. Returns a Series of lists of str, the words joined by one space, with the same
    index and name; missing text stays missing. A run holds words and numbers only: marks and the ends of sentences
    break it. Raises TypeError where `text` is no Series of strings, ValueError where `n` is less than 1.

    >>> ngrams(pd.Series(["Chat control is back. Privacy, again"])).iloc[0]
    ['chat control', 'control is', 'is back']
    """
    _check.whole(n, "n", least=1)
    grams = [
        [" ".join(run[i : i + n]) for run in _runs(item, lower) for i in range(len(run) - n + 1)]
        if isinstance(item, str)
        else item
        for item in _check.text(text).tolist()
    ]
    return pd.Series(grams, index=text.index, name=text.name, dtype=object)


def collocations(text: pd.Series, *, node: str | None = None, window: int = 2, least: int = 3) -> pd.DataFrame:
    """Score how much more often two words stand together than chance would have them.

    One row of `text` is any string; words are compared in lower case. Two words make a pair where the second follows
    the first within a run of `window` words (2: side by side), with no mark or end of sentence between. `node` keeps
    the pairs that hold this word; pairs met less than `least` times are left out. Returns one row per pair, strongest
    first: `first`, `second`, `count` (pairs), `count_first`, `count_second` (words), `log_likelihood` (G²) and `pmi`
    (bits). Raises TypeError where `text` is no Series of strings, ValueError where `window` is less than 2 or `least`
    less than 1.

    Method: log-likelihood ratio, Dunning (1993); pointwise mutual information, Church and Hanks (1990); both equal
    NLTK's, whose functions score one pair at a time and took nine tenths of the time. PMI favours
    rare pairs: read it beside the count.

    >>> text = pd.Series(["Chat control again.", "No chat control!", "Chat control, chat rooms, self control."])
    >>> collocations(text)[["first", "second", "count", "pmi"]].round(2)
      first   second  count   pmi
    0  chat  control      3  1.17
    """
    _check.whole(window, "window", least=2)
    _check.whole(least, "least", least=1)
    runs = [run for item in _check.text(text).tolist() if isinstance(item, str) for run in _runs(item, lower=True)]
    words = Counter(word for run in runs for word in run)
    pairs = Counter(
        (first, second) for run in runs for i, first in enumerate(run) for second in run[i + 1 : i + window]
    )
    node = node if node is None else node.lower()
    rows = [
        (first, second, count, words[first], words[second])
        for (first, second), count in pairs.items()
        if count >= least and (node is None or node in (first, second))
    ]
    table = pd.DataFrame(rows, columns=["first", "second", "count", "count_first", "count_second"])
    table = table.astype(dict.fromkeys(["count", "count_first", "count_second"], "int64"))
    # A word has window - 1 chances to meet another, so its pairs are scaled to its count, as in NLTK.
    both, first, second = table["count"] / (window - 1), table["count_first"], table["count_second"]
    total = words.total()
    table["log_likelihood"] = 2 * sum(
        seen * np.log((seen * total / (row * column)).where(seen > 0, 1))
        for seen, row, column in [
            (both, first, second),
            (first - both, first, total - second),
            (second - both, total - first, second),
            (total - first - second + both, total - first, total - second),
        ]
    )
    table["pmi"] = np.log2(both * total / (first * second))
    return table.sort_values(["log_likelihood", "first", "second"], ascending=[False, True, True], ignore_index=True)


def concordance(text: pd.Series, terms: str | list[str] | pd.DataFrame, *, window: int = 8) -> "Concordance":
    """Show every use of some words or phrases with the words around it.

    One row of `text` is one article. `terms` is a word or phrase, a list of them, or rows of a lexicon, whose rules of
    case and context then hold: `lexicon[lexicon["category"] == "actor"]`. Whole words match, in any case and with
    either kind of quote; `encrypt*` matches every word that begins so. `window` counts the words on either side.

    Returns one row per match, the article's index value as its index: `left`, `match`, `right`, and `start` and `end`
    in characters; the article's `[start:end]` is the match. The table prints as lines, and shows in a notebook, with
    the match marked; `.sort("left")` or `.sort("right")` orders it by the words nearest to the match. Raises TypeError
    where `text` is no Series of strings or `terms` is none of these, ValueError where a term is empty.

    Method: keyword in context (Luhn 1960).

    >>> text = pd.Series(["They say it is no backdoor. Back doors never are."], index=["a1"])
    >>> concordance(text, ["backdoor*", "back door*"])
    a1         They say it is no [backdoor] . Back doors never are.
    a1  They say it is no backdoor. [Back doors] never are.
    """
    _check.whole(window, "window")
    finder = _finder(terms)
    labels, rows = [], []
    for label, item in _check.text(text).items():
        for start, end, _ in finder.find(item) if isinstance(item, str) else ():
            labels.append(label)
            rows.append(
                (_words_before(item, start, window), item[start:end], _words_after(item, end, window), start, end)
            )
    left, match, right, start, end = zip(*rows, strict=True) if rows else [()] * 5
    columns = {"left": _strings(left), "match": _strings(match), "right": _strings(right)}
    table = Concordance({**columns, "start": pd.Series(start, dtype="int64"), "end": pd.Series(end, dtype="int64")})
    # An index of the text's own kind, taken by position: labels may repeat, and their type must survive.
    table.index = pd.Index(labels, dtype=text.index.dtype, name=text.index.name)
    return table


class Concordance(pd.DataFrame):
    """A table of matches in their context, which prints and shows with the match marked."""

    @property
    def _constructor(self) -> type:
        return Concordance

    def sort(self, by: str) -> "Concordance":
        """Order the rows by the words nearest to the match, on its `left` or its `right`, without regard to case.

        >>> lines = concordance(pd.Series(["an open door", "a back door"]), "door").sort("left")
        >>> list(lines["left"])
        ['a back', 'an open']
        """
        step = -1 if _check.option(by, ["left", "right"], "by") == "left" else 1
        keys = [words.lower().split()[::step] for words in self[by]]
        return self.iloc[sorted(range(len(self)), key=keys.__getitem__)]

    def _lines(self) -> list[tuple[str, str, str, str]] | None:
        """Label, left, match and right of the rows that pandas' own display would show; None for another table."""
        if not {"left", "match", "right"} <= set(self.columns):
            return None
        shown = self[: pd.get_option("display.max_rows")]
        parts = [[" ".join(words.split()) for words in shown[side]] for side in ("left", "match", "right")]
        return list(zip(map(str, shown.index), *parts, strict=True))

    def _more(self) -> str:
        hidden = len(self) - (pd.get_option("display.max_rows") or len(self))
        return f"{hidden} more of {len(self)} rows" if hidden > 0 else ""

    def __repr__(self) -> str:
        """Show the table as lines of plain text."""
        lines = self._lines()
        if not lines:
            return super().__repr__()
        label, left, match = (max(len(line[i]) for line in lines) for i in range(3))
        return "\n".join(
            [f"{a:{label}}  {b:>{left + match - len(c)}} [{c}] {d}".rstrip() for a, b, c, d in lines]
            + [f"… {self._more()}"] * bool(self._more())
        )

    def _repr_html_(self) -> str:
        lines = self._lines()
        if lines is None:
            return super()._repr_html_()
        rows = (
            f"<tr><th>{escape(a)}</th><td style='text-align:right'>{escape(b)}</td>"
            f"<td style='text-align:center'><mark><b>{escape(c)}</b></mark></td>"
            f"<td style='text-align:left'>{escape(d)}</td></tr>"
            for a, b, c, d in lines
        )
        more = f"<caption>{self._more()}</caption>" * bool(self._more())
        return f"<table>{more}<tbody>{''.join(rows)}</tbody></table>"


def _bounds(string: str) -> list[tuple[int, int]]:
    """Start and end of each sentence."""
    found, start, size = [], len(string) - len(string.lstrip()), len(string.rstrip())
    wrapped = _is_wrapped(string, size)
    for stop in _STOP.finditer(string, start, size):
        after = stop.end()
        if stop.lastgroup == "plain":
            found.append((start, stop.end("plain")))
            start = after
            continue
        last = stop.end("close")
        if last < 0:  # a line break, or a stop with no space after it
            if stop["glued"] is not None:
                last = stop.end("glued")
                if _is_address(string, start, stop.start()):
                    continue
            elif _is_only_space(stop.group(), string[after : after + 1], wrapped):
                continue
            else:
                last = stop.start()
                while string[last - 1].isspace():
                    last -= 1
        elif after < size and not _ends(string, start, stop, last, wrapped):
            continue
        found.append((start, last))
        start = after
    if start < size:
        found.append((start, size))
    return found


def _ends(string: str, start: int, stop: re.Match, last: int, wrapped: bool) -> bool:
    """Whether the marks of `stop` end the sentence that began at `start`; more text follows."""
    at, after = stop.start(), stop.end()
    following = string[after]
    if after - last > 1 or string[last] != " ":
        gap = string[last:after]
        if _BREAK.search(gap) and not _is_only_space(gap, following, wrapped):
            return True
    if at == start:  # marks with nothing before them open a sentence: "... and so it went"
        return False
    mark, more, close = string[at], stop["more"], stop["close"]
    if following.islower():
        # A name such as iPhone, or an address, may open a sentence; any other small letter continues one.
        if mark != "." or more or not _SMALL_OPENING.match(string, after):
            return False
    elif following in "—–-&/,;:" and not _DASH_AND_CAPITAL.match(string, after):
        return False
    if mark in "!?":
        if close:
            return not _is_said(string, after) and not _ASIDE.match(string, after)
        return mark == "?" or more or _last_word(string, start, at) not in _SHOUTED or _is_starter(string, after)
    if more or mark == "…":
        # An ellipsis with a space before it stands for words left out; it ends a sentence only with a fourth stop.
        is_inside = (string[at - 1].isspace() and len(more.replace(" ", "")) < 3) or string[at - 1] in "[("
        return not is_inside or _is_starter(string, after)
    word = _last_word(string, start, at)
    kind = _KIND.get(word)
    if kind is None and len(word) > 2 and "." not in word:
        return True
    return _stop_ends(string, start, at, after, word, kind, bool(close) and close[-1] in "\"'”’»›")


def _stop_ends(string: str, start: int, at: int, after: int, word: str, kind: str | None, is_quoted: bool) -> bool:
    """Whether a full stop after `word`, an abbreviation, initial or number, ends the sentence as well."""
    following = string[after]
    if kind == "numbered":
        return not _NUMBER.match(string, after)
    if kind == "title" or kind == "versus":
        return False
    opens = is_quoted or _is_starter(string, after)
    if kind == "last":
        return opens or (word == "etc" and following.isupper())
    if "." in word:
        if not _DOTTED.fullmatch(word):
            return True
        if word.lower() in ("e.g", "i.e"):
            return False
        if word.lower() in ("a.m", "p.m"):
            return opens or (following.isupper() and _next_word(string, after).rstrip(".") not in _CLOCK)
        return opens
    if len(word) <= 2 and (word.isdecimal() or len(word) == 1) and at - len(word) == start:
        return False  # the number of a list item
    if len(word) != 1 or not word.isupper():
        return True
    # An initial: part of a name unless a small word comes before it ("on X. Musk") or a sentence opens after it.
    before = string[max(start, at - 40) : at - 1].split()
    follows_name = bool(before) and before[-1][:1].isupper()
    return opens or (word in "XI" and not follows_name)


def _is_said(string: str, after: int) -> bool:
    """Whether a name and a verb of saying follow: “Why?” Mr. Smith asked."""
    found = _NAME_SAID.match(string, after)
    return bool(found) and found[1] not in _STARTERS


def _last_word(string: str, start: int, at: int) -> str:
    """Return the word that ends at `at`, without what opens it; no more than 30 characters are looked at."""
    words = string[max(start, at - 30) : at].rsplit(None, 1)
    return _BEFORE_WORD.sub("", words[-1]) if words else ""


def _next_word(string: str, after: int) -> str:
    return _NEXT_WORD.match(string, after)[1]


def _is_starter(string: str, after: int) -> bool:
    """Whether the text at `after` looks like the opening of a sentence rather than the rest of a name."""
    return _OPENING_QUOTE.match(string, after) is not None or _next_word(string, after) in _STARTERS


def _is_only_space(gap: str, following: str, wrapped: bool) -> bool:
    """Whether a line break is a mere space: a single one, in wrapped text or before a small letter."""
    is_blank_line = gap.count("\n") > 1 or gap.count("\r") > 1 or "\u2029" in gap
    return not is_blank_line and (wrapped or following.islower())


def _is_wrapped(string: str, size: int) -> bool:
    """Whether lines break wherever they are full: then many go on with a small letter."""
    openings = _LINE_OPENING.findall(string, 0, size)
    return 3 * sum(map(str.islower, openings)) > len(openings)


def _is_address(string: str, start: int, at: int) -> bool:
    return any(mark in string[max(start, at - 80) : at].rpartition(" ")[2] for mark in ("://", "www.", "@", "/"))


def _tokens(string: str) -> list[tuple[str, int, int]]:
    return [(found[0], *found.span()) for found in _TOKEN.finditer(string)]


def _runs(string: str, lower: bool) -> list[list[str]]:
    """Words and numbers that stand together, with no mark or sentence end between them."""
    runs = []
    for start, end in _bounds(string):
        runs.append([])
        for token in _TOKEN.findall(string, start, end):
            if any(map(str.isalnum, token)):
                runs[-1].append(token.lower() if lower else token)
            elif runs[-1]:
                runs.append([])
    return runs


def _finder(terms: str | list[str] | pd.DataFrame) -> _find.Finder:
    if isinstance(terms, pd.DataFrame):
        return _find.Finder.of(_check.frame(terms, ["form"], "terms"))
    if isinstance(terms, str):
        terms = [terms]
    if not isinstance(terms, (list, tuple)) or not all(isinstance(term, str) for term in terms):
        raise TypeError(f"terms must be a word, a list of words and phrases, or rows of a lexicon, not {terms!r:.80}")
    return _find.Finder(terms)


def _words_before(string: str, start: int, window: int) -> str:
    """Return the last `window` words, as written; 40 characters a word at most, so that the cost stays linear."""
    left = string[max(0, start - 40 * window) : start]
    words = left.rsplit(None, window)
    return left[len(words[0]) if len(words) > window else 0 :].strip()


def _words_after(string: str, end: int, window: int) -> str:
    right = string[end : end + 40 * window]
    words = right.split(None, window)
    return right[: len(right) - len(words[-1]) if len(words) > window else len(right)].strip()


def _strings(values: list[str]) -> pd.Series:
    """Make a column of strings; of objects where there are lone surrogates, which pandas' own type can't hold."""
    try:
        return pd.Series(values, dtype="str")
    except UnicodeEncodeError:
        return pd.Series(values, dtype=object)


def _rows(index: pd.Index, found: list[list], **columns: list | pd.Series) -> pd.DataFrame:
    """Make a table with `article_id` repeated for each thing found in its text."""
    labels = index.to_flat_index().repeat([len(things) for things in found])
    return pd.DataFrame({"article_id": labels, **columns}).astype(
        {name: "int64" for name in columns if name in ("sentence", "start", "end")}
    )
