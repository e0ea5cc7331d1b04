# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the ``openbao`` provider accepts as options, which secrets it asks for, and what it says of both."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SettingsError
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.table import PROVIDERS

BAO = PROVIDERS["openbao"]
GOOD = {"address": "https://bao.example.com:8200", "role": "kx"}
TOKEN = "s.EP9pNIxEvCjiPsblDyyhi2GC"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BAO_ADDR", "VAULT_ADDR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "auth",
    [
        {},
        {"method": "token"},
        {"method": "token", "token_file": "~/.vault-token"},
        {"method": "wrapped_token", "wrapped_token_fd": 3, "creation_path": "auth/token/create"},
        {"method": "approle", "mount": "ci", "role_id": "x", "secret_id_file": "/run/secret"},
        {"method": "jwt", "role": "kx", "jwt_file": "/run/token"},
        {"method": "jwt"},
        {"method": "kubernetes", "role": "kx"},
        {"method": "inline", "role": "kx", "jwt_file": "/run/token"},
        {"method": "inline", "login": "approle", "role_id": "x"},
        {"method": "token", "token_file": None, "token_fd": ""},
        {"method": "token", "token_fd": "3"},
    ],
)
def test_good_options(auth: dict[str, Any]) -> None:
    assert BAO.check(GOOD | {"auth": auth}) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"role": ""}, ("role", "is missing: the role of the SSH engine that signs")),
        ({"address": None}, ("address", "is missing, and so is BAO_ADDR in the environment")),
        ({"adress": "x"}, ("adress", "is not known (did you mean address?)")),
        ({"timeout": 0}, ("timeout", "must be a number of seconds from 1 to 300")),
        ({"timeout": True}, ("timeout", "must be a number of seconds from 1 to 300")),
        ({"timeout": "nan"}, ("timeout", "must be a number of seconds from 1 to 300")),
        ({"plain_http": "perhaps"}, ("plain_http", "must be true or false")),
        ({"auth": {"token_fd": "-1"}}, ("auth.token_fd", "must be the number of an open file descriptor")),
        ({"mount": "a b"}, ("mount", "must be a text without blanks")),
        ({"namespace": "a\nX-Evil: b"}, ("namespace", "must be a text without blanks")),
        ({"ca_file": "ca.pem"}, ("ca_file", "must be an absolute path")),
        ({"auth": "token"}, ("auth", "must be a mapping")),
        ({"auth": {"method": "ldap"}}, ("auth.method", "must be one of token, wrapped_token, approle, jwt, ")),
        ({"auth": {"method": "token", "role": "x"}}, ("auth.role", "is not known, there are: method, ")),
        ({"auth": {"method": "kubernetes"}}, ("auth.role", "is missing: the role of the Kubernetes method")),
        (
            {"auth": {"token_file": "/x", "token_fd": 3}},
            ("auth.token_fd", "is given beside auth.token_file: keep one of the two"),
        ),
        ({"auth": {"token_fd": True}}, ("auth.token_fd", "must be the number of an open file descriptor")),
        ({"address": "bao.example.com"}, ("address", "must be an address such as https://bao.example.com:8200")),
        ({"address": "https://u:p@bao.example.com"}, ("address", "holds a password or a user name: take it out")),
        ({"address": "https://bao:port"}, ("address", "is no valid address")),
        ({"address": "http://bao.example.com"}, ("address", "would send secrets in the clear: ")),
    ],
)
def test_problems(options: dict[str, Any], problem: tuple[str, str]) -> None:
    found = BAO.check(GOOD | options)
    assert [(key, text[: len(problem[1])]) for key, text in found] == [problem]


def test_all_problems_at_once() -> None:
    found = BAO.check({"adress": "x", "auth": {"method": "kubernetes", "jwt": JWT}, "timeout": "long"})
    assert [key for key, _text in found] == ["adress", "timeout", "role", "address", "auth.jwt", "auth.role"]


@pytest.mark.parametrize(
    ("options", "key", "instead"),
    [
        ({"token": "x"}, "token", "set SLIPWAY_BAO_TOKEN, or auth.token_fd or auth.token_file"),
        ({"auth": {"token": "x"}}, "auth.token", "set SLIPWAY_BAO_TOKEN, or auth.token_fd or auth.token_file"),
        ({"auth": {"secret_id": "x"}}, "auth.secret_id", "set SLIPWAY_SECRET_ID, or "),
        ({"auth": {"method": "jwt", "jwt": "x"}}, "auth.jwt", "set SLIPWAY_JWT, or auth.jwt_fd"),
        ({"auth": {"wrapped_token": "x"}}, "auth.wrapped_token", "set SLIPWAY_WRAPPED_TOKEN, or "),
        ({"role": TOKEN}, "role", "give secrets by environment, file or descriptor"),
        ({"mount": "hvs.CAESIJlWh3yzIVnkL8w0Zl2w"}, "mount", "give secrets by environment"),
        ({"auth": {"method": "jwt", "role": JWT}}, "auth.role", "give secrets by environment"),
    ],
)
def test_a_secret_among_the_options_is_refused_and_not_shown(options: dict[str, Any], key: str, instead: str) -> None:
    ((where, text),) = BAO.check(GOOD | options)
    assert where == key
    assert instead in text
    assert TOKEN not in text
    assert JWT not in text


@pytest.mark.parametrize("address", ["http://127.0.0.1:8200", "http://localhost:8200", "http://[::1]:8200"])
def test_http_on_this_machine(address: str) -> None:
    assert BAO.check(GOOD | {"address": address}) == []


