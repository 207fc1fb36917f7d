"""The part of a plot that is looked at: zoomed at a place, moved, given up. It knows scales and no widget."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF

from nnviz.ui.widgets.scales import AxisScale

_CLOSEST = 0.02
"""Smallest share of an axis that can be looked at; what lies farther outside than a hundred frames would be drawn in the wrong place."""


class Zoom:
    """Ranges of values along both axes. They lie within the whole axes, and are given up where these are no longer where they were."""

    def __init__(self) -> None:
        self._frame = QRectF()
        self._whole: tuple[AxisScale, AxisScale] | None = None
        self._shown: tuple[AxisScale, AxisScale] | None = None
        self._ranges: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def is_on(self) -> bool:
        """Whether less than the whole plot is looked at."""
        return self._ranges is not None

    @property
    def shown(self) -> tuple[AxisScale, AxisScale] | None:
        """The scales of what is looked at, as they were painted last; None before that."""
        return self._shown

    def contains(self, place: QPointF) -> bool:
        """Return whether a place lies within the frame that can be zoomed."""
        return self._whole is not None and self._frame.contains(place)

    def scales(self, frame: QRectF, x: AxisScale, y: AxisScale) -> tuple[AxisScale, AxisScale]:
        """Return the scales of what is looked at, for a frame with these scales of the whole."""
        self._frame, self._whole = frame, (x, y)
        if self._ranges and not all(_lies_in(part, scale) for part, scale in zip(self._ranges, (x, y), strict=True)):
            self._ranges = None
        shown = zip((x, y), self._ranges or ((x.low, x.high), (y.low, y.high)), strict=True)
        self._shown = tuple(replace(scale, low=low, high=high) for scale, (low, high) in shown)
        return self._shown

    def at(self, place: QPointF, factor: float) -> None:
        """Look closer by this factor, keeping the place where it is; below 1 from farther away, at most at the whole."""
        spans = []
        for scale, pixel in zip(self._shown, (place.x(), place.y()), strict=True):
            spans.append((pixel + (scale.start - pixel) / factor, pixel + (scale.end - pixel) / factor))
        self._look_at(spans)

    def move(self, by: QPointF) -> None:
        """Move what is looked at by so many pixels, as far as there is something."""
        if self.is_on:
            self._look_at([(scale.start - way, scale.end - way) for scale, way in zip(self._shown, (by.x(), by.y()), strict=True)], True)

    def reset(self) -> None:
        """Look at the whole again."""
        self._ranges = None

    def _look_at(self, spans: list[tuple[float, float]], keep_size: bool = False) -> None:
        """Look at what lies between these pixels of both axes."""
        ranges = []
        for shown, whole, span in zip(self._shown, self._whole, spans, strict=True):
            ranges.append(_within(whole, [_pixel(whole, shown, pixel) for pixel in span], keep_size))
        is_whole = all(
            abs(high - whole.high) + abs(low - whole.low) <= 1e-9 * (whole.high - whole.low)
            for (low, high), whole in zip(ranges, self._whole, strict=True)
        )
        self._ranges = None if is_whole else tuple(ranges)
        self.scales(self._frame, *self._whole)


def _pixel(whole: AxisScale, shown: AxisScale, pixel: float) -> float:
    """Where on the whole axis stands what is at a pixel of the shown one."""
    low, high = float(whole(shown.low)), float(whole(shown.high))
    return low + (pixel - shown.start) / (shown.end - shown.start) * (high - low)


def _within(whole: AxisScale, ends: list[float], keep_size: bool) -> tuple[float, float]:
    """The values between two pixels of the whole axis, moved or cut so that they lie on it."""
    length = whole.end - whole.start
    low, high = sorted((end - whole.start) / length for end in ends)
    if keep_size:
        way = max(0.0, -low) - max(0.0, high - 1)
        low, high = low + way, high + way
    low, high = max(0.0, low), min(1.0, high)
    if high - low < _CLOSEST:
        middle = min(1 - _CLOSEST / 2, max(_CLOSEST / 2, (low + high) / 2))
        low, high = middle - _CLOSEST / 2, middle + _CLOSEST / 2
    first = whole.low if low == 0 else whole.value(whole.start + low * length)
    last = whole.high if high == 1 else whole.value(whole.start + high * length)
    return first, last


def _lies_in(part: tuple[float, float], whole: AxisScale) -> bool:
    room = 1e-9 * (whole.high - whole.low)
    return whole.low - room <= part[0] < part[1] <= whole.high + room and not (whole.log and part[0] <= 0)
