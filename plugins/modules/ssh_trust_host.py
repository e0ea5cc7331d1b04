#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_trust_host
short_description: The part of ssh_trust that runs on the host
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Used by M(slipway.cluster.ssh_trust). There is no reason to call it elsewhere.
  - Needs root, OpenSSH's sshd 7.6 or later, and Python 3.8 or later on the host.
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
  diff_mode:
    support: full
    description: Returns the files before and after.
options:
  stage:
    description:
      - V(inspect) tells what is there, and puts back what a run left that died.
      - V(apply) writes, checks and reloads. Unless confirmed within O(seconds), the host puts it back by itself.
      - V(confirm) keeps the change O(change); V(restore) puts it back at once.
    type: str
    choices: [inspect, apply, confirm, restore]
    required: true
  connection:
    description: What sshd calls E(SSH_CONNECTION), for rules that name addresses.
    type: str
    default: ''
  sshd:
    description: Path of sshd; looked for by default.
    type: str
    default: ''
  config:
    description: Main file of sshd's configuration.
    type: str
    default: /etc/ssh/sshd_config
  dropin:
    description: File for the configuration of ours, where the main file includes it.
    type: str
    default: /etc/ssh/sshd_config.d/10-slipway.conf
  folder:
    description: Folder for our other files.
    type: str
    default: /etc/ssh/slipway
  state_dir:
    description: Folder, root's alone, for copies while a change is not confirmed.
    type: str
    default: /var/lib/slipway/ssh_trust
  reload:
    description: Command that makes sshd read its configuration again; found out by default.
    type: str
    default: ''
  user_ca_keys:
    description: Public keys that certify users.
    type: list
    elements: str
    default: []
  principals:
    description: User of the host to list of principals.
    type: dict
    default: {}
  revoked:
    description: Revocation list, encoded as base64.
    type: str
    default: ''
  host_certificate:
    description: Certificate of the host's key, one line.
    type: str
    default: ''
  log_level:
    description: LogLevel for sshd.
    type: str
    default: ''
  unused_connection_timeout:
    description: UnusedConnectionTimeout for sshd, where its release knows that.
    type: str
    default: ''
  penalty_exempt:
    description: PerSourcePenaltyExemptList for sshd, where its release knows that.
    type: str
    default: ''
  seconds:
    description: After how many seconds without confirmation the host puts everything back.
    type: int
    default: 90
  change:
    description: Name of the change to confirm or to put back.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Look
  slipway.cluster.ssh_trust_host:
    stage: inspect
"""

RETURN = r"""
host:
  description: What was found.
  returned: when O(stage=inspect)
  type: dict
change:
  description: Name of the change that waits for its confirmation; empty when nothing had to be changed.
  returned: when O(stage=apply)
  type: str
"""

import base64
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.host import Host
from ansible_collections.slipway.cluster.plugins.module_utils.trust.layout import Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.trust.transaction import Transaction


def _text(default: str = "") -> dict[str, Any]:
    return {"type": "str", "default": default}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "stage": {"type": "str", "required": True, "choices": ["inspect", "apply", "confirm", "restore"]},
            "connection": _text(),
            "sshd": _text(),
            "config": _text("/etc/ssh/sshd_config"),
            "dropin": _text("/etc/ssh/sshd_config.d/10-slipway.conf"),
            "folder": _text("/etc/ssh/slipway"),
            "state_dir": _text("/var/lib/slipway/ssh_trust"),
            "reload": _text(),
            "user_ca_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "principals": {"type": "dict", "default": {}},
            "revoked": _text(),
            "host_certificate": _text(),
            "log_level": _text(),
            "unused_connection_timeout": _text(),
            "penalty_exempt": _text(),
            "seconds": {"type": "int", "default": 90},
            "change": _text(),
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**_run(module.params, module.check_mode))
    except TrustError as exc:
        module.fail_json(msg=str(exc), **exc.as_dict())


def _run(arguments: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    change = Transaction(arguments["state_dir"], arguments["change"])
    if arguments["stage"] == "confirm":
        change.confirm()
        return {"changed": False}
    if arguments["stage"] == "restore":
        change.restore()
        return {"changed": False}
    host = Host.find(arguments)
    if arguments["stage"] == "inspect":
        return {"changed": False, "host": host.inspect(check_mode=check_mode)}
    wanted = Wanted(
        user_ca_keys=tuple(arguments["user_ca_keys"]),
        principals={user: tuple(names) for user, names in arguments["principals"].items()},
        revoked=base64.b64decode(arguments["revoked"]),
        host_certificate=arguments["host_certificate"],
        log_level=arguments["log_level"],
        unused_connection_timeout=arguments["unused_connection_timeout"],
        penalty_exempt=arguments["penalty_exempt"],
    )
    files = host.wanted_files(wanted)
    diff = [host.difference(path, content) for path, content in files.items()]
    name = "" if check_mode or not files else host.apply(wanted, files, arguments["seconds"])
    return {"changed": bool(files), "change": name, "diff": diff}


if __name__ == "__main__":
    main()
