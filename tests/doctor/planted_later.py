"""A second batch of planted faults, drawn after all bounds stood: nothing was changed for them, and what is missed of them stays so."""

from __future__ import annotations

from tests.doctor.planted import RAW, SQUARED, Planted, behind, changed, drawn, experiment, full, layers, normed, rows

SEED = 990
DIGITS, IRIS, RINGS = rows("digits"), rows("iris"), rows("rings", classes=3, samples=400)
SAWTOOTH, SINE = rows("sawtooth", window=10, samples=350), rows("sine", samples=250)

LATER = (
    Planted("non_finite", "sgd at 9,000", experiment(layers(10, (6, 6), "relu", 1), SAWTOOTH, "sgd", 9e3, **SQUARED, seed=SEED), 50),
    Planted("non_finite", "gain 3,000", experiment(changed(layers(4, (12,) * 5, "leaky_relu", 3), "h", gain=3e3), IRIS, seed=SEED), 50),
    Planted(
        "output_range",
        "sigmoid for a sine",
        experiment(changed(layers(1, (8,), "relu", 1), "out", {"activation": "sigmoid"}), SINE, **SQUARED, seed=SEED),
        0,
    ),
    Planted(
        "output_range",
        "ReLU before cross-entropy",
        experiment(changed(layers(64, (8,), "relu", 10), "out", {"activation": "relu"}), DIGITS, seed=SEED),
        0,
    ),
    Planted("no_non_linearity", "two linear layers", experiment(layers(64, (20, 20), "identity", 10), DIGITS, seed=SEED), 0),
    Planted("symmetric_start", "constant", experiment(layers(64, (6,), "relu", 10, "constant"), DIGITS, seed=SEED), 0),
    Planted(
        "input_scale",
        "tumours as they are",
        experiment(layers(30, (9,), "tanh", 2), rows("breast_cancer", **RAW), "adam", 0.003, seed=SEED),
        0,
    ),
    Planted(
        "start_loss",
        "all layers too wide",
        experiment(changed(layers(64, (20,), "relu", 10), "", gain=6.0), DIGITS, "adam", 1e-4, seed=SEED),
        60,
    ),
    Planted(
        "start_loss",
        "last layer somewhat wide",
        experiment(changed(layers(2, (9, 9), "gelu", 3), "out", gain=60.0), RINGS, rate=1e-4, seed=SEED),
        60,
    ),
    Planted(
        "exploding",
        "ReLU, wide start",
        experiment(changed(layers(2, (9,) * 10, "relu", 3, "he_normal"), "h", gain=3.5), RINGS, "adam", 1e-4, seed=SEED),
        60,
    ),
    Planted(
        "exploding",
        "SiLU, wide start",
        experiment(changed(layers(10, (8,) * 9, "silu", 1, "he_normal"), "h", gain=5.0), SAWTOOTH, "rmsprop", 1e-4, **SQUARED, seed=SEED),
        60,
    ),
    Planted(
        "diverging",
        "tanh, all rows",
        experiment(layers(1, (10, 10), "tanh", 1), SINE, rate=1.0, batch_size=None, **SQUARED, seed=SEED),
        150,
    ),
    Planted("diverging", "linear", experiment(layers(10, (), "tanh", 1), SAWTOOTH, rate=0.4, **SQUARED, seed=SEED), 150),
    Planted("rate_too_large", "sgd at 8", experiment(layers(4, (9, 9), "relu", 3), IRIS, "sgd", 8.0, seed=SEED), 150),
    Planted("rate_too_large", "Adam at 1", experiment(layers(64, (16, 16), "tanh", 10), DIGITS, "adam", 1.0, seed=SEED), 150),
    Planted("rate_too_large", "AdamW at 3", experiment(layers(2, (12,), "elu", 3), RINGS, "adamw", 3.0, seed=SEED), 150),
    Planted("vanishing", "sigmoid, digits", experiment(layers(64, (10,) * 7, "sigmoid", 10), DIGITS, rate=0.1, seed=SEED), 100),
    Planted(
        "vanishing",
        "sigmoid, momentum",
        experiment(layers(2, (8,) * 8, "sigmoid", 3), RINGS, rate=0.2, settings={"momentum": 0.9}, seed=SEED),
        100,
    ),
    Planted("rate_too_small", "sgd at 1e-6", experiment(layers(64, (16,), "relu", 10), DIGITS, rate=1e-6, seed=SEED), 100),
    Planted("rate_too_small", "RMSprop at 1e-7", experiment(layers(2, (8, 8), "tanh", 3), RINGS, "rmsprop", 1e-7, seed=SEED), 100),
    Planted(
        "dead_relu",
        "biases at −60",
        experiment(layers(64, (12,), "relu", 10), DIGITS, "adam", 0.003, weights={"h1.bias": full(-60.0, 12)}, seed=SEED),
        120,
    ),
    Planted(
        "dead_relu",
        "third layer dead",
        experiment(layers(2, (8, 8, 8), "relu", 3), RINGS, weights={"h3.bias": full(-25.0, 8)}, seed=SEED),
        100,
    ),
    Planted(
        "saturated", "tanh, wide start", experiment(changed(layers(4, (12,), "tanh", 3), "h", gain=30.0), IRIS, rate=0.003, seed=SEED), 100
    ),
    Planted(
        "saturated",
        "second layer of sigmoid",
        experiment(changed(layers(2, (10, 10), "sigmoid", 3), "h2", gain=60.0), RINGS, rate=0.02, seed=SEED),
        100,
    ),
    Planted("penalty_dominates", "L2 of 1", experiment(layers(64, (12,), "relu", 10), DIGITS, rate=0.02, l2=1.0, seed=SEED), 100),
    Planted("penalty_dominates", "L1 of 0.1", experiment(layers(2, (12,), "relu", 3), RINGS, "adam", 0.01, l1=0.1, seed=SEED), 200),
    Planted(
        "data_ignored",
        "classes by chance",
        experiment(layers(6, (3,), "relu", 2), drawn(2000, 6, 2, 191), rate=0.02, batch_size=64, seed=SEED),
        1300,
    ),
    Planted("data_ignored", "lines for three rings", experiment(layers(2, (), "tanh", 3), RINGS, rate=0.02, seed=SEED), 700),
    Planted(
        "overfitting",
        "chance by heart",
        experiment(layers(8, (40,), "tanh", 3), drawn(80, 8, 3, 192, validation=0.4), "adam", 0.01, seed=SEED),
        600,
    ),
    Planted(
        "overfitting",
        "few flowers",
        experiment(layers(4, (60, 60), "relu", 3), rows("iris", validation=0.85), "adam", 0.02, seed=SEED),
        900,
    ),
    Planted(
        "mode_gap",
        "statistics that stay behind",
        experiment(normed(layers(4, (10,), "relu", 3), 1e-4), rows("iris", **RAW), "adam", 0.01, seed=SEED),
        200,
    ),
    Planted(
        "mode_gap",
        "dropout of 0.97",
        experiment(behind(layers(64, (30,), "relu", 10), "dropout", p=0.97), DIGITS, "adam", 0.01, seed=SEED),
        600,
    ),
    Planted(
        "class_imbalance",
        "1 row in 28",
        experiment(layers(4, (6,), "relu", 2), drawn(700, 4, 2, 193, rare=25, apart=0.4), "adam", 0.01, seed=SEED),
        300,
    ),
    Planted(
        "class_imbalance",
        "1 row in 40, BCE",
        experiment(layers(2, (), "tanh", 1), drawn(600, 2, 2, 194, rare=15, apart=0.7), rate=0.1, loss="bce", seed=SEED),
        300,
    ),
    Planted("plateau", "lines for three rings", experiment(layers(2, (), "tanh", 3), RINGS, rate=0.5, batch_size=None, seed=SEED), 300),
    Planted(
        "plateau",
        "chance, all rows",
        experiment(layers(5, (), "tanh", 1), drawn(1500, 5, 2, 195), rate=0.5, batch_size=None, loss="bce", seed=SEED),
        300,
    ),
)
