"""The document: one experiment is a network, its data, its training and where the layers stand on the canvas."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from nnviz.document.breakpoints import Breakpoint
from nnviz.document.catalog import layer_kind
from nnviz.document.network import Choice, Network
from nnviz.document.training import Training

FORMAT = "nnviz"
VERSION = 1


class Experiment(msgspec.Struct, frozen=True):
    """Everything needed to repeat a run exactly. Equal experiments give equal runs."""

    network: Network
    data: Choice
    training: Training
    title: str = "Untitled"
    seed: int = 0
    precision: str = "float32"
    weights: dict[str, list | float] = {}
    """Parameters set by hand, `layer id.tensor` -> nested lists, and running statistics; the others come from the initialiser."""
    canvas: dict[str, tuple[float, float]] = {}
    """Where layers stand, by id, in canvas units (pixels at 100 %); a layer without an entry is placed automatically."""
    breakpoints: tuple[Breakpoint, ...] = ()
    """Where stepping and training stop; no number of a run depends on them."""
    locks: dict[str, list | bool] = {}
    """Weights that training leaves as they are: for a parameter's name True, or the indices of its locked elements (see locks.py)."""
    description: str = ""
    """One sentence about what it shows."""
    doctor: dict[str, dict[str, Any]] = {}
    """What the doctor judges by, where it differs from the table of `FINDING_KINDS`; no number of a run depends on it."""

    def replaced(self, **changes: Any) -> Experiment:
        """Return the experiment with other parts; the very same one if they all are as before."""
        different = {name: value for name, value in changes.items() if getattr(self, name) != value}
        return replace(self, **different) if different else self

    @property
    def penalties(self) -> tuple[str, ...]:
        """Short names of the terms that are added to the error of the answers, as KL, L1, L2."""
        own = dict.fromkeys(penalty for layer in self.network if (penalty := layer_kind(layer.kind).penalty))
        return (*own, *("L1",) * (self.training.l1 > 0), *("L2",) * (self.training.l2 > 0))
