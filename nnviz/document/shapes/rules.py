"""One table: per kind of layer its output shape and parameters from the shapes of its inputs, and what is wrong where they do not fit.

Only arithmetic on shapes. A rule knows its own layer alone; a fix becomes edits where the layers that feed it are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt, prod

import msgspec

from nnviz.document.catalog import LAYERS
from nnviz.document.network import Layer
from nnviz.document.problems import Refused
from nnviz.document.shapes.fixes import FixAt, change_itself, change_sources, insert_before

Shape = tuple[int, ...]


class LayerShape(msgspec.Struct, frozen=True):
    """What one layer puts out, and its parameters by tensor name. Shapes leave the batch out; None where a problem hides it."""

    output_shape: Shape | None
    parameters: dict[str, Shape] = {}
    buffers: dict[str, Shape] = {}
    """Shapes of what it carries along in training without a gradient and answers with: running statistics, by tensor name."""
    working: int = 0
    """How many numbers a row needs inside the layer besides its output, roughly: gates of all time steps, attention scores."""

    @property
    def count(self) -> int:
        """How many numbers its parameters hold."""
        return sum(prod(shape) for shape in self.parameters.values())


def parameters_by_name(layers: Mapping[str, LayerShape]) -> dict[str, Shape]:
    """Return the shape of every parameter by its whole name, as h1.weight."""
    return {f"{id}.{tensor}": shape for id, layer in layers.items() for tensor, shape in layer.parameters.items()}


def buffers_by_name(layers: Mapping[str, LayerShape]) -> dict[str, Shape]:
    """Return the shape of every buffer by its whole name, as n1.running_mean."""
    return {f"{id}.{tensor}": shape for id, layer in layers.items() for tensor, shape in layer.buffers.items()}


class LayerProblem(Refused):
    """What is wrong with one layer, with which of its fields, and the fixes, the best first."""

    def __init__(self, message: str, cure: str, field: str = "", fixes: tuple[FixAt, ...] = ()) -> None:
        super().__init__(message, cure)
        self.field = field
        self.fixes = fixes


FLATTEN = insert_before("Add a flatten layer before it", "flatten")
SEQUENCES = change_sources("Let the layer before return its whole sequence", return_sequences=True)


def _reshaped(shape: Shape) -> FixAt:
    return insert_before(f"Add a reshape to {written(shape)} before it", "reshape", shape=list(shape))


# --- vectors ---


def _input(layer: Layer) -> LayerShape:
    return LayerShape(tuple(layer["shape"]))


def _affine(units: int, x: Shape, bias: bool = True, name: str = "") -> dict[str, Shape]:
    return {f"{name}weight": (units, *x)} | ({f"{name}bias": (units,)} if bias else {})


def _check_vector(label: str, x: Shape) -> None:
    if len(x) != 1:
        raise LayerProblem(f"{label} takes a vector, and {written(x)} comes in.", "Add a Flatten layer before it.", fixes=(FLATTEN,))


def _dense(layer: Layer, x: Shape) -> LayerShape:
    """As torch's Linear it acts on the last axis: at every time step, and at every row of an image, the same weights."""
    if not x:
        raise LayerProblem("A dense layer takes at least one feature, and a scalar comes in.", "Give it a vector.")
    return LayerShape((*x[:-1], layer["units"]), _affine(layer["units"], x[-1:], layer["bias"]))


def _gaussian_latent(layer: Layer, x: Shape) -> LayerShape:
    _check_vector("A Gaussian latent layer", x)
    units = layer["units"]
    return LayerShape((units,), _affine(units, x, name="mean.") | _affine(units, x, name="log_variance."), working=6 * units)


