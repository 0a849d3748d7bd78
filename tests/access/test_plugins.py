"""Classes of other people's: found, checked, called off the loop, and never able to break a tunnel."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import until
from wsgui.access.plugins import PluginAuthenticator, PluginTokens
from wsgui.access.tokens.source import LookupFailed
from wsgui.access.visitor import Denied, TargetAddress, Visitor
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import TcpAddress, UnixAddress

TOKENS = '''
import os
import threading
import time

from websockify.token_plugins import BasePlugin, TokenFile


class Inventory(BasePlugin):
    """Looks names up in an inventory, slowly."""

    def __init__(self, src):
        super().__init__(src)
        self.suffix = src or ""

    def lookup(self, token):
        assert threading.current_thread() is not threading.main_thread()
        time.sleep(0.01)
        if not token.startswith("vm"):
            return None
        return [token + self.suffix, "59" + token[2:].zfill(2)]


class Projects(TokenFile):
    """A file of tokens, each behind its project's name."""

    def lookup(self, token):
        project, _, token = token.partition("/")
        return super().lookup(token) if project == "office" else None
'''

AUTHENTICATION = '''
import websockify.auth_plugins as auth
from websockify.auth_plugins import AuthenticationError, BasePlugin, BasicHTTPAuth


class Directory(BasicHTTPAuth):
    """Asks a directory."""

    def validate_creds(self, username, password):
        return (username, password) == tuple(self.src.split("/"))


class Redirecting(BasePlugin):
    """Sends people to a page where they log in."""

    def authenticate(self, headers, target_host, target_port):
        from websockify.auth_plugins import AuthenticationError as Late

        assert Late is AuthenticationError is auth.AuthenticationError
        if headers.get("COOKIE") is None:
            raise AuthenticationError(
                log_msg="no session", response_code=302,
                response_headers={"Location": "https://login.lab/", "Set-Cookie": "a=b"}, response_msg="Log in",
            )
        self.asked = (headers["cookie"], headers.get("SSL_CLIENT_S_DN_CN"), target_host, target_port)
        if self.asked != self.source:
            raise RuntimeError("s3cret " + repr(self.asked))
