# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the add-on actions: surveys and ``-e`` give strings, inventories give structures; both are read here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.answers import Decisions
from ansible_collections.slipway.cluster.plugins.module_utils.addons.consent import Consent
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.settings import Settings
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import ServerAccess
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.repository import Repository

RESULTS = ("changes", "drift")


def bad_option(option: str, value: object, wanted: str) -> EngineError:
    return EngineError("SLW-6201", f"slipway_{option} is {value!r}", f"give {wanted}")


def files_dir(args: Mapping[str, Any], variables: Mapping[str, Any]) -> Path:
    """What relative paths start from: ``files_dir``, or the folder of the inventory."""
    return Path(str(args.get("files_dir") or variables.get("inventory_dir") or ".")).expanduser()


def admin_kubeconfig(args: Mapping[str, Any]) -> str:
    """Path on a control plane host, where kubeadm puts it unless the user says otherwise."""
    return str(args.get("admin_kubeconfig") or "/etc/kubernetes/admin.conf")


def records_namespace(args: Mapping[str, Any]) -> str:
    return str(args.get("namespace") or "slipway-system")


def access_namespace(args: Mapping[str, Any]) -> str:
    return str(args.get("access_namespace") or "slipway-access")


def names(args: Mapping[str, Any], option: str, what: str = "names of add-ons") -> tuple[str, ...]:
    """A list of names: a list, ``a,b``, or ``["a", "b"]`` as text. ``what`` they are is said where it is none."""
    value = _structure(args.get(option))
    if value in (None, ""):
        return ()
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) and v for v in value):
        raise bad_option(option, args.get(option), f"{what}, separated by commas")
    return tuple(value)


def counts(args: Mapping[str, Any], option: str) -> dict[str, int]:
    """Names with a number each: a mapping, or ``a=3,b=0``."""
    value = _structure(args.get(option))
    wanted = "a mapping of add-on to number, or name=number,name=number"
    if value in (None, "", {}):
        return {}
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",")]
        value = {name.strip(): number.strip() for name, _equals, number in pairs}
    if not isinstance(value, Mapping):
        raise bad_option(option, args.get(option), wanted)
    found = {}
    for name, number in value.items():
        if isinstance(number, bool) or not str(number).isdigit():
            raise bad_option(option, args.get(option), wanted)
        found[str(name)] = int(number)
    return found


def revisions(args: Mapping[str, Any], option: str) -> dict[str, int]:
    """Names, each with a revision or 0 for none: a mapping, a list, or ``a,b=3``."""
    value = _structure(args.get(option))
    if isinstance(value, Mapping):
        pairs = [(str(name), None if at is None else str(at)) for name, at in value.items()]
    else:
        parts = [part.partition("=") for part in names(args, option)]
        pairs = [(name.strip(), at.strip() if equals else None) for name, equals, at in parts]
    if any(not name or (at is not None and not (at.isdigit() and int(at))) for name, at in pairs):
        raise bad_option(option, args.get(option), "names of add-ons, each with =REVISION or without")
    return {name: int(at or 0) for name, at in pairs}


def number(args: Mapping[str, Any], option: str, default: float, least: float = 0) -> float:
    value = args.get(option)
    if value in (None, ""):
        return default
    try:
        found = float(str(value))
    except ValueError as exc:
        raise bad_option(option, value, "a number") from exc
    if isinstance(value, bool) or found < least:
        raise bad_option(option, value, f"a number, {least:g} or more")
    return found


def flag(args: Mapping[str, Any], option: str, default: bool) -> bool:
    """True or false, also as the words that surveys and ``-e`` give."""
    value = args.get(option)
    if value is None or value == "":
        return default
    word = str(value).strip().lower()
    if word not in ("true", "yes", "false", "no"):
        raise bad_option(option, value, "true or false")
    return word in ("true", "yes")


