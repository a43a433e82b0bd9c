"""The hook for pre-commit: its entry, as pre-commit calls it, and pre-commit where it is."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent.parent
EXAMPLES = PROJECT / "examples"
CONFIG = EXAMPLES / "ci" / "pre-commit-config.yaml"


@pytest.fixture
def hook() -> dict[str, Any]:
    (hook,) = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    return hook


@pytest.fixture
def use() -> dict[str, Any]:
    ((use,),) = [repo["hooks"] for repo in yaml.safe_load(CONFIG.read_text("utf-8"))["repos"]]
    return use


def test_no_change_skips_it(hook: dict[str, Any]) -> None:
    assert (hook["always_run"], hook["pass_filenames"]) == (True, False)
    assert not hook.keys() & {"files", "types", "exclude"}


@pytest.mark.parametrize(("new", "code"), [("compatible", 0), ("v2", 1), (None, 4)])
def test_its_entry_gates_two_files(machine, hook, use, new: str | None, code: int) -> None:
    assert use["id"] == hook["id"]
    runs = shutil.copytree(EXAMPLES, machine.work / "examples")
    if new is None:
        (runs / "compatible.jsonl").unlink()
    elif new != "compatible":
        (runs / f"{new}.jsonl").replace(runs / "compatible.jsonl")
    command = shlex.join([*shlex.split(hook["entry"]), *use["args"]])
    done = machine.shell(command, {})
    assert done.returncode == code, done.stdout + done.stderr


if shutil.which("pre-commit"):

    @pytest.mark.parametrize(("new", "code"), [("compatible", 0), ("v2", 1)])
    def test_pre_commit_runs_it(machine, hook, use, new: str, code: int) -> None:
        """With the command that is installed here, so that nothing is fetched."""
        local = {**hook, **use, "language": "system"}
        config = {"repos": [{"repo": "local", "hooks": [local]}]}
        shutil.copytree(EXAMPLES, machine.work / "examples")
        (machine.work / "examples" / f"{new}.jsonl").rename(machine.work / "new.jsonl")
        (machine.work / "new.jsonl").rename(machine.work / "examples" / "compatible.jsonl")
        (machine.work / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
        done = machine.shell(
            "git init --quiet && git add . && pre-commit run --all-files",
            {"GIT_CONFIG_GLOBAL": os.devnull, "PRE_COMMIT_HOME": str(machine.home / "cache")},
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert ("FAIL negative flip rate" in done.stdout) is bool(code)
