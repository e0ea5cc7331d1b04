# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of what is checked before nodes are touched.

SLW-80xx: Kubespray itself, inventory and groups; 81xx: variables of Kubespray; 82xx: hosts.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-8001": "Kubespray is not installed",
    "SLW-8002": "Kubespray cannot be read",
    "SLW-8003": "version of Kubespray has not been tried",
    "SLW-8004": "ansible-core is not one that Kubespray runs with",
    "SLW-8005": "collection that Kubespray needs is missing or of another version",
    "SLW-8006": "Python package that Kubespray needs is missing",
    "SLW-8010": "group k8s_cluster is not written down",
    "SLW-8011": "no host for the control plane",
    "SLW-8012": "no host for pods",
    "SLW-8013": "no host for etcd",
    "SLW-8014": "even number of hosts for etcd",
    "SLW-8015": "group has an old or misspelt name",
    "SLW-8016": "host is in none of Kubespray's groups",
    "SLW-8017": "name cannot be used",
    "SLW-8018": "first host of a group has changed",
    "SLW-8019": "host or group is named bastion",
    "SLW-8021": "add-on has two owners",
    "SLW-8022": "Kubespray would delete the namespace of cert-manager",
    "SLW-8023": "add-on is Kubespray's",
    "SLW-8030": "option of the preflight has a wrong value",
    "SLW-8101": "variable is misspelt",
    "SLW-8102": "variable has another name in Kubespray",
    "SLW-8103": "variable has no effect",
    "SLW-8104": "variable is set by Kubespray itself",
    "SLW-8105": "variable is one that Kubespray no longer takes",
    "SLW-8106": "value has another type than Kubespray's default",
    "SLW-8107": "variable is a keyword of Ansible",
    "SLW-8108": "version is a number",
    "SLW-8109": "text stands where true or false is wanted",
    "SLW-8201": "host cannot be reached",
    "SLW-8202": "no root on the host",
    "SLW-8203": "no usable Python on the host",
    "SLW-8204": "operating system is not supported",
    "SLW-8205": "too little memory",
    "SLW-8206": "too little free disk",
    "SLW-8207": "clock is off",
    "SLW-8208": "machine id is missing or shared",
    "SLW-8209": "hostname is shared",
    "SLW-8210": "port is taken",
    "SLW-8211": "swap is on",
    "SLW-8212": "kernel lacks a module",
    "SLW-8213": "kernel settings cannot be written",
    "SLW-8214": "control groups do not fit",
    "SLW-8215": "host is not run by systemd",
    "SLW-8216": "no name server",
    "SLW-8217": "hosts do not reach each other",
    "SLW-8218": "host has remains of a cluster",
    "SLW-8219": "host could not be looked at",
}
