"""Write runs of the replica's models as examples: v1, v2, and v2 with the compatible adapter.

python -m tests.benchmarks.replica.examples examples/adapter
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from muscle_metrics.adapter.evaluation import save_run
from tests.benchmarks.replica.methods import METHODS, RECIPE
from tests.benchmarks.replica.study import Sizes, Study

if TYPE_CHECKING:
    from muscle_metrics.runs import Run

# Fresh once more, and few enough items to read.
SEED = 6211
ITEMS = 500


def write_examples(folder: Path) -> None:
    """Train on choices as the documentation's table does, and record the answers."""
    torch.set_num_threads(1)
    study = Study("choice", SEED, sizes=Sizes(test=ITEMS))
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in (("v1", study.old), ("v2", study.new)):
        save_run(_unprompted(study.run(model, name)), folder / f"{name}.jsonl")
    compatible = study.fit(METHODS[RECIPE]).model
    save_run(_unprompted(study.run(compatible, "compatible")), folder / "compatible.jsonl")


def _unprompted(run: Run) -> Run:
    """Outputs only."""
    return replace(run, records=tuple(replace(record, prompt=None) for record in run))


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]))
