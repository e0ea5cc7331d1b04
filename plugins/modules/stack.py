#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stack
short_description: Make the inventory of a new cluster out of a stack
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
author:
  - Slipway contributors (@slipway-cluster)
description:
  - A stack is a folder with the inventory of a kind of cluster, in which a few values are asked for. This module
    makes a cluster's inventory of it, and the project repository around that where it is missing.
  - All that is wrong with what was given is told at once, before anything is written. No file is ever overwritten, and
    an inventory comes whole or not at all.
  - Options take text as surveys and C(-e) give it, or structures as playbooks do.
options:
  stack:
    description: Name of the stack.
    type: str
    required: true
  name:
    description: The C(slipway_name) of the new cluster, and the name of its folder below C(inventories).
    type: str
    required: true
  hosts:
    description:
      - The hosts, a line or an item each. C(NAME), C(NAME=ADDRESS) or C(NAME ADDRESS), then any of the roles
        C(control_plane), C(etcd) and C(worker), and C(user=), C(port=), C(ip=). What follows a V(#) is a comment.
      - Or a list of maps with C(name), C(address), C(roles), C(user), C(port), C(ip), or a map of names to addresses or
        to such maps.
      - Where no host says its roles, the stack gives them by the order of the hosts. Where one does, all that say
        nothing are workers, and C(etcd) runs on the control plane unless a host says otherwise.
    type: raw
    required: true
  values:
    description: Answers to the stack's questions by their names.
    type: raw
    default: {}
  answers:
    description:
      - Answers that came as variables of their own. They win over O(values), empty ones do not count, and those to
        questions of other stacks are left out, so that one survey may serve several stacks.
    type: raw
    default: {}
  folders:
    description: More folders with stacks, beside that of the collection. A list, or text with commas.
    type: raw
    default: []
  destination:
    description:
      - Folder of the project repository, made where it is missing. Relative to the current folder.
      - Nothing is written where it is empty; the result has everything.
    type: path
    default: ''
attributes:
  check_mode:
    support: full
    description: Can run in check mode, and tells what would be written.
  diff_mode:
    support: full
    description: Shows the files that are new.
  idempotent:
    support: full
    description: The same again changes nothing. Another content of the inventory is an error.
seealso:
  - name: Stacks
    description: What there is, and how to make one's own.
    link: https://slipway.cluster/docs/stacks
"""

EXAMPLES = r"""
- name: Three hosts
  slipway.cluster.stack:
    stack: three_nodes
    name: prod
    hosts: |
      node1=192.0.2.11
      node2=192.0.2.12
      node3=192.0.2.13
    values: {network_plugin: cilium}
    destination: .

- name: The inventory alone, as data
  slipway.cluster.stack:
    stack: single_node
    name: trial
    hosts: {trial1: 192.0.2.21}
  register: made
"""

RETURN = r"""
cluster:
  description: Name of the cluster.
  returned: success
  type: str
stack:
  description: Name of the stack.
  returned: success
  type: str
answers:
  description: The value of every question, null for an optional one without an answer.
  returned: success
  type: dict
folder:
  description: Folder of the inventory, from O(destination).
  returned: success
  type: str
  sample: inventories/prod
files:
  description: Content of all files by their path from O(destination); without that, those of the inventory.
  returned: success
  type: dict
inventory:
  description:
    - The inventory as data, as C(ansible-inventory --list --export) has it. C(_meta.hostvars) has the hosts' own
      variables, each group C(hosts), C(children) and C(vars).
  returned: success
  type: dict
  sample:
    _meta: {hostvars: {node1: {ansible_host: 192.0.2.11}}}
    all: {children: [kube_control_plane, etcd, kube_node, k8s_cluster], vars: {slipway_name: prod}}
    etcd: {hosts: [node1]}
    k8s_cluster: {children: [kube_control_plane, kube_node]}
    kube_control_plane: {hosts: [node1]}
    kube_node: {hosts: [node1]}
written:
  description: Paths of the files that were written, or in check mode would be.
  returned: success
  type: list
  elements: str
kept:
  description: Paths of files of the project that are there with other content, and were left alone.
  returned: success
  type: list
  elements: str
next:
  description: The commands that come next; empty without O(destination).
  returned: success
  type: list
  elements: str
code:
  description: Code of the first problem.
  returned: when the task fails
  type: str
problems:
  description: All problems, each with C(code), C(message), C(remedy) and C(where).
  returned: when the task fails
  type: list
  elements: dict
"""
