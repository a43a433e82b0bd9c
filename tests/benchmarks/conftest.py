"""Benchmarks run when they are asked for by name: ``python -m pytest tests/benchmarks -s``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = any("benchmarks" in argument for argument in config.args)
    return None if named else True
