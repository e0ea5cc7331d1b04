# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who works on the nodes, and how far a run came: one file on the first control plane host.

It is there when the API is not, before the first installation and during an upgrade. It expires by itself, so a run
that died wedges nothing. This runs on hosts: Python 3.8 and its standard library.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = "/var/lib/slipway"
_FILE = "run.json"
_LOCK = "run.lock"


class RunFile:
    """``clock`` gives seconds since the epoch: the host's own, as all claims are judged on this host."""

    def __init__(self, folder: str = FOLDER, clock: Callable[[], float] = time.time) -> None:
        self._folder = Path(folder)
        self._path = self._folder / _FILE
        self._clock = clock

    def look(self) -> dict[str, Any] | None:
        """What stands in the file, with ``remaining`` seconds of its claim; None: nobody is or was at work."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {**found, "remaining": round(float(found["expires"]) - self._clock(), 1)}
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            # Cut off by a full disk or edited by hand: nobody can be told by it, so nobody is.
            return None

    def take(self, claim: dict[str, Any], seconds: float, dead: str = "") -> dict[str, Any]:
        """The lock for ``claim["holder"]``, unless another one's claim holds; ``dead`` is a holder known to be gone.

        ``taken`` says whether it is ours now, ``found`` what was there before. The ``tokens`` of runs that died, and
        that one of them ``creates`` the cluster, stay with those who follow them, until one comes to its end. That it
        is ``cleared`` stays with those that go on with the same operation: any other may bring new things.
        """
        with self._alone():
            found = self.look()
            if found and found["holder"] not in (claim["holder"], dead) and found["remaining"] > 0:
                return {"taken": False, "found": found}
            tokens = [*(found or {}).get("tokens", []), *claim.get("tokens", [])]
            creates = bool((found or {}).get("creates") or claim.get("creates"))
            same = (found or {}).get("operation") == claim.get("operation")
            self._write(
                {
                    **claim,
                    "tokens": tokens,
                    "creates": creates,
                    "cleared": same and bool((found or {}).get("cleared")),
                    "since": self._clock(),
                    "expires": self._clock() + seconds,
                }
            )
            return {"taken": True, "found": found}

    def renew(self, holder: str, seconds: float, *, stage: str = "", cleared: bool = False) -> bool:
        """Claim ``seconds`` more, and note that a ``stage`` is reached, or that nothing is left outside of the cluster.
        False: somebody else holds the lock."""
        with self._alone():
            found = self.look()
            if not found or found["holder"] != holder:
                return False
            found.pop("remaining")
            reached = {"stage": stage or found.get("stage", ""), "cleared": cleared or bool(found.get("cleared"))}
            self._write({**found, **reached, "expires": self._clock() + seconds})
            return True

    def release(self, holder: str) -> bool:
        """The run is done. False: the file is not this holder's."""
        with self._alone():
            found = self.look()
            if not found or found["holder"] != holder:
                return False
            self._path.unlink()
            return True

    def abandon(self, holder: str) -> bool:
        """The run is over, and not done: who comes next need not wait, and goes on from here. False: the file is not
        this holder's."""
        with self._alone():
            found = self.look()
            if not found or found["holder"] != holder:
                return False
            found.pop("remaining")
            self._write({**found, "expires": self._clock()})
            return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / _LOCK).open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write(self, content: dict[str, Any]) -> None:
        handle, path = tempfile.mkstemp(dir=self._folder, prefix=".run-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(path).replace(self._path)
