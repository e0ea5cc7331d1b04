# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's OpenBao, the authority set up in it, and the faults before it."""

from __future__ import annotations

import datetime
import email.utils
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from lab import authority
from lab.authority import Authority
from lab.bao import Bao, of_lab
from lab.errors import LabError
from lab.hosts import keys
from tests.lab.conftest import Client

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

pytestmark = pytest.mark.lab
SIGN = "ssh-user/sign/slipway"
POLICY_SAYS_NO = "1 error occurred:\n\t* permission denied\n\n"


@pytest.fixture
def ca(lab: Lab) -> Authority:
    return authority.set_up(lab.env)


@pytest.fixture
def public_key() -> str:
    return keys.public_text(keys.generate("ed25519"))


@pytest.fixture
def bao_proxy(lab: Lab) -> Iterator[Client]:
    """OpenBao through the fault proxy, as root."""
    env = lab.env
    headers = {"X-Vault-Token": Path(env["bao_token_file"]).read_text()}
    with urllib3.PoolManager(ca_certs=env["ca_file"]) as pool:
        yield Client(env["bao_proxy"] + "/v1", pool, headers)


@pytest.fixture
def bao_control(lab: Lab) -> Iterator[Client]:
    """Orders to that proxy; all of them are taken back afterwards."""
    with urllib3.PoolManager() as pool:
        client = Client(lab.env["bao_proxy_control"], pool, {})
        yield client
        client.call("DELETE", "/rules")
        client.call("PUT", "/door", {"open": True})


def test_the_root_token_is_nowhere_but_in_private_files(lab: Lab) -> None:
    token = Path(lab.env["bao_token_file"]).read_text()
    pid = lab.state.processes["bao"].pid
    assert token not in Path(f"/proc/{pid}/cmdline").read_text()
    assert token not in Path(f"/proc/{pid}/environ").read_text()
    assert token not in (lab.folder / "logs" / "bao.log").read_text()
    holders = [path for path in lab.folder.iterdir() if path.is_file() and token in path.read_text(errors="replace")]
    assert {path.name for path in holders} == {"bao-token", "state.json"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in holders)


def test_seals_and_unseals(lab: Lab) -> None:
    bao, key = of_lab(lab.env), Path(lab.env["bao_unseal_key_file"]).read_text()
    bao.seal()
    try:
        assert bao.sealed()
        assert bao.call("GET", "sys/mounts") == (503, {"errors": ["Vault is sealed"]})
    finally:
        bao.unseal(key)
    assert bao.call("GET", "sys/mounts")[0] == 200


def test_setting_up_again_changes_nothing(lab: Lab, ca: Authority) -> None:
    mounts = ca.bao.need("GET", "sys/mounts")["data"]
    again = authority.set_up(lab.env)
    assert (again.user_ca, again.host_ca) == (ca.user_ca, ca.host_ca)
    assert ca.user_ca != ca.host_ca
    assert ca.user_ca.startswith("ssh-ed25519 ")
    assert again.bao.need("GET", "sys/mounts")["data"] == mounts


def test_what_a_test_has_set_stays_set(lab: Lab) -> None:
    """Starting hosts asks for the authority; it must not undo what somebody set up."""
    authority.set_up(lab.env, ttl="60s", max_ttl="61s")
    role = authority.get(lab.env).bao.need("GET", "ssh-user/roles/slipway")["data"]
    assert (role["ttl"], role["max_ttl"]) == (60, 61)
    authority.set_up(lab.env)


def test_certificates_say_who_and_for_how_long(lab: Lab, ca: Authority, public_key: str, tmp_path: Path) -> None:
    file = tmp_path / "cert.pub"
    file.write_text(ca.sign_user(public_key, authority.principal(lab.env), "60s"))
    shown = subprocess.run(["ssh-keygen", "-L", "-f", file], capture_output=True, text=True, check=True).stdout
    assert 'Key ID: "root/slipway"' in shown
    assert "ssh-ed25519-cert-v01@openssh.com user certificate" in shown
    begin, end = re.findall(r"Valid: from (\S+) to (\S+)", shown)[0]
    life = datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(begin)
    assert life == datetime.timedelta(seconds=90)  # 30 s of them before now
    assert shown.partition("Extensions:")[2].split() == ["permit-port-forwarding"]
    assert shown.partition("Principals:")[2].split()[0] == authority.principal(lab.env)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, 200, None),
        ({"valid_principals": "root"}, 400, "root is not a valid value for valid_principals"),
        ({"ttl": "16m"}, 400, "ttl is larger than maximum allowed 900"),
        ({"cert_type": "host"}, 400, "cert_type 'host' is not allowed by role"),
        ({"extensions": {}}, 403, POLICY_SAYS_NO),
        ({"critical_options": {"force-command": "id"}}, 403, POLICY_SAYS_NO),
        ({"key_id": "me"}, 403, POLICY_SAYS_NO),
    ],
)
def test_a_runs_token_may_only_sign(
    lab: Lab, ca: Authority, public_key: str, change: dict[str, Any], status: int, said: str | None
) -> None:
    run = Bao(lab.env["bao_address"], ca.token())
    body = {"public_key": public_key, "valid_principals": authority.principal(lab.env)}
    answered, content = run.call("POST", SIGN, body | change)
    assert (answered, content.get("errors")) == (status, None if said is None else [said])
    assert run.call("GET", "sys/mounts")[0] == 403


