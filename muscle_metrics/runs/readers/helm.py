"""HELM: folders of runs, each with its requests and the statistics of every instance.

::

    per_instance_stats.json: [{"instance_id": "id1", "train_trial_index": 0,
                               "stats": [{"name": {"name": "exact_match"}, "mean": 1.0}]}]
    scenario_state.json: {"request_states": [{"instance": {"id": "id1"}, "train_trial_index": 0,
                                              "result": {"success": true, "completions": [...]}}]}

Neither file is in the order of ids. Trials and perturbations repeat an instance.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES, About
from muscle_metrics.runs.details import Details, completed
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.json_stream import read_json_array, read_json_document
from muscle_metrics.runs.identity import check_identity
from muscle_metrics.runs.log_fields import (
    answer_at,
    compact,
    digest,
    list_at,
    object_at,
    object_from,
    objects_at,
    score_from,
    text_at,
)
from muscle_metrics.runs.logs import ErrorsAt, count_share, known_parts, one_or_list
from muscle_metrics.runs.readers.helm_folders import (
    MODEL,
    SPEC,
    STATE,
    STATS,
    choose_runs,
    recognise,
)
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.run_parts import join_parts
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import describe, list_names, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse
    from muscle_metrics.runs.run_parts import RunPart

__all__ = ["ABOUT", "LOWER_IS_BETTER", "read", "recognise"]

ABOUT = About(
    "HELM",
    "the folder of a run with `scenario_state.json` and `per_instance_stats.json`; a suite of them",
    frozenset({ANSWERS, PROMPTS, REFERENCES, REPEATS, SCORES}),
    texts=("question", "response"),
    fields="instance.split",
    page="helm",
)

_STATES = ("request_states",)
# From the schemas that HELM ships, for metrics of one instance: a run's folder holds no schema.
LOWER_IS_BETTER = frozenset(
    {
        "absolute_value_difference",
        "bits_per_byte",
        "cer_score",
        "chinese_cer_score",
        "chinese_mer_score",
        "chinese_wer_score",
        "distance",
        "error_rate",
        "longest_common_prefix_length",
        "mer_score",
        "perplexity",
        "wer_score",
    }
)
# Statistics that every run has, and that do not judge the answer.
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


class _Identity(NamedTuple):
    """Identity of an item: an instance, the trial that chose its examples, its perturbation."""

    instance: str
    trial: int
    perturbation: str

    @property
    def id(self) -> str:
        """Id of the item, such as ``id7``, or ``["id7","mild_mix"]`` if it is perturbed."""
        if self.perturbation == "[]":
            return self.instance
        return f"[{compact(self.instance)},{self.perturbation[1:]}"


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per instance, trial and perturbation of every task.

    Parameters
    ----------
    glimpse : Glimpse
        The folder of a run or a suite, or a file of a run.
    choice : Choice
        A statistic that does not judge, such as logprob, is read only if it is the metric.

    Raises
    ------
    FileError
        If a file is missing or cannot be read to its end, or the files are not of one run.
    InputError
        If a folder holds several models, or one task of a model twice.
    """
    parts = choose_runs(glimpse.path, choice)
    runs = [_read_run(part, choice) for part in parts]
    if len(runs) > 1:
        # Ids of instances and trials are those of their task alone.
        runs = [replace(run, records=tuple(map(_grouped_by_task, run))) for run in runs]
    return join_parts(runs, runs[0].name)


def _read_run(part: RunPart, choice: Choice) -> Run:
    folder = part.path
    scores = _read_scores(folder / STATS, choice.metric_of(part.task))
    about = read_json_object(folder / SPEC) if (folder / SPEC).is_file() else {}
    found, failed, adapter = _read_state(folder / STATE, scores, choice)
    with ErrorsAt(folder):
        _check_adapters(object_at(about, "adapter_spec"), adapter)
    records = [replace(record, task=part.task) for record in found]
    names = {name for record in records for name in record.scores}
    return Run(
        tuple(records),
        text_at(adapter, "model") or folder.name,
        _fingerprint(about, adapter, failed, len(records)),
        LOWER_IS_BETTER & names,
    )


