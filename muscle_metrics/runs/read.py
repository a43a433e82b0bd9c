"""A run from a log of a harness, from a plain file of rows, or from a table in memory."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypedDict

from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.runs.choice import Choice, narrow_run
from muscle_metrics.runs.details import LABEL_FIELDS
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.files.incoming import is_elsewhere, local_copy
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.judge_repeats import settle_verdicts
from muscle_metrics.runs.plain_rows import RowOptions
from muscle_metrics.runs.readers.baseline import read_baseline
from muscle_metrics.runs.record import Run
from muscle_metrics.runs.sentinels import Sentinels
from muscle_metrics.runs.shards import is_baseline_file, open_files, read_shards, stem_of
from muscle_metrics.runs.tables import open_table
from muscle_metrics.words.escape import visible
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muscle_metrics.runs.choice import ByTask
    from muscle_metrics.runs.files.plain_file import PlainFile
    from muscle_metrics.runs.harnesses import Recognised
    from muscle_metrics.runs.judge_repeats import JudgeRepeats
    from muscle_metrics.runs.sentinels import ListScore, MissingScore
    from muscle_metrics.runs.tables import Table

# A path, a run, or a table of a package that is not imported here.
Source = Any

__all__ = [
    "ReadOptions",
    "Source",
    "nothing_prompted",
    "nothing_scored",
    "read_run",
    "sentinels_of",
]


class ReadOptions(TypedDict, total=False):
    """Options of `read_run` about the rows of a run, for functions that pass them on."""

    format: str
    id_field: str | tuple[str, ...]
    prediction_field: str | None
    reference_field: str | None
    score_field: str | None
    slice_field: str | None
    group_field: str | None
    prompt_field: str | None
    repeat_field: str | None
    choices_field: str | None
    missing_score: MissingScore
    list_score: ListScore | None
    judge_repeats: JudgeRepeats | None
    where: Mapping[str, str]
    task: str | None
    filter: ByTask
    model: str | None


def read_run(
    source: Source,
    *,
    format: str = "auto",  # noqa: A002
    id_field: str | tuple[str, ...] = "id",
    prediction_field: str | None = None,
    reference_field: str | None = None,
    score_field: str | None = None,
    slice_field: str | None = None,
    group_field: str | None = None,
    prompt_field: str | None = None,
    repeat_field: str | None = None,
    choices_field: str | None = None,
    missing_score: MissingScore = None,
    list_score: ListScore | None = None,
    judge_repeats: JudgeRepeats | None = None,
    where: Mapping[str, str] = MappingProxyType({}),
    structured: bool = False,
    task: str | None = None,
    filter: ByTask = None,  # noqa: A002
    model: str | None = None,
    metric: ByTask = None,
    name: str | None = None,
) -> Run:
    """Read the answers of one model: a log of a harness, or a file or table of one row per answer.

    Content and layout show which harness wrote a log. A field of a plain file is the exact name of
    a column, else a dotted path into nested objects. Ids are text: the number 1 becomes ``1``, and
    the text ``007`` is kept. A committed baseline is recognised by its first line.

    Parameters
    ----------
    source : str, path, table or Run
        A plain, gzip or Zstandard file, recognised by content, not by name; a folder or pattern of
        such files, the shards of a run; "-" or a pipe, which is read once; an address such as
        ``s3://bucket/v1.jsonl``; the file or folder that a harness wrote; a data frame of pandas
        or Polars, a table of pyarrow, a dataset of Hugging Face or a list of dicts; a Run is
        returned as it is.
    format : str
        "auto"; one of "jsonl", "json", "csv", "tsv", "txt" (an answer on each line) and "parquet"
        for a plain file, of which CSV, TSV and TXT are recognised by name only; "datasets" for a
        folder that `save_to_disk` of Hugging Face wrote; or a harness such as "lm-eval".
    id_field : str or tuple of str
        Field of the id. Of several fields the id is the compact JSON array of their texts.
    prediction_field : str, optional
        Field of the answer; null is no answer. By default ``prediction``, which must be there
        unless there is a score.
    reference_field : str, optional
        Field of the right answer, or of a list of accepted ones. By default ``reference``, if
        the file has it.
    score_field : str, optional
        Field of the score of each item: finite numbers, or true and false; null or an empty field
        of CSV is no score.
    slice_field, group_field, prompt_field : str, optional
        Fields of the slice to report in, the cluster an item was drawn with, and the prompt. Of
        the log of a harness a path into its rows, such as ``doc.subject``.
    repeat_field : str, optional
        Field that numbers the generations of one prompt, where there are several.
    choices_field : str, optional
        Field of the options of a multiple-choice item: a list of texts, an object keyed by letters,
        their number, or their letters. The answer reader ``letter`` then reads no other letters.
    missing_score : str or float, or several, optional
        Values of the score that mean no score, such as -1, "NaN" or "N/A".
    list_score : {"all", "share"}, optional
        How a list of true and false is a score, such as one of each instruction: 1 if all are true,
        or their share. By default such a list is refused, and an empty list always.
    judge_repeats : {"majority", "share"}, optional
        Rows of one id (and repeat) are several verdicts of a judge on one answer, and one is made
        of them: the one of most, or the mean of their scores. By default an id that repeats is
        refused.
    where : mapping of str to str
        Only rows whose field has this text are kept, for files that hold several models.
    structured : bool
        Whether predictions of a plain file may be lists and objects, which `key` or `answer` of a
        comparison turns into answers. A reference that is an object, or a list of such, is read as
        its JSON.
    task : str, optional
        The task of a harness's log, or a pattern of tasks such as ``mmlu_*``.
    filter : str or mapping of str to str, optional
        The filter whose answers are read, if there are several; or one for each task or pattern.
    model : str, optional
        The model of a folder that holds several: its whole name, or the last part of it.
    metric : str or mapping of str to str, optional
        The deciding score, for logs in which the prediction depends on it; or one for each task.
    name : str, optional
        Name of the run; by default that of the file, or the model that a harness recorded.

    Returns
    -------
    Run
        The records, in the order of the file.

    Raises
    ------
    FileError
        If the file cannot be read to its end, lacks a field, holds no row, or a value has
        a type that its attribute cannot have.
    UsageError
        If `format` is unknown, a log holds several filters and none was chosen, or an option does
        not go with the format.
    MissingDependencyError
        If the file is Zstandard or Parquet and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "old.jsonl")
    ...     _ = path.write_text('{"id": 7, "answer": "B", "correct": true}')
    ...     run = read_run(path, prediction_field="answer", score_field="correct")
    >>> run.name, run.records[0].id, run.records[0].scores
    ('old', '7', {'correct': True})
    """
    asked = {
        "prediction": prediction_field,
        "reference": reference_field,
        "score": score_field,
        "slice": slice_field,
        "group": group_field,
        "prompt": prompt_field,
        "repeat": repeat_field,
        "choices": choices_field,
    }
    fields = {"id": None if id_field == "id" else id_field, **asked}
    given = _options(fields, where, missing_score, list_score)
    choices = {"task": task, "filter": filter, "model": model}
    chosen = [part for part, choice in choices.items() if choice is not None]

    def read_rows(rows: Sequence[PlainFile | Table], stem: str) -> Run:
        reading = RowOptions(
            id_field=id_field,
            asked=asked,
            where=where,
            missing_score=sentinels_of(missing_score, score_field, list_score),
            structured=structured,
        )
        return _read_plain(rows, stem, reading)

    def read_path(path: Path) -> Run:
        glimpse = Glimpse(path)
        recognised = recognise_harness(glimpse, format)
        if recognised is not None:
            labels = _label_fields(recognised, given, asked)
            choice = Choice(task, filter, metric, model, labels)
            run = narrow_run(recognised.read(glimpse, choice), choice)
            _check_labels(run, labels, path)
            return run
        _refuse_choices(chosen)
        files = open_files(glimpse, format)
        if is_baseline_file(glimpse, files):
            return read_baseline(path)
        return read_rows(files, stem_of(path, files))

    if isinstance(source, Run):
        run = source
        _refuse_any(run, [*given, *chosen, *["judge_repeats"] * (judge_repeats is not None)])
    elif not isinstance(source, str | PathLike):
        _refuse_choices(chosen)
        table = open_table(source, name or "table")
        run = read_rows([table], table.stem)
    elif is_elsewhere(source):
        with local_copy(source) as copy:
            # The copy goes, so that no texts can be read there later.
            run = replace(read_path(copy), origin=None)
    else:
        run = read_path(Path(source))
    run = run if name is None else replace(run, name=name)
    return run if judge_repeats is None else settle_verdicts(run, judge_repeats)


def _read_plain(files: Sequence[PlainFile | Table], stem: str, options: RowOptions) -> Run:
    first, score, prompt = files[0], options.asked["score"], options.asked["prompt"]
    records = [record for batch in read_shards(files, options) for record in batch]
    if score is not None and not any(record.scores for record in records):
        raise nothing_scored(str(first), score, len(records))
    if prompt is not None and all(record.prompt is None for record in records):
        raise nothing_prompted(str(first), prompt, len(records))
    split = {"split": first.split} if first.split else {}
    fingerprint = MappingProxyType({"format": first.format, **split})
    return Run(tuple(records), stem, fingerprint, own_field=options.own_field)


def _options(
    fields: Mapping[str, object],
    where: Mapping[str, str],
    missing_score: MissingScore,
    list_score: ListScore | None,
) -> list[str]:
    """Names of the options that the user gave."""
    options = [f"{part}_field" for part, field in fields.items() if field is not None]
    options += ["where"] * bool(where)
    others = {"missing_score": missing_score, "list_score": list_score}
    return options + [name for name, value in others.items() if value is not None]


def _label_fields(
    recognised: Recognised, given: Sequence[str], asked: Mapping[str, str | None]
) -> dict[str, str]:
    """Fields that the user named for labels of a log; its other fields are known.

    Raises
    ------
    UsageError
        If the user named another field, or the log has no fields for labels.
    """
    allowed = LABEL_FIELDS if recognised.harness.about.fields else ()
    for name in given:
        if name not in allowed:
            raise UsageError(
                f"expected no --{name.replace('_', '-')} ({name}) for a log of {recognised}, whose "
                f"fields are known, got one: drop it, or name a plain format with --format "
                f"(format=)"
            )
    named = {option: asked[option.removesuffix("_field")] for option in given}
    return {option: field for option, field in named.items() if field is not None}


def _check_labels(run: Run, fields: Mapping[str, str], source: Path) -> None:
    """Refuse a field that no row of a log has."""
    for option, field in fields.items():
        name = option.removesuffix("_field")
        if all(getattr(record, name) is None for record in run):
            raise FileError(
                f"{visible(str(source))}: expected the field {show(field)} in rows of the log, got "
                f"none in {counted(len(run), 'row')}: list them with muscle-metrics inspect, and "
                f"name one with --{option.replace('_', '-')} ({option}=)"
            )


def _refuse_any(run: Run, options: Sequence[str]) -> None:
    """Raise a UsageError if the user gave options for a run that is read already."""
    if options:
        raise UsageError(
            f"expected no {options[0]}= for the run {show(run.name)}, which is read already, got "
            f"one: give it to read_run() with the file or table"
        )


def _refuse_choices(names: Iterable[str]) -> None:
    """Raise a UsageError if the user chose a task or filter for plain rows, which have none."""
    for name in names:
        raise UsageError(
            f"expected --{name} ({name}=) for the log of a harness, got a plain file or table: "
            f"choose rows with --where FIELD=VALUE (where=)"
        )


def sentinels_of(
    missing_score: MissingScore, score_field: str | None, list_score: ListScore | None = None
) -> Sentinels:
    """Make how a score field is read: values that mean no score, and lists.

    Raises
    ------
    UsageError
        If there is no score field, or a value is neither text nor a number.
    """
    sentinels = Sentinels.of(missing_score, list_score)
    if sentinels and score_field is None:
        option = (
            "--missing-score (missing_score=)"
            if missing_score is not None
            else "--list-score (list_score=)"
        )
        raise UsageError(
            f"expected a score field for {option}, got none: name it with --score-field "
            f"(score_field=)"
        )
    return sentinels


def nothing_scored(place: str, field: str, rows: int) -> FileError:
    """Make the error for a score field without any score: items would be judged by something else.

    Parameters
    ----------
    place : str
        The file.
    field : str
        The score field.
    rows : int
        Number of rows.
    """
    return FileError(
        f"{place}: expected scores in the field {show(field)}, got none in "
        f"{counted(rows, 'row')}, null or declared missing: name another field "
        f"with --score-field (score_field=)"
    )


def nothing_prompted(place: str, field: str, rows: int) -> FileError:
    """Make the error for a prompt field without any prompt: none would be compared.

    Parameters
    ----------
    place : str
        The file.
    field : str
        The prompt field.
    rows : int
        Number of rows.
    """
    return FileError(
        f"{place}: expected prompts in the field {show(field)}, got none in "
        f"{counted(rows, 'row')}: name another field with --prompt-field (prompt_field=), or leave "
        f"it out"
    )
