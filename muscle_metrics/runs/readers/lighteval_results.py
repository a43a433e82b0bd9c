"""Results of lighteval beside the details: model, versions, directions of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.log_fields import compact, list_at, object_at, text_at
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Results", "read_results"]

_DATASET = ("hf_repo", "hf_subset", "hf_revision", "evaluation_splits")


class Results(NamedTuple):
    """What the results say of a run.

    Parameters
    ----------
    fingerprint : dict of str to str
        Parts that are known; none where there is no file of results.
    lower_is_better : frozenset of str
        Metrics whose smaller value is better.
    """

    fingerprint: dict[str, str]
    lower_is_better: frozenset[str]


def read_results(details: Path, time: str, counts: Mapping[str, int]) -> Results:
    """Read the results that were written together with some details.

    Parameters
    ----------
    details : Path
        A file of details.
    time : str
        Its time stamp, which the results share.
    counts : mapping of str to int
        How many documents of each task were read.

    Raises
    ------
    FileError
        If there are results, and they cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> read_results(Path("details_sum.parquet"), "", {}).fingerprint
    {}
    """
    path = _beside(details, time)
    if path is None:
        return Results({}, frozenset())
    try:
        return _described(read_json_object(path), time, counts)
    except FileError:
        raise
    except InputError as error:
        raise FileError(f"{visible(str(path))}: {error}") from error


def _beside(details: Path, time: str) -> Path | None:
    """File of results: in results/ where details/ stands, under the same model."""
    model = details.parent.parent
    for folder in model.parents:
        if folder.name == "details":
            path = folder.parent / "results" / model.relative_to(folder) / f"results_{time}.json"
            return path if path.is_file() else None
    return None


def _described(members: Mapping[str, object], time: str, counts: Mapping[str, int]) -> Results:
    general = object_at(members, "config_general")
    # Results write the task sum|0 as sum:0.
    read = {task.replace("|", ":"): count for task, count in counts.items()}
    tasks = {
        task: object_at(object_at(members, "config_tasks"), task)
        for task in object_at(members, "config_tasks")
        if task in read
    }
    versions = object_at(members, "versions")
    short = {
        task: f"{read[task]} of {expected}"
        for task, config in tasks.items()
        if isinstance(expected := config.get("effective_num_docs"), int) and expected > read[task]
    }
    sha = text_at(general, "lighteval_sha")
    parts = {
        "model": text_at(general, "model_name"),
        "date": time,
        "harness_version": None if sha == "?" else sha,
        "dataset": _by_task({t: [c.get(name) for name in _DATASET] for t, c in tasks.items()}),
        "scorer": _by_task({task: versions[task] for task in sorted(read) if task in versions}),
        "max_samples": text_at(general, "max_samples"),
        "partial": _by_task(short),
    }
    fingerprint = {name: text for name, text in parts.items() if text}
    lower = {name for config in tasks.values() for name in _lower(config)}
    return Results(fingerprint, frozenset(lower))


def _by_task(values: Mapping[str, object]) -> str | None:
    texts = {task: v if isinstance(v, str) else compact(v) for task, v in values.items()}
    return ", ".join(f"{task} {text}" for task, text in texts.items()) or None


def _lower(config: Mapping[str, object]) -> Iterator[str]:
    """Metrics of a task that say that higher is not better; a group of metrics says so of each."""
    for metric in list_at(config, "metrics"):
        if not isinstance(metric, dict):
            continue
        name, higher = metric.get("metric_name"), metric.get("higher_is_better")
        if isinstance(higher, dict):
            yield from (part for part, is_higher in higher.items() if is_higher is False)
        elif higher is False:
            yield from name if isinstance(name, list) else [str(name)]
