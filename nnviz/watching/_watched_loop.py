"""`nnviz.watch`: hooks on a person's model, loss and optimizer; at every step of the optimizer the conditions are looked at.

Nothing of the loop is replaced. What an iteration needs to be made again is referred to until the optimizer has made its step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import LBFGS, Optimizer

from nnviz.trace import DETAILS, TraceError, user_line
from nnviz.trace.module_state import unchanged
from nnviz.watching._asking import asked, way_of_asking
from nnviz.watching._kept_before_step import KeptBeforeStep, can_be_taken_back
from nnviz.watching.conditions import Hit, WatchCondition, WatchedStep, conditions_of
from nnviz.watching.halting import Halt, halted
from nnviz.watching.iteration_replay import IterationReplay
from nnviz.watching.passes import LossCall, Passes, making_again

MOST_HALTS = 10


class Stopped(BaseException):
    """The loop was told to stop at a halt. The `with` of the watch takes it, so that the program goes on behind it.

    No `Exception`, so that no loop takes it for an error of its own.
    """

    def __init__(self, halt: Halt) -> None:
        super().__init__(halt.told)
        self.halt = halt


def watch(
    model: nn.Module,
    optimizer: Optimizer,
    *,
    loss: Callable[..., Tensor] | None = None,
    break_on: str | Callable | Sequence[str | Callable] = ("non_finite",),
    on_break: str | Callable[[Halt], str | None] | None = None,
    detail: str = "textbook",
    batch_axis: int | None = None,
) -> WatchedLoop:
    """Return a context for a training loop: where a condition holds it halts before the update, and a window steps that iteration.

    `loss`: the module the loop calls as its loss; or a function, and then the loop calls `watched.loss(output, target)`; without it the
    model returns the loss. `break_on`: "non_finite", "gradient > 100" (largest |element|; "gradient of 0.weight > 5", "gradient norm >
    10"), "loss rising", "loss rising > 0.5", "loss > 3", "update ratio > 0.1" (‖Δθ‖/‖θ‖), or functions of a `WatchedStep` that return
    whether, or why, it halts. `on_break`: "window", "print", or a function of the `Halt` that returns "continue" (as None does), "stop"
    or "ignore"; without it the window where there is a display. In a notebook the window is a process of its own.

    Raises ValueError for a condition that is none, TraceError for what cannot be watched.
    """
    return WatchedLoop(model, optimizer, loss, break_on, on_break, detail, batch_axis)


class WatchedLoop:
    """A training loop runs inside `with`; what it computes is what it would compute unwatched, bit by bit."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, loss: Callable | None, break_on: Any, on_break: Any, detail: str, batch_axis: Any
    ) -> None:
        _check(model, optimizer, loss)
        if detail not in DETAILS:
            raise ValueError(f"detail={detail!r} is none of {', '.join(DETAILS)}")
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        held = [(group, place, one) for group, part in enumerate(optimizer.param_groups) for place, one in enumerate(part["params"])]
        self._named = {names.get(id(one), f"group {group}, parameter {place}"): one for group, place, one in held}
        self._ask = way_of_asking(on_break)
        self._conditions = list(conditions_of(break_on, list(self._named)))
        self._model, self._optimizer, self._loss = model, optimizer, loss
        self._detail, self._batch_axis = detail, batch_axis
        self._passes = Passes(model, loss, list(self._named.values()))
        self._hooks: list[Any] = []
        self._has_seen_a_loss = False
        self._stop: Stopped | None = None
        self._under_way: tuple[WatchedStep, KeptBeforeStep] | None = None
        self._is_made_anew = False
        self.iteration = 0
        """How many steps the optimizer has made inside."""
        self.previous_loss: float | None = None
        self.halts: deque[Halt] = deque(maxlen=MOST_HALTS)
        """Where the loop halted last, each with its trace."""

    @property
    def stopped(self) -> Halt | None:
        """The halt at which the loop was told to stop; None if it was not."""
        return self._stop.halt if self._stop else None

    def loss(self, *args: Any, **keywords: Any) -> Tensor:
        """Return the loss of these arguments: what `loss=` returns for them."""
        if self._loss is None:
            raise TraceError(f"{user_line()}: watch was given no loss=, so its model has to return the loss: give watch one to call it")
        value = self._loss(*args, **keywords)
        if not isinstance(self._loss, nn.Module):
            self._passes.after_loss(self._loss, args, keywords, value)
        return value

    def __enter__(self) -> WatchedLoop:
        if self._hooks:
            raise TraceError("this watch is under way already: make another for another loop")
        self._stop = self._under_way = None
        self._hooks = [
            self._model.register_forward_pre_hook(self._passes.before_forward, with_kwargs=True),
            self._model.register_forward_hook(self._passes.after_forward),
            self._optimizer.register_step_pre_hook(self._before_step),
            self._optimizer.register_step_post_hook(self._after_step),
        ]
        if isinstance(self._loss, nn.Module):
            self._hooks.append(self._loss.register_forward_hook(self._passes.after_loss, with_kwargs=True))
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        self._under_way = None
        self._passes.clear()
        return error is not None and error is self._stop

    # --- hooks: nothing they return changes what is computed ---

    def _before_step(self, optimizer: Optimizer, args: tuple, keywords: dict) -> tuple[tuple, dict] | None:
        if self._is_made_anew:
            return None
        closure = args[1] if len(args) > 1 else keywords.get("closure")  # torch counts the optimizer among them
        if closure is None:
            self._look()
            return None
        return (optimizer, partial(self._closed, closure)), {name: value for name, value in keywords.items() if name != "closure"}

    def _closed(self, closure: Callable[[], Any]) -> Any:
        """The person's closure, after which the gradients are there."""
        value = closure()
        self._look()
        return value

    def _after_step(self, optimizer: Optimizer, args: tuple, keywords: dict) -> None:
        if self._is_made_anew:
            return
        if self._under_way is not None:
            self._look_back(*self._under_way)
        self.iteration += 1
        self._passes.clear()

    # --- halting ---

    def _look(self) -> None:
        losses = self._passes.went_back
        if not self._has_seen_a_loss:
            self._require_a_loss(losses)
        step = WatchedStep(self.iteration, _number(losses), self.previous_loss, self._named, self._optimizer)
        self.previous_loss = step.loss if step.loss is not None else self.previous_loss
        self._under_way = None
        waits = bool(self._of_ratios()) and can_be_taken_back(self._optimizer)
        found = [None if waits and one.kind == "update_ratio" else one.hit(step) for one in self._conditions]
        if waits and any(found):  # a halt is told of all that holds
            found = [one.hit(step) if one.kind == "update_ratio" else hit for one, hit in zip(self._conditions, found, strict=True)]
        hits = [hit for hit in found if hit is not None]
        if hits:
            self._halt(step, hits)
        elif waits:
            self._under_way = step, KeptBeforeStep(self._optimizer)

    def _of_ratios(self) -> list[WatchCondition]:
        return [one for one in self._conditions if one.kind == "update_ratio"]

    def _look_back(self, step: WatchedStep, kept: KeptBeforeStep) -> None:
        """After a step: if it seems too large it is taken back, measured as the others are, and made anew after the halt."""
        self._under_way, ratios = None, kept.ratios()
        named = {name: ratios[id(one)] for name, one in self._named.items() if id(one) in ratios}
        if not any(one.may_hold(named) for one in self._of_ratios()):
            return
        kept.take_back()
        hits = [hit for one in self._of_ratios() if (hit := one.hit(step)) is not None]
        if hits:
            self._halt(step, hits)
        self._is_made_anew = True
        try:
            type(self._optimizer).step(self._optimizer)
        finally:
            self._is_made_anew = False

    def _require_a_loss(self, losses: list[LossCall]) -> None:
        """At the first step: what would keep every iteration from being made again is said at once."""
        stray = [call for call in losses if not call.runs]
        if stray and len(stray) == len(losses):
            raise TraceError(
                f"{stray[0].problem}: the loss is given something else than what the model returns: put what lies between into a function, "
                "give that as loss=, and call watched.loss(output, target) in the loop"
            )
        if not losses:
            raise TraceError(_no_loss(self._loss))
        self._has_seen_a_loss = True

    def _halt(self, step: WatchedStep, found: list[Hit]) -> None:
        hits = [hit for hit in found if hit.condition.kind == "non_finite"] or found  # all else only follows from it
        replay = IterationReplay(self._model, self._loss, self._optimizer, self._named)
        with unchanged(self._model, self._loss), making_again():
            halt, source = halted(replay, step, hits, self._passes.candidates, self._loss, self._detail, self._batch_axis)
            self.halts.append(halt)
            answer = asked(self._ask, halt, source)
        if answer == "ignore":
            self._drop([hit.condition for hit in hits])
        elif self._ask == "print":  # behind the first value that is not finite everything is spoiled
            self._drop([hit.condition for hit in hits if hit.condition.kind == "non_finite"])
        elif answer == "stop":
            self._stop = Stopped(halt)
            raise self._stop

    def _drop(self, dropped: list[WatchCondition]) -> None:
        self._conditions = [one for one in self._conditions if all(one is not other for other in dropped)]


