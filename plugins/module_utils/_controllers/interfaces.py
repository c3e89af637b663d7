# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: the interfaces action controller, EMCO's ovnaction.

It writes into pod templates the annotations by which the engine of each cluster attaches pods to networks, beside those
that are there.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._controllers import node_needs
from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import (
    Controller,
    Intents,
    Objects,
    Subject,
)
from ansible_collections.emco.edge.plugins.module_utils._engines.networks import nodus
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.contract import (
    Attachment,
    Engine,
    Site,
    site_of,
)
from ansible_collections.emco.edge.plugins.module_utils._engines.networks.usage import (
    NETWORKS,
    NODUS,
    nodus_interfaces,
    selection_elements,
)
from ansible_collections.emco.edge.plugins.module_utils._hardware.pod_template import copies_of
from ansible_collections.emco.edge.plugins.module_utils._model import addresses
from ansible_collections.emco.edge.plugins.module_utils._model.cluster import Node
from ansible_collections.emco.edge.plugins.module_utils._model.errors import InvalidInput, Problem, near
from ansible_collections.emco.edge.plugins.module_utils._model.interfaces import Interface
from ansible_collections.emco.edge.plugins.module_utils._model.network_site import Placed, gateway_of
from ansible_collections.emco.edge.plugins.module_utils._model.options import join
from ansible_collections.emco.edge.plugins.module_utils._model.pod_templates import pod_template
from ansible_collections.emco.edge.plugins.module_utils._model.selectors import Selector


def _mine(subject: Subject) -> list[tuple[int, Interface]]:
    return [(index, one) for index, one in enumerate(subject.intents.interfaces) if one.app == subject.app]


def _concerns(subject: Subject) -> Hashable:
    mine = _mine(subject)
    if not mine:
        return None
    here = subject.intents.networks.get(subject.cluster.ref, {})
    placed = tuple((one.network, here.get(one.network)) for _index, one in mine)
    # Labels of nodes are written only where the engine leaves nodes to the pods.
    return (placed, nodus.wrapped(site_of(subject.cluster, ())), subject.replicas)


def _edit(objects: Objects, subject: Subject) -> Objects:
    here = subject.intents.networks.get(subject.cluster.ref, {})
    site = site_of(subject.cluster, here.values())
    nodes = subject.cluster.facts.nodes if subject.cluster.facts is not None else ()
    changed = [copy.deepcopy(dict(item)) for item in objects]
    problems: list[Problem] = []
    for index, wanted in _mine(subject):
        path = f"interfaces[{index}]"
        placed = here.get(wanted.network)
        if placed is None:
            problems.append(Problem(join(path, "network"), f"{subject.cluster.ref} has no network {wanted.network}"))
            continue
        if placed.engine not in _engines():
            problems.append(Problem(join(path, "network"), f"{wanted.network} on {subject.cluster.ref} has no pods"))
            continue
        problems += _address_problems(wanted, placed, path, site.cluster)
        for item in changed:
            template = pod_template(item) if _meant(wanted, item) else None
            if template is None:
                continue
            problems += _copy_problems(wanted, item, path)
            problems += _namespace_problems(placed, item, subject, path)
            if not problems:
                problems += _write(wanted, placed, template, site, nodes, path)
    if problems:
        raise InvalidInput(problems, of=f"the interfaces of app {subject.app} on {subject.cluster.ref}")
    return changed


def _problems(intents: Intents, samples: Mapping[str, Objects]) -> Iterator[Problem]:
    """Workloads that are not there, and fixed addresses of workloads with several pods."""
    for index, wanted in enumerate(intents.interfaces):
        if wanted.app not in samples:
            continue
        path = f"interfaces[{index}]"
        workloads = [item for item in samples[wanted.app] if pod_template(dict(item)) is not None]
        meant = [item for item in workloads if _meant(wanted, item)]
        if not meant:
            known = [str(item["metadata"]["name"]) for item in workloads]
            hint = near(wanted.workload, known) or f"it has {', '.join(known) or 'no workload'}"
            text = f"app {wanted.app!r} renders no workload {wanted.workload!r}"
            yield Problem(join(path, "workload"), text, hint)
        for item in meant:
            yield from _copy_problems(wanted, item, path)


def _meant(wanted: Interface, item: Mapping[str, Any]) -> bool:
    if wanted.kind not in (None, item.get("kind")):
        return False
    name = (item.get("metadata") or {}).get("name")
    return wanted.workload in (name, f"{item.get('kind')}/{name}")


