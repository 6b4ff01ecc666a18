# Everything a fresh machine needs beyond Python 3.11 and make is downloaded into .tools, .venv and web/node_modules.
# Nothing is done twice: each step has a file that is newer than what the step was made from.

KAFKA_VERSION := 4.3.0
UV_VERSION := 0.13.9
UV := .tools/uv/.version-$(UV_VERSION)
INSTALLED := .venv/.installed
INSTALLED_GATEWAY := .venv/.installed-gateway
INSTALLED_DEV := .venv/.installed-dev
NODE_MODULES := web/node_modules/.package-lock.json
TESTS_NODE_MODULES := tests/node/node_modules/.package-lock.json
BENCH_NODE_MODULES := bench/node/node_modules/.package-lock.json
WEB := src/tiebreak/app_server/static/index.html
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name tests -prune -o -type f -print)
# Runs a program that is asked to stop (signal 15) when make is killed and cannot do so itself.
TIED := .venv/bin/python -I -S src/tiebreak/embedded/launcher.py $$PPID 15 keep

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help up test mutants check fuzz simulate bench bench-fanout chaos kafka web clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(if $(findstring --gateway,$(ARGS)),$(INSTALLED_GATEWAY),$(INSTALLED)) $(WEB) ## set up what is missing, then run everything (ARGS="--port 8100 --data DIR --host 0.0.0.0")
	@exec $(TIED) .venv/bin/tiebreak up $(ARGS)

test: $(INSTALLED_DEV) $(WEB) $(TESTS_NODE_MODULES) ## run the Python tests, end-to-end tests included (ARGS="tests/unit -k score")
	@scripts/get-chromium
	@scripts/get-redis
	@scripts/get-kafka $(KAFKA_VERSION)
	.venv/bin/pytest $(ARGS)

mutants: $(INSTALLED_DEV) $(WEB) ## break each safeguard in turn: its test must fail (docs/safeguards.md; ARGS="drop-the-dedupe")
	@scripts/get-redis
	.venv/bin/python -m tests.mutants $(ARGS)

check: $(INSTALLED_DEV) $(NODE_MODULES) ## lint, format, types and import rules; the web client's checks and tests
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	scripts/with-node .venv/bin/pyright
	.venv/bin/lint-imports
	scripts/with-node npm --prefix web run check
	scripts/with-node npm --prefix web test

fuzz: $(INSTALLED_DEV) $(WEB) ## send the whole HTTP interface whatever it does not expect; see docs/fuzzing.md (ARGS="--examples 250 --seed 1")
	@exec $(TIED) .venv/bin/python -m tests.fuzz.http_fuzz $(ARGS)

bench: $(INSTALLED_DEV) $(WEB) $(BENCH_NODE_MODULES) ## the price of an answer at each step, its limits and its peers; writes bench/RESULTS.md (ARGS="--only answers http --quick")
	@scripts/get-kafka $(KAFKA_VERSION)
	@exec $(TIED) .venv/bin/python -m bench $(ARGS)

bench-fanout: $(INSTALLED_DEV) $(TESTS_NODE_MODULES) ## our sockets beside Node's, python-socketio's and a C loop; writes bench/RESULTS.md (ARGS="--rounds 3")
	@exec $(TIED) .venv/bin/python -m bench.fanout $(ARGS)

chaos: $(INSTALLED_DEV) $(WEB) ## everything breaks by a seeded schedule, 500 times; writes docs/reliability.md (ARGS="--seed 7 --faults 50 --bus streams")
	@scripts/get-redis
	@scripts/get-kafka $(KAFKA_VERSION)
	@exec $(TIED) .venv/bin/python -m chaos $(ARGS)

simulate: $(INSTALLED_DEV) ## the real code on a virtual clock, among servers that fail (ARGS="--seed 7 --schedules 1000")
	@exec .venv/bin/python -m simulation $(ARGS)

kafka: $(INSTALLED_DEV) ## run a Kafka broker on this machine, until Ctrl-C (ARGS="--port 9092 --data DIR")
	@scripts/get-kafka $(KAFKA_VERSION)
	@exec .venv/bin/python -m tests.kafka_server $(ARGS)

web: $(WEB) ## build the web client into the Python package

clean: ## remove what was built and installed; data stays
	rm -rf .tools .venv web/node_modules tests/node/node_modules bench/node/node_modules src/tiebreak/app_server/static .pytest_cache .ruff_cache .hypothesis

$(UV): scripts/get-uv
	@mkdir -p .tools
	@scripts/get-uv $(UV_VERSION)
	@touch $@

# Runtime packages only, and nothing removed: `make test` may have installed more.
$(INSTALLED): pyproject.toml uv.lock | $(UV)
	@scripts/sync-venv --no-dev --inexact
	@touch $@

$(INSTALLED_GATEWAY): pyproject.toml uv.lock | $(UV)
	@scripts/sync-venv --no-dev --inexact --extra gateway
	@touch $(INSTALLED) $@

$(INSTALLED_DEV): pyproject.toml uv.lock | $(UV)
	@scripts/sync-venv
	@touch $(INSTALLED) $@

$(NODE_MODULES): web/package.json web/package-lock.json | $(UV)
	@echo "installing the web client's packages"
	@scripts/with-node npm --prefix web ci --no-audit --no-fund --loglevel=error || \
		{ echo "The web client's packages could not be installed: see above, or check the network." >&2; exit 1; }
	@touch $@

$(TESTS_NODE_MODULES): tests/node/package.json tests/node/package-lock.json | $(UV)
	@echo "installing Node's Socket.IO, for the tests"
	@scripts/with-node npm --prefix tests/node ci --no-audit --no-fund --loglevel=error || \
		{ echo "Node's Socket.IO could not be installed: see above, or check the network." >&2; exit 1; }
	@touch $@

$(BENCH_NODE_MODULES): bench/node/package.json bench/node/package-lock.json | $(UV)
	@echo "installing Node's fastify, for the bench"
	@scripts/with-node npm --prefix bench/node ci --no-audit --no-fund --loglevel=error || \
		{ echo "Node's fastify could not be installed: see above, or check the network." >&2; exit 1; }
	@touch $@

$(WEB): $(WEB_SOURCES) $(NODE_MODULES)
	@echo "building the web client"
	@scripts/with-node npm --prefix web run build --silent -- --logLevel warn || \
		{ echo "The web client could not be built: see above." >&2; exit 1; }
	@touch $@
