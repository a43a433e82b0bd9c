"""Options of a policy: a file, or limits one by one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.labels import add_judge
from muscle_metrics.cli.mistakes import flag_of
from muscle_metrics.cli.whole_numbers import count
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.gate.policy import Policy

__all__ = ["add_policy", "has_policy", "policy_of"]

# Fields of a policy with one value each: such a flag overrides the file.
SINGLE = (
    "max_nfr",
    "max_conditional_nfr",
    "max_accuracy_loss",
    "max_nfr_mc",
    "max_flip_rate",
    "max_churn",
    "max_accuracy_change",
    "max_mean_loss",
    "max_mean_regression",
    "max_pass_at_k_loss",
    "max_pass_hat_k_loss",
    "max_flap_rate",
    "pass_k",
    "min_coverage",
    "minimum_effect",
    "confidence",
    "looks",
    "look",
    "on_inconclusive",
    "noise_adjusted_pass",
    "strict_groups",
    "answer",
    "judge",
)
# Flags that are lists or tables: beside a file they are refused, because a flag would replace the
# limits of the file without a warning. First the tables, by field of the policy.
BUDGETS = {"slices": "slice_limit", "tasks": "task_limit", "metrics": "metric_limit"}
SEVERAL = ("protect", "pinned", "waivers", *BUDGETS.values())


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add the options of a policy; none of them has a silent default."""
    group = parser.add_argument_group(
        "policy", "Limits are shares of all items, such as 0.02, unless they say otherwise."
    )
    group.add_argument(
        "--policy", metavar="FILE", help="TOML file with the policy, such as pyproject.toml"
    )
    for flag, text in (
        ("--max-nfr", "items that may turn from right to wrong"),
        ("--max-conditional-nfr", "of the items that old got right, those that may turn wrong"),
        ("--max-accuracy-loss", "accuracy that may be lost"),
        ("--max-nfr-mc", "items that may turn wrong, or to another wrong answer"),
        ("--max-flip-rate", "items that may flip either way, for a copy that is to be equivalent"),
        ("--max-churn", "items whose answer may change at all"),
        ("--max-accuracy-change", "accuracy that may be lost or gained"),
        ("--max-mean-loss", "mean loss of a score over all items, in units of the score"),
        ("--max-mean-regression", "how far scores that get worse may fall, in units of the score"),
        ("--max-pass-at-k-loss", "of repeats: pass@k that may be lost, any of k answers right"),
        ("--max-pass-hat-k-loss", "of repeats: pass^k that may be lost, all of k answers right"),
        ("--max-flap-rate", "of repeats: prompts of NEW with both right and wrong among k answers"),
    ):
        group.add_argument(flag, metavar="LIMIT", help=text)
    group.add_argument("--pass-k", type=count, metavar="K", help="the k of these limits of repeats")
    group.add_argument(
        "--protect",
        action="append",
        metavar="SLICE",
        help="slice that must keep --max-nfr on its own; may be repeated",
    )
    for name in BUDGETS.values():
        kind = name.removesuffix("_limit")
        group.add_argument(
            flag_of(name),
            action="append",
            metavar=f"{kind.upper()}=LIMIT",
            help=f"limit of one {kind}; may be repeated",
        )
    add_judge(group)
    group.add_argument("--pinned", metavar="FILE", help="ids that must not break, one per line")
    group.add_argument(
        "--waivers",
        metavar="FILE",
        help="TOML file of known regressions, each with owner, reason and last day: pinned items "
        "that may break; every rate counts them",
    )
    group.add_argument(
        "--today", metavar="DAY", help="day by which waivers expire (default: today in UTC)"
    )
    group.add_argument(
        "--minimum-effect", type=float, metavar="X", help="smaller changes of a score do not count"
    )
    group.add_argument(
        "--confidence", type=float, metavar="X", help="one-sided level of bounds (default: 0.95)"
    )
    group.add_argument(
        "--looks",
        type=int,
        choices=(1, 2),
        help="looks that were planned before the first one; with 2, items may be added once "
        "(default: 1)",
    )
    group.add_argument(
        "--look", type=int, choices=(1, 2), help="which of these looks this is (default: 1)"
    )
    group.add_argument(
        "--on-inconclusive",
        choices=("error", "fail", "pass"),
        help="exit code where the gate cannot decide: 3, 1 or 0 (default: error, 3)",
    )
    group.add_argument(
        "--noise-adjusted-pass",
        action="store_true",
        default=None,
        help="let repeats pass on what exceeds their noise; without a guarantee",
    )
    group.add_argument(
        "--strict-groups",
        action="store_true",
        default=None,
        help="let items in groups pass only by a bound that holds for any number of groups",
    )
    group.add_argument(
        "--min-coverage",
        metavar="SHARE",
        help="items of OLD that must be compared (default: 0.99)",
    )
    group.add_argument(
        "--accept-losses",
        action="store_const",
        const="ignore",
        help="ignore items that NEW lost; by default each one that OLD got right counts as broken",
    )
    group.add_argument(
        "--accept-difference",
        action="append",
        metavar="PART",
        help="part of the fingerprint, such as judge, in which runs may differ; may be repeated",
    )


def has_policy(options: argparse.Namespace) -> bool:
    """Whether an option of a policy was given."""
    # These also work without a policy, so they do not count as one.
    others = {"minimum_effect", "answer"}
    flags = {"policy", "accept_difference", "accept_losses", *SINGLE, *SEVERAL} - others
    return any(getattr(options, flag) is not None for flag in flags)


def policy_of(options: argparse.Namespace) -> Policy:
    """Policy that the options give.

    Raises
    ------
    UsageError
        If there is no limit, the file cannot be read, or limits contradict each other.
    """
    from muscle_metrics.gate.files import read_ids
    from muscle_metrics.gate.policy import Policy, read_policy
    from muscle_metrics.gate.waivers import read_day, read_waivers, today_in_utc

    given: dict[str, Any] = {name: getattr(options, name) for name in SINGLE}
    given["missing"] = options.accept_losses
    typed = options.today
    given["today"] = today_in_utc() if typed is None else read_day("--today", typed)
    given["accepted_differences"] = options.accept_difference and tuple(options.accept_difference)
    if options.policy is None:
        given |= {field: _limits(options, flag) for field, flag in BUDGETS.items()}
        given["protected"] = options.protect and tuple(options.protect)
        given["pinned"] = options.pinned and frozenset(read_ids(Path(options.pinned)))
        given["waivers"] = options.waivers and read_waivers(Path(options.waivers))
        return Policy(**_chosen(given))
    several = [flag_of(name) for name in SEVERAL if getattr(options, name) is not None]
    if several:
        raise UsageError(
            f"expected {' and '.join(several)} inside the policy file, got both, and a flag would "
            f"replace what the file says: write it there, or leave out --policy"
        )
    return read_policy(options.policy, **_chosen(given))


def _chosen(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _limits(options: argparse.Namespace, flag: str) -> dict[str, str] | None:
    texts = getattr(options, flag)
    if texts is None:
        return None
    limits: dict[str, str] = {}
    shown = flag_of(flag)
    for text in texts:
        # Split at the last sign: a name may contain "=", a limit cannot.
        name, equals, limit = text.rpartition("=")
        if not (name and equals):
            raise UsageError(
                f"expected {shown} NAME=LIMIT, got {text!r}: such as {shown} math=0.02"
            )
        if name in limits:
            raise UsageError(f"expected {shown} once per name, got {name!r} twice: drop one")
        limits[name] = limit
    return limits
