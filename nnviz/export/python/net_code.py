"""A network as a torch module the way a person writes one: layers are attributes, `forward` follows the links.

Long because every kind of layer is written here.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable
from functools import partial
from math import prod
from textwrap import indent
from typing import NamedTuple

from nnviz.document import adversarial
from nnviz.document.network import Layer, Network, split_parameter
from nnviz.document.shapes.report import examine
from nnviz.export.python.python_text import WIDTH, Bracketed, CallSource, Source, assigned, block, flat, joined, laid_out, wrapped
from nnviz.export.python.run_course import RunCourse, computed

Shape = tuple[int, ...]

_METHODS = (
    "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval "
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia "
    "named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter "
    "register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory "
    "state_dict to to_empty train training type xpu zero_grad generate divergence"
)
MODULE_NAMES = frozenset(_METHODS.split())
"""Names that mean something else in a torch module, and in ours."""
_TAKEN = {"self", "torch", "F", "nn", "np", "math", "h", "count"}
_LONGEST_LOCAL = 14


def attribute(layer: str) -> str:
    """Return what a layer is called in its module."""
    is_taken = keyword.iskeyword(layer) or layer in MODULE_NAMES or layer.startswith("_")
    return f"layer_{layer.strip('_')}" if is_taken else layer


def tensor_name(name: str, network: Network) -> str:
    """Return what a parameter, or a running statistic, is called in the module."""
    id, tensor = split_parameter(name)
    if network.layer(id).kind in ("rnn", "lstm", "gru"):
        tensor = tensor.replace("bias_l", "bias_ih_l")
    return f"{attribute(id)}.{tensor}"


def is_torchs_net(layer: Layer) -> bool:
    """Return whether a recurrent layer is one of torch's, which has a second bias."""
    return layer.kind in ("lstm", "gru") or (layer.kind == "rnn" and layer["activation"] in ("tanh", "relu"))


class LayerSource(NamedTuple):
    """How one layer is written."""

    made: Source | None
    """What the attribute is, None for no attribute."""
    lines: Callable[[str, list[str], int], list[str]]
    """(output, inputs, margin) -> statements of `forward`; the output may be "return"."""
    classes: tuple[str, ...] = ()
    """Definitions it needs."""


def net_code(course: RunCourse) -> str:
    """Return the classes of all networks of the run, and what they need."""
    classes: dict[str, None] = {}
    nets = [_net(course, place, network, classes) for place, network in enumerate(course.networks)]
    return joined([*classes, *nets])


def net_name(course: RunCourse, network: Network) -> str:
    """Return what the class of a network is called."""
    place = next(place for place, one in enumerate(course.networks) if computed(one) == computed(network))
    return "Net" if not place else f"Net{place + 1}"


def _net(course: RunCourse, place: int, network: Network, classes: dict[str, None]) -> str:
    index, experiment = next((index, one) for index, one in enumerate(course.experiments) if computed(one.network) == computed(network))
    report = examine(experiment)
    shapes = {id: layer.output_shape for id, layer in report.layers.items()}
    layers = [layer for layer in network.in_order() if layer.kind not in ("input", "random", "real_or_generated")]
    sources = {layer.id: LAYER_SOURCES[layer.kind](layer, [shapes[id] for id in network.inputs_of(layer.id)]) for layer in layers}
    for source in sources.values():
        classes.update(dict.fromkeys(source.classes))
    name = "Net" if not place else f"Net{place + 1}"
    since = f" from iteration {course.run.changes[index - 1].iteration} on" if place else ""
    title = wrapped(experiment.title.replace("\\", "/").replace('"', "'"), WIDTH - 4 - 9 - len(since))
    lines = [f"class {name}(nn.Module):", f'    """{(title or ["The network"])[0].rstrip(".")}{since}."""', ""]
    lines += ["    def __init__(self):", "        super().__init__()"]
    lines += [line for layer in layers if (line := _made(layer, sources[layer.id]))]
    methods = _two_sides(course, network, sources) if course.sides else [_method("forward", network, layers, sources, report.output)]
    return "\n".join(lines) + "".join("\n\n" + indent(method, "    ") for method in methods)


def _made(layer: Layer, source: LayerSource) -> str:
    if source.made is None:
        return ""
    text = indent(assigned(f"self.{attribute(layer.id)}", source.made, 8), "        ")
    said = f"  # {' '.join(layer.name.split())}"
    is_told = layer.name and layer.name != layer.id and "\n" not in text and len(text + said) <= WIDTH
    return text + said if is_told else text


