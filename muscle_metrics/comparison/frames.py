"""Rates, slices and flips as data frames, from the plain data that JSON holds too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.comparison.items import Item, check_quadrants
from muscle_metrics.errors import check_choice
from muscle_metrics.flips.rate_table import RATES, SCORE_MEANS, SCORE_RATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.prompts import Prompts
    from muscle_metrics.flips.counts import Quadrant

__all__ = [
    "candidates_frame",
    "described_flips",
    "flips_frame",
    "part_frame",
    "rate_rows",
    "rates_frame",
    "steps_frame",
    "with_prompts",
]

_PROMPT = ("right_before", "right_now", "generations", "p_value", "sureness")
_RATE = ("value", "count", "total", "low", "high", "method")


def rate_rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rates of correctness, then rates and means of every graded score, as rows of a table.

    Parameters
    ----------
    data : mapping
        `Facts.to_dict` of a comparison.
    """
    rates = data.get("rates", {})
    # By the tables of measures: JSON sorts its keys.
    rows = [{"metric": None, "rate": name, **rates[name]} for name in RATES if name in rates]
    for metric, changes in sorted(data["scores"].items()):
        for name in (*SCORE_RATES, *SCORE_MEANS):
            one = changes[name]
            # A mean is over its items.
            total = one.get("total", one.get("items"))
            rows.append({"metric": metric, "rate": name, **one, "total": total})
    return rows


def rates_frame(data: Mapping[str, Any]) -> pd.DataFrame:
    """`rate_rows` as a frame."""
    import pandas as pd

    return _numbers(pd.DataFrame(rate_rows(data), columns=["metric", "rate", *_RATE]), _RATE[:-1])


def part_frame(data: Mapping[str, Any], kind: str) -> pd.DataFrame:
    """One row for each slice or task, the one that lost most accuracy first.

    Parameters
    ----------
    data : mapping
        `Facts.to_dict` of a comparison.
    kind : str
        "slice" or "task".

    Raises
    ------
    UsageError
        If there is no such kind.
    """
    import pandas as pd

    check_choice("by", kind, ["slice", "task"])
    parts = [
        {kind: name, **_part(part["counts"], part["rates"])}
        for name, part in data.get(f"{kind}s", {}).items()
    ]
    # JSON sorts parts by name.
    parts.sort(key=lambda part: (part["accuracy_change"], part[kind]))
    columns = [
        *(kind, "items", "old_accuracy", "new_accuracy", "accuracy_change", "change_low"),
        *("change_high", "negative", "positive", "negative_flip_rate", "low", "high", "method"),
    ]
    return _numbers(pd.DataFrame(parts, columns=columns), columns[1:-1])


def flips_frame(comparison: Comparison, quadrants: tuple[Quadrant | str, ...]) -> pd.DataFrame:
    """Items that flipped, the worst first: by quadrant, then by the loss of the first metric.

    Of repeats each prompt has one row in a quadrant.
    """
    wanted = check_quadrants(quadrants)
    frame = comparison.to_frame()
    if comparison.prompts is not None:
        return _prompt_flips(comparison.prompts, frame, wanted)
    first = next(iter(comparison.changes.values()), None)
    gains = np.zeros(len(frame)) if first is None else np.nan_to_num(first.gains)
    ranks = frame["quadrant"].map({name: rank for rank, name in enumerate(wanted)})
    # A stable sort: items of one loss stay in the natural order of their ids.
    order = np.lexsort((gains, ranks.fillna(len(wanted))))
    return frame.iloc[order[: int(ranks.notna().sum())]].reset_index(drop=True)


def _prompt_flips(prompts: Prompts, frame: pd.DataFrame, wanted: list[str]) -> pd.DataFrame:
    rows = [row for quadrant in wanted for row in prompts.rows(quadrant)]
    found = frame.iloc[rows].reset_index(drop=True)
    numbers = prompts.numbers[rows]
    changes = [prompts.change_of_number(number) for number in numbers.tolist()]
    # Prompts with as many right generations as before have no test.
    values: tuple[Any, ...] = (
        prompts.counts.old_right[numbers],
        prompts.counts.new_right[numbers],
        prompts.counts.total[numbers],
        np.array([np.nan if one is None else one.p_value for one in changes]),
        [None if one is None else one.sureness for one in changes],
    )
    return found.assign(**dict(zip(_PROMPT, values, strict=True)))


def described_flips(items: Iterable[Any], quadrants: tuple[Quadrant | str, ...]) -> pd.DataFrame:
    """Flips of which only the items are known, in the order in which they come."""
    import pandas as pd

    wanted = check_quadrants(quadrants)
    frame = pd.DataFrame.from_records(list(items), columns=list(Item._fields))
    frame["quadrant"] = frame["quadrant"].map(str)
    return frame[frame["quadrant"].isin(wanted)].reset_index(drop=True)


def with_prompts(frame: pd.DataFrame, flips: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Flips with the change of their prompts, where the saved ones have it."""
    changes = {_key(flip): flip["prompt"] for flip in flips if "prompt" in flip}
    if not changes:
        return frame
    rows: list[Any] = frame.to_dict("records")
    found = [changes[_key(row)] for row in rows]
    for name in _PROMPT:
        frame[name] = [change[name] for change in found]
    return frame


def _key(flip: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(flip[name] for name in ("task", "id", "repeat"))


def steps_frame(chain: Chain) -> pd.DataFrame:
    """One row for each update of a chain, and one from the first version to the last."""
    import pandas as pd

    data = chain.to_dict()
    names, last = chain.names, len(chain.steps)
    steps = [(names[n], names[n + 1], data["steps"][n], n + 1) for n in range(last)]
    if last > 1:
        steps.append((names[0], names[-1], data["overall"], last))
    rows = [
        {
            "old": old,
            "new": new,
            **_part(step["counts"], step["rates"]),
            "surviving": data["survival"][version]["value"],
        }
        for old, new, step, version in steps
    ]
    frame = pd.DataFrame(rows)
    return _numbers(frame, [name for name in frame.columns[2:] if name != "method"])


def candidates_frame(candidates: Candidates) -> pd.DataFrame:
    """One row for each candidate."""
    import pandas as pd

    data, front = candidates.to_dict()["candidates"], candidates.front
    rows = [
        {
            "candidate": name,
            **_part(one["counts"], one["rates"]),
            "is_on_front": name in front,
        }
        for name, one in data.items()
    ]
    frame = pd.DataFrame(rows)
    others = ("candidate", "method", "is_on_front")
    return _numbers(frame, [name for name in frame.columns if name not in others])


def _part(counts: Mapping[str, Any], rates: Mapping[str, Any]) -> dict[str, Any]:
    change, flips = rates["accuracy_change"], rates["negative_flip_rate"]
    return {
        "items": flips["total"],
        "old_accuracy": rates["old_accuracy"]["value"],
        "new_accuracy": rates["new_accuracy"]["value"],
        "accuracy_change": change["value"],
        "change_low": change.get("low"),
        "change_high": change.get("high"),
        "negative": counts["negative"],
        "positive": counts["positive"],
        "negative_flip_rate": flips["value"],
        "low": flips.get("low"),
        "high": flips.get("high"),
        "method": flips.get("method"),
    }


def _numbers(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Make undefined values NaN in every column of numbers, also where all are undefined."""
    counts = {"items", "negative", "positive"}
    return frame.astype({name: "int64" if name in counts else "float64" for name in columns})
