"""Messages about policies on the command line, baselines, growing logs, reports and tests."""

from __future__ import annotations

import os
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from muscle_metrics import Policy, Record, Run, cli, compare
from muscle_metrics.cli.reading import read_runs
from muscle_metrics.comparison.baseline import make_baseline
from muscle_metrics.gate.sequential import check_growing
from muscle_metrics.gate.stream import seeded_order
from muscle_metrics.integrations.pytest_plugin import ModelGate
from muscle_metrics.reports.files import append_text, check_target, write_text
from muscle_metrics.runs.readers.baseline import baseline_text, read_baseline

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "cli/baseline",
    "cli/candidates",
    "cli/compare",
    "cli/finding",
    "cli/gate",
    "cli/judging",
    "cli/like",
    "cli/metric_flags",
    "cli/mistakes",
    "cli/order",
    "cli/policy_flags",
    "cli/power",
    "cli/reading",
    "gate/candidates",
    "gate/sequential",
    "gate/stream",
    "integrations/pytest_plugin",
    "reports/files",
    "reports/markdown",
    "runs/readers/baseline",
]

OLD = Run(tuple(Record(f"q{i}", "A", "A") for i in range(99)), "v1")
HALF = Run(tuple(Record(f"q{i}", "AB"[i % 2], "A") for i in range(99)), "v1")
SCORED = Run(tuple(Record(f"q{i}", scores={"f1": 0.5}) for i in range(99)), "v1")
GROUPED = Run((Record("q1", "A", "A", group="g"), Record("q2", "A", "A", group="g")), "v1")
FILE = baseline_text(make_baseline(OLD))
HEAD, FIRST, *_ = FILE.splitlines()


def command(*arguments: str) -> object:
    """Run a command over two files, so that its errors come out."""
    for name in ("old.jsonl", "new.jsonl"):
        rows = (f'{{"id": {i}, "prediction": "A", "reference": "A"}}\n' for i in range(99))
        Path(name).write_text("".join(rows), encoding="utf-8")
    options = cli._parser().parse_args(arguments)
    return options.command(options)


gate = partial(command, "gate", "old.jsonl", "new.jsonl", "--max-nfr", "0.05")
compared = partial(command, "compare", "old.jsonl", "new.jsonl")
chosen = partial(command, "candidates", "old.jsonl", "new.jsonl")


def several(*arguments: str) -> object:
    Path("other.jsonl").write_text(
        "".join(f'{{"id": {i}, "prediction": "B", "reference": "A"}}\n' for i in range(99)), "utf-8"
    )
    return chosen(*arguments)


def text_by_itself() -> object:
    for name, text in (("old", "A\n"), ("new", "B\n")):
        Path(f"{name}.txt").write_text(text, encoding="utf-8")
    return command("compare", "old.txt", "new.txt", "--reference", "new.txt")


def protected() -> None:
    """Root may write everything, so that the answer of the system is replaced."""
    Path("gate.md").write_text("FAIL", encoding="utf-8")
    with patch("os.access", lambda path, mode: False):
        write_text("gate.md", "PASS")


def closed() -> None:
    with patch("sys.stdout", None):
        write_text("-", "PASS")


def elsewhere() -> object:
    """Outside of GitHub Actions, where these tests may run as well."""
    with patch.dict(os.environ):
        os.environ.pop("GITHUB_STEP_SUMMARY", None)
        return gate("--summary")


def moody() -> Callable[[list[str], list[str]], list[float]]:
    """Make a metric that finds everything right, and then everything wrong."""
    calls = count()
    return lambda answers, references: [float(next(calls) < 1)] * len(answers)


def grow(
    new: Run | None = None, old: Run = OLD, policy: Policy | None = None, **options: object
) -> object:
    order = Run(seeded_order(old, 7), "v2")
    return check_growing(old, new or order, policy or Policy(max_nfr="0.5"), seed=7, **options)


def baseline(*lines: str) -> object:
    path = Path("old.baseline")
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return read_baseline(path)


def growing_log(text: str) -> object:
    Path("old.jsonl").write_text(text, encoding="utf-8")
    options = cli._parser().parse_args(["gate", "v1.jsonl", "old.jsonl"])
    return read_runs(options, ["old.jsonl"], growing=True)


def model_gate(*arguments: object, **options: object) -> object:
    return ModelGate([], {"max_nfr": "0.05"}).assert_compatible(*arguments, **options)


def same() -> object:
    return compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)


