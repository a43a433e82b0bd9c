"""One field of every item of a run, as the file or the log holds it: the steps of a trajectory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError
from muscle_metrics.runs.details import RecordWithSteps
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.rereading import read_again
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.rereading import Key

__all__ = ["choosing", "read_steps"]

# Options of `read_run` that are about other parts of an item.
_OF_OTHERS = frozenset(
    {"prediction_field", "reference_field", "score_field", "slice_field", "group_field"}
    | {"prompt_field", "missing_score", "list_score", "structured", "name"}
)


def choosing(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `read_run` that choose and name the items, whatever is read of them.

    Examples
    --------
    >>> choosing({"id_field": "n", "prediction_field": "answer", "where": {"model": "v1"}})
    {'id_field': 'n', 'where': {'model': 'v1'}}
    """
    return {name: value for name, value in options.items() if name not in _OF_OTHERS}


def read_steps(source: str | Path, field: str, **options: Any) -> Mapping[Key, object]:
    """Read a field of every item, which may hold lists and objects.

    Parameters
    ----------
    source : str or path
        A plain file, or the log of a harness.
    field : str
        A column, or a dotted path, such as ``response.output``.
    **options
        Those of `read_run` by which the items are read.

    Returns
    -------
    mapping of (task, id, repeat) to object
        None where a log lacks the field.

    Raises
    ------
    FileError
        If the file cannot be read, or no item of a log has the field.
    """
    origin = read_run(source, **options).origin
    if origin is None:
        run = read_run(source, prediction_field=field, structured=True, **choosing(options))
        return {(record.task, record.id, record.repeat): record.prediction for record in run}
    again = read_again(origin, origin.choice._replace(fields=None, steps=field))
    found = {
        (record.task, record.id, record.repeat): record.steps
        for record in again
        if isinstance(record, RecordWithSteps)
    }
    if all(value is None for value in found.values()):
        raise FileError(
            f"{visible(str(source))}: expected the field {show(field)} in items of this log, got "
            f"none: name another with --trajectory-field"
        )
    return found
