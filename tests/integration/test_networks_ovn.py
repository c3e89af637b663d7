# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks on a real OVN with two chassis: what was wanted is what packets do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ovn import Ovn, guarded, missing
from tests.integration.playbooks import Playbooks, clusters
from tests.tools.playbook import PlaybookRun

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(missing()), reason=f"OVN needs what is not here: {missing()}"),
]

MACS = {"one": "0a:00:00:00:01:01", "two": "0a:00:00:00:01:02", "three": "0a:00:00:00:02:01"}
PROTECTED = {
    "name": "protected",
    "clusters": ["lab+rack"],
    "subnets": [{"cidr": "10.20.0.0/24", "gateway": "10.20.0.1", "exclude": ["10.20.0.2..10.20.0.250"]}],
    "ports": [{"name": "one", "mac": MACS["one"]}, {"name": "two", "ip": "10.20.0.9", "mac": MACS["two"]}],
}
OTHER = {
    "name": "other",
    "clusters": ["lab+rack"],
    "subnets": [{"cidr": "10.30.0.0/24", "gateway": "10.30.0.1"}],
    "ports": [{"name": "three", "ip": "10.30.0.5", "mac": MACS["three"]}],
}
UPLINK = {
    "name": "uplink",
    "clusters": ["lab+rack"],
    "type": "vlan",
    "vlan": {"id": 100, "interface": "ens5"},
    "subnets": [{"cidr": "10.40.0.0/24", "gateway": "10.40.0.1"}],
    "ports": [{"name": "four", "ip": "10.40.0.5", "mac": "0a:00:00:00:04:01"}],
}


@pytest.fixture
def ovn(tmp_path: Path) -> Iterator[Ovn]:
    one = Ovn(tmp_path / "ovn")
    try:
        yield one.up()
    finally:
        one.down()


