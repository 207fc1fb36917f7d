"""Opens the document that a command names, as its options change it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnviz.jobs import OpenedFile


def document_of(options: argparse.Namespace) -> OpenedFile:
    """Return the document with its settings, seed, precision and weights, or one of its branches. Raises DocumentError or JobError."""
    from nnviz import jobs

    if getattr(options, "branch", None) is not None:
        others = options.settings, options.seed, options.precision, getattr(options, "weights", None)
        if others != ([], None, None, None):
            raise jobs.JobError("--branch makes a run again as it was: leave out --set, --seed, --precision and --weights.")
        return jobs.open_branch(options.file, options.branch)
    document = jobs.open_document(options.file, options.settings, options.seed, options.precision)
    return _with_weights(document, options.weights) if getattr(options, "weights", None) else document


def _with_weights(document: OpenedFile, file: str) -> OpenedFile:
    """The document with what fits of a file of weights; what does not is said."""
    from nnviz import jobs

    changed, found = jobs.with_weights(document, Path(file))
    print(f"{file}: {found.told}", *found.misfits, sep="\n", file=sys.stderr)
    return changed
