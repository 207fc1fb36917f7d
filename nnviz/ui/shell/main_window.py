"""The window: only its bar at first, then its features; it tells them what happens in the session, in the order written here.

Long because all that features may ask of it, and all that closing and other windows need, meets here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QEvent, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QMessageBox, QVBoxLayout, QWidget

from nnviz.ui.shell.actions import OFFERED, ActionTable
from nnviz.ui.shell.busy_line import BusyLine
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.shell.layouts import WORKSPACES
from nnviz.ui.shell.top_bar import TopBar
from nnviz.ui.theme.colors import LIGHT, THEMES, Theme, current_theme
from nnviz.ui.theme.fonts import text_size
from nnviz.ui.theme.style import apply_text_size, apply_theme, change_text_size, toggle_theme
from nnviz.ui.widgets.escape import EscapeKey
from nnviz.ui.widgets.notes import NoteBar
from nnviz.ui.widgets.plot_picture import PlotStill, StillRows
from nnviz.ui.widgets.toast import Toast
from nnviz.ui.widgets.waiting import waiting
from nnviz.version import __version__

if TYPE_CHECKING:
    from nnviz.document.experiment import Experiment
    from nnviz.records.python_file import PythonFile
    from nnviz.records.trace_state import TraceState
    from nnviz.session.engine_process import EngineProcess
    from nnviz.session.engine_work import Work
    from nnviz.session.run import RunState
    from nnviz.session.session import Session
    from nnviz.ui.shell._features import Features

DESIGN_SIZE = (1600, 1000)
SMALLEST_SIZE = (1180, 720)
FIRST_WORKSPACE = "step"
_REST = 60
"""Milliseconds between two changes of training settings that are shown while training runs."""


class MainWindow(QMainWindow):
    """One document, its run and its pictures. It has only its bar, and no session and no features, until `make_features` is called."""

    window_requested = Signal(object)
    """A new window is wanted; None, or what to do with it (see windows.py)."""
    closed = Signal()
    """The window has closed, and its engine has ended."""

    def __init__(self) -> None:
        super().__init__()
        apply_theme(QApplication.instance(), current_theme())
        self.session: Session | None = None
        self.features: Features | None = None
        self._sound: tuple | None = None
        """What decides whether the network can be trained, as the actions were told last."""
        self.shown_title = ""
        """What the bar calls the document."""
        self._unshown: Experiment | None = None
        """The document that is shown, where it has changed since."""
        self._resting = QTimer(self, singleShot=True, interval=_REST)
        self._resting.timeout.connect(self._show_unshown)
        self.asks_before_closing = True
        self._keeps_settings = False
        self.notes = NoteBar()
        self._blank = QWidget()
        """Where the panels will stand: without it a note would not be at the top."""
        self.action_table = ActionTable(self, OFFERED, self._feature)
        for action in self.action_table.values():
            action.setEnabled(False)  # until there is something to act on
        self._menu = QMenu(self)
        self.menus = self.action_table.fill(self._menu)
        self.top_bar = TopBar(self.action_table, self._menu, WORKSPACES)
        self.top_bar.set_workspace(FIRST_WORKSPACE)
        self.setCentralWidget(self._framed())
        self.busy_line = BusyLine(self.top_bar, self)
        self.toast = Toast(self, self.top_bar)
        self.resize(*DESIGN_SIZE)
        self.setMinimumSize(*SMALLEST_SIZE)

    def _framed(self) -> QWidget:
        frame = QWidget()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.top_bar, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.notes)
        layout.addWidget(self._blank, 1)
        return frame

    def _feature(self, name: str) -> object:
        return self if name == "window" else getattr(self.features, name)

    def make_features(self, experiment: Experiment, autosaves: bool = True, engine: EngineProcess | None = None) -> None:
        """Give the window a session of this experiment, and its features. The run is not opened: call `session.start`.

        Icons stay blank until `action_table.set_icons` is called. `engine`: one that has been started already; nobody listens to it yet.
        """
        from nnviz.session.engine_process import EngineProcess  # here, because the window is painted before they are loaded
        from nnviz.ui.shell._features import Features, new_session
        from nnviz.ui.shell._presenter import Presenter
        from nnviz.ui.shell._python_runs import PythonRuns
        from nnviz.ui.shell._stop_note import StopNote
        from nnviz.ui.widgets.pending_text import PendingText
        from nnviz.ui.widgets.turns import Turns

        self.session = new_session(experiment, autosaves, self, engine or EngineProcess())
        self.features = Features(self.session, self, self.top_bar)
        features = self.features
        bars = (self.top_bar, self.notes, features.doctor.line, features.run.bar, *features.step.bars)
        self.presenter = Presenter(self, self.session, features.area, (features.learn, features.step), bars, self.set_text_size)
        self._python_runs = PythonRuns(self.session.link.log_line, self)
        self._stop_note = StopNote(self.notes, self._show_stop)
        self._turns = Turns(lambda feature: feature.show_trace_state(self.session.stepping.state), self)
        self.centralWidget().layout().replaceWidget(self._blank, self.features.area)
        self._blank.deleteLater()
        self.centralWidget().layout().addWidget(self.features.doctor.line)
        self.centralWidget().layout().addWidget(self.features.run.bar)
        self.centralWidget().layout().addWidget(self.presenter.line)
        PendingText(self)
        EscapeKey(self, self._leave_mode)
        self._listen(self.session)
        if self._keeps_settings:
            self.features.area.restore_state(str(QSettings().value("window/panels", "")), with_windows=not self.siblings())
            self.features.run.bar.setVisible(str(QSettings().value("window/run_bar", "shown")) != "hidden")
            self.features.run.show_ghosts(str(QSettings().value("window/ghosts", "shown")) != "hidden")
        self.features.area.show_workspace(FIRST_WORKSPACE)
        self._show_experiment(self.session.experiment)
        self._show_document()
        self._show_run(self.session.run)
        self._show_findings()
        self._show_trace_state(self.session.stepping.state)
        self.focus_canvas()

    # --- what happens in the session, and who is told in which order ---

    def _listen(self, session: Session) -> None:
        stepping, table = session.stepping, self.action_table
        session.experiment_changed.connect(self._take_change)
        session.document_replaced.connect(self._show_another_document)
        session.document_changed.connect(self._show_document)
        session.run_changed.connect(lambda old, new: self._show_run(new, old))
        stepping.trace_state_changed.connect(lambda old, new: self._show_trace_state(new))
        stepping.selection_changed.connect(self._show_selection)
        session.doctor.changed.connect(self._show_findings)
        stepping.playing_changed.connect(lambda playing: table.show_running("play", playing))
        for changed in (session.what_ifs.changed, session.undo_order.changed):
            changed.connect(self.update_actions)
        session.branches.changed.connect(self.update_actions, Qt.ConnectionType.QueuedConnection)  # others still hear of the document
        session.message_posted.connect(self._tell)
        session.work.changed.connect(self._show_work)
        self.busy_line.cancel_requested.connect(session.work.cancel)
        self.top_bar.workspace_requested.connect(self.features.area.show_workspace)
        self.top_bar.rename_requested.connect(self._rename)
        self.features.area.workspace_changed.connect(self._show_workspace)

    def _take_change(self, old: Experiment, new: Experiment) -> None:
        """Show a change; while training runs, changes of its settings that come upon each other are shown together."""
        is_setting = new.network is old.network and new.data is old.data and new.canvas is old.canvas
        if self._resting.isActive() and self.session.run.training and is_setting:
            self._unshown = self._unshown or old
        else:
            old, self._unshown = self._unshown or old, None
            self._show_experiment(new, old)
            self._resting.start()

    def _show_unshown(self) -> None:
        if self._unshown is not None:
            self._take_change(self._unshown, self.session.experiment)

    def _show_experiment(self, new: Experiment, old: Experiment | None = None) -> None:
        features = self.features
        for feature in (features.network, features.run, features.landscape, features.pictures, features.graph, features.step):
            feature.show_experiment(new)
        features.data.show_experiment(new, old)
        features.doctor.show_experiment()

    def _show_another_document(self) -> None:
        self.features.network.select_layers(())
        self.focus_canvas()

    def _show_document(self) -> None:
        document, is_saved = self.session.document, self.session.is_saved
        self.shown_title = self._distinct(document.title)
        self.top_bar.set_title(self.shown_title, not is_saved, document.experiment.title)
        self.setWindowTitle(f"{self.shown_title}[*] – nnviz")
        self.setWindowModified(not is_saved)
        self.features.panel_menu.set_document(self.shown_title)
        self._show_soundness()

    def _distinct(self, title: str) -> str:
        """The title, with a number where another window shows the same."""
        taken = {window.shown_title for window in self.siblings()}
        return next(text for number in count(1) if (text := f"{title} {number}" if number > 1 else title) not in taken)

    def _rename(self, title: str) -> None:
        from nnviz.document import edits  # here, because the window is painted before they are loaded

        document = self.session.document
        if self.session.edit("Rename the document", edits.set_title, title) and document.path:
            self.session.post("info", f"Its title is “{title}”; the file is still called {document.path.name}.")

    def _show_run(self, new: RunState, old: RunState | None = None) -> None:
        features = self.features
        features.run.show_run(new, old)
        for feature in (features.landscape, features.pictures, features.step, features.network, features.graph):
            feature.show_run(new)
        features.data.show_run(new, old)
        self.top_bar.set_figures(features.run.figures())
        self._stop_note.show_run(new, old, features.area.name)
        sound = (new.training, new.target, new.engine, new.failure, self.session.training.obstacle)
        if sound != self._sound:
            self._sound = sound
            self.action_table.show_running("train", new.training or new.target is not None)
            self._show_engine(new)
            self._show_soundness()

    def _show_findings(self) -> None:
        """What the doctor found, on its line, its panel and its card, and as marks on the layers."""
        features = self.features
        features.doctor.show_findings()
        features.network.show_marks(features.doctor.marks)
        features.graph.show_marks(features.doctor.marks)
        self.action_table["doctor_show"].setEnabled(bool(self.session.doctor.present))

    def _tell(self, level: str, text: str) -> None:
        """Say it in passing, unless a note says it already."""
        if not self._stop_note.says(text):
            self.toast.post(level, text)

    def _show_stop(self) -> None:
        """Open the stepper on the node that training stopped at."""
        self.features.area.show_workspace("step")
        self.session.show_stop()

    def _show_engine(self, run: RunState) -> None:
        """Without an engine the pictures stand still: say so as long as it lasts, beside the button that ends it."""
        if run.engine not in ("failed", "stopped"):
            self.notes.drop("engine")
        elif "engine" not in self.notes.notes:
            text = {"failed": "The engine does not run: nothing can be trained or traced.", "stopped": "The engine rests."}[run.engine]
            self.notes.post("engine", "warning", text, [("Restart the engine", self.session.restart_engine)])

    def _show_work(self, work: Work | None) -> None:
        self.busy_line.show_work(work)
        for feature in (self.features.network, self.features.graph, self.features.step):
            feature.show_age()
        self.action_table["cancel"].setEnabled(work is not None and work.can_cancel)

    def _show_soundness(self) -> None:
        """Whether the network can be trained and traced may be another matter now."""
        self.features.graph.show_soundness()
        self.features.step.show_soundness()
        self.features.run.show_soundness()
        self.update_actions()

    def _show_trace_state(self, state: TraceState | None) -> None:
        """While training runs one feature in each turn of the event loop, so that no turn takes long."""
        features = self.features
        self._turns.add((features.network, features.graph, features.step, features.data))
        if not self.session.run.training:
            self._turns.finish()
            features.doctor.show_section()
        if self.action_table["step_back"].isEnabled() != (state is not None):
            self.update_actions()

    def _show_selection(self) -> None:
        self._turns.finish()  # the selected node is one of the newest trace
        self.features.graph.show_selection()
        self.features.step.show_selection()
        self.features.doctor.show_section()

    def _show_workspace(self, name: str) -> None:
        stepping, steps = self.session.stepping, name == "step" or (name == "learn" and self.is_visible("graph"))
        self.top_bar.set_workspace(name, steps)
        if name == "step":
            self._stop_note.drop()
        if not steps:
            stepping.stop()  # only there is a button that stops it
        self.features.network.view.select(self.features.network.selected_layers)  # a selected link has handles, for building
        self.features.learn.show_workspace()
        self.features.teach.show_workspace()
        self.focus_canvas()
        stepping.set_rest("start" if steps else "end", moves=name != "learn")  # a lesson moves it itself, the interview never does
        self.features.step.show_visible()
        self.update_needs()
        self.features.landscape.show_visible()
        self.features.data.show_visible()

    # --- what a feature may ask of the window, and what the window's own actions do ---

    @property
    def keeps_settings(self) -> bool:
        """Whether the next start of the program shall know what was set in this window."""
        return self._keeps_settings

    @property
    def selected_layers(self) -> tuple[str, ...]:
        """Ids of the layers that properties and actions are about."""
        return self.features.network.selected_layers

    def is_visible(self, panel: str) -> bool:
        """Return whether a panel can be seen in the present workspace."""
        return panel in self.features.area.visible_panels()

    def show_workspace(self, name: str) -> None:
        """Bring up a workspace: build · step · train · learn."""
        self.features.area.show_workspace(name)

    def toggle_panel(self, panel: str) -> None:
        """Hide a panel, or show it, in the first workspace that has it if the present one has not."""
        area = self.features.area
        if panel in area.panels() or self.is_visible(panel):
            area.set_panel_visible(panel, not self.is_visible(panel))
        else:
            area.show_workspace(next(name for name, tree in WORKSPACES.items() if panel in tree.panels()))
            area.set_panel_visible(panel, True)

    def toggle_run_bar(self) -> None:
        """Hide the run bar, or show it."""
        self.features.run.bar.setVisible(self.features.run.bar.isHidden())
        self.features.follow_text_size()

    def update_needs(self) -> None:
        """Have measured what the panels that can be seen need now; the curves always are."""
        needs, wishes, seen = self.features.needs, self.features.pictures.wishes, self.features.area.visible_panels()
        self.session.watch(("curves", *sorted({needs[panel] for panel in seen if panel in needs})))
        self.session.watch_pictures(tuple(wishes[panel] for panel in seen if panel in wishes))

    def update_actions(self) -> None:
        """Let every action say whether it can be called now, and what it would undo."""
        self.action_table.update_enabled(self._feature)
        self.action_table["undo"].setText(f"Undo {self.session.undo_order.undo_label}".strip())
        self.action_table["redo"].setText(f"Redo {self.session.undo_order.redo_label}".strip())

    def focus_canvas(self) -> None:
        """Let keys go to the lesson in its workspace, to the graph where it is shown, else to the network."""
        if self.features.area.name == "learn" and self.is_visible("lesson"):
            self.features.learn.take_keyboard()
            return
        view = self.features.graph.view if self.is_visible("graph") else self.features.network.view
        view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _leave_mode(self) -> None:
        """What Esc does where nothing else takes it: presenting ends, or the enlarged panel goes back, else the card follows the cursor."""
        if self.presenter.is_on:
            self.presenter.leave()
        elif not self.features.area.leave_enlarged():
            self.features.step.follow()

    def _panel_with_keyboard(self) -> str:
        """The panel in the window that is active which has the keyboard; the first one of the workspace, where none has it."""
        area, owner = self.features.area, self.focusWidget()
        cards = ((name, self.features.cards[name]) for name in area.visible_panels())
        holding = next((name for name, card in cards if owner and card.isAncestorOf(owner)), "")
        return area.active_panel() or holding or area.visible_panels()[0]

    def enlarge_panel(self) -> None:
        """Give the panel that has the keyboard all the room, or its place again."""
        self.features.area.enlarge(self._panel_with_keyboard())

    def toggle_presenting(self) -> None:
        """Show what is talked about in big letters on the whole screen, or the window as it was."""
        self.presenter.leave() if self.presenter.is_on else self.presenter.enter()

    def pop_out_panel(self) -> None:
        """Give the panel that has the keyboard a window of its own, or put it back."""
        self.features.panel_menu.pop_outs[self._panel_with_keyboard()].trigger()

    def close_active(self) -> None:
        """Close the window of a panel where that has the keyboard, else this window."""
        panel = self.features.area.active_panel() if self.features else ""
        self.features.area.put_back(panel) if panel else self.close()

    def fit(self) -> None:
        """Show the whole graph and the whole network."""
        self.features.graph.view.fit()
        self.features.network.view.fit()

    def pictured(self, what: str) -> object:
        """Return what a picture is made of: graph · network · plots · window, or the name of a panel."""
        features, seen = self.features, self.features.area.visible_panels()
        if what == "plots":
            return [PlotStill(features.plots[name]) for name in seen if name in features.plots]
        if what in features.plots:
            return PlotStill(features.plots[what])
        scenes = {"graph": features.graph.view.scene(), "network": features.network.view.scene(), "window": self}
        return scenes[what] if what in scenes else features.cards[what]

    def figured(self, what: str, centimetres: float | None = None) -> object:
        """Return what a figure is made of: `pictured` with title, iteration and legend, plots laid out for a page so many cm wide."""
        from nnviz.ui.shell.figures import graph_still, network_still, page_pixels  # no window is opened for figures

        features, session, pixels = self.features, self.session, page_pixels(centimetres)
        if what == "graph":
            return graph_still(features.graph.view, session.document.title, session.stepping, session.trace_age)
        if what == "network":
            return network_still(features.network.view, session.document.title, session.stepping, session.trace_age)
        if pixels and what == "plots":
            return StillRows([features.plots[name] for name in features.area.visible_panels() if name in features.plots], pixels)
        return PlotStill(features.plots[what], width=pixels) if what in features.plots else self.pictured(what)

    def is_settled(self) -> bool:
        """Return whether all that is seen is of the place where the run and the cursor stand."""
        session, index = self.session, self.session.stepping.index
        if session.training.is_training or session.training.is_moving or session.numbers.is_waiting or index is None:
            return False
        return index.trace.iteration == session.run.iteration and not self.features.graph.view.trace_scene.placer.is_busy

    def panel_titles(self) -> dict[str, str]:
        """Return the titles of the panels that can be seen, by their names."""
        return self.features.panel_menu.titles_in_sight()

    def set_animated(self, animated: bool) -> None:
        """Let moves over the graph be shown in motion, or at once."""
        self.features.graph.view.set_animated(animated)

    def thumbnail(self, experiment: Experiment, theme: Theme) -> QPixmap:
        """Return a small picture of a network."""
        from nnviz.ui.network.thumbnails import thumbnail

        return thumbnail(experiment, theme)

    def export_picture(self, widget: QWidget) -> None:
        """Ask for a file and write a picture of one plot there."""
        self.features.files.exports.ask_widget(widget)

    def find_action(self) -> None:
        """Open the field that finds any action by its name."""
        menu = self.features.panel_menu
        panels = [action for action in (*menu.actions.values(), *menu.pop_outs.values()) if action.isVisible()]
        CommandPalette(
            [*self.action_table.values(), *panels, *self.features.files.templates, *self.features.learn.lesson_actions()], self
        ).open_over(self)

    def about(self) -> None:
        """Say what this is."""
        text = f"nnviz {__version__}\nA microscope for neural networks.\nEvery traced gradient is compared with torch's own."
        QMessageBox.about(self, "nnviz", text)

    def toggle_theme(self) -> None:
        """Change between light and dark, in all windows."""
        with waiting():
            toggle_theme(QApplication.instance())

    def change_text_size(self, steps: int) -> None:
        """Show all texts so many sizes larger, in all windows; 0 for the size they were designed in."""
        with waiting():
            change_text_size(QApplication.instance(), steps)
            self._follow_text_size()
        self.toast.post("info", f"Text size {text_size()} %")

    def set_text_size(self, percent: int) -> None:
        """Show all texts in this size, in all windows."""
        with waiting():
            apply_text_size(QApplication.instance(), percent)
            self._follow_text_size()

    def _follow_text_size(self) -> None:
        for window in (self, *self.siblings()):
            window.features.follow_text_size()
            window.presenter.follow_size()

    # --- other windows ---

    def siblings(self) -> list[MainWindow]:
        """Return the other windows of the program that are open."""
        others = (widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow) and widget is not self)
        return [window for window in others if window.isVisible()]

    def open_window(self, begin: Callable[[Any], object] | None = None) -> None:
        """Open another window; `begin` is given its `FilesFeature` before its engine starts."""
        self.window_requested.emit((lambda window: begin(window.features.files)) if begin else None)

    def bring_up(self, path: Path) -> bool:
        """Bring the window to the front that has this document open; return whether another one has."""
        found = next((window for window in self.siblings() if window.session and window.session.document.path == path), None)
        if found is not None:
            found.raise_()
            found.activateWindow()
        return found is not None

    def run_python(self, file: PythonFile, name: str) -> None:
        """Have what `name` is in a file make its module, in a process of its own, and show it in a window of its own."""
        self.toast.post("info", f"Running {file.path.name} in a window of its own …")
        self._python_runs.start(file, name)

    def quit(self) -> None:
        """Close all windows, this one last; stop at the first that a person would rather keep."""
        for window in (*self.siblings(), self):
            if not window.close():
                return

    # --- coming and going ---

    def restore_settings(self) -> None:
        """Take up size, theme and panels as they were left, and keep them again when the window closes. Call it before `make_features`."""
        settings, self._keeps_settings = QSettings(), True
        geometry = settings.value("window/geometry")
        if isinstance(geometry, QByteArray):  # in a damaged file it may be anything
            self.restoreGeometry(geometry)
        if not self.siblings():
            apply_theme(QApplication.instance(), THEMES.get(str(settings.value("window/theme", "light")), LIGHT))
            apply_text_size(QApplication.instance(), _number(settings.value("window/text")))

    def _save_settings(self) -> None:
        settings = QSettings()
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/panels", self.features.area.save_state())
        settings.setValue("window/run_bar", "hidden" if self.features.run.bar.isHidden() else "shown")
        settings.setValue("window/ghosts", "shown" if self.features.run.has_ghosts else "hidden")
        settings.setValue("window/theme", current_theme().name)
        settings.setValue("window/text", text_size())

    def stop_asking(self) -> None:
        """Ask for no unsaved changes when the window is closed."""
        self.asks_before_closing = False

    def close_without_asking(self) -> None:
        """Close at once: unsaved changes are in the autosave, and offered again at the next start."""
        self.stop_asking()
        self.close()

    def _leave(self, discards: bool) -> None:
        """`discards`: a person was asked, and what is not saved now is not wanted."""
        self.presenter.leave()  # what it was before is kept
        self.features.learn.printing.stop()
        self.features.checking.stop()
        if self._keeps_settings:
            self._save_settings()
        self._python_runs.stop()
        self.session.close(discards)

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self.features:
            self.action_table.set_icons()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.features:
            self.features.run.bar.follow_window()
            self.features.follow_text_size()
            self.presenter.follow_size()
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate and self.features:
            self.features.files.show_activated()
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.features and self.asks_before_closing and not self.features.files.documents.confirm_leaving() and self.asks_before_closing:
            event.ignore()  # asked again: the question itself may have been taken away, by a signal
            return
        if self.features:
            self._leave(discards=self.asks_before_closing)
            self.features.area.hide_windows()
        event.accept()
        self.closed.emit()


def _number(setting: object) -> int:
    """The size of texts in percent that a setting says; 100 where it says none."""
    text = str(setting)
    return int(text) if text.isdecimal() else 100
