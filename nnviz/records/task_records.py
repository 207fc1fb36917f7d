"""Long work the window can ask for beside the run: what is asked, how far it is, and what it results in.

Long because all kinds of it stand side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from nnviz.document.run_log import RunLog
from nnviz.records.baseline_record import Baselines
from nnviz.records.batch_cost_record import BatchCosts
from nnviz.records.checkup_records import WholeCheckup
from nnviz.records.distance_record import Distances
from nnviz.records.divergence_record import Divergence
from nnviz.records.finding import Finding
from nnviz.records.hindsight_record import FirstTime, PastNumbers, Predicate, Question
from nnviz.records.run_records import CurvePoint, CurvePoints
from nnviz.records.tensors import Array, to_numpy
from nnviz.records.verdicts import Verdict

# --- what is asked ---


class TaskKind(msgspec.Struct, frozen=True, tag=True):
    """A piece of long work. It looks at the run as it stands when it is asked for, and never changes it."""


class WeightPlace(NamedTuple):
    """One element of a parameter."""

    parameter: str
    element: tuple[int, ...] = ()


class OtherRun(msgspec.Struct, frozen=True):
    """A run whose path is to be drawn on the plane of this one: it must have the same parameters."""

    name: str
    log: RunLog
    iteration: int
    """Where its path ends."""


class PlaneTask(TaskKind, frozen=True):
    """The loss over a plane through the parameters as they are now.

    `plane`: weights (two chosen ones) · random (two random directions) · path (the two directions in which the path reaches furthest).
    """

    plane: str
    weights: tuple[WeightPlace, ...] = ()
    """The two, for the plane of weights."""
    seed: int = 0
    """Of the random directions."""
    size: int = 41
    """Points along each side."""
    reach: float | None = None
    """How far the plane goes to each side, in units of its directions; None for what suits it."""
    rows: str = "all"
    """all: every training row · batch: the rows of the next iteration."""
    mode: str = "evaluation"
    """evaluation · training: with the masks of the next iteration, and batch statistics."""
    start: int = 0
    """The iteration with which the path begins."""
    points: int = 200
    """So many points of the path at most; 0 draws none on a plane that does without."""
    others: tuple[OtherRun, ...] = ()


class CurvatureTask(TaskKind, frozen=True):
    """The second derivatives of the loss where the run stands, and what they say of the learning rate."""

    rows: str = "all"
    mode: str = "training"


class NoiseTask(TaskKind, frozen=True):
    """How much the gradient differs from batch to batch where the run stands."""

    mode: str = "training"
    batches: int = 64
    """So many batches of every size are drawn, of small ones more."""


class RangeTestTask(TaskKind, frozen=True):
    """The learning-rate range test from where the run stands: the rate grows by the same factor each iteration.

    Source: Smith 2017, "Cyclical learning rates for training neural networks".
    """

    lowest: float = 1e-5
    highest: float = 10.0
    iterations: int = 100
    seeds: int = 5
    """So many times, with other rows and masks each; the first with those of the run's own seed."""


class RaceTask(TaskKind, frozen=True):
    """Several runs, each trained from its beginning up to the same iteration, in turns."""

    logs: tuple[RunLog, ...]
    iterations: int
    """How many each of them has made at the end."""


class DivergenceTask(TaskKind, frozen=True):
    """Where two runs differ first, to the bit, in their first iterations."""

    one: RunLog
    other: RunLog
    iterations: int


class PastNumbersTask(TaskKind, frozen=True):
    """Numbers of all past iterations up to `last`, 0 being the start; `stride`: of every so many of them. The run is made again for it."""

    questions: tuple[Question, ...]
    last: int
    stride: int = 1


class PastTimeTask(TaskKind, frozen=True):
    """How long `PastNumbersTask` would take: for every iteration, and for every so many of them."""

    questions: tuple[Question, ...]
    last: int
    stride: int = 1


