"""Examples become tokens, labels and batches."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from muscle_metrics.adapter.data.examples import (  # noqa: E402
    EncodedExample,
    Example,
    GoldAndReplay,
    collate,
    encode_examples,
    encode_pair,
)
from muscle_metrics.errors import InputError  # noqa: E402


def test_no_continuation_is_refused(tokenizer):
    with pytest.raises(InputError, match="expected a continuation"):
        encode_pair(tokenizer, "w1", "")


def test_a_pair_that_is_one_token_is_refused(tokenizer):
    with pytest.raises(InputError, match="set a delimiter"):
        encode_pair(tokenizer, "w", "1", delimiter="")


def test_an_empty_prompt_starts_with_the_first_token(tokenizer):
    tokens, length = encode_pair(tokenizer, "", "w1")
    assert (tokens, length) == ([1, tokenizer("w1")["input_ids"][0]], 1)


def test_white_space_of_the_prompt_replaces_the_delimiter(tokenizer):
    whole = tokenizer("w1 w2")["input_ids"]
    for prompt, continuation in (("w1", "w2"), ("w1 ", "w2"), ("w1", " w2")):
        assert encode_pair(tokenizer, prompt, continuation) == (whole, 1)


@pytest.mark.parametrize(
    ("loss_over", "choices", "labels"),
    [
        ("prompt_and_completion", (), ["w2", "w3", "</s>"]),
        ("completion", (), [None, "w3", "</s>"]),
        ("completion", ("w3", "w4"), [None, "w3"]),
    ],
)
def test_labels_are_the_tokens_of_the_loss(tokenizer, loss_over, choices, labels):
    example = Example(id="1", prompt="w1 w2", completion="w3", choices=choices, weight=2.0)
    (encoded,) = encode_examples(tokenizer, [example], loss_over=loss_over, max_length=9)
    wanted = [-100 if one is None else tokenizer.convert_tokens_to_ids(one) for one in labels]
    assert encoded.labels == [-100, *wanted]
    assert encoded.weight == 2.0
    most = len(encoded.tokens) - 1
    (shorter,) = encode_examples(tokenizer, [example], loss_over=loss_over, max_length=most)
    assert shorter.tokens == encoded.tokens[1:]


def test_replayed_examples_take_turns_through_the_epochs():
    pairs = GoldAndReplay(["a", "b"], ["x", "y", "z"])
    turns = []
    for epoch in range(3):
        pairs.start_epoch(epoch)
        assert [pairs[place][0] for place in range(2)] == [(0, False, "a"), (1, False, "b")]
        turns += [pairs[place][1] for place in range(2)]
    x, y, z = (2, True, "x"), (3, True, "y"), (4, True, "z")
    assert turns == [x, y, z, x, y, z]


def test_a_batch_has_gold_rows_first():
    long, short = EncodedExample([4, 5], [-100, 5], 1.0), EncodedExample([6], [-100], 2.0)
    batch = collate([[(0, False, long), (7, True, short)], [(1, False, short)]], padding=9)
    assert {name: values.tolist() for name, values in batch.items()} == {
        "input_ids": [[4, 5], [6, 9], [6, 9]],
        "attention_mask": [[1, 1], [1, 0], [1, 0]],
        "labels": [[-100, 5], [-100, -100], [-100, -100]],
        "weights": [1.0, 2.0, 2.0],
        "replayed": [False, False, True],
        "examples": [0, 1, 7],
    }
