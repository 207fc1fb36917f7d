"""Loss and metric of a net over all rows of a kind, as a function of generated source."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from nnviz.engine.model.build import Net
from nnviz.engine.run._call_plan import CannotFlatten
from nnviz.engine.run._flat_code import FlatCode, Names, compiled
from nnviz.engine.run._flat_parameters import FlatParameters
from nnviz.engine.run._recorded_calls import record_evaluation


class EvaluationProgram:
    """Made from one recorded evaluation; it keeps the rows it was made with."""

    def __init__(
        self, net: Net, loss: Callable, penalty: Callable | None, metric: Callable, rows: tuple[Tensor, Tensor, Tensor], flat: FlatParameters
    ) -> None:
        """`rows`: x, targets as the loss takes them, y as the data has them. The net is in evaluation mode. Raises CannotFlatten."""
        recorded = record_evaluation(net, loss, penalty, metric, *rows)
        if any(call.is_random for call in recorded.calls):
            raise CannotFlatten("an evaluation draws random numbers")
        names = Names()
        code = FlatCode(recorded, flat, names, {net.entry: rows[0], "target": rows[1], "y": rows[2]} | flat.views | dict(net.named_buffers()))
        numbers = ", ".join(f"{word}.item()" for word in code.results.values())
        self._names = tuple(code.results)
        self._run = compiled("evaluate()", [*(line.text for line in code.lines), f"return {numbers}"], names)

    def run(self) -> dict[str, float]:
        """Return loss, metric and penalty as the net is now; to be called in inference mode."""
        return dict(zip(self._names, self._run(), strict=True))
