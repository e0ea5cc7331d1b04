# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Secrets of a provider, taken in once in Ansible's process, and from there on in nobody's environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from .errors import SettingsError
from .provider import Kind

_OWN = "SLIPWAY_"


def take(kind: Kind, options: Mapping[str, Any], environment: MutableMapping[str, str]) -> dict[str, str]:
    """What ``kind`` wants, by name; what is set nowhere is left out. Names of ours leave ``environment``, those of
    OpenBao stay, because lookups of others read them. Raises ``SettingsError`` SLW-7042."""
    found: dict[str, str] = {}
    for wanted in kind.secrets(options):
        fd, file = _option(options, wanted.fd_option), _option(options, wanted.file_option)
        if fd is not None:
            found[wanted.name] = _from_fd(fd, wanted.fd_option)
        elif file is not None:
            found[wanted.name] = _from_file(str(file), wanted.file_option)
        else:
            value = next((environment[name] for name in wanted.environment if environment.get(name)), None)
            if value is not None:
                found[wanted.name] = value.strip()
        for name in wanted.environment:
            if name.startswith(_OWN):
                environment.pop(name, None)
    return found


def _option(options: Mapping[str, Any], path: str) -> Any:
    value: Any = options
    for key in path.split(".") if path else ():
        value = value.get(key) if isinstance(value, Mapping) else None
    # A variable that was left out often arrives as an empty text.
    return value if path and value != "" else None


def _from_fd(value: object, option: str) -> str:
    try:
        with os.fdopen(int(str(value)), encoding="utf-8") as stream:
            return stream.read().strip()
    except (ValueError, OSError) as exc:
        raise SettingsError("SLW-7042", f"{option}: file descriptor {value} cannot be read: {exc}") from exc


def _from_file(path: str, option: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError("SLW-7042", f"{option}: {path} cannot be read: {exc}") from exc