def _method(name: str, network: Network, layers: list[Layer], sources: dict[str, LayerSource], end: str, entry: str = "") -> str:
    """A method that computes these layers, of which `end` is what it returns."""
    entry = entry or next(layer.id for layer in network if layer.kind == "input")
    names = _locals([entry, *(layer.id for layer in layers)])
    lines = [f"def {name}(self, {names[entry]}):"]
    if not layers:
        lines.append(f"    return {names[entry]}")
    for layer in layers:
        inputs = [names.get(id, names[entry]) for id in network.inputs_of(layer.id)]
        output = "return" if layer.id == end else names[layer.id]
        lines += [indent(line, "    ") for line in sources[layer.id].lines(output, inputs, 8)]
    return "\n".join(lines)


def _locals(ids: list[str]) -> dict[str, str]:
    """What the outputs of layers are called."""
    found: dict[str, str] = {}
    for id in ids:
        name = id
        if id.startswith("_") or len(id) > _LONGEST_LOCAL:
            name = f"a{len(found)}"
        elif keyword.iskeyword(id) or hasattr(builtins, id) or id in _TAKEN:
            name = f"{id}_"
        while name in found.values() or (name != id and name in ids):
            name += "_"
        found[id] = name
    return found


def _two_sides(course: RunCourse, network: Network, sources: dict[str, LayerSource]) -> list[str]:
    """The generator and the discriminator of a network that is trained against itself."""
    sides, (entry,) = adversarial.sides(network), (layer.id for layer in network if layer.kind == "input")
    ordered = [layer for layer in network.in_order() if layer.id in sources]
    made = [layer for layer in ordered if layer.id not in sides.discriminator]
    judged = [layer for layer in ordered if layer.id in sides.discriminator]
    place = next((place for place, layer in enumerate(made) if layer.id in sides.generator), len(made))
    made.insert(place, network.layer(sides.random))
    generate = _method("generate", network, made, sources | {sides.random: _random(course, network)}, sides.generated, entry)
    head, *body = generate.split("\n")
    how_many = "as many rows as x has, which the generator makes" if course.generates_for_rows else "so many rows that the generator makes"
    head = head if course.generates_for_rows else "def generate(self, count):"
    written = "\n".join([head, f'    """Return {how_many} of random numbers."""', *body])
    return [written, _method("forward", network, judged, sources, judged[-1].id, sides.meeting)]


def _random(course: RunCourse, network: Network) -> LayerSource:
    """The random numbers that a generator begins with: as many rows as it is asked for, or as come in."""
    units = network.layer(adversarial.sides(network).random)["units"]
    return LayerSource(None, _one(lambda inputs: f"torch.randn({f'len({inputs[0]})' if course.generates_for_rows else 'count'}, {units})"))


# --- statements ---


def _set(output: str, value: Source, margin: int) -> str:
    return laid_out(value, "return " if output == "return" else f"{output} = ", margin=margin)


def _one(make: Callable[[list[str]], Source]) -> Callable[[str, list[str], int], list[str]]:
    """A layer that is one expression."""
    return lambda output, inputs, margin: [_set(output, make(inputs), margin)]


def _chained(operator: str) -> Callable[[str, list[str], int], list[str]]:
    """All inputs joined by an operator, from left to right."""

    def lines(output: str, inputs: list[str], margin: int) -> list[str]:
        whole = f" {operator} ".join(inputs)
        if margin + len(output) + 3 + len(whole) <= WIDTH:
            return [_set(output, whole, margin)]
        name = "total" if output == "return" else output
        steps = [f"{name} = {inputs[0]} {operator} {inputs[1]}", *(f"{name} = {name} {operator} {other}" for other in inputs[2:])]
        return [*steps, f"return {name}"] if output == "return" else steps

    return lines


_SLOPE = 0.01
"""Of a leaky ReLU in torch, where none is given."""
FUNCTIONS = {
    "relu": "F.relu",
    "leaky_relu": "F.leaky_relu",
    "elu": "F.elu",
    "gelu": "F.gelu",
    "silu": "F.silu",
    "softplus": "F.softplus",
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
    "softmax": "F.softmax",
}


def _has_own_slope(layer: Layer) -> bool:
    """Whether the activation is a leaky ReLU with another slope than torch's own."""
    return layer["activation"] == "leaky_relu" and layer["negative_slope"] != _SLOPE


