"""The features of one window, made over one session and joined where a person would see one thing in two of them."""

from __future__ import annotations

from PySide6.QtCore import QObject

from nnviz.document.experiment import Experiment
from nnviz.session.engine_process import EngineProcess
from nnviz.session.lesson_draft import AuthorView
from nnviz.session.lesson_state import naming
from nnviz.session.session import Session
from nnviz.ui.checking.feature import CheckingFeature
from nnviz.ui.comparison.feature import ComparisonFeature
from nnviz.ui.data.feature import DataFeature
from nnviz.ui.doctor.feature import DoctorFeature
from nnviz.ui.files.feature import FilesFeature
from nnviz.ui.graph.feature import GraphFeature
from nnviz.ui.landscape.feature import LandscapeFeature
from nnviz.ui.learn.feature import WORKSPACE as LEARN
from nnviz.ui.learn.feature import LearnFeature
from nnviz.ui.network.feature import NetworkFeature
from nnviz.ui.pictures.feature import PicturesFeature
from nnviz.ui.run.feature import RunFeature
from nnviz.ui.shell._panel_menu import PanelMenu
from nnviz.ui.shell.top_bar import TopBar
from nnviz.ui.shell.workspaces import WorkspaceArea
from nnviz.ui.shell_api import Shell
from nnviz.ui.step.feature import StepFeature
from nnviz.ui.sweep.feature import SweepFeature
from nnviz.ui.teach.feature import PANEL as AUTHOR
from nnviz.ui.teach.feature import TeachFeature
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.weights.feature import WeightsFeature
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.card import Card, frame_height
from nnviz.ui.widgets.plot import Plot

_NARROWEST = 240
"""Below this width in pixels the names of the layers and of what is chosen for training would be cut."""
_RIGHT = {"inspector": 352, "properties": 300}
"""And below these the texts of the panels at the right."""
_LESSON = 300
"""And below this a line of a lesson has too few words."""
_AUTHOR = 372
"""And below this the buttons of who writes one."""
_MIDDLE = 470
"""Pixels that stay for what stands between the columns, and around them; texts too large for what is left have to be scrolled."""
_MOST_HIGH, _LAYERS = 480, 160
"""Pixels that the settings of training may claim below a palette, and those of the palette; with large texts they are scrolled."""
_BEFORE = "Shown as soon as you have answered. What do you expect?"
_AROUND = 36
"""Pixels around and between those two."""


