"""What a window holds besides its bar: session, desks and panels. It takes longer to load and to make than all of the first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnviz.document.experiment import Experiment
from nnviz.session.engine_process import EngineProcess
from nnviz.session.session import Session
from nnviz.ui.data.choosing import DataChoosing
from nnviz.ui.data.table_drops import TableDrops
from nnviz.ui.files.crash_recovery import CrashRecovery
from nnviz.ui.files.documents import Documents
from nnviz.ui.files.exports import Exports
from nnviz.ui.files.file_drops import FileDrops
from nnviz.ui.files.file_menu import fill_file_menu
from nnviz.ui.files.start_page import StartPage
from nnviz.ui.network.building import Builder
from nnviz.ui.run.neuron_maps import NeuronMaps
from nnviz.ui.shell import wiring
from nnviz.ui.shell.commands import Commands
from nnviz.ui.shell.panel_menu import PanelMenu
from nnviz.ui.shell.panels import Panels
from nnviz.ui.shell.workspaces import WorkspaceArea
from nnviz.ui.step.debugger import Debugger
from nnviz.ui.step.proof import Proof
from nnviz.ui.weights.weight_editing import WeightEditing
from nnviz.ui.widgets.pending_text import PendingText

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow


def furnish(window: MainWindow, experiment: Experiment, autosaves: bool) -> None:
    """Give the window a session of this experiment and all that works on it, and join them."""
    window.session = _session(experiment, autosaves)
    window.session.setParent(window)
    _add_desks(window)
    window.panels, window.proof, window.weight_editing = Panels(), Proof(window), WeightEditing(window)
    window.area = WorkspaceArea(window.panels.cards)
    window.panel_menu = PanelMenu(window.area, window.panels.cards, window)
    window.panel_menu.fill(window.submenus["View"])
    fill_file_menu(window.submenus["File"], window)
    window.start_page = StartPage(window)
    wiring.connect(window)


def _session(experiment: Experiment, autosaves: bool) -> Session:
    client = EngineProcess()
    session = Session(client, experiment, autosaves=autosaves)
    session.connect_engine(client)
    client.setParent(session)
    return session


def _add_desks(window: MainWindow) -> None:
    window.documents, window.exports, window.commands = Documents(window), Exports(window), Commands(window)
    window.debugger, window.builder, window.lost_work = Debugger(window), Builder(window), CrashRecovery(window)
    window.neuron_maps, window.data = NeuronMaps(window), DataChoosing(window)
    FileDrops(window)
    PendingText(window)
    TableDrops(window).table_dropped.connect(window.data.open_file)
