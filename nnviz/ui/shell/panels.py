"""All panels of the window, made once and framed in cards. Here is what exists; where it stands is said in workspaces.py."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from nnviz.ui import run
from nnviz.ui.data.batch_table import BatchTable
from nnviz.ui.graph.graph_view import GraphView
from nnviz.ui.network.network_view import NetworkView
from nnviz.ui.network.palette import Palette
from nnviz.ui.network.parameter_table import ParameterTable
from nnviz.ui.network.properties import PropertiesPanel
from nnviz.ui.run.training_panel import TrainingPanel
from nnviz.ui.step.breakpoint_list import BreakpointButton
from nnviz.ui.step.chain_rule_card import ChainRuleCard
from nnviz.ui.step.step_bar import StepBar
from nnviz.ui.step.step_timeline import PhaseRail, StepTimeline
from nnviz.ui.step.what_if_banner import WhatIfBanner
from nnviz.ui.theme.colors import GRID
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import ChoiceButton

DETAILS = {"layer": "detail: layer", "textbook": "detail: textbook", "math": "detail: math", "neurons": "detail: neurons"}
COLORINGS = {kind: f"colour: {kind}" for kind in ("value", "gradient", "contribution", "update")}
EDGE_COLORINGS = {"value": "edges: value", "gradient": "edges: gradient", "update": "edges: update"}

_NARROWEST = {"layers": 232, "inspector": 352, "properties": 300}
"""Below these widths in pixels the texts of a panel would be cut."""


class Panels:
    """The views, each under its own name, and the cards they sit in."""

    def __init__(self) -> None:
        self.palette = Palette()
        self.training = TrainingPanel()
        self.network = NetworkView()
        self.graph = GraphView()
        self.what_if_banner = WhatIfBanner()
        self.timeline = StepTimeline()
        self.rail = PhaseRail()
        self.step_bar = StepBar()
        self.breakpoints = BreakpointButton()
        self.chain_rule = ChainRuleCard()
        self.batch = BatchTable()
        self.properties = PropertiesPanel()
        self.parameters = ParameterTable()
        self.loss = run.LossPlot()
        self.boundary = run.BoundaryPlot()
        self.histograms = run.HistogramPlot()
        self.norms = run.GradientNormPlot()
        self.metric = run.MetricPlot()
        self.microscope = run.OptimizerMicroscope()
        self.detail = _choice("How far calls are opened in the graph", DETAILS, "textbook")
        self.coloring = _choice("What the colours of the graph show", COLORINGS, "value")
        self.edge_coloring = _choice("What neurons and edges show: values, gradients, or what the update adds", EDGE_COLORINGS, "value")
        self.cards = self._cards()

    @property
    def run_plots(self) -> tuple[QWidget, ...]:
        """The plots that draw the run."""
        return self.loss, self.boundary, self.histograms, self.norms, self.metric

    def _cards(self) -> dict[str, Card]:
        left = _split(_scrolling(self.palette), _stacked(_head("TRAINING"), _scrolling(_stacked(self.training)), stretch=1))
        controls = _stacked(self.step_bar, self.timeline, _beside(self.rail, self.breakpoints), spacing=2)
        graph = _stacked(self.what_if_banner, self.graph, controls, stretch=1)
        cards = {
            "layers": Card("Layers", left),
            "network": Card("Network", self.network, [self.edge_coloring]),
            "graph": Card("Computational graph", graph, [self.detail, self.coloring]),
            "inspector": Card("Node", self.chain_rule),
            "batch": Card("Batch", self.batch),
            "properties": Card("Selected layer", _scrolling(self.properties)),
            "parameters": Card("Parameters", self.parameters),
        }
        for name, width in _NARROWEST.items():
            cards[name].setMinimumWidth(width)
        bodies = {"microscope": _scrolling(self.microscope)}
        return cards | {name: run.framed(plot, bodies.get(name)) for name, plot in self.plots.items()}

    @property
    def plots(self) -> dict[str, run.Plot]:
        """All plots by the names of their panels."""
        names = ("loss", "boundary", "histograms", "norms", "metric", "microscope")
        return {name: getattr(self, name) for name in names}


def _choice(tip: str, choices: dict[str, str], present: str) -> ChoiceButton:
    button = ChoiceButton(tip)
    button.set_choices(tuple(choices.items()), present)
    return button


def _head(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "head")
    return label


def _stacked(*widgets: QWidget, stretch: int | None = None, spacing: int = 2 * GRID) -> QWidget:
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if index == stretch else 0)
    if stretch is None:
        layout.addStretch()
    return holder


def _beside(first: QWidget, second: QWidget) -> QWidget:
    """Return both in a row; the first takes the room."""
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GRID)
    layout.addWidget(first, 1)
    layout.addWidget(second)
    return holder


def _split(upper: QWidget, lower: QWidget) -> QSplitter:
    """Return both above each other; each scrolls by itself, so that a long one does not push the other off the screen."""
    splitter = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False, handleWidth=3 * GRID)
    for widget in (upper, lower):
        widget.setMinimumHeight(96)
        splitter.addWidget(widget)
    splitter.setSizes([100, 118])
    return splitter


def _scrolling(widget: QWidget) -> QScrollArea:
    area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
    area.setAccessibleName(widget.accessibleName() or "Settings")
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    return area
