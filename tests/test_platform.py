"""What the program takes for granted about Qt, the bundled fonts, the icons and the theme: each was once wrong somewhere."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
import qtawesome
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFontMetricsF, QIcon, QRawFont

from nnviz.resource_files import resource_folder
from nnviz.ui.theme import colors, fonts

PACKAGE = Path(__file__).resolve().parent.parent / "nnviz"

# --- Qt -------------------------------------------------------------------------------------------------------------

COUNTING = """
import sys
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPen

class Source(QObject):
    changed = Signal(bool)

source, pen, none, true = Source(), QPen(), sys.getrefcount(None), sys.getrefcount(True)
source.changed.connect(lambda value: None)
for _ in range(5_000):
    source.changed.emit(True)
for _ in range(50_000):
    pen.setWidthF(1.5)
print(sys.getrefcount(None) - none, sys.getrefcount(True) - true)
"""


def test_qt_loses_no_references():
    """PySide6 6.12 on Python 3.11 lost one at every emit and every void call, and aborted after some hundred."""
    done = subprocess.run([sys.executable, "-c", COUNTING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(int(drift) > -100 for drift in done.stdout.split()), done.stdout


# --- fonts ----------------------------------------------------------------------------------------------------------

SIGNS = "0123456789 ∂ηθεαβγμσλ∑Σ√∈⊙∇−×·→←ᵀᵢⱼŷm̂v̂₀₁₂½²ⁱʲᶻ⁻✓▶◀▾‖≤≥≠≈±∞ΔΦ…"
"""What formulas, explanations and buttons are written with, besides ASCII."""


def font_file(name: str) -> QRawFont:
    font = QRawFont(str(resource_folder("fonts") / name), 14)
    assert font.isValid(), name
    return font


def missing(text: str, *files: str) -> list[str]:
    loaded = [font_file(name) for name in files]
    return [sign for sign in dict.fromkeys(text) if not any(font.glyphIndexesForString(sign)[0] for font in loaded)]


@pytest.mark.parametrize(
    "files", [("Inter-Regular.otf", "DejaVuSans.ttf"), ("JetBrainsMono-Regular.ttf", "DejaVuSansMono.ttf")], ids=["sans", "mono"]
)
def test_every_sign_has_a_glyph(qapp, files):
    assert missing(SIGNS, *files) == []


def test_the_check_for_glyphs_can_fail(qapp):
    assert missing("∇", "Inter-Regular.otf") == ["∇"]


def test_every_sign_in_the_source_has_a_glyph(qapp):
    signs = {path: set(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    used = "".join(sign for sign in set().union(*signs.values()) if ord(sign) > 127)
    without = missing(used, "Inter-Regular.otf", "JetBrainsMono-Regular.ttf", "DejaVuSans.ttf")
    assert [f"{sign} in {path.name}" for path, found in signs.items() for sign in found.intersection(without)] == []


def test_bundled_families_are_registered(qapp):
    families = fonts.load_fonts()
    assert {colors.SANS, colors.MONO, "DejaVu Sans", "DejaVu Sans Mono"} <= set(families)
    assert fonts.load_fonts() is families


@pytest.mark.parametrize("font", [fonts.sans, fonts.mono])
@pytest.mark.parametrize("size", [colors.SMALL, colors.BODY, colors.LARGE, colors.TITLE])
def test_all_digits_are_equally_wide(qapp, font, size):
    fonts.load_fonts()
    metrics = QFontMetricsF(font(size))
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1


def test_the_mono_keeps_its_columns_in_formulas(qapp):
    fonts.load_fonts()
    metrics = QFontMetricsF(fonts.mono(colors.LARGE))
    widths = [metrics.horizontalAdvance(sign) for sign in "0x∂∇ᵀᵢ‖√→"]
    assert max(widths) - min(widths) < 0.1


def test_a_missing_font_folder_is_said_and_survived(qapp, monkeypatch, caplog):
    def nowhere(name):
        raise FileNotFoundError("the shipped folder 'fonts' is missing")

    monkeypatch.setattr(fonts, "resource_folder", nowhere)
    assert fonts.load_fonts.__wrapped__() == ()
    assert "no bundled fonts" in caplog.text


def test_a_broken_font_is_said_and_survived(qapp, monkeypatch, caplog, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    monkeypatch.setattr(fonts, "resource_folder", lambda name: tmp_path)
    assert fonts.load_fonts.__wrapped__() == ()
    assert "broken.ttf could not be loaded" in caplog.text


def test_every_font_comes_with_its_licence():
    names = {path.name.partition("-")[0] for path in resource_folder("fonts").iterdir() if path.suffix == ".txt"}
    families = {path.stem.partition("-")[0] for path in resource_folder("fonts").iterdir() if path.suffix in (".otf", ".ttf")}
    assert {re.sub("Sans.*", "", family) for family in families} == names


# --- icons ----------------------------------------------------------------------------------------------------------

ICON_NAME = re.compile(r"(?:fa5|fa5s|fa5b|fa6|fa6s|fa6b|ei|mdi|mdi6|ph|ri|msc)\.[a-z0-9-]+")


def icon_names() -> dict[str, str]:
    """Every string in the package that is the name of an icon, and a module that has it."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        texts = (node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant))
        found |= {text: path.name for text in texts if isinstance(text, str) and ICON_NAME.fullmatch(text)}
    return found


