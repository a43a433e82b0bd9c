"""Mistakes in commands: refused where certain, only mentioned where likely."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.screen import warn
from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.runs.files.shard_files import find_shards

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from muscle_metrics.runs.record import Run

__all__ = [
    "check_versions",
    "doubt_order",
    "flag_of",
    "note_identical",
    "real_path",
    "refuse_same_run",
]

# Words in file names that mark the older or the newer of two runs.
OF_OLD = frozenset({"baseline", "before", "old", "previous"})
OF_NEW = frozenset({"after", "candidate", "new", "updated"})

# Sizes and settings of models in names of files: 70b, 1.5B, 8x7b, 400m, 128k, 4bit, 5-shot, fp16. A
# number behind a v is a version, whatever follows.
_SIZE = re.compile(
    r"(?<![0-9.])(?<!v)[0-9]+(?:\.[0-9]+)?(?:x[0-9]+(?:\.[0-9]+)?)?(?:[bkmt]|[-_]?bits?|[-_]?shots?)"
    r"(?![a-z0-9])|(?<![a-z])(?:fp|bf|int)[0-9]+(?![a-z0-9])",
    re.IGNORECASE,
)

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def flag_of(name: str) -> str:
    """Flag of an attribute of the parsed options."""
    return f"--{name.replace('_', '-')}"


def check_versions(options: argparse.Namespace, choices: Mapping[str, Any], advice: str) -> None:
    """Refuse fewer than two runs, and a chain of more with options that only two runs take.

    Raises
    ------
    UsageError
        If there is one run, or a chain with several metrics or with options of graded scores.
    """
    if len(options.runs) < 2:
        raise UsageError(f"expected two or more runs, got {len(options.runs)}: name OLD and NEW")
    graded = options.score_range or options.minimum_effect or choices["options"] or options.samples
    if len(options.runs) > 2 and (graded or isinstance(choices["metric"], list)):
        raise UsageError(
            f"expected one --metric and no option of graded scores for a chain, got more: "
            f"{advice}, or drop all but one --metric"
        )


def refuse_same_run(paths: Sequence[str], settings: Sequence[Mapping[str, object]]) -> None:
    """Refuse a run that is compared with itself: it would pass any gate.

    Parameters
    ----------
    paths : sequence of str
        Files, oldest first.
    settings : sequence of mapping
        Arguments of `read_run` for each; one file may hold several runs.

    Raises
    ------
    UsageError
        If two runs in a row are read from one file in the same way.
    """
    files = [_files_of(path) for path in paths]
    for position, path in enumerate(paths[1:], 1):
        # A folder or a pattern may hold the file that is the other run.
        is_shared = files[position] & files[position - 1]
        if is_shared and settings[position] == settings[position - 1]:
            raise UsageError(
                f"expected two different runs, got {path!r} twice: name OLD and NEW, or what tells "
                f"two runs in one file apart, such as --prediction-field or --filter, once for each"
            )


def _files_of(path: str) -> set[str]:
    """Real paths of the files of a run, and of the run itself."""
    try:
        shards = find_shards(Path(path))
    except (OSError, ValueError, FileError):
        shards = []
    return {real_path(path), *(real_path(str(shard)) for shard in shards)}


def real_path(path: str) -> str:
    """Path without links; the path itself where they form a loop, or no file can have the name."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


def note_identical(paths: Sequence[str]) -> list[str]:
    """Say which runs that follow each other are copies of one file.

    Parameters
    ----------
    paths : sequence of str
        Files, oldest first. Folders are not looked into.

    Returns
    -------
    list of str
        One note for each pair, with untrusted names.
    """
    pairs = list(pairwise(paths))
    if len(paths) == 2:
        return ["the two files are identical"] * all(_is_copy(*pair) for pair in pairs)
    return [
        f"{one} and {other} are identical files" for one, other in pairs if _is_copy(one, other)
    ]


def _is_copy(one: str, other: str) -> bool:
    """Whether two files hold the same bytes; False where either cannot be read."""
    import filecmp

    try:
        # Fields that differ tell two runs in one file apart, and then its path is given twice.
        if real_path(one) == real_path(other):
            return False
        # Sizes first: only files of one size are read.
        return all(map(os.path.isfile, (one, other))) and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def doubt_order(paths: Sequence[str], runs: Sequence[Run] = ()) -> None:
    """Warn on standard error where the newer of two runs seems to come first.

    Signs are numbers and words in names of files, and dates that a harness recorded. Times of files
    are no sign: a checkout or a copy sets them.

    Parameters
    ----------
    paths : sequence of str
        Files, oldest first.
    runs : sequence of Run
        The runs, if they were read; without them only names are compared.
    """
    for position in range(1, len(paths)):
        earlier, later = position - 1, position
        if _is_named_later(paths[earlier], paths[later]):
            sign = "its name"
        elif runs and _is_dated_later(runs[earlier], runs[later]):
            sign = "the date in it"
        else:
            continue
        warn(
            f"note: {paths[earlier]!r} is compared as the older run, and {sign} looks newer than "
            f"that of {paths[later]!r}: the old run comes first, and a swap turns broken items "
            f"into fixed ones"
        )


def _is_named_later(one: str, other: str) -> bool:
    """Whether names differ only in versions that decrease, or hold words for new and old."""
    versions = [_SIZE.sub("<size>", name) for name in (one, other)]
    texts, other_texts = (re.split(r"\d+", name) for name in versions)
    numbers, other_numbers = (re.findall(r"\d+", name) for name in versions)
    if texts == other_texts and [*map(int, numbers)] > [*map(int, other_numbers)]:
        return True
    words, other_words = ({*re.split(r"[\W\d_]+", name.lower())} for name in (one, other))
    return bool((words - other_words) & OF_NEW and (other_words - words) & OF_OLD)


def _is_dated_later(one: Run, other: Run) -> bool:
    date, other_date = (run.fingerprint.get("date", "") for run in (one, other))
    # ISO dates sort as text.
    return bool(_DATE.match(date) and _DATE.match(other_date)) and date > other_date
