# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The ``step_ca`` provider: each test against a stand-in, and against the real step-ca where it is on this machine.

``SLIPWAY_STEP_CA`` names the program, or it is found in the path:
``go install github.com/smallstep/certificates/cmd/step-ca@v0.30.2``.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Provider, Request
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.jose import SigningKey
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.table import PROVIDERS
from tests.contract.fixtures.authority import certificate, new_key
from tests.contract.fixtures.step_ca import (
    CLIENT,
    MAILERS,
    PROVISIONER,
    World,
    ec_jwk,
    public_part,
    real,
    server_side,
    world,
)
from tests.contract.fixtures.step_stand_in import stand_in
from tests.unit.session.standin import Asked, http, serving

STEP_CA = os.environ.get("SLIPWAY_STEP_CA") or shutil.which("step-ca")


@pytest.fixture(scope="module")
def issuer() -> Iterator[tuple[str, dict[str, str]]]:
    """Somebody who makes identity tokens, such as a cluster for its service accounts."""
    key = ec_jwk("identity")

    def reply(asked: Asked) -> bytes:
        if asked.target == "/keys":
            return http(200, {"keys": [public_part(key)]})
        return http(200, {"issuer": there.address, "jwks_uri": f"{there.address}/keys"})

    with serving(reply) as there:
        yield there.address, key


@pytest.fixture(scope="module", params=["stand-in", "step-ca"])
def ca(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, issuer: tuple[str, dict[str, str]]
) -> Iterator[World]:
    made = world(tmp_path_factory.mktemp("step"), *issuer)
    if request.param == "stand-in":
        with stand_in(made):
            yield made
        return
    if STEP_CA is None:
        pytest.skip("step-ca is not on this machine")
    with real(STEP_CA, made):
        yield made


def provider(ca: World, jwk: dict[str, str] | None = None, **options: Any) -> Provider:
    kind = PROVIDERS["step_ca"]
    chosen = {"address": ca.address, "fingerprint": ca.fingerprint, "provisioner": PROVISIONER} | options
    assert kind.check(chosen) == []
    return kind.create(chosen, {"jwk": json.dumps(jwk or ca.jwk)})


def by_identity(ca: World, token: str = "", **options: Any) -> Provider:
    kind = PROVIDERS["step_ca"]
    chosen = {"address": ca.address, "ca_file": ca.ca_file, "method": "oidc"} | options
    assert kind.check(chosen) == []
    return kind.create(chosen, {"token": token} if token else {})


def identity_token(ca: World, **claims: Any) -> str:
    now = int(time.time())
    usual = {"iss": ca.issuer, "sub": "system:serviceaccount:awx:slipway", "aud": CLIENT, "iat": now, "nbf": now}
    return SigningKey.of(ca.identity).token(usual | {"exp": now + 300} | claims)


def request(ttl: int = 600, *principals: str) -> Request:
    return Request(new_key(), principals or ("kx-a",), ttl)