CASES: dict[str, Callable[[], object]] = {
    "baseline file: another file": lambda: baseline('{"id": 1}'),
    "baseline file: another version": lambda: baseline(HEAD.replace(":1,", ":2,", 1)),
    "baseline file: cut short": lambda: baseline(HEAD, FIRST),
    "baseline file: no fingerprint": lambda: baseline(
        '{"muscle_metrics_baseline":1,"name":"v1","items":1}', FIRST
    ),
    "baseline file: no scores": lambda: baseline(HEAD, '{"id":"q1"}'),
    "baseline file: no score": lambda: baseline(HEAD, '{"id":"q1","scores":{}}'),
    "baseline file: null score": lambda: baseline(HEAD, '{"id":"q1","scores":{"f1":null}}'),
    "baseline file: number as id": lambda: baseline(HEAD, '{"id":1,"scores":{"f1":1}}'),
    "baseline file: unknown field": lambda: baseline(HEAD, HEAD),
    "cli: one run and no candidate": lambda: command("candidates", "old.jsonl"),
    "cli: two candidates of one name": lambda: several("new=other.jsonl"),
    "gate candidates: undecided ones that ship": lambda: several(
        "other.jsonl", "--max-nfr", "0.05", "--on-inconclusive", "pass"
    ),
    "gate candidates: so few for so many": lambda: several("other.jsonl", "--max-nfr", "0.031"),
    "cli: --flips of graded scores": lambda: command(
        "gate", "old.jsonl", "new.jsonl", "--metric", "chrf", "--max-nfr", "0.1", "--flips", "3"
    ),
    "cli: --json-items without JSON": lambda: compared("--json-items", "none"),
    "cli: --all-slices of a chain": lambda: command(
        "compare", "old.jsonl", "new.jsonl", "old.jsonl", "--all-slices"
    ),
    "cli: --flips of a chain": lambda: command(
        "compare", "old.jsonl", "new.jsonl", "old.jsonl", "--flips", "3"
    ),
    "cli: --bertscore-model without bertscore": lambda: compared("--bertscore-model", "encoder"),
    "cli: --metric bertscore without model": lambda: compared("--metric", "bertscore"),
    "cli: --stem without rouge": lambda: compared("--stem", "--metric", "chrf"),
    "cli: --stem against the metric": lambda: compared("--stem", "--metric", "rouge1(stem=false)"),
    "cli: two models of bertscore": lambda: compared(
        "--metric", "bertscore(model=a)", "--bertscore-model", "b"
    ),
    "cli: --baseline and two runs": lambda: gate("--baseline", "old.jsonl"),
    "cli: --find-slices by an engine": lambda: compared("--find-slices", "--engine", "duckdb"),
    "cli: --find-slices of a chain": lambda: command(
        "compare", "old.jsonl", "new.jsonl", "old.jsonl", "--find-slices"
    ),
    "cli: --find-field alone": lambda: compared("--find-field", "level"),
    "cli: --find-field that no row has": lambda: compared("--find-slices", "--find-field", "x"),
    "cli: --find-field of a pipe": lambda: command(
        "compare", "old.jsonl", "/dev/null", "--find-slices", "--find-field", "level"
    ),
    "cli: answers as their own references": lambda: compared(
        "--prediction-field", "prediction", "--reference-field", "prediction"
    ),
    "cli: a text file as its own reference": text_by_itself,
    "cli: --llm-comparator by an engine": lambda: compared(
        "--llm-comparator", "page.json", "--engine", "duckdb"
    ),
    "cli: --key without colon": lambda: compared("--key", "str.lower"),
    "cli: --key without function": lambda: compared("--key", "json:lower"),
    "cli: --key without file": lambda: compared("--key", "keys.py:lower"),
    "cli: --key without module": lambda: compared("--key", "no_such_module:lower"),
    "cli: --pinned without file": lambda: gate("--pinned", "pins.txt"),
    "cli: --policy and a table": lambda: gate("--policy", "gate.toml", "--protect", "math"),
    "cli: --key without --skip-wrong": lambda: command(
        "order", "old.jsonl", "--seed", "7", "--key", "builtins:str.strip"
    ),
    "cli: --look 2 without a plan": lambda: gate("--look", "2"),
    "cli: --looks of a policy beyond 2": lambda: Policy(max_nfr="0.05", looks=3),
    "cli: power: --groups without --items": lambda: command(
        "power", "--limit", "0.05", "--groups", "9"
    ),
    "cli: power: --largest-group alone": lambda: command(
        "power", "--limit", "0.05", "--largest-group", "9"
    ),
    "cli: power without a limit": lambda: command("power"),
    "cli: power with a limit and an accuracy": lambda: command(
        "power", "--limit", "0.05", "--old-accuracy", "0.9"
    ),
    "cli: like for a chain": lambda: command("compare", "1", "2", "3", "--like", "all"),
    "cli: --report-link alone": lambda: gate("--report-link", "https://ci.example/report.html"),
    "cli: --report-link of another kind": lambda: gate(
        "--markdown", "gate.md", "--report-link", "javascript:alert(1)"
    ),
    "cli: --seed alone": lambda: gate("--seed", "7"),
    "judging: --samples and an order": lambda: command(
        "order", "old.jsonl", "--seed", "7", "--skip-wrong", "--samples", "5"
    ),
    "cli: --sequential on an engine": lambda: gate(
        "--sequential", "--seed", "7", "--engine", "duckdb"
    ),
    "cli: --slice-limit twice": lambda: gate("--slice-limit", "a=0.1", "--slice-limit", "a=0.2"),
    "cli: --slice-limit without limit": lambda: gate("--slice-limit", "math"),
    "cli: --summary elsewhere": elsewhere,
    "cli: --where without value": lambda: compared("--where", "model"),
    "cli: a field twice for three runs": lambda: compared(
        "old.jsonl", "--id-field", "id", "--id-field", "id"
    ),
    "cli: one run": lambda: command("compare", "old.jsonl"),
    "cli: report over a run": lambda: compared("--json", "new.jsonl"),
    "cli: a run twice": lambda: command("compare", "old.jsonl", "./old.jsonl"),
    "cli: several metrics of a baseline": lambda: command(
        "baseline", "old.jsonl", "-o", "old.baseline", "--metric", "a", "--metric", "b"
    ),
    "cli: several metrics of a chain": lambda: compared(
        "old.jsonl", "--metric", "a", "--metric", "b"
    ),
    "growing: a broken line": lambda: growing_log('{"id"\n{"id'),
    "growing: another order": lambda: grow(Run(seeded_order(OLD, 8), "v2")),
    "growing: graded scores": lambda: grow(old=SCORED),
    "growing: graded scores of new alone": lambda: grow(
        Run(tuple(Record(r.id, scores={"f1": 0.5}) for r in seeded_order(OLD, 7)), "v2"),
        old=Run(tuple(Record(r.id, scores={"f1": 1.0}) for r in OLD), "v1"),
        score_range=(0, 1),
    ),
    "growing: groups": lambda: grow(old=GROUPED),
    "growing: groups of new alone": lambda: grow(
        Run(tuple(Record(r.id, "A", "A", group="g") for r in seeded_order(OLD, 7)), "v2")
    ),
    "growing: items left out": lambda: grow(unanswered="drop"),
    "growing: left out one that old got right": lambda: grow(
        Run(tuple(r for r in seeded_order(HALF, 7) if r.id != "q4"), "v2"), old=HALF
    ),
    "growing: judged otherwise": lambda: grow(metric=moody(), threshold=0.5),
    "growing: more than old holds": lambda: grow(
        Run((*seeded_order(OLD, 7), Record("z", "A", "A")), "v2")
    ),
    "policy: protected slices without a limit to keep": lambda: Policy(
        max_accuracy_loss="0.05", protected=("topic 1",)
    ),
    "policy: no limit on all items": lambda: Policy(max_conditional_nfr="0.05"),
    "policy: fewer changed answers than flips": lambda: Policy(
        max_churn="0.02", max_flip_rate="0.03"
    ),
    "growing: other limits": lambda: grow(policy=Policy(max_nfr="0.5", max_accuracy_loss="0.1")),
    "pytest: a comparison and a run": lambda: model_gate(same(), "new.jsonl"),
    "pytest: one run": lambda: model_gate("old.jsonl"),
    "reports: folder is missing": lambda: write_text(Path("no/such/gate.md"), "PASS"),
    "reports: output is a folder": lambda: check_target("."),
    "reports: output in no folder": lambda: check_target("no/such/gate.md"),
    "reports: a folder instead of a file": lambda: write_text(".", "PASS"),
    "reports: a protected file": protected,
    "reports: a closed standard output": closed,
    "reports: summary is a folder": lambda: append_text(Path(), "PASS"),
}
