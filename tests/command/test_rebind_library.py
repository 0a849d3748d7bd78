"""rebind/rebind.c in real processes: what a wrapped program binds, and what it is told that it bound."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from wsgui.command.rebind import environment

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD is for Linux")

# What a child runs before its test's own lines: `truth` is where a socket really is, from the kernel's own table.
CHILD = """
import ctypes, json, os, socket, subprocess, sys, threading
old, new = int(sys.argv[1]), int(sys.argv[2])

def truth(sock):
    inode = str(os.fstat(sock.fileno()).st_ino)
    kind = "udp" if sock.type == socket.SOCK_DGRAM else "tcp"
    for table in (kind, kind + "6"):
        for line in open("/proc/net/" + table).readlines()[1:]:
            fields = line.split()
            if fields[9] == inode:
                host, port = fields[1].split(":")
                words = [int(host[i:i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(host), 8)]
                family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
                return [socket.inet_ntop(family, b"".join(words)), int(port, 16)]

def bound(family, host, port, kind=socket.SOCK_STREAM, v6only=None):
    sock = socket.socket(family, kind)
    if v6only is not None:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind((host, port))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock

def tell(**facts):
    print(json.dumps(facts))
"""


@dataclass(frozen=True)
class Wrapped:
    """Runs Python lines as a wrapped program."""

    old: int
    new: int
    environment: dict[str, str]

    def run(self, lines: str, **more: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", CHILD + lines, str(self.old), str(self.new)],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts


@pytest.fixture
def wrapped(preload: Path, free_port: Callable[[], int]) -> Wrapped:
    old, new = free_port(), free_port()
    return Wrapped(old, new, environment(os.environ, old_port=old, new_port=new, preload=preload))


@pytest.mark.parametrize(
    ("family", "asked", "moved"),
    [
        ("AF_INET", "0.0.0.0", "127.0.0.1"),
        ("AF_INET", "127.0.0.1", "127.0.0.1"),
        ("AF_INET", "192.0.2.7", "127.0.0.1"),
        ("AF_INET6", "::", "::1"),
        ("AF_INET6", "::1", "::1"),
        ("AF_INET6", "2001:db8::7", "::1"),
        ("AF_INET6", "::ffff:0.0.0.0", "::ffff:127.0.0.1"),
        ("AF_INET6", "::ffff:192.0.2.7", "::ffff:127.0.0.1"),
    ],
)
def test_the_port_moves_to_loopback_and_the_program_is_told_what_it_asked_for(
    wrapped: Wrapped, family: str, asked: str, moved: str
) -> None:
    mapped = "0" if asked.startswith("::ffff:") else "None"
    facts = wrapped.run(
        f"s = bound(socket.{family}, {asked!r}, old, v6only={mapped}); tell(truth=truth(s), told=s.getsockname()[:2])"
    )

    assert facts == {"truth": [moved, wrapped.new], "told": [asked, wrapped.old]}


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_other_ports_stay_where_they_are(wrapped: Wrapped, family: str, free_port: Callable[[], int]) -> None:
    other = free_port()
    everywhere = {"AF_INET": "0.0.0.0", "AF_INET6": "::"}[family]

    facts = wrapped.run(f"s = bound(socket.{family}, '', {other}); tell(truth=truth(s), told=s.getsockname()[:2])")

    assert facts == {"truth": [everywhere, other], "told": [everywhere, other]}


def test_a_port_of_the_system_s_choice_stays_so(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "s = bound(socket.AF_INET, '127.0.0.1', 0); tell(truth=truth(s), told=s.getsockname()[:2], new=new)"
    )

    assert facts["truth"] == facts["told"]
    assert facts["told"][1] not in (0, wrapped.new)


def test_unix_sockets_are_untouched(wrapped: Wrapped, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")

    facts = wrapped.run(f"s = socket.socket(socket.AF_UNIX); s.bind({path!r}); tell(told=s.getsockname())")

    assert facts == {"told": path}
    assert Path(path).is_socket()


def test_datagrams_to_the_same_port_are_untouched(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "s = bound(socket.AF_INET, '0.0.0.0', old, socket.SOCK_DGRAM); tell(truth=truth(s), told=s.getsockname())"
    )

    assert facts == {"truth": ["0.0.0.0", wrapped.old], "told": ["0.0.0.0", wrapped.old]}


def test_ipv4_and_ipv6_listeners_of_one_program_both_move(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "a = bound(socket.AF_INET, '', old); b = bound(socket.AF_INET6, '::', old, v6only=1)\n"
        "tell(truth=[truth(a), truth(b)], told=[a.getsockname()[:2], b.getsockname()[:2]])"
    )

    assert facts["truth"] == [["127.0.0.1", wrapped.new], ["::1", wrapped.new]]
    assert facts["told"] == [["0.0.0.0", wrapped.old], ["::", wrapped.old]]


def test_a_connection_to_the_moved_port_is_told_the_port_asked_for(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "s = bound(socket.AF_INET, '0.0.0.0', old); c = socket.create_connection(('127.0.0.1', new))\n"
        "a, peer = s.accept(); tell(told=a.getsockname(), peer_is_client=peer == c.getsockname())"
    )

    assert facts == {"told": ["127.0.0.1", wrapped.old], "peer_is_client": True}


def test_the_port_asked_for_stays_free_for_the_tunnel(wrapped: Wrapped) -> None:
    with socket.create_server(("127.0.0.1", wrapped.old)):
        facts = wrapped.run("s = bound(socket.AF_INET, '127.0.0.1', old); tell(truth=truth(s))")

    assert facts == {"truth": ["127.0.0.1", wrapped.new]}


def test_a_duplicate_of_the_socket_is_told_the_same(wrapped: Wrapped) -> None:
    facts = wrapped.run("s = bound(socket.AF_INET6, '::', old).dup(); tell(told=s.getsockname()[:2])")

    assert facts == {"told": ["::", wrapped.old]}


def test_a_descriptor_that_is_used_again_does_not_tell_what_the_closed_one_asked_for(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "s = bound(socket.AF_INET, '0.0.0.0', old); was = s.fileno(); s.close()\n"
        "t = bound(socket.AF_INET, '127.0.0.1', old); tell(same=was == t.fileno(), told=t.getsockname())"
    )

    assert facts == {"same": True, "told": ["127.0.0.1", wrapped.old]}


def test_a_short_buffer_gets_what_fits_and_the_whole_length(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "s = bound(socket.AF_INET, '0.0.0.0', old); c = ctypes.CDLL(None, use_errno=True)\n"
        "room = (ctypes.c_uint8 * 16)(*[0xEE] * 16); length = ctypes.c_uint32(3)\n"
        "result = c.getsockname(s.fileno(), room, ctypes.byref(length))\n"
        "tell(result=result, length=length.value, port_byte=room[2], beyond=list(room[3:6]))"
    )

    assert facts == {"result": 0, "length": 16, "port_byte": wrapped.old >> 8, "beyond": [0xEE] * 3}


@pytest.mark.parametrize(
    ("length", "errno_name"), [(0, "EINVAL"), (2, "EINVAL"), (15, "EINVAL"), (16, ""), (128, ""), (129, "EINVAL")]
)
def test_the_length_of_an_ipv4_address_is_judged_as_the_kernel_does(
    wrapped: Wrapped, length: int, errno_name: str
) -> None:
    facts = wrapped.run(
        "import errno, struct\n"
        "s = socket.socket(); c = ctypes.CDLL(None, use_errno=True)\n"
        "address = struct.pack('=H', socket.AF_INET) + struct.pack('!H', old) + bytes(200)\n"
        f"result = c.bind(s.fileno(), address, {length})\n"
        "tell(result=result, error=errno.errorcode.get(ctypes.get_errno(), '') if result else '')"
    )

    assert facts == {"result": -1 if errno_name else 0, "error": errno_name}


@pytest.mark.parametrize(("length", "result"), [(16, -1), (23, -1), (24, 0), (28, 0)])
def test_the_length_of_an_ipv6_address_is_judged_as_the_kernel_does(wrapped: Wrapped, length: int, result: int) -> None:
    facts = wrapped.run(
        "import struct\n"
        "s = socket.socket(socket.AF_INET6); c = ctypes.CDLL(None)\n"
        "address = struct.pack('=H', socket.AF_INET6) + struct.pack('!H', old) + bytes(200)\n"
        f"result = c.bind(s.fileno(), address, {length}); tell(result=result, told=s.getsockname()[:2])"
    )

    assert facts == {"result": result, "told": ["::", 0 if result else wrapped.old]}


def test_bad_pointers_and_descriptors_fail_as_ever(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "import errno\n"
        "s = bound(socket.AF_INET, '0.0.0.0', old); c = ctypes.CDLL(None, use_errno=True); said = []\n"
        "def call(function, *arguments):\n"
        "    said.append(errno.errorcode[ctypes.get_errno()] if function(*arguments) else 'fine')\n"
        "call(c.bind, s.fileno(), None, 16)\n"
        "call(c.bind, -1, bytes(16), 16)\n"
        "call(c.getsockname, s.fileno(), None, None)\n"
        "call(c.getsockname, -1, bytes(16), ctypes.byref(ctypes.c_uint32(16)))\n"
        "tell(said=said)"
    )

    assert facts == {"said": ["EFAULT", "EBADF", "EFAULT", "EBADF"]}


def test_a_taken_port_is_reported_as_taken(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "s = bound(socket.AF_INET, '0.0.0.0', old)\n"
        "try:\n    bound(socket.AF_INET, '0.0.0.0', old)\nexcept OSError as error:\n    tell(error=error.strerror)"
    )

    assert facts == {"error": "Address already in use"}


def test_children_are_wrapped_too(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "inner = 'import socket, sys; s = socket.create_server((\"\", int(sys.argv[1]))); s.listen();'\n"
        "inner += 'print(s.getsockname()[1], flush=True); sys.stdin.read()'\n"
        "child = subprocess.Popen(['/bin/sh', '-c', '\"$0\" -c \"$1\" \"$2\"', sys.executable, inner, str(old)],\n"
        "    stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "told = int(child.stdout.readline()); socket.create_connection(('127.0.0.1', new)).close()\n"
        "child.communicate(); tell(told=told, kept=[os.environ[n] for n in ('REBIND_OLD_PORT', 'REBIND_NEW_PORT')])"
    )

    assert facts == {"told": wrapped.old, "kept": [str(wrapped.old), str(wrapped.new)]}


def test_a_fork_is_told_what_its_parent_asked_for(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "s = bound(socket.AF_INET, '0.0.0.0', old); pid = os.fork()\n"
        "if pid == 0:\n    tell(told=s.getsockname())\nelse:\n    os.waitpid(pid, 0)"
    )

    assert facts == {"told": ["0.0.0.0", wrapped.old]}


def test_threads_that_bind_and_ask_at_once_are_each_told_what_they_asked_for(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "wrong, start = [], threading.Barrier(8)\n"
        "def work(n):\n"
        "    start.wait()\n"
        "    for turn in range(1, 31):\n"
        "        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
        "        asked = (f'192.0.{n}.{turn}', old); s.bind(asked)\n"
        "        if s.getsockname() != asked: wrong.append((asked, s.getsockname()))\n"
        "        s.close()\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]; tell(wrong=wrong)"
    )

    assert facts == {"wrong": []}


def test_a_program_that_binds_without_end_is_still_told_the_port_asked_for(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        "first = socket.socket(); first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
        "first.bind(('0.0.0.0', old))\n"
        "for turn in range(1000):\n"
        "    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
        "    s.bind(('0.0.0.0', old)); last = s.getsockname(); s.close()\n"
        "tell(first=first.getsockname(), last=last)"
    )

    assert facts == {"first": ["127.0.0.1", wrapped.old], "last": ["0.0.0.0", wrapped.old]}


@pytest.fixture(scope="module")
def other_preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody else's preload library: the machine is called x."""
    folder = tmp_path_factory.mktemp("other")
    source, library = folder / "other.c", folder / "other.so"
    source.write_text(
        "#include <unistd.h>\n"
        "int gethostname(char *name, size_t size) { (void)size; name[0] = 'x'; name[1] = 0; return 0; }\n"
    )
    subprocess.run([shutil.which("cc") or "gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def test_an_existing_preload_works_beside_it(preload: Path, other_preload: Path, free_port: Callable[[], int]) -> None:
    old, new = free_port(), free_port()
    base = {**os.environ, "LD_PRELOAD": str(other_preload)}
    wrapped = Wrapped(old, new, environment(base, old_port=old, new_port=new, preload=preload))

    facts = wrapped.run("s = bound(socket.AF_INET, '', old); tell(truth=truth(s), host=socket.gethostname())")

    assert facts == {"truth": ["127.0.0.1", new], "host": "x"}


@pytest.mark.parametrize("value", ["", "0", "65536", "99999999999999999999", "5900x", "-1", " 1"])
def test_a_variable_that_is_no_port_moves_nothing(wrapped: Wrapped, value: str) -> None:
    facts = wrapped.run("s = bound(socket.AF_INET, '', old); tell(truth=truth(s))", REBIND_NEW_PORT=value)

    assert facts == {"truth": ["0.0.0.0", wrapped.old]}


def test_connections_to_the_same_port_elsewhere_are_untouched(wrapped: Wrapped) -> None:
    with socket.create_server(("127.0.0.1", wrapped.old)) as elsewhere:
        facts = wrapped.run(
            "c = socket.create_connection(('127.0.0.1', old)); tell(peer=c.getpeername(), own=c.getsockname())"
        )
        taken, address = elsewhere.accept()
        taken.close()

    assert facts == {"peer": ["127.0.0.1", wrapped.old], "own": list(address)}


@pytest.mark.parametrize("option", ["SO_REUSEADDR", "SO_REUSEPORT"])
def test_an_address_that_the_program_shares_is_shared_where_it_was_moved(wrapped: Wrapped, option: str) -> None:
    facts = wrapped.run(
        "def shared():\n"
        f"    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.{option}, 1); s.bind(('', old)); return s\n"
        "a, b = shared(), shared(); tell(told=[a.getsockname(), b.getsockname()])"
    )

    assert facts == {"told": [["0.0.0.0", wrapped.old]] * 2}


# What a child tells of its environment; the dynamic loader's and ours.
INHERITED = "[name for name in ('LD_PRELOAD', 'REBIND_OLD_PORT', 'REBIND_NEW_PORT') if name in os.environ]"
FORKED = f"""
def forked():
    read, write = os.pipe(); pid = os.fork()
    if pid == 0:
        os.dup2(write, 1)
        os.execv(sys.executable, [sys.executable, "-c", "import os; print({INHERITED}, os.environ.get('LD_PRELOAD'))"])
    os.close(write); os.waitpid(pid, 0)
    return open(read).read().strip()
def serve(sock):
    with socket.create_connection(sock.getsockname()[:1] + (new,)):
        served = sock.accept()[0]
    served.close()  # after its client, whose port then is the one that waits
"""


def test_a_process_that_only_tried_the_port_leaves_its_children_wrapped(wrapped: Wrapped) -> None:
    facts = wrapped.run(FORKED + "bound(socket.AF_INET, '', old).close(); tell(child=forked())")

    assert facts["child"].startswith("['LD_PRELOAD', 'REBIND_OLD_PORT', 'REBIND_NEW_PORT'] /")


def test_what_a_process_forks_for_its_clients_gets_the_environment_without_us(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        FORKED + "s = bound(socket.AF_INET, '127.0.0.1', old); serve(s)\n"
        "tell(child=forked(), own=[n for n in os.environ if n.startswith('REBIND_')])"
    )

    assert facts == {"child": "[] None", "own": ["REBIND_OLD_PORT", "REBIND_NEW_PORT"]}


def test_a_connection_on_another_port_leaves_children_wrapped(wrapped: Wrapped, free_port: Callable[[], int]) -> None:
    facts = wrapped.run(
        FORKED + f"s = bound(socket.AF_INET, '127.0.0.1', {free_port()})\n"
        "with socket.create_connection(s.getsockname()): s.accept()\n"
        "tell(child=forked())"
    )

    assert "REBIND_OLD_PORT" in facts["child"]


@pytest.mark.parametrize("separator", [":", " "])
def test_another_preload_stays_for_what_is_forked_for_clients(
    preload: Path, other_preload: Path, free_port: Callable[[], int], separator: str
) -> None:
    old, new = free_port(), free_port()
    made = environment({**os.environ, "LD_PRELOAD": str(other_preload)}, old_port=old, new_port=new, preload=preload)
    wrapped = Wrapped(old, new, {**made, "LD_PRELOAD": made["LD_PRELOAD"].replace(":", separator)})

    facts = wrapped.run(FORKED + "serve(s := bound(socket.AF_INET, '127.0.0.1', old)); tell(child=forked())")

    assert facts == {"child": f"['LD_PRELOAD'] {other_preload}"}


def test_a_forked_child_of_a_server_goes_on_being_moved_itself(wrapped: Wrapped) -> None:
    facts = wrapped.run(
        FORKED + "s = bound(socket.AF_INET, '127.0.0.1', old); serve(s); s.close(); pid = os.fork()\n"
        "if pid == 0:\n"
        "    s = bound(socket.AF_INET, '', old); tell(truth=truth(s))\n"
        "else:\n    os.waitpid(pid, 0)"
    )

    assert facts == {"truth": ["127.0.0.1", wrapped.new]}
