"""Write five checkpoints of an update, ckpt-1.jsonl to ckpt-5.jsonl, from the runs beside this one.

The first answers as v2 does. Each later one takes more answers of the run that was trained to break
less, until the last answers as that one does.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

EXAMPLES = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a run beside this file."""
    lines = (EXAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


plain, compatible = rows("v2"), rows("compatible")
draws = random.Random(7)
chances = [draws.random() for _ in plain]
for step in range(5):
    chosen = [
        other if chance < step / 4 else one
        for one, other, chance in zip(plain, compatible, chances, strict=True)
    ]
    text = "".join(f"{json.dumps(row)}\n" for row in chosen)
    Path(f"ckpt-{step + 1}.jsonl").write_text(text, encoding="utf-8")
