# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: each command prints one JSON object on stdout and its progress on stderr."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from emco_lab import faults, lab, model, tools
from emco_lab.proxy import Faults
from emco_lab.report import LabError, say

Result = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        result = options.run(options)
    except LabError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on where this one stopped")
        return 130
    print(json.dumps(result, indent=2))
    return 0


def state_folder() -> Path:
    """Where the lab lives unless told otherwise."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "emco-edge" / "lab"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emco_lab", description=lab.__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_tools(commands)
    up = _add(commands, "up", _up, "make the lab what the data describes; does only what is needed")
    up.add_argument("--data", required=True, metavar="FILE", help="clusters and nodes, JSON or YAML; - reads stdin")
    up.add_argument("--download", action="store_true", help="missing tools may come from the projects' releases")
    up.add_argument("--check", action="store_true", help="only say what would be done")
    down = _add(commands, "down", lambda o: lab.down(o.dir, o.kubeconfigs, o.check), "remove every process and file")
    down.add_argument("--check", action="store_true", help="only say what would be done")
    for command in (up, down):
        command.add_argument("--kubeconfigs", type=_folder, metavar="DIR", help="folder of copies of the kubeconfigs")
    _add(commands, "status", lambda o: lab.status(o.dir), "what runs, and how to get at it")
    _add_faults(commands)
    return parser


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], Result], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{name}: {text}.")
    parser.set_defaults(run=run)
    parser.add_argument("--dir", type=_folder, default=state_folder(), help="the lab's folder (%(default)s)")
    return parser


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _add_tools(commands: Any) -> None:
    parser = _add(commands, "tools", _tools, "make the binaries available: cached, on PATH, released or built with Go")
    names = [suite.name for suite in tools.SUITES]
    parser.add_argument("--only", action="append", default=[], choices=names, help="may be repeated; default: all")
    parser.add_argument("--download", action="store_true", help="try the projects' release hosts before building")
    parser.add_argument("--check", action="store_true", help="only say what is missing")


def _add_faults(commands: Any) -> None:
    simple: dict[str, tuple[Callable[[Path, str], Result], str]] = {
        "freeze": (faults.freeze, "make a cluster's API server hang"),
        "thaw": (faults.thaw, "let a frozen API server go on"),
        "kill": (faults.kill, "kill a cluster's API server: connections are refused"),
        "stop": (faults.stop, "stop a cluster's processes; its data stays"),
        "start": (faults.start, "start what of a cluster does not run"),
    }
    for name, (act, text) in simple.items():
        parser = _add(commands, name, lambda o, act=act: act(o.dir, o.cluster), text)  # type: ignore[misc]
        parser.add_argument("cluster")
    proxy = _add(commands, "proxy", _proxy, "put a bad line before a cluster's API server")
    proxy.add_argument("cluster")
    proxy.add_argument("--off", action="store_true", help="take the proxy away")
    proxy.add_argument("--latency", type=seconds, default=0.0, help="added in each direction, such as 50ms or 1.5s")
    proxy.add_argument("--drop", type=share, default=0.0, help="share of data pieces that end in a reset, such as 5%%")
    proxy.add_argument("--reset-after", type=int, metavar="BYTES", help="reset a connection after these many bytes")
    proxy.add_argument("--stall-tls", action="store_true", help="accept connections and never answer")
    proxy.add_argument("--seed", type=int, default=0, help="makes the drops repeatable")


def seconds(text: str) -> float:
    """A duration such as 50ms, 1.5s or 2m."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 50ms or 1.5s")
    return float(found.group(1)) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found.group(2)]


def share(text: str) -> float:
    """A share such as 5% or 0.05."""
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share such as 5% or 0.05")
    return value


def _tools(options: argparse.Namespace) -> Result:
    wanted = [suite for suite in tools.SUITES if not options.only or suite.name in options.only]
    if options.check:
        missing = [suite.name for suite in wanted if not tools.find([suite])]
        return {"changed": bool(missing), "missing": missing}
    found, made = tools.provide(options.only, options.download)
    described = {n: {"path": str(t.path), "version": t.version, "source": t.source} for n, t in found.items()}
    return {"changed": bool(made), "made": made, "tools": described}


def _up(options: argparse.Namespace) -> Result:
    try:
        text = sys.stdin.read() if options.data == "-" else Path(options.data).read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except (OSError, yaml.YAMLError) as error:
        raise LabError(f"the description {options.data} cannot be read: {error}") from error
    wanted = model.parse(data)
    if options.check:
        return lab.planned(wanted, options.dir, options.kubeconfigs)
    return lab.up(wanted, options.dir, options.kubeconfigs, options.download)


def _proxy(options: argparse.Namespace) -> Result:
    if options.off:
        return faults.no_proxy(options.dir, options.cluster)
    bad = Faults(options.latency, options.drop, options.reset_after, options.stall_tls, options.seed)
    return faults.proxy(options.dir, options.cluster, bad)
