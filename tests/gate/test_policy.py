from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from dataclasses import FrozenInstanceError, fields
from datetime import date
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muscle_metrics.errors import UsageError
from muscle_metrics.gate.files import fits_line, read_ids
from muscle_metrics.gate.policy import Policy, read_policy
from muscle_metrics.gate.waivers import Waiver

SHARES = [
    "max_nfr",
    "max_nfr_mc",
    "max_accuracy_loss",
    "max_flip_rate",
    "max_churn",
    "max_accuracy_change",
    "max_weighted_nfr",
]
BUDGETS = ["metrics", "tasks", "slices"]


def policy_with(name, value):
    """A policy that sets one limit and whatever this limit cannot do without."""
    settings = {"max_nfr": "0.02", name: value}
    if name == "max_weighted_nfr":
        settings["weights"] = {"safety": 2}
    return Policy(**settings)


def write(folder, text, name="gate.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# Limits


@pytest.mark.parametrize("limit", ["0.02", 0.02, Fraction(1, 50), "1/50", "2e-2", " 0.02 "])
def test_a_limit_is_the_number_that_was_written(limit):
    assert Policy(max_nfr=limit).max_nfr == Fraction(1, 50)


@given(st.decimals("0.0001", "0.9999", places=4))
def test_decimal_text_is_kept_exactly(limit):
    assert Policy(max_nfr=str(limit)).max_nfr == Fraction(limit)
    assert Policy(max_nfr=float(limit)).max_nfr == Fraction(limit)


@pytest.mark.parametrize("name", SHARES)
def test_every_share_is_exact(name):
    assert getattr(policy_with(name, 0.1), name) == Fraction(1, 10)


@pytest.mark.parametrize("name", BUDGETS)
def test_every_budget_is_exact(name):
    assert getattr(policy_with(name, {"x": 0.1}), name) == {"x": Fraction(1, 10)}


def test_a_mean_regression_is_in_units_of_the_score():
    assert policy_with("max_mean_regression", "2.5").max_mean_regression == Fraction(5, 2)


@pytest.mark.parametrize("limit", ["0", 0, "-0.01", "1", 2, "2.5", 100])
@pytest.mark.parametrize("name", SHARES)
def test_a_share_is_strictly_between_0_and_1(name, limit):
    with pytest.raises(UsageError, match=rf"^expected {name} to be a share between 0 and 1, got"):
        policy_with(name, limit)


@pytest.mark.parametrize("limit", ["0", "1", "2"])
@pytest.mark.parametrize("name", BUDGETS)
def test_a_budget_is_a_share(name, limit):
    with pytest.raises(UsageError, match=rf"^expected {name}.x to be a share between 0 and 1"):
        policy_with(name, {"x": limit})


@pytest.mark.parametrize(("limit", "share"), [(2, "0.02"), ("2.5", "0.025"), (1, "0.01")])
def test_a_percentage_is_explained(limit, share):
    with pytest.raises(UsageError, match=rf": write {limit} % as {share}$"):
        Policy(max_nfr=limit)


@pytest.mark.parametrize("limit", [0, "-0.5"])
def test_a_limit_of_nothing_points_to_pinned_items(limit):
    message = ": no number of items shows that nothing breaks; pin items that must not break$"
    with pytest.raises(UsageError, match=message):
        Policy(max_nfr=limit)


@pytest.mark.parametrize("limit", ["2 %", "", "nan", "inf", "1/0", float("nan"), True, [0.02]])
def test_a_limit_is_a_number(limit):
    with pytest.raises(UsageError, match=r"^expected max_nfr to be a number such as 0.02, got"):
        Policy(max_nfr=limit)


@pytest.mark.parametrize("limit", [0, "-1"])
def test_a_mean_regression_is_above_0(limit):
    with pytest.raises(UsageError, match=r"^expected max_mean_regression to be above 0, got"):
        Policy(max_nfr="0.02", max_mean_regression=limit)


def test_there_is_no_default_limit():
    with pytest.raises(UsageError, match=r"there is no default; 0.02 allows 2 in 100") as caught:
        Policy()
    assert "--max-nfr" in str(caught.value)
    assert "muscle-metrics power" in str(caught.value)


def test_a_loss_of_accuracy_is_a_policy_of_its_own(tmp_path):
    alone = Policy(max_accuracy_loss="0.01")
    assert (alone.max_nfr, alone.max_accuracy_loss) == (None, Fraction(1, 100))
    assert read_policy(write(tmp_path, "max_accuracy_loss = 0.01")) == alone


@pytest.mark.parametrize(
    "others",
    [
        {"max_conditional_nfr": "0.1"},
        {"max_nfr_mc": "0.1"},
        {"slices": {"x": "0.1"}},
        {"pinned": ["q1"]},
    ],
)
def test_other_limits_stand_beside_one_of_the_two(others):
    with pytest.raises(
        UsageError, match=r"\(--max-accuracy-loss\), which leaves flips unlimited, or for a copy"
    ):
        Policy(**others)
    assert Policy(max_accuracy_loss="0.1", **others).max_nfr is None


def test_protected_slices_need_the_limit_that_they_keep():
    with pytest.raises(UsageError, match=r"^expected max_nfr \(--max-nfr\), which each protected"):
        Policy(max_accuracy_loss="0.1", protected=("safety",))


@pytest.mark.parametrize(
    ("limits", "limited"),
    [
        ({}, False),
        ({"max_nfr": "0.1"}, True),
        ({"max_conditional_nfr": "0.1"}, True),
        ({"max_nfr_mc": "0.1"}, True),
        ({"max_flip_rate": "0.1"}, True),
        ({"max_churn": "0.1"}, True),
        ({"max_accuracy_change": "0.1"}, False),
        # One slice, one metric, light items: the flips of all items may still be any number.
        ({"slices": {"x": "0.1"}, "metrics": {"rouge1": "0.1"}, "pinned": ["q1"]}, False),
        ({"max_weighted_nfr": "0.1", "weights": {"x": 0.001}}, False),
    ],
)
def test_a_policy_knows_whether_it_limits_flips(limits, limited):
    assert Policy(max_accuracy_loss="0.1", **limits).limits_flips is limited


# Other settings


def test_defaults():
    policy = Policy(max_nfr="0.02")
    assert policy.confidence == 0.95
    assert policy.on_inconclusive == "error"
    assert policy.minimum_effect == 0
    assert policy.noise_adjusted_pass is False
    assert policy.pinned == frozenset()
    assert policy.protected == policy.accepted_differences == ()
    assert policy.weights == policy.metrics == policy.tasks == policy.slices == {}
    others = (policy.max_nfr_mc, policy.max_accuracy_loss, policy.max_weighted_nfr)
    assert (*others, policy.max_mean_regression) == (None,) * 4


def test_each_of_two_looks_has_a_stricter_level():
    assert Policy(max_nfr="0.02").look_confidence == 0.95
    assert Policy(max_nfr="0.02", looks=2).look_confidence == pytest.approx(0.9802)
    assert Policy(max_nfr="0.02", looks=2, look=2).look_confidence == pytest.approx(0.9802)


@pytest.mark.parametrize("looks", [0, 3, True, "2", 1.5])
@pytest.mark.parametrize("name", ["looks", "look"])
def test_looks_are_1_or_2(name, looks):
    with pytest.raises(UsageError, match=rf"^expected {name} to be 1 or 2, got {looks!r}: plan at"):
        Policy(max_nfr="0.02", **{name: looks})


def test_a_second_look_is_planned_before_the_first():
    with pytest.raises(UsageError, match=r"^expected a second look to be planned before the first"):
        Policy(max_nfr="0.02", look=2)


def test_a_policy_cannot_be_changed():
    limits = {"x": "0.1"}
    policy = Policy(max_nfr="0.02", slices=limits)
    limits["x"] = "0.9"
    assert policy.slices == {"x": Fraction(1, 10)}
    with pytest.raises(FrozenInstanceError):
        policy.max_nfr = Fraction(1, 2)
    for mapping in (
        policy.metrics,
        policy.tasks,
        policy.slices,
        policy.weights,
        policy.item_weights,
    ):
        with pytest.raises(TypeError):
            mapping["x"] = 0.5


@pytest.mark.parametrize("confidence", [0, 1, 95, "0.95"])
def test_confidence_is_a_level(confidence):
    with pytest.raises(UsageError, match="expected a confidence level between 0 and 1"):
        Policy(max_nfr="0.02", confidence=confidence)


@pytest.mark.parametrize("confidence", [0.05, 0.5])
def test_bounds_do_not_cross(confidence):
    with pytest.raises(UsageError, match=r"^expected confidence above 0.5, got .*: write 95 % as"):
        Policy(max_nfr="0.02", confidence=confidence)


@pytest.mark.parametrize("choice", ["error", "fail", "pass"])
def test_an_inconclusive_gate_means_what_people_chose(choice):
    assert Policy(max_nfr="0.02", on_inconclusive=choice).on_inconclusive == choice


def test_an_unknown_meaning_is_refused():
    with pytest.raises(UsageError, match=r"one of \['error', 'fail', 'pass'\], got 'ignore'"):
        Policy(max_nfr="0.02", on_inconclusive="ignore")


@pytest.mark.parametrize("effect", [-0.1, float("nan"), float("inf")])
def test_a_minimum_effect_is_a_number_of_at_least_0(effect):
    with pytest.raises(UsageError, match=r"^expected minimum_effect to be a number of at least 0"):
        Policy(max_nfr="0.02", minimum_effect=effect)


@pytest.mark.parametrize("weight", [0, -1, "much", float("nan")])
def test_a_weight_is_above_0(weight):
    with pytest.raises(UsageError, match=r"^expected weights.safety to be"):
        Policy(max_nfr="0.02", max_weighted_nfr="0.02", weights={"safety": weight})


def test_weights_become_numbers():
    policy = Policy(max_nfr="0.02", max_weighted_nfr="0.02", weights={"safety": "2.5"})
    assert policy.weights == {"safety": 2.5}
    policy = Policy(max_nfr="0.02", max_weighted_nfr="0.02", item_weights={"q1": "2.5"})
    assert policy.item_weights == {"q1": 2.5}


@pytest.mark.parametrize("names", [["a", "b"], ("a", "b"), {"a", "b"}])
def test_names_may_come_in_any_collection(names):
    policy = Policy(max_nfr="0.02", protected=names, pinned=names, accepted_differences=names)
    assert policy.pinned == frozenset({"a", "b"})
    assert sorted(policy.protected) == sorted(policy.accepted_differences) == ["a", "b"]


@pytest.mark.parametrize("name", ["protected", "pinned", "accepted_differences"])
@pytest.mark.parametrize("names", ["safety", 3, [1], None])
def test_one_text_is_no_list_of_names(name, names):
    with pytest.raises(UsageError, match=rf"^expected a list of texts for {name}, got"):
        Policy(max_nfr="0.02", **{name: names})


# Contradictions


def test_the_inconsistency_rate_includes_every_negative_flip():
    with pytest.raises(UsageError, match=r"which it includes, got 0.01 and 0.02: raise max_nfr_mc"):
        Policy(max_nfr="0.02", max_nfr_mc="0.01")
    assert Policy(max_nfr="0.02", max_nfr_mc="0.02").max_nfr_mc == Fraction(1, 50)


@pytest.mark.parametrize(
    ("larger", "smaller"),
    [
        ("max_flip_rate", "max_nfr"),
        ("max_churn", "max_nfr"),
        ("max_churn", "max_nfr_mc"),
        ("max_churn", "max_flip_rate"),
    ],
)
def test_a_limit_includes_a_smaller_one(larger, smaller):
    others = {} if smaller != "max_nfr_mc" else {"max_accuracy_loss": "0.1"}
    with pytest.raises(UsageError, match=rf"^expected {larger} to be at least {smaller}, which it"):
        Policy(**{larger: "0.01", smaller: "0.0100001"}, **others)
    assert Policy(**{larger: "0.01", smaller: "1e-2"}, **others).limited[-1] == larger


@pytest.mark.parametrize("limit", ["max_flip_rate", "max_churn", "max_accuracy_change"])
def test_one_limit_of_equivalence_is_a_policy_of_its_own(limit, tmp_path):
    alone = Policy(**{limit: "0.03"})
    assert alone.limited == (limit,)
    assert read_policy(write(tmp_path, f"{limit} = 0.03")) == alone


def test_a_slice_has_one_limit():
    with pytest.raises(UsageError, match=r"got both for \['a', 'b'\]: drop one"):
        Policy(max_nfr="0.02", protected=("b", "a", "c"), slices={"a": "0.1", "b": "0.1"})


@pytest.mark.parametrize(
    "half",
    [{"max_weighted_nfr": "0.02"}, {"weights": {"safety": 2}}, {"item_weights": {"q1": 2}}],
)
def test_severity_needs_a_limit_and_a_limit_severity(half):
    message = (
        "^expected max_weighted_nfr together with weights, got one without the other: severity "
        "needs a limit, and the limit needs severities$"
    )
    with pytest.raises(UsageError, match=message):
        Policy(max_nfr="0.02", **half)


# Files


FULL = """
max_nfr = 0.02
max_nfr_mc = 0.1
max_flip_rate = 0.2
max_churn = 0.3
max_accuracy_change = 0.1
max_conditional_nfr = 0.2
missing = "ignore"
min_coverage = 0.95
max_accuracy_loss = "0.01"
max_mean_loss = 0.5
max_mean_regression = 1
max_weighted_nfr = 0.03
max_pass_at_k_loss = 0.02
max_pass_hat_k_loss = 0.06
max_flap_rate = 0.2
pass_k = 3
protected = ["safety"]
pinned = ["q1", "q2"]
minimum_effect = 0.05
confidence = 0.9
looks = 2
look = 2
on_inconclusive = "fail"
noise_adjusted_pass = true
strict_groups = false
accepted_differences = ["judge"]
answer = "strip"
judge = "judge"
weights = {safety = 2, law = 1.5}
item_weights = {q1 = 9}
metrics = {rouge1 = 0.3}
tasks = {gsm8k = 0.04}
slices = {law = 0.05}
waivers = [{id = "q1", owner = "Ada", reason = "known", expires = 2027-01-31}]
"""


@pytest.mark.parametrize("header", ["", "[tool.muscle-metrics.gate]"])
def test_every_setting_can_stand_in_a_file(tmp_path, header):
    # The day is a fact of the run, never of the file.
    assert set(tomllib.loads(FULL)) == {field.name for field in fields(Policy)} - {"today"}
    today = date(2027, 1, 1)
    assert read_policy(write(tmp_path, header + FULL), today=today) == Policy(
        today=today,
        waivers=(Waiver(id="q1", owner="Ada", reason="known", expires="2027-01-31"),),
        max_nfr="0.02",
        max_nfr_mc="0.1",
        max_flip_rate="0.2",
        max_churn="0.3",
        max_accuracy_change="0.1",
        max_conditional_nfr="0.2",
        missing="ignore",
        min_coverage="0.95",
        max_accuracy_loss="0.01",
        max_mean_loss="0.5",
        max_mean_regression=1,
        max_weighted_nfr="0.03",
        max_pass_at_k_loss="0.02",
        max_pass_hat_k_loss="0.06",
        max_flap_rate="0.2",
        pass_k=3,
        protected=("safety",),
        pinned=frozenset({"q1", "q2"}),
        minimum_effect=0.05,
        confidence=0.9,
        looks=2,
        look=2,
        on_inconclusive="fail",
        noise_adjusted_pass=True,
        strict_groups=False,
        accepted_differences=("judge",),
        answer="strip",
        judge="judge",
        weights={"safety": 2, "law": 1.5},
        item_weights={"q1": 9},
        metrics={"rouge1": "0.3"},
        tasks={"gsm8k": "0.04"},
        slices={"law": "0.05"},
    )


def test_limits_in_a_file_are_exact(tmp_path):
    # 0.1 + 0.2 in binary would not be 0.3; in a file 0.3 is three tenths.
    policy = read_policy(write(tmp_path, "max_nfr = 0.3\nslices = {x = 0.0700}"))
    assert (policy.max_nfr, policy.slices["x"]) == (Fraction(3, 10), Fraction(7, 100))


def test_options_replace_what_a_file_says(tmp_path):
    path = write(tmp_path, "max_nfr = 0.3\nconfidence = 0.9\nslices = {x = 0.1}")
    assert read_policy(path, max_nfr="0.1", slices={}) == Policy(max_nfr="0.1", confidence=0.9)
    assert read_policy(write(tmp_path, ""), max_nfr="0.1") == Policy(max_nfr="0.1")


def test_a_file_must_choose_a_limit_as_well(tmp_path):
    with pytest.raises(UsageError, match="there is no default"):
        read_policy(write(tmp_path, "confidence = 0.9"))


def test_other_tables_of_a_project_are_left_alone(tmp_path):
    text = "[project]\nname = 'x'\n[tool.ruff]\nx = 1\n[tool.muscle-metrics.gate]\nmax_nfr = 0.1"
    assert read_policy(str(write(tmp_path, text))) == Policy(max_nfr="0.1")


@pytest.mark.parametrize("text", ["[tool.ruff]", "[tool]\nmuscle-metrics = 1"])
def test_a_project_without_the_section(tmp_path, text):
    with pytest.raises(
        UsageError, match=r"a section \[tool.muscle-metrics.gate\] in '.*gate.toml'"
    ):
        read_policy(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("max_nrf = 0.02", "got 'max_nrf': did you mean 'max_nfr'?"),
        ("max-nfr = 0.02", "got 'max-nfr': did you mean 'max_nfr'?"),
        ("slice = {x = 0.1}", "got 'slice': did you mean 'slices'?"),
        ("zzz = 1", "got 'zzz': known are ['accepted_differences', 'answer', 'confidence', "),
    ],
)
def test_unknown_keys_are_refused(tmp_path, text, hint):
    with pytest.raises(UsageError) as caught:
        read_policy(write(tmp_path, f"max_nfr = 0.02\n{text}"))
    assert hint in str(caught.value)
    assert "gate.toml" in str(caught.value)