def _grouped_by_task(record: Record) -> Record:
    if record.group is None:
        return record
    return replace(record, group=f"{record.task}/{record.group}")


def _check_adapters(spec: Mapping[str, object], adapter: Mapping[str, object]) -> None:
    """Refuse the requests of one run beside the specification of another."""
    shared = sorted(spec.keys() & adapter.keys())
    check_identity(
        {
            SPEC: {name: spec[name] for name in shared},
            STATE: {name: adapter[name] for name in shared},
        },
        "the run",
        "the files are of two runs, name the folder of one",
    )


def _read_scores(path: Path, metric: str | None) -> dict[_Identity, dict[str, float]]:
    scores: dict[_Identity, dict[str, float]] = {}
    for number, row in read_json_array(path):
        with ErrorsAt(path, number):
            key = _identity_of(row, row.get("instance_id"), row.get("perturbation"))
            found = scores.setdefault(key, {})
            for name, score in _scores_of(row, metric):
                if name in found:
                    raise InputError(
                        f"expected each statistic of an instance once, got {show(name)} twice: "
                        f"run the evaluation again"
                    )
                found[name] = score
    return scores


def _identity_of(row: Mapping[str, object], instance: object, perturbation: object) -> _Identity:
    """Identity of a row of statistics or of a request."""
    trial = row.get("train_trial_index")
    if not isinstance(trial, int):
        raise InputError(
            f"expected a number in the field 'train_trial_index', got {describe(trial)}: "
            f"run the evaluation again"
        )
    described = object_from(perturbation, "perturbation")
    parts = [described[name] for name in ("name", "seed") if name in described]
    return _Identity(id_of(instance, "instance id"), trial, compact(parts))


def _scores_of(row: Mapping[str, object], metric: str | None) -> Iterator[tuple[str, float]]:
    """Yield the statistics of an instance that judge its answer, and the named metric.

    HELM leaves out statistics that are NaN; a statistic that counts nothing has no mean.
    """
    for stat in objects_at(row, "stats", "stat"):
        name = text_at(object_at(stat, "name"), "name") or ""
        score = score_from(stat.get("mean"))
        judges = name not in _CIRCUMSTANCES and not name.startswith(_FINISH)
        if score is not None and (judges or name == metric):
            yield name, score


def _read_state(
    path: Path, scores: dict[_Identity, dict[str, float]], choice: Choice
) -> tuple[list[Record], int, Mapping[str, object]]:
    """Read records in the order of requests, the number of failed requests, and the adapter."""
    records: dict[_Identity, Record] = {}
    models: dict[str, Mapping[str, object]] = {}
    adapter: Mapping[str, object] = {}
    failed = 0
    several = len({key.trial for key in scores}) > 1
    perturbed = any(key.id != key.instance for key in scores)
    for keys, number, value in read_json_document(path, {_STATES}):
        with ErrorsAt(path, number):
            if number:
                request = object_from(value, "request")
                instance = object_at(request, "instance")
                key = _identity_of(request, instance.get("id"), instance.get("perturbation"))
                if key in records and _is_answer(request):
                    raise InputError(
                        f"expected one request for each instance, trial and perturbation, got "
                        f"{show(key.id)} again: run the evaluation again"
                    )
                asked = _model_of(object_at(request, "request"))
                models.setdefault(compact(asked), asked)
                failed += object_at(request, "result").get("success") is not True
                record = _record(request, key, scores.get(key, {}))
                record = replace(
                    record,
                    repeat=str(key.trial) if several else None,
                    # An instance and its perturbed versions were drawn together.
                    group=key.instance if perturbed else None,
                )
                records[key] = completed(record, request, choice, partial(_details, request))
            elif keys == ("adapter_spec",):
                adapter = object_from(value, "adapter_spec")
    with ErrorsAt(path):
        if not records:
            raise InputError("expected requests, got none: run the evaluation again")
        _check_models([_model_of(adapter), *models.values()])
        strange = [key for key in scores if key not in records]
        if strange:
            raise InputError(
                f"expected a request for each of the {len(scores)} instances in {STATS}, got none "
                f"for {len(strange)} of them, such as {show(strange[0].id)}: the two files are not "
                f"of one run"
            )
    return [*records.values()], failed, adapter


