"""What can be chosen: every kind of layer, optimizer, schedule, loss and data set, with its fields, limits and a line of explanation.

Checks, screens, help texts and the engine all read these tables, so a new kind begins with one row here. Long because there are many kinds.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from nnviz.document.network import Choice, Layer

WIDEST = 4096
"""More units than this in one layer are refused before anything is allocated."""

MOST_LAYERS = 1_000
MOST_LINKS = 10_000
MOST_CLASSES = 10_000


class Field(msgspec.Struct, frozen=True):
    """One setting of a kind: its type, its default, what it may be, and what it means."""

    name: str
    type: Literal["integer", "number", "boolean", "choice", "shape", "path", "table", "text", "names"]
    default: Any
    explanation: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False
    """Whether None is a value (it then means "none" or "all", as the explanation says)."""
    essential: bool = False
    """Whether a file names it even where it has its default."""
    absent: str = "off"
    """What a screen says for None."""


class Kind(msgspec.Struct, frozen=True):
    """One row of a table."""

    name: str
    label: str
    explanation: str
    fields: tuple[Field, ...] = ()
    group: str = ""
    source: str = ""

    def field(self, name: str) -> Field:
        """Return the field of this name. Raises KeyError if the kind has none such."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def defaults(self) -> dict[str, Any]:
        """Every field with its default value."""
        return {field.name: field.default for field in self.fields}


class LayerKind(Kind, frozen=True):
    """One row of the table of layers: all that is so because a layer is of this kind, but its shapes (rules.py)."""

    inputs: tuple[int, int | None] = (1, 1)
    """Fewest and most links that may come in (None: any number)."""
    learns: bool = False
    """Whether it has parameters: only then can it be frozen."""
    initialized: bool = False
    """Whether an initializer draws its weights (normalisations always start at γ = 1, β = 0)."""
    takes: Literal["", "sequence", "image"] = ""
    """What suits it best where rows can have several shapes: [time, features] or [channels, height, width]."""
    vocabulary: str = ""
    """The field that says how many different whole numbers it looks up; empty if it takes any numbers."""
    keeps_shape: bool = False
    """Whether it puts out the shape it takes in."""
    rearranges: bool = False
    """Whether it puts out the very elements it takes in."""
    proportional: bool = False
    """Whether the size of its output and its parameters grow in proportion to its `width`."""
    compares_rows: bool = False
    """Whether it compares the rows of a batch in training, so that one alone is too few."""
    gates: str = ""
    """A letter for each block of units that its stacked weights hold, in torch's order; empty if there is only one."""
    penalty: str = ""
    """Short name of what it adds to the loss."""
    caption: str = ""
    """The line under it on the canvas, with its settings, {size} and {activation} put in; empty shows its label."""
    slim: bool = False
    """Whether its column on the canvas is slim, with links that run from unit to unit."""
    straight: bool = False
    """Whether links to it run from unit to unit though it is not slim."""

    @property
    def width(self) -> str:
        """Name of the field that says how wide it is; empty if it has none."""
        return next((field.name for field in self.fields if field.name in ("units", "out_channels", "embedding_dim")), "")


AnyKind = TypeVar("AnyKind", bound=Kind)


def _table(*kinds: AnyKind) -> dict[str, AnyKind]:
    return {kind.name: kind for kind in kinds}


ACTIVATIONS = _table(
    Kind("identity", "Identity", "a = z: no activation, the layer stays linear"),
    Kind("relu", "ReLU", "a = max(0, z): 0 for negative z, unchanged for positive", source="Nair & Hinton 2010"),
    Kind("leaky_relu", "Leaky ReLU", "a = z for z > 0, else slope·z: a small slope, 0.01 by default, keeps negative units alive", source="Maas et al. 2013"),
    Kind("elu", "ELU", "a = z for z > 0, else eᶻ − 1: smooth, and saturates at −1", source="Clevert et al. 2016"),
    Kind("gelu", "GELU", "a = z·Φ(z), with Φ the normal distribution function", source="Hendrycks & Gimpel 2016"),
    Kind("silu", "SiLU", "a = z·σ(z), also called swish", source="Elfwing et al. 2018"),
    Kind("softplus", "Softplus", "a = log(1 + eᶻ): a smooth ReLU"),
    Kind("sigmoid", "Sigmoid", "a = 1/(1 + e⁻ᶻ), between 0 and 1; its slope is at most 0.25"),
    Kind("tanh", "Tanh", "a = tanh z, between −1 and 1; its slope is at most 1"),
    Kind("softmax", "Softmax", "aᵢ = eᶻⁱ / Σⱼ eᶻʲ over the last axis: positive and sums to 1"),
)

_ACTIVATION = Field("activation", "choice", "identity", "function applied to z", choices=tuple(ACTIVATIONS))
_SLOPE = Field("negative_slope", "number", 0.01, "slope of a leaky ReLU for z < 0; other functions have none", 0.0, 10.0)

