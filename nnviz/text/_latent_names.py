"""What a textbook calls the parts of a sampled latent vector: μ, log σ², σ, ε, z = μ + σ·ε. Source: Kingma & Welling 2014."""

from __future__ import annotations

from collections import defaultdict

from nnviz.records.trace_record import NodeRecord, TraceRecord

_PARTS = {"mean": "μ", "log_variance": "log σ²"}


def names(trace: TraceRecord) -> dict[int, str]:
    """Return the textbook's names of the nodes of every group that has a mean and a logarithm of the variance; none elsewhere."""
    groups: dict[tuple[str, ...], list[NodeRecord]] = defaultdict(list)
    for node in trace.nodes:
        if node.inputs and node.whole is None and node.group:
            part = node.group[-1].partition("#")[0]
            groups[node.group[:-1] if part in _PARTS else node.group].append(node)
    found: dict[int, str] = {}
    for nodes in groups.values():
        if {node.group[-1].partition("#")[0] for node in nodes} >= _PARTS.keys():
            found |= _of_group(trace, nodes)
    return found


def _of_group(trace: TraceRecord, nodes: list[NodeRecord]) -> dict[int, str]:
    found = {node.id: _PARTS[part] for node in nodes if (part := node.group[-1].partition("#")[0]) in _PARTS and node.operation == "linear"}
    for node in nodes:
        made_of = [found.get(source, "") for source in node.inputs]
        noise = next((source for source in node.inputs if trace.nodes[source].operation.startswith("randn")), None)
        if noise is not None:
            found[noise] = "ε"
        name = {
            ("mul", "log σ²"): "½ log σ²", ("exp", "½ log σ²"): "σ", ("mul", "σ"): "σ·ε", ("add", "σ·ε"): "z",
        }.get((node.operation, next((name for name in made_of if name and name != "μ"), "")))  # fmt: skip
        if name:
            found[node.id] = name
    return found