def activated(function: str, value: Source, negative_slope: float = _SLOPE) -> Source:
    """Return the source of an activation of some value; `negative_slope` is that of a leaky ReLU."""
    if function == "identity":
        return value
    if function == "leaky_relu" and negative_slope != _SLOPE:
        return CallSource(FUNCTIONS[function], (value, f"negative_slope={negative_slope!r}"))
    return CallSource(FUNCTIONS[function], (value, "dim=-1") if function == "softmax" else (value,))


# --- layers ---


def _linear(features: int, units: int, bias: bool = True) -> Source:
    return CallSource("nn.Linear", (str(features), str(units), *(() if bias else ("bias=False",))))


def _dense(layer: Layer, shapes: list[Shape]) -> LayerSource:
    call = f"self.{attribute(layer.id)}"
    made = _linear(shapes[0][-1], layer["units"], layer["bias"])
    return LayerSource(made, _one(lambda inputs: activated(layer["activation"], CallSource(call, tuple(inputs)), layer["negative_slope"])))


def _called(made: Source, layer: Layer, *classes: str) -> LayerSource:
    return LayerSource(made, _one(lambda inputs: CallSource(f"self.{attribute(layer.id)}", tuple(inputs))), classes)


def _turned(
    before: str, given: tuple[str, ...], function: str = "identity", slope: float = 0.01
) -> Callable[[str, list[str], int], list[str]]:
    """A call that wants the features before the time: what it takes and what it gives are transposed."""

    def lines(output: str, inputs: list[str], margin: int) -> list[str]:
        call = f"{before}({', '.join([f'{inputs[0]}.transpose(1, 2)', *given])})"
        whole = flat(activated(function, f"{call}.transpose(1, 2)", slope))
        if margin + len(output) + 3 + len(whole) <= WIDTH:
            return [_set(output, whole, margin)]
        name = "z" if output == "return" else output
        return [_set(name, call, margin), _set(output, activated(function, f"{name}.transpose(1, 2)", slope), margin)]

    return lines


def _over_time(made: Source, layer: Layer, *classes: str) -> LayerSource:
    """A layer of torch that wants the features before the time."""
    return LayerSource(made, _turned(f"self.{attribute(layer.id)}", ()), classes)


def _spatial_dropout(layer: Layer, shapes: list[Shape]) -> LayerSource:
    if len(shapes[0]) == 3:
        return _called(CallSource("nn.Dropout2d", (repr(layer["p"]),)), layer)
    return _over_time(CallSource("nn.Dropout1d", (repr(layer["p"]),)), layer)


def _batch_norm(layer: Layer, shapes: list[Shape]) -> LayerSource:
    (shape,) = shapes
    features = shape[-1] if len(shape) == 2 else shape[0]
    given = [f"eps={layer['epsilon']!r}"] if layer["epsilon"] != 1e-5 else []
    given += [f"momentum={layer['momentum']!r}"] if layer["momentum"] != 0.1 else []
    kind = {1: "nn.BatchNorm1d", 2: "nn.BatchNorm1d", 3: "nn.BatchNorm2d", 4: "nn.BatchNorm3d"}[len(shape)]
    made = CallSource(kind, (str(features), *given))
    return _over_time(made, layer) if len(shape) == 2 else _called(made, layer)


def _layer_norm(layer: Layer, shapes: list[Shape]) -> LayerSource:
    given = (f"eps={layer['epsilon']!r}",) if layer["epsilon"] != 1e-5 else ()
    return _called(CallSource("nn.LayerNorm", (str(shapes[0][-1]), *given)), layer)


def _convolution(layer: Layer, shapes: list[Shape]) -> LayerSource:
    is_image = layer.kind == "conv2d"
    channels = shapes[0][0] if is_image else shapes[0][1]
    given = [f"stride={layer['stride']}"] if layer["stride"] != 1 else []
    given += [f"padding={layer['padding']}"] if layer["padding"] else []
    given += [] if layer["bias"] else ["bias=False"]
    kind = "nn.Conv2d" if is_image else "nn.Conv1d"
    made = CallSource(kind, (str(channels), str(layer["out_channels"]), str(layer["kernel_size"]), *given))
    call, function, slope = f"self.{attribute(layer.id)}", layer["activation"], layer["negative_slope"]
    if is_image:
        return LayerSource(made, _one(lambda inputs: activated(function, CallSource(call, tuple(inputs)), slope)))
    return LayerSource(made, _turned(call, (), function, slope))


