"""Options for reading runs, and the runs that they give."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.inputs import given_name
from muscle_metrics.cli.mistakes import flag_of, refuse_same_run
from muscle_metrics.cli.screen import working
from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.runs.files.scratch import scratch_folder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from muscle_metrics.runs.record import Run

__all__ = ["add_reading", "read_runs", "run_settings", "two_models"]

# Options that are given once for all runs, or once per run: metavar and help.
PER_RUN = {
    "format": (
        "NAME",
        "jsonl, json, csv, tsv, parquet, or a harness such as lm-eval (default: recognised)",
    ),
    "id_field": ("F", "field, or comma-separated fields, that name an item (default: id)"),
    "prediction_field": ("F", "field of the model's answer (default: prediction)"),
    "reference_field": ("F", "field of the right answer (default: reference)"),
    "score_field": ("F", "field of a score or verdict that the harness recorded"),
    "slice_field": ("F", "field to break results down by"),
    "group_field": ("F", "field that items of one passage or prompt share"),
    "repeat_field": ("F", "field that numbers the generations of one prompt"),
    "choices_field": ("F", "field of the options of an item, which --answer letter then keeps to"),
    "prompt_field": ("F", "field of the prompt, which must not differ between runs"),
    "where": ("F=VALUE", "read only rows whose field has this value"),
    "task": ("NAME", "read only this task of a harness's log, or those of a pattern: 'mmlu_*'"),
    "model": ("NAME", "read only this model of a folder that holds several"),
    "filter": (
        "NAME",
        "read this filter's answers of a harness's log; or TASK=NAME, for each task",
    ),
}


def add_reading(parser: argparse.ArgumentParser, *, models: bool = True) -> None:
    """Add the options about fields, and about items that do not match.

    `models` adds those that choose two models of one folder.
    """
    group = parser.add_argument_group("reading runs")
    for name, (metavar, text) in PER_RUN.items():
        group.add_argument(flag_of(name), action="append", metavar=metavar, help=text)
    group.add_argument(
        "--missing-score",
        action="append",
        metavar="VALUE",
        help="value of the score field that means no score, such as -1 or NaN; may be repeated "
        "(null and empty fields are no scores)",
    )
    group.add_argument(
        "--list-score",
        choices=["all", "share"],
        help="score a list of true and false, such as one of each instruction: 1 if all are true, "
        "or their share (by default such a list is refused)",
    )
    group.add_argument(
        "--judge-repeats",
        choices=["majority", "share"],
        help="rows of one id are several verdicts of a judge on one answer: take that of most, or "
        "the mean of their scores (by default an id that repeats is refused)",
    )
    for version in ("old", "new") if models else ():
        group.add_argument(
            f"--{version}-model",
            metavar="NAME",
            help=f"{version} model of the one folder that is named",
        )
    group.add_argument("--reference", metavar="FILE", help="file of ids and right answers")
    group.add_argument(
        "--missing",
        choices=("error", "drop"),
        default="error",
        help="items that only some runs hold (default: error)",
    )
    group.add_argument(
        "--conflict",
        choices=("error", "drop", "own", "first", "last"),
        default="error",
        help="items whose reference differs between runs: leave out, or judge each run by its own "
        "reference, by the first or the last run's (default: error)",
    )
    group.add_argument(
        "--unanswered",
        choices=("error", "wrong", "drop"),
        default="error",
        help="items without an answer or without a recorded score, null; wrong gives them the "
        "worst score (default: error)",
    )


def two_models(options: argparse.Namespace) -> None:
    """Take the one folder that is named as two runs, where both models in it are chosen.

    Raises
    ------
    UsageError
        If one model alone is chosen, or more than one folder is named.
    """
    models = [options.old_model, options.new_model]
    if models == [None, None]:
        return
    if None in models or len(options.runs) != 1 or options.model:
        raise UsageError(
            f"expected --old-model and --new-model beside one folder, got {len(options.runs)} runs "
            f"and {2 - models.count(None)} of them: name FOLDER --old-model OLD --new-model NEW"
        )
    options.runs, options.model = options.runs * 2, models


def read_runs(
    options: argparse.Namespace, paths: Sequence[str], *, growing: bool = False
) -> list[Run]:
    """Read runs with the options that were given once for all, or once per run.

    Parameters
    ----------
    options : argparse.Namespace
        Those of `add_reading`.
    paths : sequence of str
        Files, oldest first.
    growing : bool
        Whether the last file is still being written: its last line may be incomplete.

    Returns
    -------
    list of Run

    Raises
    ------
    InputError
        If a run cannot be read.
    UsageError
        If an option was given more than once, but not once per run, or a run is compared with
        itself.
    """
    from muscle_metrics.runs.joining.references import read_references, with_references
    from muscle_metrics.runs.read import read_run

    settings, names = run_settings(options, paths)
    runs = []
    for path, name, setting in zip(paths, names, settings, strict=True):
        whole = _whole_lines(Path(path), growing=growing and path == paths[-1])
        with working(f"reading {name}"), whole as file:
            runs.append(
                read_run(
                    file,
                    name=name,
                    metric=_first_metric(options),
                    **setting,
                )
            )
    if options.reference is None:
        return runs
    shared = {"id_field", "reference_field", "structured"} & settings[0].keys()
    fields = {name: settings[0][name] for name in shared}
    references = read_references(options.reference, **fields)
    answers = [setting.get("prediction_field", "prediction") for setting in settings]
    return [
        with_references(run, references, answer_field=field)
        for run, field in zip(runs, answers, strict=True)
    ]


def run_settings(
    options: argparse.Namespace, paths: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Arguments of `read_run` for every run, and a name for each.

    Raises
    ------
    UsageError
        If an option was given more than once, but not once per run.
    """
    settings = [_settings(options, position, len(paths)) for position in range(len(paths))]
    refuse_same_run(paths, settings)
    return settings, _names([given_name(options, path) for path in paths], settings)


