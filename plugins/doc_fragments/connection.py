# Copyright: (c) 2026, emco.edge contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say how a cluster is reached."""

from __future__ import annotations


class ModuleDocFragment:
    """Named as in kubernetes.core; each has a host variable that says it for the whole inventory."""

    DOCUMENTATION = r"""
notes:
  - Nothing is taken implicitly. There is no fall-back to C(~/.kube/config), to a current context or to the
    configuration inside a pod, where a job of AWX would find AWX's own cluster.
  - Relative paths in a task start at the playbook, those in a host's variables at the inventory that the host is in.
options:
  kubeconfig:
    description:
      - The path of a kubeconfig, or its content as a dictionary.
      - Or a dictionary that says in which Secret of a hub cluster it is, with C(hub) (a connection as these options,
        and C(api_key_from), the environment variable that holds the hub's token) and C(secret) (C(namespace), C(name),
        and C(key), default C(value)). It is read whenever it is needed, and only the reference is kept.
      - The default is the variable C(emco_kubeconfig) of the host.
    type: raw
  context:
    description:
      - The context of the kubeconfig. Needed when it has several; the current context is never taken implicitly.
      - The default is the variable C(emco_context) of the host.
    type: str
  host:
    description:
      - The URL of the API server, such as V(https://203.0.113.10:6443). Goes before what the kubeconfig says.
      - The default is the variable C(emco_host) of the host.
    type: str
  api_key:
    description:
      - A bearer token.
      - The default is the variable C(emco_api_key) of the host.
    type: str
  ca_cert:
    description:
      - The certificate authority of the API server, as a path or as PEM text.
      - The default is the variable C(emco_ca_cert) of the host.
    type: str
  client_cert:
    description:
      - A client certificate, as a path or as PEM text.
      - The default is the variable C(emco_client_cert) of the host.
    type: str
  client_key:
    description:
      - The key of the client certificate, as a path or as PEM text.
      - The default is the variable C(emco_client_key) of the host.
    type: str
  validate_certs:
    description:
      - Whether the certificate of the API server is verified.
      - The variable C(emco_validate_certs) of the host goes before the default.
    type: bool
    default: true
  proxy:
    description:
      - The URL of an HTTP proxy or of a bastion that forwards to the cluster.
      - The default is the variable C(emco_proxy) of the host.
    type: str
  tls_server_name:
    description:
      - The name that the certificate of the API server must have when it is not the one in the URL.
      - The default is the variable C(emco_tls_server_name) of the host.
    type: str
  impersonate_user:
    description:
      - Act as this user.
      - The default is the variable C(emco_impersonate_user) of the host.
    type: str
  impersonate_groups:
    description:
      - Act as a member of these groups.
      - The default is the variable C(emco_impersonate_groups) of the host.
    type: list
    elements: str
"""
