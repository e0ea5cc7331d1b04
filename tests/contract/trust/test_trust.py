# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts with a static key come to trust the authority, and what would lock somebody out is put back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.hosts import log, manage
from lab.hosts.model import Host
from tests.contract.trust.support import CORES, Access, files, folders, site

pytestmark = pytest.mark.lab


def test_a_static_key_is_replaced_by_certificates(access: Access, host: Host) -> None:
    consent = access.extra(slipway_remove_static_keys=access.name)
    assert not access.by_certificate(host)
    first = access.run(*consent, playbook=str(_only_static_keys(access)))
    assert first.status != 0
    assert "SLW-7342" in first.out
    assert access.by_static_key(host)

    rollout = access.ok()
    assert rollout.changed(host.name) == 1
    assert access.by_certificate(host)
    assert access.by_static_key(host)

    again = access.ok()
    assert again.changed(host.name) == 0

    wrong = access.run(*access.extra(slipway_remove_static_keys="another"))
    assert "SLW-7341" in wrong.out
    assert access.by_static_key(host)

    removal = access.ok(*consent)
    assert removal.changed(host.name) == 1
    assert not access.by_static_key(host)
    assert access.by_certificate(host)
    assert "restore.sh" in removal.out
    assert access.ok(*consent).changed(host.name) == 0


@pytest.mark.parametrize("core", CORES)
def test_every_core_rolls_out_rotates_and_removes(access: Access, host: Host, core: str) -> None:
    if not (CORES[core] / "ansible-playbook").exists():
        pytest.skip(f"ansible-core {core} is not installed")
    access.programs = CORES[core]
    assert access.ok(*access.extra(slipway_prepare_ca=True)).changed(host.name) == 1
    access.ok(*access.extra(slipway_rotate_ca="add"))
    access.ok(*access.extra(slipway_rotate_ca="switch"))
    assert access.ok(*access.extra(slipway_remove_static_keys=access.name)).changed(host.name) == 1
    assert access.by_certificate(host)
    assert not access.by_static_key(host)
    site(host, "AllowUsers somebody\n")
    assert "SLW-7304" in access.run(*access.extra(slipway_sshd_log_level="DEBUG")).out


def test_the_host_shows_a_certificate_of_its_own(access: Access, host: Host) -> None:
    (Path(host.folder) / "etc/ssh/ssh_host_ed25519_key.pub").unlink()
    access.ok()
    known = access.folder / "known_hosts"
    authority = str(access.bao.need("GET", f"{access.host_mount}/public_key")).split()[:2]
    known.write_text(f"@cert-authority * {' '.join(authority)}\n")
    strict = ("-i", str(access.agent.key), "-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={known}")
    words = [word for word in strict if "=no" not in word]
    alias = ("-o", f"HostKeyAlias={host.name}")
    options = ("-F", "none", "-o", "BatchMode=yes", *words)
    assert _ssh(access, host, *options, *alias) == 0
    assert _ssh(access, host, *options, "-o", "HostKeyAlias=another") != 0


def test_check_mode_changes_nothing(access: Access, host: Host) -> None:
    before, roles = files(host), access.bao.need("GET", f"{access.user_mount}/roles/slipway-{access.name}")["data"]
    ran = access.ok("--check", "--diff", *access.extra(slipway_prepare_ca=True, slipway_certificate_ttl="5m"))
    assert "Match User slipway" in ran.out
    assert ran.changed(host.name) == 1
    assert files(host) == before
    assert access.bao.need("GET", f"{access.user_mount}/roles/slipway-{access.name}")["data"] == roles
    assert not access.by_certificate(host)


LOCKOUTS = {
    "AllowUsers": ("AllowUsers somebody\n", "AllowUsers does not name slipway"),
    "DenyUsers": ("DenyUsers slip*\n", "DenyUsers names slipway"),
    "AllowGroups": ("AllowGroups wheel\n", "AllowGroups names no group of slipway"),
    "AuthenticationMethods": (
        "PasswordAuthentication yes\nAuthenticationMethods publickey,password\n",
        "AuthenticationMethods asks for",
    ),
    "PubkeyAuthentication": ("Match User slipway\n    PubkeyAuthentication no\n", "PubkeyAuthentication is off"),
    "LocalPort": ("Match LocalAddress 127.0.0.0/8\n    PubkeyAuthentication no\n", "PubkeyAuthentication is off"),
}


@pytest.mark.parametrize("what", LOCKOUTS)
def test_a_configuration_that_would_lock_us_out_is_put_back(access: Access, host: Host, what: str) -> None:
    text, reason = LOCKOUTS[what]
    # After ours in the order of files, and not loaded: the running sshd still lets the static key in.
    site(host, text)
    before, there = files(host), folders(host)
    ran = access.run()
    assert ran.status != 0
    assert "SLW-7304" in ran.out
    assert reason in ran.out
    assert files(host) == before
    assert folders(host) == there
    assert access.by_static_key(host)


def test_something_before_ours_that_decides_otherwise_is_seen(access: Access, host: Host) -> None:
    site(host, "Match User slipway\n    AuthorizedPrincipalsFile /etc/ssh/others\n", "sshd_config.d/05-site.conf")
    before = files(host)
    ran = access.run()
    assert "SLW-7304" in ran.out
    assert "authorizedprincipalsfile is /etc/ssh/others" in ran.out
    assert files(host) == before


def test_a_locked_account_is_seen(access: Access, host: Host) -> None:
    shadow = Path(host.folder) / "etc" / "shadow"
    shadow.write_text(shadow.read_text().replace("slipway:*:", "slipway:!:"))
    before = files(host)
    ran = access.run()
    # A running sshd refuses such a user by itself where it can read the file: then nothing is reached at all.
    assert "SLW-7304" in ran.out or "UNREACHABLE" in ran.out
    assert files(host) == before


