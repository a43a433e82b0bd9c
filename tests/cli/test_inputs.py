"""Runs on standard input, in pipes and at addresses, as a shell and a pipeline give them."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import FileError, MissingDependencyError, read_run
from muscle_metrics.runs.files import incoming
from muscle_metrics.runs.joining.references import read_references

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "muscle_metrics"]


def shell(line: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line, "bash", *PROGRAM, *words], cwd=cwd, capture_output=True, text=True
    )


@pytest.mark.parametrize("engine", ["auto", "duckdb"])
@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('"$@" <(cat new.jsonl)', "/dev/fd/"),
        ('cat new.jsonl | "$@" -', "-"),
        ('gzip -c new.jsonl | "$@" /dev/stdin', "/dev/stdin"),
        ('"$@" - < new.jsonl', "-"),
    ],
)
def test_inputs_that_are_no_files(
    pair: Any, tmp_path: Path, engine: str, line: str, name: str
) -> None:
    if engine == "duckdb":
        pytest.importorskip("duckdb", reason="the engine is behind an extra")
    pair(items=30, broken=7)
    done = shell(line, "compare", "--engine", engine, "old.jsonl", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.startswith(f"old.jsonl -> {name}")
    assert "7 items broke" in done.stdout


def test_a_pipe_is_named_as_the_user_did(pair: Any, tmp_path: Path) -> None:
    """In the error of a row that is not the first, in the verdict and in its JSON."""
    pair(items=30)
    damage = "sed '7s/A/\\x80/' new.jsonl"
    done = shell(f'{damage} | "$@" -', "compare", "old.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("muscle-metrics: -:7: expected UTF-8")
    limits = ["gate", "--max-nfr", "0.2", "--json", "gate.json", "old.jsonl"]
    done = shell(f'{damage} | "$@" /dev/stdin', *limits, cwd=tmp_path)
    assert done.returncode == 4
    assert "/dev/stdin:7: expected UTF-8" in done.stdout
    assert "muscle-metrics-" not in done.stdout + (tmp_path / "gate.json").read_text()


def test_limits_of_size_hold(pair: Any, tmp_path: Path) -> None:
    pair(items=3)
    bomb = "head -c 90000000 /dev/zero | gzip -9"
    done = shell(f'{bomb} | "$@" - --format jsonl', "compare", "old.jsonl", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.startswith("muscle-metrics: -: expected content of at most 200 times")


def test_standard_input_is_one_run(run: Any) -> None:
    done = run("compare", "-", "-")
    assert (done.code, done.out) in {(2, ""), (4, "")}


def test_standard_input_of_a_terminal_is_not_waited_for(
    run: Any, pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    done = run("compare", pair()[0], "-")
    assert done.code == 4
    assert "got a terminal or a closed stream: pipe them in" in done.err


def write_text(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_objects_as_references_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b'{"id": "1", "reference": "B"}\n{"id": "2", "reference": {"x": 1}}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(rows)))
    assert read_references("-", structured=True) == {"1": "B", "2": '{"x": 1}'}


def test_a_run_and_its_references(run: Any, tmp_path: Path) -> None:
    old = write_text(tmp_path / "v1.txt", "да\nB\n\n")
    new = write_text(tmp_path / "v2.txt", "да\nC\nx\n")
    assert "--reference FILE" in run("compare", old, new).err
    gold = write_text(tmp_path / "gold.txt", "да\nB\nx\n")
    assert read_references(gold) == {"1": "да", "2": "B", "3": "x"}
    assert "1 item broke, 1 got fixed" in run("compare", old, new, "--reference", gold).out
    table = write_text(tmp_path / "gold.csv", "id,reference\n3,x\n1,да\n2,B\n")
    assert "1 item broke, 1 got fixed" in run("compare", old, new, "--reference", table).out


@pytest.mark.parametrize("lines", ["да\nB\n", "да\nB\nC\nD\n"])
def test_files_of_other_lengths_are_refused(run: Any, tmp_path: Path, lines: str) -> None:
    old = write_text(tmp_path / "v1.txt", "да\nB\nC\n")
    gold = write_text(tmp_path / "gold.txt", "да\nA\nC\nD\n")
    done = run("compare", old, write_text(tmp_path / "v2.txt", lines), "--reference", gold)
    assert (done.code, done.out) == (4, "")
    assert "expected the same items" in done.err


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class TestAddresses:
    def test_a_run_of_a_server(self, run: Any, pair: Any, tmp_path: Path) -> None:
        for package in ("fsspec", "aiohttp"):
            pytest.importorskip(package, reason="addresses are behind an extra")
        pair(items=40, broken=9)
        with serving(tmp_path) as address:
            url = f"{address}/new.jsonl?token=secret"
            done = run("compare", tmp_path / "old.jsonl", url, "--engine", "memory")
            assert (done.code, done.err) == (0, "")
            assert done.first.endswith(f"-> {address}/new.jsonl: 40 items")
            assert "9 items broke" in done.out
            assert read_run(url).name == "new"
            done = run("compare", tmp_path / "old.jsonl", f"{address}/none.jsonl?token=secret")
        assert done.code == 4
        assert done.err.startswith(f"muscle-metrics: {address}/none.jsonl: expected a file")
        assert "secret" not in done.err

    def test_an_address_named_twice_is_one_file(self, run: Any, tmp_path: Path) -> None:
        for package in ("fsspec", "aiohttp"):
            pytest.importorskip(package, reason="addresses are behind an extra")
        old = write_text(tmp_path / "v1.txt", "да\nB\n")
        write_text(tmp_path / "v2.txt", "да\nнет\n")
        with serving(tmp_path) as address:
            url = f"{address}/v2.txt"
            done = run("compare", old, url, "--reference", url)
            assert (done.code, done.out) == (2, "")
            assert "every answer would be right by itself" in done.err
            done = run("compare", url, url, "--reference", old)
            assert (done.code, done.out) == (2, "")
            assert f"expected two different runs, got '{url}' twice" in done.err

    def test_without_fsspec_one_sentence_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "fsspec", None)
        with pytest.raises(MissingDependencyError, match=r"'muscle-metrics\[remote\]'"):
            read_run("s3://bucket/v1.jsonl")

    @pytest.mark.parametrize(
        ("raised", "error", "text"),
        [
            (ImportError("Install s3fs to access S3"), MissingDependencyError, "s3fs for s3://"),
            (PermissionError("no"), FileError, "the error 'no'"),
            (RuntimeError(), FileError, "the error 'RuntimeError'"),
        ],
    )
    def test_every_error_is_one_of_ours(
        self, monkeypatch: pytest.MonkeyPatch, raised: Exception, error: type, text: str
    ) -> None:
        class Fake:
            @staticmethod
            def open(name: str, mode: str) -> Any:
                raise raised

        monkeypatch.setattr(incoming, "require", lambda module, extra: Fake)
        with pytest.raises(error, match=text) as caught:
            read_run("s3://me:secret@bucket/v1.jsonl")
        assert str(caught.value).startswith("s3://bucket/v1.jsonl: ")

    @pytest.mark.parametrize(
        ("address", "name"),
        [
            ("https://h/../../etc/passwd", "passwd"),
            ("https://h/a/v1.csv.gz?x=1", "v1.csv.gz"),
            ("https://h/", "run"),
            ("hf://datasets/me/v 1/日本.jsonl", "日本.jsonl"),
            ("s3://b/..", "run"),
        ],
    )
    def test_the_name_of_a_copy_stays_in_its_folder(self, address: str, name: str) -> None:
        assert incoming._name_of(address) == name
