"""Write two runs of a made GSM8K in the files of lm-evaluation-harness: logs/v1 and logs/v2.

The new model solves more problems, and forgets the "#### 42" that one of the two filters looks for.
A real run: lm_eval run --model hf --model_args pretrained=... --tasks gsm8k --log_samples
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

PROBLEMS = 40
STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
TIME = "2026-11-23T07-13-39.347285"


def strict_match(answer: str) -> str:
    """First number after "####", as the filter of that name takes it."""
    found = STRICT.search(answer)
    return found[1] if found else "[invalid]"


def flexible_extract(answer: str) -> str:
    """Last number of the answer."""
    found = FLEXIBLE.findall(answer)
    return next(filter(None, found[-1])).rstrip(".") if found else "[invalid]"


FILTERS = {"strict-match": strict_match, "flexible-extract": flexible_extract}


def answer_of(version: str, problem: int) -> str:
    """What a version says to a problem."""
    solved = problem % 5 < (3 if version == "v1" else 4)
    number = 2 * problem + 10 if solved else problem + 11
    is_formatted = version == "v1" or problem % 4 != 0
    return f"She has {number}.\n#### {number}" if is_formatted else f"The answer is {number}."


def digest(text: str) -> str:
    """Hash as the harness writes it."""
    return hashlib.sha256(text.encode()).hexdigest()


def row(version: str, problem: int, name: str) -> dict[str, object]:
    """One line of a samples file."""
    document = {"question": f"She buys {problem} eggs, then as many and 10 more. How many?"}
    target = str(2 * problem + 10)
    answer = answer_of(version, problem)
    extracted = FILTERS[name](answer)
    return {
        "doc_id": problem,
        "doc": document,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": document["question"], "arg_1": {"until": []}}},
        "resps": [[answer]],
        "filtered_resps": [extracted],
        "filter": name,
        "metrics": ["exact_match"],
        "doc_hash": digest(json.dumps(document, indent=2)),
        "prompt_hash": digest(document["question"]),
        "target_hash": digest(target),
        "exact_match": float(extracted == target),
    }


def main() -> None:
    """Write both runs."""
    for version in ("v1", "v2"):
        folder = Path("logs", version)
        folder.mkdir(parents=True, exist_ok=True)
        rows = [row(version, problem, name) for name in FILTERS for problem in range(PROBLEMS)]
        text = "".join(json.dumps(line) + "\n" for line in rows)
        (folder / f"samples_gsm8k_{TIME}.jsonl").write_text(text)
        results = {
            "model_name": f"me/{version}",
            "lm_eval_version": "0.4.13",
            "versions": {"gsm8k": 3.0},
            "higher_is_better": {"gsm8k": {"exact_match": True}},
            "n-samples": {"gsm8k": {"original": PROBLEMS, "effective": PROBLEMS}},
        }
        (folder / f"results_{TIME}.json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
