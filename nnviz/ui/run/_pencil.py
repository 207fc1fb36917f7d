"""What a click on the plane of the data does, chosen in the card's header: nothing, put a point of a class, erase. It changes no data."""

from __future__ import annotations

from nnviz.records.data_record import DataRecord
from nnviz.ui.widgets.header_button import ChoiceButton

MOST_CLASSES = 9
OFF, ERASE, ADOPT = "", "erase", "own"
_TIP = "What a click on the plane does: put a point of a class, or erase one. Own points only; other rows are taken as own points first"


class Pencil:
    """The button, and what was chosen with it."""

    def __init__(self) -> None:
        self.button = ChoiceButton(_TIP)
        self.button.hide()

    @property
    def number(self) -> int | None:
        """The class that a click puts a point of; None if it puts none."""
        return int(self.button.key) if self.button.key.isdecimal() else None

    @property
    def erases(self) -> bool:
        """Whether a click erases."""
        return self.button.key == ERASE

    def offer(self, data: DataRecord | None, is_own: bool, is_seen: bool) -> None:
        """Offer what can be done with this data: it is the person's `own` points, or could be; and its plane `is_seen`."""
        is_plane = data is not None and data.x.shape[1:] == (2,) and 0 < data.classes <= MOST_CLASSES
        self.button.setVisible(is_plane and is_seen)
        choices = _choices(data, is_own) if is_plane else ((OFF, "points"),)
        is_kept = is_plane and is_seen and self.button.key in dict(choices) and self.button.key != ADOPT
        self.button.set_choices(choices, self.button.key if is_kept else OFF)


def _choices(data: DataRecord, is_own: bool) -> tuple[tuple[str, str], ...]:
    """One class more than there are, so that another can be begun."""
    if not is_own:
        return (OFF, "points"), (ADOPT, "take as own points")
    names = [data.class_names[number] if number < len(data.class_names) else str(number) for number in range(data.classes)]
    more = [str(data.classes)] if data.classes < MOST_CLASSES else []
    puts = [(str(number), f"+ class {name}") for number, name in enumerate(names + more)]
    return (OFF, "points"), *puts, (ERASE, "erase")
