"""What lessons ask of the live state is what torch and the trace say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.engine.observe.measures import array_of
from nnviz.jobs import Setting, trace_record
from nnviz.jobs import open_document as opened
from nnviz.lessons.checks import filled, judge
from nnviz.lessons.expression import ExpressionError, number, truth
from nnviz.lessons.facts import Facts
from nnviz.lessons.lesson import Ask
from nnviz.records.baseline_record import Averaged, Baseline, Baselines
from nnviz.records.distance_record import Distances
from nnviz.records.trace_index import TraceIndex


def facts(name: str, *settings: str) -> Facts:
    """Return what is known before the first iteration of a document with these settings."""
    document = opened(name, [Setting(*setting.split("=")) for setting in settings])
    return Facts(document.experiment, TraceIndex(trace_record(document, 0, "textbook")))


def test_parameters_are_counted_by_network_layer_and_tensor() -> None:
    names = Facts(open_document("example:iris")).names
    counted = {name: number(f"parameters('{name}')", names) for name in ("h1.weight", "h1.bias", "h1", "out", "x")}
    assert counted == {"h1.weight": 32, "h1.bias": 8, "h1": 40, "out": 27, "x": 0} and number("parameters()", names) == 67
    with pytest.raises(ExpressionError, match="no layer or parameter nowhere"):
        number("parameters('nowhere')", names)


def test_frozen_layers_and_the_layer_of_a_name() -> None:
    names = Facts(edits.freeze_layer(open_document("example:iris"), "h1")).names
    assert truth("frozen('h1') and not frozen('out')", names)
    for name in ("h1", "h1.weight", "h1/relu"):
        assert truth(f"layer_of('{name}') == 'h1'", names)


def test_dead_units_and_saturated_elements() -> None:
    dead = facts("template:mlp", "weights.h1.bias=[-10.0, -10.0, -10.0, 0.0, 0.0, 0.0, 0.0, 0.0]").names
    a = dead["value"]("h1/relu")
    assert number("dead('h1/relu')", dead) == (a == 0).all(0).sum() == 3
    saturated = facts("example:saturation").names
    slopes = saturated["value"]("h1/sigmoid") * (1 - saturated["value"]("h1/sigmoid"))
    assert number("saturated('h1/sigmoid')", saturated) == np.mean(slopes < 0.05 * 0.25) == 4 / 9
    assert number("saturated('out/linear') + dead('out/linear')", saturated) == 0


def test_local_derivatives_are_those_of_the_formula() -> None:
    names = facts("example:saturation").names
    a = names["value"]("h1/sigmoid")
    assert np.allclose(names["local"]("h1/linear", "h1/sigmoid"), a * (1 - a), rtol=1e-12)
    with pytest.raises(ExpressionError, match="not known element by element"):
        number("local('h1/sigmoid', 'out/linear')", names)


def test_what_backward_reads() -> None:
    names = facts("template:worked_2-2-1").names
    assert truth("reads('out/linear', 'h1/relu') and reads('out/linear', 'out.weight')", names)
    assert truth("not reads('out/linear', 'out.bias') and not reads('h1/linear', 'h1.weight')", names)


def test_what_no_plane_over_the_input_explains() -> None:
    names = facts("template:mlp").names
    assert truth("bent('h1/linear') < 0.000001", names) and truth("max(bent('h2/linear')) > 0.1", names)
    identity = "network.layers.h1.activation=identity", "network.layers.h2.activation=identity"
    assert truth("bent('out/linear') < 0.00001", facts("template:mlp", *identity).names)


def test_a_click_on_what_has_not_what_is_asked_for_is_wrong() -> None:
    ask = Ask("click", "Where is the largest gradient?", when="max(gradient(clicked)) > 1", example="out.weight")
    state = facts("template:worked_2-2-1")
    assert judge(ask, "out.weight", state).is_right
    assert not judge(ask, "x", state).is_right and not judge(ask, "nowhere", state).is_right
    assert not judge(ask, "", replace(state, index=None)).is_right


def test_lists_are_written_with_few_digits_in_one_line() -> None:
    state = facts("template:worked_2-2-1")
    assert filled("{= value('h1.weight') }", state) == "[[0.1, 0.5], [0.8, -0.3]]"
    assert filled("{= [1/3, 20000, 0.00001, -0.0] }", state) == "[0.3333, 2e+04, 1e-05, 0]"
    assert filled("{= [1/3, 1] :: .1f}", state) == "[0.3, 1.0]"


def test_a_setting_that_is_off_is_written_as_a_dash() -> None:
    assert filled("c = {= setting('clip_norm') }, {= setting('clip_norm') :: .2f}", facts("template:worked_2-2-1")) == "c = –, –"


def test_what_a_step_has_measured() -> None:
    models = (Baseline("this net", 5, "parameters", 1.0, 0.75, None), Baseline("same answer", 1, "parameters", 0.5, None, 0.1))
    averaged = (Averaged("thinned nets", array_of(np.array([0.5, 0.75])), array_of(np.array([0.5, 1.0])), 0.875),)
    apart = Distances(3, 2, *(array_of(np.array([float(n), 2.0 * n])) for n in (0, 3, 4)), array_of(np.zeros((2, 1))), 3.0)
    measured = {"baselines": Baselines("accuracy", 2, 1, models, averaged=averaged), "distances": apart}
    names = Facts(open_document("example:iris"), measured=measured).names
    assert number("score('this net')", names) == 0.75 and number("score('same answer', 'training')", names) == 0.5
    assert number("averaged('thinned nets', 'means')[1]", names) == 1.0 and number("averaged('thinned nets', 'whole')", names) == 0.875
    assert number("distances('ratios')[1]", names) == 6.0
    for unknown in (
        "score('same answer')",
        "score('a forest')",
        "averaged('this net', 'means')",
        "distances('scores')",
        "distances('rows')",
    ):
        with pytest.raises(ExpressionError, match=r"there (is|are) no"):
            number(unknown, names)
    with pytest.raises(ExpressionError, match="baselines have not been measured"):
        number("score('this net')", Facts(open_document("example:iris")).names)


def test_which_parameters_an_iteration_changes() -> None:
    names = facts("example:gan").names
    assert truth("is_updated('d1.weight') and not is_updated('g1.weight')", names)
