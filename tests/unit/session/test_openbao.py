# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a real OpenBao cannot be made to say: Vault's words, odd answers, secrets in errors; and tokens' lives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError, SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Provider, Request, Signed
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.http import Http
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.openbao_api import Api
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.openbao_auth import Token
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.openbao_token import Tokens
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.table import PROVIDERS
from tests.unit.session.standin import Asked, StandIn, http, serving

REQUEST = Request("ssh-ed25519 AAAA", ("kx-a",), 60)
LINE = "ssh-ed25519-cert-v01@openssh.com AAAA"
SIGNED = {"data": {"signed_key": f"{LINE}\n"}}
LOGGED_IN = {"auth": {"client_token": "s.made", "lease_duration": 60, "renewable": True}}
DEAD_AT_VAULT = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"


def provider(there: StandIn, auth: dict[str, Any], secrets: dict[str, str], **more: Any) -> Provider:
    kind = PROVIDERS["openbao"]
    options = {"address": there.address, "role": "kx", "auth": auth} | more
    assert kind.check(options) == []
    return kind.create(options, secrets)


def paths(there: StandIn) -> list[str]:
    return [asked.target.removeprefix("/v1/") for asked in there.asked]


class TestVault:
    @pytest.mark.parametrize(
        "refusal", [(403, "permission denied"), (403, DEAD_AT_VAULT), (400, "missing client token")]
    )
    def test_inline_falls_back_to_a_login_once(self, refusal: tuple[int, str]) -> None:
        def reply(asked: Asked) -> bytes:
            if asked.target == "/v1/auth/jwt/login":
                return http(200, LOGGED_IN)
            if asked.headers.get("x-vault-token") == "s.made":
                return http(200, SIGNED)
            return http(refusal[0], {"errors": [refusal[1]]})

        with serving(reply) as there:
            vault = provider(there, {"method": "inline", "role": "kx"}, {"jwt": "a.b.c"})
            assert [vault.sign(REQUEST).certificate for _ in range(2)] == [LINE, LINE]
            assert vault.describe().endswith("by inline jwt, not inline: the server does not know it")
            vault.close()
        sign = "ssh-user/sign/kx"
        assert paths(there) == [sign, "auth/jwt/login", sign, sign, "auth/token/revoke-self"]

    def test_its_words_for_a_dead_token(self) -> None:
        def reply(asked: Asked) -> bytes:
            if asked.target == "/v1/auth/approle/login":
                return http(200, LOGGED_IN | {"auth": {"client_token": f"s.{len(there.asked)}", "lease_duration": 60}})
            if asked.headers.get("x-vault-token") == "s.1":
                return http(403, {"errors": [DEAD_AT_VAULT]})
            return http(200, SIGNED)

        with serving(reply) as there:
            vault = provider(there, {"method": "approle", "role_id": "r"}, {"secret_id": "x"})
            assert vault.sign(REQUEST).certificate == LINE
        assert paths(there).count("auth/approle/login") == 2


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {"signed_key": ""}}, {"data": {"signed_key": 7}}, b"<html>"]
)
def test_an_answer_without_a_certificate(body: object) -> None:
    with serving(lambda asked: http(200, body)) as there:
        one = provider(there, {"method": "token"}, {"token": "s.x"})
        with pytest.raises(ProviderError, match=r"^SLW-7105 OpenBao at .* sent no certificate"):
            one.sign(REQUEST)


@pytest.mark.parametrize(
    "body", [{}, {"auth": None}, {"auth": {"mfa_requirement": {}}}, {"auth": {"client_token": ""}}]
)
def test_a_login_without_a_token(body: object) -> None:
    with serving(lambda asked: http(200, body)) as there:
        one = provider(there, {"method": "approle", "role_id": "r"}, {"secret_id": "x"})
        with pytest.raises(ProviderError, match=r"^SLW-7110 .* answered the login without a token"):
            one.sign(REQUEST)


def test_a_namespace_goes_with_every_request() -> None:
    with serving(lambda asked: http(200, LOGGED_IN | SIGNED)) as there:
        one = provider(there, {"method": "approle", "role_id": "r"}, {"secret_id": "x"}, namespace="/team/a/")
        one.sign(REQUEST)
        one.host_authorities()
        one.close()
    assert {asked.headers.get("x-vault-namespace") for asked in there.asked} == {"team/a"}


def test_nothing_is_sent_that_a_policy_with_denied_parameters_would_refuse() -> None:
    with serving(lambda asked: http(200, SIGNED | {"data": {"ttl": 60, **SIGNED["data"]}})) as there:
        provider(there, {"method": "token"}, {"token": "s.x"}).sign(REQUEST)
    assert there.asked[-1].json() == {
        "public_key": "ssh-ed25519 AAAA",
        "valid_principals": "kx-a",
        "cert_type": "user",
        "ttl": "60s",
    }


def test_closing_says_nothing_when_nobody_answers() -> None:
    with serving(lambda asked: http(200, LOGGED_IN | SIGNED)) as there:
        one = provider(there, {"method": "approle", "role_id": "r"}, {"secret_id": "x"})
        one.sign(REQUEST)
    one.close()


def test_closing_before_anything_was_asked_asks_nothing() -> None:
    with serving(lambda asked: http(500)) as there:
        provider(there, {"method": "approle", "role_id": "r"}, {"secret_id": "x"}).close()
    assert there.asked == []


