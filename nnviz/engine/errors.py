"""The one error the engine raises for a document it cannot carry out, and how lack of memory is told from other errors."""

from __future__ import annotations

NO_MEMORY = "There is not enough memory for this. Take a smaller batch, or make the layers or the data smaller."


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory could not be had: Python says so by the kind of error, torch by the text of a RuntimeError."""
    text = str(error)
    return isinstance(error, MemoryError) or "alloc_cpu.cpp" in text or "not enough memory" in text or "can't allocate memory" in text


class BuildError(ValueError):
    """A document cannot be built or trained: `place` says where (as `network.layers[2].units`), `cure` what to do."""

    def __init__(self, place: str, message: str, cure: str = "") -> None:
        super().__init__(" ".join(filter(None, (message, cure))))
        self.place, self.message, self.cure = place, message, cure
