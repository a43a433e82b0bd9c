"""Damage to the log of the new model never lets a gate pass, whichever harness wrote it.

Of 30 items one breaks. With a limit of 12 % that is no PASS. Without the broken item it would be
one, so any damage that hides it shows. The broken item is not the first.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from muscle_metrics import Policy, check_gate, compare_runs
from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.runs.read import read_run
from tests.runs.readers import log_writers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from muscle_metrics.runs.record import Run
    from tests.runs.readers.log_writers import Answers, Files

QUESTIONS = [f"вопрос {number}?" for number in range(30)]
BROKEN = 17
POLICY = Policy(max_nfr="0.12")

# What a user may choose about items that cannot be compared.
CHOICES: list[dict[str, Any]] = [
    {},
    {"missing": "drop"},
    {"unanswered": "drop"},
    {"unanswered": "wrong"},
    {"missing": "drop", "unanswered": "drop", "conflict": "drop"},
    {"missing": "drop", "unanswered": "drop", "conflict": "own"},
    {"missing": "drop", "unanswered": "drop", "conflict": "last"},
]

Rows = list[dict[str, Any]]


def promptfoo_rows(is_right: Callable[[int], bool]) -> Rows:
    return [
        {
            "success": is_right(number),
            "failureReason": int(not is_right(number)),
            "gradingResult": {"pass": is_right(number)},
            "prompt": {"raw": question, "label": "plain"},
            "promptId": "p",
            "promptIdx": 0,
            "provider": {"id": "echo", "label": ""},
            "response": {"output": "4" if is_right(number) else "5"},
            "testCase": {"vars": {"q": question}, "assert": [{"type": "equals", "value": "4"}]},
            "testIdx": number,
            "vars": {"q": question},
        }
        for number, question in enumerate(QUESTIONS)
    ]


def deepeval_rows(is_right: Callable[[int], bool]) -> Rows:
    return [
        {
            "name": question,
            "input": question,
            "actualOutput": "4" if is_right(number) else "5",
            "expectedOutput": "4",
            "success": is_right(number),
            "metricsData": [{"name": "EM", "score": float(is_right(number))}],
        }
        for number, question in enumerate(QUESTIONS)
    ]


def openai_rows(is_right: Callable[[int], bool]) -> Rows:
    return [
        {
            "run_id": "r",
            "event_id": number,
            "sample_id": question,
            "type": "match",
            "data": {
                "correct": is_right(number),
                "expected": "4",
                "sampled": "4" if is_right(number) else "5",
            },
        }
        for number, question in enumerate(QUESTIONS)
    ]


def trace_rows(is_right: Callable[[int], bool]) -> Rows:
    return [
        {
            "trace_id": f"tr-{number}",
            "state": "OK",
            "request": {"q": question},
            "response": "4" if is_right(number) else "5",
            "assessments": [
                {"assessment_name": "em", "feedback": {"value": is_right(number)}},
                {"assessment_name": "expected_response", "expectation": {"value": "4"}},
            ],
        }
        for number, question in enumerate(QUESTIONS)
    ]


def inspect_rows(is_right: Callable[[int], bool]) -> Rows:
    return [
        {
            "id": question,
            "epoch": 1,
            "input": question,
            "target": "4",
            "messages": [],
            "output": {
                "model": "m",
                "choices": [
                    {
                        "message": {
                            "role": "assistant",
                            "content": "4" if is_right(number) else "5",
                        }
                    }
                ],
            },
            "scores": {"em": {"value": "yes" if is_right(number) else "no"}},
        }
        for number, question in enumerate(QUESTIONS)
    ]


def lines(rows: Rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def promptfoo_document(rows: Rows) -> str:
    return json.dumps({"evalId": "e", "results": {"version": 3, "results": rows}})


def openai_lines(rows: Rows) -> str:
    spec = {"completion_fns": ["tiny"], "eval_name": "sums.s1.v0", "run_id": "r"}
    return lines([{"spec": spec}, *rows, {"final_report": {"accuracy": 0.5}}])


def inspect_document(rows: Rows) -> str:
    spec = {
        "run_id": "r",
        "created": "2026-11-23T07:40:17+00:00",
        "task": "sums",
        "task_id": "t",
        "dataset": {"name": "tiny", "samples": len(QUESTIONS)},
        "model": "m",
        "config": {"epochs": 1},
    }
    plan = {"steps": [{"solver": "generate", "params": {}}], "config": {}}
    log = {"version": 2, "status": "success", "eval": spec, "plan": plan, "samples": rows}
    return json.dumps(log)


def table(rows: Rows) -> str:
    columns = ["inputs", "targets", "outputs", "em/score"]
    data = [[row.get("request"), "4", row.get("response"), score_of_trace(row)] for row in rows]
    return json.dumps({"columns": columns, "data": data})


def score_of_trace(row: dict[str, Any]) -> Any:
    try:
        return row["assessments"][0]["feedback"]["value"]
    except (KeyError, IndexError, TypeError):
        return None


def rows_of(
    write: Callable[[Answers, Answers], Files], name: str
) -> Callable[[Callable[[int], bool]], Rows]:
    """Rows that a writer of whole logs puts into the file of a name."""

    def rows(is_right: Callable[[int], bool]) -> Rows:
        answers = {question: "4" if is_right(n) else "5" for n, question in enumerate(QUESTIONS)}
        content = write(answers, dict.fromkeys(QUESTIONS, "4"))[name]
        found = [json.loads(line) for line in content.splitlines()]
        return found if name.endswith(".jsonl") else found[0]

    return rows


class Log(NamedTuple):
    name: str
    rows: Callable[[Callable[[int], bool]], Rows]
    text: Callable[[Rows], str]


LOGS = {
    "promptfoo": Log("out.json", promptfoo_rows, promptfoo_document),
    "promptfoo lines": Log("out.jsonl", promptfoo_rows, lines),
    "deepeval": Log("run.json", deepeval_rows, lambda rows: json.dumps({"testCases": rows})),
    "openai-evals": Log("events.jsonl", openai_rows, openai_lines),
    "mlflow": Log("eval_results_table.json", trace_rows, table),
    "mlflow traces": Log("traces.jsonl", trace_rows, lines),
    "inspect_ai": Log("log.json", inspect_rows, inspect_document),
    "nemo-evaluator": Log(
        "results.jsonl", rows_of(log_writers.nemo_evaluator, "results.jsonl"), lines
    ),
    "nemo-gym": Log("rollouts.jsonl", rows_of(log_writers.nemo_gym, "rollouts.jsonl"), lines),
    "mmlu-pro": Log("law.json", rows_of(log_writers.mmlu_pro, "sums_result.json"), json.dumps),
    "zeroeval": Log("tiny.json", rows_of(log_writers.zero_eval, "tiny.json"), json.dumps),
    "mt-bench": Log("gpt-4.jsonl", rows_of(log_writers.mt_bench, "gpt-4_single.jsonl"), lines),
}
every_log = pytest.mark.parametrize("log", LOGS)


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str, str, str], Path]:
    def write(log: str, side: str, text: str) -> Path:
        if log == "inspect_ai":
            pytest.importorskip("inspect_ai")
        path = tmp_path / side / LOGS[log].name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def broken_rows(log: str) -> Rows:
    return LOGS[log].rows(lambda number: number != BROKEN)


def read(log: str, path: Path) -> Run:
    return read_run(path, format=log.partition(" ")[0])


def outcomes(log: str, old: Run, path: Path) -> set[str]:
    """Verdicts of a gate under every choice, or the refusal of a log that cannot be compared."""
    try:
        new = read(log, path)
    except MuscleMetricsError:
        return {"refused"}
    return {outcome([old, new], choices) for choices in CHOICES}


def outcome(runs: list[Run], choices: dict[str, Any]) -> str:
    try:
        return check_gate(compare_runs(*runs, **choices), POLICY).outcome
    except MuscleMetricsError:
        return "refused"


def places(value: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to every value inside of a row."""
    if keys:
        yield keys
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from places(part, (*keys, key))