def _check(model: Any, optimizer: Any, loss: Any) -> None:
    """Raises TraceError for what cannot be watched."""
    if isinstance(model, (list, tuple)) or isinstance(optimizer, (list, tuple)):
        raise TraceError(
            f"{user_line()}: a watch is of one module and one optimizer: for several put one `with nnviz.watch(…)` inside another, "
            "each with the module that the loop calls and the optimizer that makes its step"
        )
    if not isinstance(model, nn.Module):
        raise TraceError(f"{user_line()}: watch takes the module that the loop calls, but this is a {type(model).__name__}")
    if not isinstance(optimizer, Optimizer):
        raise TraceError(f"{user_line()}: watch takes the loop's torch.optim.Optimizer, but this is a {type(optimizer).__name__}")
    if isinstance(optimizer, LBFGS):
        raise TraceError(
            f"{user_line()}: LBFGS runs the model several times in one step, so no one iteration can be shown: watch SGD or Adam"
        )
    if loss is not None and (not callable(loss) or isinstance(loss, type)):
        what = f"the class {loss.__name__}: give it an instance" if isinstance(loss, type) else f"a {type(loss).__name__}"
        raise TraceError(f"{user_line()}: loss= must be the module or function the loop calls, but it is {what}")
    for name, part in model.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            raise TraceError(f"{user_line()}: {name or 'the model'} is compiled by torch.jit.script, which hides its calls")
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise TraceError(f"{user_line()}: {name} has no values yet: call the model once before the optimizer is made and watched")
        if parameter.device.type != "cpu":
            raise TraceError(f"{user_line()}: {name} is on {parameter.device}, and an iteration is traced on the CPU: move the model there")
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        raise TraceError(f"{user_line()}: the optimizer holds no parameter of this model: make it from model.parameters()")


def _no_loss(loss: Callable | None) -> str:
    if loss is None:
        return "watch has seen no loss: give it loss=, or let the model return the loss"
    if isinstance(loss, nn.Module):
        return f"backward came to no loss of {type(loss).__name__}, which watch was given: is it the module that the loop calls?"
    return (
        f"watch was given the function {getattr(loss, '__name__', type(loss).__name__)} as its loss and cannot see it being called: "
        "call watched.loss(output, target) in the loop (with nnviz.watch(…) as watched), or give a module, such as torch.nn.MSELoss()"
    )


def _number(losses: list[LossCall]) -> float | None:
    """The loss of a step; of several each counts as backward took it, but never more than once."""
    if len(losses) < 2:
        return losses[0].number if losses else None
    weights = [call.weight for call in losses]
    return sum(call.number * weight for call, weight in zip(losses, weights, strict=True)) / max(1.0, *weights)
