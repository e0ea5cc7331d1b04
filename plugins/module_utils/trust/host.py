# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the host's side of ``ssh_trust`` does: look, change, confirm, put back."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from . import layout
from .certificate import parse_key
from .errors import TrustError
from .layout import Places, Site, Wanted
from .lockout import Account, reasons, unsafe
from .sshd import NOBODY, Reload, Sshd, Way, run
from .transaction import Transaction

# What a binary revocation list begins with.
_KRL = b"SSHKRL\n\0"
_BACK = "everything is as it was before"
_PREFERRED = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


@dataclass(frozen=True)
class Host:
    """One host: its sshd, our places, and how the controller comes in."""

    sshd: Sshd
    places: Places
    way: Way
    state: str
    reload: str = ""

    @staticmethod
    def find(arguments: Mapping[str, Any]) -> Host:
        """From a module's arguments. Raises ``TrustError`` SLW-7301."""
        sshd = Sshd.find(arguments["sshd"], arguments["config"])
        places = Places(arguments["folder"], sshd.config, arguments["dropin"])
        return Host(sshd, places, Way.of(arguments["connection"]), arguments["state_dir"], arguments["reload"])

    def inspect(self, *, check_mode: bool) -> dict[str, Any]:
        """Facts that the controller needs before it asks the authority. Raises ``TrustError``."""
        put_back = not check_mode and Transaction(self.state).clear_up()
        self._must_be_good()
        now = self.sshd.effective(NOBODY, self.way)
        return {
            "openssh": ".".join(str(part) for part in self.sshd.version),
            "put_back": put_back,
            "host_key": _host_key(now),
            "host_certificate": _text(self.places.host_certificate),
            "site_host_certificates": [
                path for path in now.get("hostcertificate", []) if path not in ("none", self.places.host_certificate)
            ],
        }

    def wanted_files(self, wanted: Wanted) -> dict[str, Optional[bytes]]:
        """The files that should be, by path; only those that are different now. Raises ``TrustError``."""
        for user in wanted.principals:
            _account(user)
        main = Path(self.places.config).read_text(encoding="utf-8")
        now = self.sshd.effective(NOBODY, self.way)
        site = self._site(wanted, now)
        found = layout.files(wanted, site, self.places, self.sshd.version, main)
        # Whoever is not named any more is not let in any more.
        found.update(dict.fromkeys({str(path) for path in Path(self.places.principals).glob("*")} - set(found)))
        return {path: content for path, content in found.items() if content != _bytes(path)}

    def difference(self, path: str, content: Optional[bytes]) -> dict[str, str]:
        """One file for ``--diff``."""
        before, after = _bytes(path) or b"", content or b""
        if _KRL in before + after:
            before, after = b"(binary)\n", b"(another binary)\n"
        return {
            "before_header": path,
            "after_header": path,
            "before": before.decode("utf-8", "replace"),
            "after": after.decode("utf-8", "replace"),
        }

    def apply(self, wanted: Wanted, files: Mapping[str, Optional[bytes]], seconds: int) -> str:
        """Writes ``files``, checks, tells sshd, and returns the change's name, to be confirmed within ``seconds``.

        Raises ``TrustError`` with everything put back.
        """
        self._must_be_good()
        now = self.sshd.effective(NOBODY, self.way)
        reload = Reload.find((now.get("pidfile") or [""])[0], self.reload)
        change = Transaction(self.state)
        try:
            change.begin(files, reload.command, seconds)
            self._judge(wanted)
            change.telling()
            reload()
        except OSError as exc:
            change.restore()
            raise TrustError("SLW-7316", f"the files for sshd cannot be written: {exc}", _BACK) from exc
        except TrustError as exc:
            change.restore()
            raise TrustError(exc.code, exc.message, exc.advice or _BACK) from exc
        return change.name

    def _must_be_good(self) -> None:
        complaints = self.sshd.complaints()
        if complaints:
            raise TrustError(
                "SLW-7302",
                f"sshd does not accept the configuration that this host has now: {complaints}",
                "repair it first: sshd would not come back after a restart either",
            )

    def _judge(self, wanted: Wanted) -> None:
        """Whether sshd would take what is on disk, and let our users in. Raises ``TrustError``."""
        complaints = self.sshd.complaints()
        if complaints:
            raise TrustError("SLW-7303", f"sshd does not accept the configuration: {complaints}")
        found = []
        for user in sorted(wanted.principals):
            now = self.sshd.effective(user, self.way)
            expected = {
                "trustedusercakeys": self.places.user_ca,
                "authorizedprincipalsfile": f"{self.places.principals}/%u",
                "exposeauthinfo": "yes",
            }
            kinds = {parse_key(key).kind for key in wanted.user_ca_keys}
            found += reasons(_account(user), now, expected=expected, address=self.way.address, ca_kinds=kinds)
            weak = unsafe(f"{self.places.principals}/{user}") if now.get("strictmodes") == ["yes"] else ""
            if weak:
                found.append(f"others than root may write {weak}, and StrictModes is on")
        if found:
            raise TrustError("SLW-7304", f"nobody could log in by certificate: {'; '.join(dict.fromkeys(found))}")

    def _site(self, wanted: Wanted, now: Mapping[str, list[str]]) -> Site:
        """What the site has set for everybody, so that certificates of its own go on to work for our users."""
        ca_file = _set(now, "trustedusercakeys")
        keys: tuple[str, ...] = ()
        principals: dict[str, tuple[str, ...]] = {}
        if ca_file:
            keys = tuple(_meant(_text(ca_file)))
            pattern = _set(now, "authorizedprincipalsfile")
            principals = {user: _site_principals(user, pattern) for user in wanted.principals}
        revoked_file = _set(now, "revokedkeys")
        revoked = _bytes(revoked_file) or b"" if revoked_file else b""
        if wanted.revoked and revoked and (wanted.revoked + revoked).find(_KRL) >= 0:
            raise TrustError(
                "SLW-7311",
                f"this host has a revocation list, {revoked_file}, and a KRL cannot be joined with another one",
                "give plain keys in ssh_trust_revoked, or put the host's own list into yours and take it away there",
            )
        return Site(keys, principals, revoked_file, revoked)