def _model_of(asked: Mapping[str, object]) -> Mapping[str, object]:
    return {name: asked[name] for name in MODEL if asked.get(name) is not None}


def _check_models(models: Sequence[Mapping[str, object]]) -> None:
    """Refuse requests to several models: the run is named by one of them."""
    for name in MODEL:
        found = list(dict.fromkeys(str(model[name]) for model in models if name in model))
        if len(found) > 1:
            raise InputError(
                f"expected requests to one {name}, got {list_names(found)}: the file was put "
                f"together from several runs, name the folder of one"
            )


def _is_answer(request: Mapping[str, object]) -> bool:
    """Whether a request asks for an answer: some adapters ask for the score of each choice."""
    return request.get("reference_index") is None


def _record(request: Mapping[str, object], key: _Identity, scores: Mapping[str, float]) -> Record:
    """Make the record of an instance; a failed request leaves no answer and no scores."""
    instance = object_at(request, "instance")
    succeeded = object_at(request, "result").get("success") is True
    asked = object_at(request, "request") if _is_answer(request) else {}
    return Record(
        key.id,
        _answer(request) if succeeded and _is_answer(request) else None,
        _reference(instance),
        scores if succeeded else {},
        slice=text_at(object_at(instance, "perturbation"), "name"),
        prompt=text_at(asked, "prompt") or text_at(object_at(instance, "input"), "text"),
    )


def _answer(request: Mapping[str, object]) -> object:
    """Return the likeliest completion, which HELM judges; for a letter the choice it names."""
    completions = objects_at(object_at(request, "result"), "completions", "completion")
    if not completions:
        return None
    text = answer_at(max(completions, key=_likelihood), "text")
    mapping = object_at(request, "output_mapping")
    if not isinstance(text, str):
        return text
    return answer_at(mapping, text.strip()) if text.strip() in mapping else text.strip()


def _details(request: Mapping[str, object]) -> Details:
    completions = objects_at(object_at(request, "result"), "completions", "completion")
    text = max(completions, key=_likelihood).get("text") if completions else None
    return Details(
        text_at(object_at(object_at(request, "instance"), "input"), "text"),
        text if isinstance(text, str) and _is_answer(request) else None,
    )


def _likelihood(completion: Mapping[str, object]) -> float:
    score = score_from(completion.get("logprob"))
    return float("-inf") if score is None else score


def _reference(instance: Mapping[str, object]) -> object:
    """Return the references that are tagged correct."""
    references = objects_at(instance, "references", "reference")
    return one_or_list(
        [
            answer_at(object_at(reference, "output"), "text")
            for reference in references
            if "correct" in list_at(reference, "tags")
        ]
    )


def _fingerprint(
    about: Mapping[str, object], adapter: Mapping[str, object], failed: int, total: int
) -> Mapping[str, str]:
    asked = {name: value for name, value in adapter.items() if name not in MODEL}
    scenario = object_at(about, "scenario_spec")
    changed = object_at(about, "data_augmenter_spec")
    return known_parts(
        {
            "model": text_at(adapter, "model"),
            "dataset": compact([scenario, digest(changed)]) if scenario else None,
            "prompt": digest(asked) if asked else None,
            "scorer": digest(about["metric_specs"]) if "metric_specs" in about else None,
            "errors": count_share(failed, total, "requests"),
        }
    )
