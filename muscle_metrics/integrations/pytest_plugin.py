"""A gate as a test: the fixture and the marker `model_gate`.

pytest loads this module at every start, so that nothing heavier than pytest is imported here.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.gate.policy import Policy
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.runs.record import Run

    Source = Run | str | PathLike[str]

__all__ = ["ModelGate", "model_gate", "pytest_configure"]

MARKER = (
    "model_gate(**limits): limits of the fixture model_gate, such as max_nfr='0.02'; or "
    "policy=, a Policy or a TOML file"
)
PROPERTY = "model_gate"
FLIPS_SHOWN = 10


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the summary of all gates in the process that reports."""
    config.addinivalue_line("markers", MARKER)
    # A worker of xdist sends its reports to the controller, which prints one summary.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Summary(), "muscle_metrics_summary")


@pytest.fixture
def model_gate(request: pytest.FixtureRequest) -> ModelGate:
    """Gate model updates in a test, by the limits of the marker `model_gate` if there is one.

    Examples
    --------
    >>> def test_the_update(model_gate):
    ...     model_gate.assert_compatible("old.jsonl", "new.jsonl", policy="gate.toml")
    """
    marker = request.node.get_closest_marker("model_gate")
    return ModelGate(request.node.user_properties, marker.kwargs if marker else {})


class ModelGate:
    """The object that the fixture `model_gate` gives to a test.

    Parameters
    ----------
    properties : list
        Properties of the test, which record the verdicts for the summary.
    limits : mapping
        Limits of a call that names no policy: fields of `Policy`, or a whole ``policy``.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)
    >>> print(ModelGate([], {"max_nfr": "0.05"}).assert_compatible(comparison).outcome)
    PASS
    """

    def __init__(self, properties: list[tuple[str, object]], limits: Mapping[str, Any]) -> None:
        self._properties = properties
        self._limits = limits

    def assert_compatible(
        self,
        old: Comparison | Source,
        new: Source | Policy | None = None,
        policy: Policy | str | PathLike[str] | None = None,
        **options: Any,
    ) -> Verdict:
        """Fail the test unless an update keeps the limits of a policy.

        Parameters
        ----------
        old : Comparison, Run, str or path
            A comparison, or the old run.
        new : Run, str or path, optional
            The new run; or the policy, if `old` is a comparison.
        policy : Policy, str or path, optional
            The policy, or a TOML file with one; by default the limits of the marker.
        **options
            Those of `compare_runs`.

        Returns
        -------
        Verdict
            PASS; or INCONCLUSIVE, if the policy accepts that.

        Raises
        ------
        AssertionError
            If the verdict is another; the message is the verdict and the first flips.
        UsageError
            If there is no policy, or it does not fit.
        """
        __tracebackhide__ = True
        from muscle_metrics.gate.policy import Policy
        from muscle_metrics.reports.flips import first_flips, flip_lines

        if isinstance(new, Policy):
            new, policy = None, new
        limits = _policy(policy, self._limits)
        verdict, comparison = _judge(old, new, limits, options)
        self._properties.append((PROPERTY, _headline(verdict)))
        accepted = ["PASS"] + ["INCONCLUSIVE"] * (limits.on_inconclusive == "pass")
        if verdict.outcome not in accepted:
            flips = first_flips(comparison, FLIPS_SHOWN, verdict.broken_pins)
            raise AssertionError("\n".join([str(verdict), *flip_lines(flips)]))
        return verdict


def _policy(given: Policy | str | PathLike[str] | None, limits: Mapping[str, Any]) -> Policy:
    from muscle_metrics.gate.policy import Policy, read_policy
    from muscle_metrics.gate.waivers import today_in_utc

    chosen: dict[str, Any] = {"policy": given} if given is not None else dict(limits)
    # pytest is a command that people start, so that waivers expire by its clock.
    chosen.setdefault("today", today_in_utc())
    whole = chosen.pop("policy", None)
    if whole is None:
        return Policy(**chosen)
    return whole if isinstance(whole, Policy) else read_policy(whole, **chosen)


def _judge(
    old: Comparison | Source, new: Source | None, policy: Policy, options: Mapping[str, Any]
) -> tuple[Verdict, Comparison | None]:
    from muscle_metrics.comparison.baseline import match_baseline
    from muscle_metrics.comparison.compare import compare_runs
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.errors import InputError, UsageError
    from muscle_metrics.gate.check import check_gate
    from muscle_metrics.gate.verdict import refuse

    if isinstance(old, Comparison):
        if new is not None or options:
            raise UsageError(
                "expected a comparison and a policy alone, got a second run or options too: give "
                "them to the comparison"
            )
        return check_gate(old, policy), old
    if new is None:
        raise UsageError("expected two runs or a comparison, got one run: pass OLD and NEW")
    if policy.answer is not None:
        options = {"answer": policy.answer, **options}
    try:
        before, now = match_baseline(
            _run(old),
            _run(new),
            metric=options.get("metric"),
            key=options.get("key"),
            answer=options.get("answer"),
        )
        comparison = compare_runs(before, now, **options)
        return check_gate(comparison, policy), comparison
    except InputError as error:
        names = (_name(old), _name(new))
        return refuse(error, names=names, confidence=policy.look_confidence), None


def _run(source: Source) -> Run:
    from muscle_metrics.runs.read import read_run
    from muscle_metrics.runs.record import Run

    return source if isinstance(source, Run) else read_run(source, name=_name(source))


def _name(source: Source) -> str:
    return str(source) if isinstance(source, str | PathLike) else source.name


def _headline(verdict: Verdict) -> str:
    """One line: the verdict, and the first check that decided it."""
    from muscle_metrics.gate.verdict import hide_verdict_secrets
    from muscle_metrics.words.escape import shorten, terminal

    verdict = hide_verdict_secrets(verdict)
    decisive = [str(check) for check in verdict.checks if check.outcome == verdict.outcome]
    parts = [
        verdict.headline,
        *verdict.reasons[:1],
        *decisive[:1],
    ]
    return terminal(shorten("; ".join(parts), 400))


class _Summary:
    """One line per gate at the end of the run, in the order of the tests' names."""

    def __init__(self) -> None:
        self._gates: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # The report of the last phase holds the properties of all phases.
        if report.when == "teardown":
            gates = [str(value) for name, value in report.user_properties if name == PROPERTY]
            self._gates |= {report.nodeid: gates} if gates else {}

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._gates:
            terminalreporter.section("model gates")
        for test in sorted(self._gates):
            for line in self._gates[test]:
                terminalreporter.write_line(f"{test}: {line}")
