"""Result files of SWE-bench, EvalPlus and OpenCompass: documents, and not rows.

The shapes are those of SWE-bench 3 (swebench/harness/reporting.py), evalplus 0.2 and 0.3
(evalplus/evaluate.py), and opencompass 0.4 (opencompass/tasks/openicl_eval.py).
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Policy, check_gate, compare_runs, read_run
from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, MuscleMetricsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEMS = [f"django__django-{number}" for number in range(10, 40)]
BROKEN = ITEMS[17]


def swe_bench(right: set[str]) -> dict[str, Any]:
    return {
        "total_instances": len(ITEMS),
        "submitted_instances": len(ITEMS),
        "completed_instances": len(ITEMS),
        "resolved_instances": len(right),
        "unresolved_instances": len(ITEMS) - len(right),
        "completed_ids": [*ITEMS],
        "incomplete_ids": [],
        "submitted_ids": ITEMS[::-1],
        "resolved_ids": sorted(right, reverse=True),
        "unresolved_ids": sorted({*ITEMS} - right),
        "error_ids": [],
        "schema_version": 2,
    }


def leaderboard(right: set[str]) -> dict[str, Any]:
    return {
        "no_generation": ITEMS[:1],
        "generated": ITEMS[1:],
        "with_logs": ITEMS[1:],
        "applied": ITEMS[1:],
        "test_errored": [],
        "resolved": sorted(right),
    }


def status(is_right: bool) -> str:
    return "pass" if is_right else "fail"


def evalplus(right: set[str]) -> dict[str, Any]:
    results = {
        item: [{"task_id": item, "solution": "def f(): 名", "base_status": "pass"}]
        for item in ITEMS
    }
    for item, (solution,) in results.items():
        solution["plus_status"] = status(item in right)
    return {"date": "2024-10-01 10:00", "hash": "fe58", "eval": results, "pass_at_k": {}}


def old_evalplus(right: set[str]) -> dict[str, Any]:
    results = {
        item: {
            "nfiles": 1,
            "base": [["pass", [True]]],
            "plus": [[status(item in right), None]],
        }
        for item in ITEMS
    }
    return {"date": "2023-06-26 06:40", "hash": "fe58", "eval": results}


def opencompass(right: set[str]) -> dict[str, Any]:
    details = {
        str(number): {
            "prompt": item,
            "origin_prediction": "so ...",
            "predictions": "4" if item in right else "５",
            "references": "4",
            "correct": item in right,
        }
        for number, item in enumerate(ITEMS)
    }
    return {"accuracy": 50.0, "details": {"type": "GEN", **details}}


def listed_opencompass(right: set[str]) -> dict[str, Any]:
    details = [
        {"pred": "4" if item in right else "5", "answer": "4", "correct": [item in right]}
        for item in ITEMS
    ]
    return {"accuracy": 50.0, "details": details}


SHAPES: dict[str, Callable[[set[str]], dict[str, Any]]] = {
    "swe-bench": swe_bench,
    "swe-bench leaderboard": leaderboard,
    "evalplus": evalplus,
    "evalplus before 0.3": old_evalplus,
    "opencompass": opencompass,
    "opencompass list": listed_opencompass,
}
every_shape = pytest.mark.parametrize("shape", SHAPES)
OLD_RIGHT, NEW_RIGHT = {*ITEMS[5:]}, {*ITEMS[4:]} - {BROKEN}


def write(path: Path, document: object, indent: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=indent), encoding="utf-8")
    return path


@every_shape
@pytest.mark.parametrize("indent", [None, 4])
def test_two_files_give_the_right_table_without_flags(
    shape: str, indent: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (
        write(tmp_path / name / "m_eval_results.json", SHAPES[shape](right), indent)
        for name, right in (("a", OLD_RIGHT), ("b", NEW_RIGHT))
    )
    for paths in ((old, new), (old.parent, new.parent)):
        assert main(["compare", *map(str, paths)]) == 0
        printed = capsys.readouterr().out
        assert ": 30 items" in printed
        assert "1 item broke, 1 got fixed" in printed
    assert read_run(old).fingerprint["harness"] == shape.partition(" ")[0]


@every_shape
def test_nothing_that_new_leaves_out_is_green(shape: str, tmp_path: Path) -> None:
    """Without the broken item the gate would pass: 0 of 29 at a limit of 12 %."""
    old = read_run(write(tmp_path / "a.json", SHAPES[shape](OLD_RIGHT)))
    document = SHAPES[shape](NEW_RIGHT)
    for values in document.values():
        if isinstance(values, list) and BROKEN in values:
            values.remove(BROKEN)
    document.get("eval", {}).pop(BROKEN, None)
    if "details" in document:
        place = ITEMS.index(BROKEN)
        del document["details"][place if isinstance(document["details"], list) else str(place)]
    new = read_run(write(tmp_path / "b.json", document))
    with pytest.raises(MuscleMetricsError):
        compare_runs(old, new)
    dropped = compare_runs(old, new, missing="drop", conflict="drop", unanswered="drop")
    assert str(check_gate(dropped, Policy(max_nfr="0.12")).outcome) != "PASS"


@every_shape
def test_cut_at_every_byte(shape: str, tmp_path: Path) -> None:
    content = write(tmp_path / "whole.json", SHAPES[shape](OLD_RIGHT)).read_bytes()
    path = tmp_path / "cut.json"
    for end in range(0, len(content), 7):
        path.write_bytes(content[:end])
        with pytest.raises(FileError) as caught:
            read_run(path, format=shape.partition(" ")[0])
        assert len(str(caught.value).splitlines()) == 1


ODD: list[Any] = [None, True, 7, 1e308, "", "\ud800", [], {}, [[["x"]]], {"a": [1]}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all values in a document, the first two of each long list alone."""
    if not isinstance(value, dict | list):
        return [path]
    members = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        path,
        *(found for name, part in list(members)[:12] for found in places(part, (*path, name))),
    ]


