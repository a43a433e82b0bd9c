"""Write old.jsonl and new.jsonl: 2400 questions that two versions of an assistant answered.

The new version answers better on the whole. It puts some answers into a code fence, refuses some
questions about taxes, and gets Russian questions about dates wrong.
"""

import json
import random
from pathlib import Path

PROMPTS = {
    "dates": ("Say of {} which day it is{}.", "Скажи о {}, какой это день{}."),
    "sums": ("Say of {} how much is twice it{}.", "Скажи о {}, сколько это дважды{}."),
    "taxes": ("Say of {} which tax is due on it{}.", "Скажи о {}, какой с этого налог{}."),
    "code": ("Say of {} which code it has{}.", "Скажи о {}, какой у него код{}."),
}
# Questions of all lengths.
ENDS = (
    ("", ", please", ", and no more than that", ", if one may ask, all in all"),
    ("", ", прошу", ", и больше ничего", ", если можно спросить, в двух словах"),
)
REFUSAL = "I'm sorry, but I can't help with taxes."


def answers(chance: random.Random, topic: str, is_russian: bool, right: str) -> tuple[str, str]:
    """Give the answers of the old and of the new version."""
    old = right if chance.random() < 0.75 else "?"
    new = right if chance.random() < (0.95 if old == right else 0.5) else "wrong"
    if topic == "dates" and is_russian and chance.random() < 0.6:
        new = "wrong"
    if topic == "taxes" and chance.random() < 0.1:
        new = REFUSAL
    if topic == "code" and chance.random() < 0.5:
        new = f"```\n{new}\n```"
    return old, new


def main() -> None:
    """Write both runs into the current folder."""
    chance = random.Random(7)
    runs: dict[str, list[str]] = {"old": [], "new": []}
    for number in range(2400):
        topic = chance.choice(list(PROMPTS))
        is_russian = chance.random() < 0.2
        right = f"{number:x}"
        item = {
            "id": f"q{number:04}",
            "topic": topic,
            "level": chance.randint(1, 5),
            "prompt": PROMPTS[topic][is_russian].format(number, chance.choice(ENDS[is_russian])),
            "reference": right,
        }
        pair = answers(chance, topic, is_russian, right)
        for run, prediction in zip(runs, pair, strict=True):
            row = json.dumps({**item, "prediction": prediction}, ensure_ascii=False)
            runs[run].append(f"{row}\n")
    for run, rows in runs.items():
        Path(f"{run}.jsonl").write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
