"""Runs programs and notebooks one after the other in a process that cannot load nnviz, and prints what came of each as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path


def main(folder: Path) -> None:
    sys.modules["nnviz"] = None  # whatever tries to import it fails
    import torch

    for path in sorted([*folder.glob("*.py"), *folder.glob("*.ipynb")]):
        torch.set_default_dtype(torch.float32)
        sys.argv = [str(path)]
        print(json.dumps({"name": path.name, **made(path)}), flush=True)


def made(path: Path) -> dict:
    """What a program did: its exit code (text of an error), what it printed, losses and digests."""
    names, output, code = {"__name__": "__main__"}, io.StringIO(), 0
    with contextlib.redirect_stdout(output):
        try:
            for source in cells(path):
                exec(compile(source, str(path), "exec"), names)
        except SystemExit as end:
            code = end.code
        except Exception:
            code = traceback.format_exc()
    found = {"code": code, "output": output.getvalue(), "losses": names.get("losses")}
    if "model" in names and "TRAINED" in names:
        found |= {"digest": names["digest"](names["model"]), "trained": names["digest"](names["trained"]())}
    return found


def cells(path: Path) -> list[str]:
    if path.suffix == ".py":
        return [path.read_text(encoding="utf-8")]
    return ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
