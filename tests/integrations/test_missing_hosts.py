"""Without a host, what needs it says which extra installs it, and nothing else needs it."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from muscle_metrics import MissingDependencyError


@pytest.mark.parametrize(
    ("host", "extra", "module", "use"),
    [
        ("inspect_ai", "inspect", "inspect_ai", import_module),
        ("lm_eval.utils", "lm-eval", "lm_eval", lambda path: import_module(path).document_id({})),
        ("mlflow", "mlflow", "mlflow", lambda path: import_module(path).flip_metrics()),
        (
            "mlflow.genai.scorers",
            "mlflow",
            "mlflow",
            lambda path: import_module(path).flip_scorers(),
        ),
        ("torchmetrics", "torchmetrics", "torchmetrics", import_module),
    ],
)
def test_the_extra_is_named(host, extra, module, use, monkeypatch: pytest.MonkeyPatch) -> None:
    # None says that there is no such module, whatever is installed.
    for name in (host, host.partition(".")[0]):
        monkeypatch.setitem(sys.modules, name, None)
    path = f"muscle_metrics.integrations.{module}"
    monkeypatch.delitem(sys.modules, path, raising=False)
    with pytest.raises(MissingDependencyError, match=rf"install 'muscle-metrics\[{extra}\]'"):
        use(path)
