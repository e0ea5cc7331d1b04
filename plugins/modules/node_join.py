#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_join
short_description: Let machines made of an image become nodes, by a token of minutes and without SSH
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - What C(slipway.cluster.scale) and C(slipway.cluster.join_data) are made of. Use these.
  - V(begin) checks hosts, images and cluster, and makes one token for the batch, the rights that it needs to ask for
    certificates, and a file of user-data for each machine. The token is in these files, and in no result.
  - V(wait) approves the certificate requests of these nodes and denies all others that are made with the token. A node
    that exists, a control plane node, a name outside of the batch and a second key for one name are denied.
  - V(end) takes token, rights and files away. Run it in C(always).
extends_documentation_fragment:
  - slipway.cluster.controller
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
  idempotent:
    support: none
    description: Every batch has a token of its own.
options:
  stage:
    description:
      - V(check) tells whether the batch could begin; V(begin), V(wait) and V(end) as above.
    type: str
    choices: [check, begin, wait, end]
    default: check
  name:
    description: The C(slipway_name). Batches of others are not touched.
    type: str
    required: true
  hosts:
    description:
      - For V(check) and V(begin), hosts of the group C(kube_node), as a list or separated by commas.
      - By default those with C(slipway_node_source=image) that are not in the cluster yet.
    type: raw
    default: []
  batch:
    description: For V(wait) and V(end), the result of the same name of V(begin). An empty one does nothing.
    type: dict
    default: {}
  timeout:
    description: Seconds in which all nodes have to be Ready. Never V(0), since nobody else lets them in.
    type: raw
    default: 300
  token_seconds:
    description: Longest life of the token. It is O(timeout) and ten minutes where that is less.
    type: raw
    default: 3600
  alone:
    description: Whether no other batch of O(name) can be under way, so that whatever there is of one is removed.
    type: raw
    default: false
  endpoint:
    description: Address and port of the API server, as new nodes reach it. By default as the cluster says of itself.
    type: str
    default: ''
  format:
    description: Of the user-data. Butane's has two variants.
    type: str
    choices: [cloud-init, ignition, butane-fcos, butane-flatcar]
    default: cloud-init
  data_dir:
    description:
      - Folder for the user-data, which only its owner can read. It must not be writable by others, and its files stay.
      - By default one that V(end) removes.
    type: str
    default: ''
  files_dir:
    description: Folder that relative paths start from. By default that of the inventory.
    type: str
    default: ''
  cache_dir:
    description: Folder for what is derived from the installed Kubespray. By default C(slipway) in the user's cache.
    type: str
    default: ''
  namespace:
    description: Namespace of the records.
    type: str
    default: slipway-system
"""

EXAMPLES = r"""
- name: Nodes from an image
  block:
    - name: They may ask now
      slipway.cluster.node_join:
        stage: begin
        name: prod
        hosts: [worker7, worker8]
      register: begun

    - name: Start the machines
      ansible.builtin.include_tasks: start.yml
      vars:
        slipway_batch: "{{ begun.nodes }}"

    - name: Let them in
      slipway.cluster.node_join:
        stage: wait
        name: prod
        batch: "{{ begun.batch }}"
  always:
    - name: Nobody asks any more
      slipway.cluster.node_join:
        stage: end
        name: prod
        batch: "{{ begun.batch | default({}) }}"
"""

RETURN = r"""
batch:
  description: What the other stages have to know. The token is not in it.
  returned: for V(begin)
  type: dict
nodes:
  description:
    - For V(check) and V(begin), for each machine C(name), C(host), C(address) and C(user_data_file).
    - For V(wait), for each node C(name) and the seconds until it C(asked), was C(approved), C(registered), and was
      C(ready).
  returned: for V(check), V(begin) and V(wait)
  type: list
  elements: dict
folder:
  description: Where the user-data is.
  returned: for V(begin)
  type: str
denied:
  description: Requests that were denied, each with C(request), C(node), C(code) and C(message).
  returned: for V(wait)
  type: list
  elements: dict
removed:
  description: What V(end) has taken away.
  returned: for V(end)
  type: list
  elements: str
problems:
  description: Everything that is wrong, each with code, message, remedy, where and host.
  returned: when a batch cannot begin, or a node is not Ready in time
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8731
"""
