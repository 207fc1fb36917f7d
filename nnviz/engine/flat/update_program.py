"""Clipping and the optimizer's update of all parameters at once, over flat buffers, as a function of generated source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from nnviz.document.network import split_parameter
from nnviz.document.training import Training
from nnviz.engine.flat._update_lines import COUNTS_STEPS, STATE, UPDATES
from nnviz.engine.flat.code import CodeLine, Names, compiled
from nnviz.engine.flat.parameters import FlatParameters, Span

CLIP, UPDATE = "clip", "update"
_FUNCTIONS = {name: getattr(torch, name) for name in ("add", "mul", "neg", "sqrt", "addcmul", "maximum", "where", "reciprocal")} | {
    name: getattr(torch.Tensor, name) for name in ("add_", "mul_", "div_", "lerp_", "addcmul_", "addcdiv_", "clamp_", "copy_", "fill_")
}
_FUNCTIONS["vector_norm"] = torch.linalg.vector_norm


class Range(NamedTuple):
    """Neighbours in the flat buffer that are updated by the same calls."""

    names: tuple[str, ...]
    span: Span
    group: int
    """Which of the optimizer's groups they are in."""
    step: float
    """How many steps they have made."""


class UpdateProgram:
    """Made from an optimizer and the names of the parameters that get a gradient.

    `attach` lets the optimizer's state lie in flat buffers; it stays the optimizer's own, so that steps of torch's go on from there.
    """

    def __init__(
        self, optimizer: Optimizer, training: Training, flat: FlatParameters, trained: Sequence[str], locks: Mapping[str, Tensor]
    ) -> None:
        self._optimizer, self._training, self._flat, self._locks = optimizer, training, flat, locks
        self._trained = [name for name in flat.spans if name in trained]
        self._groups = {parameter: index for index, group in enumerate(optimizer.param_groups) for parameter in group["params"]}
        choice = training.optimizer
        self._keys = STATE[choice.kind](choice.settings)
        self._state = {key: flat.like() for key in self._keys}
        self._state_views = {key: flat.views_of(buffer) for key, buffer in self._state.items()}
        self._counts = torch.zeros(len(self._trained)) if choice.kind in COUNTS_STEPS else None
        self._room = {"direction": flat.like(), "root": flat.like()}
        clips = training.clip_norm is not None or training.clip_value is not None
        self._raw = flat.like() if clips else None
        self.unclipped = {name: view for name, view in flat.views_of(self._raw).items() if name in trained} if clips else {}
        """The gradients as they were before clipping, by parameter; empty where they are not clipped."""
        self.lines: tuple[CodeLine, ...] = ()
        self._ranges: tuple[Range, ...] = ()
        self._steps: list[float] = []

    @property
    def state(self) -> list[Tensor]:
        """All tensors besides the parameters that it changes."""
        return [*self._state.values(), *([] if self._counts is None else [self._counts])]

    # --- the optimizer's state ---

    def attach(self) -> bool:
        """Have gradients and state in the flat buffers; return whether that can be: not while an entry of the state is yet to be made."""
        state = {name: self._optimizer.state.get(self._flat.parameters[name], {}) for name in self._trained}
        keys = (*self._keys, *("step",) * (self._counts is not None))
        if any(not isinstance(entry.get(key), Tensor) for entry in state.values() for key in keys):
            return False
        for number, (name, entry) in enumerate(state.items()):
            for key in self._keys:
                _move(entry, key, self._state_views[key][name])
            if self._counts is not None:
                _move(entry, "step", self._counts[number])
        for name, parameter in self._flat.parameters.items():
            parameter.grad = self._flat.gradient_views[name] if name in state else None
            if name not in state:
                self._flat.gradient_views[name].zero_()
        self._compile(tuple(self._found_ranges()))
        return True

    def _found_ranges(self) -> Iterator[Range]:
        steps = dict(zip(self._trained, [0.0] * len(self._trained) if self._counts is None else self._counts.tolist(), strict=True))
        group_of = {name: self._groups.get(parameter) for name, parameter in self._flat.parameters.items()}

        def kind(name: str) -> tuple[int, float] | None:
            return (group_of[name], steps[name]) if name in steps else None

        for key, names in groupby(self._flat.spans, kind):
            if key is not None:
                names = tuple(names)
                yield Range(names, Span(self._flat.spans[names[0]].start, self._flat.spans[names[-1]].stop), *key)

    # --- the source ---

    def _compile(self, ranges: tuple[Range, ...]) -> None:
        self._steps = [one.step for one in ranges]
        if [one[:3] for one in ranges] == [one[:3] for one in self._ranges]:
            return
        self._ranges = ranges
        names = Names()
        names.namespace |= _FUNCTIONS | self._numbers()
        before, after = self._of_locks(names)
        updates = [line for index, one in enumerate(ranges) for line in self._of_range(names, index, one)]
        self.lines = tuple([*self._of_clipping(names), *before, *updates, *after, *self._of_counts(names)])
        self._run = compiled("update(rates, steps)", [line.text for line in self.lines], names)

    def _numbers(self) -> dict[str, Tensor]:
        """The optimizer's settings as tensors, and room for a number."""
        settings = {"factor": 0.0, "one": 1.0} | self._training.optimizer.settings
        return {name: torch.tensor(float(value), dtype=self._flat.values.dtype) for name, value in settings.items()}

    def _of_range(self, names: Names, index: int, one: Range) -> list[CodeLine]:
        """The optimizer's lines for one range; what they work on has the range's number behind its name if there are several."""
        suffix = f"_{index + 1}" if len(self._ranges) > 1 else ""
        buffers = {"parameters": self._flat.values, "gradients": self._flat.gradients} | self._room | self._state
        for name, buffer in buffers.items():
            names.namespace[name + suffix] = one.span.of(buffer)
        choice = self._training.optimizer
        places = "|".join([*buffers, "rate", "t"])
        calls = [re.sub(rf"\b({places})\b", rf"\1{suffix}", call) for call in UPDATES[choice.kind](choice.settings)]
        start = [f"rate{suffix} = rates[{one.group}]"]
        if self._counts is not None:
            start.append(f"t{suffix} = steps[{index}] = steps[{index}] + 1")
        layers = {name.partition(".")[0] for name in one.names}
        layer = layers.pop() if len(layers) == 1 else ""
        return [CodeLine(UPDATE, layer, text) for text in (*start, *calls)]

    def _of_clipping(self, names: Names) -> list[CodeLine]:
        """As torch.nn.utils.clip_grad_norm_ and clip_grad_value_; the norm is that of the gradients which are not locked."""
        clip_norm, clip_value = self._training.clip_norm, self._training.clip_value
        names.namespace |= {"all_gradients": self._flat.gradients, "unclipped": self._raw}
        lines = [CodeLine(CLIP, "", "copy_(unclipped, all_gradients)")] if self.unclipped else []
        if clip_norm is not None:
            texts = ["add(norm, 1e-06, out=factor)", "reciprocal(factor, out=factor)", f"mul(factor, {clip_norm!r}, out=factor)"]
            texts += ["clamp_(factor, max=1.0)", "mul_(all_gradients, factor)"]
            lines += [*self._of_norms(names), *(CodeLine(CLIP, "", text) for text in texts)]
        if clip_value is not None:
            lines.append(CodeLine(CLIP, "", f"clamp_(all_gradients, {-clip_value!r}, {clip_value!r})"))
        return lines

    def _of_norms(self, names: Names) -> Iterator[CodeLine]:
        """The norm of every gradient, and that of these."""
        source = self._flat.gradient_views
        norms = torch.zeros(len(self._trained), dtype=self._flat.values.dtype)
        if self._locks:
            free, locked = self._flat.like(), self._locked()
            names.namespace |= {"free": free, "locked": locked, "zero": torch.zeros((), dtype=free.dtype)}
            source = self._flat.views_of(free)
            yield CodeLine(CLIP, "", "where(locked, zero, all_gradients, out=free)")
        for number, name in enumerate(self._trained):
            gradient, norm = names.add(f"{name}_grad", source[name]), names.add(f"{name}_norm", norms[number])
            yield CodeLine(CLIP, split_parameter(name).layer, f"vector_norm({gradient}, 2.0, out={norm})")
        names.namespace |= {"norms": norms, "norm": torch.zeros_like(norms[0])}
        yield CodeLine(CLIP, "", "vector_norm(norms, 2.0, out=norm)")

    def _locked(self) -> Tensor:
        """Which elements of the flat parameters are locked."""
        locked = torch.zeros_like(self._flat.values, dtype=torch.bool)
        views = self._flat.views_of(locked)
        for name, mask in self._locks.items():
            views[name].copy_(mask)
        return locked

    def _of_locks(self, names: Names) -> tuple[list[CodeLine], list[CodeLine]]:
        """What is done before and after the update so that locked elements keep their bits."""
        if not self._locks:
            return [], []
        names.namespace |= {"values": self._flat.values, "kept": self._flat.like(), "locked": self._locked()}
        return [CodeLine(UPDATE, "", "copy_(kept, values)")], [CodeLine(UPDATE, "", "where(locked, kept, values, out=values)")]

    def _of_counts(self, names: Names) -> list[CodeLine]:
        if self._counts is None:
            return []
        names.namespace["step_counts"] = self._counts
        return [CodeLine(UPDATE, "", "add_(step_counts, one)")]

    def run(self, rates: Sequence[float]) -> None:
        """Clip and update; `rates`: the learning rate of every group of the optimizer. To be called in inference mode."""
        self._run(rates, self._steps)


def _move(entry: dict[str, Any], key: str, place: Tensor) -> None:
    """Let an entry of a state lie in this place, with its present values."""
    if entry[key] is not place:
        place.copy_(entry[key])
        entry[key] = place
