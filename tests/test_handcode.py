"""Hand-coding without a browser: keys, undo, resuming, kills, two windows, blindness, and on to corrected shares."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis import agreement, corrected_shares, hand_code
from analysis._journal import Journal

BOOK = {"version": "2", "tone": {"good": "it praises", "bad": "it blames"}, "object": ["law", "firm", "state"]}


def invented(n=20):
    """Sentences invented for these tests."""
    return pd.DataFrame(
        {"article_id": [f"a{i // 3}" for i in range(n)], "n": [i % 3 for i in range(n)],
         "text": [f"Invented sentence {i} on locked chats." for i in range(n)],
         "previous": [f"Invented context {i}." if i % 3 else None for i in range(n)]}
    )  # fmt: skip


def opened(tmp_path, n=20, name="ana", **settings):
    return hand_code(invented(n), coder=name, path=tmp_path / f"{name}.jsonl", **({"codebook": BOOK} | settings))


def lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="ascii").splitlines()]


# Keys


def test_a_key_for_every_value_of_every_variable_and_none_twice(tmp_path):
    names = ["target", "speaker_group", "attribution", "stance", "frame", "stance_author", "frame_second", "confidence"]
    codes = opened(tmp_path, codebook=None, variables=names)
    assert list(codes.keys) == names
    for name, keys in codes.keys.items():
        variable = {"stance_author": "stance", "frame_second": "frame"}.get(name, name)
        values = ["1", "2", "3"] if name == "confidence" else analysis.codebook.values(variable)
        assert list(keys) == values
        assert len(set(keys.values())) == len(keys)
        assert all(len(key) == 1 for key in keys.values())
    assert codes.keys["stance"] == {"favour": "f", "mixed": "m", "neutral": "n", "against": "a", "not_addressed": "o"}
    assert codes.keys["confidence"] == {"1": "1", "2": "2", "3": "3"}


def test_keys_of_values_in_other_letters_are_letters_or_digits(tmp_path):
    keys = opened(tmp_path, codebook={"ton": ["für", "gegen", "否", "是"]}).keys["ton"]
    assert keys == {"für": "f", "gegen": "g", "否": "1", "是": "2"}


def test_one_sentence_after_another_by_keys(tmp_path):
    codes = opened(tmp_path, 2)
    assert codes.press("g") == "Tone: good."
    assert codes.press("L") == "Saved: good, law. 1 of 2 coded."  # with the shift lock on
    assert (codes.press("b"), codes.press("f")) == ("Tone: bad.", "Saved: bad, firm. 2 of 2 coded.")
    assert codes.table().drop(columns="seconds").astype(object).to_numpy().tolist() == [
        ["a0", 0, "ana", "good", "law", np.nan],
        ["a0", 1, "ana", "bad", "firm", np.nan],
    ]
    with pytest.raises(ValueError, match="every sentence is coded"):
        codes.press("g")


def test_a_key_without_a_value_changes_nothing_and_says_what_works(tmp_path):
    codes = opened(tmp_path, 2)
    codes.press("g")
    with pytest.raises(ValueError, match="key 'z' stands for no value of object; the keys are: l law, f firm, s state"):
        codes.press("z")
    assert codes.press("s").startswith("Saved: good, state.")


def test_undo_takes_back_choices_then_decisions(tmp_path):
    codes = opened(tmp_path, 3)
    codes.press("g")
    assert codes.press("Backspace") == "Tone: taken back."
    for key in "glbf":
        codes.press(key)
    assert codes.undo() == "Taken back: bad, firm."
    assert codes.press("s") == "Saved: bad, state. 2 of 3 coded."  # all but the last code were kept
    codes.undo(), codes.undo()  # the choice that was kept, too
    assert codes.undo() == "Taken back: good, law."
    assert codes.n_coded == 0
    codes.undo()
    with pytest.raises(ValueError, match="no decision of this window"):
        codes.undo()
    kinds = [record["kind"] for record in lines(codes.path)]
    assert kinds == ["head", "code", "code", "undo", "code", "undo", "undo"]  # undo appends, nothing is removed
    assert codes.table().empty


def test_a_sentence_set_aside_comes_last(tmp_path):
    codes = opened(tmp_path, 3)
    codes.skip(), codes.skip()
    assert codes._words()["number"] == 3
    codes.decide(tone="good", object="law")
    assert codes._words()["number"] == 1
    codes.skip()
    assert codes._words()["number"] == 2
    assert codes.undo() == "Taken back: it is no longer set aside."
    assert codes._words()["number"] == 1
    table = codes.table()
    assert table.index.tolist() == [0, 1, 2]  # the first is set aside still, by the first skip
    assert table["tone"].isna().tolist() == [True, True, False]


def test_a_note_is_kept_at_once_and_the_last_one_counts(tmp_path):
    codes = opened(tmp_path, 2)
    codes.note("unsure\ud800"), codes.note(" irony? ")
    again = opened(tmp_path, 2)
    assert again._shown()["note"] == "irony?"
    again.decide(tone="good", object="law")
    assert again.table()["note"].tolist() == ["irony?"]
    assert lines(codes.path)[1]["text"] == "unsure‹U+D800›"
    codes.table().to_csv(tmp_path / "codes.csv")  # nothing in it that UTF-8 cannot hold
    with pytest.raises(TypeError, match="must be a string, not int"):
        again.note(3)


def test_seconds_and_time_left(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("analysis.handcode.time.monotonic", lambda: now[0])
    codes = opened(tmp_path, 20)
    for seconds in (30, 40, 3600):  # a break does not count for long
        now[0] += seconds
        codes.decide(tone="good", object="law")
    assert codes.table()["seconds"].tolist() == [30.0, 40.0, 3600.0]
    assert codes._shown()["progress"] == "3 of 20 coded · about 11 min left"  # 17 sentences of 40 s


def test_values_and_variables_are_checked(tmp_path):
    codes = opened(tmp_path, 2)
    with pytest.raises(ValueError, match=r"codes for \['tone'\]; give one for each of \['tone', 'object'\]"):
        codes.decide(tone="good")
    with pytest.raises(ValueError, match="object='moon' is not known; use 'law', 'firm' or 'state'"):
        codes.decide(tone="good", object="moon")
    assert codes.n_coded == 0


# Resuming, and files that are refused


def test_resumes_where_it_stopped(tmp_path):
    codes = opened(tmp_path, 4)
    codes.decide(tone="good", object="law"), codes.skip(), codes.press("b")
    again = opened(tmp_path, 4)
    assert (again.n_coded, again._words()["number"]) == (1, 3)  # with the choice that was not yet a decision forgotten
    assert again.undo() == "Taken back: it is no longer set aside."
    assert again._words()["number"] == 2


def test_the_order_of_the_table_may_change(tmp_path):
    opened(tmp_path, 4).decide(tone="good", object="law")
    again = hand_code(invented(4)[::-1], coder="ana", path=tmp_path / "ana.jsonl", codebook=BOOK)
    assert again.n_coded == 1
    assert again._words()["number"] == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"coder": "ben"}, "holds the codes of 'ana', not of 'ben'"),
        ({"sample": invented(5)}, r"another sample \(4 units .* has 5 named"),
        ({"sample": invented(4).assign(n=[1, 2, 3, 4])}, "another sample"),
        ({"sample": invented(4).assign(text="changed")}, "same units with other texts"),
        (
            {"codebook": BOOK | {"version": "3"}},
            "another codebook: version 2 .* this one has version 3 .*; version, order",
        ),
        ({"codebook": BOOK | {"tone": ["good", "bad", "odd"]}}, "another codebook: .*; 'tone' differ"),
        (
            {"codebook": BOOK | {"tone": {"good": "it lauds", "bad": "it blames"}}},
            "version, order or definitions differ",
        ),
        ({"variables": ["tone"]}, "another codebook: .*; 'object' differ"),
    ],
)
def test_refuses_a_file_that_is_not_its_own(tmp_path, change, words):
    opened(tmp_path, 4).decide(tone="good", object="law")
    before = (tmp_path / "ana.jsonl").read_bytes()
    settings = {"sample": invented(4), "coder": "ana", "codebook": BOOK, "path": tmp_path / "ana.jsonl"} | change
    with pytest.raises(ValueError, match=words):
        hand_code(settings.pop("sample"), **settings)
    assert (tmp_path / "ana.jsonl").read_bytes() == before


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"no line end", b'{"kind": "code"}\n', b"\xff\xfe\n", b"[]\n"])
def test_refuses_a_file_that_is_no_journal_and_leaves_it_alone(tmp_path, content):
    (tmp_path / "ana.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match="no file of hand-coded decisions"):
        opened(tmp_path)
    assert (tmp_path / "ana.jsonl").read_bytes() == content


def test_refuses_another_format(tmp_path):
    (tmp_path / "ana.jsonl").write_text('{"kind": "head", "format": 2}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="has format 2, not 1"):
        opened(tmp_path)
    (tmp_path / "ana.jsonl").write_text('{"kind": "head", "format": 1, "coder": "ana"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"a first line without \['codebook', 'n', "):
        opened(tmp_path)


def test_the_working_folder_may_change(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    codes = hand_code(invented(2), coder="ana", path="ana.jsonl", codebook=BOOK)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    codes.decide(tone="good", object="law")
    assert len(lines(tmp_path / "ana.jsonl")) == 2


def test_an_empty_file_is_a_new_one(tmp_path):
    (tmp_path / "ana.jsonl").touch()
    assert opened(tmp_path).n_coded == 0


def test_a_file_that_lost_records_is_noticed(tmp_path):
    codes = opened(tmp_path, 4)
    codes.decide(tone="good", object="law"), codes.decide(tone="good", object="law")
    head = codes.path.read_text(encoding="ascii").splitlines(keepends=True)[0]
    codes.path.write_text(head, encoding="ascii")
    with pytest.raises(ValueError, match="is shorter than it was"):
        codes.decide(tone="good", object="law")
    codes.path.unlink()
    with pytest.raises(FileNotFoundError):
        codes.decide(tone="good", object="law")


@pytest.mark.parametrize(
    "change",
    [
        {"unit": ["a9", 0]},
        {"unit": 3},
        {"kind": "odd"},
        {"codes": {"tone": "good"}},
        {"codes": {"tone": "x", "object": "law"}},
    ],
)
def test_a_record_that_does_not_belong_is_noticed(tmp_path, change):
    codes = opened(tmp_path, 4)
    sound = {"kind": "code", "id": "1", "unit": ["a0", 0], "codes": {"tone": "good", "object": "law"}, "seconds": 1}
    with codes.path.open("a", encoding="ascii") as file:
        file.write(json.dumps(sound | change) + "\n")
    with pytest.raises(ValueError, match="holds a record that is not of this sample and codebook"):
        opened(tmp_path, 4)


def test_of_two_decisions_on_one_sentence_the_later_wins(tmp_path):
    # two files merged by hand or by a program that syncs folders: the windows themselves never write this
    codes = opened(tmp_path, 4)
    codes.decide(tone="good", object="law")
    line = codes.path.read_text(encoding="ascii").splitlines()[-1]
    with codes.path.open("a", encoding="ascii") as file:
        file.write(line.replace("good", "bad").replace(json.loads(line)["id"], "another") + "\n")
    again = opened(tmp_path, 4)
    assert (again.n_coded, again.table()["tone"].tolist()) == (1, ["bad"])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"sample": [1]}, TypeError, "sample must be a pandas DataFrame"),
        ({"sample": invented(0)}, ValueError, "no row to code"),
        ({"sample": invented(2).assign(is_drawn=False)}, ValueError, "is_drawn is false throughout"),
        ({"sample": invented(2).assign(n=1)}, ValueError, r"names \('a0', 1\) twice"),
        (
            {"sample": invented(2).assign(n=[1, 2.5])},
            ValueError,
            "'n' holds 1.0 at index 0; ids must be strings or whole",
        ),
        ({"sample": invented(2).drop(columns="text")}, ValueError, "no column 'text' with the words to code"),
        ({"sample": invented(2).assign(text=["a", None])}, ValueError, "no words to code at index 1"),
        ({"sample": invented(2).assign(text=["a", 7])}, TypeError, "text holds a int at index 1"),
        ({"context": "before"}, ValueError, "no column 'before'"),
        ({"unit": "id"}, ValueError, "no column 'id'"),
        ({"coder": " "}, ValueError, "coder=' ' must be the coder's name"),
        ({"codebook": 3}, TypeError, "codebook must be a mapping or the path"),
        ({"codebook": {}}, ValueError, "at least one variable"),
        ({"codebook": {"tone": 3.5}}, ValueError, "at least one variable"),
        ({"codebook": {"tone": ["good"]}}, ValueError, "'tone' has 1 values; between 2 and 36"),
        ({"codebook": {"tone": [str(i) for i in range(37)]}}, ValueError, "'tone' has 37 values"),
        ({"codebook": {"tone": ["good", "good"]}}, ValueError, "'tone' has a value twice"),
        ({"codebook": {"tone": ["good", 1]}}, ValueError, "'tone' has the value 1: ''; both must be strings"),
        ({"codebook": {"tone": True}}, ValueError, "at least one variable"),
        ({"codebook": {"note": ["a", "b"]}}, ValueError, r"variables=\['note'\]: the table of codes has columns"),
        ({"variables": ["tone", "tone"]}, ValueError, "and none twice"),
        (
            {"variables": ["stance"]},
            ValueError,
            "variables='stance' is not known; use 'tone', 'object' or 'confidence'",
        ),
        ({"path": "nowhere/ana.jsonl"}, FileNotFoundError, "path: there is no folder .*nowhere"),
    ],
)
def test_wrong_input_is_refused(tmp_path, change, error, words):
    settings = {"sample": invented(2), "coder": "ana", "codebook": BOOK, "path": tmp_path / "ana.jsonl"} | change
    with pytest.raises(error, match=words):
        hand_code(settings.pop("sample"), **settings)
    assert not list(tmp_path.iterdir())


def test_a_codebook_of_ones_own_from_a_file(tmp_path):
    (tmp_path / "book.toml").write_text(
        'version = "7"\n[tone]\ngood = "it praises"\nbad = "it blames"\n[labels]\ngood = "in favour"\n',
        encoding="utf-8",
    )
    codes = opened(tmp_path, codebook=tmp_path / "book.toml")
    assert codes.keys == {"tone": {"good": "i", "bad": "b"}}
    assert lines(codes.path)[0]["codebook"]["version"] == "7"
    assert codes._shown()["options"][0] == {"key": "i", "label": "in favour", "definition": "it praises"}


# Kills


def test_a_line_cut_anywhere_is_set_aside_and_nothing_else_is_lost(tmp_path):
    codes = opened(tmp_path, 5)
    for tone in ("good", "bad"):
        codes.decide(tone=tone, object="law")
    whole = codes.path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for cut in [1, 2, 3, *range(4, len(last), 6)]:
        codes.path.write_bytes(whole[:-cut])
        again = opened(tmp_path, 5)
        is_whole = cut == 1  # only the line end is missing
        assert again.n_coded == (2 if is_whole else 1)
        torn = [] if is_whole else [(3, last[:-cut].decode())]
        assert again.torn == torn
        again.decide(tone="good", object="firm")
        assert opened(tmp_path, 5).torn == torn
        assert again._shown()["torn"].startswith("Line 3 was cut short" if torn else "")
        assert codes.path.read_bytes().startswith(whole[:-cut] + b"\n")  # what was there is there
        assert again.table()["object"].tolist() == ["law", *["law"] * is_whole, "firm"]


def test_a_full_disk_is_an_error_and_the_decision_can_be_made_again(tmp_path, monkeypatch):
    codes = opened(tmp_path, 3)
    codes.press("g")
    write = os.write
    monkeypatch.setattr("analysis._journal.os.write", lambda file, data: write(file, data[:30]))
    with pytest.raises(OSError, match=r"only 30 of \d+ bytes were written; is the disk full"):
        codes.press("l")
    monkeypatch.undo()
    assert codes.n_coded == 0
    assert codes.press("l") == "Saved: good, law. 1 of 3 coded."
    assert [number for number, _ in codes.torn] == [2]


KILLS = """
    import os, random, signal, sys, time
    import pandas as pd
    from analysis import hand_code

    folder, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    book = {"tone": ["good", "bad"]}
    table = pd.DataFrame({"text": [f"Invented sentence {i}." for i in range(400)]})

    def code(path, pipe, own):
        codes = hand_code(table, coder="ana", path=path, codebook=book)
        while codes._at is not None:
            unit, tone = codes._at, own.choice(["good", "bad"])
            if own.random() < 0.1 and codes._own:
                unit, tone = codes._decisions.unit[codes._own[-1]], "none"
                codes.undo()
            else:
                codes.decide(tone=tone)
            os.write(pipe, f"{unit} {tone}\\n".encode())  # only now has the call returned

    told = torn = 0
    for kill in range(kills):
        if kill % 50 == 0:  # a new file now and then, so that opening one stays quick
            path, said = f"{folder}/{kill}.jsonl", {}
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            code(path, write, random.Random(seed + kill))
            os._exit(0)
        os.close(write)
        heard = os.read(read, 1 << 16) if rng.random() < 0.7 else b""  # the others are killed while they open the file
        time.sleep(rng.random() * 0.02)
        os.kill(child, signal.SIGKILL)
        while more := os.read(read, 1 << 16):
            heard += more
        os.close(read)
        os.waitpid(child, 0)
        for line in heard.decode().splitlines():
            unit, tone = line.split()
            said[int(unit)] = tone
            told += 1
        codes = hand_code(table, coder="ana", path=path, codebook=book)
        have = {i: (codes._decisions.codes(i) or {"tone": "none"})["tone"] for i in range(len(table))}
        differ = [i for i, tone in have.items() if said.get(i, "none") != tone]
        assert len(differ) <= 1, (kill, differ)  # one may be on disk whose call was killed before it returned
        assert max(map(len, codes._decisions.stands)) <= 1, kill
        said |= {i: have[i] for i in differ}
        torn += len(codes.torn)
    print(told, torn)