def test_packets_do_what_networks_say(ovn: Ovn, playbooks: Playbooks) -> None:
    inventory = clusters({"rack": {"emco_ovn_nb": {"endpoint": ovn.endpoint}}})

    def tasks(*wanted: Mapping[str, Any], **how: Any) -> PlaybookRun:
        return playbooks.tasks([{**one, "run_once": True} for one in wanted], inventory, **how)

    def network(given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        verb = "provider_network" if given.get("type") else "network"
        return {f"emco.edge.{verb}": {**given, **more}}

    assert playbooks.run("emco.edge.register", inventory).code == 0
    ovn.nbctl("ls-add", "somebody-elses")
    foreseen = tasks(network(PROTECTED), check=True, diff=True)
    assert foreseen.code == 0 and "10.20.0.0/24" not in ovn.nbctl("show"), foreseen.output
    wanted = [network(PROTECTED), network(OTHER), network(UPLINK)]
    first = tasks(*wanted)
    assert first.code == 0, first.output
    before = ovn.nbctl("show"), ovn.rows()
    second = tasks(*wanted)
    assert second.code == 0, second.output
    assert not any(one["changed"] for verb in ("network", "provider_network") for one in second.results_of(verb))
    assert (ovn.nbctl("show"), ovn.rows()) == before

    # What is excluded is never given: 251 is the first address that is left.
    live = tasks({"emco.edge.network_info": {"clusters": "all", "name": "protected", "live": True}})
    (told,) = live.results_of("network_info")[-1]["clusters"]["lab+rack"]["networks"]
    given = {one["name"]: one["addresses"] for one in told["ports"]}
    assert given == {"one": f"{MACS['one']} 10.20.0.251", "two": f"{MACS['two']} 10.20.0.9"}

    ovn.machine(1, "one", "10.20.0.251/24", MACS["one"])
    ovn.machine(2, "two", "10.20.0.9/24", MACS["two"])
    ovn.machine(2, "three", "10.30.0.5/24", MACS["three"])
    ovn.machine(1, "four", "10.40.0.5/24", "0a:00:00:00:04:01")
    ovn.machine(1, "outside", "10.40.0.77/24", "0a:00:00:00:04:77", tag=100)
    ovn.settled()
    assert ovn.reaches("one", "10.20.0.9")  # the same network, the other chassis
    assert ovn.reaches("one", "10.20.0.1")  # its gateway
    assert ovn.reaches("four", "10.40.0.77")  # the provider's network, the right tag
    for port, gateway in (("one", "10.20.0.1"), ("three", "10.30.0.1")):
        ovn.route(port, gateway)
    assert ovn.silent("one", "10.30.0.5")  # another network
    ovn.retag(1, "outside", 200)
    assert ovn.silent("four", "10.40.0.77")

    # With the same router they reach each other, and rules close and open what comes in.
    routed = [network(PROTECTED, router="core"), network(OTHER, router="core")]
    joined = tasks(*routed)
    assert joined.code == 0, joined.output
    ovn.settled()
    assert ovn.reaches("one", "10.30.0.5")
    closed = [{"from": {"cidr": "172.16.0.0/12"}}]
    assert tasks(network(OTHER, router="core", connectivity=closed)).code == 0
    ovn.settled()
    assert ovn.silent("one", "10.30.0.5")
    opened = [*closed, {"from": {"network": "protected"}, "ports": [{"protocol": "icmp"}]}]
    assert tasks(network(OTHER, router="core", connectivity=opened)).code == 0
    ovn.settled()
    assert ovn.reaches("one", "10.30.0.5")

    # Somebody's change is put right.
    ovn.nbctl("set", "logical_switch", "other", "other_config:subnet=10.99.0.0/24")
    mended = tasks(network(OTHER, router="core", connectivity=opened))
    assert mended.code == 0 and mended.results_of("network")[-1]["changed"]

    # A network with machines on it stays; a port of somebody else's on a switch of ours counts, too.
    gone = [{"emco.edge.network": {"name": name, "clusters": "all", "state": "absent"}} for name in NAMES]
    used = tasks(gone[0])
    assert used.code != 0 and used.results_of("network")[-1]["reason"] == "NetworkInUse"
    assert "three" in json.dumps(used.results_of("network")[-1])
    for chassis, port in ((1, "one"), (2, "two"), (2, "three"), (1, "four")):
        ovn.unplug(chassis, port)
    ovn.settled()
    ovn.down_ports("one", "two", "three", "four")
    removed = tasks(*gone)
    assert removed.code == 0, removed.output
    assert ovn.nbctl("ls-list").split()[1:] == ["(somebody-elses)"]
    ovn.nbctl("ls-del", "somebody-elses")
    assert ovn.rows() == {}
    absent = tasks({"emco.edge.cluster": {"name": "rack", "provider": "lab", "state": "absent"}})
    assert absent.code == 0, absent.output


NAMES = ("other", "protected", "uplink")  # those that lean on others first


def test_northbounds_behind_certificates_of_their_own_are_reached_and_a_strange_one_is_not(
    tmp_path: Path, playbooks: Playbooks
) -> None:
    with guarded(tmp_path / "north") as north, guarded(tmp_path / "south") as south:
        trusted = {"north": {"emco_ovn_nb": north.options()}, "south": {"emco_ovn_nb": south.options()}}
        inventory = clusters(trusted)
        assert playbooks.run("emco.edge.register", inventory).code == 0
        wanted = {"name": "protected", "clusters": "all", "subnets": [{"cidr": "10.20.0.0/24"}]}
        made = playbooks.tasks([{"emco.edge.network": wanted, "run_once": True}], inventory)
        assert made.code == 0, made.output
        assert "protected" in north.switches() and "protected" in south.switches()

        strange = clusters({"strange": {"emco_ovn_nb": {**south.options(), "ca_cert": north.options()["ca_cert"]}}})
        refused = playbooks.run("emco.edge.register", strange)
        assert refused.code != 0 and "certificate" in refused.output.lower(), refused.output
