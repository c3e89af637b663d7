# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to emco.edge: which text Ansible may execute as a template, on cores before and after data tagging (2.19)."""

from __future__ import annotations

from typing import Any

try:
    from ansible.template import trust_as_template
except ImportError:  # before 2.19 every text is a template, unless it is marked
    from ansible.utils.unsafe_proxy import wrap_var

    def trusted(text: str) -> Any:
        """Text of ours that is a template."""
        return text

    def untrusted(value: Any) -> Any:
        """Data that came from elsewhere: braces in it are braces."""
        return wrap_var(value)

else:

    def trusted(text: str) -> Any:
        """Text of ours that is a template."""
        return trust_as_template(text)

    def untrusted(value: Any) -> Any:
        """Data that came from elsewhere: braces in it are braces."""
        # Nothing is a template until somebody says so.
        return value
