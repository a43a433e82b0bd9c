"""A committed baseline: correctness or scores of one run, no texts, one item per line.

The first line marks the file and counts its items, so that a cut or badly merged file is noticed.
Items are in natural order: the diff of two baselines shows the items that changed.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import score_of
from muscle_metrics.words.escape import json_source, visible
from muscle_metrics.words.place import describe, line_of, show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["baseline_text", "is_baseline", "read_baseline"]

MARK = "muscle_metrics_baseline"
LOWER = "lower_is_better"
VERSION = 1
LABELS = ("task", "repeat", "slice", "group")


def baseline_text(run: Run) -> str:
    r"""Write a run without its texts; only ids, labels and scores are kept.

    Parameters
    ----------
    run : Run
        A run in which every record has a score.

    Returns
    -------
    str
        JSON Lines in ASCII.

    Examples
    --------
    >>> print(baseline_text(Run((Record("q1", scores={"correct": True}),), "v1")), end="")
    {"muscle_metrics_baseline":1,"name":"v1","items":1,"fingerprint":{}}
    {"id":"q1","scores":{"correct":true}}
    """
    head = {
        MARK: VERSION,
        "name": run.name,
        "items": len(run),
        "fingerprint": dict(sorted(run.fingerprint.items())),
    }
    if run.lower_is_better:
        head[LOWER] = sorted(run.lower_is_better)
    rows = [
        {
            "id": record.id,
            **{name: label for name in LABELS if (label := getattr(record, name)) is not None},
            "scores": dict(sorted(record.scores.items())),
        }
        for record in run
    ]
    lines = (json.dumps(line, separators=(",", ":"), allow_nan=False) for line in [head, *rows])
    return "".join(f"{json_source(line)}\n" for line in lines)


def is_baseline(row: Mapping[str, object]) -> bool:
    """Recognise a baseline by the first row of the file."""
    return MARK in row


def read_baseline(path: Path) -> Run:
    """Read a baseline that `baseline_text` wrote.

    Parameters
    ----------
    path : Path
        The file, which may be compressed.

    Returns
    -------
    Run
        Records with scores and labels, without answers and references.

    Raises
    ------
    FileError
        If the file is no baseline, is of a later version, or does not hold as many items as its
        first line says.
    """
    rows = read_jsonl(path)
    _, head = next(rows, (0, {}))
    if head.get(MARK) != VERSION:
        found = f"version {describe(head[MARK])}" if MARK in head else "another file"
        raise FileError(
            f"{visible(str(path))}: expected a baseline of version {VERSION}, got {found}: write "
            f"one with 'muscle-metrics baseline RUN -o FILE'"
        )
    records = []
    for number, row in rows:
        try:
            records.append(_record(row))
        except InputError as error:
            raise FileError(
                f"{line_of(path, number)}: {error}: write the baseline again"
            ) from error
    if not any(record.scores for record in records):
        raise FileError(
            f"{visible(str(path))}: expected a score of some item, got none: write the baseline "
            f"again"
        )
    if len(records) != head.get("items"):
        raise FileError(
            f"{visible(str(path))}: expected {describe(head.get('items'))} items as the first line "
            f"says, got {len(records)}: the file was cut short or edited, write it again"
        )
    return Run(tuple(records), *_described(path, head))


def _described(
    path: Path, head: Mapping[str, object]
) -> tuple[str, Mapping[str, str], frozenset[str]]:
    name, fingerprint, lower = head.get("name"), head.get("fingerprint"), head.get(LOWER, [])
    texts = [name, *(fingerprint.values() if isinstance(fingerprint, dict) else [None])]
    lower = lower if isinstance(lower, list) else [None]
    if not isinstance(fingerprint, dict) or not all(isinstance(t, str) for t in texts + lower):
        raise FileError(
            f"{line_of(path, 1)}: expected a name and a fingerprint of texts, got something else: "
            f"write the baseline again"
        )
    return str(name), MappingProxyType(fingerprint), frozenset(lower)


def _record(row: Mapping[str, object]) -> Record:
    labels: dict[str, Any] = {name: row[name] for name in LABELS if name in row}
    unknown = sorted(row.keys() - {"id", "scores", *LABELS})
    texts = [row.get("id"), *labels.values()]
    if unknown or not all(isinstance(text, str) for text in texts):
        given = f"the field {show(unknown[0])}" if unknown else "a value that is no text"
        raise InputError(f"expected an id and labels as text, got {given}")
    scores = row.get("scores")
    if not isinstance(scores, dict):
        raise InputError(f"expected scores by name, got {describe(scores)}")
    found = {name: score_of(value, name) for name, value in scores.items()}
    values = {name: score for name, score in found.items() if score is not None}
    if len(values) < len(found):
        raise InputError("expected a score for every name, got null")
    return Record(str(row["id"]), scores=values, **labels)
