"""What can be done about a finding: edits of the document, the most promising first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nnviz.document import edits
from nnviz.document.catalog import layer_kind
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer
from nnviz.document.problems import Fix, FixStep, Refused, fix, step
from nnviz.document.shapes.report import examine
from nnviz.document.shapes.rows import held_out
from nnviz.records.finding import Finding

Cure = Callable[[Experiment, Finding], Fix | None]
"""Makes the fix for a document; None where it has no place there."""

_HIDDEN = ("dense", "conv1d", "conv2d", "rnn", "activation")
"""Kinds of layers with an activation function that can be exchanged."""


def cures(finding: Finding, experiment: Experiment) -> tuple[Fix, ...]:
    """Return the edits that may cure it, each of which `edits.apply_fix` makes; none where only a person can tell."""
    found = [cure(experiment, finding) for cure in _CURES.get(finding.kind, ())]
    possible = [one for one in (*_of_the_document(finding, experiment), *found) if one and _can_be_made(one, experiment)]
    return tuple({one.label: one for one in possible}.values())


def _can_be_made(one: Fix, experiment: Experiment) -> bool:
    try:
        changed = edits.apply_fix(experiment, one)
    except Refused:
        return False
    return changed != experiment and not examine(changed).problems


def _of_the_document(finding: Finding, experiment: Experiment) -> Iterable[Fix | None]:
    """The fix that goes with what the document's own check warns of."""
    if finding.kind in ("output_range", "no_non_linearity"):
        yield from (warning.fix for warning in examine(experiment).warnings if finding.layer in ("", warning.layer))


# --- the learning rate and the updates ---


def _rate(factor: float) -> Cure:
    def cure(experiment: Experiment, finding: Finding) -> Fix:
        rate = float(f"{experiment.training.optimizer['learning_rate'] * factor:.3g}")
        return fix(f"Learning rate {rate:g}", step("change_optimizer", learning_rate=rate))

    return cure


def _usual_rate(experiment: Experiment, finding: Finding) -> Fix:
    rate = 0.1 if experiment.training.optimizer.kind in ("sgd", "adagrad") else 0.01
    return fix(f"Learning rate {rate:g}", step("change_optimizer", learning_rate=rate))


def _adam(experiment: Experiment, finding: Finding) -> Fix | None:
    if experiment.training.optimizer.kind in ("adam", "adamw"):
        return None
    return fix("Adam, learning rate 0.01", step("choose_optimizer", kind="adam"), step("change_optimizer", learning_rate=0.01))


def _clip(experiment: Experiment, finding: Finding) -> Fix | None:
    return None if experiment.training.clip_norm else fix("Clip gradients to norm 1", step("change_training", clip_norm=1.0))


def _no_clip(experiment: Experiment, finding: Finding) -> Fix | None:
    return (
        fix("Clip less: norm ×10", step("change_training", clip_norm=10 * experiment.training.clip_norm))
        if experiment.training.clip_norm
        else None
    )


def _larger_batch(experiment: Experiment, finding: Finding) -> Fix | None:
    size = experiment.training.batch_size
    return fix(f"Batch size {4 * size}", step("change_training", batch_size=4 * size)) if size else None


# --- the start ---


def _usual_start(experiment: Experiment, finding: Finding) -> Fix | None:
    return _start(experiment, "")


def _xavier(experiment: Experiment, finding: Finding) -> Fix | None:
    return _start(experiment, "xavier_uniform")


def _start(experiment: Experiment, initializer: str) -> Fix | None:
    """Every layer begins with this; "": He before a ReLU, Xavier before the others. Weights set by hand are given up."""
    steps = []
    for layer in experiment.network:
        if not layer_kind(layer.kind).initialized:
            continue
        wanted = initializer or ("he_uniform" if layer.settings.get("activation") in ("relu", "leaky_relu") else "xavier_uniform")
        steps += [step("set_initializer", id=layer.id, initializer=wanted)] * (layer.initializer != wanted)
        steps += [step("set_gain", id=layer.id, gain=1.0)] * (layer.gain != 1.0)
        steps += [step("clear_weights", id=layer.id)] * any(name.startswith(f"{layer.id}.") for name in experiment.weights)
    label = "Xavier start" if initializer else "Start with He and Xavier"
    return fix(label, *steps) if steps else None


