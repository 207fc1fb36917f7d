"""What a recording shows is read back with the library that players use."""

import builtins

import av
import numpy as np
import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from nnviz.export.recording import HELD, MovingPicture
from nnviz.extras import MissingExtra

SIZE = QSize(161, 101)


def image(place: int, size: QSize = SIZE) -> QImage:
    made = QImage(size, QImage.Format.Format_RGB32)
    made.fill(QColor("#f7f8fa"))
    painter = QPainter(made)
    painter.fillRect(QRect(10 * place, 20, 40, 40), QColor("#0e9f8a"))
    painter.end()
    return made


def frames(path) -> list[tuple[float, np.ndarray]]:
    """Time in seconds and pixels of every image of a recording."""
    with av.open(path) as container:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_every_image_is_there_at_its_time_in_its_colours(kind, qapp, tmp_path):
    path = tmp_path / f"moves.{kind}"
    recording = MovingPicture(path, SIZE, 8)
    for place in range(9):
        recording.add(image(place))
        assert not path.exists()
    recording.finish()
    found = frames(path)
    assert len(found) == recording.images == 9
    step = 1 / 8
    assert [time for time, _ in found] == pytest.approx([step * place for place in range(9)], abs=0.006)
    for place, (_, pixels) in enumerate(found):
        assert pixels.shape == (recording.size.height(), recording.size.width(), 3)
        assert np.abs(pixels[40, 10 * place + 20].astype(int) - (0x0E, 0x9F, 0x8A)).max() <= 6
        assert np.abs(pixels[90, 5].astype(int) - (0xF7, 0xF8, 0xFA)).max() <= 3
    with av.open(path) as container:
        assert container.duration / 1e6 == pytest.approx(9 * step + HELD, abs=0.2)


def test_the_file_that_was_there_stays_until_the_new_one_is_whole(qapp, tmp_path):
    path = tmp_path / "moves.mp4"
    path.write_bytes(b"old")
    recording = MovingPicture(path, SIZE, 5)
    recording.add(image(0))
    recording.abandon()
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_images_of_another_size_are_cut_or_filled_up(qapp, tmp_path):
    recording = MovingPicture(tmp_path / "moves.gif", SIZE, 5)
    recording.add(image(0, QSize(60, 200)))
    recording.add(image(1))
    recording.finish()
    assert {pixels.shape for _, pixels in frames(tmp_path / "moves.gif")} == {(101, 161, 3)}


def test_what_is_no_recording_is_refused(tmp_path, monkeypatch):
    for name, size, speed, said in (
        ("a.avi", SIZE, 5, "mp4, gif"),
        ("a.mp4", QSize(1, 50), 5, "2 × 2"),
        ("a.gif", SIZE, 0, "more than 0"),
    ):
        with pytest.raises(ValueError, match=said):
            MovingPicture(tmp_path / name, size, speed)
    with pytest.raises(ValueError, match="no image"):
        MovingPicture(tmp_path / "a.gif", SIZE, 5).finish()
    plain = builtins.__import__

    def without(name, *others):
        if name == "av":
            raise ModuleNotFoundError("No module named 'av'", name="av")
        return plain(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r'pip install "nnviz\[video\]"'):
        MovingPicture(tmp_path / "a.mp4", SIZE, 5)
    assert not list(tmp_path.iterdir())
