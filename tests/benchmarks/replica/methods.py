"""Every way of training that is compared, and the recipe that was frozen before the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from muscle_metrics.adapter import LossSettings

__all__ = ["CONTROL", "GROUPS", "METHODS", "RECIPE", "Method", "Source"]

Source = Literal["offered", "new", "student"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to go on from v2's adapter.

    `times` is its number of steps over that of the recipe. `replay` says what unlabelled prompts
    are completed with: all choices that they offer, or v1's answers where they offer none
    (`offered`), or answers drawn from v2 (`new`) or the student as it is (`student`).
    `weighing` gives more weight to the examples on which v1 and v2 disagree.
    """

    name: str
    settings: LossSettings
    times: float = 1.0
    replay: Source | None = None
    replay_weight: float = 1.0
    weighing: bool = False


def _gold(name: str, strategy: str, weight: float = 1.0, times: float = 0.5) -> Method:
    settings = LossSettings(strategy=strategy, distillation_weight=weight)
    return Method(name=name, settings=settings, times=times)


def _replay(
    name: str,
    strategy: str = "old_correct_mixture",
    share: float = 0.9,
    source: Source = "offered",
    *,
    weighing: bool = False,
) -> Method:
    settings = LossSettings(strategy=strategy, temperature=1.0, replay_share=share)
    return Method(name=name, settings=settings, replay=source, weighing=weighing)


CONTROL = "cross-entropy continued, equal steps"
RECIPE = "recipe: old_correct_mixture + replay"
GROUPS = {
    "main": (
        _gold(CONTROL, "new_only", 0.0, 1.0),
        _gold("cross-entropy continued, 3x steps", "new_only", 0.0, 3.0),
        _gold("MUSCLE (student_incorrect)", "student_incorrect"),
        _replay(RECIPE),
    ),
    "ablations": (
        _gold("old_correct", "old_correct"),
        _gold("old_only", "old_only"),
        _gold("mixture", "mixture"),
        _gold("old_correct_mixture", "old_correct_mixture"),
    ),
    "replay": (_replay("MUSCLE + replay", "student_incorrect"),),
    "with_cross_entropy": (
        _gold("MUSCLE + cross-entropy", "student_incorrect", 0.5),
        _gold("token_likelihood + cross-entropy", "token_likelihood", 0.5),
        _gold("sequence_likelihood + cross-entropy", "sequence_likelihood", 0.5),
        _gold("focal + cross-entropy", "focal", 0.5),
    ),
    # Asked where the recipe replays answers, not offered choices.
    "questions": (
        _replay("recipe, prompts answered by v2", source="new"),
        _replay("recipe, replay to v2 alone", share=0.0),
        _replay("recipe, prompts answered by the student", source="student"),
        _replay("recipe, weights by disagreement", weighing=True),
    ),
}
METHODS = {method.name: method for group in GROUPS.values() for method in group}
