# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's chart repository: ``/`` for everybody, ``/private/`` with a user name and password."""

from __future__ import annotations

import argparse
import base64
import hmac
import re
from pathlib import Path

from lab.serve import Handler, Server

PRIVATE = "/private"


def handler(folder: Path, credentials: str) -> type[Handler]:
    """Make a handler for the packages in ``folder``; ``credentials`` is ``user:password``."""
    expected = "Basic " + base64.b64encode(credentials.encode()).decode()

    class RepositoryHandler(Handler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith(PRIVATE + "/"):
                if not hmac.compare_digest(self.headers.get("Authorization", ""), expected):
                    self.send_body(401, b"log in\n", "text/plain", WWW_Authenticate='Basic realm="lab"')
                    return
                path = path.removeprefix(PRIVATE)
            file = folder / path.removeprefix("/")
            if not re.fullmatch(r"/[A-Za-z0-9][A-Za-z0-9._+-]*", path) or not file.is_file():
                self.send_body(404, b"not here\n", "text/plain")
                return
            kind = "application/gzip" if file.suffix == ".tgz" else "text/yaml"
            self.send_body(200, file.read_bytes(), kind)

    return RepositoryHandler


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.repo")
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--credentials", type=Path, required=True)
    options = parser.parse_args()
    Server(options.listen, handler(options.folder, options.credentials.read_text())).serve_forever()


if __name__ == "__main__":
    main()
