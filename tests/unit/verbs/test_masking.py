# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of objects is shown to people."""

from __future__ import annotations

from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._verbs.masking import MASK, masked, shown


def test_an_object_is_shown_as_kubectl_does_and_its_secrets_are_not() -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "canary", "note": "x"}
    metadata = {"name": "s", "managedFields": [{}], "annotations": annotations}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"a": "Y2FuYXJ5"}}

    found = shown(secret)

    assert found["data"] == {"a": MASK}
    assert found["metadata"] == {"name": "s", "annotations": {"note": "x"}}
    assert secret["data"] == {"a": "Y2FuYXJ5"}


def test_passwords_are_masked_where_they_stand_and_references_to_them_are_not() -> None:
    container: dict[str, Any] = {
        "name": "db",
        "env": [
            {"name": "DB_PASSWORD", "value": "canary"},
            {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "api"}}},
            {"name": "COLOUR", "value": "blue"},
        ],
    }
    volumes = [{"name": "keys", "secret": {"secretName": "keys"}}]
    spec = {"containers": [container], "volumes": volumes, "automountServiceAccountToken": False, "password": "canary"}

    found = shown({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})["spec"]

    assert "canary" not in str(found)
    assert found["containers"][0]["env"][1:] == container["env"][1:]
    assert (found["volumes"], found["automountServiceAccountToken"]) == (volumes, False)


def test_options_are_masked_by_name_whatever_stands_there_and_in_lists_of_variables() -> None:
    given = {"password": 1234, "tokens": ["canary"], "env": [{"name": "DB_PASSWORD", "value": "canary"}], "a": "b"}

    found = masked(given)

    assert found["password"] == found["tokens"] == found["env"][0]["value"] == MASK
    assert found["a"] == "b"
