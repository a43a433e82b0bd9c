"""The file that GitLab includes, and the recipe around it: their scripts run, with a real git."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent.parent
EXAMPLES = PROJECT / "examples"
INCLUDED = PROJECT / ".gitlab" / "model-gate.yml"
RECIPE = EXAMPLES / "ci" / "gitlab-release.yml"
MARKER = "<!-- muscle-metrics gate -->"
# curl without a network: notes its arguments, and gives a file that is named as the address ends.
CURL = """#!/bin/bash
printf '%q ' "$@" >> "$NOTES"; echo >> "$NOTES"
output=/dev/stdout
for ((i = 1; i <= $#; i++)); do if [ "${!i}" = --output ]; then j=$((i + 1)); output=${!j}; fi; done
address=${!#}
name=$(basename "${address%%\\?*}")
case "$address" in */packages/*) echo "$address" > "$RESPONSES/asked"; name=run;; esac
if [ -f "$RESPONSES/$name" ]; then cat "$RESPONSES/$name" > "$output"; else exit 22; fi
"""


def included(**inputs: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and jobs of the file; inputs go into its texts after YAML was read, as on GitLab."""
    spec, jobs = yaml.safe_load_all(INCLUDED.read_text("utf-8"))
    declared = spec["spec"]["inputs"]
    required = {name for name, given in declared.items() if "default" not in given}
    assert required <= inputs.keys() <= declared.keys()
    values = {name: inputs.get(name, given.get("default")) for name, given in declared.items()}

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {fill(key): fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, str):
            return re.sub(r"\$\[\[ *inputs\.(\w+) *\]\]", lambda found: values[found[1]], value)
        return value

    return spec, fill(jobs)


def variables_of(job: dict[str, Any]) -> dict[str, str]:
    """Variables of a job; one that is expanded must not hold text of an input."""
    plain = {}
    for name, given in job.get("variables", {}).items():
        if isinstance(given, dict):
            assert given["expand"] is False
            given = given["value"]
        plain[name] = given
    return plain


def script_of(job: dict[str, Any]) -> str:
    return "\n".join(job["script"])


@pytest.fixture
def target(machine) -> dict[str, str]:
    """A project with a policy on its target branch, and a release with a run; and its variables."""
    origin = machine.home / "group" / "project.git"
    origin.mkdir(parents=True)
    responses = machine.home / "responses"
    responses.mkdir()
    shutil.copy(EXAMPLES / "v1.jsonl", responses / "run")
    # The newest one is planned, and not out.
    (responses / "releases").write_text(
        '[{"tag_name": "v9", "upcoming_release": true}, {"tag_name": "v2/b"}, {"tag_name": "v1"}]'
    )
    machine.install("curl", CURL)
    settings = machine.home / "gitconfig"
    settings.write_text(
        "[init]\n defaultBranch = main\n[user]\n name = t\n email = t@example.org\n"
        f'[url "file://{machine.home}/"]\n insteadOf = https://gitlab-ci-token:secret@git.example/\n'
    )
    given = {
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "RESPONSES": str(responses),
        "CI_SERVER_PROTOCOL": "https",
        "CI_JOB_TOKEN": "secret",
        "CI_API_V4_URL": "https://git.example/api/v4",
        "CI_MERGE_REQUEST_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://git.example/group/project",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED": "true",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_COMMIT_SHA": "c0ffee",
    }
    commit = f"""
        cd {origin} && git init --quiet && mkdir -p 'limits $(touch pwned)' examples/ci
        cp {EXAMPLES}/ci/gate.toml . && cp gate.toml 'limits $(touch pwned)/a b.toml'
        cp gate.toml examples/ci/ && cp {EXAMPLES}/v1.jsonl examples/
        git add . && git commit --quiet --message policy
    """
    done = machine.shell(commit, given)
    assert done.returncode == 0, done.stderr
    return given


@pytest.fixture
def gate(machine, target):
    """Run the included job: exit code, what it printed."""

    def call(**inputs: str) -> tuple[int, str]:
        _, jobs = included(**{"requirement": "muscle-metrics", **inputs})
        job = jobs["model gate"]
        done = machine.shell(script_of(job), {**target, **variables_of(job)})
        return done.returncode, done.stdout + done.stderr

    return call


def test_files_keep_the_published_schema(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")

    def check(content: Any) -> int:
        path = tmp_path / "checked.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
        return subprocess.run([*command, str(path)], capture_output=True, check=False).returncode

    spec, jobs = included(new="run.jsonl", requirement="muscle-metrics")
    assert [check(content) for content in (spec, jobs)] == [0, 0]
    assert check(yaml.safe_load(RECIPE.read_text("utf-8"))) == 0
    jobs["model gate"]["scripts"] = jobs["model gate"].pop("script")
    assert check(jobs) == 1


def test_inputs_are_no_part_of_a_script() -> None:
    text = INCLUDED.read_text("utf-8").split("\n---\n")[1]
    _, jobs = yaml.safe_load_all(INCLUDED.read_text("utf-8"))
    assert "$[[" not in script_of(jobs["model gate"])
    # Those of variables reach the job as they were given, without another expansion.
    assert text.count("$[[") == 3 + len(
        [name for name in jobs["model gate"]["variables"] if name.startswith("GATE_")]
    )


@pytest.mark.parametrize(
    ("new", "code"), [("compatible", 0), ("v2", 1)], ids=["compatible", "breaking"]
)
def test_the_gate_judges_by_the_target_branch(gate, machine, new: str, code: int) -> None:
    shutil.copy(EXAMPLES / f"{new}.jsonl", machine.work / "model-run.jsonl")
    # What the artifacts of the merge request bring is neither policy, nor report, nor code.
    (machine.work / "gate.toml").write_text("max_nfr = 0.99")
    (machine.work / "model-gate").mkdir()
    (machine.work / "model-gate" / "stale.md").write_text(f"{MARKER}\n## PASS\n")
    left, printed = gate(new="model-run.jsonl", options="--slice-field\ntopic\n")
    assert left == code, printed
    assert "limit 7.5%" in printed
    _, jobs = included(new="x", requirement="y")
    kept = jobs["model gate"]["artifacts"]
    assert (kept["when"], kept["paths"]) == ("always", ["model-gate"])
    assert kept["reports"] == {"junit": "model-gate/gate.xml"}
    names = sorted(path.name for path in (machine.work / "model-gate").iterdir())
    assert names == ["gate.json", "gate.md", "gate.xml"]
    *_, download = machine.calls()
    assert download.endswith(
        "https://git.example/api/v4/projects/7/packages/generic/model-run/v2%2Fb/model-run.jsonl "
    )


def test_no_line_of_a_comment_is_an_order_to_the_site(gate, machine) -> None:
    """GitLab takes a line of a note that starts with a slash for a command of its author."""
    rows = list(map(json.loads, (EXAMPLES / "v2.jsonl").read_text("utf-8").splitlines()))
    for row in rows:
        row["prediction"] += "\n/approve\n/merge"
    text = "\n".join(map(json.dumps, rows))
    (machine.work / "model-run.jsonl").write_text(text)
    code, _ = gate(new="model-run.jsonl", options="--slice-field\ntopic\n")
    assert code == 1
    report = (machine.work / "model-gate" / "gate.md").read_text("utf-8")
    assert "approve" in report
    assert not [line for line in report.splitlines() if line.lstrip().startswith("/")]


HOSTILE = ["two words", "$(touch pwned)", "`touch pwned`; touch pwned #", "'\"", "a\nb", "-x", "*"]


@pytest.mark.parametrize("text", HOSTILE)
def test_an_input_is_one_argument(gate, machine, target, text: str) -> None:
    machine.only_notes = True
    code, printed = gate(
        new=text,
        baseline=f"{text}/run",
        package=text,
        policy="limits $(touch pwned)/a b.toml",
        options=f"--slice-field\n{text}",
        requirement=text,
    )
    assert code == 0, printed
    lines = text.split("\n")
    first, second, *rest = machine.arguments()
    assert (first, second, rest[: len(lines)]) == ("gate", "--slice-field", lines)
    policy, *_, end, old, new = rest[len(lines) :]
    assert policy.startswith(f"--policy={machine.temp}")
    assert (end, old.rpartition("/")[2], new) == ("--", "run", text)
    quoted = machine.shell('printf "%q" "$X"', {"X": text}).stdout
    assert machine.calls()[0] == f"install --quiet -- {quoted} "
    asked = (Path(target["RESPONSES"]) / "asked").read_text("utf-8").strip()
    file = quote(f"{text}/run", "")
    assert asked.endswith(f"/projects/7/packages/generic/{quote(text, '')}/v2%2Fb/{file}")
    assert not [*machine.home.rglob("pwned")]


@pytest.mark.parametrize("absent", ["package", "releases out", "releases", "answer"])
def test_without_a_baseline_nothing_is_green(gate, machine, target, absent: str) -> None:
    responses = Path(target["RESPONSES"])
    if absent == "package":
        (responses / "run").unlink()
    elif absent == "answer":
        (responses / "releases").unlink()
    else:
        left = [{"tag_name": "v9", "upcoming_release": True}] if absent == "releases out" else []
        (responses / "releases").write_text(json.dumps(left))
    shutil.copy(EXAMPLES / "v1.jsonl", machine.work / "model-run.jsonl")
    code, printed = gate(new="model-run.jsonl")
    assert code not in (0, 3)
    advice = "run the job 'model baseline' of its tag, by hand the first time"
    assert (advice in printed) is (absent != "answer")
    assert not (machine.work / "model-gate").exists()


@pytest.mark.parametrize("protected", ["false", ""])
def test_a_policy_of_anybody_is_no_policy(gate, machine, target, protected: str) -> None:
    """A merge request may be judged by a branch of its author, and change its target later."""
    target["CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED"] = protected
    shutil.copy(EXAMPLES / "v1.jsonl", machine.work / "model-run.jsonl")
    code, printed = gate(new="model-run.jsonl")
    assert (code, "the target branch is not protected" in printed) == (1, True)


@pytest.mark.parametrize("policy", ["nowhere.toml", "", "../gate.toml"])
def test_without_a_policy_on_the_target_branch_nothing_is_green(gate, machine, policy: str) -> None:
    shutil.copy(EXAMPLES / "v1.jsonl", machine.work / "model-run.jsonl")
    (machine.work / "nowhere.toml").write_text("max_nfr = 0.99")
    code, printed = gate(new="model-run.jsonl", policy=policy)
    assert code not in (0, 3), printed


def test_a_fork_whose_target_cannot_be_read_is_not_green(gate, machine, target) -> None:
    target["CI_MERGE_REQUEST_PROJECT_URL"] = "https://git.example/group/private"
    shutil.copy(EXAMPLES / "v1.jsonl", machine.work / "model-run.jsonl")
    code, _ = gate(new="model-run.jsonl")
    assert code not in (0, 3)


class TestRecipe:
    @pytest.fixture
    def jobs(self) -> dict[str, Any]:
        return yaml.safe_load(RECIPE.read_text("utf-8"))

    def test_it_includes_what_there_is(self, jobs: dict[str, Any]) -> None:
        (include,) = jobs["include"]
        assert PROJECT / include["file"].lstrip("/") == INCLUDED
        assert (include["project"], include["ref"]) == ("OWNER/muscle-metrics", "COMMIT")
        _, gates = included(**include["inputs"])
        assert gates["model gate"]["needs"] == ["evaluate"]
        assert jobs["evaluate"]["artifacts"]["paths"] == [include["inputs"]["new"]]

    def test_jobs_with_a_token_check_nothing_out(self, jobs: dict[str, Any]) -> None:
        _, gates = included(new="x", requirement="y")
        for job in (jobs["model baseline"], jobs["model comment"], gates["model gate"]):
            assert job["variables"]["GIT_STRATEGY"] == "empty"
        assert "allow_failure" not in gates["model gate"]

    def test_a_baseline_is_made_by_hand(self, jobs, machine, target) -> None:
        job = jobs["model baseline"]
        assert job["rules"] == [{"if": "$CI_COMMIT_TAG", "when": "manual"}]
        tag = {"CI_PROJECT_ID": "7", "CI_COMMIT_TAG": "v1.0"}
        # An empty run is no baseline.
        (machine.work / "model-run.jsonl").touch()
        assert machine.shell(script_of(job), {**target, **tag}).returncode != 0
        assert machine.calls() == []
        (machine.work / "model-run.jsonl").write_text("{}")
        assert machine.shell(script_of(job), {**target, **tag}).returncode == 0
        (upload,) = machine.calls()
        address = "https://git.example/api/v4/projects/7/packages/generic/model-run/v1.0"
        assert upload.endswith(f" --upload-file model-run.jsonl {address}/model-run.jsonl ")

    @pytest.mark.parametrize(
        ("notes", "asked"),
        [
            ([], "notes"),
            ([{"id": 5, "author": {"id": 1}, "body": f"{MARKER}\nours"}], "notes/5"),
            # A note of somebody else that looks like ours stays as it is.
            ([{"id": 5, "author": {"id": 2}, "body": f"{MARKER}\nforged"}], "notes"),
            ([{"id": 5, "author": {"id": 1}, "body": f"see {MARKER}"}], "notes"),
        ],
    )
    def test_its_comment(self, jobs, machine, target, notes: list[Any], asked: str) -> None:
        responses = Path(target["RESPONSES"])
        (responses / "user").write_text('{"id": 1}')
        (responses / "notes").write_text(json.dumps(notes))
        (responses / "5").touch()
        (machine.work / "model-gate").mkdir()
        report = machine.work / "model-gate" / "gate.md"
        report.write_text(f"{MARKER}\n## PASS\n")
        job = jobs["model comment"]
        given = {**target, "MODEL_GATE_TOKEN": "t"}
        done = machine.shell(script_of(job), given)
        assert done.returncode == 0, done.stderr
        *_, last = machine.calls()
        assert last.endswith(f"https://git.example/api/v4/projects/7/merge_requests/3/{asked} ")
        assert ("--request PUT" in last) is (asked != "notes")
        assert report.read_text("utf-8").endswith("<sub>commit c0ffee</sub>\n")
        # Where nothing was judged, the comment says so; and anything else is no report.
        report.unlink()
        assert machine.shell(script_of(job), given).returncode == 0
        assert "## Nothing was judged" in report.read_text("utf-8")
        report.write_text("# anything else\n")
        assert machine.shell(script_of(job), given).returncode != 0


class TestFilesInGit:
    """The recipe for runs that are files in git."""

    @pytest.fixture
    def job(self) -> dict[str, Any]:
        content = yaml.safe_load((EXAMPLES / "ci" / "gitlab-ci.yml").read_text("utf-8"))
        return content["model gate"]

    def test_it_keeps_reports_and_warns_when_undecided(self, job: dict[str, Any]) -> None:
        assert set(job) == {"stage", "image", "rules", "script", "allow_failure", "artifacts"}
        assert job["allow_failure"] == {"exit_codes": [3]}
        assert job["artifacts"]["when"] == "always"
        assert job["artifacts"]["reports"] == {"junit": "model-gate/gate.xml"}

    @pytest.mark.parametrize(("update", "code"), [("compatible", 0), ("v2", 1)])
    def test_it_judges_by_the_target_branch(
        self, job, machine, target, update: str, code: int
    ) -> None:
        runs = shutil.copytree(EXAMPLES, machine.work / "examples")
        shutil.copy(EXAMPLES / f"{update}.jsonl", runs / "v2.jsonl")
        # The merge request brings another policy, another old run, and a report that passes.
        (runs / "ci" / "gate.toml").write_text("max_nfr = 0.99")
        shutil.copy(runs / "v2.jsonl", runs / "v1.jsonl")
        (machine.work / "model-gate").mkdir()
        (machine.work / "model-gate" / "forged.xml").touch()
        done = machine.shell(script_of(job), target)
        assert done.returncode == code, done.stderr
        assert "limit 7.5%" in done.stdout
        names = sorted(path.name for path in (machine.work / "model-gate").iterdir())
        assert names == ["gate.json", "gate.md", "gate.xml"]
        (install,) = machine.calls()
        assert install.replace("\\", "") == (
            "install --quiet muscle-metrics @ git+https://github.com/OWNER/muscle-metrics@COMMIT "
        )
        target["CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED"] = "false"
        assert machine.shell(script_of(job), target).returncode == 1
