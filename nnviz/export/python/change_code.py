"""A change that was made while a run went on, as statements: what it sets, what goes on from before, and what starts anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer
from nnviz.document.shapes.report import examine
from nnviz.export.python.net_code import attribute, is_torchs_net, net_name, tensor_name
from nnviz.export.python.python_text import (
    FEW_NUMBERS,
    Bracketed,
    CallSource,
    Keyed,
    Source,
    WeightConstant,
    assigned,
    comment,
    laid_out,
    quoted,
)
from nnviz.export.python.run_course import RunCourse, begun_anew
from nnviz.export.python.start_code import new_layers, set_lines
from nnviz.export.python.training_code import (
    has_factors,
    has_locks,
    is_scheduled,
    learns,
    locks_source,
    locks_vary,
    loss_name,
    optimizer_source,
    schedule_name,
    schedules,
    sides_lines,
)
from nnviz.records.tensors import Array
from nnviz.text import change_text

LOOP_VARIABLES = ("batch_size", "l1", "l2", "clip_norm", "clip_value", "early_stopping")
"""Fields of the training that are variables of the loop where they change."""

MEMORY = '''def with_memory_of(old, new):
    """Return the new optimizer with what the old one remembers of its parameters."""
    for group in new.param_groups:
        for parameter in group["params"]:
            if parameter in old.state:
                new.state[parameter] = old.state[parameter]
    return new'''
CARRY_OVER = '''@torch.no_grad()
def carry_over(old, new, old_optimizer, new_optimizer, anew=(), forget=False):
    """Give the new network whatever of the old one fits by name and shape."""
    before = old.state_dict(keep_vars=True)
    for name, tensor in new.state_dict(keep_vars=True).items():
        former = before.get(name)
        is_kept = former is not None and former.shape == tensor.shape
        if is_kept and name.split(".")[0] not in anew:
            tensor.copy_(former)
            if not forget and tensor.requires_grad and former in old_optimizer.state:
                new_optimizer.state[tensor] = old_optimizer.state[former]'''
_LATE_STATE = {
    "rmsprop": {"momentum": "momentum_buffer", "centered": "grad_avg"},
    "adam": {"amsgrad": "max_exp_avg_sq"},
    "adamw": {"amsgrad": "max_exp_avg_sq"},
    "sgd": {"momentum": "momentum_buffer"},
}
"""What an optimizer remembers only while a setting is on."""


class RecordedChange(NamedTuple):
    """One change: the iteration it was made behind, its place among the experiments, and the experiment before and behind it."""

    iteration: int
    place: int
    old: Experiment
    new: Experiment


def steps(course: RunCourse) -> list[RecordedChange]:
    """Return the changes of a run."""
    return [RecordedChange(change.iteration, place + 1, old, change.experiment) for place, (change, old) in enumerate(course.changes)]


def needs_memory(course: RunCourse) -> bool:
    """Return whether an optimizer is made anew that goes on from another, or over some of the parameters alone."""
    return any(step.place in course.rebuilds or _is_made_anew(step) for step in steps(course))


def step_lines(course: RunCourse, step: RecordedChange, margin: int) -> list[str]:
    """Return the statements that make a change, its comment first."""
    said = "; ".join(change_text.differences(step.old, step.new)) or "changed, and back to what it was"
    lines = comment(said, margin)
    lines += _rebuilt(course, step, margin) if step.place in course.rebuilds else _kept(course, step, margin)
    return lines + _settings(course, step, margin)


# --- the network ---


def _rebuilt(course: RunCourse, step: RecordedChange, margin: int) -> list[str]:
    old, new = step.old, step.new
    before, after = (examine(one).settable_by_name for one in (old, new))
    anew = begun_anew(old.network, new.network)
    lines = [f"former, model = model, {net_name(course, new.network)}()"]
    if new_layers(course, step.place):
        lines.append(f"initialize_at_{course.moment(step.place)}(model)")
    fresh = {name: values for name, values in new.weights.items() if before.get(name) != after.get(name) or name.split(".")[0] in anew}
    lines += _weight_lines(course, fresh, new, margin)
    lines += [frozen_line(layer, margin) for layer in new.network.in_order() if layer.frozen and learns(layer)]
    if course.has_dropout and not new.training.dropout:
        lines.append("switch_dropout(model, False)")
    lines += sides_lines(new) if course.sides else []
    lines += ["memory = optimizer", assigned("optimizer", optimizer_source(new, True), margin)]
    given: list[Source] = ["former", "model", "memory", "optimizer"]
    given += [Keyed("anew=", Bracketed("[", tuple(quoted(attribute(id)) for id in anew), "]"))] if anew else []
    given += ["forget=True"] if old.training.optimizer.kind != new.training.optimizer.kind else []
    lines.append(laid_out(CallSource("carry_over", tuple(given)), margin=margin))
    edited = {name: values for name, values in _edited(old, new).items() if name not in fresh}
    lines += _weight_lines(course, edited, new, margin, step)
    return lines + _adapted(old, new)


def _kept(course: RunCourse, step: RecordedChange, margin: int) -> list[str]:
    old, new = step.old, step.new
    lines = _weight_lines(course, _edited(old, new), new, margin, step)
    if course.sides and (_is_made_anew(step) or old.training.optimizer.kind != new.training.optimizer.kind):
        lines += ["for parameter in generating + judging:", "    parameter.requires_grad_(True)"]
    for layer in new.network.in_order():
        if layer.frozen != old.network.layer(layer.id).frozen and learns(layer):
            lines.append(frozen_line(layer, margin))
    if course.sides and _is_made_anew(step):
        lines += sides_lines(new)
    choice, before = new.training.optimizer, old.training.optimizer
    if before.kind != choice.kind:
        lines.append(assigned("optimizer", optimizer_source(new, needs_memory(course)), margin))
    elif _is_made_anew(step):
        lines += ["memory = optimizer", assigned("optimizer", optimizer_source(new, True), margin)]
        lines.append("optimizer = with_memory_of(memory, optimizer)")
        lines += _adapted(old, new)
    elif choice["learning_rate"] != before["learning_rate"] and not is_scheduled(course):
        rate = repr(choice["learning_rate"])
        value = f'{rate} * group["factor"]' if has_factors(new) else rate
        lines += ["for group in optimizer.param_groups:", f'    group["lr"] = {value}']
    return lines


def frozen_line(layer: Layer, margin: int) -> str:
    """Return the statement that lets training leave a layer as it is, or change it again."""
    call = CallSource(f"model.{attribute(layer.id)}.requires_grad_", (str(not layer.frozen),))
    if not layer.frozen and is_torchs_net(layer):
        call = CallSource("with_one_bias", (call,))
    return laid_out(call, margin=margin)


def _is_made_anew(step: RecordedChange) -> bool:
    """Whether the optimizer goes on as another one, over other parameters or with other settings than its learning rate."""
    if step.old.training.optimizer.kind != step.new.training.optimizer.kind:
        return False
    settings = [dict(one.training.optimizer.settings) | {"learning_rate": 0} for one in (step.old, step.new)]
    layers = [[(layer.id, layer.frozen, layer.learning_rate_factor) for layer in one.network] for one in (step.old, step.new)]
    return settings[0] != settings[1] or layers[0] != layers[1]


def _adapted(old: Experiment, new: Experiment) -> list[str]:
    """What a setting needs that has been switched on starts at 0; what one needed that is off is forgotten."""
    before, choice, lines = old.training.optimizer, new.training.optimizer, []
    if before.kind != choice.kind:
        return lines
    for setting, key in _LATE_STATE.get(choice.kind, {}).items():
        if before[setting] and not choice[setting]:
            lines += ["for state in optimizer.state.values():", f'    state.pop("{key}", None)']
        elif choice[setting] and not before[setting] and choice.kind != "sgd":
            lines += ["for parameter, state in optimizer.state.items():", f'    state["{key}"] = torch.zeros_like(parameter)']
    return lines


# --- weights ---


def _edited(old: Experiment, new: Experiment) -> dict[str, Any]:
    """The weights set by hand that are not what they were."""
    return {name: values for name, values in new.weights.items() if name not in old.weights or old.weights[name] != values}


def _weight_lines(
    course: RunCourse, own: dict[str, Any], experiment: Experiment, margin: int, step: RecordedChange | None = None
) -> list[str]:
    if not own:
        return []
    if step and _size(own) > FEW_NUMBERS:
        return [f"load(model, {_constant(course, step)})"]
    return ["with torch.no_grad():", *(f"    {line}" for line in set_lines(own, experiment.network, margin + 4))]


def _size(own: dict[str, Any]) -> int:
    return sum(np.size(values) for values in own.values())


def _constant(course: RunCourse, step: RecordedChange) -> str:
    return f"SET_AT_{course.moment(step.place)}"


def edited_weights(course: RunCourse) -> Iterator[WeightConstant]:
    """Yield what was set by hand on the way, where it is too much to be written between the lines."""
    for step in steps(course):
        own = _edited(step.old, step.new)
        if own and _size(own) > FEW_NUMBERS:
            arrays = {tensor_name(name, step.new.network): _array(values, step.new.precision) for name, values in own.items()}
            yield WeightConstant(_constant(course, step), arrays)


def _array(values: Any, precision: str) -> Array:
    found = np.array(values, dtype=precision)
    return Array(precision, found.shape, found.tobytes())


# --- settings of the training ---


def _settings(course: RunCourse, step: RecordedChange, margin: int) -> list[str]:
    old, new = step.old.training, step.new.training
    lines = [f"{name} = {getattr(new, name)!r}" for name in LOOP_VARIABLES if getattr(old, name) != getattr(new, name)]
    if new.dropout != old.dropout and course.has_dropout and step.place not in course.rebuilds:
        lines.append(f"switch_dropout(model, {new.dropout})")
    if new.loss != old.loss:
        lines.append(f"loss_function = {loss_name(course, step.new)}")
    if is_scheduled(course):
        lines += _rate_settings(course, step, margin)
    if has_locks(course) and locks_vary(course) and step.old.locks != step.new.locks:
        lines.append(assigned("locks", locks_source(step.new), margin))
    is_comparable = all(getattr(old, name) == getattr(new, name) for name in ("loss", "l1", "l2")) and step.old.network == step.new.network
    has_plateau = any(one.kind == "plateau" for one in schedules(course))
    if has_plateau and not (is_comparable and old.schedule == new.schedule):
        lines.append("lowest, waited_for, cooldown, reductions = math.inf, 0, 0, 0")
    if course.ever("early_stopping") and not is_comparable:
        lines.append("best_loss, best_weights, waited = math.inf, None, 0")
    return lines


def _rate_settings(course: RunCourse, step: RecordedChange, margin: int) -> list[str]:
    old, new, lines = step.old.training, step.new.training, []
    if old.optimizer["learning_rate"] != new.optimizer["learning_rate"]:
        lines.append(f"base_rate = {new.optimizer['learning_rate']!r}")
    if old.schedule != new.schedule:
        lines.append(f"rate_of = {schedule_name(course, new.schedule)}")
        if any(one.kind == "plateau" for one in schedules(course)):
            lines.append(assigned("plateau", plateau_source(new.schedule.kind, new.schedule.settings), margin))
    return lines


def plateau_source(kind: str, settings: dict[str, Any]) -> Source:
    """Return the settings of a plateau schedule as a dict; None for any other."""
    if kind != "plateau":
        return "None"
    return Bracketed("{", tuple(f'"{name}": {settings[name]!r}' for name in ("threshold", "patience", "cooldown")), "}")
