"""Every message survives the wire, and the wire refuses what is none."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz import messages
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.run_log import Change, LogUpdate, RunLog
from nnviz.records.call_list import CallList, ListedCall
from nnviz.records.data_record import ColumnRecord, DataRecord, Spread, TableColumn, TableRecord
from nnviz.records.divergence_record import Divergence, Place
from nnviz.records.hindsight_record import FirstTime, PastNumbers, Predicate, Question
from nnviz.records.run_records import CurvePoint, FunctionUse, Goal, LayerMeasures, LayerOutputs, LayerSteps, Predictions, Surface
from nnviz.records.task_records import (
    Curvature,
    CurvatureTask,
    DivergenceTask,
    ExplainedShares,
    FirstDivergence,
    FirstTimeTask,
    GradientNoise,
    HessianCheck,
    LossPlane,
    NewtonStep,
    NoiseTask,
    OtherRun,
    PastNumbersTask,
    PastTime,
    PastTimeTask,
    PathOnPlane,
    PlaneTask,
    Progress,
    Race,
    RacedRun,
    RaceTask,
    RangeTest,
    RangeTestTask,
    Stability,
    WeightPlace,
)
from nnviz.records.tensors import Array, Measure, Tensor
from nnviz.records.trace_record import (
    EdgeRecord,
    Equation,
    NodeRecord,
    NodeTensors,
    Piece,
    RowRecord,
    StepRecord,
    TraceRecord,
    UpdateRecord,
    WhatIf,
)
from nnviz.records.verdicts import Verdict
from tests.curve_points import arrived, travelling
from tests.engine.experiments import experiment

EXPERIMENT = experiment(weights={"out.bias": [0.5, -1.0]}, clip_norm=0.5)
ARRAY = Array("float32", (2, 1), np.array([1.5, -2.0], np.float32).tobytes())
MEASURE = Measure(5, -1.0, 2.0, 0.5, 0.1, 3.0, 1, 1, (1, 2), -1.0, 2.0)
WHOLE, MEASURED = Tensor((2, 1), ARRAY), Tensor((5000,), None, MEASURE)
NODE = NodeRecord(
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
    "z",
    (Equation("x", "∂L/∂z · W"), None),
    "f.py:3",
    ARRAY,
)
TRACE = TraceRecord(
    3,
    1,
    "textbook",
    0.5,
    1e-16,
    "float64",
    (4, 2),
    (NODE,),
    (EdgeRecord(1, 0, 0, WHOLE, ARRAY), EdgeRecord(2, 0, 1)),
    (StepRecord(0, "batch", 0), StepRecord(1, "clip", -1), StepRecord(2, "update", 0, "h1.weight")),
    (UpdateRecord("h1.weight", 0, (RowRecord("m", "β₁m", WHOLE),), WHOLE, WHOLE),),
    ("f.py:4",),
)
POINTS = travelling(CurvePoint(0, 0.7, 0.6, 0.5), CurvePoint(1, 0.65))
CHANGE = Change(7, EXPERIMENT)

SPREAD = Spread(0.0, 1.0, 0.5, 0.1, (1, 2))
DATA = DataRecord(ARRAY, ARRAY, ARRAY, 2, ("a", "b"), ("no", "yes"), (2,), (ColumnRecord("a", SPREAD, SPREAD),))
COLUMN = TableColumn("a", "numbers", 1, 2)
TABLE = TableRecord("UTF-8", "comma", "point", True, 2, (COLUMN,), (("1", ""),), (2,), 1, 1, (3,), "a", "classes")
PATH = PathOnPlane("with SGD", ARRAY, ARRAY, ARRAY, ARRAY)
SHARES = ExplainedShares((0.6, 0.8), (0.5, 0.7), (0.8, 0.9), (0.8, 0.9))
PLANE = LossPlane("path", ARRAY, ARRAY, ARRAY, 0.5, (0.25, 1.0), 4, (PATH,), SHARES)
CHECK, STABILITY = HessianCheck(1e-5, 1e-10, 2), Stability("sgd", 3.0, 2.0, 0.1, None)
NEWTON = NewtonStep(4, 8, 1, 0, -0.5, 1.0, 0.25, 0.25, 0.1, 0.5, 0.5)
CURVATURE = Curvature(0.5, 1.0, (("h1.weight", 2),), ARRAY, ARRAY, 0, 3.0, -1.0, 1, 0, 3.0, CHECK, 1e-16, ARRAY, STABILITY, "", NEWTON)
NOISE = GradientNoise(1.0, 0.5, None, 16, ARRAY, ARRAY)
RANGE = RangeTest(ARRAY, ARRAY, ARRAY, ARRAY, ARRAY, ARRAY, 0.7, 0.001, 0.1)
WEIGHTS = (WeightPlace("h1.weight", (0, 1)), WeightPlace("out.bias", (1,)))
VERDICT = Verdict("falling", 0.7, 0.1, 0.1, 0.7, 0, 0.0, 0.0)
ASKED = (Question("gradients", parameter="h1.weight", element=(0, 1)), Question("loss", rows=(1, 2)), Question("metric", rows="training"))
MESSAGES = [
    messages.Open(1, RunLog(EXPERIMENT, (CHANGE,)), "folder é 网", 9),
    messages.StartTask(1, PlaneTask("weights", WEIGHTS, others=(OtherRun("a", RunLog(EXPERIMENT), 9),))),
    messages.StartTask(2, CurvatureTask("batch")),
    messages.StartTask(3, NoiseTask(batches=8)),
    messages.StartTask(4, RangeTestTask(1e-4)),
    messages.StartTask(5, RaceTask((RunLog(EXPERIMENT), RunLog(EXPERIMENT, (CHANGE,))), 200)),
    messages.StartTask(6, DivergenceTask(RunLog(EXPERIMENT), RunLog(EXPERIMENT, (CHANGE,)), 200)),
    messages.StartTask(5, PastNumbersTask(ASKED, 40, 2)),
    messages.StartTask(6, PastTimeTask(ASKED, 40)),
    messages.StartTask(7, FirstTimeTask(Predicate(ASKED[0], "above", 0.5), 40, False)),
    messages.StopTask(4),
    messages.TaskProgressed(1, 2, 40, Progress(3, 41, "losses"), PLANE),
    messages.TaskProgressed(1, 2, 40, Progress(3, 41, "losses")),
    messages.TaskDone(2, 2, 40, "done", CURVATURE),
    messages.TaskDone(3, 2, 40, "done", NOISE),
    messages.TaskDone(4, 2, 40, "done", RANGE),
    messages.TaskDone(5, 2, 40, "done", Race((RacedRun(0, "failed", "No."), RacedRun(9, "done", "", 0.5, POINTS, VERDICT)))),
    messages.TaskDone(6, 2, 40, "done", FirstDivergence(200, Divergence(41, "backward", "gradient", (Place(3, 2, 7), Place()), 7))),
    messages.TaskDone(7, 2, 40, "done", FirstDivergence(200, None)),
    messages.TaskDone(5, 2, 40, "done", PastNumbers(ARRAY, ARRAY)),
    messages.TaskDone(6, 2, 40, "done", PastTime((1, 5), (2.0, 1.5))),
    messages.TaskDone(7, 2, 40, "done", FirstTime(12, 0.75, None, "scanned", 13)),
    messages.TaskDone(1, 2, 40, "failed", None, "It cannot be.", "Leave it."),
    messages.Edit(2, EXPERIMENT),
    messages.Edit(3, EXPERIMENT, ("h1",)),
    messages.Train(),
    messages.Train(5),
    messages.Train(5, past=True),
    messages.Train(goal=Goal("validation_loss", "below", 0.1), per_second=2.5),
    messages.SetPace(),
    messages.SetPace(1.0),
    messages.SetBreakpoints((Breakpoint("node", "h1/relu"), Breakpoint("gradient", "", "below", 1e-6, False))),
    messages.SetBounds({"vanishing": {"ratio": 0.5, "enabled": False}}),
    messages.Pause(),
    messages.GoTo(3),
    messages.TraceNext("layer"),
    messages.Watch(("curves", "trace"), "math"),
    messages.Acknowledge(4),
    messages.Inspect(3, "gradient"),
    messages.InspectNode(3, None),
    messages.NodeInspected(
        1, NodeTensors(3, "textbook", (("h1", "math"),), (WhatIf(2),), 3, 0, (Piece("contribution", 2, ARRAY, True, 3, 1),))
    ),
    messages.CheckGradient(3, (0, 1)),
    messages.InspectBatch(),
    messages.BatchInspected(3, (4, 5), ARRAY, ARRAY, ARRAY),
    messages.DrawInitial("h1.weight", 7),
    messages.MapUnit("h1", 2),
    messages.ListCalls(),
    messages.CallsListed(3, 128, CallList("Two moons", 32, "x", (ListedCall(1, "forward", "h1", "dense 1", "addmm(x)"),), "")),
    messages.Preview(1, EXPERIMENT, "folder"),
    messages.ReadTable(2, EXPERIMENT),
    messages.StopReading(2),
    messages.Previewed(1, DATA),
    messages.TableGlimpsed(2, 0.25, TABLE),
    messages.TableRead(2, None, None, "There is no such file.", "Choose another."),
    messages.TableRead(3, TABLE, DATA),
    messages.Ready("2.13.0"),
    messages.Opened(1, 0, 0, True, 11, DATA, ("h1.weight",), ("out.bias",)),
    messages.Opened(2, 9, 0, False, 11, log=LogUpdate(1, 9), nothing_left=True),
    messages.Failed("Edit", "No.", "Do.", "network.layers[1]", 3),
    messages.Frame(
        1,
        2,
        3,
        4,
        0.01,
        POINTS,
        (LayerMeasures("h1", MEASURE, MEASURE, MEASURE, 0.001),),
        Surface((0.0, 0.0), (1.0, 1.0), ARRAY),
        TRACE,
        answers=Predictions(ARRAY, ARRAY, ARRAY, {"accuracy": 0.5}, ARRAY),
        outputs=(LayerOutputs("h1", 0.1, 0.2, 0.3, 0.4, 1, (FunctionUse("relu", 4, MEASURE, ARRAY, None, None, 2),)),),
        steps=(LayerSteps("h1", 0.001, (0.1, 0.2, 0.3, 0.4, 0.5)),),
    ),
    messages.Trained(9, 1, "non_finite", "why"),
    messages.Moved(3, 1, POINTS),
    messages.Traced(2, TRACE),
    messages.Inspected(3, 1, "value", ARRAY),
    messages.GradientChecked(1, (0,), 0.5, 0.50001),
    messages.InitialDrawn("h1.weight", 7, ARRAY),
    messages.UnitMapped(3, 128, "h1", 2, ARRAY),
    messages.Logged("printed\n"),
]


def decoded(message, body: bytes):
    return messages.decode_request(body) if isinstance(message, messages.Request) else messages.decode_reply(body)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_round_trips(message):
    (body,) = messages.FrameReader().feed(messages.frame(message))
    assert decoded(message, body) == message


def test_no_message_is_left_out():
    kinds = set(messages.Request.__subclasses__()) | set(messages.Reply.__subclasses__())
    assert {type(message) for message in MESSAGES} == kinds
    assert set(messages.Requests.__args__) | set(messages.Replies.__args__) == kinds


@given(st.data())
def test_frames_survive_being_cut_anywhere(data):
    stream = b"".join(messages.frame(message) for message in MESSAGES)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    reader, bodies = messages.FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        bodies += reader.feed(stream[start:end])
    assert [decoded(message, body) for message, body in zip(MESSAGES, bodies, strict=True)] == MESSAGES


def test_numbers_that_are_not_finite_travel():
    (body,) = messages.FrameReader().feed(messages.frame(messages.Trained(1, 0, "done")))
    assert messages.decode_reply(body).iteration == 1
    (body,) = messages.FrameReader().feed(messages.frame(messages.Frame(1, 1, 1, 0, 0.1, travelling(CurvePoint(1, math.nan, math.inf)))))
    (point,) = arrived(messages.decode_reply(body).points)
    assert math.isnan(point.loss) and point.validation_loss == math.inf


def test_what_is_no_message_is_refused():
    with pytest.raises(ValueError, match="not a stream of frames"):
        list(messages.FrameReader().feed(b"Hello, world"))
    for body in (b"", b"\x01", b"hello", messages.frame(messages.Ready("x"))[4:], messages.frame(messages.GoTo(3))[4:-1]):
        with pytest.raises(msgspec.DecodeError):
            messages.decode_request(body)
