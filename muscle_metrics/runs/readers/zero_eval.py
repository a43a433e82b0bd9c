"""ZeroEval: parsed answers of one model and dataset in a JSON list.

::

    result_dirs_parsed/<dataset>/<model>.json
    [{"session_id": "gsm8k-main-test-#0", "chat_history": ["..."], "output": ["..."],
      "generator": "m", "dataset": "gsm", "id": "gsm8k-main-test-#0", "model_answer": {"raw": "4"},
      "correct_answer": {"raw": "4"}, "matched": true}]

The lists below ``result_dirs/`` hold no verdicts. A logic puzzle is ``solved`` and not matched. The
word that no answer was extracted counts as wrong there; some datasets leave such items out.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, PROMPTS, REFERENCES, SCORES, About
from muscle_metrics.runs.details import Details, completed
from muscle_metrics.runs.files.json_stream import read_json_array
from muscle_metrics.runs.log_fields import answer_from, list_at, reference_at, text_at
from muscle_metrics.runs.logs import ErrorsAt, known_parts
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.run_parts import RunPart, join_parts, parts_of_one_model
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "ZeroEval",
    "`result_dirs_parsed/<dataset>/<model>.json`, a folder of them",
    frozenset({ANSWERS, PROMPTS, REFERENCES, SCORES}),
    texts=("question", "response"),
    fields="source",
    page="answer-lists",
)

_KEYS = (b'"chat_history":', b'"generator":')
# A folder of data may hold millions of files; a folder of results does not.
_MOST_LOOKED_AT = 1000
_VERDICTS = ("matched", "solved")
_NO_ANSWER = "No answer extracted"
_NOT_PARSED = (
    "expected a verdict in the field 'matched' or 'solved', got neither: run the script of the "
    "dataset below src/evaluation/, and name its list below result_dirs_parsed/"
)


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise a list by the fields of its rows; a folder by such a list in it."""
    if not glimpse.is_folder:
        return "its rows have session_id and generator" if _is_list(glimpse) else None
    files = islice(glimpse.path.rglob("*.json"), _MOST_LOOKED_AT)
    found = any(_is_list(glimpse.glimpse(file)) for file in files)
    return "it holds lists of session_id and generator" if found else None


def _is_list(glimpse: Glimpse) -> bool:
    start = b"".join(glimpse.start.split())
    return start.startswith(b'[{"session_id":') and all(key in start for key in _KEYS)


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per item of every dataset.

    Parameters
    ----------
    glimpse : Glimpse
        A parsed list, or a folder of them.
    choice : Choice
        With a task, other datasets are not read; with a model, those of other models.

    Raises
    ------
    FileError
        If a list is damaged, or holds no items, or no verdicts.
    InputError
        If a folder holds several models.
    """
    path = glimpse.path
    parts = [RunPart(path, None, None)]
    if glimpse.is_folder:
        files = [file for file in sorted(path.rglob("*.json")) if _is_list(glimpse.glimpse(file))]
        found = [RunPart(file, _dataset_of(file), file.stem) for file in files]
        parts = parts_of_one_model(found, path, choice, "ZeroEval list")
    if not parts:
        raise InputError("expected lists of answers, got none: name the file of one model")
    runs = [_read_part(part, choice) for part in parts]
    return join_parts(runs, parts[0].path.stem)


def _dataset_of(path: Path) -> str | None:
    number, row = next(read_json_array(path))
    with ErrorsAt(path, number):
        return text_at(row, "dataset")


def _read_part(part: RunPart, choice: Choice) -> Run:
    records, models = [], set()
    for number, row in read_json_array(part.path):
        with ErrorsAt(part.path, number):
            records.append(completed(_record(row), row, choice, partial(_details, row)))
            models.add(text_at(row, "generator"))
    with ErrorsAt(part.path):
        if not records:
            raise InputError("expected answers, got none: run the evaluation again")
    model = ", ".join(sorted(filter(None, models)))
    return Run(tuple(records), part.path.stem, known_parts({"model": model}))


def _record(row: Mapping[str, object]) -> Record:
    verdict = next((name for name in _VERDICTS if name in row), None)
    if verdict is None:
        raise InputError(_NOT_PARSED)
    name = "id" if row.get("id") is not None else "session_id"
    return Record(
        id_of(row.get(name), name),
        answer_from(_raw(row.get("model_answer"))),
        reference_at({"raw": _raw(row.get("correct_answer"))}, "raw"),
        {verdict: _verdict(row[verdict])},
        task=text_at(row, "dataset"),
        prompt=_asked(row),
    )


def _details(row: Mapping[str, object]) -> Details:
    said = row.get("output")
    text = said[0] if isinstance(said, list) and said else said
    return Details(_asked(row), text if isinstance(text, str) else None)


def _asked(row: Mapping[str, object]) -> str:
    asked = list_at(row, "chat_history")
    return str(answer_from(asked[0] if len(asked) == 1 else asked))


def _raw(value: object) -> object:
    """Return the answer as it was written, beside which some datasets keep the number in it."""
    return value["raw"] if isinstance(value, dict) and "raw" in value else value


def _verdict(value: object) -> bool:
    if value == _NO_ANSWER:
        return False
    if isinstance(value, bool):
        return value
    raise InputError(
        f"expected true, false or {_NO_ANSWER!r} as verdict, got {describe(value)}: parse the "
        f"answers again"
    )
