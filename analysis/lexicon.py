"""Lists of terms: read and check them, and find every use of their forms in one pass over the text."""

from os import PathLike

import pandas as pd

from analysis import _check, _find
from analysis.codebook import RESOURCES

CATEGORIES = [
    "target:encryption",
    "target:child_safety",
    "target:lawful_access",
    "target:scanning",
    "actor",
    "frame cue",
    "harm term",
]
COLUMNS = ["term", "form", "category", "frame", "polarity", "case", "context", "note", "source_url"]


def read_lexicon(path: str | PathLike | None = None, *, categories: list[str] | None = None) -> pd.DataFrame:
    """Read a list of terms from CSV, the debate's own by default, and check each row.

    One row of the file is a term, or those of its forms that share a rule. Columns: `term` and `category`, and, where
    wanted, `variants` (the forms, with ";" between them; without it the term is its own form), `frame`, `polarity`,
    `case` ("any", or "exact" for forms that must be written as given), `context` (words with ";" between them, one of
    which must stand within 100 characters) and any others. A form or context word that ends in `*` matches all words
    that begin so. `categories` are those that the file may use, by default those of the debate's list.

    Returns one row per form: the columns of `COLUMNS`, empty ones missing, then any others of the file. Raises
    ValueError that lists every fault with its row (the header is row 1): empty terms or categories, unknown categories
    or rules of case, forms that stand twice, forms that can never match.

    >>> lexicon = read_lexicon()
    >>> len(lexicon), lexicon["term"].nunique()
    (1460, 343)
    >>> list(lexicon.loc[lexicon["term"] == "Home Office", "form"])
    ['Home Office', 'home secretary', 'interior ministry']
    """
    source = RESOURCES / "lexicon.csv" if path is None else path
    table = pd.read_csv(source, dtype="str", encoding="utf-8-sig", keep_default_na=False, skip_blank_lines=False)
    _check.frame(table, ["term", "category"], "lexicon")
    for name in ("variants", "frame", "polarity", "case", "context", "note", "source_url"):
        if name not in table:
            table[name] = ""
    table = table.apply(lambda column: column.str.strip())
    table["row"] = range(2, len(table) + 2)
    table["case"] = table["case"].replace("", "any")
    table["form"] = [
        [form.strip() for form in cell.split(";")] if cell else [term]
        for cell, term in zip(table["variants"].str.strip("; "), table["term"], strict=True)
    ]
    forms = table.explode("form", ignore_index=True)
    faults = _faults(forms, CATEGORIES if categories is None else categories)
    if faults:
        raise ValueError(f"{source} has {len(faults)} faults:\n" + "\n".join(faults))
    extra = [name for name in table if name not in (*COLUMNS, "row", "variants")]
    return forms[[*COLUMNS, *extra]].replace("", pd.NA)


def match(text: pd.Series, lexicon: pd.DataFrame | None = None) -> pd.DataFrame:
    """Find every use of a lexicon's forms.

    One row of `text` is one article, its index value the `article_id`; missing text has no matches. `lexicon` is what
    `read_lexicon` returns, or some rows of it; by default the debate's own. Whole words match, whatever their case
    (unless the form's `case` is "exact"), kind of quote, hyphen or space, and with soft hyphens or a line break inside.
    Of matches that overlap, the one that starts first counts, and of those that start together the longest.

    Returns one row per match: `article_id`, `start` and `end` in characters, `match` (the article's `[start:end]`),
    then `term`, `form`, `category`, `frame` and `polarity` of the lexicon, missing where it has none. Raises TypeError
    where `text` is no Series of strings, ValueError where the lexicon lacks a column.

    Method: one automaton over all forms (Aho and Corasick 1975).

    >>> text = pd.Series(["Signal lights failed.", "Signal, the app, resists chat control."], index=["a1", "a2"])
    >>> match(text)[["article_id", "start", "end", "match", "category"]]
      article_id  start  end         match         category
    0         a2      0    6        Signal            actor
    1         a2     25   37  chat control  target:scanning
    """
    lexicon = read_lexicon() if lexicon is None else _check.frame(lexicon, ["term", "form", "category"], "lexicon")
    finder = _find.Finder.of(lexicon)
    found = [finder.find(item) if isinstance(item, str) else [] for item in _check.text(text).tolist()]
    uses = [(item[start:end], start, end, n) for item, hits in zip(text, found, strict=True) for start, end, n in hits]
    matches, start, end, numbers = map(list, zip(*uses, strict=True)) if uses else ([], [], [], [])
    table = pd.DataFrame({"article_id": text.index.to_flat_index().repeat([len(hits) for hits in found])})
    table["start"], table["end"] = pd.Series(start, dtype="int64"), pd.Series(end, dtype="int64")
    table["match"] = pd.Series(matches, dtype="str")
    described = lexicon.reindex(columns=["term", "form", "category", "frame", "polarity"]).iloc[numbers]
    return table.join(described.reset_index(drop=True))


def _faults(forms: pd.DataFrame, categories: list[str]) -> list[str]:
    """Each fault of the forms, as "row 3: ...", in the order of the rows."""
    faults, seen = [], {}
    for row, term, form, category, case in zip(
        *(forms[name] for name in ("row", "term", "form", "category", "case")), strict=True
    ):
        if not term:
            faults.append(f"row {row}: the term is empty")
            continue
        if category not in categories:
            faults.append(f"row {row}: category {category!r} of {term!r} is not known; use {_check.listed(categories)}")
        if case not in ("any", "exact"):
            faults.append(f"row {row}: case {case!r} of {term!r} is not known; use 'any' or 'exact'")
        folded = _find.Folded(form)
        if not folded.lower.rstrip("*"):
            faults.append(f"row {row}: form {form!r} of {term!r} can never match: it holds nothing to look for")
            continue
        if "\n" in folded.lower:
            faults.append(f"row {row}: form {form!r} of {term!r} can never match: it runs over a blank line")
        # Two forms that must be written as given, such as US and us, may differ in case alone.
        for earlier, written, other_case in seen.get(folded.lower, ()):
            if case != "exact" or other_case != "exact" or written == folded.cased:
                faults.append(f"row {row}: form {form!r} of {term!r} stands in row {earlier} as well")
                break
        seen.setdefault(folded.lower, []).append((row, folded.cased, case))
    return list(dict.fromkeys(faults))
