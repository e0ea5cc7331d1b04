# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The ``openbao`` provider against a real OpenBao: what it signs, what it says when it is refused, tokens' lives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Provider
from tests.contract.fixtures.authority import (
    MAX_TTL,
    PRINCIPAL,
    ROLE,
    Authority,
    authority,
    certificate,
    new_key,
    request,
)

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def bao(lab_env: dict[str, Any]) -> Iterator[Authority]:
    with authority(lab_env) as made:
        yield made


def refused(provider: Provider, asked: Any = None) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        provider.sign(asked or request())
    return error.value


def rsa_key() -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def test_a_certificate_is_for_the_key_the_principals_and_the_life_that_were_asked_for(bao: Authority) -> None:
    provider, _token = bao.by_token()
    key = new_key()
    before = int(time.time())
    signed = provider.sign(request(120, key=key))
    cert = certificate(signed.certificate)
    assert cert.valid_principals == [PRINCIPAL.encode()]
    public = cert.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert public.decode() == key
    assert cert.valid_before - cert.valid_after == 120 + 30
    assert cert.extensions == {}
    assert cert.critical_options == {}
    assert signed.clock is not None
    # OpenBao runs on this machine: its clock is ours, in whole seconds.
    assert before <= signed.clock <= time.time()


def test_host_authorities_need_no_token(bao: Authority) -> None:
    provider = bao.provider({"method": "token"}, {"token": "s.never-made"})
    (line,) = provider.host_authorities()
    assert line == str(bao.root.need("GET", f"{bao.hosts}/public_key")).strip()
    assert line.startswith("ssh-ed25519 ")
    lost = bao.provider({"method": "token"}, {"token": "s.never-made"}, host_mount="not-there")
    with pytest.raises(ProviderError, match=r"^SLW-7123 .* has no host authority in not-there: "):
        lost.host_authorities()


def test_every_refusal_of_a_role_is_told_in_its_own_words(bao: Authority) -> None:
    provider, token = bao.by_token()
    where = f"role {ROLE} of {bao.users} at OpenBao at {bao.root.address}"
    cases = {
        request(60, "root"): ("SLW-7121", f"{where} does not sign for the principal root"),
        request(60, PRINCIPAL, "root"): ("SLW-7121", f"{where} does not sign for the principal root"),
        request(MAX_TTL + 1): ("SLW-7122", f"301 s is longer than {where} allows: 300 s"),
        request(key=rsa_key()): ("SLW-7124", f"{where} does not sign this type of key: "),
        request(key="ssh-ed25519 AAAA"): ("SLW-7124", f"{where} refuses to sign: 400 failed to parse public_key"),
    }
    for asked, (code, message) in cases.items():
        error = refused(provider, asked)
        assert (error.code, error.message[: len(message)]) == (code, message)
        assert error.advice
        assert not error.passes
        assert token not in str(error)
    nobody = request()
    object.__setattr__(nobody, "principals", ())
    assert refused(provider, nobody).message == f"{where} signs only for named principals"
    two = refused(provider, request(60, f"{PRINCIPAL},root"))
    assert (two.code, two.message) == (
        "SLW-7121",
        "the principal 'kx-a,root' holds a comma, which would make two of it",
    )


def test_a_place_that_does_not_exist_is_named(bao: Authority) -> None:
    secrets = {"token": bao.token()}

    def told(**options: Any) -> str:
        return str(refused(bao.provider({"method": "token"}, secrets, **options)))

    assert told(role="not-there").startswith(f"SLW-7123 there is no role not-there of {bao.users} at OpenBao at ")
    assert told(mount=f"{bao.name}-nothing").startswith(f"SLW-7123 nothing is mounted as {bao.name}-nothing at ")
    assert told(role="for-hosts").startswith(f"SLW-7124 role for-hosts of {bao.users} at ")
    assert "signs no user certificates" in told(role="for-hosts")
    gone = told(namespace="not-there")
    assert gone.startswith(f"SLW-7123 OpenBao at {bao.root.address}, namespace not-there does not exist")


def test_what_the_policy_forbids_is_not_tried_again(bao: Authority) -> None:
    sid = bao.secret_id()
    auth = {"method": "approle", "mount": bao.login("approle"), "role_id": bao.role_id}
    provider = bao.provider(auth, {"secret_id": sid}, role="other")
    before = bao.accessors()
    error = refused(provider)
    assert error.code == "SLW-7120"
    assert f'path "{bao.users}/sign/other" {{ capabilities = ["update"] }}' in error.advice
    # One login, not a second one because of the 403.
    assert len(bao.accessors() - before) == 1
    provider.close()
    assert bao.accessors() == before


def test_a_token_of_the_user_that_is_dead_is_one_sentence(bao: Authority) -> None:
    provider, token = bao.by_token()
    provider.sign(request())
    bao.root.need("POST", "auth/token/revoke", {"token": token})
    for _ in range(2):
        error = refused(provider)
        assert error.code == "SLW-7111"
        assert not error.passes
        assert token not in str(error)
    assert refused(bao.provider({"method": "token"}, {"token": "s.never-made"})).code == "SLW-7111"


def test_the_user_s_own_token_outlives_the_session(bao: Authority) -> None:
    provider, token = bao.by_token()
    provider.sign(request())
    provider.close()
    provider.close()
    assert bao.alive(token)


def test_a_token_without_rights_to_look_at_itself_signs(bao: Authority) -> None:
    provider, _token = bao.by_token(no_default_policy=True)
    assert certificate(provider.sign(request()).certificate)


def test_a_login_whose_token_was_revoked_logs_in_once_more(bao: Authority) -> None:
    auth = {"method": "approle", "mount": bao.login("approle"), "role_id": bao.role_id}
    provider = bao.provider(auth, {"secret_id": bao.secret_id()})
    before = bao.accessors()
    provider.sign(request())
    (first,) = bao.accessors() - before
    bao.root.need("POST", "auth/token/revoke-accessor", {"accessor": first})
    assert provider.sign(request())
    (second,) = bao.accessors() - before
    assert second != first
    provider.close()
    assert bao.accessors() == before


def test_used_up_tokens_are_replaced(bao: Authority) -> None:
    bao.app_role(token_num_uses=2)
    try:
        auth = {"method": "approle", "mount": bao.login("approle"), "role_id": bao.role_id}
        provider = bao.provider(auth, {"secret_id": bao.secret_id()})
        assert len({provider.sign(request()).certificate for _ in range(5)}) == 5
        provider.close()
    finally:
        bao.app_role(token_num_uses=0)