class FirstTimeTask(TaskKind, frozen=True):
    """When something became true for the first time, up to iteration `last`."""

    predicate: Predicate
    last: int
    stays: bool | None = None
    """Whether it stays true once it is; None: that is seen behind the checkpoints."""


class BaselinesTask(TaskKind, frozen=True):
    """How well other models do on the rows of the run, beside the net as it stands."""

    trees: int = 100
    """Of a random forest, and stages of a boosting."""
    neighbours: int = 5
    nets: int = 100
    """So many nets are thinned by dropout and averaged."""


class DistancesTask(TaskKind, frozen=True):
    """How far the rows of the data lie apart, in their own columns and with columns of noise."""

    rows: int = 300
    """So many training rows at most are compared, and so many validation rows answered by them."""
    doublings: int = 11
    """Up to 2 to the power of this, the columns of noise are doubled."""


class BatchCostTask(TaskKind, frozen=True):
    """How much time and memory iterations take, by the size of their batches."""

    iterations: int = 200
    seconds: float = 0.4
    """So many iterations of each size are measured at most, and for so long."""


class FileTask(TaskKind, frozen=True):
    """A file of the run as far as it has come."""

    path: str
    """Its ending says the format."""
    what: str
    """weights (.safetensors) · network, or a side of it, generator and discriminator (.onnx) · program (.py, .ipynb) · iteration (.ipynb) ·
    curves, histograms (.csv, .parquet) · events (.tfevents, of TensorBoard)."""
    every: int = 0
    """Layers are measured after every so many iterations, and at the end; 0: some hundred times in all."""


Tasks = (
    PlaneTask
    | CurvatureTask
    | NoiseTask
    | RangeTestTask
    | RaceTask
    | DivergenceTask
    | PastNumbersTask
    | PastTimeTask
    | FirstTimeTask
    | BaselinesTask
    | DistancesTask
    | BatchCostTask
    | FileTask
)

# --- what it results in ---


class TaskResult(msgspec.Struct, frozen=True, tag=True):
    """What a piece of long work has found."""


class PathOnPlane(msgspec.Struct, frozen=True):
    """The path a run has taken, as its nearest points on a plane (least squares): equally long arrays, oldest first."""

    name: str
    """"" for the run the plane is of."""
    iterations: Array
    """(k,) How many iterations were finished."""
    coordinates: Array
    """(k, 2) In the coordinates of the plane."""
    distances: Array
    """(k,) How far the parameters really lie from the plane."""
    losses: Array
    """(k,) The loss at the parameters themselves, on the same rows in the same mode and with the same running statistics as the plane's."""


class ExplainedShares(msgspec.Struct, frozen=True):
    """Which share of a path's spread lies in its first direction, and in its first two; beside it what a random walk would show.

    In many dimensions a walk without any aim shows 61 % and 76 % about its mean, 81 % and 90 % about its end. Source: Antognini &
    Sohl-Dickstein 2018, "PCA of high dimensional random walks with comparison to neural network training".
    """

    about_mean: tuple[float, float]
    random_about_mean: tuple[float, float]
    """The mean over random walks with as many points, in as many dimensions (1,000 stand for more)."""
    about_end: tuple[float, float]
    """Without moving the path to its mean first: spread about the present parameters."""
    random_about_end: tuple[float, float]


class LossPlane(TaskResult, frozen=True):
    """The loss over a plane θ + x·d₁ + y·d₂; x = y = 0 are the parameters of the run, and always among the points."""

    plane: str
    x: Array
    """(width,) Along the first direction: a weight's change for a plane of weights."""
    y: Array
    """(height,)"""
    losses: Array
    """(height, width) With all penalties, rows from low to high y; NaN or infinite where it is."""
    centre: float
    """The loss of the run: that at x = y = 0, to the bit."""
    origin: tuple[float, float] = (0.0, 0.0)
    """The values of the two weights at x = y = 0; 0 for other planes."""
    stride: int = 1
    """The plane is worked out coarse at first: every so many points along each side are there. 1 when it is complete."""
    paths: tuple[PathOnPlane, ...] = ()
    """They come last, but for the plane of the path; that is at first one of few points of it, and becomes another when all are known."""
    shares: ExplainedShares | None = None
    """For the plane of the path."""
    left_out: tuple[tuple[str, str], ...] = ()
    """The other runs whose paths could not be had, each with the sentence that says why."""


