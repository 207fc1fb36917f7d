"""Puts a plot into a card: heading, tools and theme of the plot become the card's. Makes nothing else."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.plot import Plot


def framed(plot: Plot, body: QWidget | None = None) -> Card:
    """Return a card around the plot, or around what holds it. The card follows the plot: only the plot needs to be given a theme."""
    card = Card(plot.heading[0], body or plot, plot.tools)
    card.setToolTip(plot.toolTip())

    def show_heading(title: str, short: str, subtitle: str) -> None:
        card.set_title(title, short)
        card.set_subtitle(subtitle)

    plot.heading_changed.connect(show_heading)
    show_heading(*plot.heading)
    return card
