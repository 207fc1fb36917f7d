"""A sampled latent vector speaks as its textbook does."""

from nnviz import jobs
from nnviz.text import names
from nnviz.text.letters import letters


def test_the_parts_of_a_vae():
    trace = jobs.trace_record(jobs.open_document("template:vae", ()), 0, "textbook")
    called = names.names(trace)
    inside = [(node.operation, called[node.id]) for node in trace.nodes if node.group[:1] == ("z",) and node.kind != "parameter"]
    assert inside == [
        ("linear", "μ"), ("linear", "log σ²"), ("mul", "½ log σ²"), ("exp", "σ"), ("randn", "ε"), ("mul", "σ·ε"), ("add", "z"),
    ]  # fmt: skip
    add = next(node for node in trace.nodes if called[node.id] == "z" and node.operation == "add")
    assert letters(trace.nodes, add, called).written(add.formula) == "z = μ + σ·ε"


def test_other_nets_keep_their_names():
    trace = jobs.trace_record(jobs.open_document("example:moons", ()), 0, "textbook")
    assert not {"μ", "σ", "ε"} & set(names.names(trace).values())
