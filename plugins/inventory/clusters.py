# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes clusters as hosts of the inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: clusters
short_description: Kubernetes clusters as hosts
version_added: 0.1.0
author:
  - emco.edge contributors (@emco-edge)
description:
  - Makes every cluster of its sources a host, with the C(emco_*) variables that the modules of this collection use.
  - Hosts have C(ansible_connection=local), since a cluster is reached through its API, and the Python that runs the
    playbook.
  - No secret is in the variables or in the cache. They refer to kubeconfigs, to the store, or to Secrets of a hub that
    are read when they are needed.
  - Values that come from clusters are never executed as templates.
  - Its configuration file ends in C(.emco_edge.yml) or C(.emco_edge.yaml), or is any YAML file with
    C(plugin=emco.edge.clusters).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [emco.edge.clusters]
  sources:
    description:
      - Where clusters come from. A cluster that several sources have gets the variables of all, later ones first.
      - Each is a dictionary with C(type) and the options of that type. All have C(provider), which overrides what the
        source says, and C(selector), such as V(region in (north, south\), !retired), which chooses among what it found.
      - C(type=store) has the registered clusters, with C(store) as in M(emco.edge.cluster).
      - C(type=kubeconfig) makes every context a host. C(path) is a path or pattern, or several; C(contexts) limits
        which; C(name_from) is V(auto), V(file) or V(context). With V(auto) a file with one context gives its own
        name, since installers call their only context alike. The provider is V(kubeconfig).
      - C(type=capi) has the clusters that Cluster API manages in a hub and whose kubeconfig is there, of C(namespace)
        or of all. The provider is the namespace.
      - C(type=ocm) has the ManagedClusters of an Open Cluster Management hub that are accepted, with their taints and
        claims. C(service_account) names the ManagedServiceAccount whose token is used. A hub without ManagedClusters is
        read for ClusterProfiles. The provider is V(ocm).
      - C(type=cluster_profile) has the ClusterProfiles (SIG Multicluster) of a hub, of C(namespace) or of all, reached
        with the Secret labelled C(x-k8s.io/cluster-profile), else at C(access_provider). The provider is their cluster
        manager.
      - The hub of the last three is reached with C(kubeconfig), C(context), C(host), C(api_key_from) (the name of the
        environment variable that holds the token), C(ca_cert), C(client_cert), C(client_key), C(validate_certs),
        C(proxy), which default to the options of this plugin.
    type: raw
    default: [{type: store}]
    env:
      - name: EMCO_EDGE_INVENTORY_SOURCES
  group:
    description: The group that all hosts are in, which the playbooks of this collection run on. Empty for none.
    type: str
    default: edge
    env:
      - name: EMCO_EDGE_INVENTORY_GROUP
  host_names:
    description:
      - How hosts are called. Two clusters may have one name when their providers differ; V(provider_name) tells them
        apart, and the variable C(emco_name) has the name of the cluster.
    type: str
    choices: [name, provider_name]
    default: name
    env:
      - name: EMCO_EDGE_INVENTORY_HOST_NAMES
  on_error:
    description: Whether a source that cannot be read fails the inventory or is left out with a warning.
    type: str
    choices: [fail, warn]
    default: fail
    env:
      - name: EMCO_EDGE_INVENTORY_ON_ERROR
  store:
    description: The store of sources of type C(store), as in M(emco.edge.cluster).
    type: raw
    env:
      - name: EMCO_EDGE_STORE
  kubeconfig:
    description: The kubeconfig of the hub, for sources that do not say.
    type: path
    env:
      - name: K8S_AUTH_KUBECONFIG
  context:
    description: The context of the hub, for sources that do not say.
    type: str
    env:
      - name: K8S_AUTH_CONTEXT
  host:
    description:
      - The URL of the hub, for sources that do not say.
      - Its token is then in E(K8S_AUTH_API_KEY), as AWX sets it, unless O(api_key_from) names another variable.
    type: str
    env:
      - name: K8S_AUTH_HOST
  api_key_from:
    description: The environment variable that holds the token of the hub.
    type: str
    env:
      - name: EMCO_EDGE_HUB_API_KEY_FROM
  ca_cert:
    description: The certificate authority of the hub.
    type: str
    env:
      - name: K8S_AUTH_SSL_CA_CERT
  validate_certs:
    description: Whether the certificate of the hub is verified.
    type: bool
    env:
      - name: K8S_AUTH_VERIFY_SSL
requirements:
  - kubernetes
  - PyYAML
seealso:
  - module: emco.edge.cluster
"""

EXAMPLES = r"""
# fleet.emco_edge.yml: the registered clusters, in groups region_north, region_south ...
plugin: emco.edge.clusters
keyed_groups:
  - key: emco_labels.region
    prefix: region
