"""What can be wrong with a network that is trained against itself: how its two sides are linked, and what of its training makes no sense.

Each problem names the place, the layer that causes it, and the cure.
"""

from __future__ import annotations

from nnviz.document.adversarial import MEETING, RANDOM, TARGET, Sides, sides
from nnviz.document.checks.links import LinkIndex
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Problem, fix, step
from nnviz.document.shapes.rows import held_out
from nnviz.document.shapes.rules import LayerShape

_LINKS = (
    "Link input → Random numbers → the generator's layers → Real or generated, and the input to Real or generated, too; "
    "the discriminator's layers follow it."
)


def adversarial_problems(experiment: Experiment, links: LinkIndex, layers: dict[str, LayerShape]) -> list[Problem]:
    """Return what is wrong, given what every layer of a network that is whole amounts to; nothing where neither it nor its training is
    adversarial."""
    meetings = [id for id, layer in links.layers.items() if layer.kind == MEETING]
    if experiment.training.target != TARGET:
        return [_not_adversarial(links, id) for id in meetings]
    if not meetings:
        message = "Adversarial training needs a generator and a discriminator, and no layer says where they meet."
        other = fix("Compare the output with labels", step("change_training", target="labels"))
        return [Problem("training.target", message, "Add a Real or generated layer, or set target to labels.", fix=other)]
    found = sides(experiment.network)
    if found is None:
        return [Problem(links.place(meetings[0]), _link_message(links, meetings), _LINKS, meetings[0])]
    return [*_idle_problems(links, layers, found), *_setting_problems(experiment)]


def _not_adversarial(links: LinkIndex, id: str) -> Problem:
    message = "Rows of the data meet generated ones here, and the training compares the output with something else."
    turned = fix("Set target to adversarial", step("change_training", target=TARGET))
    return Problem(links.place(id), message, "Set the training's target to adversarial, or delete this layer.", id, turned)


def _link_message(links: LinkIndex, meetings: list[str]) -> str:
    randoms = sum(layer.kind == RANDOM for layer in links.layers.values())
    if len(meetings) > 1:
        return "There are several Real or generated layers, and generator and discriminator meet in one."
    if randoms != 1:
        return f"A generator begins with one layer of Random numbers, and there {'is none' if not randoms else f'are {randoms}'}."
    if not any(links.layers[source].kind == "input" for source in links.inputs[meetings[0]]):
        return "The rows of the data do not come here straight from the input layer."
    return "The generator has to read Random numbers alone, and the discriminator what comes from here alone."


def _idle_problems(links: LinkIndex, layers: dict[str, LayerShape], found: Sides) -> list[Problem]:
    """A side without anything to train would have no iteration."""
    problems = []
    for side, ids in (("generator", found.generator), ("discriminator", found.discriminator)):
        learning = [id for id in ids if layers[id].count]
        if not learning:
            message = f"The {side} has no layer with parameters, so nothing can be learned in its iterations."
            problems.append(Problem(links.place(found.meeting), message, "Add a Dense layer to it.", found.meeting))
        elif all(links.layers[id].frozen for id in learning):
            thawed = fix(f"Unfreeze {links.title(learning[-1])}", step("freeze_layer", id=learning[-1], frozen=False))
            message = f"Every layer of the {side} is frozen, so nothing can be learned in its iterations."
            problems.append(Problem(links.place(learning[-1]), message, "Unfreeze one of them.", learning[-1], thawed))
    return problems


def _setting_problems(experiment: Experiment) -> list[Problem]:
    training, problems = experiment.training, []
    watching = "it watches a validation loss, and generator and discriminator work against each other: there is no loss that gets better."
    if training.early_stopping is not None:
        off = fix("Switch early stopping off", step("change_training", early_stopping=None))
        problems.append(Problem("training.early_stopping", f"Early stopping cannot be used here: {watching}", "Switch it off.", fix=off))
    if training.schedule.kind == "plateau":
        constant = fix("Choose a constant schedule", step("choose_schedule", kind="constant"))
        message = f"The plateau schedule cannot be used here: {watching}"
        problems.append(Problem("training.schedule", message, "Choose another schedule.", fix=constant))
    if held_out(experiment.data):
        all_rows = fix("Train on all rows", step("change_data", validation=0.0))
        message = "Rows are kept out of training to be validated on, and an adversarial training has no validation loss."
        problems.append(Problem("data.validation", message, "Set validation to 0.", fix=all_rows))
    return problems
