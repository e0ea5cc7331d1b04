# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ``slipway_ssh`` says, read and checked before anything is asked or started: all problems at once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .hosts import MODES, WARN
from .keys import KeyFormatError, blob_of
from .providers.table import PROVIDERS

AGENT, NONE = "agent", "none"
"""No session of ours: whatever ssh finds by itself, the user's own agent above all."""
CHOICES = (AGENT, NONE, *PROVIDERS)

_KEYS = ("provider", "principals", "ttl", "host_check", "host_ca", "patience")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SHORTEST, _LONGEST = 30, 24 * 3600
_TTL = "10m"
_PATIENCE = 15.0
_PRINCIPAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")


@dataclass(frozen=True)
class Problem:
    """``key`` is a path below ``slipway_ssh``; empty for the whole of it."""

    key: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Settings:
    """A session's settings. ``ttl`` and ``patience`` are seconds; ``host_cas`` are OpenSSH lines."""

    provider: str = AGENT
    options: Mapping[str, Any] = field(default_factory=dict)
    principals: tuple[str, ...] = ()
    ttl: int = 600
    host_check: str = WARN
    host_cas: tuple[str, ...] = ()
    patience: float = _PATIENCE

    @property
    def ours(self) -> bool:
        """Whether there is to be an agent of ours."""
        return self.provider in PROVIDERS


def read(value: object, cluster: str, folder: Path) -> tuple[Settings, list[Problem]]:
    """``cluster``: the ``slipway_name``, which gives the principal where none is written. ``folder``: what relative
    paths are relative to."""
    if value is None:
        return Settings(), []
    if not isinstance(value, Mapping):
        return Settings(), [Problem((), f"it is {type(value).__name__}, and a map is expected")]
    given = {str(key): one for key, one in value.items()}
    problems: list[Problem] = []
    provider = str(given.get("provider") or AGENT)
    if provider not in CHOICES:
        known = f"known: {', '.join(CHOICES)}{_nearest(provider, CHOICES)}"
        return Settings(), [Problem(("provider",), f"{provider!r} is no provider; {known}")]
    keys = (*_KEYS, *PROVIDERS)
    problems += [Problem((key,), f"unknown key{_nearest(key, keys)}") for key in given if key not in keys]
    if provider not in PROVIDERS:
        return Settings(provider=provider), problems
    options = given.get(provider) or {}
    if not isinstance(options, Mapping):
        problems.append(Problem((provider,), "a map of the provider's options is expected"))
        options = {}
    options = _placed({str(key): one for key, one in options.items()}, PROVIDERS[provider].paths, folder)
    options = PROVIDERS[provider].settled(options, os.environ)
    problems += [Problem((provider, *key.split(".")), text) for key, text in PROVIDERS[provider].check(options)]
    settings = Settings(
        provider=provider,
        options=options,
        principals=_principals(given.get("principals"), cluster, problems),
        ttl=_seconds(given, "ttl", _TTL, problems),
        host_check=_choice(given, problems),
        host_cas=_host_cas(given.get("host_ca"), folder, problems),
        patience=_number(given, problems),
    )
    return settings, problems


def _placed(options: dict[str, Any], paths: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """The options with absolute ``paths``, which may lie one map deeper (``auth.jwt_file``)."""
    for path in paths:
        outer, _dot, key = path.rpartition(".")
        holder = options.get(outer) if outer else options
        value = holder.get(key) if isinstance(holder, Mapping) else None
        if isinstance(holder, Mapping) and isinstance(value, str) and value and not value.startswith(("/", "~")):
            changed = {**holder, key: str((folder / value).absolute())}
            options = {**options, outer: changed} if outer else changed
    return options


def _principals(value: object, cluster: str, problems: list[Problem]) -> tuple[str, ...]:
    if value in (None, "", []):
        if not cluster:
            problems.append(Problem(("principals",), "name at least one, or set slipway_name for slipway-<name>"))
            return ()
        return (f"slipway-{cluster}",)
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else [value]
    bad = [name for name in names if not isinstance(name, str) or not _PRINCIPAL.fullmatch(name)]
    problems += [
        Problem(("principals",), f"{name!r} is no principal: letters, digits and . _ @ - only") for name in bad
    ]
    return tuple(str(name) for name in names)


def _seconds(given: Mapping[str, Any], key: str, default: str, problems: list[Problem]) -> int:
    text = str(given.get(key) or default).strip()
    found = re.fullmatch(r"([0-9]+)\s*([smh]?)", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not _SHORTEST <= seconds <= _LONGEST:
        problems.append(Problem((key,), f"{text!r} is no time between 30s and 24h; write 90s, 10m or 1h"))
    return seconds


def _number(given: Mapping[str, Any], problems: list[Problem]) -> float:
    value = given.get("patience", _PATIENCE)
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds <= 300:
        problems.append(Problem(("patience",), f"{value!r} is no number of seconds between 0 and 300"))
    return seconds


def _choice(given: Mapping[str, Any], problems: list[Problem]) -> str:
    value = given.get("host_check", WARN)
    # YAML reads a bare ``off`` as false.
    text = "off" if value is False else str(value)
    if text not in MODES:
        problems.append(Problem(("host_check",), f"{value!r} is not one of {', '.join(MODES)}"))
    return text


def _host_cas(value: object, folder: Path, problems: list[Problem]) -> tuple[str, ...]:
    """Public keys, or files of them; lines of known_hosts with ``@cert-authority`` are understood."""
    entries = [] if value in (None, "") else [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)) or not all(isinstance(entry, str) for entry in entries):
        problems.append(Problem(("host_ca",), "a public key, a file of them, or a list of these is expected"))
        return ()
    lines: list[str] = []
    for entry in entries:
        text = entry.strip()
        if " " not in text:
            path = folder / Path(text).expanduser()
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as exc:
                problems.append(Problem(("host_ca",), f"cannot read {path}: {exc}"))
                continue
        for line in text.splitlines():
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "@cert-authority":
                words = words[2:]
            try:
                blob_of(" ".join(words))
            except KeyFormatError as exc:
                problems.append(Problem(("host_ca",), f"{line[:60]!r}: {exc}"))
            else:
                lines.append(" ".join(words[:2]))
    return tuple(lines)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    found = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {found[0]!r}?" if found else ""
