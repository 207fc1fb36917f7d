"""All randomness of the engine: independent streams derived from the experiment's seed."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import torch

BLOCK = 64
"""Seeds of so many iterations are drawn at once."""


def number(seed: int, *keys: int | str) -> int:
    """Return a 63-bit number that depends on the seed and the keys only."""
    words = [seed, *(_word(key) for key in keys)]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)


def stream(seed: int, *keys: int | str) -> torch.Generator:
    """Return a fresh generator for this purpose, independent of torch's own."""
    return torch.Generator().manual_seed(number(seed, *keys))


def start_iteration(seed: int, iteration: int) -> None:
    """Set torch's own generator for the iteration that follows `iteration` finished ones: its dropout masks depend on nothing else.

    The default generator is set directly: torch.manual_seed also visits every accelerator, which costs half an iteration of a small net.
    """
    torch.default_generator.manual_seed(_block(seed, iteration // BLOCK)[iteration % BLOCK])


@lru_cache(maxsize=4)
def _block(seed: int, block: int) -> list[int]:
    return (np.random.SeedSequence([seed, block]).generate_state(BLOCK, np.uint64) >> 1).tolist()


def _word(key: int | str) -> int:
    return key if isinstance(key, int) else int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
