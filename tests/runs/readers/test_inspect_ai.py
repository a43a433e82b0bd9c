"""inspect_ai: logs that its own command makes with a mock model, and every trap of them."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Policy, check_gate, compare_runs, inspect_log, read_run
from muscle_metrics.cli import main
from muscle_metrics.comparison.listed import texts_of
from muscle_metrics.errors import FileError, InputError, MuscleMetricsError, UsageError
from muscle_metrics.runs.files.archives import read_entries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Only the process that makes logs imports inspect_ai, which takes seconds.
pytestmark = pytest.mark.skipif(find_spec("inspect_ai") is None, reason="it makes the logs")

SCRIPT = '''
"""Make logs with the real harness and a model that says what it is told."""

import sys

from inspect_ai import Epochs, Task, eval, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Target, accuracy, choice, match, mean, scorer
from inspect_ai.solver import TaskState, multiple_choice


@scorer(metrics=[accuracy()])
def crashing():
    async def score(state: TaskState, target: Target) -> Score:
        if state.sample_id == 2:
            return None
        return Score(value="C" if state.sample_id == 1 else "P", answer="graded")

    return score


@scorer(metrics={"long": [mean()], "short": [mean()]})
def several():
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value={"long": 0.25, "short": float("nan")})

    return score


@scorer(metrics=[accuracy()])
def wordy():
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value="excellent")

    return score


@scorer(metrics=[accuracy()])
def affirming():
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=["yes", "No", "1"][state.sample_id - 1])

    return score


@task
def quiz(subject, shots=5):
    return Task(MemoryDataset(samples_of(None), name="tiny"), scorer=match())


def samples_of(ids):
    targets = ["4", "5", ["6", "six"]]
    return [
        Sample(input=f"Question {n}?", target=target, id=n + 1 if ids is None else ids[n])
        for n, target in enumerate(targets)
    ]


def evaluate(task, folder, answers, *, log_format="eval", **options):
    outputs = [ModelOutput.from_content("mockllm/model", answer) for answer in answers]
    for output in outputs:
        # Without usage the harness counts tokens, with a file from the network.
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return eval(
        task,
        model=get_model("mockllm/model", custom_outputs=outputs),
        log_dir=folder, log_format=log_format, display="none", max_samples=1, max_tasks=1,
        max_connections=1, **options,
    )


def run(folder, answers, scorers, *, ids=None, name="sums", **options):
    named = Task(MemoryDataset(samples_of(ids), name="tiny"), scorer=scorers, name=name)
    return evaluate(named, folder, answers, **options)


def choose(folder, letters):
    """Questions with two options each, the second as a message."""
    asked = ["Which city?", [ChatMessageUser(content="Какое море?")]]
    cities = [["Rome", "Paris"], ["Чёрное", "Белое"]]
    samples = [
        Sample(input=asked[n], choices=cities[n], target="B", id=n, metadata={"topic": f"t{n}"})
        for n in range(2)
    ]
    named = Task(
        MemoryDataset(samples), solver=multiple_choice(), scorer=choice(), name="choosing"
    )
    evaluate(named, folder, [f"I say so.\\n\\nANSWER: {letter}" for letter in letters])


root = sys.argv[1]
choose(f"{root}/old_choice", "BB")
choose(f"{root}/new_choice", "BA")
run(f"{root}/v1", ["4", "5", "7"], match())
run(f"{root}/v2", ["4", "0", "six"], match())
run(f"{root}/json", ["4", "5", "7"], match(), log_format="json")
run(f"{root}/epochs", ["4", "5", "6", "4", "0", "0"], match(), epochs=2)
run(f"{root}/best", ["4", "5", "6", "4", "0", "0"], match(), epochs=Epochs(2, "max"))
run(f"{root}/texts", ["4", "5", "6"], match(), ids=["a/b", "ü", "d e"])
run(f"{root}/two", ["4", "5", "6"], [match(), several()])
run(f"{root}/crashing", ["4", "5", "6"], crashing())
run(f"{root}/wordy", ["4", "5", "6"], [match(), wordy()])
run(f"{root}/limited", ["4", "5"], match(), limit=2)
run(f"{root}/failed", ["4"], match(), fail_on_error=True)
run(f"{root}/affirming", ["4", "5", "6"], affirming())
evaluate(quiz("bio"), f"{root}/old_quiz", ["4", "5", "7"])
evaluate(quiz("chem"), f"{root}/old_quiz", ["4", "5", "6"])
evaluate(quiz("bio"), f"{root}/new_quiz", ["4", "0", "6"])
evaluate(quiz("chem"), f"{root}/new_quiz", ["0", "0", "0"])
'''


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspect")
    (folder / "make.py").write_text(SCRIPT)
    environment = {**os.environ, "INSPECT_TELEMETRY": "", "HOME": str(folder)}
    subprocess.run(
        [sys.executable, "make.py", str(folder)],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder


def log_in(folder: Path) -> Path:
    (path,) = [p for p in folder.iterdir() if p.suffix in {".eval", ".json"}]
    return path


def edited(path: Path, target: Path, change: Callable[[Any], None]) -> Path:
    """A copy of a JSON log, changed."""
    content = json.loads(path.read_text())
    change(content)
    target.write_text(json.dumps(content))
    return target


def test_two_runs_give_the_counts_of_a_hand(logs):
    old, new = read_run(logs / "v1"), read_run(log_in(logs / "v2"))
    counts = compare_runs(old, new).counts
    # 4 stays right, 5 becomes 0, 7 becomes six.
    assert (counts.both_right, counts.negative, counts.positive, counts.both_wrong) == (1, 1, 1, 0)
    assert [record.id for record in old] == ["1", "2", "3"]
    assert [record.reference for record in old] == ["4", "5", ["6", "six"]]
    assert [record.prediction for record in old] == ["4", "5", "7"]
    assert old.fingerprint["dataset"] == "tiny"
    assert old.fingerprint["format"] == "inspect_ai (it holds logs)"
    assert check_gate(compare_runs(old, old), Policy(max_nfr="0.7")).reasons == ()


def test_the_command_line_needs_no_flags(logs, capsys):
    assert main(["compare", str(logs / "v1"), str(logs / "v2")]) == 0
    assert "1 item broke, 1 got fixed" in capsys.readouterr().out


def test_both_formats_read_alike(logs):
    archive, text = read_run(log_in(logs / "v1")), read_run(log_in(logs / "json"))
    assert archive.records == text.records
    assert text.fingerprint["format"].startswith("inspect_ai (it has version, status and eval")


def test_epochs_are_repeats(logs):
    run = read_run(logs / "epochs")
    assert sorted({(record.id, record.repeat) for record in run}) == [
        (str(n), str(epoch)) for n in (1, 2, 3) for epoch in (1, 2)
    ]
    assert compare_runs(run, run).table.is_repeated


def test_another_reducer_than_the_mean_is_said(logs):
    """The published number takes the best epoch of each item; here each epoch counts."""
    best, mean = read_run(logs / "best"), read_run(logs / "epochs")
    shown = str(compare_runs(mean, best))
    assert "note: run 'mockllm/model' was published by the reducer max of its epochs" in shown
    assert "reducer differs" not in shown
    assert "reducer" not in str(compare_runs(mean, mean))


def test_ids_may_be_any_text(logs):
    assert {record.id for record in read_run(logs / "texts")} == {"a/b", "ü", "d e"}


def test_scores_by_name_and_grades(logs):
    run = read_run(logs / "two")
    # NaN is no score.
    assert [dict(r.scores) for r in run] == [{"match": 1.0, "several.long": 0.25}] * 3
    with pytest.raises(UsageError, match=r"got 'match', 'several.long' in .*--metric"):
        compare_runs(run, run)


def test_a_crashed_scorer_leaves_a_missing_score(logs):
    run = read_run(logs / "crashing")
    assert [dict(record.scores) for record in run] == [{"crashing": 1.0}, {}, {"crashing": 0.5}]
    with pytest.raises(InputError, match=r"1 of 3 items without a score in old"):
        compare_runs(run, run)


def test_words_are_no_scores(logs):
    with pytest.raises(FileError, match=r"a grade C, P, I or N .*'excellent'.*--metric exact_"):
        read_run(logs / "wordy")
    run = read_run(logs / "wordy", metric="match")
    assert [dict(record.scores) for record in run] == [{"match": 1.0}] * 3


def test_yes_and_no_are_scores(logs):
    # Scores "yes", "No" and "1": inspect_ai 0.3.285 publishes an accuracy of 2/3.
    run = read_run(logs / "affirming")
    assert [record.scores["affirming"] for record in run] == [1.0, 0.0, 1.0]


VALUES = ["C", "I", "P", "N", "yes", "No", "TRUE", "false", "1", "0", "-0.25", "1e3", " 7 ", True]
VALUES += [3, 0.5]
NO_VALUES = ["c", "", "y", "excellent", "nan", "inf", "-Infinity", "1,5", ["C"], {}]


@pytest.mark.parametrize("value", [*VALUES, *NO_VALUES])
def test_scores_are_those_of_value_to_float(logs, tmp_path, value):
    from inspect_ai.scorer import value_to_float

    def change(log: Any) -> None:
        log["samples"][1]["scores"]["match"]["value"] = value

    path = edited(log_in(logs / "json"), tmp_path / "changed.json", change)
    if value in VALUES:
        assert read_run(path).records[1].scores["match"] == value_to_float()(value)
    elif value == {}:
        assert dict(read_run(path).records[1].scores) == {}
    else:
        # There it is 0 with a warning.
        with pytest.raises(FileError, match=r"expected a number, yes, no, .* 'match of sample 2'"):
            read_run(path)


def test_listed_items_have_question_response_and_options(logs):
    comparison = compare_runs(
        logs / "old_choice", logs / "new_choice", slice_field="metadata.topic"
    )
    (item,) = comparison.flips("negative")
    (texts,) = texts_of(comparison, [item]).items
    assert (item.id, item.slice, item.old, item.new) == ("1", "t1", "B", "A")
    assert texts.described()["texts"] == {
        "question": "Какое море?",
        "old_response": "I say so.\n\nANSWER: B",
        "new_response": "I say so.\n\nANSWER: A",
        "old_option": "Белое",
        "new_option": "Чёрное",
        "reference_option": "Белое",
    }
    assert [field.name for field in inspect_log(logs / "old_choice").fields] == ["metadata.topic"]


def test_arguments_of_one_task_make_tasks(logs):
    old, new = read_run(logs / "old_quiz"), read_run(logs / "new_quiz")
    assert {record.task for record in old} == {"quiz:subject=bio", "quiz:subject=chem"}
    assert old.fingerprint["task_args"] == "quiz shots=5,subject=bio, quiz shots=5,subject=chem"
    by_task = compare_runs(old, new).tasks
    bio, chem = by_task["quiz:subject=bio"], by_task["quiz:subject=chem"]
    assert (bio.both_right, bio.negative, bio.positive, bio.both_wrong) == (1, 1, 1, 0)
    assert (chem.both_right, chem.negative, chem.positive, chem.both_wrong) == (0, 3, 0, 0)
    assert len(read_run(logs / "old_quiz", task="quiz:subject=chem")) == 3
    with pytest.raises(UsageError, match=r"choose 'quiz:subject=bio', 'quiz:subject=chem'"):
        read_run(logs / "old_quiz", task="quiz")


def test_other_arguments_in_each_run_are_said(logs):
    bio, chem = (
        read_run(next(p for p in (logs / "old_quiz").iterdir() if subject in argument_of(p)))
        for subject in ("bio", "chem")
    )
    assert {record.task for record in [*bio, *chem]} == {"quiz"}
    verdict = check_gate(compare_runs(bio, chem), Policy(max_nfr="0.9"))
    assert verdict.outcome == "INVALID"
    assert "task_args differs" in " ".join(verdict.reasons)


def argument_of(path: Path) -> str:
    return read_run(path).fingerprint["task_args"]


def test_a_damaged_newer_log_is_not_replaced_by_an_older(logs, tmp_path):
    path = log_in(logs / "v1")
    (tmp_path / path.name).write_bytes(path.read_bytes())
    newer = tmp_path / path.name.replace("20", "21", 1)
    for content in (b"", path.read_bytes()[:99], b"{}"):
        newer.write_bytes(content)
        with pytest.raises(FileError, match=re.escape(newer.name)):
            read_run(tmp_path)


def test_a_partial_run_is_invalid_in_a_gate(logs):
    run = read_run(logs / "limited")
    assert run.fingerprint["partial"] == "sums 2 of 3 samples"
    verdict = check_gate(compare_runs(run, run), Policy(max_nfr="0.9"))
    assert verdict.outcome == "INVALID"
    assert "has partial: sums 2 of 3 samples" in verdict.reasons[0]


def test_a_failed_run_is_said_so(logs, tmp_path):
    def fail(log: Any) -> None:
        log["status"] = "error"
        log["samples"][0]["error"] = {"message": "m", "traceback": "t", "traceback_ansi": "t"}

    run = read_run(edited(log_in(logs / "json"), tmp_path / "failed.json", fail))
    assert run.fingerprint["status"] == "sums error"
    assert run.fingerprint["errors"] == "sums 1 of 3 samples"
    assert run.records[0].prediction is None
    assert "warning: run" in str(compare_runs(run, run))


def test_a_run_without_samples_is_refused(logs, tmp_path):
    path = edited(log_in(logs / "json"), tmp_path / "empty.json", lambda log: log.pop("samples"))
    with pytest.raises(FileError, match=r"expected a log with samples, got none"):
        read_run(path)


def test_a_log_that_the_harness_cannot_read_is_our_error(logs, tmp_path):
    path = edited(log_in(logs / "json"), tmp_path / "odd.json", lambda log: log["eval"].clear())
    path.write_text(path.read_text().replace('"eval": {}', '"eval": {"run_id": 7}'))
    with pytest.raises(FileError, match=r"that inspect_ai can read"):
        read_run(path)


def test_json_logs_cut_short(logs, tmp_path):
    content = log_in(logs / "json").read_bytes()
    path = tmp_path / "cut.json"
    # The end of the file byte by byte, the rest in steps.
    for length in [
        *range(0, len(content) - 300, 499),
        *range(len(content) - 300, len(content) - 1),
    ]:
        path.write_bytes(content[:length])
        with pytest.raises(MuscleMetricsError, match=re.escape(str(path))):
            read_run(path, format="inspect_ai")


def test_archives_of_the_harness_cut_short(logs, tmp_path):
    content = log_in(logs / "v1").read_bytes()
    path = tmp_path / "cut.eval"
    for length in [*range(0, len(content), 149), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(FileError, match=re.escape(str(path))):
            read_run(path, format="inspect_ai")


ANY = re.compile(r"[a-z/.]+")


def archive(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def refused(path: Path, reason: str) -> None:
    begin = time.process_time()
    with pytest.raises(FileError, match=reason):
        list(read_entries(path, ANY))
    assert time.process_time() - begin < 5


def test_archives_cut_short_at_any_byte(tmp_path):
    content = archive(tmp_path / "cut.eval", a=b"x" * 99, b=b"{}").read_bytes()
    for length in range(len(content)):
        (tmp_path / "cut.eval").write_bytes(content[:length])
        refused(
            tmp_path / "cut.eval", "expected a whole archive|expected an entry|expected one name"
        )


def test_a_bomb_is_refused(tmp_path):
    path = archive(tmp_path / "bomb.eval", **{f"{c}.json": bytes(60 << 20) for c in "abc"})
    assert path.stat().st_size < 1 << 20
    refused(path, "expected content of at most 200 times")


def test_an_entry_too_large_is_refused(tmp_path):
    path = archive(tmp_path / "large.eval", a=b"x")
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, place + 24, 300 << 20)
    path.write_bytes(content)
    refused(path, "entries of at most 268435456 bytes")


def test_forged_sizes_are_refused(tmp_path):
    for forged in (1, 10, 1000):
        path = archive(tmp_path / "forged.eval", a=b"x" * 100)
        content = bytearray(path.read_bytes())
        struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 24, forged)
        path.write_bytes(content)
        refused(path, "as it claims")


def test_a_forged_checksum_is_refused(tmp_path):
    path = archive(tmp_path / "forged.eval", a=b"x" * 100)
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 16, 7)
    path.write_bytes(content)
    refused(path, "content as it claims, got another")


def test_overlapping_entries_are_refused(tmp_path):
    path = archive(tmp_path / "overlap.eval", a=b"x" * 100, b=b"y" * 100)
    content = bytearray(path.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    # Both directory entries point at the first; and the first reaches into the second.
    moved = bytearray(content)
    struct.pack_into("<L", moved, second + 42, 0)
    path.write_bytes(moved)
    refused(path, "one name per entry|overlaps another")
    struct.pack_into("<L", content, first + 20, 60)
    path.write_bytes(content)
    refused(path, "overlaps another")


def test_names_are_on_a_list(tmp_path):
    for name in ("../a", "/a", "a//b", "a/./b", "A.json", "a\\b"):
        path = archive(tmp_path / "names.eval", **{name: b"x"})
        refused(path, "entries of the log alone")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_twice_is_refused(tmp_path):
    path = tmp_path / "twice.eval"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", b"x")
        file.writestr("a", b"y")
    refused(path, "each entry once, got one twice")


def test_links_and_encrypted_entries_are_refused(tmp_path):
    path = tmp_path / "link.eval"
    with zipfile.ZipFile(path, "w") as file:
        link = zipfile.ZipInfo("a")
        link.external_attr = 0o120777 << 16
        file.writestr(link, b"/etc/passwd")
    refused(path, "a symbolic link")
    path = archive(tmp_path / "secret.eval", a=b"x")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refused(path, "an encrypted one")


def test_entries_must_be_strict_json(logs, tmp_path):
    source = log_in(logs / "v1")
    entries = dict(read_entries(source, re.compile(r".+", re.DOTALL)))
    name = next(name for name in entries if name.startswith("samples/"))
    hostile = {
        "each key once": entries[name].replace(b'"epoch":', b'"epoch":1,"epoch":', 1),
        "one too long to read": b'{"id": ' + b"9" * 5000 + b"}",
        "nested a few levels": b"[" * 100_000,
        "invalid JSON": entries[name][:-1],
    }
    for reason, content in hostile.items():
        path = archive(tmp_path / "hostile.eval", **{**entries, name: content})
        with pytest.raises(FileError, match=rf"{reason}.*\(in {re.escape(repr(name))}\)"):
            read_run(path, format="inspect_ai")


def test_the_content_of_every_method_is_the_same(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    content = bytes(range(256)) * 999
    methods = {}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"{method}.eval"
        with zipfile.ZipFile(path, "w", method) as file:
            file.writestr("a", content)
        methods[method] = dict(read_entries(path, ANY))
    # Zstandard, which the standard library writes from 3.14 on: put in place of stored bytes.
    folded = zstandard.ZstdCompressor().compress(content)
    path = tmp_path / "93.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("a", folded)
    raw = bytearray(path.read_bytes())
    place = raw.index(b"PK\x01\x02")
    struct.pack_into("<H", raw, place + 10, 93)
    struct.pack_into("<L", raw, place + 16, zlib.crc32(content))
    struct.pack_into("<L", raw, place + 24, len(content))
    path.write_bytes(raw)
    methods[93] = dict(read_entries(path, ANY))
    assert set(map(str, methods)) == {"0", "8", "93"}
    assert all(entries == {"a": content} for entries in methods.values())
