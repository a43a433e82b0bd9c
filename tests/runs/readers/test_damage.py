"""The law of damage for readers: no damage to the log of NEW moves a gate to PASS.

A small log of each harness is damaged in one place at a time: a row or a value is dropped, nulled,
renamed or repeated, a file is cut short or lost, or a file of OLD is laid beside it. The first row
stays whole, because that is where formats are recognised.
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Policy, check_gate, compare_runs, read_run
from muscle_metrics.errors import MuscleMetricsError
from tests.runs.readers import log_writers

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.runs.record import Run
    from tests.runs.readers.log_writers import Answers

TIME, LATER = "2026-11-23T07-13-39.347285", "2026-11-24T07-13-39.347285"
ITEMS = 12
# Rows that NEW breaks: too many to pass at the limit; with one less, or without its row, it passes.
BROKEN = frozenset({2, 3, 5, 7})
# Without a least coverage, so that only the worst case of lost items is between them and a pass.
POLICY = Policy(max_nfr="0.58", min_coverage="0.01")
# Where damage is done: a broken row, and the last row, which is right.
DAMAGED = (2, ITEMS - 1)

# A file by its name: rows of JSON Lines, rows of Parquet, or one JSON document.
Files = dict[str, Any]
Writer = Callable[[str, frozenset[int]], Files]


def lm_eval(model: str, broken: frozenset[int]) -> Files:
    rows = [
        {
            "doc_id": number,
            "target": "да",
            "arguments": {"gen_args_0": {"arg_0": f"q{number}", "arg_1": {}}},
            "resps": [["нет" if number in broken else "да"]],
            "filtered_resps": ["нет" if number in broken else "да"],
            "filter": "none",
            "metrics": ["exact_match"],
            "doc_hash": f"hash {number}",
            "prompt_hash": f"prompt {number}",
            "target_hash": "x",
            "exact_match": float(number not in broken),
        }
        for number in range(ITEMS)
    ]
    results = {
        "model_name": model,
        "higher_is_better": {"sums": {"exact_match": True}},
        "n-samples": {"sums": {"original": ITEMS, "effective": ITEMS}},
        "n-shot": {"sums": 5},
        "versions": {"sums": 1},
        "configs": {"sums": {"metric_list": [{"metric": "exact_match"}], "doc_to_text": "q"}},
    }
    return {f"samples_sums_{TIME}.jsonl": rows, f"results_{TIME}.json": results}


def lm_eval_choices(model: str, broken: frozenset[int]) -> Files:
    """Multiple choice in a JSON list, as old versions wrote it."""
    rows = [
        {
            "doc_id": number,
            "doc": {"query": f"q{number}"},
            "target": 0,
            "arguments": [[f"q{number}", " a"], [f"q{number}", " b"]],
            "resps": [[[-1.0, False]], [[-2.0, False]]],
            "filtered_resps": [[-2.0 if number in broken else -0.5, False], [-1.0, False]],
            "acc": float(number not in broken),
        }
        for number in range(ITEMS)
    ]
    return {f"{model}.json": rows}


def lighteval(model: str, broken: frozenset[int]) -> Files:
    rows = [
        {
            "doc": {
                "id": str(number),
                "query": f"q{number}",
                "choices": ["да", "нет"],
                "gold_index": 0,
                "task_name": "sums|0",
            },
            "metric": {"em": int(number not in broken)},
            "model_response": {
                "text": ["нет" if number in broken else "да"],
                "logprobs": [-1.0, -2.0],
            },
        }
        for number in range(ITEMS)
    ]
    results = {
        "config_general": {"model_name": model, "max_samples": None},
        "config_tasks": {"sums:0": {"hf_repo": "sums", "effective_num_docs": ITEMS}},
        "versions": {"sums:0": 1},
    }
    return {
        f"details/{model}/{TIME}/details_sums|0_{TIME}.parquet": rows,
        f"results/{model}/results_{TIME}.json": results,
    }


def first_leaderboard(model: str, broken: frozenset[int]) -> Files:
    rows = [
        {
            "example": f"q{number}",
            "full_prompt": f"q{number}",
            "choices": ["a", "b"],
            "gold_index": 0,
            "predictions": [-2.0 if number in broken else -0.5, -1.0],
            "metrics": {"acc": float(number not in broken)},
            "hashes": {"example": f"hash {number}"},
        }
        for number in range(ITEMS)
    ]
    return {f"details_arc|25_{TIME}.parquet": rows}


def helm(model: str, broken: frozenset[int]) -> Files:
    requests, stats = [], []
    for number in range(ITEMS):
        key = {"train_trial_index": number % 2}
        # Two trials of each instance.
        name = f"id{number // 2}"
        text = "нет" if number in broken else "да"
        references = [{"output": {"text": "да"}, "tags": ["correct"]}]
        requests.append(
            {
                "instance": {"id": name, "input": {"text": "q"}, "references": references},
                **key,
                "request": {"prompt": f"q{number}", "model": model},
                "result": {"success": True, "completions": [{"text": text, "logprob": 0}]},
            }
        )
        score = {"name": {"name": "exact_match"}, "mean": float(number not in broken)}
        stats.append({"instance_id": name, **key, "stats": [score]})
    adapter = {"model": model, "temperature": 0}
    return {
        "per_instance_stats.json": stats,
        "scenario_state.json": {"adapter_spec": adapter, "request_states": requests},
        "run_spec.json": {"name": f"sums:model={model}", "adapter_spec": adapter},
    }


def suite(
    write: Callable[[Answers, Answers], dict[str, bytes]], place: str = "{task}/{name}"
) -> Writer:
    """Two tasks of half the items each, in files of their own."""

    def files(model: str, broken: frozenset[int]) -> Files:
        found: Files = {}
        for task, numbers in (("sums", range(6)), ("право", range(6, ITEMS))):
            answers = {f"q{n}": "5" if n in broken else "4" for n in numbers}
            for name, content in write(answers, dict.fromkeys(answers, "4")).items():
                text = content.decode().replace(json.dumps("sums"), json.dumps(task))
                rows = [json.loads(line) for line in text.splitlines()]
                found[place.format(task=task, name=name)] = (
                    rows if name.endswith(".jsonl") else rows[0]
                )
        return found

    return files


def helm_suite(model: str, broken: frozenset[int]) -> Files:
    """Two runs of half the requests each; ids and trials are those of each run alone."""
    whole, found = helm(model, broken), {}
    for task, half in (("sums", slice(6)), ("право", slice(6, ITEMS))):
        requests = whole["scenario_state.json"]["request_states"][half]
        adapter = whole["run_spec.json"]["adapter_spec"]
        found |= {
            f"{task}/per_instance_stats.json": whole["per_instance_stats.json"][half],
            f"{task}/scenario_state.json": {"adapter_spec": adapter, "request_states": requests},
            f"{task}/run_spec.json": {"name": f"{task}:model={model}", "adapter_spec": adapter},
        }
    return found


LOGS: dict[str, Writer] = {
    "lm-eval": lm_eval,
    "lm-eval list": lm_eval_choices,
    "lighteval": lighteval,
    "lighteval leaderboard": first_leaderboard,
    "helm": helm,
    "helm suite": helm_suite,
    "nemo-evaluator suite": suite(log_writers.nemo_evaluator),
    "mmlu-pro subjects": suite(log_writers.mmlu_pro, "{task}_{name}"),
    "zeroeval suite": suite(log_writers.zero_eval),
}
every_log = pytest.mark.parametrize("name", LOGS)
# Rows of suites are damaged one by one in `test_damage_of_rows` too.
every_value = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name.endswith(("suite", "subjects")) else [])
        for name in LOGS
    ],
)


def encode(name: str, content: Any) -> bytes:
    if name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        sink = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_pylist(content), sink)
        return sink.getvalue()
    if name.endswith(".jsonl"):
        return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in content)
    return json.dumps(content, ensure_ascii=False).encode()


class Pair:
    """A log of OLD, and one of NEW of which any file may be replaced."""

    def __init__(self, log: str, folder: Path, broken: frozenset[int] = BROKEN) -> None:
        self.format, self.folder = log.split()[0], folder
        old = LOGS[log]("v1", frozenset())
        self.old = {name: encode(name, content) for name, content in old.items()}
        self.documents = LOGS[log]("v2", broken)
        self.new = {name: encode(name, content) for name, content in self.documents.items()}
        self.old_run = read_run(self._write("old", self.old, "v1.json"), format=self.format)

    def _write(self, place: str, files: Mapping[str, bytes], alone: str) -> Path:
        """Write files into a folder, and return it, or the one file whose name is free."""
        folder = self.folder / place
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            if path.relative_to(folder).as_posix() not in files:
                path.unlink()
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / alone if alone in files else folder

    def outcome(self, **files: bytes | None) -> str:
        """Verdict of a gate on OLD and a changed NEW; "refused" where there is none.

        Items that cannot be compared are left out where that is refused otherwise.
        """
        changed = {**self.new, **files}
        kept = {name: content for name, content in changed.items() if content is not None}
        path = self._write("new", kept, "v2.json")
        try:
            run = read_run(path, format=self.format)
        except MuscleMetricsError:
            return "refused"
        whole = self._judge(run)
        return self._judge(run, missing="drop", unanswered="drop") if whole == "refused" else whole

    def _judge(self, run: Run, **choices: Any) -> str:
        try:
            comparison = compare_runs(self.old_run, run, **choices)
            return check_gate(comparison, POLICY).outcome.name
        except MuscleMetricsError:
            return "refused"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values in a document, the damaged rows of a long list only."""
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = ((n, part) for n, part in enumerate(value) if len(value) < ITEMS or n in DAMAGED)
    for name, part in items:
        yield (*path, name)
        yield from places(part, (*path, name))


