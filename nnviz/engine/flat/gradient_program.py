"""Forward, loss, penalties and backward of a net over batches of one size, as a function of generated source."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nnviz.engine.flat.code import CodeLine, FlatCode, Names, compiled
from nnviz.engine.flat.parameters import FlatParameters
from nnviz.engine.flat.recorded_calls import FORWARD, Loss, Penalty, record_iteration
from nnviz.engine.model.build import Net

_RETURN = "return {loss}.item(), {dot}({gradients}, {gradients}).item(), ({outputs})"


Differentiated = tuple[float, float, tuple[Tensor, ...]]
"""What one run finds, the gradients being in the flat buffer: the loss; the sum of the squares of all gradients, which is not finite if
one of them is not, or if they are very large; what those layers put out whose output is a new tensor every time."""


class GradientProgram:
    """Made from one recorded iteration. What it works on are the net's own parameters and buffers."""

    def __init__(self, net: Net, loss: Loss, penalty: Penalty, x: Tensor, target: Tensor, flat: FlatParameters) -> None:
        """`x`, `target`: a batch; the program keeps them as the place for its own. The net is in training mode, random numbers are drawn
        and running statistics moved. Raises CannotFlatten."""
        recorded = record_iteration(net, loss, penalty, x, target)
        names = Names()
        for word in ("all_x", "all_targets", "rows"):
            names.local(word)
        words = {"dot": names.add("dot", torch.dot), "gradients": names.add("gradients", flat.gradients)}
        known = [(net.entry, x), ("target", target), *flat.views.items(), *net.named_buffers()]
        code = FlatCode(recorded, flat, names, known)
        self.parameters = tuple(recorded.gradients)
        """The names of the parameters that get a gradient."""
        self.is_random = any(call.is_random for call in recorded.calls)
        written = {tensor.data_ptr() for call in recorded.calls for tensor in call.written}
        self.buffers = {name: buffer for name, buffer in net.named_buffers() if buffer.data_ptr() in written}
        """The buffers of the net that it changes."""
        self.lines = (*_of_the_batch(names, code, net.entry, x, target), *code.lines)
        self._passing = {layer: word for layer, word in code.outputs.items() if not isinstance(names.namespace[word], Tensor)}
        self._kept = {layer: names.namespace[word] for layer, word in code.outputs.items() if layer not in self._passing}
        words |= {"loss": code.results["loss"], "outputs": "".join(f"{word}, " for word in self._passing.values())}
        texts = [*(line.text for line in self.lines), _RETURN.format(**words)]
        self.run: Callable[[Tensor, Tensor, Tensor], Differentiated] = compiled("differentiate(all_x, all_targets, rows)", texts, names)
        """Works out loss and gradients of some rows of all; to be called in inference mode, the generator being seeded."""

    def outputs(self, new: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Return what every layer put out in a run that returned these new outputs; valid until the next run."""
        return self._kept | dict(zip(self._passing, new, strict=True))


def _of_the_batch(names: Names, code: FlatCode, entry: str, x: Tensor, target: Tensor) -> list[CodeLine]:
    select = names.add("index_select", torch.index_select)
    places = (("all_x", x), ("all_targets", target))
    return [CodeLine(FORWARD, entry, f"{select}({source}, 0, rows, out={code.word(place)})") for source, place in places]
