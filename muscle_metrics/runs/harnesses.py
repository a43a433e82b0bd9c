"""Harnesses whose logs can be read: how a log is recognised, and which reader reads it.

A reader is one file in `readers/` with two functions. ``recognise(glimpse)`` looks at names and the
start of files only, never raises, and says in a few words why a log is of this harness. Its
``ABOUT`` says what such logs hold; the documentation shows it as a table.
``read(glimpse, choice)`` returns everything the log holds, all tasks and filters, as one Run:

- ``Run.name`` is the model. ``Record.task`` and ``Record.filter`` are those of the log.
  ``Record.repeat`` numbers the generations of an item, only if there are several.
- ``Record.scores`` holds every metric of an item, without metrics that are null or NaN.
  ``Run.lower_is_better`` names the metrics whose smaller value is better.
- ``Run.fingerprint`` holds texts. ``model`` and ``date`` only describe the run. Others must be
  equal in two runs that are compared: ``dataset``, ``prompt``, ``scorer``, ``judge``, ... Those in
  `fingerprints.FAULTS` are faults: ``status`` other than success, ``partial`` such as "3 of 100
  items", ``errors`` such as "2 items". ``skipped`` names older files of a rerun.
- Every row passes through `completed` or `labels_of`, which take labels from fields that a user
  named. Texts are kept only of the items that ``choice`` wants (`details.py`).
- Files of one place are one run only if their identity is the same (`identity.py`): no reader
  merges two configurations, or takes the newer one, without a word.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.errors import FileError, UsageError, check_choice
from muscle_metrics.runs.files.dataset_folder import is_dataset
from muscle_metrics.runs.files.plain_file import PLAIN_FORMATS
from muscle_metrics.runs.files.shard_files import is_shard_folder
from muscle_metrics.runs.logs import ErrorsAt
from muscle_metrics.runs.origin import origin_of
from muscle_metrics.runs.readers import (
    deepeval,
    evalplus,
    helm,
    inspect_ai,
    lighteval,
    lm_eval,
    mlflow,
    mmlu_pro,
    mt_bench,
    nemo_evaluator,
    nemo_gym,
    openai_evals,
    opencompass,
    promptfoo,
    swe_bench,
    zero_eval,
)
from muscle_metrics.words.escape import visible
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from muscle_metrics.runs.about import About
    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse
    from muscle_metrics.runs.record import Run

__all__ = ["HARNESSES", "Harness", "Recognised", "recognise_harness"]


# Endings of plain files, and of those compressed.
_ENDINGS_OF_ROWS = {".jsonl", ".json", ".csv", ".tsv", ".parquet", ".gz", ".zst"}


class Harness(NamedTuple):
    """A harness: the name that ``--format`` accepts, and what its reader offers.

    `about` says what its logs hold. `picks_model` says whether its reader chooses among the models
    of a folder, and `models_in_file` whether also among those of one file.
    """

    name: str
    recognise: Callable[[Glimpse], str | None]
    read: Callable[[Glimpse, Choice], Run]
    about: About
    picks_model: bool = False
    models_in_file: bool = False


HARNESSES = (
    Harness("lm-eval", lm_eval.recognise, lm_eval.read, lm_eval.ABOUT, picks_model=True),
    Harness(
        "inspect_ai", inspect_ai.recognise, inspect_ai.read, inspect_ai.ABOUT, picks_model=True
    ),
    Harness("lighteval", lighteval.recognise, lighteval.read, lighteval.ABOUT, picks_model=True),
    Harness("helm", helm.recognise, helm.read, helm.ABOUT, picks_model=True),
    Harness("deepeval", deepeval.recognise, deepeval.read, deepeval.ABOUT),
    Harness("mlflow", mlflow.recognise, mlflow.read, mlflow.ABOUT),
    Harness("openai-evals", openai_evals.recognise, openai_evals.read, openai_evals.ABOUT),
    Harness("promptfoo", promptfoo.recognise, promptfoo.read, promptfoo.ABOUT),
    Harness("swe-bench", swe_bench.recognise, swe_bench.read, swe_bench.ABOUT),
    Harness("evalplus", evalplus.recognise, evalplus.read, evalplus.ABOUT),
    Harness(
        "opencompass", opencompass.recognise, opencompass.read, opencompass.ABOUT, picks_model=True
    ),
    Harness(
        "nemo-evaluator",
        nemo_evaluator.recognise,
        nemo_evaluator.read,
        nemo_evaluator.ABOUT,
        picks_model=True,
    ),
    Harness("nemo-gym", nemo_gym.recognise, nemo_gym.read, nemo_gym.ABOUT),
    Harness("mmlu-pro", mmlu_pro.recognise, mmlu_pro.read, mmlu_pro.ABOUT, picks_model=True),
    Harness("zeroeval", zero_eval.recognise, zero_eval.read, zero_eval.ABOUT, picks_model=True),
    Harness(
        "mt-bench",
        mt_bench.recognise,
        mt_bench.read,
        mt_bench.ABOUT,
        picks_model=True,
        models_in_file=True,
    ),
)


class Recognised(NamedTuple):
    """The harness that wrote a log, and the reason why it was recognised."""

    harness: Harness
    reason: str

    def __str__(self) -> str:
        return f"{self.harness.name} ({self.reason})"

    def read(self, glimpse: Glimpse, choice: Choice) -> Run:
        """Read the whole log; the fingerprint of the run names the harness.

        Raises
        ------
        UsageError
            If a model is chosen in a log that holds one.
        """
        may_pick = self.harness.picks_model and (glimpse.is_folder or self.harness.models_in_file)
        if choice.model is not None and not may_pick:
            raise UsageError(
                f"expected no --model (model=) for this log of {self.harness.name}, which holds "
                f"one model, got {show(choice.model)}: name the file or folder of the model"
            )
        with ErrorsAt(glimpse.path):
            has_texts = bool(self.harness.about.texts)
            origin = origin_of(glimpse.path, self.harness.name, choice) if has_texts else None
            run = self.harness.read(glimpse, choice)
        named = {"format": str(self), "harness": self.harness.name, **run.fingerprint}
        return replace(run, fingerprint=MappingProxyType(named), is_log=True, origin=origin)


def recognise_harness(
    glimpse: Glimpse,
    format: str = "auto",  # noqa: A002
) -> Recognised | None:
    """Recognise the harness that wrote a file or folder; None for a plain file.

    Parameters
    ----------
    glimpse : Glimpse
        A file or folder.
    format : str
        "auto", a plain format, or a harness that the user named.

    Returns
    -------
    Recognised or None

    Raises
    ------
    FileError
        If the path is a folder that no harness wrote.
    UsageError
        If the format is unknown.
    """
    named = {harness.name: harness for harness in HARNESSES}
    if format in named:
        return Recognised(named[format], "as --format says")
    check_choice("format", format, ["auto", *PLAIN_FORMATS, *named])
    if format == "auto":
        for harness in HARNESSES:
            reason = harness.recognise(glimpse)
            if reason is not None:
                return Recognised(harness, reason)
    path = glimpse.path
    is_saved = format in {"auto", "datasets"} and is_dataset(path)
    if glimpse.is_folder and not is_saved and not is_shard_folder(path):
        raise FileError(
            f"{visible(str(path))}: expected a file, or the folder of a run by "
            f"{', '.join(named)}, {_describe_folder(path)}"
        )
    return None


def _describe_folder(path: Path) -> str:
    """Say what a folder holds, and which of it could be a run."""
    files = [file for file in sorted(path.iterdir()) if file.is_file()]
    endings = Counter(file.suffix or "no ending" for file in files)
    held = ", ".join(f"{number} {ending}" for ending, number in endings.most_common(3))
    rows = [file for file in files if file.suffix in _ENDINGS_OF_ROWS]
    if not rows:
        inside = f"with {held}" if files else "without files"
        return f"got a folder {inside}: name the file or folder that holds the run"
    advice = f"name the file that holds the run, such as {visible(str(rows[0]))}"
    if len(rows) > 1 and {file.suffix for file in rows} in ({".jsonl"}, {".parquet"}):
        pattern = visible(str(path / f"*{rows[0].suffix}"))
        advice += f", or all of them as one run by the pattern '{pattern}'"
    return f"got a folder with {visible(held)}: {advice}"
