"""How standard Qt widgets look: Fusion, a palette and one stylesheet, both made from the theme.

Widgets that paint themselves take the theme directly.
"""

from __future__ import annotations

from string import Template

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from nnviz.resource_files import resource_folder
from nnviz.ui.theme.colors import BODY, SMALL, Theme
from nnviz.ui.theme.fonts import sans

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
QToolTip { background: $panel; color: $text; border: 1px solid $line; padding: 4px 6px; }
QPushButton, QToolButton {
    background: $panel; color: $text; border: 1px solid $line; border-radius: 6px; padding: 4px 10px; min-height: 20px; }
QPushButton:hover, QToolButton:hover { background: $field; }
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked { background: $line; }
QPushButton:disabled, QToolButton:disabled { color: $faint; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QAbstractSpinBox:focus { border-color: $forward; }
QToolButton[flat="true"] { border-color: transparent; background: transparent; }
QToolButton[flat="true"]:hover { background: $field; }
QToolButton[flat="true"]:focus { border-color: $forward; }
QToolButton::menu-indicator { image: none; width: 0; }
QPushButton[accent="true"] { background: $forward; color: $panel; border-color: $forward; font-weight: 600; }
QPushButton[accent="true"]:hover { background: $forward_hover; }
QPushButton[accent="true"]:disabled { background: $field; color: $faint; border-color: $line; }
QLineEdit, QAbstractSpinBox, QComboBox {
    background: $field; color: $text; border: 1px solid $line; border-radius: 6px; padding: 2px 8px; min-height: 20px;
    selection-background-color: $forward; selection-color: $panel; }
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
QSplitter::handle { background: transparent; }
QHeaderView::section { background: $panel; color: $muted; border: none; border-bottom: 1px solid $line; padding: 4px 6px; }
QTableView { background: $panel; border: none; gridline-color: $line; selection-background-color: $field; selection-color: $text; }
QListView { background: $panel; border: none; outline: none; selection-background-color: $field; selection-color: $text; }
QLabel { background: transparent; }
QLabel[role="head"] { color: $muted; font-size: ${small}px; font-weight: 700; }
QLabel[role="muted"] { color: $muted; }
""")


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole application the theme: style, palette, font and stylesheet."""
    app.setStyle("Fusion")
    app.setPalette(_palette(theme))
    app.setFont(sans(BODY))
    app.setStyleSheet(sheet(theme))


def sheet(theme: Theme) -> str:
    """Return the stylesheet of the theme."""
    colors = {name: value for name, value in vars(theme).items() if isinstance(value, str)}
    icons = {name: (resource_folder("icons") / f"{name}.svg").as_posix() for name in ("chevron", "check")}
    return _SHEET.substitute(colors | icons, forward_hover=theme.tint("forward", 0.85).name(), small=round(SMALL))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, theme.color(name))
        if role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, theme.color("faint"))
    return palette
