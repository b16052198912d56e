import json

import numpy as np

from analysis._augment import neighbours, varied


def test_neighbours_are_whole_words_nearest_first():
    terms = ["lock", "locks", "key", "##lock", "no", *(f"word{'abcdefgh'[i]}" for i in range(8))]
    vectors = np.random.default_rng(0).normal(size=(len(terms), 5)).astype(np.float32)
    vectors[1] = vectors[0] * 3 + 0.01
    vectors[3] = vectors[0]
    found = neighbours(vectors, json.dumps({"model": {"vocab": {t: i for i, t in enumerate(terms)}}}))
    assert found["lock"][0] == "locks"
    assert found["locks"][0] == "lock"
    assert "##lock" not in found["lock"]
    assert "no" not in found  # too short to be replaced
    assert all(word not in others and len(others) == 8 for word, others in found.items())


def test_only_known_words_are_replaced_and_their_capital_stays():
    near = {"police": ["officers"], "key": ["lock"]}
    text = "Police want a key; no KEY-holder's key, police-état."
    assert varied(text, near, np.random.default_rng(0), rate=1) == (
        "Officers want a lock; no Lock-holder's lock, officers-état."
    )
    assert varied(text, near, np.random.default_rng(0), rate=0) == text


def test_about_as_many_words_as_asked_are_replaced():
    text = " ".join(["key"] * 5000)
    assert 0.27 < varied(text, {"key": ["lock"]}, np.random.default_rng(0)).split().count("lock") / 5000 < 0.33
