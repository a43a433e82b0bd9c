"""The recipes for CI: what each promises is in the file, and its commands do what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent
RECIPES = PROJECT / "examples" / "ci"
MARKER = "<!-- muscle-metrics gate -->"


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does: bash that stops at the first failure."""
    path = (
        f"{folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("recipe", "schema", "more"),
    [
        ("github.yml", "vendor.github-workflows", []),
        ("gitlab-ci.yml", "vendor.gitlab-ci", ["--data-transform", "gitlab-ci"]),
    ],
)
def test_recipes_keep_the_published_schema(
    recipe: str, schema: str, more: list[str], tmp_path: Path
) -> None:
    """Schemas that come with check-jsonschema, so that nothing is fetched."""
    pytest.importorskip("check_jsonschema")

    def check(path: Path) -> int:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more]
        return subprocess.run([*command, str(path)], capture_output=True, check=False).returncode

    text = (RECIPES / recipe).read_text("utf-8")
    assert check(RECIPES / recipe) == 0
    broken = tmp_path / recipe
    broken.write_text(text.replace("runs-on:", "run-on:").replace("  script:", "  scripts:"))
    assert check(broken) == 1


class TestGitHub:
    @pytest.fixture
    def workflow(self) -> dict[str, Any]:
        content = yaml.safe_load((RECIPES / "github.yml").read_text("utf-8"))
        # YAML 1.1 reads the key `on` as a truth value.
        content["on"] = content.pop(True)
        return content

    def test_untrusted_code_gets_no_rights(self, workflow: dict[str, Any]) -> None:
        # A change of the target branch, which changes the policy, is an edit.
        kinds = ["opened", "synchronize", "reopened", "edited"]
        assert workflow["on"] == {"pull_request": {"types": kinds}}
        assert workflow["permissions"] == {"contents": "read"}
        assert "permissions" not in workflow["jobs"]["gate"]
        assert workflow["jobs"]["comment"]["permissions"] == {"pull-requests": "write"}
        # The job with rights checks nothing out and installs nothing.
        used = [step.get("uses", "") for step in workflow["jobs"]["comment"]["steps"]]
        assert [name.partition("@")[0] for name in used] == ["actions/download-artifact", ""]

    def test_actions_are_pinned(self, workflow: dict[str, Any]) -> None:
        text = (RECIPES / "github.yml").read_text("utf-8")
        lines = [line for line in text.splitlines() if "uses:" in line]
        assert len(lines) == 5
        for line in lines:
            assert re.search(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                if "checkout" in step.get("uses", ""):
                    assert step["with"]["persist-credentials"] is False

    def test_no_text_of_a_pull_request_is_part_of_a_command(self, workflow: dict[str, Any]) -> None:
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        assert not [step for step in steps if "${{" in step.get("run", "")]

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Path:
        """The folder of a job after its two checkouts."""
        for name in ("base", "head"):
            shutil.copytree(PROJECT / "examples", tmp_path / name / "examples")
        return tmp_path

    @pytest.mark.parametrize(
        ("update", "limit", "code"),
        [("compatible", "0.075", 0), ("v2", "0.075", 1), ("v2", "0.11", 3)],
    )
    def test_its_gate(self, workflow, workspace: Path, update: str, limit: str, code: int) -> None:
        runs = workspace / "head" / "examples"
        (runs / f"{update}.jsonl").replace(runs / "v2.jsonl")
        policy = workspace / "base" / "examples" / "ci" / "gate.toml"
        policy.write_text(re.sub(r'max_nfr = "[^"]*"', f'max_nfr = "{limit}"', policy.read_text()))
        # What the pull request says about limits is not asked.
        (workspace / "head" / "examples" / "ci" / "gate.toml").write_text('max_nfr = "0.99"')
        (step,) = [
            s for s in workflow["jobs"]["gate"]["steps"] if s.get("name") == "Judge the update"
        ]
        done = shell(step["run"], workspace, GITHUB_STEP_SUMMARY=str(workspace / "summary.md"))
        assert (done.returncode, done.stderr) == (code, "")
        verdict = json.loads((workspace / "gate.json").read_text())
        outcome = verdict["outcome"]
        assert outcome == {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE"}[code]
        assert f"## {outcome}" in (workspace / "summary.md").read_text()
        assert ElementTree.parse(workspace / "gate.xml").getroot().tag == "testsuites"
        annotations = [line for line in done.stdout.splitlines() if line.startswith("::")]
        open_checks = [check for check in verdict["checks"] if check["outcome"] != "PASS"]
        assert len(annotations) == 1 + len(open_checks)
        uploaded = [
            s["with"]["path"]
            for s in workflow["jobs"]["gate"]["steps"]
            if "upload" in s.get("uses", "")
        ]
        assert uploaded == ["gate.*"]

    @pytest.mark.parametrize("found", ["", "42"])
    def test_its_comment(self, workflow, workspace: Path, found: str) -> None:
        """With a stand-in for gh that notes what it is asked for."""
        (workspace / "gate.md").write_text(f"{MARKER}\n## PASS\n")
        gh = workspace / "bin" / "gh"
        gh.parent.mkdir()
        gh.write_text(
            '#!/bin/sh\nprintf "%s\\n" "$*" >> calls\n'
            f'case "$*" in *--paginate*) printf "%s" "{found}";; esac\n'
        )
        gh.chmod(gh.stat().st_mode | stat.S_IEXEC)
        step = workflow["jobs"]["comment"]["steps"][1]
        done = shell(
            step["run"],
            workspace,
            COMMENTS="repos/o/r/issues/7/comments",
            COMMENT="repos/o/r/issues/comments",
        )
        assert done.returncode == 0, done.stderr
        *asked, last = (workspace / "calls").read_text().splitlines()
        assert asked[0].startswith("api --paginate repos/o/r/issues/7/comments --jq .[] | select(")
        assert last == (
            "api --silent --method PATCH repos/o/r/issues/comments/42 --field body=@gate.md"
            if found
            else "api --silent repos/o/r/issues/7/comments --field body=@gate.md"
        )

    def test_its_comment_is_a_report_or_nothing(self, workflow, workspace: Path) -> None:
        (workspace / "gate.md").write_text("# anything else\n")
        step = workflow["jobs"]["comment"]["steps"][1]
        assert shell(step["run"], workspace, COMMENTS="x", COMMENT="x").returncode == 1


@pytest.mark.parametrize(("limit", "merged"), [("0.15", True), ("0.05", False), ("0.11", False)])
def test_the_hook_stops_a_merge_that_breaks_too_much(
    tmp_path: Path, limit: str, merged: bool
) -> None:
    script = f"""
        git init --quiet --initial-branch main .
        git config user.name tester && git config user.email tester@example.org
        cp {RECIPES}/pre-merge-commit .git/hooks/ && mkdir runs
        cp {PROJECT}/examples/v1.jsonl runs/model.jsonl
        echo 'max_nfr = "{limit}"' > gate.toml
        git add . && git commit --quiet --message old
        git switch --quiet --create update
        cp {PROJECT}/examples/v2.jsonl runs/model.jsonl
        # An update cannot loosen the limits it is judged by.
        echo 'max_nfr = "0.99"' > gate.toml
        git commit --quiet --all --message new
        git switch --quiet main
        git merge --quiet --no-ff --no-edit update
    """
    done = shell(script, tmp_path, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
    assert (done.returncode == 0) is merged, done.stderr
    printed = done.stdout + done.stderr
    assert f"limit {float(limit):.0%}" in printed
    log = shell("git log --merges --oneline", tmp_path).stdout
    assert bool(log) is merged
