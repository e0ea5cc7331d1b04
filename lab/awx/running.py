# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One AWX, from its start to its end."""

from __future__ import annotations

import secrets
import threading
from types import TracebackType
from typing import Self

from lab.awx import objects, seeds
from lab.awx.api import Api
from lab.awx.runs import Runs
from lab.awx.server import handler
from lab.awx.settings import Settings
from lab.awx.store import Store
from lab.serve import HOST, Handler, Server

USER = "admin"


class Awx:
    """Serves on loopback as long as it is entered. ``port`` 0: any that is free."""

    def __init__(self, settings: Settings, port: int = 0) -> None:
        for folder in (settings.folder, settings.projects, settings.jobs):
            folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.password = secrets.token_urlsafe(12)
        self.token = secrets.token_hex(15)
        self.store = Store()
        with self.store.lock:
            seeds.fill(self.store, USER, self.password, self.token)
        # Any free port, taken before a job can hear of it.
        self._server = Server(port, Handler)
        self.url = f"http://{HOST}:{self._server.server_port}"
        self.runs = Runs(self.store, settings, self.url)
        self._server.RequestHandlerClass = handler(Api(self.store, self.runs, settings.projects))
        self._thread = threading.Thread(target=self._server.serve_forever, name="awx", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.runs.close()

    def access(self) -> dict[str, str]:
        """Environment variables by which `awx.awx` finds it."""
        return {"CONTROLLER_HOST": self.url, "CONTROLLER_OAUTH_TOKEN": self.token}

    def dump(self) -> str:
        """Everything that it holds, as JSON."""
        return objects.dump(self.store)