'''


@pytest.fixture(autouse=True)
def search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """On websockify's line the working directory is added to it."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a plugin lies that a test writes, on the search path; what was imported from it is forgotten."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def write(folder: Path, text: str, name: str = "somebodys") -> str:
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    path.chmod(0o644)
    return name


async def tokens(module: str, name: str, source: str | None = None, *, line: bool = False) -> PluginTokens:
    plugin = PluginTokens(f"{module}.{name}", source, working_directory=line)
    await plugin.open()
    return plugin


async def authentication(
    module: str, name: str, source: str | None = None, *, target: TargetAddress | None = None
) -> PluginAuthenticator:
    plugin = PluginAuthenticator(f"{module}.{name}", source, working_directory=False, target=target)
    await plugin.open()
    return plugin


async def denied(plugin: PluginAuthenticator, visitor: Visitor, target: TargetAddress | None = None) -> Denied:
    with pytest.raises(Denied) as caught:
        await plugin.authenticate(visitor, target)
    assert "s3cret" not in f"{caught.value!r} {caught.value.message}"
    return caught.value


STRANGER = Visitor("192.0.2.1", "/", {})


# Token plugins


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("None", None),
        ("['Office', '5901']", TcpAddress("office", 5901)),
        ("('office', 5901)", TcpAddress("office", 5901)),
        ("['office', b'5901']", TcpAddress("office", 5901)),
        ("['::1', '5901']", TcpAddress("::1", 5901)),
        ("['[::1]', 5901]", TcpAddress("::1", 5901)),
        ("['unix_socket', '/run/x.sock']", UnixAddress("/run/x.sock")),
    ],
)
async def test_what_a_token_plugin_returns(answer: str, target: TargetAddress | None, folder: Path) -> None:
    module = write(folder, f"class A:\n def __init__(self, src): pass\n def lookup(self, token): return {answer}\n")
    assert await (await tokens(module, "A")).look_up("x") == target


@pytest.mark.parametrize("line", [True, False])
async def test_no_host_is_this_computer_on_websockify_s_line_and_garbage_in_a_profile(line: bool, folder: Path) -> None:
    module = write(folder, "class A:\n def __init__(self, src): pass\n def lookup(self, token): return ['', '1']\n")
    looking = (await tokens(module, "A", line=line)).look_up("x")
    if line:
        assert await looking == TcpAddress("localhost", 1)
    else:
        with pytest.raises(LookupFailed):
            await looking


GARBAGE = """
    "" "ab" [] ["office"] ["office",5901,1] ["office",None] ["office",True] [None,1] ["office",0] ["office","-1"] 7
    ["office",70000] ["a\\x20b",1] ["demo:",1] {"a":1,"b":2} ["http://x",80] ["unix_socket",None] ["tls://x",1]
    ["listen",""] object()
    """


@pytest.mark.parametrize("answer", GARBAGE.split())
async def test_garbage_is_a_failed_look_up(answer: str, folder: Path) -> None:
    module = write(folder, f"class A:\n def __init__(self, src): pass\n def lookup(self, token): return {answer}\n")
    with pytest.raises(LookupFailed) as caught:
        await (await tokens(module, "A")).look_up("s3cret")
    assert caught.value.status == 502
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("fault", ["ValueError(token)", "SystemExit(token)", "KeyboardInterrupt()", "GeneratorExit()"])
async def test_a_fault_is_a_failed_look_up_that_says_where_and_not_what(fault: str, folder: Path) -> None:
    module = write(folder, f"class A:\n def __init__(self, src): pass\n def lookup(self, token): raise {fault}\n")
    with pytest.raises(LookupFailed) as caught:
        await (await tokens(module, "A")).look_up("s3cret")
    assert "The plugin somebodys.A failed: " in caught.value.message
    assert "s3cret" not in str(caught.value)
    if fault.startswith("ValueError"):
        assert "ValueError in somebodys.py, line 3" in caught.value.message


async def test_a_plugin_that_blocks_holds_up_neither_the_loop_nor_other_calls(folder: Path) -> None:
    module = write(
        folder,
        """
        import threading
        gate = threading.Event()
        inside = threading.Event()
        class A:
            def __init__(self, src): pass
            def lookup(self, token):
                if token == "slow":
                    inside.set()
                    gate.wait()
                return ["office", 5901]
        """,
    )
    plugin = await tokens(module, "A")
    gate, inside = sys.modules[module].gate, sys.modules[module].inside
    slow = asyncio.ensure_future(plugin.look_up("slow"))
    await until("it blocks", inside.is_set)
    async with asyncio.timeout(10):
        assert await plugin.look_up("quick")
    gate.set()
    assert await slow


async def test_it_is_built_once_and_each_call_has_it_to_itself(folder: Path) -> None:
    module = write(
        folder,
        """
        import threading
        built = []
        both = threading.Barrier(2)
        class A:
            def __init__(self, src):
                built.append(src)
                self.targets = None
            def lookup(self, token):
                assert self.targets is None
                self.targets = {token: ["host-" + token, 1]}
                both.wait(30)
                return self.targets[token]
        """,
    )
    plugin = await tokens(module, "A", "source")
    found = await asyncio.gather(plugin.look_up("a"), plugin.look_up("b"))
    assert found == [TcpAddress("host-a", 1), TcpAddress("host-b", 1)]
    assert sys.modules[module].built == ["source"]


# Authentication plugins


async def test_a_plugin_sees_headers_by_any_case_and_never_a_client_s_word_on_its_certificate(folder: Path) -> None:
    module = write(
        folder,
        """
        class A:
            def __init__(self, src): pass
            def authenticate(self, headers, target_host, target_port):
                assert headers["user-agent"] == headers["USER-AGENT"] == "x"
                assert headers.get("nothing") is None
                assert [n for n in headers if n.upper().startswith("SSL")] == ["SSL_CLIENT_S_DN_CN"], list(headers)
                assert headers["SSL_CLIENT_S_DN_CN"] == "anna"
                assert (target_host, target_port) == ("office", 5901)
        """,
    )
    plugin = await authentication(module, "A", target=TcpAddress("office", 5901))
    fields = {"user-agent": "x", "ssl_client_s_dn_cn": "root", "ssl_x": "y", "ssl-client-s-dn-cn": "root"}
    assert await plugin.authenticate(Visitor("", "/", fields, True, "anna"), None) is None


@pytest.mark.parametrize(
    ("own", "of_the_token", "told"),
    [
        (None, None, "None, None"),
        (TcpAddress("office", 1), None, "'office', 1"),
        (TcpAddress("office", 1), TcpAddress("vm", 5902), "'vm', '5902'"),
        (None, UnixAddress("/run/x"), "None, None"),
    ],
)
async def test_a_plugin_is_told_the_target(
    own: TargetAddress | None, of_the_token: TargetAddress | None, told: str, folder: Path
) -> None:
    module = write(
        folder,
        f"class A:\n def __init__(self, src): pass\n"
        f" def authenticate(self, headers, target_host, target_port): assert (target_host, target_port) == ({told})\n",
    )
    await (await authentication(module, "A", target=own)).authenticate(STRANGER, of_the_token)


def raising(folder: Path, fault: str) -> str:
    return write(
        folder,
        f"""
        from websockify.auth_plugins import AuthenticationError
        class A:
            def __init__(self, src): pass
            def authenticate(self, headers, target_host, target_port): raise {fault}
        """,
    )


async def test_an_authentication_error_is_that_answer(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    fault = "AuthenticationError('for the log\\x1b', 402, {'X-Price': '5', 'Content-Length': '9'}, 'Pay first')"
    plugin = await authentication(raising(folder, fault), "A")
    with caplog.at_level(logging.INFO):
        answer = await denied(plugin, STRANGER)
    assert (answer.status, answer.message, answer.rule) == (402, "Pay first", "plugin")
    assert answer.headers == (("X-Price", "5"),)
    assert "402 for the log\\x1b" in caplog.text


async def test_its_default_answer_is_403(folder: Path) -> None:
    assert (await denied(await authentication(raising(folder, "AuthenticationError()"), "A"), STRANGER)).status == 403


@pytest.mark.parametrize(
    "fault",
    [
        "AuthenticationError('', 403, {'X': 'a\\r\\nSet-Cookie: s3cret'})",
        "AuthenticationError('', 403, {'X: a\\r\\nY': 'b'})",
        "AuthenticationError('', 403, {'X': 'a\\nb'})",
        "AuthenticationError('', 403, {'X': '\\u2028'})",
        "AuthenticationError('', 101)",
        "AuthenticationError('', 0)",
        "AuthenticationError('', '403 Forbidden\\r\\nX: y')",
        "ValueError('s3cret')",
        "SystemExit('s3cret')",
    ],
)
async def test_what_is_no_answer_is_a_500_with_a_log_line(
    fault: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await denied(await authentication(raising(folder, fault), "A"), STRANGER)
    assert (answer.status, answer.headers) == (500, ())
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert "s3cret" not in caplog.text


async def test_plain_requests_are_asked_on_websockify_s_line_only() -> None:
    assert PluginAuthenticator("a.B", None, working_directory=True).guards_files
    assert not PluginAuthenticator("a.B", None, working_directory=False).guards_files


# Finding and building


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("", "nowhere.A", "There is no module nowhere."),
        ("", "nowhere.at.all.A", "There is no module nowhere.at.all."),
        ("", "somebodys.A", "There is no class somebodys.A."),
        ("", "somebodys.inner.A", "There is no module somebodys.inner."),
        ("import nowhere", "somebodys.A", "could not be imported: ModuleNotFoundError"),
        ("x = (", "somebodys.A", "could not be imported: SyntaxError"),
        ("raise ValueError('s3cret')", "somebodys.A", "could not be imported: ValueError in somebodys.py, line 1"),
        ("import sys; sys.exit('s3cret')", "somebodys.A", "could not be imported: SystemExit"),
        ("None.s3cret", "somebodys.A", "could not be imported: AttributeError"),
        ("A = 7", "somebodys.A", "could not be built: TypeError"),
        ("def A(src): raise ValueError(src)", "somebodys.A", "could not be built: ValueError in somebodys.py, line 1"),
    ],
)
async def test_what_cannot_be_had_opens_nothing(
    text: str, path: str, message: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    write(folder, text)
    with pytest.raises(WsguiError) as caught:
        await PluginTokens(path, "s3cret", working_directory=False).open()
    assert message in caught.value.message
    assert "s3cret" not in str(caught.value)
    assert caught.value.field in ("tokens.source", "tokens.argument")
    assert "s3cret" not in caplog.text


@pytest.mark.skipif(os.name == "nt", reason="permissions are not in the mode")
@pytest.mark.parametrize("what", ["file", "folder", "above", "cache"])
@pytest.mark.parametrize("bit", [0o020, 0o002])
async def test_in_a_profile_what_others_can_write_is_refused(what: str, bit: int, folder: Path) -> None:
    module = write(folder, "raise RuntimeError('it ran')")
    cache = folder / "__pycache__"  # empty: what is put there is run in place of the file
    place = {"file": folder / "somebodys.py", "folder": folder, "above": folder.parent, "cache": cache}[what]
    cache.mkdir(exist_ok=True)
    place.chmod(place.stat().st_mode | bit)
    try:
        with pytest.raises(WsguiError) as caught:
            await tokens(module, "A")
    finally:
        place.chmod(0o755)
    assert caught.value.message == f"Others can write {place}, and the plugin would run what they write there."


@pytest.mark.skipif(os.name == "nt", reason="permissions are not in the mode")
async def test_a_link_to_what_others_can_write_is_refused(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    write(shared, "raise RuntimeError('it ran')")
    (folder / "somebodys.py").symlink_to(shared / "somebodys.py")
    shared.chmod(0o777)
    with pytest.raises(WsguiError, match="Others can write"):
        await tokens("somebodys", "A")


@pytest.mark.skipif(os.name == "nt", reason="permissions are not in the mode")
async def test_a_package_s_parents_are_checked_before_they_run(folder: Path) -> None:
    package = folder / "package"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('it ran')")
    (package / "inner.py").write_text("")
    package.chmod(0o777)
    with pytest.raises(WsguiError, match="Others can write"):
        await tokens("package.inner", "A")


@pytest.mark.skipif(not hasattr(os, "chown") or os.geteuid() != 0, reason="only root gives files away")
async def test_somebody_else_s_file_is_refused(folder: Path) -> None:
    module = write(folder, "raise RuntimeError('it ran')")
    os.chown(folder / "somebodys.py", 12345, 12345)
    with pytest.raises(WsguiError, match="Others can write"):
        await tokens(module, "A")


def run(program: str, cwd: Path, *, without_websockify: bool = True) -> str:
    """Run a program in a process of its own, in which websockify cannot be imported."""
    blocker = """
        import importlib.machinery, sys

        class Finder(importlib.machinery.PathFinder):
            @classmethod
            def find_spec(cls, name, path=None, target=None):
                return None if name.partition(".")[0] == "websockify" else super().find_spec(name, path, target)

        sys.meta_path[:] = [Finder if each is importlib.machinery.PathFinder else each for each in sys.meta_path]
        """
    text = textwrap.dedent(blocker if without_websockify else "") + textwrap.dedent(program)
    (cwd / "program.py").write_text(text)
    # -P: the program's own folder is not on the path, as for an installed one.
    command = [sys.executable, "-P", str(cwd / "program.py")]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


THIRD_PARTIES = """
    import asyncio
    from wsgui.access.authentication import websockify_authenticator
    from wsgui.access.plugins import PluginTokens
    from wsgui.access.visitor import Denied, Visitor
    from wsgui.profiles.addresses import TcpAddress

    async def answer(plugin, **fields):
        try:
            await plugin.authenticate(Visitor("", "/", fields, True, "anna"), TcpAddress("office", 5901))
        except Denied as denied:
            return denied.status, denied.message, denied.headers
        return "in"

    async def main():
        inventory = PluginTokens("their_tokens.Inventory", ".lab", working_directory=True)
        await inventory.open()
        print(*await asyncio.gather(*(inventory.look_up(f"vm{n}") for n in range(3))), await inventory.look_up("x"))
        projects = PluginTokens("their_tokens.Projects", "tokens", working_directory=True)
        await projects.open()
        print(await projects.look_up("office/a"), await projects.look_up("office/b"), await projects.look_up("a"))
        directory = websockify_authenticator("their_authentication.Directory", "anna/one")
        await directory.open()
        print(await answer(directory, authorization="Basic YW5uYTpvbmU="))
        print(await answer(directory, authorization="Basic YW5uYTp0d28="))
        print((await answer(directory, authorization="Bearer x"))[0])
        redirecting = websockify_authenticator("their_authentication.Redirecting", None)
        await redirecting.open()
        print(await answer(redirecting))
        print((await answer(redirecting, cookie="a=b"))[0])
        import websockify.auth_plugins
        print(websockify.auth_plugins.__name__)

    asyncio.run(main())
    """


@pytest.mark.parametrize("without_websockify", [True, False])
def test_plugins_as_third_parties_write_them_run_with_websockify_and_without(
    without_websockify: bool, tmp_path: Path
) -> None:
    write(tmp_path, TOKENS, "their_tokens")
    write(tmp_path, AUTHENTICATION, "their_authentication")
    (tmp_path / "tokens").write_text("# tokens\na: office:5901\n")
    told = run(THIRD_PARTIES, tmp_path, without_websockify=without_websockify).splitlines()
    challenge = (("WWW-Authenticate", 'Basic realm="Websockify"'),)
    assert told == [
        "vm0.lab:5900 vm1.lab:5901 vm2.lab:5902 None",
        "office:5901 None None",
        "in",
        str((401, "This client may not come in.", challenge)),
        "403",
        str((302, "Log in", (("Location", "https://login.lab/"), ("Set-Cookie", "a=b")))),
        "500",
        f"{'wsgui.access.websockify_modules' if without_websockify else 'websockify'}.auth_plugins",
    ]


@pytest.mark.parametrize("without_websockify", [True, False])
def test_the_classes_to_derive_from_work_by_themselves(without_websockify: bool, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("a: office:5901\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b").write_text("office:5902\n")
    program = """
        import asyncio, pathlib, threading
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from wsgui.access.plugins import PluginTokens

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(404 if self.path.endswith("x") else 200)
                self.end_headers()
                self.wfile.write(b'{"host": "office", "port": 1}' if self.path.startswith("/json") else b"office:5903")
            def log_message(self, *_): pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"

        async def main():
            for name, source in [("ReadOnlyTokenFile", "tokens"), ("TokenFile", "tokens"), ("TokenFileName", "folder"),
                                 ("BaseTokenAPI", url + "/%s"), ("JSONTokenApi", url + "/json/%s")]:
                plugin = PluginTokens(f"websockify.token_plugins.{name}", source, working_directory=True)
                await plugin.open()
                print(name, *[await plugin.look_up(token) for token in "abx"])
        asyncio.run(main())
        """
    told = run(program, tmp_path, without_websockify=without_websockify).splitlines()
    assert told == [
        "ReadOnlyTokenFile office:5901 None None",
        "TokenFile office:5901 None None",
        "TokenFileName None office:5902 None",
        "BaseTokenAPI office:5903 office:5903 None",
        "JSONTokenApi office:1 office:1 None",
    ]


def test_the_working_directory_is_searched_last_and_on_websockify_s_line_only(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('not mine')")
    write(tmp_path, "class A:\n def __init__(self, src): pass\n def lookup(self, token): return ['office', 1]\n")
    program = """
        import asyncio, os
        from wsgui.access.plugins import PluginTokens
        from wsgui.errors import WsguiError

        async def main():
            try:
                await PluginTokens("somebodys.A", None, working_directory=False).open()
            except WsguiError as error:
                print(error.message)
            plugin = PluginTokens("somebodys.A", None, working_directory=True)
            os.chdir("/")
            await plugin.open()
            print(await plugin.look_up("x"))
            import json
            print(json.loads("1"))
        asyncio.run(main())
        """
    assert run(program, tmp_path).splitlines() == ["There is no module somebodys.", "office:1", "1"]


async def test_threads_of_plugins_end_with_the_program(folder: Path) -> None:
    module = write(folder, "class A:\n def __init__(self, src): pass\n def lookup(self, token): return None\n")
    await (await tokens(module, "A")).look_up("x")
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "plugin")
