"""Folders of HELM: one for each run of a task, and suites that hold many of them.

::

    benchmark_output/runs/<suite>/mmlu:subject=law,model=openai_gpt2/run_spec.json
                                                                     scenario_state.json
                                                                     per_instance_stats.json

The name of a run holds its task, its arguments and its model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.json_stream import read_json_document
from muscle_metrics.runs.log_fields import object_at, object_from, text_at
from muscle_metrics.runs.logs import ErrorsAt
from muscle_metrics.runs.run_parts import RunPart, parts_of_one_model
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["MODEL", "SPEC", "STATE", "STATS", "choose_runs", "recognise"]

STATS, STATE, SPEC = "per_instance_stats.json", "scenario_state.json", "run_spec.json"
MODEL = ("model", "model_deployment")
"""Fields that name the model: they differ between the runs that are compared."""

_ADAPTER = "adapter_spec"
# Where runs are below their folder, the folder of a suite, runs/ or the whole output.
_BELOW = ("", "*/", "*/*/", "*/*/*/")


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise a folder, or a file in it, by the two files of a run."""
    path = glimpse.path
    if glimpse.is_folder:
        found = any(_is_run(state.parent) for below in _BELOW for state in path.glob(below + STATE))
    else:
        found = path.name in {STATS, STATE, SPEC} and _is_run(path.parent)
    return f"it holds {STATS} and {STATE}" if found else None


def choose_runs(path: Path, choice: Choice) -> list[RunPart]:
    """Choose the folders of one model, one for each task.

    Parameters
    ----------
    path : Path
        The folder of a run, one above it, or a file of a run.
    choice : Choice
        The model, and the tasks.

    Raises
    ------
    FileError
        If a run lacks one of its two files.
    InputError
        If a folder holds several models, or one task of a model twice.
    """
    if not path.is_dir():
        parts = [_part(path.parent)]
    else:
        # At any depth, and by either file: no run is left out without a word.
        folders = {found.parent for name in (STATE, STATS) for found in path.rglob(name)}
        found = [_part(folder) for folder in sorted(folders or {path})]
        parts = parts_of_one_model(found, path, choice, "HELM run")
    for part in parts:
        for name in (STATS, STATE):
            if not (part.path / name).is_file():
                named = part.path if path.is_dir() else path
                raise FileError(
                    f"{visible(str(named))}: expected the folder of a HELM run with {STATS} "
                    f"and {STATE}, got none named {name}: name the folder below runs/"
                )
    return parts


def _is_run(folder: Path) -> bool:
    return (folder / STATS).is_file() and (folder / STATE).is_file()


def _part(folder: Path) -> RunPart:
    about: Mapping[str, object] = {}
    if (folder / SPEC).is_file():
        about = read_json_object(folder / SPEC)
    with ErrorsAt(folder / SPEC):
        adapter = object_at(about, _ADAPTER)
    if not adapter and (folder / STATE).is_file():
        adapter = _adapter_of_state(folder / STATE)
    with ErrorsAt(folder):
        return RunPart(folder, _task(about), text_at(adapter, "model"))


def _adapter_of_state(path: Path) -> Mapping[str, object]:
    """Return the adapter, which HELM writes before the requests."""
    for keys, _, value in read_json_document(path, {("request_states",)}):
        with ErrorsAt(path):
            return object_from(value, _ADAPTER) if keys == (_ADAPTER,) else {}
    return {}


def _task(about: Mapping[str, object]) -> str | None:
    """Name of the scenario and its arguments without the model."""
    name, _, arguments = str(about.get("name", "")).partition(":")
    kept = [
        argument
        for argument in arguments.split(",")
        if argument and argument.partition("=")[0] not in MODEL
    ]
    return ":".join(filter(None, [name, ",".join(kept)])) or None
