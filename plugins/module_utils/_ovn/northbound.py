# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: one OVN northbound database: what of ours is there, and one transaction that changes it."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._engines.networks.ovn_nb import (
    KEY,
    NETWORK,
    OWNER,
    Change,
    Found,
    Ident,
    Row,
)
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._model.northbound import Northbound as Endpoint

try:
    from ovs import stream as ovs_stream
    from ovsdbapp.backend.ovs_idl import command, connection
    from ovsdbapp.schema.ovn_northbound import impl_idl

    MISSING: ImportError | None = None
    _Command: Any = command.BaseCommand
    _Schema: Any = impl_idl.OvnNbApiIdlImpl
except ImportError as error:
    MISSING = error
    _Command = _Schema = object

# What goes wrong is raised as well, and told by us.
logging.getLogger("ovsdbapp").setLevel(logging.CRITICAL + 1)

_TABLES = {
    "Logical_Router": {},
    "Logical_Switch": {},
    "Logical_Router_Port": {},
    "Logical_Switch_Port": {"dhcpv4_options": "DHCP_Options", "dhcpv6_options": "DHCP_Options"},
    "Logical_Router_Static_Route": {},
    "DHCP_Options": {},
    "ACL": {},
}
"""The tables that we write, with the columns that refer to rows of ours."""
_HELD = {
    "Logical_Switch": (("ports", "Logical_Switch_Port"), ("acls", "ACL")),
    "Logical_Router": (("ports", "Logical_Router_Port"), ("static_routes", "Logical_Router_Static_Route")),
}
# Certificates are one for the whole process in the library.
_CERTIFICATES = threading.Lock()


@dataclass(frozen=True)
class Snapshot:
    """What is there. ``others``: ``(table, name)`` of rows that are not ours; ``guests``: by network, ports on a switch
    of ours that somebody uses, theirs or ours with a machine behind it."""

    found: Mapping[Ident, Found]
    others: frozenset[tuple[str, str]]
    guests: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, Mapping[str, str]]
    """By network and port, the addresses that OVN gave it."""


class _Api(_Schema):  # type: ignore[misc]  # ovsdbapp has no types
    """The library's commands over a connection of their own: its class keeps the first one for all who come after."""

    _own: Any = None

    @property
    def ovsdb_connection(self) -> Any:
        """The connection of this instance."""
        return self._own

    @ovsdb_connection.setter
    def ovsdb_connection(self, connection: Any) -> None:
        self._own = connection


