"""What a training loop is made of, as source: optimizer, learning rate, loss and penalty, locks."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from nnviz.document import adversarial
from nnviz.document.catalog import LAYERS
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Layer
from nnviz.document.shapes.report import examine
from nnviz.export.python.data_code import target_of_classes
from nnviz.export.python.net_code import attribute, tensor_name
from nnviz.export.python.python_text import Bracketed, CallSource, Keyed, Source, flat, laid_out, quoted
from nnviz.export.python.run_course import RunCourse, before_random, penalised
from nnviz.records.recorded_run import RecordedRun
from nnviz.records.tensors import to_numpy

# --- the optimizer ---

OPTIMIZER_CLASSES = {"sgd": "SGD", "adagrad": "Adagrad", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
TORCH_DEFAULTS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.0, "dampening": 0.0, "nesterov": False, "weight_decay": 0.0, "maximize": False},
    "adagrad": {"lr_decay": 0.0, "epsilon": 1e-10, "weight_decay": 0.0, "initial_accumulator_value": 0.0, "maximize": False},
    "rmsprop": {"alpha": 0.99, "epsilon": 1e-8, "momentum": 0.0, "centered": False, "weight_decay": 0.0, "maximize": False},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0, "amsgrad": False, "maximize": False},
    "adamw": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01, "amsgrad": False, "maximize": False},
}
"""What torch takes where nothing is said."""


def optimizer_source(experiment: Experiment, only_trained: bool = False) -> Source:
    """Return the call that makes the optimizer. `only_trained`: over the parameters that are not frozen alone."""
    choice = experiment.training.optimizer
    given = [f"lr={choice['learning_rate']!r}", *_given(choice)]
    return CallSource(f"torch.optim.{OPTIMIZER_CLASSES[choice.kind]}", (_groups(experiment, only_trained), *given))


def _given(choice: Choice) -> list[str]:
    usual, settings, found = TORCH_DEFAULTS[choice.kind], choice.settings, []
    for name, default in usual.items():
        value = settings.get(name, default)
        if name == "beta1" and (value, settings["beta2"]) != (usual["beta1"], usual["beta2"]):
            found.append(f"betas=({value!r}, {settings['beta2']!r})")
        elif name not in ("beta1", "beta2") and value != default:
            found.append(f"{'eps' if name == 'epsilon' else name}={value!r}")
    return found


def has_factors(experiment: Experiment) -> bool:
    """Return whether some layer has a learning rate of its own."""
    return any(layer.learning_rate_factor != 1 for layer in experiment.network)


def _groups(experiment: Experiment, only_trained: bool) -> Source:
    every = "trained_parameters({})" if only_trained else "{}.parameters()"
    if not has_factors(experiment):
        return every.format("model")
    layers = [layer for layer in experiment.network.in_order() if not layer.frozen and learns(layer)]
    rate, groups = experiment.training.optimizer["learning_rate"], []
    for factor, found in groupby(layers, lambda layer: layer.learning_rate_factor):
        places = [every.format(f"model.{attribute(layer.id)}") for layer in found]
        params = places[0] if len(places) == 1 else Bracketed("[", tuple(f"*{place}" for place in places), "]")
        entries = [Keyed('"params": ', params), f'"lr": {rate!r}{f" * {factor!r}" * (factor != 1)}', f'"factor": {factor!r}']
        groups.append(Bracketed("{", tuple(entries), "}"))
    return Bracketed("[", tuple(groups), "]")


def learns(layer: Layer) -> bool:
    """Return whether a layer has parameters."""
    return LAYERS[layer.kind].learns


TRAINED_PARAMETERS = '''def trained_parameters(module):
    """Return the parameters that are not frozen."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]'''


# --- the learning rate ---


def is_scheduled(course: RunCourse) -> bool:
    """Return whether the learning rate follows a schedule at some time."""
    return any(one.training.schedule.kind != "constant" for one in course.experiments)


def schedules(course: RunCourse) -> list[Choice]:
    """Return the different schedules of the run."""
    found: list[Choice] = []
    for one in course.experiments:
        if one.training.schedule not in found:
            found.append(one.training.schedule)
    return found


def schedule_name(course: RunCourse, schedule: Choice) -> str:
    """Return what the function of a schedule is called."""
    every = schedules(course)
    return "learning_rate" if len(every) == 1 else f"learning_rate{every.index(schedule) + 1}"


def schedule_clock(course: RunCourse, schedule: Choice) -> str:
    """Return what a schedule is given besides the optimizer's own rate."""
    if len(schedules(course)) > 1:
        return "iteration, epoch, reductions"
    if schedule.kind == "plateau":
        return "reductions"
    return "iteration" if schedule.settings.get("every") == "iteration" else "epoch"


