#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_ca
short_description: Prepare an OpenBao or Vault to sign SSH certificates for a cluster
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Makes mounts, Ed25519 keys, roles and policies for users' and hosts' certificates, and logins for
    them on request.
  - A key is made where there is none, and never made anew. Rotation has steps of its own, O(operation).
  - Everything is read first. What the token is not allowed to do is one error that names all of it, before
    anything is written.
  - Everything happens on the controller; no host is contacted.
extends_documentation_fragment:
  - slipway.cluster.attributes
  - slipway.cluster.authority
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - Reads and compares, and writes nothing.
  diff_mode:
    support: full
    description: Tells the difference in diff mode.
options:
  operation:
    description:
      - V(prepare) makes what is missing and corrects what is different.
      - V(add) gives the mounts of O(rotate_mounts) a second key that does not sign yet, V(switch) lets
        the newest key sign, V(drop) deletes the keys that O(drop) names.
    type: str
    choices:
      - prepare
      - add
      - switch
      - drop
    default: prepare
  ttl:
    description: How long a user's certificate is valid.
    type: raw
    default: 10m
  max_ttl:
    description: The most that may be asked for.
    type: raw
    default: 15m
  host_ttl:
    description: How long a host's certificate is valid. It is renewed by every run in the second half
      of its life.
    type: raw
    default: 90d
  port_forwarding:
    description: Whether users' certificates permit port forwarding, which the way over a bastion and
      C(slipway_api_forward) need. They permit nothing else.
    type: raw
    default: false
  approle:
    description: Whether to make an AppRole with the right to sign.
    type: raw
    default: false
  approle_options:
    description: 'More settings of the AppRole, as the server returns them: C(token_bound_cidrs), for
      example.'
    type: dict
    default: {}
  jwt:
    description: Settings of a JWT role with the right to sign, as the server returns them; C(mount) is
      its auth mount. None by default.
    type: dict
    default: {}
  rotate_mounts:
    description: Whose key is rotated. By default O(user_mount).
    type: raw
    default: []
  drop:
    description: Fingerprints of the keys to delete.
    type: raw
    default: []
"""

EXAMPLES = r"""
- name: Prepare the authority
  slipway.cluster.ssh_ca:
    name: prod
    address: https://bao.example.com:8200
"""

RETURN = r"""
changes:
  description: What was or would be written, in words.
  returned: success
  type: list
  elements: str
keys:
  description: 'Mount to its keys: C(fingerprint), C(public_key), C(name), and whether it C(signs).'
  returned: success
  type: dict
"""
