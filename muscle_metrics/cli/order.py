"""`muscle-metrics order`: the order in which to evaluate items for `gate --sequential`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.judging import (
    JUDGING,
    add_judging,
    judging_choices,
    refuse_samples,
)
from muscle_metrics.cli.mistakes import flag_of
from muscle_metrics.cli.reading import add_reading, read_runs
from muscle_metrics.cli.screen import print_lines, warn
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.runs.record import Record, Run

__all__ = ["add_command"]

EPILOG = """\
examples:
  # fixed before the first result is seen
  muscle-metrics order v1.jsonl --seed 7 > order.jsonl
  # without the items that v1 got wrong, which cannot break
  muscle-metrics order v1.jsonl --seed 7 --skip-wrong > order.jsonl
  # of a committed baseline
  muscle-metrics order v1.baseline --seed 7 > order.jsonl
  # evaluate in this order, and look as often as you like
  muscle-metrics gate old.jsonl growing.jsonl --max-nfr 0.05 \\
      --sequential --seed 7

Choose the seed once, and not by the order that it gives. Do not gate the same
items without --sequential after these looks: such a gate errs more often than
it states (5.5 to 6.7 % instead of 5 %). Items that share a passage are not
independent: name it with --group-field, and they are refused.

exit codes: 0 done, 2 usage, 4 a run that cannot be read, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "order",
        help="print the order of items for gate --sequential",
        description="Print the ids of a run in the random order that a seed gives, as JSON Lines.",
        epilog=EPILOG,
        usage="%(prog)s RUN --seed SEED [options]",
    )
    parser.set_defaults(command=_order)
    parser.add_argument("run", metavar="RUN", help="the old run, or its baseline")
    parser.add_argument("--seed", type=int, required=True, help="chosen before any result is seen")
    parser.add_argument(
        "--skip-wrong",
        action="store_true",
        help="leave out items that RUN got wrong, judged by the options that the gate will have",
    )
    add_reading(parser)
    add_judging(parser)


def _order(options: argparse.Namespace) -> int:
    from muscle_metrics.gate.stream import check_independent, seeded_order
    from muscle_metrics.runs.joining.pairing import pair_runs
    from muscle_metrics.words.escape import json_source

    _refuse_unused(options)
    (run,) = read_runs(options, [options.run])
    # A fault of the old run, such as an id given twice, is told before any item is evaluated.
    pair_runs(run, run, unanswered="wrong")
    check_independent(run)
    order = seeded_order(run, options.seed)
    if options.skip_wrong:
        order = _right_only(options, run, order)
    rows = (
        {name: value for name in ("task", "id", "repeat") if (value := getattr(record, name))}
        for record in order
    )
    print_lines(json_source(json.dumps(row)) for row in rows)
    return 0


def _refuse_unused(options: argparse.Namespace) -> None:
    refuse_samples(options, "an order of items")
    given = [name for name, absent in JUDGING.items() if getattr(options, name) != absent]
    if given and not options.skip_wrong:
        raise UsageError(
            f"expected --skip-wrong beside options that judge items, got only "
            f"{', '.join(map(flag_of, given))}: the order does not depend on them, so add "
            f"--skip-wrong, or drop them"
        )


def _right_only(
    options: argparse.Namespace, run: Run, order: tuple[Record, ...]
) -> tuple[Record, ...]:
    """Items that the run got right; say how many others there are."""
    from muscle_metrics.gate.stream import right_in

    right = right_in(run, order, **judging_choices(options))
    kept = tuple(record for record, is_right in zip(order, right.tolist(), strict=True) if is_right)
    warn(
        f"note: {len(order) - len(kept)} of {len(order)} items are left out, which {options.run!r} "
        f"got wrong: they cannot break, and gate --sequential counts them in their places"
    )
    return kept
