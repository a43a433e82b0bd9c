"""The fused loss equals the plain one: loss, gradients, parts; and it keeps no logits."""

from __future__ import annotations

import itertools

import pytest

torch = pytest.importorskip("torch")

from muscle_metrics.adapter.loss.fused import (  # noqa: E402
    HeadRows,
    LogitRows,
    fused_compatibility_loss,
)
from muscle_metrics.adapter.loss.losses import compatibility_loss  # noqa: E402
from muscle_metrics.adapter.loss.strategies import STRATEGIES, LossSettings, Tokens  # noqa: E402
from muscle_metrics.errors import InputError  # noqa: E402

DIVERGENCES = ("forward_kl", "reverse_kl", "jsd")
N, H, V = 19, 8, 31


def made(
    dtype: torch.dtype = torch.float32,
    *,
    trained_head: bool = False,
    sizes: tuple[int, int, int] = (N, H, V),
) -> dict:
    n, h, v = sizes
    source = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=source).to(dtype)

    heads = {name: draw(v, h) for name in ("student", "old", "new")}
    hidden = {name: draw(n, h) for name in heads}
    # Labels that each model gets right about half of the time.
    best = (hidden["student"] @ heads["student"].T).argmax(1)
    other = (hidden["old"] @ heads["old"].T).argmax(1)
    labels = torch.where(torch.rand(n, generator=source) < 0.5, best, other)
    return {
        "hidden": hidden.pop("student").requires_grad_(),
        "weight": heads.pop("student").requires_grad_(trained_head),
        "bias": draw(v).requires_grad_(trained_head),
        "teachers": {name: HeadRows(hidden[name], heads[name]) for name in heads},
        "logits": {name: hidden[name] @ heads[name].T for name in heads},
        "tokens": Tokens(
            labels,
            torch.rand(n, generator=source),
            torch.arange(n) // 5,
            torch.arange(n) % 4 == 3,
        ),
    }


def plainly(batch: dict, settings: LossSettings) -> tuple:
    logits = torch.nn.functional.linear(batch["hidden"], batch["weight"], batch["bias"])
    tokens = batch["tokens"]
    return compatibility_loss(
        logits,
        tokens.labels,
        **batch["logits"],
        settings=settings,
        weights=tokens.weights,
        sequences=tokens.sequences,
        replayed=tokens.replayed,
    )


def fused(batch: dict, settings: LossSettings, chunk: int | None = None) -> tuple:
    given = {name: batch[name] for name in ("hidden", "weight", "bias", "tokens")}
    return fused_compatibility_loss(**given, **batch["teachers"], settings=settings, chunk=chunk)


def gradients(parts: tuple, batch: dict) -> list[torch.Tensor]:
    wanted = [batch[name] for name in ("hidden", "weight", "bias") if batch[name].requires_grad]
    return list(torch.autograd.grad(3 * parts.loss, wanted))


@pytest.mark.parametrize(
    ("strategy", "divergence"), list(itertools.product(STRATEGIES, DIVERGENCES))
)
def test_equals_the_plain_loss(strategy, divergence):
    for weight, trained_head, chunk in ((1.0, False, 4), (0.4, True, 7), (0.0, False, None)):
        batch = made(trained_head=trained_head)
        settings = LossSettings(
            strategy=strategy, divergence=divergence, distillation_weight=weight, old_share=0.3
        )
        ours, plain = fused(batch, settings, chunk), plainly(batch, settings)
        for one, other in zip(ours, plain, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5, equal_nan=True)
        for one, other in zip(gradients(ours, batch), gradients(plain, batch), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_gradient_is_that_of_finite_differences(divergence):
    # Small: each number is moved once. Two chunks, both kinds of rows.
    batch = made(torch.float64, trained_head=True, sizes=(8, 3, 11))
    settings = LossSettings(
        strategy="old_correct_mixture", divergence=divergence, distillation_weight=0.5
    )

    def loss(*inputs: torch.Tensor) -> torch.Tensor:
        named = dict(zip(("hidden", "weight", "bias"), inputs, strict=True))
        return fused({**batch, **named}, settings, chunk=5).loss

    inputs = [batch[name] for name in ("hidden", "weight", "bias")]
    assert torch.autograd.gradcheck(loss, inputs, fast_mode=True)


def test_bf16_is_as_near_to_the_truth_as_the_plain_loss():
    settings = LossSettings(strategy="student_incorrect", distillation_weight=0.7)
    halves = made(torch.bfloat16)
    doubles = {
        **halves,
        **{name: halves[name].detach().double() for name in ("weight", "bias")},
        "hidden": halves["hidden"].detach().double().requires_grad_(),
        "logits": {name: values.double() for name, values in halves["logits"].items()},
    }
    truth = plainly(doubles, settings)
    exact = gradients(truth, doubles)[0]
    errors = []
    for parts in (fused(halves, settings), plainly(halves, settings)):
        assert parts.loss.dtype == torch.float32
        assert parts.loss.item() == pytest.approx(truth.loss.item(), rel=0.01)
        (gradient,) = gradients(parts, halves)
        assert gradient.dtype == torch.bfloat16
        errors.append(float((gradient.double() - exact).norm() / exact.norm()))
    assert errors[0] <= 1.2 * errors[1]
    assert errors[0] < 0.02


class CountedRows(LogitRows):
    """A teacher that counts the rows it is asked for."""

    def __init__(self, logits: torch.Tensor, asked: list[int]) -> None:
        super().__init__(logits)
        self._asked = asked

    def cut(self, rows: slice) -> CountedRows:
        return CountedRows(self._logits[rows], self._asked)

    def log_probabilities(self, chosen, temperature, student):
        self._asked.append(int(chosen.sum()))
        return super().log_probabilities(chosen, temperature, student)


def test_teachers_are_asked_only_for_their_rows():
    batch = made()
    asked: dict[str, list[int]] = {"old": [], "new": []}
    batch["teachers"] = {
        name: CountedRows(batch["logits"][name], asked[name]) for name in ("old", "new")
    }
    settings = LossSettings(strategy="student_incorrect", replay_share=1.0)
    by_old = int(fused(batch, settings, chunk=6).old_share.sum())
    assert 0 < by_old < N
    assert (sum(asked["old"]), sum(asked["new"])) == (by_old, N - by_old)


def test_nothing_of_the_size_of_the_logits_is_kept():
    batch = made()
    kept: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        fused(batch, LossSettings(strategy="mixture"), chunk=4)
    assert kept
    assert max(kept) == N * H


def test_no_gradient_is_made_where_none_is_wanted():
    batch = made()
    with torch.no_grad():
        parts = fused(batch, LossSettings())
    assert not parts.loss.requires_grad
    expected = plainly(batch, LossSettings()).loss
    assert parts.loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_no_token_is_refused():
    batch = made()
    batch["hidden"] = batch["hidden"][:0]
    batch["tokens"] = Tokens(*(values[:0] for values in batch["tokens"]))
    with pytest.raises(InputError, match="every label is ignored"):
        fused(batch, LossSettings())
