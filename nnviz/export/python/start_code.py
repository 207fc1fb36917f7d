"""The first weights as source: drawn by the same calls in the same order, or written down where a person has set them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nnviz.document.network import Layer, Network, split_parameter
from nnviz.document.shapes.report import examine
from nnviz.export.python.net_code import attribute, is_torchs_net, tensor_name
from nnviz.export.python.python_text import (
    FEW_NUMBERS,
    WIDTH,
    Bracketed,
    CallSource,
    WeightConstant,
    assigned,
    flat,
    joined,
    laid_out,
    numbers,
    quoted,
    shortest,
)
from nnviz.export.python.run_course import RunCourse, begun_anew, learning
from nnviz.records.recorded_run import RecordedRun
from nnviz.records.tensors import to_numpy

_DEFAULT = '''def draw_default(layer, random<gain>):
    """Draw weights and biases from ±1/√inputs, as torch starts such a layer."""
    bound = 1 / math.sqrt(layer.weight[0].numel())
    for parameter in layer.parameters(recurse=False):
        drawn = torch.empty(parameter.shape, dtype=torch.float64)
        nn.init.uniform_(drawn, -bound, bound, generator=random)
        <copy>'''
_RECURRENT = '''def draw_recurrent(layer, random<gain>):
    """Draw weights and biases from ±1/√units, as torch starts such a net."""
    bound = 1 / math.sqrt(<units>)
    for name, parameter in layer.named_parameters():
        if not name.startswith("bias_hh"):
            drawn = torch.empty(parameter.shape, dtype=torch.float64)
            nn.init.uniform_(drawn, -bound, bound, generator=random)
            <copy>'''
_ATTENTION = '''def draw_attention(layer, random<gain>):
    """Draw the projections as torch starts them; their biases are 0."""
    drawn = torch.empty(layer.in_proj_weight.shape, dtype=torch.float64)
    nn.init.xavier_uniform_(drawn, generator=random)
    layer.in_proj_weight.copy_(<factor>drawn)
    nn.init.zeros_(layer.in_proj_bias)
    draw_default(layer.out_proj, random<given>)
    nn.init.zeros_(layer.out_proj.bias)'''
_EMBEDDING = '''def draw_embedding(layer, random<gain>):
    """Draw the vectors from N(0, 1)."""
    drawn = torch.empty(layer.weight.shape, dtype=torch.float64)
    layer.weight.copy_(<factor>nn.init.normal_(drawn, generator=random))'''
_OTHER = '''def draw_<name>(layer, random<gain><blocks>):
    """<said>; biases start at 0."""
    for parameter in layer.parameters(recurse=False):
        start = torch.zeros(parameter.shape, dtype=torch.float64)
        if parameter.dim() > 1:
            <fill>
        parameter.copy_(<factor>start)'''

FILLS = {
    "zeros": ("Start the weights at 0", "START.zero_()"),
    "constant": ("Start the weights at 0.1", "START.fill_(0.1)"),
    "normal": ("Draw weights from N(0, 0.05²)", "nn.init.normal_(START, 0.0, 0.05, generator=random)"),
    "uniform": ("Draw weights from ±0.05", "nn.init.uniform_(START, -0.05, 0.05, generator=random)"),
    "xavier_uniform": ("Draw weights from ±√6/√(inputs + outputs)", "nn.init.xavier_uniform_(START, generator=random)"),
    "xavier_normal": ("Draw weights from N(0, 2/(inputs + outputs))", "nn.init.xavier_normal_(START, generator=random)"),
    "he_uniform": ("Draw weights from ±√6/√inputs", "KAIMING_uniform_"),
    "he_normal": ("Draw weights from N(0, 2/inputs)", "KAIMING_normal_"),
    "orthogonal": ("Draw orthogonal weights", "nn.init.orthogonal_(START, generator=random)"),
}


class _Draw(NamedTuple):
    """A call that draws part of a layer."""

    function: str
    part: str = ""
    """The module inside the layer, as ".mean"; empty for the layer itself."""
    given: str = ""
    """Further arguments."""


def start_code(run: RecordedRun, course: RunCourse, further: WeightConstant | None) -> str:
    """Return the functions that give the first net its weights, `initialize` the last. `further`: what it loads at the end."""
    first = course.first.network
    later = {place: new_layers(course, place) for place in course.rebuilds}
    drawn = [layer for layer in learning(first) if _has_drawn(run, layer)]
    functions = _functions([*drawn, *(layer for layers in later.values() for layer in layers)])
    bodies = [_initialize(run, first, drawn, further), *(_initialize_later(course, place, layers) for place, layers in later.items())]
    return joined([*functions, *bodies])


def new_layers(course: RunCourse, place: int) -> list[Layer]:
    """Return the layers that are drawn when the network is made anew with the experiment at this place: those of which some parameter
    was not there before in the same shape, and those that are to start in another way."""
    old, new = course.experiments[place - 1], course.experiments[place]
    before, after = (examine(one).parameters_by_name for one in (old, new))
    unlike = {split_parameter(name).layer for name, shape in after.items() if before.get(name) != shape}
    chosen = unlike | set(begun_anew(old.network, new.network))
    return [layer for layer in learning(new.network) if layer.id in chosen]


def has_start(run: RecordedRun) -> bool:
    """Return whether there are weights to start with that torch's own layers do not start with."""
    return bool(learning(run.experiment.network)) or any(name not in run.drawn for name in run.start)


