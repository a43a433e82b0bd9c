"""A model's answers become a run that the rest of the package reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.errors import UsageError

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from muscle_metrics.adapter import (
    CompatibilityConfig,
    choice_log_likelihoods,
    generate_answers,
    read_examples,
)
from muscle_metrics.adapter.evaluation.evaluate import evaluate_model, save_run
from muscle_metrics.adapter.teachers.ensemble import Ensemble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHOICES = [
    {"id": f"c{n}", "prompt": f"w{n} w{n + 1} ?", "choices": ["yes", "no no no"], "answer": n % 2}
    for n in range(12)
]
TEXTS = [
    {"id": f"t{n}", "prompt": f"w{n} w{n + 2} ?", "completion": f"w{n} red blue"} for n in range(12)
]


@pytest.fixture(scope="module")
def models(make_model: Callable[..., Any]) -> tuple[Any, Any]:
    return make_model(1), make_model(2)


def test_the_answer_to_choices_is_the_most_likely_one(models: Any, tokenizer: Any) -> None:
    examples = read_examples(CHOICES)
    scored = choice_log_likelihoods(
        models[0],
        tokenizer,
        [example.prompt for example in examples],
        [example.choices for example in examples],
    )
    plain = evaluate_model(models[0], tokenizer, examples, name="plain")
    config = CompatibilityConfig(length_normalized=True)
    normal = evaluate_model(models[0], tokenizer, examples, name="normalized", config=config)
    for example, score, one, other in zip(examples, scored, plain, normal, strict=True):
        likelihoods = np.array(score.log_likelihoods)
        assert one.prediction == example.choices[int(likelihoods.argmax())]
        by_length = likelihoods / [len(choice) for choice in example.choices]
        assert other.prediction == example.choices[int(by_length.argmax())]
    assert [record.prediction for record in plain] != [record.prediction for record in normal]


def test_compare_reads_what_was_saved(models: Any, tokenizer: Any, tmp_path: Path) -> None:
    examples = read_examples([*CHOICES, *TEXTS])
    runs = [
        evaluate_model(model, tokenizer, examples, name=name, task="both")
        for model, name in zip(models, ("old", "new"), strict=True)
    ]
    paths = [tmp_path / f"{run.name}.jsonl" for run in runs]
    for run, path in zip(runs, paths, strict=True):
        save_run(run, path)
    read = [read_run(path, prompt_field="prompt", slice_field="task") for path in paths]
    assert [record.prediction for record in read[0]] == [record.prediction for record in runs[0]]
    assert compare_runs(*read).counts == compare_runs(*runs).counts
    assert compare_runs(*read).total == 24


def test_free_text_is_scored_and_the_score_is_kept(
    models: Any, tokenizer: Any, tmp_path: Path
) -> None:
    config = CompatibilityConfig(metric="rouge1", max_new_tokens=5)
    run = evaluate_model(models[0], tokenizer, read_examples(TEXTS), name="old", config=config)
    save_run(run, tmp_path / "old.jsonl")
    scored = read_run(tmp_path / "old.jsonl", score_field="rouge1")
    for record, again in zip(run, scored, strict=True):
        said, wanted = set(str(record.prediction).split()), set(str(record.reference).split())
        assert (record.scores["rouge1"] > 0) == bool(said & wanted)
        assert dict(again.scores) == dict(record.scores)


def test_an_unknown_metric_is_refused(models: Any, tokenizer: Any) -> None:
    with pytest.raises(UsageError, match="expected metric to be one of"):
        evaluate_model(
            models[0],
            tokenizer,
            read_examples(TEXTS),
            name="old",
            config=CompatibilityConfig(metric="rouge-1"),
        )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_ensemble_of_one_is_that_one(models: Any, tokenizer: Any, share: float) -> None:
    ensemble = Ensemble(*models, share=share)
    alone = models[0] if share else models[1]
    prompts = [row["prompt"] for row in TEXTS] + ["w1 w2 w3 w4 w5 ?"]
    assert generate_answers(ensemble, tokenizer, prompts, max_new_tokens=6) == generate_answers(
        alone, tokenizer, prompts, max_new_tokens=6
    )
    examples = read_examples(CHOICES)
    ours, theirs = (
        choice_log_likelihoods(
            model,
            tokenizer,
            [example.prompt for example in examples],
            [example.choices for example in examples],
        )
        for model in (ensemble, alone)
    )
    np.testing.assert_allclose(
        [score.log_likelihoods for score in ours],
        [score.log_likelihoods for score in theirs],
        atol=1e-5,
    )


def test_an_ensemble_mixes_probabilities(models: Any) -> None:
    tokens = torch.tensor([[1, 4, 5], [1, 6, 7]])
    mixed = Ensemble(*models, share=0.25)(tokens).logits.exp()
    old, new = (model(tokens).logits.softmax(-1) for model in models)
    torch.testing.assert_close(mixed, 0.25 * old + 0.75 * new)


def test_an_ensemble_draws_from_its_mixture(models: Any, tokenizer: Any) -> None:
    ensemble = Ensemble(*models)
    drawn = [
        generate_answers(ensemble, tokenizer, ["w1 ?"] * 8, max_new_tokens=3, temperature=2, seed=s)
        for s in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_the_share_of_an_ensemble_is_a_share(models: Any) -> None:
    with pytest.raises(UsageError, match=r"expected share to be between 0 and 1, got 1\.5"):
        Ensemble(*models, share=1.5)
