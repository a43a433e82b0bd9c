"""The table of scorers, custom scorers, and scoring two models in one pass."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers import SCORERS, Scorer, resolve_scorer, score, score_both

if TYPE_CHECKING:
    from pathlib import Path

# Longer n-grams of ROUGE are the same function with another number.
LONGER = {f"rouge{order}" for order in range(3, 9)}
WITHOUT_MODEL = [name for name in SCORERS if name not in {"bertscore", *LONGER}]

# Texts that every scorer reads, long enough for n-grams of nine words, or blank.
WORDS = "one two three four five six seven eight nine"
LATIN = st.characters(max_codepoint=0x17F, exclude_categories=["Cc", "Cs"])
texts = st.one_of(
    st.just(""),
    st.lists(st.sampled_from(["the", "cat", "sat", "on\n", "5", "x"]), max_size=8).map(
        lambda words: " ".join([*words, WORDS])
    ),
    st.text(LATIN, max_size=20).map(lambda text: f"{WORDS} {text}"),
    st.text(LATIN, max_size=20).map(lambda text: f"{text} {WORDS}"),
)


def lengths(predictions: list[str], references: list[Any]) -> list[float]:
    return [len(p) - len(r) for p, r in zip(predictions, references, strict=True)]


def test_names() -> None:
    assert list(SCORERS) == [
        "exact_match",
        "token_f1",
        *(f"rouge{order}" for order in range(1, 10)),
        "rougeL",
        "rougeLsum",
        "bleu",
        "chrf",
        "chrf++",
        "ter",
        "bertscore",
    ]
    assert all(scorer.name == name for name, scorer in SCORERS.items())
    with pytest.raises(TypeError):
        SCORERS["mine"] = SCORERS["ter"]  # type: ignore[index]


@pytest.mark.parametrize("name", WITHOUT_MODEL)
@settings(max_examples=25)
@given(texts, texts)
def test_laws_of_every_scorer(name: str, one: str, two: str) -> None:
    scorer = SCORERS[name]
    scores = scorer([one, two, one], [two, two, [one, two]])
    assert scores.dtype == np.float64
    assert (scores >= scorer.low).all()
    assert (scores <= scorer.high + scorer.tie).all()
    # A text scores best against itself, and no worse where it is one of several references.
    itself = scorer([two], [two])[0]
    sign = 1 if scorer.higher_is_better else -1
    assert sign * scores[0] <= sign * itself + scorer.tie
    if scorer.kind == "verdict":
        assert set(scores) <= {0, 1}
    # Scores do not depend on the order or the company of items.
    assert scorer([two, one], [two, two]).tolist() == scores[[1, 0]].tolist()


@pytest.mark.parametrize("name", WITHOUT_MODEL)
@settings(max_examples=25)
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4))
def test_both_models_at_once_is_each_model_alone(
    name: str, items: list[tuple[str, str, str]]
) -> None:
    old, new, references = (list(column) for column in zip(*items, strict=True))
    before, after = score_both(name, old=old, new=new, references=references)
    assert before.tolist() == score(name, old, references).tolist()
    assert after.tolist() == score(name, new, references).tolist()


def test_a_judge_is_asked_once_about_an_unchanged_output() -> None:
    asked = []

    def judge(predictions: list[str], references: list[Any]) -> list[float]:
        asked.append((predictions, references))
        return [float(len(asked[0][0]) + k) for k in range(len(predictions))]

    before, after = score_both(
        judge, old=["a", "b", "c"], new=["a", "x", "c"], references=["r", ["s", "t"], "u"]
    )
    assert asked == [(["a", "b", "c", "x"], ["r", ["s", "t"], "u", ["s", "t"]])]
    assert before.tolist() == [4, 5, 6]
    assert after.tolist() == [4, 7, 6]


def test_errors_of_both_say_which_positions_they_count() -> None:
    with pytest.raises(InputError, match=r"\[3\].*positions from 2 on are the changed new pred"):
        score_both(
            "rouge1", old=["a", "b"], new=["c", "d " * 9], references=["a", "b"], max_tokens=8
        )


def test_options_are_bound_and_known() -> None:
    assert score("rouge1", ["Cats"], ["cat"], stem=True).tolist() == [1]
    assert score("rouge1", ["Cats"], ["cat"]).tolist() == [0]
    texts = ["the cat sat"], ["the cat sits"]
    assert score("chrf++", *texts) == score("chrf", *texts, word_order=2) != score("chrf", *texts)
    bound = resolve_scorer("rouge2", stem=True)
    assert bound.options == {"variant": "rouge2", "stem": True}
    assert resolve_scorer(bound, statistic="recall").options["statistic"] == "recall"
    assert SCORERS["rouge2"].options == {"variant": "rouge2"}


def test_ranges() -> None:
    assert (SCORERS["rougeL"].low, SCORERS["rougeL"].high) == (0, 1)
    assert (SCORERS["bleu"].low, SCORERS["bleu"].high) == (0, 100)
    assert (SCORERS["ter"].low, SCORERS["ter"].high) == (0, inf)
    assert not SCORERS["ter"].higher_is_better
    assert SCORERS["bertscore"].tie == 1e-4
    raw = resolve_scorer("bertscore", model="m")
    assert (raw.low, raw.high) == (-1, 1)
    rescaled = resolve_scorer("bertscore", model="m", rescale_with_baseline=True)
    assert (rescaled.low, rescaled.high) == (-inf, inf)
    custom = resolve_scorer(lengths)
    assert (custom.low, custom.high, custom.tie) == (-inf, inf, 1e-6)


@pytest.mark.parametrize(
    ("metric", "options", "message"),
    [
        (
            "rogue1",
            {},
            "a metric to be one of .*'rouge1'.*or 'package.module:function', got 'rogue1'",
        ),
        (3, {}, "the name of a metric or a function, got int 3"),
        ("rouge1", {"stemming": True}, "options of 'rouge1' to be one of .*'stem'.*got 'stemming'"),
        ("rouge1", {"variant": "rouge2"}, "options of 'rouge1' to be one of .*got 'variant'"),
        ("chrf++", {"word_order": 1}, "options of 'chrf\\+\\+' to be one of .*got 'word_order'"),
        ("bertscore", {}, "the option 'model' for 'bertscore', got none"),
        (lengths, {"x": 1}, "options of 'lengths' to be one of \\[\\], got 'x'"),
        ("no.such.module:f", {}, "a module 'no.such.module' for .*got none of that name"),
        ("math:no", {}, "a function 'no' in the module 'math', got none of that name"),
        ("math:pi", {}, "a function 'pi' in the module 'math', got none of that name"),
        ("math:", {}, "expected 'package.module:function', got 'math:'"),
        (":f", {}, "expected 'package.module:function', got ':f'"),
        (".x:f", {}, "expected 'package.module:function', got '.x:f'"),
        ("a b:f", {}, "expected 'package.module:function', got 'a b:f'"),
    ],
)
def test_what_is_no_metric(metric: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        resolve_scorer(metric, **options)
    assert "\n" not in str(caught.value)


def test_a_function_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_metrics.py").write_text(
        "class Judge:\n"
        "    @staticmethod\n"
        "    def grade(predictions, references, *, offset=0):\n"
        "        return (len(p) + offset for p in predictions)\n"
        "def rate(predictions, references, *, offset=0):\n"
        "    return [len(p) + offset for p in predictions]\n"
    )
    (tmp_path / "broken_metrics.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert score("my_metrics:rate", ["abc"], ["x"], offset=2).tolist() == [5]
    assert resolve_scorer("my_metrics:rate").name == "my_metrics:rate"
    with pytest.raises(InputError, match=r"1 scores from 'my_metrics:Judge.grade'.*got generator"):
        score("my_metrics:Judge.grade", ["abc"], ["x"])
    # Broken is not missing.
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        score("broken_metrics:rate", ["abc"], ["x"])


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([1.0], "expected 2 scores from 'judge', one per item, got 1"),
        ([1.0, 2.0, 3.0], "got 3"),
        ([[1.0], [2.0]], r"got shape \(2, 1\)"),
        (0.5, "got float '0.5'"),
        (None, "got NoneType 'None'"),
        ({"score": [1, 2]}, "got dict"),
        ([1.0, float("nan")], r"finite scores from 'judge', got nan at position 1 \(1 of 2"),
        ([inf, -inf], r"got inf at position 0 \(2 of 2"),
        ([1.0, None], "got nan at position 1"),
        (["1", "2"], "numbers of at least 32 bits from 'judge', got str"),
        (np.array([1, 2], np.float16), "numbers of at least 32 bits from 'judge', got float16"),
        ([1j, 2j], "got complex128"),
        ([1.0, object()], "expected numbers from 'judge', got"),
        ([[1.0], [1.0, 2.0]], "expected numbers from 'judge', got"),
    ],
)
def test_what_a_custom_scorer_may_not_return(result: Any, message: str) -> None:
    def judge(predictions: list[str], references: list[str]) -> Any:
        return result

    scorer = Scorer(name="judge", function=judge, low=0, high=1)
    with pytest.raises(InputError, match=message):
        score(scorer, ["a", "b"], ["a", "b"])


@pytest.mark.parametrize(
    "result",
    [(1, 0), np.array([1, 0], np.float32), [True, False], [Decimal(1), 0]],
)
def test_what_a_custom_scorer_may_return(result: Any) -> None:

    scores = score(lambda predictions, references: result, ["a", "b"], ["a", "b"])
    assert scores.dtype == np.float64
    assert scores.tolist() == [1, 0]


def test_a_custom_scorer_gets_checked_texts() -> None:
    for predictions, references in ((["a"], ["a", "b"]), (["a", None], ["a", "b"]), ("ab", "ab")):
        with pytest.raises(InputError):
            score(lengths, predictions, references)


def test_the_table_costs_no_library() -> None:
    code = (
        "import sys, muscle_metrics.scorers\n"
        "heavy = {'nltk', 'rapidfuzz', 'sacrebleu', 'torch', 'bert_score', 'rouge_score'}\n"
        "heavy.add('scipy')\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
