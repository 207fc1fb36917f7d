"""Pictures of scenes and widgets: right size, well-formed, the same in every reader, clear errors."""

import os
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QByteArray, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QFrame, QGraphicsScene, QLabel, QScrollArea, QVBoxLayout, QWidget

from nnviz.document.store import files
from nnviz.export import pictures
from nnviz.export._outlined_page import OutlinedPage
from nnviz.export._svg import SVG
from nnviz.ui.graph._graph_view import GraphView
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from tests.ui import traces


@pytest.fixture
def view(qtbot):
    view = GraphView()
    qtbot.addWidget(view)
    view.set_animated(False)
    view.resize(900, 320)
    trace = traces.dropout_net()
    view.set_trace_state(traces.state(trace, traces.place(trace, "backward", "relu")))
    return view


def _rendered(data, size):
    renderer = QSvgRenderer(QByteArray(data))
    assert renderer.isValid() and renderer.defaultSize() == size
    image = QImage(size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def _difference(a, b):
    """Mean difference of two pictures of one size, 0 to 255."""
    total = 0
    for x in range(0, a.width(), 3):
        for y in range(0, a.height(), 3):
            first, second = a.pixelColor(x, y), b.pixelColor(x, y)
            total += abs(first.red() - second.red()) + abs(first.green() - second.green()) + abs(first.blue() - second.blue())
    return total / 3 / (len(range(0, a.width(), 3)) * len(range(0, a.height(), 3)))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_svg_shows_what_the_screen_shows(view, theme):
    apply_theme(QApplication.instance(), theme)
    scene = view.scene()
    size = pictures.size_of(scene)
    svg = _rendered(pictures.svg(scene, theme), size)
    png = QImage.fromData(pictures.png(scene, theme)).scaled(size, mode=Qt.TransformationMode.SmoothTransformation)
    assert svg.pixelColor(1, 1) == theme.color("panel")
    assert _difference(svg, png) < 2.0


def test_svg_has_outlines_instead_of_texts_and_pens_that_scale(view):
    root = ElementTree.fromstring(pictures.svg(view.scene(), LIGHT))
    assert root.tag == f"{{{SVG}}}svg"
    assert not list(root.iter(f"{{{SVG}}}text"))
    assert not any("vector-effect" in element.attrib for element in root.iter())
    assert (root.get("width"), root.get("height")) == tuple(root.get("viewBox").split()[2:])


def test_cosmetic_pens_come_out_as_wide_as_on_the_screen(qapp):
    scene = QGraphicsScene()
    pen = QPen(QColor("#ff0000"), 4)
    pen.setCosmetic(True)
    group = scene.createItemGroup([scene.addLine(0, 0, 1, 1, pen)])
    group.setScale(100)
    scene.addRect(0, 0, 100, 100, QPen(Qt.PenStyle.NoPen))
    image = _rendered(pictures.svg(scene, LIGHT), pictures.size_of(scene))
    red = sum(
        image.pixelColor(image.width() // 2, y).red() > 250 > 100 > image.pixelColor(image.width() // 2, y).green()
        for y in range(image.height())
    )
    assert 4 <= red <= 8  # 4 pixels wide at 45 degrees


def test_png_is_twice_the_size(view):
    image = QImage.fromData(pictures.png(view.scene(), LIGHT))
    assert image.size() == pictures.size_of(view.scene()) * 2


def test_pdf_is_one_page_of_the_right_size(view):
    data = pictures.pdf(view.scene(), LIGHT)
    size = pictures.size_of(view.scene())
    assert data.startswith(b"%PDF") and data.count(b"/Type /Page\n") == 1
    box = data.split(b"/MediaBox [")[1].split(b"]")[0].split()
    assert [float(number) for number in box[2:]] == pytest.approx([size.width() * 0.75, size.height() * 0.75], abs=1)


@pytest.mark.parametrize("suffix", [".svg", ".PNG", ".pdf"])
def test_save_goes_by_the_suffix(view, tmp_path, suffix):
    path = tmp_path / f"graph é{suffix}"
    pictures.save(view.scene(), path, LIGHT)
    assert path.read_bytes()[:4] in (b"<?xm", b"\x89PNG", b"%PDF")


def test_widgets_can_be_pictures_too(view, qtbot):
    for widget in (view, QLabel("text & <more>")):
        qtbot.addWidget(widget)
        widget.resize(300, 200)
        _rendered(pictures.svg(widget, LIGHT), QSize(300, 200))


def test_what_is_scrolled_away_is_not_in_the_picture(qtbot):
    """A scroll area over a label: what lies below its edge must not be painted over what stands there."""
    window = QWidget()
    qtbot.addWidget(window)
    content = QWidget()
    content.setFixedSize(200, 400)
    content.setStyleSheet("background: #ff0000")
    area = QScrollArea(window, frameShape=QFrame.Shape.NoFrame)
    area.setWidget(content)
    area.setGeometry(0, 0, 200, 100)
    window.resize(200, 300)
    window.show()
    picture = _rendered(pictures.svg(window, LIGHT), QSize(200, 300))
    assert picture.pixelColor(100, 50) == QColor("#ff0000") and picture.pixelColor(100, 200) != QColor("#ff0000")
    assert content.isVisible() and area.viewport().isVisible()


def _replayed(widget):
    """What a PDF shows of a widget, painted into an image instead."""
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    image.fill(QColor("#ffffff"))
    painter = QPainter(image)
    page = OutlinedPage(painter, widget.size(), 96)
    outer = QPainter(page)
    widget.render(outer, QPoint())
    outer.end()
    painter.end()
    return image


def test_a_pdf_names_no_font_and_looks_as_on_the_screen(view, qtbot):
    label = QLabel("fi Ω text & <more>")
    qtbot.addWidget(label)
    label.setStyleSheet("background: #ffffff; color: #000000; font-size: 20px")
    label.resize(200, 60)
    for target in (view.scene(), label):
        assert b"/BaseFont" not in (data := pictures.pdf(target, LIGHT)) and b"/FontDescriptor" not in data
    page, screen = _replayed(label), label.grab().toImage()
    blank = QImage(label.size(), QImage.Format.Format_RGB32)
    blank.fill(QColor("#ffffff"))
    assert _difference(page, screen) < _difference(blank, screen) / 3


def test_what_is_scrolled_away_is_cut_off_on_a_page_without_becoming_pixels(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    content = QLabel("below")
    content.setFixedSize(200, 400)
    content.setStyleSheet("background: #ff0000")
    area = QScrollArea(window, frameShape=QFrame.Shape.NoFrame)
    area.setWidget(content)
    area.setGeometry(0, 0, 200, 100)
    window.resize(200, 300)
    window.show()
    picture = _replayed(window)
    assert picture.pixelColor(10, 50) == QColor("#ff0000") and picture.pixelColor(10, 102) != QColor("#ff0000")
    assert b"/Subtype /Image" not in pictures.pdf(window, LIGHT)


def test_a_panel_is_as_high_in_a_file_as_what_is_scrolled_in_it(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    area = QScrollArea(window, frameShape=QFrame.Shape.NoFrame)
    content = QWidget()
    content.setFixedSize(180, 400)
    area.setWidget(content)
    window.resize(300, 300)
    window.show()
    for height, wanted in ((100, 400), (500, 400)):
        panel = QWidget(window)
        area.setParent(panel)
        QVBoxLayout(panel).addWidget(area)
        panel.layout().setContentsMargins(0, 0, 0, 0)
        panel.resize(200, height)
        panel.show()
        QApplication.processEvents()
        box = pictures_height(panel)
        assert box == pytest.approx(wanted, abs=2) and panel.height() == height
        area.setParent(window)


def pictures_height(panel):
    """Of a saved picture, in pixels of the screen."""
    with tempfile.TemporaryDirectory() as folder:
        pictures.save(panel, Path(folder) / "panel.png", LIGHT)
        return QImage(str(Path(folder) / "panel.png")).height() / pictures.SCALE


def test_other_suffixes_are_refused_with_what_is_possible(view, tmp_path):
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.pdf"):
        pictures.save(view.scene(), tmp_path / "graph.bmp", LIGHT)
    with pytest.raises(ValueError, match="nothing"):
        pictures.save(view.scene(), tmp_path / "graph", LIGHT)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_scene_is_refused(qapp, tmp_path):
    with pytest.raises(ValueError, match="nothing to draw"):
        pictures.save(QGraphicsScene(), tmp_path / "graph.svg", LIGHT)


def test_a_folder_that_cannot_be_written_raises(view, tmp_path):
    with pytest.raises(OSError):
        pictures.save(view.scene(), tmp_path / "missing" / "graph.svg", LIGHT)


def test_painting_changes_neither_scene_nor_widget(view):
    items = view.scene().items()
    rect, zoom = QRectF(view.sceneRect()), view.transform()
    pictures.svg(view.scene(), LIGHT)
    assert view.scene().items() == items and view.sceneRect() == rect and view.transform() == zoom
    assert isinstance(view, QWidget)


@pytest.mark.parametrize("suffix", ("svg", "png", "pdf"))
def test_a_picture_that_was_there_stays_until_the_new_one_is_whole(view, tmp_path, monkeypatch, suffix):
    path = tmp_path / f"picture.{suffix}"
    pictures.save(view.scene(), path, LIGHT)
    before = path.read_bytes()
    opened = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(files.tempfile, "mkstemp", lambda **arguments: (opened, str(tmp_path / "gone")))
    with pytest.raises(OSError, match="No space left"):
        pictures.save(view.scene(), path, DARK)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("width", [8.0, 17.5])
def test_a_figure_is_as_wide_as_the_page_needs_it(view, width):
    scene = view.scene()
    size = pictures.size_of(scene)
    root = ElementTree.fromstring(pictures.svg(scene, LIGHT, width))
    assert root.get("width") == f"{width:g}cm"
    assert float(root.get("height").removesuffix("cm")) == pytest.approx(width * size.height() / size.width(), rel=1e-3)
    image = QImage.fromData(pictures.png(scene, LIGHT, width))
    assert image.width() == round(width / 2.54 * 300) and image.dotsPerMeterX() == round(300 / 0.0254)
    box = pictures.pdf(scene, LIGHT, width).split(b"/MediaBox [")[1].split(b"]")[0].split()
    assert float(box[2]) == pytest.approx(width / 2.54 * 72, abs=1)


def test_all_of_a_figure_is_inside_it(view):
    """The same picture at every width: nothing is cut, nothing stays empty."""
    scene = view.scene()
    size = pictures.size_of(scene)
    screen = QImage.fromData(pictures.png(scene, LIGHT)).scaled(size, mode=Qt.TransformationMode.SmoothTransformation)
    page = QImage.fromData(pictures.png(scene, LIGHT, 30.0)).scaled(size, mode=Qt.TransformationMode.SmoothTransformation)
    assert _difference(screen, page) < 2.0
