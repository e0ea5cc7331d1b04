# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Helm's storage."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.hooks import parse_hook
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon
from ansible_collections.slipway.cluster.plugins.module_utils.addons.release import (
    DEPLOYED,
    SUPERSEDED,
    decode,
    encode,
    new_release,
    release_secret,
    with_status,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import Rendered

Make = Callable[..., Addon]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "check", "annotations": {"helm.sh/hook": "test"}},
}


def rendered() -> Rendered:
    hook = parse_hook(POD, "c/templates/t.yaml", "kind: Pod")
    assert hook is not None
    chart = {"metadata": {"name": "c", "version": "1.0.0"}}
    return Rendered(objects=(), identity="x", hooks=(hook,), manifest="---\n# Source: c\n", chart=chart)


def release(addon: Addon, **other: Any) -> dict[str, Any]:
    return new_release(addon, rendered(), revision=3, status=DEPLOYED, description="Install complete", now=NOW, **other)


def test_release_has_helms_shape(addon: Make) -> None:
    assert release(addon("gated", {"a": "ä"}), first_deployed=NOW - timedelta(days=1)) == {
        "name": "rel",
        "info": {
            "first_deployed": "2026-01-01T03:04:05.000000Z",
            "last_deployed": "2026-01-02T03:04:05.000000Z",
            "deleted": "",
            "description": "Install complete",
            "status": "deployed",
        },
        "chart": {"metadata": {"name": "c", "version": "1.0.0"}},
        "config": {"a": "ä"},
        "manifest": "---\n# Source: c\n",
        "hooks": [
            {
                "name": "check",
                "kind": "Pod",
                "path": "c/templates/t.yaml",
                "manifest": "kind: Pod",
                "events": ["test"],
                "last_run": {"phase": ""},
                "delete_policies": ["before-hook-creation"],
            }
        ],
        "version": 3,
        "namespace": "apps",
        "apply_method": "ssa",
    }


def test_values_can_be_left_out(addon: Make) -> None:
    one = replace(addon("gated", {"password": "hunter2"}), store_values=False)
    assert "hunter2" not in json.dumps(release(one))


def test_secret_is_named_and_labelled_as_helm_does(addon: Make) -> None:
    secret = release_secret(release(addon("gated")), NOW)
    assert secret["type"] == "helm.sh/release.v1"
    assert secret["metadata"] == {
        "name": "sh.helm.release.v1.rel.v3",
        "namespace": "apps",
        "labels": {
            "modifiedAt": "1767323045",
            "name": "rel",
            "owner": "helm",
            "status": "deployed",
            "version": "3",
        },
    }
    inner = gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"])))
    assert json.loads(inner) == release(addon("gated"))


def test_encoding_is_repeatable_and_read_back(addon: Make) -> None:
    one = release(addon("gated", {"text": "\U0001f680"}))
    assert encode(one) == encode(one)
    assert decode(encode(one)) == one


def test_superseding_changes_the_status_only(addon: Make) -> None:
    old = release(addon("gated"))
    new = with_status(old, SUPERSEDED, "Install complete")
    assert new["info"] == {**old["info"], "status": "superseded"}
    assert old["info"]["status"] == "deployed"


def test_a_release_that_helm_stored_uncompressed_is_read() -> None:
    data = base64.b64encode(base64.b64encode(b'{"name": "old"}')).decode()
    assert decode(data) == {"name": "old"}


@pytest.mark.parametrize("data", ["", "!", "aGVsbG8=", base64.b64encode(base64.b64encode(b"\x1f\x8bbroken")).decode()])
def test_what_is_no_release_is_said(data: str) -> None:
    with pytest.raises(RenderError, match="SLW-2031"):
        decode(data)


def test_a_release_that_does_not_fit_is_refused_with_its_size(addon: Make) -> None:
    noise = random.Random(1).randbytes(1100 * 1024).hex()
    one = {**release(addon("gated")), "manifest": noise}
    with pytest.raises(RenderError, match=r"SLW-2030 .*KiB"):
        release_secret(one, NOW)
