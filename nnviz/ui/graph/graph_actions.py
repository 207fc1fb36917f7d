"""How far the graph is opened and folded, and how it is looked at."""

from __future__ import annotations

from nnviz.ui.shell_api import Act, can_step, has_trace

ACTIONS = (
    Act("into", "Step into", "Step", lambda f: f.into(), "F11", "fa6s.arrow-turn-down", "Make the next step; where it is folded in a group, open that by one level and go to its first node. To enter the group just made, step back first", enabled=can_step, after="step"),
    Act("out", "Step out", "Step", lambda f: f.stepping.out(), "Shift+F11", "fa6s.arrow-turn-up", "Go to the first step behind the innermost open group", enabled=can_step, after="into"),
    Act("all_layer", "Whole graph at detail: layer", "View", lambda f: f.stepping.set_detail("layer"), "Alt+6", "fa6s.layer-group", "Show the calls of the graph as they are made", enabled=has_trace),
    Act("all_textbook", "Whole graph at detail: textbook", "View", lambda f: f.stepping.set_detail("textbook"), "Alt+7", "fa6s.book", "Open recurrent layers, dropout, attention and batch norm in the graph", enabled=has_trace),
    Act("all_math", "Whole graph at detail: math", "View", lambda f: f.stepping.set_detail("math"), "Alt+8", "fa6s.square-root-variable", "Open losses, layer norm and penalties in the graph, too", enabled=has_trace),
    Act("all_neurons", "Whole graph at detail: neurons", "View", lambda f: f.stepping.set_detail("neurons"), "Alt+9", "fa6s.circle-nodes", "Open a small net into single neurons, weights and biases", enabled=has_trace),
    Act("actual_size", "Graph at 100 %", "View", lambda f: f.view.actual_size(), "Ctrl+0", "fa6s.magnifying-glass", "Show the graph in its own size"),
    Act("find_node", "Find in the graph…", "View", lambda f: f.view.finder.open(), "Ctrl+F", "fa6s.magnifying-glass-location", "Find nodes by part of a name, operation, layer or shape", enabled=has_trace),
    Act("fold", "Fold the group around this node", "View", lambda f: f.fold_here(), "Alt+Up", "fa6s.compress", "Fold the innermost open group around the selected node, or around the one the cursor is at", enabled=has_trace),
    Act("open_group", "Open this group", "View", lambda f: f.open_here(), "Alt+Down", "fa6s.up-right-and-down-left-from-center", "Open the folded group of the selected node, or of the one the cursor is at, by one level", enabled=has_trace),
    Act("fold_all", "Fold all groups", "View", lambda f: f.view.folds.fold_all(), "Alt+Shift+Up", "fa6s.angles-up", "Every layer becomes one card, time steps and blocks of equal structure one together", enabled=has_trace),
    Act("open_all", "Open all groups", "View", lambda f: f.view.folds.open_all(), "Alt+Shift+Down", "fa6s.angles-down", "Every group shows its nodes", enabled=has_trace),
    Act("detail_layer", "This layer at detail: layer", "View", lambda f: f.set_detail_here("layer"), "Ctrl+Alt+1", "fa6s.layer-group", "Show the calls of this layer as they were made; the others stay as they are", enabled=has_trace),
    Act("detail_textbook", "This layer at detail: textbook", "View", lambda f: f.set_detail_here("textbook"), "Ctrl+Alt+2", "fa6s.layer-group", "Open this layer into gates, masks, Q K V, mean and variance; the others stay as they are", enabled=has_trace),
    Act("detail_math", "This layer at detail: math", "View", lambda f: f.set_detail_here("math"), "Ctrl+Alt+3", "fa6s.layer-group", "Open this layer as far as its formulas go; the others stay as they are", enabled=has_trace),
)
