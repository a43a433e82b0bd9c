"""Contents of a log: tasks, filters, metrics and faults, before any comparison."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.runs.choice import Choice, filters_by_task, narrow_run
from muscle_metrics.runs.fields import (
    FieldList,
    described_field,
    guess_options,
    list_fields,
    write_command,
)
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.fingerprints import FAULTS
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Run
from muscle_metrics.runs.shards import is_baseline_file, open_files, stem_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from muscle_metrics.runs.fields import FieldContents
    from muscle_metrics.runs.files.plain_file import PlainFile
    from muscle_metrics.runs.record import Record

__all__ = ["LogContents", "PartContents", "inspect_log"]

_CHOICES = ("task", "filter", "metric", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartContents:
    """Contents of a log for one task and one filter of answers.

    Parameters
    ----------
    task, filter : str or None
        Names of the part; None where the log has no such name.
    items, repeats : int
        Number of different ids, and largest number of generations of one id.
    duplicates, unanswered, without_reference : int
        Records that repeat another, hold no answer, and hold no reference.
    metrics : mapping of str to int
        For each score the number of records that lack it.

    Examples
    --------
    >>> part = PartContents(task="sums", filter=None, items=9, repeats=1, duplicates=0,
    ...                     unanswered=0, without_reference=0, metrics={"exact_match": 2})
    >>> part.metrics["exact_match"]
    2
    """

    task: str | None
    filter: str | None
    items: int
    repeats: int
    duplicates: int
    unanswered: int
    without_reference: int
    metrics: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContents:
    """Contents of a log.

    Parameters
    ----------
    path, format, model : str
        Path of the log, its format with the reason, and the name of the model in the log.
    parts : tuple of PartContents
        One per task and filter.
    lower_is_better : tuple of str
        Scores whose smaller value is better.
    faults, fingerprint : mapping of str to str
        Faults of the run, and facts that must be equal in a run to compare it with.
    fields : tuple of FieldContents
        Of a plain file its fields; of the log of a harness those that can give slices, groups or
        prompts.
    command : str
        The command that compares it with a newer run.
    is_plain : bool
        Whether it is a plain file of rows.

    Examples
    --------
    >>> LogContents(path="v1", format="lm-eval", model="me/v1", parts=(), lower_is_better=("ter",),
    ...             faults={"partial": "3 of 9 items"}, fingerprint={}).faults
    {'partial': '3 of 9 items'}
    """

    path: str
    format: str
    model: str
    parts: tuple[PartContents, ...]
    lower_is_better: tuple[str, ...]
    faults: Mapping[str, str]
    fingerprint: Mapping[str, str]
    fields: tuple[FieldContents, ...] = ()
    command: str = ""
    is_plain: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Describe the contents as plain data."""
        return {
            "path": self.path,
            "format": self.format,
            "model": self.model,
            "parts": [
                {name: getattr(part, name) for name in PartContents.__slots__}
                | {"metrics": dict(part.metrics)}
                for part in self.parts
            ],
            "lower_is_better": list(self.lower_is_better),
            "faults": dict(self.faults),
            "fingerprint": dict(self.fingerprint),
            "fields": [described_field(field) for field in self.fields],
            "command": self.command,
        }


def inspect_log(path: str | PathLike[str], **options: Any) -> LogContents:
    """List the contents of a log, without choosing a task or filter.

    Parameters
    ----------
    path : str or path
        As in `read_run`.
    **options
        Options of `read_run`; a task or filter narrows the list.

    Returns
    -------
    LogContents

    Raises
    ------
    InputError
        If the log cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A"}')
    ...     contents = inspect_log(path)
    >>> contents.format, contents.parts[0].items, contents.parts[0].without_reference
    ('jsonl', 1, 1)
    """
    glimpse = Glimpse(Path(path))
    recognised = recognise_harness(glimpse, options.get("format", "auto"))
    if recognised is None:
        files = open_files(glimpse, options.get("format", "auto"))
        if not is_baseline_file(glimpse, files):
            return _inspect_rows(glimpse.path, files, options)
    if recognised is None or not options.keys() <= {*_CHOICES, "format"}:
        run = read_run(path, **options)
        return _contents(path, run, command=write_command(str(path), {}))
    fields = FieldList(recognised.harness.about.fields)
    choice = Choice(**{name: options.get(name) for name in _CHOICES}, look=fields.add)
    # Read the whole log: several filters are an error only for a comparison.
    run = recognised.read(glimpse, choice)
    if choice.task or choice.filter:
        run = narrow_run(run, choice)
    command = write_command(str(path), {})
    return _contents(path, run, fields=fields.contents(), command=f"{command}{_filters(run)}")


def _filters(run: Run) -> str:
    """Write flags that choose the first filter of every task that has several."""
    found = filters_by_task(run)
    several = {task: names[0] for task, names in found.items() if len(names) > 1}
    chosen = set(several.values())
    if len(chosen) == 1 and len(several) == len(found):
        return f" --filter {shlex.quote(str(chosen.pop()))}"
    return "".join(f" --filter {shlex.quote(f'{task}={name}')}" for task, name in several.items())


def _inspect_rows(
    path: Path, files: Sequence[PlainFile], options: Mapping[str, Any]
) -> LogContents:
    """List the fields of plain rows, and their contents as the likeliest options read them."""
    fields = tuple(list_fields(files))
    guessed = {**guess_options(fields), **options}
    named = {name: field for name, field in guessed.items() if name.endswith("_field") and field}
    command = write_command(str(path), named)
    if named.keys().isdisjoint({"prediction_field", "score_field"}) or "id_field" not in named:
        # Nothing says what the items or the answers are.
        nothing = Run((), stem_of(path, files), MappingProxyType({"format": files[0].format}))
        return _contents(path, nothing, fields=fields, is_plain=True)
    run = read_run(path, **guessed)
    return _contents(path, run, fields=fields, command=command, is_plain=True)


def _contents(
    path: str | PathLike[str],
    run: Run,
    *,
    fields: tuple[FieldContents, ...] = (),
    command: str = "",
    is_plain: bool = False,
) -> LogContents:
    described = dict(run.fingerprint)
    parts: dict[tuple[str | None, str | None], list[Record]] = {}
    for record in run:
        parts.setdefault((record.task, record.filter), []).append(record)
    return LogContents(
        path=str(path),
        format=described.pop("format", ""),
        model=described.pop("model", ""),
        parts=tuple(_part(task, name, records) for (task, name), records in parts.items()),
        lower_is_better=tuple(sorted(run.lower_is_better)),
        faults={name: described.pop(name) for name in FAULTS if name in described},
        fingerprint=described,
        fields=fields,
        command=command,
        is_plain=is_plain,
    )


def _part(task: str | None, name: str | None, records: Sequence[Record]) -> PartContents:
    ids = Counter(record.id for record in records)
    metrics = dict.fromkeys(metric for record in records for metric in record.scores)
    return PartContents(
        task=task,
        filter=name,
        items=len(ids),
        repeats=len({record.repeat for record in records}),
        duplicates=len(records) - len({(record.id, record.repeat) for record in records}),
        unanswered=sum(record.prediction is None for record in records),
        without_reference=sum(record.reference is None for record in records),
        metrics={
            metric: sum(metric not in record.scores for record in records) for metric in metrics
        },
    )
