"""What the Run menu offers for sweeps."""

from __future__ import annotations

from nnviz.ui.shell_api import Act

ACTIONS = (
    Act("sweep", "Sweep settings…", "Run", lambda f: f.ask(), "Ctrl+Alt+S", "fa6s.table-cells", "Train every combination of some settings and seeds, or random ones, in processes of their own", enabled=lambda f: f.session.report.ok, after="cancel_comparison"),
    Act("cancel_sweep", "Cancel the sweep", "Run", lambda f: f.session.sweep.cancel(), "", "fa6s.ban", "Make no more runs; those that are finished stay", enabled=lambda f: f.session.sweep.is_going, after="sweep"),
    Act("go_on_sweep", "Go on with the sweep", "Run", lambda f: f.go_on(), "", "fa6s.forward", "Make the runs that are missing, and failed ones again, of the document as it was when the sweep began", enabled=lambda f: bool(f.session.sweep.missing), after="cancel_sweep"),
    Act("show_sweep", "Show the sweep", "Run", lambda f: f.show(), "Ctrl+Alt+G", "fa6s.chart-gantt", "Table, parallel coordinates and curves of the latest sweep", enabled=lambda f: bool(f.session.sweep.planned), after="go_on_sweep"),
    Act("open_swept", "Open the chosen run of the sweep", "Run", lambda f: f.open(f.panel.chosen), "", "fa6s.folder-open", "As a document of its own, which makes it again", enabled=lambda f: f.can_open, after="show_sweep"),
    Act("keep_swept", "Keep the chosen run of the sweep beside", "Run", lambda f: f.keep(f.panel.chosen), "", "fa6s.code-branch", "Train it again as a branch beside the present run", enabled=lambda f: f.can_open and not f.session.comparison.is_going, after="open_swept"),
    Act("export_sweep", "Export the sweep…", "Run", lambda f: f.export(), "", "fa6s.file-csv", "Write a row for each run to a CSV or Parquet file", enabled=lambda f: bool(f.session.sweep.rows), after="keep_swept"),
)