def _random(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape((layer["units"],))


def _unchanged(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape(x)


def _batch_norm(layer: Layer, x: Shape) -> LayerShape:
    features = x[-1:] if len(x) == 2 else x[:1]  # [time, features], else the first axis counts them
    statistics = {"running_mean": features, "running_var": features}
    return LayerShape(x, {"weight": features, "bias": features}, statistics, prod(x))


def _layer_norm(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape(x, {"weight": x[-1:], "bias": x[-1:]}, working=prod(x))


def _flatten(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape((prod(x),))


def _reshape(layer: Layer, x: Shape) -> LayerShape:
    shape = tuple(layer["shape"])
    if prod(shape) != prod(x):
        raise LayerProblem(
            f"{written(shape)} has {prod(shape):,} elements, and {written(x)} with {prod(x):,} comes in.",
            f"Choose a shape of {prod(x):,} elements.",
            "shape",
            (change_itself(f"Reshape to {written(_like(shape, prod(x)))}", shape=list(_like(shape, prod(x)))),),
        )
    return LayerShape(shape)


def _like(shape: Shape, count: int) -> Shape:
    """Return a shape of so many elements that keeps all sizes but one of `shape`, or a vector if none can be kept."""
    for axis in range(len(shape)):
        rest = prod(shape) // shape[axis]
        if count % rest == 0:
            return (*shape[:axis], count // rest, *shape[axis + 1 :])
    return (count,)


# --- joining ---


def _alike(layer: Layer, *sources: Shape) -> LayerShape:
    if len(set(sources)) > 1:
        label = LAYERS[layer.kind].label
        fixes = _as_wide(sources[0][0]) if all(len(shape) == 1 for shape in sources) else ()
        message = f"{label} takes inputs of one shape, and {_all_written(sources)} come in."
        raise LayerProblem(message, "Give the layers before it the same number of units.", fixes=fixes)
    return LayerShape(sources[0])


def _met(layer: Layer, *sources: Shape) -> LayerShape:
    return LayerShape(_alike(layer, *sources).output_shape, working=prod(sources[0]))  # in the discriminator's iterations twice the rows


def _as_wide(units: int) -> tuple[FixAt, ...]:
    """Change the layers before, where they have units; else put a dense layer behind those of another width."""
    label = f"Add a dense layer of {units} units behind the other"
    return change_sources(f"Give all of them {units} units", units=units), insert_before(label, "dense", only_odd=True, units=units)


def _concat(layer: Layer, *sources: Shape) -> LayerShape:
    axis = layer["axis"] - 1
    if axis >= min(map(len, sources)):
        fewest = min(map(len, sources))
        message = f"Concat joins along axis {axis + 1}, and {_all_written(sources)} come in."
        raise LayerProblem(message, f"Set axis to {fewest} or less.", "axis", (change_itself(f"Set axis to {fewest}", axis=fewest),))
    if len({(*shape[:axis], *shape[axis + 1 :]) for shape in sources}) > 1 or len({len(shape) for shape in sources}) > 1:
        ordinal = "first size" if axis == 0 else f"size {axis + 1}"
        raise LayerProblem(
            f"Concat takes inputs that differ in their {ordinal} only, and {_all_written(sources)} come in.",
            "Make the other sizes equal, or add a Flatten layer before each.",
            fixes=(FLATTEN,) if axis == 0 else (),
        )
    return LayerShape((*sources[0][:axis], sum(shape[axis] for shape in sources), *sources[0][axis + 1 :]))


# --- sequences ---


def _check_sequence(label: str, x: Shape) -> None:
    if len(x) == 2:
        return
    image = (_reshaped(x[1:] if x[0] == 1 else (x[0], prod(x[1:]))),) if len(x) > 2 else ()
    fixes = (SEQUENCES, _reshaped((x[0], 1))) if len(x) == 1 else image
    cure = (
        "Let the layer before return its sequence, or add a Reshape layer." if len(x) == 1 else "Add a Reshape layer to [time, features]."
    )
    raise LayerProblem(f"{label} takes a sequence [time, features], and {written(x)} comes in.", cure, fixes=fixes)


def _recurrent(layer: Layer, x: Shape) -> LayerShape:
    _check_sequence({"rnn": "An RNN", "lstm": "An LSTM", "gru": "A GRU"}[layer.kind], x)
    units, directions = layer["units"], 1 + layer["bidirectional"]
    rows = units * (len(LAYERS[layer.kind].gates) or 1)
    parameters: dict[str, Shape] = {}
    for number in range(layer["num_layers"]):
        features = x[1] if number == 0 else units * directions
        for direction in ("", "_reverse")[:directions]:
            parameters |= {
                f"weight_ih_l{number}{direction}": (rows, features),
                f"weight_hh_l{number}{direction}": (rows, units),
                f"bias_l{number}{direction}": (rows,),
            }
    output = (x[0], units * directions) if layer["return_sequences"] else (units * directions,)
    return LayerShape(output, parameters, working=x[0] * rows * directions * layer["num_layers"] * 2)


def _check_whole_numbers(label: str, x: Shape) -> None:
    if len(x) != 1:
        message = f"{label} takes a vector of whole numbers [time], and {written(x)} comes in."
        raise LayerProblem(message, "Add a Flatten layer before it.", fixes=(FLATTEN,))


def _embedding(layer: Layer, x: Shape) -> LayerShape:
    _check_whole_numbers("An embedding", x)
    return LayerShape((x[0], layer["embedding_dim"]), {"weight": (layer["num_embeddings"], layer["embedding_dim"])})


def _one_hot(layer: Layer, x: Shape) -> LayerShape:
    _check_whole_numbers("One-hot", x)
    return LayerShape((x[0], layer["num_classes"]))


def _positional_encoding(layer: Layer, x: Shape) -> LayerShape:
    _check_sequence("A positional encoding", x)
    return LayerShape(x)


# --- attention ---


def _attention_parameters(features: int, name: str = "") -> dict[str, Shape]:
    return {
        f"{name}in_proj_weight": (3 * features, features),
        f"{name}in_proj_bias": (3 * features,),
        f"{name}out_proj.weight": (features, features),
        f"{name}out_proj.bias": (features,),
    }


def _check_heads(layer: Layer, x: Shape) -> None:
    heads, features = layer["num_heads"], x[1]
    if features % heads:
        fitting = max(count for count in range(1, heads + 1) if features % count == 0)
        message = f"{heads} heads share {features} features, which does not come out even."
        cure = f"Set num_heads to a divisor of {features}."
        raise LayerProblem(message, cure, "num_heads", (change_itself(f"Set num_heads to {fitting}", num_heads=fitting),))


def _attention(layer: Layer, x: Shape) -> LayerShape:
    _check_sequence("Self-attention", x)
    _check_heads(layer, x)
    return LayerShape(x, _attention_parameters(x[1]), working=4 * prod(x) + 3 * layer["num_heads"] * x[0] ** 2)


def _encoder_block(layer: Layer, x: Shape) -> LayerShape:
    _check_sequence("An encoder block", x)
    _check_heads(layer, x)
    units, features = layer["units"], x[1:]
    parameters = _attention_parameters(x[1], "self_attn.") | _affine(units, features, name="linear1.")
    parameters |= _affine(x[1], (units,), name="linear2.")
    parameters |= {f"norm{number}.{tensor}": features for number in (1, 2) for tensor in ("weight", "bias")}
    return LayerShape(x, parameters, working=10 * prod(x) + 3 * layer["num_heads"] * x[0] ** 2 + 2 * x[0] * units)


# --- windows ---


def _windows(layer: Layer, sizes: Shape) -> Shape:
    """Return how many windows fit along each axis. Raises LayerProblem if not even one does."""
    kernel, padding = layer["kernel_size"], layer["padding"]
    stride = layer["stride"] or kernel
    largest = min(sizes) + 2 * padding
    if kernel > largest:
        message = f"A window of {kernel} is larger than the {min(sizes)} places that come in{' with their padding' if padding else ''}."
        fixes = (change_itself(f"Set kernel_size to {largest}", kernel_size=largest),)
        raise LayerProblem(message, f"Set kernel_size to {largest} or less.", "kernel_size", fixes)
    return tuple((size + 2 * padding - kernel) // stride + 1 for size in sizes)


def _conv1d(layer: Layer, x: Shape) -> LayerShape:
    _check_sequence("A 1-D convolution", x)
    channels = layer["out_channels"]
    parameters = _affine(channels, (x[1], layer["kernel_size"]), layer["bias"])
    return LayerShape((*_windows(layer, x[:1]), channels), parameters)


def _conv2d(layer: Layer, x: Shape) -> LayerShape:
    if len(x) != 3:
        raise LayerProblem(
            f"A 2-D convolution takes an image [channels, height, width], and {written(x)} comes in.",
            "Give the input layer the shape of an image, or add a Reshape layer.",
            fixes=_as_image(x),
        )
    channels, kernel = layer["out_channels"], layer["kernel_size"]
    return LayerShape((channels, *_windows(layer, x[1:])), _affine(channels, (x[0], kernel, kernel), layer["bias"]))


def _as_image(x: Shape) -> tuple[FixAt, ...]:
    if len(x) == 1:
        side = isqrt(x[0])
        return (_reshaped((1, side, side)),) if side * side == x[0] else (_reshaped((1, 1, x[0])),)
    return (_reshaped((1, *x)),) if len(x) == 2 else ()


def _pool(layer: Layer, x: Shape) -> LayerShape:
    _check_places("Pooling", x)
    half = layer["kernel_size"] // 2
    if layer["padding"] > half:
        message = f"A padding of {layer['padding']} is more than half the window of {layer['kernel_size']}."
        raise LayerProblem(message, f"Set padding to {half} or less.", "padding", (change_itself(f"Set padding to {half}", padding=half),))
    return LayerShape((*_windows(layer, x[:1]), x[1]) if len(x) == 2 else (x[0], *_windows(layer, x[1:])))


def _global_pool(layer: Layer, x: Shape) -> LayerShape:
    _check_places("Global pooling", x)
    return LayerShape(x[1:] if len(x) == 2 else x[:1])


def _spatial_dropout(layer: Layer, x: Shape) -> LayerShape:
    _check_places("Spatial dropout", x)
    return LayerShape(x)


def _check_places(label: str, x: Shape) -> None:
    if len(x) not in (2, 3):
        fixes = (SEQUENCES, *_as_image(x)) if len(x) == 1 else ()
        message = f"{label} takes [time, features] or an image [channels, height, width], and {written(x)} comes in."
        raise LayerProblem(message, "Add a Reshape layer before it.", fixes=fixes)


RULES: dict[str, Callable[..., LayerShape]] = {
    "input": _input,
    "dense": _dense,
    "activation": _unchanged,
    "dropout": _unchanged,
    "spatial_dropout": _spatial_dropout,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "add": _alike,
    "multiply": _alike,
    "concat": _concat,
    "flatten": _flatten,
    "reshape": _reshape,
    "conv1d": _conv1d,
    "conv2d": _conv2d,
    "max_pool": _pool,
    "avg_pool": _pool,
    "global_pool": _global_pool,
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _recurrent,
    "embedding": _embedding,
    "one_hot": _one_hot,
    "positional_encoding": _positional_encoding,
    "attention": _attention,
    "encoder_block": _encoder_block,
    "gaussian_latent": _gaussian_latent,
    "noise": _unchanged,
    "random": _random,
    "real_or_generated": _met,
}


def written(shape: Shape) -> str:
    """Return the shape as a document writes it."""
    return f"[{', '.join(map(str, shape))}]"


def _all_written(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(written(shape) for shape in shapes)
