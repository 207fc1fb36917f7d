"""Every message survives the wire, and the wire refuses what is none."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz import protocol as p
from nnviz.document.breakpoints import Breakpoint
from tests.engine.experiments import experiment

EXPERIMENT = experiment(weights={"out.bias": [0.5, -1.0]}, clip_norm=0.5)
ARRAY = p.Array("float32", (2, 1), np.array([1.5, -2.0], np.float32).tobytes())
MEASURE = p.Measure(5, -1.0, 2.0, 0.5, 0.1, 3.0, 1, 1, (1, 2), -1.0, 2.0)
WHOLE, MEASURED = p.Tensor((2, 1), ARRAY), p.Tensor((5000,), None, MEASURE)
NODE = p.NodeRecord(
    0,
    "operation",
    "linear",
    "linear",
    "h1",
    ("h1", "inner"),
    (1, 2),
    (2, 1),
    "forward",
    WHOLE,
    MEASURED,
    0,
    (1,),
    "z",
    "d",
    "f.py:3",
    ARRAY,
)
TRACE = p.TraceRecord(
    3,
    1,
    "textbook",
    0.5,
    1e-16,
    "float64",
    (4, 2),
    (NODE,),
    (p.EdgeRecord(1, 0, 0, WHOLE, ARRAY), p.EdgeRecord(2, 0, 1)),
    (p.StepRecord(0, "batch", 0), p.StepRecord(1, "clip", -1), p.StepRecord(2, "update", 0, "h1.weight")),
    (p.UpdateRecord("h1.weight", 0, (p.RowRecord("m", "β₁m", WHOLE),), WHOLE, WHOLE),),
    ("f.py:4",),
)
POINTS = (p.Point(0, 0.7, 0.6, 0.5), p.Point(1, 0.65))
CHANGE = p.Change(7, EXPERIMENT)

SPREAD = p.Spread(0.0, 1.0, 0.5, 0.1, (1, 2))
DATA = p.DataRecord(ARRAY, ARRAY, ARRAY, 2, ("a", "b"), ("no", "yes"), (2,), (p.ColumnRecord("a", SPREAD, SPREAD),))
COLUMN = p.TableColumn("a", "numbers", 1, 2)
TABLE = p.TableRecord("UTF-8", "comma", "point", True, 2, (COLUMN,), (("1", ""),), (2,), 1, 1, (3,), "a", "classes")
MESSAGES = [
    p.Open(1, EXPERIMENT, "folder é 网", (CHANGE,), 9),
    p.Edit(2, EXPERIMENT),
    p.Train(),
    p.Train(5),
    p.Train(5, past=True),
    p.Break((Breakpoint("node", "h1/relu"), Breakpoint("gradient", "", "below", 1e-6, False))),
    p.Pause(),
    p.GoTo(3),
    p.Trace("layer"),
    p.Watch(("curves", "trace"), "math"),
    p.Acknowledge(4),
    p.Inspect(3, "gradient"),
    p.InspectNode(3, None),
    p.NodeInspected(1, 3, "textbook", (("h1", "math"),), (p.WhatIf(2),), 3, 0, (p.Piece("contribution", 2, ARRAY, True, 3, 1),)),
    p.CheckGradient(3, (0, 1)),
    p.InspectBatch(),
    p.BatchInspected(3, (4, 5), ARRAY, ARRAY, ARRAY),
    p.Draw("h1.weight", 7),
    p.Respond("h1", 2),
    p.Preview(1, EXPERIMENT, "folder"),
    p.LookAtTable(2, EXPERIMENT),
    p.Previewed(1, DATA),
    p.TableLookedAt(2, None, None, "There is no such file.", "Choose another."),
    p.TableLookedAt(3, TABLE, DATA),
    p.Ready("2.13.0"),
    p.Opened(1, 0, 0, True, 11, DATA, ("h1.weight",), ("out.bias",)),
    p.Failed("Edit", "No.", "Do.", "network.layers[1]", 3),
    p.Frame(
        1,
        2,
        3,
        4,
        0.01,
        POINTS,
        (p.LayerMeasures("h1", MEASURE, MEASURE, MEASURE, 0.001),),
        p.Surface((0.0, 0.0), (1.0, 1.0), ARRAY),
        TRACE,
        answers=p.Answers(ARRAY, ARRAY, ARRAY, {"accuracy": 0.5}, ARRAY),
    ),
    p.Trained(9, 1, "non_finite", "why"),
    p.Moved(3, 1, POINTS),
    p.Traced(2, TRACE),
    p.Inspected(3, 1, "value", ARRAY),
    p.GradientChecked(1, (0,), 0.5, 0.50001),
    p.Drawn("h1.weight", 7, ARRAY),
    p.Responded(3, 128, "h1", 2, ARRAY),
    p.Logged("printed\n"),
]


def decoded(message, body: bytes):
    return p.decode_request(body) if isinstance(message, p.Request) else p.decode_reply(body)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_round_trips(message):
    (body,) = p.FrameReader().feed(p.frame(message))
    assert decoded(message, body) == message


def test_no_message_is_left_out():
    kinds = set(p.Request.__subclasses__()) | set(p.Reply.__subclasses__())
    assert {type(message) for message in MESSAGES} == kinds
    assert set(p.Requests.__args__) | set(p.Replies.__args__) == kinds


@given(st.data())
def test_frames_survive_being_cut_anywhere(data):
    stream = b"".join(p.frame(message) for message in MESSAGES)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    reader, bodies = p.FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        bodies += reader.feed(stream[start:end])
    assert [decoded(message, body) for message, body in zip(MESSAGES, bodies, strict=True)] == MESSAGES


def test_numbers_that_are_not_finite_travel():
    (body,) = p.FrameReader().feed(p.frame(p.Trained(1, 0, "done")))
    assert p.decode_reply(body).iteration == 1
    (body,) = p.FrameReader().feed(p.frame(p.Frame(1, 1, 1, 0, 0.1, (p.Point(1, math.nan, math.inf),))))
    point = p.decode_reply(body).points[0]
    assert math.isnan(point.loss) and point.validation_loss == math.inf


def test_what_is_no_message_is_refused():
    with pytest.raises(ValueError, match="not a stream of frames"):
        list(p.FrameReader().feed(b"Hello, world"))
    for body in (b"", b"\x01", b"hello", p.frame(p.Ready("x"))[4:], p.frame(p.GoTo(3))[4:-1]):
        with pytest.raises(msgspec.DecodeError):
            p.decode_request(body)
