# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the actions that work on the controller reach the cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """``slipway.cluster.controller``"""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description: Path of a kubeconfig file on the controller. As for M(slipway.cluster.addons).
    type: path
  context:
    description: Context in O(kubeconfig); by default its current one.
    type: str
  api_server:
    description: Address of the API server, C(https://host:port).
    type: str
  api_token:
    description: Bearer token for O(api_server).
    type: str
  api_ca_file:
    description: File with the CA certificates of O(api_server).
    type: path
  api_access:
    description: How the cluster is reached. As for M(slipway.cluster.addons).
    type: str
    choices: [auto, direct, ssh]
    default: auto
  api_forward:
    description: Reach the API server through the host's SSH connection. As for M(slipway.cluster.addons).
    type: raw
    default: false
  api_server_name:
    description: The name that the API server's certificate is checked for. As for M(slipway.cluster.addons).
    type: str
  admin_kubeconfig:
    description: With O(api_access=ssh), path of the admin kubeconfig on the control plane host. It is read there.
    type: str
    default: /etc/kubernetes/admin.conf
  access_namespace:
    description: With O(api_access=ssh), namespace of the accounts that the tokens are of.
    type: str
    default: slipway-access
attributes:
  action:
    support: full
    description: Runs on the controller as an action plugin.
"""
