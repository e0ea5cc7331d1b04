#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: addons_hook
short_description: Prepare a hook of an add-on, and note how it ended
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Used by the role C(slipway.cluster.addons) around the tasks of a hook that M(slipway.cluster.addons) has returned
    as due. There is no reason to call it elsewhere.
attributes:
  check_mode:
    support: none
    description: Can run in check mode and tell what would change without changing it.
    details:
      - In check mode no hook is ever due.
options:
  hook:
    description: One of RV(slipway.cluster.addons#module:hooks).
    type: dict
    required: true
  stage:
    description:
      - V(begin) returns what the hook may know.
      - V(done) notes in the add-on's record that the hook has run.
      - V(failed) returns O(so_far) with the failure in it.
    type: str
    choices: [begin, done, failed]
    required: true
  task:
    description: Name of the task that failed.
    type: str
  failure:
    description: Result of the task that failed.
    type: dict
  hidden:
    description: Whether that result is hidden by C(no_log).
    type: bool
    default: false
  so_far:
    description: The result of the task before.
    type: dict
  kubeconfig:
    description: As for M(slipway.cluster.addons).
    type: path
  context:
    description: As for M(slipway.cluster.addons).
    type: str
  api_server:
    description: As for M(slipway.cluster.addons).
    type: str
  api_token:
    description: As for M(slipway.cluster.addons).
    type: str
  api_ca_file:
    description: As for M(slipway.cluster.addons).
    type: path
  api_access:
    description: As for M(slipway.cluster.addons).
    type: str
    choices: [auto, direct, ssh]
    default: auto
  api_forward:
    description: As for M(slipway.cluster.addons).
    type: raw
    default: false
  api_server_name:
    description: As for M(slipway.cluster.addons).
    type: str
  admin_kubeconfig:
    description: As for M(slipway.cluster.addons).
    type: str
    default: /etc/kubernetes/admin.conf
  access_namespace:
    description: As for M(slipway.cluster.addons).
    type: str
    default: slipway-access
  files_dir:
    description: As for M(slipway.cluster.addons).
    type: path
  catalogs:
    description: As for M(slipway.cluster.addons).
    type: raw
  namespace:
    description: As for M(slipway.cluster.addons).
    type: str
    default: slipway-system
  lock_wait:
    description: As for M(slipway.cluster.addons).
    type: raw
    default: 0
  lock_duration:
    description: As for M(slipway.cluster.addons).
    type: raw
    default: 30
"""

EXAMPLES = r"""
- name: Note that the hook has run
  slipway.cluster.addons_hook:
    stage: done
    hook: "{{ item }}"
    kubeconfig: ~/.kube/prod
"""

RETURN = r"""
slipway_addon:
  description: What the hook may know of its add-on, values included. It may hold secrets.
  returned: when O(stage=begin)
  type: dict
plan:
  description: As for M(slipway.cluster.addons).
  returned: when O(stage=failed)
  type: dict
state:
  description: As for M(slipway.cluster.addons).
  returned: when O(stage=failed)
  type: dict
result:
  description: As for M(slipway.cluster.addons).
  returned: when O(stage=failed)
  type: str
"""