def _pool(layer: Layer, shapes: list[Shape]) -> LayerSource:
    kind, size = layer.kind.removesuffix("_pool"), layer["kernel_size"]
    window = [str(size)]
    window += [f"stride={layer['stride']}"] if layer["stride"] not in (None, size) else []
    window += [f"padding={layer['padding']}"] if layer["padding"] else []
    if len(shapes[0]) == 3:
        return LayerSource(None, _one(lambda inputs: CallSource(f"F.{kind}_pool2d", (inputs[0], *window))))
    return LayerSource(None, _turned(f"F.{kind}_pool1d", tuple(window)))


def _global_pool(layer: Layer, shapes: list[Shape]) -> LayerSource:
    before, axis = (".flatten(2)", 2) if len(shapes[0]) == 3 else ("", 1)
    ending = f".max({axis}).values" if layer["function"] == "max" else f".mean({axis})"
    return LayerSource(None, _one(lambda inputs: f"{inputs[0]}{before}{ending}"))


def _concat(layer: Layer, shapes: list[Shape]) -> LayerSource:
    return LayerSource(None, _one(lambda inputs: CallSource("torch.cat", (Bracketed("[", tuple(inputs), "]"), f"dim={layer['axis']}"))))


def _reshape(layer: Layer, shapes: list[Shape]) -> LayerSource:
    size = ", ".join(map(str, layer["shape"]))
    return LayerSource(None, _one(lambda inputs: f"{inputs[0]}.reshape(len({inputs[0]}), {size})"))


def _activation(layer: Layer, shapes: list[Shape]) -> LayerSource:
    return LayerSource(None, _one(lambda inputs: activated(layer["function"], inputs[0], layer["negative_slope"])))


_ONE_BIAS = '''def with_one_bias(net):
    """Return a recurrent net whose second bias stays 0: it has nothing to add."""
    for name, bias in net.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(bias).requires_grad_(False)
    return net'''


def _recurrent(layer: Layer, shapes: list[Shape]) -> LayerSource:
    given = [str(shapes[0][1]), str(layer["units"])]
    given += [f"num_layers={layer['num_layers']}"] if layer["num_layers"] > 1 else []
    given += [f"dropout={layer['dropout']!r}"] if layer["dropout"] and layer["num_layers"] > 1 else []
    given += ["bidirectional=True"] if layer["bidirectional"] else []
    if is_torchs_net(layer):
        given += ['nonlinearity="relu"'] if layer.kind == "rnn" and layer["activation"] == "relu" else []
        made = CallSource("with_one_bias", (CallSource(f"nn.{layer.kind.upper()}", (*given, "batch_first=True")),))
    else:
        function = FUNCTIONS.get(layer["activation"], "None")
        function = "functools.partial(F.softmax, dim=-1)" if layer["activation"] == "softmax" else function
        if _has_own_slope(layer):
            function = f"functools.partial(F.leaky_relu, negative_slope={layer['negative_slope']!r})"
        made = CallSource("Recurrent", (*given, f"function={function}"))
    return LayerSource(made, partial(_states, layer), (_ONE_BIAS if is_torchs_net(layer) else _RECURRENT,))


def _states(layer: Layer, output: str, inputs: list[str], margin: int) -> list[str]:
    """All states, or those behind the last time step: of both directions, if there are two."""
    call = f"self.{attribute(layer.id)}({inputs[0]})"
    if layer["return_sequences"]:
        return [_set(output, f"{call}[0]", margin)]
    last = "torch.cat([h[-2], h[-1]], -1)" if layer["bidirectional"] else "h[-1]"
    return [f"_, (h, _) = {call}" if layer.kind == "lstm" else f"_, h = {call}", _set(output, last, margin)]


