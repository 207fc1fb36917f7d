"""The training loop of a run as source: every iteration as it was made, and every change where it was made.

Long because whatever an iteration does is written here.
"""

from __future__ import annotations

from itertools import groupby
from textwrap import indent

from nnviz.document.checks.training_checks import evaluated_rows, numbers_per_row
from nnviz.document.shapes.report import examine
from nnviz.export.python.change_code import CARRY_OVER, LOOP_VARIABLES, MEMORY, frozen_line, needs_memory, plateau_source, step_lines, steps
from nnviz.export.python.data_code import is_split
from nnviz.export.python.python_text import CallSource, assigned, joined, laid_out
from nnviz.export.python.run_course import RunCourse
from nnviz.export.python.training_code import (
    CLIPPED,
    LOCKED,
    TRAINED_PARAMETERS,
    has_factors,
    has_locks,
    is_scheduled,
    learns,
    locks_source,
    locks_vary,
    loss_code,
    loss_name,
    optimizer_source,
    penalty_call,
    penalty_code,
    schedule_clock,
    schedule_code,
    schedule_name,
    schedules,
    sides_lines,
)
from nnviz.records.recorded_run import RecordedRun


def training_code(run: RecordedRun, course: RunCourse) -> str:
    """Return the functions that train the network; the last is `train`."""
    batches = [] if course.is_whole_batch or course.varies("batch_size") else [_BATCHES]
    return joined(
        [
            *batches,
            *loss_code(run, course),
            *penalty_code(course),
            *([_validation(run, course)] if is_split(run) else []),
            *schedule_code(course),
            *_lock_code(course),
            *([TRAINED_PARAMETERS, MEMORY] if needs_memory(course) else []),
            *([CARRY_OVER] if course.rebuilds else []),
            *([_DROPOUT] if course.has_dropout and (course.varies("dropout") or not course.first.training.dropout) else []),
            _train(run, course),
        ]
    )


_BATCHES = '''def batches():
    """Yield the rows of batch after batch: all rows once per epoch, in random order."""
    for epoch in itertools.count():
        order = torch.randperm(len(x_train), generator=generator("epoch", epoch))
        yield from order.split(BATCH_SIZE)'''
_DROPOUT = '''def switch_dropout(model, on):
    """Let every layer drop elements as it was made to, or pass them all."""
    for part in model.modules():
        for name in ("p", "dropout"):
            if isinstance(getattr(part, name, None), float):
                part.__dict__.setdefault("share", getattr(part, name))
                setattr(part, name, part.share if on else 0.0)'''


def has_validation(run: RecordedRun, course: RunCourse) -> bool:
    """Return whether the loss over the rows that are held out takes nothing but the model."""
    return is_split(run) and not any(course.varies(name) for name in ("loss", "l1", "l2"))


def _validation(run: RecordedRun, course: RunCourse) -> str:
    """The function that gives the loss over the rows that are held out; a network with two sides has none."""
    given = [*(["loss_function"] if course.varies("loss") else []), *(name for name in ("l1", "l2") if course.varies(name))]
    lines = [
        "@torch.no_grad()",
        f"def validation_loss({', '.join(['model', *given])}):",
        '    """Return the loss over the rows that are held out."""',
        "    model.eval()",
    ]
    name = "loss_function" if course.varies("loss") else loss_name(course, course.first)
    penalty, at_once = penalty_call(course), _rows_at_once(course)
    if run.data.rows - run.data.trained <= at_once:
        returned = f"loss.item() + float({penalty})" if penalty else "loss.item()"
        lines += [f"    loss = {name}(model(x_validation), y_validation)", "    model.train()", f"    return {returned}"]
        return "\n".join(lines)
    lines += [
        f"    outputs{', added' if penalty else ''} = []{', 0.0' if penalty else ''}",
        f"    for part in x_validation.split({at_once}):",
    ]
    lines.append("        outputs.append(model(part))")
    lines += [f"        added += float({penalty}) * (len(part) / len(x_validation))"] if penalty else []
    returned = "loss.item() + added" if penalty else "loss.item()"
    return "\n".join([*lines, f"    loss = {name}(torch.cat(outputs), y_validation)", "    model.train()", f"    return {returned}"])


def _rows_at_once(course: RunCourse) -> int:
    """How many rows nnviz evaluates at once: more would be rounded otherwise."""
    return evaluated_rows(numbers_per_row(examine(course.first).layers), course.first.precision)


def _lock_code(course: RunCourse) -> list[str]:
    if not has_locks(course):
        return []
    is_varied = locks_vary(course)
    constant = "" if is_varied else assigned("LOCKED", locks_source(course.first))
    text = LOCKED.replace("<locks>", ", locks" if is_varied else "").replace("<LOCKED>", "locks" if is_varied else "LOCKED")
    return [*([constant] if constant else []), text, *([CLIPPED] if course.ever("clip_norm") else [])]


# --- the loop ---


