"""Train the encoder and its heads: `python -m analysis train`. Needs the `train` extra (torch); nothing else does.

A teacher too large to ship, all-mpnet-base-v2, and the pupil that ships, all-MiniLM-L6-v2, go through the same
stages: first invented sentences (data/training, data/sample) and NewsMTSC; then real sentences, whose codes are in
data/training/real.csv and whose text stays in the shared folder, beside a replay of the first. In the later stages the
pupil also learns what the teacher says (Hinton et al. 2015) of those sentences, of thousands that nobody coded, and of
copies of both the real and the invented ones in which near words stand for some: the mean of three teachers, each of
which misses a third of the articles of gold/dev.csv. What they say is kept as numbers in data/training/teacher.npz. The
pupil ends with two passes that give invented sentences more room, lest it forget what real ones seldom tell of. The
lower layers are frozen and their output is kept, which halves the cost. Scores repeat within noise, bytes do not.
"""

import gzip
import hashlib
import json
import re
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import codebook, encoder, text
from analysis._augment import neighbours, varied
from analysis._network import HEADS, WAYS, Cached, Network, fit, minilm, mpnet, set_threads

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {"encryption": "e2ee", "access_measures": "child_safety_measures"}
TAUGHT = [name for name in HEADS if name != "targeted"]
TEMPERATURES = {"stance": 1.4, "frame": 1.2, "targeted": 1.7}  # least calibration error, benchmarks/accuracy.py
UNCODED = re.compile(
    r"encrypt|back ?door|decrypt|iphone|apple\b|wiretap|snowden|clipper|escrow|unlock|surveil|nsa\b|privacy|hack"
    r"|child|abuse",
    re.IGNORECASE,
)


class Stage(NamedTuple):
    """How a stage is trained: frozen layers, passes, rate, and the share of each of `parts` that a pass sees."""

    lower: int
    epochs: int
    rate: float
    shares: tuple[float, float, float, float]  # invented, wire templates, NewsMTSC, contrast sets
    uncoded: float = 0.0  # share of the sentences that only the teacher judges
    weights: tuple[float, float, float, float] = (0.5, 0.5, 0.5, 0.5)  # of the four, where real sentences weigh 1


TEACHER = Stage(6, 2, 5e-5, (1.0, 0.4, 0.165, 0.0)), Stage(6, 4, 5e-5, (0.08, 0.2, 0.0, 1.0))
PUPIL = (
    Stage(2, 3, 5e-5, (1.0, 1.0, 1.0, 0.0)),
    Stage(2, 6, 1.5e-4, (0.12, 0.4, 0.05, 1.0), 0.3),
    Stage(2, 2, 7e-5, (0.45, 0.2, 0.05, 1.0), 0.2, (1.0, 0.5, 0.5, 0.5)),
)
FOLDS = 3
TRUST = 0.5  # weight of the teacher's probabilities where coders gave theirs
TEACHERS = "training/teacher.npz"  # in the data folder: what the teachers say of each real sentence
STEPS = 12  # of that file's integers to a unit of score


# --- what to learn from ---------------------------------------------------------------------------------------------


def _access(table: pd.DataFrame, coder: str) -> pd.Series:
    """Stance toward access measures: what was coded, or else the reverse of the stance toward encryption."""
    target, code = table["target" + coder].replace(TARGETS), table["stance" + coder]
    derived = code.replace({"favour": "against", "against": "favour"})
    derived = derived.where(target.isin(["child_safety_measures", "both"]), "not_addressed")
    derived = derived.mask(target.eq("child_safety_measures") & code.eq("not_addressed"))
    derived = derived.where(code.notna())
    return table["access"].fillna(derived) if "access" in table else derived


