"""Compare two columns of answers, or two recorded runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.columns import keyed_columns
from muscle_metrics.answers.correctness import (
    Correctness,
    changed_answers,
    check_same_index,
    judge_answers,
)
from muscle_metrics.answers.reading.reading import Reading, check_choices_field, with_answer
from muscle_metrics.comparison.columns import pick, tabulate_columns
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.items import joined_table
from muscle_metrics.comparison.judging import is_exact_text, match_texts, recorded_names
from muscle_metrics.comparison.keyed import (
    KeyedAnswers,
    as_recorded,
    predictions_of,
    with_silence,
)
from muscle_metrics.comparison.losses import with_losses
from muscle_metrics.comparison.measured import Judged, Settings, Texts, judge_joined, measure
from muscle_metrics.comparison.metrics import (
    EXACT_MATCH,
    Recorded,
    choose_metrics,
)
from muscle_metrics.comparison.pass_rates import check_pass_rates, check_samples, range_of_rates
from muscle_metrics.comparison.per_task import settle_scores
from muscle_metrics.comparison.reading_facts import ReadingFacts
from muscle_metrics.comparison.signature import (
    SAMPLES,
    name_answer,
    name_directions,
    name_key,
    name_recipe,
)
from muscle_metrics.comparison.unanswered import UNBOUNDED, needs_of
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.joining.references import refuse_own_answers
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Run
from muscle_metrics.scorers import Scorer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from muscle_metrics.answers.columns import Key, Missing, Values
    from muscle_metrics.comparison.metrics import Chosen
    from muscle_metrics.runs.joining.pairing import Conflict, JoinedRuns, MissingItems, Unanswered
    from muscle_metrics.runs.read import ReadOptions, Source
    from muscle_metrics.runs.record import Record
    from muscle_metrics.scorers import Metric

    Options = Mapping[str, Mapping[str, Any]]

# Name of the references among labels, and in the fingerprint of a baseline.
REFERENCES = "references"

__all__ = ["compare", "compare_runs", "read_sources"]


def compare(
    *,
    old: Values,
    new: Values,
    references: Values,
    metric: Metric | Sequence[Metric] = EXACT_MATCH,
    options: Options | None = None,
    key: Key = None,
    answer: str | None = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = UNBOUNDED,
    missing: Missing = "error",
    ids: Sequence[object] | None = None,
    slices: Sequence[object] | None = None,
    groups: Sequence[object] | None = None,
    prompts: Sequence[object] | None = None,
    repeats: Sequence[object] | None = None,
    names: tuple[str, str] = ("old", "new"),
) -> Comparison:
    """Compare the answers of two models to the same items, paired by position.

    Rows of separate tables are joined by id with `compare_runs`.

    Parameters
    ----------
    old, new : sequence or array, shape (N,)
        Answers of the old and of the new model; entry i of both belongs to item i.
    references : sequence or array, shape (N,)
        The right answer of every item, or a list of accepted ones.
    metric : str, callable, or several
        "exact_match" marks answers right or wrong; any other scorer grades texts. A name may have
        options behind it: ``"rouge1(stem=true)"``.
    options : mapping of str to mapping, optional
        Options by metric, such as ``{"rouge1": {"stem": True}}``, which leave its name as it is.
    key : callable, optional
        Normalises answers and references before they are compared or scored.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    threshold : float, optional
        A score of the first metric, which must be a graded one, of at least this much is right, or
        of at most this much where lower is better; up to `tie`.
    strict_threshold : bool
        Whether a score must be better than the threshold instead, by more than `tie`.
    tie : float, optional
        Scores that differ by at most this much are the same; by default as the scorer says.
    minimum_effect : float
        A change of a score of at most this much does not matter.
    score_range : tuple of float
        Range of a metric that has none itself; a missing answer has its worse end.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused, or counts as wrong and has the worst score.
    ids : sequence, shape (N,), optional
        Names of the items; their positions by default.
    slices : sequence, shape (N,), optional
        The slice each item belongs to, such as its category.
    groups : sequence, shape (N,), optional
        The passage or prompt an item shares with others, whose errors are then not independent.
    prompts : sequence, shape (N,), optional
        Questions to the models, for reports.
    repeats : sequence, shape (N,), optional
        Numbers of the generations of one prompt, whose rows share an id.
    names : tuple of str
        Names of the two models.

    Returns
    -------
    Comparison
        Prints as a table.

    Raises
    ------
    InputError
        If the columns cannot be compared, or two rows share an id and a repeat. Columns of pandas
        are refused where they have different indexes, or row numbers of different frames: these
        say nothing about items.

    Examples
    --------
    >>> answers = {"old": ["A", "B"], "new": ["A", "C"], "references": ["A", "B"]}
    >>> list(compare(**answers, slices=["x", "y"]).slices)
    ['y', 'x']
    """
    settings = Settings(
        threshold=threshold,
        strict_threshold=strict_threshold,
        tie=tie,
        minimum_effect=minimum_effect,
        score_range=score_range,
        unanswered=missing,
    )
    chosen = choose_metrics(metric, options)
    settings.check(chosen)
    key = with_answer(key, answer)
    check_same_index(old, new, references, ids, slices, groups, prompts, repeats)
    texts, facts = _keyed(Texts(old, new, references), key)
    judged = judge_answers(
        old=texts.old, new=texts.new, references=texts.references, missing=missing
    )
    total = len(judged.old_right)
    labels = {"repeats": repeats, "slices": slices, "groups": groups, "prompts": prompts}
    table, order = tabulate_columns((old, new, references), total, ids, labels)
    if key is not None:
        texts = Texts(*(pick(column, order) for column in texts[:3]))
    else:
        texts = Texts(table.old, table.new, table.references)

    def judge(scorer: Chosen, limit: float | None) -> Judged:
        return Judged(str(scorer.name), _by_options(scorer, texts) or judged.take(order))

    measured = measure(chosen, lambda: texts, settings, judge)
    return Comparison(
        names=names,
        table=table,
        correctness=measured.correctness,
        changes=measured.changes,
        dropped={},
        fingerprints=({}, {}),
        reading=facts,
        recipe=name_recipe(
            ", ".join(measured.names),
            name_key(key),
            **name_answer(key),
            missing=missing,
            **settings.effects,
        ),
    )


def _keyed(texts: Texts, key: Key) -> tuple[Texts, ReadingFacts | None]:
    """Apply the function of a user, or readers, to answers and references."""
    if key is None:
        return texts, None
    columns = {"old": texts.old, "new": texts.new}
    (old, new), references, read = keyed_columns(key, columns, texts.references)
    facts = ReadingFacts.of(key, [*columns.values()], read) if isinstance(key, Reading) else None
    return Texts(old, new, references), facts


def _by_options(scorer: Chosen, texts: Texts) -> Correctness | None:
    """Correctness by a scorer whose options change what is compared; None if it has none."""
    if isinstance(scorer, Recorded) or is_exact_text(scorer):
        return None
    old, before = match_texts(scorer, texts.old, texts.references, name="old")
    new, after = match_texts(scorer, texts.new, texts.references, name="new")
    return Correctness(old, new, changed_answers(before, after))


def compare_runs(
    old: Source,
    new: Source,
    *,
    metric: Metric | Sequence[Metric] | Mapping[str, str] | None = None,
    options: Options | None = None,
    key: Key = None,
    answer: str | None = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = UNBOUNDED,
    samples: int | None = None,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    names: tuple[str, str] | None = None,
    **reading: Unpack[ReadOptions],
) -> Comparison:
    """Compare two recorded runs, joined by the ids of their items.

    Parameters
    ----------
    old, new : Run, str, path or table
        Runs, or whatever `read_run` reads: files, logs, data frames, datasets, lists of dicts.
    metric : str, callable, several, or mapping of str to str, optional
        A score that the runs recorded, "exact_match", or a scorer that grades their texts, perhaps
        with options as in ``"rouge1(stem=true)"``; a recorded score comes before a scorer of its
        name. By default the recorded score where there
        is one, else "exact_match". The first one that marks items right or wrong decides the flips.
        Of a suite a mapping names the score of each task, or pattern of tasks; by default a task
        is compared by the score that its log lists first.
    options : mapping of str to mapping, optional
        Options by metric, such as ``{"rouge1": {"stem": True}}``.
    key : callable, optional
        Normalises answers and references before they are compared or scored. Of recorded scores
        it leaves the values; answers that changed are told by it.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    threshold : float, optional
        A score of the first metric of at least this much is right, or of at most this much where
        lower is better; up to `tie`. Without one, graded scores give score changes and no flips.
    strict_threshold : bool
        Whether a score must be better than the threshold instead, by more than `tie`.
    tie : float, optional
        Scores that differ by at most this much are the same; by default 1e-6 for recorded ones,
        else as the scorer says.
    minimum_effect : float
        A change of a score of at most this much does not matter.
    score_range : tuple of float
        Least and largest value that a recorded score can take; one outside is an error. With
        ``unanswered="wrong"`` also those of scorers that have none themselves.
    samples : int, optional
        Generations of every item, where its one score is the share of right ones among them: then
        flips are those of the generations, apart from their noise. Other scores are refused.
    missing : {"error", "drop"}
        What to do with items that only one run holds.
    conflict : {"error", "drop", "own", "first", "last"}
        Which reference judges items whose references differ between the runs.
    unanswered : {"error", "wrong", "drop"}
        What to do with items to which a run recorded no answer, or no score: "wrong" gives them
        the worst score of every metric, and a missing answer is never right.
    names : tuple of str, optional
        Names of the runs; by default their own, and "old" and "new" for tables in memory.
    **reading
        Options of `read_run` for runs that are not read yet, such as ``id_field="id"`` and
        ``slice_field="topic"``.

    Returns
    -------
    Comparison
        Prints as a table; dropped items are counted in it.

    Raises
    ------
    InputError
        If the runs cannot be compared.
    UsageError
        If options do not fit the runs.

    Examples
    --------
    >>> old = [{"id": "q1", "answer": "A", "gold": "A"}, {"id": "q2", "answer": "B", "gold": "C"}]
    >>> new = [{"id": "q2", "answer": "B", "gold": "C"}, {"id": "q1", "answer": "B", "gold": "A"}]
    >>> comparison = compare_runs(old, new, prediction_field="answer", reference_field="gold")
    >>> comparison.counts.negative
    1
    """
    key = with_answer(key, answer)
    runs = read_sources((old, new), names or (None, None), metric, key, reading)
    if new is not old:
        # A run beside itself is asked what it got right.
        refuse_own_answers(runs[1].name, runs[1].own_field)
    runs, metric = settle_scores(runs, metric)
    old, new = with_silence(runs, key)
    settings = Settings(
        threshold=threshold,
        strict_threshold=strict_threshold,
        tie=tie,
        minimum_effect=minimum_effect,
        score_range=range_of_rates(samples, score_range),
        unanswered=unanswered,
    )
    joined = pair_runs(
        old,
        new,
        missing=missing,
        conflict=conflict,
        unanswered=unanswered,
        needs=needs_of((old, new), metric),
    )
    chosen = choose_metrics(
        metric, options, recorded=recorded_names(joined), has_logs=joined.has_logs
    )
    check_samples(samples, chosen, threshold=threshold, score_range=score_range)
    settings.check(chosen)
    answers = KeyedAnswers(joined, key)
    key_name = answers.name_for(chosen)

    def texts() -> Texts:
        old_texts, new_texts = answers.predictions
        references, of_new = answers.references
        is_own = conflict == "own" and of_new != references
        return Texts(old_texts, new_texts, references, of_new if is_own else None)

    measured = measure(chosen, texts, settings, partial(judge_joined, answers, settings=settings))
    is_by_scores = all(isinstance(one, Recorded) for one in chosen)
    comparison = Comparison(
        names=(joined.names[0], joined.names[1]),
        table=joined_table(
            joined, as_recorded(measured.shown or predictions_of(joined), joined, runs)
        ),
        correctness=measured.correctness,
        changes=measured.changes,
        dropped=joined.dropped,
        fingerprints=(old.fingerprint, new.fingerprint),
        recipe=name_recipe(
            ", ".join(measured.names),
            key_name,
            **answers.name_answer(judges=any(isinstance(one, Scorer) for one in chosen)),
            missing=missing,
            conflict=conflict,
            unanswered=unanswered,
            **settings.effects,
            **({} if samples is None else {SAMPLES: str(samples)}),
            **name_directions(joined.lower_is_better.intersection(measured.recorded)),
        ),
        reading=answers.facts,
        labels_from_new=_labels_from_new(joined, old, is_by_scores=is_by_scores),
        relabelled=joined.relabelled,
        origins=(old.origin, new.origin),
    )

    def judge_old(records: tuple[Record, ...]) -> Comparison:
        lost = replace(old, records=records)
        return compare_runs(
            lost,
            lost,
            metric=metric,
            options=options,
            key=key,
            threshold=threshold,
            strict_threshold=strict_threshold,
            tie=tie,
            minimum_effect=minimum_effect,
            score_range=score_range,
            samples=samples,
            unanswered=unanswered,
        )

    return with_losses(check_pass_rates(comparison, samples), joined.losses, judge_old)


def read_sources(
    sources: Sequence[Source],
    names: Sequence[str | None],
    metric: Metric | Sequence[Metric] | Mapping[str, str] | None,
    key: Key,
    reading: ReadOptions,
) -> list[Run]:
    """Read the runs that are not read yet, all by the same options.

    Parameters
    ----------
    sources : sequence of (Run, str, path or table)
        The old run first.
    names : sequence of (str or None)
        Name of each run; of a table without one "old" or "new", of others their own.
    metric, key
        As in `compare_runs`.
    reading : mapping
        Options of `read_run`.
    """
    check_choices_field(key, reading.get("choices_field"))
    first = next(iter(metric), None) if isinstance(metric, list | tuple) else metric
    is_any_unread = not all(isinstance(source, Run) for source in sources)
    runs = []
    for position, (source, name) in enumerate(zip(sources, names, strict=True)):
        is_read, is_path = isinstance(source, Run), isinstance(source, str | PathLike)
        usual = None if is_read or is_path else ("new" if position else "old")
        # Options beside one read run are meant for the other.
        options: ReadOptions = {} if is_read and is_any_unread else reading
        runs.append(
            read_run(
                source,
                metric=first if isinstance(first, str | Mapping) else None,
                structured=key is not None,
                name=usual if name is None else name,
                **options,
            )
        )
    return runs


def _labels_from_new(joined: JoinedRuns, old: Run, *, is_by_scores: bool) -> frozenset[str]:
    """Which of references, slices and groups the gate would have to take from the new run alone."""
    # Recorded scores need no references, and a baseline vouches for them by a hash.
    is_vouched = is_by_scores or REFERENCES in old.fingerprint
    return joined.labels_from_new - ({REFERENCES} if is_vouched else set())