def _train(run: RecordedRun, course: RunCourse) -> str:
    returned = "model, losses" if course.rebuilds else "losses"
    said = "the model and the loss of every iteration" if course.rebuilds else "the loss of every iteration"
    lines = ["def train(model):", f'    """Train the model; return {said}, before its update."""']
    body = [*_before(course), "losses = []", _head(course), *(f"    {line}" for line in _iteration(run, course))]
    body += [line for step in steps(course) if step.iteration == run.iterations for line in step_lines(course, step, 4)]
    return "\n".join([*lines, indent("\n".join([*body, f"return {returned}"]), "    ")])


def _before(course: RunCourse) -> list[str]:
    """What is there before the first iteration."""
    first, training = course.first, course.first.training
    lines = [frozen_line(layer, 4) for layer in first.network.in_order() if layer.frozen and learns(layer)]
    if course.has_dropout and not training.dropout:
        lines.append("switch_dropout(model, False)")
    if course.sides:
        lines += sides_lines(first)
    lines.append(assigned("optimizer", optimizer_source(first), 4))
    lines += [f"{name} = {getattr(training, name)!r}" for name in LOOP_VARIABLES if course.varies(name)]
    if course.varies("loss"):
        lines.append(f"loss_function = {loss_name(course, first)}")
    if is_scheduled(course) and len(schedules(course)) > 1:
        lines.append(f"rate_of = {schedule_name(course, training.schedule)}")
    if is_scheduled(course) and _base_varies(course):
        lines.append(f"base_rate = {training.optimizer['learning_rate']!r}")
    if has_locks(course) and locks_vary(course):
        lines.append(assigned("locks", locks_source(first), 4))
    if course.varies("batch_size"):
        lines.append("epoch, taken = 0, 0")
    if _has_plateau(course):
        lines.append("lowest, waited_for, cooldown, reductions = math.inf, 0, 0, 0")
        if len(schedules(course)) > 1:
            lines.append(assigned("plateau", plateau_source(training.schedule.kind, training.schedule.settings), 4))
    elif is_scheduled(course) and len(schedules(course)) > 1:
        lines.append("reductions = 0")
    if course.ever("early_stopping"):
        lines.append("best_loss, best_weights, waited = math.inf, None, 0")
    return lines


def _base_varies(course: RunCourse) -> bool:
    return len({one.training.optimizer["learning_rate"] for one in course.experiments}) > 1


def _has_plateau(course: RunCourse) -> bool:
    return any(one.training.schedule.kind == "plateau" for one in course.experiments)


def _head(course: RunCourse) -> str:
    if course.is_whole_batch or course.varies("batch_size"):
        return "for iteration in range(ITERATIONS):"
    return "for iteration, rows in zip(range(ITERATIONS), batches()):"


def _iteration(run: RecordedRun, course: RunCourse) -> list[str]:
    lines: list[str] = []
    for iteration, made_here in groupby(steps(course), lambda step: step.iteration):
        if iteration < run.iterations:
            made = [line for step in made_here for text in step_lines(course, step, 12) for line in text.split("\n")]
            made += ["pass"] if all(line.startswith("#") for line in made) else []
            lines += [f"if iteration == {iteration}:", *(f"    {line}" for line in made)]
    needs_epoch = _needs_epoch(course)
    if course.varies("batch_size"):
        lines += _VARIED_BATCH
    elif needs_epoch:
        lines.append("epoch = iteration" if course.is_whole_batch else "epoch = iteration // EPOCH")
    lines += _rate_lines(course)
    if course.is_random:
        lines.append("seed_iteration(iteration)")
    # the optimizer of a net of which layers were frozen on the way knows nothing of the gradients these had before
    lines.append("model.zero_grad()" if needs_memory(course) else "optimizer.zero_grad()")
    lines += _loss_lines(course)
    lines.append("loss.backward()")
    lines += _update_lines(course)
    lines.append("losses.append(loss.item())")
    return lines + _end_lines(run, course)


_VARIED_BATCH = [
    "size = min(batch_size or len(x_train), len(x_train))",
    "if size == len(x_train) and not taken:",
    "    rows = torch.arange(size)",
    "else:",
    '    order = torch.randperm(len(x_train), generator=generator("epoch", epoch))',
    "    rows = order[taken : taken + size]",
]


def _needs_epoch(course: RunCourse) -> bool:
    return any(one.settings.get("every") == "epoch" or len(schedules(course)) > 1 for one in schedules(course)) and is_scheduled(course)


def _rate_lines(course: RunCourse) -> list[str]:
    if not is_scheduled(course):
        return []
    first = course.first.training
    base = "base_rate" if _base_varies(course) else repr(first.optimizer["learning_rate"])
    clock = schedule_clock(course, first.schedule)
    name = "rate_of" if len(schedules(course)) > 1 else "learning_rate"
    if not any(has_factors(one) for one in course.experiments):
        call = CallSource(name, (base, *clock.split(", ")))
        return laid_out(call, 'optimizer.param_groups[0]["lr"] = ', margin=8).split("\n")
    call = CallSource(name, (f'{base} * group.get("factor", 1.0)', *clock.split(", ")))
    line = laid_out(call, 'group["lr"] = ', margin=12)
    return ["for group in optimizer.param_groups:", *(f"    {part}" for part in line.split("\n"))]


