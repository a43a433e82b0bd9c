"""A verdict: its outcome, one check per limit, and its plain text without secrets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from muscle_metrics._version import __version__
from muscle_metrics.gate.waived import waiver_lines
from muscle_metrics.words.escape import distinct, terminal
from muscle_metrics.words.numbers import percent, score, short_percent
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from fractions import Fraction

    from muscle_metrics.errors import InputError
    from muscle_metrics.gate.waived import JudgedWaiver

__all__ = [
    "Check",
    "Outcome",
    "Verdict",
    "hide_verdict_secrets",
    "refuse",
    "verdict_lines",
    "verdict_text",
]


class Outcome(StrEnum):
    """Answer of a gate: always a result, never an exception.

    Examples
    --------
    >>> Outcome.PASS == "PASS"
    True
    """

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


WORST_FIRST = (Outcome.FAIL, Outcome.INVALID, Outcome.INCONCLUSIVE, Outcome.PASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One criterion of a gate, judged.

    Parameters
    ----------
    criterion : str
        Name of the limited rate, such as "negative flip rate of slice safety".
    outcome : Outcome
        PASS if the upper bound keeps the limit, FAIL if the lower one breaks it, INVALID if too
        few items could break or lost items could decide, else INCONCLUSIVE.
    estimate : float
        The observed value; larger is worse, unless `is_minimum`.
    low, high : float
        The bounds that decided, each one-sided; in the upper one every lost item broke.
    limit : Fraction
        The limit of the policy.
    sample : str
        The observation in words, such as "3 of 100 items".
    advice : str
        How to decide an undecided check; empty for any other.
    is_share : bool
        Whether values are shares, to be shown in percent.
    is_minimum : bool
        Whether the limit is a minimum, as that of the coverage is.
    method : str
        Name of the method that gave the bounds; where two did, that of the lower one comes first.
    bounded : tuple of str
        What the lower and the upper bound are of, where that is not the criterion itself: repeats
        fail by the flips beyond noise, and pass by all flips.
    allowed_units : float, optional
        How many of the largest groups (or prompts) the limit allows to break as a whole; from 10 on
        a bound decides that holds for any number of them. None where items are independent.
    unseen_share : float, optional
        Share of the groups that could break unseen, where an approximate bound decides.

    Examples
    --------
    >>> from muscle_metrics import Policy, check_gate, compare
    >>> comparison = compare(old=["A"] * 300, new=["A"] * 300, references=["A"] * 300)
    >>> print(check_gate(comparison, Policy(max_nfr="0.01")).checks[0])
    PASS negative flip rate 0.00% (Clopper-Pearson bounds 0.00% to 0.99%), limit 1%: 0 of 300 items
    """

    criterion: str
    outcome: Outcome
    estimate: float
    low: float
    high: float
    limit: Fraction
    sample: str
    advice: str = ""
    is_share: bool = True
    is_minimum: bool = False
    method: str = ""
    bounded: tuple[str, str] = ("", "")
    allowed_units: float | None = None
    unseen_share: float | None = None

    def shown(self, value: float | Fraction) -> str:
        """Write a value in the unit of the criterion."""
        return percent(float(value)) if self.is_share else score(float(value))

    @property
    def bounds_text(self) -> str:
        """Both bounds in the unit of the criterion; empty for a value that is known exactly."""
        if self.is_minimum:
            return ""
        bounds = zip((self.low, self.high), self.bounded, strict=True)
        return " to ".join(f"{self.shown(value)} {of}".rstrip() for value, of in bounds)

    @property
    def named_bounds(self) -> str:
        """Both bounds and their method, for a cell of a table."""
        return ", ".join(filter(None, (self.bounds_text, self.method)))

    @property
    def limit_text(self) -> str:
        """The limit as a policy writes it, in the unit of the criterion."""
        limit = short_percent(self.limit) if self.is_share else f"{float(self.limit):g}"
        return f"at least {limit}" if self.is_minimum else limit

    @property
    def sample_text(self) -> str:
        """The sample, and the advice on an inconclusive check."""
        return f"{self.sample}; {self.advice}" if self.advice else self.sample

    def __str__(self) -> str:
        bounds = f" ({f'{self.method} bounds'.lstrip()} {self.bounds_text})"
        if not self.bounds_text:
            bounds = ""
        return (
            f"{self.outcome} {self.criterion} {self.shown(self.estimate)}{bounds}, limit "
            f"{self.limit_text}: {self.sample_text}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Outcome of a gate, with one check per limit.

    Parameters
    ----------
    outcome : Outcome
        PASS if every check passes, FAIL if any fails, INVALID if the data cannot be judged.
    checks : tuple of Check
        One per statistical criterion.
    broken_pins : tuple of str
        Pinned items that broke.
    reasons : tuple of str
        Why the data cannot be judged; and differences that the policy accepted.
    names : tuple of str
        What the old and the new run are called.
    confidence : float
        One-sided level of the bounds.
    signature : str
        Options and input of the numbers, in one line.
    notes : tuple of str
        Facts that belong to the first line, such as items that were lost.
    waivers : tuple of JudgedWaiver
        Every waiver of the policy, and what became of it.

    Examples
    --------
    >>> from muscle_metrics import Policy, check_gate, compare
    >>> comparison = compare(old=["A"] * 99, new=["B"] * 99, references=["A"] * 99)
    >>> check_gate(comparison, Policy(max_nfr="0.05")).outcome
    <Outcome.FAIL: 'FAIL'>
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    broken_pins: tuple[str, ...]
    reasons: tuple[str, ...]
    names: tuple[str, str]
    confidence: float
    signature: str
    notes: tuple[str, ...] = ()
    waivers: tuple[JudgedWaiver, ...] = ()

    @property
    def headline(self) -> str:
        """The outcome, the runs that it is about, and the notes."""
        return "; ".join([f"{self.outcome}: {' -> '.join(self.names)}", *self.notes])

    def worst_first(self) -> list[Check]:
        """List the failed checks, then the undecided ones, then the passed ones."""
        return [
            check for outcome in WORST_FIRST for check in self.checks if check.outcome == outcome
        ]

    def __str__(self) -> str:
        return verdict_text(self)

    def _repr_html_(self) -> str:
        from muscle_metrics.gate.notebook import verdict_html

        return verdict_html(hide_verdict_secrets(self))


def refuse(error: InputError, *, names: tuple[str, str], confidence: float) -> Verdict:
    """Turn an error in the data into the verdict INVALID, which every report can show.

    Parameters
    ----------
    error : InputError
        The error in the data.
    names : tuple of str
        What the old and the new run are called.
    confidence : float
        One-sided level at which the runs were to be judged.

    Returns
    -------
    Verdict
    """
    return Verdict(
        outcome=Outcome.INVALID,
        checks=(),
        broken_pins=(),
        reasons=(str(error),),
        names=names,
        confidence=confidence,
        signature=f"muscle-metrics {__version__}; nothing was compared",
    )


def verdict_text(verdict: Verdict) -> str:
    """Plain text of a verdict: the outcome, then one line per check."""
    verdict = hide_verdict_secrets(verdict)
    foot = f"one-sided confidence {verdict.confidence:g}; {verdict.signature}"
    return "\n".join([*_lines(verdict), terminal(foot)])


def verdict_lines(verdict: Verdict) -> list[str]:
    """Lines of `verdict_text` without the last one, which says how the numbers were made."""
    return _lines(hide_verdict_secrets(verdict))


def _lines(verdict: Verdict) -> list[str]:
    pins = verdict.broken_pins
    first = ", ".join(map(distinct, pins[:5]))
    lines = [
        verdict.headline,
        *verdict.reasons,
        *map(str, verdict.checks),
        *([f"FAIL pinned items: {len(pins)} broke ({first})"] if pins else []),
        *waiver_lines(verdict.waivers),
    ]
    return list(map(terminal, lines))


def hide_verdict_secrets(verdict: Verdict) -> Verdict:
    """Replace secrets in every text of a verdict, and add their number to its reasons."""
    texts = {name: getattr(verdict, name) for name in ("broken_pins", "names", "signature")}
    texts["reasons"] = verdict.reasons
    texts["notes"] = verdict.notes
    texts["checks"] = tuple((c.criterion, c.sample, c.advice) for c in verdict.checks)
    waivers = [one.waiver for one in verdict.waivers]
    texts["waivers"] = tuple((w.id, w.task, w.owner, w.reason) for w in waivers)
    hidden = {name: hide_secrets(value) for name, value in texts.items()}
    count = sum(text.number for text in hidden.values())
    if not count:
        return verdict
    values = {name: text.value for name, text in hidden.items()}
    values["checks"] = tuple(
        replace(check, criterion=criterion, sample=sample, advice=advice)
        for check, (criterion, sample, advice) in zip(verdict.checks, values["checks"], strict=True)
    )
    values["waivers"] = tuple(
        one._replace(waiver=replace(one.waiver, id=name, task=task, owner=owner, reason=reason))
        for one, (name, task, owner, reason) in zip(verdict.waivers, values["waivers"], strict=True)
    )
    values["reasons"] += (f"secrets hidden in this report, examples aside: {count}",)
    return replace(verdict, **values)
