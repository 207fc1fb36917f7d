"""The second derivatives of the loss where a run stands: Hessian, eigenvalues, the stability of the optimizer, Newton's step."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nnviz.engine import seeds
from nnviz.engine.errors import BuildError
from nnviz.engine.observe import _stability
from nnviz.engine.observe._eigenvalues import Spectrum, lanczos
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.run_loss import RunLoss
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.tasks import Work
from nnviz.records.task_records import Curvature, CurvatureTask, HessianCheck, NewtonStep, Progress, Stability
from nnviz.records.tensors import WHOLE

LARGEST = 2000
"""Up to so many parameters the Hessian is made whole."""
WAIT = 0.005
"""Seconds in one piece of work while another thread solves for eigenvalues."""


def curvature(task: CurvatureTask, trainer: Trainer) -> Work:
    """Return the work that finds the curvature of the loss where the trainer stands. The trainer stays as it is.

    Raises BuildError, the work too, where there is none.
    """
    loss = RunLoss(private_copy(trainer), task.rows, task.mode)
    if not len(loss.free):
        raise BuildError("", "All weights are locked: there is no direction to go in.", "Unlock some.")
    return _curvature(loss)


class _Point(NamedTuple):
    """The loss and its derivatives where the run stands."""

    loss: RunLoss
    value: float
    parts: list[Tensor]
    """The gradients of the trained parameters, with their graph, so that they can be differentiated again; the parameters must not be moved
    meanwhile."""
    gradient: Tensor
    """(P,) The same joined."""

    def product(self, vector: Tensor) -> Tensor:
        """Return H·v in float64."""
        return self.loss.derivative(self.gradient, vector).double()


def _curvature(loss: RunLoss) -> Work:
    yield Progress(0, 1, "gradient")
    value = loss.at(loss.centre)
    parts = loss.gradients(with_graph=True)
    point = _Point(loss, value, parts, loss.joined(parts))
    gradient = point.gradient.detach().double()
    _check_finite(gradient)
    hessian, asymmetry, size = None, 0.0, len(gradient)
    if size <= LARGEST:
        hessian, asymmetry = yield from _hessian(point)
        _check_finite(hessian)
        spectrum = yield from _eigenvalues(hessian)
    else:
        spectrum = yield from lanczos(point.product, size, loss.centre.dtype, seeds.stream(0, "Lanczos"))
    stability = yield from _stability_of(point, hessian, spectrum)
    direction = torch.randn(size, generator=seeds.stream(0, "check"), dtype=torch.float64)
    direction /= direction.norm()
    product = point.product(direction)
    del point, parts  # from here on the parameters are moved
    yield Progress(size, size, "check by differences")
    check = _checked(loss, direction, product)
    yield Progress(size, size, "Newton's step")
    return Curvature(
        loss=value,
        gradient_norm=gradient.norm().item(),
        layout=loss.layout,
        check=check,
        asymmetry=asymmetry,
        hessian=array_of(hessian) if hessian is not None and hessian.numel() <= WHOLE else None,
        stability=stability,
        why_no_stability="" if stability else "The optimizer divides by what it remembers of the gradients, and has made no step yet.",
        newton=None if hessian is None else _newton(loss, value, gradient, spectrum),
        **_described(spectrum, size, loss.centre.dtype),
    )


def _check_finite(derivatives: Tensor) -> None:
    if not derivatives.isfinite().all():
        raise BuildError("", "The derivatives of the loss are not finite where the run stands.", "Go back to where they are.")


def _described(spectrum: Spectrum, size: int, dtype: torch.dtype) -> dict[str, Any]:
    values = spectrum.values
    is_flat = _is_flat(values, size, dtype)
    steep, ends = values[~is_flat].abs(), sorted({*range(min(2, len(values))), *range(max(0, len(values) - 2), len(values))})
    is_known = len(values) == size and len(steep) > 0
    return {
        "eigenvalues": array_of(values),
        "vectors": array_of(spectrum.vectors[:, ends].T.contiguous()),
        "steps": spectrum.steps,
        "largest": values[-1].item(),
        "smallest": values[0].item(),
        "negative": int((values[~is_flat] < 0).sum()),
        "flat": int(is_flat.sum()),
        "condition": (steep.max() / steep.min()).item() if is_known else None,
    }


def _is_flat(values: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """Which eigenvalues are 0 within the rounding of a matrix of this size."""
    return values.abs() <= values.abs().max() * torch.finfo(dtype).eps * size


# --- the Hessian and its eigenvalues ---


def _hessian(point: _Point) -> Generator:
    """H, (P, P) in float64, and by how much it is not symmetric.

    Of a row only the columns of its own parameter and of those behind it are worked out, by double backward: most weights stand near the
    output, and what lies before them in the net is not gone through. The other columns are those of the transposed matrix.
    """
    size, start, asymmetry, free = len(point.gradient), 0, 0.0, point.loss.free_parts
    hessian = torch.zeros(size, size, dtype=torch.float64)
    for number, (gradient, own) in enumerate(zip(point.parts, free, strict=True)):
        flat, behind, end = gradient.ravel(), point.loss.trained[number:], start + len(own)
        for row, element in enumerate(own.tolist(), start):
            hessian[row, start:] = _row(flat[element], behind, free[number:])
            yield Progress(row + 1, size, "rows of the Hessian")
        block = hessian[start:end, start:end]
        asymmetry = max(asymmetry, (block - block.T).abs().amax().item() if len(own) else 0.0)
        hessian[start:end, start:end] = (block + block.T) / 2
        hessian[end:, start:end] = hessian[start:end, end:].T
        start = end
    largest = hessian.abs().max().clamp(min=1e-300).item()
    return hessian, max(asymmetry / largest, _beside_product(point, hessian))


def _row(derivative: Tensor, parameters: list[Tensor], free: list[Tensor]) -> Tensor:
    """The second derivatives by the free elements of these parameters; zeros where the first one depends on none."""
    if not derivative.requires_grad:
        return torch.zeros(sum(map(len, free)))
    found = torch.autograd.grad(derivative, parameters, retain_graph=True, materialize_grads=True)
    return torch.cat([part.ravel()[own] for part, own in zip(found, free, strict=True)])


def _beside_product(point: _Point, hessian: Tensor) -> float:
    """How far the matrix is from the one whose product with a vector of −1 and 1 a whole double backward gives, relative to its rows."""
    signs = torch.randint(2, (len(hessian),), generator=seeds.stream(0, "symmetry")).double() * 2 - 1
    away = (hessian @ signs - point.product(signs)).abs().max()
    return (away / hessian.abs().sum(1).max().clamp(min=1e-300)).item()


def _eigenvalues(matrix: Tensor) -> Generator:
    """All of them; a thread solves for them, which takes seconds where there are thousands."""
    values, vectors = yield from _beside(lambda: torch.linalg.eigh(matrix))
    return Spectrum(values, vectors)


def _beside(call: Callable[[], Any]) -> Generator:
    """What the call returns; it is made in a thread, which torch lets run while it computes. If nobody waits any more it ends by itself."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    while True:
        try:
            return future.result(WAIT)
        except NotYet:
            yield Progress(0, 1, "eigenvalues")


