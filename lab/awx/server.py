# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The HTTP side: who asks, in JSON or a form, and the answer on its way back."""

from __future__ import annotations

import base64
import binascii
import json
import urllib.parse
from typing import Any

from lab.awx.api import VERSION, Api
from lab.awx.refusal import RefusalError
from lab.awx.request import Request
from lab.awx.store import Object
from lab.serve import Handler

OPEN = ("/api/", "/api/v2/ping/")


def handler(api: Api) -> type[Handler]:
    """Make the handler of one AWX."""

    class AwxHandler(Handler):
        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            raw = self.read_body()
            product = {"X_API_Product_Name": "AWX", "X_API_Product_Version": VERSION}
            try:
                user = self._user(path)
                request = Request(
                    self.command,
                    urllib.parse.unquote(path) if "++" not in path else path,
                    urllib.parse.parse_qsl(query, keep_blank_values=True),
                    self._content(raw),
                    user,
                )
                answer = api.answer(request)
            except RefusalError as refusal:
                self.send_json(refusal.status, refusal.content, **product)
                return
            headers = {name.replace("-", "_"): value for name, value in answer.headers.items()}
            if answer.content is None:
                self.send_body(answer.status, b"", "application/json", **product, **headers)
            elif isinstance(answer.content, str):
                self.send_body(answer.status, answer.content.encode(), "text/plain", **product, **headers)
            else:
                self.send_json(answer.status, answer.content, **product, **headers)

        def _content(self, raw: bytes) -> Any:
            if not raw.strip():
                return None
            try:
                return json.loads(raw)
            except ValueError as error:
                raise RefusalError(400, {"detail": f"JSON parse error - {error}"}) from None

        def _user(self, path: str) -> Object:
            scheme, _, word = self.headers.get("Authorization", "").partition(" ")
            found = None
            if scheme == "Bearer":
                found = api.by_token(word)
            elif scheme == "Basic":
                found = api.by_password(*_pair(word))
            if found is not None:
                return found
            if path in OPEN and not scheme:
                return {}
            if scheme:
                raise RefusalError(
                    401, {"detail": "Invalid username/password." if scheme == "Basic" else "Invalid token."}
                )
            raise RefusalError(401, {"detail": "Authentication credentials were not provided."})

    return AwxHandler


def _pair(word: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(word).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
