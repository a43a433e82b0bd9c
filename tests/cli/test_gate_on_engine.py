"""`gate --engine`: the same verdict and reports from counts."""

from __future__ import annotations

import json

import pytest

from muscle_metrics.cli import main


def test_the_command_judges_alike(tmp_path, monkeypatch, capsys, project):
    pytest.importorskip("duckdb", reason="the engine is behind an extra")
    monkeypatch.chdir(project)
    flags = ["gate", "examples/v1.jsonl", "examples/v2.jsonl", "--max-nfr", "0.075"]
    codes, reports = [], []
    for more in ([], ["--engine", "duckdb"]):
        report = tmp_path / f"{len(codes)}.json"
        codes.append(main([*flags, "--slice-field", "topic", "--json", str(report), *more]))
        reports.append(json.loads(report.read_text()))
        capsys.readouterr()
    assert codes[0] == codes[1] == 1
    for name in ("outcome", "checks", "counts", "items"):
        assert reports[0][name] == reports[1][name]
    assert reports[0]["negative_flips"]["total"] == reports[1]["negative_flips"]["total"]


def test_a_growing_run_is_not_judged_by_an_engine(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    flags = ["examples/v1.jsonl", "examples/v2.jsonl", "--max-nfr", "0.1", "--sequential"]
    assert main(["gate", *flags, "--seed", "1", "--engine", "duckdb"]) == 2
    assert "--sequential" in capsys.readouterr().err
