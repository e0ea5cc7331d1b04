# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The join script of an image, run by a shell in a folder, with programs that note what they are asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.image.sealed import FILES, seal
from tests.unit.image.worker_tree import ADDRESS, CA_HASH, NAME, RENDERED, TOKEN, build, put

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
GOOD = {
    "NAME": "worker10",
    "ADDRESS": "10.0.0.20",
    "TOKEN": "zyxwvu.9876543210zyxwvu",
    "CA_HASH": "sha256:" + "0b" * 32,
    "ENDPOINT": "10.0.0.12:6443",
    "TAINTS": "",
}
# Writes what kubeadm would, and tells what it was given.
KUBEADM = """#!/bin/sh
cp "$3" "$NOTES/config"
ls "$ROOT"/etc/kubernetes >"$NOTES/files"
printf '%s\\n' "$*" >>"$NOTES/calls"
if [ -n "$FAILS" ]; then
    echo "error: the token $FAILS is not valid"
    exit 1
fi
printf 'clusters:\\n- cluster:\\n    server: https://10.0.0.12:6443\\n' >"$ROOT/etc/kubernetes/kubelet.conf"
exit "$STATUS"
"""


class Image:
    """A sealed worker, and how its script is run."""

    def __init__(self, root: Path, notes: Path, digest: str = "") -> None:
        self.root, self.notes, self.digest = root, notes, digest
        for program in ("systemctl", "hostname"):
            put(notes, f"/bin/{program}", f'#!/bin/sh\nprintf \'%s\\n\' "{program} $*" >>"$NOTES/calls"\n', 0o755)

    def build(self) -> Image:
        build(self.root)
        put(self.root, "/usr/local/bin/kubeadm", KUBEADM, 0o755)
        return self

    def seal(self) -> Image:
        self.digest = seal(self.root).manifest["digest"]
        return self

    def env(self, text: str | None = None, **values: str) -> Path:
        pairs = {**GOOD, "IMAGE": self.digest, **values}
        lines = "".join(f"SLIPWAY_{key}={value}\n" for key, value in pairs.items())
        return put(self.root, "/etc/slipway/join.env", lines if text is None else text, 0o600)

    def join(self, shell: str = SHELLS[0], *, fails: str = "", status: int = 0) -> subprocess.CompletedProcess[str]:
        command = [shell, "sh"] if shell == "busybox" else [shell]
        environment = {
            "PATH": f"{self.notes}/bin:{os.environ['PATH']}",
            "NOTES": str(self.notes),
            "ROOT": str(self.root),
            "FAILS": fails,
            "STATUS": str(status),
        }
        return subprocess.run(
            [*command, str(FILES / "join"), str(self.root)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self) -> list[str]:
        file = self.notes / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def exists(self, path: str) -> bool:
        return (self.root / path[1:]).exists()


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("golden")
    return Image(folder / "root", folder / "notes").build().seal()


@pytest.fixture
def image(tmp_path: Path, golden: Image) -> Image:
    """A copy, as a machine has it."""
    shutil.copytree(golden.root, tmp_path / "root", symlinks=True)
    return Image(tmp_path / "root", tmp_path / "notes", golden.digest)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_host_that_was_sealed_gets_its_files_back(image: Image, shell: str) -> None:
    """Byte for byte, and with their modes: nothing of Kubespray is written anew."""
    image.env(NAME=NAME, ADDRESS=ADDRESS, TOKEN=TOKEN, CA_HASH=CA_HASH, ENDPOINT="10.0.0.11:6443")
    done = image.join(shell)
    assert done.returncode == 0, done.stderr
    for path, (mode, text) in RENDERED.items():
        if path.endswith("kubeadm-client.conf"):
            assert (image.notes / "config").read_text() == text
        else:
            assert (image.root / path[1:]).read_text() == text
            assert (image.root / path[1:]).stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("shell", SHELLS)
def test_another_host_becomes_a_node(image: Image, shell: str) -> None:
    image.env()
    done = image.join(shell)
    assert done.returncode == 0, done.stderr
    root = image.root
    assert (root / "etc/kubernetes/kubelet.env").read_text() == RENDERED["/etc/kubernetes/kubelet.env"][1].replace(
        ADDRESS, GOOD["ADDRESS"]
    ).replace(NAME, GOOD["NAME"])
    assert (root / "etc/kubernetes/kubelet-config.yaml").read_text() == RENDERED["/etc/kubernetes/kubelet-config.yaml"][
        1
    ].replace(ADDRESS, GOOD["ADDRESS"])
    config = (image.notes / "config").read_text()
    assert f"name: '{GOOD['NAME']}'\n" in config
    assert config.count(GOOD["TOKEN"]) == 2
    assert f"- {GOOD['CA_HASH']}\n" in config
    assert f'apiServerEndpoint: "{GOOD["ENDPOINT"]}"\n' in config
    assert (root / "etc/hostname").read_text() == "worker10\n"
    assert (root / "etc/hosts").read_text().endswith("10.0.0.20 worker10\n")
    assert (root / "etc/kubernetes/kubelet.conf").read_text().endswith("    server: https://127.0.0.1:6443\n")
    ignored = "DirAvailable--etc-kubernetes-manifests,SystemVerification"
    assert image.calls() == [
        "hostname worker10",
        "systemctl daemon-reload",
        "systemctl enable --quiet kubelet.service",
        f"join --config {root}/etc/kubernetes/kubeadm-client.conf --ignore-preflight-errors={ignored} --skip-phases=",
        "systemctl restart kubelet.service",
    ]


def test_no_token_is_left(image: Image) -> None:
    image.env()
    done = image.join()
    assert GOOD["TOKEN"] not in done.stdout + done.stderr
    files = [file for file in image.root.rglob("*") if file.is_file()]
    assert [file for file in files if GOOD["TOKEN"].encode() in file.read_bytes()] == []
    assert not image.exists("/etc/slipway/join.env")
    assert not image.exists("/etc/kubernetes/kubeadm-client.conf")
    assert list((image.root / "run").iterdir()) == []


def test_a_node_does_not_join_again(image: Image) -> None:
    image.env()
    image.join()
    before = image.calls()
    image.env()
    done = image.join()
    assert done.returncode == 1
    assert "is a node already" in done.stderr
    assert image.calls() == before
    assert not image.exists("/etc/slipway/join.env")


def test_taints_are_the_kubelets(image: Image) -> None:
    image.env(TAINTS="dedicated=batch:NoSchedule,example.com/slow:PreferNoSchedule,a=:NoExecute")
    assert image.join().returncode == 0
    text = (image.root / "etc/kubernetes/kubelet-config.yaml").read_text()
    assert text.splitlines()[0] == (
        'registerWithTaints: [{key: "dedicated", value: "batch", effect: "NoSchedule"}, '
        '{key: "example.com/slow", effect: "PreferNoSchedule"}, {key: "a", value: "", effect: "NoExecute"}]'
    )


def test_taints_beside_those_of_the_image_are_refused(tmp_path: Path) -> None:
    image = Image(tmp_path / "root", tmp_path / "notes").build()
    path = "/etc/kubernetes/kubelet-config.yaml"
    put(image.root, path, RENDERED[path][1] + "registerWithTaints: []\n")
    image.seal().env(TAINTS="a=b:NoSchedule")
    assert "registerWithTaints" in image.join().stderr
    assert image.calls() == []
    image.env()
    assert image.join().returncode == 0


def test_another_image_is_refused(image: Image) -> None:
    image.env(IMAGE="sha256:" + "00" * 32)
    done = image.join()
    assert done.returncode == 1
    assert "join.env was written for sha256:" in done.stderr
    assert image.calls() == []


def test_a_failure_can_be_tried_again(image: Image) -> None:
    image.env()
    put(image.root, "/etc/kubernetes/bootstrap-kubelet.conf", GOOD["TOKEN"])
    done = image.join(fails=GOOD["TOKEN"])
    assert done.returncode == 1
    assert "the token (token) is not valid" in done.stderr
    assert "kubeadm join has failed as node worker10" in done.stderr
    assert image.calls()[-1] == "systemctl stop kubelet.service"
    assert not image.exists("/etc/kubernetes/kubeadm-client.conf")
    assert not image.exists("/etc/kubernetes/bootstrap-kubelet.conf")
    assert image.exists("/etc/slipway/join.env")
    assert image.join().returncode == 0


def test_a_kubelet_with_its_certificate_goes_on(image: Image) -> None:
    """Another certificate of this name would not be signed."""
    image.env()
    done = image.join(status=1)
    assert done.returncode == 0
    assert "after the kubelet got its certificate" in done.stderr
    assert not image.exists("/etc/slipway/join.env")


def test_a_token_that_has_ended_is_not_kept(image: Image) -> None:
    file = image.env(TOKEN="not even read")
    old = file.stat().st_mtime - 2 * 3600
    os.utime(file, (old, old))
    done = image.join()
    assert done.returncode == 0
    assert "older than the life of its token" in done.stderr
    assert not image.exists("/etc/slipway/join.env")
    assert image.calls() == []


def test_a_link_is_no_settings(image: Image) -> None:
    file = image.env()
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")
    assert image.join().returncode == 1
    assert image.calls() == []


BAD = [
    *(("NAME", value) for value in ("", "Worker", "a_b", "-a", "a-", "a..b", "a b", "$(id)", "a;id", "a|b", "a" * 64)),
    *(("ADDRESS", value) for value in ("", "10.0.0", "10.0.0.256", "10.0.0.1/24", "::1::2", ":::", "fe80::1%eth0")),
    *(("ADDRESS", value) for value in ("12345::1", "1:2:3:4:5:6:7", "a:", "$(id)", "10.0.0.1 ", "01.2.3.4")),
    *(("TOKEN", value) for value in ("", "abcdef", "abcdef.0123456789abcde", "ABCDEF.0123456789abcdef", "x|y")),
    *(("CA_HASH", value) for value in ("", "sha256:00", "md5:" + "0" * 64, "sha256:" + "G" * 64, "sha256:" + "0" * 65)),
    *(("ENDPOINT", value) for value in ("", "host", "host:", ":6443", "host:0", "host:65536", "host:06443", "a b:1")),
    *(("ENDPOINT", value) for value in ("fd00::1:6443", "[fd00::1:6443", "10.0.0.999:6443", "h$(id):1", "h;:1")),
    *(("TAINTS", value) for value in ("a", "a=b", "a=b:Never", ",", "a=b:NoSchedule,", "a b:NoSchedule")),
    *(("TAINTS", value) for value in ('a="b":NoSchedule', "a=b:NoSchedule;id", "a=b&:NoSchedule", "a=b|c:NoSchedule")),
    *(("IMAGE", value) for value in ("", "sha256:", "latest")),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a_value_without_its_form_is_refused(image: Image, key: str, value: str) -> None:
    image.env(**{key: value})
    done = image.join()
    assert done.returncode == 1
    assert f"SLIPWAY_{key}" in done.stderr
    assert image.calls() == []
    if key == "TOKEN" and value:
        assert value not in done.stderr


GOODS = [
    *(("NAME", value) for value in ("a", "a.b.c", "1", "a" * 63)),
    *(("ADDRESS", value) for value in ("0.0.0.1", "255.255.255.255", "::1", "fd00::19", "1:2:3:4:5:6:7:8", "fe80::")),
    *(("ENDPOINT", value) for value in ("[fd00::1]:6443", "api.example.com:443", "API-1:65535", "1.2.3.4:1")),
    ("TAINTS", "node.kubernetes.io/a.b_c-d=X:NoExecute"),
]


@pytest.mark.parametrize(("key", "value"), GOODS)
def test_every_value_of_its_form_is_taken(image: Image, key: str, value: str) -> None:
    image.env(**{key: value})
    done = image.join()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# words",
        "id",
        "export SLIPWAY_NAME=a",
        " SLIPWAY_MORE=a",
        "SLIPWAY_NAME=another",
        "SLIPWAY_MORE=a",
        "slipway_name=a",
        "SLIPWAY_=",
        "SLIPWAY_TAINTS=a\r",
        "SLIPWAY_MORE=\x00",
        "SLIPWAY_MORE=\t",
        "SLIPWAY_MORE=ü",
    ],
)
def test_a_line_that_has_no_place_is_refused(image: Image, line: str) -> None:
    good = image.env().read_text()
    image.env(f"{good}{line}\n")
    assert image.join().returncode == 1
    image.env(f"{line}\n{good}")
    assert image.join().returncode == 1
    assert image.calls() == []


@pytest.mark.parametrize("key", [*GOOD, "IMAGE"])
def test_every_setting_is_needed(image: Image, key: str) -> None:
    good = image.env().read_text()
    image.env("".join(line for line in good.splitlines(True) if not line.startswith(f"SLIPWAY_{key}=")))
    done = image.join()
    assert done.returncode == 1
    assert f"SLIPWAY_{key} is missing" in done.stderr
    assert image.calls() == []


def test_the_last_line_may_end_with_the_file(image: Image) -> None:
    image.env(image.env().read_text().rstrip("\n"))
    assert image.join().returncode == 0
