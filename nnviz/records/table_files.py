"""Tables as CSV or Parquet files. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnviz.extras import extra

Table = Mapping[str, Sequence]
"""Equally long columns by name; None where there is no value."""


def csv_bytes(table: Table) -> bytes:
    """Return the table as CSV: a head, then a line for each row; floats as the shortest text that reads back to the same bits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return text.getvalue().encode()


def parquet_bytes(table: Table) -> bytes:
    """Return the table as Parquet; a column without any value is one of numbers. Raises MissingExtra without pyarrow."""
    with extra("sweep", "A Parquet file"):
        import pyarrow
        from pyarrow import parquet
    number = pyarrow.float64()
    columns = {name: pyarrow.array(values, number) if all(value is None for value in values) else values for name, values in table.items()}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


TABLE_WRITERS: dict[str, Callable[[Table], bytes]] = {".csv": csv_bytes, ".parquet": parquet_bytes}


def read_columns(path: Path) -> dict[str, list[Any]]:
    """Return the columns of such a file, those of a CSV file as texts. Raises OSError, UnicodeDecodeError, MissingExtra without pyarrow."""
    if path.suffix.lower() == ".parquet":
        with extra("sweep", "A Parquet file"):
            from pyarrow import parquet
        return parquet.read_table(io.BytesIO(path.read_bytes())).to_pydict()
    head, *rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline=""))) or [[]]
    return {name: [row[place] for row in rows] for place, name in enumerate(head)}
