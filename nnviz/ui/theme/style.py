"""How widgets look: Fusion, a palette and one stylesheet, both made from the theme. Widgets that paint themselves ask `current_theme`.

Labels, message boxes and tooltips show plain text: a name that reads like markup would have Qt open the files it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from string import Template

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QWidget

from nnviz.resource_files import resource_folder
from nnviz.ui.theme.colors import BODY, DARK, LIGHT, SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import MONO_FAMILIES, sans, scaled, set_text_size, text_size

_ROLES = {
    QPalette.ColorRole.Window: "background",
    QPalette.ColorRole.Base: "panel",
    QPalette.ColorRole.AlternateBase: "field",
    QPalette.ColorRole.Button: "field",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.ToolTipBase: "panel",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "faint",
    QPalette.ColorRole.Highlight: "forward",
    QPalette.ColorRole.HighlightedText: "panel",
    QPalette.ColorRole.Accent: "forward",
    QPalette.ColorRole.Link: "positive",
    QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "line",
}

_SHEET = Template("""
QToolTip { background: $panel; color: $text; border: 1px solid $line; padding: 4px 6px; qproperty-textFormat: PlainText; }
*[hasColumns="true"] > QToolTip { font-family: $mono; font-size: ${small}px; }
QPushButton, QToolButton {
    background: $panel; color: $text; border: 1px solid $line; border-radius: 6px; padding: 4px 10px; min-height: ${row}px; }
