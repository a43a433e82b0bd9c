"""Cases that do what they say: hang, fill the memory, or end their process."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

    from tests.fuzz.cases import Case


def draw(rng: Random) -> Iterator[Case]:
    """Yield a case that does nothing."""
    yield {"number": rng.random()}


def check(case: Case, folder: Path) -> str:
    """Do what the case says."""
    if "numbers" in case:
        # A loop of native code, which no handler of Python can end.
        sum(range(case["numbers"]))
    if "child" in case:
        subprocess.run([sys.executable, "-c", case["child"]], check=True)
    if "signal" in case:
        signal.raise_signal(case["signal"])
    return f"{len(b'x' * case.get('bytes', 0)) >> 20} MB"
