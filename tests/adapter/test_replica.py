"""The replica in short: one seed, and the direction of what the documentation claims."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from muscle_metrics.adapter.evaluation.updates import measure_updates
from tests.benchmarks.replica import examples
from tests.benchmarks.replica.language import Language
from tests.benchmarks.replica.methods import CONTROL, RECIPE
from tests.benchmarks.replica.running import run_study

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

# Not one of the seeds that the recipe was chosen or reported on.
SEED = 77


@pytest.fixture(scope="module", params=["choice", "generation"])
def scores(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    return run_study(request.param, SEED, None, fast=True)


@pytest.mark.slow
def test_the_recipe_beats_v2_its_control_and_muscle(scores: dict[str, np.ndarray]) -> None:
    old = scores.pop("v1")
    measured = {
        update.name: update
        for update in measure_updates(old=old, updates=scores, baselines=("v2", CONTROL))
    }
    recipe, v2 = measured[RECIPE], measured["v2"]
    # A model update that breaks something, as real ones do.
    assert v2.negative_flip_rate > 0.06
    # Less breaks, beyond chance, than with v2 and than with mere training for as long.
    for baseline in ("v2", CONTROL):
        assert recipe.against[baseline].nfr_interval.high < 0
    assert recipe.negative_flip_rate < measured["MUSCLE (student_incorrect)"].negative_flip_rate
    assert recipe.against["v2"].accuracy_interval.high > 0
    # Two models at once stay the bound that one adapter does not reach, or hardly.
    ensemble = measured["v1 + v2 ensemble (two models at inference)"]
    assert ensemble.negative_flip_rate < v2.negative_flip_rate


def test_the_example_runs_answer_items_of_the_language(project: Path) -> None:
    language = Language()
    drawn = ("generation", (examples.SEED, 2), examples.ITEMS)
    items = language.items(*drawn)
    topics = [f"topic {topic + 1}" for topic in language.topics(*drawn)]
    asked = [(item.prompt, item.completion) for item in items]
    for name in ("v1", "v2", "compatible"):
        text = (project / "examples" / f"{name}.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        assert [(row["prompt"], row["reference"]) for row in rows] == asked
        assert [row["topic"] for row in rows] == topics
