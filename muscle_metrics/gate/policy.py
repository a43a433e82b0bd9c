"""Limits of an update, which people write down before the comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.errors import UsageError, check_choice
from muscle_metrics.gate.files import read_ids, read_toml
from muscle_metrics.gate.limits import (
    Limit,
    brief_value,
    coverage_of,
    fraction_of,
    names_of,
    positive_of,
    share_of,
)
from muscle_metrics.gate.prompt_limits import OF_PROMPTS, check_pass_k
from muscle_metrics.gate.waivers import Waiver, check_waivers, read_waivers, waivers_of
from muscle_metrics.statistics.interval import check_confidence
from muscle_metrics.statistics.looks import Looks, look_confidence
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from os import PathLike

__all__ = [
    "Limit",
    "LostItems",
    "OnInconclusive",
    "Policy",
    "read_policy",
]

OnInconclusive = Literal["error", "fail", "pass"]
LostItems = Literal["count", "ignore"]

SHARES = (
    "max_nfr",
    "max_conditional_nfr",
    "max_nfr_mc",
    "max_accuracy_loss",
    "max_flip_rate",
    "max_churn",
    "max_accuracy_change",
    "max_weighted_nfr",
    *OF_PROMPTS,
)
# Limits of which a policy needs one: each of them bounds what an update may do to all items.
OVERALL = ("max_nfr", "max_accuracy_loss", "max_flip_rate", "max_churn", "max_accuracy_change")
# Limits by the limits that they include: the former counts each item that the latter counts.
INCLUDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "max_nfr_mc": ("max_nfr",),
        "max_flip_rate": ("max_nfr",),
        "max_churn": ("max_nfr", "max_nfr_mc", "max_flip_rate"),
    }
)
# A loss of more than 1 item in 100 is as large as the smallest limits in use.
LEAST_COVERAGE = Fraction(99, 100)
MEANS = ("max_mean_loss", "max_mean_regression")
BUDGETS = ("metrics", "tasks", "slices")
SECTION = "tool.muscle-metrics.gate"
HOW_TO_CHOOSE = (
    "expected max_nfr (--max-nfr), the share of all items that may turn from right to wrong, "
    "max_accuracy_loss (--max-accuracy-loss), which leaves flips unlimited, or for a copy that "
    "should be equivalent max_flip_rate (--max-flip-rate), got none: only you know what a broken "
    "answer costs, so there is no default; 0.02 allows 2 in 100, and 'muscle-metrics power' says "
    "how many items a limit needs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits that an update must keep; each is a share of all items unless it says otherwise.

    Limits are exact: ``"0.02"``, ``0.02`` and ``Fraction(1, 50)`` are the same limit.

    Parameters
    ----------
    max_nfr : Fraction, str, int or float, optional
        Largest negative flip rate. There is no default: a policy has this limit, one of
        equivalence, or `max_accuracy_loss` alone; then verdicts say that flips are not limited.
    max_conditional_nfr : Fraction, str, int or float, optional
        Largest share of the items that the old model got right, and the new one gets wrong; for
        benchmarks of which the old model got few right.
    max_accuracy_loss : Fraction, str, int or float, optional
        Largest loss of accuracy, old minus new.
    max_nfr_mc : Fraction, str, int or float, optional
        Largest inconsistency flip rate.
    max_flip_rate : Fraction, str, int or float, optional
        Largest share of items that flip either way: from right to wrong, or from wrong to right.
    max_churn : Fraction, str, int or float, optional
        Largest share of items whose answer changes at all.
    max_accuracy_change : Fraction, str, int or float, optional
        Largest change of accuracy either way; PASS rejects a larger loss and a larger gain, each
        at the one-sided level (two one-sided tests).
    max_mean_loss : Fraction, str, int or float, optional
        Largest mean loss of a graded score over all items, in units of the score; an item that
        did not get worse loses 0.
    max_mean_regression : Fraction, str, int or float, optional
        Largest mean loss of the items that got worse. More items that get slightly worse lower
        this mean, so `max_mean_loss` is the safer limit.
    max_weighted_nfr : Fraction, str, int or float, optional
        Largest negative flip rate weighted by the severity of each item or of its slice.
    max_pass_at_k_loss, max_pass_hat_k_loss : Fraction, str, int or float, optional
        Largest loss of pass@k (any of k generations right) and of pass^k (all of them right), old
        minus new, over prompts with repeats.
    max_flap_rate : Fraction, str, int or float, optional
        Largest chance that k generations of the new model are neither all right nor all wrong.
    pass_k : int, optional
        The k of these three limits, which need it; old must hold as many generations of every
        prompt.
    weights, item_weights : mapping of str to float
        Severity by slice, and by id of an item. The severity of an id replaces that of its slice;
        it is 1 for an item without either.
    metrics, tasks, slices : mapping of str to limit
        Largest negative flip rate by metric, by task and by slice.
    protected : tuple of str
        Slices that must each keep `max_nfr` on their own.
    pinned : frozenset of str
        Ids of items that must not break; one with repeats breaks where most of the old
        generations were right and most of the new ones are wrong.
    minimum_effect : float
        A graded score must change by more than this to count.
    confidence : float
        One-sided level of the verdict: that of every bound where there is one look.
    looks : {1, 2}
        Looks that were planned before the first one. With 2, an undecided gate may be asked once
        more after any number of items was added; each look has a stricter level.
    look : {1, 2}
        Which of these looks this is.
    on_inconclusive : {"error", "fail", "pass"}
        How an undecided gate sets the exit code.
    noise_adjusted_pass : bool
        Whether repeats may pass by the flips beyond noise; this pass has no guarantee.
    strict_groups : bool
        Whether only a bound that holds for any number of groups may pass.
    accepted_differences : tuple of str
        Parts of the fingerprint, such as "judge", in which the runs may differ.
    missing : {"count", "ignore"}
        Whether items that the new run lost count as broken in each upper bound, or not at all.
    answer : str, optional
        Readers of answers and references by which the runs must be compared, such as
        "no-think, last-number"; the command line and pytest compare by them.
    judge : str, optional
        Recorded score that an LLM judge gave. The runs must be compared by it, or by labels that
        correct it; without labels the verdict says that nothing corrects the judge.
    min_coverage : Fraction, str, int or float
        Least share of the items of the old run that must be compared, unless losses are ignored.
    waivers : tuple of Waiver
        Known regressions: a pinned item may break until the last day of its waiver. Every rate
        counts it all the same.
    today : datetime.date, optional
        Day by which waivers expire; needed where there are any, and never read from a file.

    Raises
    ------
    UsageError
        If a limit is missing, out of range, or contradicts another.

    Examples
    --------
    >>> Policy(max_nfr="0.02", protected=("safety",)).max_nfr
    Fraction(1, 50)
    """

    max_nfr: Limit | None = None
    max_conditional_nfr: Limit | None = None
    max_accuracy_loss: Limit | None = None
    max_nfr_mc: Limit | None = None
    max_flip_rate: Limit | None = None
    max_churn: Limit | None = None
    max_accuracy_change: Limit | None = None
    max_mean_loss: Limit | None = None
    max_mean_regression: Limit | None = None
    max_weighted_nfr: Limit | None = None
    max_pass_at_k_loss: Limit | None = None
    max_pass_hat_k_loss: Limit | None = None
    max_flap_rate: Limit | None = None
    pass_k: int | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    item_weights: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, Limit] = field(default_factory=dict)
    tasks: Mapping[str, Limit] = field(default_factory=dict)
    slices: Mapping[str, Limit] = field(default_factory=dict)
    protected: tuple[str, ...] = ()
    pinned: frozenset[str] = frozenset()
    minimum_effect: float = 0.0
    confidence: float = 0.95
    looks: Looks = 1
    look: Looks = 1
    on_inconclusive: OnInconclusive = "error"
    noise_adjusted_pass: bool = False
    strict_groups: bool = False
    accepted_differences: tuple[str, ...] = ()
    missing: LostItems = "count"
    min_coverage: Limit = LEAST_COVERAGE
    answer: str | None = None
    waivers: tuple[Waiver, ...] = ()
    today: date | None = None
    judge: str | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, name) is None for name in OVERALL):
            raise UsageError(HOW_TO_CHOOSE)
        if check_confidence(self.confidence) <= 0.5:
            raise UsageError(
                f"expected confidence above 0.5, got {self.confidence!r}: write 95 % as 0.95, and "
                f"not as the error of 0.05"
            )
        self._check_looks()
        check_pass_k(self)
        if self.answer is not None:
            object.__setattr__(self, "answer", Reading.of(self.answer).name)
        if self.judge is not None and not (isinstance(self.judge, str) and self.judge):
            raise UsageError(
                f"expected the name of a recorded score as --judge (judge=), got "
                f"{brief_value(self.judge)}: name the field of the judge's scores"
            )
        check_choice("on_inconclusive", self.on_inconclusive, get_args(OnInconclusive))
        check_choice("missing", self.missing, get_args(LostItems))
        if not 0 <= self.minimum_effect < math.inf:
            raise UsageError(
                f"expected minimum_effect to be a number of at least 0, got {self.minimum_effect!r}"
            )
        for name, value in self._settled():
            object.__setattr__(self, name, value)
        self._check_contradictions()

    @property
    def look_confidence(self) -> float:
        """One-sided level of every bound at this look."""
        return look_confidence(self.confidence, self.looks)

    def _check_looks(self) -> None:
        for name, look in (("looks", self.looks), ("look", self.look)):
            # True is 1 to Python, but may mean that a second look is planned.
            if isinstance(look, bool) or look not in get_args(Looks):
                raise UsageError(
                    f"expected {name} to be 1 or 2, got {brief_value(look)}: plan at most a second "
                    f"look with --looks 2 (looks = 2), or any number of looks with --sequential"
                )
        if self.look > self.looks:
            raise UsageError(
                "expected a second look to be planned before the first one, got look 2 of 1: "
                "plan it with --looks 2 (looks = 2), whose first look has a stricter level"
            )

    def _settled(self) -> Iterator[tuple[str, Any]]:
        # Limits are exact fractions: a bound is compared with 0.02, not with the nearest float.
        for name in SHARES:
            limit = getattr(self, name)
            yield name, None if limit is None else share_of(name, limit)
        yield "min_coverage", coverage_of(self.min_coverage)
        for name in MEANS:
            limit = getattr(self, name)
            yield name, None if limit is None else positive_of(name, limit)
        for name in BUDGETS:
            limits = getattr(self, name).items()
            limits = _by_metric(limits) if name == "metrics" else limits
            yield name, MappingProxyType({key: share_of(f"{name}.{key}", x) for key, x in limits})
        for name in ("weights", "item_weights"):
            weights = getattr(self, name).items()
            severities = {key: float(positive_of(f"{name}.{key}", x)) for key, x in weights}
            yield name, MappingProxyType(severities)
        yield "pinned", frozenset(names_of("pinned", self.pinned))
        yield "waivers", check_waivers(self.waivers, self.today)
        for name in ("protected", "accepted_differences"):
            yield name, names_of(name, getattr(self, name))

    @property
    def limited(self) -> tuple[str, ...]:
        """Names of the limits that the policy has."""
        names = (*SHARES, *MEANS, *BUDGETS, "protected", "pinned")
        return tuple(name for name in names if getattr(self, name))

    @property
    def limits_flips(self) -> bool:
        """Whether some limit bounds the negative flips of all items."""
        # Each of these rates is at least the negative flip rate.
        return not {"max_nfr", "max_conditional_nfr", *INCLUDED}.isdisjoint(self.limited)

    def _check_included(self) -> None:
        for larger, smaller in INCLUDED.items():
            for name in smaller:
                least, most = getattr(self, name), getattr(self, larger)
                if None not in (least, most) and most < least:
                    raise UsageError(
                        f"expected {larger} to be at least {name}, which it includes, got "
                        f"{float(most):g} and {float(least):g}: raise {larger}"
                    )

    def _check_contradictions(self) -> None:
        if self.protected and self.max_nfr is None:
            raise UsageError(
                "expected max_nfr (--max-nfr), which each protected slice must keep, got none: add "
                "--max-nfr, or give each slice a limit of its own with --slice-limit NAME=LIMIT "
                "(slices=)"
            )
        self._check_included()
        if self.strict_groups and self.noise_adjusted_pass:
            raise UsageError(
                "expected a pass by a bound that holds for any number of groups, or one by what "
                "exceeds noise, which has no guarantee, got both: drop --strict-groups "
                "(strict_groups), or noise_adjusted_pass"
            )
        both = sorted(set(self.protected) & set(self.slices))
        if both:
            raise UsageError(
                f"expected a slice to be protected or to have a budget of its own, got both for "
                f"{both}: drop one of them"
            )
        if (self.max_weighted_nfr is None) == bool(self.weights or self.item_weights):
            raise UsageError(
                "expected max_weighted_nfr together with weights, got one without the other: "
                "severity needs a limit, and the limit needs severities"
            )


