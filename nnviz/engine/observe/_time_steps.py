"""What each time step of a recurrent layer adds to the gradient of the weights that all of them share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nnviz.engine.model.sequence_layers import Recurrent
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.trainer import Trainer
from nnviz.records.picture_records import Picture, PictureWish


class UnrolledStates(NamedTuple):
    """A recurrent layer run step by step with a copy of its weights for each: the gradient of a copy is what its step adds."""

    output: Tensor
    copies: dict[str, list[Tensor]]
    """By parameter, in the order of time."""
    states: dict[str, list[Tensor]]
    """By suffix of the parameters (l0, l0_reverse …), in the order of time."""


def time_steps(trainer: Trainer, wish: PictureWish) -> Picture:
    """Return the gradients of the next iteration's loss, without penalties, by time step.

    parts: for each parameter of the layer (2, time), the norm of what a step adds to its gradient, and which share of the whole that is:
    the shares add up to 1 (NaN where the whole is 0); `whole`, the norms of the whole gradients in the same order; for each stacked net
    and direction (1, time) under h_SUFFIX, the norm of the gradient with respect to the state after a step.
    """
    layers = tuple(layer for layer, _ in trainer.net.plan if isinstance(trainer.net._modules[layer], Recurrent))
    if not layers:
        return Picture(wish, sentence="This network has no recurrent layer.")
    layer = wish.layer if wish.layer in layers else layers[0]
    gradients, of_states = step_gradients(trainer, layer)
    parts = {name: array_of(_sized(steps)) for name, steps in gradients.items()}
    parts["whole"] = array_of(np.array([steps.sum(0).norm().item() for steps in gradients.values()]))
    parts |= {f"h_{suffix}": array_of(steps.flatten(1).norm(dim=1)[None]) for suffix, steps in of_states.items()}
    return Picture(wish, layer, layers, parts=parts)


def _sized(steps: Tensor) -> Tensor:
    """(2, time): norms of contributions (time, *shape), and their shares of the sum along its own direction."""
    flat = steps.flatten(1)
    whole = flat.sum(0)
    return torch.stack([flat.norm(dim=1), flat @ whole / (whole @ whole)])


def step_gradients(trainer: Trainer, layer: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return for each parameter of a recurrent layer what every step adds to its gradient, (time, *shape), and for each stacked net and
    direction the gradient with respect to its states, (time, batch, units): of the next iteration's batch, in float64."""
    rows, samples = trainer.rows(), trainer.training_rows
    with trainer.unchanged():
        trainer.prepare()
        net, known = trainer.net, {trainer.net.entry: samples.x[rows]}
        for name, sources in net.plan:
            inputs = [known[source] for source in sources]
            if name == layer:
                unrolled = unroll(net._modules[name], *inputs)
                known[name] = unrolled.output
            else:
                known[name] = net._modules[name](*inputs)
        loss = trainer.loss(known[net.exit], samples.targets[rows])
        wanted = {**unrolled.copies, **{f"h_{suffix}": states for suffix, states in unrolled.states.items()}}
        found = iter(torch.autograd.grad(loss, [one for steps in wanted.values() for one in steps], allow_unused=True))
    stacked = {name: torch.stack([_known(next(found), one) for one in steps]).detach().double() for name, steps in wanted.items()}
    return {name: stacked[name] for name in unrolled.copies}, {suffix: stacked[f"h_{suffix}"] for suffix in unrolled.states}


def _known(gradient: Tensor | None, of: Tensor) -> Tensor:
    return torch.zeros_like(of) if gradient is None else gradient


def unroll(module: Recurrent, x: Tensor) -> UnrolledStates:
    """Return the layer run step by step on sequences x, as torch's own nets run it; dropout between stacked nets as is switched on."""
    copies: dict[str, list[Tensor]] = {}
    states: dict[str, list[Tensor]] = {}
    for number in range(module.num_layers):
        outputs = []
        for direction in ("", "_reverse")[: 1 + module.bidirectional]:
            suffix = f"l{number}{direction}"
            for kind in ("weight_ih", "weight_hh", "bias"):
                shared = getattr(module, f"{kind}_{suffix}").detach()
                copies[f"{kind}_{suffix}"] = [shared.clone().requires_grad_() for _ in range(x.shape[1])]
            weights = [copies[f"{kind}_{suffix}"] for kind in ("weight_ih", "weight_hh", "bias")]
            states[suffix] = _run(module, x, *weights, reverse=bool(direction))
            outputs.append(torch.stack(states[suffix], 1))
        last = [states[f"l{number}"][-1], *([states[f"l{number}_reverse"][0]] if module.bidirectional else [])]
        x = torch.cat(outputs, -1)
        if module.p and number < module.num_layers - 1:
            x = _dropped(module, x)
    return UnrolledStates(x if module.return_sequences else torch.cat(last, -1), copies, states)


def _dropped(module: Recurrent, x: Tensor) -> Tensor:
    """What the next stacked net gets, dropped in the order in which the layer itself draws: torch's own nets count time first."""
    if module.kind == "rnn" and module.activation not in ("tanh", "relu"):
        return F.dropout(x, module.p)
    return F.dropout(x.transpose(0, 1).contiguous(), module.p).transpose(0, 1)


def _run(module: Recurrent, x: Tensor, weight: list[Tensor], recurrent: list[Tensor], bias: list[Tensor], reverse: bool) -> list[Tensor]:
    """The states after every step, in the order of time."""
    found: dict[int, Tensor] = {}
    h = c = torch.zeros(len(x), module.units, dtype=x.dtype)
    moments = range(x.shape[1])
    for t in reversed(moments) if reverse else moments:
        given, own = F.linear(x[:, t], weight[t], bias[t]), F.linear(h, recurrent[t])
        h, c = _STEPS[module.kind](module, given, own, h, c)
        found[t] = h
    return [found[t] for t in moments]


def _rnn(module: Recurrent, given: Tensor, own: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    return (module.function(given + own) if module.function else given + own), c


def _lstm(module: Recurrent, given: Tensor, own: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = (given + own).chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _gru(module: Recurrent, given: Tensor, own: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    (r, z, n), (own_r, own_z, own_n) = given.chunk(3, 1), own.chunk(3, 1)
    z = (z + own_z).sigmoid()
    return (1 - z) * (n + (r + own_r).sigmoid() * own_n).tanh() + z * h, c


_STEPS = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}
