"""Makes the SVG that Qt writes look the same in every reader: texts become outlines, pens that do not scale become pens that do."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QPainterPath, QTransform

SVG = "http://www.w3.org/2000/svg"
_NON_SCALING = "vector-effect"
_PAIR = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?)[ ,](-?[\d.]+(?:e[-+]?\d+)?)")
_TEXT_ATTRIBUTES = ("x", "y", "font-family", "font-size", "font-weight", "font-style", "{http://www.w3.org/XML/1998/namespace}space")
_POINTS = {f"{{{SVG}}}path": "d", f"{{{SVG}}}polyline": "points", f"{{{SVG}}}polygon": "points"}


def made_portable(data: bytes, centimetres: float | None = None) -> bytes:
    """Return the SVG with outlined texts and scaling pens, as wide as wanted or as on the screen."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(data)
    _, _, width, height = root.get("viewBox", "0 0 0 0").split()
    tall = centimetres and centimetres * float(height) / float(width)
    root.set("width", f"{centimetres:g}cm" if centimetres else width)  # Qt writes millimetres, and readers disagree on their pixels
    root.set("height", f"{tall:.4g}cm" if tall else height)
    for group in list(root.iter(f"{{{SVG}}}g")):
        _outline_texts(group)
        _bake(group)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


# --- texts ------------------------------------------------------------------------------------------------------------


def _outline_texts(group: ElementTree.Element) -> None:
    for text in group.findall(f"{{{SVG}}}text"):
        outline = outlined(text)
        text.tag = f"{{{SVG}}}path"
        for name in _TEXT_ATTRIBUTES:
            text.attrib.pop(name, None)
        text.set("d", _commands(outline))
        text.text = None


def outlined(text: ElementTree.Element) -> QPainterPath:
    """Return the outline of a text element at its place."""
    font = QFont(text.get("font-family", "").strip("'\""))
    font.setPixelSize(max(1, round(float(text.get("font-size", "12").removesuffix("px")))))
    font.setWeight(QFont.Weight(_weight(text.get("font-weight", "400"))))
    font.setItalic(text.get("font-style") == "italic")
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    path = QPainterPath()
    path.addText(QPointF(float(text.get("x", "0")), float(text.get("y", "0"))), font, text.text or "")
    return path


def _weight(text: str) -> int:
    return {"normal": 400, "bold": 700}.get(text) or max(1, min(1000, int(float(text))))


def _commands(path: QPainterPath) -> str:
    """The path as SVG commands; Qt keeps a cubic piece as one "curve to" and two "data" elements."""
    types = QPainterPath.ElementType
    kinds = {types.MoveToElement: "M", types.LineToElement: "L", types.CurveToElement: "C"}
    parts = []
    for place in range(path.elementCount()):
        element = path.elementAt(place)
        parts.append(f"{kinds.get(element.type, ' ')}{element.x:.2f},{element.y:.2f}")
    return "".join(parts)


# --- pens -------------------------------------------------------------------------------------------------------------


def _bake(group: ElementTree.Element) -> None:
    """Put a group's transformation into the points of what is drawn with non-scaling pens, so that an ordinary pen draws the same."""
    if not any(_NON_SCALING in child.attrib for child in group):
        return
    matrix = group.attrib.pop("transform", "")
    transform = _transform(matrix)
    for child in group:
        if child.attrib.pop(_NON_SCALING, None) and child.tag in _POINTS:
            name = _POINTS[child.tag]
            child.set(name, _PAIR.sub(lambda pair: _mapped(transform, pair), child.get(name, "")))
        elif child.attrib.pop(_NON_SCALING, None) or matrix:
            child.set("transform", matrix)


def _transform(text: str) -> QTransform:
    numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e[-+]?\d+)?", text.removeprefix("matrix"))]
    return QTransform(*numbers) if len(numbers) == 6 else QTransform()


def _mapped(transform: QTransform, pair: re.Match[str]) -> str:
    x, y = transform.map(float(pair[1]), float(pair[2]))
    return f"{x:.3f},{y:.3f}"