def _copy_problems(wanted: Interface, item: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if not (wanted.ip or wanted.mac):
        return
    fixed = "ip" if wanted.ip else "mac"
    name = f"{item['kind']} {item['metadata']['name']}"
    if item["kind"] == "DaemonSet":
        yield Problem(join(path, fixed), f"{name} has a pod on every node, and one address is one pod's")
        return
    copies, _scalable = copies_of(item)
    if copies > 1:
        text = f"{name} has {copies} pods, and one address is one pod's"
        yield Problem(join(path, fixed), text, "leave it out, or make it one replica")


def _engines() -> Mapping[str, Engine]:
    # Here and not on top: a deployment without interfaces would pay for all engines at its start.
    from ansible_collections.emco.edge.plugins.module_utils._engines.networks import table

    return table.BY_NAME


def _namespace_problems(placed: Placed, item: Mapping[str, Any], subject: Subject, path: str) -> Iterator[Problem]:
    space = str(item["metadata"].get("namespace") or subject.namespace)
    if _engines()[placed.engine].local and space not in placed.network.namespaces:
        text = f"network {placed.name} on {subject.cluster.ref} is not for namespace {space}"
        yield Problem(join(path, "network"), text, "add it to the namespaces of the network")


def _address_problems(wanted: Interface, placed: Placed, path: str, cluster: str) -> Iterator[Problem]:
    for ip in wanted.ip:
        subnet = placed.network.subnet(addresses.family(ip))
        where = join(path, "ip")
        if subnet is None or not addresses.is_host(str(subnet.cidr), ip):
            held = " and ".join(placed.cidrs)
            yield Problem(where, f"{ip} is no host's address in {held} of network {placed.name} on {cluster}")
        elif ip == gateway_of(subnet):
            yield Problem(where, f"{ip} is the gateway of network {placed.name} on {cluster}")
        elif any(addresses.overlap(each, ip) for each in subnet.exclude):
            yield Problem(where, f"{ip} is excluded from network {placed.name} on {cluster}")


def _write(
    wanted: Interface, placed: Placed, template: dict[str, Any], site: Site, nodes: Sequence[Node], path: str
) -> list[Problem]:
    """Write one interface into a pod template; what is in the way of it."""
    found: Attachment = _engines()[placed.engine].attach(wanted, placed, site)
    metadata = template.setdefault("metadata", {})
    annotations: dict[str, str] = dict(metadata.get("annotations") or {})
    problems: list[Problem] = []
    try:
        if found.nodus:
            annotations[NODUS] = with_nodus(annotations.get(NODUS, ""), found.nodus)
        if found.elements:
            annotations[NETWORKS] = with_elements(annotations.get(NETWORKS, ""), found.elements)
    except ValueError as wrong:
        problems.append(Problem(path, f"an annotation that is there cannot be joined: {wrong}"))
    annotations.update(found.annotations)
    metadata["annotations"] = annotations
    if found.node_labels:
        terms = [f'{key} = "{value}"' if equals else key for key, equals, value in map(_pair, found.node_labels)]
        node_needs.write(template.setdefault("spec", {}), Selector.parse(", ".join(terms)), nodes)
    return problems


def _pair(label: str) -> tuple[str, str, str]:
    return label.partition("=")


def with_nodus(there: str, wanted: Sequence[Mapping[str, str]]) -> str:
    """Nodus' annotation with interfaces added; one that is there, by interface and network, stays as it is.

    ValueError when what is there cannot be read, or the interface is another network's.
    """
    entries = nodus_interfaces(there) if there else []
    kind = json.loads(there).get("type", "ovn4nfv") if there else "ovn4nfv"
    for one in wanted:
        same = [each for each in entries if each.get("interface") == one["interface"] and one["interface"]]
        if any(each.get("name") != one["name"] for each in same):
            raise ValueError(f"{one['interface']} is on network {same[0].get('name')} already")
        if not any(each.get("name") == one["name"] and each.get("interface") == one["interface"] for each in entries):
            entries.append(dict(one))
    return json.dumps({"type": kind, "interface": entries}, separators=(",", ":"))


def with_elements(there: str, wanted: Sequence[Mapping[str, Any]]) -> str:
    """Multus' annotation with elements added, those that are there kept, whichever form they had.

    ValueError when what is there cannot be read, or the interface is another network's.
    """
    entries = selection_elements(there)
    for one in wanted:
        interface = one.get("interface")
        same = [each for each in entries if interface and each.get("interface") == interface]
        if any(each["name"] != one["name"] for each in same):
            raise ValueError(f"{interface} is on network {same[0]['name']} already")
        place = next((at for at, each in enumerate(entries) if _reference(each) == _reference(one)), None)
        if place is None:
            entries.append(dict(one))
        else:
            # What the template said of this attachment stays where the intent says nothing.
            entries[place] = {**entries[place], **one}
    return json.dumps(entries, separators=(",", ":"))


def _reference(element: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(element.get("namespace") or ""), str(element["name"]), str(element.get("interface") or "")


CONTROLLER = Controller("interfaces", _edit, _concerns, _problems)
