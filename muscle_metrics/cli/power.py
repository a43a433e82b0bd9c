"""`muscle-metrics power`: the items that a limit needs, and the power of a number of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from muscle_metrics.cli.screen import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add_command"]

EPILOG = """\
examples:
  # items that a limit of 2 % needs, for several true rates
  muscle-metrics power --limit 0.02
  # what the 1319 items of a benchmark can decide
  muscle-metrics power --limit 0.02 --items 1319
  # one true rate, a higher chance of the verdict
  muscle-metrics power --limit 0.02 --true-rate 0.01 --power 0.9

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
    parser.add_argument("--limit", type=float, required=True, help="allowed negative flip rate")
    parser.add_argument(
        "--true-rate", type=float, metavar="X", help="rate to plan for (default: several)"
    )
    parser.add_argument("--items", type=_items, metavar="N", help="items of the benchmark")
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


def _items(text: str) -> int:
    items = int(text)
    if items < 1:
        raise ValueError(text)
    return items


def _power(options: argparse.Namespace) -> int:
    from muscle_metrics.statistics.power import minimum_items
    from muscle_metrics.words.numbers import short_percent

    limit, confidence = options.limit, options.confidence
    least = minimum_items(limit, confidence)
    lines = [
        f"limit {short_percent(limit)}, one-sided confidence {short_percent(confidence)}",
        f"PASS needs at least {least} items, and that many only if none of them breaks",
    ]
    if options.items is not None and options.items < least:
        lines.append(f"{options.items} items can never PASS")
    rates = _rates(options)
    headings = ["true rate", "verdict", f"items for power {options.power:g}"]
    rows = [[short_percent(rate), *_plan(options, rate)] for rate in rates]
    if options.items is not None:
        headings += [f"with {options.items} items: PASS", "FAIL", "INCONCLUSIVE"]
        rows = [[*row, *_chances(options, rate)] for row, rate in zip(rows, rates, strict=True)]
    print_lines([*lines, "", *_aligned([headings, *rows])])
    return 0


def _rates(options: argparse.Namespace) -> list[float]:
    if options.true_rate is not None:
        return [options.true_rate]
    rates = [multiple * options.limit for multiple in MULTIPLES]
    verdicts = [options.verdict] if options.verdict else ["pass", "fail"]
    return [r for r in rates if r <= 1 and ("pass" if r < options.limit else "fail") in verdicts]


def _plan(options: argparse.Namespace, rate: float) -> list[str]:
    """Return the verdict that is right at a true rate, and the items that reach it."""
    from muscle_metrics.statistics.power import required_items

    if rate == options.limit:
        return ["none", "no number tells it"]
    verdict: Literal["pass", "fail"] = "pass" if rate < options.limit else "fail"
    verdict = options.verdict or verdict
    items = required_items(
        limit=options.limit,
        true_rate=rate,
        power=options.power,
        confidence=options.confidence,
        verdict=verdict,
    )
    return [verdict.upper(), str(items)]


def _chances(options: argparse.Namespace, rate: float) -> list[str]:
    from muscle_metrics.statistics.power import gate_power
    from muscle_metrics.words.numbers import percent

    chances = gate_power(
        items=options.items, limit=options.limit, true_rate=rate, confidence=options.confidence
    )
    return [percent(chance, 1) for chance in chances]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
