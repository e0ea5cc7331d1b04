#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Check inventory, variables, Kubespray and hosts before anything is touched
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Finds all that is wrong at once, and tells it in one list with codes and remedies.
  - Findings are no failure of the task; RV(errors) has those that should keep a run from beginning.
  - Looks at the installed Kubespray with its dependencies, at the groups, at every variable that the user has set, at
    add-ons that two would own, and at what M(slipway.cluster.preflight_host) has seen on hosts.
  - What Kubespray takes is derived from the installed collection, and cached for its version.
  - Changes nothing, and contacts no host.
options:
  name:
    description: The C(slipway_name), for the report.
    type: str
    default: ''
  severity:
    description: Codes, each with V(error), V(warning), V(hint) or V(ignore).
    type: dict
    default: {}
  ignore_variables:
    description: Names of variables of your own that the check takes for misspelt ones of Kubespray.
    type: raw
    default: []
  members:
    description:
      - Nodes that the cluster has. They are not asked for what a fresh host must have.
      - Without any, and for hosts of C(etcd) alone, a host counts as one that has the files of it.
    type: raw
  former:
    description:
      - The hosts that were first in C(kube_control_plane) and C(etcd), by group, as the cluster's record has them.
    type: dict
    default: {}
  disk_mib:
    description: MiB that must be free where images and data go.
    type: raw
    default: 4096
  clock_skew_s:
    description: Seconds that a host's clock may be off the controller's.
    type: raw
    default: 5
  text_file:
    description: File for the list as text.
    type: path
  json_file:
    description: File for the list as JSON.
    type: path
  junit_file:
    description: File for the list as JUnit XML, with a test case for each code.
    type: path
  cache_dir:
    description: Folder for what was derived from Kubespray. By default C(slipway) in the user's cache folder.
    type: str
    default: ''
attributes:
  check_mode:
    support: full
    description: Can run in check mode, as it changes nothing but the files that are asked for.
  diff_mode:
    support: none
    description: There is nothing to show.
  idempotent:
    support: full
    description: The same findings come in the same order.
seealso:
  - module: slipway.cluster.preflight_host
  - name: Preflight
    description: All checks, with their codes.
    link: https://slipway.cluster/docs/preflight
"""

EXAMPLES = r"""
- name: Is all as it must be?
  slipway.cluster.preflight:
    severity: {SLW-8103: ignore, SLW-8016: error}
    junit_file: preflight.xml
"""

RETURN = r"""
report:
  description: The findings, as they are written to O(json_file).
  returned: always
  type: dict
errors:
  description: The findings that are errors, a line each.
  returned: always
  type: list
  elements: str
code:
  description: Code of what is wrong with an option.
  returned: when the task fails
  type: str
"""
