"""lm-evaluation-harness: the folder of a run, one samples file, or the results in memory."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.about import ANSWERS, REFERENCES, SCORES, About
from muscle_metrics.runs.choice import Choice, narrow_run
from muscle_metrics.runs.columns import MissingFieldError
from muscle_metrics.runs.files.json_stream import read_json_array
from muscle_metrics.runs.identity import SKIPPED
from muscle_metrics.runs.logs import digest_settings, known_parts
from muscle_metrics.runs.readers.lm_eval_details import add_details, documents_of
from muscle_metrics.runs.readers.lm_eval_files import (
    choose_files,
    files_without_time,
    holds_samples,
    is_results,
    without_addresses,
)
from muscle_metrics.runs.readers.lm_eval_items import number_samples
from muscle_metrics.runs.readers.lm_eval_rows import (
    LOWER_IS_BETTER,
    Sample,
    holds_sample_list,
    is_sample,
    needs_choices,
    read_sample,
    read_sample_lines,
)
from muscle_metrics.runs.record import Run
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import line_of, list_names, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muscle_metrics.runs.choice import ByTask
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise", "run_from_lm_eval"]

ABOUT = About(
    "lm-evaluation-harness",
    "`samples_<task>_<time>.jsonl`, `results_<time>.json`, a folder of them; those "
    "of lmms-eval and of the Open LLM Leaderboard 2",
    frozenset({ANSWERS, REFERENCES, SCORES}),
    texts=("question", "response", "options"),
    fields="doc.subject",
    page="lm-eval",
)

# Settings of a task that decide how an answer is scored, and those that decide the prompt.
_SCORING = ("output_type", "metric_list", "filter_list", "process_results", "doc_to_target")
_PROMPTING = ("doc_to_text", "doc_to_choice", "description", "fewshot_split", "target_delimiter")


class _Task(NamedTuple):
    """A task, its samples, and the results that were written beside them."""

    name: str | None
    samples: list[Sample]
    results: Mapping[str, Any]


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise a folder by its samples files, a file by its first row, or as results by name."""
    path = glimpse.path
    if glimpse.is_folder:
        if holds_samples(path):
            return "it holds samples_*.jsonl"
        old = [file for files in files_without_time(path).values() for file in files]
        is_old = any(_holds_samples(glimpse.glimpse(file.path)) for file in old)
        return "it holds samples beside results.json" if is_old else None
    if _holds_samples(glimpse):
        return "its rows have doc_id, filtered_resps and target"
    return "samples of its time are beside it" if is_results(path) else None


