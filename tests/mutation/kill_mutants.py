"""Break the code on purpose, one small change at a time, and count what the tests notice.

    python tests/mutation/kill_mutants.py                          # every mutant of every module
    python tests/mutation/kill_mutants.py --sample 30 --seed 1     # some of each; all of the gate
    python tests/mutation/kill_mutants.py gate statistics/noise    # modules by name

mutmut makes the mutants and runs, for each, the tests that reach the changed function. It works on
a copy in a temporary folder. The exit code is 1 if a module keeps less than it promises.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.file_mutation import mutate_file_contents

PROJECT = Path(__file__).parents[2]
PACKAGE = "muscle_metrics"
# Tests must notice every change of deciding code, and nine of ten changes of other code.
DECISION, OTHERS = 1.0, 0.9
# The module and, if they have another name, its tests.
MODULES = {
    "gate/check": ["tests/gate/test_check.py", "tests/gate/test_criteria.py"],
    "gate/criteria": ["tests/gate/test_criteria.py"],
    "gate/criterion": ["tests/gate/test_criteria.py", "tests/gate/test_check.py"],
    "gate/equivalence": ["tests/gate/test_equivalence.py"],
    "gate/limits": ["tests/gate/test_policy.py"],
    "evidence/evidence": ["tests/evidence/test_evidence.py"],
    "evidence/rates": ["tests/evidence/test_evidence.py", "tests/gate/test_equivalence.py"],
    "evidence/repeats": ["tests/evidence/test_evidence.py"],
    "evidence/scores": ["tests/evidence/test_evidence.py"],
    "gate/policy": ["tests/gate/test_policy.py"],
    "gate/verdict": [
        "tests/gate/test_check.py",
        "tests/gate/test_verdict.py",
        "tests/words/test_secrets.py",
    ],
    **{
        f"statistics/{path.stem}": [f"tests/statistics/test_{path.stem}.py"]
        for path in sorted((PROJECT / PACKAGE / "statistics").glob("[a-z]*.py"))
    },
}
# Exit codes of pytest and of mutmut: tests that failed or broke off, and code that never ended.
KILLED = {1, 3}
TIMED_OUT = {24, -24, 36, 152, 255}

SETTINGS = """
[tool.mutmut]
source_paths = ["{package}"]
only_mutate = ["{package}/{module}.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-n", "0", "-m", "not slow"]
pytest_add_cli_args_test_selection = {tests}
track_dependencies = false
use_git_change_detection = false
# A mutant is endless after five times the seconds of its tests without it, and 5 more.
timeout_multiplier = 5.0
timeout_constant = 1.0
"""


class Score(NamedTuple):
    """What became of the mutants of one module."""

    made: int
    tried: int
    survivors: list[str]
    timed_out: list[str]

    @property
    def killed(self) -> float:
        """Share of those that were tried which the tests noticed; those that never ended count."""
        return 1 - len(self.survivors) / self.tried if self.tried else 1.0


def main() -> int:
    """Try the modules that were asked for, and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {list(MODULES)}")
    parser.add_argument("--sample", type=int, help="most mutants of a module, but for the gate")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print("| module | mutants | tried | killed |\n|---|---|---|---|", flush=True)
    broken = False
    for module in options.modules or MODULES:
        promise = DECISION if module == "gate/check" else OTHERS
        sample = None if promise == DECISION else options.sample
        score = try_module(module, sample, options.seed, options.workers)
        print(
            f"| {module} | {score.made} | {score.tried} | {score.killed:.1%} |\n",
            *(f"    survived: {name}\n" for name in score.survivors),
            *(f"    timed out: {name}\n" for name in score.timed_out),
            sep="",
            end="",
            flush=True,
        )
        broken |= score.killed < promise
    return int(broken)


def try_module(module: str, sample: int | None, seed: int, workers: int) -> Score:
    """Let mutmut try the mutants of one module, or a random sample of them."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        copy_project(Path(), module)
        made = names_of_mutants(module)
        chosen = made
        if sample is not None and sample < len(made):
            chosen = sorted(random.Random(seed).sample(made, sample))
        if not chosen:
            return Score(0, 0, [], [])
        done = subprocess.run(
            [sys.executable, "-m", "mutmut", "run", f"--max-children={workers}", *chosen],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stdout[-4000:] + done.stderr[-4000:])
        found = json.loads(Path(f"mutants/{PACKAGE}/{module}.py.meta").read_text("utf-8"))
    codes = found["exit_code_by_key"]
    survivors = [name for name in chosen if codes[name] not in KILLED | TIMED_OUT]
    timed_out = [name for name in chosen if codes[name] in TIMED_OUT]
    return Score(len(made), len(chosen), survivors, timed_out)


def names_of_mutants(module: str) -> list[str]:
    """Names of the mutants that mutmut will make; its settings are in the working folder."""
    file = Path(f"{PACKAGE}/{module}.py")
    names = mutate_file_contents(str(file), file.read_text(encoding="utf-8")).mutant_names
    return [f"{PACKAGE}.{module.replace('/', '.')}.{name}" for name in names]


def copy_project(folder: Path, module: str) -> None:
    """Copy the files that the tests need, with the settings of mutmut for one module."""
    for name in (PACKAGE, "tests", "examples"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings = SETTINGS.format(package=PACKAGE, module=module, tests=json.dumps(MODULES[module]))
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(text + settings, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