def own_weights(run: RecordedRun) -> WeightConstant | None:
    """Return what a person has set before the first iteration, where it is too much to be written between the lines."""
    own = {name: run.start[name] for name in run.start if name not in run.drawn}
    if sum(to_numpy(array).size for array in own.values()) <= FEW_NUMBERS:
        return None
    return WeightConstant("START", {tensor_name(name, run.experiment.network): array for name, array in own.items()})


# --- initialize ---


def _initialize(run: RecordedRun, network: Network, drawn: list[Layer], further: WeightConstant | None) -> str:
    lines = _drawing_lines(drawn)
    if further:
        lines.append(f"load(model, {further.name})")
    else:
        own = {name: shortest(to_numpy(array)) for name, array in run.start.items() if name not in run.drawn}
        lines += set_lines(own, network)
    if not lines:
        return ""
    said = "Give every layer its first weights; each has random numbers of its own."
    return "\n".join(["@torch.no_grad()", "def initialize(model):", f'    """{said}"""', *(f"    {line}" for line in lines)])


def set_lines(own: Mapping[str, Any], network: Network, margin: int = 4) -> list[str]:
    """Return the lines that give parameters these values, nested lists by name."""
    lines = []
    for name, values in own.items():
        place = f"model.{tensor_name(name, network)}"
        whole = f"{place}.copy_(torch.tensor({flat(numbers(values))}))"
        if margin + len(whole) <= WIDTH:
            lines.append(whole)
        else:
            call = laid_out(CallSource(f"{place}.copy_", ("torch.tensor(values)",)), margin=margin)
            lines += [*assigned("values", numbers(values), margin).split("\n"), *call.split("\n")]
    return lines


def _initialize_later(course: RunCourse, place: int, layers: list[Layer]) -> str:
    lines = _drawing_lines(layers)
    if not lines:
        return ""
    head = ["@torch.no_grad()", f"def initialize_at_{course.moment(place)}(model):"]
    return "\n".join([*head, '    """Draw the weights of layers that start anew."""', *(f"    {line}" for line in lines)])


def _has_drawn(run: RecordedRun, layer: Layer) -> bool:
    """Whether a parameter of the layer starts as it is drawn."""
    return any(name.split(".")[0] == layer.id for name in run.drawn)


def _drawing_lines(layers: list[Layer]) -> list[str]:
    """Calls that draw these layers; neighbours that are drawn alike share a loop."""
    lines, group = [], []
    for layer in [*layers, None]:
        draws = tuple(_draws(layer)) if layer else ()
        if group and (layer is None or draws != group[0][1] or len(draws) != 1):
            lines += _group_lines(group)
            group = []
        if layer:
            group.append((layer, draws))
    return lines


def _group_lines(group: list[tuple[Layer, tuple[_Draw, ...]]]) -> list[str]:
    if len(group) >= 3:
        (draw,) = group[0][1]
        names = [quoted(layer.id) for layer, _ in group]
        renamed = any(attribute(layer.id) != layer.id for layer, _ in group)
        if not renamed:
            head = laid_out(Bracketed("(", tuple(names), ")"), "for name in ", ":", 4)
            given = [part for part in draw.given.split(", ") if part]
            call = CallSource(draw.function, ("getattr(model, name)", 'generator("layer", name)', *given))
            return [*head.split("\n"), *(f"    {line}" for line in laid_out(call, margin=8).split("\n"))]
    return [line for layer, draws in group for line in _layer_lines(layer, draws)]


