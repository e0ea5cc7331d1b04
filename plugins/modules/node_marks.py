#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_marks
short_description: Reconcile labels, taints and annotations of nodes with the inventory
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Sets what the inventory wants on nodes, changes what differs, and removes what an earlier run has set and the
    inventory no longer has. What others have set is never touched.
  - All nodes are looked at in one list. Only those that differ are written, each in one request, which is tried again
    when somebody else has changed the node in between.
  - What a run has set is remembered in the annotation C(slipway.cluster/marks) of the node.
extends_documentation_fragment:
  - slipway.cluster.controller
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
  diff_mode:
    support: full
    description: Shows what would change or was changed, a line each, with or without C(--diff).
  idempotent:
    support: full
    description: A second run with the same inventory writes nothing.
options:
  nodes:
    description:
      - What is wanted, by node name. Nodes that are not named are left alone.
      - By default every host of the groups C(kube_control_plane), C(kube_node) and C(calico_rr), with its variables
        C(node_labels), C(node_taints) and C(node_annotations). The first two are Kubespray's, and in its formats.
      - Each entry may have C(labels) (mapping), C(taints) (list of C(key=value:Effect)), C(annotations) (mapping), and
        C(where), the place that is named when one of them is wrong.
    type: dict
  hosts:
    description:
      - Of the inventory, without O(nodes), these hosts alone; by default all that are nodes.
      - An empty list is none of them.
    type: raw
"""

EXAMPLES = r"""
- name: As the inventory has it
  slipway.cluster.node_marks:

- name: One node
  slipway.cluster.node_marks:
    kubeconfig: ~/.kube/prod
    nodes:
      worker7:
        labels: {disk: ssd}
        taints: ["dedicated=batch:NoSchedule"]
"""

RETURN = r"""
nodes:
  description: Changes by node, each with C(kind), C(key), C(old) and C(new).
  returned: success
  type: dict
left:
  description: By node, marks that an earlier run has set, and that others have changed since. They stay.
  returned: success
  type: dict
absent:
  description: Nodes that something is wanted for, and that are not in the cluster.
  returned: success
  type: list
  elements: str
problems:
  description: Everything that is wrong, each with code, message, remedy, where and host.
  returned: when the inventory cannot be used, or a node could not be written
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8604
"""
