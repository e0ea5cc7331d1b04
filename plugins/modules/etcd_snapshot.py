#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_snapshot
short_description: Take and verify a snapshot of etcd, and write down the way back
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Runs on a host of etcd. Certificates are found where Kubespray puts them, for etcd as a service of the host
    (C(/etc/etcd.env)) and as a static pod of kubeadm's (C(/etc/kubernetes/ssl/etcd)).
  - A snapshot counts when its checksum is right, C(etcdutl snapshot status) can read it, and it is no older than what
    etcd held before. Only then older ones are removed.
  - A snapshot holds every Secret of the cluster. It stays on the host, readable by root alone.
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - Etcd is asked how it is, and no snapshot is taken.
  diff_mode:
    support: none
    description: Shows what would change or was changed.
  platform:
    support: full
    platforms: posix
    description: The operating systems that it runs on.
options:
  state:
    description:
      - V(present) takes a snapshot.
      - V(asked) only tells how etcd and its members are.
    type: str
    choices: [present, asked]
    default: present
  folder:
    description: Where snapshots are kept.
    type: path
    default: /var/lib/slipway/etcd
  keep:
    description: How many to keep, this one included.
    type: int
    default: 3
  endpoint:
    description: Address of etcd. By default its own on this host.
    type: str
    default: ""
  ca_file:
    description: CA certificate of etcd, where it is elsewhere.
    type: path
    default: ""
  cert_file:
    description: Client certificate, where it is elsewhere.
    type: path
    default: ""
  key_file:
    description: Key of O(cert_file).
    type: path
    default: ""
  bin_dir:
    description: Folder of C(etcdctl) and C(etcdutl). By default C(/usr/local/bin) and others.
    type: path
    default: ""
requirements:
  - Python 3.8 or later on the host, C(etcdctl), and C(etcdutl) from etcd 3.5 on; Kubespray installs both
"""

EXAMPLES = r"""
- name: Before an upgrade
  slipway.cluster.etcd_snapshot:
    keep: 5
  become: true
  delegate_to: "{{ groups['etcd'][0] }}"
  register: snapshot

- name: The way back
  ansible.builtin.debug:
    var: snapshot.restore
"""

RETURN = r"""
path:
  description: The file.
  returned: when a snapshot was taken
  type: str
  sample: /var/lib/slipway/etcd/etcd-20261122T140500Z-r48211.db
revision:
  description: The revision that it holds, or that etcd is at.
  returned: always
  type: int
keys:
  description: How many keys it holds.
  returned: when a snapshot was taken
  type: int
size:
  description: Its size in bytes, or that of etcd's database.
  returned: always
  type: int
version:
  description: Version of etcd.
  returned: always
  type: str
restore:
  description: The steps back, line by line. They are also beside the file, as C(.restore.txt).
  returned: when a snapshot was taken
  type: list
  elements: str
removed:
  description: Older ones that are gone now.
  returned: when a snapshot was taken
  type: list
  elements: str
members:
  description: Members of etcd, each with C(name), C(client_urls), C(peer_urls), C(learner) and C(healthy).
  returned: always
  type: list
  elements: dict
code:
  description: Code of the error; each has a page in the documentation.
  returned: on errors
  type: str
  sample: SLW-8510
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_ctl import find
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.etcd_snapshot import FOLDER, take


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "asked"], "default": "present"},
            "folder": {"type": "path", "default": FOLDER},
            "keep": {"type": "int", "default": 3},
            "endpoint": {"type": "str", "default": ""},
            "ca_file": {"type": "path", "default": ""},
            "cert_file": {"type": "path", "default": ""},
            "key_file": {"type": "path", "default": "", "no_log": False},
            "bin_dir": {"type": "path", "default": ""},
        },
        supports_check_mode=True,
    )
    asked = module.params
    takes = asked["state"] == "present"
    given = {name: asked[f"{name}_file"] for name in ("ca", "cert", "key")}
    try:
        etcd = find({**given, "endpoint": asked["endpoint"], "bin": asked["bin_dir"]})
        taking = takes and not module.check_mode
        found = take(etcd, asked["folder"], asked["keep"]) if taking else etcd.status()
        members = etcd.members()
    except KubeError as exc:
        module.fail_json(msg=str(exc), code=exc.code)
    module.exit_json(changed=takes, members=members, **found)


if __name__ == "__main__":
    main()