def _layer_lines(layer: Layer, draws: tuple[_Draw, ...]) -> list[str]:
    own = f'generator("layer", {quoted(layer.id)})'
    place = f"model.{attribute(layer.id)}"
    if len(draws) == 1:
        line = f"{draws[0].function}({place}{draws[0].part}, {own}{draws[0].given})"
        if len(line) + 4 <= 88:
            return [line]
    return [f"random = {own}", *(f"{draw.function}({place}{draw.part}, random{draw.given})" for draw in draws)]


def _draws(layer: Layer) -> list[_Draw]:
    gain = f", gain={layer.gain!r}" if layer.gain != 1 else ""
    if layer.initializer != "default":
        return _other_draws(layer, f"draw_{layer.initializer}", gain)
    if layer.kind in ("rnn", "lstm", "gru"):
        return [_Draw("draw_recurrent", "", gain)]
    if layer.kind == "embedding":
        return [_Draw("draw_embedding", "", gain)]
    if layer.kind == "attention":
        return [_Draw("draw_attention", "", gain)]
    if layer.kind == "encoder_block":
        dense = [_Draw("draw_default", part, gain) for part in (".linear1", ".linear2")]
        return [_Draw("draw_attention", ".self_attn", gain), *dense]
    parts = (".mean", ".log_variance") if layer.kind == "gaussian_latent" else ("",)
    return [_Draw("draw_default", part, gain) for part in parts]


def _other_draws(layer: Layer, function: str, gain: str) -> list[_Draw]:
    if layer.kind in ("rnn", "lstm", "gru"):
        gates = {"rnn": "", "lstm": ", blocks=4", "gru": ", blocks=3"}[layer.kind]
        return [_Draw(function, "", gain + gates)]
    if layer.kind == "attention":
        return [_Draw(function, "", f"{gain}, blocks=3"), _Draw(function, ".out_proj", gain)]
    if layer.kind == "encoder_block":
        inside = [_Draw(function, part, gain) for part in (".self_attn.out_proj", ".linear1", ".linear2")]
        return [_Draw(function, ".self_attn", f"{gain}, blocks=3"), *inside]
    parts = (".mean", ".log_variance") if layer.kind == "gaussian_latent" else ("",)
    return [_Draw(function, part, gain) for part in parts]


# --- the functions that are used ---


def _functions(layers: list[Layer]) -> list[str]:
    draws = [(draw, layer) for layer in layers for draw in _draws(layer)]
    used = {draw.function for draw, _ in draws}
    has_gain = any("gain=" in draw.given for draw, _ in draws)
    parts = {"gain": ", gain=1.0" if has_gain else "", "factor": "gain * " if has_gain else "", "given": ", gain" if has_gain else ""}
    copy = "parameter.copy_(gain * drawn if parameter.dim() > 1 else drawn)" if has_gain else "parameter.copy_(drawn)"
    units = "layer.hidden_size" if all(is_torchs_net(one) for _, one in draws if one.kind in ("rnn", "lstm", "gru")) else "units"
    texts = {"draw_default": _DEFAULT, "draw_recurrent": _RECURRENT, "draw_attention": _ATTENTION, "draw_embedding": _EMBEDDING}
    if "draw_attention" in used:
        used.add("draw_default")
    found = [text.replace("<copy>", copy).replace("<units>", _units(units)) for name, text in texts.items() if name in used]
    has_blocks = any("blocks=" in draw.given for draw, _ in draws)
    found += [_other(name, has_blocks) for name in FILLS if f"draw_{name}" in used]
    return [_put_in(text, parts) for text in found]


def _units(written: str) -> str:
    return written if written != "units" else 'getattr(layer, "hidden_size", None) or layer.units'


def _put_in(text: str, parts: dict[str, str]) -> str:
    for name, value in parts.items():
        text = text.replace(f"<{name}>", value)
    return text


def _other(name: str, has_blocks: bool) -> str:
    said, call = FILLS[name]
    if call.startswith("KAIMING"):
        call = f'nn.init.kaiming{call.removeprefix("KAIMING")}(START, nonlinearity="relu", generator=random)'
    lines = call.replace("START", "gate" if has_blocks else "start")
    margin = 16 if has_blocks else 12
    if margin + len(lines) > 88:
        head, _, inside = lines.partition("(")
        lines = f"{head}(\n    {inside[:-1]}\n)"
    if has_blocks:
        lines = "for gate in start.chunk(blocks):\n    " + lines.replace("\n", "\n    ")
    fill = lines.replace("\n", "\n            ")
    blocks = ", blocks=1" if has_blocks else ""
    return _OTHER.replace("<name>", name).replace("<said>", said).replace("<fill>", fill).replace("<blocks>", blocks)
