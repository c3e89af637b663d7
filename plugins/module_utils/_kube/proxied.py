# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: requests through a proxy, which urllib3 knows how to talk to."""

from __future__ import annotations

import ssl

from ansible_collections.emco.edge.plugins.module_utils._kube.answers import Answer
from ansible_collections.emco.edge.plugins.module_utils._kube.wire import Headers, Limits, NoAnswer
from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

try:
    import urllib3
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        NewConnectionError,
        ProxyError,
        ReadTimeoutError,
        SSLError,
    )

    MISSING: ImportError | None = None
except ImportError as error:
    MISSING = error


class ProxiedLines:
    """At most ``most`` connections to the server of ``url`` through ``proxy``; see ``wire.Lines``."""

    def __init__(self, proxy: str, url: str, tls: ssl.SSLContext | None, server_name: str | None, most: int) -> None:
        if MISSING is not None:
            raise EdgeError(
                "MissingLibrary",
                "talking to a cluster through a proxy needs the Python package urllib3, which comes with kubernetes.",
                hint="Install it where this runs: pip install kubernetes.",
            ) from MISSING
        extra: dict[str, object] = {"maxsize": most, "block": True, "retries": False}
        if tls is not None:
            extra["ssl_context"] = tls
            if server_name:
                extra.update(server_hostname=server_name, assert_hostname=server_name)
            if not tls.check_hostname:
                extra.update(assert_hostname=False, cert_reqs="CERT_NONE")
        manager = urllib3.ProxyManager(proxy, **extra)  # type: ignore[arg-type]
        self._pool = manager.connection_from_url(url)
        self._url = url

    def exchange(self, method: str, path: str, headers: Headers, body: bytes | None, limits: Limits) -> Answer:
        """See ``wire.Lines``."""
        given = urllib3.HTTPHeaderDict()
        for name, value in headers:
            given.add(name, value)
        timeout = urllib3.Timeout(connect=limits.connect, read=limits.read, total=limits.total)
        # A proxy that takes requests for plain HTTP wants to see where they go.
        target = self._url + path if self._url.startswith("http://") else path
        try:
            response = self._pool.request(
                method,
                target,
                body=body,
                headers=given,
                timeout=timeout,
                redirect=False,
                retries=False,
                assert_same_host=False,
            )
        except (NewConnectionError, ConnectTimeoutError, ProxyError) as error:
            raise NoAnswer(_words(error), sent=False) from error
        except SSLError as error:
            distrusted = "CERTIFICATE_VERIFY_FAILED" in str(error) or "doesn't match" in str(error)
            raise NoAnswer(_words(error), sent=False, distrusted=distrusted) from error
        except ReadTimeoutError as error:
            raise NoAnswer(f"no answer within {limits.total or limits.read:.0f} s", silent=True) from error
        except (HTTPError, OSError) as error:
            raise NoAnswer(_words(error)) from error
        return Answer(response.status, response.data, {key.lower(): value for key, value in response.headers.items()})

    def close(self) -> None:
        """See ``wire.Lines``."""
        self._pool.close()


def _words(error: BaseException) -> str:
    """What went wrong, without the names of Python objects that urllib3 puts in front."""
    inner = getattr(error, "reason", None)
    text = str(inner if isinstance(inner, BaseException) else error)
    for cause in (error.__cause__, error.__context__):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return text.rsplit(": ", 1)[-1] if "object at 0x" in text else text
