# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An admission webhook for tests: counts its calls and answers as ordered.

The path of a call is the name of a hook; orders are given for one path or for ``*``. Control endpoint::

    PUT    /mode   {"path": "*", "mode": "deny", "message": "not today"}
    GET    /mode   DELETE /mode   (back to allow)
    GET    /calls  DELETE /calls

Modes: ``allow``; ``deny`` (message); ``slow`` (seconds, then allow); ``mutate`` (annotations: added to the object;
or mirror: put before the images of a pod or pod template that do not come from there); ``down`` (the connection is
closed without an answer).
"""

from __future__ import annotations

import argparse
import base64
import json
import threading
import time
from pathlib import Path
from typing import Any

from lab.serve import ControlHandler, Handler, Server

MODES = ("allow", "deny", "slow", "mutate", "down")


class Desk:
    """Orders given and calls seen; shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, dict[str, Any]] = {}
        self._calls: list[dict[str, Any]] = []

    def set_order(self, order: dict[str, Any]) -> dict[str, dict[str, Any]]:
        if order.get("mode") not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}")
        with self._lock:
            self._orders[order.get("path", "*")] = order
            return dict(self._orders)

    def order_for(self, path: str) -> dict[str, Any]:
        with self._lock:
            return self._orders.get(path) or self._orders.get("*") or {"mode": "allow"}

    def orders(self, *, clear: bool = False) -> dict[str, dict[str, Any]]:
        with self._lock:
            if clear:
                self._orders.clear()
            return dict(self._orders)

    def note(self, path: str, request: dict[str, Any], mode: str) -> None:
        call = {
            "path": path,
            "mode": mode,
            "operation": request["operation"],
            "kind": request["kind"]["kind"],
            "namespace": request.get("namespace", ""),
            "name": request.get("name", ""),
            "dry_run": request.get("dryRun", False),
            "user": request["userInfo"].get("username", ""),
        }
        with self._lock:
            self._calls.append(call)

    def calls(self, *, clear: bool = False) -> dict[str, object]:
        with self._lock:
            seen = list(self._calls)
            if clear:
                self._calls.clear()
        return {"count": len(seen), "calls": seen}


def review(request: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    """Answer one admission request as ordered."""
    response: dict[str, Any] = {"uid": request["uid"], "allowed": order["mode"] != "deny"}
    if order["mode"] == "deny":
        response["status"] = {"code": 403, "message": order.get("message", "denied by the lab's webhook")}
    if order["mode"] == "mutate" and request.get("object"):
        response["patchType"] = "JSONPatch"
        changes = (_mirror if "mirror" in order else _annotate)(request["object"], order)
        response["patch"] = base64.b64encode(json.dumps(changes).encode()).decode()
    return response


def _mirror(target: dict[str, Any], order: dict[str, Any]) -> list[dict[str, Any]]:
    mirror = f"{order['mirror']}/"
    spec, where = target["spec"], "/spec"
    if "template" in spec:
        spec, where = spec["template"]["spec"], "/spec/template/spec"
    return [
        {"op": "replace", "path": f"{where}/{part}/{index}/image", "value": mirror + container["image"]}
        for part in ("initContainers", "containers")
        for index, container in enumerate(spec.get(part) or [])
        if not container["image"].startswith(mirror)
    ]


def _annotate(target: dict[str, Any], order: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = order.get("annotations", {"lab.slipway/mutated": "true"})
    patch: list[dict[str, Any]] = []
    if not target["metadata"].get("annotations"):
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for key, value in wanted.items():
        pointer = key.replace("~", "~0").replace("/", "~1")
        patch.append({"op": "add", "path": f"/metadata/annotations/{pointer}", "value": value})
    return patch


def hook_handler(desk: Desk) -> type[Handler]:
    """Make the handler that the API server calls."""

    class HookHandler(Handler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            content = json.loads(self.read_body())
            order = desk.order_for(path)
            desk.note(path, content["request"], order["mode"])
            if order["mode"] == "down":
                self.close_connection = True
                return
            if order["mode"] == "slow":
                time.sleep(float(order.get("seconds", 5)))
            verdict = {
                "apiVersion": content["apiVersion"],
                "kind": content["kind"],
                "response": review(content["request"], order),
            }
            self.send_json(200, verdict)

    return HookHandler


def control_handler(desk: Desk) -> type[ControlHandler]:
    """Make the handler that tests give orders to."""

    class Control(ControlHandler):
        def order(self, method: str, path: str, query: dict[str, str], body: Any) -> object:
            match method, path:
                case "PUT", "/mode":
                    return desk.set_order(body or {})
                case (("GET" | "DELETE"), "/mode"):
                    return desk.orders(clear=method == "DELETE")
                case (("GET" | "DELETE"), "/calls"):
                    return desk.calls(clear=method == "DELETE")
                case _:
                    raise KeyError(path)

    return Control


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.webhook")
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--pki", type=Path, required=True)
    options = parser.parse_args()
    desk = Desk()
    control = Server(options.control, control_handler(desk))
    threading.Thread(target=control.serve_forever, daemon=True).start()
    Server(options.listen, hook_handler(desk), options.pki / "webhook.crt").serve_forever()


if __name__ == "__main__":
    main()
