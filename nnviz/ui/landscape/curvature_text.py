"""What the curvature of the loss says, in words and figures: eigenvalues, stability, Newton's step, how far it can be trusted. Pure."""

from __future__ import annotations

from typing import NamedTuple

from nnviz.document.catalog import OPTIMIZERS
from nnviz.records.task_records import Curvature, GradientNoise, NewtonStep, Stability
from nnviz.text.numbers import number, short

WHOLE_UP_TO = 2000
"""Up to so many weights the engine makes the Hessian whole."""


class Fact(NamedTuple):
    """One line: what, how much, and a remark; `tone` is the colour of the figure."""

    name: str
    value: str
    remark: str = ""
    tone: str = "text"


class Section(NamedTuple):
    """Facts under a head."""

    head: str
    facts: tuple[Fact, ...]


def cost(weights: int) -> str:
    """Return what finding the curvature of so many weights takes, before it is asked for."""
    if weights <= WHOLE_UP_TO:
        return f"{weights:,} weights: a Hessian of P² = {weights**2:,} numbers, P³ = {weights**3:,} operations"
    return f"{weights:,} weights: P² = {short(weights**2)} numbers are too many; both ends of the spectrum by Lanczos steps"


def sections(found: Curvature) -> tuple[Section, ...]:
    """Return all there is to say of it."""
    made = [Section("Stability", _stability(found)), Section("Eigenvalues of the Hessian", _eigenvalues(found))]
    if found.newton:
        made.append(Section("One step from here", _steps(found.loss, found.newton)))
    return (*made, Section("Check", _check(found)))


def noise_section(found: GradientNoise) -> Section:
    """Return what is to say of the gradient noise."""
    if found.scale is None:
        return Section("Gradient noise", (Fact("noise scale", "–", "gradient lost in the noise"),))
    beside = "noise prevails" if found.batch_size < found.scale else "the gradient prevails"
    rows = Fact("noise scale", f"{number(found.scale)} rows", f"tr Σ / ‖g‖² = {short(found.trace)} / {short(found.square)}")
    return Section("Gradient noise", (rows, Fact("batch", f"{found.batch_size:,} rows", beside)))


def _eigenvalues(found: Curvature) -> tuple[Fact, ...]:
    known = found.eigenvalues.shape[0]
    total = sum(count for _, count in found.layout)
    extent = f"all {total:,}" if known == total else f"{known:,} of {total:,}, at both ends, by {found.steps} Lanczos steps"
    signs = ", ".join(
        filter(None, (f"{found.negative:,} negative" if found.negative else "", f"{found.flat:,} flat" if found.flat else ""))
    )
    return (
        Fact("largest λ", number(found.largest), extent),
        Fact("smallest λ", number(found.smallest), signs or "none negative"),
        Fact("condition", "–" if found.condition is None else short(found.condition), _condition_remark(found)),
    )


def _condition_remark(found: Curvature) -> str:
    return "needs all eigenvalues" if found.condition is None else "without flat ones" if found.flat else "largest over smallest |λ|"


def _stability(found: Curvature) -> tuple[Fact, ...]:
    stability = found.stability
    if stability is None:
        return (Fact("limit", "–", found.why_no_stability),)
    name = OPTIMIZERS[stability.optimizer].label if stability.optimizer in OPTIMIZERS else stability.optimizer
    if stability.largest_rate is None:
        return (Fact("stable", "any η", f"nothing curves upwards for {name}"),)
    product = stability.sharpness * stability.learning_rate
    beyond = reach(stability) > 1
    verdict = f"now η = {number(stability.learning_rate)}" + (", full-batch steps grow" if beyond else "")
    return (
        Fact("λ·η", f"{number(product)} of {number(stability.limit)}", f"{name}, λ it meets {number(stability.sharpness)}"),
        Fact("stable up to η", number(stability.largest_rate), verdict, "clip" if beyond else "forward"),
    )


def reach(stability: Stability) -> float:
    """Return the learning rate as a share of the largest stable one; 0 where every rate is."""
    return stability.learning_rate / stability.largest_rate if stability.largest_rate else 0.0


def _steps(loss: float, newton: NewtonStep) -> tuple[Fact, ...]:
    indefinite = f"indefinite, {newton.negative:,} directions curve down" if newton.negative else "no direction curves down"
    uphill = ", it sets out uphill" if newton.slope > 0 else ""
    return (
        Fact("loss now", number(loss)),
        Fact(
            "gradient step",
            number(newton.gradient_loss),
            f"length {short(newton.gradient_norm)}, foretold {number(newton.gradient_predicted)}",
        ),
        Fact("Newton step", number(newton.loss), f"length {short(newton.norm)}, foretold {number(newton.predicted)}"),
        Fact("", "", f"Hessian: {indefinite}{uphill}"),
    )


def _check(found: Curvature) -> tuple[Fact, ...]:
    check = found.check
    if check.kinks:
        return (Fact("H·v", "kink", f"{check.kinks:,} elements within the step, so differences say nothing", "clip"),)
    return (Fact("H·v", short(check.error), "off differences of gradients, relative", "forward" if check.error < 1e-2 else "loss"),)
