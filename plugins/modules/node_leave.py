#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_leave
short_description: Take a drained worker out of the cluster
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Deletes the node object of a worker that was drained, and waits until it is gone. A host whose kubelet runs on would
    register again, so stop it first.
  - Beforehand, with O(state=checked), tells whether an image can be made of the host. It is a worker and nothing else,
    and Kubespray has prepared it with the variables that the inventory has today, by the cluster's record.
  - Everything happens on the controller through the API; no node is contacted.
extends_documentation_fragment:
  - slipway.cluster.controller
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
  diff_mode:
    support: none
    description: There is one node, and it goes.
  idempotent:
    support: full
    description: A node that is not there is done.
options:
  host:
    description: The host, by its inventory name.
    type: str
    required: true
  state:
    description: V(checked) looks, V(absent) deletes.
    type: str
    choices: [checked, absent]
    default: absent
  namespace:
    description: Namespace of the records.
    type: str
    default: slipway-system
  cache_dir:
    description: Folder for what is derived from the installed Kubespray.
    type: str
    default: ''
seealso:
  - module: slipway.cluster.node_drain
  - module: slipway.cluster.node_image
"""

EXAMPLES = r"""
- name: It was drained, and its kubelet is stopped
  slipway.cluster.node_leave:
    host: worker9
"""

RETURN = r"""
node:
  description: Name of the node.
  returned: on success
  type: str
present:
  description: Whether there is such a node now.
  returned: on success
  type: bool
problems:
  description: Everything that speaks against it, each with code, message, remedy, where and host.
  returned: when something does
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8754
"""
