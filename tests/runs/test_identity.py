"""The check of configurations, and the choice of the newest file among equal ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from muscle_metrics.errors import InputError
from muscle_metrics.runs.identity import Identity, check_identity, newest_files
from muscle_metrics.runs.logs import TaskFile

FILES = [TaskFile(Path(name), *name.split("@")) for name in ("b@1", "a@2", "b@3", "b@2")]


def identity(**task: Any) -> Identity:
    return Identity({"model": "m"}, task)


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        (5, "5", "'a' (x=5) and 'b' (x=5)"),
        (None, "null", "'a' (x=null) and 'b' (x=null)"),
        (1, True, "'a' (x=1) and 'b' (x=true)"),
        ({"y": {"z": [1]}}, {"y": {"z": [2]}}, "'a' (x.y.z=[1]) and 'b' (x.y.z=[2])"),
        ({}, {"y": 1}, "'a' (x={}, x.y not recorded) and 'b' (x not recorded, x.y=1)"),
        ("a\nb", "модель", r"'a' (x=a\u000ab) and 'b' (x=модель)"),
    ],
)
def test_two_values_are_named(one: object, other: object, shown: str) -> None:
    with pytest.raises(InputError) as caught:
        check_identity({"a": {"x": one}, "b": {"x": other}}, "the task", "choose")
    assert str(caught.value) == f"expected one configuration of the task, got {shown}: choose"


@pytest.mark.parametrize(
    "arguments",
    [{"api_key": "0123456789abc"}, {"HF_TOKEN": "x"}, {"url": "password=hunter22"}],
)
def test_secrets_are_not_shown(arguments: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        check_identity({"a": {"arguments": arguments}, "b": {}}, "the model", "choose")
    assert "hidden secret" in str(caught.value)
    assert not any(text in str(caught.value) for text in ("0123456789abc", "=x", "hunter22"))


def test_the_third_of_three_is_compared_too() -> None:
    check_identity({"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1}}, "the task", "choose")
    with pytest.raises(InputError, match=r"got 'b' \(x=1\) and 'c' \(x=2\)"):
        check_identity({"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 2}}, "the task", "choose")


def test_a_rerun_replaces_the_file_of_its_task() -> None:
    chosen, skipped = newest_files(FILES, lambda file: identity(n=file.task), "name one")
    assert [str(file.path) for file in chosen] == ["a@2", "b@3"]
    assert skipped == "2 older files of a rerun ('b@1', 'b@2')"


def test_one_file_needs_no_identity() -> None:
    def fail(file: TaskFile) -> Identity | None:
        raise AssertionError(file)

    assert newest_files(FILES[:1], fail, "name one") == (FILES[:1], None)


def test_files_of_one_time_need_no_identity() -> None:
    files = [TaskFile(Path(name), name, "1") for name in "ab"]
    assert newest_files(files, lambda file: None, "name one") == (files, None)


def test_times_without_fractions_are_older() -> None:
    times = ["2026-01-02T03-04-05.5", "2026-01-02T03-04-05", "20260102_030404"]
    files = [TaskFile(Path(time), "a", time) for time in times]
    chosen, _ = newest_files(files, lambda file: identity(), "name one")
    assert chosen == files[:1]


@pytest.mark.parametrize("place", range(4))
def test_one_unknown_file_refuses_all(place: int) -> None:
    def of(file: TaskFile) -> Identity | None:
        return None if file == FILES[place] else identity()

    with pytest.raises(InputError, match=rf"got none for '{FILES[place].path}': name one$"):
        newest_files(FILES, of, "name one")
