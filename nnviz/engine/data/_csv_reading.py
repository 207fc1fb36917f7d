"""Whether a few plain lines of Python read a file of a run to the same numbers: it is tried, and compared."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.engine.data.csv_layout import CODECS, SEPARATORS
from nnviz.engine.data.csv_sheet import read_sheet
from nnviz.engine.data.csv_table import CsvTable, columns_of, target_place
from nnviz.engine.data.datasets import Rows, rows_of_table
from nnviz.records.recorded_run import CsvColumnUse, CsvReading


def plain_reading(experiment: Experiment, folder: Path, rows: Rows) -> CsvReading | None:
    """Return how the file of an experiment is read plainly; None where that does not give these rows, or cannot be done."""
    data = experiment.data
    path = (folder / data["path"]).absolute()
    sheet = read_sheet(path, data["target"], data.settings)
    layout, columns = sheet.layout, columns_of(sheet)
    goal, is_series = target_place(sheet, data["target"]), bool(data["window"])
    used = [(place, one) for place, one in enumerate(columns) if one.name not in data["without"] and (is_series or place != goal)]
    target_is = "numbers" if not rows.classes else "words" if columns[goal].kind == "words" else "classes"
    reading = CsvReading(
        str(path),
        CODECS[layout.encoding],
        SEPARATORS[layout.separator],
        int(layout.has_header),
        layout.marks.decimal,
        tuple(CsvColumnUse(place, one.words) for place, one in used),
        CsvColumnUse(goal),
        target_is,
    )
    if layout.skipped or layout.quote != '"' or layout.separator == "space":
        return None
    try:
        found = rows_of_table(CsvTable(*_read(reading), (), ()), data)
    except (ValueError, IndexError, csv.Error):
        return None
    return reading if np.array_equal(found.x, rows.x) and np.array_equal(found.y, rows.y) else None


def _read(reading: CsvReading) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets as a program reads them that imports numpy alone."""
    with open(reading.path, newline="", encoding=reading.encoding) as file:
        lines = csv.reader(file, delimiter=reading.separator, skipinitialspace=True)
        rows = [[cell.strip() for cell in line] for line in lines if any(line)][reading.skipped :]
    columns: list[list[float]] = []
    for use in reading.features:
        if use.words:
            columns += [[float(row[use.place] == word) for row in rows] for word in use.words]
        else:
            columns.append(_numbers(rows, use.place, reading.decimal))
    x, place = np.array(columns).T.copy(), reading.target.place
    if reading.target_is == "numbers":
        return x, np.array(_numbers(rows, place, reading.decimal))[:, None]
    values = _numbers(rows, place, reading.decimal) if reading.target_is == "classes" else [row[place] for row in rows]
    return x, np.unique(values, return_inverse=True)[1]


def _numbers(rows: list[list[str]], place: int, decimal: str) -> list[float]:
    return [float(row[place] if decimal == "." else row[place].replace(",", ".")) for row in rows]
