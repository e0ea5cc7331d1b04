#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_scope
short_description: Let the plays that follow see the hosts of one run of Kubespray alone
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
  - slipway.cluster.attributes.reads
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Used by Slipway's playbooks, around those of Kubespray that they import. There is no reason to call it elsewhere.
  - Which hosts these are is the result of M(slipway.cluster.nodes). The host C(localhost) is always seen.
options:
  run:
    description: Name of Kubespray's playbook. Without it, all hosts are seen again.
    type: str
    default: ''
  verify:
    description: Fail unless the hosts are those of O(run).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: The hosts that the plan names for Kubespray's playbook scale
  slipway.cluster.node_scope:
    run: scale

- name: All hosts
  slipway.cluster.node_scope:
"""

RETURN = r"""
hosts:
  description: The hosts, with O(verify).
  returned: with O(verify)
  type: list
  elements: str
"""
