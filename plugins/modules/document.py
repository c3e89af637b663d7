#!/usr/bin/python
# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``document`` as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: document
short_description: Take EMCO's own YAML documents
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Takes the files that C(emcoctl) takes, with C(version), C(resourceContext.anchor), C(metadata), C(spec), C(file),
    C(files) and Go templates, and does what EMCO would do with them.
  - Objects are stored with EMCO's rules. Anchors that end with an operation (C(instantiate), C(terminate), C(update)
    and so on) are carried out in the order of the documents, each one to its end.
  - Everything is read, checked and tried out in memory first. All that is wrong is told at once, with file, document
    and line, and nothing is done.
  - The same documents a second time change nothing.
options:
  src:
    description:
      - Files, and folders of C(.yaml), C(.yml) and C(.json) files, taken in the order of their names.
      - Files of a folder without any C(resourceContext), such as values and patches, are left out.
    type: list
    elements: str
    required: true
  values:
    description:
      - Files of values for the Go templates in the documents, later ones win. Without them nothing is taken for a
        template.
      - A value that a template prints and that is not there is an error, where C(emcoctl) prints C(<no value>).
    type: list
    elements: str
  state:
    description:
      - V(absent) goes through the documents backwards, as C(emcoctl delete) does. What was instantiated or applied is
        terminated, objects are deleted.
    type: str
    choices: [present, absent]
    default: present
  on_error:
    description: Whether documents after one that failed are still carried out.
    type: str
    choices: [stop, continue]
    default: stop
  converge:
    description:
      - Whether C(instantiate) of something that runs, and was changed since, is taken for C(update). EMCO refuses it.
      - With this the same folder can be edited and run again.
    type: bool
    default: false
  unsupported:
    description:
      - What happens when a deployment intent group is instantiated that has intents nobody carries out yet.
      - With V(fail) nothing is instantiated; V(warn) goes on without these intents.
    type: str
    choices: [fail, warn]
    default: fail
  keep_credentials:
    description: What is kept of a kubeconfig, see M(emco.edge.cluster).
    type: str
    choices: [reference, encrypted, service_account]
    default: reference
  wait:
    description: Whether operations wait until what they brought is ready.
    type: bool
    default: true
  wait_timeout:
    description: How long an operation waits.
    type: str
    default: 10m
  parallel:
    description: How many clusters are worked on at once.
    type: int
    default: 50
  conflicts:
    description: What happens when a field belongs to another manager.
    type: str
    choices: [fail, force]
    default: fail
  adopt:
    description: Whether objects are taken over that exist and are not ours, such as those that EMCO created.
    type: bool
    default: false
  external_values:
    description:
      - Whether values of JSON patches that are written C($(https://...)$) are fetched, which EMCO does without asking.
      - Only C(https) addresses are, certificates are checked, and the answer must be JSON with a member C(value).
    type: bool
    default: false
  lock_wait:
    description: How long another run over documents is waited for.
    type: str
    default: 0s
extends_documentation_fragment:
  - emco.edge.store
  - emco.edge.attributes
attributes:
  check_mode:
    support: full
    details: Later documents see what earlier ones would have stored; clusters are asked with dry runs.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: An C(update) after a C(rollback) brings out the current intents again, as in EMCO.
seealso:
  - module: emco.edge.document_info
  - module: emco.edge.deployment
"""

EXAMPLES = r"""
- name: Do what a folder of EMCO's files says
  emco.edge.document:
    src: documents/
    values: values.yaml
  run_once: true

- name: See what it would do
  emco.edge.document:
    src: documents/
    values: values.yaml
  run_once: true
  check_mode: true

- name: Take everything away again
  emco.edge.document:
    src: documents/
    values: values.yaml
    state: absent
  run_once: true
"""

RETURN = r"""
documents:
  description: What became of each document, in the order in which they were carried out.
  returned: always, unless the documents are not valid
  type: list
  elements: dict
  contains:
    anchor: {description: "The object, or the operation on one.", type: str}
    kind: {description: "The kind of object, or the name of the operation.", type: str}
    state:
      description: What happened, one of C(created), C(updated), C(unchanged), C(deleted), C(done), C(failed),
        C(skipped).
      type: str
    changed: {description: "Whether anything was changed.", type: bool}
    message: {description: "More about it.", type: str}
    file: {description: "The file that the document is in.", type: str}
    line: {description: "The line at which it starts.", type: int}
  sample:
    - {anchor: projects/demo, kind: Project, state: created, changed: true, file: shop.yaml, line: 4}
summary:
  description: How many documents came to which state.
  returned: as documents
  type: dict
  sample: {created: 23, done: 3}
reason:
  description:
    - A stable code for what went wrong, such as C(InvalidInput), C(DocumentFailed).
  returned: failure
  type: str
  sample: InvalidInput
hint:
  description: What to do about it.
  returned: failure, where there is something to do
  type: str
problems:
  description: All problems of the input, each with C(path) and C(message).
  returned: with reason C(InvalidInput)
  type: list
  elements: dict
"""

from ansible_collections.emco.edge.plugins.module_utils._verbs.document import SPEC, run
from ansible_collections.emco.edge.plugins.module_utils._verbs.module_door import run_module


def main() -> None:
    """Run the verb."""
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
