"""A comparison as the JSON that LLM Comparator shows side by side.

The format is the one its README describes: https://github.com/PAIR-code/llm-comparator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.plain_data import json_text
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.runs.values import text_of
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.runs.record import Record

__all__ = ["llm_comparator_data", "llm_comparator_json"]

NO_ANSWER = "(no answer was recorded)"
# Whether the new and the old model are right, in this order.
RIGHT = {
    Quadrant.BOTH_RIGHT: [True, True],
    Quadrant.POSITIVE: [True, False],
    Quadrant.NEGATIVE: [False, True],
    Quadrant.BOTH_WRONG: [False, False],
}


def llm_comparator_data(
    comparison: Comparison, *, prompts: Iterable[Record] = (), metric: str | None = None
) -> dict[str, Any]:
    """Every item with both answers, as plain data.

    Model A is the new one, so that a positive score, by which A is better, is new minus old.

    Parameters
    ----------
    comparison : Comparison
        The comparison to show.
    prompts : iterable of Record, optional
        Records with the prompt of each item, such as a run that was read with ``prompt_field``.
        Items without one show their id.
    metric : str, optional
        The graded score whose gain is shown. By default a positive flip has 1, a negative flip -1
        and any other item 0; without correctness, the only graded score is shown.

    Returns
    -------
    dict
        With the keys ``metadata``, ``models`` and ``examples``.

    Raises
    ------
    UsageError
        If the metric is not there, or not clear.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A", "B"], new=["A", "C"], references=["A", "B"])
    >>> [example["score"] for example in llm_comparator_data(comparison)["examples"]]
    [0.0, -1.0]
    """
    fields = {"id": "string", "reference": "text"}
    if comparison.correctness is not None:
        fields |= {"quadrant": "category", "right": "per_model_boolean"}
    fields |= dict.fromkeys(comparison.changes, "per_model_number")
    asked = {
        (record.task, record.id, record.repeat): record.prompt
        for record in prompts
        if record.prompt is not None
    }
    graded = {
        name: list(zip(changes.new.tolist(), changes.old.tolist(), strict=True))
        for name, changes in comparison.changes.items()
    }
    scored = zip(comparison.items(), _scores(comparison, metric), strict=True)
    return {
        "metadata": {
            "source_path": comparison.signature,
            "custom_fields_schema": [{"name": n, "type": kind} for n, kind in fields.items()],
        },
        "models": [{"name": comparison.names[1]}, {"name": comparison.names[0]}],
        "examples": [
            {
                "input_text": asked.get((item.task, item.id, item.repeat), item.id),
                "tags": [label for label in (item.task, item.slice) if label is not None],
                "output_text_a": _answer(item.new),
                "output_text_b": _answer(item.old),
                "score": score,
                "individual_rater_scores": [],
                "custom_fields": {
                    **_described(item),
                    **{name: list(pairs[position]) for name, pairs in graded.items()},
                },
            }
            for position, (item, score) in enumerate(scored)
        ],
    }


def llm_comparator_json(
    comparison: Comparison, *, prompts: Iterable[Record] = (), metric: str | None = None
) -> str:
    """`llm_comparator_data` as JSON in ASCII; the same comparison gives the same bytes.

    Parameters and errors are those of `llm_comparator_data`.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> text = llm_comparator_json(compare(old=["A"], new=["B"], references=["A"]))
    >>> '"score": -1.0' in text
    True
    """
    data = llm_comparator_data(comparison, prompts=prompts, metric=metric)
    return json_text(data, indent=2) + "\n"


def _scores(comparison: Comparison, metric: str | None) -> list[float]:
    correctness = comparison.correctness
    if metric is None and correctness is not None:
        flips: list[float] = (correctness.new_right.astype(float) - correctness.old_right).tolist()
        return flips
    names = list(comparison.changes)
    if metric is None and len(names) == 1:
        metric = names[0]
    if metric is None or metric not in comparison.changes:
        raise UsageError(
            f"expected one graded score of the comparison to show, got {metric!r}: "
            f"choose one with --metric (metric=), there is {list_names(names) or 'none'}"
        )
    gains: list[float] = comparison.changes[metric].gains.tolist()
    return gains


def _described(item: Item) -> dict[str, Any]:
    references = item.reference if isinstance(item.reference, list | tuple) else [item.reference]
    described: dict[str, Any] = {
        "id": item.id,
        "reference": "\n".join(_text(text) for text in references if text is not None),
    }
    if item.quadrant is not None:
        described |= {"quadrant": str(item.quadrant), "right": RIGHT[item.quadrant]}
    return described


def _answer(answer: object) -> str:
    return NO_ANSWER if answer is None else _text(answer)


def _text(value: object) -> str:
    return text_of(value) or str(value)
