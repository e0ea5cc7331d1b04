#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_drain
short_description: Cordon and drain nodes within the budgets of their pods
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Cordons nodes and evicts their pods through the eviction API, so that every PodDisruptionBudget holds. Who waits for
    a budget is told which one.
  - Pods of DaemonSets and static pods stay. Pods that have ended are deleted.
  - When a node cannot be drained in time it is uncordoned again. A run that dies leaves cordons that the next one knows
    by the annotation C(slipway.cluster/cordoned), and goes on with or takes back. Cordons of others are never taken
    back.
  - Everything happens on the controller through the API; no node is contacted, but with O(node_lock_duration) the first
    control plane host.
extends_documentation_fragment:
  - slipway.cluster.controller
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
  diff_mode:
    support: none
    description: Shows what would change or was changed.
  idempotent:
    support: full
    description: A node that is drained is not touched again.
options:
  nodes:
    description:
      - Names of nodes, or of their hosts in the inventory, as a list or separated by commas. Those that are not in the
        cluster count as done.
    type: raw
    required: true
  state:
    description:
      - V(drained) cordons and drains.
      - V(uncordoned) takes back cordons that this module has set, or has expected.
      - V(expected) has cordons that nodes get from now on, by Kubespray's playbooks, count as set by this module. One
        that is there already stays somebody else's.
    type: str
    choices: [drained, uncordoned, expected]
    default: drained
  batch:
    description:
      - How many nodes at the same time, as a number or as a percentage of O(nodes), rounded up.
      - When a node fails, its batch is finished and no further one begins.
    type: raw
    default: 1
  timeout:
    description: Seconds for each node.
    type: float
    default: 600
  grace_period:
    description: Seconds that every pod has to end. By default each pod's own.
    type: raw
  lost:
    description:
      - Names of nodes whose pods without a controller may be deleted, although nobody makes them again.
      - Without it such a node is not drained.
    type: raw
    default: []
  unreachable:
    description:
      - Names of nodes without a living kubelet. Their pods are told to end, and not waited for.
      - As long as such a node is Ready its kubelet does live, and it is drained like any other.
    type: raw
    default: []
  node_lock_duration:
    description:
      - Seconds by which the run's claim on the nodes, that of M(slipway.cluster.nodes), is renewed after each batch.
      - When another run has taken over it fails. V(0) is for who has taken no claim.
    type: raw
    default: 0
  keep_cordon:
    description: Leave a node cordoned that could not be drained.
    type: raw
    default: false
"""

EXAMPLES = r"""
- name: Two at a time
  slipway.cluster.node_drain:
    nodes: [worker7, worker8, worker9]
    batch: 2
    timeout: 900

- name: Let pods come back
  slipway.cluster.node_drain:
    kubeconfig: ~/.kube/prod
    nodes: worker7
    state: uncordoned
"""

RETURN = r"""
nodes:
  description: What became of each node.
  returned: always
  type: list
  elements: dict
  contains:
    node:
      description: Its name.
      type: str
    outcome:
      description:
        - One of C(drained), C(absent), C(failed), C(not begun).
        - With O(state=expected) one of C(expected), C(absent), C(left) where somebody else has cordoned it.
        - With O(state=uncordoned) one of C(uncordoned), C(absent), C(left) where there is no cordon of ours.
      type: str
    moved:
      description: Pods that were evicted or deleted, C(namespace/name).
      type: list
      elements: str
    stayed:
      description: Pods of DaemonSets and static pods.
      type: list
      elements: str
    cordoned:
      description: Whether the node is cordoned now.
      type: bool
    reason:
      description: Why it failed.
      type: str
problems:
  description: The same reasons, each with code, message, remedy and host.
  returned: when a node could not be drained
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8421
"""