def _site_principals(user: str, pattern: str) -> tuple[str, ...]:
    """Without a file sshd takes the user's own name."""
    if not pattern:
        return (user,)
    account = pwd.getpwnam(user)
    values = {"%%": "%", "%u": user, "%h": account.pw_dir, "%U": str(account.pw_uid)}
    for sign, value in values.items():
        pattern = pattern.replace(sign, value)
    path = Path(account.pw_dir) / pattern
    return tuple(_meant(_text(str(path))))


def _account(user: str) -> Account:
    try:
        entry = pwd.getpwnam(user)
    except KeyError as exc:
        raise TrustError(
            "SLW-7313", f"there is no user {user} on this host", "create it first, or name another in ssh_trust_users"
        ) from exc
    groups = tuple(grp.getgrgid(number).gr_name for number in os.getgrouplist(user, entry.pw_gid) if _is_group(number))
    password = next(
        (line.split(":")[1] for line in _text("/etc/shadow").splitlines() if line.startswith(f"{user}:")), ""
    )
    return Account(user, entry.pw_uid, groups, password.startswith("!"))


def _is_group(number: int) -> bool:
    try:
        grp.getgrgid(number)
    except KeyError:
        return False
    return True


def _host_key(now: Mapping[str, list[str]]) -> str:
    """The public half of the key to certify: one line, or nothing."""
    found = {}
    for path in now.get("hostkey", []):
        # The public file is for people: sshd does without.
        text = _text(f"{path}.pub").strip() or run(["ssh-keygen", "-y", "-P", "", "-f", path])[1].strip()
        if text:
            found[parse_key(text).kind] = text
    return next((found[kind] for kind in _PREFERRED if kind in found), "")


def _meant(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _set(now: Mapping[str, list[str]], keyword: str) -> str:
    values = now.get(keyword) or ["none"]
    return "" if values[0] == "none" else values[0]


def _bytes(path: str) -> Optional[bytes]:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def _text(path: str) -> str:
    return (_bytes(path) or b"").decode("utf-8", "replace")
