"""Signatures of metrics: equal text for equal computations, and only for them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.scorers import SCORERS, Scorer, resolve_scorer
from muscle_metrics.scorers.signature import describe, describe_files


def judge(predictions: list[str], references: list[Any], *, offset: int = 0) -> list[float]:
    return [float(len(text) + offset) for text in predictions]


class Judge:
    def __init__(self, prompt: str) -> None:
        self.prompt = prompt

    def __call__(self, predictions: list[str], references: list[Any]) -> list[float]:
        return [float(len(self.prompt))] * len(predictions)

    def grade(self, predictions: list[str], references: list[Any]) -> list[float]:
        return self(predictions, references)


@pytest.mark.parametrize(
    ("metric", "options", "signature"),
    [
        ("exact_match", {}, "exact_match"),
        ("exact_match", {"extract": "choice"}, "exact_match(extract=choice)"),
        ("token_f1", {}, "token_f1"),
        ("rouge1", {}, "rouge1"),
        ("rouge1", {"stem": False}, "rouge1"),
        ("rouge1", {"stem": True}, "rouge1(stem=True)"),
        ("rougeLsum", {"statistic": "recall"}, "rougeLsum(statistic=recall)"),
        ("bleu", {}, "bleu(smooth_method=exp, tokenize=13a)"),
        ("bleu", {"tokenize": "zh"}, "bleu(smooth_method=exp, tokenize=zh)"),
        ("chrf", {}, "chrf(beta=2, char_order=6, word_order=0)"),
        ("chrf", {"word_order": 2}, "chrf(beta=2, char_order=6, word_order=2)"),
        ("chrf++", {}, "chrf++(beta=2, char_order=6, word_order=2)"),
        ("ter", {"normalized": True}, "ter(normalized=True)"),
        ("bertscore", {"model": "roberta-large"}, "bertscore(model=roberta-large)"),
        (
            "bertscore",
            {"model": "m", "num_layers": 9, "idf": True, "device": "cpu", "batch_size": 8},
            "bertscore(model=m, idf=True, num_layers=9)",
        ),
        (judge, {"offset": 2}, f"{__name__}:judge(offset=2)"),
    ],
)
def test_signatures(metric: Any, options: dict[str, Any], signature: str) -> None:
    assert resolve_scorer(metric, **options).signature == signature


def test_a_function_by_its_path_is_named_like_the_function() -> None:
    path = resolve_scorer("statistics:mean")
    assert path.signature == "statistics:mean"
    assert resolve_scorer(path.function).signature == "statistics:mean"


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(),
        st.sampled_from(["1", "True", "None", "1e5", "a, b=c", "[1]", "x", "len", "nan"]),
        st.binary(),
    ),
    lambda parts: st.one_of(
        st.lists(parts, max_size=4),
        st.tuples(parts, parts),
        st.dictionaries(st.text(max_size=3), parts, max_size=3),
    ),
    max_leaves=8,
)


def identity(value: Any) -> Any:
    """Value with the type of each part, so that 1, 1.0 and True are three values."""
    if isinstance(value, dict):
        return dict, tuple((key, identity(part)) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return type(value), tuple(map(identity, value))
    return type(value), repr(value)


@given(VALUES, VALUES)
def test_two_values_never_share_a_description(one: Any, two: Any) -> None:
    assert (describe(one) == describe(two)) == (identity(one) == identity(two))
    assert "\n" not in describe(one)
    assert len(describe(one)) < 400


OPTIONS = {
    "exact_match": {
        **dict.fromkeys(
            ("strip", "ignore_case", "ignore_punctuation", "normalize_whitespace"), st.booleans()
        ),
        "unicode_form": st.sampled_from([None, "NFC", "NFKC"]),
        "extract": st.sampled_from([None, "choice", "gsm8k-strict"]),
    },
    "rouge1": {
        "stem": st.booleans(),
        "statistic": st.sampled_from(["fmeasure", "recall"]),
        "tokenizer": st.sampled_from([None, str.split, list, Judge("a"), Judge("b")]),
    },
    "bleu": {
        "tokenize": st.sampled_from(["13a", "char", "zh"]),
        "lowercase": st.booleans(),
        "smooth_method": st.sampled_from(["exp", "floor"]),
        "smooth_value": st.sampled_from([None, 0.1, 1]),
    },
    "chrf": {
        "char_order": st.integers(1, 9),
        "word_order": st.integers(0, 9),
        "beta": st.integers(1, 9),
        "lowercase": st.booleans(),
    },
    "ter": dict.fromkeys(("normalized", "no_punct", "case_sensitive"), st.booleans()),
    "bertscore": {
        "model": st.sampled_from(["a", "b"]),
        "num_layers": st.sampled_from([None, 1, 2]),
        "idf": st.sampled_from([False, True, ["x"], ["y"], ["x" * 99], ["x" * 98, "x"]]),
        "rescale_with_baseline": st.just(True),
        "lang": st.sampled_from(["en", "de"]),
    },
}


def effective(name: str, options: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(SCORERS[name].function).parameters
    return {key: options.get(key, parameter.default) for key, parameter in parameters.items()}


@given(st.sampled_from(sorted(OPTIONS)), st.data())
def test_two_computations_never_share_a_signature(name: str, data: st.DataObject) -> None:
    choices = st.fixed_dictionaries({}, optional=OPTIONS[name])
    one, two = ({"model": "a", **data.draw(choices)} for _ in range(2))
    if name != "bertscore":
        one.pop("model"), two.pop("model")
    same = effective(name, one) == effective(name, two)
    signatures = [resolve_scorer(name, **options).signature for options in (one, two)]
    assert (signatures[0] == signatures[1]) == same


def test_every_scorer_has_a_signature_of_its_own() -> None:
    scorers = [
        replace(scorer, options={"model": "m", **scorer.options}) for scorer in SCORERS.values()
    ]
    assert len({scorer.signature for scorer in scorers}) == len(SCORERS)


def test_scorers_of_users() -> None:
    def local(predictions: list[str], references: list[Any]) -> list[float]:
        return [1.0] * len(predictions)

    def closure(length: int) -> Any:
        return lambda predictions, references: [float(length)] * len(predictions)

    scorers = [
        resolve_scorer(judge),
        resolve_scorer(local),
        resolve_scorer(closure(1)),
        resolve_scorer(closure(2)),
        resolve_scorer(lambda predictions, references: [0.0] * len(predictions)),
        resolve_scorer(lambda predictions, references: [1.0] * len(predictions)),
        resolve_scorer(partial(judge, offset=1)),
        resolve_scorer(partial(judge, offset=2)),
        resolve_scorer(Judge("short")),
        resolve_scorer(Judge("longer")),
        resolve_scorer(Judge("short").grade),
        resolve_scorer(Judge("longer").grade),
        Scorer(name="mine", function=judge),
        Scorer(name="mine", function=judge, tie=0.1),
        Scorer(name="mine", function=judge, higher_is_better=False),
        Scorer(name="mine", function=judge, options={"offset": 1}),
        # Named like one of the table, and yet another.
        Scorer(name="rouge1", function=judge),
        Scorer(name="rouge1", function=SCORERS["rouge1"].function, options={"variant": "rouge2"}),
        replace(SCORERS["rouge1"], tie=0.1),
        SCORERS["rouge1"],
    ]
    assert len({scorer.signature for scorer in scorers}) == len(scorers)
    assert resolve_scorer(closure(1)).signature == resolve_scorer(closure(1)).signature
    assert resolve_scorer(Judge("short")).signature == resolve_scorer(Judge("short")).signature


def test_objects_by_their_contents() -> None:
    class Slots:
        __slots__ = ("a",)

        def __init__(self, a: Any) -> None:
            self.a = a

    around: list[Any] = []
    around.append(around)
    values = [
        Slots(1), Slots(2), {1, 2}, {1, 3}, np.arange(3), np.arange(4), np.arange(3.0), around,
        "x" * 70, "x" * 71, b"x" * 70, list(range(99)), list(range(100)), {"a": Slots(1)},
    ]  # fmt: skip
    assert len({describe(value) for value in values}) == len(values)
    assert describe(np.float64(0.5)) == describe(0.5)
    assert describe(Path("a/b")) == describe("a/b")


def test_an_object_that_hides_its_contents() -> None:
    one, two = ((number for number in range(3)) for _ in range(2))
    assert describe(one) == describe(one)
    assert describe(one) != describe(two)


def test_a_description_is_the_same_in_every_process() -> None:
    code = (
        "from muscle_metrics.scorers.signature import describe\n"
        "from decimal import Decimal\n"
        "values = [{'a', 'b', 'd'}, Decimal('1.5'), lambda x: x in {'a', 'b', 'c'}, 'x' * 99]\n"
        "print(*map(describe, values))\n"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1


def test_files_by_their_contents(tmp_path: Path) -> None:
    for folder, text in (("a/model", "1"), ("b/model", "1"), ("c/model", "2")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "weights").write_text(text)
    one, same, other = (describe_files(tmp_path / f"{name}/model") for name in "abc")
    assert one == same != other
    assert one.startswith("model@")
    (tmp_path / "a/model/more").write_text("")
    assert describe_files(tmp_path / "a/model") != one
    signature = resolve_scorer("bertscore", model=tmp_path / "b/model", num_layers=1).signature
    assert signature == f"bertscore(model={same}, num_layers=1)"
    table = tmp_path / "table.tsv"
    table.write_text("x")
    options = {"model": "m", "rescale_with_baseline": True, "baseline_path": table}
    before = resolve_scorer("bertscore", **options).signature
    table.write_text("yy")
    assert resolve_scorer("bertscore", **options).signature != before
