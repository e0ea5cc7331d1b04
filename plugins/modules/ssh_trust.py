#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_trust
short_description: Make a host trust an SSH certificate authority, and prove it
version_added: 1.0.0
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Writes sshd's configuration, lets sshd judge it, reloads it, and then logs in by certificate on a
    new connection. When that fails, all files are put back as they were, byte for byte, and the host
    fails with the reason.
  - The host puts everything back by itself when the proof is not confirmed in time, because the controller
    died, for example.
  - Certificates count for the users of O(users) only; everybody else comes in as before. What the site
    has set for certificates of its own goes on to work.
  - The certificate for the proof comes from the ssh-agent that E(SSH_AUTH_SOCK) names.
extends_documentation_fragment:
  - slipway.cluster.attributes
  - slipway.cluster.authority
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - Tells what would change. Nothing is signed, and nobody logs in.
  diff_mode:
    support: full
    description: Tells the difference in diff mode.
options:
  user_ca_keys:
    description:
      - 'Public keys that certify users, besides those of O(user_mount) and O(trusted_mounts): an authority
        for emergencies, for example.'
      - Where no OpenBao is named, they are all that there is, and hosts get no certificates.
    type: raw
    default: []
  trusted_mounts:
    description: More mounts whose keys certify users, while one changes from mount to mount.
    type: raw
    default: []
  drop:
    description: Fingerprints of keys that are not trusted any more, although the authority still has
      them.
    type: raw
    default: []
  users:
    description:
      - User of the host to list of principals that may log in as that user; an empty list stands for
        C(slipway-<name>).
      - The user that Ansible logs in as is always among them.
    type: dict
    default: {}
  host_key:
    description: Fingerprint, C(SHA256:…), of the host's key as the provider's console shows it, for the
      first contact; one or several. Only such a key is accepted then, whatever known_hosts and the inventory
      say. By default known_hosts decides, as for every connection of the user.
    type: raw
    default: []
  host_principals:
    description: Names for the host's certificate, besides its name and addresses in the inventory. Names
      that a host claims are never signed.
    type: raw
    default: []
  host_ttl:
    description: How long the host's certificate is valid.
    type: raw
  revoked:
    description: Public keys or certificates, one line each, that must not be let in any more.
    type: raw
    default: []
  revoked_file:
    description: 'File on the controller with a revocation list: lines as in O(revoked), or a KRL that
      C(ssh-keygen -k) made.'
    type: str
  log_level:
    description: LogLevel of sshd; empty to leave it. V(VERBOSE) notes who came in by which certificate.
    type: str
    default: VERBOSE
  unused_connection_timeout:
    description: UnusedConnectionTimeout of sshd, where it is 9.2 or later; empty to leave it. It ends
      connections that outlive their certificate.
    type: str
    default: 10m
  penalty_exempt:
    description: Addresses of controllers and bastions that sshd, 9.8 or later, does not punish for failed
      logins.
    type: raw
    default: []
  confirm_within:
    description: After how long without confirmation the host puts everything back by itself.
    type: raw
    default: 90s
  sshd:
    description: Path of sshd on the host; looked for by default.
    type: str
  config:
    description: Main file of sshd's configuration.
    type: str
    default: /etc/ssh/sshd_config
  dropin:
    description: File for our configuration, where the main file includes it. Where not, it becomes a
      block in the main file. It has to sort before the site's.
    type: str
    default: /etc/ssh/sshd_config.d/10-slipway.conf
  folder:
    description: Folder for our other files.
    type: str
    default: /etc/ssh/slipway
  state_dir:
    description: Folder, root's alone, for copies while a change is not confirmed.
    type: str
    default: /var/lib/slipway/ssh_trust
  reload:
    description: Command that makes sshd read its configuration again; found out by default.
    type: str
"""

EXAMPLES = r"""
- name: Trust the authority, and prove it
  slipway.cluster.ssh_trust:
    name: prod
    address: https://bao.example.com:8200
  become: true
"""

RETURN = r"""
login:
  description: 'The certificate that let us in: C(serial), C(key_id) and the C(authority)''s fingerprint.'
  returned: success, but not in check mode
  type: dict
openssh:
  description: Release of the host's sshd.
  returned: success
  type: str
put_back:
  description: Whether a change of an earlier run, which died, was put back first.
  returned: success
  type: bool
trusts:
  description: Fingerprints of the keys that certify users.
  returned: success
  type: list
  elements: str
"""
