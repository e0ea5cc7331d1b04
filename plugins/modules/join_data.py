#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: join_data
short_description: Write the user-data by which machines made of an image become nodes
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
author:
  - Slipway contributors (@slipway-cluster)
description:
  - One file of user-data for each host, for a join token that is there already. The cluster is not asked.
  - M(slipway.cluster.node_join) does this for a token of its own, checks that image and cluster fit, and lets the nodes
    in. Use that, or the playbook C(slipway.cluster.join_data). This is for those who let nodes in by other means.
  - Name, address, taints (C(node_taints)), the copy of the image's manifest (C(slipway_image)) and more files
    (C(slipway_join_files), a mapping of path to C(content) and C(mode)) come from the variables of each host.
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
  idempotent:
    support: none
    description: The files are written in every run.
options:
  hosts:
    description:
      - Hosts of the group C(kube_node), as a list or separated by commas.
      - By default those with C(slipway_node_source=image).
    type: raw
    default: []
  token:
    description: The join token, as C(kubeadm join --token) takes it. It is in the files.
    type: str
    required: true
  ca_hash:
    description: Hash of the cluster's authority, as C(kubeadm join --discovery-token-ca-cert-hash) takes it.
    type: str
    required: true
  endpoint:
    description: Address and port of the API server, as new nodes reach it.
    type: str
    required: true
  format:
    description: Of the files. Butane's has two variants.
    type: str
    choices: [cloud-init, ignition, butane-fcos, butane-flatcar]
    default: cloud-init
  data_dir:
    description:
      - Folder for the files, which only their owner can read. It must not be writable by others.
      - By default one that is deleted when Ansible ends.
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
"""

EXAMPLES = r"""
- name: User-data for two machines
  slipway.cluster.join_data:
    hosts: [worker7, worker8]
    token: "{{ join.token }}"
    ca_hash: "{{ ca_hash }}"
    endpoint: api.example.com:6443
    data_dir: /srv/userdata
  no_log: true
"""

RETURN = r"""
nodes:
  description: For each machine C(name), C(host), C(address) and C(user_data_file).
  returned: success
  type: list
  elements: dict
folder:
  description: Where the files are.
  returned: success, except in check mode
  type: str
problems:
  description: Everything that is wrong, each with code, message, remedy, where and host.
  returned: when a machine cannot be told what it needs
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8701
"""
