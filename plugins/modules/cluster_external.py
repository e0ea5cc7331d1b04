#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_external
short_description: Take away what a cluster has outside of itself, before the cluster goes
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Load balancers (Services of the type LoadBalancer), volumes (PersistentVolumes that a driver has made and whose
    policy is Delete) and VolumeSnapshotContents would be left behind by a reset, and be paid for.
  - They are taken away by deleting the objects that stand for them, while there still is somebody who sees to it. What
    uses a claim goes first, from its topmost owner down. All of it is waited for.
  - What a controller of another kind has made outside cannot be seen from here.
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
    description: With nothing left outside it changes nothing.
options:
  state:
    description:
      - V(listed) tells what is outside.
      - V(absent) takes it away, together with what uses it on the cluster.
    type: str
    choices: [listed, absent]
    default: listed
  name:
    description: The C(slipway_name).
    type: str
    default: ""
  remove_cluster:
    description: Consent to O(state=absent). It has to be the same as O(name).
    type: str
    default: ""
  remove_external:
    description: With V(false), O(state=absent) leaves everything outside, with a warning for each.
    type: raw
    default: true
  timeout:
    description: Seconds for all of it.
    type: float
    default: 600
"""

EXAMPLES = r"""
- name: Before the cluster is wiped
  slipway.cluster.cluster_external:
    state: absent
    name: "{{ slipway_name }}"
    remove_cluster: "{{ slipway_remove_cluster }}"
"""

RETURN = r"""
found:
  description: What was outside, each with C(kind), C(namespace), C(name), C(holder) and C(detail).
  returned: success
  type: list
  elements: dict
removed:
  description: What is gone, or would be in check mode.
  returned: success
  type: list
  elements: dict
kept:
  description: Volumes outside whose policy is to be kept.
  returned: success
  type: list
  elements: dict
problems:
  description: What does not go, each with the finalizer that holds it.
  returned: when something hangs
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8432
"""