def _labels(table: pd.DataFrame, coders: list[str]) -> dict[str, np.ndarray]:
    """Soft labels: the coders' mean; a second frame takes a quarter of a code. A row without a code is NaN."""
    if "targeted" not in table:
        table = table.assign(**{"access" + coder: _access(table, coder) for coder in coders})
    soft = {}
    for name, classes in HEADS.items():
        total, given = np.zeros((len(table), len(classes))), np.zeros(len(table))
        for coder in coders:
            if name + coder not in table:
                continue
            codes = table[name + coder].replace(TARGETS)
            one = np.array([[code == c for c in classes] for code in codes], dtype=float)
            if name == "frame":
                second = table["frame_second" + coder]
                both = np.array([[code == c for c in classes] for code in second], dtype=float)
                one = np.where(both.any(axis=1, keepdims=True), 0.75 * one + 0.25 * both, one)
            total += one
            given += one.any(axis=1)
        soft[name] = np.where(given[:, None] > 0, total / np.maximum(given, 1)[:, None], np.nan)
    return soft


def _table(text: pd.Series, context: pd.Series, group: pd.Series, labels: dict[str, np.ndarray]) -> pd.DataFrame:
    table = pd.DataFrame({"text": text.to_numpy(), "context": context.fillna("").to_numpy(), "group": group.to_numpy()})
    where = encoder.targets()["encryption"]["mentions"]
    table["where"] = [encoder.mentions(t, where) for t in table["text"]]
    for name in HEADS:
        table[name] = list(labels.get(name, np.full((len(table), len(HEADS[name])), np.nan)))
    return table


def invented(data: Path = ROOT / "data") -> pd.DataFrame:
    """Sentences written for the project, coded as they were written: data/training and the coded sample articles."""
    articles = pd.read_csv(data / "sample/articles.csv").set_index("article_id")
    codes = pd.read_csv(data / "sample/codes.csv")
    if (path := data / "training/access.csv").exists():
        codes = codes.merge(pd.read_csv(path), on=["article_id", "n"], how="left")
    headline = codes["position"].eq("headline")
    body = codes["article_id"].map(articles["text"])
    codes["text"] = [
        title if is_title else text[start:end]
        for title, is_title, text, start, end in zip(
            codes["article_id"].map(articles["title"]), headline, body, codes["start"], codes["end"], strict=True
        )
    ]
    codes["context"] = codes.groupby(["article_id", headline])["text"].shift(1)
    sample = _table(codes["text"], codes["context"], codes["article_id"], _labels(codes, [""]))
    bank = pd.read_csv(data / "training/sentences.csv")
    bank["group"] = pd.Series(range(len(bank))).floordiv(20).map("bank{}".format)
    wire = _filled(data)
    return pd.concat(
        [sample, *(_table(t["sentence"], t["previous"], t["group"], _labels(t, [""])) for t in (bank, wire))],
        ignore_index=True,
    )


def _filled(data: Path, times: int = 8, seed: int = 0) -> pd.DataFrame:
    """Templates of plain wire sentences, each filled `times` with words drawn for its slots."""
    templates = pd.read_csv(data / "training/templates.csv").assign(frame_second=None)
    templates["group"] = [f"template{i}" for i in range(len(templates))]
    slots = tomllib.loads((data / "training/slots.toml").read_text(encoding="utf-8"))
    rng = np.random.default_rng(seed)
    filled = templates.loc[templates.index.repeat(times)].reset_index(drop=True)

    def fill(template: str) -> str:
        text = template.format(**{slot: rng.choice(words) for slot, words in slots.items()})
        return text[:1].upper() + text[1:]

    return filled.assign(sentence=filled["sentence"].map(fill)).drop_duplicates("sentence", ignore_index=True)


def contrast(data: Path = ROOT / "data") -> pd.DataFrame:
    """Invented sentences in sets of shared words and differing frames (Gardner et al. 2020); they teach only frames."""
    sets = pd.read_csv(data / "training/contrast.csv")
    return _table(sets["sentence"], sets["previous"], sets["set"], {"frame": _labels(sets, [""])["frame"]})


