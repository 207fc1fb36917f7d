"""Recording: the window is let stand at one place after the other, a picture is taken at each, and all become one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QGraphicsScene, QWidget

from nnviz.export import pictures
from nnviz.export.recording import MovingPicture
from nnviz.extras import MissingExtra
from nnviz.session.session import Session
from nnviz.session.stepping import Stepping
from nnviz.text import names
from nnviz.ui.theme.colors import BODY, GUTTER, THEMES, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.plot_picture import PlotStill, StillRows

_PLAIN, _LEAST_ZOOM = QSize(800, 500), 0.8
"""Larger pictures of plots have larger letters, smaller ones have smaller letters down to this share."""
_POLL_MS = 4
"""How often it is looked whether the window stands."""


class RecordableWindow(Protocol):
    """A window, as a recording sees it."""

    def pictured(self, what: str) -> object:
        """Return what a picture is made of: graph · network · plots · window, or the name of a panel."""

    def is_settled(self) -> bool:
        """Return whether all that is seen is of the place where the run and the cursor stand."""

    def set_animated(self, animated: bool) -> None:
        """Let moves be shown in motion, or at once."""

    def setUpdatesEnabled(self, enabled: bool) -> None:
        """Let what has changed be painted on the screen, or not."""


class RecordedSubject(Protocol):
    """What goes by while it is recorded: the steps of an iteration, and perhaps the iterations of a run."""

    stepping: Stepping

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def iteration(self) -> int:
        """Where it stands."""

    @property
    def obstacle(self) -> str:
        """Why it goes no further, as a sentence; empty if it does."""

    def pause(self) -> None:
        """Let nothing go by any more that was not asked for."""

    def go_to(self, iteration: int) -> None:
        """Have it stand at another iteration."""


class RecordedSession:
    """A session, whose steps and iterations can be recorded."""

    def __init__(self, session: Session) -> None:
        self.stepping, self._session = session.stepping, session

    @property
    def title(self) -> str:
        """What the document is called."""
        return self._session.document.title

    @property
    def iteration(self) -> int:
        """Where the run stands."""
        return self._session.run.iteration

    @property
    def obstacle(self) -> str:
        """Why no iteration can be made, as a sentence; empty if one can."""
        return self._session.training.obstacle

    def pause(self) -> None:
        """Train and play no further."""
        self._session.training.pause()
        self.stepping.stop()

    def go_to(self, iteration: int) -> None:
        """Have the run stand at another iteration."""
        self._session.training.go_to(iteration)


@dataclass(frozen=True)
class RecordingOrder:
    """What is recorded: which places, of what, and how."""

    path: Path
    what: str = "graph"
    """graph · network · plots · window, or the name of a panel."""
    along: str = "steps"
    """steps (of the iteration that is open) · iterations."""
    first: int = 0
    last: int = 0
    every: int = 1
    size: tuple[int, int] = (1280, 800)
    per_second: float = 4.0
    """Pictures."""
    theme: str = ""
    """light · dark; empty: that of the window."""

    @property
    def places(self) -> tuple[int, ...]:
        """Cursors or iterations, the last one always among them."""
        return tuple(sorted({*range(self.first, self.last, max(1, self.every)), self.last}))


class Recorder(QObject):
    """One recording at a time. Afterwards, run, cursor and theme are as they were before."""

    progressed = Signal(int, int)
    """How many pictures are taken, and how many there will be."""
    ended = Signal(str, str)
    """The file, empty where there is none; and a sentence: why not, or what is in it."""

    def __init__(self, subject: RecordedSubject, window: RecordableWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._subject, self._window = subject, window
        self._clock = QTimer(self, interval=_POLL_MS)
        self._clock.timeout.connect(self._look)
        self._order: RecordingOrder | None = None
        self._recording: MovingPicture | None = None
        self._left: list[int] = []
        self._bounds = QRectF()
        self._measured: list[int] = []
        """Places that are gone to first, to see how large a scene becomes."""
        self._before: tuple[int, int, str] = (0, 0, "")
        """Iteration, cursor and theme to come back to."""

    @property
    def is_going(self) -> bool:
        """Whether a recording is under way."""
        return self._order is not None

    def start(self, order: RecordingOrder) -> None:
        """Begin. What cannot be recorded is said by `ended`."""
        subject = self._subject
        try:
            self._recording = MovingPicture(order.path, QSize(*order.size), order.per_second)
        except (MissingExtra, ValueError) as error:
            self.ended.emit("", str(error))
            return
        subject.pause()
        self._order, self._left = order, list(order.places)
        self._before = subject.iteration, subject.stepping.cursor, current_theme().name
        self._bounds = QRectF()
        is_scene = not pictures.bounds_of(self._window.pictured(order.what)).isNull()
        self._measured = [order.last, order.first] if is_scene and order.along == "steps" else []
        self._window.set_animated(False)
        self._window.setUpdatesEnabled(not is_scene)  # it is painted for its picture alone, and nothing else is
        if order.theme:
            apply_theme(QApplication.instance(), THEMES[order.theme])
        self.progressed.emit(0, len(order.places))
        self._go()
        self._clock.start()

    def cancel(self) -> None:
        """Write nothing, and go back to where it began."""
        if self.is_going:
            self._recording.abandon()
            self._end("", "The recording was cancelled.")

    # --- place by place ---

    @property
    def _place(self) -> int:
        return (self._measured or self._left)[0]

    def _go(self) -> None:
        if self._order.along == "steps":
            self._subject.stepping.to(self._place)
        elif self._subject.iteration != self._place:
            self._subject.go_to(self._place)

    def _look(self) -> None:
        """Take the picture as soon as the window stands."""
        if not self._window.is_settled():
            if obstacle := self._subject.obstacle:
                self._recording.abandon()
                self._end("", obstacle)
            return
        if self._measured:
            self._bounds = self._bounds.united(pictures.bounds_of(self._window.pictured(self._order.what)))
            self._measured.pop(0)
            self._go()
            return
        here = self._subject.stepping.cursor if self._order.along == "steps" else self._subject.iteration
        if here == self._place:
            self._take()
        if here == self._left[0] and len(self._left) > 1:
            self._left.pop(0)
            self._go()
        else:  # it was the last, or there is no way to it
            self._finish()

    def _take(self) -> None:
        order = self._order
        target = _fitted(self._window.pictured(order.what), self._recording.size)
        image = pictures.image(target, self._recording.size, current_theme(), self._bounds)
        if isinstance(target, QGraphicsScene):
            self._write_caption(image)
        self._recording.add(image)
        self.progressed.emit(self._recording.images, len(order.places))

    def _write_caption(self, image: QImage) -> None:
        """Say in the corner which iteration and step it is: the graph and the network do not."""
        stepping, parts = self._subject.stepping, [self._subject.title]
        if self._order.what == "graph" or self._order.along == "steps":  # the one that goes by, as the graph calls it
            parts += [names.iteration(stepping.index.trace, ""), f"step {stepping.cursor} of {stepping.length}"]
        else:
            parts.append(f"iteration {self._subject.iteration:,}")
        painter = QPainter(image)
        painter.setFont(sans(BODY))
        painter.setPen(current_theme().color("muted"))
        painter.drawText(QRectF(image.rect()).adjusted(GUTTER, GUTTER, -GUTTER, -GUTTER), Qt.AlignmentFlag.AlignTop, " · ".join(parts))
        painter.end()

    def _finish(self) -> None:
        order, images = self._order, self._recording.images
        short = "" if images == len(order.places) else f" The run goes no further than iteration {self._subject.iteration:,}."
        try:
            self._recording.finish()
        except (OSError, ValueError) as error:
            self._end("", getattr(error, "strerror", None) or str(error))
        else:
            self._end(str(order.path), f"{images:,} pictures.{short}")

    def _end(self, path: str, told: str) -> None:
        self._clock.stop()
        iteration, cursor, theme = self._before
        self._order = self._recording = None
        self._window.set_animated(True)
        self._window.setUpdatesEnabled(True)
        apply_theme(QApplication.instance(), THEMES[theme])
        if self._subject.iteration != iteration:
            self._subject.go_to(iteration)
        else:
            self._subject.stepping.to(cursor)
        self.ended.emit(path, told)


def _fitted(target: object, size: QSize) -> object:
    """Plots laid out for pictures of this size, which then stay equally large; anything else as it is."""
    stills = [target] if isinstance(target, PlotStill) else target
    if not stills or isinstance(stills, QWidget | QGraphicsScene):
        return target
    zoom = max(_LEAST_ZOOM, min(size.width() / _PLAIN.width(), size.height() / _PLAIN.height()))
    return StillRows([still.plot for still in stills], *(size / zoom).toTuple())