def _smaller_last_layer(experiment: Experiment, finding: Finding) -> Fix | None:
    last = next((layer for layer in reversed(experiment.network.in_order()) if layer_kind(layer.kind).initialized), None)
    if last is None:
        return None
    by_hand = [step("clear_weights", id=last.id)] * any(name.startswith(f"{last.id}.") for name in experiment.weights)
    small = (step("set_initializer", id=last.id, initializer="xavier_uniform"), step("set_gain", id=last.id, gain=0.1))
    return fix(f"Start {last.title} with small weights", *by_hand, *small)


def _standardise(experiment: Experiment, finding: Finding) -> Fix:
    return fix("Standardise the input", step("change_data", scaling="standardise"))


def _min_max(experiment: Experiment, finding: Finding) -> Fix:
    return fix("Scale the input to 0…1", step("change_data", scaling="min_max"))


# --- the network ---


def _function(name: str, label: str, *only: str) -> Cure:
    """Every hidden layer gets this function; `only`: those that have one of these."""

    def cure(experiment: Experiment, finding: Finding) -> Fix | None:
        steps: list[FixStep] = []
        for layer in _hidden(experiment):
            field = "function" if layer.kind == "activation" else "activation"
            if layer.settings.get(field) not in ("identity", "softmax", name, None) and (not only or layer.settings[field] in only):
                steps.append(step("change_layer", id=layer.id, **{field: name}))
                is_drawn = layer_kind(layer.kind).initialized and name in ("relu", "leaky_relu")
                steps += [step("set_initializer", id=layer.id, initializer="he_uniform")] * (is_drawn and not only)
        return fix(label, *steps) if steps else None

    return cure


def _hidden(experiment: Experiment) -> list[Layer]:
    """Layers with a function of their own, but the last."""
    end = examine(experiment).output
    return [layer for layer in experiment.network.in_order() if layer.kind in _HIDDEN and layer.id != end]


def _norm(kind: str, label: str) -> Cure:
    def cure(experiment: Experiment, finding: Finding) -> Fix | None:
        hidden = [layer for layer in _hidden(experiment) if layer.kind in ("dense", "conv2d") and not _is_normed(experiment, layer.id)]
        return fix(label, *(step("add_layer", kind=kind, after=layer.id) for layer in hidden)) if hidden else None

    return cure


def _is_normed(experiment: Experiment, id: str) -> bool:
    followers = (link.target for link in experiment.network.links if link.source == id)
    return any(experiment.network.layer(follower).kind in ("batch_norm", "layer_norm") for follower in followers)


def _residual(experiment: Experiment, finding: Finding) -> Fix | None:
    """A link around every hidden dense layer that puts out as much as it takes."""
    shapes = {id: layer.output_shape for id, layer in examine(experiment).layers.items()}
    steps, grown = [], experiment
    for layer in _hidden(experiment):
        before = grown.network.inputs_of(layer.id)
        source = before[0] if before else ""
        known = shapes.get(source) or shapes.get(layer.id)  # a sum that was just added has the shape of its layer
        if layer.kind != "dense" or len(before) != 1 or shapes.get(layer.id) != known or experiment.network.inputs_of(layer.id) == ():
            continue
        if any(grown.network.layer(link.target).kind == "add" for link in grown.network.links if link.source == layer.id):
            continue
        if grown.network.layer(source).kind == "input":
            continue
        sum_id = edits.new_id(grown, "add")
        both = (step("add_layer", kind="add", after=layer.id), step("connect_layers", source=source, target=sum_id))
        grown = edits.apply_fix(grown, fix("", *both))
        steps += both
    return fix("A link around every hidden layer", *steps) if steps else None


def _dropout(experiment: Experiment, finding: Finding) -> Fix | None:
    wide = [layer for layer in _hidden(experiment) if layer.kind == "dense"]
    drops = any(layer.kind == "dropout" for layer in experiment.network)
    return None if drops or not wide else fix("Dropout 0.3", *(step("add_layer", kind="dropout", after=layer.id, p=0.3) for layer in wide))


def _hidden_layer(experiment: Experiment, finding: Finding) -> Fix | None:
    """For a net that has no function in it: a straight line cannot tell apart what is not on two sides of it."""
    end = examine(experiment).output
    sources = experiment.network.inputs_of(end)
    has_function = any(layer.settings.get("activation") not in (None, "identity") for layer in _hidden(experiment))
    if has_function or len(sources) != 1 or experiment.network.layer(end).kind != "dense":
        return None
    added = step("add_layer", kind="dense", between=(sources[0], end), units=16, activation="relu")
    return fix("A hidden layer of 16 ReLU units", added)


