#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_leftovers
short_description: Find what must not be in an image of a node
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Searches a root file system for private keys, certificates, kubeconfigs, tokens and credentials; for what makes a
    host that host, such as C(machine-id), SSH host keys and its name; and for what a host that was in use has left,
    such as logs, histories, leases and pods' data. Fails with all of it at once.
  - A finding names path and line, never what stands there.
  - Of each file the first MiB is read. No link is followed, so nothing outside of O(root) is read. Left out are
    programs and packed files, file systems that are in memory or on the network, C(/proc), C(/sys), C(/dev) and
    C(/run), and the images of containers as they were pulled.
  - Needs root, and nothing but Python 3.8 or later on the host.
attributes:
  check_mode:
    support: full
    description: Can run in check mode, as it changes nothing.
  diff_mode:
    support: none
    description: There is nothing to show.
  idempotent:
    support: full
    description: Nothing is changed.
options:
  root:
    description: The root file system, V(/) for this host's own, or where an image is mounted or unpacked.
    type: path
    default: /
  allow:
    description:
      - Paths that are known and meant, seen from O(root). A folder stands for all in it, and C(*) for anything.
      - Those that name no finding are told in RV(unused).
    type: list
    elements: str
    default: []
  names:
    description:
      - What the host was called, and its addresses. Files of its configuration that still name it are findings.
    type: list
    elements: str
    default: []
seealso:
  - module: slipway.cluster.node_image
"""

EXAMPLES = r"""
- name: Nothing of this host's own may be in the image
  slipway.cluster.image_leftovers:
    names: [worker9, 10.0.0.19]
  become: true

- name: Look into an image before it is handed on
  slipway.cluster.image_leftovers:
    root: /mnt/image
    allow: [/etc/ssl/private/ssl-cert-snakeoil.key]
"""

RETURN = r"""
findings:
  description: Everything that must not be there, in the order of paths.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      sample: private key
    path:
      description: Where it is, seen from O(root).
      type: str
    line:
      description: In which line; V(0) where that means nothing.
      type: int
    remedy:
      description: What to do.
      type: str
allowed:
  description: What O(allow) names, in the same form.
  returned: always
  type: list
  elements: dict
unused:
  description: What in O(allow) names nothing.
  returned: always
  type: list
  elements: str
unreadable:
  description: Files that could not be read.
  returned: always
  type: list
  elements: str
files:
  description: How many files were looked at.
  returned: always
  type: int
seconds:
  description: How long it took.
  returned: always
  type: float
code:
  description: Code of the error; it has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8750
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.image.errors import ImageError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.image.leftovers import Search, search
from ansible_collections.slipway.cluster.plugins.module_utils.image.own import own_folders


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "/"},
            "allow": {"type": "list", "elements": "str", "default": []},
            "names": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    root = module.params["root"]
    if not os.path.isdir(root):  # noqa: PTH112
        problem = Problem("SLW-8759", f"{root} is no folder", "give where the root file system is mounted or unpacked")
        module.fail_json(msg=str(problem), **ImageError(problem).as_dict())
    found = search(Search(root, module.params["allow"], module.params["names"], own_folders(module._tmpdir)))
    for path in found.unreadable:
        module.warn(f"{path} could not be read, and was not searched")
    if found.findings:
        error = found.error()
        module.fail_json(msg=str(error), **error.as_dict(), **found.as_dict())
    module.exit_json(changed=False, **found.as_dict())


if __name__ == "__main__":
    main()
