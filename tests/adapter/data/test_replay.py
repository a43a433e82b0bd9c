"""What is replayed: the choices that prompts offer, and the old model's answers to the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from muscle_metrics.adapter import CompatibilityConfig, read_examples
from muscle_metrics.adapter.data.answering import answer_prompts
from muscle_metrics.adapter.models import LoadedModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [
    {"id": "a", "prompt": "w1 w2 ?", "choices": ["yes", "no"]},
    {"id": "b", "prompt": "w3 w4 w5"},
    {"id": "c", "prompt": "w6 ?", "choices": ["red", "blue", "green"]},
]


def test_every_offered_choice_is_replayed_and_only_answers_are_stored(
    make_model: Callable[..., Any], tokenizer: Any, tmp_path: Path
) -> None:
    prompts = read_examples(ROWS, answered=False)
    assert [prompt.completion for prompt in prompts] == [None, None, None]
    teacher = LoadedModel(make_model(3), tokenizer, "old")
    path = tmp_path / "replay.jsonl"
    config = CompatibilityConfig(max_new_tokens=4)
    replayed = answer_prompts(prompts, teacher, config, path, write=True, resume=False)
    assert [one.completion for one in replayed[:5]] == ["yes", "no", "red", "blue", "green"]
    assert len({one.id for one in replayed}) == 6
    stored = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["completion"]) for row in stored] == [("b", replayed[5].completion)]
    again = answer_prompts(prompts, teacher, config, path, write=True, resume=True)
    assert [(one.id, one.completion) for one in again] == [
        (one.id, one.completion) for one in replayed
    ]
