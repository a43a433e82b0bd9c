"""Messages about readers of answers: names, options, references that they cannot read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from muscle_metrics import Policy, Record, Run, check_gate, compare, compare_runs
from muscle_metrics.answers.reading.reading import Reading, with_answer
from muscle_metrics.flips.counting import count_flips

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "answers/reading/reading",
    "answers/reading/reader",
    "answers/reading/pattern",
    "answers/reading/columns",
]

count_all = partial(count_flips, old=["A", "B"], new=["A", "C"], references=["A", "B"])


def scored_run(name: str) -> Run:
    return Run((Record("1", scores={"acc": 1.0}), Record("2", scores={"acc": 0.0})), name)


def gated(answer: str | None) -> object:
    comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99, answer=answer)
    return check_gate(comparison, Policy(max_nfr="0.05", answer="strip"))


def with_options(old: object, new: object, reference: str = "A", answer: str = "letter") -> object:
    runs = [
        [
            {"id": 1, "prediction": "A", "reference": "A", "options": 2},
            {"id": 2, "prediction": "A", "reference": reference, "options": options},
        ]
        for options in (old, new)
    ]
    return compare_runs(*runs, answer=answer, choices_field="options")


CASES: dict[str, Callable[[], object]] = {
    "readers: no text": lambda: count_all(answer=["strip"]),
    "readers: an empty text": lambda: count_all(answer=""),
    "readers: an unknown name": lambda: count_all(answer="strip,nope"),
    "readers: a misspelt name": lambda: count_all(answer="last-nunber"),
    "readers: an unknown option": lambda: count_all(answer="number(toleranse=1e-6)"),
    "readers: an option of a reader without any": lambda: count_all(answer="strip(ends=left)"),
    "readers: a reader behind one that compares values": lambda: count_all(answer="number,strip"),
    "readers: two ways at once": lambda: with_answer(Reading.of("strip"), "casefold"),
    "readers: regex without a pattern": lambda: count_all(answer="regex"),
    "readers: regex with a fault": lambda: count_all(answer="regex:(\\w+"),
    "readers: regex that is slow": lambda: count_all(answer="regex:(a+)+$"),
    "readers: regex with a strange option": lambda: count_all(answer="regex(pattern=a, last=2)"),
    "readers: a reference that is more than is read": lambda: count_all(
        references=["A", "A\nB"], answer="first-line"
    ),
    "readers: a reference of which nothing is left": lambda: count_all(
        references=["A", "B"], answer="squad"
    ),
    "readers: options that no reader uses": lambda: with_options(4, 4, answer="strip"),
    "readers: different options of one item": lambda: with_options(4, ["x", "y"]),
    "readers: a reference beyond the options": lambda: with_options(4, 4, reference="E"),
    "readers: only scores": lambda: compare_runs(
        scored_run("old"), scored_run("new"), answer="strip"
    ),
    "readers: others than a policy says": lambda: gated("casefold"),
    "readers: none beside a policy": lambda: gated(None),
}