def _by_metric(limits: Iterable[tuple[str, Limit]]) -> list[tuple[str, Limit]]:
    """Limits by the names that metrics have in results: their options in one spelling."""
    from muscle_metrics.scorers.table import scorer_name

    named = [(scorer_name(metric), limit) for metric, limit in limits]
    names = [name for name, _ in named]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"expected one limit of the metric {name!r}, got two, as its options are spelled "
                f"in two ways: drop one --metric-limit (metrics=)"
            )
    return named


def read_policy(path: str | PathLike[str], **overrides: Any) -> Policy:
    """Read a policy from TOML, from the section ``[tool.muscle-metrics.gate]`` or a whole file.

    Parameters
    ----------
    path : str or path
        A TOML file. `pinned` may be a list of ids, or the name of a file with one id per line;
        `waivers` may be tables, or the name of a file with these.
    **overrides
        Fields of `Policy` that replace those of the file; `today` where it has waivers.

    Returns
    -------
    Policy

    Raises
    ------
    UsageError
        If the file cannot be read, or holds an unknown key or an impossible limit.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "gate.toml")
    ...     _ = path.write_text("max_nfr = 0.02")
    ...     policy = read_policy(path, confidence=0.9)
    >>> policy.max_nfr, policy.confidence
    (Fraction(1, 50), 0.9)
    """
    file = Path(path)
    content = read_toml(file, "a policy")
    section: Any = content
    if "tool" in content:
        for key in SECTION.split("."):
            section = section.get(key) if isinstance(section, dict) else None
        if section is None:
            raise UsageError(f"expected a section [{SECTION}] in {str(file)!r}, it has none")
    return Policy(**{**_settings(section, file), **overrides})


def _settings(section: Mapping[str, Any], file: Path) -> dict[str, Any]:
    example = Policy(max_nfr="0.5")
    known = {field.name: getattr(example, field.name) for field in fields(Policy)}
    # A day in a file would stop the clock: no waiver would ever expire.
    del known["today"]
    settings: dict[str, Any] = {}
    for name, value in section.items():
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {sorted(known)}"
            raise UsageError(f"expected keys of a policy in {str(file)!r}, got {name!r}: {hint}")
        default = known[name]
        if isinstance(default, Mapping) and not isinstance(value, Mapping):
            raise UsageError(
                f"expected a table for {name!r} in {str(file)!r}, got {brief_value(value)}"
            )
        if isinstance(default, bool) and not isinstance(value, bool):
            raise UsageError(
                f"expected true or false for {name!r} in {str(file)!r}, got {brief_value(value)}"
            )
        if isinstance(default, float):
            value = float(fraction_of(name, value))
        if name == "pinned" and isinstance(value, str):
            value = read_ids(file.parent / value)
        if name == "waivers":
            value = (
                read_waivers(file.parent / value)
                if isinstance(value, str)
                else waivers_of(value, visible(str(file)))
            )
        settings[name] = value
    return settings
