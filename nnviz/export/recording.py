"""Moving pictures: images, one after the other, become a GIF or an MP4. It paints nothing and opens no window."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from nnviz.document.store.files import replace_file
from nnviz.extras import extra

RECORDINGS = ("mp4", "gif")
"""The endings of recordings."""
HELD = 2.0
"""Seconds for which the last image stays before a player is at the end; a GIF then stays on it."""
_TICKS = 1000
"""Parts of a second that times are counted in."""


class MovingPicture:
    """Images of one size, each shown equally long. The file is there, whole, once `finish` is called; until then nothing is written."""

    def __init__(self, path: Path, size: QSize, per_second: float) -> None:
        """`size` in pixels: an MP4 takes even numbers, so the last row or column is left out of an odd one. `per_second`: images.

        Raises ValueError for another ending or a size or speed of nothing, MissingExtra without the library that writes recordings.
        """
        self._path, self._kind = path, path.suffix[1:].lower()
        if self._kind not in RECORDINGS:
            raise ValueError(f"{path.name}: a recording ends in one of {', '.join(RECORDINGS)}, not in {path.suffix or 'nothing'!r}")
        if size.width() < 2 or size.height() < 2 or not per_second > 0:
            raise ValueError("A recording is at least 2 × 2 pixels large, and shows more than 0 images a second.")
        with extra("video", "A recording"):
            import av
        self._av, self._buffer = av, io.BytesIO()
        options = {"loop": "-1", "final_delay": str(round(HELD * 100))} if self._kind == "gif" else {}
        self._container = av.open(self._buffer, "w", format=self._kind, container_options=options)
        self.size = size if self._kind == "gif" else QSize(size.width() // 2 * 2, size.height() // 2 * 2)
        self._every = round(_TICKS / per_second)
        self._stream = self._made_stream()
        self._graph = self._made_graph() if self._kind == "gif" else None
        self._last: object = None
        self.images = 0

    def _made_stream(self) -> object:
        mp4 = self._kind == "mp4"
        stream = self._container.add_stream("libx264" if mp4 else "gif", rate=Fraction(_TICKS, self._every))
        stream.width, stream.height = self.size.width(), self.size.height()
        stream.codec_context.time_base = Fraction(1, _TICKS if mp4 else 100)
        if mp4:
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": "14", "preset": "veryfast", "bf": "0"}
            stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = 1  # BT.709
        else:
            stream.pix_fmt = "pal8"
        return stream

    def _made_graph(self) -> object:
        """Each image of a GIF gets the 256 colours that suit it, so none has to be kept until the last one is known."""
        graph = self._av.filter.Graph()
        source = graph.add_buffer(width=self.size.width(), height=self.size.height(), format="rgb24", time_base=Fraction(1, 100))
        sink = graph.add("buffersink")
        split = graph.add("split")
        generate = graph.add("palettegen", "stats_mode=single")
        use = graph.add("paletteuse", "new=1:dither=none")
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(generate, 1, 0)
        generate.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        return graph

    def add(self, image: QImage) -> None:
        """Add an image, which is cut or filled up to the size of the recording."""
        frame = self._av.VideoFrame.from_ndarray(_pixels(image, self.size), format="rgb24")
        ticks = _TICKS if self._kind == "mp4" else 100
        frame.time_base, frame.pts = Fraction(1, ticks), self.images * self._every * ticks // _TICKS
        self.images += 1
        if self._graph is not None:
            self._graph.push(frame)
            frame = self._graph.pull()
        else:
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        for packet in self._stream.encode(frame):
            self._put(packet)

    def _put(self, packet: object) -> None:
        """Write the packet before: only with the last one it is known that it is the last."""
        if self._last is not None:
            self._container.mux(self._last)
        self._last = packet

    def finish(self) -> None:
        """Write the file in one step. Raises OSError, and ValueError where no image was added."""
        if not self.images:
            raise ValueError(f"{self._path.name}: there is no image to record")
        for packet in self._stream.encode(None):
            self._put(packet)
        if self._kind == "mp4":
            self._last.duration = round((HELD + self._every / _TICKS) / self._last.time_base)
        self._container.mux(self._last)
        self._container.close()
        replace_file(self._path, self._buffer.getvalue())

    def abandon(self) -> None:
        """Write nothing."""
        self._last = None
        self._buffer = io.BytesIO()


def _pixels(image: QImage, size: QSize) -> np.ndarray:
    """(height, width, 3) uint8"""
    image = image.copy(0, 0, size.width(), size.height()).convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()  # the image goes, and its pixels with it
