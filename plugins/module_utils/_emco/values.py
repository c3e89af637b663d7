# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: values as EMCO 22.09 checks them. ValueError where one will not do."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

from ansible_collections.emco.edge.plugins.module_utils._model.names import dns_subdomain, label_value

_IPV4 = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_MAC = re.compile(r"([0-9A-Fa-f]{2})([:-])[0-9A-Fa-f]{2}(\2[0-9A-Fa-f]{2}){4}")
_DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(h|m|s|ms|us|µs|ns))+")
_NAMESPACE = re.compile(r"[a-z0-9-]+")


def valid_name(text: str) -> str:
    """A name as in Kubernetes labels, not empty."""
    if not text:
        raise ValueError("is empty")
    return label_value(text)


def valid_label(text: str) -> str:
    """A label: ``value``, ``name=value`` or ``prefix/name=value``."""
    key, equals, value = text.partition("=")
    if not equals:
        return valid_name(text)
    prefix, slash, name = key.rpartition("/")
    if slash:
        dns_subdomain(prefix)
    valid_name(name)
    valid_name(value)
    return text


def key_value_label(text: str) -> str:
    """A label that has a value: ``name=value`` or ``prefix/name=value``."""
    if "=" not in text:
        raise ValueError(f"{text!r} is not of the form name=value")
    return valid_label(text)


def ipv4(text: str) -> str:
    """An IPv4 address."""
    if not _IPV4.fullmatch(text):
        raise ValueError(f"{text!r} is not an IPv4 address")
    ipaddress.IPv4Address(text)
    return text


def ipv4_cidr(text: str) -> str:
    """An IPv4 address or network with the length of its prefix."""
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or int(length) > 32:
        raise ValueError(f"{text!r} is not a range of IPv4 addresses such as 192.168.20.0/24")
    ipv4(address)
    return text


def ipv4_address_or_cidr(text: str) -> str:
    """A gateway: an address, with the length of the prefix or without."""
    return ipv4_cidr(text) if "/" in text else ipv4(text)


def ipv6_cidr(text: str) -> str:
    """An IPv6 address or network with the length of its prefix; EMCO does not look at these."""
    if "/" not in text:
        raise ValueError(f"{text!r} is not a range of IPv6 addresses such as 2001:db8::/64")
    ipaddress.IPv6Interface(text)
    return text


def ipv6_address_or_cidr(text: str) -> str:
    """A gateway: an address, with the length of the prefix or without."""
    ipaddress.IPv6Interface(text)
    return text


def ip_address(text: str) -> str:
    """An address, with the length of a prefix or without."""
    ipaddress.ip_interface(text)
    return text


def excluded(text: str) -> str:
    """Addresses and ranges ``a..b``, separated by spaces."""
    for part in text.split():
        for address in part.split(".."):
            ipaddress.ip_address(address)
    return text


def mac(text: str) -> str:
    """A hardware address with ``:`` or ``-``."""
    if not _MAC.fullmatch(text):
        raise ValueError(f"{text!r} is not a hardware address such as 02:42:ac:11:00:02")
    return text


def base64_text(text: str) -> str:
    """Base64, as certificates and keys are written."""
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("is not base64") from None
    return text


def duration(text: str) -> str:
    """A duration as Go writes it, such as 8760h or 1m30s."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration such as 8760h")
    return text


def namespace(text: str) -> str:
    """A namespace as service function chains take it."""
    if not _NAMESPACE.fullmatch(text) or len(text) > 63:
        raise ValueError(f"{text!r} is not a namespace: lower case letters, digits and '-', at most 63")
    return text
