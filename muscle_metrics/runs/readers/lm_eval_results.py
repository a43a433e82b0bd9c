"""What lm-evaluation-harness writes beside the samples: settings, sizes and directions of a run."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from muscle_metrics.runs.readers.lm_eval_scores import LOWER_IS_BETTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["describe_results", "directions_of", "model_of"]

_DIGEST = 12
# Settings of a task that decide what a score means, and those that decide what is generated.
_SCORING = ("output_type", "metric_list", "filter_list", "process_results", "doc_to_target")
_PROMPTING = ("doc_to_text", "doc_to_choice", "description", "fewshot_split", "target_delimiter")


def model_of(results: Mapping[str, Any]) -> str | None:
    """Name of the model, without its arguments, which may hold secrets.

    Examples
    --------
    >>> model_of({"model_name": "org/model", "config": {"model_args": "api_key=..."}})
    'org/model'
    """
    name = results.get("model_name")
    return name if isinstance(name, str) and name else None


def directions_of(results: Mapping[str, Any], task: str) -> frozenset[str]:
    """Metrics of a task whose smaller score is better.

    Examples
    --------
    >>> directions = directions_of({"higher_is_better": {"wmt": {"edits": False}}}, "wmt")
    >>> "edits" in directions, "bleu" in directions
    (True, False)
    """
    directions = _part(results, "higher_is_better", task)
    recorded = {name for name, higher in directions.items() if higher is False}
    return frozenset(recorded | (LOWER_IS_BETTER - directions.keys()))


def describe_results(
    results: Mapping[str, Any],
    tasks: Mapping[str, Sequence[str | None]],
    documents: Mapping[str, int],
    lost: Sequence[str],
) -> dict[str, str]:
    """Fingerprint of a run: what must be equal in two of them, and what is wrong with it.

    Parameters
    ----------
    results : mapping
        Content of a results file; empty where there is none.
    tasks : mapping of str to sequence of (str or None)
        For each task that was read the hash of the prompt of every row.
    documents : mapping of str to int
        Number of documents of each task.
    lost : sequence of str
        Tasks that were evaluated and whose samples are not there.

    Examples
    --------
    >>> results = {"lm_eval_version": "0.4.13", "versions": {"sums": 1.0},
    ...            "n-samples": {"sums": {"original": 100, "effective": 10}}}
    >>> fingerprint = describe_results(results, {"sums": ["e3b0"]}, {"sums": 10}, [])
    >>> fingerprint["harness_version"], fingerprint["task_version"], fingerprint["partial"]
    ('0.4.13', 'sums 1.0', 'sums 10 of 100 items')
    """
    configs = {task: _part(results, "configs", task) for task in tasks}
    described = {
        "model": model_of(results),
        "date": _text(results.get("date")),
        "harness_version": _text(results.get("lm_eval_version")),
        "task_version": _by_task(results, "versions", tasks),
        "few_shot": _by_task(results, "n-shot", tasks),
        "prompt": _digest([sorted(filter(None, set(hashes))) for hashes in tasks.values()]),
        "template": _digest([[c.get(name) for name in _PROMPTING] for c in configs.values()]),
        "scorer": _digest([[c.get(name) for name in _SCORING] for c in configs.values()]),
        "generation": _digest([c.get("generation_kwargs") for c in configs.values()]),
        "partial": "; ".join(_partial(results, documents, lost)),
    }
    return {part: text for part, text in described.items() if text}


def _partial(
    results: Mapping[str, Any], documents: Mapping[str, int], lost: Sequence[str]
) -> Iterable[str]:
    yield from (f"{task} without samples" for task in lost)
    for task, count in documents.items():
        sizes = _part(results, "n-samples", task)
        known = [size for size in (sizes.get("original"), sizes.get("effective"))
                 if isinstance(size, int)]  # fmt: skip
        if known and count < max(known):
            yield f"{task} {count} of {max(known)} items"


def _by_task(results: Mapping[str, Any], part: str, tasks: Iterable[str]) -> str:
    values = results.get(part)
    if not isinstance(values, dict):
        return ""
    return ", ".join(f"{task} {text}" for task in tasks if (text := _text(values.get(task))))


def _part(results: Mapping[str, Any], part: str, task: str) -> dict[str, Any]:
    by_task = results.get(part)
    found = by_task.get(task) if isinstance(by_task, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return str(value) if isinstance(value, (str, int, float)) else ""


def _digest(content: list[Any]) -> str:
    """Short hash of settings; none where nothing is known."""
    if not any(
        part for parts in content for part in (parts if isinstance(parts, list) else [parts])
    ):
        return ""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
