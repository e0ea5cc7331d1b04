#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: session_report
short_description: Tell who this run is, and which hosts trust whom
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
  - slipway.cluster.attributes.reads
author:
  - Slipway contributors (@slipway-cluster)
description:
  - What the playbook C(slipway.cluster.session) is made of. Asks the certificate authority of the SSH
    session, logs in to hosts on connections of their own, and tells in one table which certificate each of them
    accepted, by which authority, and who certified the host itself.
  - With a session of Slipway only certificates are used. A host that refuses them is asked which of the user's
    plain keys it would take, by their public halves; nobody logs in by one.
  - With the providers V(agent) and V(none) hosts are visited as ssh does it by itself, and the report lists what
    the user's own agent offers.
  - Never changes anything.
options:
  stage:
    description:
      - V(authority) asks the authority, and fails with its reason when it refuses.
      - V(host) visits the task's host. A host that refuses is no failure.
      - V(report) tells the table.
    type: str
    required: true
    choices: [authority, host, report]
  name:
    description: Name of the cluster, C(slipway_name), for the headline.
    type: str
  visits:
    description: For V(report), the registered result of V(host) for each host, in the order of the table.
    type: dict
    default: {}
  report_file:
    description: For V(report), a file for the same as JSON.
    type: path
"""

EXAMPLES = r"""
- name: Visit the host
  slipway.cluster.session_report:
    stage: host
  register: visited

- name: Tell
  slipway.cluster.session_report:
    stage: report
    name: "{{ slipway_name }}"
    visits: "{{ {inventory_hostname: visited} }}"
  run_once: true
"""

RETURN = r"""
provider:
  description: The provider of C(slipway_ssh).
  returned: stage is V(authority)
  type: str
visit:
  description: 'What the visit came to: C(state), C(login), C(user), C(method), C(key), C(serial), C(key_id),
    C(authority), C(sworn), C(host_key), C(host_ca), C(reason).'
  returned: stage is V(host)
  type: dict
result:
  description: V(ok) when every host let us in, otherwise V(refused).
  returned: stage is V(report)
  type: str
report:
  description: Everything that is in the table, as data, without a secret.
  returned: stage is V(report)
  type: dict
"""
