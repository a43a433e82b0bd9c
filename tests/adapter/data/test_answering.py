"""Answers in batches equal those of one item at a time; prompts are replayed with them."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from muscle_metrics.adapter import CompatibilityConfig, read_examples  # noqa: E402
from muscle_metrics.adapter.data.answering import (  # noqa: E402
    ChoiceScores,
    answer_prompts,
    choice_log_likelihoods,
    generate_answers,
)
from muscle_metrics.adapter.models import LoadedModel  # noqa: E402

PROMPTS = ["w1 w2 w3 ?", "w4", "w5 w6 w7 w8 w9 w10 ? "]
CHOICES = [["yes", "no"], ["red w1", "blue", "green w2 w3"], ["w1 yes", "w2 no"]]


@pytest.fixture(scope="module")
def model(make_model):
    return make_model(1)


def log_likelihood(model, tokenizer, prompt: str, choice: str) -> float:
    """By the definition: one row, no padding, token after token."""
    start, following = (tokenizer(text)["input_ids"] for text in (prompt, choice))
    total = 0.0
    with torch.no_grad():
        for place, token in enumerate(following):
            row = torch.tensor([[*start, *following[:place]]])
            total += float(model(input_ids=row).logits[0, -1].double().log_softmax(0)[token])
    return total


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_choices_are_scored_as_defined(model, tokenizer, batch_size):
    scores = choice_log_likelihoods(model, tokenizer, PROMPTS, CHOICES, batch_size=batch_size)
    for prompt, choices, score in zip(PROMPTS, CHOICES, scores, strict=True):
        expected = [log_likelihood(model, tokenizer, prompt, choice) for choice in choices]
        assert score.log_likelihoods == pytest.approx(expected, abs=1e-5)
        assert score.characters == tuple(map(len, choices))


def test_a_model_that_cannot_cut_its_logits_scores_the_same(model, tokenizer, monkeypatch):
    expected = choice_log_likelihoods(model, tokenizer, PROMPTS, CHOICES)
    forward = model.forward
    monkeypatch.setattr(
        model,
        "forward",
        lambda input_ids, attention_mask: forward(
            input_ids=input_ids, attention_mask=attention_mask
        ),
    )
    for one, other in zip(
        choice_log_likelihoods(model, tokenizer, PROMPTS, CHOICES), expected, strict=True
    ):
        assert one.log_likelihoods == pytest.approx(other.log_likelihoods, abs=1e-5)


def test_greedy_answers_are_those_of_argmax(model, tokenizer):
    answers = generate_answers(model, tokenizer, PROMPTS, max_new_tokens=6, batch_size=2)
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        tokens = tokenizer(prompt)["input_ids"]
        start = len(tokens)
        with torch.no_grad():
            while len(tokens) < start + 6 and tokens[-1] != tokenizer.eos_token_id:
                row = torch.tensor([tokens])
                tokens = [*tokens, int(model(input_ids=row).logits[0, -1].argmax())]
        assert answer == tokenizer.decode(tokens[start:], skip_special_tokens=True)


def test_draws_repeat_and_leave_the_global_generator_alone(model, tokenizer):
    before = torch.random.get_rng_state()
    drawn = [
        generate_answers(model, tokenizer, PROMPTS, temperature=1.0, seed=seed, max_new_tokens=8)
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert torch.equal(before, torch.random.get_rng_state())


def test_stops_end_an_answer(model, tokenizer):
    answers = generate_answers(model, tokenizer, PROMPTS, max_new_tokens=6)
    stop = max(answers, key=len).split()[1]
    stopped = generate_answers(model, tokenizer, PROMPTS, max_new_tokens=6, stop=[stop])
    assert stopped == [answer.partition(stop)[0] for answer in answers] != answers


def test_a_dropped_mode_comes_back(model, tokenizer):
    model.train()
    generate_answers(model, tokenizer, PROMPTS[:1], max_new_tokens=1)
    assert model.training
    model.eval()


def test_length_normalization_divides_by_characters():
    score = ChoiceScores((-4.0, -6.0), (2, 4))
    assert score.best() == 0
    assert score.best(length_normalized=True) == 1


def test_every_offered_choice_is_replayed_and_only_answers_are_stored(
    make_model, tokenizer, tmp_path
):
    rows = [
        {"id": "a", "prompt": "w1 w2 ?", "choices": ["yes", "no"]},
        {"id": "b", "prompt": "w3 w4 w5"},
        {"id": "c", "prompt": "w6 ?", "choices": ["red", "blue", "green"]},
    ]
    prompts = read_examples(rows, answered=False)
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
