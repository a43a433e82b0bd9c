"""Prompts with repeats: each is listed once, the surest change first, in every sink."""

import json
import re
from dataclasses import replace
from importlib.util import find_spec

import pytest

from muscle_metrics import Comparison, Policy, Record, Run, compare, compare_runs
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.reports.flips import first_flips, flip_lines
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_data

# Right generations before and now, of 5; in no order of ids, and with names of every kind.
PROMPTS = {
    "=1+1": (3, 3),
    "q 10": (5, 4),
    "q 9": (4, 4),
    "сломан": (5, 0),
    "q/1": (0, 5),
    "عربي": (5, 0),
    "steady": (5, 5),
    "hopeless": (0, 0),
}
BROKE = [
    ("сломан", "5/5 -> 0/5, certain"),
    ("عربي", "5/5 -> 0/5, certain"),
    ("q 10", "5/5 -> 4/5, noise"),
]


def rows(which, prompts=PROMPTS, **fields):
    """Generations of every prompt, the right ones last, so that the first row shows nothing."""
    found = [
        {"id": name, "take": take, "prediction": "A" if take >= 5 - counts[which] else "B"}
        for name, counts in prompts.items()
        for take in range(5)
    ]
    # Not the order of the prompts, nor of their takes.
    return [
        {**row, "reference": "A", **fields}
        for row in found[3::4] + found[2::4] + found[1::4] + found[::4]
    ]


@pytest.fixture
def comparison():
    return compare_runs(rows(0), rows(1), repeat_field="take")


def test_prompts_are_counted_tested_and_sorted(comparison):
    prompts = comparison.prompts
    assert sorted(f"{one.id}: {one}" for one in prompts.broke) == sorted(
        f"{name}: {change}" for name, change in BROKE
    )
    assert prompts.broke[-1].id == "q 10"
    assert [str(one) for one in prompts.fixed] == ["0/5 -> 5/5, certain"]
    assert prompts.broke[0].p_value == pytest.approx(1 / 252)
    assert prompts.summary() == (
        "of 8 prompts 3 (2 certain, 1 noise) have fewer right answers than before, 1 (1 certain) "
        "have more"
    )


def test_json_and_frames_list_a_prompt_once(comparison):
    data = json.loads(comparison.to_json())
    broke = [flip for flip in data["flips"] if flip["quadrant"] == "negative"]
    assert len(broke) == 3
    assert {flip["id"] for flip in broke[:2]} == {"сломан", "عربي"}
    assert broke[0]["prompt"] == {
        "right_before": 5,
        "right_now": 0,
        "generations": 5,
        "p_value": pytest.approx(1 / 252),
        "sureness": "certain",
    }
    # The answers are those of a generation that broke.
    assert (broke[0]["old"], broke[0]["new"]) == ("A", "B")
    frame = comparison.flips_frame()
    assert frame["id"].tolist() == [flip["id"] for flip in data["flips"]]
    assert frame["right_now"].tolist() == [0, 0, 4, 5]
    assert frame["sureness"].tolist() == ["certain", "certain", "noise", "certain"]
    assert comparison.flips_frame("both_wrong")["id"].is_unique
    assert json.loads(comparison.to_json(items="none"))["flips"] is None


def test_a_saved_comparison_tabulates_the_same(comparison):
    saved = Comparison.from_json(comparison.to_json())
    left, right = saved.flips_frame(), comparison.flips_frame()
    assert left.to_dict("records") == right.to_dict("records")


def test_terminals_list_a_prompt_once(comparison):
    text = comparison.to_text(flips=9)
    assert "all 3 prompts with fewer right answers than before, the surest first" in text
    assert re.findall(r"^    right +(.*)$", text, re.MULTILINE) == [change for _, change in BROKE]
    assert "pass^5" in text
    assert "2 of 3 prompts" in comparison.to_text(flips=2)
    better = compare_runs(rows(1), rows(1), repeat_field="take")
    assert "no prompt has fewer right answers than before" in better.to_text(flips=2)


