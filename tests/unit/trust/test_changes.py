# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files for sshd: which keywords, where they go, and what is put back."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.trust import layout, lockout
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.keywords import SINCE, parse_version
from ansible_collections.slipway.cluster.plugins.module_utils.trust.layout import Places, Site, Wanted
from ansible_collections.slipway.cluster.plugins.module_utils.trust.lockout import Account
from ansible_collections.slipway.cluster.plugins.module_utils.trust.transaction import Transaction, replace
from tests.contract.support import eventually

PLACES = Places("/etc/ssh/slipway", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/10-slipway.conf")
WANTED = Wanted(
    user_ca_keys=("ssh-ed25519 AAAA",),
    principals={"ops": ("slipway-prod",)},
    host_certificate="cert",
    log_level="VERBOSE",
    unused_connection_timeout="10m",
    penalty_exempt="192.0.2.0/24",
)
INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19", (9, 2)),
        ("unknown option -- V\nOpenSSH_8.0p1, OpenSSL 1.1.1k  FIPS", (8, 0)),
        ("OpenSSH_10.5p1, OpenSSL 3.5", (10, 5)),
    ],
)
def test_the_release_is_read_from_what_sshd_prints(said: str, version: tuple[int, int]) -> None:
    assert parse_version(said) == version


@pytest.mark.parametrize("said", ["dropbear 2022.83", "", "OpenSSH_7.4p1"])
def test_other_or_older_servers_are_refused(said: str) -> None:
    with pytest.raises(TrustError, match="SLW-7301"):
        parse_version(said)


@pytest.mark.parametrize("version", [(7, 6), (8, 0), (8, 2), (9, 1), (9, 2), (9, 7), (9, 8), (10, 5)])
def test_only_keywords_that_this_release_knows_are_written(version: tuple[int, int]) -> None:
    text = "\n".join(layout.configuration(WANTED, Site(), PLACES, version))
    for keyword, since in SINCE.items():
        if keyword != "Include":
            assert (keyword in text) is (version >= since), keyword


@pytest.mark.parametrize(
    ("main", "version", "dropin"),
    [
        (INCLUDE, (9, 2), True),
        (INCLUDE, (8, 0), False),
        ("UsePAM yes\n", (9, 2), False),
        (f"Match User x\n{INCLUDE}", (9, 2), False),
        (f"# {INCLUDE}", (9, 2), False),
        ("Include /etc/ssh/other.d/*.conf\n", (9, 2), False),
        ('Include "sshd_config.d/*.conf"\n', (9, 2), True),
        ("include=/etc/ssh/sshd_config.d/10-slipway.conf # ours\n", (9, 2), True),
    ],
)
def test_a_drop_in_is_used_where_it_is_read_for_everybody(main: str, version: tuple[int, int], dropin: bool) -> None:
    found = layout.files(WANTED, Site(), PLACES, version, main)
    assert (PLACES.dropin in found) is dropin
    assert (layout.BEGIN in (found[PLACES.config] or b"").decode()) is not dropin


LINES = st.sampled_from(
    ["UsePAM yes", "Match User x", "  X11Forwarding no", "# Match", "match all", "", INCLUDE.strip()]
)


@given(st.lists(LINES).map(lambda lines: "".join(f"{line}\n" for line in lines)))
def test_a_block_stands_above_the_first_match_and_goes_without_a_trace(main: str) -> None:
    once = layout.with_block(main, "LogLevel VERBOSE\n")
    assert layout.without_block(once) == main
    assert layout.with_block(once, "LogLevel VERBOSE\n") == once
    before = once.partition(layout.BEGIN)[0].splitlines()
    assert not any(line.lower().startswith("match ") for line in before)


def test_what_the_site_trusts_is_kept_beside_ours() -> None:
    site = Site(ca_keys=("ssh-rsa SITE",), principals={"ops": ("ops",)})
    found = layout.files(WANTED, site, PLACES, (9, 2), INCLUDE)
    assert (found[PLACES.user_ca] or b"").decode().splitlines()[1:] == ["ssh-ed25519 AAAA", "ssh-rsa SITE"]
    assert (found["/etc/ssh/slipway/principals/ops"] or b"").decode().splitlines()[1:] == ["slipway-prod", "ops"]


def test_a_revocation_list_of_the_site_goes_on_to_count_without_one_of_ours() -> None:
    site = Site(revoked_file="/etc/ssh/revoked", revoked=b"theirs\n")
    found = layout.files(WANTED, site, PLACES, (9, 2), INCLUDE)
    assert found[PLACES.revoked] is None
    assert b"RevokedKeys" not in (found[PLACES.dropin] or b"")
    ours = Wanted(WANTED.user_ca_keys, WANTED.principals, revoked=b"ours\n")
    found = layout.files(ours, site, PLACES, (9, 2), INCLUDE)
    assert found[PLACES.revoked] == b"ours\ntheirs\n"


OPS = Account("ops", 1000, ("ops", "wheel"), locked=False)


