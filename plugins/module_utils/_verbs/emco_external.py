# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: values of EMCO's patches that stand elsewhere, fetched over https."""

from __future__ import annotations

import json
from typing import Any

try:
    import urllib3
except ImportError:
    urllib3 = None  # type: ignore[assignment]

_SECONDS = 10.0
_LARGEST = 1024 * 1024


def fetched(address: str) -> Any:
    """The member ``value`` of the JSON at an address. ValueError with the reason when it cannot be had."""
    if urllib3 is None:
        raise ValueError("the Python package urllib3 is missing")
    if not address.startswith("https://"):
        raise ValueError("only https is fetched")
    try:
        with urllib3.PoolManager(cert_reqs="CERT_REQUIRED") as pool:
            # Redirects could lead anywhere, also to what is not https.
            answer = pool.request(
                "GET", address, timeout=_SECONDS, redirect=False, retries=False, preload_content=False
            )
            content = answer.read(_LARGEST + 1)
    except (urllib3.exceptions.HTTPError, OSError) as wrong:
        raise ValueError(str(wrong)) from None
    if answer.status != 200:
        raise ValueError(f"the server answered {answer.status}")
    if len(content) > _LARGEST:
        raise ValueError(f"the answer is larger than {_LARGEST} bytes")
    found = json.loads(content)
    if not isinstance(found, dict) or "value" not in found:
        raise ValueError("the answer has no member value")
    return found["value"]
