"""A small log of every shape that is read: of each harness, and of each plain form of file."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from muscle_metrics import read_run
from muscle_metrics.runs.readers.baseline import baseline_text
from tests.runs.conftest import WRITERS
from tests.runs.files.test_dataset_folder import save as save_dataset
from tests.runs.readers import log_writers as by_answers
from tests.runs.readers import test_damage as by_file
from tests.runs.readers import test_damage_of_rows as by_row

__all__ = ["LOGS", "Files", "Log"]

Files = dict[str, bytes]


class Log(NamedTuple):
    """Logs of an old run and of a new one that broke some of its items.

    `fields` are options of `read_run`; the gate's limit lets pass the new run only if at least one
    of the broken items is hidden.
    """

    old: Files
    new: Files
    max_nfr: str
    fields: dict[str, Any]


def _by_file(name: str) -> Log:
    files = [
        {file: by_file.encode(file, content) for file, content in documents.items()}
        for documents in (
            by_file.LOGS[name]("v1", frozenset()), by_file.LOGS[name]("v1", by_file.BROKEN)
        )
    ]  # fmt: skip
    return Log(*files, "0.58", {})


def _by_row(name: str) -> Log:
    log = by_row.LOGS[name]
    texts = log.text(log.rows(lambda _: True)), log.text(by_row.broken_rows(name))
    return Log(*({log.name: text.encode()} for text in texts), "0.12", {})


def _by_answers(name: str) -> Log:
    write = by_answers.LOGS[name]
    return Log(write(by_answers.OLD), write(by_answers.NEW), "0.9", {})


def _archive() -> Log:
    """Logs of inspect_ai as zip archives."""
    log = _by_row("inspect_ai")
    return log._replace(**{
        side: {"log.eval": _zipped(json.loads(next(iter(files.values()))))}
        for side, files in (("old", log.old), ("new", log.new))
    })  # fmt: skip


def _zipped(log: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    samples = log.pop("samples")
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        start = {name: log[name] for name in ("version", "eval", "plan")}
        archive.writestr("_journal/start.json", json.dumps(start))
        for sample in samples:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps(log))
    return content.getvalue()


def _rows(*, broken: frozenset[int]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"вопрос {n}",
            "prediction": "нет" if n in broken else "да",
            "reference": "да",
            "judge": float(n not in broken),
            "topic": "ab"[n % 2],
            "passage": f"p{n // 3}",
            "prompt": f"q{n}",
        }
        for n in range(30)
    ]


PLAIN = {"score_field": "judge", "slice_field": "topic", "group_field": "passage"}
BROKEN = frozenset({17})


def _plain(form: str) -> Log:
    """Rows of a form of file; in some forms answers judge them, in others a score."""
    old, new = _rows(broken=frozenset()), _rows(broken=BROKEN)
    fields = (
        PLAIN if form in ("json", "tsv") else {"slice_field": "topic", "prompt_field": "prompt"}
    )
    write = WRITERS[form]
    return Log({f"v1.{form}": write(old)}, {f"v1.{form}": write(new)}, "0.12", fields)


def _dataset() -> Log:
    folders = []
    for broken in (frozenset[int](), BROKEN):
        with TemporaryDirectory() as scratch:
            rows = _rows(broken=broken)
            folder = save_dataset(Path(scratch), rows[:15], rows[15:])
            folders.append({
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*") if path.is_file()
            })  # fmt: skip
    return Log(*folders, "0.12", {})


def _baseline() -> Log:
    """A baseline of the old run is damaged; a gate takes none for the new run."""
    log = _plain("jsonl")
    with TemporaryDirectory() as scratch:
        path = Path(scratch, "v1.jsonl")
        path.write_bytes(log.new["v1.jsonl"])
        run = read_run(path, prediction_field="prediction", score_field="judge")
    text = baseline_text(run).encode()
    return Log({"old.baseline": text}, {"old.baseline": text}, "0.12", {})


LOGS: dict[str, Log] = {
    **{f"{name}, files": _by_file(name) for name in by_file.LOGS},
    **{f"{name}, rows": _by_row(name) for name in by_row.LOGS},
    **{name: _by_answers(name) for name in by_answers.LOGS},
    "inspect_ai archive": _archive(),
    **{form: _plain(form) for form in WRITERS},
    "dataset": _dataset(),
    "baseline": _baseline(),
}
