#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_access
short_description: Give a run its rights on a cluster, and take them back
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Runs on a control plane node, whose admin kubeconfig never leaves it. What comes back is a token that ends within
    minutes, the cluster's public CA and its address.
  - The reader is an account that stays. It may read the kinds that this O(name) owns objects of, and the Secrets that
    it owns, by their names; its rights are computed from the records at every call.
  - An installer is an account for one run, bound to C(cluster-admin) until the run ends, or stops being heard of.
  - What killed runs of this O(name) left is removed at every call.
  - M(slipway.cluster.addons) calls it by itself. People call it to prepare the reader, or to remove everything.
extends_documentation_fragment:
  - slipway.cluster.api
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - In check mode no token is issued.
  idempotent:
    support: full
    description: The reader's rights are written only where they differ.
options:
  state:
    description:
      - V(present) gives rights.
      - V(absent) takes back those of O(run); without O(run), everything of this O(name), the reader included.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The C(slipway_name).
    type: str
    required: true
  namespace:
    description: Namespace of the accounts. It is made when needed, and goes when nobody's account is left in it.
    type: str
    default: slipway-access
  records_namespace:
    description: Namespace of the records.
    type: str
    default: slipway-system
  rights:
    description: Whose rights O(run) gets.
    type: str
    choices: [reader, installer]
    default: reader
  run:
    description: An identity of the run, lower-case letters, digits and C(-). With it a token is issued.
    type: str
    default: ""
  seconds:
    description: How long a token lives, 600 to 900.
    type: int
    default: 900
  claim:
    description: Seconds that an installer's rights outlive the last sign of its run.
    type: int
    default: 60
  leave:
    description: With O(state=absent) and O(run), the reader goes too when no record is left.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Prepare the account that plans read with
  slipway.cluster.cluster_access:
    name: prod
  become: true

- name: Remove all accounts and rights of this name
  slipway.cluster.cluster_access:
    name: prod
    state: absent
  become: true
"""

RETURN = r"""
made:
  description: What was created or brought up to date.
  returned: always
  type: list
  elements: str
removed:
  description: What was removed.
  returned: always
  type: list
  elements: str
left_behind:
  description: Of RV(removed), what runs had left that ended without giving it back.
  returned: always
  type: list
  elements: str
token:
  description: The token of O(run), which only this collection's own actions can read.
  returned: with O(state=present) and O(run)
  type: str
expires:
  description: When the token ends, by the API server's clock.
  returned: with O(state=present) and O(run)
  type: str
server:
  description: Address of the API server, as the node names it.
  returned: with O(state=present) and O(run)
  type: str
server_name:
  description: Name that its certificate is checked for, where that is not the address.
  returned: with O(state=present) and O(run)
  type: str
ca:
  description: CA certificates of the cluster, PEM.
  returned: with O(state=present) and O(run)
  type: str
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-7402
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError, KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.cluster_access import Change, ClusterAccess
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.options import (
    ARGUMENTS,
    KUBECTL_FOLDERS,
    api_of,
)
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.veil import veil


def work(access: ClusterAccess, params: dict[str, Any]) -> Change:
    run = params["run"]
    if params["state"] == "absent":
        return access.end(run, leave=params["leave"]) if run else access.remove()
    if run and not 600 <= params["seconds"] <= 900:
        raise AccessError("SLW-7407", f"a token of {params['seconds']} s was asked for, 600 to 900 s can be had here")
    if run and not params["veil"]:
        raise AccessError("SLW-7401", "a run's token was asked for by a task", "leave run out: actions ask for tokens")
    if params["rights"] == "installer" and run:
        return access.installer(run, params["seconds"], params["claim"])
    return access.reader(run, params["seconds"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": "slipway-access"},
            "records_namespace": {"type": "str", "default": "slipway-system"},
            "rights": {"type": "str", "choices": ["reader", "installer"], "default": "reader"},
            "run": {"type": "str", "default": ""},
            "seconds": {"type": "int", "default": 900},
            "claim": {"type": "int", "default": 60},
            "leave": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        with api_of(params, module.get_bin_path("kubectl", opt_dirs=list(KUBECTL_FOLDERS)) or "") as api:
            access = ClusterAccess(
                api,
                name=params["name"],
                namespace=params["namespace"],
                home=params["records_namespace"],
                dry=module.check_mode,
            )
            change = work(access, params)
    except KubeError as exc:
        module.fail_json(msg=str(exc), code=exc.code)
    result: dict[str, Any] = {"made": change.made, "removed": change.removed, "left_behind": change.left_behind}
    if change.token is not None:
        result.update(token=veil(change.token.text, params["veil"]), expires=change.token.expires)
        result.update(server=api.access.server, server_name=api.access.tls_server_name, ca=api.access.ca_pem.decode())
    module.exit_json(changed=bool(change.made or change.removed), **result)


if __name__ == "__main__":
    main()
