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
    "layers": ("no_non_linearity",),
    "penalty": ("penalty_dominates",),
    "use of the inputs": ("data_ignored",),
    "progress": ("plateau",),
    "validation": ("overfitting",),
    "evaluation": ("mode_gap",),
    "classes": ("class_imbalance",),
}
"""What is called healthy, and the kinds of which none may be found for that."""
_MEASURED = ("exploding", "vanishing", "rate_too_large", "rate_too_small", "diverging")
"""As soon as one of these is judged, enough has been trained to speak of the run."""
FIRST_JUDGED = 25
"""About so many iterations of a run, or behind a change of it, have to be made before these are judged."""

_MECHANISMS = {
    "non_finite": (
        "A number has left the range of its precision, or 0/0, ∞ − ∞ or log 0 was computed. What is computed from it is NaN, too: "
        "the loss, every ∂L/∂θ, and after θ ← θ − η·g every weight."
    ),
    "output_range": (
        "The loss reads the last layer in one way only: cross-entropy takes scores of any sign and applies softmax itself, binary "
        "cross-entropy with logits applies σ itself. Applied twice, p ≤ e/(e + C − 1), so that the loss cannot reach 0. A function "
        "that cannot take the value of a target leaves an error that no training removes."
    ),
    "no_non_linearity": (
        "W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂) is one linear map. The second layer adds parameters, and no answer that the "
        "first alone could not give."
    ),
    "symmetric_start": (
        "Units with the same weights have the same values and the same gradients: aᵢ = aⱼ and ∂L/∂wᵢ = ∂L/∂wⱼ. Every update leaves "
        "them the same, so that they stay one unit."
    ),
    "input_scale": (
        "∂L/∂wⱼ = δ·xⱼ: the gradient of a weight is as large as its column. No learning rate suits columns of very different size, "
        "and far from 0 weight and bias pull at the same thing. (x − mean)/std brings all to one scale."
    ),
    "start_loss": (
        "An answer that knows nothing, p = 1/C for each of C classes, costs ln C. A first loss far above it is sure of wrong "
        "answers: the first updates only take back what the start has set too large."
    ),
    "exploding": (
        "δₗ = (Wₗ₊₁ᵀ δₗ₊₁) ⊙ f′(zₗ): every layer multiplies the gradient on its way back by its weights and the slope of its "
        "function. Where that is a factor above 1, it grows as factorᵈᵉᵖᵗʰ, and Δθ = −η·g throws the first layers about."
    ),
    "diverging": (
        "A step of plain gradient descent multiplies the distance to a minimum of curvature λ by 1 − η·λ. For η > 2/λ every step "
        "leads farther away, and the loss grows with it."
    ),
    "rate_too_large": (
        "g says which way is down only near θ. An update of ‖Δθ‖/‖θ‖ above about a tenth ends where another gradient holds: it "
        "crosses the valley, and the loss swings between its sides."
    ),
    "vanishing": (
        "δₗ = (Wₗ₊₁ᵀ δₗ₊₁) ⊙ f′(zₗ): every layer multiplies the gradient on its way back by its weights and the slope of its "
        "function. Where that is a factor below 1 (σ′ ≤ 0.25), it shrinks as factorᵈᵉᵖᵗʰ, and Δθ = −η·g hardly moves the first "
        "layers."
    ),
    "dead_relu": (
        "ReLU′(z) = 0 for z < 0. Where z ≤ 0 on every row, ∂L/∂w = δ·ReLU′(z)·x = 0 on every row: the unit puts out 0, and no "
        "update changes its weights any more."
    ),
    "saturated": (
        "tanh′(z) = 1 − tanh² z and σ′(z) = σ(z)·(1 − σ(z)) are nearly 0 for large |z|. The gradient that comes back is multiplied "
        "by them, ∂L/∂z = ∂L/∂a · f′(z) ≈ 0, so that the unit hardly learns."
    ),
    "penalty_dominates": (
        "The update follows ∇L = ∇data + ∇penalty; the penalty l2/2·Σw² has the gradient l2·w. Where that is the longer of both, "
        "weights go to 0 whatever the data says."
    ),
    "rate_too_small": (
        "Δθ = −η·g is so small beside θ that the net stays where it began. With ‖Δθ‖/‖θ‖ = 10⁻⁵ it takes about 100,000 updates to "
        "change weights by as much as they are."
    ),
    "data_ignored": (
        "A net that uses its inputs answers worse when they are handed to the wrong rows. Where the loss stays the same, the answer"
        " does not depend on x: it is a constant."
    ),
    "overfitting": (
        "With enough parameters a net can learn its training rows one by one, noise included. That lowers their loss, and raises "
        "the loss of rows it has not seen."
    ),
    "mode_gap": (
        "In training dropout multiplies by mask/(1 − p), and batch norm uses mean and variance of the batch; in evaluation there is"
        " no mask, and running averages take their place. Where these lag behind, or a batch has few rows, both are different nets."
    ),
    "class_imbalance": (
        "The loss is a mean over rows, L = (1/n)·Σ ℓᵢ. A class with 1 % of the rows has 1 % of the say, so that it costs little to "
        "answer its rows with another class."
    ),
    "plateau": (
        "Where ∂L/∂θ ≈ 0, or the gradients of the batches cancel, θ stays where it is. A constant answer would cost no more: the "
        "net is stuck, not done."
    ),
}
"""How each kind comes about, in two or three sentences with the formula."""


def headline(finding: Finding, titles: Mapping[str, str]) -> str:
    """Return it in a few words: "vanishing gradients in dense 1 since iteration 12". `titles`: layer id -> name on the screen."""
    label = FINDING_KINDS[finding.kind].label
    label = label if label[1:2].isupper() else label[:1].lower() + label[1:]
    where = f" in {titles.get(finding.layer, finding.layer)}" if finding.layer else ""
    return f"{label}{where} {since(finding)}"


def since(finding: Finding) -> str:
    """Return since when it has been so."""
    return f"since iteration {finding.since:,}" if finding.since else "from the start"


def first_line(findings: Sequence[Finding], titles: Mapping[str, str]) -> str:
    """Return the first of these in a few words, and how many more there are."""
    more = f" · {len(findings) - 1} more" if len(findings) > 1 else ""
    return headline(findings[0], titles) + more


def why(finding: Finding) -> str:
    """Return what such a thing is, and how it comes about."""
    explanation = FINDING_KINDS[finding.kind].explanation
    return f"{explanation[:1].upper()}{explanation[1:]}. {_MECHANISMS[finding.kind]}"


def healthy(findings: Collection[Finding], judged: Collection[str]) -> tuple[str, ...]:
    """Return what is in order, of what enough is known: "gradients", "learning rate", …"""
    found = {finding.kind for finding in findings if not finding.is_information}
    return tuple(word for word, kinds in _HEALTHY.items() if not found & {*kinds} and set(judged) & {*kinds})


def is_judged(judged: Collection[str]) -> bool:
    """Return whether enough has been trained to speak of the run, rather than of its document and its start alone."""
    return bool(set(judged) & {*_MEASURED})