_UNITS = Field("units", "integer", 4, "size of the state: the output at each time step", 1, WIDEST, essential=True)
_RECURRENT = (
    Field("return_sequences", "boolean", False, "put out the state of every time step instead of the last one only", essential=True),
    Field("bidirectional", "boolean", False, "run a second net backwards in time and join both states: twice the parameters"),
    Field("num_layers", "integer", 1, "how many such nets are stacked, each fed by the sequence of the one below", 1, 8),
    Field("dropout", "number", 0.0, "probability that an element of the sequence between two stacked nets is dropped in training; a single net has none in between", 0.0, 0.99),
)
_HEADS = Field("num_heads", "integer", 1, "how many attentions run side by side, each on its share of the features", 1, 64, essential=True)
_CAUSAL = Field("causal", "boolean", False, "let each time step attend to itself and earlier ones only")
_POOL = (
    Field("kernel_size", "integer", 2, "size of the window", 1, 256, essential=True),
    Field("stride", "integer", None, "how far the window moves at a time; none moves it by its own size", 1, 256, optional=True, absent="its own size"),
    Field("padding", "integer", 0, "how far the window reaches over each border, at most half its size", 0, 128),
)


def _convolution(largest: int) -> tuple[Field, ...]:
    return (
        Field("out_channels", "integer", 8, "how many kernels, and so features or channels of the output", 1, 1024, essential=True),
        Field("kernel_size", "integer", 3, "how many places a kernel covers (in each direction)", 1, largest, essential=True),
        Field("stride", "integer", 1, "how far the kernel moves at a time", 1, largest),
        Field("padding", "integer", 0, "how many zeros are put before and behind each axis", 0, largest),
        _ACTIVATION,
        _SLOPE,
        Field("bias", "boolean", True, "whether b is added"),
    )


