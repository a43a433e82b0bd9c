"""The workflows that judge a change against the last release: rights, pins, and each script."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent.parent
RECIPES = PROJECT / "examples" / "ci"
WORKFLOWS = sorted(RECIPES.glob("github*.yml"))
MARKER = "<!-- muscle-metrics gate -->"
OURS = "OWNER/muscle-metrics@COMMIT"
# gh without a network: notes what it is asked for, and lists one comment or none.
GH = """#!/bin/bash
printf '%q ' "$@" >> "$NOTES"; echo >> "$NOTES"
case "$*" in
  *--paginate*) printf '%s' "$FOUND";;
  "release download "*) [ -n "$RELEASED" ] && mkdir -p old && cp "$RELEASED" old/;;
esac
"""

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text("utf-8"))
    # YAML 1.1 reads the key `on` as a truth value.
    content["on"] = content.pop(True)
    return content


def steps_of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def named(workflow: dict[str, Any], name: str) -> dict[str, Any]:
    (step,) = [step for step in steps_of(workflow) if step.get("name") == name]
    return step


@every_workflow
def test_it_keeps_the_published_schema(path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.github-workflows", str(path)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


if shutil.which("actionlint"):

    @every_workflow
    def test_actionlint_finds_nothing(path: Path) -> None:
        done = subprocess.run(
            ["actionlint", str(path)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "")


@every_workflow
def test_code_of_a_change_gets_no_rights(path: Path) -> None:
    workflow = read(path)
    assert "pull_request_target" not in workflow["on"]
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        writes = "write" in job.get("permissions", {}).values()
        for step in job["steps"]:
            name = step.get("uses", "").partition("@")[0]
            # A job that may write checks nothing out, and installs nothing.
            assert not (writes and name not in ("", "actions/download-artifact"))
            if name == "actions/checkout":
                assert step["with"]["persist-credentials"] is False
            # Code of the change runs where nothing is judged and nothing can be written.
            if "./evaluate" in step.get("run", ""):
                assert job["permissions"] == {"contents": "read"}
                assert not [s for s in job["steps"] if OURS in s.get("uses", "")]
    assert "secrets." not in path.read_text("utf-8")


@every_workflow
def test_actions_are_pinned_and_no_text_is_part_of_a_command(path: Path) -> None:
    lines = [line for line in path.read_text("utf-8").splitlines() if " uses:" in line]
    for line in lines:
        assert re.search(
            r"uses: (actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|" + OURS + ")$", line
        )
    assert lines
    assert not [step for step in steps_of(read(path)) if "${{" in step.get("run", "")]


def test_the_action_is_given_inputs_that_it_has() -> None:
    declared = yaml.safe_load((PROJECT / "action.yml").read_text("utf-8"))
    (use,) = [
        step for step in steps_of(read(RECIPES / "github-release.yml")) if step.get("uses") == OURS
    ]
    required = {name for name, given in declared["inputs"].items() if given["required"]}
    assert required <= use["with"].keys() <= declared["inputs"].keys()
    text = (RECIPES / "github-release.yml").read_text("utf-8")
    assert {*re.findall(r"steps\.gate\.outputs\.([\w-]+)", text)} <= declared["outputs"].keys()
    # The policy is that of the branch that is merged into.
    (base,) = [
        step
        for step in steps_of(read(RECIPES / "github-release.yml"))
        if step.get("with", {}).get("path") == "base"
    ]
    assert base["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert use["with"]["policy"].startswith("base/")


@pytest.mark.parametrize("recipe", ["github.yml", "github-release.yml"])
def test_a_new_target_branch_asks_the_gate_again(recipe: str) -> None:
    """Checks belong to a commit: one by the policy of another branch would stay green."""
    assert "edited" in read(RECIPES / recipe)["on"]["pull_request"]["types"]


@pytest.mark.parametrize("result", ["success", "failure", "cancelled", "skipped"])
def test_the_gate_is_never_skipped(release, steps, result: str) -> None:
    """A required check that is skipped counts as passed."""
    job = release["jobs"]["gate"]
    assert job["if"] == "${{ always() }}"
    first = job["steps"][0]
    done = steps({"needs.evaluate.result": result}).run(first)
    assert (done.returncode == 0) is (result == "success")
    # No later step runs after one that failed, but for the upload of what a gate wrote.
    conditions = [step["if"] for step in job["steps"] if "if" in step]
    assert conditions == ["${{ !cancelled() && steps.gate.outputs.verdict }}"]


@pytest.fixture
def release() -> dict[str, Any]:
    return read(RECIPES / "github-release.yml")


CONTEXT = {"github.token": "t", "github.repository": "o/r"}


def test_the_baseline_is_that_of_the_last_release(release, machine, steps, monkeypatch) -> None:
    machine.install("gh", GH)
    step = named(release, "Fetch the run of the last release")
    monkeypatch.setenv("RELEASED", str(PROJECT / "examples" / "v1.jsonl"))
    done = steps(CONTEXT).run(step)
    assert done.returncode == 0, done.stderr
    assert machine.calls() == ["release download --pattern model-run.jsonl --dir old "]
    # Without one the job ends here, and says what to do.
    monkeypatch.setenv("RELEASED", "")
    done = steps(CONTEXT).run(step)
    assert done.returncode == 1
    assert done.stdout.startswith("::error::the last release carries no model-run.jsonl")
    assert read(RECIPES / "github-baseline.yml")["name"] in done.stdout


@pytest.mark.parametrize("recipe", ["github.yml", "github-release.yml"])
@pytest.mark.parametrize("found", ["", "42"])
@pytest.mark.parametrize("report", [f"{MARKER}\n## PASS\n", None, "# anything else\n"])
def test_a_comment_is_about_this_commit(
    machine, steps, monkeypatch, recipe: str, found: str, report: str | None
) -> None:
    """A green comment on an earlier commit must not stay where nothing was judged."""
    machine.install("gh", GH)
    monkeypatch.setenv("FOUND", found)
    if report is not None:
        (machine.work / "gate.md").write_text(report)
    workflow = read(RECIPES / recipe)
    download, step = workflow["jobs"]["comment"]["steps"]
    assert download["continue-on-error"] is True
    given = {
        **CONTEXT,
        "github.event.pull_request.number": "7",
        "github.event.pull_request.head.sha": "c0ffee",
    }
    done = steps(given).run(step)
    if report is not None and not report.startswith(MARKER):
        assert (done.returncode, machine.calls()) == (1, [])
        return
    assert done.returncode == 0, done.stderr
    *_, last = machine.calls()
    where = (
        "--method PATCH repos/o/r/issues/comments/42" if found else "repos/o/r/issues/7/comments"
    )
    assert last == f"api --silent {where} --field body=@gate.md "
    text = (machine.work / "gate.md").read_text("utf-8")
    assert text.startswith(report or f"{MARKER}\n## Nothing was judged")
    assert text.endswith("<sub>commit c0ffee</sub>\n")


def test_a_baseline_is_attached_on_purpose_and_replaces_none(machine, steps) -> None:
    machine.install("gh", GH)
    workflow = read(RECIPES / "github-baseline.yml")
    assert workflow["on"].keys() == {"release", "workflow_dispatch"}
    step = named(workflow, "Attach the run, and replace none")
    tag = "v1.0;touch pwned"
    asked = CONTEXT.copy()
    assert step["env"]["TAG"] == "${{ inputs.tag || github.event.release.tag_name }}"
    step = {**step, "env": {**step["env"], "TAG": tag}}
    (machine.work / "model-run.jsonl").touch()
    assert (steps(asked).run(step).returncode, machine.calls()) == (1, [])
    (machine.work / "model-run.jsonl").write_text("{}")
    assert steps(asked).run(step).returncode == 0
    # Without --clobber, gh refuses to replace an asset.
    assert machine.calls() == ["release upload v1.0\\;touch\\ pwned model-run.jsonl "]
