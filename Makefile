# The two commands of the README and the house's own checks. Everything runs in .venv; nothing is fetched at run time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
SOURCE ?=
# Which onnxruntime: cpu, or gpu on a machine that has one.
DEVICE ?= cpu
OUT ?= out

# Every test that starts a program would compile the farm again.
unexport PYTHONDONTWRITEBYTECODE

# Holds the scripts of pages to their JSDoc types; it comes with npm, where that is.
TSC := tests/node/node_modules/.bin/tsc

.PHONY: env film test test-minutes quick test-slow check release bench chaos clean

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tests/node/package-lock.json
	@echo '1/3 The environment in $(VENV), by $(PYTHON).'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo '2/3 torch, the largest of all: 200 MB for processors, some GB with CUDA.'
	$(BIN)/python -m pip install torch==2.13.0 -c constraints.txt
	@echo '3/3 The farm, and the libraries that it and its tests use.'
	$(BIN)/python -m pip install -e '.[$(DEVICE),dev]' -c constraints.txt
	@command -v npm >/dev/null && npm ci --prefix tests/node --silent --no-audit --no-fund \
		|| echo 'npm is not here, or could not install axe-core and tsc: what asks them is skipped.'
	touch $@

film: env
ifeq ($(SOURCE),)
	test -s '$(OUT)/sample.mp4' -a -d '$(OUT)/sample-stills' || $(BIN)/farm sample '$(OUT)/sample.mp4' --stills '$(OUT)/sample-stills'
	$(BIN)/farm render '$(OUT)/sample.mp4' --look colorize --out '$(OUT)/sample'
	@echo 'Once more, with two painted stills. The review page has both versions of each shot.'
	$(BIN)/farm render '$(OUT)/sample.mp4' --look colorize --stills '$(OUT)/sample-stills' --out '$(OUT)/sample'
else
	$(BIN)/farm render '$(SOURCE)' --look colorize --out "$(OUT)/$$(basename '$(SOURCE)' | sed 's/\.[^.]*$$//')"
endif

# Files are shared out among two processes: most tests wait for something.
test: env check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

# Films on real Ray through kills, lost nodes and lost heads, of up to minutes each. CI runs them after `make test`.
test-minutes: env
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 -m 'minutes and not slow'

# All but the tests that start programs (Ray, Chromium, Prometheus, moto, a terminal, the command itself) and those that carry whole
# films, but for the driver's own. For every change.
quick: env
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 -m 'not slow and not minutes and not programs and not films'

test-slow: env
	$(BIN)/python -m pytest -m slow

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -z | xargs -0 $(BIN)/codespell
	git ls-files -z README.md CONTRIBUTING.md 'docs/*.md' ':!docs/log.md' ':!docs/decisions' | xargs -0 $(BIN)/codespell --builtin '' --dictionary docs/words.txt --ignore-regex '`[^`]*`|"[^"]*"|Color Res'
	$(BIN)/mypy
	@if test -x $(TSC); then echo '$(TSC) -p tests/node'; $(TSC) -p tests/node && $(TSC) -p tests/node/stream.json; else echo 'There is no tsc: types of page scripts are not checked (npm ci --prefix tests/node).'; fi

# In dist/: the sources, and a wheel that has colourised the sample in an environment of its own, with what that is made of (CycloneDX).
# It takes some minutes and a gigabyte. DEVICE=gpu: with the packages of the CUDA image.
RELEASE := build/release
release: env
	rm -rf dist $(RELEASE)
	$(BIN)/python -m pip install --quiet -e '.[release]' -c constraints.txt
	$(BIN)/python -m build --no-isolation --outdir dist
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet torch==2.13.0 -c constraints.txt
	$(RELEASE)/bin/python -m pip install --quiet "$$(ls dist/*.whl)[$(DEVICE)]" -c constraints.txt
	$(RELEASE)/bin/farm doctor $(RELEASE)/sample/store
	$(RELEASE)/bin/farm sample $(RELEASE)/sample.mp4
	$(RELEASE)/bin/farm render $(RELEASE)/sample.mp4 --look colorize --out $(RELEASE)/sample
	$(BIN)/cyclonedx-py environment $(RELEASE)/bin/python --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-file "dist/film-farm-$$($(RELEASE)/bin/farm --version | cut -d' ' -f2)-$(DEVICE).cdx.json"

# The farm against what could be used instead; writes docs/bench.json and docs/bench.png. Wants an idle machine, half an hour.
bench: env
	$(BIN)/python -m tests.bench

# A hundred films through storms (killed workers, raylets and drivers, a failing store) five hundred damaged films, and
# two hundred films by made-up specs; writes docs/chaos.json. About an hour and a half.
chaos: env
	$(BIN)/python -m tests.chaos

clean:
	rm -rf $(OUT) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
