"""`muscle-metrics waivers`: propose known regressions, for people to answer for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.judging import add_judging, judging_choices
from muscle_metrics.cli.mistakes import doubt_order
from muscle_metrics.cli.outputs import check_outputs, names_standard_output
from muscle_metrics.cli.reading import add_reading, read_runs, two_models
from muscle_metrics.cli.screen import print_lines
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.gate.policy import Policy

__all__ = ["add_command"]

EPILOG = """\
examples:
  # every item that broke, without owner, reason and last day
  muscle-metrics waivers old.jsonl new.jsonl -o waivers.toml
  # only those that a policy pins, judged as its gate judges them
  muscle-metrics waivers old.jsonl new.jsonl --policy gate.toml -o pinned.toml
  # against a committed baseline
  muscle-metrics waivers v1.baseline v2.jsonl -o waivers-v2.toml

A gate with --waivers FILE refuses the file until a person has filled in every
owner, reason and last day. A waiver lets a pinned item break; every rate counts
the item all the same.

exit codes: 0 done, 2 usage, 4 runs that cannot be compared, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "waivers",
        help="propose known regressions, to be answered for by people",
        description="Write a waiver to be filled in for every item that broke and has none.",
        epilog=EPILOG,
        usage="%(prog)s OLD NEW -o FILE [options]",
    )
    parser.set_defaults(command=_waivers)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="OLD, or its baseline, and NEW")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="new TOML file to write; - is standard output",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--policy",
        metavar="FILE",
        help="TOML file with the policy: its pinned items alone, where it has any, and none that "
        "has a waiver",
    )
    chosen.add_argument("--pinned", metavar="FILE", help="these ids alone, one per line")
    add_reading(parser)
    add_judging(parser)


def _waivers(options: argparse.Namespace) -> int:
    from muscle_metrics.comparison.baseline import match_baseline
    from muscle_metrics.comparison.compare import compare_runs
    from muscle_metrics.comparison.per_task import settle_scores
    from muscle_metrics.gate.criteria import broken_prompts
    from muscle_metrics.gate.waivers import proposed_waivers
    from muscle_metrics.reports.files import write_text
    from muscle_metrics.words.escape import terminal
    from muscle_metrics.words.numbers import counted

    two_models(options)
    if len(options.runs) != 2:
        raise UsageError(f"expected two runs, got {len(options.runs)}: name OLD and NEW")
    named = filter(None, (options.reference, options.policy, options.pinned))
    check_outputs([options.output], [*options.runs, *named])
    _refuse_replacing(options.output)
    policy = _policy(options)
    options.answer = policy.answer if options.answer is None else options.answer
    choices = judging_choices(options)
    old, new = read_runs(options, options.runs)
    doubt_order(options.runs, [old, new])
    (old, new), choices["metric"] = settle_scores([old, new], choices["metric"])
    old, new = match_baseline(old, new, metric=choices["metric"], key=choices["key"])
    broken = broken_prompts(compare_runs(old, new, **choices), policy, policy.pinned or None)
    waived = {waiver.key for waiver in policy.waivers}
    open_items = [one for one in broken if not waived & {one, (None, one[1])}]
    text, left_out = proposed_waivers(open_items)
    write_text(options.output, text)
    parts = [f"{options.output}: {counted(len(open_items) - left_out, 'waiver')} to be filled in"]
    if held := len(broken) - len(open_items):
        parts.append(f"{counted(held, 'item')} with a waiver left out")
    if left_out:
        parts.append(f"{counted(left_out, 'item')} left out, as TOML cannot hold their ids")
    print_lines([terminal("; ".join(parts))], stderr=names_standard_output([options.output]))
    return 0


def _refuse_replacing(output: str) -> None:
    from muscle_metrics.reports.files import is_file

    if is_file(output) and os.path.lexists(output):
        raise UsageError(
            f"expected a new file for the waivers, got {output!r}, in which people may have "
            f"written: name another with -o FILE (--output)"
        )


def _policy(options: argparse.Namespace) -> Policy:
    """Policy of the gate; without one, any that says nothing of single items."""
    from muscle_metrics.gate.files import read_ids
    from muscle_metrics.gate.policy import Policy, read_policy
    from muscle_metrics.gate.waivers import today_in_utc

    if options.policy is not None:
        return read_policy(options.policy, today=today_in_utc())
    pinned = () if options.pinned is None else read_ids(Path(options.pinned))
    return Policy(max_nfr="0.5", pinned=frozenset(pinned))
