"""The plugin in a project of its own: one process, two workers, and a project that is strict."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from muscle_metrics import Policy, Record, Run, UsageError, compare
from muscle_metrics.integrations import pytest_plugin
from muscle_metrics.integrations.pytest_plugin import ModelGate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest_plugins = "pytester"

TESTS = """
    import pytest
    from muscle_metrics import Policy, Record, Run, compare

    def run(name, broken=0):
        answers = ["B" if i < broken else "A" for i in range(300)]
        return Run(tuple(Record(f"q{i}", answer, "A") for i, answer in enumerate(answers)), name)

    @pytest.mark.model_gate(max_nfr="0.02")
    def test_passes(model_gate):
        assert model_gate.assert_compatible(run("v1"), run("v2")).outcome == "PASS"

    @pytest.mark.model_gate(max_nfr="0.02")
    def test_fails(model_gate):
        model_gate.assert_compatible(run("v1"), run("v3", broken=30))

    @pytest.mark.model_gate(max_nfr="0.02")
    def test_cannot_tell(model_gate):
        model_gate.assert_compatible(run("v1"), run("v4", broken=3))

    @pytest.mark.model_gate(max_nfr="0.02", on_inconclusive="pass")
    def test_need_not_tell(model_gate):
        model_gate.assert_compatible(run("v1"), run("v5", broken=3))

    def test_is_told_a_comparison_and_a_policy(model_gate):
        comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)
        model_gate.assert_compatible(comparison, Policy(max_nfr="0.05"))
        model_gate.assert_compatible(comparison, policy=Policy(max_nfr="0.1"))

    def test_cannot_compare(model_gate):
        model_gate.assert_compatible("none.jsonl", run("v2"), policy=Policy(max_nfr="0.05"))
