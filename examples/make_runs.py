"""Write the example runs: two updates of a toy question-answering model, seeded.

    python examples/make_runs.py

makes v1.jsonl, v2.jsonl and v3.jsonl beside this file. The "models" know arithmetic, capitals and
spelling to different degrees; every version keeps most of what the one before knew, gains some,
and forgets some.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

CAPITALS = {
    "France": "Paris", "Japan": "Tokyo", "Kenya": "Nairobi", "Peru": "Lima", "Norway": "Oslo",
    "Egypt": "Cairo", "Cuba": "Havana", "Ghana": "Accra", "Nepal": "Kathmandu", "Chile": "Santiago",
    "Austria": "Vienna", "Portugal": "Lisbon", "Hungary": "Budapest", "Thailand": "Bangkok",
    "Senegal": "Dakar", "Uruguay": "Montevideo", "Finland": "Helsinki", "Iraq": "Baghdad",
    "Canada": "Ottawa", "Greece": "Athens", "Poland": "Warsaw", "Jordan": "Amman",
    "Ireland": "Dublin", "Vietnam": "Hanoi", "Qatar": "Doha", "Bulgaria": "Sofia",
}  # fmt: skip
WORDS = [
    "necessary",
    "separate",
    "rhythm",
    "embarrass",
    "occurrence",
    "privilege",
    "conscience",
    "questionnaire",
    "accommodate",
    "definitely",
    "millennium",
    "pronunciation",
    "maintenance",
    "parliament",
    "guarantee",
    "mischievous",
    "recommend",
    "supersede",
    "threshold",
    "weird",
]

# Per topic: share of items each version knows. The updates gain on sums and lose elsewhere.
SKILLS = {
    "addition": (0.70, 0.80, 0.84),
    "multiplication": (0.55, 0.57, 0.58),
    "capitals": (0.90, 0.80, 0.84),
    "spelling": (0.85, 0.80, 0.80),
}
FORGETTING = 0.18


def questions(chance: random.Random) -> list[tuple[str, str, str]]:
    """Topic, question and right answer of every item."""
    sums = [(chance.randint(10, 99), chance.randint(10, 99)) for _ in range(150)]
    products = [(chance.randint(3, 19), chance.randint(3, 19)) for _ in range(150)]
    return [
        *(("addition", f"{a} + {b} = ?", str(a + b)) for a, b in sums),
        *(("multiplication", f"{a} x {b} = ?", str(a * b)) for a, b in products),
        *(("capitals", f"What is the capital of {land}?", town) for land, town in CAPITALS.items()),
        *(("spelling", f"Spell: {scramble(word, chance)}", word) for word in WORDS),
    ]


def scramble(word: str, chance: random.Random) -> str:
    """Swap two neighbouring letters, as a hurried writer does."""
    place = chance.randrange(1, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def wrong_answer(topic: str, answer: str, chance: random.Random) -> str:
    """Err the way such a model would."""
    if answer.isdigit():
        return str(int(answer) + chance.choice((-10, -2, -1, 1, 2, 9, 10, 20)))
    if topic == "capitals":
        return chance.choice([town for town in CAPITALS.values() if town != answer])
    return scramble(answer, chance)


def knowledge(
    topic: str, before: list[bool] | None, share: float, chance: random.Random
) -> list[bool]:
    """Which items of a topic a version knows: it forgets some, then learns up to its share."""
    size = len(before or [])
    known = [knew and chance.random() > FORGETTING for knew in before or []]
    unknown = [item for item in range(size) if not known[item]]
    chance.shuffle(unknown)
    for item in unknown[: max(0, round(share * size) - sum(known))]:
        known[item] = True
    return known


def main() -> None:
    """Write one file per version."""
    chance = random.Random(2409)
    items = questions(chance)
    known: dict[str, list[bool]] = {}
    answers: dict[int, str] = {}
    for version in range(3):
        for topic, shares in SKILLS.items():
            places = [i for i, item in enumerate(items) if item[0] == topic]
            before = known.get(topic, [False] * len(places))
            known[topic] = knowledge(topic, before, shares[version], chance)
            for place, knows in zip(places, known[topic], strict=True):
                right = items[place][2]
                if knows:
                    answers[place] = right
                elif answers.get(place, right) == right or chance.random() < 0.4:
                    answers[place] = wrong_answer(topic, right, chance)
        rows = [
            {
                "id": f"q{i:03}",
                "topic": topic,
                "question": question,
                "prediction": answers[i],
                "reference": right,
            }
            for i, (topic, question, right) in enumerate(items)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (Path(__file__).parent / f"v{version + 1}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
