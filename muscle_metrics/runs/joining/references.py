"""References: compare two of them, and add those of a separate file to a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from numbers import Real
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING

from muscle_metrics.errors import FileError, InputError, PairingError, UsageError
from muscle_metrics.runs.columns import MissingFieldError, all_missing, find, read_id, wanted_ids
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.files.incoming import is_elsewhere, local_copy
from muscle_metrics.runs.files.plain_file import open_plain
from muscle_metrics.runs.files.text_lines import LINE
from muscle_metrics.runs.rows import keep_rows, locate
from muscle_metrics.runs.values import any_reference_of, reference_of
from muscle_metrics.words.place import list_ids, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from muscle_metrics.runs.record import Run

__all__ = [
    "References",
    "differing_references",
    "read_references",
    "refuse_own_answers",
    "same_reference",
    "with_references",
]


class References(dict[str, object]):
    """Right answers of a file by id, and the format and field that they were read from."""

    def __init__(self, format: str, field: str) -> None:  # noqa: A002
        super().__init__()
        self.format, self.field = format, field


# Types in which equal values are the same reference. Not bool: 1 == True, but they differ here.
_COMPARED_BY_VALUE = {str, int, float, NoneType}


def read_references(
    path: str | PathLike[str],
    *,
    format: str = "auto",  # noqa: A002
    id_field: str | tuple[str, ...] = "id",
    reference_field: str = "reference",
    structured: bool = False,
) -> References:
    r"""Read the right answers from a separate file.

    Parameters
    ----------
    path : str or path
        A file as `read_run` reads it.
    format : {"auto", "jsonl", "json", "csv", "tsv", "txt", "parquet", "datasets"}
        Format of the rows.
    id_field : str or tuple of str
        Field of the id, or those that make it up together.
    reference_field : str
        Field of the right answer, or of a list of accepted ones; not null.
    structured : bool
        Whether right answers may be objects, as in `read_run`.

    Returns
    -------
    dict of str to object
        The reference of each id; it remembers its format and field.

    Raises
    ------
    FileError
        If the file cannot be read, an id occurs twice, or a reference is null.
    """
    if is_elsewhere(path):
        with local_copy(path) as copy:
            return read_references(
                copy,
                format=format,
                id_field=id_field,
                reference_field=reference_field,
                structured=structured,
            )
    file = open_plain(Glimpse(Path(path)), format)
    if file.format == "txt":
        id_field, reference_field = "id", LINE
    id_fields = [id_field] if isinstance(id_field, str) else id_field
    convert = any_reference_of if structured else reference_of
    references = References(file.format, reference_field)
    for number, row in keep_rows(file, {*id_fields, reference_field}):
        try:
            id_ = read_id(row, id_field)
            reference = convert(find(row, reference_field, "reference_field"), reference_field)
        except InputError as error:
            wanted = [*wanted_ids(id_field), (reference_field, "reference_field")]
            missing = all_missing(row, wanted) if isinstance(error, MissingFieldError) else None
            raise locate(missing or error, file, number, row) from error
        if id_ in references:
            raise FileError(
                f"{file.place(number)}: expected each id once, got {show(id_)} again: "
                f"remove one of its rows"
            )
        if reference is None:
            raise FileError(
                f"{file.place(number)}: expected a reference for {show(id_)}, got null: "
                f"fill it in, or drop the item from every file"
            )
        references[id_] = reference
    return references


def with_references(
    run: Run, references: Mapping[str, object], *, answer_field: str = "prediction"
) -> Run:
    """Give a run the references of its items.

    Parameters
    ----------
    run : Run
        A run without references, or with equal ones.
    references : mapping of str to object
        Reference of each id; ids that the run lacks are allowed.
    answer_field : str
        Field that the answers of the run were read from. Where a file of references holds the same
        answers in the same field, it is a copy of the run: see `refuse_own_answers`.

    Raises
    ------
    PairingError
        If an id of the run has no reference, or a record has another one already.
    """
    ids = [record.id for record in run]
    problems = []
    if missing := [name for name in ids if name not in references]:
        problems.append(f"none for {len(missing)} of {len(ids)} items ({list_ids(missing)})")
    different = [
        record.id
        for record in run
        if record.reference is not None
        and record.id in references
        and not same_reference(record.reference, references[record.id])
    ]
    if different:
        problems.append(
            f"a second one for {len(different)} of {len(ids)} items ({list_ids(different)})"
        )
    if problems:
        advice = (
            "write the ids of the log into the field 'id' of the references, or leave out "
            "--reference FILE"
            if run.is_log
            else "check --id-field (id_field) and the references"
        )
        raise PairingError(
            f"expected one reference for every item of {show(run.name)}, got "
            f"{' and '.join(problems)}: {advice}"
        )
    records = tuple(replace(record, reference=references[record.id]) for record in run)
    own_field = answer_field if _is_copy(run, references, answer_field) else None
    return replace(run, records=records, own_field=own_field)


def _is_copy(run: Run, references: Mapping[str, object], answer_field: str) -> bool:
    """Whether the references are the answers of a run, read from the same field of such a file."""
    return (
        isinstance(references, References)
        and (references.format, references.field) == (run.fingerprint.get("format"), answer_field)
        and all(same_reference(record.prediction, references[record.id]) for record in run)
    )


def refuse_own_answers(name: str, field: str | None) -> None:
    """Refuse answers of a newer model as their own references: none of them could break.

    Answers of the old model may be the references: then every answer that differs breaks.

    Parameters
    ----------
    name : str
        Name of the newer run.
    field : str or None
        The one field of its answers and its references; None where they have two.

    Raises
    ------
    UsageError
        If there is such a field.
    """
    if field is not None:
        raise UsageError(
            f"expected right answers in --reference-field (reference_field=) or --reference, got "
            f"the answers of {show(name)} in {show(field)}: every answer would be right by itself, "
            f"so name another field or file"
        )


def differing_references(first: Sequence[object], second: Sequence[object]) -> list[int]:
    """Positions at which two columns of references are not the same, as `same_reference` says."""
    if {*map(type, first), *map(type, second)} <= _COMPARED_BY_VALUE:
        if first == second:
            return []
        is_same: Callable[[object, object], bool] = _is_equal
    else:
        is_same = same_reference
    pairs = zip(first, second, strict=True)
    return [position for position, pair in enumerate(pairs) if not is_same(*pair)]


def _is_equal(first: object, second: object) -> bool:
    # A NaN is not equal to itself; the same NaN object in two runs is still the same reference.
    return first is second or first == second


def same_reference(first: object, second: object) -> bool:
    """Say whether two references accept the same answers.

    A text, a number and a truth value are never the same reference. 1 and 1.0 are the same number.
    The order of a list of accepted answers does not matter.
    """
    return _canonical(first) == _canonical(second)


def _canonical(reference: object) -> tuple[str, object]:
    """Kind and value: equal for the same references, and hashable."""
    if isinstance(reference, list | tuple):
        return "list", frozenset(Counter(map(_canonical, reference)).items())
    if isinstance(reference, str | bool) or reference is None:
        return type(reference).__name__, reference
    if isinstance(reference, Real):
        return "number", reference
    return type(reference).__name__, repr(reference)
