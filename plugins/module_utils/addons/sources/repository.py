# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Chart repositories over HTTP(S): the index, the exact version, the archive."""

from __future__ import annotations

import base64
import difflib
import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..errors import RenderError
from ..model import ChartSource
from . import yaml
from .cache import ChartCache, plain_digest
from .codes import DIGEST_MISMATCH, NO_SUCH_CHART, REPOSITORY_FAILED
from .download import download

_SHOWN = 5


@dataclass(frozen=True)
class Repository:
    """How a repository is reached. ``url`` starts with ``http://``, ``https://`` or ``oci://``.

    Credentials are sent to the repository's own host only. ``plain_http`` is for OCI registries without TLS.
    """

    url: str
    ca_file: str = ""
    proxy: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    plain_http: bool = False

    def authorization(self) -> str:
        """The header's value; empty without credentials."""
        if self.token:
            return f"Bearer {self.token}"
        if self.username:
            return f"Basic {base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()}"
        return ""


@dataclass(frozen=True)
class _Version:
    version: str
    url: str
    digest: str


_Index = Mapping[str, tuple[_Version, ...]]


def fetch_chart(source: ChartSource, repository: Repository, cache_dir: Path, _helm: object = None) -> Path:
    """The chart's archive on this machine. Raises RenderError SLW-2020 to SLW-2022."""
    cache = ChartCache(cache_dir)
    cached = cache.get(source)
    if cached is not None:
        return cached
    wanted = _find(_index(repository), source, repository)
    data = _get(wanted.url, repository)
    promised = plain_digest(wanted.digest)
    if promised and hashlib.sha256(data).hexdigest() != promised:
        raise RenderError(
            DIGEST_MISMATCH, f"{source.name} {source.version} is not what the index of {public_url(source.repo)} says"
        )
    return cache.put(source, data)


@functools.lru_cache(maxsize=32)
def _index(repository: Repository) -> _Index:
    """Read once a run: some indexes have ten megabytes."""
    address = f"{repository.url.rstrip('/')}/index.yaml"
    text = _get(address, repository).decode("utf-8", "replace")
    documents = yaml.load_all(text, public_url(address), strict=False)
    entries = documents[0].get("entries") if documents and isinstance(documents[0], dict) else None
    if not isinstance(entries, dict):
        raise RenderError(REPOSITORY_FAILED, f"{public_url(address)} is no index of a chart repository")
    return {name: tuple(_versions(items, address)) for name, items in entries.items() if isinstance(items, list)}


def _versions(items: list[Any], address: str) -> list[_Version]:
    usable = (item for item in items if isinstance(item, dict) and item.get("urls"))
    return [
        _Version(str(item.get("version")), urljoin(address, str(item["urls"][0])), str(item.get("digest") or ""))
        for item in usable
    ]


def _find(index: _Index, source: ChartSource, repository: Repository) -> _Version:
    where = public_url(repository.url)
    versions = index.get(source.name)
    if versions is None:
        near = difflib.get_close_matches(source.name, index, n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else ""
        raise RenderError(NO_SUCH_CHART, f"{where} has no chart {source.name}", advice)
    for candidate in versions:
        if candidate.version == source.version:
            return candidate
    known = sorted((item.version for item in versions), key=_order, reverse=True)
    near = difflib.get_close_matches(source.version, known, n=1, cutoff=0.8)
    shown = ", ".join(dict.fromkeys([*near, *known[:_SHOWN]]))
    raise RenderError(NO_SUCH_CHART, f"{where} has no {source.name} {source.version}", f"it has {shown}")


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Newest last; a pre-release comes before its release."""
    core, _dash, pre = version.lstrip("v").partition("+")[0].partition("-")
    return tuple(int(number) for number in re.findall(r"\d+", core)), not pre, pre


def _get(url: str, repository: Repository) -> bytes:
    own = urlsplit(url)[:2] == urlsplit(repository.url)[:2]
    return download(
        url,
        authorization=repository.authorization() if own else "",
        ca_file=repository.ca_file,
        proxy=repository.proxy,
        shown=public_url(url),
    )


def public_url(url: str) -> str:
    """The address without user, password and query, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
