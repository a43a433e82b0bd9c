"""Peak memory of a process, for those that are started to be measured."""

from __future__ import annotations

import re
from pathlib import Path


def peak_megabytes() -> float:
    """Most that this process ever held.

    `ru_maxrss` of a process begins with what held the one that started it, and a run of many
    benchmarks holds more than a small one ever needs.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024