@contextmanager
def _whole_lines(path: Path, *, growing: bool) -> Iterator[Path]:
    """Yield a file; of one that grows, a copy that ends with its last whole line."""
    from muscle_metrics.words.escape import visible

    content = path.read_bytes() if growing and os.path.isfile(path) else b""
    if not content.startswith(b"{"):
        yield path
        return
    with scratch_folder() as folder:
        copy = Path(folder, "growing.jsonl")
        copy.write_bytes(content[: content.rfind(b"\n") + 1])
        try:
            yield copy
        except FileError as error:
            message = str(error).replace(visible(str(copy)), visible(str(path)))
            raise FileError(message) from error


def _first_metric(options: argparse.Namespace) -> str | dict[str, str] | None:
    """Metric that decides, or the one of each task: some logs hold one answer per metric."""
    from muscle_metrics.comparison.per_task import names_task
    from muscle_metrics.runs.choice import parse_by_task

    metrics = getattr(options, "metric", None)
    if metrics and all(map(names_task, metrics)):
        return parse_by_task(metrics)
    return metrics[0] if metrics else None


def _settings(options: argparse.Namespace, position: int, runs: int) -> dict[str, Any]:
    from muscle_metrics.runs.choice import parse_by_task

    settings: dict[str, Any] = {}
    for name in PER_RUN:
        given = getattr(options, name)
        if given is None:
            continue
        if name == "filter" and all("=" in text for text in given):
            settings[name] = parse_by_task(given)
            continue
        if len(given) not in (1, runs):
            raise UsageError(
                f"expected {flag_of(name)} once, or once per run, got it {len(given)} times for "
                f"{runs} runs: give it in the order of the runs"
            )
        settings[name] = given[position if len(given) > 1 else 0]
    if options.missing_score:
        settings["missing_score"] = tuple(options.missing_score)
    if options.list_score:
        settings["list_score"] = options.list_score
    if options.judge_repeats:
        settings["judge_repeats"] = options.judge_repeats
    # A function or a reader makes an answer of a list or an object.
    if any(getattr(options, name, None) for name in ("key", "answer")):
        settings["structured"] = True
    if "," in settings.get("id_field", ""):
        settings["id_field"] = tuple(settings["id_field"].split(","))
    if "where" in settings:
        settings["where"] = _condition(settings["where"])
    return settings


def _condition(text: str) -> dict[str, str]:
    field, equals, value = text.partition("=")
    if not (field and equals):
        raise UsageError(f"expected --where FIELD=VALUE, got {text!r}: name a field and its text")
    return {field: value}


def _names(paths: Sequence[str], settings: Sequence[dict[str, Any]]) -> list[str]:
    """Name runs by their files; if one file holds several, by the options that differ as well."""
    if len(set(paths)) == len(paths):
        return list(paths)
    varying = [name for name in PER_RUN if len({str(s.get(name)) for s in settings}) > 1]
    parts = [
        " ".join(_shown(setting[name]) for name in varying if name in setting)
        for setting in settings
    ]
    names = [f"{path}[{part}]" if part else path for path, part in zip(paths, parts, strict=True)]
    return names if len(set(names)) == len(names) else [f"{n} #{i}" for i, n in enumerate(names, 1)]


def _shown(value: Any) -> str:
    return " ".join(value.values()) if isinstance(value, dict) else str(value)
