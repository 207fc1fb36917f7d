"""The jobs of the command line. Each takes what was asked and returns a plain value.

The larger ones are modules of their own and imported where they are used: `comparing`, `diagnosing`, `teaching`, `code_exporting`.
"""

from nnviz.jobs._examined_file import check, list_examples
from nnviz.jobs._plain_trace import plain_trace, trace, trace_record
from nnviz.jobs._run_figures import figures, list_calls, run
from nnviz.jobs._run_output import sample, write_file
from nnviz.jobs.headless_run import HeadlessRun
from nnviz.jobs.opened_file import JobError, OpenedFile, Setting, open_branch, open_document, sentence_of, with_weights

__all__ = [
    "HeadlessRun",
    "JobError",
    "OpenedFile",
    "Setting",
    "check",
    "figures",
    "list_calls",
    "list_examples",
    "open_branch",
    "open_document",
    "plain_trace",
    "run",
    "sample",
    "sentence_of",
    "trace",
    "trace_record",
    "with_weights",
    "write_file",
]
