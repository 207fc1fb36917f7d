"""What is under a point of the picture: a port, a bias, a neuron, a layer, a curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from nnviz.document.network import Link
from nnviz.ui.network.columns import PORT, ColumnItem
from nnviz.ui.network.link_item import HANDLE, NEAR, LinkItem


@dataclass(frozen=True)
class PointerTarget:
    """What was found: port · end (of a selected link) · bias · neuron · layer · curve · nothing."""

    kind: str = "nothing"
    layer: str = ""
    unit: int = -1
    side: int = 0
    """For a port: -1 the input's, 1 the output's. For an end of a link: -1 where it begins, 1 where it ends."""
    link: Link | None = None
    curve: int = -1


NOTHING = PointerTarget()


def pick(columns: Mapping[str, ColumnItem], links: Mapping[Link, LinkItem], point: QPointF, reach: float = NEAR) -> PointerTarget:
    """Return what is under a point: ends of selected links, ports, then biases, neurons, layers and at last the curves of links."""
    for link, item in links.items():
        for side in (-1, 1):
            if item.is_selected and (item.end(side) - point).manhattanLength() <= 2 * HANDLE:
                return PointerTarget("end", link=link, side=side)
    for id, column in columns.items():
        if not column.is_near(point):
            continue
        hit = _in_column(id, column, column.mapFromScene(point))
        if hit:
            return hit
    link, curve = nearest_link(links, point, reach)
    return PointerTarget("curve", link=link, curve=curve) if link else NOTHING


def _in_column(id: str, column: ColumnItem, point: QPointF) -> PointerTarget | None:
    if column.marks.ports:
        for side in (1, -1) if column.layer.kind != "input" else (1,):
            if (column.port(side) - point).manhattanLength() <= 2.4 * PORT:
                return PointerTarget("port", id, side=side)
    if (unit := column.bias_at(point)) >= 0:
        return PointerTarget("bias", id, unit)
    if (unit := column.unit_at(point)) >= 0:
        return PointerTarget("neuron", id, unit)
    return PointerTarget("layer", id) if column.frame().contains(point) else None


def nearest_link(links: Mapping[Link, LinkItem], point: QPointF, reach: float) -> tuple[Link | None, int]:
    """Return the link whose curve is nearest to a point, and the curve; (None, -1) when none is within reach."""
    found: tuple[Link | None, int] = None, -1
    least = reach
    for link, item in links.items():
        curve, away = item.course.nearest((point.x(), point.y()), reach)
        if curve >= 0 and away <= least:
            found, least = (link, curve), away
    return found


def layers_in(columns: Mapping[str, ColumnItem], rect: QRectF) -> tuple[str, ...]:
    """Return the layers whose neurons or block touch a rectangle."""
    return tuple(id for id, column in columns.items() if rect.intersects(column.mapRectToScene(column.frame())))
