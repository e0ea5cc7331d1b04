# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH session of this run of Ansible: whether there is one, started once, and what hosts have to know of it.

Variables are read here before any host has its own: ``slipway_ssh`` belongs to everybody, so to the group ``all`` (in
the inventory or in ``group_vars/all``) or to the extra variables.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.inventory.group import Group
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import vars_loader
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.utils.vars import combine_vars, load_extra_vars

from ansible_collections.slipway.cluster.plugins.module_utils.fleet.entries import VARIABLE as FLEET
from ansible_collections.slipway.cluster.plugins.module_utils.session import intake, launch, settings
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.session.hosts import ENFORCE
from ansible_collections.slipway.cluster.plugins.module_utils.session.launch import Running
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.table import PROVIDERS
from ansible_collections.slipway.cluster.plugins.module_utils.session.settings import Problem, Settings

from . import origin

VARIABLE = "slipway_ssh"
FORMER = "SLIPWAY_FORMER_AUTH_SOCK"
"""Environment variable with the agent that was there before ours: `access` logs in with it where nothing else works."""

_NAME = "__slipway_ssh_host"
"""Variable of a host: its name, which ``inventory_hostname`` is not where another host delegates a task to it."""

_OPTIONS = ("ssh_extra_args", "sftp_extra_args", "scp_extra_args")
_LISTINGS = ("listhosts", "listtasks", "listtags", "syntax")

display = Display()


class _State:
    """One for each process of Ansible; workers inherit what the main process had when they were forked."""

    running: Running | None = None
    settings: Settings | None = None
    variables: Mapping[str, Any] | None = None
    certified = False
    voice: object = None


_state = _State()


def current() -> Running | None:
    """The session of this run, or None where there is none of ours."""
    return _state.running


def status() -> dict[str, Any] | None:
    """What the agent of this run tells of itself; ``gone`` says why where it no longer answers. None: see `current`."""
    if _state.running is None:
        return None
    try:
        return _state.running.status()
    except SessionError as exc:
        return {"gone": str(exc)}


def used() -> Settings | None:
    """The settings of this run's session, or None before anybody asked for one."""
    return _state.settings


def speaks(callback: object) -> bool:
    """Whether this callback is the one that tells of the session: it may be loaded twice, by its place beside the
    playbooks and by name."""
    if _state.voice is None:
        _state.voice = callback
    return _state.voice is callback


def variables(loader: DataLoader, entities: object, *, check: bool) -> dict[str, Any]:
    """Variables of the entities that a vars plugin is asked about; the session begins with the first question.

    ``check``: whether the authority is asked before the first task on a host that is not the controller. Raises
    ``AnsibleError``, which ends the run before its first task.
    """
    listed = entities if isinstance(entities, list) else [entities]
    everyone = next((e for e in listed if isinstance(e, Group) and e.name == "all"), None)
    if _state.settings is None:
        if everyone is None or not _plays():
            return {}
        _begin(loader, everyone)
    if _state.running is None:
        return {}
    if check and not _state.certified and any(isinstance(e, Host) and not _local(e) for e in listed):
        _state.certified = True
        _raise_as_ansible(_state.running.certify)
    if everyone is not None:
        return {**(_state.variables or {}), **_checking(certain=check)}
    host = next((entity for entity in listed if isinstance(entity, Host)), None)
    return {} if host is None else {_NAME: host.name}


def require(connection: Any = None, name: str = "") -> None:
    """Have a certificate now, where there is a session. Raises ``SessionError`` with the authority's reason.

    ``connection``: an action's own, to the host ``name``. It was given its options when nobody knew yet by whom hosts
    are certified.
    """
    if _state.running is None:
        return
    _state.running.certify()
    if connection is None or connection.transport.rpartition(".")[2] != "ssh" or connection.get_option(_OPTIONS[0]):
        return
    arguments = _host_arguments()
    if arguments:
        connection.set_option("host_key_checking", True)
        for option in _OPTIONS:
            connection.set_option(option, f"{arguments} -o HostKeyAlias={name}")


def _plays() -> bool:
    """Whether this process of Ansible is one that runs tasks: listings and inventories start nothing."""
    arguments = context.CLIARGS
    if multiprocessing.parent_process() is not None or "forks" not in arguments:
        return False
    return not any(arguments.get(name) for name in _LISTINGS)