def settings(
    args: Mapping[str, Any],
    operation: str,
    *,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    files: Path = Path(),
    inventories: Sequence[str] = (),
) -> Settings:
    """The engine's settings from a task's arguments. Raises ``EngineError`` SLW-6201.

    ``files`` is what relative paths start from, ``inventories`` are the files and folders of Ansible's inventory.
    """
    prune = _structure(args.get("prune"))
    everything = prune is True or (isinstance(prune, str) and prune.lower() in ("true", "yes"))
    nothing = prune is False or (isinstance(prune, str) and prune.lower() in ("false", "no"))
    cache = args.get("cache_dir") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "slipway"
    return Settings(
        operation=operation,
        helm=str(args.get("helm") or "helm"),
        kustomize=tuple(str(args.get("kustomize") or "kubectl kustomize").split()),
        cache_dir=Path(str(cache)).expanduser(),
        namespace=records_namespace(args),
        concurrency=int(number(args, "concurrency", 4, 1)),
        lock_wait=number(args, "lock_wait", 0),
        lock_duration=number(args, "lock_duration", 30, 2),
        only=only,
        skip=skip,
        decisions=Decisions(*(frozenset(names(args, answer)) for answer in ("overwrite", "keep", "adopt"))),
        consent=Consent(
            addons=names(args, "remove_addons"),
            pvcs=frozenset(names(args, "remove_pvcs")),
            crds=counts(args, "remove_crds"),
            kept=frozenset(names(args, "remove_kept")),
            protected=frozenset(names(args, "remove_protected")),
            prune=frozenset() if everything or nothing else frozenset(names(args, "prune")),
            prune_all=everything,
            scale_down=frozenset(names(args, "scale_down")),
        ),
        rollback=_rollback(args, operation),
        disown=names(args, "disown") if operation == "remove" else (),
        history_max=int(number(args, "history_max", 10, 1)),
        repositories=_repositories(args.get("repositories")),
        smoke=flag(args, "smoke", True),
        files_dir=files,
        rendered_dir=_rendered_dir(args, files, inventories),
    )


def fail_on(args: Mapping[str, Any], known: Sequence[str] = RESULTS) -> tuple[str, ...]:
    """Results that are to end a run with a failure: some of ``known``."""
    chosen = names(args, "fail_on")
    if set(chosen) - set(known):
        raise bad_option("fail_on", args.get("fail_on"), f"some of {', '.join(known)}")
    return chosen


def _structure(value: object) -> object:
    """Text that is written as a structure, read as one."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError:
            return value
    return value


def _rendered_dir(args: Mapping[str, Any], files: Path, inventories: Sequence[str]) -> Path | None:
    if not args.get("rendered_dir"):
        return None
    folder = (files / Path(str(args["rendered_dir"])).expanduser()).resolve()
    for source in map(Path, inventories):
        if source.is_dir() and folder.is_relative_to(source.resolve()):
            wanted = "a folder outside of the inventory's: Ansible reads every YAML file in that one as inventory"
            raise bad_option("rendered_dir", args["rendered_dir"], wanted)
    return folder


def _rollback(args: Mapping[str, Any], operation: str) -> dict[str, int]:
    found = revisions(args, "rollback") if operation == "rollback" else {}
    if operation == "rollback" and not found:
        raise bad_option("rollback", "", "the add-ons to roll back, each with =REVISION or without")
    return found


def server_access(args: Mapping[str, Any]) -> ServerAccess:
    """The cluster as the user gave it, for Helm."""
    kubeconfig = str(args.get("kubeconfig") or "")
    return ServerAccess(
        url=str(args.get("api_server") or ""),
        token=str(args.get("api_token") or ""),
        ca_file=str(args.get("api_ca_file") or ""),
        kubeconfig=str(Path(kubeconfig).expanduser()) if kubeconfig else "",
        context=str(args.get("context") or ""),
    )


def _repositories(value: object) -> dict[str, Repository]:
    known = ("url", "ca_file", "proxy", "username", "password", "token", "plain_http")
    entries = _structure(value) or {}
    if not isinstance(entries, Mapping):
        raise bad_option("repositories", type(entries).__name__, "a mapping of name to {url, …}")
    found = {}
    for name, entry in entries.items():
        if not isinstance(entry, Mapping) or not entry.get("url") or set(entry) - set(known):
            raise bad_option("repositories", f"(entry {name})", f"for each entry url, and of {', '.join(known[1:])}")
        options: dict[str, Any] = {k: (bool(v) if k == "plain_http" else str(v)) for k, v in entry.items()}
        found[str(entry["url"]).rstrip("/")] = Repository(**options)
    return found
