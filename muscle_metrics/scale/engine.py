"""The comparison that every engine makes: count, refuse flawed runs, score texts."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from muscle_metrics.answers.constant import Variety
from muscle_metrics.answers.reading.reading import option_of
from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.judging import mixed_kinds
from muscle_metrics.comparison.keyed import no_answers
from muscle_metrics.comparison.near_misses import right_on_almost_nothing
from muscle_metrics.comparison.unanswered import UNBOUNDED, worst_recorded
from muscle_metrics.errors import UsageError
from muscle_metrics.scale.answers import after_reading, collect_variety
from muscle_metrics.scale.choices import Choices
from muscle_metrics.scale.counting import ListedFlips, Tally, count_items, list_flips
from muscle_metrics.scale.database import open_database
from muscle_metrics.scale.fields import drop_empty_labels, drop_empty_values, labels_from_new
from muscle_metrics.scale.flaws import FlawedItems, collect_flawed, explain_flaws
from muscle_metrics.scale.forms import FormCounts, count_other_forms, forms_of
from muscle_metrics.scale.joining import Joining
from muscle_metrics.scale.loading import load_run
from muscle_metrics.scale.native import native_path
from muscle_metrics.scale.sources import NEW_ROWS, NO_OPTIONS, OLD_ROWS, open_runs
from muscle_metrics.scale.streaming import StreamedTotals, stream_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

__all__ = ["Engine", "Sum", "compare_files", "compare_joined"]

Sum = TypeVar("Sum", Tally, FlawedItems, FormCounts, ListedFlips, StreamedTotals, Variety)
"""A result of joined items that adds."""


class Engine(Protocol):
    """Runs some work on every database that holds joined items, and adds up the results."""

    def __call__(self, stage: str, work: Callable[[Any, Joining], Sum], joining: Joining) -> Sum:
        """Run `work(database, joining)`; `stage` names it for a progress report."""


def compare_joined(engine: Engine, joining: Joining) -> CountedComparison:
    """Compare the rows of two sources by their ids.

    Raises
    ------
    InputError
        As `compare_runs`.
    """
    engine = partial(_with_reading, engine)
    as_in_memory = joining.choices.as_in_memory
    if as_in_memory and (_reads_rows(joining, is_graded=False) or "repeat" in joining.old.fields):
        raise _not_as_in_memory()
    joining, found = _count(engine, joining)
    explain_flaws(
        joining,
        found,
        lambda wrong: engine("looking", partial(collect_flawed, wrong=wrong), joining),
    )
    _refuse_silent(joining, found)
    _refuse_constant(engine, joining)
    is_graded = found.is_graded(joining)
    is_bounded = joining.choices.score_range != UNBOUNDED
    if is_graded and not is_bounded and not found.holds_grades(joining, old_alone=True):
        raise mixed_kinds(str(joining.judging.judge), joining.new.name)
    if _reads_rows(joining, is_graded=is_graded):
        stage = partial(
            stream_totals,
            is_graded=is_graded,
            worst=_worst(joining, found),
            items=found.worst(joining).items,
        )
        streamed = engine("scoring", stage, joining)
        totals, worst, fixed = streamed.observed, streamed.worst, streamed.fixed
    else:
        totals, worst, fixed = found.totals(joining), found.worst(joining), found.fixed(joining)
    if as_in_memory and (is_graded or right_on_almost_nothing(totals.counts)):
        raise _not_as_in_memory()
    lost = found.lost()
    listed = engine("listing", list_flips, joining) if joining.choices.lists_flips else None
    if as_in_memory and listed is not None and listed.holds_numbers:
        # A coded row does not tell 1 from 1.0, nor a score of 1 from true; memory shows them apart.
        raise _not_as_in_memory()
    return CountedComparison(
        names=(joining.old.name, joining.new.name),
        totals=totals,
        dropped=found.dropped(joining),
        recipe=joining.choices.recipe(joining.judging),
        is_repeated="repeat" in joining.old.fields,
        is_grouped="group" in found.labels("in_old"),
        lost=lost,
        worst=worst if lost else None,
        fixed=fixed if lost else None,
        labels_from_new=labels_from_new(joining, found),
        relabelled={
            part: count
            for part in ("slice", "group")
            if (count := found.count(f"{part}_differs", without=joining.left_out))
        },
        reading=found.reading_facts(joining),
        answers_changed=found.count("changed", without=joining.left_out),
        digest=None if totals.scores or not totals.cells else found.digest(joining),
        listed=None if listed is None else listed.in_order(),
        forms=forms_of(
            joining,
            found,
            lambda: engine("looking at forms", count_other_forms, joining),
            is_graded=is_graded,
        ),
    )


def _not_as_in_memory() -> UsageError:
    return UsageError(
        "expected a comparison that an engine reports as memory does, got graded scores, texts "
        "to score, repeats, numbers as answers, or an old run that is right on almost nothing: "
        "compare in memory with --engine memory"
    )


def _with_reading(
    engine: Engine, stage: str, work: Callable[[Any, Joining], Sum], joining: Joining
) -> Sum:
    """Let readers read the items of every database before the work on them."""
    return engine(stage, partial(after_reading, work), joining)


def _refuse_silent(joining: Joining, found: Tally) -> None:
    """Refuse readers where a run holds scores alone, and nothing else sees its answers."""
    reading, judging = joining.choices.reading, joining.judging
    if reading is None or judging.graders or not judging.by_score:
        return
    for run, source in (("old", joining.old), ("new", joining.new)):
        if not found.count(f"{run}_answered", without=joining.left_out):
            raise no_answers(source.name, reading)


def _refuse_constant(engine: Engine, joining: Joining) -> None:
    """Refuse readers that give references that differ, and the answers to them, one value."""
    reading, judging = joining.choices.reading, joining.judging
    if reading is not None and (judging.graders or not judging.by_score):
        engine("looking", collect_variety, joining).refuse_constant(option_of(reading))


def _reads_rows(joining: Joining, *, is_graded: bool) -> bool:
    """Whether items are scored, or their scores checked, one by one: the counts do not suffice."""
    choices, (_, graders, by_score) = joining.choices, joining.judging
    is_scored = is_graded or choices.threshold is not None or choices.score_range != UNBOUNDED
    return bool(graders) or (by_score and is_scored)


def _worst(joining: Joining, found: Tally) -> float:
    """Choose the recorded score of items that have none; nan if all items have one."""
    left_out, judging = joining.left_out, joining.judging
    scored = found.count("old_scored", "new_scored", without=left_out)
    if not judging.by_score or scored == found.count(without=left_out):
        return math.nan
    return worst_recorded(
        str(judging.judge),
        is_verdict=not found.holds_grades(joining),
        score_range=joining.choices.score_range,
    )


def _count(engine: Engine, joining: Joining) -> tuple[Joining, Tally]:
    """Count the items, again where the counts show that they are to be read otherwise."""
    found = engine("counting", count_items, joining)
    for settle in (_with_lists, drop_empty_values, drop_empty_labels):
        settled = settle(joining, found)
        if settled is not joining:
            joining, found = settled, engine("counting", count_items, settled)
    return joining, found


def _with_lists(joining: Joining, found: Tally) -> Joining:
    """Read lists of accepted answers, which takes time, only where the runs hold some."""
    return replace(joining, has_lists=True) if found.count("listed") else joining


def compare_files(
    old: str | PathLike[str],
    new: str | PathLike[str],
    *,
    old_options: Mapping[str, Any] = NO_OPTIONS,
    new_options: Mapping[str, Any] = NO_OPTIONS,
    memory: str = "500MB",
    threads: int | None = None,
    names: tuple[str, str] | None = None,
    **choices: Any,
) -> CountedComparison:
    """Compare two runs by their ids without holding them in memory.

    The join and the counts run in DuckDB, which spills to disk. Memory holds counts, exact sums
    and a bounded sample of flips; they are those of `compare_runs`.

    Parameters
    ----------
    old, new : path
        A plain file as `read_run` reads it, or a folder of shards.
    old_options, new_options : mapping
        Options of `read_run` for each run, such as ``{"slice_field": "topic"}``.
    memory : str
        How much the database may hold in memory, such as "500MB".
    threads : int, optional
        Its threads; by default one per core.
    names : tuple of str, optional
        Names of the runs.
    **choices
        Those of `Choices`: ``metric``, ``threshold``, ``missing``, ``sample_size`` and so on.

    Returns
    -------
    CountedComparison
        Prints as a table.

    Raises
    ------
    InputError
        As `read_run` and `compare_runs`.
    MissingDependencyError
        If duckdb is not installed.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, answer in (("v1", "A"), ("v2", "B")):
    ...         row = {"id": 1, "prediction": answer, "reference": "A"}
    ...         _ = Path(folder, f"{name}.jsonl").write_text(json.dumps(row))
    ...     print(compare_files(f"{folder}/v1.jsonl", f"{folder}/v2.jsonl").counts.negative)
    1
    """
    runs = open_runs(old, new, old_options, new_options, names)
    tables = (OLD_ROWS, NEW_ROWS)
    old_source, new_source = (run.source(table) for run, table in zip(runs, tables, strict=True))
    joining = Joining.of(old_source, new_source, Choices(**choices))
    paths = [path for run in runs for file in run.files if (path := native_path(file))]
    with open_database(memory, threads, paths) as connection:
        for run, table in zip(runs, tables, strict=True):
            load_run(connection, run, table)

        def engine(stage: str, work: Callable[[Any, Joining], Sum], joining: Joining) -> Sum:
            return work(connection, joining)

        return compare_joined(engine, joining)
