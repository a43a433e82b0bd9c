"""lm-evaluation-harness: a run folder, or one samples file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.reports.escape import visible
from muscle_metrics.runs.glimpse import first_row
from muscle_metrics.runs.place import line_of
from muscle_metrics.runs.readers.jsonl import read_jsonl
from muscle_metrics.runs.readers.lm_eval_rows import Occurrences, is_sample
from muscle_metrics.runs.record import Run

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.record import Record

__all__ = ["read", "recognise"]

_SAMPLES = re.compile(r"samples_(.+)_([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9.]+)\.jsonl")


class _Samples(NamedTuple):
    path: Path
    task: str
    time: str


def recognise(path: Path) -> str | None:
    """Tell a folder by its samples files, a file by its first row.

    Examples
    --------
    >>> from pathlib import Path
    >>> recognise(Path("no-such-folder")) is None
    True
    """
    if path.is_dir():
        return "it holds samples_*.jsonl" if _list_samples(path) else None
    return "its rows have doc_id, filtered_resps and target" if is_sample(first_row(path)) else None


def read(path: Path, choice: Choice) -> Run:
    """Read every task of a run folder, of each the newest file; or one samples file.

    Raises
    ------
    FileError
        If a file cannot be read to its end, or a row is not what the harness writes.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from muscle_metrics.runs.choice import Choice
    >>> row = {"doc_id": 0, "doc_hash": "e3b0", "target": "4", "filtered_resps": ["4"],
    ...        "metrics": ["exact_match"], "exact_match": 1.0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "samples_sums_2026-11-23T07-13-39.347285.jsonl")
    ...     _ = path.write_text(json.dumps(row))
    ...     run = read(Path(folder), Choice())
    >>> run.records[0].task, run.records[0].scores
    ('sums', {'exact_match': 1.0})
    """
    records: list[Record] = []
    for samples in _newest(path):
        if choice.task in (None, samples.task):
            records += _read_samples(samples, choice.metric)
    return Run(tuple(records), path.name)


def _read_samples(samples: _Samples, metric: str | None) -> list[Record]:
    records = []
    occurrences = Occurrences(samples.task, metric)
    for number, row in read_jsonl(samples.path):
        try:
            records.append(occurrences.record(row))
        except InputError as error:
            raise FileError(f"{line_of(samples.path, number)}: {error}") from error
    return records


def _newest(path: Path) -> list[_Samples]:
    """Choose a samples file for every task: a rerun adds files, and only its own count."""
    if not path.is_dir():
        return [_named(path) or _Samples(path, path.name.removesuffix(".jsonl"), "")]
    newest: dict[str, _Samples] = {}
    for samples in sorted(_list_samples(path), key=lambda samples: samples.time):
        newest[samples.task] = samples
    if not newest:
        raise FileError(
            f"{visible(str(path))}: expected the folder of one model with samples_*.jsonl, got "
            f"none: run lm_eval with --log_samples"
        )
    return [newest[task] for task in sorted(newest)]


def _list_samples(folder: Path) -> list[_Samples]:
    return [
        samples for path in folder.glob("samples_*.jsonl") if (samples := _named(path)) is not None
    ]


def _named(path: Path) -> _Samples | None:
    found = _SAMPLES.fullmatch(path.name)
    return _Samples(path, found[1], found[2]) if found else None
