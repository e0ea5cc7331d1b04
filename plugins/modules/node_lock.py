#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_lock
short_description: Let one run at a time work on the nodes of a cluster
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Used by M(slipway.cluster.nodes), on the first control plane host. There is no reason to call it elsewhere.
  - The lock is a file that ends by itself; the API may be away while nodes are worked on.
  - Needs root, and Python 3.8 or later on the host.
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - In check mode nothing is taken or released.
options:
  state:
    description:
      - V(look) tells who holds the lock, and whether there is a cluster.
      - V(taken) takes it, V(renewed) claims more time and says how far the run has come, V(released) ends the claim.
      - V(abandoned) ends the claim of a run that has failed, and leaves what the next one has to know of it.
    type: str
    choices: [look, taken, renewed, released, abandoned]
    default: look
  holder:
    description: Who takes it.
    type: str
    default: ''
  controller:
    description: Which machine the holder runs on, and which of its processes it is.
    type: dict
    default: {}
  operation:
    description: What the holder does.
    type: str
    default: ''
  stage:
    description: How far it has come. With O(state=renewed) nothing leaves this as it was.
    type: str
    default: ''
  cleared:
    description: Whether what the cluster has outside of itself is taken away, for who follows the holder if it dies.
    type: bool
    default: false
  tokens:
    description: Public parts of the join tokens that the holder makes, for who follows it if it dies.
    type: list
    elements: str
    default: []
  removes:
    description: Nodes that the holder takes out of the cluster, for who follows it if it dies.
    type: list
    elements: str
    default: []
  creates:
    description: Whether the holder makes a cluster where there was none.
    type: bool
    default: false
  seconds:
    description: How long the claim holds from now on.
    type: int
    default: 3600
  dead:
    description: A holder that is known to be gone, and need not be waited for.
    type: str
    default: ''
  kubeconfig:
    description: Path of the admin kubeconfig, which is there where there is a cluster.
    type: str
    default: /etc/kubernetes/admin.conf
  folder:
    description: Folder of the lock.
    type: str
    default: /var/lib/slipway
"""

EXAMPLES = r"""
- name: Who works on the nodes?
  slipway.cluster.node_lock:
  become: true
"""

RETURN = r"""
cluster:
  description: Whether the host is part of a cluster.
  returned: always
  type: bool
found:
  description:
    - The claim that was there before, or with O(state=released) is there now, and another's.
    - C(remaining) is in seconds, and negative when it is over.
  returned: when there is one
  type: dict
held:
  description: Whether the claim is the holder's now.
  returned: when O(state) is not V(look)
  type: bool
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.run_file import FOLDER, RunFile


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["look", "taken", "renewed", "released", "abandoned"],
                "default": "look",
            },
            "holder": {"type": "str", "default": ""},
            "controller": {"type": "dict", "default": {}},
            "operation": {"type": "str", "default": ""},
            "stage": {"type": "str", "default": ""},
            "cleared": {"type": "bool", "default": False},
            "tokens": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "removes": {"type": "list", "elements": "str", "default": []},
            "creates": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 3600},
            "dead": {"type": "str", "default": ""},
            "kubeconfig": {"type": "str", "default": "/etc/kubernetes/admin.conf"},
            "folder": {"type": "str", "default": FOLDER},
        },
        supports_check_mode=True,
    )
    asked = module.params
    file = RunFile(asked["folder"])
    result = {"changed": False, "cluster": Path(asked["kubeconfig"]).exists()}
    try:
        state = "look" if module.check_mode else asked["state"]
        if state == "look":
            result["found"] = file.look()
        elif state == "taken":
            keys = ("holder", "controller", "operation", "stage", "tokens", "removes", "creates")
            claim = {key: asked[key] for key in keys}
            answer = file.take(claim, asked["seconds"], asked["dead"])
            result.update(held=answer["taken"], found=answer["found"], changed=answer["taken"])
        elif state == "renewed":
            reached = {"stage": asked["stage"], "cleared": asked["cleared"]}
            result.update(held=file.renew(asked["holder"], asked["seconds"], **reached))
        elif state == "abandoned":
            result.update(held=file.abandon(asked["holder"]))
        else:
            result.update(held=file.release(asked["holder"]), found=file.look())
    except OSError as exc:
        module.fail_json(msg=f"SLW-8306 the lock cannot be used: {exc}", code="SLW-8306")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
