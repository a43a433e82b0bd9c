"""Planted slices are found, shuffled ones are not, and groups stay in one half."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from muscle_metrics import (
    Comparison,
    UsageError,
    compare,
    compare_runs,
    find_slices,
    read_run,
)
from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.comparison.counted import CountedComparison
from muscle_metrics.comparison.listed import ItemTexts
from muscle_metrics.scale import Totals
from muscle_metrics.slices.conditions import conditions_of
from muscle_metrics.slices.facets import Facet, item_facets
from muscle_metrics.slices.find import Outcomes, search_and_test
from tests.slices.simulations import false_shares

if TYPE_CHECKING:
    from pathlib import Path

PROMPTS = {
    "Latin": "Translate the sentence {} into French, please, and keep its tone.",
    "Cyrillic": "Сколько слов в этом предложении: {}?",
    "Arabic": "كم عدد الكلمات في هذه الجملة {}؟",
    "Han": "请问这个句子里有多少个字{}？",
}


def planted(
    total: int, bad: int, seed: int, **others: Any
) -> tuple[Comparison, dict[str, dict[str, int]]]:
    """Items that break in 6 %, and `bad` Cyrillic ones about law of which 40 % break."""
    rng = np.random.default_rng(seed)
    topics = rng.choice(["law", "art", "Söhne & Co", "税", "bio", "geo"], total).tolist()
    scripts = rng.choice([*PROMPTS], total, p=[0.7, 0.12, 0.08, 0.1]).tolist()
    both = [k for k in range(total) if (topics[k], scripts[k]) == ("law", "Cyrillic")]
    for k in both[bad:]:
        topics[k] = "art"
    chances = np.full(total, 0.06)
    chances[both[:bad]] = 0.4
    broke = rng.random(total) < chances
    right = broke | (rng.random(total) < 0.7)
    levels = rng.integers(0, 30, total)
    comparison = compare(
        old=np.where(right, "A", "C").tolist(),
        new=np.where(broke, "B", np.where(right, "A", "C")).tolist(),
        references=["A"] * total,
        slices=topics,
        prompts=[PROMPTS[script].format(k) for k, script in enumerate(scripts)],
        **others,
    )
    assert len(both) >= bad
    return comparison, {"level": {str(k): int(level) for k, level in enumerate(levels)}}


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]
)
def test_a_bad_slice_of_200_in_12000_items_is_found_first(seed: int) -> None:
    comparison, fields = planted(12_000, 200, seed)
    start = time.process_time()
    found = find_slices(comparison, fields=fields)
    assert time.process_time() - start < 5
    first = found.items[0]
    assert {one.text() for one in first.conditions} == {
        "slice is law",
        "script of prompt is Cyrillic",
    }
    assert first.rate.total == 200
    assert first.bounds.low > 0.2
    assert len(found.items) == 1
    assert set(first.broken) < {item.id for item in comparison.flips("negative")}
    assert len(first.broken) == first.rate.count


def test_the_halves_depend_on_the_seed_and_not_on_the_order_of_rows() -> None:
    comparison, _ = planted(3000, 60, 1)
    items = list(comparison.items())
    order = np.random.default_rng(0).permutation(len(items)).tolist()
    asked = comparison.table.asked or ()
    shuffled = compare(
        old=[items[k].old for k in order],
        new=[items[k].new for k in order],
        references=[items[k].reference for k in order],
        ids=[items[k].id for k in order],
        slices=[items[k].slice for k in order],
        prompts=[asked[k] for k in order],
    )
    assert find_slices(shuffled).to_json() == find_slices(comparison).to_json()
    other = find_slices(comparison, seed=1)
    assert other.signature.startswith("seed 1; searched 1500 items and tested 1500")
    assert other.items[0].tested != find_slices(comparison).items[0].tested


def test_a_field_of_numbers_is_cut_and_combined() -> None:
    rng = np.random.default_rng(3)
    levels = rng.permutation(2000)
    broke = (levels >= 1800) & (rng.random(2000) < 0.8)
    comparison = compare(
        old=["A"] * 2000, new=np.where(broke, "B", "A").tolist(), references=["A"] * 2000
    )
    fields = {"level": {str(k): f"{level}" for k, level in enumerate(levels)}}
    (found,) = find_slices(comparison, fields=fields).items
    assert found.text() == "level >= 1800"
    assert "no prompts" in find_slices(comparison).notes[0]


@pytest.mark.parametrize("missing", [None, float("nan"), np.float32("nan"), pd.NA])
def test_a_missing_value_leaves_a_field_of_numbers_one_of_numbers(missing: object) -> None:
    new = ["B" if row >= 90 else "A" for row in range(100)]
    comparison = compare(old=["A"] * 100, new=new, references=["A"] * 100)
    levels: dict[str, object] = {str(row): row for row in range(100)}
    facets = item_facets(comparison, [ItemTexts()] * 100, {"level": {**levels, "7": missing}})
    values = next(facet.values for facet in facets if facet.name == "level")
    assert isinstance(values, np.ndarray)
    assert np.flatnonzero(np.isnan(values)).tolist() == [7]


def test_items_with_one_prompt_stay_in_one_half() -> None:
    """Five generations of each prompt under ids of their own: no group or repeat is declared."""
    rng = np.random.default_rng(5)
    prompts = np.repeat(np.arange(300), 5)
    broke = (rng.random(300) < 0.1)[prompts]
    topics = rng.choice([*"abcdefghijklmnop"], 300)[prompts].tolist()
    asked = [f"Вопрос {number}: что дальше?" for number in prompts]
    comparison = compare(
        old=["A"] * 1500,
        new=np.where(broke, "B", "A").tolist(),
        references=["A"] * 1500,
        slices=topics,
        prompts=asked,
    )
    found = find_slices(comparison)
    assert found.items == ()
    assert "split by prompts" in found.signature
    assert any("the same prompt" in note for note in found.notes)
    # One instruction before all items names no unit.
    same = compare(old=["A"] * 50, new=["A"] * 50, references=["A"] * 50, prompts=["Go!"] * 50)
    assert "split by items" in find_slices(same).signature


def test_unanswered_items_of_mmlu_pro(shared: Path) -> None:
    """Mistral 7B v0.1 and v0.2: no category stands out, but what has no answer does."""
    old, new = (
        shared / "data" / "mmlu_pro" / f"Mistral-7B-{version}.jsonl.gz"
        for version in ("v0.1", "v0.2-hf")
    )
    comparison = compare_runs(
        old,
        new,
        id_field="question_id",
        prediction_field="pred",
        reference_field="answer",
        slice_field="category",
        unanswered="wrong",
    )
    assert "of 1073 broken items, 153 came without an answer" in str(comparison)
    found = find_slices(comparison)
    assert found.items == ()
    assert [one.text() for one in found.answers] == ["new answer came without an answer"]


def test_changes_of_form_are_kinds_of_answers() -> None:
    """Every fourth answer moved into a fence, and half of these broke."""
    fenced = ["```\n42\n```" if k % 4 == 3 else "42" for k in range(800)]
    comparison = compare(
        old=["42"] * 800,
        new=fenced,
        references=["42" if k % 8 != 3 else ["42", "```\n42\n```"] for k in range(800)],
    )
    found = find_slices(comparison)
    assert found.items == ()
    assert found.answers[0].text() == "new answer moved into a code fence"
    assert "of 100 broken items, 100 moved into a code fence" in str(found)


def group_comparison(seed: int) -> Comparison:
    """Nothing but passages of 40 questions: one in twelve breaks whole, whatever its topic."""
    rng = np.random.default_rng(seed)
    passages = np.repeat(np.arange(60), 40)
    whole = rng.random(60) < 1 / 12
    broke = whole[passages] | (rng.random(2400) < 0.01)
    topics = rng.choice([*"abcdefgh"], 60)
    return compare(
        old=["A"] * 2400,
        new=np.where(broke, "B", "A").tolist(),
        references=["A"] * 2400,
        slices=topics[passages].tolist(),
        groups=[f"p{number}" for number in passages],
    )


def test_passages_that_break_whole_are_no_kind_of_item() -> None:
    """As if independent, the topics of the few broken passages stand out nearly always."""
    found = [bool(find_slices(group_comparison(seed)).items) for seed in range(6)]
    assert not any(found)


def test_groups_and_repeats_stay_in_one_half() -> None:
    for comparison in (group_comparison(1), repeated_comparison()):
        units = comparison.table.unit_numbers
        halves = Outcomes.of(np.zeros(len(units), dtype=bool), units, 5).is_tested
        for unit in range(int(units.max()) + 1):
            assert len(set(halves[units == unit].tolist())) == 1
        assert 0.3 < halves.mean() < 0.7


def repeated_comparison() -> Comparison:
    rows = [{"id": f"q{k % 50}", "n": k // 50, "prediction": "A"} for k in range(200)]
    run = read_run(rows, repeat_field="n", name="v1")
    scored = [{**row, "reference": "A"} for row in rows]
    return compare_runs(read_run(scored, repeat_field="n", name="v1"), run)


@pytest.mark.parametrize("sizes", [(2000, 1), (100, 20)])
def test_flips_that_nothing_describes_give_no_slices(sizes: tuple[int, int]) -> None:
    """The whole simulation is marked slow: this is its start."""
    share, _ = false_shares(*sizes, "whole" if sizes[1] > 1 else "alone", runs=10)
    assert share == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "size", "how"),
    [(3000, 1, "alone"), (200, 15, "correlated"), (200, 15, "whole"), (60, 50, "whole")],
)
def test_at_most_5_percent_of_shuffled_runs_list_a_slice(number: int, size: int, how: str) -> None:
    share, naive = false_shares(number, size, how, runs=400)
    assert share <= 0.05
    assert size == 1 or naive > 0.3


def test_a_slice_of_most_clustered_items_is_not_tested() -> None:
    """The test of clusters errs there: what stands out is the rest."""
    rng = np.random.default_rng(0)
    passages = np.repeat(np.arange(200), 5)
    inside = np.repeat(rng.random(200) < 0.8, 5)
    broke = inside & (rng.random(1000) < 0.5)
    conditions = conditions_of([Facet("kind", np.where(inside, "in", "out").tolist())], 1000)
    assert search_and_test(conditions, Outcomes.of(broke, passages, 0)) == []
    assert search_and_test(conditions, Outcomes.of(broke, None, 0))[0].p_value < 1e-9


@pytest.mark.parametrize("number", [1, 2, 19, 25])
def test_few_items_show_nothing_and_say_so(number: int) -> None:
    found = find_slices(compare(old=["A"] * number, new=["B"] * number, references=["A"] * number))
    assert found.items == found.answers == ()
    assert "halves of fewer than 20 items show nothing" in found.notes


def test_verdicts_alone_have_no_forms() -> None:
    rows = [{"id": str(k), "correct": True, "topic": "ab"[k % 2]} for k in range(400)]
    broken = [{**row, "correct": row["topic"] == "a"} for row in rows]
    options: Any = {"score_field": "correct", "slice_field": "topic"}
    found = find_slices(compare_runs(rows, broken, **options))
    assert found.forms is None
    assert found.items[0].text() == "slice is b"
    assert any("forms of answers are not known" in note for note in found.notes)


def test_what_cannot_be_searched_is_refused() -> None:
    comparison = compare(old=["A"] * 9, new=["B"] * 9, references=["A"] * 9)
    shard = Totals.of(comparison)
    counted = CountedComparison(names=("v1", "v2"), totals=shard, dropped={}, recipe={})
    with pytest.raises(UsageError, match="expected runs in memory for --find-slices"):
        find_slices(counted)
    with pytest.raises(UsageError, match="or a saved comparison"):
        find_slices(Comparison.from_json(comparison.to_json()))  # type: ignore[arg-type]
    graded = compare(old=["a b"] * 9, new=["a"] * 9, references=["a b"] * 9, metric="rouge1")
    with pytest.raises(UsageError, match="expected a threshold"):
        find_slices(graded)
    with pytest.raises(UsageError, match="expected values by the names of items"):
        find_slices(comparison, fields={"level": [1] * 9})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="got values of 1 other names"):
        find_slices(comparison, fields={"level": {"q1": 3}})


def test_json_is_plain_and_the_same_twice() -> None:
    comparison, fields = planted(3000, 60, 2)
    found = find_slices(comparison, fields=fields)
    content = json.loads(found.to_json())
    assert content["items"][0]["tested"]["method"] == "Clopper-Pearson"
    assert content["answer_forms"]["old"]["text"] == 3000
    assert find_slices(comparison, fields=fields).to_json() == found.to_json()


def test_leetcode_answers_moved_into_code_fences(shared: Path) -> None:
    """LLMDrift: GPT-4 of June wrote code that runs, in a fence that does not."""
    path = shared / "data" / "llm_drift" / "LEETCODE_EASY_EVAL.csv.gz"
    old, new = (
        read_run(
            path,
            score_field="Directly Usable",
            prediction_field="answer",
            prompt_field="query",
            where={"model": f"openaichat/gpt-4-{month}"},
            name=month,
        )
        for month in ("0314", "0613")
    )
    comparison = compare_runs(old, new)
    line = "of 23 broken items, 23 moved into a code fence (as did 21 of 27 others)"
    assert f"note: {line}" in str(comparison)
    assert line in str(find_slices(comparison))
    forms = comparison.to_dict()["answer_forms"]
    assert forms["old"]["code_fence"] == 0
    assert forms["new"]["code_fence"] == 44
    assert forms["broken"]["into_code_fence"] == 23


def test_why_answers_are_wrong_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It describes no item, and takes long for all of them."""
    calls = [f"f(x={k})" for k in range(400)]
    comparison = compare(
        old=calls, new=["f(x=0)"] * 400, references=calls, answer="tool-calls", prompts=calls
    )
    monkeypatch.setattr(Reading, "mismatch", lambda *_: pytest.fail("asked"))
    assert find_slices(comparison).signature
