"""Every row of an update is its formula with the numbers of the rows above: the text itself is evaluated, not a copy of it."""

from __future__ import annotations

import itertools
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.trace import capture
from nnviz.trace.record import Update
from tests.trace.test_updates import VARIANTS
from tests.trace.zoo import normal

OPTIONS = {
    "η": "lr", "λ": "weight_decay", "μ": "momentum", "τ": "dampening", "α": "alpha", "ε": "eps", "decay": "lr_decay",
}  # fmt: skip
MEMORY = {"s": "initial_accumulator_value"}
"""What a row's number of the step before is at the first step, where it is not 0."""
CLIPS = [{}, {"clip_norm": 0.3}, {"clip_value": 0.05}, {"clip_norm": 0.5, "clip_value": 0.02}]
CASES = [
    (name, decay, clips) for name, decay, clips in itertools.product(VARIANTS, (None, 0.2), CLIPS) if decay is None or "decay" not in name
]


def updates_of(name: str, decay: float | None, clips: dict, iterations: int = 2) -> list[tuple[dict, list[tuple[Update, ...]]]]:
    """The options and the updates of some iterations, each followed by the real step."""
    torch.manual_seed(0)
    kind, options = VARIANTS[name]
    net, x, y = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double(), normal(6, 3), normal(6, 2)
    optimizer = kind(net.parameters(), **options | ({} if decay is None else {"weight_decay": decay}))
    found = []
    for _ in range(iterations):
        found.append(capture(net, x, loss=F.mse_loss, target=y, optimizer=optimizer, **clips).updates)
        optimizer.zero_grad()
        F.mse_loss(net(x), y).backward()
        if "clip_norm" in clips:
            nn.utils.clip_grad_norm_(net.parameters(), clips["clip_norm"])
        if "clip_value" in clips:
            nn.utils.clip_grad_value_(net.parameters(), clips["clip_value"])
        optimizer.step()
    return optimizer.param_groups[0], found


def evaluated(formula: str, known: dict[str, torch.Tensor | float]) -> torch.Tensor:
    """The number a formula's text gives: symbols are looked up, √, ², ·, min and max are what they say."""
    text, _, step = formula.partition(", t = ")
    names = {**known, "t": float(step)} if step else dict(known)
    text = text.replace("10⁻⁶", "1e-6").replace("β₁ᵗ", "β₁ ** t").replace("β₂ᵗ", "β₂ ** t").replace("−", "-")
    symbols = sorted(names, key=len, reverse=True)
    place = re.compile("|".join([r"min(?=\()|max(?=\()|1e-6", *map(re.escape, symbols)]))
    kept: list[str] = []

    def stand_in(match: re.Match) -> str:
        if match[0] not in names:
            return f" {'low' if match[0] == 'min' else 'high' if match[0] == 'max' else match[0]} "
        kept.append(match[0])
        return f" _{len(kept) - 1} "

    code = place.sub(stand_in, text).replace("²", "** 2").replace("·", "*").replace("√", "root ")
    code = re.sub(r"root\s+(_\d+)", r"root(\1)", code)
    code = re.sub(r"(_\d+|\))\s+(?=_\d+|\(|root)", r"\1 * ", code)
    functions = {"low": torch.minimum, "high": torch.maximum, "root": torch.sqrt}
    values = {f"_{k}": torch.as_tensor(names[symbol], dtype=torch.float64) for k, symbol in enumerate(kept)}
    code = re.sub(r"(?<![\w.])(\d+\.?\d*(?:e-?\d+)?)(?![\w.])", r"number(\1)", code)
    return eval(code, {"number": lambda x: torch.tensor(float(x), dtype=torch.float64)}, functions | values)


def check_rows(update: Update, before: Update | None, group: dict, of_all: torch.Tensor) -> None:
    """`of_all`: the norms of all parameters' gradients."""
    known: dict = {letter: group[option] for letter, option in OPTIONS.items() if option in group}
    if "betas" in group:
        known |= {"β₁": group["betas"][0], "β₂": group["betas"][1]}
    last = {row.symbol: row.value for row in before.rows} if before else {}
    for row in update.rows:
        if row.symbol in last:
            known[f"{row.symbol}₋"] = last[row.symbol]
        else:
            known[f"{row.symbol}₋"] = group.get(MEMORY.get(row.symbol), 0.0)
        special = {
            "before": update.before,
            "∂L/∂θ": row.value,
            "√Σ g² of this parameter": None,
            "√Σᵢ ‖gᵢ‖² over all parameters": of_all.norm(),
        }
        special["√Σ g² of this parameter"] = known["g"].norm() if "g" in known else None
        value = special[row.formula] if row.formula in special else evaluated(row.formula, known)
        said = f"{row.symbol} = {row.formula}"
        assert row.symbol not in known or row.symbol == "η", f"{said}: the symbol already means another number"
        torch.testing.assert_close(value.expand(row.value.shape), row.value, rtol=1e-9, atol=1e-12, msg=said)
        known[row.symbol] = row.value


@pytest.mark.parametrize(("name", "decay", "clips"), CASES)
def test_every_row_is_its_formula_with_the_numbers_above(name, decay, clips):
    group, iterations = updates_of(name, decay, clips)
    for k, updates in enumerate(iterations):
        norms = torch.stack([next(row.value for row in update.rows if row.symbol == "g").norm() for update in updates])
        for place, update in enumerate(updates):
            check_rows(update, iterations[k - 1][place] if k else None, group, norms)


def test_the_numbers_a_person_checks_by_hand():
    """2.62 clipped by a norm of 1 over all parameters moves the weight by η times what was left of it."""
    module = nn.Linear(1, 1, bias=False).double()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, weight_decay=0.1)
    x = torch.tensor([[2.0]], dtype=torch.float64)
    rows = {row.symbol: row for row in capture(module, x, loss=F.mse_loss, target=x, optimizer=optimizer, clip_norm=1.0).updates[0].rows}
    assert [rows[symbol].formula for symbol in ("g₁", "g₂", "Δ", "θ′")] == ["g · coef", "g₁ + λθ", "−η g₂", "θ + Δ"]
    assert rows["Δ"].value == -0.05 * rows["g₂"].value and abs(rows["g₁"].value) <= 1.0