def gold(shared: Path) -> pd.DataFrame:
    """The 560 real sentences of gold/dev.csv with both coders' codes; `sure` where the two agree on stance."""
    dev = pd.read_csv(shared / "data/gold/dev.csv").rename(columns=lambda c: c.replace("stance_encryption", "stance"))
    return _table(dev["text"], dev["previous"], dev["article"], _labels(dev, ["_d", "_e"]))


def real(shared: Path, data: Path = ROOT / "data") -> pd.DataFrame:
    """Further real sentences coded for the project; their text is looked up in the shared folder by id or offset."""
    place = ["sentence_id", "article", "before", "start", "end"]
    codes, second = (pd.read_csv(data / "training" / name) for name in ("real.csv", "real_second.csv"))
    codes = codes.merge(second, on=place, how="left", suffixes=("", "_again"), validate="1:1")
    sampled = pd.concat(pd.read_csv(shared / f"data/gold/{name}.csv") for name in ("dev", "unlabelled"))
    sampled = sampled.set_index("sentence_id")
    articles = _articles(shared) | _posts(shared)
    said, before = [], []
    codes["article"] = codes["article"].fillna(codes["sentence_id"].map(sampled["article"]))
    for row in codes.itertuples():
        if isinstance(row.sentence_id, str):
            said.append(sampled.loc[row.sentence_id, "text"])
            before.append(sampled.loc[row.sentence_id, "previous"])
        else:
            whole = articles[row.article]
            said.append(" ".join(whole[int(row.start) : int(row.end)].split()))
            first = row.start if row.before != row.before else row.before
            before.append(" ".join(whole[int(first) : int(row.start)].split()))
    found = _table(pd.Series(said), pd.Series(before), codes["article"], _labels(codes, ["", "_again"]))
    earlier = pd.read_csv(data / "training/real_before.csv")
    rows = sampled.loc[earlier["sentence_id"]]
    none = pd.Series([""] * len(rows))
    alone = _table(rows["previous"].str.split().str.join(" "), none, rows["article"], _labels(earlier, [""]))
    return pd.concat([found, alone], ignore_index=True)


def uncoded(shared: Path, data: Path = ROOT / "data") -> pd.DataFrame:
    """Real sentences that nobody coded, for the teacher to judge: news and Usenet posts that use a word of the debate.

    None is from an article of gold/dev.csv.
    """
    coded = pd.read_csv(shared / "data/gold/dev.csv")
    known = set(coded["text"].str.split().str.join(" ")) | set(real(shared, data)["text"])
    articles = {k: v for k, v in _articles(shared).items() if k not in set(coded["article"])}
    posts = {k: _own_words(v) for k, v in _posts(shared).items()}
    found = text.sentences(pd.Series(articles | posts).rename_axis("article_id"))
    found["text"] = found["text"].str.split().str.join(" ")
    found["previous"] = found.groupby("article_id")["text"].shift(1)
    fit_in = found["text"].str.len().between(30, 450) & found["text"].str.contains(UNCODED)
    found = found[fit_in & ~found["text"].isin(known)].drop_duplicates("text")
    return _table(found["text"], found["previous"], found["article_id"], {})


def variants(human: pd.DataFrame, tables: list[pd.DataFrame], near: dict[str, list[str]]) -> pd.DataFrame:
    """Sentences for the teacher to judge, varied: each real one six times, those of contrast sets twice, others once.

    A quarter loses its context. `of` is the row of `human` that was varied, -1 for an invented sentence; `tables` are
    those of `parts`, and `near` is from `_augment.neighbours`.
    """
    written, wire, _, sets = tables
    real_ones = human.assign(of=np.arange(len(human)))
    source = pd.concat([real_ones] * 6 + [t.assign(of=-1) for t in (sets, sets, written, wire)], ignore_index=True)
    rng = np.random.default_rng(11)
    said = [varied(text, near, rng) for text in source["text"]]
    before = ["" if rng.random() < 0.25 else varied(text, near, rng) for text in source["context"]]
    return _table(pd.Series(said), pd.Series(before), source["group"], {}).assign(of=source["of"])