@pytest.mark.parametrize("table", ["weights", "item_weights", "metrics", "tasks", "slices"])
def test_a_table_is_a_table(tmp_path, table):
    with pytest.raises(
        UsageError, match=rf"^expected a table for '{table}' in '.*gate.toml', got '0.1'$"
    ):
        read_policy(write(tmp_path, f"max_nfr = 0.02\n{table} = 0.1"))


@pytest.mark.parametrize("value", ["1", '"yes"', "0.5", "[true]"])
def test_a_switch_is_true_or_false(tmp_path, value):
    message = r"^expected true or false for 'noise_adjusted_pass' in '.*gate.toml', got"
    with pytest.raises(UsageError, match=message):
        read_policy(write(tmp_path, f"max_nfr = 0.02\nnoise_adjusted_pass = {value}"))


@pytest.mark.parametrize("name", ["confidence", "minimum_effect", "max_nfr", "slices.x"])
@pytest.mark.parametrize("value", ['"high"', "nan", "true", "[1]", "2024-01-01"])
def test_a_number_is_a_number(tmp_path, name, value):
    settings = {"max_nfr": "0.02", name: value}
    text = "\n".join(f"{key} = {value}" for key, value in settings.items())
    with pytest.raises(UsageError, match=rf"^expected {name} to be a number such as 0.02, got"):
        read_policy(write(tmp_path, text))


