"""Compare one chunk of joined items, or of lost ones, as `compare_runs` does."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.items import ItemTable
from muscle_metrics.comparison.lost_scores import lose_scores
from muscle_metrics.comparison.measured import Texts
from muscle_metrics.comparison.metrics import EXACT_MATCH, check_scores
from muscle_metrics.comparison.scoring import grade_texts
from muscle_metrics.comparison.unanswered import deny_unanswered, fill_missing
from muscle_metrics.errors import InputError
from muscle_metrics.flips.changes import measure_changes
from muscle_metrics.flips.thresholds import RECORDED_TIE, reaches
from muscle_metrics.scale.encoding import decode_label, decode_reference, decode_value, split_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scorers import Scorer

__all__ = ["COLUMNS", "Chunk", "Grading", "compare_chunk", "compare_lost", "take_rows"]

COLUMNS = (
    *("key", "slice", "cluster", "old", "new", "reference", "accepted"),
    *("old_score", "new_score", "old_right", "new_right", "changed"),
    *("reference_of_new", "accepted_of_new", "own_old", "list_old", "right_by_own"),
    *("is_kept", "is_lost"),
)

Chunk = dict[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """How the items of a chunk are graded.

    Parameters
    ----------
    joining : Joining
        The runs and the choices.
    scorers : sequence of Scorer
        Scorers of texts, their models loaded.
    is_graded : bool
        Whether the recorded scores are graded, without a threshold for correctness.
    worst : float
        Recorded score of an item that has none.
    items : int
        How many items are compared or lost.
    """

    joining: Joining
    scorers: Sequence[Scorer]
    is_graded: bool
    worst: float
    items: int

    @property
    def is_judged_by_row(self) -> bool:
        """Whether the database says which items are right."""
        judging = self.joining.judging
        return not self.is_graded if judging.by_score else judging.judge == EXACT_MATCH

    @property
    def recorded(self) -> str | None:
        """Name of the recorded score whose changes are measured, if there is one."""
        judging = self.joining.judging
        is_measured = self.is_graded or self.joining.choices.threshold is not None
        return str(judging.judge) if judging.by_score and is_measured else None

    def tie(self, scorer: Scorer | None = None) -> float:
        """Tie of a scorer, or of a recorded score."""
        if self.joining.choices.tie is not None:
            return self.joining.choices.tie
        return RECORDED_TIE if scorer is None else scorer.tie


def take_rows(chunk: Chunk, flags: Iterable[bool]) -> Chunk:
    """Take the rows of a chunk whose flag is set."""
    chosen = list(flags)
    return {name: tuple(compress(column, chosen)) for name, column in chunk.items()}


def compare_chunk(chunk: Chunk, grading: Grading) -> Comparison:
    """Compare the items of a chunk."""
    joining, choices = grading.joining, grading.joining.choices
    table = _table(chunk, joining)
    changes: dict[str, ScoreChanges] = {}
    if joining.judging.by_score:
        for run, side in ((joining.old, "old_score"), (joining.new, "new_score")):
            scores = np.array(chunk[side], dtype=np.float64)
            check_scores(scores, table.ids, run=run.name, score_range=choices.score_range)
    if grading.recorded is not None:
        low, high = choices.score_range
        changes[grading.recorded] = measure_changes(
            old=fill_missing(chunk["old_score"], grading.worst),
            new=fill_missing(chunk["new_score"], grading.worst),
            tie=grading.tie(),
            minimum_effect=choices.minimum_effect,
            low=low,
            high=high,
        )
    texts = _texts(chunk, joining)
    with _counted_in(table, grading):
        changes |= grade_texts(
            **texts._asdict(),
            metrics=grading.scorers,
            options={},
            tie=choices.tie,
            minimum_effect=choices.minimum_effect,
        )
    return _comparison(joining, table, changes, _correctness(chunk, texts, changes, grading))


@contextmanager
def _counted_in(table: ItemTable, grading: Grading) -> Iterator[None]:
    """Say in an error about texts that it counts those of a chunk alone, if there are others."""
    try:
        yield
    except InputError as error:
        chunk = len(table.ids)
        if chunk >= grading.items:
            raise
        raise type(error)(
            f"counted in {chunk} of {grading.items} items: {error.message}",
            in_python=error.in_python,
        ) from error


def compare_lost(chunk: Chunk, grading: Grading) -> Comparison:
    """Compare lost items: OLD as its own references judge it, NEW wrong everywhere."""
    joining, choices = grading.joining, grading.joining.choices
    chunk = {**chunk, **_judged_by_own(chunk, joining)}
    table, lost = _table(chunk, joining), len(chunk["key"])
    changes: dict[str, ScoreChanges] = {}
    if grading.recorded is not None:
        changes[grading.recorded] = lose_scores(
            _filled(chunk["old_score"], grading),
            tie=grading.tie(),
            minimum_effect=choices.minimum_effect,
            low=choices.score_range[0],
            high=choices.score_range[1],
        )
    texts = _texts(chunk, joining)
    before = _old_scores(texts, grading)
    for scorer in grading.scorers:
        changes[scorer.name] = lose_scores(
            before[scorer.name],
            tie=grading.tie(scorer),
            minimum_effect=choices.minimum_effect,
            low=scorer.low,
            high=scorer.high,
            higher_is_better=scorer.higher_is_better,
        )
    wrong, changed = np.zeros(lost, dtype=bool), np.ones(lost, dtype=bool)
    correctness = None
    if grading.is_judged_by_row:
        right = np.array(chunk["right_by_own"])
        correctness = Correctness(right, wrong, changed if joining.has_answers else None)
    elif choices.threshold is not None:
        correctness = Correctness(_right_before(before, texts, grading), wrong, None)
    return _comparison(joining, table, changes, correctness)


def _filled(scores: Sequence[float | None], grading: Grading) -> Sequence[float | None]:
    """Give the worst score to items that OLD left without one, where these count as wrong."""
    if grading.joining.choices.unanswered != "wrong" or np.isnan(grading.worst):
        return scores
    return [grading.worst if score is None else score for score in scores]


def _old_scores(texts: Texts, grading: Grading) -> dict[str, list[float | None]]:
    """Scores of the old texts by OLD's own references; None where they are not known."""
    unknown: list[float | None] = [None] * len(texts.old)
    scores = {scorer.name: list(unknown) for scorer in grading.scorers}
    pairs = zip(texts.old, texts.references, strict=True)
    rows = [n for n, (text, reference) in enumerate(pairs) if None not in (text, reference)]
    if not rows:
        return scores
    for graded, changes in _grade_old(rows, texts, grading.scorers):
        for name, change in changes.items():
            for n, score in zip(graded, change.old.tolist(), strict=True):
                scores[name][n] = score
    return scores


