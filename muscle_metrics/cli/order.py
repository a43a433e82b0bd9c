"""`muscle-metrics order`: the order in which to evaluate items for `gate --sequential`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.reading import add_reading, read_runs
from muscle_metrics.cli.screen import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add_command"]

EPILOG = """\
examples:
  # fixed before the first result is seen
  muscle-metrics order v1.jsonl --seed 7 > order.jsonl
  # of a committed baseline
  muscle-metrics order v1.baseline --seed 7 > order.jsonl
  # evaluate in this order, and look as often as you like
  muscle-metrics gate old.jsonl growing.jsonl --max-nfr 0.05 \\
      --sequential --seed 7

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
    add_reading(parser)


def _order(options: argparse.Namespace) -> int:
    from muscle_metrics.gate.sequential import seeded_order
    from muscle_metrics.words.escape import json_source

    (run,) = read_runs(options, [options.run])
    rows = (
        {name: value for name in ("task", "id", "repeat") if (value := getattr(record, name))}
        for record in seeded_order(run, options.seed)
    )
    print_lines(json_source(json.dumps(row)) for row in rows)
    return 0
