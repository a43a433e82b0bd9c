"""Messages of the adapter's trainer, of what is refused before any model is loaded."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.runs.record import Record, Run

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "adapter/checkpoints",
    "adapter/config",
    "adapter/teachers/ensemble",
    "adapter/evaluation/evaluate",
    "adapter/data/examples",
    "adapter/evaluation/frontier",
    "adapter/training/recipe",
    "adapter/evaluation/selection",
    "adapter/loss/strategies",
    "adapter/evaluation/updates",
]


def of(module: str, name: str) -> Any:
    """A name of the trainer; skipped where its packages are not installed."""
    for package in ("torch", "safetensors", "transformers", "accelerate", "peft"):
        pytest.importorskip(package)
    return getattr(import_module(f"muscle_metrics.adapter.{module}"), name)


def config(**settings: object) -> object:
    return of("config", "CompatibilityConfig")(**settings)


def loss(**settings: object) -> object:
    return of("loss.strategies", "LossSettings")(**settings)


def read(*rows: object) -> object:
    Path("test.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return of("data.examples", "read_examples")("test.jsonl")


class _Letters:
    bos_token_id, eos_token_id, eos_token = 1, 2, "."

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [*map(ord, text)]}


def encode(**example: str) -> object:
    made = of("data.examples", "Example")(id="7", **example)
    return of("data.examples", "encode_examples")(
        _Letters(), [made], loss_over="completion", max_length=3
    )


class _Word:
    """One token for every text but the empty one."""

    bos_token_id, eos_token_id = None, None

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [7] if text else []}


def encode_pair(prompt: str, continuation: str) -> object:
    return of("data.examples", "encode_pair")(_Word(), prompt, continuation)


def recipe(text: str) -> object:
    Path("recipe.toml").write_text(text, encoding="utf-8")
    return of("training.recipe", "read_recipe")("recipe.toml")


def pickle_in_a_folder() -> object:
    Path("adapter_model.bin").write_bytes(b"")
    return of("models", "check_no_pickle")(Path())


def checkpoint(change: Callable[[Path], object], recipe: str = "same") -> object:
    folder = Path("checkpoint-8")
    folder.mkdir()
    (folder / "optimizer.pt").write_bytes(b"state")
    of("checkpoints", "write_manifest")(folder, "same", None)
    change(folder)
    return of("checkpoints", "check_manifest")(folder, recipe)


ROW = {"prompt": "1 + 1 =", "completion": "2"}
CHOICE = {"prompt": "1 + 1 =", "choices": ["2", "3"], "answer": 0}


def other_shapes() -> object:
    torch = pytest.importorskip("torch")
    return of("evaluation.frontier", "interpolate_adapters")(
        {"a": torch.zeros(2)}, {"a": torch.zeros(3)}, 0.5
    )


WHOLE = 'output = "run"\nold.model = "v1"\nnew.model = "v2"\ndata.train = "train.jsonl"\n'

CASES: dict[str, Callable[[], object]] = {
    "adapter: best weights that are missing": lambda: of("checkpoints", "check_kept")(
        Path("epochs/2/adapter_model.safetensors"), "0123"
    ),
    "adapter: unknown strategy": lambda: loss(strategy="muscle"),
    "adapter: a share of percents": lambda: loss(old_share=50),
    "adapter: no temperature": lambda: loss(temperature=0),
    "adapter: a negative focus": lambda: loss(focal_boost=-1),
    "adapter: unknown precision": lambda: config(precision="int8"),
    "adapter: no epoch": lambda: config(epochs=0),
    "adapter: no patience": lambda: config(patience=0),
    "adapter: warming up for ever": lambda: config(warmup_share=1.0),
    "adapter: a negative weight": lambda: config(replay_weight=-1),
    "adapter: no learning rate": lambda: config(learning_rate=0),
    "adapter: no example": lambda: of("data.examples", "read_examples")([]),
    "adapter: an id twice": lambda: read({"id": 1, **ROW}, {"id": 1, **ROW}),
    "adapter: no completion": lambda: read({"prompt": "1 + 1 ="}),
    "adapter: an example without a completion": lambda: of("data.examples", "read_examples")(
        [of("data.examples", "Example")(id="7", prompt="1")]
    ),
    "adapter: a weight of nothing": lambda: read({**ROW, "weight": 0}),
    "adapter: one choice": lambda: read({**CHOICE, "choices": ["2"]}),
    "adapter: an answer that is no choice": lambda: read({**CHOICE, "answer": 2}),
    "adapter: a completion that is too long": lambda: encode(prompt="a", completion="bcdef"),
    "adapter: no continuation": lambda: encode_pair("1 + 1 =", ""),
    "adapter: one token of prompt and continuation": lambda: encode_pair("a", "b"),
    "adapter: nothing before the continuation": lambda: encode_pair("", "b"),
    "adapter: no validation item": lambda: of("evaluation.selection", "measure_standing")(
        old=[], new=[], epoch=0
    ),
    "adapter: a pickle": pickle_in_a_folder,
    "adapter: no manifest": lambda: checkpoint(lambda folder: (folder / "manifest.json").unlink()),
    "adapter: a changed checkpoint": lambda: checkpoint(
        lambda folder: (folder / "optimizer.pt").write_bytes(b"other")
    ),
    "adapter: a checkpoint of another run": lambda: checkpoint(lambda _: None, recipe="other"),
    "adapter: an ensemble of more than all": lambda: of("teachers.ensemble", "Ensemble")(
        None, None, share=1.5
    ),
    "adapter: unknown metric": lambda: of("evaluation.evaluate", "evaluate_model")(
        None, None, [], name="old", config=config(metric="rouge-1")
    ),
    "adapter: unknown metric of an evaluator": lambda: of("evaluation.evaluate", "make_evaluator")(
        [], config(metric="rouge-1")
    ),
    "adapter: beyond the end": lambda: of("evaluation.frontier", "interpolate_adapters")({}, {}, 2),
    "adapter: adapters of two shapes": other_shapes,
    "adapter: no candidate": lambda: of("evaluation.frontier", "pick_candidate")([]),
    "adapter: no start": lambda: of("evaluation.frontier", "trace_frontier")(
        None, None, start={}, trained={}, old_scores=[1], evaluate=None
    ),
    "adapter: unknown baseline": lambda: of("evaluation.updates", "measure_updates")(
        old=[1], updates={"v2": [1]}, baselines=("control",)
    ),
    "adapter: no such score": lambda: of("evaluation.updates", "score_run")(
        Run((Record("7", prediction="a"),), name="old"), metric="rouge1"
    ),
    "recipe: no TOML": lambda: recipe("output ="),
    "recipe: unknown key": lambda: recipe(WHOLE + "config.epoch = 1"),
    "recipe: no training data": lambda: recipe('output = "run"'),
    "recipe: no table": lambda: recipe("old = 1"),
    "recipe: no model": lambda: recipe(WHOLE.replace("old.model", "old.adapter")),
    "recipe: stops as one text": lambda: recipe(WHOLE + 'config.stop = "?"'),
    "recipe: a number as text": lambda: recipe(WHOLE + 'config.epochs = "3"'),
}
