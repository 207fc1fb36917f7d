"""The live state as lessons ask about it: functions by the names they have in expressions. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine
from nnviz.lessons.expression import ExpressionError
from nnviz.lessons.trace_names import node_named
from nnviz.records.baseline_record import Baselines
from nnviz.records.distance_record import Distances
from nnviz.records.finding import Finding
from nnviz.records.tensors import Tensor, to_numpy
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeMarks, NodeRecord
from nnviz.records.verdicts import verdict

Columns = Mapping[str, np.ndarray]
"""The curves of a run, by the names of CurvePoint's fields: equally long, NaN where something was not measured."""


@dataclass(frozen=True)
class Facts:
    """What is known where the run stands. `names` is what an expression may use."""

    experiment: Experiment
    """The one in force."""
    index: TraceIndex | None = None
    """The trace of the iteration that comes next; None while there is none."""
    curves: Columns = field(default_factory=dict)
    runs: Mapping[str, Columns] = field(default_factory=dict)
    """Runs beside the present one, by name."""
    findings: Sequence[Finding] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)
    """Results of what a step has measured, by the names of MEASURES."""
    clicked: str = ""
    """What a person has clicked: a node as `h1/relu`, a parameter as `h1.weight`, a layer by its id."""

    @property
    def names(self) -> dict[str, Any]:
        """Functions and values by name. They raise ExpressionError for what is not there."""
        training = self.experiment.training
        plain: dict[str, Any] = {
            "clicked": self.clicked,
            "learning_rate": training.optimizer["learning_rate"],
            "findings": sum(not one.is_information for one in self.findings),
            "iteration": int(self.curves["iteration"][-1]) if len(self.curves.get("iteration", ())) else 0,
        }
        if self.index:
            plain |= {"loss": self.index.trace.loss, "rows": len(self.index.trace.rows)}
        return plain | self._functions

    @property
    def _functions(self) -> dict[str, Callable[..., Any]]:
        """What can be asked, by name."""
        return {
            "value": self._value,
            "gradient": self._gradient,
            "gradient_norm": self._gradient_norm,
            "contribution": self._contribution,
            "local": self._local,
            "bent": self._bent,
            "reads": self._reads,
            "dead": lambda name: self._marks(name).dead,
            "saturated": self._saturated,
            "updated": lambda name: self._update(name, "after"),
            "update": self._update,
            "is_updated": lambda name: self._node(name).id in self.index.whole.updates,
            "phase": self._phase,
            "position": self._position,
            "setting": self._setting,
            "layer": lambda id, name: self._layer(id).settings[name],
            "kind": lambda id: self._layer(id).kind,
            "frozen": lambda id: self._layer(id).frozen,
            "layer_of": lambda name: name.split("/")[0].split(".")[0],
            "parameters": self._parameters,
            "curve": lambda name: self._curve(self.curves, name),
            "final": self._final,
            "other": self._other,
            "first_below": self._first_below,
            "lowest": lambda name, run="": float(np.min(self._measured(name, run))),
            "lowest_at": self._lowest_at,
            "verdict": self._verdict,
            "score": self._score,
            "averaged": self._averaged,
            "distances": self._distances,
            "found": lambda kind: any(one.kind == kind for one in self.findings),
            "found_at": lambda kind: next((one.place for one in self.findings if one.kind == kind), ""),
        }

    # --- the trace ---

    def _node(self, name: str) -> NodeRecord:
        if self.index is None:
            raise ExpressionError("there is no trace yet.")
        found = node_named(self.index, name)
        if found is None:
            raise ExpressionError(f"the trace has no {name}.")
        return self.index.whole.node(found)

    def _array(self, tensor: Tensor | None, what: str) -> np.ndarray:
        values = self.index.whole.array(tensor)
        if values is None:
            raise ExpressionError(f"{what} is not there, or too large to be read.")
        return values.astype(np.float64) if values.dtype.kind in "fiub" else values

    def _value(self, name: str) -> np.ndarray:
        return self._array(self._node(name).value, f"the value of {name}")

    def _gradient(self, name: str) -> np.ndarray:
        return self._array(self._node(name).gradient, f"the gradient of {name}")

    def _gradient_norm(self, layer: str = "") -> float:
        """Of all parameters of a layer together, biases included; of the whole network without one."""
        nodes = self.index.whole.trace.nodes if self.index else ()
        found = [node for node in nodes if node.kind == "parameter" and layer in ("", *node.group[:1])]
        if not found:
            raise ExpressionError(f"no parameter belongs to {layer or 'the network'}.")
        parts = [self._array(node.gradient, f"the gradient of {node.label}") for node in found]
        return float(np.sqrt(sum(np.sum(part**2) for part in parts)))

    def _edge(self, source: str, target: str) -> Any:
        one, other = self._node(source).id, self._node(target).id
        edge = next((edge for edge in self.index.whole.trace.edges if (edge.source, edge.target) == (one, other)), None)
        if edge is None:
            raise ExpressionError(f"{source} does not go into {target}.")
        return edge

    def _contribution(self, source: str, target: str) -> np.ndarray:
        return self._array(self._edge(source, target).contribution, f"what {target} sends back to {source}")

    def _local(self, source: str, target: str) -> np.ndarray:
        edge = self._edge(source, target)
        found = self.index.whole.local(edge, None)
        if edge.local is None and found is None:
            raise ExpressionError(f"∂{target}/∂{source} is not known element by element.")
        return np.asarray(to_numpy(edge.local) if found is None else found[0], dtype=np.float64)

    def _reads(self, name: str, source: str) -> bool:
        """Whether the backward step of a node reads the value that forward has kept of another."""
        return self._node(source).id in self._node(name).reads

    def _bent(self, name: str) -> np.ndarray:
        """(elements,) How far each element of a row is from an affine function of the network's input over the batch: the share of its
        standard deviation that no plane explains, 0 to 1."""
        inputs = next(node for node in self.index.whole.trace.nodes if node.kind == "input") if self.index else self._node(name)
        x, values = (self._array(node.value, node.label).reshape(node.shape[0], -1) for node in (inputs, self._node(name)))
        plane = np.column_stack([x, np.ones(len(x))])
        rest = values - plane @ np.linalg.lstsq(plane, values, rcond=None)[0]
        spread = values.std(0)
        return np.divide(rest.std(0), spread, out=np.zeros_like(spread), where=spread > 0)

    def _marks(self, name: str) -> NodeMarks:
        return self._node(name).marks or NodeMarks()

    def _saturated(self, name: str) -> float:
        """The share of the elements of a sigmoid or tanh that are saturated."""
        return self._marks(name).saturated / max(self._array(self._node(name).value, f"the value of {name}").size, 1)

    def _update(self, name: str, symbol: str) -> np.ndarray:
        """`before`, `after`, or a row of the optimizer by its symbol."""
        update = self.index.whole.updates.get(self._node(name).id) if self.index else None
        if update is None:
            raise ExpressionError(f"no optimizer changes {name}.")
        row = next((row for row in update.rows if row.symbol == symbol), None)
        tensor = row.value if row else getattr(update, symbol, None) if symbol in ("before", "after") else None
        return self._array(tensor, f"{symbol} of {name}")

    def _phase(self, name: str) -> str:
        return self._node(name).phase

    def _position(self, name: str, phase: str) -> int:
        node, index = self._node(name), self.index.whole
        places = {"forward": index.made_at, "backward": index.backward_at, "update": index.updated_at}.get(phase, {})
        if node.id not in places:
            raise ExpressionError(f"{name} has no step in {phase}.")
        return places[node.id]

    # --- the document ---

    def _layer(self, id: str) -> Any:
        if id not in self.experiment.network.titles:
            raise ExpressionError(f"there is no layer {id}.")
        return self.experiment.network.layer(id)

    def _setting(self, name: str) -> Any:
        training = self.experiment.training
        found = {**training.optimizer.settings, "optimizer": training.optimizer.kind, "schedule": training.schedule.kind}
        found |= {
            one: getattr(training, one)
            for one in ("loss", "batch_size", "l1", "l2", "clip_norm", "clip_value", "dropout", "early_stopping")
        }
        found |= {f"data.{key}": value for key, value in self.experiment.data.settings.items()} | {"data": self.experiment.data.kind}
        if name not in found:
            raise ExpressionError(f"there is no setting {name}.")
        return found[name]

    def _parameters(self, id: str = "") -> int:
        """How many numbers a layer (h1), a parameter (h1.weight) or, without a name, the whole network has."""
        report = examine(self.experiment)
        counts = {name: math.prod(shape) for name, shape in report.parameters_by_name.items()}
        counts |= {"": report.parameters} | {name: layer.count for name, layer in report.layers.items()}
        if id not in counts:
            raise ExpressionError(f"there is no layer or parameter {id}.")
        return counts[id]

    # --- curves ---

    def _curve(self, columns: Columns, name: str) -> np.ndarray:
        if name not in columns:
            raise ExpressionError(f"nothing is known of {name}.")
        values = np.asarray(columns[name], dtype=np.float64)
        return values[~np.isnan(values)] if name != "loss" else values

    def _final(self, name: str, run: str = "") -> float:
        return float(self._measured(name, run)[-1])

    def _measured(self, name: str, run: str) -> np.ndarray:
        values = self._curve(self._columns(run), name)
        if not values.size:
            raise ExpressionError(f"{name} has not been measured.")
        return values

    def _lowest_at(self, name: str, run: str = "") -> int:
        """The first iteration at which it had its least value."""
        columns = self._columns(run)
        self._measured(name, run)
        return int(columns["iteration"][np.nanargmin(columns[name])])

    def _verdict(self, run: str = "") -> str:
        """flat · falling · oscillating · diverged, of losses that are of all rows: others have noise that the curve alone does not tell."""
        if self.experiment.training.batch_size is not None:
            raise ExpressionError("a verdict on a run is told here only where every batch has all rows.")
        losses = self._measured("loss", run)
        return verdict(losses[1:] if losses.size > 1 else losses, start=float(losses[0])).kind

    # --- what was worked out beside the run ---

    def _result(self, name: str) -> Any:
        if name not in self.measured:
            raise ExpressionError(f"the {name} have not been measured here.")
        return self.measured[name]

    def _score(self, model: str, rows: str = "validation") -> float:
        """Of one of the baselines; "this net" is the net itself."""
        found: Baselines = self._result("baselines")
        one = next((one for one in found.models if one.name == model), None)
        if one is None or rows not in ("training", "validation") or getattr(one, rows) is None:
            raise ExpressionError(f"there is no {rows} score of {model}.")
        return getattr(one, rows)

    def _averaged(self, models: str, what: str) -> Any:
        """Of models that answer with their mean: `singles`, `means` (of the first 1, 2, … of them), or `whole`, of the whole net."""
        found: Baselines = self._result("baselines")
        one = next((one for one in found.averaged if one.name == models), None)
        if one is None or what not in ("singles", "means", "whole"):
            raise ExpressionError(f"there is no {what} of {models}.")
        return one.whole if what == "whole" else to_numpy(getattr(one, what))

    def _distances(self, what: str) -> np.ndarray:
        """One number for each count of columns of noise: `added`, `ratios`, `spreads` or `scores`."""
        found: Distances = self._result("distances")
        if what not in ("added", "ratios", "spreads", "scores") or getattr(found, what) is None:
            raise ExpressionError(f"there are no {what} of distances.")
        return to_numpy(getattr(found, what)).astype(np.float64)

    def _columns(self, run: str) -> Columns:
        if run and run not in self.runs:
            raise ExpressionError(f"there is no run {run}.")
        return self.runs[run] if run else self.curves

    def _other(self, run: str, name: str) -> np.ndarray:
        return self._curve(self._columns(run), name)

    def _first_below(self, threshold: float, run: str = "") -> float:
        """The first iteration whose loss is below; infinite if there is none."""
        below = np.flatnonzero(self._curve(self._columns(run), "loss") < threshold)
        return float(below[0]) if below.size else np.inf
