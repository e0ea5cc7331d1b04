# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Provisioner keys as step makes them: ``step_keys.json`` holds some that its own library wrote and encrypted."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SettingsError
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.jose import (
    JoseError,
    SigningKey,
    private_jwk,
)
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.table import PROVIDERS

STEP = PROVIDERS["step_ca"]
KEYS: dict[str, Any] = json.loads(Path(__file__).with_name("step_keys.json").read_text(encoding="utf-8"))
PASSWORD = "a pass word"
GOOD = {"address": "https://ca.example.com", "provisioner": "slipway"}


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(decoded(text), "big")


def verified(token: str, public: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Head and claims, by cryptography's own verification and not by ours."""
    signed, _dot, last = token.rpartition(".")
    signature = decoded(last)
    data = signed.encode()
    if public["kty"] == "OKP":
        ed25519.Ed25519PublicKey.from_public_bytes(decoded(public["x"])).verify(signature, data)
    elif public["kty"] == "RSA":
        numbers = rsa.RSAPublicNumbers(number(public["e"]), number(public["n"]))
        numbers.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    else:
        key = ec.EllipticCurvePublicNumbers(number(public["x"]), number(public["y"]), ec.SECP256R1()).public_key()
        der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        key.verify(der, data, ec.ECDSA(hashes.SHA256()))
    head, claims = (json.loads(decoded(part)) for part in signed.split("."))
    return head, claims


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_a_key_that_step_encrypted_signs(algorithm: str) -> None:
    public = KEYS[algorithm]["public"]
    key, encrypted = private_jwk(KEYS[algorithm]["compact"], PASSWORD)
    assert encrypted
    head, claims = verified(key.token({"sub": "me", "n": 1}), public)
    assert head == {"alg": algorithm, "kid": public["kid"], "typ": "JWT"}
    assert claims == {"sub": "me", "n": 1}


def test_the_other_form_of_an_encrypted_key() -> None:
    key, encrypted = private_jwk(json.dumps(KEYS["ES256"]["full"]), PASSWORD)
    assert (encrypted, key.kid) == (True, KEYS["ES256"]["public"]["kid"])


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_key_without_a_name_is_called_by_its_thumbprint(algorithm: str) -> None:
    """As step calls it, whose names these are."""
    private = dict(KEYS[algorithm]["private"])
    name = private.pop("kid")
    assert SigningKey.of(private).kid == name == KEYS[algorithm]["public"]["kid"]


@pytest.mark.parametrize(
    ("text", "password", "why"),
    [
        (KEYS["ES256"]["compact"], "wrong", "the password does not open it"),
        (KEYS["ES256"]["compact"], "", "it is encrypted, and no password is given"),
        (KEYS["ES256"]["compact"][:-4] + "AAAA", PASSWORD, "the password does not open it"),
        (json.dumps(KEYS["ES256"]["full"] | {"protected": "e30"}), PASSWORD, "it is encrypted in a way that step"),
        ("a.b.c.d.e", PASSWORD, "it is "),
        ("nonsense", "", "it is no JSON object"),
        ("[]", "", "it is no JSON object"),
        ("{}", "", "its kty is none of EC, RSA, OKP"),
        ('{"kty": ["EC"]}', "", "its kty is none of EC, RSA, OKP"),
        (json.dumps(KEYS["ES256"]["public"]), "", "it holds no private part (d)"),
        ('{"kty": "EC", "crv": "P-1", "d": "AQ"}', "", "it is no valid EC key"),
        ('{"kty": "OKP", "crv": "X25519", "d": "AQ"}', "", "it is no valid OKP key"),
        ('{"kty": "RSA", "n": "AQ", "e": "AQ", "d": "AQ"}', "", "it is no valid RSA key"),
    ],
)
def test_what_is_no_key_is_told_in_words(text: str, password: str, why: str) -> None:
    with pytest.raises(JoseError) as error:
        private_jwk(text, password)
    assert str(error.value).startswith(why)
    with pytest.raises(SettingsError) as told:
        STEP.create(GOOD, {"jwk": text, "password": password})
    assert told.value.code == "SLW-7046"
    assert why in told.value.message


def test_an_unlikely_number_of_rounds_is_not_worked_off() -> None:
    head = json.loads(decoded(KEYS["ES256"]["full"]["protected"])) | {"p2c": 10**12}
    protected = base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip("=")
    with pytest.raises(JoseError, match="unlikely number of rounds"):
        private_jwk(json.dumps(KEYS["ES256"]["full"] | {"protected": protected}), PASSWORD)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
MEMBERS = st.sampled_from(["kty", "crv", "x", "y", "d", "n", "e", "kid"])
VALUES = JSON | st.sampled_from(["EC", "RSA", "OKP", "P-256", "Ed25519", "AQAB"])


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(MEMBERS, VALUES) | st.text(), st.text(max_size=5))
def test_nonsense_is_a_jose_error_and_nothing_else(content: Any, password: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    with suppress(JoseError):
        private_jwk(text, password)


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"fingerprint": "0" * 64},
            {"ca_file": "/x", "jwk_file": "/y", "password_fd": 3, "provisioner": "with blanks"},
            {"method": "oidc", "token_file": "/x", "provisioner": None},
        ],
    )
    def test_good(self, options: dict[str, Any]) -> None:
        assert STEP.check(GOOD | options) == []

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"address": ""}, ("address", "is missing: the address of step-ca")),
            ({"address": "http://127.0.0.1"}, ("address", "must begin with https://: ")),
            ({"provisioner": ""}, ("provisioner", "is missing: the name of the JWK provisioner")),
            ({"fingerprint": "12:34"}, ("fingerprint", "must be the SHA-256 of the root certificate, ")),
            ({"fingerprint": "0" * 64, "ca_file": "/x"}, ("fingerprint", "is given beside ca_file: keep one ")),
            ({"jwk_file": "/x", "jwk_fd": 0}, ("jwk_fd", "is given beside jwk_file: keep one of the two")),
            ({"method": "x5c"}, ("method", "must be one of jwk, oidc")),
            ({"token_file": "/x"}, ("token_file", "is not known")),
            ({"jwk": "x"}, ("jwk", "is a secret, which no file of settings should hold: set SLIPWAY_STEP_JWK, or ")),
            ({"password": "x"}, ("password", "is a secret, ")),
            ({"key_id": '{"d":"AQ"}'}, ("key_id", "holds a secret: ")),
        ],
    )
    def test_problems(self, options: dict[str, Any], problem: tuple[str, str]) -> None:
        found = STEP.check(GOOD | options)
        assert [(key, text[: len(problem[1])]) for key, text in found if key != "provisioner" or len(found) == 1] == [
            problem
        ]

    def test_secrets(self) -> None:
        assert {one.name for one in STEP.secrets(GOOD)} == {"jwk", "password"}
        assert {one.name for one in STEP.secrets({"method": "oidc"})} == {"token"}
        assert STEP.secrets({"method": "oidc", "token_file": "/x"}) == ()

    def test_a_key_in_a_file_has_to_be_encrypted(self) -> None:
        key = json.dumps(KEYS["EdDSA"]["private"])
        with pytest.raises(SettingsError, match=r"^SLW-7046 the provisioner's key in /x is not encrypted"):
            STEP.create(GOOD | {"jwk_file": "/x"}, {"jwk": key})
        assert STEP.create(GOOD, {"jwk": key}).describe().startswith("step-ca at https://ca.example.com, provisioner ")
        assert STEP.create(GOOD | {"jwk_file": "/x"}, {"jwk": KEYS["ES256"]["compact"], "password": f"{PASSWORD}\n"})

    @pytest.mark.parametrize(
        ("options", "what"), [({}, "the provisioner's key"), ({"method": "oidc"}, "the identity token")]
    )
    def test_what_is_missing_is_said_at_once(self, options: dict[str, Any], what: str) -> None:
        with pytest.raises(SettingsError, match=f"^SLW-7041 {what} is needed and was not given"):
            STEP.create(GOOD | options, {})