"""
OUTCOMES = {"passed": 3, "failed": 3}
SUMMARY = [
    "*model gates*",
    "*::test_cannot_compare: INVALID: none.jsonl -> v2; none.jsonl: expected a file*",
    "*::test_cannot_tell: INCONCLUSIVE: v1 -> v4; *; INCONCLUSIVE negative flip rate 1.00%*",
    "*::test_fails: FAIL: v1 -> v3; FAIL negative flip rate 10.00%*limit 2%: 30 of 300 items*",
    "*::test_is_told*: PASS: old -> new; *; PASS negative flip rate*limit 5%*",
    "*::test_is_told*: PASS: old -> new; *; PASS negative flip rate*limit 10%*",
    "*::test_need_not_tell: INCONCLUSIVE: v1 -> v5*",
    "*::test_passes: PASS: v1 -> v2; *; PASS negative flip rate 0.00%*",
]


@pytest.fixture
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Run pytest in a project with these tests, with this plugin and no others."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(source: str, *flags: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        plugin = ("-p", pytest_plugin.__name__, "-p", "no:cacheprovider")
        strict = ("-W", "error", "--strict-markers", "--strict-config")
        return pytester.runpytest_subprocess(*plugin, *strict, *flags)

    return run


def test_two_workers_give_one_summary(project) -> None:
    result = project(TESTS, "-p", "xdist.plugin", "-n", "2")
    result.assert_outcomes(**OUTCOMES)
    result.stdout.fnmatch_lines(SUMMARY, consecutive=True)
    assert result.stdout.str().count("model gates") == 1


def test_one_process_gives_the_same(project, pytester: pytest.Pytester) -> None:
    result = project(TESTS, "--junit-xml", "report.xml")
    result.assert_outcomes(**OUTCOMES)
    result.stdout.fnmatch_lines(SUMMARY, consecutive=True)
    # The failure shows the verdict and the broken items; the trace ends in the test itself.
    result.stdout.fnmatch_lines(
        [
            "E*AssertionError: FAIL: v1 -> v3",
            "E*FAIL negative flip rate 10.00% (Clopper-Pearson bounds *limit 2%: 30 of 300 items",
            "E*negative flips: the first 10 of 30",
            "E*  q0",
            "E*    old        A",
            "E*    new        B",
        ]
    )
    assert "pytest_plugin.py" not in result.stdout.str()
    report = ElementTree.fromstring((pytester.path / "report.xml").read_text("utf-8"))
    recorded = [part.get("value") for part in report.iter("property")]
    assert len(recorded) == 7
    assert recorded[1].startswith("FAIL: v1 -> v3; FAIL negative flip rate")


def test_no_gate_no_summary(project) -> None:
    result = project("def test_nothing(): pass")
    result.assert_outcomes(passed=1)
    assert "model gates" not in result.stdout.str()


def test_hostile_names_and_answers_stay_text(project, hostile: list[str]) -> None:
    result = project(
        f"""
        from muscle_metrics import Policy, Record, Run
        HOSTILE = {hostile!a}
        def run(answer):
            rows = enumerate(HOSTILE)
            records = (Record(f"{{i}}{{t}}", answer or t, "A", slice=t) for i, t in rows)
            return Run(tuple(records), "".join(HOSTILE))
        def test_hostile(model_gate):
            model_gate.assert_compatible(run("A"), run(None), policy=Policy(max_nfr="0.5"))
        """,
        "--tb=line",
    )
    result.assert_outcomes(failed=1)
    shown = result.stdout.str()
    assert "\x1b" not in shown
    assert "##[" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())


@pytest.fixture
def same():
    return compare(old=["A"] * 300, new=["A"] * 300, references=["A"] * 300)


def test_there_is_no_gate_without_a_limit(same) -> None:
    with pytest.raises(UsageError, match="expected max_nfr"):
        ModelGate([], {}).assert_compatible(same)


@pytest.mark.parametrize("arguments", [(), ("v2.jsonl",)])
def test_a_comparison_takes_no_options_and_no_second_run(same, arguments) -> None:
    gate = ModelGate([], {"max_nfr": "0.02"})
    with pytest.raises(UsageError, match="a policy alone"):
        gate.assert_compatible(same, *arguments, key=str)
    with pytest.raises(UsageError, match="pass OLD and NEW"):
        gate.assert_compatible("v1.jsonl")


def test_policies_may_be_files(same, tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text("max_nfr = 0.02")
    called = ModelGate([], {}).assert_compatible(same, policy=path)
    assert len(called.checks) == 1
    marked = ModelGate([], {"policy": path, "max_accuracy_loss": "0.1"}).assert_compatible(same)
    assert len(marked.checks) == 2
    # Arguments of the call replace those of the marker.
    replaced = ModelGate([], {"policy": path, "max_accuracy_loss": "0.1"})
    assert len(replaced.assert_compatible(same, Policy(max_nfr="0.5")).checks) == 1
    with pytest.raises(UsageError, match=r"none\.toml"):
        ModelGate([], {}).assert_compatible(same, policy="none.toml")


def test_waivers_expire_by_the_day_of_the_test(tmp_path: Path) -> None:
    references = ["A"] * 300
    broken = compare(
        old=references, new=[*references[:7], "B", *references[8:]], references=references
    )
    path = tmp_path / "gate.toml"
    for day, is_over in (("9999-12-31", False), ("2020-01-01", True)):
        known = f'[[waivers]]\nid = "7"\nowner = "Ada"\nreason = "known"\nexpires = {day}\n'
        path.write_text(f'max_nfr = 0.05\npinned = ["7"]\n{known}', encoding="utf-8")
        gate = ModelGate([], {})
        if is_over:
            with pytest.raises(AssertionError, match="waivers expired: 1"):
                gate.assert_compatible(broken, policy=path)
        else:
            assert gate.assert_compatible(broken, policy=path).outcome == "PASS"


def test_files_and_options_reach_the_comparison(tmp_path: Path) -> None:
    for name, answer in (("v1", "a"), ("v2", "A")):
        row = f'{{"id": %d, "prediction": "{answer}", "reference": "A"}}\n'
        (tmp_path / name).write_text("".join(row % i for i in range(99)))
    properties: list[tuple[str, object]] = []
    verdict = ModelGate(properties, {"max_nfr": "0.05"}).assert_compatible(
        str(tmp_path / "v1"), tmp_path / "v2", key=str.lower
    )
    assert verdict.names == (str(tmp_path / "v1"), str(tmp_path / "v2"))
    assert "key builtins:str.lower" in verdict.signature
    assert [name for name, _ in properties] == ["model_gate"]


def test_a_baseline_that_was_judged_otherwise_is_invalid() -> None:
    from muscle_metrics.comparison.baseline import make_baseline

    run = Run(tuple(Record(f"q{i}", "A", "A") for i in range(99)), "v1")
    gate = ModelGate([], {"max_nfr": "0.05"})
    assert gate.assert_compatible(make_baseline(run), run).outcome == "PASS"
    with pytest.raises(AssertionError, match="judging differs"):
        gate.assert_compatible(make_baseline(run, key=str.lower), run)


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = f"import pytest, sys; import {pytest_plugin.__name__}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert pytest_plugin.__name__ in loaded
    assert not {"numpy", "scipy", "pandas", "rich", "muscle_metrics.gate.verdict"} & {*loaded}