LAYERS = _table(
    LayerKind(
        "input", "Input", "where the data enters; its shape leaves the batch out", group="Data", inputs=(0, 0),
        caption="{size}",
        fields=(Field("shape", "shape", [2], "size of one row: [features], [channels, height, width] or [time, features]", 1, WIDEST, essential=True),),
    ),
    LayerKind(
        "dense", "Dense", "z = x Wᵀ + b, then the activation: every unit sees every input. Of sequences and images it takes the last axis: the same weights at every time step, or at every row of every channel", group="Layers", source="torch.nn.Linear", learns=True, initialized=True,
        proportional=True, caption="{units} · {activation}",
        fields=(
            Field("units", "integer", 4, "how many neurons: the size of the output", 1, WIDEST, essential=True),
            _ACTIVATION,
            _SLOPE,
            Field("bias", "boolean", True, "whether b is added"),
        ),
    ),
    LayerKind(
        "activation", "Activation", "applies one function to every element", group="Layers",
        keeps_shape=True, caption="{function}", slim=True,
        fields=(Field("function", "choice", "relu", "the function", choices=tuple(ACTIVATIONS), essential=True), _SLOPE),
    ),
    LayerKind(
        "dropout", "Dropout", "in training sets each element to 0 with probability p and multiplies the rest by 1/(1 − p); passes all unchanged otherwise",
        group="Regularisation", source="Srivastava et al. 2014; inverted scaling as torch.nn.Dropout",
        keeps_shape=True, caption="dropout {p}", slim=True,
        fields=(Field("p", "number", 0.2, "probability that an element is dropped", 0.0, 0.99, essential=True),),
    ),
    LayerKind(
        "spatial_dropout", "Spatial dropout", "dropout of whole channels of an image, or of whole features over all time, instead of single elements",
        group="Regularisation", source="Tompson et al. 2015; torch.nn.Dropout1d, Dropout2d",
        keeps_shape=True,
        fields=(Field("p", "number", 0.2, "probability that a channel is dropped", 0.0, 0.99, essential=True),),
    ),
    LayerKind(
        "batch_norm", "Batch norm", "(x − batch mean)/√(batch variance + ε) per feature (images: per channel), then a learned scale γ and shift β; running statistics outside training",
        group="Normalisation", source="Ioffe & Szegedy 2015; torch.nn.BatchNorm", learns=True,
        keeps_shape=True, compares_rows=True, slim=True,
        fields=(
            Field("momentum", "number", 0.1, "share of the new batch in the running statistics", 0.0, 1.0),
            Field("epsilon", "number", 1e-5, "added to the variance", 1e-12, 1.0),
        ),
    ),
    LayerKind(
        "layer_norm", "Layer norm", "(x − mean)/√(variance + ε) over the features of each row, then a learned scale γ and shift β",
        group="Normalisation", source="Ba et al. 2016; torch.nn.LayerNorm", learns=True,
        keeps_shape=True, slim=True,
        fields=(Field("epsilon", "number", 1e-5, "added to the variance", 1e-12, 1.0),),
    ),
    LayerKind("add", "Add", "the sum of its inputs, element by element: the residual connection", group="Joining", inputs=(2, None), slim=True),
    LayerKind("multiply", "Multiply", "the product of its inputs, element by element: a gate", group="Joining", inputs=(2, None)),
    LayerKind(
        "concat", "Concat", "its inputs one behind the other along one axis of a row", group="Joining", source="torch.cat", inputs=(2, None),
        straight=True,
        fields=(Field("axis", "integer", 1, "the axis along which they are joined; 1 is the first of a row (0 would be the batch)", 1, 4),),
    ),
    LayerKind("flatten", "Flatten", "all elements of a row in one vector", group="Layers", source="torch.nn.Flatten", rearranges=True, caption="flatten {size}", straight=True),
    LayerKind(
        "reshape", "Reshape", "the same elements in another shape, in the same order", group="Layers", source="torch.reshape",
        rearranges=True,
        fields=(Field("shape", "shape", [2, 1], "the new shape of one row; its sizes multiply to the number of elements", 1, WIDEST, essential=True),),
    ),
    LayerKind(
        "conv1d", "Conv 1-D", "slides out_channels kernels along time: one weight for all places; x is [time, features]", group="Convolution",
        source="torch.nn.Conv1d over the time axis", learns=True, initialized=True,
        takes="sequence", proportional=True, fields=_convolution(256),
    ),
    LayerKind(
        "conv2d", "Conv 2-D", "slides out_channels square kernels over an image: one weight for all places; x is [channels, height, width]", group="Convolution",
        source="LeCun et al. 1989; torch.nn.Conv2d", learns=True, initialized=True,
        takes="image", proportional=True, fields=_convolution(64),
    ),
    LayerKind(
        "max_pool", "Max pool", "the largest value of each window, over time [time, features] or over an image; only the winner gets a gradient", group="Convolution",
        source="torch.nn.MaxPool1d, MaxPool2d",
        takes="image", fields=_POOL,
    ),
    LayerKind(
        "avg_pool", "Average pool", "the mean of each window, over time [time, features] or over an image", group="Convolution",
        source="torch.nn.AvgPool1d, AvgPool2d",
        takes="image", fields=_POOL,
    ),
    LayerKind(
        "global_pool", "Global pool", "one number per feature or channel: its mean or its largest value over all time or the whole image", group="Convolution",
        source="Lin et al. 2014",
        takes="image",
        fields=(Field("function", "choice", "mean", "mean or max", choices=("mean", "max"), essential=True),),
    ),
    LayerKind(
        "rnn", "RNN", "hₜ = f(W xₜ + U hₜ₋₁ + b), h₀ = 0: the same weights at every time step; one bias vector", group="Sequence",
        source="Elman 1990; torch.nn.RNN with its second bias left out", learns=True, initialized=True,
        takes="sequence",
        fields=(
            _UNITS,
            Field("activation", "choice", "tanh", "f, applied to z at every step", choices=tuple(ACTIVATIONS)),
            _SLOPE,
            *_RECURRENT,
        ),
    ),
    LayerKind(
        "lstm", "LSTM", "a cell cₜ = f·cₜ₋₁ + i·g kept by an input, a forget and an output gate, hₜ = o·tanh cₜ; one bias vector per gate", group="Sequence",
        source="Hochreiter & Schmidhuber 1997, Gers et al. 2000; torch.nn.LSTM with its second bias left out", learns=True, initialized=True,
        takes="sequence", gates="ifgo",
        fields=(_UNITS, *_RECURRENT),
    ),
    LayerKind(
        "gru", "GRU", "hₜ = (1 − z)·n + z·hₜ₋₁ with an update gate z; the reset gate r acts on U hₜ₋₁ after the product (torch's convention); one bias vector per gate",
        group="Sequence", source="Cho et al. 2014; torch.nn.GRU with its second bias left out", learns=True, initialized=True,
        takes="sequence", gates="rzn", fields=(_UNITS, *_RECURRENT),
    ),
    LayerKind(
        "embedding", "Embedding", "looks up a learned vector for each whole number of a row: [time] becomes [time, embedding_dim]", group="Sequence",
        source="torch.nn.Embedding", learns=True, initialized=True,
        vocabulary="num_embeddings", proportional=True,
        fields=(
            Field("num_embeddings", "integer", 10, "size of the vocabulary: the numbers looked up run from 0 to one less", 1, 100_000, essential=True),
            Field("embedding_dim", "integer", 4, "length of each vector", 1, WIDEST, essential=True),
        ),
    ),
    LayerKind(
        "one_hot", "One-hot", "each whole number of a row becomes a vector of zeros with a single 1: [time] becomes [time, num_classes]", group="Sequence",
        source="torch.nn.functional.one_hot",
        vocabulary="num_classes",
        fields=(Field("num_classes", "integer", 10, "how many different numbers there are, counted from 0", 1, WIDEST, essential=True),),
    ),
    LayerKind(
        "positional_encoding", "Positional encoding", "adds sin(t/10000^(2k/d)) to feature 2k and cos(t/10000^(2k/d)) to feature 2k + 1, so that places in time differ",
        group="Attention", source="Vaswani et al. 2017, section 3.5",
        takes="sequence", keeps_shape=True,
    ),
    LayerKind(
        "attention", "Self-attention", "softmax(Q Kᵀ/√d) V per head, with Q, K and V linear in x [time, features]; then an output projection", group="Attention",
        source="Vaswani et al. 2017, section 3.2; torch.nn.MultiheadAttention", learns=True, initialized=True,
        takes="sequence", keeps_shape=True, fields=(_HEADS, _CAUSAL),
    ),
    LayerKind(
        "encoder_block", "Encoder block", "self-attention, add & norm, two dense layers at every time step, add & norm", group="Attention",
        source="Vaswani et al. 2017, section 3.1; torch.nn.TransformerEncoderLayer", learns=True, initialized=True,
        takes="sequence", keeps_shape=True,
        fields=(
            _HEADS,
            Field("units", "integer", 16, "neurons of the hidden layer between the two dense ones", 1, WIDEST, essential=True),
            Field("activation", "choice", "relu", "function of the hidden layer", choices=tuple(ACTIVATIONS)),
            _SLOPE,
            Field("p", "number", 0.0, "dropout behind the attention, the hidden layer and the second dense layer", 0.0, 0.99),
            Field("norm_first", "boolean", False, "normalise before attention and dense layers instead of after the additions"),
            _CAUSAL,
        ),
    ),
    LayerKind(
        "gaussian_latent", "Gaussian latent", "z = μ + e^(½ log σ²)·ε with ε drawn anew in training, μ and log σ² linear in x; adds β·KL(N(μ, σ²) ‖ N(0, 1)) to the loss",
        group="Regularisation", source="Kingma & Welling 2014, section 2.4 and appendix B; β: Higgins et al. 2017", learns=True, initialized=True,
        proportional=True, penalty="KL",
        fields=(
            Field("units", "integer", 2, "how many latent variables", 1, WIDEST, essential=True),
            Field("beta", "number", 1.0, "β: weight of the KL term, which is summed over the latent variables and averaged over the batch", 0.0, 1e3, essential=True),
        ),
    ),
    LayerKind(
        "noise", "Gaussian noise", "in training adds normal noise to every element; passes all unchanged otherwise", group="Regularisation", source="Bishop 1995",
        keeps_shape=True,
        fields=(Field("std", "number", 0.1, "standard deviation of the noise", 0.0, 100.0, essential=True),),
    ),
    LayerKind(
        "random", "Random numbers", "z: for every row that comes in, numbers drawn from N(0, 1), anew in every iteration; of the row itself nothing is used. A generator begins with it. Outside training z = 0, its mean",
        group="Adversarial", source="Goodfellow et al. 2014",
        caption="z ~ N(0, 1) · {units}",
        fields=(Field("units", "integer", 2, "how many numbers for each row", 1, WIDEST, essential=True),),
    ),
    LayerKind(
        "real_or_generated", "Real or generated", "where rows of the data meet rows a generator made; what follows, the discriminator, judges which is which. In its iterations both kinds pass, in the generator's, which take turns with them, only generated rows; outside training only those of the data",
        group="Adversarial", source="Goodfellow et al. 2014", inputs=(2, 2), straight=True,
    ),
)