def _holds_samples(file: Glimpse) -> bool:
    return is_sample(file.row) or holds_sample_list(file.start)


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read every task of a run's folder, or of one evaluation, or one samples file.

    Parameters
    ----------
    glimpse : Glimpse
        What `choose_files` takes: a folder with one model, results, or one samples file.
    choice : Choice
        Files of other tasks are not opened. The metric decides which choice a prediction shows.

    Raises
    ------
    FileError
        If a file cannot be read to its end, or a row is not one that the harness writes.
    InputError
        If a folder holds several models or configurations, or a metric is better when higher in
        one task and when lower in another.
    """
    found = choose_files(glimpse.path, choice)
    tasks = [
        _Task(
            file.task or None,
            _read_samples(glimpse.glimpse(file.path), choice.metric_of(file.task), choice),
            found.results[file.time],
        )
        for file in found.files
    ]
    return _run(tasks, glimpse.path.name, found.lost, found.skipped)


def run_from_lm_eval(
    results: Mapping[str, Any],
    *,
    task: str | None = None,
    filter: ByTask = None,  # noqa: A002
    metric: ByTask = None,
    name: str | None = None,
) -> Run:
    """Make a run of the results of ``lm_eval.simple_evaluate(..., log_samples=True)``.

    Parameters
    ----------
    results : mapping
        The results, with ``samples``.
    task, filter, metric : str or mapping, optional
        As in `read_run`.
    name : str, optional
        Name of the run; by default that of the model.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If there are no samples, or a sample is not one that the harness makes.
    UsageError
        If a task has several filters and none was chosen.

    Examples
    --------
    >>> sample = {"doc_id": 0, "doc_hash": "e3b0", "target": 4, "filtered_resps": ["4"],
    ...           "filter": "none", "metrics": ["exact_match"], "exact_match": 1.0}
    >>> run = run_from_lm_eval({"samples": {"sums": [sample]}}, name="v1")
    >>> run.records[0].reference, run.records[0].scores
    ('4', {'exact_match': 1.0})
    """
    choice = Choice(task, filter, metric)
    by_task = results.get("samples")
    if not isinstance(by_task, dict) or not by_task:
        raise InputError("expected results with samples, got none: pass log_samples=True")
    tasks = [
        _Task(key, [read_sample(row, choice.metric_of(key)) for row in rows], results)
        for key, rows in sorted(by_task.items())
        if rows
    ]
    run = _run(tasks, "lm-eval", [])
    described = {"format": "lm-eval (in memory)", "harness": "lm-eval", **run.fingerprint}
    run = replace(run, name=name or run.name, fingerprint=MappingProxyType(described), is_log=True)
    return narrow_run(run, choice)


def _run(tasks: list[_Task], fallback: str, lost: list[str], skipped: str | None = None) -> Run:
    by_task = [number_samples(task.samples, task.name) for task in tasks]
    documents = [len({record.id for record in records}) for records in by_task]
    return Run(
        tuple(record for records in by_task for record in records),
        # Without the arguments of the model, which may hold secrets.
        _of_run(tasks, "model_name") or fallback,
        known_parts({**_fingerprint(tasks, documents, lost), SKIPPED: skipped}),
        _lower_is_better(tasks),
        main_first=True,
    )


def _lower_is_better(tasks: list[_Task]) -> frozenset[str]:
    directions: dict[str, set[bool]] = {}
    for task in tasks:
        higher = _object_of_task(task, "higher_is_better")
        for metric in {metric for sample in task.samples for metric in sample.scores}:
            is_lower = higher[metric] is False if metric in higher else metric in LOWER_IS_BETTER
            directions.setdefault(metric, set()).add(is_lower)
    mixed = sorted(metric for metric, found in directions.items() if len(found) > 1)
    if mixed:
        raise InputError(
            f"expected one direction per metric, got {list_names(mixed)} better when higher in one "
            f"task and when lower in another: choose one with --task (task=)"
        )
    return frozenset(metric for metric, found in directions.items() if found == {True})


def _fingerprint(tasks: list[_Task], documents: list[int], lost: list[str]) -> Mapping[str, str]:
    """Return the facts that must be equal in two runs, and the faults of this one.

    Parameters
    ----------
    tasks : list of _Task
        Tasks that were read.
    documents : list of int
        Number of documents of each task.
    lost : list of str
        Tasks that were evaluated, but whose samples files are missing.
    """
    configs = [_object_of_task(task, "configs") for task in tasks]
    prompts = [
        sorted({sample.prompt for sample in task.samples if sample.prompt}) for task in tasks
    ]
    return known_parts(
        {
            "model": _of_run(tasks, "model_name"),
            "date": _of_run(tasks, "date"),
            "harness_version": _of_run(tasks, "lm_eval_version"),
            "task_version": _texts_of_tasks(tasks, "versions"),
            "few_shot": _texts_of_tasks(tasks, "n-shot"),
            "prompt": digest_settings(prompts),
            "template": _digest_of(configs, _PROMPTING),
            "scorer": _digest_of(configs, _SCORING),
            "generation": digest_settings([c.get("generation_kwargs") for c in configs]),
            "partial": "; ".join(_partial(tasks, documents, lost)),
        }
    )


def _digest_of(configs: list[dict[str, Any]], settings: tuple[str, ...]) -> str:
    return digest_settings(
        [[without_addresses(config.get(name)) for name in settings] for config in configs]
    )


def _partial(tasks: list[_Task], documents: list[int], lost: list[str]) -> Iterable[str]:
    yield from (f"{name} without samples" for name in lost)
    for task, count in zip(tasks, documents, strict=True):
        sizes = _object_of_task(task, "n-samples")
        wanted = [sizes.get("original"), sizes.get("effective")]
        most = max((size for size in wanted if isinstance(size, int)), default=0)
        if count < most:
            yield f"{task.name} {count} of {most} items"


def _of_run(tasks: list[_Task], member: str) -> str:
    """Join the different values that results files have for a member."""
    return ", ".join(dict.fromkeys(str(t.results[member]) for t in tasks if member in t.results))


def _texts_of_tasks(tasks: list[_Task], member: str) -> str:
    values = {task.name: _value_of_task(task, member) for task in tasks}
    texts = {name: str(v) for name, v in values.items() if isinstance(v, str | int | float)}
    return ", ".join(f"{name} {text}" for name, text in texts.items() if text)


def _object_of_task(task: _Task, member: str) -> dict[str, Any]:
    found = _value_of_task(task, member)
    return found if isinstance(found, dict) else {}


def _value_of_task(task: _Task, member: str) -> object:
    """Value of a task in a member of its results that holds one value per task."""
    by_task = task.results.get(member)
    return by_task.get(task.name) if isinstance(by_task, dict) else None


def _read_samples(glimpse: Glimpse, metric: str | None, choice: Choice) -> list[Sample]:
    path, samples = glimpse.path, []
    is_whole = bool(choice.fields) or choice.look is not None
    listed = documents_of(choice.wanted)
    is_added = is_whole or choice.wanted is not None
    if holds_sample_list(glimpse.start):
        rows, place_of = read_json_array(path), row_of
    else:
        whole = is_whole or needs_choices(glimpse.row, metric)
        rows = read_sample_lines(path, whole=whole, wanted=listed)
        place_of = line_of
    for number, row in rows:
        try:
            sample = read_sample(row, metric)
            samples.append(add_details(sample, row, choice, listed) if is_added else sample)
        except MissingFieldError as error:
            raise FileError(
                f"{place_of(path, number)}: {error} in every row, got a row without: evaluate the "
                f"task again with --log_samples"
            ) from error
        except InputError as error:
            raise FileError(f"{place_of(path, number)}: {error}") from error
    if not samples:
        raise FileError(
            f"{visible(str(path))}: expected at least one row, got none: evaluate the task again"
        )
    return samples
