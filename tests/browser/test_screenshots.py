"""The pictures of the documentation are those of the page as it is."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser

# Fonts differ between machines, and with them where lines break.
TOLERANCE = 0.2


def test_pictures_are_made_by_one_command(browser: Any, project: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    script = runpy.run_path(str(Path(__file__).with_name("screenshots.py")))
    pages: Callable[[Path], tuple[Path, ...]] = script["write_pages"]
    pictures = dict(script["pictures"](browser, *pages(tmp_path)))
    surfaces = runpy.run_path(str(Path(__file__).with_name("surfaces.py")))
    pictures.update(surfaces["pictures"](browser, tmp_path))
    kept = {path.stem: path for path in (project / "docs" / "images").glob("*.png")}
    assert {*kept} == {*pictures}
    for name, path in kept.items():
        assert path.stat().st_size < 300_000
        made = image.imread(script["write"](tmp_path / path.name, pictures[name]))[..., :3]
        difference = np.sqrt(np.mean((made - image.imread(path)[..., :3]) ** 2))
        assert difference < TOLERANCE, f"{name}: python tests/browser/screenshots.py renews it"
