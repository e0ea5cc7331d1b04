# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every variable that the installed Kubespray knows, derived from its files and cached for as long as they stay.

Kubespray has no list of its variables, and nothing in it notices a misspelt one.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from .derive import Derived, derive
from .magic import is_ansibles
from .manifest import read_manifest

Kind = Literal["default", "input", "internal", "removed"]

_SCHEMA = 1
"""Part of the cache's file name: a change of what is derived must not meet an older cache."""

_SHORTEST_PART = 6
"""A shorter constant beside a look-up of a variable is a separator or a key, and says nothing about a name."""


@dataclass(frozen=True)
class Index:
    """What one version of Kubespray knows.

    ``defaults`` tells the type of each default (``kinds.guess``), ``inputs`` are read and have no default, ``internal``
    ones are set by Kubespray itself, ``local`` ones are seen by single tasks or may be no variables at all, ``removed``
    ones are refused. ``unread`` are defaults that nothing reads.
    """

    version: str
    defaults: Mapping[str, str]
    inputs: frozenset[str]
    role_vars: frozenset[str]
    results: frozenset[str]
    local: frozenset[str]
    removed: frozenset[str]
    unread: frozenset[str]

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that has a kind."""
        return self.inputs | self.role_vars | self.results | self.removed | frozenset(self.defaults)

    def kind(self, name: str) -> Kind | None:
        """What ``name`` is to Kubespray; None when it knows no such variable, or only inside a single task."""
        if name in self.removed:
            return "removed"
        if name in self.defaults:
            return "default"
        if name in self.inputs:
            return "input"
        return "internal" if name in self.role_vars or name in self.results else None


def load(collection: Path, cache_dir: Path) -> Index:
    """The index of the Kubespray installed in ``collection``, from ``cache_dir`` where it has been derived before.

    Raises ``OSError`` when the collection cannot be read, ``ValueError`` when it has no usable manifest. A cache that
    cannot be read or written costs time and nothing else.
    """
    version = read_manifest(collection).version
    cached = cache_dir / f"kubespray-{version}-{_digest(collection)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _from_json(json.loads(cached.read_text(encoding="utf-8")))
    index = from_derived(version, derive(collection))
    with suppress(OSError):
        _store(cached, index)
    return index


def from_derived(version: str, derived: Derived) -> Index:
    """Sort the names that were found: each is one thing, and the first that fits counts."""
    reads = derived.reads
    defaults = {name: kind for name, kind in derived.defaults.items() if name not in derived.removed}
    known = derived.removed.union(defaults)
    role_vars = derived.role_vars - known
    # a fact that Kubespray sets only where a user has not set it, such as a token of theirs, is an input
    inputs = reads.names - derived.facts - derived.results - derived.local | (derived.facts & reads.replaceable)
    inputs = {name for name in inputs - known - role_vars if not is_ansibles(name) and not name.startswith("_")}
    results = (derived.results | derived.facts) - known - role_vars - inputs
    local = (derived.local | reads.unclear) - known - role_vars - inputs - results
    read = reads.names | reads.unclear
    parts = tuple(part for part in reads.fragments if len(part) >= _SHORTEST_PART)
    return Index(
        version=version,
        defaults=defaults,
        inputs=frozenset(inputs),
        role_vars=frozenset(role_vars),
        results=frozenset(results),
        local=frozenset(local),
        removed=frozenset(derived.removed),
        unread=frozenset(
            name for name in set(defaults) - read if not name.startswith(parts) and not name.endswith(parts)
        ),
    )


def _digest(collection: Path) -> str:
    """Of the collection's own list of files; of names, sizes and times where it was not installed from an archive."""
    listing = collection / "FILES.json"
    if listing.is_file():
        content = listing.read_bytes()
    else:
        files = sorted(
            path for top in ("roles", "playbooks") for path in (collection / top).rglob("*") if path.is_file()
        )
        states = [(path, path.stat()) for path in files]
        content = "".join(f"{path} {state.st_size} {state.st_mtime_ns}\n" for path, state in states).encode()
    return hashlib.sha256(f"{_SCHEMA}\n".encode() + content).hexdigest()[:20]


def _store(path: Path, index: Index) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {
        name: dict(value) if isinstance(value, Mapping) else sorted(value) if isinstance(value, frozenset) else value
        for name, value in vars(index).items()
    }
    # another run may write the same file: each writes its own, and the last one stays
    handle, name = tempfile.mkstemp(dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, sort_keys=True)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _from_json(content: dict[str, object]) -> Index:
    version, defaults = content.pop("version"), content.pop("defaults")
    if not isinstance(version, str) or not isinstance(defaults, dict):
        raise TypeError("not an index")
    sets = {name: frozenset(value) for name, value in content.items() if isinstance(value, list)}
    return Index(version=version, defaults=defaults, **sets)
