"""What a notebook shows: the effect in words, the quadrants, and slices as on the page."""

from __future__ import annotations

import re

from muscle_metrics import Record, Run, compare, compare_runs, count_chain


def test_the_sentence_and_the_quadrants_come_first() -> None:
    comparison = compare(
        old=list("AAAAAAB"), new=list("AAABBBA"), references=["A"] * 7, names=["старая", "新"]
    )
    page = comparison._repr_html_()
    assert page.startswith(
        "<p><strong>Accuracy fell by 28.6 points: 3 of 6 right answers are now wrong.</strong> "
    )
    cells = re.findall(r"<td>(?:<strong>)?([^<]+)", page)
    assert cells[:4] == ["3", "3 broke", "1 got fixed", "0"]
    assert "<caption>старая -&gt; 新</caption>" in page


def test_slices_stand_as_on_the_page_and_many_are_folded() -> None:
    slices = [f"s{i % 25}" for i in range(2500)]
    new = ["B" if i % 25 == 7 and i < 2000 else "A" for i in range(2500)]
    comparison = compare(old=["A"] * 2500, new=new, references=["A"] * 2500, slices=slices)
    shown, _, folded = comparison._repr_html_().partition(
        "<details><summary>5 more slices</summary>"
    )
    rows = re.findall(r'<th scope="row">(s\d+)</th>', shown)
    assert rows[0] == "s7"
    assert len(rows) == 20
    assert len({*rows, *re.findall(r'<th scope="row">(s\d+)</th>', folded)}) == 25
    assert shown.count("more than elsewhere") == 1
    # Items of one passage say nothing about all others: no mark.
    grouped = compare(
        old=["A"] * 2500, new=new, references=["A"] * 2500, slices=slices, groups=slices
    )
    assert "than elsewhere" not in grouped._repr_html_()


def test_graded_scores_and_chains_begin_with_a_sentence() -> None:
    runs = [
        Run(tuple(Record(f"q{i}", scores={"<f1>": (i + s) / 20}) for i in range(9)), f"v{s}")
        for s in (1, 0)
    ]
    page = compare_runs(*runs)._repr_html_()
    assert page.startswith(
        "<p><strong>&lt;f1&gt; fell by 0.0500 on average; 9 of 9 items got worse"
    )
    chain = count_chain(
        versions=[["A", "A"], ["B", "A"], ["A", "A"]],
        references=["A", "A"],
        names=["<v1>", "b", "c"],
    )
    said = "<p><strong>Of 2 items that &lt;v1&gt; got right, 1 broke in some update.</strong></p>"
    assert chain._repr_html_().startswith(said)
