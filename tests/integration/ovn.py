# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole OVN on one machine: databases, northd, and two chassis in network namespaces that forward packets themselves.

Open vSwitch works with its userspace datapath, so no module of the kernel is needed. Everything is in one folder and in
namespaces with a prefix of their own; ``down`` ends what was started and nothing else.
"""

from __future__ import annotations

import datetime
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAMS = {
    "ovsdb-server": "openvswitch-switch",
    "ovs-vswitchd": "openvswitch-switch",
    "ovs-vsctl": "openvswitch-switch",
    "ovn-northd": "ovn-central",
    "ovn-nbctl": "ovn-central",
    "ovn-controller": "ovn-host",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "ping": "iputils-ping",
}
SCHEMAS = Path("/usr/share/ovn")
CENTRAL = "10.210.0.1"
PHYSICAL = "physnet-ens5"


def missing() -> str:
    """What this machine lacks, by name; empty when it lacks nothing."""
    if os.geteuid() != 0:
        return "the right to make network namespaces (root)"
    packages = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    return f"the packages {', '.join(packages)}" if packages else ""


@dataclass
class Ovn:
    """A running OVN. ``prefix`` begins the names of its namespaces."""

    folder: Path
    prefix: str = "emo"
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _spaces: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """The northbound, as ovsdbapp takes it."""
        return f"unix:{self.folder}/nb.sock"

    def up(self) -> Ovn:
        """Start the databases and northd, then two chassis."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._space("central")
        self._inside("central", "ip", "link", "set", "lo", "up")
        for name, schema, port in (("nb", "ovn-nb", 6641), ("sb", "ovn-sb", 6642)):
            self._run("ovsdb-tool", "create", f"{self.folder}/{name}.db", f"{SCHEMAS}/{schema}.ovsschema")
            self._start(
                "central",
                *("ovsdb-server", f"--remote=punix:{self.folder}/{name}.sock", f"--remote=ptcp:{port}"),
                *(f"--unixctl={self.folder}/{name}.ctl", f"{self.folder}/{name}.db"),
            )
        for name in ("nb", "sb"):
            self._until(Path(f"{self.folder}/{name}.sock").exists)
        self._start(
            "central",
            *("ovn-northd", f"--ovnnb-db={self.endpoint}", f"--ovnsb-db=unix:{self.folder}/sb.sock"),
            f"--unixctl={self.folder}/northd.ctl",
        )
        self._inside("central", "ip", "link", "add", "wire", "type", "bridge")
        self._inside("central", "ip", "addr", "add", f"{CENTRAL}/24", "dev", "wire")
        self._inside("central", "ip", "link", "set", "wire", "up")
        for number in (1, 2):
            self._chassis(number)
        return self

    def down(self) -> None:
        """End what ``up`` and ``machine`` started."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for space in self._spaces:
            subprocess.run(["ip", "netns", "del", space], check=False)

    # what tests do

    def machine(self, chassis: int, port: str, address: str, mac: str, *, tag: int | None = None) -> None:
        """A machine on a chassis: bound to a logical port, or with ``tag`` beside the provider's bridge, in a VLAN."""
        space, inner, outer = self._space(port), f"m-{port}"[:15], f"h-{port}"[:15]
        here = self._name(f"c{chassis}")
        self._run("ip", "link", "add", inner, "netns", space, "type", "veth", "peer", "name", outer, "netns", here)
        self._inside(port, "ip", "link", "set", inner, "address", mac)
        self._inside(port, "ip", "link", "set", "lo", "up")
        for where, device in ((port, inner), (f"c{chassis}", outer)):
            self._inside(where, "ethtool", "-K", device, "tx", "off")
            self._inside(where, "ip", "link", "set", device, "up")
        self.address(port, address)
        if tag is None:
            self._vsctl(
                chassis, "add-port", "br-int", outer, "--", "set", "interface", outer, f"external_ids:iface-id={port}"
            )
        else:
            self._vsctl(chassis, "add-port", "br-prov", outer, f"tag={tag}")

    def address(self, port: str, address: str) -> None:
        """Give a machine its address, ``10.0.0.5/24``."""
        self._inside(port, "ip", "addr", "replace", address, "dev", f"m-{port}"[:15])

    def route(self, port: str, gateway: str) -> None:
        """Send what a machine has for elsewhere to its gateway."""
        self._inside(port, "ip", "route", "replace", "default", "via", gateway)

    def down_ports(self, *ports: str) -> None:
        """Wait until OVN knows that nobody is behind these ports any more."""
        for port in ports:
            self._until(lambda port=port: "up" not in self.nbctl("lsp-get-up", port))

    def unplug(self, chassis: int, port: str) -> None:
        """Take a machine's interface off its chassis."""
        self._vsctl(chassis, "--if-exists", "del-port", f"h-{port}"[:15])

    def retag(self, chassis: int, port: str, tag: int) -> None:
        """Put a machine beside the provider's bridge into another VLAN."""
        self._vsctl(chassis, "set", "port", f"h-{port}"[:15], f"tag={tag}")

    def reaches(self, port: str, address: str, *, within: float = 8.0) -> bool:
        """Whether a machine gets an answer from an address, in several tries until the time is over."""
        deadline = time.monotonic() + within
        while True:
            if self._ping(port, address):
                return True
            if time.monotonic() > deadline:
                return False

    def silent(self, port: str, address: str) -> bool:
        """Whether a machine gets no answer from an address, three times in a row."""
        return not any(self._ping(port, address) for _unused in range(3))

    def settled(self) -> None:
        """Wait until both chassis have what the northbound says."""
        self.nbctl("--wait=hv", "--timeout=20", "sync")

    def nbctl(self, *arguments: str) -> str:
        """Ask the northbound with OVN's own program."""
        return self._run("ovn-nbctl", f"--db={self.endpoint}", *arguments)

    def rows(self) -> dict[str, int]:
        """How many rows each table of the northbound has, those that OVN needs itself apart."""
        tables = (
            "Logical_Switch",
            "Logical_Switch_Port",
            "Logical_Router",
            "Logical_Router_Port",
            "DHCP_Options",
            "ACL",
        )
        found = {}
        for table in (*tables, "Logical_Router_Static_Route", "Address_Set", "Port_Group", "NAT"):
            listed = self.nbctl("--bare", "--columns=_uuid", "list", table).split()
            if listed:
                found[table] = len(listed)
        return found

    # how it is made

    def _chassis(self, number: int) -> None:
        name, here = f"c{number}", self.folder / f"c{number}"
        here.mkdir()
        space, address = self._space(name), f"10.210.0.{10 + number}"
        central, wire = self._name("central"), f"w{number}"
        self._run("ip", "link", "add", "phy", "netns", space, "type", "veth", "peer", "name", wire, "netns", central)
        self._inside("central", "ip", "link", "set", wire, "master", "wire")
        for where, device in ((name, "phy"), ("central", wire)):
            # Checksums that nobody computes would be wrong ones to a datapath in user space.
            self._inside(where, "ethtool", "-K", device, "tx", "off")
            self._inside(where, "ip", "link", "set", device, "up")
        self._inside(name, "ip", "link", "set", "lo", "up")
        database = here / "db.sock"
        self._run("ovsdb-tool", "create", str(here / "conf.db"), "/usr/share/openvswitch/vswitch.ovsschema")
        self._start(
            name, "ovsdb-server", f"--remote=punix:{database}", f"--unixctl={here}/ovsdb.ctl", f"{here}/conf.db"
        )
        self._until(database.exists)
        settings = {
            "system-id": name,
            "ovn-remote": f"tcp:{CENTRAL}:6642",
            "ovn-encap-type": "geneve",
            "ovn-encap-ip": address,
            "ovn-bridge-datapath-type": "netdev",
            "ovn-bridge-mappings": f"{PHYSICAL}:br-prov",
        }
        told = [f"external_ids:{key}={value}" for key, value in settings.items()]
        self._vsctl(number, "--no-wait", "init", "--", "set", "open", ".", *told)
        environment = {"OVS_RUNDIR": str(here), "OVN_RUNDIR": str(here)}
        self._start(name, "ovs-vswitchd", f"unix:{database}", f"--unixctl={here}/vswitchd.ctl", environment=environment)
        for bridge in ("br-int", "br-prov", "br-phy"):
            self._vsctl(number, "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev")
        # Tunnels leave through a bridge of the same datapath, which therefore has the address.
        self._vsctl(number, "add-port", "br-phy", "phy")
        self._inside(name, "ip", "addr", "add", f"{address}/24", "dev", "br-phy")
        for bridge in ("br-phy", "br-prov", "br-int"):
            self._inside(name, "ip", "link", "set", bridge, "up")
        self._inside(name, "ethtool", "-K", "br-phy", "tx", "off")
        self._start(name, "ovn-controller", f"unix:{database}", environment=environment)

    def _vsctl(self, chassis: int, *arguments: str) -> str:
        return self._inside(f"c{chassis}", "ovs-vsctl", f"--db=unix:{self.folder}/c{chassis}/db.sock", *arguments)

    def _ping(self, port: str, address: str) -> bool:
        command = ["ip", "netns", "exec", self._name(port), "ping", "-c1", "-W1", address]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def _name(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def _space(self, name: str) -> str:
        space = self._name(name)
        self._run("ip", "netns", "add", space)
        self._spaces.append(space)
        return space

    def _inside(self, name: str, *command: str) -> str:
        return self._run("ip", "netns", "exec", self._name(name), *command)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _start(self, name: str, *command: str, environment: dict[str, str] | None = None) -> None:
        number = len(self._processes)
        with (self.folder / f"{number:02d}-{command[0]}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    ["ip", "netns", "exec", self._name(name), *command],
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **(environment or {})},
                )
            )

    @staticmethod
    def _until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise RuntimeError("it did not come up")
            time.sleep(0.05)


