"""The export that LLM Comparator loads: its required keys, both answers, and what is untrusted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Record, Run, UsageError, compare, compare_runs
from muscle_metrics.cli import main
from muscle_metrics.integrations.llm_comparator import llm_comparator_data, llm_comparator_json

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

jsonschema = pytest.importorskip("jsonschema")

TEXT = {"type": "string"}
TYPES = {
    "string": TEXT,
    "text": TEXT,
    "category": TEXT,
    "per_model_boolean": {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
    "per_model_number": {"type": "array", "items": {"type": "number"}, "minItems": 2},
}


def strict(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties}


# All keys that the README of LLM Comparator calls required, with the types of its client.
SCHEMA = strict(
    metadata=strict(
        source_path=TEXT,
        custom_fields_schema={
            "type": "array",
            "items": strict(name=TEXT, type={"enum": [*TYPES]}),
        },
    ),
    models={"type": "array", "items": strict(name=TEXT), "minItems": 2, "maxItems": 2},
    examples={
        "type": "array",
        "items": strict(
            input_text=TEXT,
            tags={"type": "array", "items": TEXT},
            output_text_a=TEXT,
            output_text_b=TEXT,
            score={"type": "number"},
            individual_rater_scores={"type": "array", "maxItems": 0},
            custom_fields={"type": "object"},
        ),
    },
)


def check(text: str) -> dict[str, Any]:
    """Loaded as the client loads it, with the type of every custom field."""
    data: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    jsonschema.validate(data, SCHEMA)
    fields = {f["name"]: f["type"] for f in data["metadata"]["custom_fields_schema"]}
    for example in data["examples"]:
        assert example["custom_fields"].keys() == fields.keys()
        for name, value in example["custom_fields"].items():
            jsonschema.validate(value, TYPES[fields[name]])
    return data


def run(name: str, *answers: object, **labels: Any) -> Run:
    records = (
        Record(f"q{i}", answer, ["A", "a"], prompt=f"Prompt {i}", **labels)
        for i, answer in enumerate(answers)
    )
    return Run(tuple(records), name)


def test_items_stand_side_by_side() -> None:
    old, new = run("v1", "A", "A", "B", None), run("v2", "a", "B", "A", "", slice="letters")
    comparison = compare_runs(old, new, unanswered="wrong")
    data = check(llm_comparator_json(comparison, prompts=new))
    assert data["models"] == [{"name": "v2"}, {"name": "v1"}]
    assert data["metadata"]["source_path"] == comparison.signature
    first, broken, fixed, missing = data["examples"]
    assert first == {
        "input_text": "Prompt 0",
        "tags": ["letters"],
        "output_text_a": "a",
        "output_text_b": "A",
        "score": 0.0,
        "individual_rater_scores": [],
        "custom_fields": {
            "id": "q0",
            "reference": "A\na",
            "quadrant": "both_right",
            "right": [True, True],
        },
    }
    assert (broken["score"], broken["custom_fields"]["right"]) == (-1.0, [False, True])
    assert (fixed["score"], fixed["custom_fields"]["right"]) == (1.0, [True, False])
    # An empty answer is not the same as none.
    assert missing["output_text_a"] == ""
    assert missing["output_text_b"] == "(no answer was recorded)"
    assert sum(example["score"] for example in data["examples"]) == (
        comparison.counts.positive - comparison.counts.negative
    )


def test_without_prompts_the_id_is_shown() -> None:
    data = check(llm_comparator_json(compare(old=[1], new=[2.5], references=[1])))
    assert data["examples"][0]["input_text"] == "0"


def test_graded_answers_have_their_gain() -> None:
    old, new = ["the cat sat", "a dog"], ["the cat", "a dog"]
    references = ["the cat sat", "the dog"]
    graded = compare(old=old, new=new, references=references, metric=["rouge1", "ter"])
    data = check(llm_comparator_json(graded, metric="rouge1"))
    assert [example["score"] for example in data["examples"]] == [pytest.approx(-0.2), 0.0]
    assert data["examples"][0]["custom_fields"]["rouge1"] == [pytest.approx(0.8), 1.0]
    # Of an error rate less is better, and a positive score says that the new answer is.
    worse = llm_comparator_data(graded, metric="ter")["examples"][0]
    assert worse["score"] < 0 < worse["custom_fields"]["ter"][0]
    with pytest.raises(UsageError, match="there is 'rouge1', 'ter'"):
        llm_comparator_json(graded)


def test_hostile_texts_stay_text(hostile: list[str]) -> None:
    records = [
        Record(f"{i}", text, text, slice=text, prompt=text) for i, text in enumerate(hostile)
    ]
    attack = Run(tuple(records), hostile[0])
    text = llm_comparator_json(compare_runs(attack, attack), prompts=attack)
    assert text.isascii()
    assert "##[" not in text
    found = [example["output_text_a"] for example in check(text)["examples"]]
    assert sorted(found) == sorted(hostile)


def test_on_the_command_line(
    tmp_path: Path,
    project: Path,
    example_quadrants: Callable[[str, str], Counter[str]],
    capsys: Any,
) -> None:
    runs = [str(project / "examples" / f"v{i}.jsonl") for i in (1, 2)]
    out = tmp_path / "side-by-side.json"
    flags = ["--prompt-field", "prompt", "--llm-comparator", str(out)]
    assert main(["compare", *runs, *flags]) == 0
    data = check(out.read_text())
    scores = [example["score"] for example in data["examples"]]
    counted = example_quadrants("v1", "v2")
    assert (scores.count(1.0), scores.count(-1.0)) == (counted["positive"], counted["negative"])
    assert len(scores) == counted.total()
    first = (project / "examples" / "v1.jsonl").read_text(encoding="utf-8").partition("\n")[0]
    assert data["examples"][0]["input_text"] == json.loads(first)["prompt"]
    assert main(["compare", *runs, runs[0], *flags]) == 2
    assert "expected two runs for --llm-comparator, got 3" in capsys.readouterr().err
