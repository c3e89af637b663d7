# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract's assertions explain themselves like those of a test file."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "tests.unit.store.contract", "tests.unit.store.dictionaries", "tests.unit.store.whole_store"
)
