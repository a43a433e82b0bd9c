"""What holds for the log of every harness, whoever wrote it: small logs, whole and damaged."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs, inspect_log
from muscle_metrics.cli import main
from muscle_metrics.comparison.listed import texts_of
from muscle_metrics.errors import FileError, InputError, MuscleMetricsError
from muscle_metrics.runs.choice import Choice
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.harnesses import HARNESSES, recognise_harness
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Run
from tests.runs.readers.log_writers import LOGS, NEW, OLD, QUESTIONS, encode, helm, promptfoo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

every_log = pytest.mark.parametrize("log", LOGS)
every_json_log = pytest.mark.parametrize("log", [log for log in LOGS if log != "lighteval"])


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def only_file(folder: Path) -> Path:
    return min(folder.iterdir())


def read_or_refuse(log: str, folder: Path) -> Run | MuscleMetricsError:
    """Run in a folder, or the error of ours that says why there is none."""
    try:
        return read_run(folder, format=log.partition(" ")[0])
    except MuscleMetricsError as error:
        return error


@every_log
def test_two_runs_give_the_right_table_without_flags(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (
        write(tmp_path / name, LOGS[log](answers)) for name, answers in (("a", OLD), ("b", NEW))
    )
    target = tmp_path / "result.json"
    assert main(["compare", str(old), str(new), "--json", str(target)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "no clear change of accuracy (50.00% to 50.00%" in printed.out
    assert "1 item broke, 1 got fixed" in printed.out
    counts = json.loads(target.read_text(encoding="utf-8"))["counts"]
    expected = {"both_right": 1, "negative": 1, "positive": 1, "both_wrong": 1}
    assert {name: counts[name] for name in expected} == expected


# Judgments hold neither the answer nor a reference.
@pytest.mark.parametrize("log", [log for log in LOGS if log != "mt-bench"])
def test_everything_of_an_item_is_read(log: str, tmp_path: Path) -> None:
    run = read_run(write(tmp_path / "a", LOGS[log](OLD)))
    assert run.fingerprint["harness"] == log.partition(" ")[0]
    # MMLU-Pro mends texts of questions, which its ids outlast.
    asked = [record.id if log == "mmlu-pro" else record.prompt or "" for record in run]
    if log == "mlflow traces":
        asked = [json.loads(prompt)["q"] for prompt in asked]
    assert [record.reference for record in run] == [QUESTIONS[question] for question in asked]
    for record in run:
        assert list(record.scores.values()) == [record.prediction == record.reference]
        assert isinstance(record.prediction, str)
    assert len({record.id for record in run}) == 4


# A path at which each log holds the question.
FIELDS = {
    "lighteval": "doc.query",
    "helm": "instance.id",
    "promptfoo": "vars.q",
    "promptfoo lines": "vars.q",
    "deepeval": "input",
    "openai-evals": "sampling.prompt",
    "mlflow": "inputs",
    "mlflow traces": "request.q",
    "deepeval results": "input",
    "nemo-evaluator": "prompt",
    "nemo-gym": "question",
    "mmlu-pro": "question_id",
    "zeroeval": "id",
    "mt-bench": "question_id",
}
# Logs whose prompts are not compared.
WITHOUT_PROMPTS = {"mmlu-pro", "mt-bench"}


@every_log
@pytest.mark.parametrize("label", ["slice", "group", "prompt"])
def test_a_field_of_the_rows_gives_labels(log: str, label: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", LOGS[log](OLD))
    plain = read_run(folder)
    options: dict[str, Any] = {f"{label}_field": FIELDS[log]}
    run = read_run(folder, **options)
    assert {getattr(record, label) for record in run} == set(QUESTIONS)
    of_record = {"mlflow traces": '{"q":"%s"}'}.get(log, "%s")
    for record, before in zip(run, plain, strict=True):
        asked = None if log in WITHOUT_PROMPTS else of_record % getattr(record, label)
        assert before.prompt == asked
        assert record.scores == before.scores


@every_log
def test_a_field_that_no_row_has_is_refused(log: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", LOGS[log](OLD))
    with pytest.raises(FileError, match=r"expected the field 'x\.q' in rows .* none in 4 rows"):
        read_run(folder, slice_field="x.q")


@every_log
def test_a_reader_says_what_its_logs_hold(log: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", LOGS[log](OLD))
    recognised = recognise_harness(Glimpse(folder))
    assert recognised is not None
    about = recognised.harness.about
    held = {"answers": "prediction", "references": "reference", "scores": "scores"}
    held |= {"prompts": "prompt"}
    run = read_run(folder)
    found = {name for name, part in held.items() if any(getattr(r, part) for r in run)}
    assert found == about.gives - {"repeats"}
    # Fields are listed beside the one that is its example; deepeval holds any a user gives.
    parent = about.fields.rpartition(".")[0]
    listed = [field.name for field in inspect_log(folder).fields]
    assert listed == sorted(listed)
    assert listed or log.startswith("deepeval")
    assert all(name.startswith(parent) for name in listed)


def test_texts_of_logs_in_other_formats(tmp_path: Path) -> None:
    """The response before the answer was taken from it, of the item that is listed."""
    for name, answers in (("a", OLD), ("b", NEW)):
        files = helm(answers)
        state = json.loads(files["scenario_state.json"])
        for request in state["request_states"]:
            request["instance"]["input"] = {"text": f"Q {request['instance']['id']}"}
            request["request"]["prompt"] = "0+0=0 Q"
            request["output_mapping"] = {"A": request["result"]["completions"][0]["text"]}
            request["result"]["completions"][0]["text"] = " A"
        write(tmp_path / name, {**files, "scenario_state.json": encode(state)})
    comparison = compare_runs(tmp_path / "a", tmp_path / "b")
    items = list(comparison.flips("negative"))
    (texts,) = texts_of(comparison, items).items
    assert (items[0].id, items[0].old, items[0].new) == ("2+2", "4", "3")
    assert texts.described() == {
        "texts": {"question": "Q 2+2", "old_response": " A", "new_response": " A"}
    }


@every_log
def test_a_folder_is_as_good_as_a_file(log: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", LOGS[log](OLD))
    whole, alone = (recognise_harness(Glimpse(path)) for path in (folder, only_file(folder)))
    assert whole is not None
    assert alone is not None
    assert whole.harness == alone.harness
    assert read_run(folder).records == read_run(only_file(folder)).records
    named = read_run(folder, format=whole.harness.name)
    assert named.records == read_run(folder).records


@pytest.mark.parametrize("harness", [harness.name for harness in HARNESSES])
@pytest.mark.parametrize("content", [{}, {"заметки.txt": b"x", "b.json": b'{"a": 1}'}])
def test_a_folder_without_a_log_is_refused(
    harness: str, content: dict[str, bytes], tmp_path: Path
) -> None:
    folder = write(tmp_path / "a", content)
    # Folders named like logs, one of which holds itself.
    for name in ("2026-11-23T07-40-17+00-00_sums_x.eval", "x.json", "samples_x.jsonl"):
        (folder / name).symlink_to(".")
    with pytest.raises(InputError, match=r"expected .*, got .*: (name|evaluate|choose)") as refused:
        read_run(folder, format=harness)
    assert str(folder) in str(refused.value)


@every_log
def test_the_order_of_rows_means_nothing(log: str, tmp_path: Path) -> None:
    straight = read_run(write(tmp_path / "a", LOGS[log](OLD)))
    turned = read_run(write(tmp_path / "b", LOGS[log](dict(reversed(OLD.items())))))
    assert {record.id: record for record in straight} == {record.id: record for record in turned}


# Folders of these hold one log by its name.
@pytest.mark.parametrize("log", [log for log in LOGS if log not in {"helm", "nemo-evaluator"}])
def test_a_second_log_in_a_folder_is_not_guessed_about(log: str, tmp_path: Path) -> None:
    files = LOGS[log](OLD)
    folder = write(tmp_path / "a", files)
    name, content = next(iter(files.items()))
    if log == "lighteval":
        # Another model: of one model the newest details count.
        write(folder / "x", {})
        write(folder / "x" / "t", {name.replace("sums", "other"): content})
    else:
        write(folder, {f"second_{name}": content})
    with pytest.raises(FileError, match=r"expected .*one.*, got .*: .*name the"):
        read_run(folder)


@every_json_log
def test_gzip_changes_nothing(log: str, tmp_path: Path) -> None:
    files = LOGS[log](OLD)
    plain = read_run(write(tmp_path / "a", files))
    packed = read_run(
        write(tmp_path / "b", {name: gzip.compress(content) for name, content in files.items()})
    )
    assert packed.records == plain.records


@every_log
def test_cut_at_every_byte(log: str, tmp_path: Path) -> None:
    files = LOGS[log](OLD)
    of_rows = any(name.endswith(".jsonl") for name in files)
    questions = ["1+1", "2+2"] if of_rows else ["2+2"]
    files = LOGS[log]({question: OLD[question] for question in questions})
    whole = {record.id: record for record in read_run(write(tmp_path / "a", files))}
    for name, content in files.items():
        folder = write(tmp_path / name, files)
        shorter = 0
        # Parquet ends with its directory: sixty cuts there and every hundredth byte before.
        for end in range(len(content)):
            if log == "lighteval" and end % 100 and end < len(content) - 60:
                continue
            (folder / name).write_bytes(content[:end])
            run = read_or_refuse(log, folder)
            if isinstance(run, FileError):
                assert str(run).splitlines() == [str(run)]
                assert str(run).count(str(folder)) == 1
                continue
            assert isinstance(run, Run)
            shorter += 1
            # Whole lines may go missing: pairing by id, or the missing report, shows it.
            assert name.endswith(".jsonl")
            assert all(record == whole[record.id] or not record.scores for record in run)
            if log == "openai-evals" and len(run) == 2 and end < len(content) - 1:
                assert run.fingerprint["status"] == "no final report"
        assert bool(shorter) == name.endswith(".jsonl")


HOSTILE = {
    "a long integer": b"9" * 5000,
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "an enormous number": b"1e999",
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a duplicate key": b'{"a": 1, "a": 2}',
    "a lone surrogate": rb'"\ud800"',
    "an object": b'{"x": [1]}',
    "a list": b'[{"x": null}]',
    "null": b"null",
    "true": b"true",
    "text": b'"::error::\\u001b[2J\\u2028</script>"',
    "a huge object": b'{"' + b"k" * 100_000 + b'": 1}',
    "nothing": b"",
}


@every_json_log
@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_values_anywhere(log: str, payload: str, tmp_path: Path) -> None:
    files = LOGS[log](OLD)
    start = time.perf_counter()
    refused = 0
    for name, content in files.items():
        for text in values_of(content):
            changed = content.replace(text, HOSTILE[payload], 1)
            folder = write(tmp_path / "a", {**files, name: changed})
            run = read_or_refuse(log, folder)
            if not isinstance(run, Run):
                assert str(run).splitlines() == [str(run)]
                # An error names no place only if the log is whole and holds several models.
                assert str(run).count(str(folder)) == 1 or "--filter" in str(run)
                assert len(str(run)) < 1000
                assert "\x1b" not in str(run)
                refused += 1
                continue
            for record in run:
                assert all(abs(score) < float("inf") for score in record.scores.values())
                assert record.prediction is None or isinstance(record.prediction, str | float | int)
    # At any position, this makes the JSON invalid.
    if payload in {"a long integer", "deep nesting", "deep objects", "a duplicate key", "nothing"}:
        assert refused >= 5
    assert time.perf_counter() - start < 60


def values_of(content: bytes) -> list[bytes]:
    """Scalars of a log with what leads to them, each once: a change hits one place."""
    texts = set()
    for line in content.splitlines():
        document = json.loads(line)
        for value in leaves(document):
            texts.add(encode(value))
    return sorted(texts)


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


@every_json_log
def test_the_error_names_the_row(log: str, tmp_path: Path) -> None:
    files = LOGS[log](OLD)
    names = {"helm": "scenario_state.json", "nemo-evaluator": "results.jsonl"}
    name = names.get(log, next(iter(files)))
    thirds = {"helm": b'"completions": [{"text": "4"', "mmlu-pro": b'"pred": "4"'}
    third = thirds.get(log, b'"4"')
    changed = files[name].replace(third, b'"\\q"', 1)
    assert changed != files[name]
    folder = write(tmp_path / "a", {**files, name: changed})
    place = rf"{name}:\d: " if name.endswith(".jsonl") else rf"{name}, row [234]: "
    with pytest.raises(FileError, match=place):
        read_run(folder, format=log.partition(" ")[0])


def test_what_is_written_last_is_known_by_inspecting(tmp_path: Path) -> None:
    """A reader returns everything, whatever the choice: who narrows sees it all."""
    folder = write(tmp_path / "a", promptfoo(OLD))
    recognised = recognise_harness(Glimpse(folder))
    assert recognised is not None
    assert len(recognised.read(Glimpse(folder), Choice())) == 4
    assert str(recognised) == "promptfoo (it holds results of an evaluation)"
