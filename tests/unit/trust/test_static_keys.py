# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lines of authorized_keys, what stays of a file, and when a key was last used."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.trust import removing
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.last_use import last_uses, read
from ansible_collections.slipway.cluster.plugins.module_utils.trust.removing import give_back, remaining, remove
from ansible_collections.slipway.cluster.plugins.module_utils.trust.static_keys import StaticKey, parse_line

ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMOZapL59SiCB9KInIqVi/mT0UEJiKF/n1BMVPiLzhxT"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHMR7xlwwHjYMD4n3vxyJ1txHFyHs959c6ZyXkF5b3h1"
ED_PRINT = "SHA256:L2x0LHklUZAoUuthymWIZZARwLvIIFIp5hWlAvJ56ok"
OTHER_PRINT = "SHA256:Cdscp3uAdOi3bpFn/uLXvEGFGmoNVWB81wfwhWqK7fE"


@pytest.mark.parametrize(
    ("line", "options", "comment"),
    [
        (ED, "", ""),
        (f"{ED} me@example.com and more", "", "me@example.com and more"),
        (f'no-pty,from="192.0.2.0/24" {ED} me', 'no-pty,from="192.0.2.0/24"', "me"),
        (f'command="echo \\"a b\\" # c",cert-authority\t{ED}', 'command="echo \\"a b\\" # c",cert-authority', ""),
        (f'  environment="A=ssh-ed25519 x" {ED} x', 'environment="A=ssh-ed25519 x"', "x"),
    ],
)
def test_a_line_is_options_key_and_comment(line: str, options: str, comment: str) -> None:
    parsed = parse_line(line)
    assert parsed is not None
    assert parsed[0].fingerprint == ED_PRINT
    assert parsed[1:] == (options, comment)


@pytest.mark.parametrize("line", ["", "   ", "# ssh-ed25519 AAAA"])
def test_comments_are_no_keys(line: str) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize("line", ["root:x:0:0:root:/root:/bin/bash", "ssh-ed25519", 'command="unfinished ' + ED])
def test_whatever_else_stands_there_is_not_shown(line: str) -> None:
    with pytest.raises(TrustError):
        parse_line(line)


@given(st.lists(st.sampled_from([f"{ED} a", f"{OTHER} b", "# c", "", f"no-pty {ED}", "nonsense", f"{OTHER} b\r"])))
def test_only_the_lines_of_these_keys_go(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    expected = "".join(f"{line}\n" for line in lines if ED not in line)
    assert remaining(text, {ED_PRINT}) == expected


def key(path: Path, fingerprint: str) -> StaticKey:
    return StaticKey("me", str(path), 0, "ssh-ed25519", fingerprint, "", "", authority=False, in_use=True)


def test_what_is_removed_can_be_put_back(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(f"{ED} \xff\n{OTHER}\n".encode("latin-1"))
    two.write_text(f"{ED}\n")
    two.chmod(0o600)
    before = {path: (path.read_bytes(), path.stat().st_mode) for path in (one, two)}
    command = remove([key(one, ED_PRINT), key(two, ED_PRINT)], str(tmp_path / "backups"))
    assert one.read_text() == f"{OTHER}\n"
    assert not two.exists()
    (kept,) = (tmp_path / "backups").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o700
    give_back(command)
    assert {path: (path.read_bytes(), path.stat().st_mode) for path in (one, two)} == before


def test_a_removal_that_fails_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "a", tmp_path / "b"
    for path in (one, two):
        path.write_text(f"{ED}\n")
    rewrite = removing._rewrite

    def full(path: Path, fingerprints: Collection[str]) -> None:
        if path == two:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        rewrite(path, fingerprints)

    monkeypatch.setattr(removing, "_rewrite", full)
    with pytest.raises(TrustError, match="SLW-7345"):
        remove([key(one, ED_PRINT), key(two, ED_PRINT)], str(tmp_path / "backups"))
    assert one.read_text() == two.read_text() == f"{ED}\n"


BY = f"ID x (serial 1) CA ED25519 {OTHER_PRINT}"
LOG = [
    f"Nov  1 10:00:00 n sshd[1]: Accepted publickey for me from 192.0.2.1 port 5 ssh2: ED25519 {ED_PRINT}",
    f"2026-11-02T10:00:00+00:00 n sshd-session[1]: Accepted publickey for me from ::1 port 5 ssh2: ED25519 {ED_PRINT}",
    f"2026-11-03T10:00:00+00:00 n sshd[1]: Accepted publickey for you from ::1 port 5 ssh2: ED25519 {ED_PRINT}",
    f"2026-11-04T10:00:00+00:00 n sshd[1]: Failed publickey for me from ::1 port 5 ssh2: ED25519 {ED_PRINT}",
    f"2026-11-05T10:00:00+00:00 n sshd[1]: Accepted publickey for me from ::1 port 5: ED25519-CERT {ED_PRINT} {BY}",
]


def test_the_last_login_by_the_plain_key_counts() -> None:
    assert read(LOG) == {("me", ED_PRINT): "2026-11-02T10:00:00+00:00", ("you", ED_PRINT): "2026-11-03T10:00:00+00:00"}


def test_old_logs_are_read_before_new_ones(tmp_path: Path) -> None:
    old, new = tmp_path / "auth.log.1.gz", tmp_path / "auth.log"
    old.write_bytes(gzip.compress(LOG[0].encode()))
    new.write_text(LOG[1] + "\n")
    os.utime(old, (1, 1))
    assert last_uses(str(tmp_path))["me", ED_PRINT] == "2026-11-02T10:00:00+00:00"
