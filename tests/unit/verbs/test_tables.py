# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a run."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._model.cluster import ClusterRef
from ansible_collections.emco.edge.plugins.module_utils._plan.bundle import Identity
from ansible_collections.emco.edge.plugins.module_utils._sync.outcome import Action, ObjectResult, Outcome, State
from ansible_collections.emco.edge.plugins.module_utils._verbs.tables import closing

ONE = ClusterRef("lab", "edge-1")


def told(action: Action, state: State, *, check: bool) -> str:
    changed = ObjectResult(Identity("", "ConfigMap", "default", "a"), "web", action)
    outcome = Outcome(str(ONE), state, objects=(changed,))
    return "\n".join(closing("demo/shop", {ONE: outcome}, {"web": {ONE: None}}, check=check))


def test_a_dry_run_never_says_that_something_was_applied() -> None:
    dry = told(Action.WOULD_CHANGE, State.PROGRESSING, check=True)
    assert "applied" not in dry.lower()
    assert "demo/shop: 1 Progressing; 1 to apply, 0 unchanged, 0 to delete" in dry


def test_a_run_says_what_was_done_where() -> None:
    done = told(Action.CHANGED, State.READY, check=False)
    assert "demo/shop: 1 Ready; 1 applied, 0 unchanged, 0 deleted" in done
    assert done.splitlines()[1].split() == ["lab+edge-1", "Ready", "1", "0", "0", "0.0", "web"]


def test_a_table_tells_the_cause_before_it_runs_out_of_room() -> None:
    words = f"get Secret emco-edge-system/{'record-' + 'c' * 80} on lab+edge-1: no answer within 3 s."
    outcome = Outcome(str(ONE), State.UNREACHABLE, reason="ClusterUnreachable", message=words)
    row = closing("demo/shop", {ONE: outcome}, {})[1]
    assert row.endswith("ClusterUnreachable: no answer within 3 s.")
