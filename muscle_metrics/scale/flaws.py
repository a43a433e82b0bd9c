"""The error of two joined runs that cannot be compared, in the words of the in-memory join."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from muscle_metrics.answers.reading.columns import unread_references
from muscle_metrics.errors import InputError
from muscle_metrics.runs.joining.mismatches import Excerpt
from muscle_metrics.runs.joining.pairing import join_runs, nothing_left
from muscle_metrics.runs.read import nothing_prompted, nothing_scored
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale.database import reading
from muscle_metrics.scale.encoding import (
    decode_label,
    decode_reference,
    decode_value,
    split_key,
    sql_null,
)
from muscle_metrics.words.place import describe, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muscle_metrics.answers.reading.reading import Reading
    from muscle_metrics.scale.counting import Tally
    from muscle_metrics.scale.joining import Joining

    Fetch = Callable[[str], list[tuple[Any, ...]]]

__all__ = ["FlawedItems", "FlawedRow", "collect_flawed", "explain_flaws"]

# A message shows five items. Where more than this many are flawed, the database counts them.
MOST_FETCHED = 100_000
# Kinds of flawed items in messages, and the condition of each.
KINDS = {
    "missing in new": "only_old",
    "missing in old": "only_new",
    "conflicting": "conflicting",
    "moved": "prompts_differ",
    "no score in old": "unanswered AND NOT old_scored",
    "no score in new": "unanswered AND NOT new_scored",
    "no answer in old": "unanswered AND NOT old_answered",
    "no answer in new": "unanswered AND NOT new_answered",
}
OF_PAIRS = {"prompts_differ", "only_old", "only_new", "conflicting", "unanswered"}
PARTS = ("prediction", "reference", "accepted", "score", "prompt")


class FlawedRow(NamedTuple):
    """One row as `Source.table` writes it; `is_new` marks rows of the new run."""

    is_new: bool
    key: str
    prediction: str | None
    reference: str | None
    accepted: list[str] | None
    score: float | None
    prompt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawedItems:
    """Items with a flaw; `a + b` holds those of both.

    Parameters
    ----------
    rows : tuple of FlawedRow
        Rows of both runs whose items carry a flaw or whose ids repeat, and of one clean item.
    mixed : tuple of tuple
        Key, old, new and reference of an item whose values are of different kinds.
    unread : tuple of tuple
        Key, reference and accepted references of an item whose references cannot be read.
    shared : int
        How many keys both runs have.
    numbers : mapping of str to int
        How many keys are flawed, by the names of `Excerpt`.
    """

    rows: tuple[FlawedRow, ...]
    mixed: tuple[tuple[str, str | None, str | None, str | None], ...]
    unread: tuple[tuple[str, str | None, list[str] | None], ...]
    shared: int
    numbers: Mapping[str, int]

    def __add__(self, other: FlawedItems) -> FlawedItems:
        return FlawedItems(
            rows=self.rows + other.rows,
            mixed=self.mixed + other.mixed,
            unread=self.unread + other.unread,
            shared=self.shared + other.shared,
            numbers=Counter(self.numbers) + Counter(other.numbers),
        )

    def of_run(self, is_new: bool) -> list[FlawedRow]:
        """Rows of one run, in the order of their keys."""
        return sorted((row for row in self.rows if row.is_new == is_new), key=lambda row: row.key)

    @property
    def is_cut(self) -> bool:
        """Whether a part of the flawed rows may be missing."""
        return len(self.rows) >= MOST_FETCHED

    @property
    def has_repeats(self) -> bool:
        """Whether a key occurs more than once in a run."""
        return len({(row.is_new, row.key) for row in self.rows}) < len(self.rows)


def collect_flawed(database: Any, joining: Joining, *, wrong: frozenset[str]) -> FlawedItems:
    """Fetch the items that carry one of the flaws `wrong`, and those whose ids repeat."""

    def fetch(query: str) -> list[tuple[Any, ...]]:
        with reading():
            found: list[tuple[Any, ...]] = database.execute(query).fetchall()
        return found

    old, new = (source.table([]) for source in (joining.old, joining.new))
    repeated = " UNION ALL ".join(
        f"(SELECT key FROM ({keys}) GROUP BY key HAVING count(*) > 1 LIMIT {MOST_FETCHED})"
        for keys in (old, new)
    )
    mixed = (
        f"SELECT key, old, new, reference FROM ({joining.items}) "
        f"WHERE kinds_differ AND {joining.kept} ORDER BY key LIMIT 1"
    )
    unread = (
        f"SELECT key, reference, accepted FROM ({joining.items}) "
        f"WHERE unread AND {joining.kept} ORDER BY key LIMIT 1"
    )
    flaws = wrong & OF_PAIRS
    numbers = _repeated(joining, fetch) | (_flawed(joining, fetch) if flaws else {})
    has_rows = bool(flaws or any(numbers[f"repeated in {run}"] for run in ("old", "new")))
    return FlawedItems(
        rows=tuple(FlawedRow(*row) for row in fetch(_rows(joining, flaws, repeated)))
        if has_rows
        else (),
        mixed=tuple(fetch(mixed)) if "kinds_differ" in wrong else (),
        unread=tuple(fetch(unread)) if "unread" in wrong else (),
        shared=fetch(f"SELECT count(*) FROM ({old} INTERSECT {new})")[0][0],
        numbers=numbers,
    )


def _flawed(joining: Joining, fetch: Fetch) -> dict[str, int]:
    """Count the keys of every kind of flaw."""
    flawed = ", ".join(f"count(DISTINCT key) FILTER ({condition})" for condition in KINDS.values())
    counts = fetch(f"SELECT {flawed} FROM ({joining.items})")[0]
    return dict(zip(KINDS, counts, strict=True))


def _repeated(joining: Joining, fetch: Fetch) -> dict[str, int]:
    """Count the keys that repeat in a run, and their rows beyond the first."""
    numbers: dict[str, int] = {}
    for run, source in (("old", joining.old), ("new", joining.new)):
        keys = f"SELECT count(*) AS rows FROM ({source.table([])}) GROUP BY key HAVING rows > 1"
        ids, surplus = fetch(f"SELECT count(*), coalesce(sum(rows - 1), 0)::BIGINT FROM ({keys})")[
            0
        ]
        numbers |= {f"repeated in {run}": ids, f"surplus in {run}": surplus}
    return numbers


def _rows(joining: Joining, flaws: frozenset[str], repeated: str) -> str:
    """Write the SQL of the rows of both runs whose items are flawed, and of one clean item."""
    flawed = " OR ".join(sorted(flaws)) or "FALSE"
    # A limit for each kind keeps a frequent one from hiding the others.
    kinds = " ".join(
        f"UNION (SELECT DISTINCT key FROM items WHERE {kind} LIMIT {MOST_FETCHED})"
        for kind in KINDS.values()
        if kind.partition(" ")[0] in flaws
    )
    columns = ", ".join(
        f'"{part}"' if part in joining.parts else f"{sql_null(part)} AS {part}" for part in PARTS
    )
    rows = " UNION ALL ".join(
        f"SELECT {is_new} AS is_new, key, {columns} FROM ({source.table(joining.parts)}) "
        f"WHERE key IN (SELECT key FROM wanted)"
        for is_new, source in (("FALSE", joining.old), ("TRUE", joining.new))
    )
    return f"""
        WITH items AS ({joining.items}), repeated AS MATERIALIZED ({repeated}),
        wanted AS MATERIALIZED (
            SELECT key FROM repeated
            {kinds}
            UNION (SELECT key FROM items WHERE in_old AND in_new AND NOT ({flawed})
                   AND key NOT IN (SELECT key FROM repeated) LIMIT 1)
        )
        {rows}
    """


def explain_flaws(
    joining: Joining, found: Tally, collect: Callable[[frozenset[str]], FlawedItems]
) -> None:
    """Raise the error for the counted flaws, if there are any.

    `collect` fetches the items that carry given flaws. It is called only where runs may be flawed.

    Raises
    ------
    InputError
        If rows cannot be read, ids repeat, or items do not match.
    """
    wrong = found.flaws(joining)
    if found.shared:
        # Dropping the other items helps only where both runs share some.
        wrong -= joining.tolerated
    _explain_nothing_read(joining, found)
    if wrong or found.may_repeat or not found.shared:
        flawed = collect(wrong)
        # Runs without any row carry no flaw, and share no item either.
        if wrong & OF_PAIRS or flawed.has_repeats or not found.shared:
            _explain_pairs(joining, flawed)
        if "unreferenced" in wrong:
            count = found.count("unreferenced", without=joining.left_out)
            raise InputError(
                f"expected a reference for every item of {show(joining.old.name)}, got none for "
                f"{count} of {found.shared}: name its field with --reference-field"
            )
        if "unaccepted" in wrong:
            count = found.count("unaccepted", without=joining.left_out)
            raise InputError(
                f"expected at least one accepted reference per item, got an empty list for {count} "
                f"of {found.shared}: add one, or drop these items"
            )
        if "kinds_differ" in wrong:
            _explain_kinds(flawed)
        if "unread" in wrong:
            raise _unread(joining, flawed, found)
    if not found.count(without=joining.left_out):
        raise nothing_left(found.dropped(joining))


def _explain_nothing_read(joining: Joining, found: Tally) -> None:
    """Raise the error for a field that was named and that no row has a value of."""
    runs = (("old", joining.old), ("new", joining.new))
    for (run, source), rows in zip(runs, found.recorded, strict=True):
        for part, mark, error in (
            ("score", f"{run}_scored", nothing_scored),
            ("prompt", f"{run}_prompted", nothing_prompted),
        ):
            if part in source.fields and rows and not found.count(mark):
                raise error(source.place, source.fields[part], rows)


def _explain_pairs(joining: Joining, flawed: FlawedItems) -> None:
    """Run the in-memory join on the flawed rows and one clean item, for its error message."""
    runs = [
        Run(tuple(_record(row, joining) for row in flawed.of_run(is_new)), source.name)
        for is_new, source in ((False, joining.old), (True, joining.new))
    ]
    # The flawed rows of a run may all lack what others of it hold, such as a prompt.
    held = [frozenset(source.fields) for source in (joining.old, joining.new)]
    join_runs(
        runs,
        missing=joining.choices.missing,
        conflict=joining.choices.conflict,
        unanswered=joining.choices.unanswered,
        excerpt=Excerpt(flawed.shared, flawed.numbers if flawed.is_cut else {}, held),
        needs=(joining.judging.needs,) * 2,
    )


def _record(row: FlawedRow, joining: Joining) -> Record:
    name, repeat = split_key(row.key)
    prediction, reading = decode_value(row.prediction), joining.choices.reading
    if reading is not None and reading.is_silent(prediction):
        prediction = None
    return Record(
        name,
        prediction=prediction,
        reference=decode_reference(row.reference, row.accepted),
        scores={} if row.score is None else {"score": row.score},
        repeat=repeat,
        prompt=decode_label(row.prompt),
    )


def _explain_kinds(flawed: FlawedItems) -> None:
    key, *encoded = min(flawed.mixed, key=lambda item: item[0])
    values = ["a list" if value == "[" else describe(decode_value(value)) for value in encoded]
    raise InputError(
        f"expected old, new and reference to hold answers of one kind, got {values[0]}, "
        f"{values[1]} and {values[2]} for id {show(split_key(key)[0])}: write all as text"
    )


def _unread(joining: Joining, flawed: FlawedItems, found: Tally) -> InputError:
    key, value, accepted = min(flawed.unread, key=lambda item: item[0])
    whose = "" if joining.judges_by_own else f" of {show(joining.old.name)}"
    return unread_references(
        cast("Reading", joining.choices.reading),
        (found.count("unread", without=joining.left_out), found.count(without=joining.left_out)),
        decode_reference(value, accepted),
        f"id {show(split_key(key)[0])} in the references{whose}",
    )
