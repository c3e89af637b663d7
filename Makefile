# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Everything is installed into .tools/ (ignored by git) and made again only when its inputs change.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

export TOOLS := $(CURDIR)/.tools
export PATH := $(TOOLS)/venv/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(TOOLS)/collections
export MYPYPATH := $(TOOLS)/collections

READY := .tools/stamps/venv .tools/stamps/collections

##@ To try it
.PHONY: demo lab lab-down shell-env
demo: $(READY) ## three real clusters, register, deploy, status, deploy again
	@python -m scripts.demo $(LAB)

lab: $(READY) ## only the clusters; writes inventories/lab/; LAB="-e lab_size=5"
	@ansible-playbook emco.edge.lab $(LAB)

lab-down: $(READY) ## stop every process of the lab and remove its files
	@ansible-playbook emco.edge.lab -e lab_state=absent $(LAB)

shell-env: ## exports for eval "$$(make -s shell-env)"
	@$(MAKE) --no-print-directory -s $(READY) >&2
	echo 'export PATH="$(TOOLS)/venv/bin:$$PATH"'
	echo 'export ANSIBLE_COLLECTIONS_PATH="$(TOOLS)/collections"'

##@ To prove it
.PHONY: test lint unit sanity integration molecule bench mutation
test: $(READY) ## everything CI runs; ONLY="lint unit" for some of it
	@CI=$${CI:-true} python -m tests.tools.check $(ONLY)

lint unit sanity integration molecule: $(READY) ## one part of `make test`; ARGS="-k name" for pytest
	@python -m tests.tools.check $@ -- $(ARGS)

bench: $(READY) .tools/stamps/venv-ansible ## the measures, side by side; ONLY=<group> for one group
	@python -m tests.bench $(ONLY)

mutation: $(READY) ## breaks the pure rooms on purpose and counts what the unit tests miss
	@python -m tests.tools.mutation $(ARGS)

##@ To work on it
.PHONY: venv venv-ansible lock format archive clean help
venv: $(READY) ## the tools alone
venv-ansible: .tools/stamps/venv-ansible ## the `ansible` package apart: kubernetes.core for comparisons and examples

lock: $(READY) ## write requirements-dev.txt anew from requirements-dev.in
	@python -m tests.tools.lock

format: $(READY) ## let ruff format all Python
	@ruff format .
	ruff check --fix .

archive: $(READY) ## the collection as a .tar.gz in build/
	@python -m tests.tools.archive

clean: ## remove everything that was made, but for a running lab (make lab-down)
	@rm -rf .tools build .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z][a-z -]*:.*## / {gsub(/\$$\$$/, "$$"); printf "  make %-46s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.tools/stamps/venv: requirements-dev.txt scripts/find-python
	@mkdir -p .tools/stamps
	if [[ ! -x .tools/venv/bin/python ]]; then
	  "$$(scripts/find-python 3.11)" -m venv .tools/venv
	fi
	echo "Installing the tools into .tools/venv"
	.tools/venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# Ansible finds a collection only under ansible_collections/<namespace>/<name>; a link saves cloning to such a path.
.tools/stamps/collections: Makefile
	@mkdir -p .tools/stamps .tools/collections/ansible_collections/emco
	ln -sfn ../../../.. .tools/collections/ansible_collections/emco/edge
	touch $@

.tools/stamps/venv-ansible: requirements-ansible.txt scripts/find-python
	@mkdir -p .tools/stamps
	if [[ ! -x .tools/venv-ansible/bin/python ]]; then
	  "$$(scripts/find-python 3.11)" -m venv .tools/venv-ansible
	fi
	echo "Installing the ansible package into .tools/venv-ansible"
	.tools/venv-ansible/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-ansible.txt
	touch $@