def schedule_code(course: RunCourse) -> list[str]:
    """Return a function for every schedule of the run."""
    return [_schedule(course, schedule) for schedule in schedules(course)] if is_scheduled(course) else []


def _schedule(course: RunCourse, schedule: Choice) -> str:
    clock = schedule_clock(course, schedule)
    t = "iteration" if schedule.settings.get("every") == "iteration" else "epoch"
    head = f"def {schedule_name(course, schedule)}(base, {clock}):"
    said, body = _formula(schedule, t)
    return "\n".join([head, f'    """{said}"""', *(f"    {line}" for line in body)])


def _formula(schedule: Choice, t: str) -> tuple[str, list[str]]:
    value = {name: repr(one) for name, one in schedule.settings.items()}
    match schedule.kind:
        case "step":
            return f"Return a rate that falls now and then, by {t}s.", [f"return base * {value['gamma']} ** ({t} // {value['step_size']})"]
        case "exponential":
            return f"Return a rate that falls by the same factor every {t}.", [f"return base * {value['gamma']}**{t}"]
        case "cosine":
            low = value["eta_min"]
            wave = f"wave = 1 + math.cos(math.pi * {t} / {value['t_max']})"
            fallen = f"{low} + (base - {low}) * wave / 2" if schedule.settings["eta_min"] else "base * wave / 2"
            return "Return a rate that falls along half a cosine.", [wave, f"return {fallen}"]
        case "warm_up":
            start = value["start_factor"]
            rise = f"risen = min({t} / {value['total_iters']}, 1.0)"
            return "Return a rate that rises to its full height.", [rise, f"return base * ({start} + (1 - {start}) * risen)"]
        case "plateau":
            body = [
                "for _ in range(reductions):",
                f"    lower = max(base * {value['factor']}, {value['min_lr']})",
                "    if base - lower <= 1e-8:",
                "        break",
                "    base = lower",
                "return base",
            ]
            return "Return a rate that has been reduced so often.", body
    return "Return the rate as it is.", ["return base"]


# --- the loss ---

LOSSES = {
    "mse": "F.mse_loss",
    "mae": "F.l1_loss",
    "rmse": "rmse_loss",
    "huber": "F.huber_loss",
    "bce": "F.binary_cross_entropy_with_logits",
    "cross_entropy": "F.cross_entropy",
}
_RMSE = '''def rmse_loss(output, target):
    """Return the root mean squared error."""
    return F.mse_loss(output, target).sqrt()'''
_RMSE_AT_0 = '''class Root(torch.autograd.Function):
    """√x with the gradient 0 at x = 0, where torch's is infinite."""

    @staticmethod
    def forward(context, x):
        root = x.sqrt()
        context.save_for_backward(root)
        return root

    @staticmethod
    def backward(context, upstream):
        (root,) = context.saved_tensors
        return torch.where(root == 0, torch.zeros_like(root), upstream / (2 * root))


def rmse_loss(output, target):
    """Return the root mean squared error."""
    return Root.apply(F.mse_loss(output, target))'''


def loss_name(course: RunCourse, experiment: Experiment) -> str:
    """Return what the loss function of an experiment is called."""
    loss = experiment.training.loss
    return f"{loss}_of_classes" if course.has_several_targets else LOSSES[loss]


def loss_code(run: RecordedRun, course: RunCourse) -> list[str]:
    """Return the loss functions that torch does not have as they are used."""
    losses = list(dict.fromkeys(one.training.loss for one in course.experiments))
    can_be_0 = any(one.penalties for one in course.experiments) or bool((to_numpy(run.losses) == 0).any())
    found = [_RMSE_AT_0 if can_be_0 else _RMSE] if "rmse" in losses else []
    if course.has_several_targets:
        found += [_of_classes(run, course, one) for one in {one.training.loss: one for one in course.experiments}.values()]
    return found


def _of_classes(run: RecordedRun, course: RunCourse, experiment: Experiment) -> str:
    loss = experiment.training.loss
    target = target_of_classes("y", run, loss, course.outputs)
    lines = [f"def {loss}_of_classes(output, y):", '    """Return the loss where y holds class numbers."""']
    if " if " in target:
        lines.append(f"    target = {target}")
        target = "target"
    return "\n".join([*lines, f"    return {LOSSES[loss]}(output, {target})"])


# --- the penalty ---


def penalty_call(course: RunCourse) -> str:
    """Return the source of what is added to the loss; empty for nothing."""
    latents = [penalised(network) for network in course.networks]
    if not any(latents) and not course.ever("l1") and not course.ever("l2"):
        return ""
    if not course.ever("l1") and not course.ever("l2") and len(latents) == 1 and len(latents[0]) == 1:
        return f"model.{attribute(latents[0][0].id)}.divergence()"
    varied = [name for name in ("l1", "l2") if course.varies(name)]
    return f"penalty({', '.join(['model', *varied])})"


