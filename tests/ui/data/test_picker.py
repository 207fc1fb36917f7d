"""The data picker in the real window: every choice one change that can be undone, by mouse and by keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QListView, QWidget

from nnviz.document import edits
from nnviz.document.catalog import DATASETS
from tests.ui.window import opened, wait

ROWS = "".join(f"a{i};{i},5;{'rot' if i % 2 else 'blau'};{'up' if i > 5 else 'down'}\n" for i in range(12))
TABLE = f"id;Länge;Farbe;Art\n{ROWS}b;;rot;up\n"


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.fixture
def picker(window, qtbot):
    window.action_table["data"].trigger()
    return window.features.data.picker


def data(window):
    return window.session.experiment.data


def at(plane, across: float, up: float) -> QPoint:
    return plane.position((across, up)).toPoint()


def test_every_tile_gets_a_picture_of_its_rows(window, picker, qtbot):
    wanted = set(DATASETS) - {"csv", "table"}
    wait(qtbot, lambda: set(picker.gallery.tiles.rows) == wanted)
    before = picker.gallery.tiles.rows["moons"]
    window.session.edit("Noise", lambda experiment: experiment)
    picker.form.editors["noise"].value_changed.emit(0.4)
    wait(qtbot, lambda: picker.gallery.tiles.rows["moons"] is not before)


def test_a_data_set_is_found_by_typing_and_chosen_by_enter(window, picker, qtbot):
    assert picker.gallery.field.hasFocus() or not picker.isActiveWindow()
    qtbot.keyClicks(picker.gallery.field, "flowers")
    assert picker.gallery.shown() == ("iris",)
    qtbot.keyClick(picker.gallery.field, Qt.Key.Key_Return)
    assert data(window).kind == "iris" and window.session.report.ok
    qtbot.keyClicks(picker.gallery.field, " no such thing")
    assert picker.gallery.shown() == ()
    qtbot.keyClick(picker.gallery.field, Qt.Key.Key_Return)
    assert data(window).kind == "iris"
    window.session.undo_order.undo()
    assert data(window).kind == "moons" and not window.session.document.history.can_undo


def test_arrows_walk_and_only_enter_chooses(window, picker, qtbot):
    qtbot.keyClick(picker.gallery.list, Qt.Key.Key_Right)
    assert data(window).kind == "moons"
    qtbot.keyClick(picker.gallery.list, Qt.Key.Key_Return)
    assert data(window).kind == "circles"


def test_a_slider_is_one_change_while_it_is_dragged(window, picker, qtbot):
    editor = picker.form.editors["noise"]
    slider = editor._slider
    slider.setSliderDown(True)
    for place in (30, 40, 50):
        slider.setValue(place)
    slider.setSliderDown(False)
    assert data(window)["noise"] == pytest.approx(0.5)
    slider.setValue(70)
    window.session.undo_order.undo()
    assert data(window)["noise"] == pytest.approx(0.5)
    window.session.undo_order.undo()
    assert not window.session.document.history.can_undo


def test_what_is_refused_goes_back(window, picker):
    picker.form.setting_requested.emit("samples", 1, "")
    assert data(window)["samples"] == picker.form.editors["samples"].value()
    picker.form.setting_requested.emit("seed", 5, "")
    assert window.session.experiment.seed == 5


def test_columns_are_shown_before_and_after_the_scaling(window, picker, qtbot):
    wait(qtbot, lambda: picker.spreads.isVisible())
    picker.gallery.kind_requested.emit("wine")
    wait(qtbot, lambda: "alcohol" in picker.spreads.accessibleDescription())
    assert "11.4" in picker.spreads.accessibleDescription()
    picker.gallery.kind_requested.emit("text")
    wait(qtbot, lambda: not picker.spreads.isVisible())


def test_images_enter_flat_or_with_their_axes(window, picker, qtbot):
    picker.gallery.kind_requested.emit("digits")
    assert [picker.form.shapes.itemText(place) for place in range(picker.form.shapes.count())] == ["64", "1 × 8 × 8"]
    picker.form.shape_requested.emit([1, 8, 8])
    assert window.session.experiment.network.layers[0]["shape"] == [1, 8, 8]


# --- files ---


def test_a_file_dropped_on_the_window_is_looked_at_and_used(window, qtbot, tmp_path):
    path = tmp_path / "Maße.csv"
    path.write_text(TABLE, encoding="utf-8")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    how = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(400, 300), *how))
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), *how))
    picker = window.features.data.picker
    page = picker.file
    wait(qtbot, lambda: bool(page.found.text()))
    assert "line 14: column 'Länge' is empty" in page.verdict.text() and not page.use.isEnabled() and data(window).kind == "moons"
    assert "1 value is missing in 1 row (lines 14; columns Länge)" in page.found.text()
    assert page.boxes["separator"].currentText() == "semicolon (found)" and page.boxes["decimal"].currentText() == "comma (found)"
    page.boxes["missing"].setCurrentIndex(page.boxes["missing"].findData("leave out"))
    page.boxes["missing"].activated.emit(page.boxes["missing"].currentIndex())
    wait(qtbot, lambda: page.use.isEnabled())
    page.cells.item(0, 0).setCheckState(Qt.CheckState.Unchecked)
    wait(qtbot, lambda: "of 3 numbers" in page.verdict.text())
    page.use.click()
    assert data(window).kind == "csv" and data(window)["task"] == "classes" and data(window)["without"] == ["id"]
    wait(qtbot, lambda: window.session.run.data is not None and window.session.run.data.class_names == ("down", "up"))
    assert window.session.run.data.feature_names == ("Länge", "Farbe = blau", "Farbe = rot")
    assert page.use.text() == "In use" and window.session.run.failure is None
    window.session.undo_order.undo()
    assert data(window).kind == "moons" and not window.session.document.history.can_undo


def test_once_it_is_used_every_choice_is_a_change_of_its_own(window, picker, qtbot, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{-i},{i / 2}\n" for i in range(30)))
    window.features.data.open_file(str(path))
    page = picker.file
    wait(qtbot, lambda: page.use.isEnabled())
    page.use.click()
    assert window.session.experiment.training.loss == "mse"
    page.target.setCurrentText("a")
    page.target.activated.emit(page.target.currentIndex())
    wait(qtbot, lambda: data(window)["target"] == "a")
    page.window.value_changed.emit(4)
    wait(qtbot, lambda: data(window)["window"] == 4)
    assert window.session.experiment.network.layers[0]["shape"] == [12]
    window.session.undo_order.undo()
    window.session.undo_order.undo()
    assert data(window)["target"] == "y" and data(window)["window"] is None and page.draft["window"] is None


def test_a_file_that_cannot_be_used_says_why(window, picker, qtbot, tmp_path):
    for number, content in enumerate([b"", b"\x00\x01", b"a,b\n1,2\n3\n", b'a,b\n"1,2\n', b"1," * 50_000]):
        path = tmp_path / f"rows{number}.csv"
        path.write_bytes(content)
        window.features.data.open_file(str(path))
        wait(qtbot, lambda: picker.file.progress.isHidden() and bool(picker.file.verdict.text()))
        assert f"rows{number}.csv" in picker.file.verdict.text()
        assert not picker.file.use.isEnabled() and data(window).kind == "moons"


# --- points ---


def test_points_are_clicked_dragged_and_erased_and_train_at_once(window, picker, qtbot):
    picker.gallery.kind_requested.emit("table")
    plane = picker.points.plane
    qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=at(plane, -1.0, 0.5))
    qtbot.keyClick(plane, Qt.Key.Key_1)
    qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=at(plane, 1.0, -0.5))
    table = data(window)
    assert table.kind == "table" and table["y"] == [0, 1] and table["x"][1] == pytest.approx([1.0, -0.5], abs=0.05)
    wait(
        qtbot,
        lambda: window.session.run.data is not None and window.session.run.data.x.shape == (2, 2) and window.session.run.failure is None,
    )
    qtbot.mousePress(plane, Qt.MouseButton.LeftButton, pos=at(plane, 1.0, -0.5))
    qtbot.mouseMove(plane, at(plane, 1.5, 0.5))
    qtbot.mouseMove(plane, at(plane, 2.0, 1.0))
    qtbot.mouseRelease(plane, Qt.MouseButton.LeftButton, pos=at(plane, 2.0, 1.0))
    assert data(window)["x"][1] == pytest.approx([2.0, 1.0], abs=0.05)
    window.session.undo_order.undo()
    assert data(window)["x"][1] == pytest.approx([1.0, -0.5], abs=0.05), "a drag is one change"
    qtbot.mouseClick(plane, Qt.MouseButton.RightButton, pos=at(plane, -1.0, 0.5))
    assert data(window)["y"] == [1]
    for _ in range(3):
        window.session.undo_order.undo()
    assert data(window).kind == "moons" and not window.session.document.history.can_undo


def test_points_by_keys_and_a_third_class_grows_the_network(window, picker, qtbot):
    picker.gallery.kind_requested.emit("table")
    plane = picker.points.plane
    for key in (Qt.Key.Key_Space, Qt.Key.Key_2, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Space):
        qtbot.keyClick(plane, key)
    assert data(window)["x"] == [[0.0, 0.0], [0.2, 0.0]] and data(window)["y"] == [0, 2]
    assert window.session.experiment.network.layers[-1]["units"] == 3 and window.session.report.ok
    qtbot.keyClick(plane, Qt.Key.Key_Delete)
    assert data(window)["y"] == [0]
    picker.points.clear.click()
    assert data(window)["x"] == [] and not window.session.report.ok
    qtbot.keyClick(plane, Qt.Key.Key_Space)
    assert window.session.report.ok


def test_the_present_rows_are_copied_as_points(window, picker, qtbot):
    picker.gallery.kind_requested.emit("table")
    picker.points.adopt.click()
    rows = window.session.run.data.x.shape[0]
    assert len(data(window)["x"]) == rows and set(data(window)["y"]) == {0, 1}
    assert f"{rows} of {rows} rows" in window.toast.text and "the run begins anew" in window.toast.text


def test_undo_and_redo_are_at_hand_in_the_picker(window, picker):
    assert {window.action_table["undo"], window.action_table["redo"]} <= set(picker.actions())


def test_everything_has_a_name(picker):
    focused = [widget for widget in picker.findChildren(QWidget) if widget.focusPolicy() & Qt.FocusPolicy.TabFocus]
    own = [widget for widget in focused if type(widget) is not QListView and not widget.objectName().startswith("qt_")]
    nameless = [type(widget).__name__ for widget in own if not widget.accessibleName()]
    assert not nameless


# --- what is in sight, and when ---


def write(path, text: str):
    path.write_text(text)
    return path


def read_out(picker, qtbot, path) -> None:
    picker.window().parent().features.data.open_file(str(path))
    wait(qtbot, lambda: picker.file.progress.isHidden() and bool(picker.file.verdict.text()))


def is_in_sight(picker, widget) -> bool:
    """Whether the whole widget is seen in the dialog without scrolling."""
    corners = (widget.rect().topLeft(), widget.rect().bottomRight())
    is_inside = all(picker.rect().contains(widget.mapTo(picker, corner)) for corner in corners)
    return widget.isVisible() and is_inside and widget.visibleRegion().boundingRect() == widget.rect()


@pytest.mark.parametrize("height", [620, 720])
def test_the_verdict_and_the_button_are_in_sight(window, picker, qtbot, tmp_path, height):
    picker.resize(1080, height)
    for name, content in (("wrong", "a,b,y\n1,2,3\n1,2,3,4\n"), ("right", "a,b,y\n1,2,3\n4,5,6\n")):
        read_out(picker, qtbot, write(tmp_path / f"{name}.csv", content))
        for widget in (picker.file.verdict, picker.file.use):
            assert is_in_sight(picker, widget), name


def test_nothing_of_the_file_before_is_left_when_another_path_is_typed(window, picker, qtbot, tmp_path):
    page = picker.file
    read_out(picker, qtbot, write(tmp_path / "one.csv", "name;size;y\nx;1,5;3\nx;2,5;4\n"))
    assert page.boxes["separator"].currentText() == "semicolon (found)" and page.use.isEnabled() and "the same value" in page.found.text()
    page.path.selectAll()
    qtbot.keyClicks(page.path, "x")
    assert not page.use.isEnabled() and not page.verdict.text() and not page.found.text()
    assert page.cells.columnCount() == 0 and page.target.count() == 0
    assert [page.boxes[name].currentText() for name in ("separator", "decimal", "header")] == ["auto"] * 3
    page.path.setText(str(write(tmp_path / "two.csv", "a,b,y\n1,2,3\n1,2\n")))
    qtbot.keyClick(page.path, Qt.Key.Key_Return)
    wait(qtbot, lambda: "line 3: 2 cells" in page.verdict.text())
    assert page.boxes["separator"].currentText() == "auto"


def test_the_same_path_is_read_again_by_enter(window, picker, qtbot, tmp_path):
    path = write(tmp_path / "rows.csv", "a,b,y\n1,2,3\n1,2\n")
    read_out(picker, qtbot, path)
    write(path, "a,b,y\n1,2,3\n4,5,6\n")
    qtbot.keyClick(picker.file.path, Qt.Key.Key_Return)
    wait(qtbot, lambda: picker.file.use.isEnabled())


def test_enter_in_the_path_opens_no_file_chooser(window, picker, qtbot, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("nnviz.ui.data._file_page.QFileDialog.getOpenFileName", lambda *_: asked.append("chooser") or ("", ""))
    picker.gallery.kind_requested.emit("csv")
    qtbot.keyClicks(picker.file.path, str(tmp_path / "nothing.csv"))
    qtbot.keyClick(picker.file.path, Qt.Key.Key_Return)
    wait(qtbot, lambda: "There is no file" in picker.file.verdict.text())
    assert asked == []


def test_a_large_file_shows_its_first_rows_and_can_be_stopped(window, picker, qtbot, tmp_path):
    path = write(tmp_path / "large.csv", "a,b,y\n" + "1.5,2.25,3\n1.5,2.25,4\n" * 1_500_000)
    page = picker.file
    window.features.data.open_file(str(path))
    assert page.progress.isVisible() and page.stop.isVisible() and "Reading large.csv" in page.verdict.text()
    wait(qtbot, lambda: page.cells.columnCount() == 3)
    assert not page.use.isEnabled() and page.progress.isVisible()
    page.stop.click()
    wait(qtbot, lambda: "stopped" in page.verdict.text())
    assert not page.progress.isVisible() and not page.use.isEnabled()


def test_a_target_that_can_be_learnt_is_suggested(window, picker, qtbot, tmp_path):
    rows = "".join(f"{i},{i % 3},2020-01-{i % 28 + 1:02d},1\n" for i in range(60))
    read_out(picker, qtbot, write(tmp_path / "rows.csv", f"a,kind,day,version\n{rows}"))
    page = picker.file
    assert page.target.currentText() == "kind" and "days or times" in page.found.text() and "same value in every row" in page.found.text()
    page.target.setCurrentText("version")
    page.target.activated.emit(page.target.currentIndex())
    wait(qtbot, lambda: page.progress.isHidden() and page.target.currentText() == "version")
    page.boxes["task"].setCurrentIndex(page.boxes["task"].findData("classes"))
    page.boxes["task"].activated.emit(page.boxes["task"].currentIndex())
    wait(qtbot, lambda: "nothing to tell apart" in page.verdict.text())


def test_each_data_set_begins_at_its_top(window, picker, qtbot):
    bar = picker._scroll.verticalScrollBar()
    picker.resize(1080, 420)
    picker.gallery.kind_requested.emit("wine")
    wait(qtbot, lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    picker.gallery.kind_requested.emit("table")
    assert bar.value() == 0


def test_the_search_begins_empty_and_is_typed_over(window, picker, qtbot):
    qtbot.keyClicks(picker.gallery.field, "wine")
    qtbot.keyClick(picker.gallery.field, Qt.Key.Key_Return)
    qtbot.keyClicks(picker.gallery.field, "iris")
    assert picker.gallery.shown() == ("iris",)
    window.action_table["data"].trigger()
    assert picker.gallery.field.text() == ""


def test_the_rows_shown_are_those_of_the_document_where_its_network_is_broken(window, picker, qtbot):
    layers = [layer.id for layer in window.session.experiment.network]
    for ids in (layers[-1:], layers):
        window.session.edit("Remove", edits.remove_layers, ids)
        assert not window.session.report.ok
        picker.gallery.kind_requested.emit("wine")
        wait(qtbot, lambda: "alcohol" in picker.spreads.accessibleDescription())
        assert "13 numbers" in picker.rows.accessibleDescription()
        window.session.undo_order.undo()
        window.session.undo_order.undo()
        wait(qtbot, lambda: "x₁" in picker.spreads.accessibleDescription())


def test_digits_choose_the_class_they_show_wherever_the_keyboard_is_in_the_page(window, picker, qtbot):
    picker.gallery.kind_requested.emit("table")
    for place, widget in enumerate((picker.points.plane, picker.points.swatches[5], picker.points.erase)):
        qtbot.keyClick(widget, Qt.Key(Qt.Key.Key_3 + place))
        assert picker.points.plane.chosen == 3 + place and picker.points.swatches[3 + place].isChecked()


def test_a_drag_in_the_plane_sprays_points_which_one_undo_takes_back(window, picker, qtbot):
    picker.gallery.kind_requested.emit("table")
    plane = picker.points.plane
    qtbot.mousePress(plane, Qt.MouseButton.LeftButton, pos=at(plane, -2.0, 0.0))
    for step in range(1, 21):
        qtbot.mouseMove(plane, at(plane, -2.0 + step / 5, 0.5))
    qtbot.mouseRelease(plane, Qt.MouseButton.LeftButton, pos=at(plane, 2.0, 0.5))
    count = len(data(window)["x"])
    assert count >= 8 and set(data(window)["y"]) == {0}
    qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=at(plane, 0.0, -1.5))
    assert len(data(window)["x"]) == count + 1
    window.session.undo_order.undo()
    assert len(data(window)["x"]) == count
    window.session.undo_order.undo()
    assert data(window).kind == "moons"


def test_the_corners_of_xor_leave_nothing_to_draw(window, picker, qtbot):
    picker.gallery.kind_requested.emit("xor")
    picker.form.setting_requested.emit("corners", True, "")
    wait(qtbot, lambda: window.session.run.data is not None and window.session.run.data.x.shape == (4, 2))
    assert [picker.form.editors[name].isEnabled() for name in ("samples", "noise", "validation", "seed")] == [False] * 3 + [True]