LOSSES = _table(
    Kind("mse", "Mean squared error", "mean (ŷ − y)²", group="Regression", source="torch.nn.MSELoss"),
    Kind("mae", "Mean absolute error", "mean |ŷ − y|", group="Regression", source="torch.nn.L1Loss"),
    Kind("rmse", "Root mean squared error", "√(mean (ŷ − y)²): the mean squared error in the unit of y; its gradient is taken as 0 where there is no error", group="Regression"),
    Kind("huber", "Huber", "½(ŷ − y)² where |ŷ − y| ≤ 1, else |ŷ − y| − ½, averaged", group="Regression", source="torch.nn.HuberLoss"),
    Kind("bce", "Binary cross-entropy", "−mean [y log σ(ŷ) + (1 − y) log(1 − σ(ŷ))]: takes the raw output ŷ, one unit", group="Classification", source="torch.nn.BCEWithLogitsLoss"),
    Kind("cross_entropy", "Cross-entropy", "−mean log softmax(ŷ)[class]: takes the raw outputs, one unit per class", group="Classification", source="torch.nn.CrossEntropyLoss"),
)

_RATE = Field("learning_rate", "number", 0.01, "η: how far a step goes along the negative gradient", 0.0, 1e4, essential=True)
_DECAY = Field("weight_decay", "number", 0.0, "adds weight_decay·θ to the gradient", 0.0, 1e3)
_MAXIMIZE = Field("maximize", "boolean", False, "climb up the gradient instead of down")
_EPSILON = Field("epsilon", "number", 1e-8, "added to the root in the denominator", 0.0, 1.0)
_ACCUMULATED = Field("initial_accumulator_value", "number", 0.0, "what the sum of squared gradients starts with", 0.0, 1e3)
_MOMENTUM = Field("momentum", "number", 0.0, "μ: share of the last step's direction that is kept", 0.0, 0.9999)


