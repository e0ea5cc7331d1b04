# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A real OpenBao over time: tokens at half of their life, faults on the way to it, a server that cannot serve."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Provider
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.http import Http
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.openbao_api import Api
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.openbao_auth import Given, Login
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.openbao_token import Tokens
from tests.contract.fixtures.authority import ROLE, Authority, authority, certificate, request, wrapped
from tests.contract.runner import rule

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def bao(lab_env: dict[str, Any]) -> Iterator[Authority]:
    with authority(lab_env) as made:
        yield made


def refused(provider: Provider) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        provider.sign(request())
    return error.value


class Clock:
    """The controller's; OpenBao's goes on as it does."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestHalfLife:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def api(self, bao: Authority) -> Api:
        return Api(Http(bao.root.address, "OpenBao", tls=None))

    def renewed(self, bao: Authority, token: str) -> bool:
        return "last_renewal" in bao.root.need("POST", "auth/token/lookup", {"token": token})["data"]

    def login(self, bao: Authority, api: Api) -> Login:
        fields = {"role_id": bao.role_id, "secret_id": bao.secret_id()}
        return Login(api, "approle", bao.login("approle"), "", lambda: fields)

    def test_a_given_token_is_renewed_at_half_of_what_was_left(self, bao: Authority, api: Api, clock: Clock) -> None:
        token = bao.token(ttl="60s")
        tokens = Tokens(api, Given(api, token), clock)
        assert tokens.current() == token
        clock.now += 29
        tokens.current()
        assert not self.renewed(bao, token)
        clock.now += 2
        tokens.current()
        assert self.renewed(bao, token)

    def test_a_token_from_a_login_is_renewed_and_given_back(self, bao: Authority, api: Api, clock: Clock) -> None:
        tokens = Tokens(api, self.login(bao, api), clock)
        token = tokens.current()
        for _ in range(3):
            clock.now += 31
            assert tokens.current() == token
        assert self.renewed(bao, token)
        tokens.close()
        assert not bao.alive(token)

    def test_without_the_right_to_renew_there_is_a_new_login_near_the_end(
        self, bao: Authority, api: Api, clock: Clock
    ) -> None:
        bao.app_role(token_no_default_policy=True)
        try:
            tokens = Tokens(api, self.login(bao, api), clock)
            first = tokens.current()
            clock.now += 31
            assert tokens.current() == first
            assert not self.renewed(bao, first)
            clock.now += 22
            assert tokens.current() == first
            clock.now += 2
            second = tokens.current()
            assert second != first
            tokens.close()
        finally:
            bao.app_role(token_no_default_policy=False)

    def test_a_token_that_was_revoked_is_noticed_when_it_is_renewed(
        self, bao: Authority, api: Api, clock: Clock
    ) -> None:
        tokens = Tokens(api, self.login(bao, api), clock)
        first = tokens.current()
        bao.root.need("POST", "auth/token/revoke", {"token": first})
        clock.now += 31
        second = tokens.current()
        assert second != first
        assert bao.alive(second)
        tokens.close()

    def test_a_batch_token_is_neither_renewed_nor_revoked(self, bao: Authority, api: Api, clock: Clock) -> None:
        bao.app_role(token_type="batch")
        try:
            tokens = Tokens(api, self.login(bao, api), clock)
            first = tokens.current()
            clock.now += 31
            assert tokens.current() == first
            clock.now += 24
            assert tokens.current() != first
            tokens.close()
        finally:
            bao.app_role(token_type="service")


class TestOnTheWay:
    """By the lab's fault proxy, over TLS with the lab's own authority."""

    def provider(self, bao: Authority, token: str, auth: dict[str, Any] | None = None, **more: Any) -> Provider:
        way = {"address": bao.env["bao_proxy"], "ca_file": bao.env["ca_file"]}
        return bao.provider(auth or {"method": "token"}, {"token": token, "wrapped_token": token}, **way | more)

    def rule(self, bao: Authority, **order: Any) -> Any:
        return rule({"proxy_control": bao.env["bao_proxy_control"]}, **order)

    def test_a_slow_server(self, bao: Authority) -> None:
        provider = self.provider(bao, bao.token(), timeout=0.3)
        with self.rule(bao, path=f"{bao.users}/sign", delay=1.0, times=1):
            error = refused(provider)
            assert (error.code, error.passes) == ("SLW-7101", True)
            assert error.message == f"OpenBao at {bao.env['bao_proxy']} does not answer: no answer within 0.3 s"
            assert provider.sign(request())

    def test_a_connection_that_breaks(self, bao: Authority) -> None:
        provider = self.provider(bao, bao.token())
        with self.rule(bao, path=f"{bao.users}/sign", reset="before", times=1):
            error = refused(provider)
            assert (error.code, error.passes) == ("SLW-7101", True)
            assert provider.sign(request())

    @pytest.mark.parametrize(
        ("status", "code"), [(429, "SLW-7104"), (500, "SLW-7104"), (412, "SLW-7104"), (503, "SLW-7103")]
    )
    def test_what_passes_by_itself(self, bao: Authority, status: int, code: str) -> None:
        provider = self.provider(bao, bao.token())
        with self.rule(bao, path=f"{bao.users}/sign", status=status, times=1):
            error = refused(provider)
            assert (error.code, error.passes) == (code, True)
            assert provider.sign(request())

    def test_one_403_in_the_middle(self, bao: Authority) -> None:
        auth = {"method": "approle", "mount": bao.login("approle"), "role_id": bao.role_id}
        way = {"address": bao.env["bao_proxy"], "ca_file": bao.env["ca_file"]}
        provider = bao.provider(auth, {"secret_id": bao.secret_id()}, **way)
        provider.sign(request())
        before = bao.accessors()
        with self.rule(bao, path=f"{bao.users}/sign", status=403, times=1) as number:
            assert number
            assert certificate(provider.sign(request()).certificate)
        assert len(bao.accessors() - before) == 1
        # Twice is no accident: it is told, and not repeated for ever.
        with self.rule(bao, path=f"{bao.users}/sign", status=403, times=2):
            assert refused(provider).code == "SLW-7120"
        provider.close()

    def test_the_clock_is_the_server_s(self, bao: Authority) -> None:
        provider = self.provider(bao, bao.token())
        with self.rule(bao, path=f"{bao.users}/sign", clock=300.0):
            ahead = provider.sign(request()).clock
        assert ahead is not None
        assert ahead - time.time() > 200

    def test_a_wrapping_token_whose_answer_was_lost(self, bao: Authority) -> None:
        token = wrapped(bao, "auth/token/create", {"policies": [bao.name]})["token"]
        provider = self.provider(bao, token, {"method": "wrapped_token"})
        with self.rule(bao, path="sys/wrapping/unwrap", credential=token, reset="after", times=1):
            assert refused(provider).passes
        error = refused(provider)
        assert error.code == "SLW-7112"
        assert "by somebody else, or by this run's own attempt that got no answer, or expired" in error.message

    def test_a_server_that_nobody_trusts(self, bao: Authority) -> None:
        token = bao.token()
        error = refused(self.provider(bao, token, ca_file=""))
        assert (error.code, error.passes) == ("SLW-7102", False)
        assert token not in str(error)

    def test_a_certificate_made_out_to_another_name(self, bao: Authority) -> None:
        token = bao.token()
        error = refused(self.provider(bao, token, tls_server_name="bao.example.com"))
        assert error.code == "SLW-7102"
        assert "bao.example.com" in error.message
        assert self.provider(bao, token, tls_server_name="localhost").sign(request())


def test_nobody_listens(bao: Authority) -> None:
    provider = bao.provider({"method": "token"}, {"token": "x"}, address="http://127.0.0.1:9")
    error = refused(provider)
    assert (error.code, error.passes) == ("SLW-7101", True)
    assert error.message == "OpenBao at http://127.0.0.1:9 does not answer: Connection refused"


def test_a_real_quota(bao: Authority) -> None:
    provider, _token = bao.by_token()
    provider.sign(request())
    quota = f"sys/quotas/rate-limit/{bao.name}"
    bao.root.need("POST", quota, {"path": f"{bao.users}/", "rate": 1, "interval": "600s"})
    try:
        provider.sign(request())
        error = refused(provider)
    finally:
        bao.root.need("DELETE", quota)
    assert (error.code, error.passes) == ("SLW-7104", True)
    assert "has too many requests: 429 " in error.message
    assert provider.sign(request())


@pytest.mark.alone
def test_a_sealed_server_and_the_same_session_after_it(bao: Authority) -> None:
    provider, _token = bao.by_token()
    provider.sign(request())
    bao.root.seal()
    try:
        error = refused(provider)
        with pytest.raises(ProviderError, match="is sealed"):
            provider.host_authorities()
        provider.close()
    finally:
        bao.root.unseal(Path(bao.env["bao_unseal_key_file"]).read_text(encoding="utf-8").strip())
    assert (error.code, error.passes) == ("SLW-7103", True)
    assert error.message == f"OpenBao at {bao.root.address} is sealed and signs nothing"
    assert ROLE not in error.message
    assert provider.sign(request())
