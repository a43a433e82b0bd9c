"""How much faster ROUGE is than rouge-score, in one process on one core, at equal bits.

Run with ``pytest tests/benchmarks -s`` to see the ratios. Nothing asserts seconds: both sides run
in the same process in turn, processor time is counted, and the fastest round of each counts.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from muscle_metrics.scorers.rouge import rouge, rouge_variants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOUR = ("rouge1", "rouge2", "rougeL", "rougeLsum")
ENDINGS = ("", "s", "ed", "ing", "ly", "ation", "ness", "er", "able", "ies")


def zipf_vocabulary(size: int, chance: random.Random) -> list[str]:
    """Make up words with English endings, so that stems differ; frequent words are short."""
    words: dict[str, None] = {}
    while len(words) < size:
        syllables = (
            chance.choice("bcdfglmnprstvw") + chance.choice("aeiou") + chance.choice("nrstl  ")
            for _ in range(chance.randint(1, 3))
        )
        words["".join(syllables).replace(" ", "") + chance.choice(ENDINGS)] = None
    return sorted(words, key=lambda word: len(word) + chance.gauss(0, 2))


def zipf_texts(count: int, words: int, *, seed: int, per_line: int | None = None) -> list[str]:
    chance = random.Random(seed)
    vocabulary = zipf_vocabulary(10_000, random.Random(0))
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    texts = []
    for _ in range(count):
        drawn = chance.choices(vocabulary, weights, k=words)
        size = per_line or words
        lines = [drawn[start : start + size] for start in range(0, words, size)]
        texts.append("\n".join(" ".join(line) for line in lines))
    return texts


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def compare(
    variants: Sequence[str],
    *,
    stem: bool,
    words: int,
    items: int,
    sample: int,
    per_line: int | None = None,
    rounds: int = 5,
) -> float:
    """Time ratio per item for old and new predictions against their references."""
    old, new, references = (
        zipf_texts(items, words, seed=seed, per_line=per_line) for seed in (1, 2, 3)
    )
    scorer = RougeScorer(list(variants), use_stemmer=stem)

    def theirs() -> list[dict[str, Any]]:
        return [
            scorer.score(reference, prediction)
            for predictions in (old, new)
            for prediction, reference in zip(predictions[:sample], references[:sample], strict=True)
        ]

    def ours() -> dict[str, np.ndarray]:
        return rouge_variants(old + new, references + references, variants, stem=stem)

    their_times, our_times = [], []
    for _ in range(rounds):
        time_once, expected = timed(theirs)
        their_times.append(time_once / sample)
        time_once, actual = timed(ours)
        our_times.append(time_once / items)
    for variant in variants:
        ours_sampled = np.concatenate([actual[variant][:sample], actual[variant][items:][:sample]])
        difference = ours_sampled - [scores[variant].fmeasure for scores in expected]
        assert np.abs(difference).max() == 0.0
    ratio = min(their_times) / min(our_times)
    print(
        f"\n{words} words, {per_line or words} a line, stem={stem}, {' '.join(variants)}: "
        f"{min(their_times) * 1e6:.0f} -> {min(our_times) * 1e6:.1f} us per item, "
        f"{ratio:.0f} times as fast, largest difference 0.0"
    )
    return ratio


# A busy machine slows the two sides unequally, so a third of the aim has to be left of it.
@pytest.mark.parametrize(
    ("words", "per_line", "items", "sample", "floor"),
    [(25, None, 4000, 60, 33), (200, None, 400, 6, 33), (200, 20, 400, 6, 33)],
)
def test_four_variants_with_stemming(
    words: int, per_line: int | None, items: int, sample: int, floor: float
) -> None:
    ratio = compare(FOUR, stem=True, words=words, per_line=per_line, items=items, sample=sample)
    assert ratio >= floor


@pytest.mark.parametrize(("words", "items", "sample"), [(25, 4000, 400), (200, 400, 60)])
def test_rouge1_without_stemming(words: int, items: int, sample: int) -> None:
    assert compare(["rouge1"], stem=False, words=words, items=items, sample=sample) >= 2.7


def test_one_long_pair() -> None:
    one, two = zipf_texts(2, 4000, seed=1)
    scorer = RougeScorer(["rougeL"])
    rouge([one], [two], variant="rougeL")
    our_time = min(timed(lambda: rouge([one], [two], variant="rougeL"))[0] for _ in range(5))
    their_time, expected = timed(lambda: scorer.score(two, one))
    assert rouge([one], [two], variant="rougeL").tolist() == [expected["rougeL"].fmeasure]
    ratio = their_time / our_time
    print(f"\none pair of 4000 words, rougeL: {their_time:.2f} -> {our_time:.4f} s, {ratio:.0f} x")
    assert ratio >= 300


@pytest.mark.parametrize("per_line", [None, 5000, 25])
def test_fifty_thousand_words_finish(per_line: int | None) -> None:
    one, two = zipf_texts(2, 50_000, seed=1, per_line=per_line)
    times = {
        variant: timed(lambda variant=variant: rouge([one], [two], variant=variant))[0]
        for variant in FOUR
    }
    print(
        f"\none pair of 50 000 words, {per_line or 50_000} a line:",
        ", ".join(f"{variant} {seconds:.2f} s" for variant, seconds in times.items()),
    )
    assert rouge([one], [one], variant="rougeLsum").tolist() == [1]


def test_time_and_memory_of_many_pairs() -> None:
    stock = zipf_texts(2000, 50, seed=1)
    times, peaks = {}, {}
    for items in (25_000, 100_000):
        predictions = [f"{stock[k % 1000]} {k}" for k in range(items)]
        references = [f"{stock[1000 + k % 997]} {k}" for k in range(items)]
        score = partial(rouge_variants, predictions, references, FOUR)
        times[items] = min(timed(score)[0] for _ in range(2))
        tracemalloc.start()
        score()
        peaks[items] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    print(
        "\n"
        + "; ".join(
            f"{items} pairs of 50 words, four variants: {times[items]:.1f} s, "
            f"peak {peaks[items] / 1e6:.0f} MB beside the texts"
            for items in times
        )
    )
    # Four times the items take four times as long, on a quiet machine.
    assert times[100_000] / times[25_000] < 8
    # Some hundred bytes an item to find equal pairs and hold the scores; blocks are bounded.
    assert peaks[100_000] < 100e6
