"""Answers and references of joined runs as metrics see them: after the function of a user."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.columns import check_key, check_list_references, keyed_references
from muscle_metrics.answers.keys import apply_key
from muscle_metrics.answers.reading.columns import accepted_texts, found_texts, read_answers
from muscle_metrics.answers.reading.reading import Reading, option_of
from muscle_metrics.comparison.reading_facts import ReadingFacts
from muscle_metrics.comparison.signature import name_answer, name_key
from muscle_metrics.errors import UsageError
from muscle_metrics.scorers import Scorer
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.answers.columns import Key
    from muscle_metrics.answers.reading.reading import Answer
    from muscle_metrics.comparison.metrics import Chosen
    from muscle_metrics.runs.joining.pairing import JoinedRuns
    from muscle_metrics.runs.record import Run

__all__ = ["KeyedAnswers", "as_recorded", "no_answers", "predictions_of", "with_silence"]


def predictions_of(joined: JoinedRuns) -> tuple[tuple[Any, ...], ...]:
    """Answers of every run as they were recorded, run by run."""
    return tuple(tuple(map(attrgetter("prediction"), records)) for records in joined.records)


def with_silence(runs: Sequence[Run], key: Key) -> list[Run]:
    """Take away answers that count as none given, such as reasoning that has no end."""
    if not isinstance(key, Reading) or not key.may_silence:
        return list(runs)
    return [
        replace(
            run,
            records=tuple(
                replace(record, prediction=None) if key.is_silent(record.prediction) else record
                for record in run.records
            ),
        )
        for run in runs
    ]


def as_recorded(
    shown: Sequence[tuple[Any, ...]], joined: JoinedRuns, runs: Sequence[Run]
) -> list[tuple[Any, ...]]:
    """Show answers that count as none given as they were recorded in some runs."""
    columns = []
    for column, records, run in zip(shown, joined.records, runs, strict=True):
        if None in column:
            known = {(one.task, one.id, one.repeat): one.prediction for one in run}
            column = tuple(
                known[one.task, one.id, one.repeat]
                if value is None and one.prediction is None
                else value
                for value, one in zip(column, records, strict=True)
            )
        columns.append(column)
    return columns


def no_answers(run: str, key: Callable[[Any], Any]) -> UsageError:
    """Make the error for a key where a run holds scores alone."""
    return UsageError(
        f"expected answers for {option_of(key)}, got only recorded scores in {show(run)}: drop it, "
        f"or name the field of the answers with --prediction-field"
    )


@dataclass(frozen=True)
class KeyedAnswers:
    """Answers and references of joined runs; each is normalised once, when it is first asked for.

    Parameters
    ----------
    joined : JoinedRuns
        Two or more runs over the same items.
    key : callable, optional
        Normalises answers and references alike.
    """

    joined: JoinedRuns
    key: Key = None

    def name_for(self, chosen: Sequence[Chosen]) -> str:
        """Name the key for a signature, as far as these metrics see it.

        Raises
        ------
        UsageError
            If nothing sees it.
        """
        judges = any(isinstance(one, Scorer) for one in chosen)
        joined = self.joined
        # Verdicts of a baseline were made with the key, which its gate compares.
        silent = [
            run
            for run, records, has_verdicts in zip(
                joined.names, joined.records, joined.has_verdicts, strict=True
            )
            if not has_verdicts and all(record.prediction is None for record in records)
        ]
        if self.key is not None and silent and not judges:
            raise no_answers(silent[0], self.key)
        return name_key(self.key, judges=judges)

    @cached_property
    def choices(self) -> tuple[str | None, ...]:
        """Letters of the options of each item; empty where no reader takes them, or none is known.

        Raises
        ------
        PairingError
            If runs name different options for one item.
        """
        if not isinstance(self.key, Reading) or not self.key.takes_choices:
            return ()
        found = self.joined.choices
        return found if any(found) else ()

    def name_answer(self, *, judges: bool = True) -> dict[str, str]:
        """Name the readers for a recipe, and whether they read by the options of each item."""
        return name_answer(self.key, judges=judges, by_item=bool(self.choices))

    @cached_property
    def predictions(self) -> tuple[tuple[Any, ...], ...]:
        """Answers, run by run; None where a run recorded none."""
        if self.key is None:
            return predictions_of(self.joined)
        if isinstance(self.key, Reading):
            return tuple(tuple(one.text for one in column) for column in self._read)
        return tuple(
            tuple(apply_key(self.key, column, name=show(run), places=self._places))
            for run, column in zip(self.joined.names, predictions_of(self.joined), strict=True)
        )

    @cached_property
    def _read(self) -> tuple[list[Answer], ...]:
        """Answers as readers read them, run by run."""
        reading = self.key
        if not isinstance(reading, Reading):
            return ()
        columns = zip(
            self.joined.names, predictions_of(self.joined), self.joined.references, strict=True
        )
        found, of_item = [], cache(reading.of_item)
        for run, predictions, references in columns:
            # Recorded scores need no references: one that cannot be read judges nothing here.
            items = zip(references, self.choices or repeat(None), strict=False)
            accepted = [accepted_texts(of_item(letters), one) for one, letters in items]
            found.append(
                read_answers(
                    reading,
                    predictions,
                    accepted,
                    name=show(run),
                    places=self._places,
                    choices=self.choices,
                )
            )
        return tuple(found)

    @property
    def facts(self) -> ReadingFacts | None:
        """In how many answers of each run the readers found nothing; None without readers."""
        if not isinstance(self.key, Reading):
            return None
        return ReadingFacts.of(self.key, predictions_of(self.joined), self._read)

    @cached_property
    def references(self) -> tuple[tuple[Any, ...], ...]:
        """References that judge each run, run by run."""
        if self.key is None:
            return self.joined.references
        columns = []
        recorded = zip(
            self.joined.names, self.joined.references, predictions_of(self.joined), strict=True
        )
        for run, references, predictions in recorded:
            check_list_references(references, predictions, key=self.key)
            name = f"the references of {show(run)}"
            keyed = keyed_references(
                references, self.key, name=name, places=self._places, choices=self.choices
            )
            columns.append(tuple(keyed))
        check_key(
            self.key,
            predictions_of(self.joined),
            self.joined.references[:1],
            [*map(found_texts, self._read)] or self.predictions,
            columns[:1],
        )
        return tuple(columns)

    @cached_property
    def _places(self) -> list[str]:
        return [f"id {show(name)}" for name in self.joined.ids]
