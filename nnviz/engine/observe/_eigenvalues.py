"""Eigenvalues of a symmetric matrix of which only products with vectors are known."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.records.task_records import Progress

MOST_STEPS = 300
MEMORY = 256_000_000
"""Bytes the vectors of all steps may take."""
ENOUGH = 1e-10
"""An eigenvalue is exact enough when its residual is no larger than this share of the largest one, in float64; in float32 √ε of it."""
ENDS = 2
"""So many eigenvalues at each end have to be exact before it stops."""


class Spectrum(NamedTuple):
    """Eigenvalues, increasing, and their vectors as columns, (P, k)."""

    values: Tensor
    vectors: Tensor
    steps: int = 0


def lanczos(product: Callable[[Tensor], Tensor], size: int, dtype: torch.dtype, generator: torch.Generator) -> Generator:
    """Yield progress; return the Spectrum of those eigenvalues that have converged, at both ends of the spectrum first.

    `product` takes and gives vectors (size,) of float64 that were worked out in `dtype`. Every new vector is made orthogonal to all before
    it, twice: without that, copies of eigenvalues appear that are none. Source: Golub & Van Loan, Matrix computations, section 10.3;
    Parlett, The symmetric eigenvalue problem.
    """
    most = min(size, MOST_STEPS, max(20, MEMORY // (8 * size)))
    basis = torch.empty(most, size, dtype=torch.float64)
    tolerance = max(ENOUGH, torch.finfo(dtype).eps ** 0.5 if dtype != torch.float64 else 0.0)
    diagonal, beside = [], []
    vector = torch.randn(size, generator=generator, dtype=torch.float64)
    for step in range(most):
        basis[step] = vector / vector.norm()
        image = product(basis[step])
        diagonal.append((basis[step] @ image).item())
        rest = _orthogonal(image, basis[: step + 1])
        beside.append(rest.norm().item())
        largest = max(map(abs, diagonal + beside), default=0.0)
        is_whole = step + 1 == most or beside[-1] <= 1e-13 * largest
        if is_whole or (step % 10 == 9 and _ends_are_exact(diagonal, beside, tolerance)):
            break
        vector = rest
        yield Progress(step + 1, most, "Lanczos steps")
    return _spectrum(diagonal, beside, basis, tolerance)


def _orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    for _ in range(2):
        vector = vector - (basis @ vector) @ basis
    return vector


def _solved(diagonal: list[float], beside: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues and vectors of the tridiagonal matrix, and the residuals of what they are approximations of."""
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if len(diagonal) > 1:
        off = torch.tensor(beside[:-1], dtype=torch.float64)
        matrix += torch.diag(off, 1) + torch.diag(off, -1)
    values, vectors = torch.linalg.eigh(matrix)
    return values, vectors, (beside[-1] * vectors[-1]).abs()


def _ends_are_exact(diagonal: list[float], beside: list[float], tolerance: float) -> bool:
    values, _, residuals = _solved(diagonal, beside)
    wanted = torch.cat([residuals[:ENDS], residuals[-ENDS:]])
    return bool((wanted <= tolerance * values.abs().max()).all())


def _spectrum(diagonal: list[float], beside: list[float], basis: Tensor, tolerance: float) -> Spectrum:
    values, vectors, residuals = _solved(diagonal, beside)
    exact = residuals <= tolerance * values.abs().max().clamp(min=1e-300)
    exact[0] = exact[-1] = True  # the ends are told in any case
    return Spectrum(values[exact], basis[: len(values)].T @ vectors[:, exact], len(diagonal))
