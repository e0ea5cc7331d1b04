#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: awx_definitions
short_description: Tell what an AWX is to have for a team's clusters
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
  - slipway.cluster.attributes.reads
author:
  - Slipway contributors (@slipway-cluster)
description:
  - A part of the playbook C(slipway.cluster.awx). Checks C(slipway_awx), all of it at once, and makes of it the
    arguments of modules of the collection C(awx.awx).
  - Asks nobody anything and changes nothing.
options:
  settings:
    description: The value of C(slipway_awx).
    type: dict
    required: true
  remove_awx:
    description:
      - Consent to remove. The prefix of all names for everything, or names of clusters that O(settings) no longer has.
    type: raw
    default: []
  there:
    description:
      - What AWX has, by what it is - C(job_templates), C(workflows), C(schedules), C(inventories), C(inventory_sources)
        and C(credentials) of the organization, each a list as its API shows it, of names that begin with RV(begin).
      - Without it nothing can be told about what is to go.
    type: dict
  stacks:
    description:
      - Folders with stacks of one's own, for the survey that makes a new cluster.
      - Relative to the folder in which the run is started. They are in AWX's project, and so is that folder.
    type: raw
    default: []
  clusters_alone:
    description: Whether what all clusters share is left out.
    type: raw
    default: false
"""

EXAMPLES = r"""
- name: Know what AWX is to have
  slipway.cluster.awx_definitions:
    settings: "{{ slipway_awx }}"
  register: definitions
"""

RETURN = r"""
organization:
  description: The organization that owns all of it.
  returned: success
  type: str
present:
  description: Lists of arguments, by what they make, such as C(job_templates).
  returned: success
  type: dict
absent:
  description:
    - The same for what is to be removed, in the order in which it can be. What the consent names, and what is no longer
      wanted of clusters that O(settings) has.
  returned: success
  type: dict
begin:
  description: How all names begin that AWX may have of it.
  returned: success, not with O(clusters_alone)
  type: str
prefix:
  description: The prefix of all names.
  returned: success, not with O(clusters_alone)
  type: str
kept_credentials:
  description: Names of credentials whose inputs stay as AWX has them, because others write a secret into them.
  returned: success
  type: list
  elements: str
problems:
  description: What is wrong with the settings, with code, place and remedy.
  returned: on errors
  type: list
  elements: dict
"""
