"""Markdown with $formulas$, set in the program's type. Nothing in it opens, loads or runs anything: no HTML, no links, no files."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QEvent, QRectF, QSize, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.ui.theme.colors import BODY, current_theme
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets._formula_picture import FormulaPicture, formula_picture

_FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?=\S)([^$\n]+?)(?<=[^\s\\])\$", re.DOTALL)
"""$$ on lines of its own $$, or $within a line$."""
_FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
_LARGER = 1.1
"""The letters of formulas beside those of the text, which look larger."""
_GAP = 6
"""Pixels between two paragraphs."""
_LINE = 122
"""Height of a line in percent of the font's."""


class _InertDocument(QTextDocument):
    """Has the pictures it was given, and fetches none."""

    def loadResource(self, kind: int, name: QUrl) -> object:
        return QImage()


class TypesetDocument:
    """A text that is set to a width and painted. `size` of its letters in pixels at 100 %; `font` makes a font of size and weight."""

    def __init__(self, size: float = BODY, font: Callable[..., QFont] = sans) -> None:
        self._size, self._text, self._font = size, "", font
        self._document = _InertDocument()
        self._document.setDocumentMargin(0)
        self._document.setUndoRedoEnabled(False)

    @property
    def plain(self) -> str:
        """What is read aloud: the text with its formulas as they were written."""
        return re.sub(r"[$*`]", "", self._text)

    def set_text(self, text: str) -> None:
        """Set this text, in the present theme and size of letters."""
        self._text = text
        document, formulas = self._document, []
        document.clear()
        document.setDefaultFont(self._font(self._size))

        def placed(match: re.Match[str]) -> str:
            formulas.append(match[1] or match[2])
            return f"![formula]({_name(len(formulas) - 1)})" if match[2] else f"\n\n![formula]({_name(len(formulas) - 1)})\n\n"

        pieces = re.split(r"(`[^`]*`)", text.replace("![", "!\\["))
        text = "".join(piece if piece.startswith("`") else _FORMULA.sub(placed, piece) for piece in pieces)
        document.setMarkdown(text, _FEATURES)
        self._dress(formulas)

    def _dress(self, formulas: list[str]) -> None:
        """Give code its font, formulas their pictures, and take links away."""
        pieces = []
        block = self._document.begin()
        while block.isValid():
            fragments = block.begin()
            while not fragments.atEnd():
                pieces.append(fragments.fragment())
                fragments += 1
            block = block.next()
        for piece in reversed(pieces):  # from the end, so that places stay what they are
            form, cursor = piece.charFormat(), QTextCursor(self._document)
            cursor.setPosition(piece.position())
            cursor.setPosition(piece.position() + piece.length(), QTextCursor.MoveMode.KeepAnchor)
            if form.isImageFormat():
                self._put_formula(cursor, form.toImageFormat().name(), formulas)
            elif form.isAnchor() or form.fontFixedPitch():
                cursor.setCharFormat(self._plain_format(form))
        self._space()

    def _space(self) -> None:
        """Give lines and paragraphs their distances."""
        block, gap = self._document.begin(), round(scaled(_GAP))
        while block.isValid():
            lines = QTextBlockFormat()
            lines.setLineHeight(_LINE, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            lines.setTopMargin(0)
            lines.setBottomMargin(gap if block.next().isValid() else 0)
            QTextCursor(block).mergeBlockFormat(lines)
            block = block.next()

    def _plain_format(self, form: QTextCharFormat) -> QTextCharFormat:
        plain = QTextCharFormat()
        plain.setFont(mono(self._size) if form.fontFixedPitch() else self._font(self._size, form.fontWeight()))
        return plain

    def _put_formula(self, cursor: QTextCursor, name: str, formulas: list[str]) -> None:
        place = name.removeprefix(_NAME)
        tex = formulas[int(place)] if name.startswith(_NAME) and place.isdigit() and int(place) < len(formulas) else ""
        picture = formula_picture(tex, self._font(self._size).pixelSize() * _LARGER, current_theme().text, "frac" in tex) if tex else None
        if picture is None:
            cursor.insertText(tex)
            return
        image, alignment = self._aligned(picture)
        self._document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name), image)
        form = QTextCharFormat()
        form.setVerticalAlignment(alignment)
        cursor.mergeCharFormat(form)

    def _aligned(self, picture: FormulaPicture) -> tuple[QImage, QTextCharFormat.VerticalAlignment]:
        """The picture so high that its baseline is that of the text: at the font's descent from the bottom, or around its middle."""
        metrics = QFontMetricsF(self._font(self._size))
        ratio = picture.image.devicePixelRatio()
        height = picture.image.height() / ratio
        if picture.depth <= metrics.descent():
            return _padded(picture.image, 0, metrics.descent() - picture.depth), QTextCharFormat.VerticalAlignment.AlignBaseline
        above, below = height - picture.depth - metrics.xHeight() / 2, picture.depth + metrics.xHeight() / 2
        half = max(above, below)
        return _padded(picture.image, half - above, half - below), QTextCharFormat.VerticalAlignment.AlignMiddle

    def set_width(self, width: float) -> None:
        """Break lines at this width in pixels."""
        if self._document.textWidth() != width:
            self._document.setTextWidth(width)

    def size(self) -> QSizeF:
        """Return the room it takes."""
        return self._document.size()

    def paint(self, painter: QPainter, color: str = "text") -> None:
        """Paint it where the painter stands, in a colour of the theme; formulas have that of texts."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)  # the pictures of formulas are larger than they are shown
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette.setColor(QPalette.ColorRole.Text, current_theme().color(color))
        self._document.documentLayout().draw(painter, context)


class TypesetText(QWidget):
    """A typeset text as high as its width asks for."""

    def __init__(self, size: float = BODY, tone: str = "text", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._set, self._text, self._tone = TypesetDocument(size), "", tone
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_text(self, text: str) -> None:
        """Show this text; an empty one is hidden."""
        self.setVisible(bool(text))
        if text != self._text:
            self._text = text
            self._set_again()

    def text(self) -> str:
        """Return the text that is shown."""
        return self._text

    def _set_again(self) -> None:
        self._set.set_text(self._text)
        self.setAccessibleName(self._set.plain)
        self.updateGeometry()
        self.update()

    # --- Qt ---

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        self._set.set_width(width)
        return int(self._set.size().height() + 0.999)

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(max(120, self.width())))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and self._text:
            self._set_again()
        super().changeEvent(event)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        self._set.set_width(self.width())
        painter = QPainter(self)
        self._set.paint(painter, self._tone)
        painter.end()


_NAME = "formula:"


def _name(place: int) -> str:
    return f"{_NAME}{place}"


def _padded(image: QImage, above: float, below: float) -> QImage:
    """The picture with room above and below, in pixels of the text."""
    ratio = image.devicePixelRatio()
    padded = QImage(image.width(), image.height() + round(ratio * (above + below)), image.format())
    padded.fill(Qt.GlobalColor.transparent)
    painter = QPainter(padded)
    painter.drawImage(QRectF(0, round(ratio * above), image.width(), image.height()), image, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    padded.setDevicePixelRatio(ratio)
    return padded
