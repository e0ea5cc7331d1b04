#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_image
short_description: Make an image for nodes of a worker that Kubespray has prepared
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Seals a host. What Kubespray has rendered for it stays as files with placeholders for its name, its address and what
    it joins by; what makes it that host, and everything it has gathered, goes. Then it searches for what must not be in
    an image, as M(slipway.cluster.image_leftovers) does, and fails with all that it finds.
  - Programs, settings of the container runtime and its images, and the SSH authorities that the host trusts, stay.
  - A copy of the host becomes a node by a file with a name, an address and a token of minutes,
    C(/etc/slipway/join.env).
  - All of it, the search and RV(manifest) too, is one visit. Host keys and authorized keys go, so that there may be no
    other one.
  - It cannot be undone. Control plane hosts, members of etcd, and nodes that are still in the cluster are refused.
  - Needs root, and nothing but Python 3.8 or later on the host.
attributes:
  action:
    support: full
    description: An action plugin adds what the controller knows, the digests of variables and Kubespray's version.
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it. Nothing is searched then.
  diff_mode:
    support: none
    description: RV(removed) and RV(written) name the paths.
  idempotent:
    support: full
    description: An image stays as it is.
options:
  seal_host:
    description: Consent, by the inventory name of the host.
    type: str
    required: true
  root:
    description:
      - Where the root file system is, V(/) for this host's own. Elsewhere no service is stopped, and the versions of
        programs are asked for in a change root.
    type: path
    default: /
  name:
    description: Name of the image. By default the host's.
    type: str
    default: ''
  left:
    description: The cluster has no node of this name any more. M(slipway.cluster.node_leave) sees to it.
    type: bool
    default: false
  keep:
    description: Paths that stay, and count as known and meant. C(*) stands for anything.
    type: list
    elements: str
    default: []
  allow:
    description: Paths that sealing does not touch, and that are known and meant. C(*) stands for anything.
    type: list
    elements: str
    default: []
  config_dir:
    description: Kubespray's C(kube_config_dir).
    type: str
    default: /etc/kubernetes
  cert_dir:
    description: Kubespray's C(kube_cert_dir).
    type: str
    default: /etc/kubernetes/ssl
  manifest_dir:
    description: Kubespray's C(kube_manifest_dir).
    type: str
    default: /etc/kubernetes/manifests
  bin_dir:
    description: Kubespray's C(bin_dir).
    type: str
    default: /usr/local/bin
  container_manager:
    description: Kubespray's C(container_manager).
    type: str
    default: containerd
  runtime_dir:
    description: Folder of the container runtime's programs. By default O(bin_dir).
    type: str
    default: ''
  network_plugin:
    description: Kubespray's C(kube_network_plugin).
    type: str
    default: calico
  network_etcd:
    description: The network plugin keeps its data in etcd.
    type: bool
    default: false
  ignore_preflight_errors:
    description: Kubespray's C(kubeadm_ignore_preflight_errors).
    type: list
    elements: str
    default: []
  skip_phases:
    description: Kubespray's C(kubeadm_join_phases_skip).
    type: list
    elements: str
    default: []
  join_timeout:
    description: Kubespray's C(kubeadm_join_timeout).
    type: str
    default: 120s
  token_seconds:
    description: Life of a join token. A file of settings that is older is removed on the node.
    type: int
    default: 3600
  files:
    description:
      - Path to content of the files that every image has, the join script and its units. What begins with C(#!) can be
        run.
    type: dict
    required: true
  kubespray:
    description: Version of Kubespray. Given by the action plugin.
    type: str
    default: ''
  variables:
    description: Digests of variables. Given by the action plugin.
    type: dict
    default: {}
  former:
    description: More names of the host. Given by the action plugin.
    type: list
    elements: str
    default: []
  copy_to:
    description:
      - Folder on the controller for a copy of the manifest, C(<name>.json). Relative to where the run was started. Used
        by the action plugin.
    type: str
    default: ''
  cache_dir:
    description: Folder for what is derived from the installed Kubespray. Used by the action plugin.
    type: str
    default: ''
seealso:
  - module: slipway.cluster.image_leftovers
  - module: slipway.cluster.node_leave
"""

EXAMPLES = r"""
- name: Seal worker9
  slipway.cluster.node_image:
    seal_host: worker9
    left: true
    network_plugin: "{{ kube_network_plugin }}"
    files:
      /usr/local/bin/slipway-join: "{{ lookup('ansible.builtin.file', 'join') }}"
  become: true
  register: image
"""

RETURN = r"""
manifest:
  description: What is in the image, as C(/etc/slipway/image.json) has it.
  returned: on success
  type: dict
copy:
  description: Path of the manifest's copy.
  returned: when O(copy_to) was given
  type: str
written:
  description: Files that were written.
  returned: on success
  type: list
  elements: str
removed:
  description: Files and folders that were removed.
  returned: on success
  type: list
  elements: str
leftovers:
  description: What RV(slipway.cluster.image_leftovers#module:findings) has, none of it an error by itself.
  returned: when it was searched
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8751
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.image import sealing
from ansible_collections.slipway.cluster.plugins.module_utils.image.errors import ImageError
from ansible_collections.slipway.cluster.plugins.module_utils.image.leftovers import Search, search
from ansible_collections.slipway.cluster.plugins.module_utils.image.manifest import About
from ansible_collections.slipway.cluster.plugins.module_utils.image.own import own_folders
from ansible_collections.slipway.cluster.plugins.module_utils.image.place import Place, Programs
from ansible_collections.slipway.cluster.plugins.module_utils.image.suitable import Layout

_LIST = {"type": "list", "elements": "str", "default": []}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "seal_host": {"type": "str", "required": True},
            "root": {"type": "path", "default": "/"},
            "name": {"type": "str", "default": ""},
            "left": {"type": "bool", "default": False},
            "keep": _LIST,
            "allow": _LIST,
            "config_dir": {"type": "str", "default": "/etc/kubernetes"},
            "cert_dir": {"type": "str", "default": "/etc/kubernetes/ssl"},
            "manifest_dir": {"type": "str", "default": "/etc/kubernetes/manifests"},
            "bin_dir": {"type": "str", "default": "/usr/local/bin"},
            "container_manager": {"type": "str", "default": "containerd"},
            "runtime_dir": {"type": "str", "default": ""},
            "network_plugin": {"type": "str", "default": "calico"},
            "network_etcd": {"type": "bool", "default": False},
            "ignore_preflight_errors": _LIST,
            "skip_phases": _LIST,
            "join_timeout": {"type": "str", "default": "120s"},
            "token_seconds": {"type": "int", "default": 3600, "no_log": False},
            "files": {"type": "dict", "required": True},
            "kubespray": {"type": "str", "default": ""},
            "variables": {"type": "dict", "default": {}},
            "former": _LIST,
            "copy_to": {"type": "str", "default": ""},
            "cache_dir": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        result = _seal(module.params, own_folders(module._tmpdir), check_mode=module.check_mode)
    except ImageError as exc:
        module.fail_json(msg=str(exc), **exc.as_dict())
    else:
        module.exit_json(**result)


def _seal(asked: dict[str, Any], own: Any, *, check_mode: bool) -> dict[str, Any]:
    place = Place(asked["root"])
    programs = Programs(place)
    layout = Layout(
        config_dir=asked["config_dir"],
        cert_dir=asked["cert_dir"],
        manifest_dir=asked["manifest_dir"],
        bin_dir=asked["bin_dir"],
        runtime=asked["container_manager"],
        runtime_dir=asked["runtime_dir"] or asked["bin_dir"],
        network_plugin=asked["network_plugin"],
        network_etcd=asked["network_etcd"],
    )
    wanted = sealing.Wanted(
        about=About(asked["name"] or asked["seal_host"], asked["kubespray"], asked["variables"]),
        settings=sealing.Settings(
            asked["ignore_preflight_errors"], asked["skip_phases"], asked["join_timeout"], asked["token_seconds"]
        ),
        files=asked["files"],
        former=[asked["seal_host"], *asked["former"]],
        keep=asked["keep"],
        own=own,
        left=asked["left"],
    )
    plan = sealing.plan(place, programs, layout, wanted, lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    told = {
        "changed": plan.changed,
        "manifest": plan.manifest,
        "written": [path for path, _content, _mode in plan.writes],
        "removed": list(plan.removes),
    }
    if check_mode:
        return told
    if plan.changed:
        sealing.carry_out(place, programs, layout, plan)
    found = search(Search(asked["root"], [*asked["keep"], *asked["allow"]], plan.names, own))
    return {**told, "leftovers": [one.as_dict() for one in found.findings], **_failure(found)}


def _failure(found: Any) -> dict[str, Any]:
    if not found.findings:
        return {}
    error = found.error()
    return {"failed": True, "msg": str(error), **error.as_dict()}


if __name__ == "__main__":
    main()