def _adam_fields(decay: Field) -> tuple[Field, ...]:
    return (
        Field("learning_rate", "number", 0.001, _RATE.explanation, 0.0, 1e4, essential=True),
        Field("beta1", "number", 0.9, "β₁: memory of the mean gradient m", 0.0, 0.99999),
        Field("beta2", "number", 0.999, "β₂: memory of the mean squared gradient v", 0.0, 0.999999),
        _EPSILON,
        decay,
        Field("amsgrad", "boolean", False, "divide by the largest v so far instead of the present one"),
        _MAXIMIZE,
    )


OPTIMIZERS = _table(
    Kind(
        "sgd", "SGD", "θ ← θ − η·g, optionally with momentum or Nesterov's look-ahead", source="torch.optim.SGD; Sutskever et al. 2013",
        fields=(
            _RATE, _MOMENTUM,
            Field("dampening", "number", 0.0, "share of the new gradient left out of the momentum", 0.0, 1.0),
            Field("nesterov", "boolean", False, "look ahead along the momentum (needs momentum > 0 and dampening 0)"),
            _DECAY, _MAXIMIZE,
        ),
    ),
    Kind(
        "adagrad", "Adagrad", "divides each step by the root of the sum of all squared gradients so far", source="Duchi et al. 2011; torch.optim.Adagrad",
        fields=(_RATE, Field("lr_decay", "number", 0.0, "lets η fall as 1/(1 + t·lr_decay)", 0.0, 1.0), Field("epsilon", "number", 1e-10, _EPSILON.explanation, 0.0, 1.0), _DECAY, _ACCUMULATED, _MAXIMIZE),
    ),
    Kind(
        "rmsprop", "RMSprop", "divides each step by the root of a running mean of squared gradients", source="Tieleman & Hinton 2012; torch.optim.RMSprop",
        fields=(
            _RATE,
            Field("alpha", "number", 0.99, "α: memory of the mean squared gradient", 0.0, 0.99999),
            _EPSILON, _MOMENTUM,
            Field("centered", "boolean", False, "subtract the squared mean gradient first"),
            _DECAY, _MAXIMIZE,
        ),
    ),
    Kind(
        "adam", "Adam", "running means of the gradient (m) and of its square (v), both corrected for their start at 0: θ ← θ − η·m̂/(√v̂ + ε)",
        source="Kingma & Ba 2015, algorithm 1; torch.optim.Adam", fields=_adam_fields(_DECAY),
    ),
    Kind(
        "adamw", "AdamW", "Adam whose weight decay acts on θ directly instead of through the gradient", source="Loshchilov & Hutter 2019; torch.optim.AdamW",
        fields=_adam_fields(Field("weight_decay", "number", 0.01, "shrinks θ by η·weight_decay·θ, apart from the gradient", 0.0, 1e3)),
    ),
)

_EVERY = Field("every", "choice", "epoch", "what t counts", choices=("epoch", "iteration"))
_MIN_RATE = "the learning rate never falls below this"

SCHEDULES = _table(
    Kind("constant", "Constant", "the learning rate stays as it is"),
    Kind(
        "step", "Step", "η · γ^⌊t / step_size⌋: falls by a factor now and then", source="torch.optim.lr_scheduler.StepLR",
        fields=(
            Field("step_size", "integer", 10, "how long it stays the same", 1, 1_000_000, essential=True),
            Field("gamma", "number", 0.5, "γ: the factor", 1e-6, 1.0, essential=True),
            _EVERY,
        ),
    ),
    Kind(
        "exponential", "Exponential", "η · γᵗ: falls by the same factor every time", source="torch.optim.lr_scheduler.ExponentialLR",
        fields=(Field("gamma", "number", 0.98, "γ: the factor", 1e-6, 1.0, essential=True), _EVERY),
    ),
    Kind(
        "cosine", "Cosine", "η_min + (η − η_min)·(1 + cos(π t/t_max))/2: falls along half a cosine, and rises again after t_max",
        source="Loshchilov & Hutter 2017; torch.optim.lr_scheduler.CosineAnnealingLR",
        fields=(
            Field("t_max", "integer", 50, "when it has come down", 1, 1_000_000, essential=True),
            Field("eta_min", "number", 0.0, f"η_min: {_MIN_RATE}", 0.0, 1e4),
            _EVERY,
        ),
    ),
    Kind(
        "warm_up", "Warm-up", "rises in a straight line from start_factor·η to η, and stays there", source="Goyal et al. 2017; torch.optim.lr_scheduler.LinearLR",
        fields=(
            Field("start_factor", "number", 0.1, "which share of η it starts with", 1e-6, 1.0, essential=True),
            Field("total_iters", "integer", 5, "when it has reached η", 1, 1_000_000, essential=True),
            _EVERY,
        ),
    ),
    Kind(
        "plateau", "Plateau", "η · factor whenever the validation loss has not become better for a while",
        source="torch.optim.lr_scheduler.ReduceLROnPlateau",
        fields=(
            Field("factor", "number", 0.5, "what η is multiplied by", 1e-6, 0.9999, essential=True),
            Field("patience", "integer", 5, "epochs without a better validation loss that are waited for", 0, 100_000, essential=True),
            Field("threshold", "number", 1e-4, "the loss is better if it is below the best by this share of it", 0.0, 1.0),
            Field("cooldown", "integer", 0, "epochs after a reduction that are not counted", 0, 100_000),
            Field("min_lr", "number", 0.0, _MIN_RATE, 0.0, 1e4),
        ),
    ),
)

