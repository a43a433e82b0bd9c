"""What holds for the log of every harness, whoever wrote it: small logs, whole and damaged."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, InputError, MuscleMetricsError
from muscle_metrics.runs.choice import Choice
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.harnesses import HARNESSES, recognise_harness
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Run

if TYPE_CHECKING:
    from pathlib import Path

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

Answers = Mapping[str, str]
Files = dict[str, bytes]

QUESTIONS = {"1+1": "2", "2+2": "4", "3+3": "6", "4+4": "8"}
# Counted by hand: both right 1+1, broken 2+2, fixed 3+3, both wrong and changed 4+4.
OLD = {"1+1": "2", "2+2": "4", "3+3": "5", "4+4": "9"}
NEW = {"4+4": "7", "3+3": "6", "2+2": "3", "1+1": "2"}
STAMP = "2026-11-23T07-40-17.215230"


def encode(value: object) -> bytes:
    return json.dumps(value).encode()


def encode_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(encode(row) + b"\n" for row in rows)


def lighteval(answers: Answers) -> Files:
    rows = [
        {
            "doc": {
                "id": question,
                "query": question,
                "choices": [QUESTIONS[question]],
                "gold_index": 0,
                "task_name": "sums|0",
            },
            "metric": {"em": int(answer == QUESTIONS[question])},
            "model_response": {"text": [answer], "logprobs": []},
        }
        for question, answer in answers.items()
    ]
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
    return {f"details_sums|0_{STAMP}.parquet": sink.getvalue()}


def helm(answers: Answers) -> Files:
    stats, requests = [], []
    for question, answer in answers.items():
        key = {"train_trial_index": 0}
        score = {"name": {"name": "exact_match"}, "mean": float(answer == QUESTIONS[question])}
        stats.append({"instance_id": question, **key, "stats": [score]})
        reference = {"output": {"text": QUESTIONS[question]}, "tags": ["correct"]}
        requests.append(
            {
                "instance": {"id": question, "references": [reference]},
                **key,
                "request": {"prompt": question},
                "result": {"success": True, "completions": [{"text": answer, "logprob": 0}]},
            }
        )
    adapter = {"model": "tiny", "method": "generation"}
    return {
        "per_instance_stats.json": encode(stats),
        "scenario_state.json": encode({"adapter_spec": adapter, "request_states": requests[::-1]}),
    }


def promptfoo_rows(answers: Answers) -> list[dict[str, Any]]:
    return [
        {
            "success": answer == QUESTIONS[question],
            "score": float(answer == QUESTIONS[question]),
            "failureReason": int(answer != QUESTIONS[question]),
            "gradingResult": {"pass": answer == QUESTIONS[question]},
            "namedScores": {},
            "prompt": {"raw": question, "label": "plain"},
            "promptId": "p",
            "provider": {"id": "echo", "label": ""},
            "response": {"output": answer},
            "testCase": {
                "vars": {"q": question},
                "assert": [{"type": "equals", "value": QUESTIONS[question]}],
            },
            "testIdx": number,
            "vars": {"q": question},
        }
        for number, (question, answer) in enumerate(answers.items())
    ]


def promptfoo(answers: Answers) -> Files:
    rows = promptfoo_rows(answers)
    right = sum(row["success"] for row in rows)
    stats = {"successes": right, "failures": len(rows) - right, "errors": 0}
    results = {"version": 3, "results": rows, "stats": stats}
    return {"out.json": encode({"evalId": "eval-1", "results": results})}


def promptfoo_lines(answers: Answers) -> Files:
    return {"out.jsonl": encode_lines(promptfoo_rows(answers))}


def deepeval(answers: Answers) -> Files:
    cases = [
        {
            "name": f"test_case_{number}",
            "input": question,
            "actualOutput": answer,
            "expectedOutput": QUESTIONS[question],
            "success": answer == QUESTIONS[question],
            "metricsData": [{"name": "EM", "score": float(answer == QUESTIONS[question])}],
        }
        for number, (question, answer) in enumerate(answers.items())
    ]
    return {"test_run_20261123_073352.json": encode({"testCases": cases, "testPassed": 1})}


def openai_evals(answers: Answers) -> Files:
    rows: list[dict[str, Any]] = [{"spec": {"completion_fns": ["tiny"], "eval_name": "sums.s1.v0"}}]
    for number, (question, answer) in enumerate(answers.items()):
        event = {"run_id": "r", "sample_id": f"sums.{question}"}
        asked = {"prompt": question, "sampled": answer}
        judged = {
            "correct": answer == QUESTIONS[question],
            "expected": QUESTIONS[question],
            "picked": answer if answer == QUESTIONS[question] else None,
            "sampled": answer,
        }
        rows += [
            {**event, "event_id": 2 * number, "type": "sampling", "data": asked},
            {**event, "event_id": 2 * number + 1, "type": "match", "data": judged},
        ]
    return {"events.jsonl": encode_lines([*rows, {"final_report": {"accuracy": 0.5}}])}


def mlflow(answers: Answers) -> Files:
    columns = ["inputs", "ground_truth", "predictions", "em/score"]
    data = [
        [question, QUESTIONS[question], answer, float(answer == QUESTIONS[question])]
        for question, answer in answers.items()
    ]
    return {"eval_results_table.json": encode({"columns": columns, "data": data})}


def mlflow_traces(answers: Answers) -> Files:
    rows = [
        {
            "trace_id": f"tr-{id(answers)}-{number}",
            "state": "OK",
            "request": {"q": question},
            "response": answer,
            "assessments": [
                {
                    "assessment_name": "exact",
                    "feedback": {"value": answer == QUESTIONS[question]},
                },
                {
                    "assessment_name": "expected_response",
                    "expectation": {"value": QUESTIONS[question]},
                },
            ],
        }
        for number, (question, answer) in enumerate(answers.items())
    ]
    columns = list(rows[0])
    data = [[row[name] for name in columns] for row in rows]
    index = list(range(len(rows)))
    return {"traces.json": encode({"columns": columns, "index": index, "data": data})}


LOGS: dict[str, Callable[[Answers], Files]] = {
    "lighteval": lighteval,
    "helm": helm,
    "promptfoo": promptfoo,
    "promptfoo lines": promptfoo_lines,
    "deepeval": deepeval,
    "openai-evals": openai_evals,
    "mlflow": mlflow,
    "mlflow traces": mlflow_traces,
}
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
    assert "accuracy stayed the same (50.00% to 50.00%" in printed.out
    assert "1 item broke, 1 got fixed" in printed.out
    counts = json.loads(target.read_text(encoding="utf-8"))["counts"]
    expected = {"both_right": 1, "negative": 1, "positive": 1, "both_wrong": 1}
    assert {name: counts[name] for name in expected} == expected


@every_log
def test_everything_of_an_item_is_read(log: str, tmp_path: Path) -> None:
    run = read_run(write(tmp_path / "a", LOGS[log](OLD)))
    assert run.fingerprint["harness"] == log.partition(" ")[0]
    assert [record.reference for record in run] == [
        QUESTIONS[json.loads(record.prompt or "")["q"] if log == "mlflow traces" else record.prompt]
        for record in run
    ]
    for record in run:
        assert list(record.scores.values()) == [record.prediction == record.reference]
        assert isinstance(record.prediction, str)
    assert len({record.id for record in run}) == 4


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
def test_a_folder_without_a_log_is_refused(harness: str, content: Files, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("log", [log for log in LOGS if log != "helm"])
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
    questions = ["1+1", "2+2"] if log in {"promptfoo lines", "openai-evals"} else ["2+2"]
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
    name = "scenario_state.json" if log == "helm" else next(iter(files))
    third = {"helm": b'"completions": [{"text": "4"'}.get(log, b'"4"')
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
