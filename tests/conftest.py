"""What all tests share."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("default")

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def project() -> Path:
    """Root of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real model outputs beside the checkout; promised where REQUIRE_ALL is set."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        message = "the folder of real model outputs is not beside the checkout"
        if os.environ.get("MUSCLE_METRICS_REQUIRE_ALL") == "1":
            pytest.fail(message)
        # Real outputs are not part of the project: a plain checkout runs every other test.
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def hostile(shared: Path) -> list[str]:
    """Strings that attack a page, a terminal, a spreadsheet or a runner of checks."""
    path = shared / "reference" / "hostile_strings.json"
    strings: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return strings