_RECURRENT = '''class Recurrent(nn.Module):
    """h = f(W x + U h + b), one time step after the other, stacked and both ways."""

    def __init__(
        self,
        features,
        units,
        num_layers=1,
        dropout=0.0,
        bidirectional=False,
        function=None,
    ):
        super().__init__()
        self.units, self.dropout, self.function = units, dropout, function
        directions = ("", "_reverse") if bidirectional else ("",)
        self.stack = [[f"l{n}{d}" for d in directions] for n in range(num_layers)]
        for number, nets in enumerate(self.stack):
            width = units * len(directions) if number else features
            for net in nets:
                for name, size in (("ih", (units, width)), ("hh", (units, units))):
                    weight = nn.Parameter(torch.empty(size))
                    self.register_parameter(f"weight_{name}_{net}", weight)
                bias = nn.Parameter(torch.empty(units))
                self.register_parameter(f"bias_ih_{net}", bias)

    def run(self, x, net):
        """Return the states of one net in the order of time."""
        weight = getattr(self, f"weight_ih_{net}")
        bias = getattr(self, f"bias_ih_{net}")
        recurrent = getattr(self, f"weight_hh_{net}")
        moments, h = list(enumerate(x.unbind(1))), torch.zeros(len(x), self.units)
        states = {}
        for t, x_t in reversed(moments) if net.endswith("_reverse") else moments:
            z = F.linear(x_t, weight, bias) + F.linear(h, recurrent)
            h = states[t] = self.function(z) if self.function else z
        return [states[t] for t, _ in moments]

    def forward(self, x):
        lasts = []
        for number, nets in enumerate(self.stack):
            outputs = []
            for net in nets:
                states = self.run(x, net)
                lasts.append(states[0] if net.endswith("_reverse") else states[-1])
                outputs.append(torch.stack(states, 1))
            x = torch.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
            if self.training and self.dropout and number < len(self.stack) - 1:
                x = F.dropout(x, self.dropout)
        return x, lasts'''


def _embedding(layer: Layer, shapes: list[Shape]) -> LayerSource:
    made = CallSource("nn.Embedding", (str(layer["num_embeddings"]), str(layer["embedding_dim"])))
    return LayerSource(made, _one(lambda inputs: f"self.{attribute(layer.id)}({inputs[0]}.long())"))


def _one_hot(layer: Layer, shapes: list[Shape]) -> LayerSource:
    return LayerSource(None, _one(lambda inputs: f"F.one_hot({inputs[0]}.long(), {layer['num_classes']}).to({inputs[0]}.dtype)"))


_ENCODING = '''class PositionalEncoding(nn.Module):
    """Adds sines and cosines of falling frequency, so that places in time differ."""

    def __init__(self, time, features):
        super().__init__()
        even = torch.arange(0, features, 2, dtype=torch.float64)
        places = torch.arange(time, dtype=torch.float64).unsqueeze(1)
        angles = places / 10_000 ** (even / features)
        encoding = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
        encoding = encoding[:, :features].to(torch.get_default_dtype())
        self.register_buffer("encoding", encoding)

    def forward(self, x):
        return x + self.encoding'''

_CAUSAL = '''def future(time):
    """Return True where a time step must not look: at later ones."""
    return torch.ones(time, time, dtype=torch.bool).triu(1)'''


def _attention(layer: Layer, shapes: list[Shape]) -> LayerSource:
    time, features = shapes[0]
    made = CallSource("nn.MultiheadAttention", (str(features), str(layer["num_heads"]), "batch_first=True"))
    mask = (f"attn_mask=future({time})",) if layer["causal"] else ()

    def lines(output: str, inputs: list[str], margin: int) -> list[str]:
        name = "y" if output == "return" else output
        value = CallSource(f"self.{attribute(layer.id)}", (*3 * inputs, *mask))
        return [laid_out(value, f"{name}, _ = ", margin=margin), *([f"return {name}"] if output == "return" else [])]

    return LayerSource(made, lines, (_CAUSAL,) if layer["causal"] else ())


def _encoder_block(layer: Layer, shapes: list[Shape]) -> LayerSource:
    given = [str(shapes[0][1]), str(layer["num_heads"]), str(layer["units"])]
    name, text = _block_class(layer)
    given += [f"p={layer['p']!r}"] if layer["p"] else []
    made = CallSource(name, tuple(given))
    return _called(made, layer, *((_CAUSAL,) if layer["causal"] else ()), text)


def _block_class(layer: Layer) -> tuple[str, str]:
    """What the class of such a block is called, and its definition."""
    features = [*(["Causal"] if layer["causal"] else []), *(["PreNorm"] if layer["norm_first"] else [])]
    features += [layer["activation"].title().replace("_", "")] if layer["activation"] != "relu" else []
    features += [re.sub(r"\W", "_", repr(layer["negative_slope"]))] if _has_own_slope(layer) else []
    name = f"{''.join(features)}EncoderBlock{'WithDropout' if layer['p'] else ''}"
    mask = ", attn_mask=future(x.shape[1])" if layer["causal"] else ""
    inner = laid_out(activated(layer["activation"], "self.linear1(x)", layer["negative_slope"]))
    if layer["norm_first"]:
        forward = "x = x + self.attend(self.norm1(x))\n        return x + self.transform(self.norm2(x))"
    else:
        forward = "x = self.norm1(x + self.attend(x))\n        return self.norm2(x + self.transform(x))"
    text = _BLOCK_WITH_DROPOUT if layer["p"] else _BLOCK
    return name, block(text, name=name, mask=mask, inner=inner).replace("FORWARD", forward)


