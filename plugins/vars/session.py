# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH session as a vars plugin: the one kind of plugin that runs in Ansible's main process before any task."""

from __future__ import annotations

DOCUMENTATION = r"""
name: session
version_added: 1.0.0
short_description: SSH by certificates of minutes, in any playbook
description:
  - Starts a small ssh-agent for this run of Ansible. Its key exists in its memory only; when ssh opens a
    connection, a certificate authority signs it for some minutes, and again when that has ended.
  - Slipway's own playbooks need nothing for it. For other playbooks, C(ansible) and C(ansible-console) enable
    the plugin in C(ansible.cfg), as V(vars_plugins_enabled = host_group_vars,slipway.cluster.session).
  - Does nothing where the variable C(slipway_ssh) is missing, or its C(provider) is V(agent) or V(none), nor
    for listings, syntax checks and C(ansible-inventory).
  - C(slipway_ssh) belongs to all hosts; it is read from the group C(all) (inventory or C(group_vars/all)) and
    from the extra variables.
  - Sets the environment variable E(SSH_AUTH_SOCK) of Ansible, and the variable C(ansible_control_path_dir), so
    that no other run uses connections of this one. C(ansible_ssh_use_tty) becomes V(false), because its certificates
    need not permit a terminal. With C(host_check=enforce) it also gives ssh the authority for hosts, and switches
    host key checking on.
  - The authority is asked before the first task on a host that is not the controller, and a refusal ends the
    run there.
options: {}
seealso:
  - name: Credentials
    description: What the session does, its settings and its limits.
    link: https://slipway.cluster/docs/credentials
author:
  - Slipway contributors (@slipway-cluster)
"""

EXAMPLES = r"""
# ansible.cfg
#   [defaults]
#   vars_plugins_enabled = host_group_vars,slipway.cluster.session
#
# group_vars/all/access.yml
slipway_name: prod
slipway_ssh:
  provider: openbao
  openbao:
    address: https://bao.example.com:8200
    role: slipway
    auth:
      method: jwt
      role: slipway
      jwt_file: /run/secrets/token
"""

from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.vars import BaseVarsPlugin

from ansible_collections.slipway.cluster.plugins.plugin_utils import ssh_session


class VarsModule(BaseVarsPlugin):
    """Asks the authority before the first task, because whoever enables it contacts hosts."""

    check = True

    def get_vars(self, loader: DataLoader, path: str, entities: object) -> dict[str, Any]:
        super().get_vars(loader, path, entities)
        return ssh_session.variables(loader, entities, check=self.check)
