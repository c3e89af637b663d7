# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that virtual and provider networks have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """What a network is, where it goes, and how a run goes about it."""

    DOCUMENTATION = r"""
options:
  clusters:
    description:
      - The clusters, as C(provider+name) or inventory hosts, or one selector; V(all) is every registered one.
      - Clusters that are not named keep what they have. To take a network off a cluster, say O(state=absent) for it.
    type: raw
  name:
    description: The name of the network. A cluster has one network of a name, virtual or provider.
    type: str
    required: true
  engine:
    description:
      - What makes the network on the clusters. V(auto) is the first of V(kube_ovn), V(ovn_kubernetes), V(nodus) and
        V(multus) whose kinds a cluster serves; a network stays on the engine that it has.
      - V(ovn_nb) is for clusters that were registered as an OVN northbound.
    type: str
    choices: [auto, kube_ovn, ovn_kubernetes, nodus, multus, ovn_nb]
    default: auto
  subnets:
    description: Its subnets, one of a family at most.
    type: list
    elements: dict
    suboptions:
      name:
        description: A name for people and for Nodus.
        type: str
      cidr:
        description: The network of the subnet, the same on every cluster.
        type: str
        aliases: [subnet]
      from:
        description: A pool of which each cluster gets a block of its own, recorded and stable.
        type: str
      prefix:
        description: How long the block of each cluster is.
        type: int
      gateway:
        description:
          - The gateway's address. Where an engine needs one and none is given, it is the first address that a host may
            have.
        type: str
      exclude:
        description:
          - Addresses that no workload is given, as a list of addresses, ranges C(a..b) and networks, or as EMCO's text
            C(a b..c).
        type: raw
  dns:
    description: What workloads are told about names, by engines that can.
    type: dict
    suboptions:
      nameservers:
        description: Addresses of name servers.
        type: list
        elements: str
      domain:
        description: The domain of the workloads.
        type: str
      search:
        description: Domains to search.
        type: list
        elements: str
      options:
        description: Options of the resolver.
        type: list
        elements: str
  routes:
    description: Routes that workloads get.
    type: list
    elements: dict
    suboptions:
      to:
        description: The network that the route is for.
        type: str
        required: true
        aliases: [dst]
      via:
        description: The address that packets go to, in a subnet of the network. Default the gateway.
        type: str
        aliases: [gw]
  mtu:
    description: The largest packet.
    type: int
  namespaces:
    description:
      - The namespaces whose workloads may attach. What an engine keeps once is in the first. They must be there.
    type: list
    elements: str
    default: [default]
  router:
    description:
      - Networks of a cluster with the same router reach each other. A network without one is alone.
      - For virtual networks of V(kube_ovn) and V(ovn_nb).
    type: str
  connectivity:
    description:
      - Connections that are let in. As soon as there is one entry, all others are refused.
    type: list
    elements: dict
    suboptions:
      from:
        description: Who may connect.
        type: dict
        required: true
        suboptions:
          network:
            description: Another network of the cluster.
            type: str
          cidr:
            description: Addresses.
            type: str
      ports:
        description: What is let through. Left out, everything.
        type: list
        elements: dict
        suboptions:
          protocol:
            description: The protocol.
            type: str
            choices: [tcp, udp, sctp, icmp]
            default: tcp
          port:
            description: A port or a range of them, C(443) or C(8000-8080). Left out, all of the protocol.
            type: str
  ports:
    description:
      - Ports of machines at an OVN northbound, which bind them with C(iface-id). For V(ovn_nb) only.
    type: list
    elements: dict
    suboptions:
      name:
        description: The C(iface-id).
        type: str
        required: true
      ip:
        description: A fixed address. Left out, OVN gives one that is not excluded.
        type: str
      mac:
        description: A fixed MAC address. Left out, OVN gives one.
        type: str
  multus:
    description: What plain networks under Multus need to be told.
    type: dict
    suboptions:
      type:
        description: The CNI plugin. Default V(bridge) for virtual networks, which is one node's, and V(macvlan).
        type: str
        choices: [bridge, macvlan, ipvlan, sriov]
      interface:
        description: The interface of the nodes under a virtual network of macvlan or ipvlan.
        type: str
      resource:
        description: The resource of the device plugin, for V(sriov).
        type: str
  replace:
    description:
      - Whether what an engine cannot change in place may be deleted and made again. Never while a pod uses it.
    type: bool
    default: false
  only:
    description: Hosts, clusters or a selector that limit what is touched, such as C(ansible_play_batch).
    type: raw
  parallel:
    description: How many clusters are worked on at once.
    type: int
    default: 50
  wait:
    description: Whether to wait until the engine says that the network is there.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait on each cluster.
    type: str
    default: 2m
  cluster_timeout:
    description: The time that all requests and waits of one cluster may take. V(0s) is O(wait_timeout) and a minute.
    type: str
    default: 0s
  drift:
    description: What to do about fields that somebody else changed.
    type: str
    choices: [correct, report, ignore]
    default: correct
  conflicts:
    description: Whether fields that another manager owns are taken over.
    type: str
    choices: [fail, force]
    default: fail
  adopt:
    description: Take over objects that exist and were not made by this collection.
    type: bool
    default: false
  lock_wait:
    description: How long to wait for another run that changes networks.
    type: str
    default: 0s
  state:
    description: V(absent) takes the network off O(clusters), unless pods use it.
    type: str
    choices: [present, absent]
    default: present
"""
