# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Charts that look into the cluster, where Helm 4 is stricter than Helm 3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import RenderContext
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import ServerAccess
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.render import render

Make = Callable[..., Addon]


def fake_helm4(folder: Path, server_fails_with: str) -> str:
    """A Helm 4 whose look at the cluster fails, and which notes its arguments."""
    script = folder / "fake-helm"
    script.write_text(f"""#!/bin/sh
echo "$@" >> {folder}/calls
case "$*" in
    version*) echo v4.1.4 ;;
    *--dry-run=server*) echo 'Error: {server_fails_with}' >&2; exit 1 ;;
    *) printf -- '---\\n# Source: seeing/templates/all.yaml\\n'
       printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: seeing}}\\n' ;;
esac
""")
    script.chmod(0o755)
    return str(script)


def test_helm4_that_misses_an_api_renders_a_first_install_blind(
    offline: RenderContext, addon: Make, tmp_path: Path
) -> None:
    missing = 'resource mapping not found: no matches for kind "Widget"\nensure CRDs are installed first'
    helm = replace(offline.helm, binary=fake_helm4(tmp_path, missing))
    context = replace(offline, helm=helm, server=ServerAccess(url="https://127.0.0.1:1", token="s3cr3t-token"))
    rendered = render(addon("seeing"), context)
    assert (rendered.blind, len(rendered.objects)) == (True, 1)
    with pytest.raises(RenderError, match="SLW-2010"):
        render(addon("seeing"), replace(context, is_upgrade=True))
    calls = (tmp_path / "calls").read_text()
    assert "--take-ownership --disable-openapi-validation" in calls
    assert "s3cr3t-token" not in calls


def test_a_cluster_that_is_away_is_an_error_and_not_blindness(
    offline: RenderContext, addon: Make, tmp_path: Path
) -> None:
    helm = replace(offline.helm, binary=fake_helm4(tmp_path, "kubernetes cluster unreachable"))
    with pytest.raises(RenderError, match=r"SLW-2007 kubernetes cluster unreachable$"):
        render(addon("seeing"), replace(offline, helm=helm, server=ServerAccess(url="https://127.0.0.1:1")))