def refused(one: Provider, asked: Request | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        one.sign(asked or request())
    assert error.value.advice
    return error.value


def test_a_certificate_is_for_the_principals_and_the_life_that_were_asked_for(ca: World) -> None:
    one = provider(ca, key_id="slipway/me")
    for ttl in (300, 600):
        before = int(time.time())
        signed = one.sign(request(ttl, "kx-a", "kx-b"))
        cert = certificate(signed.certificate)
        assert cert.valid_principals == [b"kx-a", b"kx-b"]
        assert cert.key_id == b"slipway/me"
        assert cert.valid_before - cert.valid_after == ttl + 60
        assert signed.clock is not None
        assert before <= signed.clock <= time.time()
    assert one.describe() == f"step-ca at {ca.address}, provisioner {PROVISIONER}, as slipway/me"


def test_its_root_may_be_a_file(ca: World) -> None:
    assert provider(ca, fingerprint=None, ca_file=ca.ca_file).sign(request())


def test_a_root_that_is_not_the_pinned_one(ca: World) -> None:
    error = refused(provider(ca, fingerprint="0" * 64))
    assert (error.code, error.passes) == ("SLW-7102", False)
    assert "no root certificate with the fingerprint 000" in error.message


def test_somebody_in_between_has_another_root(tmp_path: Path) -> None:
    """Who answers in the server's place also answers what its root certificate is."""
    between = world(tmp_path, "", {})

    def reply(asked: Asked) -> bytes:
        return http(200, {"ca": Path(between.ca_file).read_text(encoding="utf-8")})

    with serving(reply, tls=server_side(between), port=between.port) as there:
        error = refused(provider(between, fingerprint="ab" * 32))
    assert error.code == "SLW-7102"
    assert [asked.target for asked in there.asked] == [f"/root/{'ab' * 32}"]


def test_without_its_root_it_is_not_trusted(ca: World) -> None:
    assert refused(provider(ca, fingerprint=None)).code == "SLW-7102"


def test_host_authorities(ca: World) -> None:
    assert provider(ca).host_authorities() == (ca.hosts,)


def test_five_minutes_are_the_least(ca: World) -> None:
    # The minute before now counts.
    assert provider(ca).sign(request(240))
    error = refused(provider(ca), request(239))
    assert error.code == "SLW-7122"
    assert error.message.startswith(f"239 s is shorter than step-ca at {ca.address} (provisioner slipway) gives: 5m0s,")


def test_an_hour_is_the_most_here(ca: World) -> None:
    error = refused(provider(ca), request(7200))
    assert error.code == "SLW-7122"
    assert error.message.startswith("7200 s is longer than ")
    assert "1h1m0s" in error.message


@pytest.mark.parametrize("key", ["ssh-ed25519 AAAA", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="])
def test_a_public_key_that_is_none(ca: World, key: str) -> None:
    error = refused(provider(ca), Request(key, ("kx-a",), 600))
    assert (error.code, "error parsing publicKey" in error.message) == ("SLW-7124", True)


def test_nobody_is_not_whoever_asks(ca: World) -> None:
    assert refused(provider(ca), Request(new_key(), (), 600)).code == "SLW-7121"


def test_another_provisioner_and_another_key(ca: World) -> None:
    for one in (provider(ca, provisioner="other"), provider(ca, ec_jwk()), provider(ca, ec_jwk("other"))):
        error = refused(one)
        assert (error.code, error.passes) == ("SLW-7110", False)
        assert "does not accept the token" in error.message


@pytest.mark.parametrize("off", [-600, -300, 300, 600])
def test_a_wrong_clock_of_the_controller_costs_one_more_request(
    ca: World, monkeypatch: pytest.MonkeyPatch, off: int
) -> None:
    """Tokens begin and end by our clock; what the server's is stands in each of its answers."""
    one = provider(ca)
    right = time.time
    real_now = right()
    monkeypatch.setattr(f"{type(one).__module__}.time", Shifted(off))
    signed = one.sign(request())
    assert signed.clock is not None
    assert abs(signed.clock - real_now) < 60
    assert one.sign(request())


class Shifted:
    """The module ``time`` on a machine whose clock is wrong."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds


class TestIdentity:
    def test_a_token_serves_once(self, ca: World) -> None:
        one = by_identity(ca, identity_token(ca))
        cert = certificate(one.sign(request(600, "kx-a", "kx-b")).certificate)
        assert cert.valid_principals == [b"kx-a", b"kx-b"]
        assert cert.key_id == b"system:serviceaccount:awx:slipway"
        error = refused(one)
        assert error.code == "SLW-7110"
        assert error.advice.startswith("it serves once")

    def test_a_file_is_read_for_each_certificate(self, ca: World, tmp_path: Path) -> None:
        file = tmp_path / "token"
        one = by_identity(ca, token_file=str(file))
        assert refused(one).code == "SLW-7114"
        for number in range(3):
            file.write_text(identity_token(ca, jti=str(number)) + "\n", encoding="utf-8")
            assert one.sign(request())
        error = refused(one)
        assert error.message == f"the token in {file} has been used, and step-ca takes each only once"

    def test_a_certificate_for_others_than_asked_is_none(self, ca: World) -> None:
        def one() -> Provider:
            return by_identity(ca, identity_token(ca, aud=MAILERS, email="kx-z@example.com", jti=os.urandom(8).hex()))

        assert one().sign(request(600, "kx-z"))
        error = refused(one())
        assert error.code == "SLW-7121"
        assert error.message == f"step-ca at {ca.address} signed for kx-z, kx-z@example.com, not for kx-a"

    def test_refusals_do_not_tell_the_token(self, ca: World) -> None:
        for token in ("nonsense", identity_token(ca, aud="others"), identity_token(ca, exp=1)):
            error = refused(by_identity(ca, token))
            assert error.code == "SLW-7110"
            assert token not in str(error)
