# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ``slipway_ssh`` may say, and where secrets come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.slipway.cluster.plugins.module_utils.session import intake, settings
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SettingsError
from ansible_collections.slipway.cluster.plugins.module_utils.session.keys import line_of, public_blob
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Kind, Wanted

BAO = {"address": "https://bao.example.com:8200", "role": "slipway"}
KEY = line_of(public_blob(ed25519.Ed25519PrivateKey.generate().public_key()))


def read(value: Any, cluster: str = "prod", folder: str = "/") -> settings.Settings:
    found, problems = settings.read(value, cluster, Path(folder))
    assert not problems
    return found


def problems(value: Any, cluster: str = "prod") -> dict[str, str]:
    _found, listed = settings.read(value, cluster, Path("/"))
    return {".".join(one.key): one.text for one in listed}


def test_nothing_written_is_the_users_own_agent() -> None:
    assert read(None).provider == "agent"
    assert not read(None).ours
    assert not read({"provider": "none"}).ours


def test_defaults_and_the_clusters_own_principal() -> None:
    found = read({"provider": "openbao", "openbao": BAO})
    assert found.ours
    assert (found.principals, found.ttl, found.host_check) == (("slipway-prod",), 600, "warn")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), (900, 900), ("1h", 3600)])
def test_times(text: object, seconds: int) -> None:
    assert read({"provider": "openbao", "openbao": BAO, "ttl": text}).ttl == seconds


def test_a_bare_off_is_no_boolean() -> None:
    assert read({"provider": "openbao", "openbao": BAO, "host_check": False}).host_check == "off"


def test_host_cas_from_text_known_hosts_and_files(tmp_path: Path) -> None:
    (tmp_path / "ca.pub").write_text(f"# ours\n\n{KEY} comment\n")
    value = {"provider": "openbao", "openbao": BAO, "host_ca": [KEY, f"@cert-authority *.lab {KEY} x", "ca.pub"]}
    assert read(value, folder=str(tmp_path)).host_cas == (KEY, KEY, KEY)


def test_relative_files_of_a_provider_lie_where_other_relative_files_do() -> None:
    auth = {"method": "jwt", "jwt_file": "token", "mount": "jwt"}
    options = BAO | {"ca_file": "tls/bao.pem", "auth": auth}
    found = read({"provider": "openbao", "openbao": options}, folder="/inventory").options
    assert found == options | {"ca_file": "/inventory/tls/bao.pem", "auth": auth | {"jwt_file": "/inventory/token"}}
    for placed in ({"ca_file": "/etc/ca.pem"}, {"ca_file": "~/ca.pem"}, {"ca_file": ""}, {"auth": None}, {}):
        assert read({"provider": "openbao", "openbao": BAO | placed}).options == BAO | placed
    assert read({"provider": "local", "local": {"key_file": "ca"}}, folder="/x").options == {"key_file": "/x/ca"}


def test_all_problems_at_once_with_the_nearest_name() -> None:
    found = problems(
        {
            "provider": "openbao",
            "principles": [],
            "ttl": "2d",
            "host_check": "strict",
            "host_ca": ["ssh-ed25519 AAAA", "/nowhere/ca.pub"],
            "patience": "long",
            "principals": ["a b"],
            "openbao": {"adress": 1},
        }
    )
    assert set(found) >= {"principles", "ttl", "host_check", "host_ca", "patience", "principals", "openbao.adress"}
    assert "'principals'" in found["principles"]


@pytest.mark.parametrize(
    ("value", "key"),
    [("openbao", ""), ({"provider": "vault"}, "provider"), ({"provider": "local", "local": 3}, "local")],
)
def test_what_is_no_map_or_no_provider(value: object, key: str) -> None:
    assert key in problems(value)


def test_without_a_name_of_the_cluster_principals_have_to_be_written() -> None:
    assert "principals" in problems({"provider": "openbao", "openbao": BAO}, cluster="")


def kind(*wanted: Wanted) -> Kind:
    def create(_options: object, _secrets: object) -> Any:
        raise NotImplementedError

    return Kind("test", lambda options: [], lambda options: wanted, create)


def test_secrets_come_from_the_first_variable_and_own_ones_leave_the_environment() -> None:
    environment = {"SLIPWAY_X": " one\n", "BAO_TOKEN": "two", "SLIPWAY_Y": "three"}
    wanted = (Wanted("x", ("SLIPWAY_X", "BAO_TOKEN")), Wanted("z", ("BAO_TOKEN",)), Wanted("none", ("SLIPWAY_NONE",)))
    assert intake.take(kind(*wanted), {}, environment) == {"x": "one", "z": "two"}
    assert environment == {"BAO_TOKEN": "two", "SLIPWAY_Y": "three"}


def test_an_option_that_was_left_empty_is_not_one() -> None:
    wanted = Wanted("x", ("SOME_X",), fd_option="fd", file_option="auth.file")
    for options in ({"fd": ""}, {"fd": None, "auth": {"file": ""}}, {"auth": None}):
        assert intake.take(kind(wanted), options, {"SOME_X": "one"}) == {"x": "one"}


def test_descriptor_and_file_go_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file\n")
    reading, writing = os.pipe()
    os.write(writing, b"from descriptor\n")
    os.close(writing)
    wanted = kind(
        Wanted("a", ("SLIPWAY_A",), fd_option="auth.a_fd"), Wanted("b", ("SLIPWAY_B",), file_option="auth.b_file")
    )
    options = {"auth": {"a_fd": reading, "b_file": str(tmp_path / "token")}}
    environment = {"SLIPWAY_A": "no", "SLIPWAY_B": "no"}
    assert intake.take(wanted, options, environment) == {"a": "from descriptor", "b": "from file"}
    assert environment == {}


@pytest.mark.parametrize("options", [{"fd": 987654}, {"fd": "x"}, {"file": "/nowhere/token"}])
def test_what_cannot_be_read_is_named(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="SLW-7042"):
        intake.take(kind(Wanted("x", (), fd_option="fd", file_option="file")), options, {})
