"""Layers in a line: aligned at their left or upper sides, or with equal gaps. Pure numbers, no Qt."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.ui.network.layer_places import Box, Point

WAYS = ("left", "top", "across", "down")
"""left, top: sides in one line, and what would overlap moves on. across, down: equal gaps between the first and the last."""
_APART = 12.0


def aligned(places: Mapping[str, Point], boxes: Mapping[str, Box], way: str) -> dict[str, Point]:
    """Return where these layers stand after they are lined up one of the WAYS; `places` are middles, `boxes` the room they take."""
    axis = 1 if way in ("left", "down") else 0
    order = sorted(places, key=lambda id: (places[id][axis], places[id][1 - axis]))
    if len(order) < 2:
        return dict(places)
    if way in ("across", "down"):
        return _distributed(places, boxes, order, axis)
    side = min(boxes[id][1 - axis] for id in order)
    moved, end = {}, float("-inf")
    for id in order:
        start = max(boxes[id][axis], end)
        end = start + boxes[id][axis + 2] - boxes[id][axis] + _APART
        moved[id] = _shifted(places[id], {1 - axis: side - boxes[id][1 - axis], axis: start - boxes[id][axis]})
    return moved


def _distributed(places: Mapping[str, Point], boxes: Mapping[str, Box], order: list[str], axis: int) -> dict[str, Point]:
    sizes = {id: boxes[id][axis + 2] - boxes[id][axis] for id in order}
    room = boxes[order[-1]][axis + 2] - boxes[order[0]][axis]
    gap = max(_APART, (room - sum(sizes.values())) / (len(order) - 1))
    moved, start = {}, boxes[order[0]][axis]
    for id in order:
        moved[id] = _shifted(places[id], {axis: start - boxes[id][axis]})
        start += sizes[id] + gap
    return moved


def _shifted(place: Point, by: Mapping[int, float]) -> Point:
    return place[0] + by.get(0, 0.0), place[1] + by.get(1, 0.0)
