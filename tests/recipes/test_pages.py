"""Every block of YAML in the documentation is what its tool would take."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent.parent
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```ya?ml\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(yaml.safe_load(found[2]), id=f"{page.stem}-{number}")
    for page in PAGES
    for number, found in enumerate(BLOCK.finditer(page.read_text("utf-8")))
]
# By the key that tells kinds of files apart: the schema of check-jsonschema, or the reader below.
SCHEMAS = {"jobs": "vendor.github-workflows", "include": "vendor.gitlab-ci"}


def kind_of(content: Any) -> str:
    if isinstance(content, list):
        return "steps"
    # Tasks of lm-eval and configs of promptfoo run in tests/harnesses.
    (kind,) = {"jobs", "include", "repos", "task", "providers"} & content.keys()
    return kind


@pytest.mark.parametrize("content", BLOCKS)
def test_a_block_is_what_its_tool_takes(content: Any, tmp_path: Path) -> None:
    kind = kind_of(content)
    if kind == "steps":
        job = {"runs-on": "ubuntu-latest", "steps": content}
        kind, content = "jobs", {"on": "pull_request", "jobs": {"gate": job}}
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            if step.get("uses") == "OWNER/muscle-metrics@COMMIT":
                declared = yaml.safe_load((PROJECT / "action.yml").read_text("utf-8"))["inputs"]
                required = {name for name, given in declared.items() if given["required"]}
                assert required <= step["with"].keys() <= declared.keys()
    if kind == "include":
        spec, _ = yaml.safe_load_all((PROJECT / ".gitlab" / "model-gate.yml").read_text("utf-8"))
        declared = spec["spec"]["inputs"]
        for include in content["include"]:
            given = include["inputs"].keys()
            assert {name for name in declared if "default" not in declared[name]} <= given
            assert given <= declared.keys()
    if kind == "repos":
        hooks = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))
        used = [hook["id"] for repo in content["repos"] for hook in repo["hooks"]]
        assert {*used} <= {hook["id"] for hook in hooks}
    if kind in SCHEMAS:
        pytest.importorskip("check_jsonschema")
        path = tmp_path / "block.yml"
        path.write_text(yaml.safe_dump(content))
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[kind]]
        done = subprocess.run([*command, str(path)], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def test_parts_that_the_page_names_are_there() -> None:
    text = (PROJECT / "docs" / "how-to" / "ci.md").read_text("utf-8")
    table = text.split("## On GitHub")[0]
    for cell in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", cell):
            places = (PROJECT / name, PROJECT / "examples" / "ci" / name)
            assert any(place.is_file() for place in places), name
