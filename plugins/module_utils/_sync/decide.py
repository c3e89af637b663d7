# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: from a bundle, the record and what is live to what has to be done. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import (
    DEPLOYMENT_LABEL,
    Bundle,
    Identity,
    PlannedObject,
)
from ansible_collections.emco.edge.plugins.module_utils._sync.fields import applied_by, digest_of, projection
from ansible_collections.emco.edge.plugins.module_utils._sync.options import SyncOptions
from ansible_collections.emco.edge.plugins.module_utils._sync.order import is_irreplaceable
from ansible_collections.emco.edge.plugins.module_utils._sync.record import Record, RecordedObject

# Fewer deletions than this are never a reason to stop, whatever their share.
_FEW = 5
Object = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What one cluster needs. Every wanted object that is no hook stands in exactly one of the first four."""

    unchanged: tuple[PlannedObject, ...] = ()
    expired: tuple[PlannedObject, ...] = ()
    """Jobs that are done and were removed by their time to live: as they should be."""
    drifted: tuple[PlannedObject, ...] = ()
    """Differ from what was sent, and are left so."""
    send: tuple[PlannedObject, ...] = ()
    strangers: tuple[PlannedObject, ...] = ()
    """Wanted objects, hooks included, that exist and are not ours."""
    delete: tuple[RecordedObject, ...] = ()
    """Ours and no longer wanted, with the live uid."""
    kept: tuple[RecordedObject, ...] = ()
    """No longer wanted, and left by the chart's own wish."""
    left: tuple[tuple[RecordedObject, str], ...] = ()
    """Recorded and no longer wanted, but not to be deleted, with the reason."""

    @property
    def nothing(self) -> bool:
        """Whether the cluster is as it should be."""
        return not (self.send or self.delete or self.kept or self.left)


@dataclass(frozen=True)
class Seen:
    """What was found on the cluster: ``labelled`` objects in full, the metadata of ``others``."""

    labelled: Mapping[Identity, Object]
    others: Mapping[Identity, Object]


def work_for(
    bundle: Bundle,
    record: Record | None,
    seen: Seen,
    options: SyncOptions,
    digest: Callable[[bytes], str],
    parting: Iterable[PlannedObject] = (),
) -> Work:
    """What has to be done; nothing is refused here. ``parting``: hooks that still have to run, and are not deleted."""
    recorded = record.by_identity() if record else {}
    sorted_in: dict[str, list[PlannedObject]] = {}
    for one in bundle.kept():
        place = _place(one, recorded.get(one.identity), seen, bundle, options, digest)
        sorted_in.setdefault(place, []).append(one)
    strangers = [
        one
        for one in bundle.objects
        if one.identity not in recorded and _is_stranger(one.identity, seen, bundle, options)
    ]
    wanted = {one.identity for one in (*bundle.objects, *parting)}
    delete: list[RecordedObject] = []
    kept: list[RecordedObject] = []
    left: list[tuple[RecordedObject, str]] = []
    for old in recorded.values():
        live = seen.labelled.get(old.identity)
        if old.identity in wanted or live is None:
            continue
        why = not_ours(old, live, bundle)
        if old.keep:
            kept.append(old)
        elif why:
            left.append((old, why))
        else:
            delete.append(with_uid(old, live))
    return Work(
        unchanged=tuple(sorted_in.get("unchanged", ())),
        expired=tuple(sorted_in.get("expired", ())),
        drifted=tuple(sorted_in.get("drifted", ())),
        send=tuple(sorted_in.get("send", ())),
        strangers=tuple(strangers),
        delete=tuple(delete),
        kept=tuple(kept),
        left=tuple(left),
    )