QPushButton:hover, QToolButton:hover { background: $field; }
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked { background: $line; }
QPushButton:disabled, QToolButton:disabled { color: $faint; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QAbstractSpinBox:focus { border-color: $forward; }
QToolButton[flat="true"] { border-color: transparent; background: transparent; }
QToolButton[flat="true"]:hover { background: $field; }
QToolButton[flat="true"]:focus { border-color: $forward; }
QToolButton[narrow="true"] { padding: 4px 7px; }
QToolButton[role="more"] { padding: 0; }
QToolButton[role="dots"] { padding: 0; min-height: 0; }
QToolButton::menu-indicator { image: none; width: 0; }
QFileDialog QToolButton { padding: 2px; min-width: 20px; }
QFileDialog {
    backward-icon: url($back); forward-icon: url($forward_way); filedialog-parent-directory-icon: url($parent);
    filedialog-new-directory-icon: url($new_folder); filedialog-listview-icon: url($list); filedialog-detailedview-icon: url($details); }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QPushButton[accent="true"] { background: $forward; color: $panel; border-color: $forward; font-weight: 600; }
QPushButton[accent="true"]:hover { background: $forward_85; }
QPushButton[accent="true"]:disabled { background: $field; color: $faint; border-color: $line; }
QLineEdit, QAbstractSpinBox, QComboBox {
    background: $field; color: $text; border: 1px solid $line; border-radius: 6px; padding: 2px 8px; min-height: ${row}px;
    selection-background-color: $forward; selection-color: $panel; }
QComboBox { padding-right: 0px; }
QComboBox::drop-down { border: none; width: 18px; }
QComboBox::down-arrow { image: url($chevron); width: 10px; height: 10px; }
QComboBox QAbstractItemView {
    background: $panel; color: $text; border: 1px solid $line; outline: none;
    selection-background-color: $field; selection-color: $text; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QCheckBox { spacing: 6px; }
QCheckBox:focus { color: $forward; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $faint; border-radius: 4px; background: $field; }
QCheckBox::indicator:checked { background: $forward; border-color: $forward; image: url($check); }
QCheckBox::indicator:focus { border-color: $forward; }
QMenu { background: $panel; color: $text; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 28px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: $field; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 4px; min-height: 24px; min-width: 24px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
    background: none; border: none; width: 0; height: 0; }
QProgressBar { background: transparent; border: none; }
QProgressBar::chunk { background: $forward; }
QFrame#BusyNote { background: $panel; border: 1px solid $line; border-radius: 8px; }
QSplitter::handle { background: transparent; }
QHeaderView::section { background: $panel; color: $muted; border: none; border-bottom: 1px solid $line; padding: 4px 6px; }
QTableView { background: $panel; border: none; gridline-color: $line; selection-background-color: $field; selection-color: $text; }
QListView { background: $panel; border: none; outline: none; selection-background-color: $field; selection-color: $text; }
QLabel { background: transparent; qproperty-textFormat: PlainText; }
QLabel[role="head"] { color: $muted; font-size: ${small}px; font-weight: 700; }
QLabel[role="text"] { color: $text; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="faint"] { color: $faint; }
QLabel[role="forward"] { color: $forward; }
QLabel[role="backward"] { color: $backward; }
QLabel[role="loss"] { color: $loss; }
QLabel[role="clip"] { color: $clip; }
QLabel[role="update"] { color: $update; }
QLabel[role="what_if"] { color: $what_if; }
QLabel[role="agrees"] { color: $forward; background: $forward_10; border-radius: 5px; padding: 6px 8px; }
QLabel[role="differs"] { color: $loss; background: $loss_10; border-radius: 5px; padding: 6px 8px; }
QLabel[role="supposed"] { color: $text; background: $what_if_10; border-radius: 5px; padding: 5px 8px; }
QPushButton[role="word"] {
    background: transparent; border: 1px solid transparent; border-radius: 6px; color: $muted; padding: 3px 11px; min-width: 34px; }
QPushButton[role="word"]:checked { background: $panel; border-color: $line; color: $text; font-weight: 600; }
QPushButton[role="word"]:focus { border-color: $forward; }
QPushButton[role="note"] { border: 1px solid $line; border-radius: 6px; padding: 0 8px; min-height: ${row}px; }
QPushButton[role="note"]:focus, QPushButton[role="note"]:hover { border-color: $forward; }
QPushButton[role="what_if"] { background: $field; border: 1px solid $line; border-radius: 6px; padding: 0 8px; }
QPushButton[role="banner"] {
    background: $panel; color: $text; border: 1px solid $line; border-radius: 6px; padding: 0 8px; min-height: ${row}px; }
QPushButton[role="what_if"]:focus, QPushButton[role="what_if"]:hover,
QPushButton[role="banner"]:focus, QPushButton[role="banner"]:hover { border-color: $what_if; }
QPushButton[role="proof"] {
    background: $forward_12; color: $forward; border: 1px solid $forward_12; border-radius: 8px; padding: 2px 5px; }
QPushButton[role="no proof"] { background: $field; color: $muted; border: 1px solid $field; border-radius: 8px; padding: 2px 5px; }
QPlainTextEdit[role="field"] { background: $field; color: $text; border: 1px solid $line; border-radius: 6px; padding: 1px 4px; }
QPlainTextEdit[role="field"]:focus { border-color: $forward; }
QPlainTextEdit[role="answer"] { background: $field; border: 1px solid $line; border-radius: 6px; padding: 4px 6px; }
QPlainTextEdit[role="answer"]:focus { border-color: $forward; }
QLineEdit[role="invalid"], QPlainTextEdit[role="invalid"] { border: 1px solid $loss; }
Heading { padding-top: 2px; }
DividingLine { border: none; border-top: 1px solid $line; margin-top: 4px; }
Segments { background: $field; border: 1px solid $line; border-radius: 8px; }
Breadcrumb > QPushButton, WatchRow > QPushButton {
    background: transparent; color: $positive; border: none; padding: 0; min-height: 0; text-align: left; }
Breadcrumb > QPushButton:hover, Breadcrumb > QPushButton:focus, WatchRow > QPushButton:hover, WatchRow > QPushButton:focus {
    background: $field; }
NodeFinder { background: $panel; border: 1px solid $line; border-radius: 8px; }
FindingBox { background: $warning; border: 1px solid transparent; border-radius: 6px; }
FindingBox[role="information"] { background: $field; }
Caption { color: $muted; background: $panel; border-radius: 4px; }
EmptyText { color: $muted; }
Hint { color: $text; background: $warning; border: 1px solid $line; border-radius: 6px; }
SearchField { background: $panel; border: 1px solid $line; border-radius: 6px; }
SearchField QListWidget::item { padding: 3px 6px; border-radius: 4px; }
SearchField QListWidget::item:selected { background: $field; color: $text; }
SearchField QListWidget::item:disabled { color: $faint; }
""")


TEXT_SIZES = (90, 100, 110, 125, 150, 175, 200)
"""How large texts can be, in percent of how they were designed."""
_DESIGNED = "designed_pixels"
"""The property of a widget with a font of its own: its size at 100 %, and the rules it has besides."""
_ICONS = {name: name for name in ("chevron", "check", "back", "parent", "new_folder", "list", "details")} | {"forward_way": "forward"}
"""Icons of the stylesheet, and their files: `forward` is a colour already."""
_TINTS = (("forward", 85), ("forward", 12), ("forward", 10), ("loss", 10), ("what_if", 10))
"""Colours mixed into the panel's, in percent: $forward_85."""


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application the theme: style, palette, font and stylesheet. Qt tells every widget with a PaletteChange event."""
    if app.property("theme") == theme.name:
        return
    is_first = app.property("theme") is None
    app.setProperty("theme", theme.name)  # first: whoever hears of the change asks for it
    if is_first:
        app.setStyle("Fusion")
    _dress(app, theme)


def _dress(app: QApplication, theme: Theme) -> None:
    """Give the application palette, font and stylesheet. Qt styles a widget once for each it stands in where one sheet replaces another."""
    app.setStyleSheet("")
    app.setPalette(_palette(theme))
    app.setFont(sans(BODY))
    app.setStyleSheet(sheet(theme))


@contextmanager
def wearing(theme: Theme) -> Iterator[None]:
    """While it lasts, what paints itself does so in this theme; widgets keep theirs."""
    app = QApplication.instance()
    before = app.property("theme")
    app.setProperty("theme", theme.name)
    try:
        yield
    finally:
        app.setProperty("theme", before)


def toggle_theme(app: QApplication) -> None:
    """Change between light and dark."""
    apply_theme(app, DARK if current_theme() is LIGHT else LIGHT)


def apply_text_size(app: QApplication, percent: int) -> None:
    """Show all texts in the size of TEXT_SIZES next to this: those of Qt's own font and those of fonts that widgets were given."""
    before, percent = scaled(1.0), min(TEXT_SIZES, key=lambda known: abs(known - percent))
    if percent == text_size():
        return
    set_text_size(percent)  # first: whoever hears of the change asks for it
    given = [widget for widget in app.allWidgets() if _has_own_font(widget) and not _is_within_box(widget)]
    designed = [(widget, *(widget.property(_DESIGNED) or (widget.font().pixelSize() / before, widget.styleSheet()))) for widget in given]
    _dress(app, current_theme())
    for widget, size, rules in designed:
        widget.setProperty(_DESIGNED, (size, rules))  # rounded sizes would drift
        widget.setStyleSheet(f"{rules} font-size: {max(1, round(scaled(size)))}px;")  # another font would be lost with the next parent
    for widget in app.allWidgets():
        widget.updateGeometry()
        widget.update()


def set_font(widget: QWidget, font: QFont) -> None:
    """Give a widget another font, also one that has had a font of its own when the size of texts was changed."""
    if designed := widget.property(_DESIGNED):
        widget.setProperty(_DESIGNED, None)
        widget.setStyleSheet(designed[1])
    widget.setFont(font)


def _has_own_font(widget: QWidget) -> bool:
    """Whether a widget was given a font; Qt no longer says so of one that has the size of its font from rules."""
    return widget.property(_DESIGNED) is not None or widget.testAttribute(Qt.WidgetAttribute.WA_SetFont)


def _is_within_box(widget: QWidget) -> bool:
    """Whether it is the line of a box, which has the font of its box."""
    return isinstance(widget.parentWidget(), QAbstractSpinBox | QComboBox)


def change_text_size(app: QApplication, steps: int) -> None:
    """Show all texts so many sizes larger, or smaller for less than 0; 0 brings back the size they were designed in."""
    place = max(0, min(len(TEXT_SIZES) - 1, TEXT_SIZES.index(text_size()) + steps))
    apply_text_size(app, TEXT_SIZES[place] if steps else 100)


def set_role(widget: QWidget, role: str) -> None:
    """Let the stylesheet paint a widget, which may be on the screen already, in this role: a colour of the theme, or what it is."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
            widget.style().unpolish(widget)
            widget.style().polish(widget)
            QApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))  # it lays itself out anew


def sheet(theme: Theme) -> str:
    """Return the stylesheet of the theme."""
    colors = {name: value for name, value in vars(theme).items() if isinstance(value, str)}
    icons = {name: (resource_folder("icons") / f"{file}.svg").as_posix() for name, file in _ICONS.items()}
    tints = {f"{name}_{share}": theme.tint(name, share / 100).name() for name, share in _TINTS}
    families = ", ".join([f'"{family}"' for family in MONO_FAMILIES])
    return _SHEET.substitute(colors | icons | tints, small=round(scaled(SMALL)), row=round(scaled(20)), mono=families)


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, theme.color(name))
        if role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, theme.color("faint"))
    return palette
