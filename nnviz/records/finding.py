"""What the doctor says of a run: cause, evidence, place, and since when."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that keeps a net from learning, or will."""

    kind: str
    """Its name among the `FINDING_KINDS`."""
    place: str
    """A layer's id, or a path of the document as `training.optimizer.learning_rate`; "data" for its rows."""
    cause: str
    """One sentence: what is wrong, and where."""
    evidence: str
    """The number beside its bound, in words."""
    value: float | None = None
    """That number."""
    bound: float | None = None
    since: int = 0
    """The iteration from which on it was so; 0: from the start."""
    at: int = 0
    """The last iteration at which it was measured."""
    is_information: bool = False
    """Whether it is worth knowing rather than wrong."""
    node: int | None = None
    """In a trace by itself: the node that shows it."""

    @property
    def layer(self) -> str:
        """The id of the layer it is about; "" if it is about no single one."""
        return "" if "." in self.place or self.place == "data" else self.place
