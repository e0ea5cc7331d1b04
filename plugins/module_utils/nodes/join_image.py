# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The manifest of an image, as sealing has written it: what is in it, and what it was made with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..image.manifest import SCHEMA, digest
from .problem import NodesError, Problem


@dataclass(frozen=True)
class Image:
    """``kubespray`` and ``kubernetes`` are versions without ``v``; ``variables`` are digests as the cluster record has
    them; ``trust`` are fingerprints of the authorities whose SSH certificates it accepts, ``digest`` is its identity.
    """

    name: str
    digest: str
    kubespray: str
    kubernetes: str
    runtime: str
    network_plugin: str
    architecture: str
    variables: Mapping[str, str]
    trust: frozenset[str] = field(default_factory=frozenset)


def read(text: str, where: str) -> Image:
    """Raises ``NodesError`` SLW-8710 when it is no manifest that this version understands, or not as it was sealed."""
    try:
        found = json.loads(text)
        if found["schema"] != SCHEMA:
            raise ValueError(f"it has schema {found['schema']}, this version knows {SCHEMA}")
        if found["digest"] != digest(found):
            raise ValueError("its digest is not that of its content: it was changed after the image was sealed")
        return Image(
            name=str(found["name"]),
            digest=str(found["digest"]),
            kubespray=str(found["kubespray"]).removeprefix("v"),
            kubernetes=str(found["kubernetes"]).removeprefix("v"),
            runtime=str(found["container_runtime"]["name"]),
            network_plugin=str(found["network_plugin"]),
            architecture=str(found["architecture"]),
            variables={str(key): str(value) for key, value in found["variables"].items()},
            trust=frozenset(map(str, found.get("trust") or ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        why = f"{exc.args[0]!r} is missing" if isinstance(exc, KeyError) else str(exc)
        remedy = "copy /etc/slipway/image.json of the image anew, or seal it with this version of the collection"
        problem = Problem("SLW-8710", f"the image's manifest cannot be used: {why}", remedy, where)
        raise NodesError([problem]) from exc
