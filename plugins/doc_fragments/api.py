# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that speak to the API server from a node have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """``slipway.cluster.api``"""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file on the host that the task runs on. It is read there and goes nowhere.
      - Where Python has no PyYAML, C(kubectl) reads it.
    type: path
    default: /etc/kubernetes/admin.conf
  context:
    description: Context in O(kubeconfig); by default its current one.
    type: str
    default: ""
  api_server:
    description: Address of the API server, C(https://host:port), instead of O(kubeconfig).
    type: str
    default: ""
  api_token:
    description: Bearer token for O(api_server).
    type: str
    default: ""
  api_ca_file:
    description: File with the CA certificates of O(api_server).
    type: path
    default: ""
  veil:
    description: Set by this collection's own actions, so that no token passes in clear. Leave it alone.
    type: str
    default: ""
requirements:
  - Python 3.8 or later on the host, and nothing else; C(kubectl) where it has no PyYAML
attributes:
  diff_mode:
    support: none
    description: Shows what would change or was changed.
  platform:
    support: full
    platforms: posix
    description: The operating systems that it runs on.
"""
