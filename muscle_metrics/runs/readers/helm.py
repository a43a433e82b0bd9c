"""HELM: the folder of one run, with its requests and the statistics of every instance."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.json_array import read_json_array
from muscle_metrics.runs.files.json_document import read_json_document
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.log_fields import compact, digest, object_at, text_at
from muscle_metrics.runs.readers.helm_rows import Key, instance_record, is_answer, key_of, scores_of
from muscle_metrics.runs.record import Run
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import row_of, show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse
    from muscle_metrics.runs.record import Record

__all__ = ["LOWER_IS_BETTER", "read", "recognise"]

_STATS, _STATE, _SPEC = "per_instance_stats.json", "scenario_state.json", "run_spec.json"
_STATES = ("request_states",)
# Says which model, and so differs between the runs that are compared.
_MODEL = ("model", "model_deployment")
# As the schemas that HELM ships say of metrics of one instance; the folder of a run does not.
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


def recognise(glimpse: Glimpse) -> str | None:
    """Tell a folder, or a file in it, by the two files that stand side by side."""
    if not glimpse.is_folder and glimpse.path.name not in {_STATS, _STATE, _SPEC}:
        return None
    folder = _folder(glimpse)
    if (folder / _STATS).is_file() and (folder / _STATE).is_file():
        return f"it holds {_STATS} and {_STATE}"
    return None


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per instance, trial and perturbation.

    Parameters
    ----------
    glimpse : Glimpse
        The folder of a run, or a file in it.
    choice : Choice
        A metric that HELM counts among the circumstances, such as logprob, is read if it is named.

    Raises
    ------
    FileError
        If a file is missing or cannot be read to its end, or the two are not of one run.

    Examples
    --------
    >>> from muscle_metrics.runs.choice import Choice
    >>> from muscle_metrics.runs.files.glimpse import Glimpse
    >>> from pathlib import Path
    >>> import tempfile
    >>> key = '"train_trial_index": 0'
    >>> stat = '{"name": {"name": "exact_match"}, "mean": 1.0}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     content = f'[{{"instance_id": "id1", {key}, "stats": [{stat}]}}]'
    ...     _ = Path(folder, "per_instance_stats.json").write_text(content)
    ...     request = f'{{"instance": {{"id": "id1"}}, {key}, "result": {{"success": true}}}}'
    ...     content = f'{{"request_states": [{request}]}}'
    ...     _ = Path(folder, "scenario_state.json").write_text(content)
    ...     read(Glimpse(Path(folder)), Choice()).records[0].scores
    {'exact_match': 1.0}
    """
    folder = _folder(glimpse)
    for name in (_STATS, _STATE):
        if not (folder / name).is_file():
            raise FileError(
                f"{visible(str(folder))}: expected the folder of a HELM run with {_STATS} and "
                f"{_STATE}, got none named {name}: name the folder below runs/"
            )
    scores = _read_scores(folder / _STATS, choice.metric)
    about = read_json_object(folder / _SPEC) if (folder / _SPEC).is_file() else {}
    found, failed, adapter = _read_state(folder / _STATE, scores)
    records = [replace(record, task=_task(about)) for record in found]
    names = {name for record in records for name in record.scores}
    return Run(
        tuple(records),
        text_at(adapter, "model") or folder.name,
        MappingProxyType(_fingerprint(about, adapter, failed, len(records))),
        LOWER_IS_BETTER & names,
    )


def _folder(glimpse: Glimpse) -> Path:
    return glimpse.path if glimpse.is_folder else glimpse.path.parent


def _read_scores(path: Path, metric: str | None) -> dict[Key, dict[str, float]]:
    scores: dict[Key, dict[str, float]] = {}
    for number, row in read_json_array(path):
        try:
            key = key_of(row, row.get("instance_id"), row.get("perturbation"))
            found = scores.setdefault(key, {})
            for name, score in scores_of(row, metric):
                if name in found:
                    raise InputError(
                        f"expected each statistic of an instance once, got {show(name)} twice: "
                        f"run the evaluation again"
                    )
                found[name] = score
        except InputError as error:
            raise FileError(f"{row_of(path, number)}: {error}") from error
    return scores


def _read_state(
    path: Path, scores: dict[Key, dict[str, float]]
) -> tuple[list[Record], int, Mapping[str, object]]:
    """Read records in the order of requests, how many requests failed, and the adapter."""
    records: dict[Key, Record] = {}
    adapter: Mapping[str, object] = {}
    failed = 0
    place = visible(str(path))
    several = len({key.trial for key in scores}) > 1
    perturbed = any(key.id != key.instance for key in scores)
    for keys, number, value in read_json_document(path, {_STATES}):
        try:
            if number:
                place = row_of(path, number)
                request = object_at({"request": value}, "request")
                instance = object_at(request, "instance")
                key = key_of(request, instance.get("id"), instance.get("perturbation"))
                if key in records and is_answer(request):
                    raise InputError(
                        f"expected one request for each instance, trial and perturbation, got "
                        f"{show(key.id)} again: run the evaluation again"
                    )
                failed += object_at(request, "result").get("success") is not True
                record = instance_record(request, key, scores.get(key, {}))
                records[key] = replace(
                    record,
                    repeat=str(key.trial) if several else None,
                    # An instance and its perturbed versions were drawn together.
                    group=key.instance if perturbed else None,
                )
            elif keys == ("adapter_spec",):
                adapter = object_at({"adapter_spec": value}, "adapter_spec")
        except InputError as error:
            raise FileError(f"{place}: {error}") from error
    place = visible(str(path))
    if not records:
        raise FileError(f"{place}: expected requests, got none: run the evaluation again")
    strange = [key for key in scores if key not in records]
    if strange:
        raise FileError(
            f"{place}: expected a request for each of the {len(scores)} instances in {_STATS}, got "
            f"none for {len(strange)} of them, such as {show(strange[0].id)}: the two files are "
            f"not of one run"
        )
    return [*records.values()], failed, adapter


def _task(about: Mapping[str, object]) -> str | None:
    """Name of the scenario and its arguments without the model."""
    name, _, arguments = str(about.get("name", "")).partition(":")
    kept = [
        argument
        for argument in arguments.split(",")
        if argument and argument.partition("=")[0] not in _MODEL
    ]
    return ":".join(filter(None, [name, ",".join(kept)])) or None


def _fingerprint(
    about: Mapping[str, object], adapter: Mapping[str, object], failed: int, total: int
) -> dict[str, str]:
    asked = {name: value for name, value in adapter.items() if name not in _MODEL}
    scenario = object_at(about, "scenario_spec")
    changed = object_at(about, "data_augmenter_spec")
    parts = {
        "model": text_at(adapter, "model"),
        "dataset": compact([scenario, digest(changed)]) if scenario else None,
        "prompt": digest(asked) if asked else None,
        "scorer": digest(about["metric_specs"]) if "metric_specs" in about else None,
        "errors": f"{failed} of {total} requests" if failed else None,
    }
    return {name: text for name, text in parts.items() if text is not None}