"""


def killed(folder, kills, seed=0):
    """Kill a coder `kills` times while it codes; return how many decisions it was told are saved, and lines torn."""
    script = ["-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(KILLS), folder, kills, seed]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *map(str, script)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return tuple(map(int, done.stdout.split()))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_no_kill_loses_or_tears_a_decision_that_was_said_to_be_saved(tmp_path):
    told, torn = killed(tmp_path, 200)  # benchmarks/handcode.py does it 1,000 times
    assert told > 200
    assert torn == 0


# Two windows


def test_a_sentence_coded_in_one_window_is_not_coded_in_the_other(tmp_path):
    one, two = opened(tmp_path, 3), opened(tmp_path, 3)
    one.decide(tone="good", object="law")
    two.press("b")
    assert two.press("f") == "Not saved: coded in another window already (good, law)."
    assert two._words()["number"] == 2
    assert two.skip() == "Set aside; it comes again at the end."
    assert one.decide(tone="bad", object="law") == "Saved: bad, law. 2 of 3 coded."  # set aside there, coded here
    assert one.table()["tone"].tolist() == two.table()["tone"].tolist() == ["good", "bad"]
    assert [record["kind"] for record in lines(one.path)] == ["head", "code", "skip", "code"]


def test_undo_takes_back_what_was_decided_in_the_same_window(tmp_path):
    opened(tmp_path, 4).decide(tone="good", object="law")
    one, two = opened(tmp_path, 4), opened(tmp_path, 4)
    one.decide(tone="bad", object="firm")
    assert two.undo() == "Taken back: good, law."  # from before both were opened
    assert one.undo() == "Taken back: bad, firm."
    assert one.undo() == "Tone: taken back."
    assert one.undo() == "The last decision of this window has been taken back in another window already."
    assert [record["kind"] for record in lines(one.path)] == ["head", "code", "code", "undo", "undo"]


def test_a_window_moves_on_when_it_is_looked_at_again(tmp_path):
    one, two = opened(tmp_path, 3), opened(tmp_path, 3)
    one.decide(tone="good", object="law")
    two._answer({"turn": 1})
    assert two._shown()["say"] == "Coded in another window; this is the next."
    assert two._words()["number"] == 2
    one.decide(tone="good", object="law"), one.decide(tone="good", object="law")
    two._look()
    assert two._words() == {}
    one.undo()
    two._look()
    assert two._words()["number"] == 3


RACE = """
    import sys
    import pandas as pd
    from analysis import hand_code
    table = pd.DataFrame({"text": [f"Invented sentence {i}." for i in range(80)]})
    codes = hand_code(table, coder="ana", path=sys.argv[1], codebook={"tone": ["good", "bad"]})
    saved = 0
    while codes._at is not None:
        saved += codes.decide(tone=sys.argv[2]).startswith("Saved")
    print(saved)