class Stability(msgspec.Struct, frozen=True):
    """Up to which learning rate the optimizer could go straight downhill here, if it had the gradient of these rows every time.

    Information, not an error: training often goes on at the edge, and batches shift it. Source: Cohen et al. 2021 and 2022, "Gradient
    descent on neural networks typically occurs at the edge of stability", "Adaptive gradient methods at the edge of stability".
    """

    optimizer: str
    sharpness: float
    """The largest eigenvalue of what the optimizer multiplies with: H for SGD, P^(−1/2) H P^(−1/2) for those that divide by P = √v̂ + ε;
    with weight decay, and with the learning rate factors of layers."""
    limit: float
    """Sharpness times learning rate must stay below this."""
    learning_rate: float
    """That of the next iteration."""
    largest_rate: float | None
    """limit / sharpness; None where nothing curves upwards."""


class NewtonStep(msgspec.Struct, frozen=True):
    """One Newton step −H⁻¹g beside one step of plain gradient descent −ηg, both from where the run stands; none of them is made."""

    numbers: int
    """P²: how many numbers the Hessian has."""
    operations: int
    """P³: in proportion to this grows the work of solving with it."""
    negative: int
    """How many eigenvalues are negative: if any, the step makes for a saddle or a maximum in those directions."""
    flat: int
    """How many are 0 within rounding: there the step does not move."""
    slope: float
    """Gradient times Newton step: above 0 the step sets out uphill."""
    norm: float
    loss: float
    """After the Newton step."""
    predicted: float
    """The same by the quadratic model, exact if the loss is one."""
    gradient_norm: float
    """Length of the gradient step ηg."""
    gradient_loss: float
    gradient_predicted: float


class HessianCheck(msgspec.Struct, frozen=True):
    """A Hessian-vector product by double backward beside the central difference of gradients along a random direction of length 1."""

    step: float
    error: float
    """The largest difference, relative to the largest element of the product."""
    kinks: int
    """Elements that lie on another side of a kink (of a ReLU, of |w|, of a pool's maximum) at both ends of the step. If there are any the
    difference is no derivative, and the error says nothing."""


class Curvature(TaskResult, frozen=True):
    """The Hessian of the loss over all weights that are trained and not locked, where the run stands."""

    loss: float
    gradient_norm: float
    layout: tuple[tuple[str, int], ...]
    """Which parameters the axes run through, and how many elements of each."""
    eigenvalues: Array
    """Increasing: all of them where the Hessian was made whole, else those at both ends that have converged."""
    vectors: Array
    """(4 or fewer, P) Eigenvectors of the first two and the last two of them, in that order."""
    steps: int
    """0 where the Hessian was made whole, else the number of Lanczos steps."""
    largest: float
    smallest: float
    negative: int
    """How many of `eigenvalues` are below 0 by more than rounding."""
    flat: int
    """How many are 0 within rounding."""
    condition: float | None
    """Largest over smallest |λ| without the flat ones; None where not all eigenvalues are known."""
    check: HessianCheck
    asymmetry: float = 0.0
    """How far H is from Hᵀ, relative to its largest elements: within each parameter, and of its product with a vector."""
    hessian: Array | None = None
    """(P, P) Where it has no more than WHOLE elements."""
    stability: Stability | None = None
    why_no_stability: str = ""
    newton: NewtonStep | None = None
    """Where the Hessian was made whole."""


