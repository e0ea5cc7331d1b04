# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of a host as files for any host: its name, its address and what it joined by, as placeholders.

Filled in with what was taken out, a template is byte for byte the file that it was made from.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import ImageError, Problem

NAME, ADDRESS = "@SLIPWAY_NAME@", "@SLIPWAY_ADDRESS@"
TOKEN, CA_HASH = "@SLIPWAY_TOKEN@", "@SLIPWAY_CA_HASH@"
ENDPOINT, TAINTS = "@SLIPWAY_ENDPOINT@", "@SLIPWAY_TAINTS@"

_JOIN_TOKEN = re.compile(r"^(\s*(?:token|tlsBootstrapToken):\s*[\"']?)[a-z0-9]{6}\.[a-z0-9]{16}\b", re.MULTILINE)
_JOIN_HASH = re.compile(r"^(\s*-\s*[\"']?)sha256:[0-9a-f]{64}\b", re.MULTILINE)
_JOIN_ENDPOINT = re.compile(r"^(\s*apiServerEndpoint:\s*[\"']?)[^\s\"']+", re.MULTILINE)
_JOIN_FILE = re.compile(r"^\s*kubeConfigPath:\s*\S", re.MULTILINE)
_OWN_TAINTS = re.compile(r"^registerWithTaints\s*:", re.MULTILINE)


class Identity(NamedTuple):
    """The node's name, and its address; each empty where files do not name it."""

    name: str
    address: str


def template(path: str, text: str, own: Identity) -> str:
    """``text`` with placeholders. Raises ``ImageError`` SLW-8758 where it could not be told what is meant."""
    if "@SLIPWAY_" in text:
        raise _unclear(path, "it has our placeholders already", "")
    if own.name:
        _must_be_clear(path, text, own.name)
        text = whole(own.name).sub(NAME, text)
    return whole(own.address).sub(ADDRESS, text) if own.address else text


def join_template(path: str, text: str) -> str:
    """For the configuration of ``kubeadm join``, what only a token of minutes can be filled in for.

    Raises ``ImageError`` SLW-8758 where there is no place for it, or a node would believe whoever answers.
    """
    text = _JOIN_TOKEN.sub(rf"\g<1>{TOKEN}", text)
    text = _JOIN_HASH.sub(rf"\g<1>{CA_HASH}", text)
    if TOKEN not in text:
        raise _unclear(path, "it has no bootstrap token", "")
    if CA_HASH not in text and not _JOIN_FILE.search(text):
        raise _unclear(path, "it has no hash of the cluster's authority, so whoever answers would be believed", "")
    return _JOIN_ENDPOINT.sub(rf"\g<1>{ENDPOINT}", text)


def kubelet_template(text: str) -> str:
    """For the kubelet's configuration: a line for taints, which is left out where there are none."""
    return text if _OWN_TAINTS.search(text) else f"{TAINTS}\n{text}"


def names(text: str, own: Identity) -> bool:
    """Whether the host is named in it."""
    return any(word and whole(word).search(text) for word in own)


def whole(word: str) -> re.Pattern[str]:
    """``w1`` is not in ``w10`` or ``raw1``, nor ``10.0.0.1`` in ``10.0.0.12``."""
    more = ":" if ":" in word else ""
    return re.compile(rf"(?<![\w.{more}-]){re.escape(word)}(?![\w{more}-]|\.\w)")


def _must_be_clear(path: str, text: str, name: str) -> None:
    """A host that is called as a key of the file would take the key with it."""
    if re.search(rf"^[\s-]*[\"']?{re.escape(name)}[\"']?\s*[:=]", text, re.MULTILINE):
        raise _unclear(
            path, f"the host's name, {name}, is the name of a setting as well", "prepare a host of another name"
        )


def _unclear(path: str, why: str, remedy: str) -> ImageError:
    return ImageError(Problem("SLW-8758", f"{path}: {why}", remedy or "put the file back as Kubespray wrote it"))
