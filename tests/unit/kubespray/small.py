# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A small collection, made up, that has one of each thing that Kubespray does with variables."""

from __future__ import annotations

import json
from pathlib import Path

FILES = {
    "meta/runtime.yml": "",
    "playbooks/cluster.yml": """
- hosts: "{{ node | default('all') }}"
  vars: {lowest: 1}
  roles: [{role: etcd, etcd_setup: true}]
  tasks:
    - ansible.builtin.debug: {msg: "{{ lowest }} {{ etcd_setup }}"}
""",
    "roles/main/defaults/main.yml": """
kube_network_plugin: calico
kube_proxy_strict_arp: false
etcd_retries: 4
dns_servers: []
calico_felix: {}
calico_felix_level: 1.5
pull_tool: nerdctl
nerdctl_pull_command: nerdctl pull
crictl_pull_command: crictl pull
pull_command: "{{ lookup('vars', pull_tool + '_pull_command') }}"
kube_version: "{{ (kubelet_checksums['amd64'] | dict2items)[0].key }}"
old_and_unread: 1
several: 1
used: "{{ several }} {{ pull_command }} {{ kube_version }} {{ vars['by_key'] }}"
""",
    "roles/main/vars/main/checksums.yml": "kubelet_checksums: {amd64: {1.35.4: abc}}\n",
    "roles/net/calico/defaults/main.yml": "several: text\ncalico_mode: bird\n",
    "roles/net/calico/tasks/main.yml": """
- name: Refuse what is gone
  vars:
    removed_vars: [kubelet_gone]
    found: "{{ query('varnames', removed_vars | join('|')) }}"
  assert: {that: found | length == 0}
- name: Look
  command: "calicoctl {{ calico_mode }} {{ used }} {{ item.name }} {{ unused_filter | no_such_filter }}"
  register: calico_out
  loop: "{{ peers_of_calico | default([]) }}"
  loop_control: {loop_var: peer}
  when: calico_mtu is defined and calico_out is not defined
- name: Once
  set_fact: {kubeadm_token: "{{ calico_out.stdout }}", cacheable: true}
  when: kubeadm_token is not defined
- name: Always
  set_fact: {main_ip: "{{ hostvars[inventory_hostname]['access_ip'] | default(ip) }}"}
- name: Hidden from us
  debug: {msg: "{{ kube_network_plugin }} {{ kube_proxy_strict_arp }} {{ etcd_retries }} {{ dns_servers }}"}
- name: Backslashes
  debug:
    msg: "{{ by_pattern is match('\\\\d') }}"
- name: No template
  debug: {msg: "{{ broken_words if }}"}
""",
    "roles/net/calico/templates/calico.j2": """
{% macro line(text) %}{{ text }}{% endmacro %}
{% for host in groups['k8s_cluster'] %}{% set shown = host %}
{{ line(shown) }}{{ hostvars[host].node_colour }}
{% endfor %}
{{ calico_felix }} {{ calico_felix_level }} {{ main_ip }} {{ ansible_facts['x'] }}
""",
    "roles/net/calico/molecule/default/converge.yml": "- hosts: all\n  vars: {a: '{{ molecule_only }}'}\n",
    "roles/net/calico/files/manifest.yml": "data: '{{ files_only }}'\n",
    "roles/net/calico/tasks/spoilt.yml": "- [\n",
}


def make_collection(path: Path, version: str, requires: str = ">=2.18.0,<2.19.0") -> Path:
    """Install it below the collection path ``path``, with the collection that it needs."""
    root = path / "ansible_collections" / "kubernetes_sigs" / "kubespray"
    for name, content in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (root / "meta" / "runtime.yml").write_text(f"requires_ansible: '{requires}'\n")
    info = {"version": version, "dependencies": {"ansible.utils": ">=2.5.0"}}
    (root / "MANIFEST.json").write_text(json.dumps({"collection_info": info}))
    (root / "FILES.json").write_text(json.dumps({"files": sorted(FILES)}))
    needed = path / "ansible_collections" / "ansible" / "utils"
    needed.mkdir(parents=True)
    (needed / "MANIFEST.json").write_text(json.dumps({"collection_info": {"version": "2.5.0"}}))
    return root
