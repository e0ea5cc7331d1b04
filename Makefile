# The whole interface of this repository; `make` alone lists the targets.
# Nothing but Python 3.11+, git and make is expected of the machine: whatever else a target needs, it sets up, once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

# A stamp is named after its lock file's content: an environment is rebuilt when the lock changes, and at no other time.
DEV := .venv/.lock-$(shell git hash-object requirements/dev.txt)
NEXT := .venv-next/.lock-$(shell git hash-object requirements/next.txt)
COLLECTION := .build/collections/ansible_collections/slipway/cluster
STANDIN := .build/lab-collections/ansible_collections/kubernetes_sigs/kubespray

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.build/collections
export ANSIBLE_HOME := $(CURDIR)/.build/ansible

# $(call find_python,LOWEST MINOR,HIGHEST MINOR) prints the first interpreter that really starts (a version manager's shim may
# not) and can make virtual environments (some distributions package that apart).
find_python = for python in python3.11 python3.12 python3.13 python3.14 python3 "$$HOME"/.pyenv/versions/3.*/bin/python3; do \
	if "$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, $(1)) <= sys.version_info[:2] <= (3, $(2)))' 2>/dev/null; \
	then echo "$$python"; break; fi; done

# $(call install,PYTHON,FOLDER,LOCK FILE,STAMP)
install = rm -rf $(2); SECONDS=0; "$(1)" -m venv $(2); \
	$(2)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r $(3); \
	touch $(4); echo "slipway: $(2) is ready ($$SECONDS s)"

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: setup ## From three hosts to a cluster with 17 add-ons, changed, scaled, compared, and all of it removed
	python -m lab demo

.PHONY: test
test: setup setup-next ## All tests, around one lab (minutes; the first time longer, the lab's programs are built)
	python tests/run.py all

.PHONY: test-unit
test-unit: setup ## Unit and property tests alone, without a lab (seconds)
	python tests/run.py unit

.PHONY: test-long
test-long: setup setup-next ## Durations, scale and all kill points (hours)
	python tests/run.py long

# The longest first: it runs beside all others.
LINTERS := sanity ruff format mypy yaml ansible changelog docs

.PHONY: lint
lint: setup ## ruff, mypy, yamllint, ansible-lint, changelog and documentation lint, ansible-test sanity
	@$(MAKE) --jobs 2 --output-sync --keep-going $(LINTERS:%=lint-%)
	@echo "lint: $(words $(LINTERS)) passed, 0 failed"

.PHONY: $(LINTERS:%=lint-%)
lint-ruff:
	ruff check .
lint-format:
	ruff format --check .
lint-mypy:
	mypy $(addprefix -p ansible_collections.slipway.cluster.plugins.,module_utils plugin_utils) \
		-p lab -p benchmarks -m conftest -m tests.release -m tests.run -m tests.sanity
lint-yaml:
	yamllint --strict .
lint-ansible:
	ansible-lint
lint-changelog:
	antsibull-changelog lint
lint-docs:
	cd $(COLLECTION) && antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
lint-sanity:
	python tests/sanity.py

.PHONY: generate
generate: setup ## Write the schemas, and what the documentation lists from the code
	@for file in schemas/generate.py tests/unit/test_{catalog,error_pages,manifest_page,stacks_page}.py; do \
		PYTHONPATH=.build/collections python "$$file"; done

.PHONY: bench
bench: setup ## The benchmarks; ROUNDS=5, PEERS=helmfile,tasks, PARTS=planning,addons,drift, RESUME=1 to go on
	PYTHONPATH=.build/collections python -m benchmarks $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(PEERS),--peers $(PEERS)) $(if $(PARTS),--parts $(PARTS)) $(if $(RESUME),--resume)

.PHONY: bench-ssh
bench-ssh: setup ## A login with a session's agent beside one with OpenSSH's and a plain key; ROUNDS=5
	PYTHONPATH=.build/collections python -m benchmarks.ssh $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: bench-nodes
bench-nodes: setup ## One node more for clusters of 5, 50 and 500 workers, and a run without work; SIZES=5,50
	PYTHONPATH=.build/collections python -m benchmarks.nodes $(if $(SIZES),--sizes $(SIZES))

.PHONY: lab-up
lab-up: setup ## Start the lab: a real API server with simulated nodes, without root or containers
	python -m lab up

.PHONY: lab-down
lab-down: setup ## Stop the lab and leave nothing behind
	python -m lab down

.PHONY: real
real: setup ## Unmodified Kubespray on hosts with real pods, offline: needs root, Debian and Kubespray; PLAIN=1 without Slipway
	python -m lab.real $(if $(PLAIN),--plain)

.PHONY: real-down
real-down: setup ## Remove what a killed `make real` has left
	python -m lab.real down

.PHONY: ee
ee: setup ## The execution environment, built and worked with as AWX does: needs root, Debian and podman; KEEP=1 leaves it
	python -m lab.ee $(if $(KEEP),--keep)

.PHONY: ee-down
ee-down: setup ## Remove what a killed or kept `make ee` has left
	python -m lab.ee down

.PHONY: release
release: setup ## Changelog, artifact, its check, commit and tag; nothing is published: VERSION=1.2.0
	python -m tests.release "$(VERSION)"

.PHONY: clean
clean: ## Remove what make has made in this folder (labs go on running, their programs stay in their cache)
	rm -rf .build .venv .venv-next .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache slipway-cluster-*.tar.gz

# From here on: what the targets above set up.

.PHONY: setup
setup: $(DEV) $(COLLECTION) $(STANDIN)
	@:

$(DEV):
	@python=$$($(call find_python,11,13)); \
	if [ -z "$$python" ]; then \
		echo "slipway: needs Python 3.11, 3.12 or 3.13 with venv (on Debian: apt install python3-venv)" >&2; exit 1; fi; \
	echo "slipway: Python packages into .venv: about 30 s, done once"; \
	$(call install,$$python,.venv,requirements/dev.txt,$@)

# The collection under its full name, as Ansible and Python look for it.
$(COLLECTION):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@

# The lab's stand-in for Kubespray: in a folder of its own, for those who ask for it.
$(STANDIN):
	@mkdir -p $(@D) && ln -sfn ../../../../lab/kubespray $@

# The newest ansible-core needs a newer Python than Kubespray's; without one the tests that want both say so and skip.
.PHONY: setup-next
setup-next:
	@python=$$($(call find_python,12,14)); \
	if [ -z "$$python" ]; then echo "slipway: no Python 3.12 or later here: tests on the newest ansible-core are skipped"; \
	elif [ ! -e $(NEXT) ]; then \
		echo "slipway: the newest ansible-core into .venv-next: about 20 s, done once"; \
		$(call install,$$python,.venv-next,requirements/next.txt,$(NEXT)); fi

# For maintainers, after a change of requirements.txt or requirements/*.in; needs uv.
.PHONY: lock
lock:
	for name in dev:3.11 next:3.12 peers:3.11 kubespray:3.11 awx:3.11; do \
		uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
			--python-version "$${name#*:}" "requirements/$${name%:*}.in" --output-file "requirements/$${name%:*}.txt"; done
