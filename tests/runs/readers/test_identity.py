"""One law for every reader: two configurations in one place are separate, or refused by name.

Each row of `LOGS` writes one small evaluation as its harness does, with every field of its identity
by name: model, arguments, few-shot examples, limit, template, ... The law writes two evaluations
that differ in exactly one field, beside each other, nested, and with the first one renamed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.record import Run

Identity = dict[str, Any]


class Log(NamedTuple):
    """How a harness writes one evaluation.

    Parameters
    ----------
    format : str
        Name of the reader.
    write : callable
        ``write(folder, identity, time, mark)`` writes an evaluation below a folder. Each answer
        starts with the mark, so that a run shows which evaluation it was read from. It returns
        names, of which a refusal must say one: of a file, a folder or the value that differs.
    identity : mapping of str to tuple
        Two values for each field of the identity.
    """

    format: str
    write: Callable[[Path, Identity, str, str], set[str]]
    identity: Mapping[str, tuple[Any, Any]]


FIRST, SECOND = "2026-11-23T07-40-17.215230", "2026-11-24T07-40-17.215230"
QUESTIONS = {"q1": "1 + 1?", "q2": "2 + 2?", "вопрос": "сколько?"}


def save(path: Path, content: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row) for row in content] if isinstance(content, list) else None
    path.write_text("\n".join(lines) + "\n" if lines else json.dumps(content), encoding="utf-8")
    return path.name


def lm_eval(folder: Path, identity: Identity, time: str, mark: str) -> set[str]:
    task, model = identity["task"], identity["model"]
    limit = identity["limit"]
    rows = [
        {
            "doc_id": number,
            "doc": {"question": question},
            "target": "4",
            "arguments": {"gen_args_0": {"arg_0": question, "arg_1": {}}},
            "resps": [[f"{mark} {question}"]],
            "filtered_resps": [f"{mark} {question}"],
            "filter": "none",
            "metrics": ["exact_match"],
            "doc_hash": f"doc {question}",
            "prompt_hash": f"{identity['few_shot']} {identity['chat_template']} {question}",
            "target_hash": "4",
            "exact_match": 1.0,
        }
        for number, question in enumerate([*QUESTIONS.values()][:limit])
    ]
    results = {
        "model_name": model,
        "model_source": identity["provider"],
        "lm_eval_version": "0.4.13",
        "chat_template_sha": identity["chat_template"],
        "system_instruction_sha": identity["system_instruction"],
        "fewshot_as_multiturn": identity["multiturn"],
        "n-shot": {task: identity["few_shot"]},
        "n-samples": {task: {"original": 3, "effective": len(rows)}},
        "versions": {task: identity["task_version"]},
        "config": {
            "model": identity["provider"],
            "model_args": identity["arguments"],
            "gen_kwargs": identity["generation"],
            "limit": limit,
            "fewshot_seed": identity["few_shot_seed"],
        },
        "configs": {
            task: {
                "dataset_path": "sums",
                "dataset_name": identity["subset"],
                "test_split": identity["split"],
                "doc_to_text": identity["prompt"],
                "generation_kwargs": {"until": identity["until"]},
                "filter_list": identity["filters"],
            }
        },
    }
    place = folder / model.replace("/", "__")
    return {
        save(place / f"samples_{task}_{time}.jsonl", rows),
        save(place / f"results_{time}.json", results),
        place.name,
    }


def lighteval(folder: Path, identity: Identity, time: str, mark: str) -> set[str]:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    task, model = f"{identity['task']}|{identity['few_shot']}", identity["model"]
    rows = [
        {
            "doc": {
                "id": name,
                "query": identity["prompt"] + question,
                "instruction": identity["system_instruction"],
                "choices": ["4"],
                "gold_index": 0,
                "task_name": task,
                "generation_size": identity["generation_size"],
                "stop_sequences": identity["until"],
            },
            "metric": {"em": 1},
            "model_response": {
                "input": identity["chat_template"] + question,
                "text": [f"{mark} {question}"],
                "logprobs": [],
            },
        }
        for name, question in [*QUESTIONS.items()][: identity["limit"]]
    ]
    place = folder / "details" / model / time
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"details_{task}_{time}.parquet"
    sink = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
    path.write_bytes(sink.getvalue())
    config = {
        "hf_repo": "sums",
        "hf_subset": identity["subset"],
        "evaluation_splits": [identity["split"]],
        "effective_num_docs": len(rows),
        "version": identity["task_version"],
    }
    general = {
        "model_name": model,
        "max_samples": identity["limit"],
        "num_fewshot_seeds": identity["few_shot_seed"],
        "model_config": {"model_name": model, **identity["arguments"]},
    }
    results = {
        "config_general": general,
        "config_tasks": {task: config},
        "versions": {task: identity["task_version"]},
    }
    save(folder / "results" / model / f"results_{time}.json", results)
    return {path.name, place.name, str(place.parent.relative_to(folder))}


def helm(folder: Path, identity: Identity, time: str, mark: str) -> set[str]:
    settings = ["max_train_instances", "instructions", "temperature", "max_eval_instances"]
    adapter = {name: identity[name] for name in ["model", "model_deployment", *settings]}
    requests, stats = [], []
    for name, question in [*QUESTIONS.items()][: identity["max_eval_instances"]]:
        key = {"train_trial_index": 0}
        instance = {"id": name, "input": {"text": question}, "split": identity["split"]}
        requests.append(
            {
                "instance": instance,
                **key,
                "request": {
                    "prompt": identity["instructions"] + question,
                    "model": identity["model"],
                    "model_deployment": identity["model_deployment"],
                },
                "result": {"success": True, "completions": [{"text": f"{mark} {question}"}]},
            }
        )
        score = {"name": {"name": "exact_match", "split": identity["split"]}, "mean": 1.0}
        stats.append({"instance_id": name, **key, "stats": [score]})
    name = f"{identity['scenario']}:model={identity['model']}"
    spec = {
        "name": name,
        "scenario_spec": {"class_name": identity["scenario"], "args": {}},
        "adapter_spec": adapter,
        "groups": [identity["groups"]],
    }
    place = folder / f"{name},{time}"
    save(place / "run_spec.json", spec)
    save(place / "scenario_state.json", {"adapter_spec": adapter, "request_states": requests})
    (place / "per_instance_stats.json").write_text(json.dumps(stats), encoding="utf-8")
    return {place.name, identity["model"]}


def inspect_ai(folder: Path, identity: Identity, time: str, mark: str) -> set[str]:
    pytest.importorskip("inspect_ai")
    task, limit = identity["task"], identity["limit"]
    samples = [
        {
            "id": name,
            "epoch": 1,
            "input": question,
            "target": "4",
            "messages": [],
            "output": {
                "model": "m",
                "choices": [{"message": {"role": "assistant", "content": f"{mark} {question}"}}],
            },
            "scores": {"em": {"value": "C"}},
        }
        for name, question in [*QUESTIONS.items()][:limit]
    ]
    spec = {
        "run_id": "r",
        "created": f"{time[:10]}T{time[11:].replace('-', ':')}+00:00",
        "task": task,
        "task_id": "t",
        "task_file": identity["task_file"],
        "task_args": identity["arguments"],
        "dataset": {"name": identity["dataset"], "samples": len(samples)},
        "model": identity["model"],
        "model_base_url": identity["provider"],
        "model_args": identity["model_arguments"],
        "config": {"limit": limit, "epochs": 1},
    }
    steps = [{"solver": "generate", "params": {"template": identity["prompt"]}}]
    plan = {"steps": steps, "config": {"temperature": identity["temperature"]}}
    log = {"version": 2, "status": "success", "eval": spec, "plan": plan, "samples": samples}
    return {save(folder / f"{time[:19]}-00-00_{task}_{mark}.json", log)}


Evaluations = Sequence[tuple[Identity, str]]


def promptfoo(evaluations: Evaluations) -> Any:
    rows = [
        {
            "success": True,
            "failureReason": 0,
            "gradingResult": {"pass": True},
            "prompt": {"raw": question, "label": identity["prompt"]},
            "promptId": identity["prompt_id"],
            "promptIdx": identity["column"],
            "provider": {"id": identity["provider"], "label": identity["label"]},
            "response": {"output": f"{mark} {question}"},
            "testCase": {"vars": {"q": question}, "assert": [{"type": "is-json"}]},
            "testIdx": number,
            "vars": {"q": question},
        }
        for start, (identity, mark) in enumerate(evaluations)
        for number, question in enumerate(QUESTIONS.values(), start=10 * start)
    ]
    return {"evalId": "e", "results": {"version": 3, "results": rows}}


def deepeval(evaluations: Evaluations) -> Any:
    ((identity, mark),) = evaluations
    cases = [
        {
            "name": name,
            "input": question,
            "actualOutput": f"{mark} {question}",
            "metricsData": [{"name": "EM", "score": 1.0}],
        }
        for name, question in QUESTIONS.items()
    ]
    return {"testCases": cases, "hyperparameters": {"model": identity["model"]}}


def openai_evals(evaluations: Evaluations) -> Any:
    rows: list[dict[str, Any]] = []
    for start, (identity, mark) in enumerate(evaluations):
        spec = {"completion_fns": [identity["model"]], "eval_name": identity["task"]}
        rows.append({"spec": {**spec, "run_config": {"seed": identity["seed"]}}})
        for number, (name, question) in enumerate(QUESTIONS.items(), start=10 * start):
            judged = {"correct": True, "sampled": f"{mark} {question}"}
            event = {"run_id": identity["run"], "event_id": number, "sample_id": name}
            rows.append({**event, "type": "match", "data": judged})
    return rows


def mlflow(evaluations: Evaluations) -> Any:
    return [
        {
            "trace_id": f"tr-{mark}-{name}",
            "experiment_id": identity["experiment"],
            "state": "OK",
            # A run of other questions must not be merged either.
            "request": f"{mark} {question}",
            "response": f"{mark} {question}",
            "trace_metadata": {
                "mlflow.sourceRun": identity["run"],
                "mlflow.modelId": identity["model"],
            },
            "assessments": [{"assessment_name": "em", "feedback": {"value": True}}],
        }
        for identity, mark in evaluations
        for name, question in QUESTIONS.items()
    ]


def file_of(content: Callable[[Evaluations], Any]) -> Callable[..., set[str]]:
    def write(folder: Path, identity: Identity, time: str, mark: str) -> set[str]:
        return {save(folder / f"out_{time}.json", content([(identity, mark)]))}

    return write


def lines_of(content: Callable[[Evaluations], Any]) -> Callable[..., set[str]]:
    def write(folder: Path, identity: Identity, time: str, mark: str) -> set[str]:
        return {save(folder / f"out_{time}.jsonl", content([(identity, mark)]))}

    return write


# Harnesses whose file could hold several evaluations.
SHARED = {"promptfoo": promptfoo, "openai-evals": openai_evals, "mlflow": mlflow}

LOGS = {
    "inspect_ai": Log(
        "inspect_ai",
        inspect_ai,
        {
            "task": ("sums", "summen"),
            "task_file": ("sums.py", "more/sums.py"),
            "model": ("org/one", "org/two"),
            "provider": (None, "http://other"),
            "arguments": ({"subject": "bio", "n": {"k": 1}}, {"subject": "bio", "n": {"k": 2}}),
            "model_arguments": ({}, {"device": "cpu"}),
            "limit": (None, 2),
            "dataset": ("easy", "hard"),
            "prompt": (None, "Q: {prompt}"),
            "temperature": (None, 1.0),
        },
    ),
    "promptfoo": Log(
        "promptfoo",
        file_of(promptfoo),
        {
            "provider": ("echo", "openai:tiny"),
            "label": ("", "mine"),
            "prompt": ("plain", "kind"),
            "prompt_id": ("5f0c", "77aa"),
            "column": (0, 1),
        },
    ),
    "deepeval": Log("deepeval", file_of(deepeval), {"model": ("one", "two")}),
    "openai-evals": Log(
        "openai-evals",
        lines_of(openai_evals),
        {
            "model": ("one", "two"),
            "task": ("sums.s1.v0", "sums.s2.v0"),
            "seed": (1, 2),
            "run": ("231123A", "231123B"),
        },
    ),
    "mlflow": Log(
        "mlflow",
        lines_of(mlflow),
        {"run": ("9f3a", "77b1"), "model": ("m-1", "m-2"), "experiment": ("0", "7")},
    ),
    "lm-eval": Log(
        "lm-eval",
        lm_eval,
        {
            "task": ("sums", "summen"),
            "model": ("org/one", "org/two"),
            "provider": ("hf", "vllm"),
            "arguments": ("pretrained=a", "pretrained=a,dtype=int8"),
            "few_shot": (5, 0),
            "few_shot_seed": (1, 2),
            "limit": (None, 2),
            "chat_template": ("none", "chatml"),
            "system_instruction": (None, "be kind"),
            "multiturn": (False, True),
            "generation": (None, {"temperature": 1}),
            "task_version": (1, 2),
            "subset": ("easy", "hard"),
            "split": ("test", "validation"),
            "prompt": ("{{question}}", "Q: {{question}}"),
            "until": (["\n"], ["."]),
            "filters": ([], [{"name": "strict"}]),
        },
    ),
    "lighteval": Log(
        "lighteval",
        lighteval,
        {
            "task": ("sums", "summen"),
            "model": ("org/one", "org/two"),
            "arguments": ({"dtype": "bfloat16"}, {"dtype": "int8"}),
            "few_shot": (5, 0),
            "few_shot_seed": (1, 2),
            "limit": (3, 2),
            "chat_template": ("", "<|user|>"),
            "system_instruction": ("", "be kind"),
            "task_version": (1, 2),
            "subset": ("easy", "hard"),
            "split": ("test", "validation"),
            "prompt": ("", "Q: "),
            "generation_size": (16, 32),
            "until": (["\n"], ["."]),
        },
    ),
    "helm": Log(
        "helm",
        helm,
        {
            "scenario": ("sums", "summen"),
            "model": ("org/one", "org/two"),
            "model_deployment": ("local/one", "cloud/one"),
            "max_train_instances": (5, 0),
            "max_eval_instances": (3, 2),
            "instructions": ("", "Answer: "),
            "temperature": (0, 1),
            "split": ("test", "valid"),
            "groups": ("a", "b"),
        },
    ),
}

every_field = pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, log in LOGS.items() for field in log.identity]
)


def base(log: Log) -> Identity:
    return {field: values[0] for field, values in log.identity.items()}


def read_or_refuse(log: Log, folder: Path) -> Run | MuscleMetricsError:
    try:
        return read_run(folder, format=log.format)
    except MuscleMetricsError as error:
        return error


def marks_of_parts(run: Run) -> list[set[str]]:
    """Marks of the evaluations that each task and filter of a run was read from."""
    parts: dict[tuple[str | None, str | None], set[str]] = {}
    for record in run:
        parts.setdefault((record.task, record.filter), set()).add(str(record.prediction).split()[0])
    return list(parts.values())


def says(message: str, names: set[str], others: set[str]) -> bool:
    """Whether a message says a name of one evaluation, and not only as part of another's name."""
    own = names - others
    for other in others:
        if any(name in other for name in own):
            message = message.replace(other, "")
    return any(name in message for name in own)


