"""The metrics under torchmetrics' own rules: batches, collections, processes, pickles."""

from __future__ import annotations

import copy
import math
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import InputError, count_flips

if TYPE_CHECKING:
    from pathlib import Path

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from torchmetrics import MetricCollection  # noqa: E402
from torchmetrics.classification import MulticlassAccuracy  # noqa: E402

from muscle_metrics.integrations.torchmetrics import (  # noqa: E402
    InconsistencyFlipRate,
    NegativeFlipRate,
    PositiveFlipRate,
)

CLASSES = (NegativeFlipRate, PositiveFlipRate, InconsistencyFlipRate)
WORKED = {"old": [*"AABBCCDDAB"], "new": [*"ABBACDDDCC"], "references": [*"AABBDDDDBB"]}
WORKED_RATES = {"NegativeFlipRate": 0.3, "PositiveFlipRate": 0.1, "InconsistencyFlipRate": 0.4}


def tensors(**columns: Any) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([ord(c) for c in column]) for name, column in columns.items()}


def values(rates: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: pytest.approx(float(rate)) for name, rate in rates.items()}


@pytest.mark.parametrize("columns", [WORKED, tensors(**WORKED)], ids=["text", "tensors"])
def test_worked_example(columns: dict[str, Any]) -> None:
    for metric in CLASSES:
        rate = metric()
        rate.update(**columns)
        assert float(rate.compute()) == pytest.approx(WORKED_RATES[metric.__name__])


@given(st.lists(st.lists(st.tuples(*[st.integers(0, 2)] * 3), max_size=5), min_size=1))
@settings(max_examples=50)
def test_batches_count_like_all_items_at_once(batches: list[list[tuple[int, int, int]]]) -> None:
    rows = [row for batch in batches for row in batch]
    metric = NegativeFlipRate()
    for batch in batches:
        old, new, references = torch.tensor(batch, dtype=torch.int64).reshape(-1, 3).T
        metric.update(old=old, new=new, references=references)
    if not rows:
        assert math.isnan(metric.compute())
        return
    old, new, references = zip(*rows, strict=True)
    expected = count_flips(old=old, new=new, references=references)
    assert metric.counts == expected
    assert float(metric.compute()) == pytest.approx(expected.negative_flip_rate)


def test_nothing_is_no_rate() -> None:
    metric = NegativeFlipRate()
    with pytest.warns(UserWarning, match="before the ``update`` method"):
        assert math.isnan(metric.compute())


def test_forward_gives_the_rate_of_a_batch_and_keeps_the_whole() -> None:
    metric = NegativeFlipRate()
    assert metric(old=[1], new=[2], references=[1]) == 1
    assert metric(old=[1], new=[1], references=[1]) == 0
    assert math.isnan(metric(old=[], new=[], references=[]))
    assert metric.compute() == 0.5


def test_reset() -> None:
    metric = NegativeFlipRate()
    metric.update(**WORKED)
    metric.reset()
    metric.update(old=[1], new=[2], references=[1])
    assert metric.compute() == 1
    assert metric.counts.total == 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_and_pickles(copied: Any) -> None:
    metric = InconsistencyFlipRate(key=str.lower)
    metric.update(**WORKED)
    twin = copied(metric)
    twin.update(old=["a"], new=["B"], references=["A"])
    assert (metric.counts.total, twin.counts.total) == (10, 11)
    assert twin.counts.inconsistency_flip_rate.count == 5


def test_a_checkpoint_keeps_the_counts() -> None:
    metric, twin = NegativeFlipRate(), NegativeFlipRate()
    metric.persistent(True)
    metric.update(**WORKED)
    twin.persistent(True)
    twin.load_state_dict(metric.state_dict())
    assert twin.counts == metric.counts


def test_a_collection_counts_once_and_goes_with_other_metrics() -> None:
    flips = MetricCollection([metric() for metric in CLASSES])
    flips.update(**WORKED)
    flips.update(**WORKED)
    assert len(flips.compute_groups) == 1
    assert values(flips.compute()) == WORKED_RATES

    mixed = MetricCollection([NegativeFlipRate(), MulticlassAccuracy(3, average="micro")])
    old, new, references = torch.tensor([[0, 1, 2], [0, 1, 1], [0, 2, 2]])
    mixed.update(old=old, new=new, references=references, preds=new, target=references)
    assert values(mixed.compute()) == {"NegativeFlipRate": 1 / 3, "MulticlassAccuracy": 1 / 3}


def test_a_swap_by_position_is_refused() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        NegativeFlipRate().update([1], [2], [1])


def test_what_cannot_be_compared_leaves_the_counts_alone() -> None:
    metric = NegativeFlipRate()
    metric.update(**WORKED)
    for columns in (
        {"old": [1], "new": [1, 2], "references": [1, 2]},
        {"old": [], "new": [1], "references": [1]},
        {"old": ["1"], "new": ["1"], "references": [1]},
        {"old": [1.0], "new": [math.nan], "references": [1.0]},
    ):
        with pytest.raises(InputError):
            metric.update(**columns)
    assert metric.counts.total == 10
    lenient = NegativeFlipRate(missing="wrong")
    lenient.update(old=[1.0], new=[math.nan], references=[1.0])
    assert lenient.compute() == 1


def test_types_are_those_of_the_rate_and_not_of_the_counts() -> None:
    metric = NegativeFlipRate().to("cpu").half()
    metric.set_dtype(torch.float16)
    for _ in range(3):
        metric.update(old=[1] * 2049, new=[1] * 2048 + [2], references=[1] * 2049)
    assert (metric.counts.negative, metric.counts.total) == (3, 6147)
    metric.set_dtype(torch.float64)
    assert metric.compute().dtype == torch.float64
    assert float(metric.compute()) == 1 / 2049


def count_shards(rank: int, folder: str, rows: list[tuple[int, int, int]]) -> None:
    """What one of two processes does: every second item, in batches of which half are empty."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    try:
        metrics = MetricCollection([metric() for metric in CLASSES])
        for batch in (rows[rank::2][:3], [], rows[rank::2][3:], []):
            old, new, references = torch.tensor(batch, dtype=torch.int64).reshape(-1, 3).T
            metrics.update(old=old, new=new, references=references)
        one = NegativeFlipRate()
        if rank == 0:  # the other process has no item at all
            one.update(old=[1, 1], new=[2, 1], references=[1, 1])
        with pytest.warns(UserWarning, match="before the ``update``") if rank else nothing():
            share = one.compute()
        with one.sync_context():
            counts = one.counts
        found = {name: float(rate) for name, rate in metrics.compute().items()}
        torch.save((found, float(share), counts.total), f"{folder}/{rank}.pt")
    finally:
        torch.distributed.destroy_process_group()


def nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


@pytest.mark.slow
def test_two_processes_count_like_one(tmp_path: Path) -> None:
    rows = [(i % 3, (i * i) % 3, (i // 2) % 3) for i in range(15)]
    torch.multiprocessing.start_processes(
        count_shards, args=(str(tmp_path), rows), nprocs=2, start_method="spawn"
    )
    old, new, references = zip(*rows, strict=True)
    expected = count_flips(old=old, new=new, references=references)
    for rank in (0, 1):
        found, share, total = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert found == {
            "NegativeFlipRate": pytest.approx(expected.negative_flip_rate),
            "PositiveFlipRate": pytest.approx(expected.positive_flip_rate),
            "InconsistencyFlipRate": pytest.approx(expected.inconsistency_flip_rate),
        }
        assert (share, total) == (0.5, 2)
