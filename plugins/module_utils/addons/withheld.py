# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Objects without their secret values, for keeping; and the same objects with the values of today.

Of a core Secret only the keys of its data are kept. In every other text a secret is cut out, and a keyed digest takes
its place: so ``postgres:15`` comes back whole while ``postgres`` is still known, whatever secret it was part of, and
where the secret has changed since, the live text around it tells what it is now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..kube.objects import Json
from .digest import Digester, item_key
from .finding import KeyPath, format_path
from .masking import Masker
from .model import JSON

_CUT = "slipway.cluster/cut"
"""Marks a value that was cut: a list of texts, and of digests where a secret stood. Empty: it was a Secret's data."""
_PAIRS = "slipway.cluster/pairs"
"""Marks a map with a key that was cut, as a list of pairs."""


def withhold(body: Json, masker: Masker, digester: Digester) -> Json:
    """A copy of ``body`` that may be stored."""
    plain = {k: v for k, v in body.items() if k not in ("data", "stringData")} if is_secret(body) else body
    kept: Json = _cut(plain, masker, digester)
    if is_secret(body) and body.get("data"):
        kept["data"] = {key: {_CUT: []} for key in body["data"]}
    return kept


@dataclass
class Restored:
    """``body`` with the secrets of today. ``missing``: paths for which there is none. ``todays``: texts that stay as
    they are live, because they were secret as a whole or hold a secret that has changed."""

    body: Json
    missing: list[str]
    todays: list[str]


def restore(kept: Json, live: Json | None, secrets: Masker, digester: Digester) -> Restored:
    """``kept`` made whole. ``secrets`` are those known today."""
    filler = _Filler({digester.of(form): form for form in secrets.forms})
    return Restored(filler.fill(kept, live, ()), filler.missing, filler.todays)


def is_secret(body: Json) -> bool:
    return body.get("kind") == "Secret" and body.get("apiVersion") == "v1"


def _cut(value: JSON, masker: Masker, digester: Digester) -> JSON:
    if isinstance(value, dict):
        pairs = [(_cut(key, masker, digester), _cut(child, masker, digester)) for key, child in value.items()]
        if any(not isinstance(key, str) or key in (_CUT, _PAIRS) for key, _child in pairs):
            return {_PAIRS: [list(pair) for pair in pairs]}
        return dict(pairs)
    if isinstance(value, list):
        return [_cut(child, masker, digester) for child in value]
    if value is None or isinstance(value, bool):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    parts = masker.split(text) if text == value else [(text, text in masker.forms)]
    if not any(secret for _part, secret in parts):
        return value
    pieces = [{"digest": digester.of(part)} if secret else part for part, secret in parts]
    return {_CUT: pieces} if text == value else {_CUT: pieces, "json": True}


class _Filler:
    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.missing: list[str] = []
        self.todays: list[str] = []

    def fill(self, value: JSON, live: JSON, path: KeyPath) -> JSON:
        if isinstance(value, list):
            return [self.fill(child, _item(live, child, at), (*path, at)) for at, child in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if _CUT in value:
            return self._whole(value, live, path)
        pairs = value[_PAIRS] if _PAIRS in value else value.items()
        inside = live if isinstance(live, dict) else {}
        found = {}
        for key, child in pairs:
            name = self._whole(key, None, path) if isinstance(key, dict) else key
            found[name] = self.fill(child, inside.get(name), (*path, str(name)))
        return found

    def _whole(self, cut: Json, live: JSON, path: KeyPath) -> JSON:
        pieces = cut[_CUT]
        texts = [piece if isinstance(piece, str) else self._known.get(piece["digest"]) for piece in pieces]
        if pieces and None not in texts:
            text = "".join(str(part) for part in texts)
            return json.loads(text) if cut.get("json") else text
        # What is secret has changed since, or was a Secret's data: the live object says what it is now.
        pattern = "".join(re.escape(piece) if isinstance(piece, str) else "(.+)" for piece in pieces) or ".*"
        said = live if isinstance(live, str) or not cut.get("json") else json.dumps(live)
        if not isinstance(said, str) or not re.fullmatch(pattern, said, re.DOTALL):
            self.missing.append(format_path(path))
            return None
        if pieces:
            self.todays.append(format_path(path))
        return live


def _item(live: JSON, kept: JSON, at: int) -> JSON:
    """The live item that is most like the kept one: of the same name, else in the same place."""
    if not isinstance(live, list):
        return None
    same = [item for item in live if item_key(item) != "-" and item_key(item) == item_key(kept)]
    return same[0] if same else live[at] if at < len(live) else None
