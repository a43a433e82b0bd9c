"""Exit codes of a gate, of one update or of several candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muscle_metrics.gate.policy import OnInconclusive
    from muscle_metrics.gate.verdict import Outcome

__all__ = ["exit_code"]

CODES = {"PASS": 0, "FAIL": 1, "INVALID": 4}
UNDECIDED_CODES = {"pass": 0, "fail": 1, "error": 3}


def exit_code(outcome: Outcome, on_inconclusive: OnInconclusive) -> int:
    """Exit code of an outcome; the policy says that of INCONCLUSIVE."""
    return CODES.get(outcome, UNDECIDED_CODES[on_inconclusive])
