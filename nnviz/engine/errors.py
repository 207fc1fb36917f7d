"""The one error the engine raises for a document it cannot carry out."""

from __future__ import annotations


class BuildError(ValueError):
    """A document cannot be built or trained: `place` says where (as `network.layers[2].units`), `cure` what to do."""

    def __init__(self, place: str, message: str, cure: str = "") -> None:
        super().__init__(" ".join(filter(None, (message, cure))))
        self.place, self.message, self.cure = place, message, cure
