"""FastChat: judgments of MT-bench, one per line, of all models that a judge graded.

::

    data/mt_bench/model_judgment/gpt-4_single.jsonl
    {"question_id": 81, "model": "vicuna-7b-v1.5", "judge": ["gpt-4", "single-v1"],
     "user_prompt": "...", "judgment": "Rating: [[7]]", "score": 7, "turn": 1, "tstamp": 1.7e9}

A score of -1 means that the judge gave no rating. Pairwise judgments compare two models themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import SCORES, About
from muscle_metrics.runs.details import completed
from muscle_metrics.runs.files.jsonl import read_jsonl
from muscle_metrics.runs.log_fields import compact, digest, list_at, score_from, text_at
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, count_share, known_parts, only_model
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import describe, line_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "MT-bench",
    "`<judge>_single.jsonl`",
    frozenset({SCORES}),
    fields="question_id",
    page="mt-bench",
)

_FIELDS = {"question_id", "model", "judge", "judgment", "score", "turn"}
_PAIR = {"question_id", "model_1", "model_2", "g1_winner", "judge"}
_NO_RATING = -1
_SCORE = "score"
_CHOOSE = "compare two of them with --old-model and --new-model"
_IS_PAIR = (
    "expected judgments of single answers, got pairwise judgments, which compare two models "
    "themselves: judge with --mode single"
)


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise judgments by the fields of the first."""
    row = glimpse.row.keys()
    return "its rows have judge and turn" if row >= _FIELDS or row >= _PAIR else None


_LOGS = LogFiles("file of MT-bench judgments", ("*.jsonl",), _reason_of, "it holds judgments")
recognise = _LOGS.recognise


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per question and turn of one model; a question is a group of its turns.

    Parameters
    ----------
    glimpse : Glimpse
        A file of judgments, or a folder that holds one.
    choice : Choice
        The model, where a file holds several.

    Raises
    ------
    FileError
        If the file is damaged, holds no judgments, pairwise ones, or those of several models of
        which none was chosen.
    """
    path = _LOGS.only(glimpse).path
    records: list[tuple[str, Record]] = []
    templates: dict[str, set[str]] = {}
    for number, row in read_jsonl(path):
        with ErrorsAt(path, number, line_of):
            model = _model_of(row)
            judge, template = _judge_of(row)
            records.append((model, completed(_record(row, judge), row, choice)))
            templates.setdefault(model, set()).add(template)
    with ErrorsAt(path):
        if not records:
            raise InputError("expected judgments, got none: judge the answers again")
        names = sorted(templates)
        name = only_model(names, choice.model, "judgments of one model", _CHOOSE)
        chosen = tuple(record for model, record in records if model == name)
    unrated = sum(not record.scores for record in chosen)
    facts = {
        "model": name,
        "scorer": digest(sorted(templates[name])),
        "judge": ", ".join(sorted({record.filter or "" for record in chosen})),
        "errors": count_share(unrated, len(chosen), "judgments"),
    }
    return Run(chosen, name, known_parts(facts))


def _model_of(row: Mapping[str, object]) -> str:
    if row.keys() >= _PAIR:
        raise InputError(_IS_PAIR)
    model = text_at(row, "model")
    if model is None:
        raise InputError("expected the field 'model', got none: judge the answers again")
    return model


def _judge_of(row: Mapping[str, object]) -> tuple[str, str]:
    """Return the model that judged, and the template of its prompt."""
    judge = list_at(row, "judge")
    if len(judge) != 2 or not all(isinstance(part, str) for part in judge):
        raise InputError(
            f"expected a judge and its template in the field 'judge', got {describe(judge)}: "
            f"judge the answers again"
        )
    model, template = map(str, judge)
    return model, template


def _record(row: Mapping[str, object], judge: str) -> Record:
    question, turn = id_of(row.get("question_id"), "question_id"), id_of(row.get("turn"), "turn")
    score = score_from(row.get("score"))
    is_rated = score is not None and score != _NO_RATING
    return Record(
        compact([question, turn]),
        scores={_SCORE: score} if is_rated and score is not None else {},
        slice=f"turn {turn}",
        group=question,
        filter=judge,
    )
