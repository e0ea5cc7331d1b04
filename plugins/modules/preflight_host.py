#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_host
short_description: Look at a host before Kubespray does anything to it
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Tells what a host has - system, Python, memory, disk, clock, identity, ports, kernel, name servers - and whether
    other hosts answer from there. Nothing is changed, and no module of the kernel is loaded to find out.
  - It judges nothing. M(slipway.cluster.preflight) does that, for all hosts together.
  - A host that cannot be reached, has no usable Python or gives no rights of root is no failure of the task; what was
    said is in RV(facts).
  - Needs nothing but Python 3.8 or later on the host.
options:
  folders:
    description: Folders whose free disk counts.
    type: list
    elements: str
    default: [/var/lib]
  modules:
    description: Modules of the kernel to look for. By default those that Kubespray needs.
    type: list
    elements: str
    default: []
  ports:
    description: Ports that should be free. By default those that the host's groups will need.
    type: list
    elements: int
    default: []
  peers:
    description:
      - How many other hosts of the play to try, at the port of their sshd; the next ones in a ring, so that each host
        is tried as often. V(0) tries none.
    type: raw
    default: 3
  timeout:
    description: Seconds to wait for other hosts; they are tried at the same time.
    type: float
    default: 3
attributes:
  action:
    support: full
    description: An action plugin adds the groups, the other hosts and the controller's clock.
  check_mode:
    support: full
    description: Can run in check mode, as it changes nothing.
  diff_mode:
    support: none
    description: There is nothing to show.
  idempotent:
    support: full
    description: Nothing is changed.
seealso:
  - module: slipway.cluster.preflight
"""

EXAMPLES = r"""
- name: What have the hosts?
  slipway.cluster.preflight_host:
  become: true
  register: __preflight_host
"""

RETURN = r"""
facts:
  description:
    - What was seen. V(fault) and V(said) alone, where nothing could be seen.
  returned: always
  type: dict
skew:
  description: By how many seconds the host's clock is off the controller's at least.
  returned: when the host could be looked at
  type: float
"""

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.host import kernel, peers, ports, system


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "str", "default": ["/var/lib"]},
            "modules": {"type": "list", "elements": "str", "default": []},
            "ports": {"type": "list", "elements": "int", "default": []},
            "peers": {"type": "raw", "default": 3},
            "timeout": {"type": "float", "default": 3},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    clock = time.time()
    others = wanted["peers"] if isinstance(wanted["peers"], list) else []
    facts = {
        **system.look(Path("/"), wanted["folders"]),
        **kernel.look(wanted["modules"]),
        "ports": ports.taken(wanted["ports"]),
        "peers": peers.reach(others, wanted["timeout"]),
    }
    module.exit_json(changed=False, clock=clock, facts=facts)


if __name__ == "__main__":
    main()
