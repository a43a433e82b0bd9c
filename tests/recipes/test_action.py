"""The composite action: its steps run, whatever its inputs hold."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent.parent
EXAMPLES = PROJECT / "examples"
POLICY = EXAMPLES / "ci" / "gate.toml"
HOSTILE = [
    "two words",
    'o\'clock "quoted"',
    "$(touch pwned)",
    "`touch pwned`; touch pwned #",
    "a && touch pwned || touch pwned",
    "new\nline\ntouch pwned",
    "${{ github.token }}",
    "--on-inconclusive=pass",
    "*",
    "~",
    "حسنًا 模型",
    "-",
]


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    return yaml.safe_load((PROJECT / "action.yml").read_text("utf-8"))


@pytest.fixture
def use(action, machine, steps):
    """Use the action with some inputs, as a workflow does; its exit code and outputs."""

    def call(**inputs: str) -> tuple[int, dict[str, str], str]:
        defaults = {name: given.get("default", "") for name, given in action["inputs"].items()}
        unknown = inputs.keys() - defaults.keys()
        assert not unknown
        given = {f"inputs.{name}": text for name, text in {**defaults, **inputs}.items()}
        outputs = {
            text.removeprefix("${{ ").removesuffix(" }}"): ""
            for text in (output["value"] for output in action["outputs"].values())
        }
        runner = steps({**outputs, **given, "github.action_path": str(PROJECT)})
        for step in action["runs"]["steps"]:
            assert step["shell"] == "bash"
            done = runner.run(step)
            if done.returncode:
                break
        values = {name: runner.value(output["value"]) for name, output in action["outputs"].items()}
        return done.returncode, values, done.stdout + done.stderr

    return call


def test_it_keeps_the_published_schema(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")

    def check(path: Path) -> int:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
        return subprocess.run(
            [*command, "vendor.github-actions", str(path)], capture_output=True, check=False
        ).returncode

    assert check(PROJECT / "action.yml") == 0
    broken = tmp_path / "action.yml"
    broken.write_text((PROJECT / "action.yml").read_text("utf-8").replace("shell: bash", "sh: x"))
    assert check(broken) == 1


@pytest.mark.parametrize(
    ("new", "policy", "code", "verdict"),
    [
        ("compatible", 'max_nfr = "0.075"', 0, "PASS"),
        ("v2", 'max_nfr = "0.075"', 1, "FAIL"),
        ("v2", 'max_nfr = "0.11"\non_inconclusive = "pass"', 0, "INCONCLUSIVE"),
    ],
)
def test_its_exit_code_and_outputs_are_the_verdict(
    use, machine, new: str, policy: str, code: int, verdict: str
) -> None:
    (machine.work / "gate.toml").write_text(policy)
    left, outputs, printed = use(
        old=str(EXAMPLES / "v1.jsonl"), new=str(EXAMPLES / f"{new}.jsonl"), policy="gate.toml"
    )
    assert (left, outputs["exit-code"], outputs["verdict"]) == (code, str(code), verdict)
    assert f"title=muscle-metrics gate::{verdict}: " in printed
    assert f"## {verdict}" in (machine.home / "summary.md").read_text("utf-8")
    reports = Path(outputs["reports"])
    assert sorted(path.name for path in reports.iterdir()) == ["gate.json", "gate.md", "gate.xml"]
    assert json.loads((reports / "gate.json").read_text("utf-8"))["outcome"] == verdict


@pytest.mark.parametrize("text", HOSTILE)
def test_an_input_is_one_argument(use, machine, text: str) -> None:
    """Nothing in it is a command, a pattern, a variable or an option."""
    machine.only_notes = True
    use(old=text, new=f"{text}/{text}", policy=text, options=f"\n--slice-field\n{text}\n\n")
    first, second, *rest = machine.arguments()
    assert (first, second) == ("gate", "--slice-field")
    # Lines of the options are arguments, so that an option may hold anything but a line end.
    lines = text.split("\n")
    assert rest[: len(lines)] == lines
    policy, *reports, summary, annotations, end, old, new = rest[len(lines) :]
    assert policy == f"--policy={text}"
    assert [report.partition("=")[0] for report in reports] == ["--junit", "--markdown", "--json"]
    assert (summary, annotations, end) == ("--summary", "--annotations", "--")
    assert (old, new) == (text, f"{text}/{text}")
    assert not [*machine.home.rglob("pwned")]


def test_hostile_names_are_judged(use, machine) -> None:
    name = "-$(touch pwned) 'o\"clock'\n模型; touch pwned"
    given = {"old": EXAMPLES / "v1.jsonl", "new": EXAMPLES / "v2.jsonl", "policy": POLICY}
    for kind, source in given.items():
        shutil.copy(source, machine.work / f"{name}.{kind}")
    names = {kind: f"{name}.{kind}" for kind in given}
    code, outputs, printed = use(**names, options="--slice-field\ntopic")
    assert (code, outputs["verdict"]) == (1, "FAIL"), printed
    assert not [*machine.home.rglob("pwned")]


def test_options_cannot_replace_the_policy(use, machine) -> None:
    (machine.work / "gate.toml").write_text("max_nfr = 0.01")
    (machine.work / "loose.toml").write_text("max_nfr = 0.9")
    code, outputs, _ = use(
        old=str(EXAMPLES / "v1.jsonl"),
        new=str(EXAMPLES / "v2.jsonl"),
        policy="gate.toml",
        options="--policy=loose.toml",
    )
    assert (code, outputs["verdict"]) == (1, "FAIL")


@pytest.mark.parametrize(
    ("missing", "absent", "code", "verdict"),
    [("old", "nowhere.jsonl", 4, "INVALID"), ("new", "", 4, "INVALID"), ("policy", "", 2, "")],
)
def test_what_is_absent_is_never_green(
    use, missing: str, absent: str, code: int, verdict: str
) -> None:
    given = {
        "old": str(EXAMPLES / "v1.jsonl"),
        "new": str(EXAMPLES / "compatible.jsonl"),
        "policy": str(POLICY),
    }
    left, outputs, printed = use(**{**given, missing: absent}, options="--slice-field\ntopic")
    assert (left, outputs["exit-code"], outputs["verdict"]) == (code, str(code), verdict), printed
    # Without a verdict there is no report, also none of an earlier run.
    assert bool([*Path(outputs["reports"]).iterdir()]) is bool(verdict)


@pytest.mark.parametrize("extras", ["", "parquet,scale", "scale] evil @ https://x; touch pwned"])
def test_it_installs_its_own_commit(use, machine, extras: str) -> None:
    """Dependencies by their hashes, then the package from the folder of the action."""
    machine.only_notes = True
    use(old="old.jsonl", new="new.jsonl", policy="gate.toml", extras=extras)
    locked, package = machine.calls()
    assert locked == (
        f"install --quiet --require-hashes --requirement {PROJECT}/.ci/requirements/core.txt "
    )
    if extras:
        quoted = machine.shell('printf "%q" "$X"', {"X": f"{PROJECT}[{extras}]"}).stdout
        assert package == f"install --quiet {quoted} "
    else:
        assert package == f"install --quiet --no-deps {PROJECT} "
    assert not [*machine.home.rglob("pwned")]


def test_a_failed_installation_stops_it(use, machine) -> None:
    machine.install("python3", "#!/bin/sh\nexit 7\n")
    code, outputs, _ = use(old="a", new="b", policy="c")
    assert (code, set(outputs.values())) == (7, {""})
