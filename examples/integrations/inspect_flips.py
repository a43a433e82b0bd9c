"""Flips inside inspect_ai: the new model is scored as before, and compared with a stored run."""

import inspect_ai
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match

from muscle_metrics.integrations.inspect_ai import flips

QUESTIONS = {"2 + 2?": "4", "3 * 3?": "9", "7 - 2?": "5", "8 / 2?": "4"}
ANSWERS = {"2 + 2?": "4", "3 * 3?": "6", "7 - 2?": "5", "8 / 2?": "4"}


@inspect_ai.task
def sums():
    return inspect_ai.Task(
        dataset=[Sample(input=question, target=QUESTIONS[question]) for question in QUESTIONS],
        scorer=flips(match(), baseline="sums.baseline"),
        epochs=2,
    )


def answer(messages, tools, tool_choice, config):
    """Answer as a model would."""
    output = ModelOutput.from_content("mockllm/model", ANSWERS[messages[-1].text])
    output.usage = ModelUsage()
    return output


if __name__ == "__main__":
    model = get_model("mockllm/model", custom_outputs=answer)
    (log,) = inspect_ai.eval(sums(), model=model, log_dir="logs", display="none")
    for score in log.results.scores:
        for name, found in score.metrics.items():
            print(name, found.value)
    print([sample.scores["flips"].metadata["quadrant"] for sample in log.samples])
