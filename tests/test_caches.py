"""What a process keeps for later calls has a bound: a service calls the package for months."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import muscle_metrics

PACKAGE = Path(muscle_metrics.__file__).parent


def kept_without_bound(code: str) -> list[str]:
    """Functions whose every distinct argument stays in memory until the process ends."""
    tree = ast.parse(code)
    classes = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return [
        node.name
        for node in [*tree.body, *(node for body in classes for node in body)]
        if isinstance(node, ast.FunctionDef)
        # Without arguments there is one value.
        and (node.args.posonlyargs or node.args.args or node.args.kwonlyargs or node.args.vararg)
        and any(ast.unparse(one) in UNBOUND for one in node.decorator_list)
    ]


UNBOUND = {"cache", "functools.cache", "lru_cache(None)", "lru_cache(maxsize=None)"}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("@cache\ndef f(x): ...", ["f"]),
        ("class A:\n    @lru_cache(maxsize=None)\n    def f(self): ...", ["f"]),
        ("@cache\ndef f(): ...", []),
        ("@lru_cache(64)\ndef f(x): ...", []),
        # It ends with the call.
        ("def g(x):\n    @cache\n    def f(y): ...", []),
    ],
)
def test_what_counts_as_unbound(code: str, found: list[str]) -> None:
    assert kept_without_bound(code) == found


def test_nothing_is_kept_without_bound() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 200
    found = {
        str(path.relative_to(PACKAGE)): names
        for path in files
        if (names := kept_without_bound(path.read_text(encoding="utf-8")))
    }
    assert found == {}
