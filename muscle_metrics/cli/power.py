"""`muscle-metrics power`: the items that a limit needs, and the power of a number of items."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from muscle_metrics.cli.like import add_like, check_like_flag
from muscle_metrics.cli.screen import print_lines
from muscle_metrics.cli.whole_numbers import count
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.statistics.plans import Design

__all__ = ["add_command"]

EPILOG = """\
examples:
  # items that a limit of 2 % needs, for several true rates
  muscle-metrics power --limit 0.02
  # what the 1319 items of a benchmark can decide
  muscle-metrics power --limit 0.02 --items 1319
  # one true rate, a higher chance of the verdict
  muscle-metrics power --limit 0.02 --true-rate 0.01 --power 0.9
  # no limit yet: one that half of the public updates of tool calls kept
  muscle-metrics power --like tool-calls --old-accuracy 0.8
  # passages of 10 questions, 5 limits at once, 1 % of the answers missing
  muscle-metrics power --limit 0.05 --group-size 10 --criteria 5 \\
      --missing-share 0.01

exit codes: 0 done, 2 usage, 5 internal error
"""

# True rates to plan for, as multiples of the limit.
MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.5, 2.0, 3.0)


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "power",
        help="plan a benchmark: items that a limit needs",
        description="Say how many items a limit on the negative flip rate needs, and how likely a "
        "number of items is to decide.",
        epilog=EPILOG,
    )
    parser.set_defaults(command=_power)
    parser.add_argument(
        "--limit", type=float, help="allowed negative flip rate; --like suggests one"
    )
    add_like(parser, "without --limit, plan for what half of the public updates kept")
    parser.add_argument(
        "--old-accuracy",
        type=float,
        metavar="X",
        help="accuracy of your old model, to which --like scales what the public updates broke",
    )
    parser.add_argument(
        "--true-rate", type=float, metavar="X", help="rate to plan for (default: several)"
    )
    parser.add_argument("--items", type=count, metavar="N", help="items of the benchmark")
    parser.add_argument(
        "--power",
        type=float,
        default=0.8,
        metavar="X",
        help="probability of the verdict (default: 0.8)",
    )
    parser.add_argument(
        "--verdict",
        choices=("pass", "fail"),
        help="what to plan for (default: what the true rate deserves)",
    )
    parser.add_argument(
        "--confidence", type=float, default=0.95, metavar="X", help="level (default: 0.95)"
    )

    _add_design(parser)


def _add_design(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("benchmark and policy")
    group.add_argument("--groups", type=count, metavar="N", help="groups that hold the --items")
    group.add_argument("--group-size", type=float, metavar="N", help="mean items of a group")
    group.add_argument(
        "--largest-group", type=float, metavar="N", help="items of the largest group"
    )
    group.add_argument(
        "--correlation",
        type=float,
        default=0.3,
        metavar="X",
        help="of the flips of two items of a group (default: 0.3, a cautious guess)",
    )
    group.add_argument(
        "--repeats", type=count, default=1, metavar="K", help="generations of every item"
    )
    group.add_argument(
        "--repeat-correlation",
        type=float,
        default=0.5,
        metavar="X",
        help="of the flips of two generations of an item (default: 0.5, a guess)",
    )
    group.add_argument(
        "--criteria",
        type=count,
        default=1,
        metavar="K",
        help="limits of the policy, each over as many items; all must pass",
    )
    group.add_argument(
        "--missing-share",
        type=float,
        default=0.0,
        metavar="X",
        help="items that the new run will lose; PASS counts them as broken",
    )
    group.add_argument(
        "--looks", type=int, choices=(1, 2), default=1, help="planned looks (default: 1)"
    )


def _power(options: argparse.Namespace) -> int:
    from muscle_metrics.statistics.looks import look_confidence
    from muscle_metrics.statistics.power import minimum_items
    from muscle_metrics.words.numbers import short_percent

    check_like_flag(options)
    design = _design(options)
    options.limit, origin = _limit(options)
    limit = options.limit
    level = look_confidence(options.confidence, options.looks)
    looks = f" at each of {options.looks} looks" if options.looks > 1 else ""
    least, units = minimum_items(limit, level), "items" if design.group_size == 1 else "groups"
    lines = [
        f"limit {short_percent(limit)}, one-sided confidence {short_percent(level)}{looks}",
        origin,
        f"PASS needs at least {least} {units}, and that many only if none of them breaks",
        *_assumptions(design, limit),
    ]
    if options.items is not None and options.items / design.group_size < least:
        lines.append(f"{options.items} items can never PASS")
    rates = _rates(options)
    headings = ["true rate", "verdict", f"items for power {options.power:g}"]
    rows = [[short_percent(rate), *_plan(options, design, level, rate)] for rate in rates]
    if options.items is not None:
        headings += [f"with {options.items} items: PASS", "FAIL", "INCONCLUSIVE"]
        chances = [_chances(options, design, level, rate) for rate in rates]
        rows = [[*row, *chance] for row, chance in zip(rows, chances, strict=True)]
    print_lines([*lines, "", *_aligned([headings, *rows])])
    return 0


def _limit(options: argparse.Namespace) -> tuple[float, str]:
    """Limit to plan for, and what public updates say about it."""
    from muscle_metrics.atlas.limits import limit_line, usual_rates

    limit, like, accuracy = options.limit, options.like, options.old_accuracy
    if limit is None and like is None:
        raise UsageError(
            "expected --limit, got none: give the negative flip rate that you allow, or --like all "
            "for what half of the public updates kept"
        )
    if accuracy is not None and limit is not None:
        raise UsageError(
            "expected --old-accuracy beside --like alone, got --limit too: drop one of them"
        )
    if limit is None:
        usual = usual_rates(like, old_accuracy=accuracy)
        return usual.limit, usual.sentence
    return limit, limit_line(limit, like)


def _design(options: argparse.Namespace) -> Design:
    from muscle_metrics.statistics.plans import Design

    size = options.group_size
    if options.groups is not None:
        if size is not None or options.items is None:
            raise UsageError(
                "expected --groups beside --items and without --group-size, got another choice: "
                "give --items and --groups, or --group-size alone"
            )
        size = options.items / options.groups
    if size is None and options.largest_group is not None:
        raise UsageError(
            "expected --largest-group beside the mean size of groups, got it alone: give "
            "--group-size too"
        )
    return Design(
        group_size=1.0 if size is None else size,
        largest_group=options.largest_group,
        correlation=options.correlation,
        repeats=options.repeats,
        repeat_correlation=options.repeat_correlation,
        criteria=options.criteria,
        missing_share=options.missing_share,
    )


def _assumptions(design: Design, limit: float) -> list[str]:
    """Say in one line each what the plan assumes beyond independent items."""
    from muscle_metrics.gate.policy import LEAST_COVERAGE
    from muscle_metrics.statistics.plans import finite_sample_groups
    from muscle_metrics.words.numbers import short_percent

    lines = []
    if design.group_size > 1:
        lines.append(
            f"groups of {design.group_size:g} items, correlation {design.correlation:g}: the bound "
            f"is approximate below {finite_sample_groups(design, limit)} groups"
        )
    if design.repeats > 1:
        lines.append(
            f"{design.repeats} generations of every item, correlation "
            f"{design.repeat_correlation:g}: PASS counts decoding noise, FAIL only what exceeds it"
        )
    if design.is_clustered:
        lines.append(f"{design.effect:.3g} items are worth one independent item; power is rough")
    if design.criteria > 1:
        lines.append(
            f"{design.criteria} criteria of as many items each: PASS needs all of them, FAIL one "
            f"after Holm's correction"
        )
    if design.missing_share > 0:
        lines.append(
            f"{short_percent(design.missing_share)} of the items missing: PASS counts them as "
            f"broken"
        )
    # At this share every second run loses more than it.
    if Fraction(str(design.missing_share)) >= 1 - LEAST_COVERAGE:
        lines.append(
            f"where more than {short_percent(1 - LEAST_COVERAGE)} are missing the verdict is "
            f"INVALID: lower --min-coverage (min_coverage)"
        )
    return lines


def _rates(options: argparse.Namespace) -> list[float]:
    if options.true_rate is not None:
        return [options.true_rate]
    rates = [multiple * options.limit for multiple in MULTIPLES]
    verdicts = [options.verdict] if options.verdict else ["pass", "fail"]
    return [r for r in rates if r <= 1 and ("pass" if r < options.limit else "fail") in verdicts]


def _plan(options: argparse.Namespace, design: Design, level: float, rate: float) -> list[str]:
    """Return the verdict that is right at a true rate, and the items that reach it."""
    from muscle_metrics.statistics.plans import planned_items

    if rate == options.limit:
        return ["none", "no number tells it"]
    verdict: Literal["pass", "fail"] = "pass" if rate < options.limit else "fail"
    verdict = options.verdict or verdict
    if verdict == "pass" and rate < options.limit <= design.worst_rate(rate):
        return ["PASS", "none: missing items reach the limit"]
    items = planned_items(
        design,
        limit=options.limit,
        true_rate=rate,
        power=options.power,
        confidence=level,
        verdict=verdict,
    )
    return [verdict.upper(), str(items)]


def _chances(options: argparse.Namespace, design: Design, level: float, rate: float) -> list[str]:
    from muscle_metrics.statistics.plans import planned_power
    from muscle_metrics.words.numbers import percent

    chances = planned_power(
        design, items=options.items, limit=options.limit, true_rate=rate, confidence=level
    )
    return [percent(chance, 1) for chance in chances]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
