"""The environments that .ci/harnesses makes, one per evaluation tool."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def harness(project: Path) -> Callable[[str], Path]:
    """Python of the environment of a tool; the test is skipped where there is none."""
    folder = Path(os.environ.get("MUSCLE_METRICS_HARNESSES", project / ".harnesses"))

    def python_of(tool: str) -> Path:
        python = folder / tool / "bin" / "python"
        if not python.is_file():
            # Tools have pins of their own: the checks make their homes, and there a skip fails.
            pytest.skip(f"no environment of {tool}: run .ci/harnesses")
        return python.absolute()

    return python_of
