"""The published schema is true of what is written, and refuses what is not."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from muscle_metrics import InputError, Policy, Record, Run, check_gate, compare, compare_runs
from muscle_metrics.gate.verdict import refuse
from muscle_metrics.reports.verdict_json import verdict_data, verdict_json

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture(scope="session")
def schema() -> jsonschema.Draft202012Validator:
    text = files("muscle_metrics.reports").joinpath("verdict.schema.json").read_text("utf-8")
    content = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


def test_verdicts_fit_the_schema(judge, schema) -> None:
    for broken, outcome in ((0, "PASS"), (3, "INCONCLUSIVE"), (40, "FAIL")):
        data = verdict_data(*judge(broken=broken, fixed=2, max_nfr="0.02"))
        schema.validate(data)
        assert data["outcome"] == outcome
        assert data["counts"] == {
            "both_right": 298 - broken, "negative": broken, "positive": 2, "both_wrong": 0,
        }  # fmt: skip
        assert data["negative_flips"]["total"] == broken


def test_attacks_fit_the_schema(attacked, schema) -> None:
    schema.validate(json.loads(verdict_json(*attacked, examples=1000)))


def test_a_refusal_fits_the_schema(schema) -> None:
    verdict = refuse(InputError("no items"), names=("v1", "v2"), confidence=0.95)
    data = verdict_data(verdict)
    schema.validate(data)
    assert (data["outcome"], data["items"], data["counts"]) == ("INVALID", None, None)


def test_bounds_of_repeats_say_what_they_are_of(schema) -> None:
    runs = [
        Run(
            tuple(
                Record(f"q{i}", "B" if i < broken else "A", "A", repeat=str(k))
                for i in range(30)
                for k in range(3)
            ),
            name,
        )
        for name, broken in (("v1", 0), ("v2", 9))
    ]
    comparison = compare_runs(*runs)
    policy = Policy(max_nfr="0.2", max_accuracy_loss="0.2")
    data = verdict_data(check_gate(comparison, policy), comparison)
    schema.validate(data)
    flips, loss = data["checks"]
    assert (flips["low_of"], flips["high_of"]) == ("beyond noise", "with noise")
    assert (loss["low_of"], loss["high_of"]) == ("", "")
    assert data["negative_flips"]["total"] == 9
    assert data["negative_flips"]["listed"][8]["prompt"] == {
        "right_before": 3,
        "right_now": 0,
        "generations": 3,
        "p_value": pytest.approx(1 / 20),
        "sureness": "likely",
    }


def test_texts_of_flips_fit_the_schema(schema) -> None:
    right, wrong = (json.dumps([{"name": "f", "arguments": {"x": x}}]) for x in (1, 2))
    comparison = compare(
        old=[right] * 99, new=[right] * 98 + [wrong], references=[right] * 99, answer="tool-calls"
    )
    data = verdict_data(check_gate(comparison, Policy(max_nfr="0.5")), comparison)
    assert data["negative_flips"]["listed"][0]["texts"]["new_mismatch"]
    schema.validate(data)


def test_graded_scores_have_no_counts(schema) -> None:
    runs = [
        Run(tuple(Record(str(i), scores={"f1": score}) for i in range(100)), name)
        for name, score in (("v1", 0.5), ("v2", 0.5))
    ]
    comparison = compare_runs(*runs, score_range=(0, 1))
    verdict = check_gate(comparison, Policy(max_nfr="0.05", max_mean_regression="0.5"))
    data = json.loads(verdict_json(verdict, comparison))
    schema.validate(data)
    assert data["counts"] is None
    # Nothing regressed, so that there is no mean of what regressed: null, and not 0.
    assert data["checks"][1]["estimate"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["outcome"], "GREEN"),
        (["schema_version"], 2),
        (["confidence"], 95),
        (["checks"], []),
        (["checks", 0, "estimate"], "7 %"),
        (["checks", 0, "outcome"], "UNKNOWN"),
        (["items"], None),
        (["counts", "negative"], -1),
        (["negative_flips", "listed", 0, "id"], 7),
        (["reason"], "unknown"),
    ],
)  # fmt: skip
def test_the_schema_refuses(judge, schema, path: list[str | int], value: object) -> None:
    data = verdict_data(*judge(broken=5, max_nfr="0.02"))
    node = data
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert not schema.is_valid(data)


def test_the_same_verdict_gives_the_same_bytes(judge) -> None:
    first, second = (verdict_json(*judge(broken=5, max_nfr="0.02")) for _ in range(2))
    assert first == second
    assert list(json.loads(first)) == sorted(json.loads(first))
    assert first.endswith("}\n")


def test_no_examples_lists_none_and_still_counts(judge) -> None:
    data = verdict_data(*judge(broken=5, max_nfr="0.02"), examples=0)
    assert data["negative_flips"] == {"total": 5, "listed": [], "secrets_hidden": 0}
