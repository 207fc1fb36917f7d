"""What the File menu offers, but for closing the window."""

from __future__ import annotations

from nnviz.ui.shell_api import Act, has_trace

ACTIONS = (
    Act("new", "New", "File", lambda f: f.documents.new(), "Ctrl+N", "fa6s.file", "Start from the two-moons experiment"),
    Act("new_from", "New from template…", "File", lambda f: f.start_page.open_templates(), "Ctrl+Alt+N", "fa6s.shapes", "Choose one of the nets to begin with, from a perceptron to a transformer block"),
    Act("gallery", "Open from the gallery…", "File", lambda f: f.start_page.open(), "Ctrl+Shift+O", "fa6s.images", "Recent documents, templates and examples, as pictures"),
    Act("open", "Open…", "File", lambda f: f.documents.open(), "Ctrl+O", "fa6s.folder-open", "Open a document, or a Python file whose module is then shown in a window of its own"),
    Act("new_window", "New window", "File", lambda f: f.shell.open_window(), "Ctrl+Shift+N", "fa6s.window-restore", "Another document beside this one, with an engine of its own"),
    Act("recover", "Recover unsaved work", "File", lambda f: f.lost_work.ask(), "Ctrl+Alt+R", "fa6s.life-ring", "Show the unsaved work that earlier starts left behind"),
    Act("revert", "Revert to the saved document", "File", lambda f: f.documents.revert(), "Ctrl+Alt+Z", "fa6s.clock-rotate-left", "Go back to what the file holds; undo brings the changes back", enabled=lambda f: not f.session.document.is_saved),
    Act("save", "Save", "File", lambda f: f.documents.save(), "Ctrl+S", "fa6s.floppy-disk", "Write the document to its file"),
    Act("save_as", "Save as…", "File", lambda f: f.documents.save_as(), "Ctrl+Shift+S", "fa6s.floppy-disk", "Write the document to another file"),
    Act("export_graph", "Export graph…", "File", lambda f: f.exports.ask_graph(), "Ctrl+Shift+E", "fa6s.file-export",
        "Write the graph at the present step as SVG, PNG, PDF, DOT, GraphML or JSON", enabled=has_trace),
    Act("export_code", "Export PyTorch code…", "File", lambda f: f.run_files.ask("program"), "", "fa6s.file-code",
        "Write the run, as far as it stands, as a program of torch and numpy alone that gives the same losses to the bit: Python or a notebook"),
    Act("export_iteration", "Export iteration as notebook…", "File", lambda f: f.run_files.ask("iteration"), "", "fa6s.book-open", "Write the traced iteration as a notebook: every value and gradient worked out by hand, beside torch's autograd"),
    Act("export_network", "Export network picture…", "File", lambda f: f.exports.ask_network(), "", "fa6s.image", "Write the network picture as SVG, PNG or PDF"),
    Act("export_figure", "Export figure…", "File", lambda f: f.ask_figure(), "Ctrl+Alt+F", "fa6s.image", "Write the graph, the network, the plots, the window or one panel as SVG, PNG or PDF, as wide as a page needs it, light or dark"),
    Act("record", "Record…", "File", lambda f: f.recordings.ask(), "Ctrl+Alt+V", "fa6s.film", "Write the graph, the network, plots or the window as MP4 or GIF while steps or iterations go by", enabled=has_trace),
    Act("export_weights", "Export weights…", "File", lambda f: f.run_files.ask("weights"), "", "fa6s.scale-balanced", "Write all parameters and running statistics, as they are now, as safetensors"),
    Act("export_onnx", "Export ONNX…", "File", lambda f: f.run_files.ask("network"), "", "fa6s.diagram-project", "Write the network with its present weights as ONNX, checked by onnxruntime"),
    Act("export_curves", "Export curves…", "File", lambda f: f.run_files.ask("curves"), "", "fa6s.table", "Write loss, scores and learning rate of every iteration as CSV or Parquet"),
    Act("export_histograms", "Export histograms…", "File", lambda f: f.run_files.ask("histograms"), "", "fa6s.chart-column", "Write how weights, gradients and activations of every layer were spread in the course of the run as CSV or Parquet"),
    Act("export_events", "Export for TensorBoard…", "File", lambda f: f.run_files.ask("events"), "", "fa6s.chart-line", "Write curves, norms and histograms of the run as an event file that `tensorboard --logdir` shows"),
    Act("load_weights", "Load weights…", "File", lambda f: f.run_files.ask_weights(), "", "fa6s.file-import", "Give the network the weights of a safetensors file, by name, as far as they fit; undo takes them back"),
    Act("export_window", "Export window picture…", "File", lambda f: f.exports.ask_window(), "", "fa6s.image", "Write a picture of the whole window"),
)