# --- the check by differences ---


def _checked(loss: RunLoss, direction: Tensor, product: Tensor) -> HessianCheck:
    """Compare H·v with the central difference of gradients over ∛ε times the scale of the parameters, which balances the error of the
    difference, O(h²), with that of rounding, O(ε/h)."""
    scale = max(1.0, loss.centre.double().norm().item())
    step = torch.finfo(loss.centre.dtype).eps ** (1 / 3) * scale
    gradients, sides = [], []
    for sign in (1, -1):
        loss.move_to(loss.moved(sign * step * direction))
        gradients.append(loss.gradient().double())
        sides.append(_sides(loss))
    difference = (gradients[0] - gradients[1]) / (2 * step)
    error = (difference - product).abs().max() / product.abs().max().clamp(min=1e-300)
    kinks = sum(int((one != other).sum()) for one, other in zip(*sides, strict=True))
    return HessianCheck(step, error.item(), kinks)


_ATEN = torch.ops.aten
_KINKED: dict[Any, Callable[..., Tensor]] = {
    _ATEN.relu: lambda output, x: x > 0,
    _ATEN.leaky_relu: lambda output, x, *rest: x > 0,
    _ATEN.elu: lambda output, x, *rest: x > 0,
    _ATEN.abs: lambda output, x: x > 0,
    _ATEN.huber_loss: lambda output, x, y, reduction=1, delta=1.0: (x - y).abs() > delta,
    _ATEN.max_pool2d_with_indices: lambda output, x, *rest: output[1],
    _ATEN.max_pool3d_with_indices: lambda output, x, *rest: output[1],
}
"""Calls whose second derivative jumps: on which side of the jump every element lies."""


