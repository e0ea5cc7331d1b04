#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet
short_description: Tell the status of several clusters at once
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
  - slipway.cluster.attributes.reads
author:
  - Slipway contributors (@slipway-cluster)
description:
  - What the playbook C(slipway.cluster.status) does with C(slipway_fleet). Each cluster is looked at by an
    C(ansible-playbook slipway.cluster.status) of its own with that cluster's inventory, some at a time, each with a
    time limit. What they found is told in one table.
  - A cluster that cannot be looked at is a line that says why, and no failure of the others.
  - These runs have the environment of this one, its extra variables, its vault passwords, and its options for
    connections. They end with it.
  - Never changes anything.
options:
  fleet:
    description:
      - The inventories, as a list, as JSON, or as text with commas between them. Folders or files, relative to where
        the run was started; C(*) and C(?) stand for several.
      - An entry may be a map. C(inventory) is required, C(name) is what the cluster is called in the table, C(vars)
        are variables that count more than those of its inventory, C(timeout) is its own time limit in seconds.
    type: raw
    required: true
  parallel:
    description: How many clusters are looked at at the same time.
    type: int
    default: 4
  timeout:
    description: Seconds that a look at one cluster may take.
    type: float
    default: 300
  fail_on:
    description:
      - 'Results that the run is to fail on: V(changes), V(drift), V(unreachable). What is found of them is in
        RV(failures).'
      - With one of them, a cluster that answered and could be looked at in part only is a failure as well, for nobody
        can tell whether they hold there.
      - That no cluster answered at all is always one of these.
    type: list
    elements: str
    choices: [changes, drift, unreachable]
    default: []
  report_file:
    description: A file for all of it as JSON.
    type: path
  page_file:
    description: A file for all of it as an HTML page that needs no other file.
    type: path
  junit_file:
    description: A file with a JUnit case for each cluster.
    type: path
"""

EXAMPLES = r"""
- name: Look at all clusters of the project
  slipway.cluster.fleet:
    fleet: inventories/*
    page_file: fleet.html

- name: Look at one cluster that is far away, and at another by another address
  slipway.cluster.fleet:
    fleet:
      - inventory: inventories/edge
        timeout: 600
      - inventory: inventories/prod
        vars:
          slipway_api_server: https://prod.example.com:6443
"""

RETURN = r"""
result:
  description: 'The worst of all clusters: V(error), V(changes), V(drift) or V(unchanged).'
  returned: always
  type: str
fleet:
  description: Everything that is in the table and below it, as data, without a secret.
  returned: success
  type: dict
stats:
  description: The same in a few words for each cluster, for C(set_stats).
  returned: success
  type: dict
failures:
  description: Why the run is to fail, by O(fail_on) or because nobody answered.
  returned: success
  type: list
  elements: str
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8801
"""
