"""Between two adapters, and the pick among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips.rates import Rate

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict

from muscle_metrics.adapter import CompatibilityConfig, make_evaluator, read_examples
from muscle_metrics.adapter.evaluation.frontier import (
    Candidate,
    interpolate_adapters,
    pareto_front,
    pick_candidate,
    trace_frontier,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CANDIDATES = st.lists(
    st.builds(
        lambda name, right, flips: Candidate(name, right / 10, Rate(flips, 10)),
        st.text("abc", min_size=1),
        st.integers(0, 10),
        st.integers(0, 10),
    ),
    min_size=1,
    max_size=12,
)


@given(CANDIDATES)
def test_nobody_beats_the_front_and_somebody_beats_the_rest(candidates: list[Candidate]) -> None:
    front = pareto_front(candidates)
    assert front
    for one in candidates:
        beaten = any(
            (-other.accuracy, other.nfr) != (-one.accuracy, one.nfr)
            and other.accuracy >= one.accuracy
            and other.nfr <= one.nfr
            for other in candidates
        )
        assert beaten == (one not in front)
    accuracies = [one.accuracy for one in front]
    flips = [float(one.nfr) for one in front]
    assert accuracies == sorted(accuracies)
    assert flips == sorted(flips)


@given(CANDIDATES)
def test_the_pick_loses_no_accuracy_and_has_the_least_flips(candidates: list[Candidate]) -> None:
    picked = pick_candidate(candidates)
    assert picked.accuracy >= candidates[0].accuracy
    assert picked.nfr <= candidates[0].nfr
    assert not any(
        one.nfr < picked.nfr and one.accuracy >= candidates[0].accuracy for one in candidates
    )
    assert picked in pareto_front([one for one in candidates if one.accuracy >= picked.accuracy])


def test_a_pick_needs_a_candidate() -> None:
    with pytest.raises(InputError, match="expected at least 1 candidate, got none"):
        pick_candidate([])


@given(st.floats(0, 1), st.floats(-4, 4), st.floats(-4, 4))
def test_interpolation_is_linear_and_exact_at_the_ends(
    share: float, start: float, end: float
) -> None:
    ends = {"a": torch.tensor([start])}, {"a": torch.tensor([end])}
    assert interpolate_adapters(*ends, 0)["a"].item() == ends[0]["a"].item()
    assert interpolate_adapters(*ends, 1)["a"].item() == ends[1]["a"].item()
    between = interpolate_adapters(*ends, share)["a"].item()
    assert between == pytest.approx((1 - share) * start + share * end, abs=1e-5)


@pytest.mark.parametrize("other", [{"a": torch.zeros(3)}, {"b": torch.zeros(2)}])
def test_adapters_of_other_shapes_are_refused(other: dict[str, torch.Tensor]) -> None:
    with pytest.raises(InputError, match="expected two adapters of one shape"):
        interpolate_adapters({"a": torch.zeros(2)}, other, 0.5)


def test_shares_beyond_the_ends_are_refused() -> None:
    with pytest.raises(UsageError, match=r"expected share to be between 0 and 1, got 1\.2"):
        interpolate_adapters({}, {}, 1.2)


def test_a_frontier_is_judged_and_leaves_the_picked_adapter(
    make_model: Callable[..., Any], tokenizer: Any
) -> None:
    torch.manual_seed(0)
    settings = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False)
    model = get_peft_model(make_model(1), settings).eval()
    # With embeddings peft would ask the hub for the model.
    weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    start = {name: value.clone() for name, value in weights.items()}
    trained = {
        name: {key: torch.randn_like(value) for key, value in start.items()} for name in ("a", "b")
    }
    rows = [
        {"id": str(n), "prompt": f"w{n} w{n + 1} ?", "choices": ["yes", "no", "red"], "answer": 0}
        for n in range(20)
    ]
    evaluate = make_evaluator(read_examples(rows), CompatibilityConfig())
    frontier = trace_frontier(
        model,
        tokenizer,
        start=start,
        trained=trained,
        old_scores=[1.0] * 10 + [0.0] * 10,
        evaluate=evaluate,
        shares=(0.5, 1.0),
    )
    names = [one.name for one in frontier.candidates]
    assert names == ["start", "a x 0.5", "a x 1", "b x 0.5", "b x 1"]
    assert frontier.picked == pick_candidate(frontier.candidates)
    assert set(frontier.front) <= set(frontier.candidates)
    scores = evaluate(model, tokenizer)
    assert sum(scores) / len(scores) == pytest.approx(frontier.picked.accuracy)
    flips = sum(1 for old, new in zip([1.0] * 10 + [0.0] * 10, scores, strict=True) if new < old)
    assert flips == frontier.picked.nfr.count
    for key, value in get_peft_model_state_dict(model, save_embedding_layers=False).items():
        assert torch.equal(value, frontier.weights[key])
