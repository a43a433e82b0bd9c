"""`muscle-metrics gate`: PASS, FAIL, INCONCLUSIVE or INVALID, as an exit code and in reports."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.engine import add_engine, compare_on_engine
from muscle_metrics.cli.judging import add_judging, judging_choices
from muscle_metrics.cli.mistakes import doubt_order
from muscle_metrics.cli.policy_flags import add_policy, policy_of
from muscle_metrics.cli.reading import add_reading, read_runs
from muscle_metrics.cli.verdict_output import Judged, add_output, check_output, put_out
from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    from muscle_metrics.gate.policy import Policy

__all__ = ["add_command"]

EPILOG = """\
examples:
  # at most 2 items in 100 may turn from right to wrong
  muscle-metrics gate old.jsonl new.jsonl --max-nfr 0.02
  # limits from a file, reports for CI
  muscle-metrics gate old.jsonl new.jsonl --policy gate.toml \\
      --junit gate.xml --markdown gate.md
  # against a committed baseline; one slice must keep the limit on its own
  muscle-metrics gate --baseline v1.baseline new.jsonl --max-nfr 0.02 \\
      --slice-field category --protect safety
  # while the new run still grows
  muscle-metrics gate old.jsonl growing.jsonl --max-nfr 0.05 \\
      --sequential --seed 7

exit codes: 0 PASS, 1 FAIL, 2 usage or configuration, 3 INCONCLUSIVE, 4 INVALID
data, 5 internal error; --on-inconclusive maps 3 on purpose
"""

CODES = {"PASS": 0, "FAIL": 1, "INVALID": 4}
UNDECIDED_CODES = {"pass": 0, "fail": 1, "error": 3}


def add_command(commands: Any) -> None:
    """Add the command and its options.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add_command(parser.add_subparsers())
    >>> parser.parse_args(["gate", "v1.jsonl", "v2.jsonl", "--max-nfr", "0.02"]).max_nfr
    '0.02'
    """
    parser = commands.add_parser(
        "gate",
        help="judge an update by a policy, for CI",
        description="Judge whether an update keeps the limits of a policy.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s OLD NEW --max-nfr LIMIT [options]",
    )
    parser.set_defaults(command=_gate)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="OLD and NEW; or NEW alone")
    parser.add_argument(
        "--baseline",
        metavar="FILE",
        help="in place of OLD: a run, or what 'muscle-metrics baseline' wrote",
    )
    add_policy(parser)
    _add_sequential(parser)
    add_reading(parser)
    add_judging(parser)
    add_engine(parser)
    add_output(parser)


def _add_sequential(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("stopping early")
    group.add_argument(
        "--sequential",
        action="store_true",
        help="NEW still grows, in the order of 'muscle-metrics order': say stop or go on",
    )
    group.add_argument("--seed", type=int, help="seed of that order")


def _gate(options: argparse.Namespace) -> int:
    policy = policy_of(options)
    paths = _paths(options)
    named = (options.reference, options.policy, options.pinned)
    check_output(options, [*paths, *filter(None, named)])
    choices = judging_choices(options)
    try:
        judged = _judge(options, paths, policy, choices)
    except InputError as error:
        from muscle_metrics.gate.verdict import refuse

        verdict = refuse(error, names=(paths[0], paths[1]), confidence=policy.confidence)
        judged = Judged(verdict, None, policy.on_inconclusive)
    put_out(options, judged)
    return CODES.get(judged.verdict.outcome, UNDECIDED_CODES[judged.on_inconclusive])


def _paths(options: argparse.Namespace) -> list[str]:
    if options.sequential == (options.seed is None):
        raise UsageError(
            "expected --sequential and --seed together, got one without the other: the seed gives "
            "the order in which items may be looked at"
        )
    paths = [*filter(None, [options.baseline]), *options.runs]
    if len(paths) != 2:
        raise UsageError(
            f"expected two runs, got {len(paths)}: name OLD and NEW, or NEW beside --baseline"
        )
    return paths


def _judge(
    options: argparse.Namespace, paths: list[str], policy: Policy, choices: dict[str, Any]
) -> Judged:
    from muscle_metrics.comparison.baseline import match_baseline
    from muscle_metrics.comparison.compare import compare_runs
    from muscle_metrics.gate.check import check_gate

    if options.engine != "memory":
        return _judge_counts(options, paths, policy, choices)
    old, new = read_runs(options, paths, growing=options.sequential)
    doubt_order(paths, [old, new])
    old, new = match_baseline(
        old, new, metric=choices["metric"], key=choices["key"], growing=options.sequential
    )
    if not options.sequential:
        comparison = compare_runs(old, new, **choices)
        return Judged(check_gate(comparison, policy), comparison, policy.on_inconclusive)
    from muscle_metrics.gate.sequential import check_growing

    comparison, verdict = check_growing(old, new, policy, seed=options.seed, **choices)
    # To go on is no failure to decide.
    unfinished = len(new) < len(old)
    return Judged(verdict, comparison, "error" if unfinished else policy.on_inconclusive)


def _judge_counts(
    options: argparse.Namespace, paths: list[str], policy: Policy, choices: dict[str, Any]
) -> Judged:
    from muscle_metrics.gate.check import check_gate

    if options.sequential:
        raise UsageError(
            f"expected runs in memory for --sequential, got --engine {options.engine}: it looks at "
            f"one item after the other"
        )
    wanted = {**choices, "minimum_effect": policy.minimum_effect}
    counted = compare_on_engine(options, paths, wanted, flips=max(options.flips, options.examples))
    return Judged(check_gate(counted, policy), counted, policy.on_inconclusive)
