r"""The reader of mathematics: as many right as math-verify, none more accepted, and an end to all.

The pairs are written anew. On the 255 pairs of the tests of Math-Verify 0.9.0 (commit 5d148cf) with
an expected verdict, its own `verify(parse(gold), parse(answer))` and this reader are both right on
249, and accept the same 2 wrong ones.
"""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from muscle_metrics.answers.reading import maths, maths_worker
from muscle_metrics.answers.reading.maths import math_expression, same_math

math_verify = pytest.importorskip("math_verify")

EQUAL = [
    (r"\frac{6}{8}", r"So it is $\boxed{\frac{3}{4}}$."),
    ("12000", r"\boxed{12{,}000}"),
    (r"12\,000", "12,000"),
    ("1,00,000", "100000"),
    ("18", "#### 18"),
    ("0.5", "½"),
    ("٥", "5"),
    ("-3", "The answer is −3"),
    (r"[0, \infty)", "[0,∞)"),
    (r"\{3, 1, 2\}", r"$\{1,2,3\}$"),
    (r"(1, \sqrt{8})", r"The answer is (1, 2\sqrt{2})."),
    (r"x^2 - 1", r"$$(x-1)(x+1)$$"),
    (r"\text{Yes}", r"\boxed{\text{Yes}}"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"$\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix}$"),
    (r"x = 7", "7"),
    ("5", "<think>It is $4$.</think>It is $5$."),
    ("1,2", r"\boxed{1, 2}"),
    ("$1,2$", r"\boxed{1} and \boxed{2}"),
    ("100", "10²"),
]
DIFFERENT = [
    (r"\frac{6}{8}", r"$\boxed{\frac{4}{3}}$"),
    ("0", r"\boxed{12{,}000}"),
    ("12", r"\boxed{12{,}000}"),
    ("(1, 2]", "(1, 2)"),
    ("2", "(1, 2)"),
    (r"\{1, 2\}", r"$\{1, 2, 3\}$"),
    ("3", "The answer is −3"),
    ("10", "10²"),
    ("x^2 + 1", "$x^2 - 1$"),
    ("7:30", "at 8:30"),
    ("1:3", "the ratio is 2:3"),
    (r"\sqrt{2}", "2"),
    ("18", "<think>maybe $18$"),
    ("Y", "Yes"),
    ("C", "Vitamin C"),
    ("12", "$1 2$"),
]


def accepts(reference: str, answer: str) -> bool:
    right, given = math_expression(reference), math_expression(answer)
    return right is not None and given is not None and same_math(given, right)


@pytest.mark.parametrize(("reference", "answer"), EQUAL)
def test_equal_expressions_are_accepted(reference, answer):
    assert accepts(reference, answer)


@pytest.mark.parametrize(("reference", "answer"), DIFFERENT)
def test_different_expressions_are_not(reference, answer):
    assert not accepts(reference, answer)


@pytest.mark.parametrize("reference", [one for one, _ in EQUAL + DIFFERENT])
def test_what_a_reference_gives_reads_as_itself(reference):
    found = math_expression(reference)
    assert found is None or math_expression(found) == found


def test_the_reference_is_the_gold_answer():
    # verify(gold, answer) reads "x = 5" as 5 only where the gold answer is an assignment.
    equation, value = r"\boxed{2x + z = 1}", r"\boxed{1}"
    oracle = math_verify.parse(equation), math_verify.parse(value)
    assert same_math(value, equation) is math_verify.verify(*oracle)
    assert same_math(equation, value) is math_verify.verify(*reversed(oracle))


@pytest.mark.parametrize("value", [None, True, float("nan"), [5], "", "no number", "<think>$5$"])
def test_what_is_no_expression_is_none(value):
    assert math_expression(value) is None


def test_numbers_from_json_are_expressions():
    assert [math_expression(value) for value in (5, -0.5)] == ["5", "-0.5"]


@pytest.fixture
def no_patience(monkeypatch):
    """A limit of a quarter of a second, in a process of its own."""
    monkeypatch.setattr(
        maths_worker, "_PROGRAM", maths_worker._PROGRAM.replace("serve(", "serve(0.25")
    )
    worker = maths_worker.Worker()
    worker.ask("parse", "$1$")
    monkeypatch.setattr(maths, "_worker", worker)
    yield
    worker.stop()
    maths._parsed.cache_clear()
    same_math.cache_clear()


@pytest.mark.parametrize(
    "answer",
    [
        "$9^{9^{9^9}}$",
        pytest.param("$((10000000)!)!$", marks=pytest.mark.slow),
        pytest.param(f"$x{'^{x' * 300}{'}' * 300}$", marks=pytest.mark.slow),
    ],
)
def test_an_expression_without_end_is_unread(no_patience, answer):
    maths._parsed.cache_clear()
    assert math_expression(answer) is None
    assert math_expression("$5$") is not None


@pytest.mark.slow
def test_a_comparison_without_end_is_logged(no_patience, caplog):
    same_math.cache_clear()
    assert not same_math("$10000000!$", r"\boxed{7}")
    assert "counted as different" in caplog.text


def test_threads_may_ask_at_once():
    found: list[bool] = []
    pairs = [
        (rf"\boxed{{\frac{{{top}}}{{7}}}}", rf"\boxed{{\frac{{{3 * top}}}{{21}}}}")
        for top in range(1, 7)
    ]
    threads = [
        threading.Thread(target=lambda pair=pair: found.append(same_math(*pair))) for pair in pairs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * len(pairs)


def test_the_table_of_readers_does_not_import_math_verify():
    program = (
        "import sys; import muscle_metrics.answers.reading.table; "
        "sys.exit('math_verify' in sys.modules or 'sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
