"""The window with the calls of one iteration: text to read, to search and to copy. It shows what it is given."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QKeySequence, QShortcut, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QTextEdit, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import BODY, GRID, GUTTER, current_theme
from nnviz.ui.theme.fonts import mono
from nnviz.ui.widgets.placing import show_in_middle

_SIZE = (860, 620)
_PHASES = ("forward", "loss", "backward", "clip", "update")


class CallText(QDialog):
    """Not modal: the network can be changed and trained beside it. Enter goes to the next match, Esc closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle("Calls of one iteration")
        self.text = QPlainTextEdit(readOnly=True, accessibleName="Calls of one iteration", frameShape=QFrame.Shape.NoFrame)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(mono(BODY))
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self._colors = _Colors(self.text.document())
        self.search = QLineEdit(placeholderText="Search: addmm, _grad, a layer", accessibleName="Search the calls")
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self.copy = QPushButton("Copy all", toolTip="Copy the whole text; what is selected is copied with Ctrl+C", autoDefault=False)
        self._matches: list[QTextCursor] = []
        self._place = 0
        self.search.textChanged.connect(self._search)
        self.search.returnPressed.connect(self._next)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        self._lay_out()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        for widget, stretch in ((self.search, 1), (self.count, 0), (self.copy, 0)):
            row.addWidget(widget, stretch)
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        column.addLayout(row)
        column.addWidget(self.text, 1)
        self.resize(*_SIZE)

    def open_beside(self) -> None:
        """Show it in the middle of its window, with the keyboard in the search line."""
        show_in_middle(self)
        self.search.setFocus()

    def set_text(self, text: str, is_past: bool = False) -> None:
        """Show this text, where it was scrolled to if it is much the same; pale if it is about a network that has changed meanwhile."""
        self._colors.set_pale(is_past)
        if text == self.text.toPlainText():
            return
        bars = [self.text.verticalScrollBar(), self.text.horizontalScrollBar()]
        places = [bar.value() for bar in bars]
        self.text.setPlainText(text)
        for bar, place in zip(bars, places, strict=True):
            bar.setValue(place)
        self._mark()

    # --- searching ---

    def _search(self) -> None:
        self._place = 0
        self._mark()
        self._go()

    def _next(self) -> None:
        self._place = (self._place + 1) % max(1, len(self._matches))
        self._mark()
        self._go()

    def _mark(self) -> None:
        """Find what is searched for, and mark it: the match that was gone to more strongly."""
        words, document = self.search.text(), self.text.document()
        self._matches, found = [], document.find(words) if words else QTextCursor()
        while not found.isNull():
            self._matches.append(found)
            found = document.find(words, found)
        self._place = min(self._place, max(0, len(self._matches) - 1))
        theme = current_theme()
        grounds = [theme.tint("forward", 0.45 if number == self._place else 0.15) for number in range(len(self._matches))]
        self.text.setExtraSelections([_marked(cursor, ground) for cursor, ground in zip(self._matches, grounds, strict=True)])
        self.count.setText("" if not words else f"{self._place + 1} of {len(self._matches)}" if self._matches else "not found")

    def _go(self) -> None:
        if self._matches:
            cursor = QTextCursor(self._matches[self._place])
            cursor.clearSelection()
            self.text.setTextCursor(cursor)
            self.text.ensureCursorVisible()

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_place"):
            self._colors.rehighlight()
            self._mark()


def _marked(cursor: QTextCursor, ground: QColor) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor = cursor
    selection.format.setBackground(ground)
    return selection


class _Colors(QSyntaxHighlighter):
    """The first line strong, the names of the phases in their colours; all of it faint where it is about the past."""

    _is_pale = False

    def set_pale(self, pale: bool) -> None:
        """Let the text be pale, or no longer."""
        if pale != self._is_pale:
            self._is_pale = pale
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        theme, look = current_theme(), QTextCharFormat()
        if self.currentBlock().blockNumber() == 0 or text in _PHASES:
            look.setFontWeight(QFont.Weight.Bold)
        look.setForeground(theme.color("faint") if self._is_pale else theme.phase(text) if text in _PHASES else theme.color("text"))
        self.setFormat(0, len(text), look)
