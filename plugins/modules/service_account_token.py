#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_account_token
short_description: Obtain a short-lived token of a ServiceAccount
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Asks the API server for a token by TokenRequest. Nothing is stored on the cluster; the token ends by itself, with
    its ServiceAccount, or with the object that it is bound to.
  - The result is hidden from every output, as with C(no_log); a registered variable has it.
extends_documentation_fragment:
  - slipway.cluster.api
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - In check mode no token is issued.
  idempotent:
    support: none
    description: Each run issues another token.
  action:
    support: full
    description: An action plugin hides the result; the work is done on the host.
options:
  namespace:
    description: Namespace of the ServiceAccount.
    type: str
    required: true
  service_account:
    description: Name of the ServiceAccount. It has to be there.
    type: str
    required: true
  audiences:
    description: Who the token is for; by default the API server itself.
    type: list
    elements: str
    default: []
  seconds:
    description: How long the token shall live, 600 at least. The API server may give less.
    type: int
    default: 600
  bound_to:
    description: An object that the token ends with, a Secret, a Pod or a Node.
    type: dict
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        choices: [Secret, Pod, Node]
        required: true
      name:
        description: Name of the object; in O(namespace), but for a Node.
        type: str
        required: true
      uid:
        description: UID that the object has to have.
        type: str
        default: ""
"""

EXAMPLES = r"""
- name: A token for the backup job of this play
  slipway.cluster.service_account_token:
    namespace: backup
    service_account: runner
    audiences: [vault]
    seconds: 900
  become: true
  register: backup_token
  no_log: true
"""

RETURN = r"""
token:
  description: The token.
  returned: except in check mode
  type: str
expires:
  description: When it ends, by the API server's clock.
  returned: except in check mode
  type: str
  sample: "2026-11-22T14:05:00Z"
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-7402
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.options import (
    ARGUMENTS,
    KUBECTL_FOLDERS,
    api_of,
)
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.token_request import request_token
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.veil import veil


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "namespace": {"type": "str", "required": True},
            "service_account": {"type": "str", "required": True},
            "audiences": {"type": "list", "elements": "str", "default": []},
            "seconds": {"type": "int", "default": 600},
            "bound_to": {
                "type": "dict",
                "options": {
                    "kind": {"type": "str", "choices": ["Secret", "Pod", "Node"], "required": True},
                    "name": {"type": "str", "required": True},
                    "uid": {"type": "str", "default": ""},
                },
            },
        },
        supports_check_mode=True,
    )
    params = module.params
    if module.check_mode:
        module.exit_json(changed=True)
    bound = None
    if params["bound_to"]:
        bound = {"apiVersion": "v1", **{key: value for key, value in params["bound_to"].items() if value}}
    try:
        with api_of(params, module.get_bin_path("kubectl", opt_dirs=list(KUBECTL_FOLDERS)) or "") as api:
            token = request_token(
                api,
                namespace=params["namespace"],
                account=params["service_account"],
                audiences=params["audiences"],
                seconds=params["seconds"],
                bound=bound,
            )
    except KubeError as exc:
        module.fail_json(msg=str(exc), code=exc.code)
    result: dict[str, Any] = {"expires": token.expires}
    result["token"] = veil(token.text, params["veil"]) if params["veil"] else token.text
    module.exit_json(changed=True, **result)


if __name__ == "__main__":
    main()
