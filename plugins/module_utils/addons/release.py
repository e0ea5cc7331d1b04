# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Helm's storage: one Secret for each revision of a release, readable by Helm 3 and Helm 4."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from datetime import datetime
from typing import Any

from .errors import RenderError
from .hooks import Hook
from .model import Addon
from .sources.codes import BAD_RELEASE, RELEASE_TOO_LARGE
from .sources.context import Rendered

Release = dict[str, Any]

SECRET_TYPE = "helm.sh/release.v1"  # noqa: S105 - a kind of Secret, not one
MAX_SECRET = 1024 * 1024
"""Bytes of data that the API server takes in one Secret."""

DEPLOYED, SUPERSEDED, FAILED, UNINSTALLING = "deployed", "superseded", "failed", "uninstalling"


def secret_name(name: str, revision: int) -> str:
    return f"sh.helm.release.v1.{name}.v{revision}"


def encode(release: Release) -> str:
    """The value of the Secret's ``data.release``: base64 twice, once Helm's and once the Secret's own."""
    text = json.dumps(release, ensure_ascii=False, separators=(",", ":")).encode()
    # without the time in gzip's header the same release gives the same bytes
    return base64.b64encode(base64.b64encode(gzip.compress(text, 9, mtime=0))).decode("ascii")


def decode(data: str) -> Release:
    """The release in a Secret's ``data.release``. Raises RenderError SLW-2031."""
    try:
        raw = base64.b64decode(base64.b64decode(data, validate=True), validate=True)
        release = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError) as err:
        raise RenderError(BAD_RELEASE, f"a release Secret cannot be read: {err}") from None
    if not isinstance(release, dict):
        raise RenderError(BAD_RELEASE, "a release Secret holds no release")
    return release


def new_release(
    addon: Addon,
    rendered: Rendered,
    *,
    revision: int,
    status: str,
    description: str,
    now: datetime,
    first_deployed: datetime | None = None,
) -> Release:
    """The release object of one revision. ``first_deployed`` is that of revision 1, if this is not it.

    Times have a time zone. With ``store_values=False`` the values are left out; Helm then knows none.
    """
    return {
        "name": addon.release,
        "info": {
            "first_deployed": timestamp(first_deployed or now),
            "last_deployed": timestamp(now),
            # Helm 3 wants the empty string where nothing was deleted, Helm 4 takes it
            "deleted": "",
            "description": description,
            "status": status,
        },
        "chart": rendered.chart,
        "config": addon.values if addon.store_values else {},
        "manifest": rendered.manifest,
        "hooks": [_hook(hook) for hook in rendered.hooks],
        "version": revision,
        "namespace": addon.namespace,
        "apply_method": "ssa",
    }


def with_status(release: Release, status: str, description: str) -> Release:
    """The same revision in another status."""
    return {**release, "info": {**release.get("info", {}), "status": status, "description": description}}


def release_secret(release: Release, now: datetime) -> dict[str, Any]:
    """The Secret as Helm labels it. Raises RenderError SLW-2030."""
    data = encode(release)
    size = len(data) * 3 // 4
    if size > MAX_SECRET:
        raise RenderError(
            RELEASE_TOO_LARGE,
            f"release {release['name']} needs {size >> 10} KiB in its Secret, {MAX_SECRET >> 10} KiB is the limit",
            "list what the chart does not need in its .helmignore, or split the chart",
        )
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret_name(release["name"], release["version"]),
            "namespace": release["namespace"],
            "labels": {
                "modifiedAt": str(int(now.timestamp())),
                "name": release["name"],
                "owner": "helm",
                "status": release["info"]["status"],
                "version": str(release["version"]),
            },
        },
        "type": SECRET_TYPE,
        "data": {"release": data},
    }


def timestamp(moment: datetime) -> str:
    """RFC 3339 as Go reads it."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _hook(hook: Hook) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "name": hook.name,
        "kind": hook.kind,
        "path": hook.path,
        "manifest": hook.manifest,
        "events": list(hook.events),
        "last_run": {"phase": ""},
        "weight": hook.weight,
        "delete_policies": list(hook.delete_policies),
        "output_log_policies": list(hook.output_log_policies),
    }
    # Helm leaves empty fields out, and so do we
    return {name: value for name, value in stored.items() if value not in (0, [])}
