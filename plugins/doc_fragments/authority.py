# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of everything that works with an SSH certificate authority in OpenBao or Vault."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: Name of the cluster, C(slipway_name). Roles, policies and principals are called C(slipway-<name>).
    type: str
    required: true
  address:
    description:
      - Address of OpenBao or Vault, C(https://host:8200). By default E(BAO_ADDR) or E(VAULT_ADDR).
      - 'Its token comes by E(BAO_TOKEN) or E(VAULT_TOKEN) alone: extra variables and arguments are logged.'
    type: str
  namespace:
    description: Namespace there. By default E(BAO_NAMESPACE) or E(VAULT_NAMESPACE).
    type: str
  ca_file:
    description: File with the authorities of its TLS certificate. By default E(BAO_CACERT) or E(VAULT_CACERT).
    type: str
  user_mount:
    description: Mount of the SSH engine that certifies users.
    type: str
    default: ssh-user
  host_mount:
    description: Mount of the SSH engine that certifies hosts.
    type: str
    default: ssh-host
"""
