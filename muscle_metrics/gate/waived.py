"""What became of each waiver, in words: whatever a waiver does is said in every report."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.words.escape import distinct
from muscle_metrics.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.gate.waivers import Waiver

__all__ = ["JudgedWaiver", "WaiverState", "waiver_lines", "waiver_notes"]

# Lines of a text for people; JSON lists every waiver.
MOST_LINES = 20


class WaiverState(StrEnum):
    """What became of a waiver, in the order of reports.

    Examples
    --------
    >>> WaiverState.WAIVED == "waived"
    True
    """

    WAIVED = "waived"
    EXPIRED = "expired"
    LOST = "lost"
    UNKNOWN = "unknown"
    UNNEEDED = "not needed"


_STORIES = {
    WaiverState.WAIVED: "broke, which is known until {day}",
    WaiverState.EXPIRED: "broke and counts, as the waiver ended with {day}: mend it, or renew this",
    WaiverState.LOST: "is lost in new, if only in part, and no known regression: evaluate it again",
    WaiverState.UNKNOWN: "is not in old: correct its id and task, or drop the waiver",
    WaiverState.UNNEEDED: "did not break: drop the waiver",
}
_PINNED = "broke, and passes until {day} though it is pinned"


class JudgedWaiver(NamedTuple):
    """A waiver, what became of it, and whether its item is pinned."""

    waiver: Waiver
    state: WaiverState
    is_pinned: bool

    @property
    def story(self) -> str:
        """What the waiver does, or why it does nothing."""
        lets_pass = self.is_pinned and self.state is WaiverState.WAIVED
        story = _PINNED if lets_pass else _STORIES[self.state]
        return story.format(day=self.waiver.expires.isoformat())

    def described(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "id": self.waiver.id,
            "task": self.waiver.task,
            "state": str(self.state),
            "pinned": self.is_pinned,
            "owner": self.waiver.owner,
            "reason": self.waiver.reason,
            "expires": self.waiver.expires.isoformat(),
        }

    def __str__(self) -> str:
        head = "waived" if self.state is WaiverState.WAIVED else f"waiver {self.state}"
        return (
            f"{head}: {distinct(self.waiver.name)} {self.story} "
            f"(owner {self.waiver.owner}; reason: {self.waiver.reason})"
        )


def waiver_notes(judged: Sequence[JudgedWaiver]) -> list[str]:
    """Count for the first line of a verdict what waivers do, and those that do nothing."""
    numbers = Counter(one.state for one in judged)
    pinned = sum(one.is_pinned for one in judged if one.state is WaiverState.WAIVED)
    waived = f"known regressions waived: {{}} ({pinned} pinned), each counted in every rate"
    texts = {
        WaiverState.WAIVED: waived,
        WaiverState.EXPIRED: "waivers expired: {}",
        WaiverState.LOST: "waivers of lost items: {}",
        WaiverState.UNKNOWN: "waivers of no item of old: {}",
        WaiverState.UNNEEDED: "waivers not needed: {}",
    }
    return [text.format(numbers[state]) for state, text in texts.items() if numbers[state]]


def waiver_lines(judged: Sequence[JudgedWaiver]) -> list[str]:
    """One line per waiver, and one that counts those beyond the first twenty."""
    left = len(judged) - MOST_LINES
    return [
        *map(str, judged[:MOST_LINES]),
        *([f"{counted(left, 'more waiver')}, all in --json FILE"] if left > 0 else []),
    ]
