"""One figure of every layer over the iterations, as curves: the paler, the nearer to the input."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from nnviz.session.run import RunState, Snapshot
from nnviz.ui.run.line_chart import Curve, GhostCurve
from nnviz.ui.widgets.header_button import ChoiceButton
from nnviz.ui.widgets.scales import decades

ALL = ""
"""The key of the choice of all layers."""
_PALEST = 0.4

Moment = tuple[int, Mapping[str, float | None]]
"""An iteration, and the figure of every layer."""


def layer_choice() -> ChoiceButton:
    """Return a button that keeps a plot to one layer, or shows all."""
    button = ChoiceButton("Layer")
    button.set_choices(((ALL, "all layers"),), ALL)
    return button


def offer_layers(
    button: ChoiceButton, layers: Iterable[str], names: Mapping[str, str], with_all: bool = True, is_shown: bool = True
) -> None:
    """Let the button offer these layers; one that is gone gives way to all, or to the first. Without a choice it is not shown."""
    choices = [(layer, names.get(layer, layer)) for layer in layers]
    choices = [(ALL, "all layers"), *choices] if with_all else choices
    known = [key for key, _ in choices]
    button.set_choices(choices, button.key if button.key in known else next(iter(known), ALL))
    button.setVisible(is_shown and len(known) > 1)


def layer_curves(
    moments: Iterable[Moment], names: Mapping[str, str], color: str, chosen: str = ALL, log: bool = False
) -> tuple[Curve, ...]:
    """Return a curve for each layer, through its finite figures (on a logarithmic axis those above 0), the others than the chosen pale."""
    points: dict[str, list[tuple[int, float]]] = {}
    for iteration, figures in moments:
        for layer, figure in figures.items():
            own = points.setdefault(layer, [])
            if figure is not None and math.isfinite(figure) and (figure > 0 or not log):
                own.append((iteration, figure))
    curves = []
    for place, (layer, own) in enumerate(points.items()):
        x, y = np.array(own, dtype=np.float64).reshape(-1, 2).T
        strength = 1.0 if layer == chosen else _PALEST + (1 - _PALEST) * (place + 1) / len(points)
        curves.append(Curve.of(names.get(layer, layer), color, x, y, chosen not in (ALL, layer), strength))
    return tuple(sorted(curves, key=lambda curve: not curve.pale))


def log_limits(figures: Iterable[float]) -> tuple[float, float]:
    """Return powers of ten around the figures above 0, the lower one at least a third of a decade below the smallest."""
    known = [figure for figure in figures if figure > 0 and math.isfinite(figure)]
    return decades(min(known) / 2, max(known)) if known else (0.1, 1.0)


def drawn_values(curves: Iterable[Curve | GhostCurve]) -> list[float]:
    """Return all values of the curves."""
    return [value for curve in curves for value in curve.drawn[1].tolist()]


def having(snapshots: tuple[Snapshot, ...], part: Callable[[Snapshot], tuple]) -> tuple[Snapshot, ...]:
    """Return the snapshots in which this part was measured."""
    return tuple(snapshot for snapshot in snapshots if part(snapshot))


def newest(snapshots: tuple[Snapshot, ...], part: Callable[[Snapshot], tuple]) -> Snapshot | None:
    """Return the newest snapshot in which this part was measured."""
    return next((snapshot for snapshot in reversed(snapshots) if part(snapshot)), None)


def is_past(run: RunState, part: Callable[[Snapshot], tuple]) -> bool:
    """Return whether the newest of this part is old: then it is shown pale."""
    last = newest(run.snapshots, part)
    return last is not None and run.is_late(last.iteration)
