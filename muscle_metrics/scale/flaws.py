"""What is wrong with two joined runs, in the words of the join that holds runs in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.joining.pairing import join_runs, nothing_left
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale.counting import run_query
from muscle_metrics.scale.encoding import decoded, split_key
from muscle_metrics.words.place import list_ids, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.scale.encoding import Source
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scale.tally import Tally

__all__ = ["FlawedItems", "collect_flawed", "explain_flaws"]

# A message shows five items and counts all; of more than this it counts as many.
MOST_FETCHED = 100_000
OF_PAIRS = {"prompts_differ", "only_old", "only_new", "conflicting", "unanswered"}
COLUMNS = (
    "key", "old", "new", "own_old", "own_new", "list_old", "list_new", "old_prompt", "new_prompt",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawedItems:
    """Items that something is wrong with; `a + b` holds those of both.

    Parameters
    ----------
    pairs : tuple of tuple
        Joined rows: `COLUMNS`, and whether the old and the new run have them. One or more that
        nothing is wrong with are among them.
    repeated : tuple of tuple
        For the old and for the new run: keys that stand more than once, and how often.
    unscored : tuple of tuple
        For the old and for the new run: keys without a score.
    mixed : tuple of tuple
        Key, old, new and reference of items whose kinds differ.
    shared : int
        How many keys both runs have.

    Examples
    --------
    >>> one = FlawedItems(
    ...     pairs=(), repeated=((("q1", 2),), ()), unscored=((), ()), mixed=(), shared=1
    ... )
    >>> (one + one).shared
    2
    """

    pairs: tuple[tuple[Any, ...], ...]
    repeated: tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]
    unscored: tuple[tuple[str, ...], tuple[str, ...]]
    mixed: tuple[tuple[Any, ...], ...]
    shared: int

    def __add__(self, other: FlawedItems) -> FlawedItems:
        return FlawedItems(
            pairs=self.pairs + other.pairs,
            repeated=(
                self.repeated[0] + other.repeated[0],
                self.repeated[1] + other.repeated[1],
            ),
            unscored=(
                self.unscored[0] + other.unscored[0],
                self.unscored[1] + other.unscored[1],
            ),
            mixed=self.mixed + other.mixed,
            shared=self.shared + other.shared,
        )


def collect_flawed(database: Any, joining: Joining, wrong: frozenset[str]) -> FlawedItems:
    """Fetch the items that carry a flaw, and those whose id repeats.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from muscle_metrics.scale.counting import open_database
    >>> from muscle_metrics.scale.joining import Joining
    >>> from muscle_metrics.scale.sources import open_source
    >>> with tempfile.TemporaryDirectory() as folder, open_database("500MB", 1) as database:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A", "reference": "A"}')
    ...     source = open_source(path, {})
    ...     joining = Joining(old=source, new=source, by_score=False)
    ...     collect_flawed(database, joining, frozenset()).shared
    1
    """

    def fetch(query: str, limit: int = MOST_FETCHED) -> tuple[Any, ...]:
        return tuple(run_query(database, joining, f"{query} LIMIT {limit}").fetchall())

    def unscored(side: str) -> tuple[str, ...]:
        lacking = f"in_{side} AND {joining.lacks_score(side)}"
        query = f"SELECT key FROM ({joining.items()}) WHERE {lacking} ORDER BY key"
        return tuple(row[0] for row in fetch(query)) if "unscored" in wrong else ()

    sources = (joining.old, joining.new)
    old_repeated, new_repeated = (fetch(_repeating(source, "key, count(*)")) for source in sources)
    doubled = (
        _repeating(source, "key")
        for source, more in zip(sources, (old_repeated, new_repeated), strict=True)
        if more
    )
    wanted = " OR ".join(
        [*sorted(wrong & OF_PAIRS), *(f"key IN ({query})" for query in doubled)]
    )  # fmt: skip
    both = "in_old AND in_new"
    table = f"SELECT {', '.join(COLUMNS)}, in_old, in_new FROM ({joining.items(COLUMNS[3:])}) WHERE"
    distinct = f"SELECT count(DISTINCT key) FROM ({joining.items()}) WHERE {both}"
    mixed = (
        f"SELECT key, old, new, reference FROM ({joining.items()}) "
        f"WHERE kinds_differ AND {joining.kept()} ORDER BY key"
    )
    return FlawedItems(
        pairs=fetch(f"{table} {wanted}") + fetch(f"{table} {both} AND NOT ({wanted})", 1)
        if wanted
        else (),
        repeated=(old_repeated, new_repeated),
        unscored=(unscored("old"), unscored("new")),
        mixed=fetch(mixed, 1) if "kinds_differ" in wrong else (),
        shared=run_query(database, joining, distinct).fetchone()[0],
    )


def explain_flaws(
    joining: Joining, found: Tally, collect: Callable[[frozenset[str]], FlawedItems]
) -> None:
    """Raise the error that what was counted calls for, if any.

    Parameters
    ----------
    joining : Joining
        How the runs were joined.
    found : Tally
        What was counted.
    collect : callable
        Takes names of flaws, and fetches the items; called only if something may be wrong.

    Raises
    ------
    InputError
        If rows cannot be read, ids repeat, or items do not match.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from muscle_metrics.scale.counting import open_database, tally
    >>> from muscle_metrics.scale.joining import Joining
    >>> from muscle_metrics.scale.sources import open_source
    >>> with tempfile.TemporaryDirectory() as folder, open_database("500MB", 1) as database:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A", "reference": "A"}')
    ...     source = open_source(path, {})
    ...     joining = Joining(old=source, new=source, by_score=False)
    ...     explain_flaws(joining, tally(database, joining, size=1, seed=0), lambda flaws: None)
    """
    wrong = found.flaws(joining)
    if found.shared:
        # Where no item is shared, no option makes that good.
        wrong -= joining.tolerated()
    if wrong & {"nameless", "strange"}:
        _explain_rows(joining)
    if wrong or found.may_repeat or not found.shared:
        _explain_flawed(joining, found, wrong, collect(wrong))
    if not found.count_kept(joining):
        raise nothing_left(found.dropped(joining))


def _explain_flawed(
    joining: Joining, found: Tally, wrong: frozenset[str], flawed: FlawedItems
) -> None:
    if "unscored" in wrong:
        _explain_unscored(joining, found, flawed)
    if any(flawed.repeated) or wrong & OF_PAIRS or not found.shared:
        _explain_pairs(joining, found, flawed)
    if "unreferenced" in wrong:
        count = found.count_kept(joining, "unreferenced")
        raise InputError(
            f"expected a reference for every item of {show(joining.old.name)}, got none for "
            f"{count} of {found.shared}: name its field with --reference-field"
        )
    if "kinds_differ" in wrong:
        _explain_kinds(flawed)


def _repeating(source: Source, columns: str) -> str:
    return f"SELECT {columns} FROM ({source.table([])}) GROUP BY key HAVING count(*) > 1"


def _explain_rows(joining: Joining) -> None:
    for source in (joining.old, joining.new):
        source.check_rows()
    raise FileError(
        f"{joining.old.place}: expected ids, and text, true, false or numbers below 2**53 as "
        f"answers, got others: compare them in memory"
    )


def _explain_unscored(joining: Joining, found: Tally, flawed: FlawedItems) -> None:
    for source, keys, rows in zip(
        (joining.old, joining.new), flawed.unscored, found.recorded, strict=True
    ):
        if keys:
            source.check_rows()
            raise FileError(
                f"{source.place}: expected a score for every item in the field "
                f"{show(source.fields['score'])}, got {len(keys)} of {rows} null "
                f"({list_ids(keys)}): score these items, or remove their rows from both runs"
            )


def _explain_pairs(joining: Joining, found: Tally, flawed: FlawedItems) -> None:
    """Join runs that hold only what is wrong, and one item that is not, to hear why they do not."""
    runs = []
    for side, source in enumerate((joining.old, joining.new)):
        records = {
            row[0]: _record(
                row[0], row[1 + side], row[3 + side], row[5 + side], row[7 + side], joining
            )
            for row in flawed.pairs
            if row[9 + side]
        }
        more = flawed.repeated[side]
        copies = [records[key] for key, count in more for _ in range(count - 1) if key in records]
        runs.append(Run((*records.values(), *copies), source.name))
    join_runs(
        runs,
        missing=joining.missing,
        conflict=joining.conflict,
        unanswered=joining.unanswered,
        total=flawed.shared if any(flawed.repeated) else found.shared,
    )


def _explain_kinds(flawed: FlawedItems) -> None:
    key, old, new, reference = flawed.mixed[0]
    values = [repr(decoded(value)) if value != "[" else "a list" for value in (old, new, reference)]
    raise InputError(
        f"expected old, new and reference to hold answers of one kind, got {values[0]}, "
        f"{values[1]} and {values[2]} for id {show(split_key(key)[0])}: write all as text"
    )


def _record(
    key: str, answer: str | None, reference: str | None, accepted: list[str] | None,
    prompt: str | None, joining: Joining,
) -> Record:  # fmt: skip
    name, repeat = split_key(key)
    return Record(
        name,
        prediction=decoded(answer),
        reference=[decoded(x) for x in accepted] if accepted else decoded(reference),
        scores={"score": 0.0} if joining.by_score else {},
        repeat=repeat,
        prompt=prompt,
    )
