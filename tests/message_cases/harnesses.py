"""Messages about the logs of harnesses; each case runs in an empty folder of its own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from muscle_metrics.comparison.judging import judge_runs
from muscle_metrics.runs.about import About
from muscle_metrics.runs.choice import Choice, narrow_run
from muscle_metrics.runs.files import json_object
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.harnesses import Harness, Recognised
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.joining.references import read_references
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.readers.lm_eval import run_from_lm_eval
from muscle_metrics.runs.record import Record, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WATCHED = [
    "runs/choice",
    "runs/harnesses",
    "runs/files/json_object",
    "runs/identity",
    "runs/origin",
    "runs/readers/lm_eval",
    "runs/readers/lm_eval_items",
    "runs/readers/lm_eval_rows",
]

SAMPLE = {
    "doc_id": 0,
    "doc_hash": "e3b0",
    "target": "4",
    "filtered_resps": ["4"],
    "metrics": ["exact_match"],
    "exact_match": 1.0,
}
TIME = "2026-11-23T07-13-39.347285"
TWO_FILTERS = Run(
    tuple(Record("1", "4", task="sums", filter=name) for name in ("strict", "loose")), "v1"
)


def write(name: str, *rows: Mapping[str, object]) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)))


def samples(*rows: Mapping[str, object], **options: object) -> object:
    return read_run(write_samples(*rows), format="lm-eval", **options)


def write_samples(*rows: Mapping[str, object]) -> str:
    write("old.jsonl", *rows)
    return "old.jsonl"


def changed_log() -> None:
    run = read_run(write_samples(SAMPLE), format="lm-eval")
    write("old.jsonl", SAMPLE, SAMPLE)
    assert run.origin is not None
    run.origin.check_unchanged()


def nameless(glimpse: Glimpse, choice: Choice) -> Run:
    """Read a log as a reader does that finds something wrong beyond its rows."""
    return Run((Record(""),), glimpse.path.name)


def folders(*names: str) -> object:
    for name in names:
        write(f"{name}/samples_sums_{TIME}.jsonl", SAMPLE)
    return read_run(".", format="lm-eval")


def opposite_directions() -> object:
    for task, higher in (("a", True), ("b", False)):
        write(f"samples_{task}_{TIME}{task == 'b':d}.jsonl", SAMPLE)
        directions = {"higher_is_better": {task: {"exact_match": higher}}}
        write(f"results_{TIME}{task == 'b':d}.json", directions)
    return read_run(".")


def evaluations(*results: Mapping[str, object], tasks: str = "ss") -> object:
    """Read a folder of one evaluation per task, each of a later time."""
    for number, (task, about) in enumerate(zip(tasks, results, strict=True)):
        write(f"samples_{task}_{TIME}{number}.jsonl", SAMPLE)
        if about:
            write(f"results_{TIME}{number}.json", about)
    return read_run(".")


def two_files_of_one_time() -> object:
    for ending in ("json", "jsonl"):
        write(f"samples_sums_{TIME}.{ending}", SAMPLE)
    return read_run(".")


def read_object(content: bytes, limit: int = 1 << 30) -> object:
    Path("old.json").write_bytes(content)
    with patch.object(json_object, "OBJECT_LIMIT", limit):
        return json_object.read_json_object(Path("old.json"))


def judge(*records: Record, lower: frozenset[str] = frozenset(), is_log: bool = True) -> object:
    run = Run(records, "v1", {}, lower, is_log)
    return judge_runs(pair_runs(run, run))


def scored(task: str, **scores: float) -> Record:
    return Record("1", "A", "A", scores=scores, task=task)


def archived(**entries: str) -> object:
    with zipfile.ZipFile("old.eval", "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return read_run("old.eval", format="inspect_ai")


def cut_archive() -> object:
    Path("old.eval").write_bytes(b"PK\x03\x04")
    return read_run("old.eval")


CASES: dict[str, Callable[[], object]] = {
    "harness: a log that is wrong as a whole": lambda: Recognised(
        Harness("mine", str, nameless, About("mine", "", frozenset())), "rows"
    ).read(Glimpse(Path("old.json")), Choice()),
    "logs: unknown task": lambda: narrow_run(TWO_FILTERS, Choice(task="total")),
    "logs: a task where none is named": lambda: narrow_run(
        Run((Record("1", "A"),), "v1"), Choice(task="sums")
    ),
    "logs: a filter where none is named": lambda: narrow_run(
        Run((Record("1", "A", task="sums"),), "v1"), Choice(task="sums", filter="strict")
    ),
    "logs: unknown filter": lambda: narrow_run(TWO_FILTERS, Choice(filter="maj@8")),
    "logs: several filters": lambda: narrow_run(TWO_FILTERS, Choice()),
    "logs: a field named": lambda: samples(SAMPLE, score_field="exact_match"),
    "logs: a field that no row has": lambda: samples(SAMPLE, slice_field="doc.topic"),
    "logs: changed since it was read": changed_log,
    "logs: a task of a plain file": lambda: read_run("old.csv", task="sums"),
    "logs: unknown format of references": lambda: read_references("old.xml", format="xml"),
    "logs: no score": lambda: judge(Record("1", "A", "A")),
    "logs: a score missing": lambda: judge(Record("1", "A"), Record("2", scores={"acc": 1.0})),
    "logs: graded beside verdicts": lambda: judge(scored("a", acc=1.0), scored("b", f1=0.5)),
    "logs: two directions": lambda: judge(
        scored("a", acc=1.0), scored("b", ter=1.0), lower=frozenset({"ter"})
    ),
    "logs: a task without the score": lambda: judge_runs(
        pair_runs(*[Run((scored("a", acc=1.0), scored("b", f1=1.0)), "v1")] * 2), metric="acc"
    ),
    "logs: other directions": lambda: pair_runs(
        Run((scored("a", ter=1.0),), "v1", {}, frozenset({"ter"})),
        Run((scored("a", ter=1.0),), "v2"),
    ),
    "object: too long": lambda: read_object(b'{"a": 1}', limit=4),
    "object: other encoding": lambda: read_object(b'{\n"a": "caf\xe9"}'),
    "object: cut short": lambda: read_object(b'{\n"a": '),
    "object: two values": lambda: read_object(b"{}\n{}"),
    "lm-eval: no row": lambda: samples(),
    "lm-eval: not a row": lambda: samples(SAMPLE, {"doc_id": 1}),
    "lm-eval: other encoding": lambda: [
        Path("old.jsonl").write_bytes(b'{"a": "caf\xe9"}'),
        read_run("old.jsonl", format="lm-eval"),
    ],
    "lm-eval: answers no list": lambda: samples(SAMPLE | {"filtered_resps": "4"}),
    "lm-eval: metrics no list": lambda: samples(SAMPLE | {"metrics": "acc"}),
    "lm-eval: a document twice": lambda: samples(SAMPLE, SAMPLE | {"filter": "none"}, SAMPLE),
    "lm-eval: several models": lambda: folders("a", "b"),
    "lm-eval: two few-shot settings": lambda: evaluations(
        {"n-shot": {"s": 5}}, {"n-shot": {"s": 0}}
    ),
    "lm-eval: two models": lambda: evaluations(
        {"model_name": "one"}, {"model_name": "two"}, tasks="ab"
    ),
    "lm-eval: arguments with a secret": lambda: evaluations(
        {"config": {"model_args": "api_key=0123456789"}}, {"config": {"model_args": "x=1"}}
    ),
    "lm-eval: a rerun without results": lambda: evaluations({}, {"model_name": "one"}),
    "lm-eval: a time without results": lambda: evaluations({}, {"model_name": "one"}, tasks="ab"),
    "lm-eval: a task twice at one time": two_files_of_one_time,
    "lm-eval: directions of tasks": opposite_directions,
    "lm-eval: no samples in memory": lambda: run_from_lm_eval({"results": {}}),
    "inspect_ai: cut short": cut_archive,
    "inspect_ai: a stranger in the archive": lambda: archived(**{"../a.json": "{}"}),
    "inspect_ai: a key twice": lambda: archived(**{"header.json": '{"a": 1, "a": 2}'}),
}
