"""Importing the package costs no more than importing numpy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "scipy.stats", "pandas", "pyarrow", "rouge_score", "sacrebleu", "torch", "rich", "evaluate",
    "datasets", "accelerate", "peft", "safetensors", "transformers",
)  # fmt: skip
REPEATS = 5


def import_times(code: str, project) -> dict[str, int]:
    """Cumulative microseconds of every module that a fresh interpreter imports for `code`."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    times = {}
    for line in run.stderr.splitlines():
        _, cumulative, name = line.removeprefix("import time:").split("|")
        if cumulative.strip().isdigit():
            times[name.strip()] = int(cumulative)
    return times


@pytest.mark.parametrize(
    "code",
    [
        "import muscle_metrics",
        "from muscle_metrics import *",
        "import muscle_metrics.adapter",
        "from muscle_metrics import *; count_flips(old=['A'], new=['B'], references=['A'])",
        "from muscle_metrics.integrations import *; evaluate_path('flips')",
        "import muscle_metrics; from muscle_metrics.atlas import usual_rates; usual_rates()",
    ],
)
def test_nothing_heavy_is_loaded(code, project):
    times = import_times(code, project)
    assert "muscle_metrics" in times
    assert not [name for name in times if name.startswith(HEAVY)]


@pytest.mark.parametrize(
    "code",
    [
        "import muscle_metrics.scale, muscle_metrics.distributed, muscle_metrics.gate.verdict",
        "from muscle_metrics.cli import main; main(['compare', 'examples/v1.jsonl', "
        "'examples/v2.jsonl'])",
        "from muscle_metrics.cli import main; main(['gate', 'examples/v1.jsonl', "
        "'examples/v2.jsonl', '--max-nfr', '0.5'])",
    ],
)
def test_no_engine_is_loaded_unless_asked_for(code, project):
    times = import_times(code, project)
    assert "muscle_metrics.comparison.compare" in times or "muscle_metrics.scale" in times
    assert not [name for name in times if name.startswith(("ray", "duckdb", "pyarrow"))]


def test_the_package_imports_as_fast_as_numpy(project):
    def fastest(name: str) -> int:
        return min(import_times(f"import {name}", project)[name] for _ in range(REPEATS))

    # A ratio, and the best of several: seconds would measure the machine and its neighbours.
    assert fastest("muscle_metrics") <= 1.2 * fastest("numpy")
