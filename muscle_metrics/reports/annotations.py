"""A verdict as annotations that GitHub Actions shows beside a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.gate.verdict import hide_verdict_secrets
from muscle_metrics.words.escape import annotation, annotation_property, distinct, shorten

if TYPE_CHECKING:
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.gate.waived import JudgedWaiver

__all__ = ["verdict_annotations"]

# GitHub shows no more annotations of one level in one step.
MOST = 10
TEXT_LIMIT = 1000
LEVELS = {"PASS": "notice", "FAIL": "error", "INCONCLUSIVE": "warning", "INVALID": "error"}


def verdict_annotations(verdict: Verdict) -> list[str]:
    """Annotate the verdict, then the checks that did not pass, the worst first, and the waivers.

    Parameters
    ----------
    verdict : Verdict
        The verdict of a gate.

    Returns
    -------
    list of str
        At most ten lines for standard output; the last one says how many did not fit.
    """
    verdict = hide_verdict_secrets(verdict)
    worst = [(LEVELS[verdict.outcome], verdict.headline)]
    worst += [("error", reason) for reason in verdict.reasons if verdict.outcome == "INVALID"]
    worst += [("error", f"pinned item {distinct(pin)} broke") for pin in verdict.broken_pins]
    checks = [check for check in verdict.worst_first() if check.outcome != "PASS"]
    worst += [(LEVELS[check.outcome], str(check)) for check in checks]
    worst += [(_level(one), str(one)) for one in verdict.waivers]
    lines = [_line(level, text) for level, text in worst]
    if len(lines) <= MOST:
        return lines
    return [*lines[: MOST - 1], _line("notice", f"{len(lines) - MOST + 1} more are in the log")]


def _level(waiver: JudgedWaiver) -> str:
    return "notice" if waiver.state in ("waived", "not needed") else "warning"


def _line(level: str, text: str) -> str:
    title = annotation_property("muscle-metrics gate")
    return f"::{level} title={title}::{annotation(shorten(text, TEXT_LIMIT))}"
