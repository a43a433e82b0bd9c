"""Samples of an inspect_ai log as records, and what the log says of itself."""

from __future__ import annotations

import hashlib
import json
import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import InputError
from muscle_metrics.runs.record import Record
from muscle_metrics.runs.values import score_of
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["describe_log", "record_of"]

# What inspect_ai itself makes of a grade. It makes 0 of every other text.
_GRADES: Mapping[str, float] = MappingProxyType({"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0})
_DIGEST = 12


def record_of(sample: Any, task: str, metric: str | None, *, repeated: bool) -> Record:
    """Record of a sample; a crashed scorer leaves no score, and so does NaN.

    Parameters
    ----------
    sample : inspect_ai.log.EvalSample
        The sample.
    task : str
        Name of its task.
    metric : str, optional
        The score that will decide; then only it must be a number.
    repeated : bool
        Whether the log holds several epochs.

    Raises
    ------
    InputError
        If a score is neither a number, true, false nor a grade C, P, I or N.

    Examples
    --------
    >>> from types import SimpleNamespace as Made
    >>> score = Made(value="C", answer="4")
    >>> sample = Made(id=7, epoch=1, target="4", scores={"match": score}, error=None)
    >>> record_of(sample, "sums", None, repeated=False).scores
    {'match': 1.0}
    """
    values = dict(_values_of(sample.scores or {}))
    scores = {}
    for name, value in values.items():
        if metric is None or name == metric:
            score = _score_of(value, f"{name} of sample {sample.id}")
            if score is not None:
                scores[name] = score
    return Record(
        str(sample.id),
        prediction=None if sample.error else _answer_of(sample, metric),
        reference=sample.target,
        scores=scores,
        task=task,
        repeat=str(sample.epoch) if repeated else None,
    )


def describe_log(logs: Sequence[Any]) -> dict[str, str]:
    """Fingerprint of logs of one model: what must be equal in two runs, and what is wrong.

    Parameters
    ----------
    logs : sequence of inspect_ai.log.EvalLog
        One per task.

    Examples
    --------
    >>> describe_log([])
    {}
    """
    faults: dict[str, list[str]] = {"status": [], "partial": [], "errors": []}
    for log in logs:
        for part, text in _faults(log):
            faults[part].append(f"{log.eval.task} {text}")
    described = {
        "model": _joined(log.eval.model for log in logs),
        "date": _joined(log.eval.created for log in logs),
        "harness_version": _joined(log.eval.packages.get("inspect_ai", "") for log in logs),
        "task_version": _joined(f"{log.eval.task} {log.eval.task_version}" for log in logs),
        "dataset": _joined(log.eval.dataset.name or "" for log in logs),
        "prompt": _digest([_plain(log.plan.steps) for log in logs]),
        "scorer": _digest([_plain(log.eval.scorers) for log in logs]),
        "generation": _digest([_plain(log.plan.config) for log in logs]),
        "judge": _joined(
            f"{role} {config.model}"
            for log in logs
            for role, config in (log.eval.model_roles or {}).items()
        ),
        **{part: "; ".join(texts) for part, texts in faults.items()},
    }
    return {part: text for part, text in described.items() if text}


def _faults(log: Any) -> Iterator[tuple[str, str]]:
    if log.status != "success" or log.invalidated:
        yield "status", "invalidated" if log.status == "success" else log.status
    wanted = (log.eval.dataset.samples or 0) * (log.eval.config.epochs or 1)
    if len(log.samples) < wanted:
        yield "partial", f"{len(log.samples)} of {wanted} samples"
    failed = sum(sample.error is not None for sample in log.samples)
    if failed:
        yield "errors", f"{failed} of {len(log.samples)} samples"


def _values_of(scores: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every score by name; those of a scorer that gives several by scorer and name."""
    for name, score in scores.items():
        if isinstance(score.value, dict):
            yield from ((f"{name}.{part}", value) for part, value in score.value.items())
        else:
            yield name, score.value


def _score_of(value: Any, name: str) -> float | None:
    if isinstance(value, str):
        if value not in _GRADES:
            raise InputError(
                f"expected a number, true, false or a grade C, P, I or N as score {show(name)}, "
                f"got {describe(value)}: choose another score with --metric (metric=)"
            )
        return _GRADES[value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return score_of(value, name)


def _answer_of(sample: Any, metric: str | None) -> str | None:
    """Give what the deciding scorer took for the answer, or else what the model said."""
    scores = sample.scores or {}
    scorer = scores.get(metric) or scores.get((metric or "").partition(".")[0])
    if scorer is None and len(scores) == 1:
        (scorer,) = scores.values()
    if scorer is not None and scorer.answer is not None:
        return str(scorer.answer)
    return str(sample.output.completion) if sample.output.choices else None


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, texts)))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _digest(content: Any) -> str:
    if not any(content):
        return ""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
