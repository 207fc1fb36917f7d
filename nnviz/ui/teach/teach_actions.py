"""What the Learn menu offers to an author."""

from __future__ import annotations

from nnviz.ui.shell_api import Act

ACTIONS = (
    Act("open_lesson", "Open a lesson…", "Learn", lambda f: f.open_lesson(), "Ctrl+Alt+Shift+O", "fa6s.folder-open", "Play a lesson from a file (*.lesson.json)"),
    Act("new_lesson", "New lesson…", "Learn", lambda f: f.new(), "Ctrl+Alt+Shift+N", "fa6s.chalkboard-user", "Write a lesson: what you do in the window becomes its steps"),
    Act("write_lesson", "Write on a lesson…", "Learn", lambda f: f.write(), "Ctrl+Alt+Shift+W", "fa6s.pen", "Go on writing a lesson, or a copy of the one that is open"),
    Act("add_step", "Add step", "Learn", lambda f: f.add_step(), "Ctrl+Alt+Shift+A", "fa6s.plus", "Add a step that sets up what stands in the window now", enabled=lambda f: f.is_writing),
    Act("try_lesson", "Try the lesson", "Learn", lambda f: f.try_out(), "Ctrl+Alt+Shift+T", "fa6s.play", "Play it from the chosen step on, as a learner would", enabled=lambda f: f.has_steps),
    Act("check_lesson", "Check the lesson", "Learn", lambda f: f.check(), "Ctrl+Alt+Shift+C", "fa6s.list-check", "Play it without a window, rightly and wrongly, and name what does not hold", enabled=lambda f: f.has_steps),
    Act("save_lesson", "Save the lesson", "Learn", lambda f: f.save(), "Ctrl+Alt+Shift+S", "fa6s.floppy-disk", "Write the lesson to its one file", enabled=lambda f: f.is_writing),
    Act("save_lesson_as", "Save the lesson as…", "Learn", lambda f: f.save_as(), "", "fa6s.floppy-disk", "Write the lesson to another file", enabled=lambda f: f.is_writing),
    Act("undo_lesson", "Undo in the lesson", "Learn", lambda f: f.draft.undo(), "Ctrl+Alt+Shift+Z", "fa6s.rotate-left", "Take the last change of the lesson back", enabled=lambda f: f.draft.can_undo),
    Act("redo_lesson", "Redo in the lesson", "Learn", lambda f: f.draft.redo(), "Ctrl+Alt+Shift+Y", "fa6s.rotate-right", "Make the change of the lesson again", enabled=lambda f: f.draft.can_redo),
    Act("close_lesson", "Stop writing", "Learn", lambda f: f.close(), "", "fa6s.xmark", "Close the lesson you write", enabled=lambda f: f.is_writing),
)
