"""How a release comes about: rights and pins of the workflows, locked requirements, their audit."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent
WORKFLOWS = {
    path.name: path.read_text("utf-8") for path in (PROJECT / ".github" / "workflows").glob("*.yml")
}
LOCKS = ["core", "dev", "release", "test"]
# The only rights to write that a job has, and none of these jobs runs code of this project.
WRITERS = {
    ("release.yml", "attest"): {"attestations": "write", "id-token": "write"},
    ("release.yml", "publish"): {"id-token": "write"},
    ("release.yml", "attach"): {"contents": "write"},
}
TAKEN_FROM_OTHERS = {"actions/download-artifact", "actions/attest", "pypa/gh-action-pypi-publish"}

every_workflow = pytest.mark.parametrize("name", WORKFLOWS)


def jobs(name: str) -> dict[str, Any]:
    return yaml.safe_load(WORKFLOWS[name])["jobs"]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]


class TestWorkflows:
    def test_there_are_two(self) -> None:
        assert {*WORKFLOWS} == {"ci.yml", "release.yml"}

    def test_schema(self) -> None:
        """The published one, which comes with check-jsonschema."""
        pytest.importorskip("check_jsonschema")
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
        paths = [PROJECT / ".github" / "workflows" / name for name in WORKFLOWS]
        subprocess.run(
            [*command, "vendor.github-workflows", *paths], check=True, capture_output=True
        )

    @every_workflow
    def test_actions_are_pinned_to_commits(self, name: str) -> None:
        used = re.findall(r"^.*uses:.*$", WORKFLOWS[name], re.MULTILINE)
        assert used
        for line in used:
            assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line

    def test_an_action_has_one_version(self) -> None:
        pins = re.findall(r"uses: (\S+)@(\S+ # \S+)", "\n".join(WORKFLOWS.values()))
        assert len({action for action, _ in pins}) == len({*pins})

    @every_workflow
    def test_rights(self, name: str) -> None:
        content = yaml.safe_load(WORKFLOWS[name])
        assert content["permissions"] == {}
        for job, steps in content["jobs"].items():
            assert steps["permissions"] == WRITERS.get((name, job), {"contents": "read"}), job

    @every_workflow
    def test_no_event_runs_foreign_code_with_rights_of_this_project(self, name: str) -> None:
        # YAML 1.1 reads the key `on` as a truth value.
        events = {*yaml.safe_load(WORKFLOWS[name])[True]}
        assert events <= {"pull_request", "push"}
        assert not re.search(r"\bsecrets\b", WORKFLOWS[name])

    @every_workflow
    def test_checkouts_keep_no_token(self, name: str) -> None:
        for job in jobs(name).values():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"] == {"persist-credentials": False}

    @every_workflow
    def test_no_expression_is_part_of_a_command(self, name: str) -> None:
        commands = [step.get("run", "") for job in jobs(name).values() for step in job["steps"]]
        assert not [command for command in commands if "${{" in command]

    @pytest.mark.parametrize(("name", "job"), WRITERS)
    def test_a_job_that_may_write_runs_no_code_of_this_project(self, name: str, job: str) -> None:
        steps = jobs(name)[job]["steps"]
        assert {s["uses"].partition("@")[0] for s in steps if "uses" in s} <= TAKEN_FROM_OTHERS
        assert all(s["run"].startswith("gh release create ") for s in steps if "run" in s)

    def test_a_release_is_built_tested_attested_and_then_published(self) -> None:
        assert yaml.safe_load(WORKFLOWS["release.yml"])[True] == {"push": {"tags": ["v*"]}}
        order = {name: job.get("needs") for name, job in jobs("release.yml").items()}
        assert order == {
            "build": None, "test": "build", "attest": "test", "publish": "attest",
            "attach": "publish",
        }  # fmt: skip
        text = WORKFLOWS["release.yml"]
        assert ".ci/build dist" in text
        assert "sbom-path: muscle-metrics.cdx.json" in text

    @every_workflow
    def test_what_a_workflow_installs_is_locked(self, name: str) -> None:
        """But torch, whose hashes differ from index to index, and this project itself."""
        installed = re.findall(r"pip install (.*)$", WORKFLOWS[name], re.MULTILINE)
        assert installed
        for given in installed:
            assert re.fullmatch(
                r"(--no-deps )?--require-hashes --requirement \.ci/requirements/\w+\.txt"
                r"|--no-deps (--editable )?\.|--no-deps dist/\*\.whl"
                r"|--requirement \.ci/requirements/torch\.txt --index-url https://\S+",
                given,
            ), given

    def test_a_python_that_is_not_promised_may_fail(self, project: dict[str, Any]) -> None:
        promised = {c.rpartition(" ")[2] for c in project["classifiers"] if ":: 3." in c}
        test = jobs("ci.yml")["test"]
        assert {*test["strategy"]["matrix"]["python"]} == {*promised, "3.14"}
        assert test["continue-on-error"] == "${{ matrix.python == '3.14' }}"
        for job in (jobs("release.yml")["test"], jobs("ci.yml")["lowest"]):
            assert {*job["strategy"]["matrix"]["python"]} == promised


def locked(name: str) -> dict[str, list[Requirement]]:
    """The pins of a lock by name; two where Python versions differ."""
    text = (PROJECT / ".ci" / "requirements" / f"{name}.txt").read_text("utf-8")
    pins: dict[str, list[Requirement]] = {}
    for line in text.replace(" \\\n", "\n").splitlines():
        if line and not line.startswith(("#", " ")):
            pin = Requirement(line)
            pins.setdefault(pin.name, []).append(pin)
    return pins


def flat(requirements: list[str], extras: dict[str, list[str]]) -> list[Requirement]:
    """Requirements with those of this project's own extras in their place."""
    found = []
    for text in requirements:
        requirement = Requirement(text)
        if requirement.name == "muscle-metrics":
            for extra in requirement.extras:
                found += flat(extras[extra], extras)
        else:
            found.append(requirement)
    return found


