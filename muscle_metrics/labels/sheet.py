"""The sheet that a person fills: one row per item, two answers, and no word on which is new."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.comparison.items import answer_text
from muscle_metrics.errors import InputError
from muscle_metrics.labels.design import draw, new_is_first
from muscle_metrics.runs.files.delimited import read_csv
from muscle_metrics.words.escape import distinct, spreadsheet
from muscle_metrics.words.place import item_name, line_of, show
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    from muscle_metrics.labels.design import Design, Row
    from muscle_metrics.labels.items import LabelItems

__all__ = [
    "COLUMNS",
    "LABELS",
    "WORDS",
    "Label",
    "Sheet",
    "SheetRow",
    "key_path",
    "make_sheet",
    "read_labels",
    "sheet_files",
    "sheet_rows",
]

ANSWERS, LABELS = ("answer_a", "answer_b"), ("right_a", "right_b")
COLUMNS = ("row", "item", "prompt", *ANSWERS, *LABELS, "note", "sheet")
# A person writes them; spreadsheets write TRUE, and the words of other languages stay unknown.
WORDS = {
    **dict.fromkeys(("yes", "y", "right", "true", "1", "1.0"), True),
    **dict.fromkeys(("no", "n", "wrong", "false", "0", "0.0"), False),
    **dict.fromkeys(("", "?"), None),
}


PAGES = frozenset({".html", ".htm"})
"""Endings of pages to label on."""


class Label(NamedTuple):
    """Whether the old and the new answer of an item are right; None where nobody can tell."""

    old: bool | None = None
    new: bool | None = None


class Sheet(NamedTuple):
    """Rows that were drawn, and the label and note of each."""

    rows: list[Row]
    labels: list[Label]
    notes: list[str]


class SheetRow(NamedTuple):
    """One row as it is drawn: its cells, and the answers in the order of its sides."""

    number: int
    position: int
    cells: list[str]
    answers: tuple[Any, Any]


def key_path(sheet: str | Path) -> Path:
    """Path of the key of a sheet: it must not reach those who label.

    Raises
    ------
    InputError
        If the sheet is a page to label on, which holds no labels.

    Examples
    --------
    >>> key_path("sheet.csv").name
    'sheet.csv.key'
    """
    if Path(sheet).suffix.lower() in PAGES:
        raise InputError(
            f"expected a filled sheet, got the page {show(str(sheet))} that it is filled on: name "
            f"the .csv that the page exports, and lay it where 'muscle-metrics label' wrote its own"
        )
    return Path(f"{sheet}.key")


def sheet_files(path: str | PathLike[str]) -> list[Path]:
    """Files that a plan writes: the sheet, its key, and the page if the path is that of a page.

    Examples
    --------
    >>> [file.name for file in sheet_files("free.html")]
    ['free.csv', 'free.csv.key', 'free.html']
    """
    file = Path(path)
    if file.suffix.lower() not in PAGES:
        return [file, key_path(file)]
    sheet = file.with_suffix(".csv")
    return [sheet, key_path(sheet), file]


def make_sheet(
    items: LabelItems, design: Design, labels: Mapping[int, tuple[Label, str]] | None = None
) -> str:
    """Write the sheet of a design as CSV.

    Parameters
    ----------
    items : LabelItems
        Old and new answers.
    design : Design
        Which rows to draw.
    labels : mapping of int to (Label, str), optional
        Labels and notes that are known already, by the position of the item.

    Returns
    -------
    str
        Texts are on one line, and none is a formula to a spreadsheet.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(row.cells for row in sheet_rows(items, design, labels or {}))
    return file.getvalue()


def sheet_rows(
    items: LabelItems, design: Design, labels: Mapping[int, tuple[Label, str]]
) -> Iterator[SheetRow]:
    """Rows of a sheet in their order, with the parameters of `make_sheet`."""
    digest = design.digest
    for number, row in enumerate(draw(design, items), start=1):
        label, note = labels.get(row.position, (Label(), ""))
        words = ["" if one is None else "yes" if one else "no" for one in label]
        answers, new_first = _sides(items, design, row.position)
        if new_first:
            words.reverse()
        shown = _shown(items, row.position, answers)
        cells = [str(number), *shown, *words, spreadsheet(note), digest]
        yield SheetRow(number, row.position, cells, answers)


