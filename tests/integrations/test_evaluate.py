"""The metrics in Hugging Face evaluate itself, loaded by path as its users load them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import FlipCounts, InputError, UsageError, count_flips
from muscle_metrics.integrations import EVALUATE_MODULES, evaluate_path

if TYPE_CHECKING:
    from collections.abc import Callable

evaluate = pytest.importorskip("evaluate")

Load = "Callable[[str], Any]"
WORKED = {
    "old_predictions": list("AABBCCDDAB"),
    "predictions": list("ABBACDDDCC"),
    "references": list("AABBDDDDBB"),
}


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Load a metric, with caches in a folder of the test and no way to a network."""
    cache = tmp_path_factory.mktemp("evaluate")
    modules = partial(evaluate.loading.init_dynamic_modules, hf_modules_cache=str(cache))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate.loading, "init_dynamic_modules", modules)
        patch.setattr("socket.socket.connect", None)
        yield lambda name: evaluate.load(evaluate_path(name), cache_dir=str(cache))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("negative_flip_rate", 0.3),
        ("positive_flip_rate", 0.1),
        ("inconsistency_flip_rate", 0.4),
    ],
)
def test_worked_example(load: Load, name: str, value: float) -> None:
    metric = load(name)
    assert (metric.name, metric.module_type) == (name, "metric")
    (result,) = metric.compute(**WORKED).items()
    assert result == (name, value)
    assert result[1].total == 10


def test_the_whole_family(load: Load) -> None:
    result = load("flips").compute(**WORKED)
    counts = FlipCounts(**{name: result[name] for name in FlipCounts.__slots__})
    assert counts == FlipCounts(
        both_right=4, negative=3, positive=1, both_wrong=2, both_right_changed=0, wrong_changed=1
    )
    assert {name: result[name] for name in counts.rates()} == counts.rates()


ANSWERS = st.one_of(
    st.lists(st.sampled_from(["A", "B", "1", "", "\ud800", "ÿ\u2028"])),
    st.lists(st.sampled_from([0, 1, 2**70, 0.1, 1.5, 1e300])),
    st.lists(st.booleans()),
)


@given(data=st.data())
@settings(max_examples=30)
def test_it_counts_as_count_flips_does(load: Load, data: st.DataObject) -> None:
    kind = data.draw(ANSWERS.filter(bool))
    columns = [
        data.draw(st.lists(st.sampled_from(kind), min_size=len(kind), max_size=len(kind)))
        for _ in range(2)
    ]
    expected = count_flips(old=kind, new=columns[0], references=columns[1])
    result = load("flips").compute(
        old_predictions=kind, predictions=columns[0], references=columns[1]
    )
    assert {name: result[name] for name in FlipCounts.__slots__} == {
        name: getattr(expected, name) for name in FlipCounts.__slots__
    }


def test_numbers_are_not_cut_to_integers(load: Load) -> None:
    # Features of int64 would make all three of them 1.
    result = load("negative_flip_rate").compute(
        old_predictions=[1.5], predictions=[1.7], references=[1.5]
    )
    assert result["negative_flip_rate"] == 1


def test_text_is_no_number(load: Load) -> None:
    with pytest.raises(InputError, match="one kind, got text '1' against a number 1"):
        load("negative_flip_rate").compute(old_predictions=["1"], predictions=[1], references=[1])


def test_columns_of_other_libraries(load: Load) -> None:
    torch = pytest.importorskip("torch")
    result = load("negative_flip_rate").compute(
        old_predictions=np.array([1, 2]),
        predictions=torch.tensor([1, 3]),
        references=pd.Series([1, 2]),
    )
    assert (result["negative_flip_rate"].count, result["negative_flip_rate"].total) == (1, 2)


def test_several_references_and_numpy_values(load: Load) -> None:
    result = load("negative_flip_rate").compute(
        old_predictions=[np.int64(1), 2],
        predictions=[np.float32(1.5), 2],
        references=[np.array([1, 7]), [2, 3]],
    )
    assert (result["negative_flip_rate"].count, result["negative_flip_rate"].total) == (1, 2)


def test_item_by_item_and_in_batches_of_which_one_is_empty(load: Load) -> None:
    metric = load("negative_flip_rate")
    metric.add(old_prediction="a", prediction="B", reference="A")
    metric.add_batch(old_predictions=[], predictions=[], references=[])
    metric.add_batch(old_predictions=["A"], predictions=["a"], references=["a"])
    assert metric.compute(key=str.lower)["negative_flip_rate"] == 0.5


def test_nothing_is_no_rate(load: Load) -> None:
    with pytest.raises(InputError, match="expected at least one answer"):
        load("negative_flip_rate").compute(old_predictions=[], predictions=[], references=[])


def test_missing_answers(load: Load) -> None:
    columns = {"old_predictions": ["A", "B"], "predictions": ["A", None], "references": ["A", "B"]}
    with pytest.raises(InputError, match="None or NaN for 1 of 2 in new"):
        load("negative_flip_rate").compute(**columns)
    result = load("negative_flip_rate").compute(**columns, missing="wrong")
    assert result["negative_flip_rate"] == 0.5


def test_what_cannot_be_compared(load: Load) -> None:
    with pytest.raises(ValueError, match=r"missing: \['old_predictions'\]"):
        load("negative_flip_rate").compute(predictions=["A"], references=["A"])
    with pytest.raises(ValueError, match="Mismatch in the number of"):
        load("negative_flip_rate").compute(
            old_predictions=["A", "B"], predictions=["A"], references=["A", "B"]
        )


def test_combined_with_each_other(load: Load) -> None:
    rates = ("negative_flip_rate", "positive_flip_rate")
    combined = evaluate.combine([load(name) for name in rates])
    assert combined.compute(**WORKED) == {"negative_flip_rate": 0.3, "positive_flip_rate": 0.1}


def test_combined_with_a_metric_that_knows_no_old_predictions(load: Load, tmp_path: Path) -> None:
    # Columns that a metric does not know break compute(); add_batch() gives each its own.
    script = tmp_path / "agreement" / "agreement.py"
    script.parent.mkdir()
    script.write_text(AGREEMENT, encoding="utf-8")
    other = evaluate.load(str(script.parent), cache_dir=str(tmp_path))
    combined = evaluate.combine([other, load("negative_flip_rate")])
    combined.add_batch(**WORKED)
    assert combined.compute() == {"agreement": 0.5, "negative_flip_rate": 0.3}


AGREEMENT = """
import datasets
import evaluate


class Agreement(evaluate.Metric):
    def _info(self):
        columns = {name: datasets.Value("string") for name in ("predictions", "references")}
        return evaluate.MetricInfo(
            description="", citation="", features=datasets.Features(columns)
        )

    def _compute(self, predictions, references):
        same = [p == r for p, r in zip(predictions, references)]
        return {"agreement": sum(same) / len(same)}
"""


def test_results_are_saved_as_json(load: Load, tmp_path: Path) -> None:
    result = load("negative_flip_rate").compute(**WORKED)
    path = evaluate.save(tmp_path, **result)
    assert json.loads(path.read_text())["negative_flip_rate"] == 0.3


def test_every_module_is_there_and_no_other_is_known() -> None:
    folder = Path(evaluate_path("flips")).parent
    assert sorted(path.parent.name for path in folder.glob("*/*.py")) == [*EVALUATE_MODULES]
    with pytest.raises(UsageError, match="expected a metric to be one of"):
        evaluate_path("accuracy")
