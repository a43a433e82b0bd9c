"""Flips in MLflow: rates of a table of answers, and scorers of an application's outputs."""

import mlflow
import pandas as pd

from muscle_metrics.integrations.mlflow import flip_metrics, flip_scorers

questions = ["2 + 2?", "3 * 3?", "7 - 2?", "8 / 2?"]
old = ["4", "9", "4", "4"]
new = ["4", "6", "5", "4"]
references = ["4", "9", "5", "4"]

mlflow.set_tracking_uri("sqlite:///mlflow.db")
with mlflow.start_run():
    result = mlflow.models.evaluate(
        data=pd.DataFrame(
            {
                "inputs": questions,
                "old_predictions": old,
                "predictions": new,
                "targets": references,
            }
        ),
        predictions="predictions",
        targets="targets",
        evaluators="default",
        extra_metrics=flip_metrics(),
    )
print({name: float(value) for name, value in sorted(result.metrics.items())})
print(result.tables["eval_results_table"]["negative_flip_rate/score"].tolist())

result = mlflow.genai.evaluate(
    data=[
        {
            "inputs": {"question": question},
            "outputs": answer,
            "expectations": {"expected_response": reference, "old_response": before},
        }
        for question, answer, reference, before in zip(questions, new, references, old, strict=True)
    ],
    scorers=flip_scorers(),
)
print({name: float(value) for name, value in sorted(result.metrics.items())})