def damaged(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield the document with one value dropped, nulled, renamed or repeated."""
    for path in places(document):
        for damage in ("drop", "null", "rename", "repeat"):
            changed = copy.deepcopy(document)
            parent = changed
            for name in path[:-1]:
                parent = parent[name]
            last = path[-1]
            value = parent[last]
            if damage == "drop":
                del parent[last]
            elif damage == "null":
                parent[last] = None
            elif damage == "rename" and isinstance(value, str):
                parent[last] = value + "'"
            elif damage == "rename" and isinstance(parent, dict):
                parent[f"{last}'"] = parent.pop(last)
            elif damage == "repeat" and isinstance(parent, list):
                parent.append(copy.deepcopy(value))
            else:
                continue
            yield f"{damage} {'/'.join(map(str, path))}", changed


@every_log
def test_the_gate_passes_a_new_model_that_broke_nothing(name: str, tmp_path: Path) -> None:
    assert Pair(name, tmp_path, broken=frozenset()).outcome() == "PASS"
    assert Pair(name, tmp_path).outcome() == "INCONCLUSIVE"
    # The law can fail: an item that broke decides.
    assert Pair(name, tmp_path, broken=BROKEN - {2}).outcome() == "PASS"


@every_value
def test_no_damage_of_a_value_leads_to_pass(name: str, tmp_path: Path) -> None:
    pair = Pair(name, tmp_path)
    tried = 0
    for file, document in pair.documents.items():
        for what, changed in damaged(document):
            try:
                content = encode(file, changed)
            except Exception:
                # Parquet has no such table, as where one row holds text and another null objects.
                continue
            tried += 1
            assert pair.outcome(**{file: content}) != "PASS", f"{file}: {what}"
    assert tried > 40


@every_value
def test_no_cut_leads_to_pass(name: str, tmp_path: Path) -> None:
    pair = Pair(name, tmp_path)
    for file, content in pair.new.items():
        # Cuts at every byte of smaller logs are in other tests. Here the last rows are cut so.
        step = 97 if file.endswith(".parquet") else 7
        ends = {*range(0, len(content), step), *range(max(len(content) - 250, 0), len(content))}
        for end in sorted(ends):
            assert pair.outcome(**{file: content[:end]}) != "PASS", f"{file}: {end}"


@every_log
def test_no_lost_renamed_or_foreign_file_leads_to_pass(name: str, tmp_path: Path) -> None:
    pair = Pair(name, tmp_path)
    for file, content in pair.new.items():
        assert pair.outcome(**{file: None}) != "PASS"
        assert pair.outcome(**{file: None, f"{file}.bak": content}) != "PASS"
        later = file.replace(TIME, LATER).replace("sums", "summen")
        assert pair.outcome(**{file: None, later: content}) != "PASS"
    for file, content in pair.old.items():
        for copied in (file, file.replace(TIME, LATER), f"again/{file}", file.replace("v1", "v2")):
            if copied not in pair.new:
                assert pair.outcome(**{copied: content}) != "PASS", copied