"""


@pytest.mark.slow
def test_two_processes_code_every_sentence_once(tmp_path):
    path = tmp_path / "ana.jsonl"
    script = [sys.executable, "-c", textwrap.dedent(RACE), str(path)]
    running = [subprocess.Popen([*script, tone], stdout=subprocess.PIPE, text=True) for tone in ("good", "bad")]
    saved = [int(process.communicate()[0]) for process in running]
    coded = [record["unit"][0] for record in lines(path) if record["kind"] == "code"]
    assert sorted(coded) == list(range(80))
    assert sum(saved) == 80


def test_a_window_that_keeps_the_file_is_named(tmp_path, monkeypatch):
    codes = opened(tmp_path, 3)
    monkeypatch.setattr("analysis._journal._PATIENCE", 0.05)
    with Journal(codes.path).turn(), pytest.raises(TimeoutError, match="another window has held the file"):
        codes.decide(tone="good", object="law")
    assert codes.decide(tone="good", object="law").startswith("Saved")


# What the screen shows


def test_blind_to_every_other_column(tmp_path):
    hidden = dict.fromkeys(("stance", "frame", "coder", "evidence", "speaker", "outlet", "note"), "CANARY")
    sample = invented(3).assign(**hidden, p_favour=0.123456, probability=0.5, is_drawn=True)
    codes = hand_code(sample, coder="ana", path=tmp_path / "ana.jsonl")
    state = json.dumps(codes._screen.get_state())
    assert "Invented sentence 0" in state
    for keys in codes.keys.values():
        codes._answer({"turn": 1, "key": next(iter(keys.values()))})
        state += json.dumps(codes._screen.get_state())
    state += codes.path.read_text(encoding="ascii") + codes.table().to_csv() + repr(codes)
    assert codes.n_coded == 1
    assert not any(word in state for word in ("CANARY", "0.123456", "probability", "is_drawn"))


def test_the_file_holds_no_text(tmp_path):
    codes = opened(tmp_path, 3)
    codes.decide(tone="good", object="law")
    assert "Invented" not in codes.path.read_text(encoding="ascii")


def test_only_drawn_rows_are_coded_with_the_sentence_before(tmp_path):
    sample = invented(4).assign(is_drawn=[False, True, False, True])
    codes = hand_code(sample, coder="ana", path=tmp_path / "ana.jsonl", codebook=BOOK)
    assert codes._words() == {
        "number": 1, "before": "Invented context 1. ", "text": "Invented sentence 1 on locked chats.", "after": ""
    }  # fmt: skip
    codes.decide(tone="good", object="law")
    assert codes._words()["before"] == ""  # the fourth has none
    assert codes.table().index.tolist() == [1]


def test_words_of_statements_come_from_the_articles(tmp_path):
    text = "The plan is bold. “It is sound,” she said, and he disagreed. It ends."
    articles = pd.DataFrame({"title": ["Plan wins, and loses"], "text": [text]}, index=["a1"])
    sample = pd.DataFrame({"article_id": "a1", "n": [1, 2, 3], "position": ["headline", "lead", "lead"]})
    sample["start"] = [0, text.index("“"), text.index("It ends")]
    sample["end"] = [9, text.index(", and"), len(text)]
    codes = hand_code(sample, coder="ana", path=tmp_path / "ana.jsonl", codebook=BOOK, articles=articles)
    assert [(one.before, one.text, one.after) for one in codes._units] == [
        ("", "Plan wins", ", and loses"),
        ("The plan is bold. ", "“It is sound,” she said", ", and he disagreed."),
        ("“It is sound,” she said, and he disagreed. ", "It ends.", ""),
    ]
    for wrong, words in [
        (sample.assign(article_id="a2"), "article_id 'a2' of the sample is not in the index"),
        (sample.assign(end=999), "no characters 0 to 999 in the title of 'a1'"),
        (sample.assign(start=pd.NA), "no characters <NA> to 9"),
    ]:
        with pytest.raises(ValueError, match=words):
            hand_code(wrong, coder="ana", path=tmp_path / "b.jsonl", codebook=BOOK, articles=articles)
    with pytest.raises(ValueError, match="articles has an article twice"):
        hand_code(sample, coder="ana", path=tmp_path / "b.jsonl", codebook=BOOK, articles=pd.concat([articles] * 2))


def test_what_is_invisible_or_half_a_character_is_spelt_out(tmp_path):
    text = pd.Series(["half \ud83d, turned \u202egnp.exe, <b onclick=x>", "two"], dtype=object)
    sample = pd.DataFrame({"text": text, "unit": pd.Series(["u\ud800", "v"], dtype=object)})
    codes = hand_code(sample, coder="ana", path=tmp_path / "ana.jsonl", codebook=BOOK)
    assert codes._words()["text"] == "half ‹U+D83D›, turned ‹U+202E›gnp.exe, <b onclick=x>"
    json.dumps(codes._screen.get_state(), ensure_ascii=False).encode("utf-8")
    codes.decide(tone="good", object="law")
    again = hand_code(sample, coder="ana", path=tmp_path / "ana.jsonl", codebook=BOOK)
    assert again.n_coded == 1


def test_a_key_meant_for_the_sentence_before_is_not_used(tmp_path):
    codes = opened(tmp_path, 3)
    codes._answer({"turn": 1, "key": "g"})
    codes._answer({"turn": 1, "key": "l"})
    codes._answer({"turn": 1, "key": "l"})  # pressed twice
    assert codes._screen.shown["say"] == "That key came before this sentence was shown, and was not used."
    assert codes._screen.shown["progress"] == "1 of 3 coded"
    assert codes._screen.shown["variables"] == [
        {"title": "Tone", "value": "", "is_active": True}, {"title": "Object", "value": "", "is_active": False}
    ]  # fmt: skip


def test_the_screen_answers_every_key_and_says_what_failed(tmp_path, monkeypatch):
    codes = opened(tmp_path, 3)
    codes._answer({"turn": 1, "key": "z"})
    codes._answer({"turn": 1, "key": "z"})
    assert codes._screen.shown["failed"].startswith("key 'z' stands for no value of tone")
    assert codes._screen.shown["answer"] == 2
    codes._answer({"turn": 1, "note": "why?"})
    assert (codes._screen.shown["failed"], codes._screen.shown["note"]) == ("", "why?")
    codes.press("g")
    codes.path.unlink()
    codes._answer({"turn": 1, "key": "l"})
    assert "No such file" in codes._screen.shown["failed"]
    assert codes._screen.unit["number"] == 1


def test_shown_in_a_cell_with_words_for_where_no_widget_runs(tmp_path):
    codes = opened(tmp_path, 3)
    data, _ = codes._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == codes._screen.model_id
    assert data["text/plain"] == "HandCoding(coder='ana', path='ana.jsonl'): 0 of 3 coded"
    assert "<bdi>ana</bdi></b>: 0 of 3 coded." in data["text/html"]
    assert "Invented" not in data["text/html"]


# Agreement and correction


def coded(tmp_path, name, tones, **settings):
    codes = opened(tmp_path, len(tones), name, **settings)
    for tone in tones:
        codes.decide(tone=tone, object="law")
    return codes


def test_agreement_only_when_both_are_done(tmp_path):
    tones = ["good", "good", "bad", "bad"]
    one = opened(tmp_path, 4, "ana", other=tmp_path / "ben.jsonl")
    assert one._shown()["verdict"] == ""
    for tone in tones[:3]:
        one.decide(tone=tone, object="law")
    with pytest.raises(ValueError, match="'ana' has 1 of 4 units to code; .* neither is swayed"):
        one.agreement()
    one.decide(tone="bad", object="firm")
    assert "ben.jsonl" in one._shown()["verdict"]  # there is no such file yet
    two = coded(tmp_path, "ben", [*tones[:3], "good"])
    two.undo()
    with pytest.raises(ValueError, match="'ben' has 1 of 4 units to code"):
        one.agreement()
    assert one._shown()["verdict"].startswith("'ben' has 1 of 4 units to code")
    two.decide(tone="good", object="firm")
    found = one.agreement()
    assert found["variable"].tolist() == ["tone", "object"]
    assert found["alpha"].round(3).tolist() == [0.533, 1.0]  # by pencil: tests/test_validity.py
    assert [row["alpha"] for row in one._shown()["verdicts"]] == ["0.533", "1.000"]
    pd.testing.assert_frame_equal(two.agreement(one.path), found)
    with pytest.raises(ValueError, match="holds the codes of 'ana', too"):
        one.agreement(one.path)
    with pytest.raises(ValueError, match="other=None: name the second coder's file"):
        two.agreement()
    coded(tmp_path, "eve", tones, codebook=BOOK | {"version": "3"})
    with pytest.raises(ValueError, match="another codebook"):
        one.agreement(tmp_path / "eve.jsonl")


def test_the_other_coders_file_is_not_opened_before(tmp_path, monkeypatch):
    two = coded(tmp_path, "ben", ["good", "good"])
    opens = []
    path_open = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *a, **k: opens.append(path.name) or path_open(path, *a, **k))
    one = coded(tmp_path, "ana", ["good"] * 2, other=two.path)
    one._shown()
    assert opens.index("ben.jsonl") == len(opens) - 2  # its head and its records, when all else was done


def test_codes_are_a_table_as_the_data_have_it(tmp_path):
    sample = invented(3).assign(copy_group="g1", outlet="x").set_index(pd.Index([7, 5, 9], name="row"))
    names = ["stance", "frame_second", "confidence"]
    codes = hand_code(sample, coder="ana", path=tmp_path / "ana.jsonl", variables=names)
    codes.decide(stance="against", frame_second="none", confidence="3")
    codes.decide(stance="favour", frame_second="balance", confidence="1")
    table = codes.table()
    assert table.columns.tolist() == ["article_id", "n", "copy_group", "coder", *names, "note", "seconds"]
    assert table.index.equals(sample.index[:2])
    assert table["stance"].cat.categories.tolist() == analysis.codebook.values("stance")
    assert table["stance"].cat.ordered
    assert table["confidence"].tolist() == [3, 1]
    assert table["confidence"].dtype == "Int64"
    table.loc[7, "stance"] = "favour"
    assert codes.table().loc[7, "stance"] == "against"
    assert sample.columns.tolist() == [*invented(3).columns, "copy_group", "outlet"]  # not changed


def test_from_a_sample_to_corrected_shares(tmp_path):
    # 300 invented statements: the machine errs in a fifth of them, always calling a statement against one in favour
    rng = np.random.default_rng(5)
    truth = pd.Series(rng.choice(["favour", "against"], 300, p=[0.4, 0.6]))
    wrong = (truth == "against") & (rng.random(300) < 1 / 3)
    data = pd.DataFrame(
        {"article_id": np.arange(300) // 2, "n": np.arange(300) % 2, "stance": truth.mask(wrong, "favour")}
    )
    data["text"] = [f"Invented statement {i}." for i in range(300)]
    drawn = analysis.sample(data, n=120, by="stance", seed=1)
    coders = {}
    for coder in ("ana", "ben"):
        codes = coders[coder] = hand_code(
            drawn, coder=coder, path=tmp_path / f"{coder}.jsonl", variables=["stance"], other=tmp_path / "ben.jsonl"
        )
        for place, label in enumerate(drawn.index[drawn["is_drawn"]]):
            slips = coder == "ben" and place % 12 == 0
            value = {"favour": "against", "against": "favour"}[truth[label]] if slips else truth[label]
            codes.press(codes.keys["stance"][value])
    found = coders["ana"].agreement()
    assert found.loc[0, ["n", "coders"]].tolist() == [120, 2]
    assert found.loc[0, "agreement"] == pytest.approx(110 / 120)
    both = pd.concat([codes.table() for codes in coders.values()])
    pd.testing.assert_frame_equal(agreement(both, unit=["article_id", "n"], value=["stance"]), found)
    corrected = corrected_shares(
        drawn.assign(truth=coders["ana"].table()["stance"]), "stance", truth="truth", cluster="article_id"
    ).set_index("stance")
    right = (truth == "against").mean()
    assert corrected.loc["against", "raw"] < right - 0.1
    assert corrected.loc["against", "low"] < right < corrected.loc["against", "high"]
    assert corrected.loc["against", "n_truth"] == 120