---
# every context of many kubeconfigs, those of the north in a group
plugin: emco.edge.clusters
sources:
  - type: kubeconfig
    path: kubeconfigs/*.yaml
    provider: retail
compose:
  emco_labels: dict(region=(inventory_hostname.split('-') | first))
groups:
  north: inventory_hostname is match('north-')
---
# what Cluster API makes, and what Open Cluster Management watches, kept for an hour
plugin: emco.edge.clusters
sources:
  - type: capi
    kubeconfig: hub.yaml
    namespace: fleet
  - type: ocm
    kubeconfig: hub.yaml
    service_account: emco-edge
    selector: vendor=OpenShift, !retired
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/emco-edge/inventory
cache_timeout: 3600
---
# in AWX, with the credential of the hub attached to the inventory source (K8S_AUTH_HOST, K8S_AUTH_API_KEY)
plugin: emco.edge.clusters
sources:
  - type: capi
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError, Problems
from ansible_collections.emco.edge.plugins.module_utils._model.options import parse
from ansible_collections.emco.edge.plugins.plugin_utils.cluster_sources import (
    FoundCluster,
    Source,
    Surroundings,
    found_clusters,
)
from ansible_collections.emco.edge.plugins.plugin_utils.plain import plain
from ansible_collections.emco.edge.plugins.plugin_utils.trust import trusted, untrusted

HUB_TYPES = ("capi", "ocm", "cluster_profile")
HUB_OPTIONS = ("kubeconfig", "context", "host", "api_key_from", "ca_cert", "validate_certs")
AWX_TOKEN = "K8S_AUTH_API_KEY"
SUFFIXES = (".emco_edge.yml", ".emco_edge.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # ansible-core has no types
    """Reads the sources, or the cache, and makes hosts of what they found."""

    NAME = "emco.edge.clusters"

    def verify_file(self, path: str) -> bool:
        """Whether this is a configuration file of this plugin."""
        if not super().verify_file(path):
            return False
        return path.endswith(SUFFIXES) or (path.endswith((".yml", ".yaml")) and _names_this_plugin(Path(path)))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            hosts = _by_host(self._clusters(path, cache), self.get_option("host_names"))
        except EdgeError as error:
            raise AnsibleParserError(f"{path}: {error}") from error
        group = self.get_option("group")
        if group:
            self.inventory.add_group(group)
        for name, one in sorted(hosts.items()):
            self._add(name, one, group)

    def _add(self, name: str, one: FoundCluster, group: str | None) -> None:
        name = untrusted(name)
        self.inventory.add_host(name, group=group or None)
        self.inventory.set_variable(name, "ansible_connection", "local")
        self.inventory.set_variable(name, "ansible_python_interpreter", trusted("{{ ansible_playbook_python }}"))
        if name != one.name:
            self.inventory.set_variable(name, "emco_name", untrusted(one.name))
        for key, value in untrusted(one.variables).items():
            self.inventory.set_variable(name, key, value)
        variables = self.inventory.get_host(name).get_vars()
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)

    def _clusters(self, path: str, cache: bool) -> list[FoundCluster]:
        """What the cache has, unless it is to be flushed, or what the sources have."""
        key = self.get_cache_key(path)
        keeping = bool(self.get_option("cache"))
        if keeping and cache:
            try:
                return [FoundCluster(**one) for one in plain(self._cache[key])]
            except KeyError:
                pass  # expired, or never filled
        found = self._read(path)
        if keeping:
            self._cache[key] = [
                {"name": one.name, "provider": one.provider, "variables": dict(one.variables)} for one in found
            ]
        return found

    def _read(self, path: str) -> list[FoundCluster]:
        around = Surroundings(
            base_dir=str(Path(path).resolve().parent),
            environ=dict(os.environ),
            store=plain(self.get_option("store")),
            warn=self.display.warning,
        )
        found: list[FoundCluster] = []
        for source in self._sources():
            try:
                found += found_clusters(source, around)
            except EdgeError as error:
                if self.get_option("on_error") == "fail":
                    raise
                self.display.warning(f"the source {source.type} is left out: {error}")
        return found

    def _sources(self) -> list[Source]:
        raw = plain(self.get_option("sources"))
        listed = yaml.safe_load(raw) if isinstance(raw, str) else raw
        problems = Problems()
        if not isinstance(listed, list):
            problems.add("sources", "must be a list of dictionaries")
            listed = []
        sources = [
            parse(Source, self._with_hub(one), f"sources[{number}]", problems) for number, one in enumerate(listed)
        ]
        problems.raise_if_any("the inventory's sources")
        return [source for source in sources if source is not None]

    def _with_hub(self, raw: Any) -> Any:
        """A source that reads a hub and does not say how it is reached: as the options of the plugin say."""
        if not isinstance(raw, dict) or raw.get("type") not in HUB_TYPES or raw.get("kubeconfig") or raw.get("host"):
            return raw
        hub = {name: plain(self.get_option(name)) for name in HUB_OPTIONS}
        if hub["host"] and not hub["api_key_from"] and os.environ.get(AWX_TOKEN):
            hub["api_key_from"] = AWX_TOKEN
        return {**{name: value for name, value in hub.items() if value is not None}, **raw}


def _names_this_plugin(path: Path) -> bool:
    try:
        content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError):
        # Another plugin may know it.
        return False
    return isinstance(content, dict) and content.get("plugin") == InventoryModule.NAME


def _by_host(found: Iterable[FoundCluster], host_names: str) -> dict[str, FoundCluster]:
    """The clusters by the name of their host; a cluster that several sources have gets the variables of all."""
    clusters: dict[tuple[str, str], FoundCluster] = {}
    for one in found:
        known = clusters.get((one.provider, one.name))
        variables = {**known.variables, **one.variables} if known else one.variables
        clusters[one.provider, one.name] = FoundCluster(one.name, one.provider, variables)
    hosts: dict[str, FoundCluster] = {}
    for one in clusters.values():
        name = one.name if host_names == "name" else f"{one.provider}_{one.name}"
        if name in hosts:
            raise EdgeError(
                "DuplicateHost",
                f"{one.provider}+{one.name} and {hosts[name].provider}+{one.name} would both be the host {name}.",
                hint="host_names: provider_name tells them apart.",
            )
        hosts[name] = one
    return hosts
