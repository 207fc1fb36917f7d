"""A message stands below the bar, over the heads of panels."""

from PySide6.QtWidgets import QWidget

from nnviz.ui.widgets.toast import Toast


def test_a_message_is_below_the_bar_and_no_higher_than_the_heads_of_panels(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    bar = QWidget(window)
    bar.setGeometry(0, 0, 1280, 52)
    window.resize(1280, 800)
    window.show()
    toast = Toast(window, bar)
    toast.post("info", "Adam starts without what SGD remembered.")
    assert toast.y() > bar.height() and toast.geometry().bottom() <= 52 + 12 + 32
    window.resize(1180, 720)
    qtbot.wait(1)
    assert abs(toast.geometry().center().x() - 590) <= 1
