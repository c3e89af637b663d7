# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: credentials that a program or an identity provider gives, through the Kubernetes client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

try:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error


class Login:
    """Asks again each time: a program answers from its own cache as long as its credential is valid."""

    def __init__(self, cluster: Mapping[str, Any], user: Mapping[str, Any], folder: str) -> None:
        if MISSING is not None:
            raise EdgeError(
                "MissingLibrary",
                "the kubeconfig logs in through a program or an identity provider, which needs the Python package "
                "kubernetes.",
                hint="Install it where this runs: pip install kubernetes.",
            ) from MISSING
        self._config = {
            "current-context": "this",
            "contexts": [{"name": "this", "context": {"cluster": "this", "user": "this"}}],
            "clusters": [{"name": "this", "cluster": dict(cluster)}],
            "users": [{"name": "this", "user": dict(user)}],
        }
        self._folder = folder

    def credentials(self) -> dict[str, Any]:
        """Token, or client certificate and key as PEM text, by their names in a kubeconfig."""
        configuration = Configuration()
        try:
            loader = KubeConfigLoader(self._config, config_base_path=self._folder)
            loader.load_and_set(configuration)
        except (ConfigException, OSError, ValueError) as error:
            raise EdgeError("LoginFailed", f"the kubeconfig's login failed: {error}.") from error
        found: dict[str, Any] = {"exec": None, "auth-provider": None}
        bearer = str((configuration.api_key or {}).get("authorization") or "")
        if bearer:
            found["token"] = bearer.removeprefix("Bearer ").strip()
        for name, path in (("client-certificate", configuration.cert_file), ("client-key", configuration.key_file)):
            if path:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123
                    found[name] = file.read()
        return found
