# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that looks at one cluster: ``status``, by an ansible-playbook of its own, as this run was started.

Nothing that may be secret is among its arguments as the system shows them, nor in a file: options, variables and
passwords come by inherited descriptors of memory, what the SSH session needs by the environment, as always.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from ansible import constants, context
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext

from ansible_collections.slipway.cluster.plugins.module_utils.fleet.asked import OUTCOME, OWN
from ansible_collections.slipway.cluster.plugins.module_utils.fleet.children import Job
from ansible_collections.slipway.cluster.plugins.module_utils.fleet.entries import Entry
from ansible_collections.slipway.cluster.plugins.module_utils.kube.memory_file import memory_fd, path_of

from . import fleet_keeper

_OPTIONS = {
    "remote_user": "--user",
    "private_key_file": "--private-key",
    "connection": "--connection",
    "timeout": "--timeout",
    "ssh_common_args": "--ssh-common-args",
    "ssh_extra_args": "--ssh-extra-args",
    "sftp_extra_args": "--sftp-extra-args",
    "scp_extra_args": "--scp-extra-args",
    "become_method": "--become-method",
    "become_user": "--become-user",
}
"""Options of this run that count for every cluster, by their names in Ansible."""

_LEFT_OUT = (
    # A job's own way of showing events: its escape codes would be in what we read.
    "ANSIBLE_CALLBACK_PLUGINS",
    "ANSIBLE_CALLBACKS_ENABLED",
    "ANSIBLE_FORCE_COLOR",
    "ANSIBLE_LOG_PATH",
    "ANSIBLE_INVENTORY",
    "ANSIBLE_VERBOSITY",
)


@contextmanager
def vault_passwords(loader: DataLoader) -> Iterator[dict[int, str]]:
    """Descriptors with the passwords that this run has, however it got them, and the ids that they are for."""
    secrets = getattr(loader._vault, "secrets", None) or []
    found = {memory_fd(secret.bytes): str(name) for name, secret in secrets if secret.bytes}
    try:
        yield found
    finally:
        for fd in found:
            os.close(fd)


def passwords(play_context: PlayContext, variables: Mapping[str, Any]) -> dict[str, str]:
    """Those for connections and for becoming another user that this run was given, by asking or by a file.

    A variable of this run counts more than they do, and hides them. Its value is not theirs: as an extra variable it
    comes to every cluster anyway, and one of this run's inventory is for no other cluster.
    """
    found = {name: getattr(play_context, name) for name in fleet_keeper.PASSWORDS}
    return {
        name: str(value)
        for name, value in found.items()
        if value and not any(variable in variables for variable in constants.MAGIC_VARIABLE_MAPPING[name])
    }


def job(entry: Entry, seconds: float, vaults: Mapping[int, str], given: Mapping[str, str]) -> Job:
    """``seconds``: the time limit. ``vaults`` as ``vault_passwords`` gives them, ``given`` as ``passwords`` does."""

    def command(paths: Sequence[str], outcome: str) -> tuple[list[str], dict[str, str]]:
        # The last is for people: what this process looks at.
        program = [sys.executable, "-P", fleet_keeper.__file__, str(os.getpid())]
        return [*program, *paths, entry.inventory], _environment(outcome)

    told = {"arguments": list(_arguments(entry, vaults)), "passwords": dict(given)}
    return Job(entry.name, command, [json.dumps(told).encode()], seconds, tuple(vaults))


def _arguments(entry: Entry, vaults: Mapping[int, str]) -> Iterator[str]:
    yield from ("ansible-playbook", "slipway.cluster.status", "-i", entry.inventory)
    for name, option in _OPTIONS.items():
        value = context.CLIARGS.get(name)
        if value not in (None, ""):
            yield f"{option}={value}"
    if context.CLIARGS.get("become"):
        yield "--become"
    for fd, name in vaults.items():
        yield from ("--vault-id", f"{name}@{path_of(fd)}")
    # As they were given: what is a template in them, and what must not be one, is kept.
    for given in context.CLIARGS.get("extra_vars") or ():
        yield from ("-e", str(given))
    yield from ("-e", _variables(entry))


def _environment(outcome: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    # The collections of this run, those beside its playbook among them.
    collections = [str(Path(path).parent) for path in sys.modules["ansible_collections"].__path__]
    if constants.CONFIG_FILE:
        kept["ANSIBLE_CONFIG"] = constants.CONFIG_FILE
    return {
        **kept,
        OUTCOME: outcome,
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(dict.fromkeys([*collections, *constants.COLLECTIONS_PATHS])),
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
    }


class _Text(str):
    """Templates in these variables have been evaluated: no text is one any more."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Text, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def _variables(entry: Entry) -> str:
    """As Ansible reads a map on the command line."""
    every = _plain({**entry.variables, **OWN})
    return yaml.dump(every, Dumper=_Dumper, allow_unicode=True, default_flow_style=True, width=sys.maxsize)


def _plain(value: Any) -> Any:
    """Without Ansible's own types, which YAML does not know."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return _Text(value)
