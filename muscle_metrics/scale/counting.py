"""Running the joined query: counts by slice, flaws, and a sample of what broke."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.errors import FileError
from muscle_metrics.flips import FlipCounts, Quadrant
from muscle_metrics.items import Item
from muscle_metrics.optional import require
from muscle_metrics.scale.flip_sample import FlipSample
from muscle_metrics.scale.joining import FLAWS
from muscle_metrics.scale.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.scale.joining import Joining

__all__ = ["Tally", "decoded", "open_database", "run_query", "split_key", "tally"]

QUADRANTS = MappingProxyType(
    {
        "both_right": "old_right AND new_right",
        "negative": "old_right AND NOT new_right",
        "positive": "NOT old_right AND new_right",
        "both_wrong": "NOT old_right AND NOT new_right",
        "both_right_changed": "old_right AND new_right AND changed",
        "wrong_changed": "NOT old_right AND NOT new_right AND changed",
    }
)


SHOWN = ("key", "old", "new", "old_score", "new_score", "reference", "accepted", "changed")


class Tally(NamedTuple):
    """What the query counted.

    `rows` are those of the old and of the new run that stand in the join: as many as they have,
    unless an id repeats. `shared` are the items of both, `silent` those without an answer that
    conflicting references do not leave out already.
    """

    rows: tuple[int, int]
    shared: int
    silent: int
    totals: Totals
    flaws: dict[str, int]
    is_graded: bool

    def dropped(self, joining: Joining) -> dict[str, int]:
        """How many items the options leave out, by reason."""
        counts = {"only in new": self.flaws["only_new"], "only in old": self.flaws["only_old"]}
        if joining.conflict == "drop":
            counts["conflicting references"] = self.flaws["conflicting"]
        if joining.unanswered == "drop":
            drops = joining.conflict == "drop"
            counts["unanswered"] = self.silent if drops else self.flaws["unanswered"]
        return {reason: count for reason, count in sorted(counts.items()) if count}


@contextmanager
def open_database(memory: str, threads: int | None) -> Iterator[Any]:
    """Open a database in memory that spills to a folder of its own.

    Examples
    --------
    >>> with open_database("500MB", 1) as database:
    ...     database.execute("SELECT 1 + 1").fetchone()
    (2,)
    """
    duckdb = require("duckdb", "scale")
    with tempfile.TemporaryDirectory(prefix="muscle-metrics-") as folder:
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "temp_directory": folder,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
        if threads is not None:
            settings["threads"] = threads
        connection = duckdb.connect(":memory:", config=settings)
        # It would write into what the caller prints.
        connection.execute("SET enable_progress_bar = false")
        try:
            yield connection
        finally:
            connection.close()


def run_query(database: Any, joining: Joining, query: str) -> Any:
    """Run a query over both runs; where a row cannot be read, raise what its reader says.

    Raises
    ------
    FileError
        With the file and the line of the first bad row.

    Examples
    --------
    >>> from pathlib import Path
    >>> from muscle_metrics.scale.joining import Joining
    >>> from muscle_metrics.scale.sources import open_source
    >>> with tempfile.TemporaryDirectory() as folder, open_database("500MB", 1) as database:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A", "reference": "A"}')
    ...     source = open_source(path, {})
    ...     joining = Joining(old=source, new=source, by_score=False)
    ...     run_query(database, joining, joining.new.table([])).fetchall()
    [('1',)]
    """
    duckdb = require("duckdb", "scale")
    try:
        return database.execute(query)
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException) as error:
        for source in (joining.old, joining.new):
            source.check_rows()
        first = str(error).splitlines()[0]
        raise FileError(
            f"expected rows that the engine can read, at most 16 MB each, got {first!r}: leave out "
            f"--engine"
        ) from error


def tally(database: Any, joining: Joining, *, size: int, seed: int) -> Tally:
    """Count the joined items, by slice, and what is wrong with them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from muscle_metrics.scale.joining import Joining
    >>> from muscle_metrics.scale.sources import open_source
    >>> with tempfile.TemporaryDirectory() as folder, open_database("500MB", 1) as database:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A", "reference": "A"}')
    ...     source = open_source(path, {})
    ...     joining = Joining(old=source, new=source, by_score=False)
    ...     tally(database, joining, size=1, seed=0).totals.counts.both_right
    1
    """
    kept = joining.kept()
    counted = {name: f"{kept} AND {quadrant}" for name, quadrant in QUADRANTS.items()}
    cells = ", ".join(f"count(*) FILTER ({rows}) AS {name}" for name, rows in counted.items())
    flaws = ", ".join(f"count(*) FILTER ({name}) AS {name}" for name in FLAWS)
    # A CASE is computed only where it applies; the arguments of an aggregate are for every row.
    broken = f"CASE WHEN {counted['negative']} THEN"
    rank = f"{broken} md5('{int(seed)}//' || {_name_of_key(joining)}) END"
    shown = f"{broken} {{{', '.join(f'{chr(39)}{name}{chr(39)}: {name}' for name in SHOWN)}}} END"
    sample = f"min_by({shown}, {rank}, {int(size)}) FILTER ({counted['negative']})"
    result = run_query(
        database,
        joining,
        f"""
        SELECT slice, {cells}, {flaws},
               count(*) FILTER ({kept}) AS items,
               count(*) FILTER (in_old) AS old_rows, count(*) FILTER (in_new) AS new_rows,
               count(*) FILTER (in_old AND in_new) AS shared,
               count(*) FILTER (unanswered AND NOT conflicting) AS silent,
               count(changed) AS known,
               coalesce(bool_or(old_score NOT IN (0, 1) OR new_score NOT IN (0, 1)), FALSE),
               {sample} AS sample
        FROM ({joining.items()}) GROUP BY slice
        """,
    )
    names = [column[0] for column in result.description]
    rows = [dict(zip(names[:-2], row[:-2], strict=True)) | {"graded": row[-2], "sample": row[-1]}
            for row in result.fetchall()]  # fmt: skip

    def total(name: str) -> int:
        return sum(row[name] for row in rows)

    sampled = [_flip(row["slice"], flip, joining) for row in rows for flip in row["sample"] or []]
    return Tally(
        rows=(total("old_rows"), total("new_rows")),
        shared=total("shared"),
        silent=total("silent"),
        totals=Totals(
            items=total("items"),
            cells={(None, row["slice"]): _counts(row) for row in rows if row["items"]},
            scores={},
            sample=FlipSample.draw(((0.0, flip) for flip in sampled), size=size, seed=seed),
        ),
        flaws={name: total(name) for name in FLAWS},
        is_graded=any(row["graded"] for row in rows),
    )


def split_key(key: str) -> tuple[str, str | None]:
    r"""Id and repeat that a key joins.

    Examples
    --------
    >>> split_key("q1"), split_key("q1\x1f3")
    (('q1', None), ('q1', '3'))
    """
    name, separator, repeat = key.rpartition("\x1f")
    return (name, repeat or None) if separator else (key, None)


def decoded(value: str | None) -> Any:
    """Value of the text it was written as.

    Examples
    --------
    >>> decoded('"A'), decoded("3"), decoded("2.5"), decoded("true"), decoded(None)
    ('A', 3, 2.5, True, None)
    """
    if value is None:
        return None
    # What cannot be compared stays as it is marked: its flaw is told elsewhere.
    return value[1:] if value[:1] == '"' else value if value[:1] in "?[" else json.loads(value)


def _name_of_key(joining: Joining) -> str:
    """Write the SQL of an item's name as `rank_of` joins it."""
    if "repeat" in joining.old.fields:
        return "replace(key, chr(31), '/')"
    return "key || '/'"


def _counts(row: dict[str, Any]) -> FlipCounts:
    known = bool(row["known"])
    values: dict[str, Any] = {
        name: row[name] if known or not name.endswith("changed") else None for name in QUADRANTS
    }
    return FlipCounts(**values)


def _flip(part: str | None, flip: dict[str, Any], joining: Joining) -> Item:
    name, repeat = split_key(flip["key"])
    answered = all("prediction" in source.fields for source in (joining.old, joining.new))
    old, new = (decoded(flip[x]) if answered else flip[f"{x}_score"] for x in ("old", "new"))
    accepted = flip["accepted"]
    return Item(
        id=name,
        task=None,
        repeat=repeat,
        slice=part,
        old=old,
        new=new,
        reference=[decoded(x) for x in accepted] if accepted else decoded(flip["reference"]),
        quadrant=Quadrant.NEGATIVE,
        changed=flip["changed"],
    )
