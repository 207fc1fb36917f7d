"""Every action of the window that shows one trace, in one table like that of the main window."""

from __future__ import annotations

from nnviz.ui.shell.actions import Act

ACTIONS = (
    Act("to_start", "To the start", "Step", lambda w: w.trace.stepping.to_start(), "Ctrl+Home", "fa6s.backward-step", "Before the first step"),
    Act("to_end", "To the end", "Step", lambda w: w.trace.stepping.to_end(), "Ctrl+End", "fa6s.forward-step", "After the last step"),
    Act("step", "Step over", "Step", lambda w: w.step(+1), "F10", "fa6s.caret-right", "Make the next step; a folded group is one"),
    Act("step_back", "Step back", "Step", lambda w: w.step(-1), "Shift+F10", "fa6s.caret-left", "Take the last step back"),
    Act("into", "Step into", "Step", lambda w: w.into(), "F11", "fa6s.arrow-turn-down", "Open the folded group the cursor is in, or else the next one, by one level and go to its first node"),
    Act("out", "Step out", "Step", lambda w: w.trace.stepping.out(), "Shift+F11", "fa6s.arrow-turn-up", "Go to the first step behind the innermost open group"),
    Act("run_to", "Run to the selected node", "Step", lambda w: w.run_to_selected(), "Ctrl+F10", "fa6s.location-crosshairs", "Go on to the next step of the selected node, else of the one the cursor is at"),
    Act("follow", "Let the card follow the cursor", "Step", lambda w: w.trace.stepping.select(None), "Alt+P", "fa6s.location-arrow", "The chosen node is chosen no longer: the card follows the cursor (Esc)"),
    Act("pin", "Pin or release the node", "Step", lambda w: w.trace.stepping.pin(not w.trace.stepping.is_pinned), "Ctrl+Alt+P", "fa6s.thumbtack", "Keep the selected node, or the one the cursor is at, on the card while you step"),
    Act("breakpoint", "Breakpoint on this node: on or off", "Step", lambda w: w.toggle_breakpoint(), "F9", "fa6s.diamond", "Stop at the selected node, or at the one the cursor is at"),
    Act("proof", "Proof: every gradient beside torch's own", "View", lambda w: w.proof.open_below(w.badge), "Ctrl+Alt+E", "fa6s.check-double", "The largest difference of every parameter's gradient"),
    Act("play", "Play or stop the steps", "Step", lambda w: w.play(+1), "F5", "fa6s.forward", "Make one step after the other", "play"),
    Act("play_back", "Play backwards or stop", "Step", lambda w: w.play(-1), "Shift+F5", "fa6s.backward", "Take one step after the other back"),
    Act("fit", "Fit the graph", "View", lambda w: w.graph.fit(), "F", "fa6s.expand", "Show the whole graph"),
    Act("actual_size", "Graph at 100 %", "View", lambda w: w.graph.actual_size(), "Ctrl+0", "fa6s.magnifying-glass", "Show the graph in its own size"),
    Act("find_node", "Find in the graph…", "View", lambda w: w.graph.finder.open(), "Ctrl+F", "fa6s.magnifying-glass-location", "Find nodes by part of a name, operation, layer or shape"),
    Act("fold_all", "Fold all groups", "View", lambda w: w.graph.folds.fold_all(), "Alt+Shift+Up", "fa6s.angles-up", "Every module becomes one card, blocks of equal structure one together"),
    Act("open_all", "Open all groups", "View", lambda w: w.graph.folds.open_all(), "Alt+Shift+Down", "fa6s.angles-down", "Every group shows its nodes"),
    Act("theme", "Light or dark", "View", lambda w: w.toggle_theme(), "Ctrl+Shift+L", "fa6s.circle-half-stroke", "Change between the light and the dark theme"),
    Act("close", "Close", "View", lambda w: w.close(), "Ctrl+Q", "fa6s.xmark", "Close the window"),
    Act("find_action", "Search or run an action…", "View", lambda w: w.find_action(), "Ctrl+Shift+P", "fa6s.magnifying-glass", "Find any action by its name"),
)  # fmt: skip