def _grade_old(
    rows: Sequence[int], texts: Texts, scorers: Sequence[Scorer]
) -> Iterator[tuple[Sequence[int], Mapping[str, ScoreChanges]]]:
    """Grade old texts with their rows; as in memory, those that cannot be scored are left out."""
    old, references = ([column[n] for n in rows] for column in (texts.old, texts.references))
    try:
        changes = grade_texts(old=old, new=old, references=references, metrics=scorers, options={})
    except InputError:
        half = len(rows) // 2
        if half:
            yield from _grade_old(rows[:half], texts, scorers)
            yield from _grade_old(rows[half:], texts, scorers)
        return
    yield rows, changes


def _right_before(
    scores: Mapping[str, Sequence[float | None]], texts: Texts, grading: Grading
) -> npt.NDArray[np.bool_]:
    """Whether each lost item reached the threshold; unknown ones count as right."""
    scorer, choices = grading.scorers[0], grading.joining.choices
    right = np.ones(len(texts.old), dtype=bool)
    known = np.array([score is not None for score in scores[scorer.name]])
    right[known] = reaches(
        np.array([score for score in scores[scorer.name] if score is not None]),
        float(choices.threshold or 0),
        tie=grading.tie(scorer),
        strict=choices.strict_threshold,
        higher_is_better=scorer.higher_is_better,
    )
    if choices.unanswered == "wrong":
        right &= np.array([text is not None for text in texts.old])
    return right


def _comparison(
    joining: Joining,
    table: ItemTable,
    changes: Mapping[str, ScoreChanges],
    correctness: Correctness | None,
) -> Comparison:
    return Comparison(
        names=(joining.old.name, joining.new.name),
        table=table,
        correctness=correctness,
        changes=changes,
        dropped={},
        fingerprints=({}, {}),
        recipe={},
    )


def _texts(chunk: Chunk, joining: Joining) -> Texts:
    """Decode answers and references as metrics see them: as readers read them, if there are any."""

    def column(part: str) -> Sequence[str | None]:
        return chunk[joining.read(part)]

    old, new = (tuple(map(decode_value, column(side))) for side in ("old", "new"))
    references = tuple(map(decode_reference, column("reference"), column("accepted")))
    if not joining.judges_by_own:
        return Texts(old, new, references)
    names = ("new_reference", "new_accepted")
    if joining.choices.reading is None:
        names = ("reference_of_new", "accepted_of_new")
    of_new = tuple(map(decode_reference, *map(column, names)))
    return Texts(old, new, references, of_new)


def _judged_by_own(chunk: Chunk, joining: Joining) -> Chunk:
    """Columns of lost items, which the references of the old run judge."""
    own = {"reference": chunk["own_old"], "accepted": chunk["list_old"]}
    if joining.choices.reading is None:
        return own
    parts = {"old": "old_by_own", "reference": "own_old", "accepted": "list_old"}
    return own | {f"read_{part}": chunk[f"read_{source}"] for part, source in parts.items()}


def _table(chunk: Chunk, joining: Joining) -> ItemTable:
    ids, repeats = zip(*map(split_key, chunk["key"]), strict=True)
    if joining.has_answers:
        old, new = (tuple(map(decode_value, chunk[side])) for side in ("old", "new"))
    else:
        old, new = chunk["old_score"], chunk["new_score"]
    return ItemTable(
        ids=ids,
        tasks=(None,) * len(ids),
        repeats=repeats,
        slices=tuple(map(decode_label, chunk["slice"])),
        groups=tuple(map(decode_label, chunk["cluster"])),
        old=old,
        new=new,
        references=tuple(map(decode_reference, chunk["reference"], chunk["accepted"])),
    )


def _correctness(
    chunk: Chunk, texts: Texts, changes: Mapping[str, ScoreChanges], grading: Grading
) -> Correctness | None:
    if grading.is_judged_by_row:
        return Correctness(
            np.array(chunk["old_right"]),
            np.array(chunk["new_right"]),
            np.array(chunk["changed"]) if grading.joining.has_answers else None,
        )
    return deny_unanswered(_by_threshold(changes, grading), texts.old, texts.new)


def _by_threshold(changes: Mapping[str, ScoreChanges], grading: Grading) -> Correctness | None:
    choices = grading.joining.choices
    if choices.threshold is None or not changes:
        return None
    first = next(iter(changes.values()))
    return first.correctness(threshold=choices.threshold, strict=choices.strict_threshold)
