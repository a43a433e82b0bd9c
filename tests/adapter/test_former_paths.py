"""Documented module paths, of today and of the former flat layout, give the public names."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from muscle_metrics import adapter
from muscle_metrics.adapter.former_paths import FORMER_PATHS

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
DOCUMENTED = re.findall(r"auto\w+:: (muscle_metrics\.adapter\.[\w.]+)\.(\w+)", REFERENCE)
FORMER = {
    "muscle_metrics.adapter.training": ["train_compatibility_adapter"],
    "muscle_metrics.adapter.evaluation": ["evaluate_model", "save_run"],
    **{
        former: [name for module, name in DOCUMENTED if module == today]
        for former, today in FORMER_PATHS.items()
    },
}
PATHS = [*DOCUMENTED, *((module, name) for module, names in FORMER.items() for name in names)]


def test_every_former_path_has_a_documented_name():
    assert len(DOCUMENTED) >= 20
    assert all(FORMER.values())


@pytest.mark.parametrize(("module", "name"), PATHS)
def test_a_documented_path_gives_the_public_object(module, name):
    found = getattr(import_module(module), name)
    # `Change` comes with a `MeasuredUpdate`, and is documented at its module alone.
    assert found is getattr(adapter, name, found)
    assert name in {*adapter.__all__, "Change"}


@pytest.mark.parametrize(("former", "today"), FORMER_PATHS.items())
def test_a_former_path_is_the_same_module(former, today):
    assert import_module(former) is import_module(today) is sys.modules[today]


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"'muscle_metrics\.adapter' has no attribute 'x'"):
        adapter.x  # noqa: B018
    assert {*adapter.__all__} <= {*dir(adapter)}
