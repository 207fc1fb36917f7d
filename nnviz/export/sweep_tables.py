"""The table of a sweep as a CSV or Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnviz.document.store.files import replace_file
from nnviz.records.sweep_records import SweptRun, flat_table, runs_of_table
from nnviz.records.table_files import TABLE_WRITERS, read_columns


def write_table(path: Path, runs: Sequence[SweptRun], labels: Sequence[str]) -> None:
    """Write the runs, a row for each, in one step: whoever looks sees all of the old file or all of the new.

    The ending says the format. Raises OSError, MissingExtra where the library for Parquet is missing.
    """
    replace_file(path, TABLE_WRITERS[path.suffix.lower()](flat_table(runs, labels)))


def read_table(path: Path, labels: Sequence[str]) -> list[SweptRun]:
    """Return the runs in such a file, without their curves. Raises OSError, and ValueError if it holds no such table."""
    try:
        return runs_of_table(read_columns(path), labels)
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: it does not hold the runs of this sweep. {error}") from None