def test_every_icon_exists(qapp):
    names = icon_names()
    assert names
    for name, module in names.items():
        assert not qtawesome.icon(name, color=colors.LIGHT.text).pixmap(16, 16).toImage().isNull(), f"{name} in {module}"


def test_an_icon_that_does_not_exist_is_noticed(qapp):
    with pytest.raises(Exception, match="Invalid icon name"):
        qtawesome.icon("fa6s.no-such-icon")


@pytest.mark.parametrize("side", [16, 32, 256])
def test_the_icon_of_the_program_is_a_network_with_one_node_highlighted(qapp, side):
    image = QIcon(str(resource_folder("icons") / "nnviz.svg")).pixmap(QSize(side, side)).toImage()
    hues = [image.pixelColor(x, y).hue() for x in range(side) for y in range(side) if image.pixelColor(x, y).value() > 200]
    orange, blue = sum(20 <= hue <= 35 for hue in hues), sum(210 <= hue <= 225 for hue in hues)
    assert orange > side * side / 40
    assert blue > side * side / 40


# --- theme ----------------------------------------------------------------------------------------------------------

each_theme = pytest.mark.parametrize("colours", colors.THEMES.values(), ids=colors.THEMES)


def luminance(name: str) -> float:
    """Source: WCAG 2.1, relative luminance."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(name).getRgbF()[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Source: WCAG 2.1, contrast ratio: 1 to 21."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@each_theme
def test_every_colour_is_one(colours):
    values = [value for name, value in dataclasses.asdict(colours).items() if name != "name"]
    flat = [part for value in values for part in ([value] if isinstance(value, str) else value)]
    assert [value for value in flat if not re.fullmatch("#[0-9A-F]{6}", value)] == []


@each_theme
@pytest.mark.parametrize(("ink", "ground"), [("text", "panel"), ("text", "background"), ("text", "field"), ("muted", "panel")])
def test_text_can_be_read(colours, ink, ground):
    """4.5:1 is asked of text (WCAG 2.1, 1.4.3)."""
    assert contrast(getattr(colours, ink), getattr(colours, ground)) >= 4.5


@each_theme
@pytest.mark.parametrize("name", ["positive", "negative", "forward", "loss", "backward", "clip", "update"])
def test_graphics_stand_out_from_the_panel(colours, name):
    """3:1 is asked of graphics (WCAG 2.1, 1.4.11)."""
    assert contrast(getattr(colours, name), colours.panel) >= 3.0
