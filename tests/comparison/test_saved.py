"""A comparison in a JSON file is shown as it was, and nothing else is taken for one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from muscle_metrics import (
    Comparison,
    FileError,
    InputError,
    UsageError,
    compare,
    compare_runs,
    count_chain,
)
from muscle_metrics.flips.rate_table import SCORE_MEANS, SCORE_RATES

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: dict[str, Any] = {
    "old": ["да", "A", None, "B"],
    "new": ["нет", "A", "x\u2028y", "A"],
    "references": ["да", "A", "z", ["A", "a"]],
}
SCORES = [*SCORE_RATES, *SCORE_MEANS]
MADE = {
    "of answers": lambda: compare(**COLUMNS, missing="wrong", slices=["b", "a", "a", None]),
    "of scores": lambda: compare(
        old=["a b", "c"], new=["a", "c"], references=["a b", "c"], metric=["token_f1", "ter"]
    ),
    "with a threshold": lambda: compare(
        old=["a b"], new=["a"], references=["a b"], metric="token_f1", threshold=0.9
    ),
    "of groups": lambda: compare(**COLUMNS, missing="wrong", groups=["g", "g", "h", None]),
    "of verdicts": lambda: compare_runs(
        [{"id": n, "ok": n % 2 == 0} for n in range(4)],
        [{"id": n, "ok": n > 1} for n in range(4)],
        score_field="ok",
    ),
}


@pytest.fixture(params=MADE)
def comparison(request: pytest.FixtureRequest) -> Comparison:
    return MADE[request.param]()


def test_all_that_is_saved_is_shown(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "v2.json"
    path.write_text(comparison.to_json() + "\n", encoding="utf-8")
    saved = Comparison.from_json(path)
    assert saved.to_json() == comparison.to_json()
    assert (saved.names, saved.signature) == (comparison.names, comparison.signature)
    pd.testing.assert_frame_equal(saved.rates_frame(), comparison.rates_frame())
    pd.testing.assert_frame_equal(saved.slices_frame(), comparison.slices_frame())
    assert str(saved.signature) in str(saved)
    assert saved.is_judged == comparison.is_judged
    if comparison.is_judged:
        assert (saved.counts, saved.slices) == (comparison.counts, comparison.slices)
        assert list(saved.slices) == list(comparison.slices)
        assert [item.name for item in saved.flips()] == [item.name for item in comparison.flips()]
        assert f"{comparison.counts.negative_flip_rate:.2%}" in str(saved)
    else:
        with pytest.raises(InputError, match="--threshold"):
            _ = saved.counts


def test_a_saved_comparison_is_no_ground_for_a_verdict() -> None:
    saved = Comparison.from_json(MADE["of answers"]().to_json())
    assert not hasattr(saved, "gate")


def test_hostile_names_are_shown_escaped() -> None:
    text = compare(**COLUMNS, missing="wrong", names=("<b>\x1b[2J", "v2")).to_json()
    saved = Comparison.from_json(text)
    assert "\x1b" not in str(saved)
    assert "<b>" not in saved._repr_html_()


CHAIN = count_chain(versions=[["A"], ["B"]], references=["A"])


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (CHAIN.to_json(), "the JSON of a chain"),
        ('{"schema_version": 1, "outcome": "PASS"}', "the JSON of a verdict"),
        ('{"id": 1, "prediction": "A"}', "the keys 'id', 'prediction'"),
        ("{}", "the keys none"),
        ('{"old": "a", "new"', "JSON that is not whole"),
    ],
)
def test_other_documents_are_refused(text: str, given: str) -> None:
    with pytest.raises(InputError, match=f"expected the JSON of a comparison.*got {given}"):
        Comparison.from_json(text)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("counts", "negative"), 0),
        (("counts", "negative"), -1),
        (("counts", "negative"), "1"),
        (("rates", "negative_flip_rate", "value"), 0.0),
        (("slices", "a", "counts", "both_right"), 7),
        (("slices",), [1]),
        (("flips",), [{"id": "q1"}]),
        (("scores",), {"judge": {"mean_change": {}}}),
        (("rates",), {}),
        (("schema_version",), 2),
        (("signature",), None),
        (("notes",), ["a", 1]),
        (("rates", "negative_flip_rate", "low"), [0.1]),
        (("rates", "negative_flip_rate", "high"), None),
        (("slices", "b", "rates", "accuracy_change", "method"), None),
        (("scores",), {"judge": {key: {"method": None} for key in SCORES}}),
        (("scores",), {"judge": {key: {"value": "1"} for key in SCORES}}),
    ],
)
def test_a_document_that_was_changed_is_refused(path: tuple[str, ...], value: object) -> None:
    data = json.loads(MADE["of answers"]().to_json())
    inner = data
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises(InputError, match="expected the JSON of a comparison"):
        Comparison.from_json(json.dumps(data))


def test_unknown_quadrants_are_refused(comparison: Comparison) -> None:
    saved = Comparison.from_json(comparison.to_json())
    for one in (comparison, saved):
        with pytest.raises(UsageError, match="expected a quadrant to be one of"):
            one.flips("negativ")


def test_a_change_is_in_points_and_a_ratio_is_no_share() -> None:
    made = compare(old=["A", "A", "B"], new=["B", "A", "B"], references=["A"] * 3)
    shown = str(Comparison.from_json(made.to_json()))
    assert "-33.33 points" in shown
    assert re.search(r"(?m)^relative NFR +0\.75$", shown)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="got none of that name"):
        Comparison.from_json(tmp_path / "none.json")


def test_flips_with_texts_are_read_back():
    old, new = (json.dumps([{"name": "f", "arguments": {"x": x}}]) for x in (1, 2))
    found = compare(old=[old, old], new=[old, new], references=[old, old], answer="tool-calls")
    data = found.to_dict()
    assert data["flips"][0]["texts"]
    assert [item.id for item in Comparison.from_json(found.to_json()).flips()] == ["1"]
