"""Write the example runs: answers of v1, of v2, and of v2 with the compatible adapter.

python -m tests.benchmarks.replica.examples examples

Here the update goes the other way than in the study: v1 is its larger model, which has seen fewer
texts, and v2 its smaller one, which has seen more.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from muscle_metrics import compare_runs
from tests.benchmarks.replica.methods import CONTROL, METHODS, RECIPE
from tests.benchmarks.replica.study import Sizes, Study

# Fresh once more, and few enough items to read.
SEED = 8317
ITEMS = 500
BASES = ("v2", "v1")


def write_examples(folder: Path) -> None:
    """Train on free text as the documentation's table does, record the answers, count flips."""
    torch.set_num_threads(1)
    study = Study("generation", SEED, sizes=Sizes(test=ITEMS), bases=BASES)
    folder.mkdir(parents=True, exist_ok=True)
    models = {
        "v1": study.old,
        "v2": study.new,
        "compatible": study.fit(METHODS[RECIPE]).model,
        "control": study.fit(METHODS[CONTROL]).model,
    }
    runs = {name: study.run(model, name) for name, model in models.items()}
    for name in ("v1", "v2", "compatible"):
        rows = [
            {
                "id": f"q{place:03}",
                "topic": f"topic {topic + 1}",
                "prompt": record.prompt,
                "prediction": record.prediction,
                "reference": record.reference,
            }
            for place, (record, topic) in enumerate(zip(runs[name], study.topics, strict=True))
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    for name in ("v2", "compatible", "control"):
        counts = compare_runs(runs["v1"], runs[name], metric="exact_match").counts
        print(f"{name}: accuracy {counts.new_accuracy}, NFR {counts.negative_flip_rate}")


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]))
