# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: arithmetic of addresses. Everything goes in and comes out as text in its canonical form.

A network is ``10.0.0.0/24``, an exclusion is an address or a range ``10.0.0.2..10.0.0.9``, as EMCO, Kube-OVN and OVN
write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError

_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(\1[0-9A-Fa-f]{2}){4}")


@lru_cache(maxsize=1)
def _library() -> Any:
    # Here and not on top: most runs have no address to calculate with, and would pay for it at their start.
    try:
        import netaddr
    except ImportError as missing:
        raise EdgeError(
            "MissingLibrary",
            "networks need the Python package netaddr.",
            hint="Install it where this runs: pip install netaddr.",
        ) from missing
    return netaddr


def address(raw: Any) -> str:
    """An address in its canonical form (IPv6 in lower case, shortened); ValueError when it is none."""
    text = str(raw).strip()
    library = _library()
    try:
        # Octal, short and integer forms are nobody's intention.
        if text.isdigit() or (":" not in text and text.count(".") != 3):
            raise ValueError
        return str(library.IPAddress(text, flags=library.INET_PTON))
    except (ValueError, library.AddrFormatError):
        raise ValueError(f"{raw!r} is not an IP address") from None


def network(raw: Any, *, strict: bool = True) -> str:
    """A network in its canonical form. ``strict``: one with host bits (10.0.0.5/24) is refused, else they are cut."""
    text = str(raw).strip()
    host, slash, length = text.partition("/")
    try:
        if not slash or not length.isdigit():
            raise ValueError
        found = _library().IPNetwork(f"{address(host)}/{length}")
    except (ValueError, _library().AddrFormatError):
        raise ValueError(f"{raw!r} is not a network; write address/length, such as 192.168.20.0/24") from None
    if strict and found.ip != found.network:
        raise ValueError(f"{raw!r} has bits set behind its length; the network is {found.cidr}")
    return str(found.cidr)


def mac(raw: Any) -> str:
    """A MAC address in lower case with colons; ValueError when it is none."""
    text = str(raw).strip()
    if not _MAC.fullmatch(text):
        raise ValueError(f"{raw!r} is not a MAC address; write 02:42:ac:11:00:02")
    return text.replace("-", ":").lower()


def exclusion(raw: Any) -> str:
    """An address, a range ``a..b`` or a network as an address or a range; ValueError when it is none of them."""
    text = str(raw).strip()
    if "/" in text:
        found = _library().IPNetwork(network(text))
        return _range(found.first, found.last, found.version)
    first, dots, last = text.partition("..")
    if not dots:
        return address(text)
    low, high = _library().IPAddress(address(first)), _library().IPAddress(address(last))
    if low.version != high.version:
        raise ValueError(f"{text!r} goes from one family to the other")
    if low > high:
        raise ValueError(f"{text!r} ends before it begins")
    return _range(int(low), int(high), low.version)


def exclusions(raw: Any) -> tuple[str, ...]:
    """A list of exclusions, or EMCO's ``"10.0.0.2 10.0.0.5..10.0.0.9"``; ValueError at the first that is none."""
    items: Iterable[Any] = raw.replace(",", " ").split() if isinstance(raw, str) else raw
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"{raw!r} is not a list of addresses, ranges a..b and networks")
    return tuple(exclusion(item) for item in items)


def family(text: str) -> int:
    """4 or 6, of an address, a network or an exclusion in its canonical form."""
    return 6 if ":" in text else 4


def contains(outer: str, inner: str) -> bool:
    """Whether a network has all of an address, a network or an exclusion."""
    low, high = span(outer)
    first, last = span(inner)
    return family(outer) == family(inner) and low <= first and last <= high


def overlap(one: str, other: str) -> bool:
    """Whether two of any kind share an address."""
    low, high = span(one)
    first, last = span(other)
    return family(one) == family(other) and low <= last and first <= high


def span(text: str) -> tuple[int, int]:
    """The first and the last address, as whole numbers."""
    library = _library()
    if "/" in text:
        found = library.IPNetwork(text)
        return int(found.first), int(found.last)
    first, dots, last = text.partition("..")
    low = int(library.IPAddress(first))
    return low, int(library.IPAddress(last)) if dots else low


def length(cidr: str) -> int:
    """The prefix length of a network."""
    return int(cidr.rpartition("/")[2])


def first_host(cidr: str) -> str:
    """The first address that a host may have: what engines take for a gateway that nobody named."""
    low, high = span(cidr)
    step = 0 if high - low < 2 else 1
    return _text(low + step, family(cidr))


def is_host(cidr: str, text: str) -> bool:
    """Whether an address of the network may be a host's: not the network itself, nor the IPv4 broadcast."""
    low, high = span(cidr)
    value, _last = span(text)
    if not contains(cidr, text):
        return False
    return high - low < 2 or (value != low and (family(cidr) == 6 or value != high))


def merged(items: Iterable[str]) -> tuple[str, ...]:
    """Exclusions of one family in order, those that touch or overlap made one."""
    items = tuple(items)
    version = family(items[0]) if items else 4
    return tuple(_range(low, high, version) for low, high in _joined(span(item) for item in items))


def as_networks(items: Iterable[str]) -> tuple[str, ...]:
    """The fewest networks that have exactly the addresses of the exclusions, of one family."""
    library = _library()
    found: list[str] = []
    for item in merged(items):
        version, (low, high) = family(item), span(item)
        parts = library.iprange_to_cidrs(library.IPAddress(low, version), library.IPAddress(high, version))
        found += [str(part) for part in parts]
    return tuple(found)


def free_hosts(cidr: str, taken: Iterable[str]) -> int:
    """How many host addresses the network has besides the exclusions."""
    ends = (span(one) for one in free_ranges(cidr, taken))
    return sum(last - first + 1 for first, last in ends)


def free_ranges(cidr: str, taken: Iterable[str]) -> tuple[str, ...]:
    """The host addresses of the network besides the exclusions, as addresses and ranges in order."""
    low, high = span(cidr)
    version = family(cidr)
    if high - low >= 2:
        low, high = low + 1, high - (1 if version == 4 else 0)
    found = []
    for first, last in [*_joined(span(one) for one in taken if contains(cidr, one)), (high + 1, high + 1)]:
        if first > low:
            found.append(_range(low, min(first - 1, high), version))
        low = max(low, last + 1)
    return tuple(found)


def blocks(pool: str, prefix: int, taken: Iterable[str]) -> Iterator[str]:
    """The blocks of a prefix length in a pool that share no address with what is taken, in order."""
    low, high = span(pool)
    version = family(pool)
    size = 1 << ((32 if version == 4 else 128) - prefix)
    used = [one for one in _joined(span(one) for one in taken if family(one) == version) if one[1] >= low]
    position, index = low, 0
    while position + size - 1 <= high:
        while index < len(used) and used[index][1] < position:
            index += 1
        if index < len(used) and used[index][0] <= position + size - 1:
            # The next block behind what is in the way.
            position = low + -(-(used[index][1] + 1 - low) // size) * size
            continue
        yield f"{_text(position, version)}/{prefix}"
        position += size


def _joined(spans: Iterable[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _range(low: int, high: int, version: int) -> str:
    return _text(low, version) if low == high else f"{_text(low, version)}..{_text(high, version)}"


def _text(value: int, version: int) -> str:
    return str(_library().IPAddress(value, version))