SCALINGS = ("none", "min-max", "standardise")

_SCALING = Field(
    "scaling", "choice", "standardise", "none, min-max to [0, 1], or mean 0 and standard deviation 1; fitted on the training rows only", choices=SCALINGS, essential=True,
)
_TARGET_SCALING = Field("target_scaling", "choice", "none", "the same for a target of numbers; errors are then in the scaled unit", choices=SCALINGS)
_SPLIT = (Field("validation", "number", 0.3, "share of the rows kept out of training to validate on, in whole rows; half a row is rounded to the even number", 0.0, 0.9, essential=True), _SCALING)
_LATER = Field("validation", "number", 0.3, "share of the rows, the last in time, kept out of training to validate on, in whole rows; half a row is rounded to the even number", 0.0, 0.9, essential=True)
_NOISE = "standard deviation of the noise added"


def _drawn(noise: float, samples: int = 500, *others: Field) -> tuple[Field, ...]:
    return (
        Field("samples", "integer", samples, "how many rows are drawn", 4, 100_000, essential=True),
        Field("noise", "number", noise, _NOISE, 0.0, 10.0, essential=True),
        *others,
        Field("noise_columns", "integer", 0, "columns of normal noise beside the features, as wide as these are; they tell nothing of the target", 0, 1_000),
        *_SPLIT,
    )


def _classes(count: int) -> Field:
    return Field("classes", "integer", count, "how many classes there are", 2, 9)


def _series(noise: float | None, *others: Field) -> tuple[Field, ...]:
    """A series cut into windows: each row is `window` values one after the other, its target the value `horizon` steps behind them."""
    return (
        Field("samples", "integer", 400, "how many windows the series is cut into", 8, 20_000, essential=True),
        *(() if noise is None else (Field("noise", "number", noise, _NOISE, 0.0, 10.0, essential=True),)),
        *others,
        Field("window", "integer", 12, "time steps in a row", 1, 512, essential=True),
        Field("horizon", "integer", 1, "how many steps behind the window the target lies", 1, 1_000),
        _LATER, _SCALING, _TARGET_SCALING,
    )


_CORNERS = Field("corners", "boolean", False, "only the points (±1, ±1), exactly and each once: all four are trained on, whatever samples, noise and held-out share are")
_PERIOD = Field("period", "number", 25.0, "time steps until it comes again", 2.0, 1_000.0)

