# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The search for what must not be in an image."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Optional

from . import by_content, by_name
from .errors import ImageError, Problem
from .finding import Finding
from .templates import whole
from .tree import STORES, File, files, read

LIMIT = 1 << 20
"""So much of each file is read: keys, tokens and kubeconfigs are small, and the rest of a large file is data."""
_WRITTEN_OUT = 20
_SWAP_AT, _SWAP = 4086, (b"SWAPSPACE2", b"SWAP-SPACE")
_NAMED_IN = re.compile(r"/etc/(?!slipway/)|/var/lib/(?!dpkg/|apt/|rpm/|containerd/)")


class Search(NamedTuple):
    """``names``: what the host was called, and its addresses. ``allow``: patterns of paths that are known and meant.
    ``own``: folders that the running program itself needs. ``stores``: folders of container images."""

    root: str = "/"
    allow: Sequence[str] = ()
    names: Sequence[str] = ()
    own: Collection[str] = ()
    stores: Sequence[str] = STORES


class Found(NamedTuple):
    """``allowed``: findings that ``allow`` names; ``unused``: its patterns that name nothing. ``unreadable``: paths."""

    findings: Sequence[Finding]
    allowed: Sequence[Finding]
    unused: Sequence[str]
    unreadable: Sequence[str]
    files: int
    seconds: float

    def error(self) -> ImageError:
        """All findings, those of a kind together; many of one kind are not all written out."""
        kinds: dict[str, list[Finding]] = {}
        for finding in self.findings:
            kinds.setdefault(finding.kind, []).append(finding)
        return ImageError(*(_problem(kind, findings) for kind, findings in sorted(kinds.items())))

    def as_dict(self) -> dict[str, Any]:
        return {
            "findings": [finding.as_dict() for finding in self.findings],
            "allowed": [finding.as_dict() for finding in self.allowed],
            "unused": list(self.unused),
            "unreadable": list(self.unreadable),
            "files": self.files,
            "seconds": round(self.seconds, 1),
        }


def _problem(kind: str, findings: Sequence[Finding]) -> Problem:
    places = [str(finding).partition(": ")[2] for finding in findings[:_WRITTEN_OUT]]
    more = f" and {len(findings) - _WRITTEN_OUT} more" if len(findings) > _WRITTEN_OUT else ""
    return Problem("SLW-8750", f"{kind} in the image: {', '.join(places)}{more}", findings[0].remedy)


def search(asked: Search) -> Found:
    """Everything at once, in the order of paths."""
    began = time.monotonic()
    named = _pattern(asked.names)
    found: list[Finding] = []
    unreadable, count = [], 0

    def skipped(folder: str) -> bool:
        return folder in asked.own or any(fnmatchcase(folder, store) for store in asked.stores)

    for file in files(asked.root, skipped):
        count += 1
        try:
            found += _of_file(file, named)
        except FileNotFoundError:
            continue
        except OSError:
            unreadable.append(file.path)
    used = {pattern for pattern in asked.allow for finding in found if _names(pattern, finding.path)}
    allowed = [one for one in found if any(_names(pattern, one.path) for pattern in used)]
    rest = [one for one in found if one not in set(allowed)]
    return Found(
        sorted(rest, key=lambda one: one.path),
        sorted(allowed, key=lambda one: one.path),
        [pattern for pattern in asked.allow if pattern not in used],
        sorted(unreadable),
        count,
        time.monotonic() - began,
    )


def _of_file(file: File, named: Optional[re.Pattern[bytes]]) -> Iterator[Finding]:
    if not file.size:
        return
    kind = by_name.kind_of(file.path)
    if kind:
        yield Finding(kind, file.path)
        return
    content = read(file.real, LIMIT, by_content.is_program)
    if content[_SWAP_AT : _SWAP_AT + 10] in _SWAP:
        yield Finding("swap", file.path)
        return
    seen = False
    for finding in by_content.findings(file.path, content):
        seen = seen or finding.kind == "host name"
        yield finding
    if named and not seen and _NAMED_IN.match(file.path) and b"\0" not in content[:512]:
        match = named.search(content)
        if match:
            yield Finding("host name", file.path, content.count(b"\n", 0, match.start()) + 1)


def _pattern(names: Sequence[str]) -> Optional[re.Pattern[bytes]]:
    """Whole names and addresses: ``w1`` is not in ``w10``, ``10.0.0.1`` is not in ``10.0.0.12``."""
    if not names:
        return None
    return re.compile(b"|".join(whole(name).pattern.encode("utf-8", "surrogateescape") for name in names))


def _names(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/")
