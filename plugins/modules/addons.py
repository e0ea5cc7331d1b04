#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: addons
short_description: Plan, install, upgrade and remove add-ons of a Kubernetes cluster
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Reads the add-on manifest from the variables C(slipway_addons), C(slipway_values) and their C(__layer) variants,
    checks and resolves it, compares it with the cluster and carries out what differs.
  - Charts are rendered by Helm and applied by server-side apply; Helm's own commands go on to work on the releases.
  - Everything happens on the controller; no host is contacted but the one that O(api_access) may ask for a token.
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - The plan is made by the same code as in a real run.
  diff_mode:
    support: full
    description: Shows what would change or was changed, field by field.
    details:
      - The plan is printed with every object and field.
  idempotent:
    support: full
    description: A second run with the same manifest changes nothing and starts no Helm process.
options:
  operation:
    description:
      - V(plan) tells what V(install) would do.
      - V(install) installs, upgrades and repairs until everything is as written.
      - V(scale) is V(install) under the name that one looks for when nodes have come or gone.
      - V(rollback) takes the add-ons that O(rollback) names back to an earlier state.
      - V(remove) removes the add-ons that O(remove_addons) names, and forgets those that O(disown) names.
      - V(drift) tells what is not as it was applied, field by field with who changed it and when. It changes nothing.
      - V(status) tells what is there, its health, and what changed since it was applied. It changes nothing.
      - V(smoke) tries the smoke checks of all installed add-ons, and changes nothing but their temporary objects.
      - V(fewer_nodes) tells what add-ons would call unsafe if the nodes of O(without_nodes) were gone, and never fails.
        The removal of nodes asks so. It changes nothing.
    type: str
    choices: [plan, install, scale, rollback, remove, smoke, drift, status, fewer_nodes]
    default: plan
  kubeconfig:
    description:
      - Path of a kubeconfig file. Either this or O(api_server) is required, or a control plane host; see O(api_access).
      - Neither E(KUBECONFIG) nor an in-cluster identity is ever used by itself.
    type: path
  context:
    description: Context in O(kubeconfig); by default its current one.
    type: str
  api_server:
    description: Address of the API server, C(https://host:port).
    type: str
  api_token:
    description: Bearer token for O(api_server).
    type: str
  api_ca_file:
    description: File with the CA certificates of O(api_server).
    type: path
  api_access:
    description:
      - How the cluster is reached.
      - V(direct) takes O(kubeconfig), or O(api_server) with O(api_token).
      - V(ssh) asks the control plane host that the task runs for. It gives a token of minutes, with the rights to read
        for V(plan), V(status) and V(drift), and with all rights for the rest, until the task ends.
      - With V(ssh) no kubeconfig leaves the host.
      - V(auto) is V(direct) where O(kubeconfig) or O(api_server) is given, else V(ssh) where the host is one of the
        group C(kube_control_plane) and not the controller itself.
    type: str
    choices: [auto, direct, ssh]
    default: auto
  api_forward:
    description:
      - With O(api_access=ssh), reach the API server through the host's SSH connection, where only nodes can reach it.
    type: raw
    default: false
  api_server_name:
    description:
      - With O(api_access=ssh), the name that the API server's certificate is checked for.
      - By default the one that the control plane host itself goes by.
    type: str
  admin_kubeconfig:
    description: With O(api_access=ssh), path of the admin kubeconfig on the control plane host. It is read there.
    type: str
    default: /etc/kubernetes/admin.conf
  access_namespace:
    description: With O(api_access=ssh), namespace of the accounts that the tokens are of.
    type: str
    default: slipway-access
  files_dir:
    description: Folder that relative paths in the manifest start from. By default the folder of the inventory.
    type: path
  catalogs:
    description: Folders with catalog entries of your own, relative to O(files_dir).
    type: raw
  repositories:
    description:
      - Chart repositories that need more than their address, by any name. Each entry has C(url) and of C(ca_file),
        C(proxy), C(username), C(password), C(token), C(plain_http).
    type: raw
  helm:
    description: The Helm program, version 3 or 4.
    type: str
    default: helm
  kustomize:
    description: The command that builds a kustomization folder.
    type: str
    default: kubectl kustomize
  cache_dir:
    description: Folder for downloaded charts. By default C(slipway) in the user's cache folder.
    type: path
  namespace:
    description: Namespace of the records, the digest key and the lock.
    type: str
    default: slipway-system
  concurrency:
    description: How many add-ons are worked on at the same time.
    type: raw
    default: 4
  lock_wait:
    description: Seconds to wait for another run's lock; V(0) refuses at once.
    type: raw
    default: 0
  lock_duration:
    description: Seconds that the lock outlives a run that died.
    type: raw
    default: 30
  only:
    description: Work on these add-ons only, and on what they depend on. A list, or names separated by commas.
    type: raw
  skip:
    description: Leave these add-ons out.
    type: raw
  overwrite:
    description: Add-ons, or findings by their ids, whose fields are taken back from whoever changed them.
    type: raw
  keep:
    description: Add-ons, or findings by their ids, whose changed fields are left as they are.
    type: raw
  adopt:
    description: Add-ons, or findings by their ids, for which the plan says how to write them into the manifest.
    type: raw
  prune:
    description: Consent to remove add-ons that were dropped from the manifest. Names, or V(true) for all of them.
    type: raw
  scale_down:
    description: Consent to fewer replicas of add-ons that call it unsafe.
    type: raw
  without_nodes:
    description: For O(operation=fewer_nodes), names of nodes, or of their hosts, that are to go.
    type: raw
  remove_addons:
    description: Add-ons to remove, for O(operation=remove).
    type: raw
  remove_pvcs:
    description: Consent to delete the volumes of these add-ons.
    type: raw
  remove_crds:
    description:
      - Consent to delete the CRDs of these add-ons, with the number of foreign custom resources that this destroys.
        A mapping, or C(name=number) separated by commas.
    type: raw
  remove_kept:
    description:
      - Consent to delete the objects of these add-ons that are marked C(helm.sh/resource-policy=keep), and those that
        were there before they were adopted.
    type: raw
  remove_protected:
    description: Consent to remove these protected add-ons.
    type: raw
  rollback:
    description:
      - Add-ons to roll back, for O(operation=rollback).
      - C(name) goes to the state before the current one, C(name=3) to revision 3; several are separated by commas. A
        list or a mapping will do, too.
    type: raw
  history_max:
    description: States that are kept of each add-on, the current one included; also the number of Helm's revisions.
    type: raw
    default: 10
  disown:
    description:
      - Add-ons to forget without deleting anything, for O(operation=remove).
      - Their objects stay, and go on with Helm or kubectl.
    type: raw
  fail_on:
    description: Reported back for the caller to fail on, C(changes), C(drift) or both.
    type: raw
  report_file:
    description: Write plan and results to this file as JSON.
    type: path
  smoke:
    description: Whether V(install) tries the smoke checks of the add-ons that it has changed.
    type: raw
    default: true
  rendered_dir:
    description:
      - Folder for the rendered objects of all add-ons, for a Git repository or a GitOps tool. V(plan) and V(install)
        write it; secret values are left out. With it, unchanged charts are rendered too.
      - Relative to O(files_dir).
    type: path
  so_far:
    description:
      - The result of the task before, when hooks have run since; the run goes on, and reads as one.
      - Set by the role itself.
    type: dict
"""

EXAMPLES = r"""
- name: Tell what would change
  slipway.cluster.addons:
    operation: plan
    kubeconfig: ~/.kube/prod

- name: Install by host, token and CA
  slipway.cluster.addons:
    operation: install
    api_server: https://192.0.2.10:6443
    api_token: "{{ lookup('ansible.builtin.env', 'SLIPWAY_API_TOKEN') }}"
    api_ca_file: files/ca.pem

- name: Go back to revision 3
  slipway.cluster.addons:
    operation: rollback
    kubeconfig: ~/.kube/prod
    rollback: portal=3

- name: Remove an add-on with its volumes
  slipway.cluster.addons:
    operation: remove
    kubeconfig: ~/.kube/prod
    remove_addons: loki
    remove_pvcs: loki
"""

RETURN = r"""
unsafe:
  description: By name of the add-on, which of its objects would have fewer replicas than it calls safe.
  returned: for O(operation=fewer_nodes)
  type: dict
unheard:
  description: Why add-ons could not be asked.
  returned: for O(operation=fewer_nodes), when they could not
  type: str
result:
  description: The strongest of C(error), C(changes), C(drift), C(unchanged).
  returned: always
  type: str
  sample: changes
conditions:
  description:
    - What O(fail_on) is compared with. With O(operation=status) what is true of C(changes) and C(drift), otherwise
      RV(result).
  returned: success
  type: list
  elements: str
plan:
  description: The plan, and in a real run what became of each add-on. Secrets are masked.
  returned: when the manifest could be read
  type: dict
  contains:
    addons:
      description: Each add-on with action, reason, objects and fields.
      type: list
      elements: dict
    results:
      description: Outcome by add-on, in a real run.
      type: dict
    rendered:
      description: With O(rendered_dir), what was written and removed there.
      type: dict
hooks:
  description: Hooks that are due now. The run is not over; it goes on with O(so_far) when they have run.
  returned: when hooks are due
  type: list
  elements: dict
  contains:
    addon:
      description: Name of the add-on.
      type: str
    operation:
      description: One of C(install), C(upgrade), C(remove).
      type: str
    event:
      description: Key of the hook in the manifest.
      type: str
      sample: before_install
    path:
      description: The file as written in the manifest.
      type: str
    file:
      description: The file's absolute path.
      type: str
    variables:
      description: What the hook may know of its add-on, but for the values.
      type: dict
state:
  description: What the next task of this run has to know.
  returned: when hooks are due
  type: dict
findings:
  description: What is wrong with the manifest, each with code, key path, file, line and column.
  returned: when the manifest cannot be used
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on other errors
  type: str
  sample: SLW-6001
"""