DATASETS = _table(
    Kind("moons", "Two moons", "two interleaved half circles, 2 features, 2 classes", _drawn(0.2), "2-D", "sklearn.datasets.make_moons"),
    Kind("circles", "Circles", "a ring around a disc, 2 features, 2 classes", _drawn(0.1), "2-D", "sklearn.datasets.make_circles"),
    Kind("spiral", "Spiral", "two arms wound around each other, 2 features, 2 classes", _drawn(0.1), "2-D"),
    Kind("xor", "XOR", "the class is whether x₁ and x₂ differ in sign, 2 features, 2 classes", _drawn(0.1, 500, _CORNERS), "2-D"),
    Kind("blobs", "Blobs", "round clouds, 2 features, 2 to 9 classes", _drawn(1.0, 500, _classes(3)), "2-D", "sklearn.datasets.make_blobs"),
    Kind("rings", "Rings", "rings around each other, each a class of its own, 2 features, 2 to 9 classes", _drawn(0.1, 500, _classes(3)), "2-D"),
    Kind("sine", "Sine", "y = sin x with noise, 1 feature, 1 target", (*_drawn(0.1, 300), _TARGET_SCALING), "Regression"),
    Kind("sine_wave", "Sine wave", "a series sin(2πt/period) with noise: from a window of it the value that follows", _series(0.05, _PERIOD), "Series"),
    Kind("sawtooth", "Sawtooth", "a series that rises from −1 to 1 and falls back at once, with noise: from a window of it the value that follows", _series(0.05, _PERIOD), "Series"),
    Kind(
        "ar", "AR(p)", "an autoregressive series: each value is a sum of the p values before it, with weights drawn from the seed, and noise", group="Series",
        source="Box & Jenkins 1970; weights from partial autocorrelations (Barndorff-Nielsen & Schou 1973), so that the series is stationary",
        fields=_series(1.0, Field("order", "integer", 2, "p: how many values before count", 1, 20)),
    ),
    Kind(
        "volatility", "Volatility bursts", "a GARCH(1, 1) series: calm and wild times alternate; its sign cannot be foretold, so the target is the size |r| of a later value",
        group="Series", source="Bollerslev 1986: σ² = ω + α r² + β σ²",
        fields=_series(
            None,
            Field("alpha", "number", 0.2, "α: how much the last value stirs it up", 0.0, 0.5),
            Field("beta", "number", 0.75, "β: how long that lasts", 0.0, 0.99),
        ),
    ),
    Kind("iris", "Iris", "150 flowers, 4 measures, 3 species", _SPLIT, "Tables", "sklearn.datasets.load_iris"),
    Kind("wine", "Wine", "178 wines, 13 measures, 3 growers", _SPLIT, "Tables", "sklearn.datasets.load_wine"),
    Kind("breast_cancer", "Breast cancer", "569 tumours, 30 measures of cell nuclei, malignant or benign", _SPLIT, "Tables", "sklearn.datasets.load_breast_cancer"),
    Kind("digits", "Digits", "1,797 handwritten digits, 8×8 pixels (input [64] or [1, 8, 8]), 10 classes", _SPLIT, "Images", "sklearn.datasets.load_digits"),
    Kind(
        "text", "Tiny text", "“The house that Jack built”: from the characters or words of a window the one that follows; each is a whole number, for an embedding or one-hot layer",
        group="Text", source="traditional, printed 1755",
        fields=(
            Field("unit", "choice", "characters", "what a step is", choices=("characters", "words"), essential=True),
            Field("window", "integer", 8, "how many characters or words a row has", 1, 64, essential=True),
            _LATER,
        ),
    ),
    Kind(
        "csv", "CSV file", "a table from a file; one column is the target, columns of words become one column for each word", group="Own data",
        fields=(
            Field("path", "path", "", "the file, absolute or beside the document", essential=True),
            Field("target", "text", "", "name of the target column; empty takes the last", essential=True),
            Field("task", "choice", "auto", "whether the target's values are classes or numbers; auto: words are classes, and numbers under a classification loss", choices=("auto", "classes", "numbers")),
            Field("separator", "choice", "auto", "what stands between two cells, a space meaning any white space; auto finds out", choices=("auto", "comma", "semicolon", "tab", "bar", "space")),
            Field("decimal", "choice", "auto", "what stands before the fraction of a number; auto finds out", choices=("auto", "point", "comma")),
            Field("header", "choice", "auto", "whether the first line names the columns; auto finds out", choices=("auto", "yes", "no")),
            Field("missing", "choice", "refuse", "what is done with rows in which a value is missing: refuse the file, leave the row out, or put in the column's mean over the training rows", choices=("refuse", "leave out", "column mean")),
            Field("without", "names", [], "names of columns that are not used"),
            Field("window", "integer", None, "cut the rows, as a series, into windows of so many time steps, all columns of which are the input; none: each row by itself", 1, 512, optional=True, absent="each row"),
            Field("horizon", "integer", 1, "for a series: how many steps behind the window the target lies", 1, 1_000),
            _TARGET_SCALING,
            *_SPLIT,
        ),
    ),
    Kind(
        "table", "Own points", "points clicked into the plane, or rows typed in; the document keeps them", group="Own data",
        fields=(
            Field("x", "table", [], "one list of numbers per row", essential=True),
            Field("y", "table", [], "one list of targets per row, or one class number per row", essential=True),
            Field("validation", "number", 0.0, _SPLIT[0].explanation, 0.0, 0.9),
            Field("scaling", "choice", "none", _SCALING.explanation, choices=SCALINGS),
            _TARGET_SCALING,
        ),
    ),
)

DATA_SIZES = {
    "moons": (2, 2), "circles": (2, 2), "spiral": (2, 2), "xor": (2, 2), "blobs": (2, 3), "rings": (2, 3), "sine": (1, 0), "iris": (4, 3), "wine": (13, 3),
    "breast_cancer": (30, 2), "digits": (64, 10),
}
"""Features and classes (0: regression) of data sets by default; shapes/rows.py knows what their settings change, and all the others."""

ROW_COUNTS = {"iris": 150, "wine": 178, "breast_cancer": 569, "digits": 1797}
"""Rows of the data sets that have a fixed number of them."""

