#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Compare the nodes of the inventory with those of the cluster, and let Kubespray act on what differs
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - What Slipway's playbooks for nodes are made of. Use these.
  - Runs for the first host of the group C(kube_control_plane). With a cluster that Slipway has built or adopted, no
    other host is contacted.
  - Compares groups and variables of the inventory with the API's nodes and with the cluster record, a ConfigMap.
    Hosts whose roles, addresses or variables that Kubespray reads have changed are those that Kubespray acts on.
extends_documentation_fragment:
  - slipway.cluster.controller
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
options:
  stage:
    description:
      - V(plan) tells what is to be done.
      - V(status) tells what is there, with a reader's rights. What cannot be looked at is told too, and is no failure.
      - V(begin) tells it, fails when it must not be done, and has M(slipway.cluster.node_scope) know the hosts.
      - V(lock) lets nobody else work on the nodes.
      - V(reached) waits until the nodes O(hosts) of O(run) are Ready, and records them.
      - V(cleared) notes that nothing is left outside of the cluster.
      - V(forget) sees that O(hosts) are gone, and takes them out of the record.
      - V(finish) gives the lock back.
      - V(abandon) ends the claim of a run that has failed, so that the next one need not wait.
      - V(reached), V(cleared) and V(forget) claim more time. Like V(finish) they fail when another run has taken over.
    type: str
    choices: [plan, status, begin, lock, reached, cleared, forget, finish, abandon]
    default: plan
  operation:
    description: What the run is for; V(scale) acts on new workers alone.
    type: str
    choices: [plan, install, scale, upgrade, remove, remove_cluster, replace]
    default: install
  name:
    description: The C(slipway_name).
    type: str
    required: true
  run:
    description: For V(reached), Kubespray's playbook that is through.
    type: str
  hosts:
    description: For V(reached) and V(forget), the hosts that it acted on; for V(lock), those that are taken out.
    type: raw
    default: []
  desired:
    description: For V(reached), the result of the same name of V(begin).
    type: dict
    default: {}
  delete:
    description: For V(forget), whether the nodes are still to be taken out of the cluster.
    type: raw
    default: false
  adopts:
    description: For V(reached), whether nodes are recorded that somebody else has built.
    type: raw
    default: false
  creates:
    description: For V(lock), whether there is no cluster yet.
    type: raw
    default: false
  absent_nodes:
    description: Hosts that are left alone, because they cannot be reached for now.
    type: raw
    default: []
  converge:
    description: Let Kubespray act on all hosts, whatever the record says.
    type: raw
    default: false
  fail_on:
    description: For V(plan) and V(status), results that the caller wants to fail on, C(changes), C(drift) or both.
    type: raw
    default: []
  adopt_cluster:
    description: Consent to take over a cluster that has no record, by its O(name).
    type: str
    default: ''
  remove_nodes:
    description: For O(operation=remove), the nodes, by their names in the inventory.
    type: raw
    default: []
  replace_batch:
    description: For O(operation=replace), how many nodes at the same time, as a number or a percentage.
    type: raw
    default: 1
  remove_unreachable:
    description: Those of O(remove_nodes) whose hosts cannot be reached, and are left as they are.
    type: raw
    default: []
  silent_hosts:
    description: Those of O(remove_nodes) that gave no answer to SSH.
    type: raw
    default: []
  remove_node_data:
    description: Consent to lose what only these nodes have.
    type: raw
    default: []
  etcd_members:
    description: Members of etcd, as M(slipway.cluster.etcd_snapshot) tells them. Without them nobody could ask.
    type: list
    elements: dict
  etcd_unheard:
    description: Why it could not.
    type: str
    default: ''
  addons_unsafe:
    description: For O(operation=remove), what M(slipway.cluster.addons) says of add-ons with fewer nodes.
    type: dict
    default: {}
  addons_unheard:
    description: Why it could not.
    type: str
    default: ''
  remove_cluster:
    description: For O(operation=remove_cluster), consent by the O(name).
    type: str
    default: ''
  remove_external:
    description:
      - For O(operation=remove_cluster), V(false) is the consent to leave what the cluster has outside of itself.
      - Without it a cluster whose API does not answer is not removed, as nobody could look.
    type: raw
    default: true
  shown_by:
    description: For O(operation=remove_cluster), control plane hosts besides the first one that show a cluster.
    type: raw
    default: []
  node_timeout:
    description: Seconds that a node may take to be Ready after Kubespray is done with it; V(0) does not wait.
    type: raw
    default: 300
  node_lock_duration:
    description: Seconds that the lock outlives the last sign of a run that died.
    type: raw
    default: 3600
  dead_run:
    description: Consent to go on after a run that holds the lock and has died, by the mark that SLW-8304 tells.
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
- name: What differs
  slipway.cluster.nodes:
    name: prod
"""

RETURN = r"""
status:
  description:
    - What is there. C(there) is whether there is a cluster, C(answers) whether its API does; C(kubernetes) and
      C(kubespray) are versions, C(adopted) is whether somebody else built it, and C(recorded) whether anything is known
      of that.
    - C(run) is the run that works on nodes, or the last one when it did not come to its end (C(holds) is false then);
      empty when there is none, or when the API is reached without a host that could be asked.
    - C(nodes) are nodes with what the API says of each, and what a plan would do with it (C(action), C(reasons));
      C(counts) counts them; C(problems) say what could not be looked at.
  returned: for V(status)
  type: dict
plan:
  description: What is to be done with each node, and why; C(runs) are the hosts of each of Kubespray's playbooks.
  returned: for V(plan) and V(begin)
  type: dict
desired:
  description: The hosts of the plan with digests of their variables, as they are recorded when Kubespray is done.
  returned: for V(begin)
  type: dict
locked:
  description: Whether this run works on nodes now.
  returned: for V(lock)
  type: bool
tokens:
  description: Public parts of the join tokens of this run and of those that died before it, this run's first.
  returned: for V(lock)
  type: list
  elements: str
unfinished:
  description: Whether nothing is to be done but to end the claim of a run that died.
  returned: for V(begin)
  type: bool
members:
  description: Names of the nodes that the cluster has.
  returned: for V(begin)
  type: list
  elements: str
answers:
  description: Whether there is a cluster whose API could be asked.
  returned: for V(begin)
  type: bool
first:
  description: Which hosts were the first of their groups when the cluster was built, by group.
  returned: for V(begin)
  type: dict
result:
  description: V(changes) or V(unchanged). For V(status) also V(error), when something is not ready or does not answer.
  returned: for V(plan), V(status) and V(begin)
  type: str
failing:
  description: What O(fail_on) names of this, which is V(changes) or nothing. Nodes have no drift.
  returned: for V(plan) and V(status)
  type: list
  elements: str
forgotten:
  description: Names of the nodes that are gone.
  returned: for V(forget)
  type: list
  elements: str
recorded:
  description: Names of the hosts that were recorded.
  returned: for V(reached)
  type: list
  elements: str
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8303
"""