def check_separate_or_named(
    outcome: Run | MuscleMetricsError, first: set[str], second: set[str]
) -> None:
    if isinstance(outcome, MuscleMetricsError):
        message = str(outcome)
        assert message.splitlines() == [message]
        assert says(message, first, second), message
        assert says(message, second, first), message
        return
    marks = marks_of_parts(outcome)
    assert sorted(map(sorted, marks)) == [["A"], ["B"]], "merged, or replaced without a word"


def rename_all(folder: Path, names: set[str]) -> set[str]:
    """Give everything in a folder another name; return the names with those changes."""
    top = [path.name for path in folder.iterdir()]
    for name in top:
        (folder / name).rename(folder / f"kept_{name}")
    return {f"kept_{name}" if name.split("/")[0] in top else name for name in names}


@every_field
@pytest.mark.parametrize("place", ["beside", "nested", "deep", "renamed"])
def test_another_configuration_is_separate_or_refused(
    name: str, field: str, place: str, tmp_path: Path
) -> None:
    log = LOGS[name]
    changed = base(log) | {field: log.identity[field][1]}
    first = log.write(tmp_path, base(log), FIRST, "A")
    if place == "renamed":
        first = rename_all(tmp_path, first)
    below = {"nested": "again", "deep": "a/b/c/d/e"}.get(place, "")
    second = log.write(tmp_path / below, changed, SECOND, "B")
    if below:
        second = {f"{below}/{part}" for part in second} | (second - first)
    check_separate_or_named(read_or_refuse(log, tmp_path), first, second)


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name in SHARED for field in LOGS[name].identity]
)
def test_two_configurations_in_one_file_are_separate_or_refused(
    name: str, field: str, tmp_path: Path
) -> None:
    log = LOGS[name]
    values = log.identity[field]
    identities = [base(log) | {field: value} for value in values]
    content = SHARED[name](list(zip(identities, "AB", strict=True)))
    path = tmp_path / ("out.json" if isinstance(content, dict) else "out.jsonl")
    save(path, content)
    try:
        outcome: Run | MuscleMetricsError = read_run(path, format=log.format)
    except MuscleMetricsError as error:
        outcome = error
    # A label that is missing is replaced by the name of the provider.
    check_separate_or_named(outcome, *({str(value or "echo")} for value in values))


@pytest.mark.parametrize("name", LOGS)
def test_a_rerun_is_refused_or_said(name: str, tmp_path: Path) -> None:
    log = LOGS[name]
    first = log.write(tmp_path, base(log), FIRST, "A")
    second = log.write(tmp_path, base(log), SECOND, "B")
    outcome = read_or_refuse(log, tmp_path)
    if isinstance(outcome, MuscleMetricsError):
        check_separate_or_named(outcome, first, second)
    else:
        assert marks_of_parts(outcome) == [{"B"}]
        assert any(part in outcome.fingerprint["skipped"] for part in first - second)


@pytest.mark.parametrize("name", LOGS)
def test_one_evaluation_is_read(name: str, tmp_path: Path) -> None:
    log = LOGS[name]
    log.write(tmp_path, base(log), FIRST, "A")
    run = read_or_refuse(log, tmp_path)
    assert not isinstance(run, MuscleMetricsError), run
    assert marks_of_parts(run) == [{"A"}]
    assert "skipped" not in run.fingerprint
