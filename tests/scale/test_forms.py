"""An engine counts the forms of answers as memory does, whatever the answers are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import compare_runs
from muscle_metrics.scale import compare_files

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("duckdb")

ODD = [
    "A", "B", None, "", " \n", "\u3000", "…", "日本", "答案是A", "A\u2028", "```\nA\n```",
    "I'm sorry, but I can't help with that.", "I cannot help but say A", "ſorry, I cannot provide",
    "as an aİ, i don't", "As an AI, I don't know", "unfortunately, we won’t provide that",
    '{"a": 1}', '{"a": [1', "<think>A", "◁think▷A", "[THINK]A", "[invalid]", "#### 4",
    "The answer is A", "\\fbox{4}", "<answer>3", "I must refuse to give",
]  # fmt: skip
answers = st.lists(
    st.tuples(*[st.one_of(st.sampled_from(ODD), st.text(max_size=12))] * 2), min_size=1, max_size=30
)


def write(path: Path, column: list[Any]) -> Path:
    rows = [{"id": str(k), "prediction": one, "reference": "A"} for k, one in enumerate(column)]
    # As a file holds them: lone surrogates are escaped.
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@settings(max_examples=8)
@given(answers)
def test_forms_of_an_engine_are_those_of_memory(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[Any, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    runs = [write(folder / f"{k}.jsonl", [pair[k] for pair in pairs]) for k in (0, 1)]
    known = compare_runs(*runs, unanswered="wrong")
    counted = compare_files(*runs, unanswered="wrong")
    if all(any(pair[k] is not None for pair in pairs) for k in (0, 1)):
        assert known.answer_forms is not None
        assert counted.answer_forms is not None
        assert counted.answer_forms.described() == known.answer_forms.described()


def test_every_odd_answer_against_every_other(tmp_path: Path) -> None:
    pairs = [(old, new) for old in ODD for new in ODD]
    runs = [write(tmp_path / f"{k}.jsonl", [pair[k] for pair in pairs]) for k in (0, 1)]
    for choices in ({"unanswered": "wrong"}, {"unanswered": "drop"}):
        known = compare_runs(*runs, **choices)
        counted = compare_files(*runs, **choices)
        assert known.answer_forms is not None
        assert counted.answer_forms is not None
        assert counted.answer_forms.described() == known.answer_forms.described()
        assert str(counted).splitlines()[2:4] == str(known).splitlines()[2:4]