class Features:
    """Each under its own name, and the area in which their cards stand. Which of them hears of what is said in the window."""

    def __init__(self, session: Session, shell: Shell, bar: TopBar) -> None:
        self._shell, self._bar = shell, bar
        self.network = NetworkFeature(session, shell)
        self.step = StepFeature(session, shell.action_table, bar.badge, bar.sizes, session)
        self.graph = GraphFeature(session, self.step.banner, self.step.controls, session=session)
        self.run = RunFeature(session, shell)
        self.landscape = LandscapeFeature(session, shell)
        self.pictures = PicturesFeature(session, shell)
        self.files = FilesFeature(session, shell)
        self.data = DataFeature(session, shell)
        self.weights = WeightsFeature(session, shell)
        self.comparison = ComparisonFeature(session, shell)
        self.sweep = SweepFeature(session, shell)
        self.doctor = DoctorFeature(session, shell)
        self.learn = LearnFeature(session, shell)
        self.teach = TeachFeature(session, shell)
        self.checking = CheckingFeature(session, shell.window())
        self._join(shell)
        self.cards = self._cards()
        self.follow_text_size()
        self.area = WorkspaceArea(self.cards)
        self.area.workspace_changed.connect(lambda name: self.step.share_rows())
        self.area.workspace_changed.connect(lambda name: self.comparison.show_panel())
        self.area.workspace_changed.connect(lambda name: self.doctor.show_panel())
        self.learn.panels_changed.connect(self._show_beside_lesson)
        self.panel_menu = PanelMenu(self.area, self.cards, shell.window())
        self.panel_menu.fill(shell.menus["View"])

    def _join(self, shell: Shell) -> None:
        """Let what is asked for in one of them reach the one that can do it."""
        network, boundary, points = self.network, self.run.boundary, self.data.points
        network.view.matrix_requested.connect(self.weights.open)
        network.parameters.table_requested.connect(self.weights.open)
        network.view.neuron_hovered.connect(self.run.hover)
        self.graph.view.what_if_requested.connect(self.step.ask_what_if)
        self.step.chain_rule.group_clicked.connect(self.graph.fold_to)
        self.step.chain_rule.group_clicked.connect(self.step.show_card)
        self.graph.view.node_clicked.connect(self.step.show_card)
        self.graph.view.folds.changed.connect(self.step.show_selection)
        self.graph.view.trace_scene.laid_out.connect(self.step.show_selection)  # which nodes are folded together is known only now
        self.run.training.data_requested.connect(self.data.open)
        boundary.put_requested.connect(points.put)
        boundary.erase_requested.connect(points.erase)
        boundary.adopt_requested.connect(points.adopt)
        for plot in (self.step.microscope, self.step.chain_rule.history):
            plot.export_requested.connect(shell.export_picture)
            self.run.share_time(plot)
        self.checking.node_requested.connect(self._show_node)
        self.run.bar.height_changed.connect(self.follow_text_size)
        self.step.chain_rule.set_foot(self.doctor.section)
        self.comparison.highlighted.connect(self.run.highlight)
        self.comparison.renaming_requested.connect(self.run.navigation.ask_name)
        self.comparison.forgetting_requested.connect(self.run.navigation.forget)

        self.sweep.document_requested.connect(self.files.documents.take)
        self.sweep.panel_requested.connect(self._show_sweep)

        self.files.start_page.put_first("Learn", self.learn.ways_in)
        self.learn.ask_before_leaving(self.files.documents.confirm_leaving)
        self.learn.printing.ask_with(self.files.documents.ask_file)
        self.graph.view.node_clicked.connect(self.learn.take_clicked_node)
        network.view.clicked.connect(self.learn.take_clicked)
        self.learn.element_wanted.connect(self.step.choose_element)
        self._join_author()
        self.learn.answering_changed.connect(self._follow_answering)
        self.learn.node_wanted.connect(self.graph.view.folds.show)

    def _join_author(self) -> None:
        """Let who writes a lesson be told where the window stands, and have played what is written or in a file."""
        self.teach.look_through(self._authors_view, self.files.documents.confirm_leaving)
        self.teach.panels_wanted.connect(self._show_beside_author)
        self.teach.play_wanted.connect(self.learn.try_out)
        self.teach.file_wanted.connect(self.learn.open_file)
        self.files.documents.play_lessons(self.learn.open_file)

    def _show_beside_lesson(self) -> None:
        """Show what the step of the lesson needs, where the lesson stands."""
        if self.area.name == LEARN:
            beside = self.learn.panels[1:]
            self.area.show_only((AUTHOR, *beside) if self.teach.draft.is_revisiting else self.learn.panels)

    def _show_beside_author(self, panels: tuple[str, ...]) -> None:
        """Show the panel of an author, and these beside it."""
        self.area.show_workspace(LEARN)
        self.area.show_only(panels)

    def _authors_view(self) -> AuthorView:
        """Where somebody stands who writes a lesson: in a workspace, or with the panels that are seen beside the lesson."""
        element = self.step.chain_rule.element()
        if self.area.name != LEARN:
            return AuthorView(self.area.name, (), element)
        visible = tuple(name for name in self.area.visible_panels() if name not in (AUTHOR, "lesson"))
        return AuthorView(*naming(visible), element, visible)

    def _show_sweep(self) -> None:
        """Give the sweep all the room; Esc gives the panels of the workspace their places again."""
        if "sweep" in self.area.windows:
            self.area.pop_out("sweep")
        elif self.area.enlarged != "sweep":
            if "sweep" not in self.area.panels():
                self.area.show_workspace("train")
            self.area.leave_enlarged()
            self.area.enlarge("sweep")

    def _follow_answering(self) -> None:
        """Cover what would show the answer to the step's question, and let a click that is one open nothing."""
        for name, card in self.cards.items():
            card.cover(_BEFORE if name in self.learn.covered else "")
            card.hide_subtitle(name in self.learn.silent)
        self.run.bar.cover(_BEFORE if "runs" in self.learn.covered else "")  # how far each has come may be the answer
        self.doctor.cover(_BEFORE if "doctor" in self.learn.covered else "")
        for canvas in (self.network, self.graph):
            canvas.show_marks(self.doctor.marks)
        self.landscape.show_visible()  # what has been covered has not followed
        self._bar.hide_measures(self.learn.hides_measures)
        self.network.view.only_name_clicked(self.learn.is_click_asked)

    def _show_node(self, node: int) -> None:
        """Bring a node into sight, in the workspace of the graph if it is in no panel here."""
        if not self._shell.is_visible("graph"):
            self.area.show_workspace("step")
        self.graph.view.show_node(node)

    def _cards(self) -> dict[str, Card]:
        """The cards by the names of their panels, in the order in which menus list them."""
        layers, training = Card("Layers", scrolling(self.network.palette)), Card("Training", scrolling(self.run.training))
        network, step = self.network.cards, self.step.cards
        return {
            "layers": layers,
            "training": training,
            "network": network["network"],
            **self.graph.cards,
            "inspector": step["inspector"],
            **self.data.cards,
            "properties": network["properties"],
            "parameters": network["parameters"],
            **self.run.cards,
            **self.landscape.cards,
            **self.pictures.cards,
            **self.comparison.cards,
            **self.sweep.cards,
            **self.doctor.cards,
            **self.learn.cards,
            **self.teach.cards,
            "microscope": step["microscope"],
        }

    def follow_text_size(self) -> None:
        """Let the left column be as wide, and the settings of training as high, as their texts need in a window of this width."""
        most = self._shell.window().width() - _MIDDLE
        width = max(_NARROWEST, min(round(scaled(_NARROWEST)), most - max(_RIGHT.values())))
        height = self.run.training.least_height() + frame_height()
        self.run.training.follow_text_size()
        self.comparison.panel.follow_text_size()
        self.sweep.panel.follow_text_size()
        below = 0 if self.run.bar.isHidden() else self.run.bar.minimumHeight()
        spare = self._shell.window().height() - self._bar.height() - below - self.doctor.line.minimumHeight() - _LAYERS - _AROUND
        self.graph.set_low(scaled(1.0) > 1)
        self.cards["layers"].setMinimumSize(width, _LAYERS)
        self.cards["training"].setMinimumSize(width, min(height, _MOST_HIGH, spare))
        self.cards["lesson"].setMinimumWidth(max(_LESSON, min(round(scaled(_LESSON)), most - max(_RIGHT.values()))))
        self.cards[AUTHOR].setMinimumWidth(max(_AUTHOR, min(round(scaled(_AUTHOR)), most - max(_RIGHT.values()))))
        for name, pixels in _RIGHT.items():
            self.cards[name].setMinimumWidth(max(pixels, min(round(scaled(pixels)), most - width)))
        self._bar.fit()  # only now all its texts have their size

    @property
    def needs(self) -> dict[str, str]:
        """What the engine has to measure for each panel that can be seen; for others nothing."""
        return (
            self.network.needs
            | self.graph.needs
            | self.step.needs
            | self.run.needs
            | self.pictures.needs
            | self.learn.needs
            | self.teach.needs
        )

    @property
    def plots(self) -> dict[str, Plot]:
        """The panels that are plots, by their names."""
        return {**self.run.plots, **self.landscape.plots, **self.pictures.plots, "microscope": self.step.microscope}


def new_session(experiment: Experiment, autosaves: bool, parent: QObject, engine: EngineProcess) -> Session:
    """Return a session of this experiment, which `engine` belongs to from now on."""
    session = Session(engine, experiment, autosaves=autosaves, parent=parent)
    session.connect_engine(engine)
    engine.setParent(session)
    return session
