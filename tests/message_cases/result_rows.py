"""Messages about rows and lists of results: NeMo, MMLU-Pro, ZeroEval, MT-bench, and their parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "runs/run_parts",
    "runs/readers/helm_folders",
    "runs/readers/mmlu_pro",
    "runs/readers/mt_bench",
    "runs/readers/nemo_evaluator",
    "runs/readers/nemo_gym",
    "runs/readers/zero_eval",
]

ROW = {"problem_idx": 0, "repeat": 0, "model_response": "4", "scoring_details": {}}
QUESTION = {"question_id": 1, "question": "q", "options": ["a"], "answer": "A", "pred": "A"}
PARSED = {"session_id": 1, "chat_history": ["q"], "generator": "m"}
JUDGMENT = {"question_id": 81, "judgment": "", "score": 7, "turn": 1}
PAIR = {"question_id": 81, "model_1": "a", "model_2": "b", "g1_winner": "tie", "judge": []}


def save(name: str, content: object) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = content if name.endswith(".jsonl") and isinstance(content, list) else [content]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def read(harness: str, name: str, content: object, **options: Any) -> object:
    save(name, content)
    return read_run(name, format=harness, **options)


def folder(harness: str, files: dict[str, object], **options: Any) -> object:
    for name, content in files.items():
        save(name, content)
    return read_run(".", format=harness, **options)


def lists(*names: str) -> dict[str, object]:
    return {name: [{**PARSED, "dataset": "gsm", "matched": True}] for name in names}


CASES: dict[str, Callable[[], object]] = {
    "parts: several models": lambda: folder("zeroeval", lists("gsm/a.json", "gsm/b.json")),
    "parts: a model that is not there": lambda: folder(
        "zeroeval", lists("gsm/a.json"), model="tuned"
    ),
    "parts: a task twice": lambda: folder("zeroeval", lists("x/a.json", "y/a.json")),
    "parts: a task without a name twice": lambda: folder(
        "nemo-evaluator", {"a/results.jsonl": [ROW], "b/results.jsonl": [ROW]}
    ),
    "nemo-evaluator: mean scores alone": lambda: folder("nemo-evaluator", {"results.yml": "x"}),
    "nemo-evaluator: a bundle without rows": lambda: read(
        "nemo-evaluator", "eval-a.json", {"run_id": "eval-a"}
    ),
    "nemo-evaluator: no rows": lambda: read("nemo-evaluator", "results.jsonl", []),
    "nemo-gym: aggregate metrics": lambda: read(
        "nemo-gym", "means.json", [{"agent_ref": {}, "agent_metrics": {}}]
    ),
    "nemo-gym: no rollouts": lambda: folder("nemo-gym", {"rollouts.jsonl": []}),
    "nemo-gym: no rows": lambda: read("nemo-gym", "rollouts.jsonl", []),
    "mmlu-pro: no answers": lambda: read("mmlu-pro", "law.json", []),
    "mmlu-pro: no letter": lambda: read("mmlu-pro", "law.json", [{**QUESTION, "answer": None}]),
    "mmlu-pro: a question in two lists": lambda: folder(
        "mmlu-pro", {"law.json": [QUESTION], "sums.json": [QUESTION]}
    ),
    "mmlu-pro: several models": lambda: folder(
        "mmlu-pro", {"a/law.json": [QUESTION], "b/law.json": [QUESTION]}
    ),
    "zeroeval: no lists": lambda: folder("zeroeval", {"notes.json": {}}),
    "zeroeval: no answers": lambda: read("zeroeval", "m.json", []),
    "zeroeval: no verdict": lambda: read("zeroeval", "m.json", [PARSED]),
    "zeroeval: a verdict that is none": lambda: read(
        "zeroeval", "m.json", [{**PARSED, "matched": "yes"}]
    ),
    "mt-bench: no judgments": lambda: read("mt-bench", "j.jsonl", []),
    "mt-bench: pairwise": lambda: read("mt-bench", "j.jsonl", [PAIR]),
    "mt-bench: no model": lambda: read("mt-bench", "j.jsonl", [JUDGMENT]),
    "mt-bench: no template": lambda: read(
        "mt-bench", "j.jsonl", [{**JUDGMENT, "model": "m", "judge": ["gpt-4"]}]
    ),
    "mt-bench: several models": lambda: read(
        "mt-bench",
        "j.jsonl",
        [{**JUDGMENT, "model": model, "judge": ["gpt-4", "single-v1"]} for model in "ab"],
    ),
}
