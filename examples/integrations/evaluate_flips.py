"""Flip rates by Hugging Face evaluate: batch by batch, and beside each other."""

import evaluate

from muscle_metrics.integrations import evaluate_path

metric = evaluate.load(evaluate_path("negative_flip_rate"))
metric.add_batch(old_predictions=["4", "9"], predictions=["4", "6"], references=["4", "9"])
metric.add_batch(old_predictions=["16"], predictions=["16"], references=[["16", "sixteen"]])
print(metric.compute()["negative_flip_rate"])

both = evaluate.combine(
    [evaluate.load(evaluate_path(name)) for name in ("negative_flip_rate", "positive_flip_rate")]
)
print(both.compute(old_predictions=[1, 2], predictions=[1, 3], references=[1, 3]))
