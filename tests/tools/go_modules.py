# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions that tests need and that come in Go modules, pinned by version and sum, fetched when asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

# module@version: the sum of its content, as go.sum has it.
PINNED = {
    "github.com/k8snetworkplumbingwg/multi-networkpolicy@v1.0.1": "h1:Egj1hEVYNXWFlKpgzAXxe/2o8VNiVcAJLrKzlinILQo=",
    "github.com/k8snetworkplumbingwg/network-attachment-definition-client@v1.7.7": (
        "h1:z4P744DR+PIpkjwXSEc6TvN3L6LVzmUquFgmNm8wSUc="
    ),
    "github.com/kubeovn/kube-ovn@v1.16.2": "h1:ak8LHclz9obQtxH3j5EHn/kHRCnoErYb/Mjh82W4a2I=",
    "sigs.k8s.io/network-policy-api@v0.2.0": "h1:W/f0Y9VoeQdOWjX/h2gZyLH6gZ5LLEXmh/9wy9mQWKw=",
    "sigs.k8s.io/network-policy-api@v0.1.5": "h1:xyS7VAaM9EfyB428oFk7WjWaCK6B129i+ILUF4C8l6E=",
}


@cache
def fetched(module: str) -> Path:
    """The folder of a pinned module, such as ``sigs.k8s.io/network-policy-api@v0.2.0``, in Go's own cache."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "go.mod").write_text("module tests\n", encoding="utf-8")
        done = subprocess.run(
            [go, "mod", "download", "-json", module],
            cwd=folder,
            env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            check=False,
        )
    told = json.loads(done.stdout or "{}")
    if done.returncode or told.get("Sum") != PINNED[module]:
        raise RuntimeError(f"{module}: {told.get('Error') or done.stderr or 'its content is not the pinned one'}")
    return Path(told["Dir"])