INITIALIZERS = _table(
    Kind("default", "Default", "as torch starts such a layer: uniform in ±1/√n_in (recurrent: ±1/√units), biases too; embedding normal; attention Xavier uniform, its biases 0", source="torch.nn"),
    Kind("zeros", "Zeros", "all 0: every unit of a layer stays the same as the others, symmetry never breaks"),
    Kind("constant", "Constant", "all 0.1"),
    Kind("normal", "Normal", "normal with standard deviation 0.05"),
    Kind("uniform", "Uniform", "uniform in ±0.05"),
    Kind("xavier_uniform", "Xavier uniform", "uniform in ±√6/√(n_in + n_out)", source="Glorot & Bengio 2010"),
    Kind("xavier_normal", "Xavier normal", "normal with variance 2/(n_in + n_out)", source="Glorot & Bengio 2010"),
    Kind("he_uniform", "He uniform", "uniform in ±√6/√n_in", source="He et al. 2015"),
    Kind("he_normal", "He normal", "normal with variance 2/n_in", source="He et al. 2015"),
    Kind("orthogonal", "Orthogonal", "a random orthogonal matrix: a rotation, or one with a reflection", source="Saxe et al. 2014"),
)
"""How a layer's weights start; all but "default" start biases at 0."""

PRECISIONS = ("float32", "float64")

LARGEST_SEED = 2**32 - 1

EXPERIMENT = (
    Field("title", "text", "Untitled", "what the experiment is called", essential=True),
    Field("description", "text", "", "one sentence about what it shows"),
    Field("seed", "integer", 0, "where every random draw starts: the same seed gives the same run, bit by bit", 0, LARGEST_SEED, essential=True),
    Field("precision", "choice", "float32", "the kind of number the network computes with", choices=PRECISIONS, essential=True),
)
"""The fields of an experiment that stand by themselves."""

TRAINING = (
    Field("loss", "choice", "cross_entropy", "what training makes small", choices=tuple(LOSSES), essential=True),
    Field("target", "choice", "labels", "what the output is compared with: what the data says about a row; the row itself, which the network is to reproduce (an autoencoder); or, adversarial, whether a row is one of the data or generated: discriminator and generator learn in turn (a GAN)", choices=("labels", "input", "adversarial")),
    Field("batch_size", "integer", 32, "rows per iteration; none takes the whole training set at once", 1, 100_000, optional=True, essential=True, absent="all rows"),
    Field("l1", "number", 0.0, "adds l1 · Σ|w| over all weights to the loss, not over biases nor the γ and β of normalisations", 0.0, 1e3),
    Field("l2", "number", 0.0, "adds l2/2 · Σw² over all weights to the loss, not over biases nor the γ and β of normalisations", 0.0, 1e3),
    Field("clip_norm", "number", None, "largest norm of all gradients together; none does not clip", 1e-12, 1e12, optional=True),
    Field("clip_value", "number", None, "largest absolute value of one gradient element; none does not clip", 1e-12, 1e12, optional=True),
    Field("dropout", "boolean", True, "master switch: off makes every dropout, also that inside recurrent layers, pass its input unchanged", essential=True),
    Field("early_stopping", "integer", None, "stop after this many epochs without a better validation loss; none never stops early", 1, 100_000, optional=True),
)
"""The fields of a training that are neither its optimizer nor its schedule."""

LAYER = (
    Field("name", "text", "", "what the screen calls the layer; empty shows its id"),
    Field("frozen", "boolean", False, "whether training leaves its parameters as they are"),
    Field("initializer", "choice", "default", "how its weights start", choices=tuple(INITIALIZERS)),
    Field("gain", "number", 1.0, "multiplies the weights the initializer draws; above 1 signals grow from layer to layer", 0.0, 1e4),
    Field("learning_rate_factor", "number", 1.0, "multiplies the learning rate for the parameters of this layer; a schedule's floor is not multiplied, as in torch's parameter groups", 0.0, 1e4),
)
"""The fields every layer has besides those of its kind."""


def layer_kind(name: str) -> LayerKind:
    """Return the row of a kind of layer; for one that does not exist a row that says nothing."""
    return LAYERS.get(name) or LayerKind(name, name, "", inputs=(0, None))


def new_layer(kind: str, id: str, **settings: Any) -> Layer:
    """Return a layer with its kind's defaults, and `settings` over them. Raises KeyError for an unknown kind or field."""
    return Layer(id, kind, _filled(LAYERS[kind], settings))


def new_choice(table: dict[str, Kind], kind: str, **settings: Any) -> Choice:
    """Return a choice out of `table` with its kind's defaults, and `settings` over them. Raises KeyError for an unknown kind or field."""
    return Choice(kind, _filled(table[kind], settings))


def _filled(kind: Kind, settings: dict[str, Any]) -> dict[str, Any]:
    for name in settings:
        kind.field(name)
    return kind.defaults | settings
