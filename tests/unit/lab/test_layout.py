# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports and files of a lab, and the options of its command line."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from emco_lab import cli, components, kubeconfig, layout, pki
from emco_lab.layout import Layout
from emco_lab.proxy import Faults
from emco_lab.report import LabError
from emco_lab.tools import SUITES, Tool

TOOLS = {b.name: Tool(Path("/tools") / b.name, s.version, "cache") for s in SUITES for b in s.binaries}


def test_slot_of_a_removed_cluster_is_used_again_and_others_keep_theirs(tmp_path: Path) -> None:
    lab = Layout(tmp_path, 20000)
    for name in ("a", "b", "c"):
        lab.allot(name)
    ports = {name: lab.cluster(name).port for name in lab.slots}
    assert ports == {"a": 20010, "b": 20020, "c": 20030}
    del lab.slots["b"]
    lab.allot("a")
    lab.allot("d")
    assert (lab.cluster("a").port, lab.cluster("c").port, lab.cluster("d").port) == (20010, 20030, 20020)


def test_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    assert layout.load(tmp_path) is None
    lab = Layout(tmp_path, 20000, audit=True)
    lab.allot("a")
    lab.save()
    assert layout.load(tmp_path) == lab


def test_unknown_cluster_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="there are: a"):
        Layout(tmp_path, 20000, slots={"a": 0}).cluster("b")


def test_no_process_listens_beyond_loopback(tmp_path: Path) -> None:
    lab = Layout(tmp_path, 20000, slots={"a": 0})
    programs = [components.etcd(lab, TOOLS), *components.programs(lab, lab.cluster("a"), TOOLS)]
    listening = ("--listen-client-urls", "--listen-peer-urls", "--bind-address", "--server-address")
    addresses = [flag for program in programs for flag in program.command if flag.startswith(listening)]
    assert len(addresses) == 4
    assert all("127.0.0.1" in address for address in addresses)


def test_audit_log_is_written_only_when_asked_for(tmp_path: Path) -> None:
    lab = Layout(tmp_path, 20000, slots={"a": 0})
    without = components.apiserver(lab, lab.cluster("a"), TOOLS).command
    lab.audit = True
    with_log = components.apiserver(lab, lab.cluster("a"), TOOLS).command
    assert not [flag for flag in without if flag.startswith("--audit")]
    assert f"--audit-log-path={tmp_path}/clusters/a/audit.log" in with_log


def test_keys_are_made_once_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    assert pki.ensure(tmp_path, "a") is True
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert pki.ensure(tmp_path, "a") is False
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert {path.stat().st_mode & 0o077 for path in before} == {0}
    # The API server does not read PKCS#8 here.
    assert (tmp_path / "service-account.key").read_text().startswith("-----BEGIN EC PRIVATE KEY-----")


def test_half_made_keys_are_made_anew(tmp_path: Path) -> None:
    pki.ensure(tmp_path, "a")
    (tmp_path / "complete").unlink()
    (tmp_path / "scheduler.key").unlink()
    assert pki.ensure(tmp_path, "a") is True
    assert (tmp_path / "scheduler.key").exists()


def test_kubeconfig_holds_everything_and_names_the_cluster(tmp_path: Path) -> None:
    cluster = Layout(tmp_path, 20000, slots={"a": 0}).cluster("a")
    pki.ensure(cluster.pki, "a")
    assert kubeconfig.ensure(cluster) is True
    assert kubeconfig.ensure(cluster) is False
    text = cluster.kubeconfig.read_text()
    assert "server: https://127.0.0.1:20010" in text
    assert "current-context: a" in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize(("text", "value"), [("50ms", 0.05), ("1.5s", 1.5), ("2m", 120.0)])
def test_durations(text: str, value: float) -> None:
    assert cli.seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), ("0.25", 0.25), ("100%", 1.0)])
def test_shares(text: str, value: float) -> None:
    assert cli.share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "5", "-1s", "ms", "1h"])
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        cli.seconds(text)


@pytest.mark.parametrize("text", ["", "%", "101%", "-0.1", "many"])
def test_bad_shares_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        cli.share(text)


def test_faults_are_passed_on_only_when_they_are_wanted() -> None:
    assert Faults().arguments() == ["--latency=0.0", "--drop=0.0", "--seed=0"]
    assert Faults(reset_after=0, stall_tls=True).arguments()[3:] == ["--reset-after=0", "--stall-tls"]


@pytest.mark.parametrize("command", [[], ["up"], ["down"], ["tools"], ["status"], ["freeze"], ["proxy"], ["start"]])
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    assert ended.value.code == 0
    assert "usage: emco_lab" in capsys.readouterr().out