KINDS = ("null", "blank", "empty", "remove", "rename", "garble")


def damaged(
    row: dict[str, Any], kinds: Sequence[str] = KINDS
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Copies of a row, each with one value nulled, blanked, emptied, removed or renamed."""
    for *keys, last in places(row):
        for kind in kinds:
            copy = json.loads(json.dumps(row))
            node = copy
            for key in keys:
                node = node[key]
            if kind == "remove":
                del node[last]
            elif kind == "rename":
                if not isinstance(node, dict):
                    continue
                node[f"{last}_"] = node.pop(last)
            else:
                node[last] = {"null": None, "blank": "", "empty": [], "garble": "�x"}[kind]
            yield f"{kind} {[*keys, last]}", copy


@every_log
def test_the_broken_item_alone_decides(log: str, save: Callable[[str, str, str], Path]) -> None:
    rows = LOGS[log].rows(lambda _: True)
    old = read(log, save(log, "old", LOGS[log].text(rows)))
    broken = save(log, "new", LOGS[log].text(broken_rows(log)))
    assert outcomes(log, old, broken) == {"INCONCLUSIVE"}
    # An equal run passes, unless the gate takes it for a copy.
    assert outcomes(log, old, save(log, "new", LOGS[log].text(rows))) <= {"PASS", "INVALID"}


@every_log
def test_no_damage_to_the_broken_item_passes(
    log: str, save: Callable[[str, str, str], Path]
) -> None:
    old = read(log, save(log, "old", LOGS[log].text(LOGS[log].rows(lambda _: True))))
    rows = broken_rows(log)
    before, row, after = rows[:BROKEN], rows[BROKEN], rows[BROKEN + 1 :]
    damages = [("drop", []), ("twice", [row, row]), ("of another", [rows[3]])]
    damages += [(name, [copy]) for name, copy in damaged(row)]
    for name, changed in damages:
        new = save(log, "new", LOGS[log].text([*before, *changed, *after]))
        assert "PASS" not in outcomes(log, old, new), name


# MMLU-Pro records answers alone.
@pytest.mark.parametrize("log", [log for log in LOGS if log != "mmlu-pro"])
def test_no_damage_to_every_item_passes(log: str, save: Callable[[str, str, str], Path]) -> None:
    """The answer of the broken item equals its reference: its score alone shows that it broke."""
    old = read(log, save(log, "old", LOGS[log].text(LOGS[log].rows(lambda _: True))))
    rows = json.loads(json.dumps(broken_rows(log)).replace('"5"', '"4"'))
    assert outcomes(log, old, save(log, "new", LOGS[log].text(rows))) == {"INCONCLUSIVE"}
    damages = [damaged(row, ("null", "remove")) for row in rows]
    for changed in zip(*damages, strict=True):
        new = save(log, "new", LOGS[log].text([row for _, row in changed]))
        assert "PASS" not in outcomes(log, old, new), changed[0][0]


@every_log
def test_no_shortened_log_passes(log: str, save: Callable[[str, str, str], Path]) -> None:
    old = read(log, save(log, "old", LOGS[log].text(LOGS[log].rows(lambda _: True))))
    text = LOGS[log].text(broken_rows(log))
    # Steps that fall on any part of a row, shorter ones at the end.
    ends = [*range(0, len(text) - 300, 211), *range(len(text) - 300, len(text) - 1, 7)]
    for end in ends:
        assert "PASS" not in outcomes(log, old, save(log, "new", text[:end])), end


@every_log
def test_no_file_of_part_of_the_rows_passes(
    log: str, save: Callable[[str, str, str], Path]
) -> None:
    old = read(log, save(log, "old", LOGS[log].text(LOGS[log].rows(lambda _: True))))
    rows = broken_rows(log)
    for kept in ([], rows[:BROKEN], rows[BROKEN + 1 :], rows[:1], rows[:BROKEN] * 2):
        assert "PASS" not in outcomes(log, old, save(log, "new", LOGS[log].text(kept)))