def _loss_lines(course: RunCourse) -> list[str]:
    whole = course.is_whole_batch and not course.varies("batch_size")
    x, y = ("x_train", "y_train") if whole else ("x_train[rows]", "y_train[rows]")
    name = "loss_function" if course.varies("loss") else loss_name(course, course.first)
    if course.sides:
        lines = _sides_lines(x, y, x if course.generates_for_rows else "len(real)")
        lines.append(f"loss = {name}(output, target)")
    else:
        lines = [f"loss = {name}(model({x}), {y})"]
    penalty = penalty_call(course)
    return [*lines, *([f"loss = loss + {penalty}"] if penalty else [])]


def _sides_lines(x: str, y: str, given: str) -> list[str]:
    return [
        "is_generators = iteration % 2 == 1  # the discriminator's turn comes first",
        "for parameter in generating:",
        "    parameter.requires_grad_(is_generators)",
        "for parameter in judging:",
        "    parameter.requires_grad_(not is_generators)",
        f"real = torch.ones_like({y})",
        f"generated = model.generate({given})",
        "if is_generators:  # to be taken for real is what it learns",
        "    output, target = model(generated), real",
        "else:",
        f"    output = model(torch.cat([{x}, generated]))",
        "    target = torch.cat([real, torch.zeros_like(real)])",
    ]


def _update_lines(course: RunCourse) -> list[str]:
    lines, locks = [], has_locks(course)
    if locks:
        lines.append(f"held = locked({'model, locks' if locks_vary(course) else 'model'})")
    if course.ever("clip_norm"):
        value = "clip_norm" if course.varies("clip_norm") else repr(course.first.training.clip_norm)
        call = f"clip_norm_unlocked(model, {value}, held)" if locks else f"nn.utils.clip_grad_norm_(model.parameters(), {value})"
        lines += [f"if {value} is not None:", f"    {call}"] if course.varies("clip_norm") else [call]
    if course.ever("clip_value"):
        value = "clip_value" if course.varies("clip_value") else repr(course.first.training.clip_value)
        call = f"nn.utils.clip_grad_value_(model.parameters(), {value})"
        lines += [f"if {value} is not None:", f"    {call}"] if course.varies("clip_value") else [call]
    lines.append("optimizer.step()")
    if locks:
        lines += [
            "with torch.no_grad():",
            "    for parameter, mask, before in held:",
            "        parameter.copy_(torch.where(mask, before, parameter))",
        ]
    return lines


# --- the end of an epoch ---


def _end_lines(run: RecordedRun, course: RunCourse) -> list[str]:
    varied = course.varies("batch_size")
    lines = ["taken += len(rows)"] if varied else []
    body = _epoch_lines(course) if course.validates and is_split(run) else []
    if varied:
        return [*lines, "if taken >= len(x_train):", "    epoch, taken = epoch + 1, 0", *(f"    {line}" for line in body)]
    if not body:
        return []
    return body if course.is_whole_batch else ["if (iteration + 1) % EPOCH == 0:", *(f"    {line}" for line in body)]


def _epoch_lines(course: RunCourse) -> list[str]:
    given = ["model", *(["loss_function"] if course.varies("loss") else [])]
    given += [name for name in ("l1", "l2") if course.varies(name)]
    lines = [f"validation = validation_loss({', '.join(given)})"]
    if _has_plateau(course):
        lines += _plateau_lines(course)
    if course.ever("early_stopping"):
        lines += _stopping_lines(course)
    return lines


def _plateau_lines(course: RunCourse) -> list[str]:
    plateaus = [one for one in schedules(course) if one.kind == "plateau"]
    settings = plateaus[0].settings
    if len(plateaus) > 1 or len(schedules(course)) > 1:
        value = {name: f'plateau["{name}"]' for name in settings}
    else:
        value = {name: repr(one) for name, one in settings.items()}
    body = [
        f"is_better = validation < lowest * (1 - {value['threshold']})",
        "waited_for = 0 if is_better or cooldown else waited_for + 1",
        "lowest = validation if is_better else lowest",
        "cooldown = max(0, cooldown - 1)",
        f"if waited_for > {value['patience']}:",
        f"    waited_for, cooldown = 0, {value['cooldown']}",
        "    reductions += 1",
    ]
    return ["if plateau:", *(f"    {line}" for line in body)] if len(schedules(course)) > 1 else body


def _stopping_lines(course: RunCourse) -> list[str]:
    varies = course.varies("early_stopping")
    limit = "early_stopping" if varies else repr(course.first.training.early_stopping)
    lines = [
        "if validation < best_loss:",
        "    best_loss, waited = validation, 0",
        "    best_weights = copy.deepcopy(model.state_dict())",
        "else:",
        "    waited += 1",
        f"    if waited >= {limit}:  # the best weights are back",
        "        waited = 0",
        "        if best_weights:",
        "            model.load_state_dict(best_weights)",
    ]
    return ["if early_stopping is not None:", *(f"    {line}" for line in lines)] if varies else lines