def test_a_folder_that_others_may_write_is_seen(access: Access, host: Host) -> None:
    folder = Path(host.folder) / "etc" / "ssh"
    folder.chmod(0o775)
    before = files(host)
    ran = access.run()
    assert "SLW-7304" in ran.out
    assert "others than root may write" in ran.out
    assert files(host) == before


def test_only_the_login_can_tell(access: Access, host: Host) -> None:
    """sshd finds nothing wrong with a list that revokes our key; the login does."""
    before, there = files(host), folders(host)
    ran = access.run(*access.extra(slipway_revoked_keys=[access.agent.public_key]))
    assert ran.status != 0
    assert "SLW-7305" in ran.out
    assert files(host) == before
    assert folders(host) == there
    assert access.by_static_key(host)
    assert access.ok().changed(host.name) == 1


def test_what_sshd_does_not_accept_is_put_back(access: Access, host: Host) -> None:
    before = files(host)
    ran = access.run(*access.extra(slipway_sshd_log_level="NONSENSE"))
    assert "SLW-7303" in ran.out
    assert files(host) == before


def test_a_broken_host_is_not_touched(access: Access, host: Host) -> None:
    site(host, "Nonsense yes\n")
    before = files(host)
    ran = access.run()
    assert "SLW-7302" in ran.out
    assert files(host) == before


def test_rules_of_the_site_for_others_are_no_obstacle(access: Access, host: Host) -> None:
    rules = ("Group wheel", "Address 192.0.2.0/24", "LocalPort 22", "LocalAddress 192.0.2.1", "Host *.example.com")
    site(host, "".join(f"Match {rule}\n    PubkeyAuthentication no\n" for rule in rules))
    assert access.ok().changed(host.name) == 1
    assert access.by_certificate(host)


def test_a_plain_key_in_the_agent_proves_nothing(access: Access, host: Host) -> None:
    allowed = Path(host.folder) / "home" / host.user / ".ssh" / "authorized_keys"
    allowed.write_text(allowed.read_text() + access.agent.public_key + "\n")
    before = files(host)
    access.agent.hold()
    ran = access.run()
    assert "SLW-7306" in ran.out
    assert "it has none at all" in ran.out
    assert files(host) == before


def test_a_certificate_of_another_cluster_proves_nothing(access: Access, host: Host) -> None:
    before = files(host)
    role = f"{access.user_mount}/roles/slipway-{access.name}"
    access.bao.need("POST", role, access.bao.need("GET", role)["data"] | {"allowed_users": "slipway-other"})
    access.agent.hold(access.sign("slipway-other"))
    ran = access.run()
    assert "SLW-7306" in ran.out
    assert "is for slipway-other" in ran.out
    assert files(host) == before


def test_without_include_it_is_a_block_above_the_first_match(access: Access, host: Host) -> None:
    image = (Path(host.folder) / "etc/ssh/sshd_config.d/90-image.conf").read_text()
    own = f"{image}PasswordAuthentication no\nMatch User visitor\n    X11Forwarding yes\n"
    site(host, own, "sshd_config")
    manage.order(host, "reload")
    access.ok()
    text = (Path(host.folder) / "etc/ssh/sshd_config").read_text()
    assert text.index("BEGIN slipway") < text.index("Match User visitor")
    assert "sshd_config.d/10-slipway.conf" not in files(host)
    assert access.by_certificate(host)
    assert access.ok().changed(host.name) == 0


def test_the_first_contact_believes_the_pinned_key_alone(access: Access, host: Host) -> None:
    access.variables_more = {"ansible_ssh_common_args": "", "ansible_host_key_checking": True}
    before, key = files(host), (Path(host.folder) / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    logins = len(log.logins(host))
    wrong = access.run(*access.extra(slipway_host_key=access.fingerprint(access.agent.public_key)))
    assert f"SLW-7312 {host.name} shows {access.fingerprint(key)}" in wrong.out
    assert files(host) == before
    assert len(log.logins(host)) == logins
    right = access.ok(*access.extra(slipway_host_key=[access.fingerprint(key)]))
    assert right.changed(host.name) == 1


def test_a_session_of_ours_is_as_good_as_an_agent(access: Access, host: Host) -> None:
    """Nothing but a token on the controller: the session makes the key and asks for the certificate."""
    access.agent.hold()
    access.variables_more = {
        "slipway_ssh": {
            "provider": "openbao",
            "openbao": {
                "address": access.lab["bao_address"],
                "plain_http": True,
                "mount": access.user_mount,
                "host_mount": access.host_mount,
                "role": f"slipway-{access.name}",
            },
        }
    }
    consent = access.extra(slipway_remove_static_keys=access.name)
    assert access.ok(*consent).changed(host.name) == 2
    assert not access.by_static_key(host)
    assert access.ok(*consent).changed(host.name) == 0


def _only_static_keys(access: Access) -> Path:
    playbook = access.folder / "static_keys.yml"
    role = "{role: slipway.cluster.ssh_static_keys}"
    playbook.write_text(f"- hosts: all:!localhost\n  gather_facts: false\n  roles: [{role}]\n")
    return playbook


def _ssh(access: Access, host: Host, *options: str) -> int:
    command = ["ssh", *options, "-o", f"CertificateFile={access.agent.key}-cert.pub", "-p", str(host.port)]
    return subprocess.run(
        [*command, f"{host.user}@{host.address}", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    ).returncode
