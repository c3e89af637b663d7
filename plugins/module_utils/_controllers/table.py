# Copyright: (c) 2026, emco.edge contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Private to emco.edge: our action controllers, in the order in which they edit. A new one is one line here."""

from __future__ import annotations

from ansible_collections.emco.edge.plugins.module_utils._controllers import (
    connectivity,
    customizations,
    hardware,
    interfaces,
    labels,
)
from ansible_collections.emco.edge.plugins.module_utils._controllers.contract import Controller

CONTROLLERS: tuple[Controller, ...] = (
    hardware.CONTROLLER,
    customizations.CONTROLLER,
    interfaces.CONTROLLER,
    connectivity.CONTROLLER,
    labels.CONTROLLER,
)
