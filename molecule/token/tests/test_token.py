# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A cluster reached by address, token and CA; and never one that nobody named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHANGE = {"slipway_addons__new": {"portal": {"values": {"host": "portal.new.example.com"}}}}


@pytest.fixture
def secret(lab: dict[str, Any]) -> str:
    return Path(lab["token_file"]).read_text(encoding="utf-8").strip()


@pytest.fixture
def surroundings(lab: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """What kubectl, Helm and other clients would fall back to: KUBECONFIG, ~/.kube/config, in-cluster variables."""
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    (home / ".kube" / "config").write_bytes(Path(lab["kubeconfig"]).read_bytes())
    address, port = lab["server"].removeprefix("https://").split(":")
    return {
        "KUBECONFIG": lab["kubeconfig"],
        "HOME": str(home),
        "KUBERNETES_SERVICE_HOST": address,
        "KUBERNETES_SERVICE_PORT": port,
        "K8S_AUTH_KUBECONFIG": lab["kubeconfig"],
    }


def test_the_token_comes_by_environment_and_is_never_shown(
    playbook: Any, secret: str, kubectl: Callable[..., Any], audited: Callable[[], list[dict[str, Any]]]
) -> None:
    run = playbook("install", "-vvv", env={"SLIPWAY_API_TOKEN": secret}, **CHANGE)
    assert run.actions == {"portal": "upgrade"}
    assert secret not in run.out
    assert secret not in str(run.report)
    assert (
        kubectl("get", "ingress", "portal", "-n", "token-portal")["spec"]["rules"][0]["host"]
        == "portal.new.example.com"
    )
    # a certificate would have left its digest
    extras = [entry["user"].get("extra", {}).get("authentication.kubernetes.io/credential-id") for entry in audited()]
    assert extras
    assert set(map(str, extras)) == {"None"}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"slipway_api_server": ""}, "no cluster address is set"),
        ({"slipway_api_token": ""}, "slipway_api_token is not"),
    ],
)
def test_no_address_no_run(
    extra: dict[str, Any],
    said: str,
    playbook: Any,
    surroundings: dict[str, str],
    audited: Callable[[], list[dict[str, Any]]],
) -> None:
    run = playbook("remove", rc=2, env=surroundings, slipway_remove_addons="portal", **extra)
    assert "SLW-6101" in run.out
    assert said in run.out
    assert run.report == {}
    assert audited() == []


def test_a_wrong_token_is_a_coded_error_that_does_not_show_it(playbook: Any) -> None:
    refused = playbook("plan", rc=2, env={"SLIPWAY_API_TOKEN": "not-the-token-of-this-lab"})
    assert "SLW-6105" in refused.out
    assert "401" in refused.out
    assert "not-the-token-of-this-lab" not in refused.out
