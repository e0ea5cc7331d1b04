# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hide secret values wherever they turn up, by value and not by kind of object."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator

from .finding import KeyPath
from .model import JSON
from .sources.context import Rendered

MASK = "********"
_SHORTEST = 4
_SHORTEST_LINE = 12
# Common words that some Secret holds in every cluster: to hide them would hide half of every plan.
_WORDS = frozenset({"admin", "default", "disabled", "enabled", "false", "none", "null", "true", "user", "username"})


class Masker:
    """Knows the secret values of a run, in plain, base64 and JSON-escaped form. More can be added at any time.

    Values shorter than four characters are not searched for in texts: they would hide half of every line.
    Where a whole value is secret by its path, ``mask_paths`` hides it whatever its length.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            self._forms.update(form for form in _forms(secret) if len(form) >= _SHORTEST)
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def split(self, text: str) -> list[tuple[str, bool]]:
        """The parts of ``text`` in order, each with whether it is secret."""
        parts: list[tuple[str, bool]] = []
        end = 0
        for match in self._pattern.finditer(text) if self._pattern else ():
            parts += [(text[end : match.start()], False), (match.group(), True)]
            end = match.end()
        return [part for part in (*parts, (text[end:], False)) if part[0]]

    @property
    def forms(self) -> frozenset[str]:
        """All that is hidden, as it is looked for."""
        return frozenset(self._forms)

    def value(self, value: JSON) -> JSON:
        """A copy of any JSON value with secrets hidden, in keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(k)): self.value(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(v) for v in value]
        if value is None or isinstance(value, bool):
            return value
        return MASK if str(value) in self._forms else value


def mask_paths(value: JSON, paths: Iterable[KeyPath]) -> JSON:
    """A copy of ``value`` in which everything at or below one of ``paths`` is hidden."""
    tree = set(paths)

    def walk(node: JSON, path: KeyPath) -> JSON:
        if path in tree:
            return MASK
        if isinstance(node, dict):
            return {k: walk(v, (*path, k)) for k, v in node.items()}
        if isinstance(node, list):
            return [walk(v, (*path, i)) for i, v in enumerate(node)]
        return node

    return walk(value, ()) if tree else value


def rendered_secrets(rendered: Rendered) -> Iterator[JSON]:
    """The Secrets among a source's objects and hooks."""
    for obj in (*rendered.objects, *(hook.object for hook in rendered.hooks)):
        if obj.get("kind") == "Secret":
            yield obj


def secret_strings(obj: JSON) -> Iterator[str]:
    """The values of a rendered Secret, decoded: they are secret wherever they came from."""
    for encoded in (obj.get("data") or {}).values():
        if isinstance(encoded, str):
            yield encoded
            try:
                yield base64.b64decode(encoded, validate=True).decode()
            except ValueError:
                continue
    for plain in (obj.get("stringData") or {}).values():
        yield str(plain)


def _forms(secret: str) -> Iterator[str]:
    # The last line feed is often lost on the way, and every line of a key or certificate is as secret as the whole.
    lines = {line.strip() for line in secret.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    for text in {secret, secret.strip(), *lines} - _WORDS:
        yield text
        yield json.dumps(text)[1:-1]
        raw = text.encode()
        yield base64.b64encode(raw).decode()
        yield base64.urlsafe_b64encode(raw).decode()
