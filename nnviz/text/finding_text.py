"""How it is said what the doctor found: in a line, since when, why it is so; and what is healthy. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nnviz.document.finding_kinds import FINDING_KINDS
from nnviz.records.finding import Finding

_HEALTHY = {
    "gradients": ("exploding", "vanishing"),
    "learning rate": ("rate_too_large", "rate_too_small", "diverging"),
    "scaling": ("input_scale",),
    "units": ("dead_relu", "saturated"),
    "start": ("symmetric_start", "start_loss"),
    "last layer": ("output_range",),
    "penalty": ("penalty_dominates",),
}
"""What is called healthy, and the kinds of which one has to be judged and none found for that."""
_SPOILT = {"gradients": ("non_finite", "diverging", "dead_relu", "saturated"), "learning rate": ("non_finite", "plateau")}
"""Other kinds that leave it doubtful."""
_MEASURED = ("exploding", "vanishing", "rate_too_large", "rate_too_small", "diverging")
"""As soon as one of these is judged, enough has been trained to speak of the run."""
_ALWAYS = ("input_scale", "no_non_linearity", "symmetric_start", "start_loss")
"""Kinds of which it goes without saying since when they are so."""
FIRST_JUDGED = 25
"""About so many iterations of a run, or behind a change of it, have to be made before these are judged."""

_MECHANISMS = {
    "non_finite": (
        "0/0, ∞ − ∞, log 0 → NaN",
        "A number has left the range of its precision, or has no value. What is computed from it is NaN, too: the loss, every "
        "gradient, and after one update every weight.",
    ),
    "output_range": (
        "softmax(softmax(z)) ≤ e/(e + C − 1)",
        "The loss reads the last layer in one way only: cross-entropy takes scores of any sign and applies softmax itself, binary "
        "cross-entropy with logits applies σ itself. What is applied twice keeps the loss from reaching 0; a function that cannot "
        "take the value of a target leaves an error that no training removes.",
    ),
    "no_non_linearity": (
        "W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂)",
        "Both layers together are one linear map. The second adds parameters, and no answer that the first alone could not give.",
    ),
    "symmetric_start": (
        "wᵢ = wⱼ → aᵢ = aⱼ → ∂L/∂wᵢ = ∂L/∂wⱼ",
        "Units with the same weights have the same values and the same gradients. Every update leaves them the same, so that they "
        "stay one unit.",
    ),
    "input_scale": (
        "∂L/∂wⱼ = δ·xⱼ",
        "The gradient of a weight is as large as its column. No learning rate suits columns of very different size, and far from 0 "
        "weight and bias pull at the same thing. (x − mean)/std brings all to one scale.",
    ),
    "start_loss": (
        "p = 1/C → L = ln C",
        "So much costs an answer that knows nothing of C classes. A first loss far above it is sure of wrong answers: the first "
        "updates only take back what the start has set too large.",
    ),
    "exploding": (
        "δₗ = (Wₗ₊₁ᵀ δₗ₊₁) ⊙ f′(zₗ)",
        "Every layer multiplies the gradient on its way back by its weights and the slope of its function. Where that is a factor "
        "above 1, it grows by it with every layer, and Δθ = −η·g throws the first layers about.",
    ),
    "diverging": (
        "θ − θ* ← (1 − η·λ)(θ − θ*)",
        "So a step of plain gradient descent changes the distance to a minimum of curvature λ. For η > 2/λ every step leads farther"
        " away, and the loss grows with it.",
    ),
    "rate_too_large": (
        "θ ← θ − η·g",
        "g says which way is down only near θ. An update of ‖Δθ‖/‖θ‖ above about a tenth ends where another gradient holds: it "
        "crosses the valley, and the loss swings between its sides.",
    ),
    "vanishing": (
        "δₗ = (Wₗ₊₁ᵀ δₗ₊₁) ⊙ f′(zₗ)",
        "Every layer multiplies the gradient on its way back by its weights and the slope of its function. Where that is a factor "
        "below 1 (σ′ is at most 0.25), it shrinks by it with every layer, and Δθ = −η·g hardly moves the first layers.",
    ),
    "dead_relu": (
        "∂L/∂w = δ·relu′(z)·x,  relu′(z) = 0 for z < 0",
        "Where z is not above 0 on any row, the unit puts out 0 and its gradient is 0 on every row: no update changes its weights "
        "any more.",
    ),
    "saturated": (
        "tanh′ = 1 − tanh²,  σ′ = σ·(1 − σ)",
        "Both slopes are nearly 0 for large |z|. The gradient that comes back is multiplied by them, ∂L/∂z = ∂L/∂a · f′(z), so that"
        " the unit hardly learns.",
    ),
    "penalty_dominates": (
        "∇L = ∇data + l2·w",
        "The update follows both parts. Where that of the penalty is the longer one, weights go to 0 whatever the data says.",
    ),
    "rate_too_small": (
        "Δθ = −η·g",
        "The net stays where it began: with ‖Δθ‖/‖θ‖ = 10⁻⁵ it takes about 100,000 updates to change weights by as much as they are.",
    ),
    "data_ignored": (
        "L(x shuffled) ≈ L(x)",
        "A net that uses its inputs answers worse when they are handed to the wrong rows. Where the loss stays the same, the answer"
        " does not depend on x: it is a constant.",
    ),
    "overfitting": (
        "L(training) falls, L(validation) rises",
        "With enough parameters a net can learn its training rows one by one, noise included. That lowers their loss, and raises "
        "the loss of rows it has not seen.",
    ),
    "mode_gap": (
        "training: a·mask/(1 − p),  (a − mean of the batch)/std",
        "In evaluation there is no mask, and running averages take the place of mean and std of the batch. Where these lag behind, "
        "or a batch has few rows, both are different nets.",
    ),
    "class_imbalance": (
        "L = (1/n)·Σ ℓᵢ",
        "The loss is a mean over rows. A class with 1 % of the rows has 1 % of the say, so that it costs little to answer its rows "
        "with another class.",
    ),
    "plateau": (
        "∂L/∂θ ≈ 0",
        "Where gradients are nearly 0, or those of the batches cancel, θ stays where it is. A constant answer would cost no more: "
        "the net is stuck, not done.",
    ),
}
"""How each kind comes about: a formula, and two or three sentences."""


def headline(finding: Finding, titles: Mapping[str, str]) -> str:
    """Return it in a few words: "vanishing gradients in dense 1 since iteration 12". `titles`: layer id -> name on the screen."""
    label, layer = lower_first(FINDING_KINDS[finding.kind].label), titles.get(finding.layer, finding.layer)
    if finding.kind == "output_range":
        return f"{label} do not fit: {layer}" if layer else f"{label} do not fit"
    where = f" in {layer}" if layer else ""
    return f"{label}{where}" if finding.kind in _ALWAYS else f"{label}{where} {since(finding)}"


def lower_first(text: str) -> str:
    """Return a text as it stands within a sentence: it begins with a small letter, unless its first word is a name such as ReLU."""
    return text if any(map(str.isupper, text.split(" ")[0][1:])) else text[:1].lower() + text[1:]


def since(finding: Finding) -> str:
    """Return since when it has been so."""
    if finding.kind == "non_finite":
        return f"at iteration {finding.since + 1:,}"
    return f"since iteration {finding.since:,}" if finding.since else "from the start"


def first_line(findings: Sequence[Finding], titles: Mapping[str, str]) -> str:
    """Return the first of these in a few words, and how many more there are."""
    more = f" · {len(findings) - 1} more" if len(findings) > 1 else ""
    return headline(findings[0], titles) + more


def why(finding: Finding) -> tuple[str, str]:
    """Return how such a thing comes about: the formula, and what it is and does."""
    explanation, (formula, mechanism) = FINDING_KINDS[finding.kind].explanation, _MECHANISMS[finding.kind]
    return formula, f"{explanation[:1].upper()}{explanation[1:]}. {mechanism}"


def healthy(findings: Collection[Finding], judged: Collection[str]) -> tuple[str, ...]:
    """Return what is in order, of what enough is known: "gradients", "learning rate", …"""
    found, wrong = {one.kind for one in findings}, {one.kind for one in findings if not one.is_information}
    return tuple(
        word for word, kinds in _HEALTHY.items() if set(judged) & {*kinds} and not found & {*kinds} and not wrong & {*_SPOILT.get(word, ())}
    )


def is_judged(judged: Collection[str]) -> bool:
    """Return whether enough has been trained to speak of the run, rather than of its document and its start alone."""
    return bool(set(judged) & {*_MEASURED})