def test_verdicts_list_a_prompt_once_pinned_ones_first(comparison):
    policy = Policy(max_nfr="0.9", pinned={"عربي"})
    verdict = comparison.gate(policy)
    flips = first_flips(comparison, 2, verdict.broken_pins)
    assert flips.title == "prompts with fewer right answers than before: the first 2 of 3"
    assert [item.name for item in flips.items] == ["عربي", "сломан"]
    assert "    right      5/5 -> 0/5, certain" in flip_lines(flips)
    text = verdict_markdown(verdict, comparison)
    assert text.count("certain") == 2
    listed = verdict_data(verdict, comparison)["negative_flips"]
    assert listed["total"] == 3
    assert listed["listed"][0]["prompt"]["sureness"] == "certain"
    assert "texts" not in listed["listed"][0]


# The core is tested without extras too, and the page is one.
@pytest.mark.skipif(find_spec("jinja2") is None, reason="jinja2 is behind an extra")
def test_the_page_lists_a_prompt_once(comparison):
    from muscle_metrics import html_report

    page = html_report(comparison)
    assert page.count("<b>5/5 -&gt; 0/5, certain</b>") == 2
    assert 'for="view-negative">Broke <b>3</b>' in page
    assert "Pass^5" in page


def test_one_id_in_two_tasks_is_two_prompts():
    records = [
        Record(id="q", task=task, repeat=str(take), prediction="A", reference="A")
        for take in range(5)
        for task in "ab"
    ]
    new = [replace(one, prediction="B") if one.task == "b" else one for one in records]
    found = compare_runs(Run(tuple(records), "old"), Run(tuple(new), "new"))
    assert [(one.task, str(one)) for one in found.prompts.broke] == [("b", "5/5 -> 0/5, certain")]
    assert [flip["task"] for flip in found.to_dict()["flips"]] == ["b"]


def test_rows_that_swap_right_and_wrong_are_no_change():
    # Every generation flips, and as many are right as before.
    found = compare(
        old=["A", "B"] * 3,
        new=["B", "A"] * 3,
        references=["A"] * 6,
        ids=["x", "x", "y", "y", "z", "z"],
        repeats=[0, 1] * 3,
    )
    assert found.counts.negative == 3
    assert found.prompts.broke == []
    assert found.to_dict()["flips"] == []


def test_a_prompt_with_one_generation_leaves_pass_at_1():
    found = compare_runs(rows(0)[:-1], rows(1)[:-1], repeat_field="take")
    assert found.prompts.fewest == 4
    alone = {"id": "alone", "take": 1, "prediction": "A", "reference": "A"}
    found = compare_runs([*rows(0), alone], [*rows(1), alone], repeat_field="take")
    assert [one.title for one in found.prompts.pass_changes()] == ["pass@1"]
    assert "one generation of a prompt leaves no pass^k" in str(found)
    with pytest.raises(InputError, match="k = 5 generations of every prompt, got 1"):
        found.prompts.pass_changes(5)


def test_runs_without_repeats_have_no_prompts():
    found = compare(old=["A"], new=["B"], references=["A"])
    assert found.prompts is None
    assert found.to_dict()["prompts"] is None
    assert "prompt" not in found.to_dict()["flips"][0]


def test_an_engine_refuses_to_list_generations_as_flips(tmp_path):
    pytest.importorskip("duckdb")
    from muscle_metrics.scale import compare_files

    paths = []
    for name, which in (("old", 0), ("new", 1)):
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows(which)), "utf-8")
    options = {"repeat_field": "take"}
    counted = compare_files(*paths, old_options=options, new_options=options)
    assert counted.prompts is None
    for show in (lambda: counted.to_text(flips=1), counted.flips_frame):
        with pytest.raises(UsageError, match="leave out --engine"):
            show()
    data = counted.to_dict()
    assert data["flips"] is None
    assert any("flips are not listed" in note for note in data["notes"])