def _fewer_units(experiment: Experiment, finding: Finding) -> Fix | None:
    wide = [layer for layer in _hidden(experiment) if layer.kind == "dense" and layer["units"] >= 8]
    return (
        fix("A quarter of the units", *(step("change_layer", id=layer.id, units=layer["units"] // 4) for layer in wide)) if wide else None
    )


def _more_units(experiment: Experiment, finding: Finding) -> Fix | None:
    narrow = [layer for layer in _hidden(experiment) if layer.kind == "dense" and layer["units"] <= 64]
    return (
        fix("Four times the units", *(step("change_layer", id=layer.id, units=4 * layer["units"]) for layer in narrow)) if narrow else None
    )


# --- penalties, dropout, stopping ---


def _weaker_penalty(experiment: Experiment, finding: Finding) -> Fix:
    training = experiment.training
    steps = [step("change_training", l1=training.l1 / 100, l2=training.l2 / 100)] if training.l1 or training.l2 else []
    if decay := training.optimizer.settings.get("weight_decay"):
        steps.append(step("change_optimizer", weight_decay=decay / 100))
    return fix("A hundredth of the penalty", *steps)


def _penalty(experiment: Experiment, finding: Finding) -> Fix | None:
    return None if experiment.training.l2 else fix("L2 penalty 0.01", step("change_training", l2=0.01))


def _early_stopping(experiment: Experiment, finding: Finding) -> Fix | None:
    if experiment.training.early_stopping or not held_out(experiment.data):
        return None
    return fix("Stop early, after 10 epochs without gain", step("change_training", early_stopping=10))


def _less_dropout(experiment: Experiment, finding: Finding) -> Fix | None:
    dropping = [layer for layer in experiment.network if layer.settings.get("p")]
    return (
        fix("A third of the dropout", *(step("change_layer", id=layer.id, p=round(layer["p"] / 3, 3)) for layer in dropping))
        if dropping
        else None
    )


def _layer_norm_instead(experiment: Experiment, finding: Finding) -> Fix | None:
    steps, grown = [], experiment
    for layer in experiment.network:
        if layer.kind == "batch_norm":
            both = (step("add_layer", kind="layer_norm", after=layer.id), step("remove_layers", ids=(layer.id,)))
            grown, steps = edits.apply_fix(grown, fix("", *both)), [*steps, *both]
    return fix("Layer norm instead of batch norm", *steps) if steps else None


_RELU = _function("relu", "ReLU with He start")
_LEAKY = _function("leaky_relu", "Leaky ReLU", "relu")
_TANH = _function("tanh", "Tanh", "sigmoid")
_BATCH_NORM, _LAYER_NORM = _norm("batch_norm", "Batch norm"), _norm("layer_norm", "Layer norm")

_CURES: dict[str, tuple[Cure, ...]] = {
    "non_finite": (_rate(0.1), _rate(0.01), _clip, _standardise, _usual_start),
    "symmetric_start": (_usual_start,),
    "input_scale": (_standardise, _min_max, _rate(0.1)),
    "start_loss": (_smaller_last_layer, _usual_start, _standardise, _rate(10.0), _rate(100.0)),
    "exploding": (_usual_start, _LAYER_NORM, _clip, _no_clip, _rate(0.1)),
    "diverging": (_rate(0.1), _rate(0.01), _clip, _standardise, _adam),
    "rate_too_large": (_rate(0.1), _usual_rate, _adam, _larger_batch),
    "vanishing": (_RELU, _residual, _BATCH_NORM, _xavier, _TANH, _rate(10.0)),
    "dead_relu": (_LEAKY, _rate(0.1), _usual_start, _standardise),
    "saturated": (_usual_start, _BATCH_NORM, _RELU, _standardise),
    "penalty_dominates": (_weaker_penalty,),
    "rate_too_small": (_usual_rate, _rate(10.0), _rate(100.0), _adam),
    "data_ignored": (_hidden_layer, _rate(10.0), _rate(0.1), _RELU, _standardise),
    "overfitting": (_early_stopping, _penalty, _dropout, _fewer_units),
    "mode_gap": (_less_dropout, _larger_batch, _layer_norm_instead),
    "class_imbalance": (_rate(10.0), _rate(100.0), _more_units),
    "plateau": (_hidden_layer, _rate(10.0), _rate(0.1), _adam, _more_units),
}
"""By kind of finding, the most promising first."""