def not_ours(old: RecordedObject, live: Mapping[str, Any], bundle: Bundle) -> str:
    """Why a live object must not be deleted though the record lists it; empty when it may be."""
    metadata = live["metadata"]
    if (metadata.get("labels") or {}).get(DEPLOYMENT_LABEL) != bundle.label:
        return "it no longer carries the label of this deployment"
    if old.uid and metadata.get("uid") != old.uid:
        return "it was deleted and made again by somebody else"
    if not old.uid and not applied_by(live, bundle.manager):
        return "it was not made by this deployment"
    space = old.identity.namespace
    if space and bundle.namespaces is not None and space not in bundle.namespaces:
        return f"the deployment may no longer use namespace {space}"
    return ""


def with_uid(old: RecordedObject, live: Mapping[str, Any]) -> RecordedObject:
    """The recorded object with the uid of the live one."""
    return replace(old, uid=str(live["metadata"]["uid"]))


def guard(bundle: Bundle, record: Record | None, work: Work, options: SyncOptions, cluster: str) -> None:
    """EdgeError ``DeletionGuard`` when an update would delete more than it may without being told to."""
    if options.allow_deletions or record is None:
        return
    dear = [one for one in work.delete if is_irreplaceable(one.identity)]
    plain = [one for one in work.delete if not one.hook]
    total = sum(not one.hook for one in record.objects)
    limit = math.floor(options.deletion_guard * total)
    if not dear and (len(plain) < _FEW or len(plain) <= limit):
        return
    shown = [str(one.identity) for one in (dear or plain)]
    some = ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")
    what = (
        f"would delete {some}, and what is in it"
        if dear
        else f"would delete {len(plain)} of {total} objects, more than {limit}: {some}"
    )
    raise EdgeError(
        "DeletionGuard",
        f"updating {bundle.deployment} on {cluster} {what}. Nothing was changed.",
        hint="allow_deletions: true goes on.",
        details={"would_delete": [str(one.identity) for one in work.delete]},
    )


def refuse_strangers(bundle: Bundle, work: Work, cluster: str) -> None:
    """EdgeError ``NotOurs`` with all wanted objects that exist and are not ours."""
    if not work.strangers:
        return
    shown = [str(one.identity) for one in work.strangers]
    some = ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")
    raise EdgeError(
        "NotOurs",
        f"{bundle.deployment} wants {some} on {cluster}, which exist and were not made by it. Nothing was changed.",
        hint="adopt: true takes them over; or give them other names.",
        details={"objects": shown},
    )


def _place(
    one: PlannedObject,
    old: RecordedObject | None,
    seen: Seen,
    bundle: Bundle,
    options: SyncOptions,
    digest: Callable[[bytes], str],
) -> str:
    live = seen.labelled.get(one.identity)
    if old is None or old.sent != one.digest:
        return "send"
    if live is None and old.uid and old.expires:
        return "expired"
    if live is not None and _holds(old, live, bundle.manager, digest):
        return "unchanged"
    # Never proven to have arrived: no drift, but a run that did not get this far.
    if not old.live:
        return "send"
    return "send" if options.drift == "correct" else "drifted"


def _holds(old: RecordedObject, live: Object, manager: str, digest: Callable[[bytes], str]) -> bool:
    metadata = live["metadata"]
    return (
        bool(old.live)
        and metadata.get("uid") == old.uid
        and not metadata.get("deletionTimestamp")
        and digest_of(projection(live, manager), digest) == old.live
    )


def _is_stranger(identity: Identity, seen: Seen, bundle: Bundle, options: SyncOptions) -> bool:
    if options.adopt:
        return False
    live = seen.labelled.get(identity) or seen.others.get(identity)
    if live is None:
        return False
    heritage = options.heritage
    label = (live["metadata"].get("labels") or {}).get(DEPLOYMENT_LABEL)
    if heritage is not None and label == heritage.label and applied_by(live, heritage.manager):
        return False
    # What a removal of this deployment kept on purpose is its own when it comes back.
    ours = label == bundle.label
    kept = is_irreplaceable(identity) or (live["metadata"].get("annotations") or {}).get("helm.sh/resource-policy")
    return not (ours and kept and applied_by(live, bundle.manager))
