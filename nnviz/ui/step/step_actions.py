"""What the Step menu offers, and the proof."""

from __future__ import annotations

from typing import Any

from nnviz.ui.shell_api import Act, can_step, has_trace


def _shows_code(feature: Any) -> bool:
    """Return whether the nodes were made by a person's own code; a net built on the canvas has none."""
    return feature.session is None


def _supposes(feature: Any) -> bool:
    return bool(feature.source.what_ifs.items)


ACTIONS = (
    Act("step", "Step over", "Step", lambda f: f.step(+1), "F10", "fa6s.caret-right", "Make the next step; a folded group is one", enabled=can_step),
    Act("step_back", "Step back", "Step", lambda f: f.step(-1), "Shift+F10", "fa6s.caret-left", "Take the last step back, beyond the start into the iteration before", enabled=has_trace),
    Act("to_start", "To the start of the iteration", "Step", lambda f: f.stepping.to_start(), "Ctrl+Home", "fa6s.backward-step", "Before the first step", enabled=has_trace),
    Act("to_end", "To the end of the iteration", "Step", lambda f: f.stepping.to_end(), "Ctrl+End", "fa6s.forward-step", "After the last step", enabled=has_trace),
    Act("play", "Play or stop the steps", "Step", lambda f: f.play(+1), "F5", "fa6s.forward", "Make one step after the other", "play", enabled=can_step),
    Act("play_back", "Play backwards or stop", "Step", lambda f: f.play(-1), "Shift+F5", "fa6s.backward", "Take one step after the other back", enabled=can_step),
    Act("faster", "Play faster", "Step", lambda f: f.step_bar.change_speed(+1), "Ctrl+]", "fa6s.gauge-high", "Stay on each step for half as long", enabled=has_trace),
    Act("slower", "Play slower", "Step", lambda f: f.step_bar.change_speed(-1), "Ctrl+[", "fa6s.gauge", "Stay on each step for twice as long", enabled=has_trace),
    Act("run_to", "Run to the selected node", "Step", lambda f: f.run_to_selected(), "Ctrl+F10", "fa6s.location-crosshairs", "Go on to the next step of the selected node", enabled=has_trace),
    Act("follow", "Let the card follow the cursor", "Step", lambda f: f.follow(), "Alt+P", "fa6s.location-arrow", "The chosen node is chosen no longer: the chain-rule card follows the cursor (Esc)", enabled=has_trace),
    Act("pin", "Pin or release the node", "Step", lambda f: f.stepping.pin(not f.stepping.is_pinned), "Ctrl+Alt+P", "fa6s.thumbtack", "Keep the selected node, or the one the cursor is at, on the chain-rule card while you step", enabled=has_trace),
    Act("node_steps", "Steps of one node", "Step", lambda f: f.sizes.choose("node"), "Alt+1", "fa6s.shoe-prints", "Let one step go from node to node"),
    Act("layer_steps", "Steps of one layer", "Step", lambda f: f.sizes.choose("layer"), "Alt+2", "fa6s.shoe-prints", "Let one step go from layer to layer"),
    Act("phase_steps", "Steps of one phase", "Step", lambda f: f.sizes.choose("phase"), "Alt+3", "fa6s.shoe-prints", "Let one step go from phase to phase: batch, forward, loss, backward, clip, update"),
    Act("batch_steps", "Steps of one batch", "Step", lambda f: f.sizes.choose("iteration"), "Alt+4", "fa6s.shoe-prints", "Let one step make a whole iteration"),
    Act("epoch_steps", "Steps of one epoch", "Step", lambda f: f.sizes.choose("epoch"), "Alt+5", "fa6s.shoe-prints", "Let one step make as many iterations as an epoch has"),
    Act("watch", "Watch this element: on or off", "Step", lambda f: f.watch_shown(), "Ctrl+Alt+X", "fa6s.eye", "Keep value and gradient of the element on the chain-rule card in sight, with what they were before, while you step", enabled=has_trace),
    Act("open_source", "Open the line of code", "Step", lambda f: f.open_source(), "Ctrl+Alt+Y", "fa6s.file-code", "Open the line of code that made the node on the chain-rule card in the editor that VISUAL or EDITOR names", enabled=_shows_code),
    Act("breakpoint", "Breakpoint on this node: on or off", "Step", lambda f: f.toggle_breakpoint(), "F9", "fa6s.diamond", "Stop at the selected node, or at the one the cursor is at", enabled=has_trace),
    Act("breakpoints", "Breakpoints…", "Step", lambda f: f.breakpoints.open(), "Ctrl+F9", "fa6s.list", "List all breakpoints and add others: |gradient|, |activation|, non-finite, loss rising"),
    Act("switch_breakpoints", "All breakpoints on or off", "Step", lambda f: f.breakpoints.switch_all(), "Ctrl+Shift+F9", "fa6s.toggle-off", "Switch all breakpoints off, or on if none is", enabled=lambda f: bool(f.session.experiment.breakpoints)),
    Act("what_if", "What if…", "Step", lambda f: f.ask_what_if(), "Ctrl+H", "fa6s.circle-question", "Give the element on the chain-rule card another value and see this iteration with it", enabled=has_trace),
    Act("what_if_ablate", "What if it were 0", "Step", lambda f: f.ask_ablated(), "Ctrl+Shift+H", "fa6s.eraser", "Ablate the element on the chain-rule card, or its whole node", enabled=has_trace),
    Act("take_back", "Take the last what-if back", "Step", lambda f: f.source.what_ifs.take_back(), "", "fa6s.reply", "Suppose the last what-if no longer", enabled=_supposes),
    Act("take_all_back", "Take all what-ifs back", "Step", lambda f: f.source.what_ifs.clear(), "", "fa6s.reply-all", "The iteration as it will be made", enabled=_supposes),
    Act("keep_what_ifs", "Keep the supposed weights", "Step", lambda f: f.session.keep_what_ifs(), "", "fa6s.thumbtack", "Make the supposed weights the network's own", enabled=_supposes),
    Act("copy_value", "Copy the value as Python", "Edit", lambda f: f.copy("value", "torch"), "Ctrl+Alt+U", "fa6s.copy", "Copy the value of the node on the chain-rule card, all rows, as torch.tensor(…) with every digit", enabled=has_trace),
    Act("copy_gradient", "Copy the gradient as Python", "Edit", lambda f: f.copy("gradient", "torch"), "Ctrl+Shift+U", "fa6s.copy", "Copy the gradient of the node on the chain-rule card, all rows, as torch.tensor(…) with every digit", enabled=has_trace),
    Act("copy_element", "Copy the chosen element as Python", "Edit", lambda f: f.copy("element", "torch"), "", "fa6s.copy", "Copy the element that the chain-rule card works out as torch.tensor(…) with every digit", enabled=has_trace),
    Act("copy_value_numpy", "Copy the value for numpy", "Edit", lambda f: f.copy("value", "numpy"), "", "fa6s.copy", "Copy the value of the node on the chain-rule card, all rows, as np.array(…) with every digit", enabled=has_trace),
    Act("copy_gradient_numpy", "Copy the gradient for numpy", "Edit", lambda f: f.copy("gradient", "numpy"), "", "fa6s.copy", "Copy the gradient of the node on the chain-rule card, all rows, as np.array(…) with every digit", enabled=has_trace),
    Act("proof", "Proof of every gradient…", "View", lambda f: f.open_proof(), "Ctrl+Alt+T", "fa6s.check-double", "Every parameter's gradient beside torch's own", enabled=has_trace),
)