def test_logins_by_role_and_by_the_clusters_token(lab: Lab, ca: Authority, public_key: str) -> None:
    server = Bao(lab.env["bao_address"])
    role, secret = ca.app_role()
    login = {"role_id": role, "secret_id": secret}
    policies = server.need("POST", "auth/approle/login", login)["auth"]["policies"]
    assert policies == ["default", "slipway"]
    assert server.call("POST", "auth/approle/login", login) == (400, {"errors": ["invalid role or secret ID"]})
    jwt = lab.kubectl("create", "token", "default", f"--audience={authority.AUDIENCE}").strip()
    answer = server.need("POST", "auth/jwt/login", {"role": authority.ROLE, "jwt": jwt})
    signer = Bao(lab.env["bao_address"], answer["auth"]["client_token"])
    body = {"public_key": public_key, "valid_principals": authority.principal(lab.env)}
    assert signer.call("POST", SIGN, body)[0] == 200
    other = lab.kubectl("create", "token", "default", "--audience=elsewhere").strip()
    status, content = server.call("POST", "auth/jwt/login", {"role": authority.ROLE, "jwt": other})
    assert status == 400
    assert "invalid audience" in content["errors"][0]


def test_refusals_are_ordered_in_openbaos_words(bao_proxy: Client, bao_control: Client) -> None:
    for order in ({"status": 403}, {"status": 503}, {"status": 403, "message": POLICY_SAYS_NO}):
        bao_control.call("POST", "/rules", order | {"path": "/sys/mounts", "times": 1})
    answers = [bao_proxy.call("GET", "/sys/mounts") for _ in range(4)]
    assert answers[:3] == [
        (403, {"errors": ["permission denied"]}),
        (503, {"errors": ["Vault is sealed"]}),
        (403, {"errors": [POLICY_SAYS_NO]}),
    ]
    assert answers[3][0] == 200


def test_the_words_are_openbaos(lab: Lab, ca: Authority) -> None:
    """What the proxy says of itself is what the real one says: compared, not remembered."""
    token = ca.token()
    ca.bao.need("POST", "auth/token/revoke", {"token": token})
    assert Bao(lab.env["bao_address"], token).call("POST", SIGN, {}) == (403, {"errors": ["permission denied"]})
    assert Bao(lab.env["bao_address"], ca.token()).call("POST", f"{SIGN}x", {}) == (403, {"errors": [POLICY_SAYS_NO]})


def test_rules_can_ask_for_a_token(bao_proxy: Client, bao_control: Client) -> None:
    bao_control.call("POST", "/rules", {"credential": "^somebody", "status": 403})
    assert bao_proxy.call("GET", "/sys/mounts")[0] == 200
    bao_proxy.headers["X-Vault-Token"] = "somebody else"
    assert bao_proxy.call("GET", "/sys/seal-status")[0] == 403


@pytest.mark.parametrize("status", [None, 503])
def test_the_clock_of_answers_goes_wrong(bao_proxy: Client, bao_control: Client, status: int | None) -> None:
    bao_control.call("POST", "/rules", {"clock": 300, "status": status, "times": 1})
    dates = []
    for _ in range(2):
        answer = bao_proxy.pool.request("GET", bao_proxy.base + "/sys/seal-status", retries=False)
        assert len(answer.headers.getlist("Date")) == 1
        dates.append(email.utils.parsedate_to_datetime(answer.headers["Date"]))
    assert 290 < (dates[0] - dates[1]).total_seconds() <= 300


def test_a_shut_door_refuses_connections(bao_proxy: Client, bao_control: Client) -> None:
    bao_control.call("PUT", "/door", {"open": False})
    bao_proxy.pool.clear()
    with pytest.raises(urllib3.exceptions.NewConnectionError, match="Connection refused"):
        bao_proxy.call("GET", "/sys/seal-status")
    bao_control.call("PUT", "/door", {"open": True})
    assert bao_proxy.call("GET", "/sys/seal-status")[0] == 200


def test_a_lost_answer_was_still_given(bao_proxy: Client, bao_control: Client) -> None:
    bao_control.call("POST", "/rules", {"path": "/auth/token/create", "reset": "after", "times": 1})
    before = len(bao_proxy.call("LIST", "/auth/token/accessors")[1]["data"]["keys"])
    with pytest.raises(urllib3.exceptions.ProtocolError):
        bao_proxy.call("POST", "/auth/token/create", {"ttl": "1m"})
    assert len(bao_proxy.call("LIST", "/auth/token/accessors")[1]["data"]["keys"]) == before + 1


def test_errors_carry_the_servers_words(lab: Lab) -> None:
    with pytest.raises(LabError, match="GET nothing/here: 404"):
        of_lab(lab.env).need("GET", "nothing/here")