def test_a_number_of_a_file_may_be_text(tmp_path):
    text = 'max_nfr = "0.02"\nconfidence = "0.9"\nminimum_effect = 1'
    policy = read_policy(write(tmp_path, text))
    assert (policy.confidence, policy.minimum_effect) == (0.9, 1.0)


def test_pinned_ids_may_stand_in_a_file_of_their_own(tmp_path):
    (tmp_path / "pins").mkdir()
    write(tmp_path / "pins", "q1\n\nid with spaces \nq1\n", "must not break.txt")
    path = write(tmp_path, "max_nfr = 0.02\npinned = 'pins/must not break.txt'")
    assert read_policy(path).pinned == frozenset({"q1", "id with spaces "})


@given(st.text(st.characters(codec=None), max_size=6))
@example("\r")
@example("a\rb")
@example("\ud800")
@example("\u2028\x85\x0b")
@example("\ufeffq")
@example(' "q" ')
def test_an_id_fits_a_line_where_reading_the_line_gives_it_again(name):
    with TemporaryDirectory() as folder:
        path = Path(folder, "pinned.txt")
        path.write_bytes(f"{name}\n".encode("utf-8", "surrogatepass"))
        try:
            found = read_ids(path)
        except UsageError:
            found = []
    assert fits_line(name) == (found == [name])