def judged(
    shared: Path, data: Path, human: pd.DataFrame, tables: list[pd.DataFrame], weights: dict, tokenizer: str
) -> pd.DataFrame:
    """What only the teacher judges: `uncoded` sentences, whose `of` is -1, and `variants` by the words of `minilm`."""
    near = neighbours(weights["embeddings.word_embeddings.weight"].numpy(), tokenizer)
    return pd.concat([uncoded(shared, data).assign(of=-1), variants(human, tables, near)], ignore_index=True)


def _articles(shared: Path) -> dict[str, str]:
    with gzip.open(shared / "data/abp/topical_subset.jsonl.gz") as lines:
        return {a["ID"]: a["content_original"] for a in map(json.loads, lines)}


def _posts(shared: Path) -> dict[str, str]:
    with tarfile.open(shared / "data/sci_crypt_1993/posts.tar.gz") as posts:
        files = filter(tarfile.TarInfo.isfile, posts)
        return {"/".join(f.name.split("/")[-2:]): posts.extractfile(f).read().decode("latin-1") for f in files}


def _own_words(post: str) -> str:
    """What the poster wrote: no headers, quoted lines or signature marks."""
    _, _, body = post.partition("\n\n")
    return "\n".join(line for line in body.split("\n") if not re.match(r"\s*[>|:]|.*(?:writes|wrote):$|--", line))


def newsmtsc(shared: Path) -> pd.DataFrame:
    """Targets of NewsMTSC's training sentences with their polarity; `group` is the article."""
    with (shared / "data/newsmtsc/train.jsonl").open(encoding="utf-8") as lines:
        rows = [
            (s["sentence_normalized"], t["from"], t["to"], t["polarity"], "_".join(s["primary_gid"].split("_")[:3]))
            for s in map(json.loads, lines)
            for t in s["targets"]
        ]
    found = pd.DataFrame(rows, columns=["text", "from", "to", "polarity", "group"])
    codes = found["polarity"].map({2: "negative", 4: "neutral", 6: "positive"}).to_frame("targeted")
    table = _table(found["text"], pd.Series([""] * len(found)), found["group"], _labels(codes, [""]))
    table["where"] = [[(low, high)] for low, high in zip(found["from"], found["to"], strict=True)]
    return table


