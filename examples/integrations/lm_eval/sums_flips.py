"""How the task sums_flips scores an answer: as sums does, and against a run of the old model."""

from pathlib import Path

from muscle_metrics.integrations.lm_eval import add_flips


def score(doc, results):
    """Whether the right choice is the likeliest."""
    likelihoods = [likelihood for likelihood, _ in results]
    return {"acc": int(likelihoods.index(max(likelihoods)) == doc["label"])}


process_results = add_flips(
    score, metric="acc", baseline=Path(__file__).with_name("v1.baseline"), task="sums"
)
