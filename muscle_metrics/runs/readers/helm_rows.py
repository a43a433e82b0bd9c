"""Instances of a HELM run: what names one, what was answered, and how it was scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.log_fields import (
    answer_at,
    compact,
    list_at,
    object_at,
    score_from,
    text_at,
)
from muscle_metrics.runs.record import Record
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Key", "instance_record", "is_answer", "key_of", "scores_of"]

# Statistics that every run has, and that say nothing about the answer.
_CIRCUMSTANCES = frozenset(
    {
        "batch_size",
        "inference_denoised_runtime",
        "inference_idealized_runtime",
        "inference_runtime",
        "logprob",
        "max_prob",
        "num_bytes",
        "num_completion_tokens",
        "num_output_tokens",
        "num_perplexity_tokens",
        "num_prompt_tokens",
        "num_references",
        "num_train_instances",
        "num_train_trials",
        "prompt_truncated",
        "training_co2_cost",
        "training_energy_cost",
    }
)
_FINISH = "finish_reason_"


class Key(NamedTuple):
    """An instance, the trial that chose its examples, and how it was perturbed.

    Examples
    --------
    >>> print(Key("id7", 0, '["mild_mix"]').id)
    ["id7","mild_mix"]
    """

    instance: str
    trial: int
    perturbation: str

    @property
    def id(self) -> str:
        """Id of the item; of a perturbed instance the name of the perturbation is a part."""
        if self.perturbation == "[]":
            return self.instance
        return f"[{compact(self.instance)},{self.perturbation[1:]}"


def key_of(row: Mapping[str, object], instance: object, perturbation: object) -> Key:
    """Key of a row of statistics or of a request.

    Raises
    ------
    InputError
        If a part is missing.

    Examples
    --------
    >>> key_of({"train_trial_index": 1}, "id7", {"name": "mild_mix", "seed": 3}).perturbation
    '["mild_mix",3]'
    """
    trial = row.get("train_trial_index")
    if not isinstance(trial, int):
        raise InputError(
            f"expected a number in the field 'train_trial_index', got {describe(trial)}: "
            f"run the evaluation again"
        )
    described = object_at({"perturbation": perturbation}, "perturbation")
    parts = [described[name] for name in ("name", "seed") if name in described]
    return Key(id_of(instance, "instance id"), trial, compact(parts))


def scores_of(row: Mapping[str, object], metric: str | None) -> Iterator[tuple[str, float]]:
    """Statistics of an instance that judge its answer, or are the named metric.

    HELM leaves out those that are NaN; those that count nothing have no mean.

    Examples
    --------
    >>> stats = [{"name": {"name": "exact_match"}, "mean": 1.0}, {"name": {"name": "num_bytes"}}]
    >>> list(scores_of({"stats": stats}, None))
    [('exact_match', 1.0)]
    """
    for stat in list_at(row, "stats"):
        described = object_at({"stat": stat}, "stat")
        name = text_at(object_at(described, "name"), "name") or ""
        score = score_from(described.get("mean"))
        judges = name not in _CIRCUMSTANCES and not name.startswith(_FINISH)
        if score is not None and (judges or name == metric):
            yield name, score


def is_answer(request: Mapping[str, object]) -> bool:
    """Tell whether a request asks for an answer; some adapters ask how likely each choice is.

    Examples
    --------
    >>> is_answer({"reference_index": 2})
    False
    """
    return request.get("reference_index") is None


def instance_record(request: Mapping[str, object], key: Key, scores: Mapping[str, float]) -> Record:
    """Record of an instance.

    Parameters
    ----------
    request : mapping
        A request for it.
    key : Key
        What it is known by.
    scores : mapping of str to float
        Its scores; those of a request that failed are left out.

    Examples
    --------
    >>> request = {"instance": {"references": [{"output": {"text": "4"}, "tags": ["correct"]}]},
    ...            "result": {"success": True, "completions": [{"text": " 4", "logprob": -1.0}]}}
    >>> record = instance_record(request, Key("id7", 0, "[]"), {})
    >>> record.prediction, record.reference
    ('4', '4')
    """
    instance = object_at(request, "instance")
    succeeded = object_at(request, "result").get("success") is True
    asked = object_at(request, "request") if is_answer(request) else {}
    return Record(
        key.id,
        _answer(request) if succeeded and is_answer(request) else None,
        _reference(instance),
        scores if succeeded else {},
        slice=text_at(object_at(instance, "perturbation"), "name"),
        prompt=text_at(asked, "prompt") or text_at(object_at(instance, "input"), "text"),
    )


def _answer(request: Mapping[str, object]) -> object:
    """Return the likeliest completion, which HELM judges; of a letter what it stands for."""
    completions = [
        object_at({"completion": completion}, "completion")
        for completion in list_at(object_at(request, "result"), "completions")
    ]
    if not completions:
        return None
    text = answer_at(max(completions, key=_likelihood), "text")
    mapping = object_at(request, "output_mapping")
    if not isinstance(text, str):
        return text
    return answer_at(mapping, text.strip()) if text.strip() in mapping else text.strip()


def _likelihood(completion: Mapping[str, object]) -> float:
    score = score_from(completion.get("logprob"))
    return float("-inf") if score is None else score


def _reference(instance: Mapping[str, object]) -> object:
    """Return the references that are tagged correct."""
    right = []
    for reference in list_at(instance, "references"):
        described = object_at({"reference": reference}, "reference")
        if "correct" in list_at(described, "tags"):
            right.append(answer_at(object_at(described, "output"), "text"))
    return right if len(right) > 1 else right[0] if right else None
