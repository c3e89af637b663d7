# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: names as Kubernetes and EMCO allow them."""

from __future__ import annotations

import hashlib
import re

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


def dns_label(text: str) -> str:
    """``text`` if it is an RFC 1123 label (namespaces, Helm releases), else ValueError."""
    if len(text) > 63:
        raise ValueError(f"is {len(text)} characters long, 63 are allowed")
    if not _DNS_LABEL.fullmatch(text):
        raise ValueError(
            f"{text!r} must be lower case letters, digits and '-', starting and ending with a letter or digit"
        )
    return text


def dns_subdomain(text: str) -> str:
    """``text`` if it is an RFC 1123 subdomain (most object names), else ValueError."""
    if len(text) > 253:
        raise ValueError(f"is {len(text)} characters long, 253 are allowed")
    if not _DNS_SUBDOMAIN.fullmatch(text):
        raise ValueError(f"{text!r} must be lower case letters, digits, '-' and '.', as Kubernetes names are")
    return text


def emco_name(text: str) -> str:
    """``text`` if EMCO accepts it as the name of one of its objects (1 to 128 characters), else ValueError."""
    if len(text) > 128:
        raise ValueError(f"is {len(text)} characters long, 128 are allowed")
    if not _LABEL_VALUE.fullmatch(text):
        raise ValueError(
            f"{text!r} must be letters, digits, '-', '_' and '.', starting and ending with a letter or digit"
        )
    return text


def label_value(text: str) -> str:
    """``text`` if it is a Kubernetes label value (empty allowed), else ValueError."""
    if len(text) > 63:
        raise ValueError(f"is {len(text)} characters long, a label value has at most 63")
    if text and not _LABEL_VALUE.fullmatch(text):
        raise ValueError(f"{text!r} is not a label value: letters, digits, '-', '_' and '.', ends alphanumeric")
    return text


def label_key(text: str) -> str:
    """``text`` if it is a Kubernetes label key (``name`` or ``prefix/name``), else ValueError."""
    prefix, slash, name = text.rpartition("/")
    if slash:
        dns_subdomain(prefix)
    if not name:
        raise ValueError("is empty")
    label_value(name)
    return text


def as_label_value(text: str) -> str:
    """``text`` itself where it is a label value, else a readable stem with a hash that stands for it."""
    try:
        return label_value(text)
    except ValueError:
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:50].strip("-_.")
        return f"{stem}-{digest}" if stem else digest
