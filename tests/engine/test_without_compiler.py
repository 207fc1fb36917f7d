from __future__ import annotations

import subprocess
import sys


def test_an_engine_trains_traces_and_does_long_work_without_loading_torchs_compiler():
    program = """
import sys
from pathlib import Path
import torch
from nnviz.document.store.examples import open_document
from nnviz.engine._service import _work_on
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.tasks import Task
from nnviz.records.task_records import CurvatureTask, NoiseTask, PlaneTask, RangeTestTask
torch.set_num_threads(1)  # as in the engine
timeline = Timeline(open_document("example:moons"), Path("."))
timeline.go_to(10)
to_record(capture_next(timeline.trainer, "textbook"))
for kind in (PlaneTask("path", size=3), CurvatureTask(), NoiseTask(batches=2), RangeTestTask(iterations=12, seeds=1)):
    task = Task(_work_on(kind, timeline))
    while not task.is_over:
        task.advance()
print([name for name in ("sympy", "torch._dynamo") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
