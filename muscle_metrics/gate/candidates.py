"""The gate for several candidates: which of them may ship, with one error over all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError
from muscle_metrics.gate.check import check_gate
from muscle_metrics.gate.verdict import Outcome, Verdict, verdict_lines
from muscle_metrics.statistics.multiplicity import holm_rejections
from muscle_metrics.words.escape import terminal
from muscle_metrics.words.numbers import counted, short_percent
from muscle_metrics.words.secrets import brief_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.gate.policy import Policy

__all__ = ["CandidatesVerdict", "check_candidates"]

NAME_LIMIT = 120
# Without a candidate that passes: what could yet change comes first.
WITHOUT_PASS = (Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.INVALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatesVerdict:
    """Which candidates may ship, with the verdict on each.

    Parameters
    ----------
    verdicts : mapping of str to Verdict
        By candidate, at the share of the error that is left for it.
    alone : mapping of str to Outcome
        By candidate, what `check_gate` says of it where it is the only one.
    confidence : float
        One-sided level of the policy, which holds for all candidates together.
    old : str
        Name of the old run.
    signature : str
        Options and input of the numbers, in one line.

    Examples
    --------
    >>> from muscle_metrics import Policy, compare_candidates
    >>> rows = [{"id": i, "prediction": "A", "reference": "A"} for i in range(99)]
    >>> worse = [{**row, "prediction": "B"} for row in rows]
    >>> found = compare_candidates(rows, {"a": rows, "b": worse}).gate(Policy(max_nfr="0.05"))
    >>> found.outcome, found.may_ship
    (<Outcome.PASS: 'PASS'>, ('a',))
    """

    verdicts: Mapping[str, Verdict]
    alone: Mapping[str, Outcome]
    confidence: float
    old: str
    signature: str

    @property
    def may_ship(self) -> tuple[str, ...]:
        """Candidates that pass."""
        return tuple(name for name, one in self.verdicts.items() if one.outcome is Outcome.PASS)

    @property
    def outcome(self) -> Outcome:
        """PASS if any candidate may ship, else INCONCLUSIVE, FAIL or INVALID, in this order."""
        if self.may_ship:
            return Outcome.PASS
        found = {one.outcome for one in self.verdicts.values()}
        return next(outcome for outcome in WITHOUT_PASS if outcome in found)

    @property
    def only_alone(self) -> tuple[str, ...]:
        """Candidates that pass alone, and not among the others."""
        shipped = set(self.may_ship)
        passed = (name for name, outcome in self.alone.items() if outcome is Outcome.PASS)
        return tuple(name for name in passed if name not in shipped)

    @property
    def headline(self) -> str:
        """Which candidates may ship; names are not escaped."""
        names = ", ".join(brief_name(name, NAME_LIMIT) for name in self.may_ship)
        return f"may ship: {names or 'none'} ({len(self.may_ship)} of {len(self.verdicts)})"

    def lines(self) -> list[str]:
        """Sentences below the headline: what the error is over, and who passes alone only."""
        error = short_percent(round(1 - self.confidence, 12))
        several = len(self.verdicts) > 1
        lines = [
            f"error over all {counted(len(self.verdicts), 'candidate')} together: with a "
            f"probability of at most {error} any passes that breaks the policy, and of at most "
            f"{error} any fails that keeps it (Holm over candidates); so any that passes may be "
            f"chosen"
        ]
        if self.only_alone:
            names = ", ".join(brief_name(name, NAME_LIMIT) for name in self.only_alone)
            lines.append(
                f"alone {names} would pass, but not as one of {len(self.verdicts)}: add items, or "
                f"name fewer candidates before you look at their results"
            )
        return lines if several else []

    def __str__(self) -> str:
        first = [self.headline, *self.lines()]
        each = [line for one in self.verdicts.values() for line in verdict_lines(one)]
        return "\n".join([*map(terminal, first), *each])

    def _repr_html_(self) -> str:
        from muscle_metrics.words.escape import html

        first = "".join(f"<p>{html(line)}</p>" for line in [self.headline, *self.lines()])
        return first + "".join(one._repr_html_() for one in self.verdicts.values())


def check_candidates(candidates: Candidates, policy: Policy) -> CandidatesVerdict:
    """Judge every candidate by one policy, and say which may ship.

    Whoever picks one of several that pass errs if any of them is bad. So candidates share the error
    of the policy: each is first judged with a K-th of it, and what passes leaves its share to the
    others (Holm). A candidate that does not pass keeps the verdict at a K-th.

    Parameters
    ----------
    candidates : Candidates
        Old against each candidate.
    policy : Policy
        Limits of the update; its confidence holds for all candidates together.

    Returns
    -------
    CandidatesVerdict
        With a probability of at most ``1 - policy.confidence`` any candidate passes whose true
        rates break the policy, however the candidates depend on each other; and with at most the
        same probability any fails whose true rates keep it. Each as exact as the bounds of
        `check_gate` are.

    Raises
    ------
    UsageError
        If the policy does not fit the data, or lets candidates pass without a bound.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> from muscle_metrics import Policy, compare_candidates
    >>> rows = [{"id": i, "prediction": "A", "reference": "A"} for i in range(70)]
    >>> print(check_candidates(compare_candidates(rows, {"a": rows}), Policy(max_nfr="0.05")))
    may ship: a (1 of 1)
    PASS: old -> a; the two runs are equal on every item
    PASS negative flip rate 0.00% (Clopper-Pearson bounds 0.00% to 4.19%), limit 5%: 0 of 70 items
    """
    if len(candidates.names) > 1:
        _refuse_no_guarantee(policy)
    # First by the policy itself: its errors are those of one comparison.
    alone = {name: check_gate(one, policy) for name, one in candidates.comparisons.items()}
    verdicts = alone if len(alone) == 1 else _share_error(candidates, policy)
    return CandidatesVerdict(
        verdicts=verdicts,
        alone={name: verdict.outcome for name, verdict in alone.items()},
        confidence=policy.confidence,
        old=candidates.old,
        signature=candidates.signature,
    )


def _refuse_no_guarantee(policy: Policy) -> None:
    """Refuse what may pass without an error that candidates could share."""
    for name, is_given in (
        ("on_inconclusive = pass (--on-inconclusive)", policy.on_inconclusive == "pass"),
        ("noise_adjusted_pass (--noise-adjusted-pass)", policy.noise_adjusted_pass),
    ):
        if is_given:
            raise UsageError(
                f"expected candidates to pass by bounds alone, whose error they share, got {name}: "
                f"leave it out, or judge one candidate with 'muscle-metrics gate'"
            )


def _share_error(candidates: Candidates, policy: Policy) -> dict[str, Verdict]:
    alpha, number = 1 - policy.confidence, len(candidates.names)
    strict = {name: _judge(candidates, policy, name, alpha / number) for name in candidates.names}
    passed = {name: one for name, one in strict.items() if one.outcome is Outcome.PASS}

    def passes(name: str) -> Callable[[float], bool]:
        def at(rate: float) -> bool:
            if name not in passed:
                verdict = _judge(candidates, policy, name, rate)
                if verdict.outcome is not Outcome.PASS:
                    return False
                passed[name] = verdict
            return True

        return at

    holm_rejections([passes(name) for name in candidates.names], alpha=alpha)
    return {name: passed.get(name, verdict) for name, verdict in strict.items()}


def _judge(candidates: Candidates, policy: Policy, name: str, error: float) -> Verdict:
    stricter = replace(policy, confidence=1 - error)
    try:
        return check_gate(candidates.comparisons[name], stricter)
    except UsageError as refusal:
        raise UsageError(
            f"{refusal}; {len(candidates.names)} candidates share the error, so that each needs "
            f"--confidence {stricter.confidence:.4g} (confidence=): add items, or name fewer "
            f"candidates"
        ) from refusal
