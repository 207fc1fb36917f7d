"""Loss and metric of a net over all rows of a kind, as a function of generated source."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nnviz.engine.flat.call_plan import CannotFlatten
from nnviz.engine.flat.code import FlatCode, Names, compiled
from nnviz.engine.flat.parameters import FlatParameters
from nnviz.engine.flat.recorded_calls import Loss, Penalty, record_evaluation
from nnviz.engine.model.build import Net


class EvaluationProgram:
    """Made from one recorded evaluation; it keeps the rows it was made with."""

    def __init__(self, net: Net, loss: Loss, penalty: Penalty, metric: Loss, rows: Sequence[Tensor], flat: FlatParameters) -> None:
        """`rows`: x, targets as the loss takes them, y as the data has them. The net is in evaluation mode. Raises CannotFlatten."""
        recorded = record_evaluation(net, loss, penalty, metric, *rows)
        if any(call.is_random for call in recorded.calls):
            raise CannotFlatten("an evaluation draws random numbers")
        names = Names()
        known = [*zip((net.entry, "target", "y"), rows, strict=True), *flat.views.items(), *net.named_buffers()]
        code = FlatCode(recorded, flat, names, known)
        numbers = ", ".join(f"{word}.item()" for word in code.results.values())
        self._names = tuple(code.results)
        self._run = compiled("evaluate()", [*(line.text for line in code.lines), f"return {numbers}"], names)

    def run(self) -> dict[str, float]:
        """Return loss, metric and penalty as the net is now; to be called in inference mode."""
        return dict(zip(self._names, self._run(), strict=True))
