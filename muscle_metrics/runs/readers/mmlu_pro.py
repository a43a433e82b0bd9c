"""MMLU-Pro: the answers of its own scripts, in one JSON list, or one for each subject.

::

    <output>/law_result.json, <model>/CoT/all/law.json, or model_outputs_<model>_5shots.json
    [{"question_id": 70, "question": "...", "options": ["a", "b"], "answer": "B", "answer_index": 1,
      "category": "law", "pred": "B", "model_outputs": "The answer is (B)."}]

An answer that could not be extracted is null; the scripts count a random guess for it. Revisions of
the benchmark mended texts of questions and kept their ids: texts are compared as a whole, and are
no prompts.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from muscle_metrics.answers.reading.options import option_letters
from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import ANSWERS, REFERENCES, SCORES, About
from muscle_metrics.runs.details import Details, completed, lettered
from muscle_metrics.runs.files.json_stream import read_json_array
from muscle_metrics.runs.log_fields import answer_at, digest, list_at, text_at
from muscle_metrics.runs.logs import ErrorsAt, known_parts, only_model
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "MMLU-Pro",
    "lists of its scripts, `<subject>_result.json`, a folder of them",
    frozenset({ANSWERS, REFERENCES, SCORES}),
    texts=("question", "response", "options"),
    fields="src",
    page="answer-lists",
)

_KEYS = (b'"question":', b'"options":[', b'"answer":', b'"answer_index":', b'"pred":')
# A folder of data may hold millions of files; a folder of results does not.
_MOST_LOOKED_AT = 1000
_CORRECT = "correct"
_AGAIN = "run the evaluation again"


def recognise(glimpse: Glimpse) -> str | None:
    """Recognise a list by the fields of its rows; a folder by such a list in it."""
    if not glimpse.is_folder:
        return "its rows have question_id, options and pred" if _is_list(glimpse) else None
    files = islice(glimpse.path.rglob("*.json"), _MOST_LOOKED_AT)
    found = any(_is_list(glimpse.glimpse(file)) for file in files)
    return "it holds answers of subjects" if found else None


def _is_list(glimpse: Glimpse) -> bool:
    start = b"".join(glimpse.start.split())
    return start.startswith(b'[{"question_id":') and all(key in start for key in _KEYS)


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per question; its category is a slice.

    Parameters
    ----------
    glimpse : Glimpse
        A list of answers, the folder of a model with one for each subject, or one above it.
    choice : Choice
        The model, where folders of several lie beside each other.

    Raises
    ------
    FileError
        If a list is damaged, holds no answers, or a question of another list.
    InputError
        If a folder holds several models.
    """
    files, name = [glimpse.path], glimpse.path.stem
    if glimpse.is_folder:
        name, files = _files_of_one_model(glimpse, choice)
    records: list[Record] = []
    questions: dict[str, object] = {}
    places: dict[str, Path] = {}
    for path in files:
        for number, row in read_json_array(path):
            with ErrorsAt(path, number):
                record = completed(_record(row), row, choice, partial(_details, row))
                first = places.setdefault(record.id, path)
                if first != path:
                    raise InputError(
                        f"expected each question in one list, got {show(record.id)} in "
                        f"{show(first.name)} too: name the list of one model"
                    )
                records.append(record)
                questions[record.id] = [row.get("question"), row.get("options")]
    with ErrorsAt(glimpse.path):
        if not records:
            raise InputError(f"expected answers, got none: {_AGAIN}")
    facts = {"model": name if glimpse.is_folder else None, "dataset": digest(questions)}
    return Run(tuple(records), name, known_parts(facts))


def _files_of_one_model(glimpse: Glimpse, choice: Choice) -> tuple[str, list[Path]]:
    """Find the lists of a model, which are in one folder; summaries are objects and no lists."""
    by_folder: dict[str, list[Path]] = {}
    for path in sorted(glimpse.path.rglob("*.json")):
        # A list that is cut short or empty belongs to the run: reading it names the damage.
        if path.is_file() and not glimpse.glimpse(path).start.lstrip().startswith(b"{"):
            by_folder.setdefault(str(path.parent.relative_to(glimpse.path)), []).append(path)
    name = only_model(sorted(by_folder), choice.model, "answers of one model", "name its folder")
    return glimpse.path.name if name == "." else name, by_folder[name]


def _details(row: Mapping[str, object]) -> Details:
    said = text_at(row, "model_outputs") or text_at(row, "generated_text")
    return Details(text_at(row, "question"), said, lettered(list_at(row, "options")))


def _record(row: Mapping[str, object]) -> Record:
    """Record of a question, which is right if its letter is that of the answer."""
    reference = text_at(row, "answer")
    if reference is None:
        raise InputError(f"expected a letter in the field 'answer', got none: {_AGAIN}")
    answer = answer_at(row, "pred") or None
    return Record(
        id_of(row.get("question_id"), "question_id"),
        answer,
        reference,
        {} if answer is None else {_CORRECT: answer == reference},
        slice=text_at(row, "category"),
        choices=option_letters(row.get("options")),
    )
