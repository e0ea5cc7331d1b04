# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The signing keys of an SSH engine. OpenBao 2.3.1 and later hold several at a time: that is how one rotates.

Vault has one key for each mount; there the keys of several mounts are trusted side by side while one changes over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..trust.certificate import parse_key
from ..trust.errors import TrustError
from .bao import Bao

_NAME = re.compile(r"slipway-(\d+)")


@dataclass(frozen=True)
class Issuer:
    """``reference`` names it to the server; empty where the server has one key only and no names."""

    reference: str
    name: str
    key: str
    signs: bool

    @property
    def fingerprint(self) -> str:
        return parse_key(self.key).fingerprint

    @property
    def number(self) -> int:
        """The higher, the newer; 0 for one that was not made here."""
        found = _NAME.fullmatch(self.name)
        return int(found.group(1)) if found else 0


@dataclass(frozen=True)
class Engine:
    """The keys of one mount, oldest first. ``several``: the server can hold more than one."""

    mount: str
    issuers: tuple[Issuer, ...]
    several: bool

    @staticmethod
    def read(bao: Bao, mount: str) -> Engine:
        """Needs the right to list ``<mount>/issuers``, else it is noted in ``bao.forbidden``."""
        listed = bao.read(f"{mount}/issuers", "LIST")
        if listed is None:
            return Engine(mount, _only_key(bao, mount), several=bao.knows(f"{mount}/issuers", "LIST"))
        found = [
            Issuer(
                reference, str(entry.get("issuer_name") or ""), _plain(entry["public_key"]), bool(entry["is_default"])
            )
            for reference, entry in (listed.get("key_info") or {}).items()
        ]
        return Engine(mount, tuple(sorted(found, key=lambda one: (one.number, one.reference))), several=True)

    @property
    def signing(self) -> Issuer | None:
        return next((issuer for issuer in self.issuers if issuer.signs), None)

    def keys(self, without: Collection[str] = ()) -> list[str]:
        """OpenSSH lines of all keys but those with these fingerprints. The order does not depend on who signs."""
        return [issuer.key for issuer in self.issuers if issuer.fingerprint not in without]


@dataclass(frozen=True)
class Step:
    """One request that is due: ``what`` for people, then the request itself."""

    what: str
    method: str
    path: str
    body: dict[str, object]


def create(mount: str, *, several: bool) -> Step:
    """The first key. Naming it makes the request fail where another run was faster, instead of replacing its key."""
    path = f"{mount}/issuers/import/slipway-1" if several else f"{mount}/config/ca"
    body: dict[str, object] = {"generate_signing_key": True, "key_type": "ed25519"}
    return Step(f"make the key of {mount}", "POST", path, body | ({"set_default": True} if several else {}))


def rotate(engine: Engine, step: str) -> list[Step]:
    """What ``add`` or ``switch`` has to do now; nothing where it is done. Raises ``TrustError`` SLW-7325, SLW-7326."""
    if not engine.several:
        raise TrustError(
            "SLW-7326",
            f"this server holds one key for each mount, {engine.mount} cannot be rotated in place",
            "rotate with a second mount, as docs/access.md says",
        )
    newest, signing = engine.issuers[-1], engine.signing
    if step == "add":
        if len(engine.issuers) > 1:
            return []
        name = f"slipway-{newest.number + 1 if newest.number else 2}"
        body: dict[str, object] = {"generate_signing_key": True, "key_type": "ed25519"}
        return [Step(f"add a key to {engine.mount}", "POST", f"{engine.mount}/issuers/import/{name}", body)]
    if len(engine.issuers) < 2:
        raise TrustError(
            "SLW-7325", f"{engine.mount} has one key only, there is nothing to switch to", "rotate with add first"
        )
    if signing == newest:
        return []
    what = f"sign with {newest.fingerprint} in {engine.mount}"
    return [Step(what, "POST", f"{engine.mount}/config/issuers", {"default": newest.reference})]


def drop(engines: Sequence[Engine], fingerprints: Collection[str]) -> list[Step]:
    """Deletes the keys that are named, where they still are. Raises ``TrustError`` SLW-7325 for one that signs."""
    found = []
    for engine in engines:
        for issuer in engine.issuers:
            if issuer.fingerprint not in fingerprints:
                continue
            if issuer.signs:
                raise TrustError(
                    "SLW-7325",
                    f"{issuer.fingerprint} is the key that {engine.mount} signs with",
                    "rotate with switch first",
                )
            path = f"{engine.mount}/issuer/{issuer.reference}"
            found.append(Step(f"delete the key {issuer.fingerprint} of {engine.mount}", "DELETE", path, {}))
    return found


def _only_key(bao: Bao, mount: str) -> tuple[Issuer, ...]:
    found = bao.read(f"{mount}/config/ca")
    if not found or not found.get("public_key"):
        return ()
    return (Issuer("", "", _plain(found["public_key"]), signs=True),)


def _plain(line: str) -> str:
    return parse_key(line).text
