"""What the Run menu offers for what is wrong with a run."""

from __future__ import annotations

from nnviz.ui.shell_api import Act

ACTIONS = (
    Act("doctor", "Doctor: show or hide", "Run", lambda f: f.toggle_panel(), "Ctrl+Alt+O", "fa6s.stethoscope", "All that is wrong with this run, with its evidence, why, and what may cure it", after="cancel_comparison"),
    Act("doctor_show", "Go to what the doctor found", "Run", lambda f: f.show_first(), "Ctrl+Alt+W", "fa6s.location-crosshairs", "Stand at the node and the iteration where the first thing it found began", enabled=lambda f: bool(f.session.doctor.present), after="doctor"),
    Act("doctor_bounds", "What the doctor judges by…", "Run", lambda f: f.open_bounds(), "", "fa6s.ruler", "What is looked for, and the bounds it is judged by; they are saved with the document", after="doctor_show"),
)