# A locale in which text is ASCII unless the code names an encoding.
def test_pinned_ids_are_utf8_on_every_machine(tmp_path):
    path = write(tmp_path, "déjà\r\nvu\n", "pins.txt")
    assert read_ids(path) == ["déjà", "vu"]
    code = "import sys, pathlib, muscle_metrics.gate.files as files; "
    code += "print(ascii(files.read_ids(pathlib.Path(sys.argv[1]))))"
    found = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", code, str(path)],
        env={**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == ascii(["déjà", "vu"])


def test_a_byte_order_mark_belongs_to_no_id_and_no_setting(tmp_path):
    mark = b"\xef\xbb\xbf"
    (tmp_path / "pins.txt").write_bytes(mark + "вопрос 1\r\nq2\r\n".encode())
    policy = tmp_path / "gate.toml"
    policy.write_bytes(mark + b"max_nfr = 0.02\r\npinned = 'pins.txt'\r\n")
    assert read_policy(policy).pinned == {"вопрос 1", "q2"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"\xff\xfe", "bytes that are not UTF-8")],
)
def test_a_file_of_pinned_ids_is_there_and_is_text(tmp_path, content, reason):
    pins = tmp_path / "pins.txt"
    if content is not None:
        pins.write_bytes(content)
    message = f"expected one id per line in {str(pins)!r}, got {reason}: name a text file"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        read_policy(write(tmp_path, "max_nfr = 0.02\npinned = 'pins.txt'"))


