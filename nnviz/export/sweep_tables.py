"""The table of a sweep as a CSV or Parquet file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnviz.document.store.files import replace_file
from nnviz.records.sweep_records import SweptRun, flat_table, runs_of_table

ENDINGS = (".csv", ".parquet")


def write_table(path: Path, runs: Sequence[SweptRun], labels: Sequence[str]) -> None:
    """Write the runs, a row for each, in one step: whoever looks sees all of the old file or all of the new.

    The ending says the format. Raises OSError, ImportError where the library for Parquet is missing.
    """
    columns = flat_table(runs, labels)
    replace_file(path, _parquet(columns) if path.suffix.lower() == ".parquet" else _csv(columns))


def read_table(path: Path, labels: Sequence[str]) -> list[SweptRun]:
    """Return the runs in such a file, without their curves. Raises OSError, and ValueError if it holds no such table."""
    columns = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    try:
        return runs_of_table(columns, labels)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: it does not hold the runs of this sweep. {error}") from None


def _csv(columns: dict[str, list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _read_csv(path: Path) -> dict[str, list[Any]]:
    head, *rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline=""))) or [[]]
    return {name: [row[place] for row in rows] for place, name in enumerate(head)}


def _parquet(columns: dict[str, list[Any]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(pyarrow.table({name: _typed(values) for name, values in columns.items()}), sink)
    return sink.getvalue()


def _typed(values: list[Any]) -> Any:
    """A column without any value is one of numbers."""
    import pyarrow

    is_bare = all(value is None for value in values)
    if is_bare or any(isinstance(value, float) for value in values):
        return pyarrow.array(values, pyarrow.float64())
    return pyarrow.array(values)


def _read_parquet(path: Path) -> dict[str, list[Any]]:
    from pyarrow import parquet

    return parquet.read_table(io.BytesIO(path.read_bytes())).to_pydict()
