"""Gradients on their way: the dots that run back along edges in a backward step, and the one animation that moves them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEasingCurve, QObject, QVariantAnimation
from PySide6.QtWidgets import QGraphicsScene

from nnviz.ui.graph.graph_items import DotItem, EdgeItem

DURATION = 240
"""Milliseconds a gradient takes along an edge."""
REST = 0.5
"""Where on its edge, from source (0) to target (1), a dot comes to rest."""


class Travel(QObject):
    """The dots of a scene. They leave the operation whose step it is and come to rest halfway to its inputs."""

    def __init__(self, scene: QGraphicsScene) -> None:
        super().__init__(scene)
        self.dots: list[tuple[DotItem, EdgeItem]] = []
        self._scene = scene
        self._animated = True
        self._animation = QVariantAnimation(self, startValue=1.0, endValue=REST, duration=DURATION, easingCurve=QEasingCurve.Type.OutCubic)
        self._animation.valueChanged.connect(self._place)

    @property
    def is_moving(self) -> bool:
        """Whether a dot is under way."""
        return self._animation.state() == QVariantAnimation.State.Running

    def set_animated(self, animated: bool) -> None:
        """Let dots travel, or put them in place at once."""
        self._animated = animated
        self._animation.stop()
        self._place(REST)

    def send(self, edges: Sequence[EdgeItem], moving: bool) -> None:
        """Put a dot on each of these edges and on no other; `moving` lets them travel there."""
        self.clear()
        self.dots = [(DotItem(), edge) for edge in edges]
        for dot, _ in self.dots:
            self._scene.addItem(dot)
        moving = moving and self._animated and bool(edges)
        self._place(1.0 if moving else REST)
        if moving:
            self._animation.start()

    def clear(self) -> None:
        """Take all dots away."""
        self._animation.stop()
        for dot, _ in self.dots:
            self._scene.removeItem(dot)
        self.dots = []

    def _place(self, share: float) -> None:
        for dot, edge in self.dots:
            dot.setPos(edge.point(share))
