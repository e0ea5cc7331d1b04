# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible knows about a value: where it was written, whether it is vaulted, whether it may be a template.

ansible-core 2.18 keeps this in attributes of its YAML classes, 2.19 and later in tags. This is the only place that
knows the difference.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from ansible.errors import AnsibleError

from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Position

try:
    # no public name yet for the tag that holds a value's place
    from ansible._internal._datatag._tags import Origin, VaultedValue
    from ansible.parsing.vault import EncryptedString as VaultText
    from ansible.template import is_trusted_as_template, trust_as_template

    TAGS = True
except ImportError:
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode as VaultText

    TAGS = False

EXTRA = "extra variables"
VAULT_HEADER = b"$ANSIBLE_VAULT"


def position(value: object) -> Position | None:
    """Where ``value`` was written, if Ansible knows."""
    if TAGS:
        tag = Origin.get_tag(value)
        if tag is None:
            return None
        if not tag.path:
            return Position(EXTRA if "-e" in str(tag.description) else str(tag.description).strip("<>"))
        return Position(shown(str(tag.path)), tag.line_num or 0, tag.col_num or 0)
    source, line, column = getattr(value, "ansible_pos", (None, 0, 0))
    return Position(shown(str(source)), line or 0, column or 0) if source and str(source)[0] != "<" else None


def is_vaulted(value: object) -> bool:
    """Whether the value itself was written with ``!vault``."""
    return isinstance(value, VaultText) or (TAGS and bool(VaultedValue.is_tagged_on(value)))


def decrypt(value: object) -> str:
    """Plain text of a vaulted value. Raises ``AnsibleError`` when no vault secret fits."""
    if TAGS:
        return str.__str__(str(value))
    if not isinstance(value, VaultText) or not value.vault:
        raise AnsibleError("no vault secrets were found")
    return str(value.data)


def ciphertext(value: object) -> str:
    """A vaulted value as it stands in its file, for comparing without a vault secret."""
    return str(getattr(value, "_ciphertext", ""))


def is_literal(value: str) -> bool:
    """Whether the text must not be taken for a template: ``!unsafe``, results of modules, facts."""
    if TAGS:
        return not is_trusted_as_template(value)
    return hasattr(value, "__UNSAFE__")


def trusted(text: str) -> str:
    """Text of ours that is a template: without a word from us, ansible-core 2.19 and later would leave it as it is."""
    return trust_as_template(text) if TAGS else text


@lru_cache(maxsize=1024)
def file_is_vaulted(shown: str) -> bool:
    """Whether the file as a whole is encrypted: then each of its values is secret."""
    try:
        with Path(shown).open("rb") as file:
            return file.read(len(VAULT_HEADER)) == VAULT_HEADER
    except OSError:
        return False


@lru_cache(maxsize=1024)
def shown(path: str) -> str:
    """A path as the user would type it: relative when it lies below the current folder."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