def _begin(loader: DataLoader, everyone: Group) -> None:
    if load_extra_vars(loader).get(FLEET):
        # This run logs in nowhere. Those that it starts, one for each cluster, find all secrets where they were.
        _state.settings = Settings(provider=settings.NONE)
        return
    merged = _gathered(loader, everyone)
    written = merged.get(VARIABLE)
    folder = _folder(merged)
    templar = Templar(loader=loader, variables=merged)
    value = templar.template(written)
    cluster = str(templar.template(merged.get("slipway_name")) or "")
    found, problems = settings.read(value, cluster, folder)
    if problems:
        raise AnsibleError(_told(problems, written))
    _state.settings = found
    if not found.ours:
        return
    if PROVIDERS[found.provider].trial:
        display.display(f"SSH session: provider {found.provider} is for lab and trial only", color=constants.COLOR_WARN)

    def start() -> None:
        secrets = intake.take(PROVIDERS[found.provider], found.options, os.environ)
        _state.running = launch.start(found, secrets)

    _raise_as_ansible(start)
    if _state.running is not None:
        _state.variables = _for_everyone(_state.running)
        os.environ[FORMER] = os.environ.get("SSH_AUTH_SOCK", "")
        os.environ["SSH_AUTH_SOCK"] = str(_state.running.socket)


def _gathered(loader: DataLoader, everyone: Group) -> dict[str, Any]:
    """Variables of all hosts, by Ansible's own precedence: inventory, its group_vars, the playbook's, ``-e``."""
    files = vars_loader.get("host_group_vars")
    folders = [_folder_of(source) for source in context.CLIARGS.get("inventory") or () if _is_path(source)]
    merged: dict[str, Any] = dict(everyone.get_vars())
    for folder in dict.fromkeys([*folders, loader.get_basedir()]):
        merged = combine_vars(merged, files.get_vars(loader, folder, [everyone]))
    return dict(combine_vars(merged, load_extra_vars(loader)))


def _is_path(source: str) -> bool:
    return "," not in source or Path(source).exists()


def _folder_of(source: str) -> str:
    return source if Path(source).is_dir() else str(Path(source).parent)


def _folder(merged: Mapping[str, Any]) -> Path:
    """What relative paths are relative to: as for add-ons."""
    given = merged.get("slipway_files_dir")
    sources = [s for s in context.CLIARGS.get("inventory") or () if _is_path(s)]
    return Path(str(given)).expanduser() if given else Path(_folder_of(sources[0])) if sources else Path()


def _for_everyone(running: Running) -> dict[str, Any]:
    """Control sockets of this run alone."""
    return {
        "ansible_control_path_dir": running.control_path_dir,
        # A path of the user's own would be one for all runs; empty, Ansible makes one in the folder.
        "ansible_control_path": "",
        # Without pipelining Ansible insists on a terminal; a certificate that permits none would end the connection.
        "ansible_ssh_use_tty": False,
    }


def _checking(*, certain: bool) -> dict[str, Any]:
    """With whom ssh itself checks hosts, where that is known before it starts: ``certain``, because the authority is
    asked first, or already. Plays beside ours may come to a host before anybody asked; there the agent checks alone."""
    arguments = _host_arguments(certain=certain)
    if not arguments:
        return {}
    arguments = origin.trusted(f"{arguments} -o HostKeyAlias={{{{ {_NAME} | default(inventory_hostname) }}}}")
    return {"ansible_ssh_host_key_checking": True, **{f"ansible_{option}": arguments for option in _OPTIONS}}


def _host_arguments(*, certain: bool = False) -> str:
    """Of ssh, for checking hosts itself; empty where it cannot."""
    running, found = _state.running, _state.settings
    if running is None or found is None or found.host_check != ENFORCE:
        return ""
    if not certain and not Path(running.known_hosts).exists():
        return ""
    return f"-o GlobalKnownHostsFile={running.known_hosts} -o StrictHostKeyChecking=yes"


def _local(host: Host) -> bool:
    return host.name in constants.LOCALHOST or host.get_vars().get("ansible_connection") == "local"


def _told(problems: list[Problem], written: object) -> str:
    lines = [f"SLW-7001 {VARIABLE} cannot be used:"]
    for problem in problems:
        place, value = origin.position(written), written
        for key in problem.key:
            if not isinstance(value, Mapping):
                break
            name = next((k for k in value if str(k) == key), None)
            place = origin.position(name) or place
            value = value.get(name)
            place = origin.position(value) or place
        where = ".".join((VARIABLE, *problem.key))
        lines.append(f"  {where}: {problem.text}" + (f"  ({place})" if place else ""))
    return "\n".join(lines)


def _raise_as_ansible(do: Any) -> None:
    try:
        do()
    except SessionError as exc:
        raise AnsibleError(str(exc)) from exc
