"""NVIDIA NeMo Evaluator: a folder for each benchmark, with a row for each answer.

::

    <output>/<benchmark>/results.jsonl
    {"problem_idx": 7, "repeat": 0, "reward": 1.0, "prompt": "2+2", "model_response": "It is 4",
     "extracted_answer": "4", "expected_answer": "4", "scoring_details": {}, "metadata": {}}
    <output>/<benchmark>/eval-20260101T120000Z-sums.json
    {"run_id": "eval-...", "config": {"model": "m"}, "benchmark": {"name": "sums"}, "n_results": 1}

Containers of other harnesses leave ``results.yml`` with mean scores alone. An answer whose model or
judge failed has reward 0 and an error.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES, About
from muscle_metrics.runs.details import Details, completed
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.log_fields import (
    answer_at,
    digest,
    object_at,
    object_from,
    reference_at,
    scores_from,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, count_share, known_parts
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.run_parts import RunPart, join_parts, parts_of_one_model
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "NVIDIA NeMo Evaluator",
    "`results.jsonl` and `eval-*.json` of a benchmark, a folder of them",
    frozenset({ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES}),
    texts=("question", "response"),
    fields="metadata.category",
    page="nemo",
)

_RESULTS, _BUNDLE, _LEGACY = "results.jsonl", "eval-*.json", "results.yml"
_FIELDS = {"problem_idx", "repeat", "model_response", "scoring_details"}
# A folder of data may hold millions of files; a folder of logs does not.
_MOST_LOOKED_AT = 1000
_REWARD = "reward"
_ONLY_MEANS = (
    f"expected {_RESULTS} with a row for each answer, got mean scores alone: name the log of the "
    f"harness that was run, such as a folder with samples_*.jsonl of lm-eval"
)


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise rows by their fields, a bundle by its keys, a folder by such files in it."""
    path = glimpse.path
    if not glimpse.is_folder:
        return _reason_of(glimpse)
    names = (_RESULTS, _BUNDLE, _LEGACY)
    files = (file for name in names for file in islice(path.rglob(name), _MOST_LOOKED_AT))
    return next(filter(None, (_reason_of(glimpse.glimpse(file)) for file in files)), None)


def _reason_of(glimpse: Glimpse) -> str | None:
    if glimpse.row.keys() >= _FIELDS:
        return "its rows have problem_idx and model_response"
    start = b"".join(glimpse.start.split())
    if start.startswith(b'{"run_id":"eval-') and b'"config_hash":' in start:
        return "it has run_id and config_hash"
    is_legacy = glimpse.path.name == _LEGACY and b"results:" in start and b"tasks:" in start
    return "it holds mean scores of tasks" if is_legacy else None


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per answer of every benchmark.

    Parameters
    ----------
    glimpse : Glimpse
        The rows or the bundle of a benchmark, its folder, or a folder above it.
    choice : Choice
        With a task, other benchmarks are not read; with a model, those of other models.

    Raises
    ------
    FileError
        If a file is damaged, or holds no answers.
    InputError
        If there are mean scores alone, several models, or one benchmark twice.
    """
    path = glimpse.path
    if glimpse.is_folder:
        # A benchmark without rows is refused, and not left out.
        files = {
            file.parent / _RESULTS for name in (_RESULTS, _BUNDLE) for file in path.rglob(name)
        }
        found = [_part(file) for file in sorted(files)]
        parts = parts_of_one_model(found, path, choice, "NeMo Evaluator benchmark")
    else:
        parts = [_part(path if glimpse.row.keys() >= _FIELDS else path.with_name(_RESULTS))]
    for part in parts:
        # The user named a file, or a folder that may hold many benchmarks.
        with ErrorsAt(part.path.parent if glimpse.is_folder else path):
            if not part.path.is_file():
                raise InputError(_ONLY_MEANS)
    if not parts:
        raise InputError(_ONLY_MEANS)
    runs = [_read_part(part, choice) for part in parts]
    return join_parts(runs, parts[0].model or path.stem)


def _part(path: Path) -> RunPart:
    """Rows of a benchmark, which the bundle beside them names."""
    about = _bundle_beside(path)
    with ErrorsAt(path):
        task = text_at(object_at(about, "benchmark"), "name")
        return RunPart(path, task, text_at(object_at(about, "config"), "model"))


def _bundle_beside(path: Path) -> Mapping[str, object]:
    """Read the newest bundle beside some rows: a rerun writes the rows anew, and adds a bundle."""
    bundles = sorted(path.parent.glob(_BUNDLE))
    return read_json_object(bundles[-1]) if bundles else {}


def _read_part(part: RunPart, choice: Choice) -> Run:
    path, rows, failed = part.path, [], 0
    for number, row in read_jsonl(path):
        with ErrorsAt(path, number, line_of):
            is_failed = _is_failed(row)
            failed += is_failed
            record = _record(row, part.task, is_failed=is_failed)
            rows.append(completed(record, row, choice, partial(_details, row)))
    about = _bundle_beside(path)
    with ErrorsAt(path):
        if not rows:
            raise InputError("expected a row for each answer, got none: run the evaluation again")
        if len({record.repeat for record in rows}) == 1:
            rows = [replace(record, repeat=None) for record in rows]
        facts = _fingerprint(about, len(rows), failed)
        return Run(tuple(rows), part.model or path.parent.name, facts, main_first=True)


def _record(row: Mapping[str, object], task: str | None, *, is_failed: bool) -> Record:
    answer = "model_response" if row.get("extracted_answer") is None else "extracted_answer"
    return Record(
        id_of(row.get("problem_idx"), "problem_idx"),
        None if is_failed else answer_at(row, answer),
        reference_at(row, "expected_answer"),
        {} if is_failed else _scores(row),
        task=task,
        slice=text_at(object_at(row, "metadata"), "category"),
        prompt=text_at(row, "prompt"),
        repeat=text_at(row, "repeat") or "0",
    )


def _details(row: Mapping[str, object]) -> Details:
    return Details(text_at(row, "prompt"), text_at(row, "model_response"))


def _is_failed(row: Mapping[str, object]) -> bool:
    """Whether the model or the judge failed, which NeMo Evaluator scores 0."""
    details = object_at(row, "scoring_details")
    parts = (details, object_at(details, "judge"))
    return any(part.get("error") is not None for part in parts)


def _scores(row: Mapping[str, object]) -> dict[str, float]:
    """Return the reward, and the rewards of scorers that did not fail."""
    details = object_at(row, "scoring_details")
    others = {
        name: value
        for name, value in object_at(row, "scorer_rewards").items()
        if object_from(details.get(name), name).get("error") is None
    }
    return scores_from({_REWARD: row.get(_REWARD)}) | scores_from(others)


def _fingerprint(about: Mapping[str, object], total: int, failed: int) -> Mapping[str, str]:
    config, counted = object_at(about, "config"), about.get("n_results")
    asked, scorers = config.get("system_prompt"), config.get("scorers")
    is_partial = isinstance(counted, int) and counted > total
    return known_parts(
        {
            "model": text_at(config, "model"),
            "dataset": text_at(object_at(about, "benchmark"), "name"),
            "prompt": digest(asked) if asked else None,
            "scorer": digest(scorers) if scorers else None,
            "harness_version": text_at(about, "sdk_version"),
            "date": text_at(about, "timestamp"),
            "partial": f"{total} of {counted} answers" if is_partial else None,
            "errors": count_share(failed, total, "answers"),
        }
    )