def read_labels(path: str | Path, items: LabelItems, design: Design) -> Sheet:
    """Read a filled sheet, and refuse one that is not as it was drawn.

    Raises
    ------
    InputError
        If a row is missing, given twice, of another sheet or changed, or its labels contradict
        each other.
    """
    file = Path(path)
    rows = draw(design, items)
    found = _rows_by_number(file, len(rows), design.digest)
    missing = [number for number in range(1, len(rows) + 1) if number not in found]
    if missing:
        raise InputError(
            f"expected all {len(rows)} rows of the sheet {show(str(path))}, got none of "
            f"{_numbers(missing)}: restore them; leave the labels of undecided rows empty"
        )
    labels, notes = [], []
    for number, row in enumerate(rows, start=1):
        line, cells = found[number]
        place = line_of(file, line)
        answers, new_first = _sides(items, design, row.position)
        _check_cells(cells, _shown(items, row.position, answers), place)
        first, second = (_word(cells[name], name, place) for name in LABELS)
        if cells[ANSWERS[0]] == cells[ANSWERS[1]] and first is not second:
            raise InputError(
                f"{place}: expected equal labels of answers that look equal, got "
                f"{show(cells[LABELS[0]])} and {show(cells[LABELS[1]])}: correct one of them"
            )
        if (first is None) is not (second is None):
            raise InputError(
                f"{place}: expected labels of both answers, or of neither, got one: fill "
                f"{LABELS[first is not None]}, or write ? into both"
            )
        labels.append(Label(second, first) if new_first else Label(first, second))
        notes.append(cells.get("note", "").removeprefix("'"))
    return Sheet(rows, labels, notes)


def _sides(items: LabelItems, design: Design, position: int) -> tuple[tuple[Any, Any], bool]:
    """Both answers in the order of their row, and whether that of the new model is first."""
    old, new = (records[position].prediction for records in items.joined.records)
    new_first = new_is_first(design.seed, items.identities[position])
    return ((new, old) if new_first else (old, new)), new_first


def _shown(items: LabelItems, position: int, answers: tuple[Any, Any]) -> list[str]:
    """Cells that a person reads: name, prompt, and both answers in the order of the row."""
    task, name = items.identities[position]
    texts = (items.prompts[position], *answers)
    return [
        spreadsheet(hide_secrets(distinct(item_name(task, name, None))).value),
        *(spreadsheet(hide_secrets(answer_text(text)).value) for text in texts),
    ]


def _rows_by_number(
    path: Path, total: int, digest: str
) -> dict[int, tuple[int, Mapping[str, str]]]:
    """Rows of a sheet by their number, each with its line."""
    found: dict[int, tuple[int, Mapping[str, str]]] = {}
    for line, values in read_csv(path):
        cells = {name: str(value) for name, value in values.items()}
        place = line_of(path, line)
        lacking = [name for name in COLUMNS if name not in cells and name != "note"]
        if lacking:
            raise InputError(
                f"{place}: expected the columns of a sheet of labels, got no {lacking[0]!r}: keep "
                f"the columns that 'muscle-metrics label' wrote"
            )
        if not any(cells.values()):
            continue
        if cells["sheet"] != digest:
            raise InputError(
                f"{place}: expected a row of the sheet {digest}, got one of "
                f"{show(cells['sheet'])}: keep the rows of each sheet apart, beside its own key"
            )
        number = _row_number(cells["row"])
        if number is None or not 1 <= number <= total:
            raise InputError(
                f"{place}: expected the number of a row from 1 to {total}, got "
                f"{show(cells['row'])}: restore it"
            )
        if number in found:
            raise InputError(
                f"{place}: expected every row once, got row {number} again, first on line "
                f"{found[number][0]}: delete one of them"
            )
        found[number] = line, cells
    return found


def _row_number(text: str) -> int | None:
    # Some spreadsheets write 7 as 7.0.
    digits = text.strip().removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _check_cells(cells: Mapping[str, str], expected: list[str], place: str) -> None:
    # Sides that are one number could change places without a trace.
    is_strict = expected[2] != expected[3] and _is_kept(expected[2], expected[3])
    for name, wanted in zip(("item", "prompt", *ANSWERS), expected, strict=True):
        if cells[name] != wanted if is_strict else not _is_kept(cells[name], wanted):
            raise InputError(
                f"{place}: expected {name} {show(wanted)}, got {show(cells[name])}: labels count "
                f"for the text that was drawn, so restore it; import all columns as text"
            )


def _is_kept(text: str, wanted: str) -> bool:
    """Whether a cell is as it was written; spreadsheets write the number 0.50 as 0.5."""
    if text == wanted:
        return True
    try:
        return float(text) == float(wanted)
    except ValueError:
        return False


def _word(text: str, column: str, place: str) -> bool | None:
    word = text.strip().casefold()
    if word not in WORDS:
        raise InputError(
            f"{place}: expected yes or no as {column}, or ? where nobody can tell, got "
            f"{show(text)}: write one of them"
        )
    return WORDS[word]


def _numbers(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return f"{'row' if len(numbers) == 1 else 'rows'} {shown}{', ...' if len(numbers) > 5 else ''}"