class Northbound:
    """A connection to one northbound. Not for several threads."""

    def __init__(self, name: str, endpoint: Endpoint, *, base_dir: str = "", timeout: float = 30.0) -> None:
        if MISSING is not None:
            raise EdgeError(
                "MissingLibrary",
                "an OVN northbound needs the Python package ovsdbapp.",
                hint="Install it where this runs: pip install ovsdbapp.",
            ) from MISSING
        self.name = name
        _knock(name, endpoint, base_dir, min(timeout, 10.0))
        try:
            with _CERTIFICATES:
                _use_certificates(endpoint, base_dir)
                idl = connection.OvsdbIdl.from_server(endpoint.endpoint, "OVN_Northbound")
                self._connection = connection.Connection(idl, timeout=timeout)
                self._api = _Api(self._connection)
        except Exception as failure:  # the library raises what the stream below it raised
            raise _unreachable(name, endpoint, failure) from failure
        self._timeout = timeout

    def close(self) -> None:
        """End the connection and its thread."""
        self._connection.stop(timeout=2)
        self._connection.idl.close()

    def snapshot(self) -> Snapshot:
        """What is there now."""
        found: dict[Ident, Found] = {}
        others: set[tuple[str, str]] = set()
        by_uuid: dict[Any, Ident] = {}
        for table in _TABLES:
            for row in self._rows(table):
                marks = dict(row.external_ids)
                if marks.get(OWNER) == "networks" and KEY in marks:
                    by_uuid[row.uuid] = (table, marks[KEY])
                elif hasattr(row, "name"):
                    others.add((table, str(row.name)))
        for table, references in _TABLES.items():
            for row in self._rows(table):
                if row.uuid in by_uuid:
                    found[by_uuid[row.uuid]] = _found(table, row, references, by_uuid)
        return Snapshot(found, frozenset(others), self._guests(by_uuid), self._addresses(by_uuid))

    def commit(self, wanted: Sequence[Row], changes: Sequence[Change]) -> None:
        """Make all changes in one transaction: all of them or none."""
        try:
            _Apply(self._api, wanted, changes).execute(check_error=True, timeout=self._timeout)
        except Exception as failure:  # whatever the library and the database say
            raise EdgeError(
                "NorthboundRefused",
                f"the northbound of {self.name} refused the change: {_words(failure)}. Nothing was changed.",
                hint="Its words say which row; an older OVN may lack a column.",
            ) from failure

    def _rows(self, table: str) -> Iterator[Any]:
        yield from list(self._api.tables[table].rows.values())

    def _guests(self, ours: Mapping[Any, Ident]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for switch in self._rows("Logical_Switch"):
            if switch.uuid not in ours:
                continue
            marks = dict(switch.external_ids)
            up = [port for port in switch.ports if port.uuid not in ours or (not port.type and port.up == [True])]
            if up:
                found[str(marks.get(NETWORK))] = tuple(sorted(str(port.name) for port in up))
        return found

    def _addresses(self, ours: Mapping[Any, Ident]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for port in self._rows("Logical_Switch_Port"):
            if port.uuid in ours and not port.type:
                given = list(port.dynamic_addresses) or list(port.addresses)
                network = str(dict(port.external_ids).get(NETWORK))
                found.setdefault(network, {})[str(port.name)] = str(given[0]) if given else ""
        return found


class _Apply(_Command):  # type: ignore[misc]  # the library has no types
    """All changes as one command, which the library sends as one transaction."""

    def __init__(self, api: Any, wanted: Sequence[Row], changes: Sequence[Change]) -> None:
        super().__init__(api)
        self._wanted = wanted
        self._changes = changes

    def run_idl(self, txn: Any) -> None:
        """Fill the transaction; called by the library, again when it has to be repeated."""
        rows: dict[Ident, Any] = {}
        for table in _TABLES:
            for row in self.api.tables[table].rows.values():
                marks = dict(row.external_ids)
                if marks.get(OWNER) == "networks" and KEY in marks:
                    rows[(table, marks[KEY])] = row
        created = {(one.table, one.key) for one in self._changes if one.action == "create"}
        touched = created | {(one.table, one.key) for one in self._changes if one.action == "update"}
        for row in self._wanted:
            if row.ident in created:
                rows[row.ident] = txn.insert(self.api.tables[row.table])
        for row in self._wanted:
            if row.ident in touched:
                _set_columns(rows[row.ident], row, rows)
            if row.ident in created and row.parent is not None:
                table, key, column = row.parent
                rows[(table, key)].addvalue(column, rows[row.ident])
        gone = {(one.table, one.key) for one in self._changes if one.action == "delete"}
        staying = {ident: row for ident, row in rows.items() if ident not in gone}
        for ident in sorted(gone):
            self._delete(ident, rows[ident], staying)

    def _delete(self, ident: Ident, row: Any, staying: Mapping[Ident, Any]) -> None:
        for (table, _key), holder in staying.items():
            for column, held in _HELD.get(table, ()):
                if held == ident[0] and any(each.uuid == row.uuid for each in getattr(holder, column)):
                    holder.delvalue(column, row)
        row.delete()


def _set_columns(row: Any, wanted: Row, rows: Mapping[Ident, Any]) -> None:
    for name, value in wanted.columns.items():
        setattr(row, name, list(value) if isinstance(value, tuple) else value)
    for name, ident in wanted.references.items():
        setattr(row, name, [rows[ident]])
    for name, value in wanted.external_ids.items():
        row.setkey("external_ids", name, value)


def _found(table: str, row: Any, references: Mapping[str, str], by_uuid: Mapping[Any, Ident]) -> Found:
    marks = dict(row.external_ids)
    columns = {name: _plain(getattr(row, name)) for name in _COLUMNS[table]}
    pointed = {
        name: by_uuid[value[0].uuid]
        for name in references
        if (value := getattr(row, name)) and value[0].uuid in by_uuid
    }
    title = str(getattr(row, "name", "") or marks[KEY])
    return Found(table, marks[KEY], str(marks.get(NETWORK)), columns, pointed, marks, title)


_COLUMNS: dict[str, tuple[str, ...]] = {
    "Logical_Router": ("name",),
    "Logical_Switch": ("name", "other_config"),
    "Logical_Router_Port": ("name", "mac", "networks"),
    "Logical_Switch_Port": ("name", "type", "addresses", "options", "tag"),
    "Logical_Router_Static_Route": ("ip_prefix", "nexthop"),
    "DHCP_Options": ("cidr", "options"),
    "ACL": ("direction", "priority", "match", "action"),
}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value)
    return tuple(sorted(value)) if isinstance(value, (list, set)) else value


def _knock(name: str, endpoint: Endpoint, base_dir: str, seconds: float) -> None:
    """See within seconds that somebody listens, and whom we trust: the library tries again until its time is over."""
    kind, _colon, rest = endpoint.endpoint.partition(":")
    try:
        if kind == "unix":
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(seconds)
                one.connect(rest)
            return
        host, _colon, port = rest.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds) as plain:
            if kind == "ssl":
                _trusting(endpoint, base_dir).wrap_socket(plain).close()
    except OSError as failure:
        raise _unreachable(name, endpoint, failure) from failure


def _trusting(endpoint: Endpoint, base_dir: str) -> ssl.SSLContext:
    """As the library does it: whom the authority signed is trusted, under whatever name."""
    files = _files(endpoint, base_dir)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(files["ca_cert"])
    context.load_cert_chain(files["certificate"], files["private_key"])
    return context


def _unreachable(name: str, endpoint: Endpoint, failure: Exception) -> EdgeError:
    distrusted = isinstance(failure, ssl.SSLError)
    return EdgeError(
        "CertificateRejected" if distrusted else "ClusterUnreachable",
        f"the OVN northbound of {name} at {endpoint.endpoint} "
        f"{'and we do not trust each other' if distrusted else 'does not answer'}: {_words(failure)}.",
        hint="Check private_key, certificate and ca_cert." if distrusted else "Check the endpoint.",
    )


def _words(failure: Exception) -> str:
    if isinstance(failure, ssl.SSLCertVerificationError):
        return failure.verify_message
    try:
        return str(failure)
    except AttributeError:
        # Some exceptions of the library cannot be written.
        return type(failure).__name__


def _files(endpoint: Endpoint, base_dir: str) -> dict[str, str]:
    return {
        option: str(Path(base_dir, Path(str(getattr(endpoint, option))).expanduser()))
        for option in ("private_key", "certificate", "ca_cert")
    }


def _use_certificates(endpoint: Endpoint, base_dir: str) -> None:
    if not endpoint.endpoint.startswith("ssl:"):
        return
    files = _files(endpoint, base_dir)
    ovs_stream.Stream.ssl_set_private_key_file(files["private_key"])
    ovs_stream.Stream.ssl_set_certificate_file(files["certificate"])
    ovs_stream.Stream.ssl_set_ca_cert_file(files["ca_cert"])