@every_shape
def test_odd_values_anywhere(shape: str, tmp_path: Path) -> None:
    """A value of another type gives an error of ours, or a run: never another exception."""
    path = tmp_path / "odd.json"
    for place in places(SHAPES[shape]({*ITEMS[:3]}))[1::3]:
        for odd in ODD:
            document: Any = SHAPES[shape]({*ITEMS[:3]})
            node = document
            for name in place[:-1]:
                node = node[name]
            node[place[-1]] = odd
            path.write_text(json.dumps(document), encoding="utf-8")
            with suppress(MuscleMetricsError):
                read_run(path, format=shape.partition(" ")[0])


class TestSweBench:
    def test_errors_and_a_part_are_said(self, tmp_path: Path) -> None:
        report = {**swe_bench(OLD_RIGHT), "total_instances": 300, "error_ids": ITEMS[:2]}
        facts = read_run(write(tmp_path / "a.json", report)).fingerprint
        assert facts["partial"] == "30 of 300 instances"
        assert facts["errors"] == "2 of 30 instances"

    def test_resolved_instances_alone_say_nothing_about_failures(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.json", {"no_generation": [], "resolved": ITEMS})
        with pytest.raises(FileError, match="expected the list submitted_ids or generated"):
            read_run(path)

    def test_an_instance_that_was_not_submitted(self, tmp_path: Path) -> None:
        report = {**swe_bench(OLD_RIGHT), "resolved_ids": ["sympy__sympy-1"]}
        with pytest.raises(FileError, match="got id 'sympy__sympy-1' elsewhere"):
            read_run(write(tmp_path / "a.json", report))


class TestEvalPlus:
    def test_all_tests_need_those_of_the_benchmark(self, tmp_path: Path) -> None:
        """As evalplus counts "base + extra": a solution passes if it passes both sets."""
        found = {"base_status": "timeout", "plus_status": "pass"}
        document = {"date": "", "hash": "h", "eval": {"HumanEval/0": [found]}}
        (record,) = read_run(write(tmp_path / "a.json", document))
        assert record.scores == {"plus": False, "base": False}

    def test_several_solutions_are_repeats(self, tmp_path: Path) -> None:
        solutions = [{"base_status": status(n > 0), "plus_status": None} for n in range(3)]
        document = {"hash": "h", "eval": {"Mbpp/2": solutions}}
        run = read_run(write(tmp_path / "a.json", document))
        assert [(r.repeat, r.scores) for r in run] == [
            ("0", {"base": False}),
            ("1", {"base": True}),
            ("2", {"base": True}),
        ]

    def test_base_is_chosen(self, tmp_path: Path) -> None:
        runs = [
            read_run(write(tmp_path / f"{n}.json", evalplus(right)))
            for n, right in enumerate((OLD_RIGHT, NEW_RIGHT))
        ]
        assert compare_runs(*runs, metric="base").counts.negative == 0


class TestOpenCompass:
    def suite(self, folder: Path, right: set[str]) -> Path:
        for model, answers in (("base", OLD_RIGHT), ("tuned", right)):
            for dataset in ("gsm8k", "mmlu_法律"):
                write(folder / "results" / model / f"{dataset}.json", opencompass(answers))
        return folder

    def test_a_run_of_several_models_and_datasets(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = str(self.suite(tmp_path / "20261001_101500", NEW_RIGHT))
        assert main(["compare", folder, "--old-model", "base", "--new-model", "tuned"]) == 0
        assert "2 items broke, 2 got fixed" in capsys.readouterr().out
        one = read_run(folder, model="tuned", task="mmlu_*")
        assert {record.task for record in one} == {"mmlu_法律"}
        with pytest.raises(FileError, match="got 'base', 'tuned': choose one with --model"):
            read_run(folder)

    def test_another_prompt_at_the_same_place(self, tmp_path: Path) -> None:
        turned = opencompass(OLD_RIGHT)
        turned["details"]["3"], turned["details"]["4"] = (
            turned["details"]["4"],
            turned["details"]["3"],
        )
        old = read_run(write(tmp_path / "a.json", opencompass(OLD_RIGHT)))
        with pytest.raises(MuscleMetricsError, match="prompt"):
            compare_runs(old, read_run(write(tmp_path / "b.json", turned)))

    def test_a_verdict_that_is_none(self, tmp_path: Path) -> None:
        document = opencompass(OLD_RIGHT)
        document["details"]["3"]["correct"] = "False"
        with pytest.raises(FileError, match="expected true or false as verdict of the item '3'"):
            read_run(write(tmp_path / "a.json", document))