@pytest.mark.parametrize("content", [b"max_nfr = ", b"\xff"])
def test_a_policy_is_toml(tmp_path, content):
    (tmp_path / "gate.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"^expected a policy in TOML in '.*gate.toml', got"):
        read_policy(tmp_path / "gate.toml")


def test_a_policy_must_be_there(tmp_path):
    with pytest.raises(UsageError, match=r"^expected a policy in TOML in '.*gate.toml', got"):
        read_policy(tmp_path / "gate.toml")


@pytest.mark.parametrize(
    "text",
    [
        "max_nfr = 1e400",
        "max_nfr = 1e99999999",
        "max_nfr = 0.5\nmin_coverage = 1e-99999999",
        "max_nfr = 0.5\nmax_weighted_nfr = 0.5\nweights = { a = 1e400 }",
        "max_nfr = 0.5\nmax_weighted_nfr = 0.5\nitem_weights = { a = 1e9999999 }",
        "max_nfr = 0.5\nminimum_effect = 1e400",
        f"max_nfr = 0.5\nlooks = {'9' * 5000}",
        f'max_nfr = 0.5\nmissing = "{"x" * 5000}"',
        'max_nfr = 0.5\npinned = "\\u0000"',
        f"max_nfr = 0.5\nmetrics = {'[' * 5000}",
    ],
)
def test_whatever_a_policy_holds_the_error_is_one_short_line_of_ours(tmp_path, text):
    path = tmp_path / "gate.toml"
    path.write_text(text, encoding="utf-8")
    start = time.perf_counter()
    with pytest.raises(UsageError, match=r"^expected ") as caught:
        read_policy(path)
    assert time.perf_counter() - start < 5
    message = str(caught.value)
    assert message.splitlines() == [message]
    assert len(message) < 1000


@pytest.mark.parametrize("text", ["", "\n\r\n"])
def test_a_file_that_pins_nothing_is_refused(tmp_path: Path, text) -> None:
    path = tmp_path / "pinned.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"expected one id per line in .*, got none"):
        read_ids(path)
    policy = tmp_path / "policy.toml"
    policy.write_text('max_nfr = 0.1\npinned = "pinned.txt"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="got none"):
        read_policy(policy)
