"""Running the joined query: counts by slice, flaws, and a sample of what broke."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.flip_sample import FlipSample
from muscle_metrics.comparison.items import Item
from muscle_metrics.errors import FileError, UsageError, require
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.scale.encoding import decoded, split_key
from muscle_metrics.scale.tally import MARKS, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.scale.encoding import Source
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scale.tally import Carried

__all__ = ["open_database", "reading", "run_query", "tally"]

SHOWN = ("key", "old", "new", "old_score", "new_score", "reference", "accepted", "changed")


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
        try:
            connection = duckdb.connect(":memory:", config=settings)
        except duckdb.Error as error:
            raise UsageError(
                f"expected memory such as '500MB' and one thread or more, got {memory!r} and "
                f"{threads!r}: change --memory (memory, threads)"
            ) from error
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
    with reading(joining.old, joining.new):
        return database.execute(query)


@contextmanager
def reading(*sources: Source) -> Iterator[None]:
    """Where a row of these sources cannot be read, raise what its reader says.

    Raises
    ------
    FileError
        With the file and the line of the first bad row.

    Examples
    --------
    >>> with reading():
    ...     pass
    """
    duckdb = require("duckdb", "scale")
    # What is read as Arrow comes with errors of the system.
    unreadable = (
        *(duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException),
        OSError,
    )
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            "expected memory that the join fits into, got too little: raise --memory (memory), or "
            "use fewer threads"
        ) from error
    except unreadable as error:
        for source in sources:
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
    ...     tally(database, joining, size=1, seed=0).totals(joining).counts.both_right
    1
    """
    # Of each set of marks the items are counted once, not each mark by itself.
    code = " | ".join(f"({name}::INTEGER << {bit})" for bit, name in enumerate(MARKS))
    # A CASE is computed only where it applies; the arguments of an aggregate are for every row.
    negative = f"{joining.kept()} AND old_right AND NOT new_right"
    broken = f"CASE WHEN {negative} THEN"
    rank = f"{broken} md5('{int(seed)}//' || {_name_of_key(joining)}) END"
    shown = f"{broken} {{{', '.join(f'{chr(39)}{name}{chr(39)}: {name}' for name in SHOWN)}}} END"
    sample = f"min_by({shown}, {rank}, {int(size)}) FILTER ({negative})" if size else "NULL"
    query = f"""
        SELECT slice, cluster, {code} AS code, count(*), {sample}
        FROM ({joining.items()}) GROUP BY slice, cluster, code
    """
    items: dict[Carried, int] = {}
    sampled = []
    for part, group, held, count, flips in run_query(database, joining, query).fetchall():
        marks = frozenset(name for bit, name in enumerate(MARKS) if held >> bit & 1)
        items[part, group, marks] = count
        sampled += [(0.0, _flip(part, flip, joining)) for flip in flips or ()]
    return Tally(
        items=items,
        recorded=(joining.old.count_rows(database), joining.new.count_rows(database)),
        sample=FlipSample.draw(sampled, size=size, seed=seed),
    )


def _name_of_key(joining: Joining) -> str:
    """Write the SQL of an item's name as `rank_of` joins it."""
    if "repeat" in {*joining.old.fields, *joining.new.fields}:
        return (
            "CASE WHEN contains(key, chr(31)) THEN replace(key, chr(31), '/') ELSE key || '/' END"
        )
    return "key || '/'"


def _flip(part: str | None, flip: dict[str, Any], joining: Joining) -> Item:
    name, repeat = split_key(flip["key"])
    has_answers = joining.has_answers
    old, new = (decoded(flip[x]) if has_answers else flip[f"{x}_score"] for x in ("old", "new"))
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
        changed=flip["changed"] if has_answers else None,
    )