class _Sides(TorchDispatchMode):
    """Keeps of every call inside on which side of its kink each element lies."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tensor] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Whether torch's compiler is to be kept out; it would be loaded for that, and takes a second."""
        return False

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        output = function(*args, **(kwargs or {}))
        side = _KINKED.get(function.overloadpacket)
        if side:
            self.found.append(side(output, *args, **(kwargs or {})))
        return output


def _sides(loss: RunLoss) -> list[Tensor]:
    """With autograd: without it a pool in one dimension does not say which element is the largest."""
    with _Sides() as sides:
        loss.loss()
    return sides.found


# --- what follows from it ---


def _stability_of(point: _Point, hessian: Tensor | None, spectrum: Spectrum) -> Generator:
    """The stability of the present optimizer; None where it has not begun to divide."""
    trainer = point.loss.trainer
    trainer.prepare()
    choice, scales = trainer.experiment.training.optimizer, _stability.rate_scales(trainer)
    if scales is None:
        return None
    roots, decay, sign = scales[point.loss.free].sqrt(), _stability.decay_within(choice), -1 if choice.settings.get("maximize") else 1
    is_plain = bool((roots == 1).all()) and sign == 1
    if is_plain:
        largest = spectrum.values[-1].item() + decay
    elif hessian is not None:
        matrix = roots.unsqueeze(1) * (sign * hessian + decay * torch.eye(len(hessian), dtype=torch.float64)) * roots
        largest = (yield from _eigenvalues(matrix)).values[-1].item()
    else:

        def product(vector: Tensor) -> Tensor:
            scaled = roots * vector
            return roots * (sign * point.product(scaled) + decay * scaled)

        found = yield from lanczos(product, len(roots), point.gradient.dtype, seeds.stream(0, "Lanczos"))
        largest = found.values[-1].item()
    sharpness, most = largest + _stability.decay_beside(choice), _stability.limit(choice)
    return Stability(choice.kind, sharpness, most, trainer.learning_rate, most / sharpness if sharpness > 0 else None)


def _newton(loss: RunLoss, value: float, gradient: Tensor, spectrum: Spectrum) -> NewtonStep:
    """Along every eigenvector −(v·g)/λ; nothing where λ is 0 within rounding."""
    values, vectors = spectrum.values, spectrum.vectors
    is_flat, size = _is_flat(values, len(gradient), loss.centre.dtype), len(gradient)
    along = vectors.T @ gradient
    shares = torch.where(is_flat, 0.0, -along / torch.where(is_flat, 1.0, values))
    downhill = -loss.trainer.learning_rate * along

    def predicted(steps: Tensor) -> float:
        return value + (along @ steps + (values * steps * steps).sum() / 2).item()

    return NewtonStep(
        numbers=size**2,
        operations=size**3,
        negative=int((values[~is_flat] < 0).sum()),
        flat=int(is_flat.sum()),
        slope=(along @ shares).item(),
        norm=shares.norm().item(),
        loss=loss.at(loss.moved(vectors @ shares)),
        predicted=predicted(shares),
        gradient_norm=downhill.norm().item(),
        gradient_loss=loss.at(loss.moved(vectors @ downhill)),
        gradient_predicted=predicted(downhill),
    )
