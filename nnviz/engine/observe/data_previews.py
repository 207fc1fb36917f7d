"""Answers about data that no run uses yet: rows of a data set, what is in a file; errors are part of the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from nnviz import messages
from nnviz.document.network import Choice
from nnviz.engine.data.csv_sheet import Sheet, first_rows, read_sheet
from nnviz.engine.data.csv_table import CsvColumn, columns_of, guessed_task, likely_target, remarks, table_of, target_place
from nnviz.engine.data.datasets import Data, load, prepared, rows_of_table
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.data_records import data_record
from nnviz.records.data_record import TableColumn, TableRecord

MOST_ROWS = 400
"""No more rows of a preview are sent."""
SHOWN_COLUMNS, SHOWN_LETTERS = 60, 40
"""How much of a file's first rows is sent."""
GLIMPSED = 200_000
"""Bytes of a larger file that are looked at before all of it is read."""
MOST_LISTED = 6
"""Lines with missing values that are named."""


def previewed(request: messages.Preview) -> messages.Previewed:
    """Return rows of the document's data, or why there are none."""
    try:
        return messages.Previewed(request.number, data_record(load(request.experiment, Path(request.folder)), MOST_ROWS))
    except BuildError as error:
        return messages.Previewed(request.number, None, error.message, error.cure)


def table_read(request: messages.ReadTable, report: Callable[[float], None] = lambda share: None) -> messages.TableRead:
    """Return what is in the file, and what would become of it. `report` is told the share read so far, and may raise BuildError."""
    choice, table = request.experiment.data, None
    try:
        sheet = read_sheet(Path(request.folder) / choice["path"], choice["target"], choice.settings, report)
        table = _table(sheet, columns_of(sheet), choice, request.suggests)
        numbers = table_of(sheet, choice["target"] or table.target, table.task == "classes", {**choice.settings, "task": table.task})
        data = prepared(request.experiment, rows_of_table(numbers, choice))
        return messages.TableRead(request.number, _with_size(table, data), data_record(data, MOST_ROWS))
    except BuildError as error:
        return messages.TableRead(request.number, table, None, error.message, error.cure)


def table_glimpsed(request: messages.ReadTable) -> messages.TableGlimpsed | None:
    """Return what the first rows of a large file are; None for a small one, which is read at once, and where they are no table."""
    choice = request.experiment.data
    try:
        sheet = first_rows(Path(request.folder) / choice["path"], choice["target"], choice.settings, GLIMPSED)
        return messages.TableGlimpsed(request.number, 0.0, _table(sheet, columns_of(sheet), choice, request.suggests)) if sheet else None
    except BuildError:
        return None


def _table(sheet: Sheet, columns: list[CsvColumn], data: Choice, suggests: bool) -> TableRecord:
    if not sheet.count:
        raise BuildError("data.path", f"{sheet.file} has a header and no rows.", "Give at least two rows, or say that there is no header.")
    named = data["target"] if data["target"] in sheet.header else ""  # one that is not there is told once the rest can be seen
    goal = likely_target(columns) if suggests and not named else columns[target_place(sheet, named)]
    used = [column for column in columns if column.name not in set(data["without"]) or column is goal]
    gaps = np.flatnonzero(np.any([column.missing for column in used], axis=0))
    return TableRecord(
        encoding=sheet.layout.encoding,
        separator=sheet.layout.separator,
        decimal="comma" if sheet.layout.marks.decimal == "," else "point",
        has_header=sheet.layout.has_header,
        rows=sheet.count,
        columns=tuple(TableColumn(column.name, column.kind, int(column.missing.sum()), column.different) for column in columns),
        cells=tuple(tuple(cell[:SHOWN_LETTERS] for cell in row[:SHOWN_COLUMNS]) for row in sheet.top),
        lines=tuple(map(int, sheet.lines[: len(sheet.top)])),
        missing=sum(int(column.missing.sum()) for column in used),
        missing_rows=len(gaps),
        missing_lines=tuple(int(sheet.lines[row]) for row in gaps[:MOST_LISTED]),
        target=goal.name,
        task=guessed_task(goal) if data["task"] == "auto" else data["task"],
        remarks=remarks(used),
    )


def _with_size(table: TableRecord, data: Data) -> TableRecord:
    rows, features = data.x.shape
    return replace(table, used_rows=rows, features=features, classes=data.classes, targets=0 if data.classes else data.y.shape[1])
