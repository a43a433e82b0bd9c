"""Evaluate a mock model twice with inspect_ai: logs/v1 and logs/v2. Nothing is downloaded."""

from __future__ import annotations

from inspect_ai import Task, eval  # noqa: A004
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match

QUESTIONS = {"2 + 2": "4", "2 + 3": "5", "2 + 4": "6", "2 + 5": "7"}
ANSWERS = {"v1": ["4", "5", "7", "7"], "v2": ["4", "6", "6", "7"]}


def main() -> None:
    """Write one log per version."""
    samples = [
        Sample(id=f"sum-{number}", input=f"What is {question}?", target=target)
        for number, (question, target) in enumerate(QUESTIONS.items(), 1)
    ]
    for version, answers in ANSWERS.items():
        outputs = [ModelOutput.from_content("mockllm/model", answer) for answer in answers]
        for output in outputs:
            # Without usage the harness counts tokens, with a file from the network.
            output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        eval(
            Task(MemoryDataset(samples, name="sums"), scorer=match(), name="sums"),
            model=get_model("mockllm/model", custom_outputs=outputs),
            log_dir=f"logs/{version}",
            display="none",
            max_samples=1,
        )


if __name__ == "__main__":
    main()
