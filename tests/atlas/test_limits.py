"""Limits that the atlas suggests."""

from __future__ import annotations

import numpy as np
import pytest

from muscle_metrics import UsageError
from muscle_metrics.atlas import frame, usual_rates
from muscle_metrics.atlas.limits import limit_line


def versions():
    table = frame()
    return table[(table.kind == "version") & (table.flag == "") & (table["items"] >= 200)]


@pytest.mark.parametrize("like", [None, "all", "vision", "zeroeval-gsm"])
def test_rates_as_counted(like: str | None) -> None:
    table = versions()
    if like not in (None, "all"):
        table = table[(table.family == like) | (table.task == like)]
    usual = usual_rates(like)
    np.testing.assert_allclose(
        usual.quartiles, table.negative_flip_rate.quantile([0.25, 0.5, 0.75])
    )
    assert usual.updates == len(table)
    assert usual.limit == pytest.approx(usual.quartiles[1], rel=0.05)


@pytest.mark.parametrize("accuracy", [0.001, 0.5, 0.93])
def test_rates_at_an_accuracy(accuracy: float) -> None:
    """With the accuracies of the atlas a relative rate gives the rate back; here with yours."""
    relative = versions().relative_negative_flip_rate.quantile([0.25, 0.5, 0.75])
    usual = usual_rates(old_accuracy=accuracy)
    np.testing.assert_allclose(usual.quartiles, relative * accuracy * (1 - accuracy))
    assert usual.sentence.endswith(f", at accuracy {accuracy:g}")
    assert usual.limit > 0


@pytest.mark.parametrize("accuracy", [0, 1, -0.1, 80, float("nan"), float("inf"), "0.5"])
def test_an_accuracy_is_a_share(accuracy: object) -> None:
    with pytest.raises(UsageError, match="--old-accuracy"):
        usual_rates(old_accuracy=accuracy)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [1e-9, 0.02, 0.05, 0.6])
def test_how_many_kept_a_limit(limit: float) -> None:
    kept = int((versions().negative_flip_rate <= limit).sum())
    assert f"atlas: {kept} of 122 public version updates broke at most" in limit_line(limit)
