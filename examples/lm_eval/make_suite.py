"""Write two runs of two made tasks in the files of lm-evaluation-harness: suite/v1 and suite/v2.

Beside the GSM8K of `make_logs` a quiz with four choices each, of which the harness records the
log-likelihoods. The new model learnt geography, and forgot some chemistry.
"""

from __future__ import annotations

import json
from pathlib import Path

from make_logs import FILTERS, PROBLEMS, TIME, digest, row

QUIZ = [
    ("geography", "What is the capital of Australia?", "Canberra", "Sydney", "Melbourne", "Perth"),
    ("geography", "What is the capital of Canada?", "Ottawa", "Toronto", "Montreal", "Vancouver"),
    ("geography", "What is the capital of Morocco?", "Rabat", "Casablanca", "Fes", "Tangier"),
    ("geography", "Which river flows through Baghdad?", "Tigris", "Nile", "Indus", "Danube"),
    ("geography", "Which sea has no coast?", "Sargasso", "Baltic", "Caspian", "Coral"),
    ("chemistry", "Which gas do plants take in?", "carbon dioxide", "oxygen", "neon", "methane"),
    ("chemistry", "What is the symbol of sodium?", "Na", "So", "S", "Sd"),
    ("chemistry", "Which metal is liquid at 20 °C?", "mercury", "lead", "tin", "zinc"),
    ("chemistry", "What is the pH of pure water?", "7", "0", "10", "14"),
    ("chemistry", "Which element is a noble gas?", "argon", "nitrogen", "chlorine", "hydrogen"),
]
KNOWN = {"v1": {0, 3, 5, 6, 7, 8}, "v2": {0, 1, 2, 3, 4, 6, 9}}


def quiz_row(version: str, number: int) -> dict[str, object]:
    """One line of the samples file of the quiz."""
    topic, question, right, *wrong = QUIZ[number]
    place = number % 4
    choices = [*wrong[:place], right, *wrong[place:]]
    document = {"question": question, "choices": choices, "label": place, "topic": topic}
    chosen = place if number in KNOWN[version] else (place + 1) % 4
    prompt = f"Question: {question}\nAnswer:"
    answers = [[str(-4.5 - 2.25 * (choice != chosen)), "False"] for choice in range(4)]
    return {
        "doc_id": number,
        "doc": document,
        "target": str(place),
        "arguments": {
            f"gen_args_{choice}": {"arg_0": prompt, "arg_1": f" {text}"}
            for choice, text in enumerate(choices)
        },
        "resps": [[answer] for answer in answers],
        "filtered_resps": answers,
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": digest(json.dumps(document, indent=2)),
        "prompt_hash": digest(prompt),
        "target_hash": digest(str(place)),
        "acc": float(chosen == place),
    }


def main() -> None:
    """Write both runs."""
    for version in ("v1", "v2"):
        folder = Path("suite", version)
        folder.mkdir(parents=True, exist_ok=True)
        tasks = {
            "gsm8k": [
                row(version, problem, name) for name in FILTERS for problem in range(PROBLEMS)
            ],
            "quiz": [quiz_row(version, n) for n in range(len(QUIZ))],
        }
        for task, rows in tasks.items():
            text = "".join(json.dumps(line) + "\n" for line in rows)
            (folder / f"samples_{task}_{TIME}.jsonl").write_text(text)
        sizes = {"gsm8k": PROBLEMS, "quiz": len(QUIZ)}
        results = {
            "model_name": f"me/{version}",
            "lm_eval_version": "0.4.13",
            "versions": {"gsm8k": 3.0, "quiz": 1.0},
            "higher_is_better": {"gsm8k": {"exact_match": True}, "quiz": {"acc": True}},
            "n-samples": {name: {"original": n, "effective": n} for name, n in sizes.items()},
        }
        (folder / f"results_{TIME}.json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
