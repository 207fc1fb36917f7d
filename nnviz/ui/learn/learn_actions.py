"""What the Learn menu offers."""

from __future__ import annotations

from nnviz.ui.shell_api import Act

ACTIONS = (
    Act("first_lesson", "Your first backward pass", "Learn", lambda f: f.open_first(), "", "fa6s.graduation-cap", "A lesson of 5 minutes and 8 questions: one iteration, followed by hand"),
    Act("lessons", "All lessons…", "Learn", lambda f: f.show_list(), "Ctrl+Alt+E", "fa6s.list-check", "The lessons in the order of the course, and how far you are"),
    Act("interview", "Interview questions and quiz…", "Learn", lambda f: f.show_interview(), "Ctrl+Alt+Q", "fa6s.comments", "A question, your answer, the short answer, and what shows it; or a quiz whose answers are computed"),
    Act("lesson_next", "Next step of the lesson", "Learn", lambda f: f.go_on(), "Alt+Right", "fa6s.arrow-right", "Go on, once the question is answered", enabled=lambda f: f.can_go_on),
    Act("lesson_back", "Back in the lesson", "Learn", lambda f: f.go_back(), "Alt+Left", "fa6s.arrow-left", "Go to the step before", enabled=lambda f: f.can_go_back),
    Act("lesson_restore", "Take me back to the step", "Learn", lambda f: f.restore(), "Alt+Home", "fa6s.location-crosshairs", "Let document, iteration and cursor be as the step has set them up", enabled=lambda f: f.is_open),
    Act("lesson_hint", "Hint", "Learn", lambda f: f.hint(), "Ctrl+Alt+J", "fa6s.lightbulb", "Show one hint more", enabled=lambda f: f.has_hint),
    Act("lesson_answer", "Show me the answer", "Learn", lambda f: f.give_up(), "Ctrl+Alt+M", "fa6s.eye", "Give the question up and see why it is so", enabled=lambda f: f.is_asked),
    Act("lesson_keyboard", "Back to the lesson's text", "Learn", lambda f: f.take_keyboard(), "Ctrl+Alt+K", "fa6s.keyboard", "Give the keyboard to the lesson, so that you can answer", enabled=lambda f: f.is_shown),
    Act("lesson_pdf", "Export lesson as PDF…", "Learn", lambda f: f.print_lesson(), "", "fa6s.file-pdf", "Texts, questions with room for answers, and pictures on A4 pages; the answers on pages of their own", enabled=lambda f: f.can_print),
    Act("lesson_pdf_bare", "Export lesson as PDF without answers…", "Learn", lambda f: f.print_lesson(has_answers=False), "", "fa6s.file-pdf", "The same without the pages for the teacher, to hand out", enabled=lambda f: f.can_print),
)
