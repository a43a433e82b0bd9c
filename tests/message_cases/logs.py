"""Messages about logs of harnesses and datasets; each case runs in an empty folder of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.runs.files.json_stream import read_json_document
from muscle_metrics.runs.log_fields import compact
from muscle_metrics.runs.logs import ErrorsAt
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "runs/files/glimpse",
    "runs/files/json_stream",
    "runs/log_fields",
    "runs/logs",
    "runs/files/arrow_rows",
    "runs/files/dataset_folder",
    "runs/readers/deepeval",
    "runs/readers/helm",
    "runs/readers/inspect_ai_folder",
    "runs/readers/lighteval",
    "runs/readers/mlflow",
    "runs/readers/openai_evals",
    "runs/readers/promptfoo",
]

EVENT = {"run_id": "r", "event_id": 0, "sample_id": "s", "type": "match"}
RESULT = {
    "testCase": {"vars": {"q": 1}, "assert": [{"type": "is-json"}]},
    "promptId": "p",
    "vars": {},
    "provider": "echo",
    "success": True,
}
COLUMN = {**RESULT, "promptIdx": 0, "testIdx": 0}
CASE = {"name": "x", "input": "q", "metricsData": [{"name": "EM", "score": 1.0}]}
TRACE = {"trace_id": "t", "request": "q", "assessments": []}
COLUMNS = ["inputs", "predictions", "em/score"]
TRIAL = {"train_trial_index": 0}
STATS = {"instance_id": "id1", **TRIAL, "stats": []}
REQUEST = {"instance": {"id": "id1"}, **TRIAL}


def read(name: str, content: object, harness: str) -> object:
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8")
    return read_run(name, format=harness)


def read_inspect(*specs: dict[str, object]) -> object:
    for name, spec in zip(("old", "test"), specs, strict=False):
        named = {"run_id": "r", "task": "sums", "model": "m", "created": "2026-11-23T07:40:17Z"}
        log = {"version": 2, "status": "success", "eval": {**named, **spec}, "plan": {}}
        Path(f"{name}.json").write_text(json.dumps(log), encoding="utf-8")
    return read_run(".", format="inspect_ai")


def read_deepeval(*cases: object) -> object:
    return read("old.json", {"testCases": cases}, "deepeval")


def read_promptfoo(results: object) -> object:
    return read("old.json", {"evalId": "e", "results": {"results": results}}, "promptfoo")


def read_lines(harness: str, *rows: object) -> object:
    return read("old.jsonl", "\n".join(map(json.dumps, rows)), harness)


def read_table(columns: object, *rows: object) -> object:
    return read("old.json", {"columns": columns, "data": rows}, "mlflow")


def read_helm(stats: object, requests: object) -> object:
    Path("per_instance_stats.json").write_text(json.dumps(stats), encoding="utf-8")
    state = {"adapter_spec": {"model": "tiny"}, "request_states": requests}
    Path("scenario_state.json").write_text(json.dumps(state), encoding="utf-8")
    return read_run(".", format="helm")


def read_suite(*names: str) -> object:
    for name in names:
        Path(name).mkdir()
        Path(name, "per_instance_stats.json").write_text("[]", encoding="utf-8")
        Path(name, "scenario_state.json").write_text("{}", encoding="utf-8")
    return read_run(".")


def read_two_specifications() -> object:
    spec = {"adapter_spec": {"model": "small"}}
    Path("run_spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return read_helm([], [REQUEST])


def read_two_details_of_a_task() -> object:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = {
        "doc": {"id": "1", "task_name": "a"},
        "metric": {"em": 1},
        "model_response": {"text": ["a"]},
    }
    for task in "ab":
        name = f"details_{task}_2026-11-23T07-40-17.2.parquet"
        parquet.write_table(arrow.Table.from_pylist([row]), name)
    return read_run(".")


def read_lighteval(**document: Any) -> object:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = {"doc": {"id": "1", **document}, "metric": {"em": 1}, "model_response": {"text": ["a"]}}
    table = arrow.Table.from_pylist([row])
    parquet.write_table(table if document else table.slice(1), "old.parquet")
    return read_run("old.parquet", format="lighteval")


def read_dataset(state: object, names: tuple[str, ...] = (), content: bytes = b"") -> object:
    pytest.importorskip("pyarrow")
    ipc = pytest.importorskip("pyarrow.ipc")
    import pyarrow as arrow

    Path("state.json").write_text(json.dumps(state), encoding="utf-8")
    Path("old.arrow").write_bytes(content)
    if names:
        table = arrow.Table.from_arrays([arrow.array(["1"])] * len(names), names=names)
        with ipc.new_stream("old.arrow", table.schema) as stream:
            stream.write_table(table)
    return read_run(".")


def read_splits() -> object:
    Path("dataset_dict.json").write_text('{"splits": ["test", "train"]}', encoding="utf-8")
    return read_run(".", format="datasets")


def read_document(text: str | bytes) -> object:
    Path("old.json").write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_json_document(Path("old.json"), {("rows",)}))


def read_nested() -> object:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with ErrorsAt(Path("old.json"), 3):
        return compact(value)


FILES = {"_data_files": [{"filename": "old.arrow"}]}
CASES: dict[str, Callable[[], object]] = {
    "log: none in a folder": lambda: read_run(".", format="promptfoo"),
    "log: values nested too deeply": lambda: read_nested(),
    "log: a field that is no list": lambda: read_deepeval({"metricsData": 7}),
    "log: a field that is no text": lambda: read_deepeval({**CASE, "name": ["x"]}),
    "document: an array": lambda: read_document("[1]"),
    "document: cut short": lambda: read_document('{"rows": [1'),
    "document: a key twice": lambda: read_document('{"rows": [1], "rows": [2]}'),
    "document: a name without quotes": lambda: read_document("{1: 2}"),
    "document: a bad row": lambda: read_document('{"rows": [1, x]}'),
    "document: a row that is not UTF-8": lambda: read_document(b'{"rows": ["caf\xe9"]}'),
    "deepeval: no list of test cases": lambda: read("old.json", {"testCases": 7}, "deepeval"),
    "deepeval: no test case": lambda: read_deepeval(),
    "deepeval: something else": lambda: read_deepeval(7),
    "deepeval: a metric that is none": lambda: read_deepeval({**CASE, "metricsData": [7]}),
    "deepeval: a metric twice": lambda: read_deepeval(
        {**CASE, "metricsData": CASE["metricsData"] * 2}
    ),
    "deepeval: a name twice": lambda: read_deepeval(CASE, CASE),
    "promptfoo: no results": lambda: read_promptfoo([]),
    "promptfoo: no list of results": lambda: read_promptfoo(7),
    "promptfoo: something else": lambda: read_promptfoo([RESULT, 7]),
    "promptfoo: a field of another type": lambda: read_lines(
        "promptfoo", {**RESULT, "response": "x"}
    ),
    "promptfoo: a result twice": lambda: read_lines("promptfoo", COLUMN, COLUMN),
    "promptfoo: two columns": lambda: read_lines("promptfoo", COLUMN, {**COLUMN, "promptIdx": 3}),
    "inspect_ai: no log": read_inspect,
    "inspect_ai: two models": lambda: read_inspect({"model": "a"}, {"model": "b"}),
    "inspect_ai: two settings": lambda: read_inspect(
        {"model_args": {"api_key": "0123456789"}}, {"model_args": {"api_key": "9876543210"}}
    ),
    "inspect_ai: two of one time": lambda: read_inspect({}, {}),
    "inspect_ai: no time": lambda: read_inspect({"created": "soon"}, {}),
    "inspect_ai: no task": lambda: read_inspect({"task": ""}),
    "openai-evals: an event twice": lambda: read_lines("openai-evals", EVENT, EVENT),
    "openai-evals: two specifications": lambda: read_lines(
        "openai-evals",
        {"spec": {"eval_name": "sums", "completion_fns": ["a"]}},
        {"spec": {"eval_name": "sums", "completion_fns": ["b"]}},
    ),
    "mlflow: traces of two runs": lambda: read_lines(
        "mlflow",
        *({**TRACE, "trace_metadata": {"mlflow.sourceRun": run}} for run in ("9f3a", "77b1")),
    ),
    "openai-evals: no event": lambda: read_lines("openai-evals", {"x": 1, "y": 2}),
    "openai-evals: two runs": lambda: read_lines("openai-evals", EVENT, {**EVENT, "run_id": "r2"}),
    "openai-evals: nothing that judges": lambda: read_lines("openai-evals", EVENT),
    "mlflow: no rows": lambda: read_table(COLUMNS),
    "mlflow: a column twice": lambda: read_table(["a", "a"], [1, 2]),
    "mlflow: a row of another length": lambda: read_table(COLUMNS, [1, 2]),
    "mlflow: no answer": lambda: read_table(["inputs", "answer"], [1, 2]),
    "mlflow: no inputs": lambda: read_table(["predictions", "em/score"], [1, 2]),
    "mlflow: inputs twice": lambda: read_table(COLUMNS, [1, 2, 3], [1, 2, 3]),
    "mlflow: columns of other rows": lambda: read(
        "old.json", {"trace_id": {"0": "t"}, "response": {}}, "mlflow"
    ),
    "mlflow: an assessment twice": lambda: read_lines(
        "mlflow",
        {**TRACE, "assessments": [{"assessment_name": "em", "feedback": {"value": 1}}] * 2},
    ),
    "helm: a file is missing": lambda: read_run(".", format="helm"),
    "helm: no trial": lambda: read_helm([{"instance_id": "id1"}], [REQUEST]),
    "helm: a statistic twice": lambda: read_helm(
        [{**STATS, "stats": [{"name": {"name": "em"}, "mean": 1}] * 2}], [REQUEST]
    ),
    "helm: a request twice": lambda: read_helm([], [REQUEST, REQUEST]),
    "helm: no requests": lambda: read_helm([], []),
    "helm: requests to two models": lambda: read_helm(
        [], [{**REQUEST, "request": {"model": "small"}}]
    ),
    "helm: the specification of another run": read_two_specifications,
    "helm: several runs": lambda: read_suite("mmlu:subject=law,model=a", "mmlu:model=b"),
    "helm: files of two runs": lambda: read_helm([{**STATS, "instance_id": "id9"}], [REQUEST]),
    "lighteval: no documents": lambda: read_lighteval(),
    "lighteval: no such choice": lambda: read_lighteval(choices=["A"], gold_index=1),
    "lighteval: a task of two files": read_two_details_of_a_task,
    "lighteval: no details": lambda: read_run(".", format="lighteval"),
    "datasets: several splits": lambda: read_splits(),
    "datasets: no files": lambda: read_dataset({}),
    "datasets: a file elsewhere": lambda: read_dataset(
        {"_data_files": [{"filename": "../old.arrow"}]}
    ),
    "datasets: a file that is missing": lambda: read_dataset(
        {"_data_files": [{"filename": "new.arrow"}]}
    ),
    "datasets: a column twice": lambda: read_dataset(FILES, ("id", "id")),
    "datasets: a damaged file": lambda: read_dataset(FILES, content=b"x" * 8),
}
