"""What an epoch costs by the size of its batches, as a table: updates, time and memory."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from nnviz.document.checks.sizes import written_bytes
from nnviz.records.batch_cost_record import BatchCost, BatchCosts
from nnviz.text import plot_numbers
from nnviz.ui.landscape.score_table import ScoreTable, paint_table
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.plot import Plot

_EXPLANATION = (
    "Iterations with batches of other sizes, measured on copies of the run: how many make an epoch, how long one takes, how long an epoch "
    "takes, and how many bytes the forward pass keeps for the backward pass.\n\n"
    "A large batch needs more memory and more time for an update, and less for an epoch, since the rows of a batch are worked on at once. "
    "How much an update is worth is another matter: see the gradient noise."
)
_COLUMNS = ("updates/epoch", "per update", "per epoch", "kept for backward")


class BatchCostPlot(Plot):
    """A row for each size, that of the run on a ground of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Epoch by batch size", _EXPLANATION, "Epoch", parent)
        self.found: BatchCosts | None = None

    def set_found(self, found: BatchCosts | None, iteration: int, failure: str = "") -> None:
        """Show this, measured after so many iterations. None: not yet; `failure` says why, if it was asked for."""
        self.offer(found, iteration, failure)

    def take(self, found: BatchCosts | None = None, iteration: int = 0, failure: str = "") -> None:
        self.found = found
        self.sentence = "" if found else failure or "time and memory of an epoch, by the size of its batches: press compute"
        self.set_heading(self.heading[0], plot_numbers.iteration(iteration) if found else "", self.heading[1])

    @property
    def table(self) -> ScoreTable:
        """What is painted."""
        costs = self.found.costs
        sizes = [cost.size for cost in costs]
        present = sizes.index(self.found.present) if self.found.present in sizes else -2
        fastest = min(range(len(costs)), key=lambda place: costs[place].epoch)
        return ScoreTable(_COLUMNS, [_row(cost) for cost in costs], present, (fastest, 2))

    def paint(self, painter: QPainter, area: QRectF) -> None:
        paint_table(painter, current_theme(), area, self.table)


def _row(cost: BatchCost) -> tuple[str, ...]:
    name = f"{cost.size:,} row{'s' * (cost.size > 1)}" + (", all" if cost.updates == 1 else "")
    return name, f"{cost.updates:,}", _time(cost.seconds), _time(cost.epoch), written_bytes(cost.memory)


def _time(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms" if seconds >= 0.001 else f"{1e6 * seconds:.0f} µs"
