"""Running the joined query: counts by slice, flaws, and a sample of what broke."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.counting import tally_flips
from muscle_metrics.errors import FileError
from muscle_metrics.flips import Quadrant
from muscle_metrics.items import Item
from muscle_metrics.optional import require
from muscle_metrics.scale.encoding import decoded, split_key
from muscle_metrics.scale.flip_sample import FlipSample
from muscle_metrics.scale.joining import FLAWS
from muscle_metrics.scale.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from muscle_metrics.flips import FlipCounts
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scale.totals import Cell

__all__ = ["Tally", "open_database", "run_query", "tally"]

# What may hold for an item; every name is a column of the judged items.
MARKS = (*FLAWS, "in_old", "in_new", "old_right", "new_right", "changed", "graded")
SHOWN = ("key", "old", "new", "old_score", "new_score", "reference", "accepted", "changed")


class Tallied(NamedTuple):
    """How many items of a slice carry exactly these marks."""

    slice: str | None
    marks: frozenset[str]
    items: int


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
    # Of each set of marks the items are counted once, not each mark by itself.
    code = " | ".join(f"({name}::INTEGER << {bit})" for bit, name in enumerate(MARKS))
    # A CASE is computed only where it applies; the arguments of an aggregate are for every row.
    negative = f"{joining.kept()} AND old_right AND NOT new_right"
    broken = f"CASE WHEN {negative} THEN"
    rank = f"{broken} md5('{int(seed)}//' || {_name_of_key(joining)}) END"
    shown = f"{broken} {{{', '.join(f'{chr(39)}{name}{chr(39)}: {name}' for name in SHOWN)}}} END"
    query = f"""
        SELECT slice, {code} AS code, count(*),
               min_by({shown}, {rank}, {int(size)}) FILTER ({negative})
        FROM ({joining.items()}) GROUP BY slice, code
    """
    tallied, sampled = [], []
    for label, marks, items, flips in run_query(database, joining, query).fetchall():
        held = frozenset(name for bit, name in enumerate(MARKS) if marks >> bit & 1)
        tallied.append(Tallied(label, held, items))
        sampled += [(0.0, _flip(label, flip, joining)) for flip in flips or ()]
    kept = [part for part in tallied if not part.marks & joining.left_out()]
    return Tally(
        rows=(_total(tallied, "in_old"), _total(tallied, "in_new")),
        shared=_total(tallied, "in_old", "in_new"),
        silent=_total(tallied, "unanswered", without="conflicting"),
        totals=Totals(
            items=_total(kept),
            cells=_cells(kept, joining.has_answers),
            scores={},
            sample=FlipSample.draw(sampled, size=size, seed=seed),
        ),
        flaws={name: _total(tallied, name) for name in FLAWS},
        is_graded=_total(tallied, "graded") > 0,
    )


def _total(tallied: Iterable[Tallied], *marks: str, without: str = "") -> int:
    wanted = frozenset(marks)
    return sum(part.items for part in tallied if wanted <= part.marks and without not in part.marks)


def _cells(tallied: Iterable[Tallied], has_answers: bool) -> dict[Cell, FlipCounts]:
    by_slice: dict[str | None, list[Tallied]] = defaultdict(list)
    for part in tallied:
        by_slice[part.slice].append(part)
    return {(None, label): _counts(parts, has_answers) for label, parts in by_slice.items()}


def _counts(tallied: Sequence[Tallied], has_answers: bool) -> FlipCounts:
    def column(mark: str) -> list[bool]:
        return [mark in part.marks for part in tallied]

    return tally_flips(
        old_right=column("old_right"),
        new_right=column("new_right"),
        changed=column("changed") if has_answers else None,
        weights=[part.items for part in tallied],
    )


def _name_of_key(joining: Joining) -> str:
    """Write the SQL of an item's name as `rank_of` joins it."""
    if "repeat" in joining.old.fields:
        return "replace(key, chr(31), '/')"
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