def held_out(table: pd.DataFrame, seed: int = 1) -> np.ndarray:
    """Which rows of `table` belong to the sixth of the groups that is never trained on."""
    groups = table["group"].unique()
    return table["group"].isin(np.random.default_rng(seed).choice(groups, len(groups) // 6, replace=False)).to_numpy()


# --- what ships -----------------------------------------------------------------------------------------------------


def export(network: Network, temperatures: dict[str, float], tokenizer: str, out: Path) -> None:
    """Write encoder.onnx (int8 weights, one scale a channel, widened when loaded), heads.npz and tokenizer.json."""
    import onnx
    from onnx import TensorProto as Kind
    from onnx import helper, numpy_helper

    nodes, stored = [], []
    w = {k: v.numpy() for k, v in network.weights.items()}

    def constant(name: str, value: object, kind: type = np.float32) -> str:
        stored.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def node(kind: str, inputs: list[str], out: str, **kws: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [out], name=out, **kws))
        return out

    def small(name: str, value: np.ndarray, axis: int) -> tuple[str, str]:
        scale = np.abs(value).max(axis=axis, keepdims=True) / 127
        constant(name + ".int8", np.round(value / scale), np.int8)
        return name + ".int8", constant(name + ".scale", scale)

    def linear(x: str, name: str) -> str:
        weight, scale = small(name, w[name + ".weight"].T, axis=0)
        wide = node("Mul", [node("Cast", [weight], name + ".cast", to=Kind.FLOAT), scale], name + ".wide")
        return node(
            "Add", [node("MatMul", [x, wide], name + ".product"), constant(name + ".bias", w[name + ".bias"])], name
        )

    def normal(x: str, name: str) -> str:
        weights = [constant(f"{name}.{part}", w[f"{name}.{part}"]) for part in ("weight", "bias")]
        return node("LayerNormalization", [x, *weights], name, axis=-1, epsilon=1e-12)

    def heads(x: str, name: str, order: list[int]) -> str:
        split = node("Reshape", [x, "split"], name + ".split")
        return node("Transpose", [split], name + ".heads", perm=order)

    constant("split", [0, 0, WAYS, network.width // WAYS], np.int64)
    constant("joined", [0, 0, network.width], np.int64)
    constant("root", (network.width // WAYS) ** -0.5)
    constant("half", 0.5)
    constant("one", 1.0)
    constant("root2", 2**-0.5)
    word, scale = small("words", w["embeddings.word_embeddings.weight"], axis=1)
    words = node("Cast", [node("Gather", [word, "ids"], "word.int8")], "word.cast", to=Kind.FLOAT)
    x = node("Mul", [words, node("Gather", [scale, "ids"], "word.scale")], "word")
    kinds = constant("segment.table", w["embeddings.token_type_embeddings.weight"])
    x = node("Add", [x, node("Gather", [kinds, "segments"], "segment")], "word.segment")
    length = node("Gather", [node("Shape", ["ids"], "shape"), constant("at", [1], np.int64)], "length", axis=0)
    table = constant("position.table", w["embeddings.position_embeddings.weight"][: encoder.MOST])
    position = node("Slice", [table, constant("zero", [0], np.int64), length, "zero"], "position")
    x = normal(node("Add", [x, position], "embedded"), "embeddings.LayerNorm")
    for i in range(network.depth):
        p = f"encoder.layer.{i}."
        q = heads(linear(x, p + "attention.self.query"), p + "q", [0, 2, 1, 3])
        k = heads(linear(x, p + "attention.self.key"), p + "k", [0, 2, 3, 1])
        v = heads(linear(x, p + "attention.self.value"), p + "v", [0, 2, 1, 3])
        score = node("Mul", [node("MatMul", [q, k], p + "qk"), "root"], p + "scaled")
        seen = node("MatMul", [node("Softmax", [score], p + "attention", axis=-1), v], p + "seen")
        seen = node("Reshape", [node("Transpose", [seen], p + "back", perm=[0, 2, 1, 3]), "joined"], p + "joined")
        x = normal(
            node("Add", [x, linear(seen, p + "attention.output.dense")], p + "a"), p + "attention.output.LayerNorm"
        )
        y = linear(x, p + "intermediate.dense")
        erf = node("Add", [node("Erf", [node("Mul", [y, "root2"], p + "y2")], p + "erf"), "one"], p + "erf1")
        y = node("Mul", [node("Mul", [y, "half"], p + "half"), erf], p + "gelu")
        x = normal(node("Add", [x, linear(y, p + "output.dense")], p + "o"), p + "output.LayerNorm")
    node("Identity", [x], "vectors")
    shape = ["batch", "length"]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info(name, Kind.INT64, shape) for name in ("ids", "segments")],
        [helper.make_tensor_value_info("vectors", Kind.FLOAT, [*shape, network.width])],
        stored,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="analysis"
    )
    onnx.checker.check_model(model)
    kept = {}
    for name, classes in HEADS.items():
        kept[f"{name}.classes"] = np.array(classes)
        kept[f"{name}.weight"] = w[f"heads.{name}.weight"].astype(np.float32)
        kept[f"{name}.bias"] = w[f"heads.{name}.bias"].astype(np.float32)
        kept[f"{name}.temperature"] = np.float32(temperatures.get(name, 1.0))
    (out / "encoder.onnx").write_bytes(model.SerializeToString())
    (out / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    np.savez_compressed(out / "heads.npz", **kept)


def folds(group: pd.Series, among: set, seed: int = 7) -> np.ndarray:
    """Fold of each row, the same for all rows of an article; -1 for articles that are not `among` those divided."""
    names = np.array(sorted(among))
    np.random.default_rng(seed).shuffle(names)
    return group.map({name: i % FOLDS for i, name in enumerate(names)}).fillna(-1).to_numpy(dtype=int)


# --- the recipe -----------------------------------------------------------------------------------------------------


def parts(shared: Path, data: Path = ROOT / "data") -> list[pd.DataFrame]:
    """What `Stage.shares` counts: invented sentences, wire templates, NewsMTSC less the held-out, contrast sets."""
    written, toned = invented(data), newsmtsc(shared)
    wire = written["group"].str.startswith("template")
    found = written[~wire], written[wire], toned[~held_out(toned)], contrast(data)
    return [t.reset_index(drop=True) for t in found]


class Learner(NamedTuple):
    """A network after its first stage, with what the others need, its lower layers run."""

    weights: dict
    stages: tuple[Stage, ...]
    human: Cached
    uncoded: Cached  # with its `of`, as `judged` gives it
    replay: list[Cached | None]


def first_stage(
    weights: dict,
    stages: tuple[Stage, ...],
    tables: list[pd.DataFrame],
    human: pd.DataFrame,
    uncoded: pd.DataFrame,
    *,
    seed: int = 0,
    report: Callable = lambda line: None,
) -> Learner:
    """Train on `tables`, as `parts` gives them; the result serves every run of the later stages."""
    first, *later = stages
    network = Network(weights, lower=first.lower, seed=seed)
    examples = [
        (Cached(network, table), 1.0, share) for table, share in zip(tables, first.shares, strict=True) if share
    ]
    weights = fit(network, examples, epochs=first.epochs, rate=first.rate, seed=seed, report=report).weights
    start = Network(weights, lower=later[0].lower, seed=seed)
    replay = [Cached(start, t) if any(stage.shares[i] for stage in later) else None for i, t in enumerate(tables)]
    return Learner(weights, tuple(later), Cached(start, human), Cached(start, uncoded), replay)


def later_stages(
    learner: Learner, human: Cached, uncoded: Cached, *, seed: int = 0, report: Callable = lambda line: None
) -> Network:
    """Train on coded and uncoded sentences beside a replay of the first stage."""
    weights = learner.weights
    for stage in learner.stages:
        network = Network(weights, lower=stage.lower, seed=seed)
        replay = zip(learner.replay, stage.weights, stage.shares, strict=True)
        examples = [(human, 1.0, 1.0), (uncoded, 1.0, stage.uncoded), *(part for part in replay if part[2])]
        weights = fit(network, examples, epochs=stage.epochs, rate=stage.rate, seed=seed, report=report).weights
    return network


Said = list[dict[str, np.ndarray]]  # scores of the heads: of the coded sentences, then of the uncoded ones


def judge(
    teacher: Learner, rows: np.ndarray, *, seed: int = 0, report: Callable = lambda line: None
) -> tuple[Network, Said]:
    """A teacher that has seen `rows` of the coded sentences, and what it says of all coded and uncoded ones."""
    none = teacher.uncoded.take(rows[:0])
    network = later_stages(teacher, teacher.human.take(rows), none, seed=seed, report=report)
    return network, [examples.scores(network, TAUGHT) for examples in (teacher.human, teacher.uncoded)]


def taught(
    pupil: Learner, rows: np.ndarray, said: list[Said], *, seed: int = 0, report: Callable = lambda line: None
) -> Network:
    """A pupil that has seen `rows` of the coded sentences and the mean of what the teachers have `said`.

    Of the variants it sees those of `rows` and of invented sentences.
    """
    of_human, of_uncoded = ({name: np.mean([s[i][name] for s in said], axis=0) for name in TAUGHT} for i in (0, 1))
    human = pupil.human.take(rows).taught({name: scores[rows] for name, scores in of_human.items()}, TRUST)
    own = np.flatnonzero(pupil.uncoded.table["of"].isin([-1, *rows]))
    uncoded = pupil.uncoded.take(own).taught({name: scores[own] for name, scores in of_uncoded.items()}, TRUST)
    return later_stages(pupil, human, uncoded, seed=seed, report=report)


def record(said: list[Said], texts: pd.Series, path: Path) -> None:
    """Write what the teachers say of `texts`, in twelfths, and a digest of each text, lest one be taken for another."""
    joined = [np.hstack([np.concatenate([part[name] for part in one]) for name in TAUGHT]) for one in said]
    steps = np.clip(np.round(np.stack(joined) * STEPS), -127, 127).astype(np.int8)
    np.savez_compressed(path, digests=_digests(texts), scores=steps)


def recorded(texts: pd.Series, coded: int, path: Path) -> list[Said]:
    """What the teachers said of `texts`, the first `coded` of them coded; ValueError where the texts have changed."""
    with np.load(path) as kept:
        if not np.array_equal(kept["digests"], _digests(texts)):
            raise ValueError(f"{path} was made from other sentences; train the teacher again with --teacher")
        scores = kept["scores"].astype(np.float32) / STEPS
    ends = np.cumsum([len(HEADS[name]) for name in TAUGHT])[:-1]
    split = [[np.split(part, ends, axis=1) for part in (one[:coded], one[coded:])] for one in scores]
    return [[dict(zip(TAUGHT, part, strict=True)) for part in one] for one in split]


def _digests(texts: pd.Series) -> np.ndarray:
    return np.array([int.from_bytes(hashlib.sha256(t.encode()).digest()[:4], "big") for t in texts], dtype=np.uint32)


def train(
    *,
    shared: Path = ROOT.parent / "shared",
    data: Path = ROOT / "data",
    out: Path = codebook.RESOURCES,
    seed: int = 0,
    threads: int = 1,
    teacher: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Train the encoder and write it to `out`: about an hour on one core that knows bfloat16, and 6 GB of memory.

    `shared` holds the development data (text that never enters the project); `data` the project's own. What the
    teachers say is read from data/training/teacher.npz; with `teacher` they are trained anew, which takes two hours
    more, and the file is written again. A sixth of NewsMTSC's articles is held out, for benchmarks/accuracy.py.
    Raises FileNotFoundError when the development data is absent: without it the shipped weights can't be made again.
    Raises ModuleNotFoundError for a base model that is not installed, and ValueError for one that is not the original
    or a file of the teachers' that was made from other sentences.
    """
    if not (shared / "data/gold/dev.csv").exists():
        raise FileNotFoundError(f"{shared / 'data/gold/dev.csv'} is missing; training needs the development data")
    set_threads(threads)
    small, tokenizer = minilm()
    tables, sure = parts(shared, data), gold(shared)
    human = pd.concat([sure, real(shared, data)], ignore_index=True)
    alone = judged(shared, data, human, tables, small, tokenizer)
    report(
        f"{len(tables[0])} invented sentences, {len(tables[1])} from templates, {len(tables[2])} targets of NewsMTSC, "
        f"{len(tables[3])} in contrast sets, {len(human)} coded real sentences, {len(alone)} only judged"
    )
    texts, path = pd.concat([human["text"], alone["text"]]), data / TEACHERS
    if teacher:
        report("teachers")
        learner = first_stage(mpnet(), TEACHER, tables, human, alone, seed=seed, report=report)
        fold = folds(human["group"], set(sure["group"]))
        seen = [np.flatnonzero(fold != f) for f in range(FOLDS)]
        record([judge(learner, rows, seed=seed + f, report=report)[1] for f, rows in enumerate(seen)], texts, path)
        del learner
    said = recorded(texts, len(human), path)
    report("pupil")
    pupil = first_stage(small, PUPIL, tables, human, alone, seed=seed, report=report)
    network = taught(pupil, np.arange(len(human)), said, seed=seed, report=report)
    export(network, TEMPERATURES, tokenizer, out)
    report(f"written to {out}: encoder.onnx, heads.npz, tokenizer.json")
