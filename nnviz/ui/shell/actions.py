"""Every action a person can take, in one table: its id, text, key, icon, menu, what it calls and when it can be called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence, QPixmap
from PySide6.QtWidgets import QMainWindow, QMenu

from nnviz.ui.data import batch_inspector
from nnviz.ui.theme.colors import current_theme

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow


@dataclass(frozen=True)
class Act:
    """One row of the table. `call` and `enabled` are given the window."""

    id: str
    text: str
    menu: str
    call: Callable[[Any], object]
    keys: str = ""
    icon: str = ""
    tip: str = ""
    short: str = ""
    """What a button says where there is no room for the text."""
    enabled: Callable[[Any], bool] = lambda window: True


def _has_trace(window: MainWindow) -> bool:
    return window.session.trace_state is not None


def _can_train(window: MainWindow) -> bool:
    return window.session.trainer.can_train


def _can_step(window: MainWindow) -> bool:
    return _can_train(window) and not window.session.run.training and not window.session.trainer.is_moving


def _has_layers(window: MainWindow) -> bool:
    return bool(window.selected_layers)


def _has_several(window: MainWindow) -> bool:
    return len(window.selected_layers) > 1


def _supposes(window: MainWindow) -> bool:
    return bool(window.session.what_ifs.items)


ACTIONS = (
    Act("new", "New", "File", lambda w: w.documents.new(), "Ctrl+N", "fa6s.file", "Start from the two-moons experiment"),
    Act("new_from", "New from template…", "File", lambda w: w.commands.ask_template(), "Ctrl+Alt+N", "fa6s.shapes", "Choose one of the nets to begin with, from a perceptron to a transformer block"),
    Act("gallery", "Open from the gallery…", "File", lambda w: w.start_page.open(), "Ctrl+Shift+O", "fa6s.images", "Recent documents, templates and examples, as pictures"),
    Act("open", "Open…", "File", lambda w: w.documents.open(), "Ctrl+O", "fa6s.folder-open", "Open a document"),
    Act("new_window", "New window", "File", lambda w: w.window_requested.emit(None), "Ctrl+Shift+N", "fa6s.window-restore", "Another document beside this one, with an engine of its own"),
    Act("recover", "Recover unsaved work", "File", lambda w: w.lost_work.ask(), "Ctrl+Alt+R", "fa6s.life-ring", "Show the unsaved work that earlier starts left behind"),
    Act("revert", "Revert to the saved document", "File", lambda w: w.documents.revert(), "Ctrl+Alt+Z", "fa6s.clock-rotate-left", "Go back to what the file holds; undo brings the changes back", enabled=lambda w: not w.session.document.is_saved),
    Act("save", "Save", "File", lambda w: w.documents.save(), "Ctrl+S", "fa6s.floppy-disk", "Write the document to its file"),
    Act("save_as", "Save as…", "File", lambda w: w.documents.save_as(), "Ctrl+Shift+S", "fa6s.floppy-disk", "Write the document to another file"),
    Act("export_graph", "Export graph…", "File", lambda w: w.exports.ask_graph(), "Ctrl+Shift+E", "fa6s.file-export",
        "Write the graph at the present step as SVG, PNG, PDF, DOT, GraphML or JSON", enabled=_has_trace),
    Act("export_network", "Export network picture…", "File", lambda w: w.exports.ask_network(), "", "fa6s.image", "Write the network picture as SVG, PNG or PDF"),
    Act("export_window", "Export window picture…", "File", lambda w: w.exports.ask_window(), "", "fa6s.image", "Write a picture of the whole window"),
    Act("close", "Close the window", "File", lambda w: w.close(), "Ctrl+W", "fa6s.xmark", "Close this window and its engine; the others stay"),
    Act("quit", "Quit", "File", lambda w: w.commands.quit(), "Ctrl+Q", "fa6s.power-off", "Close all windows"),
    Act("undo", "Undo", "Edit", lambda w: w.session.undoing.undo(), "Ctrl+Z", "fa6s.rotate-left", "Take back the last change", enabled=lambda w: w.session.undoing.can_undo),
    Act("redo", "Redo", "Edit", lambda w: w.session.undoing.redo(), "Ctrl+Y", "fa6s.rotate-right", "Make the change again", enabled=lambda w: w.session.undoing.can_redo),
    Act("cut", "Cut layers", "Edit", lambda w: w.builder.cut(), "Ctrl+X", "fa6s.scissors", "Put the selected layers on the clipboard and remove them", enabled=_has_layers),
    Act("copy", "Copy layers", "Edit", lambda w: w.builder.copy(), "Ctrl+C", "fa6s.copy", "Put the selected layers on the clipboard as text, for here, another window or a mail", enabled=_has_layers),
    Act("paste", "Paste layers", "Edit", lambda w: w.builder.paste(), "Ctrl+V", "fa6s.paste", "Add the layers that are on the clipboard, or a whole document that was copied as text"),
    Act("duplicate", "Duplicate layers", "Edit", lambda w: w.builder.duplicate(), "Ctrl+Shift+D", "fa6s.clone", "Add a copy of the selected layers and the links among them", enabled=_has_layers),
    Act("delete", "Delete selected layers", "Edit", lambda w: w.builder.delete_selected(), "Shift+Del", "fa6s.trash", "Remove the selected layers (Del on the canvas)", enabled=_has_layers),
    Act("select_all", "Select all layers", "Edit", lambda w: w.select_layers(tuple(layer.id for layer in w.session.experiment.network)), "Ctrl+A", "fa6s.object-group", "Select every layer of the network"),
    Act("rename", "Rename layers", "Edit", lambda w: w.builder.ask_name(), "F2", "fa6s.i-cursor", "Type another name on the canvas; several layers are numbered", enabled=_has_layers),
    Act("link", "Link layers…", "Edit", lambda w: w.builder.ask_link(), "Ctrl+K", "fa6s.link", "Link the selected layer to another one, or the first of two selected ones to the second", enabled=_has_layers),
    Act("align_left", "Align left", "Edit", lambda w: w.builder.align("left"), "Ctrl+Shift+Left", "fa6s.align-left", "Put the left sides of the selected layers in one line", enabled=_has_several),
    Act("align_top", "Align top", "Edit", lambda w: w.builder.align("top"), "Ctrl+Shift+Up", "fa6s.arrow-up", "Put the upper sides of the selected layers in one line", enabled=_has_several),
    Act("distribute_across", "Distribute across", "Edit", lambda w: w.builder.align("across"), "Ctrl+Shift+Right", "fa6s.arrows-left-right", "Equal gaps between the selected layers from left to right", enabled=_has_several),
    Act("distribute_down", "Distribute down", "Edit", lambda w: w.builder.align("down"), "Ctrl+Shift+Down", "fa6s.arrows-up-down", "Equal gaps between the selected layers from top to bottom", enabled=_has_several),
    Act("data", "Data…", "Edit", lambda w: w.data.open(), "Ctrl+Alt+D", "fa6s.database", "Choose a data set, a file or points of your own; noise, split, scaling"),
    Act("tidy", "Tidy the network", "Edit", lambda w: w.builder.tidy(), "Ctrl+L", "fa6s.table-cells", "Place all layers automatically"),
    Act("weights", "Edit weights…", "Edit", lambda w: w.weight_editing.open(), "Ctrl+Shift+M", "fa6s.table", "A parameter as a table: type, paste, draw anew, fill, lock", enabled=lambda w: bool(w.session.report.parameters)),
    Act("dropout", "Dropout on or off", "Edit", lambda w: w.commands.toggle_dropout(), "Ctrl+D", "fa6s.droplet-slash", "Switch all dropout layers on or off, also while training runs"),
    Act("train", "Train or pause", "Run", lambda w: w.session.trainer.toggle(), "Ctrl+T", "fa6s.play", "Train until paused", "train", enabled=_can_train),
    Act("train_iteration", "+1 iteration", "Run", lambda w: w.session.trainer.iterations(1), "Ctrl+I", "fa6s.forward-step", "Make one parameter update", "+1", enabled=_can_step),
    Act("train_epoch", "+1 epoch", "Run", lambda w: w.session.trainer.epoch(), "Ctrl+E", "fa6s.forward-fast", "Train once through the training data", "+epoch", enabled=_can_step),
    Act("rewind", "Rewind to the start", "Run", lambda w: w.session.trainer.rewind(), "Ctrl+R", "fa6s.rotate-left", "Back to iteration 0: same seed, the identical start", enabled=_can_train),
    Act("go_to", "Go to iteration…", "Run", lambda w: w.commands.ask_iteration(), "Ctrl+G", "fa6s.clock-rotate-left", "Make the run stand after any number of iterations, exactly", enabled=_can_step),
    Act("resume", "Go to where it was saved", "Run", lambda w: w.session.resumption.resume(), "Ctrl+Shift+R", "fa6s.forward", "Make the iterations again, exactly, that the document was saved with", enabled=lambda w: w.session.resumption.saved is not None and _can_step(w)),
    Act("stop_going", "Stop on the way", "Run", lambda w: w.session.trainer.pause(), "Esc", "fa6s.stop", "Stay at the iteration that is reached now, on the way to another", enabled=lambda w: w.session.trainer.is_moving),
    Act("step", "Step over", "Step", lambda w: w.debugger.step(+1), "F10", "fa6s.caret-right", "Make the next step; a folded group is one", enabled=_can_step),
    Act("into", "Step into", "Step", lambda w: w.debugger.into(), "F11", "fa6s.arrow-turn-down", "Open the folded group the cursor is in, or else the next one, by one level and go to its first node", enabled=_can_step),
    Act("out", "Step out", "Step", lambda w: w.session.walker.out(), "Shift+F11", "fa6s.arrow-turn-up", "Go to the first step behind the innermost open group", enabled=_can_step),
    Act("step_back", "Step back", "Step", lambda w: w.debugger.step(-1), "Shift+F10", "fa6s.caret-left", "Take the last step back, beyond the start into the iteration before", enabled=_has_trace),
    Act("to_start", "To the start of the iteration", "Step", lambda w: w.session.stepper.to_start(), "Ctrl+Home", "fa6s.backward-step", "Before the first step", enabled=_has_trace),
    Act("to_end", "To the end of the iteration", "Step", lambda w: w.session.stepper.to_end(), "Ctrl+End", "fa6s.forward-step", "After the last step", enabled=_has_trace),
    Act("play", "Play or stop the steps", "Step", lambda w: w.debugger.play(+1), "F5", "fa6s.forward", "Make one step after the other", "play", enabled=_can_step),
    Act("play_back", "Play backwards or stop", "Step", lambda w: w.debugger.play(-1), "Shift+F5", "fa6s.backward", "Take one step after the other back", enabled=_can_step),
    Act("faster", "Play faster", "Step", lambda w: w.panels.step_bar.change_speed(+1), "Ctrl+]", "fa6s.gauge-high", "Stay on each step for half as long", enabled=_has_trace),
    Act("slower", "Play slower", "Step", lambda w: w.panels.step_bar.change_speed(-1), "Ctrl+[", "fa6s.gauge", "Stay on each step for twice as long", enabled=_has_trace),
    Act("run_to", "Run to the selected node", "Step", lambda w: w.debugger.run_to_selected(), "Ctrl+F10", "fa6s.location-crosshairs", "Go on to the next step of the selected node", enabled=_has_trace),
    Act("follow", "Let the card follow the cursor", "Step", lambda w: w.session.select(None), "Alt+P", "fa6s.location-arrow", "The chosen node is chosen no longer: the chain-rule card follows the cursor (Esc)", enabled=_has_trace),
    Act("pin", "Pin or release the node", "Step", lambda w: w.session.pin(not w.session.is_pinned), "Ctrl+Alt+P", "fa6s.thumbtack", "Keep the selected node, or the one the cursor is at, on the chain-rule card while you step", enabled=_has_trace),
    Act("node_steps", "Steps of one node", "Step", lambda w: w.top_bar.set_granularity("node"), "Alt+1", "fa6s.shoe-prints", "Let one step go from node to node"),
    Act("layer_steps", "Steps of one layer", "Step", lambda w: w.top_bar.set_granularity("layer"), "Alt+2", "fa6s.shoe-prints", "Let one step go from layer to layer"),
    Act("phase_steps", "Steps of one phase", "Step", lambda w: w.top_bar.set_granularity("phase"), "Alt+3", "fa6s.shoe-prints", "Let one step go from phase to phase: batch, forward, loss, backward, clip, update"),
    Act("batch_steps", "Steps of one batch", "Step", lambda w: w.top_bar.set_granularity("iteration"), "Alt+4", "fa6s.shoe-prints", "Let one step make a whole iteration"),
    Act("epoch_steps", "Steps of one epoch", "Step", lambda w: w.top_bar.set_granularity("epoch"), "Alt+5", "fa6s.shoe-prints", "Let one step make as many iterations as an epoch has"),
    Act("breakpoint", "Breakpoint on this node: on or off", "Step", lambda w: w.debugger.toggle_breakpoint(), "F9", "fa6s.diamond", "Stop at the selected node, or at the one the cursor is at", enabled=_has_trace),
    Act("breakpoints", "Breakpoints…", "Step", lambda w: w.debugger.show_breakpoints(), "Ctrl+F9", "fa6s.list", "List all breakpoints and add others: |gradient|, |activation|, non-finite, loss rising"),
    Act("switch_breakpoints", "All breakpoints on or off", "Step", lambda w: w.debugger.switch_breakpoints(), "Ctrl+Shift+F9", "fa6s.toggle-off", "Switch all breakpoints off, or on if none is", enabled=lambda w: bool(w.session.experiment.breakpoints)),
    Act("what_if", "What if…", "Step", lambda w: w.commands.ask_what_if(), "Ctrl+H", "fa6s.circle-question", "Give the element on the chain-rule card another value and see this iteration with it", enabled=_has_trace),
    Act("what_if_ablate", "What if it were 0", "Step", lambda w: w.panels.chain_rule.what_if.open("ablate"), "Ctrl+Shift+H", "fa6s.eraser", "Ablate the element on the chain-rule card, or its whole node", enabled=_has_trace),
    Act("take_back", "Take the last what-if back", "Step", lambda w: w.session.what_ifs.take_back(), "", "fa6s.reply", "Suppose the last what-if no longer", enabled=_supposes),
    Act("take_all_back", "Take all what-ifs back", "Step", lambda w: w.session.what_ifs.clear(), "", "fa6s.reply-all", "The iteration as it will be made", enabled=_supposes),
    Act("keep_what_ifs", "Keep the supposed weights", "Step", lambda w: w.session.keep_what_ifs(), "", "fa6s.thumbtack", "Make the supposed weights the network's own", enabled=_supposes),
    Act("batch", "Batch inspector: show or hide", "Step", lambda w: batch_inspector.toggle(w), "Ctrl+Alt+B", "fa6s.table-list", "Every row of the batch: input, target, answer, loss and gradient norm; a click looks at it"),
    Act("proof", "Proof of every gradient…", "View", lambda w: w.top_bar.badge.click(), "Ctrl+Shift+T", "fa6s.check-double", "Every parameter's gradient beside torch's own", enabled=_has_trace),
    Act("build_workspace", "Build workspace", "View", lambda w: w.area.show_workspace("build"), "Ctrl+1", "fa6s.pen-ruler", "The canvas is large"),
    Act("step_workspace", "Step workspace", "View", lambda w: w.area.show_workspace("step"), "Ctrl+2", "fa6s.shoe-prints", "One iteration, node by node"),
    Act("train_workspace", "Train workspace", "View", lambda w: w.area.show_workspace("train"), "Ctrl+3", "fa6s.chart-line", "The plots are large"),
    Act("fit", "Fit the graph", "View", lambda w: w.fit(), "F", "fa6s.expand", "Show the whole graph"),
    Act("all_layer", "Whole graph at detail: layer", "View", lambda w: w.session.stepper.set_detail("layer"), "Alt+6", "fa6s.layer-group", "Show the calls of the graph as they are made", enabled=_has_trace),
    Act("all_textbook", "Whole graph at detail: textbook", "View", lambda w: w.session.stepper.set_detail("textbook"), "Alt+7", "fa6s.book", "Open recurrent layers, dropout, attention and batch norm in the graph", enabled=_has_trace),
    Act("all_math", "Whole graph at detail: math", "View", lambda w: w.session.stepper.set_detail("math"), "Alt+8", "fa6s.square-root-variable", "Open losses, layer norm and penalties in the graph, too", enabled=_has_trace),
    Act("all_neurons", "Whole graph at detail: neurons", "View", lambda w: w.session.stepper.set_detail("neurons"), "Alt+9", "fa6s.circle-nodes", "Open a small net into single neurons, weights and biases", enabled=_has_trace),
    Act("actual_size", "Graph at 100 %", "View", lambda w: w.panels.graph.actual_size(), "Ctrl+0", "fa6s.magnifying-glass", "Show the graph in its own size"),
    Act("find_node", "Find in the graph…", "View", lambda w: w.panels.graph.finder.open(), "Ctrl+F", "fa6s.magnifying-glass-location", "Find nodes by part of a name, operation, layer or shape", enabled=_has_trace),
    Act("fold", "Fold the group around this node", "View", lambda w: w.commands.fold_here(), "Alt+Up", "fa6s.compress", "Fold the innermost open group around the selected node, or around the one the cursor is at", enabled=_has_trace),
    Act("open_group", "Open this group", "View", lambda w: w.commands.open_here(), "Alt+Down", "fa6s.up-right-and-down-left-from-center", "Open the folded group of the selected node, or of the one the cursor is at, by one level", enabled=_has_trace),
    Act("fold_all", "Fold all groups", "View", lambda w: w.panels.graph.folds.fold_all(), "Alt+Shift+Up", "fa6s.angles-up", "Every layer becomes one card, time steps and blocks of equal structure one together", enabled=_has_trace),
    Act("open_all", "Open all groups", "View", lambda w: w.panels.graph.folds.open_all(), "Alt+Shift+Down", "fa6s.angles-down", "Every group shows its nodes", enabled=_has_trace),
    Act("detail_layer", "This layer at detail: layer", "View", lambda w: w.commands.set_detail_here("layer"), "Ctrl+Alt+1", "fa6s.layer-group", "Show the calls of this layer as they were made; the others stay as they are", enabled=_has_trace),
    Act("detail_textbook", "This layer at detail: textbook", "View", lambda w: w.commands.set_detail_here("textbook"), "Ctrl+Alt+2", "fa6s.layer-group", "Open this layer into gates, masks, Q K V, mean and variance; the others stay as they are", enabled=_has_trace),
    Act("detail_math", "This layer at detail: math", "View", lambda w: w.commands.set_detail_here("math"), "Ctrl+Alt+3", "fa6s.layer-group", "Open this layer as far as its formulas go; the others stay as they are", enabled=_has_trace),
    Act("theme", "Light or dark", "View", lambda w: w.toggle_theme(), "Ctrl+Shift+L", "fa6s.circle-half-stroke", "Change between the light and the dark theme"),
    Act("reset_workspace", "Reset this workspace", "View", lambda w: w.area.reset(), "", "fa6s.table-columns", "Put all panels back where they were"),
    Act("find_action", "Search or run an action…", "Help", lambda w: w.commands.find_action(), "Ctrl+Shift+P", "fa6s.magnifying-glass", "Find any action by its name"),
    Act("about", "About nnviz", "Help", lambda w: w.commands.about(), "", "fa6s.circle-info", "Version, and what the numbers are checked against"),
)
RUNNING = {"train": ("pause", "fa6s.pause"), "play": ("stop", "fa6s.stop")}
"""Actions on filled buttons, and what they say and show while what they have started runs."""
MENUS = ("File", "Edit", "Run", "Step", "View", "Help")


def build_actions(window: QMainWindow, acts: Iterable[Act] = ACTIONS) -> dict[str, QAction]:
    """Return a QAction for every row, added to the window so that its key works everywhere in it.

    Their icons are blank until `set_icons` is called.
    """
    actions, blank = {}, QPixmap(64, 64)
    blank.fill(Qt.GlobalColor.transparent)
    for act in acts:
        action = QAction(act.text, window)
        action.setIconText(act.short or act.text)
        action.setIcon(QIcon(blank) if act.icon else QIcon())
        action.setShortcut(QKeySequence(act.keys))
        action.setToolTip(f"{act.tip} ({act.keys})" if act.keys else act.tip)
        action.triggered.connect(lambda _=False, act=act: act.call(window))
        window.addAction(action)
        actions[act.id] = action
    return actions


def fill_menu(menu: QMenu, actions: dict[str, QAction]) -> dict[str, QMenu]:
    """Give the menu one submenu for each word of MENUS and return them."""
    menu.addAction(actions["gallery"])
    menu.addSeparator()
    submenus = {name: menu.addMenu(name) for name in MENUS}
    for act in ACTIONS:
        submenus[act.menu].addAction(actions[act.id])
    return submenus


def set_icons(actions: dict[str, QAction], acts: Iterable[Act] = ACTIONS) -> None:
    """Draw all icons in the theme's text colour; those on filled buttons in the panel colour."""
    for act in acts:
        if act.icon:
            _draw_icon(actions[act.id], act.icon, act.id)


def show_running(actions: dict[str, QAction], id: str, running: bool) -> None:
    """Let an action that starts something say that it ends it, while it runs."""
    act = next(act for act in ACTIONS if act.id == id)
    text, icon = RUNNING[id] if running else (act.short, act.icon)
    actions[id].setIconText(text)
    _draw_icon(actions[id], icon, id)


def _draw_icon(action: QAction, icon: str, id: str) -> None:
    import qtawesome  # here, because its fonts take as long to load as the whole window to paint

    theme = current_theme()
    action.setIcon(qtawesome.icon(icon, color=theme.panel if id in RUNNING else theme.text, color_disabled=theme.faint))


def update_enabled(window: MainWindow, actions: dict[str, QAction]) -> None:
    """Let every action say whether it can be called now."""
    for act in ACTIONS:
        actions[act.id].setEnabled(act.enabled(window))
