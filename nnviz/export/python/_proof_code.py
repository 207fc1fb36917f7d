"""The end of a program: the weights a run ended with, and the comparison of what was found with what was recorded."""

from __future__ import annotations

import hashlib
from textwrap import indent

from nnviz.export.python.net_code import attribute, is_torchs_net, net_name, tensor_name
from nnviz.export.python.python_text import Bracketed, Keyed, WeightConstant, assigned, joined, number, numbers
from nnviz.export.python.run_course import RunCourse
from nnviz.records.recorded_run import RecordedRun
from nnviz.records.tensors import to_numpy

LISTED = 50
"""Of a run of so many iterations every loss is written down, of a longer one the last, and a SHA-256 of all."""


def end_weights(run: RecordedRun, course: RunCourse) -> WeightConstant:
    """Return the weights at the end of the run."""
    network = course.last.network
    return WeightConstant("TRAINED", {tensor_name(name, network): array for name, array in run.end.items()})


def load_code(run: RecordedRun, weights: list[WeightConstant]) -> str:
    """Return the function that gives a network weights by name, in the forms these are written in."""
    written, dtype = {one.is_written_out for one in weights}, f"torch.{run.experiment.precision}"
    if written == {True}:
        lines = ["tensors[name].copy_(torch.tensor(values))"]
    else:
        lines = [
            "data = bytearray(base64.b64decode(values))",
            f"values = torch.frombuffer(data, dtype={dtype})",
            "tensors[name].copy_(values.view_as(tensors[name]))",
        ]
    if len(written) > 1:
        lines = ["if isinstance(values, str):", *(f"    {line}" for line in lines[:2]), "values = torch.as_tensor(values)", lines[2]]
    head = [
        "@torch.no_grad()",
        "def load(model, weights):",
        '    """Give the model these weights, by name."""',
        "    tensors = model.state_dict()",
    ]
    return "\n".join([*head, "    for name, values in weights.items():", *(f"        {line}" for line in lines)])


def trained_code(course: RunCourse) -> str:
    """Return the function that gives the network of the end."""
    return (
        "def trained():\n"
        '    """Return the network as the run left it, without training it."""\n'
        f"    model = {net_name(course, course.last.network)}()\n"
        "    load(model, TRAINED)\n"
        "    return model"
    )


def recorded_code(run: RecordedRun) -> str:
    """Return the constants that say what was recorded."""
    losses = to_numpy(run.losses)
    lines = [assigned("DIGEST", f'"{run.digest}"')]
    if len(losses) <= LISTED:
        return "\n".join([*lines, assigned("LOSSES", numbers(losses.tolist()))])
    total = hashlib.sha256(losses.astype(">f8").tobytes()).hexdigest()
    return "\n".join([*lines, f"LAST_LOSS = {number(losses[-1].item())}", f'LOSSES_DIGEST = "{total}"'])


def digest_code(course: RunCourse) -> str:
    """Return the function that makes a SHA-256 of all parameters, as nnviz does."""
    network = course.last.network
    has_second_bias = any(is_torchs_net(layer) for layer in network)
    renamed = {attribute(layer.id): layer.id for layer in network if attribute(layer.id) != layer.id}
    lines = [
        "def digest(model):",
        '    """Return the SHA-256 of all weights, in the order of their names."""',
        "    total = hashlib.sha256()",
    ]
    if renamed:
        entries = tuple(Keyed(f'"{name}": ', f'"{id}"') for name, id in renamed.items())
        lines += [indent(assigned("names", Bracketed("{", entries, "}"), 4), "    "), *_renamed_lines()]
    else:
        lines.append("    for name, weights in sorted(model.named_parameters()):")
    inner = ["values = weights.detach().double().numpy()", 'total.update(values.astype(">f8").tobytes())']
    if has_second_bias:
        inner = ['if "bias_hh" not in name:  # the second bias is no weight of the run', *(f"    {line}" for line in inner)]
    return "\n".join([*lines, *(f"        {line}" for line in inner), "    return total.hexdigest()"])


def _renamed_lines() -> list[str]:
    return [
        "    found = []",
        "    for name, weights in model.named_parameters():",
        '        layer, _, tensor = name.partition(".")',
        '        found.append((f"{names.get(layer, layer)}.{tensor}", weights))',
        "    for name, weights in sorted(found):",
    ]


_WEIGHTS_TEST = '''def is_same(model):
    """Say whether the weights are those that nnviz ended with; return it."""
    if digest(model) == DIGEST:
        print("weights: the same to the bit as in nnviz")
        return True
    found = model.state_dict()
    pairs = [(found[name], tensor) for name, tensor in trained().state_dict().items()]
    apart = max((one.double() - other).abs().max().item() for one, other in pairs)
    print(f"weights: not the same as in nnviz, the largest difference is {apart:.3g}")
    return False'''
_LISTED_TEST = '''def are_same(losses):
    """Say whether the losses are those of nnviz; return it."""
    if losses == LOSSES:
        print("losses: the same to the bit as in nnviz")
        return True
    apart = max(abs(one - other) for one, other in zip(losses, LOSSES))
    print(f"losses: not the same as in nnviz, the largest difference is {apart:.3g}")
    return False'''
_SUMMED_TEST = '''def are_same(losses):
    """Say whether the losses are those of nnviz; return it."""
    found = hashlib.sha256(np.array(losses, dtype=">f8").tobytes()).hexdigest()
    if found == LOSSES_DIGEST:
        print("losses: the same to the bit as in nnviz")
        return True
    apart = abs(losses[-1] - LAST_LOSS)
    print(f"losses: not the same as in nnviz, the last differs by {apart:.3g}")
    return False'''


def proof_code(run: RecordedRun, course: RunCourse) -> str:
    """Return the functions that compare weights and losses with those recorded."""
    losses = _LISTED_TEST if run.iterations <= LISTED else _SUMMED_TEST
    return joined([digest_code(course), _WEIGHTS_TEST, losses])
