"""What is wrong with two joined files, in the words of the join that holds runs in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.pairing import join_runs
from muscle_metrics.runs.place import list_ids, show
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale.counting import run_query
from muscle_metrics.scale.encoding import decoded, split_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.scale.counting import Tally
    from muscle_metrics.scale.encoding import Source
    from muscle_metrics.scale.joining import Joining

__all__ = ["explain_flaws"]

# A message shows five items and counts all; of more than this it counts as many.
MOST_FETCHED = 100_000
UNREADABLE = ("nameless", "strange", "unscored")


def explain_flaws(database: Any, joining: Joining, found: Tally) -> None:
    """Raise the error that what the query found calls for, if any.

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
    ...     explain_flaws(database, joining, tally(database, joining, size=1, seed=0))
    """
    wrong = {name for name, count in found.flaws.items() if count} - joining.tolerated()
    if wrong & {"nameless", "strange"}:
        _explain_rows(joining)
    if "unscored" in wrong:
        _explain_unscored(database, joining)
    repeated = _repeated(database, joining, found)
    if any(repeated) or wrong & {
        "prompts_differ",
        "only_old",
        "only_new",
        "conflicting",
        "unanswered",
    }:
        _explain_pairs(database, joining, found, wrong, repeated)
    if "unreferenced" in wrong:
        count = found.flaws["unreferenced"]
        raise InputError(
            f"expected a reference for every item of {show(joining.old.name)}, got none for "
            f"{count} of {found.shared}: name its field with --reference-field"
        )
    if "kinds_differ" in wrong:
        _explain_kinds(database, joining)


def _explain_rows(joining: Joining) -> None:
    for source in (joining.old, joining.new):
        source.check_rows()
    raise FileError(
        f"{joining.old.place}: expected text, true, false or numbers below 2**53 as answers, "
        f"got others: leave out --engine"
    )


def _explain_unscored(database: Any, joining: Joining) -> None:
    for source, side in ((joining.old, "old"), (joining.new, "new")):
        query = f"SELECT key FROM ({joining.items()}) WHERE in_{side} AND {side}_score IS NULL"
        keys = [row[0] for row in run_query(database, joining, query).fetchmany(MOST_FETCHED)]
        if keys:
            source.check_rows()
            raise FileError(
                f"{source.place}: expected a score for every item in the field "
                f"{show(source.fields['score'])}, got {len(keys)} null ({list_ids(keys)}): score "
                f"these items, or remove their rows from both runs"
            )


def _repeated(database: Any, joining: Joining, found: Tally) -> list[list[tuple[str, int]]]:
    """Keys that stand more than once, with how often, on each side."""
    sources = (joining.old, joining.new)
    whole = found.rows == tuple(source.count_rows(database) for source in sources)
    # In a join every row stands once, unless its id repeats on the other side; what only one side
    # holds may repeat unseen.
    if whole and not (found.flaws["only_old"] or found.flaws["only_new"]):
        return [[], []]
    queries = (f"{_repeating(source, 'key, count(*)')} LIMIT {MOST_FETCHED}" for source in sources)
    return [run_query(database, joining, query).fetchall() for query in queries]


def _repeating(source: Source, columns: str) -> str:
    return f"SELECT {columns} FROM ({source.table([])}) GROUP BY key HAVING count(*) > 1"


def _explain_pairs(
    database: Any,
    joining: Joining,
    found: Tally,
    wrong: set[str],
    repeated: Sequence[Sequence[tuple[str, int]]],
) -> None:
    """Join runs that hold only what is wrong, and one item that is not, to hear why they do not."""
    sources = (joining.old, joining.new)
    doubled = (
        _repeating(source, "key") for source, more in zip(sources, repeated, strict=True) if more
    )
    wanted = [*sorted(wrong), *(f"key IN ({query})" for query in doubled)]
    columns = "key, old, new, own_old, own_new, list_old, list_new, old_prompt, new_prompt"
    both = "in_old AND in_new"
    table = joining.items(extra=columns.split(", ")[3:])
    rows = run_query(
        database,
        joining,
        f"(SELECT {columns}, in_old, in_new FROM ({table}) WHERE {' OR '.join(wanted)} "
        f"LIMIT {MOST_FETCHED}) UNION ALL (SELECT {columns}, in_old, in_new FROM ({table}) "
        f"WHERE {both} AND NOT ({' OR '.join(wanted)}) LIMIT 1)",
    ).fetchall()
    runs = []
    for side, (source, more) in enumerate(zip(sources, repeated, strict=True)):
        records = {
            row[0]: _record(
                row[0], row[1 + side], row[3 + side], row[5 + side], row[7 + side], joining
            )
            for row in rows
            if row[9 + side]
        }
        copies = [records[key] for key, count in more for _ in range(count - 1) if key in records]
        runs.append(Run((*records.values(), *copies), source.name))
    shared = found.shared
    if any(repeated):
        query = f"SELECT count(DISTINCT key) FROM ({joining.items()}) WHERE {both}"
        (shared,) = run_query(database, joining, query).fetchone()
    join_runs(
        runs,
        missing=joining.missing,
        conflict=joining.conflict,
        unanswered=joining.unanswered,
        total=shared,
    )


def _explain_kinds(database: Any, joining: Joining) -> None:
    query = f"SELECT key, old, new, reference FROM ({joining.items()}) WHERE kinds_differ LIMIT 1"
    key, old, new, reference = run_query(database, joining, query).fetchone()
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