def test_http_elsewhere_has_to_be_wanted() -> None:
    for wanted in (True, "True"):
        assert BAO.check(GOOD | {"address": "http://bao.example.com", "plain_http": wanted}) == []
    for not_wanted in (False, "False", None):
        assert BAO.check(GOOD | {"address": "http://bao.example.com", "plain_http": not_wanted})


def test_what_a_template_makes_of_numbers_is_understood() -> None:
    assert BAO.check(GOOD | {"timeout": "2.5"}) == []
    assert BAO.create(GOOD | {"timeout": "2.5"}, {"token": TOKEN})


def test_the_address_of_the_environment_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "https://vault.example.com")
    assert BAO.check({"role": "kx"}) == []
    monkeypatch.setenv("BAO_ADDR", "http://bao.example.com")
    ((key, text),) = BAO.check({"role": "kx"})
    assert key == "address"
    assert text.startswith("from the environment would send secrets in the clear")


@pytest.mark.parametrize(
    ("auth", "names"),
    [
        ({}, {"token"}),
        ({"method": "wrapped_token"}, {"wrapped_token", "role_id"}),
        ({"method": "approle", "role_id": "x"}, {"secret_id"}),
        ({"method": "approle"}, {"secret_id", "role_id"}),
        ({"method": "jwt"}, {"jwt", "jwt_file"}),
        ({"method": "jwt", "jwt_file": "/x"}, set()),
        ({"method": "kubernetes", "role": "kx"}, {"jwt", "jwt_file"}),
        ({"method": "inline", "login": "approle"}, {"secret_id", "role_id"}),
    ],
)
def test_only_the_secrets_of_the_chosen_way_are_read(auth: dict[str, Any], names: set[str]) -> None:
    around = {"ca_file", "tls_server_name", "namespace"}
    assert {wanted.name for wanted in BAO.secrets(GOOD | {"auth": auth})} == names | around


def test_an_option_goes_before_the_environment() -> None:
    wanted = BAO.secrets(GOOD | {"namespace": "team", "ca_file": "/x"})
    assert {one.name for one in wanted} == {"tls_server_name", "token"}
    assert next(one for one in wanted if one.name == "token").environment[0] == "SLIPWAY_BAO_TOKEN"


@pytest.mark.parametrize(
    ("auth", "given", "code", "message"),
    [
        ({}, {}, "SLW-7041", "the token is needed"),
        ({"method": "approle", "role_id": "x"}, {}, "SLW-7041", "the secret-id is needed"),
        ({"method": "approle"}, {"secret_id": "x"}, "SLW-7041", "the role-id is needed"),
        ({"method": "wrapped_token"}, {}, "SLW-7041", "the wrapped token is needed"),
        ({"method": "jwt"}, {}, "SLW-7041", "the JSON web token is needed"),
        (
            {},
            {"token": f"{TOKEN}\nmore"},
            "SLW-7042",
            "what was given as the token cannot be it: there are several lines",
        ),
    ],
)
def test_a_secret_that_is_missing_or_none_is_said_at_once(
    auth: dict[str, Any], given: dict[str, str], code: str, message: str
) -> None:
    with pytest.raises(SettingsError) as error:
        BAO.create(GOOD | {"auth": auth}, given)
    assert error.value.code == code
    assert error.value.message.startswith(message)
    assert error.value.advice
    assert TOKEN not in str(error.value)


def test_a_ca_file_that_is_none_is_said_at_once(tmp_path: Any) -> None:
    for name, text in (("missing.pem", None), ("odd.pem", "no certificate")):
        file = tmp_path / name
        if text:
            file.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=f"^SLW-7043 the authorities in {file} cannot be used"):
            BAO.create(GOOD | {"ca_file": str(file)}, {"token": TOKEN})


def test_the_line_break_of_a_file_is_no_part_of_a_secret() -> None:
    assert BAO.create(GOOD, {"token": f"{TOKEN}\n"}).describe() == (
        "OpenBao at https://bao.example.com:8200, role kx of ssh-user, by token"
    )


@pytest.mark.parametrize(
    ("environment", "auth"),
    [
        ({"SLIPWAY_SECRET_ID": "s"}, {"method": "approle"}),
        ({"SLIPWAY_SECRET_ID": "s", "SLIPWAY_AUTH_MOUNT": "awx"}, {"method": "approle", "mount": "awx"}),
        ({"SLIPWAY_WRAPPED_TOKEN": "s", "SLIPWAY_ROLE_ID": "r"}, {"method": "wrapped_token"}),
        (
            {"SLIPWAY_JWT_FILE": "/t", "SLIPWAY_AUTH_ROLE": "slipway", "SLIPWAY_AUTH_MOUNT": ""},
            {"method": "jwt", "role": "slipway"},
        ),
    ],
)
def test_the_secret_that_is_there_says_how_to_log_in(environment: dict[str, str], auth: dict[str, str]) -> None:
    for options in ({"role": "slipway"}, {"role": "slipway", "auth": {}}, {"role": "slipway", "auth": None}):
        found = BAO.settled(options, environment)
        assert found["auth"] == auth
        assert BAO.check({**GOOD, **found}) == []


@pytest.mark.parametrize("environment", [{}, {"SLIPWAY_SECRET_ID": ""}, {"BAO_TOKEN": "t"}])
def test_without_such_a_secret_nothing_is_decided(environment: dict[str, str]) -> None:
    assert BAO.settled({"role": "slipway"}, environment) == {"role": "slipway"}


def test_what_is_written_goes_before_what_is_there() -> None:
    options = {"role": "slipway", "auth": {"method": "token"}}
    assert BAO.settled(options, {"SLIPWAY_SECRET_ID": "s"}) == options
