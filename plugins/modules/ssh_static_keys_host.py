#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_static_keys_host
short_description: The part of ssh_static_keys that runs on the host
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Used by M(slipway.cluster.ssh_static_keys). There is no reason to call it elsewhere.
  - Needs root, OpenSSH's sshd 7.6 or later, and Python 3.8 or later on the host.
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
options:
  stage:
    description:
      - V(list) tells which keys there are.
      - V(remove) takes those of O(fingerprints) away; V(give_back) runs O(command), which V(remove) returned.
    type: str
    choices: [list, remove, give_back]
    required: true
  connection:
    description: What sshd calls E(SSH_CONNECTION), for rules that name addresses.
    type: str
    default: ''
  user:
    description: User whose trusted authorities are told.
    type: str
    default: root
  sshd:
    description: Path of sshd; looked for by default.
    type: str
    default: ''
  config:
    description: Main file of sshd's configuration.
    type: str
    default: /etc/ssh/sshd_config
  fingerprints:
    description: Which keys to remove.
    type: list
    elements: str
    default: []
  users:
    description: From which users to remove keys; from all by default.
    type: list
    elements: str
    default: []
  backups:
    description: Folder, root's alone, for what is removed.
    type: str
    default: /var/lib/slipway/ssh_static_keys
  command:
    description: Command that gives keys back.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Which static keys are there?
  slipway.cluster.ssh_static_keys_host:
    stage: list
"""

RETURN = r"""
keys:
  description: One entry for each line that lets somebody in.
  returned: when O(stage=list)
  type: list
  elements: dict
commands:
  description: User to program that sshd asks for more keys.
  returned: when O(stage=list)
  type: dict
unread:
  description: Path to number of lines that are neither key nor comment.
  returned: when O(stage=list)
  type: dict
trusted:
  description: Fingerprints of the authorities that sshd trusts for O(user).
  returned: when O(stage=list)
  type: list
  elements: str
command:
  description: Command that puts everything back.
  returned: when O(stage=remove)
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.last_use import last_uses
from ansible_collections.slipway.cluster.plugins.module_utils.trust.removing import give_back, remove
from ansible_collections.slipway.cluster.plugins.module_utils.trust.sshd import Sshd, Way
from ansible_collections.slipway.cluster.plugins.module_utils.trust.static_keys import authorities, scan


def main() -> None:
    texts = {"connection": "", "user": "root", "sshd": "", "config": "/etc/ssh/sshd_config", "command": ""}
    texts["backups"] = "/var/lib/slipway/ssh_static_keys"
    module = AnsibleModule(
        argument_spec={
            "stage": {"type": "str", "required": True, "choices": ["list", "remove", "give_back"]},
            "fingerprints": {"type": "list", "elements": "str", "default": []},
            "users": {"type": "list", "elements": "str", "default": []},
            **{name: {"type": "str", "default": default} for name, default in texts.items()},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**_run(module.params, module.check_mode))
    except TrustError as exc:
        module.fail_json(msg=str(exc), **exc.as_dict())


def _run(arguments: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    if arguments["stage"] == "give_back":
        give_back(arguments["command"])
        return {"changed": False}
    sshd = Sshd.find(arguments["sshd"], arguments["config"])
    way = Way.of(arguments["connection"])
    found = scan(sshd, way, last_uses())
    if arguments["stage"] == "list":
        return {
            "changed": False,
            "keys": [key.shown() for key in found.keys],
            "commands": found.commands,
            "unread": found.unread,
            "trusted": authorities(sshd, arguments["user"], way),
        }
    chosen = [
        key
        for key in found.keys
        if key.fingerprint in arguments["fingerprints"] and (not arguments["users"] or key.user in arguments["users"])
    ]
    command = remove(chosen, arguments["backups"]) if chosen and not check_mode else ""
    return {"changed": bool(chosen), "command": command}


if __name__ == "__main__":
    main()
