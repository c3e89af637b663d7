# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: ``migrate_from``: a deployment takes the place of another one, which then goes.

Objects that both have under the same name are handed over where they are; nothing of them is deleted and made again.
The other one goes only when the new one is everywhere, unless it is to be replaced cluster by cluster.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.module_utils._plan.lifecycle import state_of
from ansible_collections.emco.edge.plugins.module_utils._plan.revision import Plan, Revision, RevisionState
from ansible_collections.emco.edge.plugins.module_utils._verbs.bringing import present
from ansible_collections.emco.edge.plugins.module_utils._verbs.deployment_call import Call, opened
from ansible_collections.emco.edge.plugins.module_utils._verbs.removing import absent
from ansible_collections.emco.edge.plugins.module_utils._verbs.shipment import Source
from ansible_collections.emco.edge.plugins.module_utils._verbs.stopping import lease_name
from ansible_collections.emco.edge.plugins.module_utils._verbs.verb import Result


def migrated(call: Call, plan: Plan, revision: Revision | None, event: str) -> Result:
    """Bring the plan, then take the deployment away that it migrates from; done before, only the first."""
    context = call.context
    wanted = replace(call.wanted, name=str(call.wanted.migrate_from), migrate_from=None, state="absent", revision=None)
    lease = lease_name(replace(call.naming, name=wanted.name))
    with nullcontext() if context.check else context.store().lease(lease, context.owner, wait=wanted.lock_wait):
        former = opened(wanted, context)
        if not former.history and not former.progress:
            raise EdgeError(
                "UnknownDeployment",
                f"there is no deployment {former.naming.readable} to migrate from.",
                hint="migrate_from is the name of another deployment of the project.",
            )
        if not former.progress:
            return present(call, plan, revision, call.before, event)
        bundles = former.before.bundles if former.before is not None else {}
        source = Source(
            former.naming, {ref: bundles.get(ref) for ref in former.progress}, first=wanted.order == "replace"
        )
        result = present(call, plan, revision, call.before, event, source=source)
        arrived = context.check or result.get("state") == RevisionState.CURRENT.value
        if result.get("failed") or not arrived:
            # It stays until the new one is everywhere: a run that goes on takes it away.
            return {**result, "migrated_from": _told(former, None)}
        removed = absent(former, heirs=plan.bundles)
        result = {**result, "changed": result["changed"] or removed["changed"], "migrated_from": _told(former, removed)}
        if removed.get("failed"):
            result.update({name: removed[name] for name in ("failed", "msg", "reason", "hint") if name in removed})
        return result


def _told(former: Call, removed: Result | None) -> dict[str, object]:
    state = state_of(former.history)
    told: dict[str, object] = {"name": former.naming.name, "state": state.value if state is not None else "Unknown"}
    if removed is not None:
        told.update({name: removed[name] for name in ("state", "summary", "clusters") if name in removed})
    return told
