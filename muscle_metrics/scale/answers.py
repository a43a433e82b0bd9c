"""Joined items as readers of answers see them: read in Python, chunk by chunk."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from muscle_metrics.answers.constant import KEPT, Spread, Variety
from muscle_metrics.errors import FileError
from muscle_metrics.scale.database import reading as reading_database
from muscle_metrics.scale.encoding import code_value, decode_reference, decode_value, quote
from muscle_metrics.scale.loading import LONGEST
from muscle_metrics.scale.native import PLAIN_LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from muscle_metrics.answers.reading.reading import Answer, Reading
    from muscle_metrics.scale.joining import Joining

__all__ = ["MARKS", "TEXTS", "after_reading", "collect_variety"]

Result = TypeVar("Result")
Row = dict[str, Any]

TEXTS = (
    *("old", "new", "reference", "accepted", "new_reference", "new_accepted"),
    *("old_by_own", "own_old", "list_old"),
)
"""What readers give in columns of their own; ``old_by_own`` is old as its own references see it."""
MARKS = ("old_unread", "new_unread", "old_reread", "new_reread", "reference_unread", "own_unread")
"""Where readers found nothing, or another text than the answer; what they cannot read."""
READ = (*(f"read_{part}" for part in TEXTS), *MARKS)

# Rows whose texts are in memory together.
_CHUNK = 1 << 13
# Distinct texts whose reading is kept.
_REMEMBERED = 1 << 14
_FLAGS = ("in_old", "in_new", "slice_differs", "group_differs")
_LISTS = ("accepted", "new_accepted", "list_old", "list_new")
_SCORES = ("old_score", "new_score")


def after_reading(
    work: Callable[[Any, Joining], Result], database: Any, joining: Joining
) -> Result:
    """Do some work on joined items, whose answers are read before if there are readers."""
    reading = joining.choices.reading
    if reading is not None:
        _read_items(database, joining, reading)
    return work(database, joining)


def collect_variety(database: Any, joining: Joining) -> Variety:
    """Count the values of references and answers that are compared, as readers read them."""

    def spread(value: str) -> Spread:
        kept = f"SELECT {value} AS value FROM ({joining.items}) WHERE {joining.kept}"
        counted = (
            f"SELECT value, count(*) AS items FROM ({kept}) WHERE value IS NOT NULL GROUP BY value"
        )
        with reading_database():
            rows = database.execute(
                f"SELECT value, items, sum(items) OVER () FROM ({counted}) "
                f"ORDER BY items DESC, value LIMIT {KEPT}"
            ).fetchall()
        counts = {decode_value(value) if value[0] == '"' else value: n for value, n, _ in rows}
        return Spread(counts, int(rows[0][2]) if rows else 0)

    return Variety(
        spread(_one_value("reference", "accepted")),
        spread(_one_value("read_reference", "read_accepted")),
        tuple(spread(f"CASE WHEN NOT {run}_unread THEN read_{run} END") for run in ("old", "new")),
    )


def _one_value(reference: str, accepted: str) -> str:
    """Write the SQL of the one text of all references of an item, or of their list."""
    several = f"list_sort(list_distinct({accepted}))"
    return (
        f"CASE WHEN {accepted} IS NULL THEN {reference} WHEN len({several}) = 1 THEN {several}[1] "
        f"ELSE {several}::VARCHAR END"
    )


def _read_items(database: Any, joining: Joining, reading: Reading) -> None:
    """Make the view of the joined items with what readers read, unless the database has it."""
    name = joining.relation
    known = f"SELECT count(*) FROM duckdb_views() WHERE view_name = {quote(name)}"
    if database.execute(known).fetchone()[0]:
        return
    folder = database.execute("SELECT current_setting('temp_directory')").fetchone()[0]
    path = Path(folder, f"{name}.jsonl")
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    longest = LONGEST
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file, reading_database():
            read = _RowReader(reading)
            for row in _rows(database, joining.pairs):
                line = encode(read(row))
                # A character of UTF-8 has at most four bytes.
                longest = max(longest, 4 * len(line))
                file.write(f"{line}\n")
    except OSError as error:
        raise FileError(
            f"expected room for the answers that {reading.name} reads in the folder of temporary "
            f"files, got the error {error.strerror!r}: free some, or name another with TMPDIR"
        ) from error
    names = [column[0] for column in database.execute(f"DESCRIBE {joining.pairs}").fetchall()]
    columns = ", ".join(f"{quote(part)}: '{_kind(part)}'" for part in [*names, *READ])
    database.execute(
        f"CREATE VIEW {name} AS SELECT * FROM read_json([{quote(str(path))}], {PLAIN_LINES}, "
        f"maximum_object_size = {longest}, columns = {{{columns}}})"
    )


def _rows(database: Any, query: str) -> Iterator[Row]:
    result = database.execute(query)
    names = [column[0] for column in result.description]
    while rows := result.fetchmany(_CHUNK):
        for row in rows:
            yield dict(zip(names, row, strict=True))


def _kind(column: str) -> str:
    part = column.removeprefix("read_")
    if part in _LISTS:
        return "VARCHAR[]"
    if part in _FLAGS or part in MARKS:
        return "BOOLEAN"
    return "DOUBLE" if part in _SCORES else "VARCHAR"


class _RowReader:
    """Reads the answers and references of items; a text that came lately is not read again."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        remember = lru_cache(maxsize=_REMEMBERED)
        # Of texts alone: 1 and true are one key.
        self._answer, self._reference = remember(reading.read), remember(reading.reference)

    def __call__(self, row: Row) -> Row:
        judge, is_judge_read = self._references(row["reference"], row["accepted"])
        newer, is_newer_read = self._references(row["new_reference"], row["new_accepted"])
        own, is_own_read = self._references(row["own_old"], row["list_old"])
        old, new = self._read(row["old"], judge), self._read(row["new"], newer)
        return {
            **row,
            **_coded("old", old.text),
            **_coded("new", new.text),
            **_coded_references("reference", "accepted", judge, row["accepted"]),
            **_coded_references("new_reference", "new_accepted", newer, row["new_accepted"]),
            **_coded("old_by_own", self._read(row["old"], own).text),
            **_coded_references("own_old", "list_old", own, row["list_old"]),
            "old_unread": old.text is not None and not old.is_found,
            "new_unread": new.text is not None and not new.is_found,
            "old_reread": old.is_found and old.text != decode_value(row["old"]),
            "new_reread": new.is_found and new.text != decode_value(row["new"]),
            "reference_unread": not (is_judge_read and is_newer_read),
            "own_unread": not (is_own_read and own),
        }

    def _references(
        self, value: str | None, accepted: Iterable[str] | None
    ) -> tuple[tuple[str, ...], bool]:
        """Read the references of an item; the flag says whether all of them could be read."""
        reference = decode_reference(value, accepted)
        reading = self._reading
        given = [reference] if accepted is None else reading.accepted(reference)
        found = [
            self._reference(one) if isinstance(one, str) else reading.reference(one)
            for one in given
            if one is not None
        ]
        return tuple(one for one in found if one is not None), None not in found

    def _read(self, value: str | None, accepted: tuple[str, ...]) -> Answer:
        answer = decode_value(value)
        read = self._answer if isinstance(answer, str) else self._reading.read
        return read(answer, accepted)


def _coded(part: str, text: str | None) -> Row:
    return {f"read_{part}": code_value(text)}


def _coded_references(
    part: str, listed: str, texts: tuple[str, ...], accepted: Iterable[str] | None
) -> Row:
    """Code references; a list stays one, whatever the number of its answers."""
    coded = [code_value(text) for text in texts]
    if accepted is not None:
        return {f"read_{part}": "[", f"read_{listed}": coded}
    return {f"read_{part}": coded[0] if coded else None, f"read_{listed}": None}