_BLOCK = '''
class <name>(nn.Module):
    """Self-attention, add & norm, two dense layers, add & norm."""

    def __init__(self, features, num_heads, units):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(features, num_heads, batch_first=True)
        self.linear1 = nn.Linear(features, units)
        self.linear2 = nn.Linear(units, features)
        self.norm1 = nn.LayerNorm(features)
        self.norm2 = nn.LayerNorm(features)

    def attend(self, x):
        return self.self_attn(x, x, x<mask>)[0]

    def transform(self, x):
        return self.linear2(<inner>)

    def forward(self, x):
        FORWARD
'''
_BLOCK_WITH_DROPOUT = '''
class <name>(nn.Module):
    """Self-attention, add & norm, two dense layers, add & norm, with dropout."""

    def __init__(self, features, num_heads, units, p=0.0):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(
            features, num_heads, dropout=p, batch_first=True
        )
        self.linear1 = nn.Linear(features, units)
        self.linear2 = nn.Linear(units, features)
        self.norm1 = nn.LayerNorm(features)
        self.norm2 = nn.LayerNorm(features)
        self.dropout = nn.Dropout(p)
        self.dropout1 = nn.Dropout(p)
        self.dropout2 = nn.Dropout(p)

    def attend(self, x):
        return self.dropout1(self.self_attn(x, x, x<mask>)[0])

    def transform(self, x):
        return self.dropout2(self.linear2(self.dropout(<inner>)))

    def forward(self, x):
        FORWARD
'''

_LATENT = '''class GaussianLatent(nn.Module):
    """z = μ + σ·ε with ε drawn anew; outside training z = μ."""

    def __init__(self, features, units, beta):
        super().__init__()
        self.beta = beta
        self.mean = nn.Linear(features, units)
        self.log_variance = nn.Linear(features, units)

    def forward(self, x):
        self.moments = mean, log_variance = self.mean(x), self.log_variance(x)
        if not self.training:
            return mean
        return mean + torch.exp(0.5 * log_variance) * torch.randn(mean.shape)

    def divergence(self):
        """Return β·KL(N(μ, σ²) ‖ N(0, 1)): summed over z, averaged over the rows."""
        mean, log_variance = self.moments
        terms = mean.pow(2) + log_variance.exp() - 1 - log_variance
        return self.beta * 0.5 * terms.sum(1).mean()'''

_NOISE = '''class Noise(nn.Module):
    """Adds normal noise in training."""

    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x + self.std * torch.randn(x.shape) if self.training else x'''


def _latent(layer: Layer, shapes: list[Shape]) -> LayerSource:
    return _called(CallSource("GaussianLatent", (str(prod(shapes[0])), str(layer["units"]), f"beta={layer['beta']!r}")), layer, _LATENT)


LAYER_SOURCES: dict[str, Callable[[Layer, list[Shape]], LayerSource]] = {
    "dense": _dense,
    "activation": _activation,
    "dropout": lambda layer, shapes: _called(CallSource("nn.Dropout", (repr(layer["p"]),)), layer),
    "spatial_dropout": _spatial_dropout,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "add": lambda layer, shapes: LayerSource(None, _chained("+")),
    "multiply": lambda layer, shapes: LayerSource(None, _chained("*")),
    "concat": _concat,
    "flatten": lambda layer, shapes: LayerSource(None, _one(lambda inputs: f"{inputs[0]}.flatten(1)")),
    "reshape": _reshape,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "max_pool": _pool,
    "avg_pool": _pool,
    "global_pool": _global_pool,
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _recurrent,
    "embedding": _embedding,
    "one_hot": _one_hot,
    "positional_encoding": lambda layer, shapes: _called(CallSource("PositionalEncoding", tuple(map(str, shapes[0]))), layer, _ENCODING),
    "attention": _attention,
    "encoder_block": _encoder_block,
    "gaussian_latent": _latent,
    "noise": lambda layer, shapes: _called(CallSource("Noise", (repr(layer["std"]),)), layer, _NOISE),
}
"""Layer kind -> function (layer, shapes of its inputs) -> how it is written."""