def why(account: Account = OPS, **now: str) -> str:
    return "; ".join(
        lockout.reasons(
            account,
            {key: [value] for key, value in now.items()},
            expected={},
            address="192.0.2.9",
            ca_kinds={"ssh-ed25519"},
        )
    )


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({}, ""),
        ({"pubkeyauthentication": "no"}, "PubkeyAuthentication"),
        ({"authenticationmethods": "publickey,password"}, "AuthenticationMethods"),
        ({"authenticationmethods": "publickey,password publickey"}, ""),
        ({"authenticationmethods": "any"}, ""),
        ({"allowusers": "root"}, "AllowUsers"),
        ({"allowusers": "o*"}, ""),
        ({"allowusers": "ops@192.0.2.*"}, ""),
        ({"allowusers": "ops@198.51.100.*"}, "AllowUsers"),
        ({"allowusers": "ops@192.0.2.0/24"}, ""),
        ({"denyusers": "o?s"}, "DenyUsers"),
        ({"allowgroups": "wheel"}, ""),
        ({"allowgroups": "admins"}, "AllowGroups"),
        ({"denygroups": "wheel"}, "DenyGroups"),
        ({"permitrootlogin": "no"}, ""),
        ({"pubkeyacceptedalgorithms": "ssh-ed25519,rsa-sha2-512"}, "PubkeyAcceptedAlgorithms"),
        ({"pubkeyacceptedkeytypes": "ssh-ed25519,ssh-ed25519-cert-v01@openssh.com"}, ""),
        ({"casignaturealgorithms": "ecdsa-sha2-nistp256,rsa-sha2-512"}, "CASignatureAlgorithms"),
        ({"casignaturealgorithms": "ecdsa-sha2-nistp256,ssh-ed25519"}, ""),
    ],
)
def test_reasons_against_a_login(now: dict[str, str], said: str) -> None:
    assert why(**now).startswith(said)
    assert bool(why(**now)) is bool(said)


def test_reasons_against_root_and_locked_accounts() -> None:
    root = Account("root", 0, ("root",), locked=False)
    assert "PermitRootLogin is no" in why(root, permitrootlogin="no")
    assert not why(root, permitrootlogin="prohibit-password")
    locked = Account("ops", 1000, (), locked=True)
    assert "is locked" in why(locked, usepam="no")
    assert not why(locked, usepam="yes")


def test_somebody_elses_value_is_a_reason() -> None:
    now = {"trustedusercakeys": ["/etc/other.pub"]}
    found = lockout.reasons(OPS, now, expected={"trustedusercakeys": "/ours"}, address="192.0.2.9")
    assert "trustedusercakeys is /etc/other.pub for ops, not /ours" in found[0]


@pytest.fixture
def change(tmp_path: Path) -> tuple[Transaction, Path, Path]:
    there, fresh = tmp_path / "etc" / "a", tmp_path / "etc" / "new" / "b"
    there.parent.mkdir()
    there.write_bytes(b"before\xff")
    there.chmod(0o640)
    return Transaction(str(tmp_path / "state")), there, fresh


def write(change: tuple[Transaction, Path, Path], seconds: int, reload: str = "") -> Path:
    one, there, fresh = change
    told = there.parent.parent / "told"
    one.begin({str(there): b"after", str(fresh): b"new"}, reload or f"touch {told}", seconds)
    assert (there.read_bytes(), fresh.read_bytes()) == (b"after", b"new")
    return told


def is_back(change: tuple[Transaction, Path, Path]) -> bool:
    _one, there, fresh = change
    return there.read_bytes() == b"before\xff" and there.stat().st_mode & 0o777 == 0o640 and not fresh.parent.exists()


def test_folders_are_readable_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        replace(tmp_path / "one" / "two" / "file", b"x")
    finally:
        os.umask(old)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("one", "one/two", "one/two/file")]
    assert modes == [0o755, 0o755, 0o644]


def test_a_change_is_put_back_byte_for_byte(change: tuple[Transaction, Path, Path]) -> None:
    told = write(change, 60)
    change[0].telling()
    change[0].restore()
    assert is_back(change)
    assert told.exists()


def test_sshd_is_not_told_to_read_what_it_has_not_read_before(change: tuple[Transaction, Path, Path]) -> None:
    told = write(change, 60)
    change[0].restore()
    assert is_back(change)
    assert not told.exists()


def test_without_confirmation_a_change_puts_itself_back(change: tuple[Transaction, Path, Path]) -> None:
    write(change, 1)
    eventually(lambda: is_back(change), 30)
    with pytest.raises(TrustError, match="SLW-7308"):
        change[0].confirm()


def test_a_confirmed_change_stays(change: tuple[Transaction, Path, Path], tmp_path: Path) -> None:
    write(change, 60)
    change[0].confirm()
    change[0].restore()
    assert change[1].read_bytes() == b"after"
    assert not list((tmp_path / "state").iterdir())
    script = f"{tmp_path}/state/pending/restore.sh"
    eventually(
        lambda: script not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    )


def test_only_one_change_at_a_time(change: tuple[Transaction, Path, Path], tmp_path: Path) -> None:
    write(change, 60)
    other = Transaction(str(tmp_path / "state"))
    with pytest.raises(TrustError, match="SLW-7307"):
        other.clear_up()
    with pytest.raises(TrustError, match="SLW-7307"):
        other.begin({str(change[1]): b"theirs"}, ":", 60)
    assert change[1].read_bytes() == b"after"
    other.restore()
    assert change[1].read_bytes() == b"after"
    change[0].restore()
    assert is_back(change)


def test_what_a_dead_run_left_is_put_back_first(change: tuple[Transaction, Path, Path], tmp_path: Path) -> None:
    write(change, 600)
    # The host was restarted: nothing waits any more, and the time is over.
    owner = tmp_path / "state" / "pending" / "owner"
    owner.write_text(f"{change[0].name} {time.time() - 1:.0f}\n")
    assert Transaction(str(tmp_path / "state")).clear_up()
    assert is_back(change)
    assert not Transaction(str(tmp_path / "state")).clear_up()


def test_a_timer_does_not_take_the_change_of_another(change: tuple[Transaction, Path, Path], tmp_path: Path) -> None:
    write(change, 60)
    script = tmp_path / "state" / "pending" / "restore.sh"
    (tmp_path / "state" / "pending" / "owner").write_text(f"another {time.time() + 60:.0f}\n")
    assert subprocess.run(["/bin/sh", script], check=False).returncode == 0
    assert change[1].read_bytes() == b"after"
