# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from emco_lab import tools
from emco_lab.report import LabError, say


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="emco_lab")
    sub = parser.add_subparsers(required=True)
    t = sub.add_parser("tools")
    t.add_argument("--only", action="append", default=[])
    t.add_argument("--download", action="store_true")
    t.set_defaults(run=_tools)
    options = parser.parse_args(arguments)
    try:
        result = options.run(options)
    except LabError as error:
        say(f"error: {error}")
        return 1
    json.dump(result, sys.stdout, indent=2)
    print()
    return 0


def _tools(options: argparse.Namespace) -> dict[str, Any]:
    found, made = tools.provide(options.only, options.download)
    return {
        "changed": bool(made),
        "made": made,
        "tools": {n: {"path": str(t.path), "version": t.version, "source": t.source} for n, t in found.items()},
    }
