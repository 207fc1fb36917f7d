"""Benchmarks measure and never judge: what they find is printed as one table at the end, and only an error makes one fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.benchmarks.measuring import Row, ratio, table

ROWS = pytest.StashKey[list[Row]]()


@pytest.fixture
def report(pytestconfig) -> Callable[..., None]:
    """Return `report(work, found, goal, unit="")`, which adds a row to the table."""
    rows = pytestconfig.stash.setdefault(ROWS, [])
    return lambda *cells: rows.append(Row(*cells))


@pytest.fixture
def measure(report) -> Callable[..., None]:
    """Return `measure(work, call, baseline, goal, rounds=5, attempts=3)`, which adds their ratio to the table."""
    return lambda work, call, baseline, goal, **more: report(work, ratio(call, baseline, goal, **more), goal)


def pytest_terminal_summary(terminalreporter, config) -> None:
    rows = config.stash.get(ROWS, [])
    for line in ["", *table(rows)] if rows else []:
        terminalreporter.write_line(line)