class TestLife:
    """``Tokens`` alone, with a source that counts and an authority that answers as told."""

    class Source:
        def __init__(self, *, repeatable: bool = True, renewable: bool = True, ours: bool = True) -> None:
            self.repeatable = repeatable
            self.made = 0
            self._rest = {"renewable": renewable, "ours": ours}

        def obtain(self) -> Token:
            self.made += 1
            return Token(f"s.{self.made}", 100.0, **self._rest)

    def tokens(self, there: StandIn, source: Source) -> tuple[Tokens, list[float]]:
        now = [0.0]
        return Tokens(Api(Http(there.address, "It", tls=None)), source, lambda: now[0]), now

    def test_at_its_longest_life_it_is_not_renewed_again(self) -> None:
        with serving(lambda asked: http(200, {"auth": {"lease_duration": 49}})) as there:
            tokens, now = self.tokens(there, source := self.Source())
            tokens.current()
            for now[0] in (51.0, 60.0, 80.0, 89.0):
                assert tokens.current() == "s.1"
            assert paths(there) == ["auth/token/renew-self"]
            now[0] = 91.0
            assert tokens.current() == "s.2"
        assert source.made == 2
        # The first one is not left to its end.
        assert paths(there) == ["auth/token/renew-self", "auth/token/revoke-self"]
        assert there.asked[-1].headers["x-vault-token"] == "s.1"

    def test_a_renewal_that_gets_no_answer_is_tried_again_and_disturbs_nobody(self) -> None:
        answers = iter([http(503, {"errors": ["Vault is sealed"]}), http(200, {"auth": {"lease_duration": 100}})])
        with serving(lambda asked: next(answers)) as there:
            tokens, now = self.tokens(there, self.Source())
            tokens.current()
            for now[0] in (51.0, 52.0, 60.0, 101.0):
                assert tokens.current() == "s.1"
        assert len(there.asked) == 2

    def test_the_only_one_is_used_to_its_end(self) -> None:
        with serving(lambda asked: http(500)) as there:
            tokens, now = self.tokens(there, source := self.Source(repeatable=False, renewable=False))
            for now[0] in (0.0, 51.0, 95.0, 200.0):
                assert tokens.current() == "s.1"
        assert source.made == 1
        assert there.asked == []

    def test_another_s_token_is_not_revoked(self) -> None:
        with serving(lambda asked: http(204)) as there:
            tokens, _now = self.tokens(there, self.Source(ours=False))
            tokens.current()
            tokens.close()
        assert there.asked == []


# What a careless server, or a proxy before it, may do with what it is sent.
ECHOES: list[Callable[[Asked], object]] = [
    lambda asked: {"errors": [asked.body.decode(), json.dumps(asked.headers)]},
    lambda asked: {"errors": [f"bad: {value}" for value in (*asked.headers.values(), *asked.json().values())]},
    lambda asked: asked.body,
    lambda asked: {"errors": {"a": asked.headers}},
]
AUTHS: list[tuple[dict[str, Any], str]] = [
    ({"method": "token"}, "token"),
    ({"method": "wrapped_token", "role_id": "r"}, "wrapped_token"),
    ({"method": "approle", "role_id": "r"}, "secret_id"),
    ({"method": "jwt", "role": "kx"}, "jwt"),
    ({"method": "kubernetes", "role": "kx"}, "jwt"),
    ({"method": "inline", "role": "kx"}, "jwt"),
    ({"method": "inline", "login": "approle", "role_id": "r"}, "secret_id"),
]
SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=12, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    secret=SECRETS,
    way=st.sampled_from(AUTHS),
    statuses=st.lists(st.sampled_from([200, 302, 400, 403, 404, 429, 500, 503]), min_size=1, max_size=3),
    echo=st.sampled_from(ECHOES),
)
def test_no_secret_is_ever_told(
    secret: str, way: tuple[dict[str, Any], str], statuses: list[int], echo: Callable[[Asked], object]
) -> None:
    auth, name = way
    turn = iter(statuses * 20)

    def reply(asked: Asked) -> bytes:
        status = next(turn)
        if status == 200:
            return http(200, {"auth": {"client_token": secret, "lease_duration": 9}, "data": {"secret_id": secret}})
        return http(status, echo(asked), Location=f"http://x/{asked.headers.get('x-vault-token', '')}")

    with serving(reply) as there:
        one = provider(there, auth, {name: secret})
        told = [repr(one), one.describe(), str(vars(one))]
        for _ in range(3):
            try:
                told.append(repr(one.sign(REQUEST)))
            except SessionError as error:
                chain: BaseException | None = error
                while chain is not None:
                    told += [str(chain), repr(chain), str(vars(chain))]
                    chain = chain.__cause__ or chain.__context__
        one.close()
        sent = dict(pair for asked in there.asked for pair in asked.headers.items())
    forms = {secret, json.dumps(secret)[1:-1]} | {value for name, value in sent.items() if "parameter" in name}
    assert not [text for text in told if any(form in text for form in forms)]


@pytest.mark.parametrize("content", ["one secret\nand another", "", "sécret"])
def test_a_file_is_named_and_not_quoted(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content, encoding="utf-8")
    with serving(lambda asked: http(500)) as there:
        one = provider(there, {"method": "jwt", "jwt_file": str(file)}, {})
        with pytest.raises(ProviderError) as error:
            one.sign(REQUEST)
    assert error.value.message == f"{file} holds no token for the login"
    assert there.asked == []


def test_signed_is_plain_data() -> None:
    with serving(lambda asked: http(200, SIGNED, Date="Sun, 22 Nov 2026 19:41:25 GMT")) as there:
        assert provider(there, {"method": "token"}, {"token": "s.x"}).sign(REQUEST) == Signed(LINE, 1795376485.0)
