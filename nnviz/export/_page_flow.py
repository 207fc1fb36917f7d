"""Blocks below each other on pages: texts, pictures, lines to write on. None is cut by the end of a page."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPen, QPicture

from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.theme.fonts import printed_sans
from nnviz.ui.widgets.typeset_text import TypesetDocument

MARGIN, _FOOT = 68, 34
"""Pixels of 1/96 inch around what is printed, and from the lower edge to the line with the number of the page."""
_FINE = 2
"""Texts are set so many times as large and painted smaller, so that formulas are sharp on paper."""
_GAP = 5
_LINE, _BOX = 26, 12
"""Pixels between two lines to write on, and of a box to tick."""
_HIGHEST, _LARGEST = 260, 1.0
"""Pixels of a row of pictures, and how large a pixel of the screen becomes at most."""
_HIGHEST_UPRIGHT = 400
_HIGHEST_BESIDE = 600
"""Pixels of a picture beside a text."""
_BETWEEN = 14


class PageBlock:
    """Something that stands on a page as a whole; with `keeps_next` on the same one as what follows."""

    keeps_next = False

    @abstractmethod
    def height(self, width: float) -> float:
        """Return its height in pixels at this width."""
        raise NotImplementedError

    @abstractmethod
    def paint(self, painter: QPainter, width: float) -> None:
        """Paint it with its left upper corner where the painter stands."""
        raise NotImplementedError


class Placed(NamedTuple):
    """A block on a page."""

    block: PageBlock
    rect: QRectF


class Text(PageBlock):
    """One paragraph or list."""

    def __init__(self, text: str, size: float, color: str = "text", keeps_next: bool = False) -> None:
        self.text, self.keeps_next, self._color = text, keeps_next, color
        self._set = TypesetDocument(size * _FINE, printed_sans)
        self._set.set_text(text)

    def height(self, width: float) -> float:
        self._set.set_width(width * _FINE)
        return self._set.size().height() / _FINE

    def paint(self, painter: QPainter, width: float) -> None:
        self._set.set_width(width * _FINE)
        painter.save()
        painter.scale(1 / _FINE, 1 / _FINE)
        self._set.paint(painter, self._color)
        painter.restore()


class Gap(PageBlock):
    """Nothing, so many pixels of it."""

    def __init__(self, pixels: float, keeps_next: bool = False) -> None:
        self._pixels, self.keeps_next = pixels, keeps_next

    def height(self, width: float) -> float:
        return self._pixels

    def paint(self, painter: QPainter, width: float) -> None:
        pass


class Rule(PageBlock):
    """A thin line from side to side."""

    def height(self, width: float) -> float:
        return 1

    def paint(self, painter: QPainter, width: float) -> None:
        painter.setPen(QPen(LIGHT.color("line"), 1))
        painter.drawLine(QPointF(0, 0.5), QPointF(width, 0.5))


class Ruled(PageBlock):
    """Lines to write on."""

    def __init__(self, count: int, keeps_next: bool = False) -> None:
        self._count, self.keeps_next = count, keeps_next

    def height(self, width: float) -> float:
        return self._count * _LINE + _GAP

    def paint(self, painter: QPainter, width: float) -> None:
        painter.setPen(QPen(LIGHT.color("faint"), 0.75))
        for place in range(1, self._count + 1):
            painter.drawLine(QPointF(0, place * _LINE), QPointF(width, place * _LINE))


class Box(PageBlock):
    """A box to tick before a text."""

    def __init__(self, text: Text, keeps_next: bool = False) -> None:
        self._text, self.keeps_next = text, keeps_next
        self.text = text.text

    def height(self, width: float) -> float:
        return self._text.height(width - 2 * _BOX)

    def paint(self, painter: QPainter, width: float) -> None:
        painter.setPen(QPen(LIGHT.color("muted"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(0.5, 3.5, _BOX, _BOX))
        painter.save()
        painter.translate(2 * _BOX, 0)
        self._text.paint(painter, width - 2 * _BOX)
        painter.restore()


class FigureRow(PageBlock):
    """Recorded pictures beside each other, equally high."""

    def __init__(self, pictures: Sequence[tuple[QPicture, QSizeF]], highest: float = 0) -> None:
        """`highest`: in pixels; 0 for what is usual: a single one that is higher than wide may be higher than others."""
        self._pictures = pictures
        is_upright = len(pictures) == 1 and pictures[0][1].height() > pictures[0][1].width()
        self._highest = highest or (_HIGHEST_UPRIGHT if is_upright else _HIGHEST)

    def height(self, width: float) -> float:
        room = width - _BETWEEN * (len(self._pictures) - 1)
        wide = sum(size.width() / size.height() for _, size in self._pictures)
        natural = _LARGEST * max(size.height() for _, size in self._pictures)
        return min(room / wide, self._highest, natural)

    def paint(self, painter: QPainter, width: float) -> None:
        height, left = self.height(width), 0.0
        for picture, size in self._pictures:
            scale = height / size.height()
            painter.save()
            painter.translate(left, 0)
            painter.scale(scale, scale)
            painter.setClipRect(QRectF(0, 0, size.width(), size.height()))
            picture.play(painter)
            painter.restore()
            painter.setPen(QPen(LIGHT.color("line"), 0.75))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(left, 0, size.width() * scale, height))
            left += size.width() * scale + _BETWEEN


class Beside(PageBlock):
    """Blocks below each other, with a picture at their right or without one, as one."""

    def __init__(self, blocks: Sequence[PageBlock], picture: QPicture | None = None, size: QSizeF | None = None, wide: float = 0) -> None:
        self.blocks = blocks
        self._figure = FigureRow([(picture, size)], _HIGHEST_BESIDE) if picture is not None else None
        self._wide = wide if self._figure else 0

    def _left(self, width: float) -> float:
        return width - self._wide - (_BETWEEN if self._figure else 0)

    def height(self, width: float) -> float:
        text = sum(block.height(self._left(width)) + _GAP for block in self.blocks) - _GAP
        return max(text, self._figure.height(self._wide) if self._figure else 0)

    def paint(self, painter: QPainter, width: float) -> None:
        if self._figure:
            painter.save()
            painter.translate(width - self._wide, 0)
            self._figure.paint(painter, self._wide)
            painter.restore()
        left = self._left(width)
        painter.save()
        for block in self.blocks:
            painter.save()
            block.paint(painter, left)
            painter.restore()
            painter.translate(0, block.height(left) + _GAP)
        painter.restore()


def flowed(blocks: Sequence[PageBlock], page: QSizeF) -> list[list[Placed]]:
    """Return the blocks on pages, each as a whole, those that keep what follows together with it; a gap begins no page."""
    width, bottom = page.width() - 2 * MARGIN, page.height() - MARGIN
    pages: list[list[Placed]] = [[]]
    top = float(MARGIN)
    for group in _groups(blocks):
        heights = [block.height(width) for block in group]
        if top + sum(heights) + _GAP * (len(group) - 1) > bottom and pages[-1]:
            pages.append([])
            top = float(MARGIN)
        for block, height in zip(group, heights, strict=True):
            if not pages[-1] and isinstance(block, Gap | Rule):
                continue
            pages[-1].append(Placed(block, QRectF(MARGIN, top, width, height)))
            top += height + _GAP
    return pages


def _groups(blocks: Sequence[PageBlock]) -> list[list[PageBlock]]:
    groups: list[list[PageBlock]] = [[]]
    for block in blocks:
        groups[-1].append(block)
        if not block.keeps_next:
            groups.append([])
    return [group for group in groups if group]


def paint_page(painter: QPainter, page: Sequence[Placed], size: QSizeF, left: str, right: str) -> None:
    """Paint one page, with these words at the left and right of its lower edge."""
    for block, rect in page:
        painter.save()
        painter.translate(rect.topLeft())
        block.paint(painter, rect.width())
        painter.restore()
    painter.setFont(printed_sans(11))
    painter.setPen(LIGHT.color("muted"))
    foot = QRectF(MARGIN, size.height() - _FOOT - 14, size.width() - 2 * MARGIN, 16)
    painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, left)
    painter.drawText(foot, Qt.AlignmentFlag.AlignRight, right)
