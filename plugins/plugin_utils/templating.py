# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to emco.edge: the one function that renders templates. It trusts a project's own text and nothing else.

Labels, key-values and facts come from clusters and from whoever registers them: their values are put into the text as
they are, a ``{{ }}`` inside them is never executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.emco.edge.plugins.module_utils._model.errors import EdgeError
from ansible_collections.emco.edge.plugins.plugin_utils.plain import plain

try:
    from ansible.template import trust_as_template
except ImportError:  # before ansible-core 2.19 every text is a template, and values are marked unsafe instead
    trust_as_template = None


def project_template(templar: Any) -> Callable[[str, Mapping[str, Any]], str]:
    """A function (text, variables) -> text; EdgeError ``TemplateFailed`` with Ansible's own words."""

    def render(text: str, variables: Mapping[str, Any]) -> str:
        try:
            return _rendered(templar, text, variables)
        except AnsibleError as error:
            raise EdgeError("TemplateFailed", f"the template does not render: {error.message}") from error

    return render


def _rendered(templar: Any, text: str, variables: Mapping[str, Any]) -> str:
    if trust_as_template is not None:
        scoped = templar.copy_with_new_env(available_variables=dict(variables))
        return str(scoped.template(trust_as_template(text), preserve_trailing_newlines=True))
    from ansible.utils.unsafe_proxy import wrap_var

    scoped = templar.copy_with_new_env(available_variables=wrap_var(dict(variables)))
    # str() of an unsafe text is unsafe again, and libyaml reads nothing but a plain one.
    return str(plain(scoped.template(text, preserve_trailing_newlines=True, convert_data=False)))
