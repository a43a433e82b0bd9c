"""The losses: a numpy twin, gradients by finite differences, and laws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from muscle_metrics.adapter.loss.losses import compatibility_loss, measure_divergence, mix_teachers  # noqa: E402
from muscle_metrics.adapter.loss.strategies import IGNORED, STRATEGIES, LossSettings  # noqa: E402
from muscle_metrics.errors import InputError, UsageError  # noqa: E402

DIVERGENCES = ("forward_kl", "reverse_kl", "jsd")


# An oracle: the losses in float64 numpy with loops over tokens, written independently.


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def kl(of: np.ndarray, to: np.ndarray) -> float:
    return float(sum(p * np.log(p / q) for p, q in zip(of, to, strict=True) if p > 0))


def twin_divergence(teacher: np.ndarray, student: np.ndarray, kind: str) -> float:
    if kind == "forward_kl":
        return kl(teacher, student)
    if kind == "reverse_kl":
        return kl(student, teacher)
    middle = (teacher + student) / 2
    return (kl(teacher, middle) + kl(student, middle)) / 2


def twin_share(strategy, token, student, old, labels, sequences, mixture_share):
    """m of one token, from the definitions."""
    label = labels[token]
    old_right = old[token].argmax() == label

    def prefers_old(i):
        return softmax(student[i])[labels[i]] < softmax(old[i])[labels[i]]

    if strategy == "student_incorrect":
        return float(student[token].argmax() != label)
    if strategy == "old_correct":
        return float(old_right)
    if strategy in ("old_only", "focal"):
        return 1.0
    if strategy == "new_only":
        return 0.0
    if strategy == "mixture":
        return mixture_share
    if strategy == "old_correct_mixture":
        return 1.0 if old_right else mixture_share
    if strategy == "token_likelihood":
        return float(prefers_old(token))
    assert strategy == "sequence_likelihood"
    peers = [i for i, sequence in enumerate(sequences) if sequence == sequences[token]]
    return float(sum(map(prefers_old, peers)) > len(peers) / 2)


def twin_loss(student, old, new, labels, sequences, replayed, weights, settings) -> float:
    total = 0.0
    for i, label in enumerate(labels):
        m = twin_share(settings.strategy, i, student, old, labels, sequences, settings.old_share)
        emphasis, distilled = 1.0, settings.distillation_weight
        if settings.strategy == "focal":
            emphasis = settings.focal_base + settings.focal_boost * (old[i].argmax() == label)
        if replayed[i]:
            m, emphasis, distilled = settings.replay_share, 1.0, 1.0
        t = settings.temperature
        teacher = m * softmax(old[i] / t) + (1 - m) * softmax(new[i] / t)
        distance = twin_divergence(teacher, softmax(student[i] / t), settings.divergence)
        entropy = -np.log(softmax(student[i])[label])
        total += weights[i] * (distilled * emphasis * distance + (1 - distilled) * entropy)
    return total


def batch(seed: int, tokens: int = 12, vocabulary: int = 7) -> dict[str, torch.Tensor]:
    """Rows of which many, but not all, are right, in sequences of other lengths."""
    source = torch.Generator().manual_seed(seed)
    labels = torch.randint(vocabulary, (tokens,), generator=source)
    bonus = 1.5 * torch.nn.functional.one_hot(labels, vocabulary)
    rows = {
        name: torch.randn(tokens, vocabulary, generator=source, dtype=torch.float64) * 2 + bonus
        for name in ("student", "old", "new")
    }
    return {
        **rows,
        "labels": labels,
        "sequences": torch.tensor([0] * 3 + [1] * 4 + [2] * (tokens - 7)),
        "replayed": torch.arange(tokens) % 5 == 4,
        "weights": torch.rand(tokens, generator=source, dtype=torch.float64),
    }


@pytest.mark.parametrize(
    ("strategy", "divergence"), list(itertools.product(STRATEGIES, DIVERGENCES))
)
def test_equals_the_numpy_twin(strategy, divergence):
    for seed, weight in ((0, 1.0), (1, 0.3), (2, 0.0)):
        rows = batch(seed)
        settings = LossSettings(
            strategy=strategy,
            divergence=divergence,
            distillation_weight=weight,
            temperature=1.7,
            old_share=0.4,
        )
        expected = twin_loss(
            **{name: values.numpy() for name, values in rows.items()}, settings=settings
        )
        loss = compatibility_loss(
            rows.pop("student"), rows.pop("labels"), settings=settings, **rows
        ).loss
        assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_gradient_is_that_of_finite_differences(strategy, divergence):
    rows = batch(3)
    student = rows.pop("student").requires_grad_()
    settings = LossSettings(strategy=strategy, divergence=divergence, distillation_weight=0.6)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return compatibility_loss(logits, settings=settings, **rows).loss

    assert torch.autograd.gradcheck(loss, student)


def test_kl_to_a_mixture_is_the_mixture_of_kls_and_a_constant():
    rows = {
        name: values.log_softmax(1)
        for name, values in batch(4).items()
        if name in ("student", "old", "new")
    }
    share = torch.linspace(0, 1, 12, dtype=torch.float64)
    mixture = mix_teachers(rows["old"], rows["new"], share)

    def entropy(rows: torch.Tensor) -> torch.Tensor:
        return -(rows.exp() * rows).sum(1)

    constant = share * entropy(rows["old"]) + (1 - share) * entropy(rows["new"]) - entropy(mixture)
    to_each = [
        measure_divergence(rows[teacher], rows["student"], "forward_kl")
        for teacher in ("old", "new")
    ]
    torch.testing.assert_close(
        measure_divergence(mixture, rows["student"], "forward_kl"),
        share * to_each[0] + (1 - share) * to_each[1] + constant,
    )


def test_muscle_by_hand():
    # Row 0: the student is right, so p2 teaches; row 1: it is wrong, so p1 does. T = 2.
    student = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
    old = torch.tensor([[9.0, 9.0], [0.0, 2.0 * math.log(3)]])
    new = torch.tensor([[2.0 * math.log(3), 0.0], [9.0, 9.0]])
    parts = compatibility_loss(
        student,
        torch.tensor([0, 1]),
        old=old,
        new=new,
        settings=LossSettings(strategy="student_incorrect"),
    )
    p = 1 / (1 + math.exp(-1))
    first = 0.75 * math.log(0.75 / p) + 0.25 * math.log(0.25 / (1 - p))
    second = 0.25 * math.log(0.25 / p) + 0.75 * math.log(0.75 / (1 - p))
    assert parts.old_share.tolist() == [0, 1]
    assert float(parts.loss) == pytest.approx((first + second) / 2, rel=1e-6)


def test_ignored_rows_take_no_part():
    rows = batch(5)
    labels = rows["labels"].clone()
    labels[::2] = IGNORED
    given = {name: rows[name] for name in ("old", "new", "sequences", "replayed")}
    ignored = compatibility_loss(rows["student"], labels, **given).loss
    kept = compatibility_loss(
        rows["student"][1::2],
        rows["labels"][1::2],
        **{name: values[1::2] for name, values in given.items()},
    ).loss
    assert ignored.item() == kept.item()


def test_divergences_of_what_cannot_happen_are_finite():
    certain = torch.tensor([[0.0, -math.inf]])
    even = torch.tensor([[0.5, 0.5]]).log()
    assert float(measure_divergence(certain, even, "forward_kl")) == pytest.approx(math.log(2))
    assert 0 < float(measure_divergence(certain, even, "jsd")) < math.log(2)
    assert mix_teachers(certain, even, torch.tensor([1.0])).tolist() == certain.tolist()
    assert mix_teachers(certain, even, torch.tensor([0.0])).tolist() == even.tolist()


def test_half_precision_is_widened():
    rows = batch(6, vocabulary=5000)
    given = {name: rows[name] for name in ("sequences", "replayed")}
    halves = {name: rows[name].bfloat16() for name in ("student", "old", "new")}
    exact = {name: values.double() for name, values in halves.items()}
    losses = [
        compatibility_loss(models.pop("student"), rows["labels"], **models, **given).loss
        for models in (halves, exact)
    ]
    assert losses[0].dtype == torch.float32
    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=1e-5)


def test_nothing_to_learn_from_is_refused():
    rows = torch.zeros(2, 3)
    with pytest.raises(InputError, match="every label is ignored"):
        compatibility_loss(rows, torch.tensor([IGNORED, IGNORED]), old=rows, new=rows)


def test_other_vocabularies_are_refused():
    rows = torch.zeros(2, 3)
    with pytest.raises(InputError, match="retokenised"):
        compatibility_loss(rows, torch.tensor([0, 1]), old=torch.zeros(2, 4), new=rows)


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "muscle"},
        {"divergence": "kl"},
        {"temperature": 0},
        {"temperature": float("nan")},
        {"distillation_weight": 1.5},
        {"old_share": -0.1},
        {"focal_boost": -1},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(UsageError, match=f"expected {next(iter(wrong))} to be"):
        LossSettings(**wrong)


def test_weights_are_shares_of_the_sum():
    rows = batch(7)
    even = np.full(12, 1 / 12)
    weighted = compatibility_loss(
        rows["student"],
        rows["labels"],
        old=rows["old"],
        new=rows["new"],
        weights=torch.from_numpy(even),
    )
    plain = compatibility_loss(rows["student"], rows["labels"], old=rows["old"], new=rows["new"])
    assert float(weighted.loss) == pytest.approx(float(plain.loss), rel=1e-6)
