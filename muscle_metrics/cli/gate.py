"""`muscle-metrics gate`: PASS, FAIL, INCONCLUSIVE or INVALID, as an exit code and in reports."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.cli.automatic import count_if_large
from muscle_metrics.cli.engine import add_engine, check_engine, compare_on_engine
from muscle_metrics.cli.exits import exit_code
from muscle_metrics.cli.inputs import given_name, given_names_in
from muscle_metrics.cli.judging import (
    add_judging,
    judging_choices,
    refuse_flips,
    refuse_samples,
)
from muscle_metrics.cli.labels import add_labels, compare_by_labels
from muscle_metrics.cli.like import add_like, check_like_flag
from muscle_metrics.cli.mistakes import doubt_order, flag_of, note_identical
from muscle_metrics.cli.outputs import (
    check_outputs,
    names_standard_output,
    print_reports,
    write_files,
)
from muscle_metrics.cli.policy_flags import add_policy, policy_of
from muscle_metrics.cli.reading import add_reading, read_runs, two_models
from muscle_metrics.cli.screen import open_screen, print_lines, warn
from muscle_metrics.cli.whole_numbers import number
from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.gate.policy import OnInconclusive, Policy
    from muscle_metrics.gate.verdict import Verdict

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

# Columns of a pipe and a file.
WIDTH = 100

# The one environment variable that is read, and only where --summary asks for it.
SUMMARY = "GITHUB_STEP_SUMMARY"
# Bytes that must be free in a summary for a verdict to be added.
LEAST_ROOM = 20_000


class _Judged(NamedTuple):
    """A verdict, its comparison, and the outcome that INCONCLUSIVE is mapped to."""

    verdict: Verdict
    comparison: Facts | None
    on_inconclusive: OnInconclusive


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "gate",
        help="judge an update by a policy, for CI",
        description="Judge whether an update keeps the limits of a policy.",
        epilog=EPILOG,
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
    add_labels(parser)
    add_engine(parser)
    _add_output(parser)


def _add_sequential(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("stopping early")
    group.add_argument(
        "--sequential",
        action="store_true",
        help="NEW still grows, in the order of 'muscle-metrics order': say stop or go on; it may "
        "leave out items that OLD got wrong, and no ordinary gate may follow on the same items",
    )
    group.add_argument("--seed", type=int, help="seed of that order")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    for flag, text in (
        ("--junit", "write JUnit XML"),
        ("--markdown", "write Markdown, short enough for a comment"),
        ("--json", "write JSON; its schema is verdict.schema.json; - is standard output"),
    ):
        group.add_argument(flag, metavar="FILE", help=text)
    group.add_argument(
        "--summary",
        action="store_true",
        help=f"append Markdown to the file that the variable {SUMMARY} names",
    )
    group.add_argument(
        "--report-link",
        metavar="URL",
        help="where people open the page of 'muscle-metrics report'; the Markdown links to it",
    )
    group.add_argument(
        "--annotations", action="store_true", help="print annotations for GitHub Actions"
    )
    group.add_argument(
        "--flips",
        type=number,
        default=0,
        metavar="N",
        help="print N items, or of repeats prompts, that broke, pinned ones and the largest loss "
        "first",
    )
    group.add_argument(
        "--examples",
        type=number,
        default=20,
        metavar="N",
        help="how many negative flips the reports list (default: 20)",
    )
    add_like(group, "in Markdown, place the update among public ones, outside the verdict")
    group.add_argument(
        "--no-examples",
        action="store_const",
        const=0,
        dest="examples",
        help="list none, so that no answers and references are published",
    )


def _gate(options: argparse.Namespace) -> int:
    two_models(options)
    check_like_flag(options)
    check_engine(options)
    policy = policy_of(options)
    options.answer, options.judge = policy.answer, policy.judge
    paths = _paths(options)
    named = (
        options.reference, options.policy, options.pinned, options.waivers, options.labels,
    )  # fmt: skip
    _check_output(options, [*paths, *filter(None, named)])
    choices = judging_choices(options)
    try:
        judged = _judge(options, paths, policy, choices)
    except InputError as error:
        from muscle_metrics.gate.verdict import refuse

        # Without ways out that only Python has.
        shown = InputError(given_names_in(options, error.message))
        names = (given_name(options, paths[0]), given_name(options, paths[1]))
        verdict = refuse(shown, names=names, confidence=policy.look_confidence)
        judged = _Judged(verdict, None, policy.on_inconclusive)
    if judged.comparison is not None:
        has_flips = judged.comparison.has_flips or judged.comparison.prompts is not None
        refuse_flips(options.flips, is_judged=has_flips)
    judged = judged._replace(verdict=_with_copies(judged.verdict, paths))
    texts = _report_texts(options, judged)
    # Print last: if a report cannot be written, no verdict may be printed.
    write_files(texts)
    if options.summary:
        _append_summary(options, judged)
    print_reports(texts)
    _print(options, judged, stderr=names_standard_output(texts))
    return exit_code(judged.verdict.outcome, judged.on_inconclusive)


def _with_copies(verdict: Verdict, paths: list[str]) -> Verdict:
    """Say in the first line that both files are the same, which tells more than equal runs do."""
    from muscle_metrics.comparison.sameness import EQUAL_RUNS

    copies = note_identical(paths)
    if not copies:
        return verdict
    others = [note for note in verdict.notes if note != EQUAL_RUNS]
    return replace(verdict, notes=(*copies, *others))


def _paths(options: argparse.Namespace) -> list[str]:
    if options.sequential == (options.seed is None):
        raise UsageError(
            "expected --sequential and --seed together, got one without the other: give both, as "
            "in --sequential --seed 7 with the seed of 'muscle-metrics order'"
        )
    if options.sequential:
        refuse_samples(options, "--sequential")
    paths = [*filter(None, [options.baseline]), *options.runs]
    if len(paths) != 2:
        raise UsageError(
            f"expected two runs, got {len(paths)}: name OLD and NEW, or NEW beside --baseline"
        )
    return paths


def _check_output(options: argparse.Namespace, inputs: list[str]) -> None:
    """Refuse, before any work, reports that could not be written after it."""
    check_outputs([options.junit, options.markdown, options.json], inputs)
    if options.summary and not os.environ.get(SUMMARY):
        raise UsageError(
            f"expected the variable {SUMMARY} to name a file for --summary, got none: it is set "
            f"in a step of GitHub Actions; elsewhere use --markdown FILE"
        )
    if options.report_link is not None:
        from muscle_metrics.reports.markdown import check_link

        check_link(options.report_link)
    for name in ("report_link", "like"):
        # The verdict quotes neither.
        if getattr(options, name) is not None and not (options.markdown or options.summary):
            raise UsageError(
                f"expected Markdown that shows what {flag_of(name)} adds, got {flag_of(name)} "
                f"alone: add --markdown FILE or --summary"
            )


def _judge(
    options: argparse.Namespace, paths: list[str], policy: Policy, choices: dict[str, Any]
) -> _Judged:
    from muscle_metrics.comparison.baseline import match_baseline
    from muscle_metrics.comparison.compare import compare_runs
    from muscle_metrics.comparison.per_task import settle_scores
    from muscle_metrics.gate.check import check_gate

    if options.labels is not None:
        labelled = compare_by_labels(options, paths)
        return _Judged(check_gate(labelled, policy), labelled, policy.on_inconclusive)
    if options.engine in {"duckdb", "ray"}:
        doubt_order(paths)
        return _judge_counts(options, paths, policy, choices)
    # An engine keeps no prompts of the items that are listed.
    if not (options.sequential or (options.prompt_field and _listed(options, alike=True))):
        counted = count_if_large(
            options, paths, lambda: _judge_counts(options, paths, policy, choices, alike=True)
        )
        if counted is not None:
            return counted
    old, new = read_runs(options, paths, growing=options.sequential)
    doubt_order(paths, [old, new])
    (old, new), choices["metric"] = settle_scores([old, new], choices["metric"])
    old, new = match_baseline(
        old, new, metric=choices["metric"], key=choices["key"], growing=options.sequential
    )
    if not options.sequential:
        comparison = compare_runs(old, new, **choices)
        return _Judged(check_gate(comparison, policy), comparison, policy.on_inconclusive)
    from muscle_metrics.gate.sequential import check_growing

    look = check_growing(old, new, policy, seed=options.seed, **choices)
    # A run that still grows may yet decide: --on-inconclusive does not apply.
    undecided = policy.on_inconclusive if look.is_complete else "error"
    return _Judged(look.verdict, look.comparison, undecided)


def _judge_counts(
    options: argparse.Namespace,
    paths: list[str],
    policy: Policy,
    choices: dict[str, Any],
    *,
    alike: bool = False,
) -> _Judged:
    """Judge by the counts of an engine; `alike` refuses what memory would judge otherwise."""
    from muscle_metrics.gate.check import check_gate

    if options.sequential:
        raise UsageError(
            f"expected runs in memory for --sequential, got --engine {options.engine}: leave out "
            f"--engine"
        )
    wanted = {**choices, "minimum_effect": policy.minimum_effect}
    listed = _listed(options, alike=alike)
    counted = compare_on_engine(options, paths, wanted, flips=listed, as_in_memory=alike)
    return _Judged(check_gate(counted, policy), counted, policy.on_inconclusive)


def _listed(options: argparse.Namespace, *, alike: bool) -> int:
    """How many items the screen and the reports may list."""
    is_reported = not alike or any((options.junit, options.markdown, options.json, options.summary))
    return max(int(options.flips), int(options.examples) if is_reported else 0)


def _report_texts(options: argparse.Namespace, judged: _Judged) -> dict[str, str]:
    """Text of every report, by the output that an option names."""
    verdict, comparison, on_inconclusive = judged
    most = options.examples
    texts = {}
    # Import formats here: a gate that writes no file must not pay for them.
    if options.junit:
        from muscle_metrics.reports.junit import verdict_junit

        texts[options.junit] = verdict_junit(
            verdict, comparison, examples=most, on_inconclusive=on_inconclusive
        )
    if options.markdown:
        from muscle_metrics.reports.markdown import verdict_markdown

        texts[options.markdown] = verdict_markdown(
            verdict,
            comparison,
            examples=most,
            like=options.like,
            link=options.report_link,
        )
    if options.json:
        from muscle_metrics.reports.verdict_json import verdict_json

        texts[options.json] = verdict_json(verdict, comparison, examples=most)
    return texts


def _append_summary(options: argparse.Namespace, judged: _Judged) -> None:
    from muscle_metrics.reports.files import append_text
    from muscle_metrics.reports.markdown import SUMMARY_LIMIT, verdict_markdown

    path = Path(os.environ[SUMMARY])
    room = SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
    if room < LEAST_ROOM:
        # GitHub drops all of a summary that is too long. The verdict does not depend on it.
        warn(f"the summary is full, the verdict was not added ({room} bytes left)")
        return
    text = verdict_markdown(
        judged.verdict,
        judged.comparison,
        examples=options.examples,
        limit=room,
        like=options.like,
        link=options.report_link,
    )
    append_text(path, text)


def _print(options: argparse.Namespace, judged: _Judged, *, stderr: bool) -> None:
    from muscle_metrics.comparison.answer_forms import form_lines
    from muscle_metrics.reports.annotations import verdict_annotations
    from muscle_metrics.reports.flips import first_flips, flip_lines

    verdict = judged.verdict
    flips = first_flips(judged.comparison, options.flips, verdict.broken_pins)
    annotations = verdict_annotations(verdict) if options.annotations else []
    forms = [f"note: {line}" for line in form_lines(judged.comparison)]
    screen = open_screen(stderr=stderr) if flips.items else None
    width = screen.width if screen is not None and screen.is_terminal else WIDTH
    lines = flip_lines(flips, width=width)
    print_lines([str(verdict), *forms, *lines, *annotations], stderr=stderr)