class TestLocks:
    @pytest.mark.parametrize("name", LOCKS)
    def test_every_line_is_a_pin_with_hashes(self, name: str) -> None:
        text = (PROJECT / ".ci" / "requirements" / f"{name}.txt").read_text("utf-8")
        assert text.startswith("# Written by .ci/lock.")
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        pin = r"[a-z0-9-]+(\[[a-z,-]+\])?==[\w.]+( ; [^\\]+)? \\"
        for line in lines:
            assert re.fullmatch(rf"{pin}|    --hash=sha256:[0-9a-f]{{64}}( \\)?", line), line
        for line, after in zip(lines, [*lines[1:], ""], strict=True):
            assert line.endswith("\\") == after.startswith("    --hash"), line

    @pytest.mark.parametrize("name", LOCKS)
    def test_it_fits_what_is_asked_for(self, name: str, project: dict[str, Any]) -> None:
        extras = project["optional-dependencies"]
        asked = {
            "core": project["dependencies"],
            "dev": [*project["dependencies"], *extras["dev"]],
            "release": inputs("release"),
            "test": [*project["dependencies"], *inputs("test")],
        }[name]
        pins = locked(name)
        for requirement in flat(asked, extras):
            if requirement.name == "torch":
                continue
            assert requirement.name.lower() in pins, f"{requirement}: run .ci/lock"
            for pin in pins[requirement.name.lower()]:
                (version,) = (specifier.version for specifier in pin.specifier)
                assert requirement.specifier.contains(version), requirement

    def test_torch_has_one_version(self, project: dict[str, Any]) -> None:
        (pin,) = locked("torch")["torch"]
        assert str(pin) in project["optional-dependencies"]["dev"]


