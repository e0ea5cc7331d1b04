#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: join_token
short_description: Have a kubeadm join token of minutes for a batch of nodes
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Makes the Secret that kubeadm calls a bootstrap token, and removes it again. A batch is a set of nodes that joins
    together; it has one token.
  - Expired tokens of this O(name) are removed on the way.
  - The result is hidden from every output, as with C(no_log); a registered variable has it.
extends_documentation_fragment:
  - slipway.cluster.api
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
  idempotent:
    support: full
    description: A batch's token is given again while half of its life is left.
  action:
    support: full
    description: An action plugin hides the result; the work is done on the host.
options:
  state:
    description:
      - V(present) has a token for the batch.
      - V(absent) has none left of it.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The C(slipway_name). Tokens of others are not touched.
    type: str
    required: true
  batch:
    description: Name of the batch, lower-case letters, digits and C(-).
    type: str
    required: true
  seconds:
    description: How long the token shall live.
    type: int
    default: 900
  usages:
    description: What it may be used for.
    type: list
    elements: str
    choices: [authentication, signing]
    default: [authentication, signing]
  groups:
    description:
      - Groups that whoever uses the token is in. They begin with C(system:bootstrappers:).
      - By default C(system:bootstrappers:slipway:BATCH) alone, which may do nothing until something is bound to it.
      - For C(kubeadm join) as kubeadm sets clusters up, give C(system:bootstrappers:kubeadm:default-node-token).
    type: list
    elements: str
    default: []
  token_id:
    description: With O(state=absent), the public part of one more token to remove, whoever made it.
    type: str
    default: ''
  description:
    description: Said by C(kubeadm token list).
    type: str
    default: Made by slipway.cluster.join_token
"""

EXAMPLES = r"""
- name: Let three nodes join within ten minutes
  slipway.cluster.join_token:
    name: prod
    batch: workers-7
    seconds: 600
    groups: [system:bootstrappers:kubeadm:default-node-token]
  become: true
  register: join

- name: Nobody joins with it any more
  slipway.cluster.join_token:
    name: prod
    batch: workers-7
    state: absent
  become: true
"""

RETURN = r"""
token:
  description: The token as C(kubeadm join --token) takes it.
  returned: when O(state=present), except in check mode where it would be new
  type: str
token_id:
  description: Its public part, which the name of the Secret ends with.
  returned: when O(state=present)
  type: str
expires:
  description: When it ends, by the API server's clock.
  returned: when O(state=present)
  type: str
  sample: "2026-11-22T14:05:00Z"
removed:
  description: Public parts of tokens that are gone now.
  returned: always
  type: list
  elements: str
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-7408
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.bootstrap_token import (
    GROUP,
    Joining,
    JoinTokens,
)
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.options import (
    ARGUMENTS,
    KUBECTL_FOLDERS,
    api_of,
)
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.veil import veil

USAGES = ["authentication", "signing"]


def work(tokens: JoinTokens, params: dict[str, Any]) -> Joining:
    if params["state"] == "absent":
        return tokens.absent(params["token_id"])
    return tokens.present(
        life=params["seconds"],
        usages=params["usages"],
        groups=params["groups"] or [f"{GROUP}slipway:{params['batch']}"],
        description=params["description"],
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "name": {"type": "str", "required": True},
            "batch": {"type": "str", "required": True},
            "seconds": {"type": "int", "default": 900},
            "usages": {"type": "list", "elements": "str", "choices": USAGES, "default": USAGES},
            "groups": {"type": "list", "elements": "str", "default": []},
            "token_id": {"type": "str", "default": "", "no_log": False},
            "description": {"type": "str", "default": "Made by slipway.cluster.join_token"},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        with api_of(params, module.get_bin_path("kubectl", opt_dirs=list(KUBECTL_FOLDERS)) or "") as api:
            found = work(JoinTokens(api, name=params["name"], batch=params["batch"], dry=module.check_mode), params)
    except KubeError as exc:
        module.fail_json(msg=str(exc), code=exc.code)
    said = {"token_id": found.token_id, "expires": found.expires} if params["state"] == "present" else {}
    if found.token:
        said["token"] = veil(found.token, params["veil"]) if params["veil"] else found.token
    module.exit_json(changed=found.changed, removed=found.removed, **said)


if __name__ == "__main__":
    main()