class GradientNoise(TaskResult, frozen=True):
    """The scatter of the gradient over the training rows. Source: McCandlish et al. 2018, "An empirical model of large-batch training"."""

    trace: float
    """tr Σ: the summed variance of the gradient of one row."""
    square: float
    """‖g‖² of the mean gradient, less what the scatter of the rows adds to it."""
    scale: float | None
    """tr Σ / ‖g‖²: about so many rows in a batch make noise and gradient equal. None where the gradient is lost in the noise."""
    batch_size: int
    """That of the run."""
    sizes: Array
    """(k,) Batch sizes."""
    variances: Array
    """(k,) The summed variance of the gradient over batches of this size, drawn with replacement. It falls as 1/size."""


class RangeTest(TaskResult, frozen=True):
    """What the learning-rate range test found; NaN where a run had stopped by then."""

    rates: Array
    """(n,) The learning rates, in equal ratios."""
    losses: Array
    """(seeds, n) The batch's loss in the iteration that follows the update with this rate."""
    smoothed: Array
    """(seeds, n) Its debiased exponential mean."""
    slopes: Array
    """(seeds, n) Of the smoothed loss, by ln η; NaN at both ends, too, where too little lies beside it."""
    steepest: Array
    """(seeds,) The rate at which the smoothed loss falls fastest before its lowest point; NaN where it never falls."""
    lowest: Array
    """(seeds,) The rate at which it is lowest."""
    start: float
    """The loss of the first batch, before any update."""
    low: float | None = None
    high: float | None = None
    """The suggested band: from the least to the largest of those of `steepest` that stand out of the noise of the batches; None where the
    loss never falls, or most of its falls are within that noise."""
    falls: Array | None = None
    """(seeds,) How steep the fall at `steepest` is, in standard deviations of what that noise alone makes of a slope; NaN for no fall."""

    @property
    def is_noise(self) -> bool:
        """Whether the loss falls, but no faster than the noise of the batches explains."""
        return self.low is None and bool(np.isfinite(to_numpy(self.steepest)).any())


class RacedRun(msgspec.Struct, frozen=True):
    """What one of several runs has come to."""

    iteration: int
    """How many iterations it has made."""
    stopped: str = ""
    """Why it goes no further: done · early_stopping · non_finite · failed (it cannot be built); empty while it goes on."""
    message: str = ""
    seconds: float = 0.0
    """How long its own iterations took, without those of the others and those that were made again."""
    points: CurvePoints | None = None
    """Of a long run only some; None where it was not built."""
    verdict: Verdict | None = None
    """By all of its points."""
    last: CurvePoint | None = None
    """Where it stands at its end, with all figures that can be measured there; None as long as it goes on."""
    findings: tuple[Finding, ...] = ()
    """What the doctor finds there."""
    whole: WholeCheckup | None = None
    """What all training rows tell there; None as long as it goes on, and where nothing was trained."""


class Race(TaskResult, frozen=True):
    """Several runs, in the order in which they were asked for."""

    runs: tuple[RacedRun, ...]


class FirstDivergence(TaskResult, frozen=True):
    """Where two runs differ first."""

    compared: int
    """In so many iterations."""
    found: Divergence | None
    """None where they do not."""


class PastTime(TaskResult, frozen=True):
    """About how long it would take to measure numbers of all past iterations; some were made and measured for it."""

    strides: tuple[int, ...]
    """Of every so many iterations, 1 first."""
    seconds: tuple[float, ...]


class FileWritten(TaskResult, frozen=True):
    """A file is there."""

    told: str
    """What is in it, or what checking it has shown, as a sentence."""


Results = (
    LossPlane
    | Curvature
    | GradientNoise
    | RangeTest
    | Race
    | FirstDivergence
    | PastNumbers
    | PastTime
    | FirstTime
    | Baselines
    | Distances
    | BatchCosts
    | FileWritten
)


class Progress(msgspec.Struct, frozen=True):
    """How far a piece of long work is."""

    done: int
    total: int
    what: str
    """What it is at, in a word or two."""
