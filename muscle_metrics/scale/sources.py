"""Files of rows as tables of a database: which they are, and what each part of a row is.

A value is written as text that begins with its kind: ``"`` around text, ``t`` and ``f`` of true and
false, a digit or a sign of a number, ``[`` of a list, ``?`` where it is none of these. Equal values
are equal texts, values of different kinds never are, and null is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.reports.escape import visible
from muscle_metrics.runs.columns import CONVENTIONS, Columns, choose_columns
from muscle_metrics.runs.plain_file import PlainFile, open_plain
from muscle_metrics.runs.rows import keep_rows, locate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

__all__ = ["Source", "count_lines", "open_source"]

COMPRESSED = (".gz", ".zst")
ENGINE_FORMATS = ("jsonl", "parquet")
# Whole numbers beyond this are no longer exact as floats.
EXACT_INTEGERS = 2**53
NUMBERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE"),
}
NUMBER_TYPES = ("UBIGINT", "BIGINT", "DOUBLE")
PARTS = ("prediction", "reference", "score", "slice", "prompt", "repeat")


@dataclass(frozen=True, slots=True)
class Source:
    """One run as files of one format, and the fields to read.

    Parameters
    ----------
    name : str
        What the run is called.
    files : tuple of PlainFile
        Its shards.
    fields : mapping of str to str
        Field of every part that the rows have; "id" always.
    types : mapping of str to str
        Type of every column in the database.
    columns : Columns
        How one row becomes a record, by the reader that goes row by row.
    where : mapping of str to str
        Text that a field of a row has, if the row is to be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A"}')
    ...     source = open_source(path, {})
    >>> source.name, sorted(source.fields)
    ('v1', ['id', 'prediction'])
    """

    name: str
    files: tuple[PlainFile, ...]
    fields: Mapping[str, str]
    types: Mapping[str, str]
    columns: Columns
    where: Mapping[str, str]

    def table(self, parts: Collection[str]) -> str:
        """Write the SQL of the rows: their key, and the parts asked for."""
        columns = {
            "prediction": self._value,
            "reference": self._value,
            "accepted": self._accepted,
            "score": self._score,
            "slice": self._label,
            "prompt": self._label,
        }
        chosen = [f"{columns[part](part)} AS {part}" for part in sorted(parts)]
        kept = [f"{self._text(name)} = {_quoted(text)}" for name, text in self.where.items()]
        condition = f" WHERE {' AND '.join(kept)}" if kept else ""
        return (
            f"SELECT {', '.join([f'{self._key()} AS key', *chosen])} FROM {self.scan()}{condition}"
        )

    def scan(self) -> str:
        """Write the SQL of the files as they are."""
        paths = ", ".join(_quoted(str(file.path)) for file in self.files)
        if self.files[0].format == "parquet":
            return f"read_parquet([{paths}])"
        columns = ", ".join(f"{_quoted(name)}: 'JSON'" for name in self.types)
        return f"read_json([{paths}], format = 'newline_delimited', columns = {{{columns}}})"

    def count_rows(self, database: Any) -> int:
        """Count rows, but for those that `where` leaves out."""
        if not self.where and all(_is_plain(file) for file in self.files):
            return sum(count_lines(file.path) for file in self.files)
        query = f"SELECT count(*) FROM ({self.table([])})"
        return int(database.execute(query).fetchone()[0])

    def check_rows(self) -> None:
        """Read every row one by one, and raise the error of the first that is not as it must be.

        Raises
        ------
        FileError
            With the file and the line.
        """
        for file in self.files:
            for number, row in keep_rows(file, list(self.types), self.where):
                try:
                    self.columns.record(row)
                except Exception as error:
                    raise locate(error, file, number, row) from error  # type: ignore[arg-type]

    def _key(self) -> str:
        """Write the SQL of the id, joined with the repeat where there are repeats."""
        identifier = self._text(self.fields["id"], ("VARCHAR", "UBIGINT", "BIGINT", "DOUBLE"))
        if "repeat" not in self.fields:
            return identifier
        return f"{identifier} || chr(31) || coalesce({self._label('repeat')}, '')"

    def _label(self, part: str) -> str:
        return self._text(self.fields[part]) if part in self.fields else "NULL::VARCHAR"

    def _value(self, part: str) -> str:
        if part not in self.fields:
            return "NULL::VARCHAR"
        return _encoded(*self._placed(self.fields[part]))

    def _accepted(self, _: str) -> str:
        """Write the SQL of the accepted answers, where the reference is a list."""
        place, kind = self._placed(self.fields["reference"])
        if kind.endswith("[]"):
            return f"list_transform({place}, lambda x: {_encoded('x', kind.removesuffix('[]'))})"
        if kind != "JSON":
            return "NULL::VARCHAR[]"
        elements = f"list_transform({place}::JSON[], lambda x: {_encoded('x', 'JSON')})"
        return f"CASE WHEN left({place}, 1) = '[' THEN {elements} END"

    def _score(self, _: str) -> str:
        place, kind = self._placed(self.fields["score"])
        if kind == "JSON":
            number = f"CASE WHEN left({place}, 1) <> '\"' THEN try_cast({place} AS DOUBLE) END"
            return f"CASE {place} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE {number} END"
        return f"{place}::DOUBLE" if _is_number(kind) or kind == "BOOLEAN" else "NULL::DOUBLE"

    def _text(self, name: str, kinds: Sequence[str] = (*NUMBER_TYPES, "VARCHAR", "BOOLEAN")) -> str:
        """Write the SQL of the text of a scalar; null where it is none."""
        place, kind = self._placed(name)
        if kind != "JSON":
            return f"{place}::VARCHAR"
        known = ", ".join(map(_quoted, kinds))
        return (
            f"CASE WHEN ascii({place}) = 34 AND NOT {_is_escaped(place)} "
            f"THEN substring({place}, 2, length({place}) - 2) "
            f"WHEN json_type({place}) IN ({known}) THEN {place}->>'$' END"
        )

    def _placed(self, name: str) -> tuple[str, str]:
        """Write the SQL of a field, and the type of what stands there."""
        column = _column(name, self.types)
        return _place(name, column), self.types[column]


def open_source(path: Path, options: Mapping[str, Any], *, name: str | None = None) -> Source:
    """Recognise the files of a run and choose the fields to read, from its first row.

    Parameters
    ----------
    path : Path
        A file, or a folder of shards.
    options : mapping
        Those of `read_run`.
    name : str, optional
        What the run is called; by default the file or the folder.

    Raises
    ------
    FileError
        If there is no file, or its format is not one that the engine reads.
    UsageError
        If an option needs the reader that goes row by row.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.jsonl").write_text('{"id": 1, "prediction": "A"}')
    ...     _ = Path(folder, "b.jsonl").write_text('{"id": 2, "prediction": "A"}')
    ...     len(open_source(Path(folder), {}).files)
    2
    """
    identifier = options.get("id_field", "id")
    if not isinstance(identifier, str):
        raise UsageError(
            f"expected one id field for files that are joined by an engine, got {identifier}: "
            f"write the parts of the id into one column"
        )
    files = tuple(open_plain(shard, options.get("format", "auto")) for shard in _shards(path))
    strange = [file for file in files if file.format not in ENGINE_FORMATS]
    if strange or len({file.format for file in files}) > 1:
        raise FileError(
            f"{strange[0] if strange else files[0]}: expected {' or '.join(ENGINE_FORMATS)} in "
            f"all shards of a run, got {sorted({file.format for file in files})}: convert them, "
            f"or leave out --engine"
        )
    asked = {part: options.get(f"{part}_field") for part in (*PARTS, "group")}
    where = options.get("where", {})
    fields = {identifier, *CONVENTIONS, *where, *filter(None, asked.values())}
    _, first = next(iter(keep_rows(files[0], fields)))
    columns = choose_columns(first, identifier, asked, is_all_text=False)
    chosen = {part: asked.get(part) or part for part in PARTS}
    present = {
        part: name
        for part, name in chosen.items()
        if asked.get(part) or (part in CONVENTIONS and part in first)
    }
    if "score" not in present:
        present.setdefault("prediction", "prediction")
    found = {"id": identifier, **present}
    return Source(
        name=name or (files[0].stem if len(files) == 1 else path.name),
        files=files,
        fields=found,
        types=_types(files[0], first, [*found.values(), *where]),
        columns=columns,
        where=where,
    )


def _is_plain(file: PlainFile) -> bool:
    return file.format == "jsonl" and file.path.suffix not in COMPRESSED


def count_lines(path: Path) -> int:
    r"""Count lines; what follows the last newline is one, unless it is nothing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "v1.jsonl").write_text("{}\n{}")
    ...     count_lines(Path(folder, "v1.jsonl"))
    2
    """
    lines, last = 0, b"\n"
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")


def _shards(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    shards = sorted(
        child for child in path.iterdir() if child.is_file() and child.name[0] not in "._"
    )
    if not shards:
        raise FileError(f"{visible(str(path))}: expected files in the folder, got none: name a run")
    return shards


def _types(file: PlainFile, first: Mapping[str, object], names: Sequence[str]) -> dict[str, str]:
    """Type of every column that fields stand in; everything in JSON is JSON."""
    if file.format == "jsonl":
        return {(name if name in first else name.partition(".")[0]): "JSON" for name in names}
    from muscle_metrics.optional import require

    duckdb = require("duckdb", "scale")
    path = _quoted(str(file.path))
    rows = duckdb.execute(f"DESCRIBE SELECT * FROM read_parquet({path})").fetchall()
    types = {row[0]: row[1] for row in rows}
    return {column: types[column] for name in names if (column := _column(name, types)) in types}


def _column(name: str, types: Mapping[str, str]) -> str:
    return name if name in types else name.partition(".")[0]


def _place(name: str, column: str) -> str:
    """Write the SQL of a field: a column, or a value inside one."""
    quoted = '"' + column.replace('"', '""') + '"'
    if name == column:
        return quoted
    inner = name.removeprefix(f"{column}.")
    pointer = "/" + "/".join(p.replace("~", "~0").replace("/", "~1") for p in inner.split("."))
    return f"({quoted}->{_quoted(pointer)})"


def _encoded(place: str, kind: str) -> str:
    """Write the SQL of a value as text that begins with its kind."""
    if kind == "VARCHAR":
        return f"'\"' || {place} || '\"'"
    if kind == "BOOLEAN":
        return f"{place}::VARCHAR"
    if kind == "JSON":
        number = _number(f"try_cast({place} AS DOUBLE)")
        return (
            f"CASE ascii({place}) WHEN 34 THEN {_encoded_text(place)} WHEN 116 THEN 'true' "
            f"WHEN 102 THEN 'false' WHEN 110 THEN NULL WHEN 91 THEN '[' WHEN 123 THEN '?' "
            f"ELSE {number} END"
        )
    if _is_number(kind):
        return _number(f"{place}::DOUBLE")
    mark = "[" if kind.endswith("[]") else "?"
    return f"CASE WHEN {place} IS NOT NULL THEN '{mark}' END"


def _encoded_text(place: str) -> str:
    """Write the SQL of a text of JSON: it is its own code, unless something in it is escaped."""
    unescaped = f"'\"' || ({place}->>'$') || '\"'"
    return f"CASE WHEN {_is_escaped(place)} THEN {unescaped} ELSE {place}::VARCHAR END"


def _is_escaped(place: str) -> str:
    return f"contains({place}::VARCHAR, chr(92))"


def _is_number(kind: str) -> bool:
    return kind in NUMBERS or kind.startswith("DECIMAL")


def _number(number: str) -> str:
    whole = f"CASE WHEN {number} = trunc({number}) THEN {number}::BIGINT::VARCHAR"
    return (
        f"CASE WHEN {number} IS NULL THEN NULL WHEN isfinite({number}) AND "
        f"abs({number}) <= {EXACT_INTEGERS} THEN {whole} ELSE {number}::VARCHAR END ELSE '?' END"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