def penalty_code(course: RunCourse) -> list[str]:
    """Return the function of all that is added to the loss."""
    call = penalty_call(course)
    if not call.startswith("penalty("):
        return []
    has_latents = any(penalised(network) for network in course.networks)
    value = {name: name if course.varies(name) else repr(getattr(course.first.training, name)) for name in ("l1", "l2")}
    used = [name for name in ("l1", "l2") if course.ever(name)]
    terms = {"l1": f"{value['l1']} * weight.abs().sum()", "l2": f"{value['l2']} / 2 * weight.pow(2).sum()"}
    said = "Return what is added to the loss: " + " and ".join([*(["divergences"] if has_latents else []), *_said(used)]) + "."
    total = "torch.stack(terms).sum()" + (" if terms else 0.0" if _may_be_empty(course) else "")
    lines = [f"def {call}:", f'    """{said}"""']
    if used:
        lines.append("    weights = [weight for weight in model.parameters() if weight.dim() > 1]")
    if not has_latents and len(used) == 1 and not course.varies(used[0]):
        lines.append(f"    terms = [{terms[used[0]]} for weight in weights]")
        return ["\n".join([*lines, f"    return {total}"])]
    lines.append("    terms = []" if not has_latents else "    terms = [")
    if has_latents:
        lines[-1:] = [
            "    latents = [part for part in model.modules() if isinstance(part, GaussianLatent)]",
            "    terms = [latent.divergence() for latent in latents]",
        ]
    lines += ["    for weight in weights:"] if used else []
    for name in used:
        lines += (
            [f"        if {name}:", f"            terms.append({terms[name]})"]
            if course.varies(name)
            else [f"        terms.append({terms[name]})"]
        )
    return ["\n".join([*lines, f"    return {total}"])]


def _said(used: list[str]) -> list[str]:
    return [{"l1": "the sizes of all weights", "l2": "the squares of all weights"}[name] for name in used]


def _may_be_empty(course: RunCourse) -> bool:
    """Whether there are times at which nothing is added, or no weights to add anything of."""
    shapes = [examine(one).parameters_by_name.values() for one in course.experiments]
    is_bare = any(all(len(shape) < 2 for shape in every) for every in shapes)
    return is_bare or any(not one.penalties for one in course.experiments)


# --- two sides that learn in turn ---


def sides_lines(experiment: Experiment) -> list[str]:
    """Return the statements that gather what the generator and the discriminator learn."""
    lines, sides = [], adversarial.sides(experiment.network)
    before = [layer.id for layer in before_random(experiment.network)]  # only what is added to the loss may reach them
    for name, ids in (("generating", sides.generator), ("judging", (*before, *sides.discriminator))):
        layers = [experiment.network.layer(id) for id in ids]
        places = [f"model.{attribute(layer.id)}" for layer in layers if learns(layer)]
        lines.append(f"{name} = []")
        lines.append(laid_out(Bracketed("[", tuple(places), "]"), "for part in ", ":", 12))
        lines.append(f"    {name} += [one for one in part.parameters() if one.requires_grad]")
    return lines


# --- locks ---

LOCKED = '''def locked(model<locks>):
    """Return the parameters with locked elements: which these are, and what they hold."""
    found = []
    for name, places in <LOCKED>.items():
        parameter = model.get_parameter(name)
        mask = torch.full(parameter.shape, places is True)
        for place in [] if places is True else places:
            mask[place] = True
        found.append((parameter, mask, parameter.detach().clone()))
    return found'''
CLIPPED = '''def clip_norm_unlocked(model, limit, held):
    """Clip all gradients by the norm of those whose elements are not locked."""
    masks, gradients = {parameter: mask for parameter, mask, _ in held}, []
    for parameter in model.parameters():
        if parameter.grad is not None:
            mask = masks.get(parameter, torch.tensor(False))
            gradients.append(parameter.grad.masked_fill(mask, 0))
    total = nn.utils.get_total_norm(gradients)
    nn.utils.clip_grads_with_norm_(model.parameters(), limit, total)'''


def locks_source(experiment: Experiment) -> Source:
    """Return which elements of which parameters are locked, as a dict."""
    entries = []
    for name, value in experiment.locks.items():
        places = "True" if value is True else Bracketed("[", tuple(_place(index) for index in value or []), "]")
        entries.append(Keyed(f"{quoted(tensor_name(name, experiment.network))}: ", places))
    return Bracketed("{", tuple(entries), "}")


def _place(index: list[int]) -> Source:
    return flat(Bracketed("(", tuple(map(str, index)), ")", ","))


def has_locks(course: RunCourse) -> bool:
    """Return whether some element is locked at some time."""
    return any(one.locks for one in course.experiments)


def locks_vary(course: RunCourse) -> bool:
    """Return whether other elements are locked behind some change."""
    return any(one.locks != course.first.locks for one in course.experiments)
