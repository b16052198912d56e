"""Articles to coded statements: equal to the three measures, whatever the blocks, processes, kills and bad articles."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from analysis import code, codebook, coding, frames, read_articles, read_statements, stance, statements, write_articles
from analysis.__main__ import main
from analysis.coding import code_file
from analysis.encoder import heads
from analysis.statements import speaker_group

SAMPLE = Path("data/sample/articles.csv").resolve()
STORY = (
    "“Encryption keeps families safe,” said Jo Lee, the minister. The plan was published on Monday. "
    "Police warned that encrypted chats hide abuse, and Ann Roe, a cryptographer, said a backdoor would be found.\n\n"
    "It rained. It rained for days. It never stopped. The council of Upper Poppleton mowed its lawns."
)
OFF_TOPIC = "The council of Upper Poppleton mowed its lawns."


def table(*texts, title="New rules for encrypted messages", index=None):
    """Articles with these texts."""
    index = index or [f"a{i}" for i in range(len(texts))]
    frame = pd.DataFrame({"title": title, "text": texts}, index=pd.Index(index, name="article_id"))
    return frame.astype({"title": "str"})


def plain(coded):
    """What a file holds, with its cues as the lists that `code` gives."""
    return coded.assign(evidence=list(map(list, coded["evidence"])))


@pytest.fixture(scope="module")
def articles():
    return read_articles(SAMPLE).iloc[:5]


@pytest.fixture(scope="module")
def coded(articles):
    return code(articles)


# --- the table


def test_rows_are_those_of_statements_and_codes_those_of_stance_and_frames(articles, coded):
    found = statements(articles)
    assert len(found) > 30
    for name in found.columns.drop(["evidence", "speaker_group", "target"]):
        assert coded[name].tolist() == found[name].tolist() or coded[name].equals(found[name].astype(coded[name].dtype))
    starts = statements(articles, relevant=False).groupby(["article_id", "sentence"])["start"].min()
    said, before = [], []
    for row in found.itertuples():
        title, text = articles.loc[row.article_id, ["title", "text"]]
        is_title = row.position == "headline"
        said.append(title if is_title else text[row.start : row.end])
        before.append("" if is_title else text[starts[row.article_id, max(0, row.sentence - 1)] : row.start].strip())
    sides, stakes = (measure(pd.Series(said), context=pd.Series(before)) for measure in (stance, frames))
    pd.testing.assert_frame_equal(coded[["stance", "confidence"]], sides[["stance", "confidence"]])
    pd.testing.assert_frame_equal(coded[["frame", "frame_second"]], stakes[["frame", "frame_second"]])
    by_rule, by_encoder = found["speaker_group"], speaker_group(pd.Series(said), pd.Series(before))
    assert (by_rule == "unnamed").any()
    p = heads(pd.Series(said), context=pd.Series(before), names=["target"])["target"]
    assert coded["target"].tolist() == p[["e2ee", "child_safety_measures", "both"]].idxmax(axis=1).tolist()
    assert coded["speaker_group"].tolist() == by_rule.mask(by_rule == "unnamed", by_encoder).tolist()


def test_columns_and_values_are_the_codebooks(coded):
    wanted = ["article_id", "n", "sentence", "start", "end", "position", "speaker", "speaker_group", "attribution",
              "verb", "target", "stance", "frame", "frame_second", "confidence", "evidence"]  # fmt: skip
    assert coded.columns.drop("colour").tolist() == wanted
    for name in ("position", "speaker_group", "attribution", "target", "stance"):
        assert set(coded[name]) <= set(codebook.values(name)), name
    assert set(coded["frame"]) | set(coded["frame_second"].dropna()) <= set(codebook.values("frame"))
    assert coded["confidence"].between(1 / 3, 1).all()
    assert (coded.groupby("article_id")["n"].diff().dropna() == 1).all()


def test_context_is_what_goes_before_back_to_the_sentence_before(monkeypatch):
    read = {}

    def listening(text, *, context):
        read.update(zip(text, context, strict=True))
        return stance(text, context=context)

    monkeypatch.setattr(coding, "stance", listening)
    code(table(STORY))
    first, second = "“Encryption keeps families safe,” said Jo Lee, the minister.", "The plan was published on Monday."
    assert read["New rules for encrypted messages"] == ""
    assert read[first] == ""
    police = next(said for said in read if said.startswith("Police"))
    assert read[police] == second
    expert = next(said for said in read if said.startswith("Ann Roe"))
    assert read[expert].startswith(f"{second} Police warned that encrypted chats")


def test_evidence_points_into_the_article(articles, coded):
    rules = set()
    for row in coded.itertuples():
        text = articles.loc[row.article_id, "title" if row.position == "headline" else "text"]
        for start, end, cue, rule in (span.values() for span in row.evidence):
            rules.add(rule)
            if rule in ("stance", "frame"):
                assert text[start:end] == cue
                assert row.start <= start < end <= row.end
    assert {"stance", "frame"} < rules


def test_sentences_without_a_target_are_not_coded():
    assert set(code(table(STORY, OFF_TOPIC, None, title=None))["article_id"]) == {"a0"}
    coded = code(table(STORY))
    assert OFF_TOPIC not in [STORY[a:b] for a, b in zip(coded["start"], coded["end"], strict=True)]


def test_labels_survive_and_nothing_is_changed(coded, articles):
    before = articles.copy()
    twice = table(STORY, STORY.replace("Jo Lee", "Al Poe"), index=[7, 7])
    found = code(twice)
    assert found["article_id"].tolist() == [7] * len(found)
    assert found["speaker"].isin(["Jo Lee"]).sum() == found["speaker"].isin(["Al Poe"]).sum() == 1
    pd.testing.assert_frame_equal(articles, before)
    pd.testing.assert_frame_equal(code(articles), coded)


def test_no_articles(coded, articles):
    none = code(articles.iloc[:0])
    assert len(none) == 0
    assert none.dtypes.equals(coded.dtypes)
    assert none.attrs["failures"] == []


@pytest.mark.parametrize(
    ("given", "kws", "error", "message"),
    [
        ("text", {}, TypeError, "articles must be a pandas DataFrame, not str"),
        (pd.DataFrame({"title": ["a"], "body": ["b"]}), {}, ValueError, "no column 'text'"),
        (table("a"), {"workers": 0}, ValueError, "workers=0 must be a whole number of at least 1"),
    ],
)
def test_wrong_use(given, kws, error, message):
    with pytest.raises(error, match=message):
        code(given, **kws)


def test_blocks_change_nothing(articles, coded, monkeypatch):
    monkeypatch.setattr(coding, "_BLOCK", 2)
    monkeypatch.setattr(coding, "_AT_ONCE", 7)
    pd.testing.assert_frame_equal(code(articles), coded)


def test_a_bad_article_is_reported_and_skipped(monkeypatch):
    texts = [STORY, STORY, ["no", "text"], STORY, STORY]
    with pytest.warns(RuntimeWarning, match="1 of 5 articles could not be coded and were skipped, the first 'a2'"):
        found = code(table(*texts))
    assert found["article_id"].unique().tolist() == ["a0", "a1", "a3", "a4"]
    (failure,) = found.attrs["failures"]
    assert (failure["article_id"], failure["error"]) == ("a2", "TypeError")
    assert "text holds a list at index 'a2'" in failure["message"]
    assert len(pd.concat([found, found])) == 2 * len(found)  # what attrs holds must not get in pandas' way

    def brittle(articles):
        if (articles["text"] == "bad").any():
            raise ZeroDivisionError("by\nnought")
        return statements(articles)

    monkeypatch.setattr(coding, "statements", brittle)
    with pytest.warns(RuntimeWarning, match="2 of 4"):
        found = code(table("bad", STORY, STORY, "bad"))
    assert [(f["article_id"], f["message"]) for f in found.attrs["failures"]] == [
        ("a0", "by nought"),
        ("a3", "by nought"),
    ]
    pd.testing.assert_frame_equal(found, code(table(STORY, STORY, index=["a1", "a2"])))


# --- files


def written(folder, articles):
    """The same articles in every kind of file."""
    articles.to_parquet(folder / "a.parquet")
    whole = articles.reset_index()
    whole.to_csv(folder / "a.csv", index=False)
    whole.drop(columns="date").to_json(folder / "a.jsonl", orient="records", lines=True, force_ascii=False)


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl"])
def test_every_kind_of_file_gives_what_code_gives(name, articles, coded, tmp_path, monkeypatch):
    monkeypatch.setattr(coding, "_BLOCK", 2)
    written(tmp_path, articles)
    seen = []
    done = code_file(tmp_path / name, tmp_path / "out.parquet", report=lambda *counts: seen.append(counts))
    assert done == (5, len(coded), [])
    assert seen == [(0, 5), (2, 5), (4, 5), (5, 5)]
    pd.testing.assert_frame_equal(plain(pd.read_parquet(tmp_path / "out.parquet")), coded)
    assert {p.name for p in tmp_path.iterdir()} == {"a.parquet", "a.csv", "a.jsonl", "out.parquet"}


def test_a_folder_of_texts_and_csv_out(articles, tmp_path):
    (tmp_path / "texts").mkdir()
    for label, text in articles["text"].iloc[:3].items():
        (tmp_path / "texts" / f"{label}.txt").write_text(text, encoding="utf-8")
    code_file(tmp_path / "texts", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv", dtype={"sentence": "Int64", "article_id": "str"})
    cues = list(map(json.loads, found["evidence"]))
    wanted = code(read_articles(tmp_path / "texts"))
    assert cues == wanted["evidence"].tolist()
    pd.testing.assert_frame_equal(found.drop(columns="evidence"), wanted.drop(columns="evidence"))


def test_a_file_without_ids_or_titles_or_rows(tmp_path):
    (tmp_path / "a.csv").write_text(f'text,note\n"{STORY}",x\n,\n\n"{STORY}",y\n', encoding="utf-8")
    done = code_file(tmp_path / "a.csv", tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert done.articles == 3
    assert found["article_id"].unique().tolist() == ["1", "3"]
    (tmp_path / "a.csv").write_text("article_id,text\n", encoding="utf-8")
    assert code_file(tmp_path / "a.csv", tmp_path / "out.parquet") == (0, 0, [])
    assert pd.read_parquet(tmp_path / "out.parquet").dtypes.equals(found.dtypes)


def test_failures_are_listed_beside_the_output(tmp_path, capsys):
    rows = [{"article_id": "a", "text": STORY}, {"article_id": "b", "text": [1]}, {"article_id": "c", "text": "\ud800"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = tmp_path / "out.parquet"
    assert main(["code", str(tmp_path / "a.jsonl"), "--out", str(out)]) == 0
    listed = pd.read_csv(tmp_path / "out.parquet.failures.csv")
    assert (listed["article_id"].tolist(), listed["error"].tolist()) == (["b"], ["TypeError"])
    printed = capsys.readouterr()
    assert printed.out.endswith(f"of 3 articles are in {out}\n")
    assert printed.err == (
        f"analysis code: 1 articles could not be coded and were skipped; they are listed in {out}.failures.csv\n"
    )
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[1]), encoding="utf-8")
    assert main(["code", str(tmp_path / "a.jsonl"), "--out", str(out)]) == 1
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[0]), encoding="utf-8")
    assert main(["code", str(tmp_path / "a.jsonl"), "--out", str(out)]) == 0
    assert not (tmp_path / "out.parquet.failures.csv").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"article_id,text\na,x\na,y\n", "article 2, column article_id: 'a' stands a second time"),
        (b"article_id,text\n,x\n", "article 1, column article_id: is empty"),
        (b"article_id,body\na,x\n", "no column text or title; it has 'article_id' or 'body'"),
        (b"article_id,text\na,x,y\n", "row 2 has 3 cells, the header names 2"),
        (b"article_id,text\na,\xff\n", "not UTF-8"),
        (b'article_id,text\na,"x"y\n', "quote cells"),
        (b"", "no column text or title"),
    ],
)
def test_a_wrong_file_names_what_is_wrong(content, message, tmp_path, capsys):
    (tmp_path / "a.csv").write_bytes(content)
    assert main(["code", str(tmp_path / "a.csv"), "--out", str(tmp_path / "out.csv")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "a.csv" in error
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_wrong_json_and_parquet(tmp_path):
    for name, content, message in (
        ("a.jsonl", '{"text": "x"}\n{', "row 2 is not JSON"),
        ("a.jsonl", "[1]", "row 1 holds no object"),
        ("a.parquet", "x", "not a Parquet file"),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            code_file(tmp_path / name, tmp_path / "out.csv")


def test_wrong_paths(tmp_path, capsys):
    source = tmp_path / "a.csv"
    source.write_text("text\nx\n", encoding="utf-8")
    for given, out, message in (
        (tmp_path / "b.csv", "out.csv", "no such file or folder"),
        (source, "out.txt", "must end in '.parquet' or '.csv'"),
        (source, "none/out.csv", "make it first"),
        (source, "a.csv", "is the input"),
    ):
        assert main(["code", str(given), "--out", str(tmp_path / out)]) == 2
        assert message in capsys.readouterr().err
    assert source.read_text(encoding="utf-8") == "text\nx\n"


# --- restarts


def start(source, out, workers=1):
    """Code in another process, an article a part."""
    script = (
        "import sys\nfrom analysis import coding\nif __name__ == '__main__':\n    coding._BLOCK = 1\n"
        "    coding.code_file(*sys.argv[1:3], workers=int(sys.argv[3]))"
    )
    return subprocess.Popen([sys.executable, "-c", script, str(source), str(out), str(workers)])


def parts(out):
    """The finished parts, each with what changes when it is written anew."""
    found = Path(f"{out}.parts").glob("[0-9]*.parquet")
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def kill_after_a_part(process, out, wait=0.0):
    """Send SIGKILL once a new part is there."""
    before = len(parts(out))
    while process.poll() is None and len(parts(out)) <= before:
        time.sleep(0.005)
    time.sleep(wait)
    process.kill()
    return process.wait()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Bytes of a file of twenty short articles, and of the output of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    texts = [text[:300] for text in read_articles(SAMPLE)["text"].iloc[:20]]
    table(*texts).to_parquet(folder / "many.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "_BLOCK", 1)
        code_file(folder / "many.parquet", folder / "out.parquet")
    return (folder / "many.parquet").read_bytes(), (folder / "out.parquet").read_bytes()


@pytest.fixture
def many(whole, tmp_path, monkeypatch):
    """That file anew, an article a part, and the bytes of its output."""
    monkeypatch.setattr(coding, "_BLOCK", 1)
    (tmp_path / "many.parquet").write_bytes(whole[0])
    return tmp_path / "many.parquet", whole[1]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_kills_at_random_moments_lose_nothing_and_double_nothing(many, tmp_path):
    source, whole = many
    out, draw, kept, killed = tmp_path / "out.parquet", random.Random(4), {}, 0
    for _ in range(4):
        killed += kill_after_a_part(start(source, out), out, wait=draw.random() / 20) == -signal.SIGKILL
        if out.exists():
            break
        now = parts(out)
        assert kept.items() <= now.items()  # what was finished is not made again
        kept = now
    assert killed >= 2
    assert start(source, out).wait() == 0
    assert out.read_bytes() == whole
    assert {p.name for p in tmp_path.iterdir()} == {"many.parquet", "out.parquet"}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_two_processes_give_the_same_bytes_and_end_with_their_parent(many, tmp_path):
    source, whole = many
    out = tmp_path / "out.parquet"
    process = start(source, out, workers=2)
    while not parts(out):
        assert process.poll() is None
        time.sleep(0.005)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 2
    process.kill()
    process.wait()
    assert start(source, out, workers=2).wait() == 0
    assert out.read_bytes() == whole
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


# --- a cluster


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of one worker, in a process of its own."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50) as it:
        yield it


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_though_a_worker_dies(cluster, many, tmp_path, capsys):
    source, whole = many
    out, killed = tmp_path / "out.parquet", []

    def report(done, total):
        if done == 3:
            killed.append(cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGTERM)

    code_file(source, out, scheduler=cluster.scheduler_address, report=report)
    assert cluster.workers[0].pid not in killed
    assert out.read_bytes() == whole
    again = tmp_path / "again.parquet"
    assert (
        main(["code", str(source), "--out", str(again), "--engine", "dask", "--scheduler", cluster.scheduler_address])
        == 0
    )
    assert "of 20 articles" in capsys.readouterr().out
    assert again.read_bytes() == whole


@pytest.mark.slow
def test_a_cluster_with_other_weights_or_no_workers_or_that_is_not_there(cluster, many, tmp_path, monkeypatch, capsys):
    command = ["code", str(many[0]), "--out", str(tmp_path / "out.parquet"), "--engine", "dask", "--scheduler"]
    monkeypatch.setattr(coding, "__version__", "0.0")
    assert main([*command, cluster.scheduler_address]) == 2
    assert "install the same version there" in capsys.readouterr().err
    monkeypatch.setattr(coding, "_PATIENCE", 1)
    assert main([*command, "tcp://127.0.0.1:9"]) == 2
    assert "no Dask scheduler answers there" in capsys.readouterr().err
    assert main([*command, "here"]) == 2
    assert "as in tcp://127.0.0.1:8786" in capsys.readouterr().err
    assert main(command[:-1]) == 2
    assert "go together" in capsys.readouterr().err
    cluster.scale(0)
    cluster.sync(cluster._correct_state)
    assert main([*command, cluster.scheduler_address]) == 2
    assert "has no workers" in capsys.readouterr().err
    monkeypatch.setattr(coding, "find_spec", lambda name: None)
    assert main([*command, cluster.scheduler_address]) == 1
    assert "pip install distributed" in capsys.readouterr().err
    assert not (tmp_path / "out.parquet").exists()


# --- the end of a run


def test_a_run_cut_off_at_its_very_end_goes_on(many, tmp_path, monkeypatch):
    source, whole = many
    out = tmp_path / "out.parquet"
    with monkeypatch.context() as patch:
        patch.setattr(coding, "_clear", lambda folder: 1 / 0 if out.exists() else None)
        with pytest.raises(ZeroDivisionError):
            code_file(source, out)
    before = parts(out)
    assert out.read_bytes() == whole
    assert len(before) == 20
    monkeypatch.setattr(
        coding, "_block", lambda articles: 1 / 0 if len(articles) else code(articles)
    )  # nothing is coded
    assert code_file(source, out).failures == []
    assert out.read_bytes() == whole
    assert not parts(out)


def test_parts_without_their_manifest_are_not_used(many, tmp_path):
    source, whole = many
    folder = tmp_path / "out.parquet.parts"
    folder.mkdir()
    (folder / "000003.parquet").write_bytes(b"torn")
    (folder / ".000004.parquet.1.new").write_bytes(b"torn")
    code_file(source, tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").read_bytes() == whole
    assert not folder.exists()


def test_parts_of_another_input_or_version_are_refused(many, tmp_path, monkeypatch, capsys):
    source, _ = many
    out = tmp_path / "out.parquet"
    monkeypatch.setattr(coding, "_finish", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        code_file(source, out)
    with monkeypatch.context() as patch:
        patch.setattr(coding, "__version__", "99")
        with pytest.raises(ValueError, match="made from another package; remove the folder to start anew"):
            code_file(source, out)
    table(STORY).to_parquet(source)
    before = parts(out)
    assert main(["code", str(source), "--out", str(out)]) == 2
    assert "made from another input" in capsys.readouterr().err
    assert parts(out) == before


def test_the_bar_is_drawn_only_on_a_terminal(tmp_path):
    (tmp_path / "a.csv").write_text(f'text\n"{STORY}"\n', encoding="utf-8")
    command = [sys.executable, "-m", "analysis", "code", str(tmp_path / "a.csv"), "--out", str(tmp_path / "out.csv")]
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    subprocess.run(command, stderr=theirs, stdout=subprocess.DEVNULL, check=True)
    os.close(theirs)
    assert b"[##############################] 1 of 1 articles" in os.read(ours, 10_000)
    os.close(ours)


def test_the_table_goes_to_parquet_and_back(tmp_path, coded):
    coded.to_parquet(tmp_path / "codes.parquet")
    pd.testing.assert_frame_equal(plain(pd.read_parquet(tmp_path / "codes.parquet")), coded)


def test_a_file_of_codes_reads_as_statements(tmp_path, articles):
    write_articles(articles, tmp_path / "articles.csv")
    for name in ("codes.parquet", "codes.csv"):
        code_file(tmp_path / "articles.csv", tmp_path / name)
        read = read_statements(tmp_path / name, articles=articles)
        assert len(read) > 0
        assert read["confidence"].between(0, 1).all()
