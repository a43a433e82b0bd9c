"""What is neither text nor a count does not come into a template, and jinja2 is optional."""

from __future__ import annotations

import sys

import pytest

from muscle_metrics import MissingDependencyError, compare, html_report
from muscle_metrics.reports.html.environment import page_environment


@pytest.mark.parametrize("value", [None, 0.5, ["a"], b"a", object()])
def test_only_texts_and_counts_reach_a_page(value: object) -> None:
    pytest.importorskip("jinja2")
    template = page_environment().from_string("{{ value }}")
    with pytest.raises(TypeError, match="expected text or a count"):
        template.render(value=value)


def test_data_is_never_a_template() -> None:
    pytest.importorskip("jinja2")
    text = "{{ 7 * 7 }}{% for x in y %}{# #}"
    assert page_environment().from_string("{{ text }}").render(text=text) == text


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    page_environment.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"muscle-metrics\[report\]"):
        html_report(compare(old=["A"], new=["B"], references=["A"]))
