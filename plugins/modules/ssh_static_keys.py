#!/usr/bin/python
# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_static_keys
short_description: List the static keys of a host, and remove them
version_added: 1.0.0
extends_documentation_fragment:
  - slipway.cluster.attributes
author:
  - Slipway contributors (@slipway-cluster)
description:
  - Lists every line that lets somebody in by a key, for all users of the host, in C(authorized_keys),
    C(authorized_keys2), whatever else sshd is told to read, and authorities in such files.
  - Removes them with consent, once a login by a certificate of an authority in sshd's own configuration
    has been proved in this very task, and never one that this very connection was let in by. After the
    removal the login is proved again; when it fails, the keys are put back.
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - Lists, and tells what would be removed.
options:
  name:
    description: Name of the cluster, C(slipway_name). Roles, policies and principals are called C(slipway-<name>).
    type: str
    required: true
  remove:
    description: 'The consent: name of the cluster whose static keys go. Without it they are listed.'
    type: str
  keep:
    description: 'Fingerprints, C(SHA256:…), of keys that stay: the one for emergencies.'
    type: raw
    default: []
  users:
    description: Remove keys of these users only.
    type: raw
    default: []
  host_key:
    description: Fingerprint, C(SHA256:…), of the host's key as the provider's console shows it, for the
      first contact; one or several. Only such a key is accepted then, whatever known_hosts and the inventory
      say. By default known_hosts decides, as for every connection of the user.
    type: raw
    default: []
  backups:
    description: Folder, root's alone, for what is removed.
    type: str
    default: /var/lib/slipway/ssh_static_keys
  sshd:
    description: Path of sshd on the host; looked for by default.
    type: str
  config:
    description: Main file of sshd's configuration.
    type: str
    default: /etc/ssh/sshd_config
"""

EXAMPLES = r"""
- name: Which static keys are there?
  slipway.cluster.ssh_static_keys:
    name: prod
  become: true
"""

RETURN = r"""
keys:
  description: 'One entry for each line: C(user), C(path), C(kind), C(fingerprint), C(comment), C(options),
    whether it is an C(authority), C(in_use), and C(last_use) as far as the logs go.'
  returned: success
  type: list
  elements: dict
commands:
  description: User to program that sshd asks for more keys, which cannot be listed.
  returned: success
  type: dict
unread:
  description: Path to number of lines that are neither key nor comment.
  returned: success
  type: dict
removed:
  description: 'What was or would be removed: user, file, fingerprint.'
  returned: success
  type: list
  elements: str
restore:
  description: Command for root on the host that puts them back.
  returned: success
  type: str
"""