def inputs(name: str) -> list[str]:
    text = (PROJECT / ".ci" / "requirements" / f"{name}.in").read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("package", "fixed"),
    [
        # CVE-2025-69223 and others: small bodies that unfold to fill the memory.
        ("aiohttp", "3.13.3"),
        # CVE-2025-27516, CVE-2024-56326, CVE-2024-56201: code out of the template sandbox.
        ("jinja2", "3.1.6"),
        # CVE-2026-25087: use after free in Arrow IPC files.
        ("pyarrow", "23.0.1"),
        # CVE-2026-27482: the dashboard's DELETE requests.
        ("ray", "2.54"),
        # CVE-2025-32434, CVE-2026-24747: code run by torch.load(weights_only=True).
        ("torch", "2.10"),
        # CVE-2026-1839, CVE-2026-4372: code run by a checkpoint or by config.json of a model.
        ("transformers", "5.3"),
    ],
)
def test_a_floor_is_above_known_advisories(
    package: str, fixed: str, project: dict[str, Any]
) -> None:
    extras = project["optional-dependencies"]
    floors = [
        Version(specifier.version)
        for requirement in flat([name for extra in extras.values() for name in extra], extras)
        if requirement.name == package
        for specifier in requirement.specifier
    ]
    assert floors
    assert min(floors) >= Version(fixed)


CLEAN = {"name": "rich", "version": "15.0.0", "vulns": []}
SKIPPED = {"name": "numpy", "skip_reason": "Dependency not found on PyPI"}
FLAWED = {
    "name": "scipy",
    "version": "1.17.1",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.17.2"]}],
}


class TestAudit:
    """The audit of the locks, with a stand-in for pip-audit that prints one answer."""

    def audit(self, folder: Path, answer: str, *options: str) -> subprocess.CompletedProcess[str]:
        program = folder / "pip-audit"
        program.write_text(f"#!/bin/sh\ncat << 'END'\n{answer}\nEND\necho 'no route' >&2\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
        return subprocess.run(
            [sys.executable, PROJECT / ".ci" / "audit", *options, ".ci/requirements/core.txt"],
            env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )

    @pytest.mark.parametrize(
        ("packages", "code", "strictly", "says"),
        [
            ([CLEAN], 0, 0, ""),
            ([CLEAN, SKIPPED], 0, 1, "warning: 1 locked packages were not audited"),
            ([CLEAN, SKIPPED, FLAWED], 1, 1, "scipy 1.17.1: PYSEC-2026-1, fixed in 1.17.2"),
            # Nothing audited is not all well.
            ([], 0, 1, "core.txt: names no package"),
        ],
    )
    def test_outcomes(
        self, tmp_path: Path, packages: list[Any], code: int, strictly: int, says: str
    ) -> None:
        answer = json.dumps({"dependencies": packages})
        done = self.audit(tmp_path, answer)
        assert (done.returncode, done.stderr) == (code, "")
        assert says in done.stdout
        assert self.audit(tmp_path, answer, "--strict").returncode == strictly

    def test_no_answer_is_a_warning(self, tmp_path: Path) -> None:
        done = self.audit(tmp_path, "")
        assert (done.returncode, done.stderr) == (0, "")
        assert "core.txt: no route" in done.stdout
        assert self.audit(tmp_path, "", "--strict").returncode == 1


class TestInstalling:
    @pytest.mark.slow
    def test_what_an_error_says_needs_no_index_for_this_package(self) -> None:
        """Pip takes the package that is installed, whatever an index calls by its name."""
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index"]
        done = subprocess.run(
            [*command, "muscle-metrics[report]"], capture_output=True, text=True, check=False
        )
        assert "Requirement already satisfied: muscle-metrics[report]" in done.stdout
        assert done.returncode == 0, done.stderr

    def test_no_page_claims_a_package_index(self) -> None:
        """Before the first release, a page installs from a checkout or from git."""
        pages = [
            *PROJECT.glob("*.md"),
            *(PROJECT / "docs").rglob("*.md"),
            *(PROJECT / "examples").rglob("*.*"),
        ]
        for page in pages:
            if page.suffix not in {".md", ".yml", ".py", ".ipynb", ".toml"}:
                continue
            for line in page.read_text("utf-8").splitlines():
                for source in re.findall(
                    r"pip3? install [^&|;]*(?<=[ '\"])muscle-metrics(.*)", line
                ):
                    given = re.sub(r"^\[[\w,-]+\]", "", source)
                    assert given.startswith(" @ git+") or "the error names it" in line, (page, line)
