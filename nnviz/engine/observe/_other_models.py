"""The models of scikit-learn a net is compared with, each fitted in small pieces; to import it takes as long as to load scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from nnviz.records.task_records import BaselinesTask, Progress

Answer = Callable[[np.ndarray], np.ndarray]
"""(rows, features) -> (rows, classes) probabilities, or (rows, targets) numbers."""
ROUND, ROUNDS = 10, 100
"""Iterations of L-BFGS in a piece, and how many pieces at most."""
MOST_BOOSTED = 8
"""For so many targets at most a boosting is fitted, one for each."""
TOLERANCE = 1e-7
"""Of the gradient, at which logistic regression is done."""


class Fitted(NamedTuple):
    """A model that can answer."""

    answer: Answer
    size: int
    unit: str
    members: tuple[Answer, ...] = ()
    """The models whose mean it is."""


Fitting = Generator[Progress, None, Fitted]


class FittedRows(NamedTuple):
    """What models are fitted to."""

    x: np.ndarray
    """(rows, features)"""
    y: np.ndarray
    """(rows,) class numbers, or (rows, targets)"""
    classes: int
    seed: int


def constant(rows: FittedRows, task: BaselinesTask) -> Fitting:
    """Return the work that fits the same answer for every row: the shares of the classes, or the mean of the targets."""
    yield Progress(0, 1, "the same answer to every row")
    same = np.bincount(rows.y, minlength=rows.classes) / len(rows.y) if rows.classes else rows.y.mean(0)
    return Fitted(lambda x: np.tile(same, (len(x), 1)), len(same), "parameters")


def linear(rows: FittedRows, task: BaselinesTask) -> Fitting:
    """Return the work that fits linear regression by least squares, or logistic regression by L-BFGS; without any penalty."""
    if not rows.classes:
        yield Progress(0, 1, "linear regression")
        least = LinearRegression().fit(rows.x, rows.y)
        return Fitted(least.predict, least.coef_.size + least.intercept_.size, "parameters")
    logistic = LogisticRegression(C=np.inf, tol=TOLERANCE, max_iter=ROUND, warm_start=True)
    for number in range(ROUNDS):
        yield Progress(number, ROUNDS, "logistic regression")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the next round goes on from there
            logistic.fit(rows.x, rows.y)
        if logistic.n_iter_.max() < ROUND:
            break
    return Fitted(_of_classes(logistic, rows.classes), logistic.coef_.size + logistic.intercept_.size, "parameters")


def nearest(rows: FittedRows, task: BaselinesTask) -> Fitting:
    """Return the work that keeps the rows; the nearest of them answer."""
    yield Progress(0, 1, "nearest neighbours")
    count = min(task.neighbours, len(rows.x))
    model = (KNeighborsClassifier if rows.classes else KNeighborsRegressor)(count).fit(rows.x, rows.y)
    return Fitted(_answer(model, rows), len(rows.x), "rows kept")


def forest(rows: FittedRows, task: BaselinesTask) -> Fitting:
    """Return the work that grows a random forest, tree by tree."""
    model = (RandomForestClassifier if rows.classes else RandomForestRegressor)(1, warm_start=True, random_state=rows.seed)
    y = rows.y if rows.classes or rows.y.shape[1] > 1 else rows.y[:, 0]
    for number in range(task.trees):
        yield Progress(number, task.trees, "random forest")
        model.set_params(n_estimators=number + 1).fit(rows.x, y)
    members = tuple(_answer(tree, rows, model) for tree in model.estimators_)
    return Fitted(_answer(model, rows), sum(tree.tree_.node_count for tree in model.estimators_), f"nodes in {task.trees} trees", members)


def boosting(rows: FittedRows, task: BaselinesTask) -> Fitting:
    """Return the work that boosts trees, some stages at a time; of several targets each has a model of its own."""
    kind = GradientBoostingClassifier if rows.classes else GradientBoostingRegressor
    targets = [rows.y] if rows.classes else list(rows.y.T)
    step, done = (5 if rows.classes < 3 else 1), 0  # a piece takes as long as there are classes
    models = [kind(n_estimators=1, warm_start=True, random_state=rows.seed) for _ in targets]
    for model, y in zip(models, targets, strict=True):
        for stages in (*range(step, task.trees, step), task.trees):
            yield Progress(done, task.trees * len(models), "gradient boosting")
            model.set_params(n_estimators=stages).fit(rows.x, y)
            done += step
    trees = [tree for model in models for tree in model.estimators_.ravel()]
    size = sum(tree.tree_.node_count for tree in trees)
    if rows.classes:
        return Fitted(_of_classes(models[0], rows.classes), size, f"nodes in {len(trees)} trees")
    return Fitted(lambda x: np.stack([model.predict(x) for model in models], 1), size, f"nodes in {len(trees)} trees")


def _answer(model: Any, rows: FittedRows, forest: Any = None) -> Answer:
    if rows.classes:
        return _of_classes(model, rows.classes, forest)
    return lambda x: model.predict(x).reshape(len(x), -1)


def _of_classes(model: Any, classes: int, forest: Any = None) -> Answer:
    """Probabilities of all classes, also of those no training row belongs to. The trees of a forest number the classes it has seen."""
    seen = (forest or model).classes_.astype(int)

    def answer(x: np.ndarray) -> np.ndarray:
        found = np.zeros((len(x), classes))
        found[:, seen] = model.predict_proba(x)
        return found

    return answer


MODELS: dict[str, Callable[[FittedRows, BaselinesTask], Fitting]] = {
    "same answer": constant,
    "linear": linear,
    "nearest neighbours": nearest,
    "random forest": forest,
    "gradient boosting": boosting,
}
"""In the order in which they are fitted."""


def principal_components(x: np.ndarray, count: int) -> Fitted:
    """Return the principal component analysis of these rows: it answers the nearest point of the plane through the mean that the first
    `count` directions span, (rows, features)."""
    mean = x.mean(0)
    directions = np.linalg.svd(x - mean, full_matrices=False)[2][:count]
    return Fitted(lambda rows: mean + (rows - mean) @ directions.T @ directions, directions.size + mean.size, "parameters")
