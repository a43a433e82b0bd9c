"""The database reads the named files alone, and nobody can talk it into more."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from muscle_metrics.scale.database import open_database

duckdb = pytest.importorskip("duckdb", reason="the engine is behind an extra")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{folder}/other.txt')",
        "SELECT * FROM '{folder}/other.csv'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/written.csv'",
        "ATTACH '{folder}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "INSTALL h3 FROM community",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET temp_directory = '{folder}'",
        "SELECT * FROM table_of_python",
    ],
)
def test_nothing_else_is_reached(tmp_path, query):
    for name in ("named.csv", "other.csv", "other.txt"):
        Path(tmp_path, name).write_text("a\n1\n")
    table_of_python = {"a": [1]}
    with open_database("100MB", 1, [str(tmp_path / "named.csv")]) as database:
        assert database.execute(f"FROM '{tmp_path}/named.csv'").fetchall() == [(1,)]
        with pytest.raises(duckdb.Error):
            database.execute(query.format(folder=tmp_path)).fetchall()
    assert table_of_python
    assert not Path(tmp_path, "written.csv").exists()


def test_the_database_spills_into_a_folder_of_its_own():
    with open_database("60MB", 1) as database:
        folder = Path(database.execute("SELECT current_setting('temp_directory')").fetchone()[0])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        database.execute("CREATE TABLE t AS SELECT md5(range::VARCHAR) AS x FROM range(2_000_000)")
        assert sum(path.stat().st_size for path in folder.iterdir()) > 10 << 20
        assert database.execute("SELECT count(*) FROM t").fetchone() == (2_000_000,)
    assert not os.path.exists(folder)
