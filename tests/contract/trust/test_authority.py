# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ``ssh_ca`` makes of an empty OpenBao, and what its policies allow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.trust.support import Access

pytestmark = pytest.mark.lab
CA = ("-e", "slipway_prepare_ca=true", "--limit", "localhost")


def test_a_second_run_changes_nothing(access: Access) -> None:
    keys = _keys(access)
    assert access.ok(*CA).changed("localhost") == 0
    assert _keys(access) == keys
    assert all(key.startswith("ssh-ed25519 ") for key in keys)


def test_what_somebody_changed_is_put_right_and_the_key_is_kept(access: Access) -> None:
    keys, role = _keys(access), f"{access.user_mount}/roles/slipway-{access.name}"
    access.bao.need("POST", role, access.bao.need("GET", role)["data"] | {"allowed_users": "*", "max_ttl": 86400})
    assert access.ok(*CA).changed("localhost") == 1
    found = access.bao.need("GET", role)["data"]
    assert (found["allowed_users"], found["max_ttl"]) == (access.principal, 900)
    assert found["allow_empty_principals"] is False
    assert _keys(access) == keys


def test_one_error_names_every_right_that_is_missing(access: Access) -> None:
    made = access.bao.need("POST", "auth/token/create", {"policies": ["default"], "ttl": "5m"})
    access.token = made["auth"]["client_token"]
    ran = access.run(*CA)
    assert ran.status != 0
    assert ran.out.count("SLW-7322") == 1 + ran.out.count('"code": "SLW-7322"')
    for path in (f"sys/mounts/{access.user_mount}", f"{access.host_mount}/issuers", "sys/policies/acl/slipway-"):
        assert path in ran.out
    assert access.token not in ran.out


def test_reading_is_not_enough_to_write(access: Access) -> None:
    """Whoever may read everything and write nothing learns what is missing before the first write."""
    rules = "".join(f'path "{path}" {{ capabilities = ["read", "list"] }}\n' for path in ("sys/*", f"{access.name}-*"))
    policy = f"slipway-{access.name}-hosts"
    access.bao.need("PUT", f"sys/policies/acl/{policy}", {"policy": rules})
    made = access.bao.need("POST", "auth/token/create", {"policies": [policy], "ttl": "5m"})
    access.token = made["auth"]["client_token"]
    ran = access.run(*CA, *access.extra(slipway_certificate_ttl="5m"))
    assert "SLW-7322" in ran.out
    assert f"{access.user_mount}/roles/slipway-{access.name} (create, update)" in ran.out
    role = access.bao.need("GET", f"{access.user_mount}/roles/slipway-{access.name}")["data"]
    assert role["ttl"] == 600


@pytest.mark.parametrize("said", [{"key_id": "root"}, {"extensions": {}}, {"critical_options": {"force-command": "x"}}])
def test_a_client_cannot_choose_what_a_certificate_allows(access: Access, said: dict[str, Any]) -> None:
    token = _token(access, f"slipway-{access.name}")
    body = {"public_key": access.agent.public_key, "valid_principals": access.principal}
    path = f"{access.user_mount}/sign/slipway-{access.name}"
    assert _call(access, token, path, body) == 200
    assert _call(access, token, path, body | said) == 403


def test_a_certificate_is_for_this_cluster_alone(access: Access) -> None:
    path = f"{access.user_mount}/sign/slipway-{access.name}"
    for principal in ("root", "slipway-other", f"{access.principal},root", ""):
        body = {"public_key": access.agent.public_key, "valid_principals": principal}
        assert access.bao.call("POST", path, body)[0] == 400, principal


def test_the_token_of_a_rollout_needs_no_administrator(access: Access) -> None:
    host = access.host()
    access.token = _token(access, f"slipway-{access.name}-hosts")
    assert access.ok().changed(host.name) == 1
    assert access.by_certificate(host)


def test_a_missing_token_is_said_before_anything(access: Access) -> None:
    access.token = ""
    assert "SLW-7321" in access.run(*CA).out


def test_a_token_never_travels_unencrypted(access: Access) -> None:
    ran = access.run(*CA, *access.extra(slipway_ca_address="http://bao.example.com:8200"))
    assert "SLW-7320" in ran.out


def _keys(access: Access) -> list[str]:
    return [str(access.bao.need("GET", f"{mount}/public_key")) for mount in (access.user_mount, access.host_mount)]


def _token(access: Access, policy: str) -> str:
    made = access.bao.need("POST", "auth/token/create", {"policies": [policy], "ttl": "5m", "display_name": "test"})
    return str(made["auth"]["client_token"])


def _call(access: Access, token: str, path: str, body: dict[str, Any]) -> int:
    return type(access.bao)(access.bao.address, token).call("POST", path, body)[0]
