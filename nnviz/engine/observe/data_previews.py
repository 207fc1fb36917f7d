"""Answers about data that no run uses yet: rows of a data set, what is in a file; errors are part of the answer."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from nnviz import messages
from nnviz.document.network import Choice
from nnviz.engine.data.csv_table import CsvColumn, columns_of, guessed_task, table_of, target_place
from nnviz.engine.data.csv_text import Sheet, read_sheet
from nnviz.engine.data.datasets import Data, load, prepared, rows_of_table
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.data_records import data_record
from nnviz.records.data_record import TableColumn, TableRecord

MOST_ROWS = 400
"""No more rows of a preview are sent."""
SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_LETTERS = 8, 60, 40
"""How much of a file's cells is sent."""
MOST_LISTED = 6
"""Lines with missing values that are named."""


def previewed(request: messages.Preview) -> messages.Previewed:
    """Return rows of the document's data, or why there are none."""
    try:
        return messages.Previewed(request.number, data_record(load(request.experiment, Path(request.folder)), MOST_ROWS))
    except BuildError as error:
        return messages.Previewed(request.number, None, error.message, error.cure)


def table_read(request: messages.ReadTable) -> messages.TableRead:
    """Return what is in the file, and what would become of it."""
    choice, table = request.experiment.data, None
    try:
        sheet = read_sheet(Path(request.folder) / choice["path"], choice["target"], choice.settings)
        table = _table(sheet, columns_of(sheet), choice)
        numbers = table_of(sheet, choice["target"], table.task == "classes", {**choice.settings, "task": table.task})
        data = prepared(request.experiment, rows_of_table(numbers, choice))
        return messages.TableRead(request.number, _with_size(table, data), data_record(data, MOST_ROWS))
    except BuildError as error:
        return messages.TableRead(request.number, table, None, error.message, error.cure)


def _table(sheet: Sheet, columns: list[CsvColumn], data: Choice) -> TableRecord:
    if not sheet.rows:
        raise BuildError("data.path", f"{sheet.file} has a header and no rows.", "Give at least two rows, or say that there is no header.")
    named = data["target"] if data["target"] in sheet.header else ""  # one that is not there is told once the rest can be seen
    goal = columns[target_place(sheet, named)]
    used = [column for column in columns if column.name not in set(data["without"]) or column is goal]
    gaps = sorted({row for column in used for row in column.missing})
    return TableRecord(
        encoding=sheet.encoding,
        separator=sheet.separator,
        decimal="comma" if sheet.comma else "point",
        has_header=sheet.has_header,
        rows=len(sheet.rows),
        columns=tuple(_column(column) for column in columns),
        cells=tuple(tuple(cell.strip()[:SHOWN_LETTERS] for cell in row[:SHOWN_COLUMNS]) for row in sheet.rows[:SHOWN_ROWS]),
        lines=tuple(sheet.lines[:SHOWN_ROWS]),
        missing=sum(len(column.missing) for column in used),
        missing_rows=len(gaps),
        missing_lines=tuple(sheet.lines[row] for row in gaps[:MOST_LISTED]),
        target=goal.name,
        task=guessed_task(sheet, goal) if data["task"] == "auto" else data["task"],
    )


def _column(column: CsvColumn) -> TableColumn:
    different = len(column.words) or len(set(column.cells)) - bool(column.missing)
    return TableColumn(column.name, column.kind, len(column.missing), max(0, different))


def _with_size(table: TableRecord, data: Data) -> TableRecord:
    rows, features = data.x.shape
    return replace(table, used_rows=rows, features=features, classes=data.classes, targets=0 if data.classes else data.y.shape[1])
