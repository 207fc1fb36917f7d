# make run: opens nnviz.  make test: tests that it does what it should.  make bench: measures how quick it is, and fails on errors alone.
# Each sets up everything it needs in .venv the first time.
# Another Python than python3: make PYTHON=python3.12 run
# One test file: make TESTS=tests/cli/test_cli.py test        More cores than two: make WORKERS=8 test

PYTHON ?=
BIN := .venv/bin
READY := .venv/.installed
DISPLAYED := $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname -s)))

WORKERS ?= 2
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

PICTURES := resources/pictures
PICTURE := QT_QPA_PLATFORM=offscreen $(BIN)/nnviz screenshot

.PHONY: run test bench lint pictures venv clean

ifneq ($(DISPLAYED),)
run: $(READY)
	@$(BIN)/python main.py
else
run: $(READY)
	@echo "There is no display here: painting the window offscreen into ./output instead."
	@mkdir -p output
	@$(BIN)/nnviz screenshot example:moons output/build.png --workspace build --iteration 300
	@$(BIN)/nnviz screenshot example:moons output/step.png --workspace step --iteration 300 --step 11
	@$(BIN)/nnviz screenshot example:moons output/train.png --workspace train --iteration 300
	@$(BIN)/nnviz export example:moons --to output/graph.svg --what graph --iteration 300
	@echo "Look at output/build.png, output/step.png, output/train.png and output/graph.svg."
endif

ifdef TESTS
test: $(READY)
	@$(PYTEST) $(TESTS)
else
test: $(READY)
	@$(PYTEST) -n $(WORKERS) --dist worksteal --ignore tests/benchmarks
endif

# One after the other, as a neighbour would be measured too.
bench: $(READY)
	@$(PYTEST) -q --no-header -r fE tests/benchmarks

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --diff .

# The pictures of README.md.
pictures: $(READY)
	@mkdir -p resources/pictures
	@$(PICTURE) example:moons $(PICTURES)/step.png --iteration 300 --step 11
	@$(PICTURE) example:worked_2-2-1 $(PICTURES)/neurons.png --detail neurons --step 13
	@$(PICTURE) $(PICTURES)/dropout.json $(PICTURES)/dropout.png --iteration 80 --step 27 --detail neurons --panel graph --size 2000x1100
	@$(PICTURE) $(PICTURES)/lstm.json $(PICTURES)/lstm.png --iteration 60 --step 168 --panel graph --size 4800x2300 \
	    --unfold memory --unfold "memory/t=0…memory/t=4" --unfold memory/t=3 --unfold "memory/t=3/forget gate"
	@$(PICTURE) $(PICTURES)/attention.json $(PICTURES)/attention.png --iteration 150 --step 37 --node att/softmax/softmax --element 1,4,2
	@$(PICTURE) example:moons $(PICTURES)/microscope.png --iteration 120 --panel microscope --size 2600x1800

venv: .venv/bin/python

.venv/bin/python:
	@PYTHON="$(PYTHON)" bash .ci/setup venv

$(READY): setup.cfg constraints.txt pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" bash .ci/setup

clean:
	@rm -rf .venv build dist output .pytest_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