@dataclass(frozen=True)
class Guarded:
    """A northbound database alone, which speaks TLS and wants to see a certificate."""

    folder: Path
    port: int

    def options(self) -> dict[str, str]:
        """How it is reached."""
        files = {"private_key": "client.key", "certificate": "client.crt", "ca_cert": "ca.crt"}
        paths = {name: str(self.folder / file) for name, file in files.items()}
        return {"endpoint": f"ssl:127.0.0.1:{self.port}", **paths}

    def switches(self) -> str:
        """The logical switches, asked by a way without TLS."""
        command = ["ovn-nbctl", f"--db=unix:{self.folder}/nb.sock", "ls-list"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def guarded(folder: Path) -> Iterator[Guarded]:
    """A ``Guarded`` northbound with a certificate authority of its own."""
    folder.mkdir(parents=True)
    _certificates(folder)
    port = _free_port()
    subprocess.run(["ovsdb-tool", "create", f"{folder}/nb.db", f"{SCHEMAS}/ovn-nb.ovsschema"], check=True)
    process = subprocess.Popen(
        [
            *("ovsdb-server", f"--remote=pssl:{port}:127.0.0.1", f"--remote=punix:{folder}/nb.sock"),
            *(f"--private-key={folder}/server.key", f"--certificate={folder}/server.crt"),
            *(f"--ca-cert={folder}/ca.crt", f"--unixctl={folder}/nb.ctl", f"{folder}/nb.db"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not Path(f"{folder}/nb.sock").exists():
            assert process.poll() is None, "ovsdb-server ended"
            time.sleep(0.05)
        yield Guarded(folder, port)
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _certificates(folder: Path) -> None:
    """An authority, and what it signed for a server and a client."""
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority of {folder.name}")])
    for who in ("ca", "server", "client"):
        key = authority if who == "ca" else ec.generate_private_key(ec.SECP256R1())
        subject = name if who == "ca" else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=who == "ca", path_length=None), critical=True)
            .sign(authority, hashes.SHA256())
        )
        (folder / f"{who}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{who}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
