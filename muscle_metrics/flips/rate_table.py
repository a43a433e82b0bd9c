"""Every rate and mean by name: its plain words, its denominator, its name in papers."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ITEMS",
    "MCNEMAR",
    "PLAIN_RATES",
    "PLAIN_SCORES",
    "RATES",
    "SCORE_MEANS",
    "SCORE_RATES",
    "WHOLES",
    "Measure",
    "whole_text",
]

ITEMS = "items"
OLD_RIGHT = "items old got right"
OLD_WRONG = "items old got wrong"
NEW_RIGHT = "right answers of new"
NEW_WRONG = "errors of new"


# Counts of `FlipCounts` that add up to each denominator.
WHOLES = {
    ITEMS: ("both_right", "negative", "positive", "both_wrong"),
    OLD_RIGHT: ("both_right", "negative"),
    OLD_WRONG: ("positive", "both_wrong"),
    NEW_RIGHT: ("both_right", "positive"),
    NEW_WRONG: ("negative", "both_wrong"),
}

_SHORT_WHOLES = {
    ITEMS: "all {} items",
    OLD_RIGHT: "{} right before",
    OLD_WRONG: "{} wrong before",
    NEW_RIGHT: "{} right now",
    NEW_WRONG: "{} wrong now",
}


class Measure(NamedTuple):
    """How reports write a rate or a mean.

    Parameters
    ----------
    name : str
        What papers call it.
    words : str
        Plain words for readers who know no definition.
    of : str
        What the denominator counts.
    symbol : str
        Symbol in papers, if `name` lacks it.
    counted : tuple of str
        Counts of `FlipCounts` that add up to the numerator; empty if none do.
    """

    name: str
    words: str
    of: str = ITEMS
    symbol: str = ""
    counted: tuple[str, ...] = ()


# By property of `FlipCounts`, in the order of the definitions.
RATES = {
    "old_accuracy": Measure("old accuracy", "Right before", counted=("both_right", "negative")),
    "new_accuracy": Measure("new accuracy", "Right now", counted=("both_right", "positive")),
    "accuracy_change": Measure("accuracy change", "Right now, minus right before"),
    "negative_flip_rate": Measure(
        "negative flip rate (NFR)", "Right, then wrong", counted=("negative",)
    ),
    "positive_flip_rate": Measure(
        "positive flip rate (PFR)", "Wrong, then right", counted=("positive",)
    ),
    "flip_rate": Measure(
        "flip rate", "Right, then wrong, or wrong, then right", counted=("negative", "positive")
    ),
    "inconsistency_flip_rate": Measure(
        "inconsistency flip rate",
        "Wrong now, and not the answer of before",
        symbol="NFR_mc",
        counted=("negative", "wrong_changed"),
    ),
    "wrong_to_different_wrong_rate": Measure(
        "wrong to different wrong", "Wrong, then wrong in another way", counted=("wrong_changed",)
    ),
    "right_to_different_right_rate": Measure(
        "right to different right",
        "Right, then right in another way",
        counted=("both_right_changed",),
    ),
    "churn": Measure(
        "churn",
        "Another answer than before",
        counted=("both_right_changed", "negative", "positive", "wrong_changed"),
    ),
    "conditional_negative_flip_rate": Measure(
        "conditional NFR", "Broken, of what was right", OLD_RIGHT, counted=("negative",)
    ),
    "fix_rate": Measure("fix rate", "Fixed, of what was wrong", OLD_WRONG, counted=("positive",)),
    "relative_negative_flip_rate": Measure(
        "relative NFR",
        "Broken, compared with a new model that errs independently of the old one",
        "NFR of independent errors",
    ),
    "negative_flip_impact": Measure(
        "negative flip impact",
        "New errors that the update made",
        NEW_WRONG,
        symbol="NFI",
        counted=("negative",),
    ),
    "positive_flip_impact": Measure(
        "positive flip impact",
        "Right answers that the update made",
        NEW_RIGHT,
        symbol="PFI",
        counted=("positive",),
    ),
    "backward_trust_compatibility": Measure(
        "backward trust compatibility",
        "Still right, of what was right",
        OLD_RIGHT,
        symbol="BTC",
        counted=("both_right",),
    ),
    "backward_error_compatibility": Measure(
        "backward error compatibility",
        "Wrong before, of what is wrong now",
        NEW_WRONG,
        symbol="BEC",
        counted=("both_wrong",),
    ),
    "backward_error_compatibility_of_old_errors": Measure(
        "backward error compatibility of old errors",
        "Still wrong, of what was wrong",
        OLD_WRONG,
        counted=("both_wrong",),
    ),
    "avoidable_negative_flip_rate": Measure(
        "avoidable NFR", "Broken beyond what the accuracy change forces"
    ),
}

# What a terminal shows of them unless it is asked for all, in plain words.
PLAIN_RATES = {
    "negative_flip_rate": "broke (NFR)",
    "conditional_negative_flip_rate": "of what was right, broke",
    "positive_flip_rate": "fixed (PFR)",
    "wrong_to_different_wrong_rate": "wrong in another way",
}

# A test, not a rate.
MCNEMAR = Measure(
    "McNemar mid-p",
    "How surprising so uneven flips are if breaking is as likely as fixing",
    "informs, never gates",
)

# By property of `ScoreChanges` and `ScoreTotals`.
SCORE_RATES = {
    "negative_flip_rate": Measure("negative flip rate (NFR)", "Got worse"),
    "positive_flip_rate": Measure("positive flip rate (PFR)", "Got better"),
    "tie_rate": Measure("ties", "Same score"),
}
SCORE_MEANS = {
    "mean_change": Measure("mean change", "Mean change, new minus old"),
    "mean_gain": Measure("mean gain (m_g)", "Mean gain of what got better"),
    "mean_regression": Measure("mean regression (m_r)", "Mean loss of what got worse"),
}
PLAIN_SCORES = {
    "negative_flip_rate": "got worse (NFR)",
    "positive_flip_rate": "got better (PFR)",
    "mean_change": "mean change",
    "mean_regression": "mean regression (m_r)",
}


def whole_text(measure: Measure, total: int) -> str:
    """Name a denominator in a few words.

    Examples
    --------
    >>> whole_text(RATES["negative_flip_rate"], 500), whole_text(RATES["fix_rate"], 144)
    ('of all 500 items', 'of 144 wrong before')
    """
    return f"of {_SHORT_WHOLES[measure.of].format(total)}"
