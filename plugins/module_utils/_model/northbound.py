# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: how an OVN northbound database is reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.emco.edge.plugins.module_utils._model.errors import Problem
from ansible_collections.emco.edge.plugins.module_utils._model.options import join, option

_FORM = re.compile(r"unix:/.+|(tcp|ssl):(\[[0-9a-fA-F:]+\]|[^:]+):[0-9]{1,5}")


@dataclass(frozen=True)
class Northbound:
    """An endpoint as OVN writes it, with the files of certificates for ``ssl:``."""

    endpoint: str = option(required=True)
    private_key: str | None = option(no_log=False)
    """The path of a file."""
    certificate: str | None = option()
    ca_cert: str | None = option()

    def problems(self, path: str) -> Iterator[Problem]:
        """The endpoint is one, and TLS has what it needs."""
        if not _FORM.fullmatch(self.endpoint):
            text = f"{self.endpoint!r} is no endpoint"
            yield Problem(join(path, "endpoint"), text, "write unix:/path, tcp:host:6641 or ssl:host:6641")
        if self.endpoint.startswith("ssl:"):
            for name in ("private_key", "certificate", "ca_cert"):
                if getattr(self, name) is None:
                    yield Problem(join(path, name), "is required with ssl:")
