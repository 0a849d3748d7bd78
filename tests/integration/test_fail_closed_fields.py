"""Access rules fail closed, field by field: names, variables, lists, numbers and switches that are as none may be.

The files that fields name are in test_fail_closed.py. A field of [tls], [access] or [tokens] that is built and stands
in none of the tables here fails the test at the end.
"""

from __future__ import annotations

import math
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import keyring
import keyring.backends.fail
import pytest

from tests.integration.conftest import RunWsgui, WriteProfile
from tests.support.engines import NAME, Running, running
from tests.support.houses import DEMO, PASSPHRASE, RULES, House, basic, status
from tests.support.raw import RawClient, client_frame, tcp_target
from wsgui.engine.engine import Engine
from wsgui.engine.snapshot import TunnelState
from wsgui.errors import ProfileError, TunnelError
from wsgui.profiles.access import Access, Tls, Tokens
from wsgui.profiles.availability import NOT_BUILT
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for who has tried the wrong thing."""
    monkeypatch.setattr("wsgui.access.delays.FIRST_SECONDS", 0.0)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    async with tcp_target() as port:
        house = House(tmp_path, f"127.0.0.1:{port}")
        monkeypatch.syspath_prepend(house.plugin.parent)
        yield house


def profile(**fields: Any) -> Profile:
    return build_profile({"name": NAME, "listen": "127.0.0.1:0"} | fields, "test")


async def fails(fields: dict[str, Any], field: str) -> None:
    """A tunnel like that does not start, because of that field."""
    engine = Engine()
    await engine.configure(profile(**fields))
    with pytest.raises(TunnelError) as caught:
        await engine.start(NAME)
    assert caught.value.field == field
    assert caught.value.hint
    (now,) = engine.snapshot().tunnels
    assert now.state is TunnelState.FAILED
    assert now.reason is not None
    await engine.close()


def no_profile(field: str, **fields: Any) -> None:
    """That is no profile, because of that field."""
    with pytest.raises(ProfileError) as caught:
        profile(**fields)
    assert field in str(caught.value)


# References to secrets

Reference = Callable[[House, str], dict[str, Any]]

REFERENCES: dict[str, Reference] = {
    "tls.key_password": lambda house, reference: DEMO | {"tls": house.tls | {"key_password": reference}},
    "access.basic": lambda _, reference: DEMO | {"access": {"basic": reference}},
    "tokens.password": lambda _, reference: {"tokens": {"source": "redis://127.0.0.1:9", "password": reference}},
    "tokens.source": lambda _, reference: {"tokens": {"source": f"jwt:{reference}"}},
}


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("field", REFERENCES)
async def test_a_variable_that_is_missing_or_empty_starts_nothing(
    field: str, value: str | None, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("WSGUI_TEST_SECRET", raising=False)
    else:
        monkeypatch.setenv("WSGUI_TEST_SECRET", value)
    await fails(REFERENCES[field](house, "env:WSGUI_TEST_SECRET"), field)


@pytest.mark.parametrize("field", REFERENCES)
async def test_a_variable_that_goes_while_it_runs_leaves_the_old_rule(
    field: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGUI_TEST_SECRET", f"{PASSPHRASE}:long enough for a key of 32 bytes")
    if field == "tls.key_password":
        monkeypatch.setenv("WSGUI_TEST_SECRET", PASSPHRASE)
    fields = REFERENCES[field](house, "env:WSGUI_TEST_SECRET")
    async with running(**{"target": None} | fields) as tunnel:
        monkeypatch.delenv("WSGUI_TEST_SECRET")
        with pytest.raises(TunnelError) as caught:
            await tunnel.engine.configure(profile(**fields))
        assert caught.value.field == field
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.reason is not None
        assert await status(tunnel) in (401, 403, 404)
        if field == "access.basic":
            assert await status(tunnel, authorization=basic(PASSPHRASE, "long enough for a key of 32 bytes")) == 101


@pytest.mark.parametrize("field", REFERENCES)
async def test_a_secret_file_that_others_can_change_starts_nothing(field: str, house: House, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.write_text(f"{PASSPHRASE}:long enough for a key of 32 bytes")
    planted.chmod(0o666)
    await fails(REFERENCES[field](house, f"file:{planted}"), field)


@pytest.mark.parametrize("field", REFERENCES)
async def test_without_a_keyring_what_is_in_it_starts_nothing(
    field: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", keyring.backends.fail.Keyring)
    monkeypatch.setattr(keyring, "get_password", keyring.backends.fail.Keyring().get_password)
    await fails(REFERENCES[field](house, "keyring:office"), field)


@pytest.mark.parametrize("reference", ["file:", "env:", "keyring:", "hunter2", 5, True, [], {"a": "b"}])
@pytest.mark.parametrize("field", REFERENCES)
def test_a_reference_that_is_none_makes_no_profile(field: str, reference: Any, house: House) -> None:
    if isinstance(reference, str) or field != "tokens.source":
        no_profile(field, **REFERENCES[field](house, reference))


# Names that are empty where one is needed, or that belong to nothing

NAMES: dict[str, list[dict[str, Any]]] = {
    "tls.certificate": [
        *({"tls": {"certificate": each}} for each in ("", "a b", [""], [5], None, ["a b"], ["/x"], [[]], {"a": 1})),
        {"tls": {"certificate": [], "only": True}},
        {"tls": {"certificate": [], "client_authority": "/x"}},
        {"tls": {"certificate": ["office.lan"], "certificate_file": "/x"}},
        {"tls": {"certificate": ["office.lan"], "key_file": "/x"}},
        {"tls": {"certificate": ["office.lan"], "key_password": "env:X"}},
    ],
    "tls.certificate_file": [{"tls": {"certificate_file": "", "key_file": "/x"}}],
    "tls.key_file": [{"tls": {"key_file": "/x"}}],
    "tls.client_authority": [
        {"tls": {"client_authority": ""}},
        {"tls": {"client_authority": "/x"}},
        {"tls": {"client_authority": "", "certificate_file": "/x"}},
    ],
    "access.basic": [{"access": {"basic": ""}}],
    "access.plugin": [{"access": {"plugin": each}} for each in ("", "a", "a..b", "a b.C", 5, [])],
    "access.plugin_argument": [{"access": {"plugin_argument": "x"}}, {"access": {"plugin_argument": 5}}],
    "tokens.source": [{"tokens": {"source": each}} for each in (" ", "x", "file:", "file:x", "jwt:", "nfs:/x", 5, [])],
    "tokens.argument": [{"tokens": {"argument": "x"}}, {"tokens": {"source": "file:/x", "argument": "x"}}],
    "tokens.password": [{"tokens": {"password": "env:X"}}, {"tokens": {"source": "jwt:/x", "password": "env:X"}}],
    "tokens.audience": [{"tokens": {"audience": "x"}}, {"tokens": {"source": "file:/x", "audience": "x"}}],
    "tokens.allow": [{"tokens": {"allow": []}}, {"tokens": {"allow": ["10.0.0.0/8:1"]}}],
    "tokens.by_host": [{"tokens": {"by_host": True}}],
    "targets": [{"targets": each} for each in ({"a": ""}, {"a": None}, {"a": {}}, {"a": "http://x"}, [], "x")],
}


@pytest.mark.parametrize(("field", "fields"), [(field, each) for field, each_of in NAMES.items() for each in each_of])
def test_what_is_empty_or_belongs_to_nothing_makes_no_profile(field: str, fields: dict[str, Any]) -> None:
    own = "source" in fields.get("tokens", {}) or "targets" in fields
    no_profile(field.partition(".")[2] or field, **({} if own else DEMO) | fields)


@pytest.mark.parametrize("left_out", ["key_file", "key_password"])
@pytest.mark.parametrize("how", ["empty", "absent"])
async def test_what_is_left_out_though_the_key_needs_it_starts_nothing(left_out: str, how: str, house: House) -> None:
    fields = house.tls | {left_out: ""}
    if how == "absent":
        del fields[left_out]
    await fails(DEMO | {"tls": fields}, f"tls.{left_out}")


async def test_an_empty_token_starts_nothing() -> None:
    await fails({"targets": {"": "demo:"}}, "targets")


async def test_a_plugin_that_cannot_be_built_with_its_argument_starts_nothing(house: House) -> None:
    with house.plugin.open("a") as file:
        file.write("\nclass Strict(Tokens, Access):\n    def __init__(self, src):\n        int(src)\n")
    name = f"{house.module}.Strict"
    for argument in ("", "not a number"):
        await fails({"tokens": {"source": f"plugin:{name}", "argument": argument}}, "tokens.argument")
        await fails(DEMO | {"access": {"plugin": name, "plugin_argument": argument}}, "access.plugin_argument")


# Numbers and switches

NONSENSE_OF = {
    "tokens.deadline_seconds": [0, -1, math.nan, math.inf, "5", None, True],
    "tokens.by_host": ["yes", 1, None, []],
    "access.anyone": ["yes", 1, None, []],
    "web.require_access": ["no", 0, None, []],
    "tls.only": ["no", 0, []],
    "tls.minimum": ["1.1", "", "1.4", None],
    "tls.ciphers": [5, None, "a\nb"],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, each) for field, each_of in NONSENSE_OF.items() for each in each_of]
)
def test_a_number_or_switch_that_is_none_makes_no_profile(field: str, value: Any, house: House) -> None:
    section, _, name = field.partition(".")
    fields: dict[str, Any] = {"tls": house.tls, "tokens": {"source": "file:/x"}}
    no_profile(field, **fields | {section: fields.get(section, {}) | {name: value}})


async def test_ciphers_that_nothing_matches_start_nothing(house: House) -> None:
    await fails(DEMO | {"tls": house.tls | {"ciphers": "NONE-SUCH"}}, "tls.ciphers")


async def test_files_ask_unless_that_is_switched_off_and_upgrades_always(house: House) -> None:
    asked = {"access": {"basic": f"file:{house.users}"}}
    for require, page in ((None, 401), (True, 401), (False, 200)):
        web = {} if require is None else {"web": {"require_access": require}}
        async with running(**asked, **web) as tunnel:
            assert await get(tunnel) == page
            assert await status(tunnel) == 401
            await tunnel.engine.configure(profile(**DEMO, **asked))
            assert await get(tunnel) == 401


@pytest.mark.parametrize("access", [{}, {"anyone": False}])
async def test_a_program_for_each_connection_is_not_for_everybody(access: dict[str, Any]) -> None:
    no_profile("command.mode", command={"run": ["cat"], "mode": "stdio"}, access=access)


async def get(tunnel: Running, path: str = "/", **fields: str) -> int:
    async with await RawClient.connect(tunnel.url) as client:
        drop = ("upgrade", "connection", "sec-websocket-key", "sec-websocket-version")
        client.send(client.head(path, drop=drop, **fields))
        return (await client.answer()).status


# Lists: absent is the rule's default, empty is nobody, nonsense is no profile.

PAGE = "https://vnc.lab"
LISTS = ("access.origins", "access.hosts")


async def own_page(tunnel: Running) -> int:
    return await status(tunnel, origin=tunnel.now.page_url.rstrip("/"))


async def test_an_empty_list_of_origins_lets_no_page_in_but_native_clients() -> None:
    async with running(access={"origins": []}) as tunnel:
        assert await own_page(tunnel) == 403
        assert await status(tunnel, origin=PAGE) == 403
        assert await status(tunnel, origin="null") == 403
        assert await status(tunnel) == 101


async def test_origins_left_out_let_own_pages_in_and_no_others() -> None:
    async with running() as tunnel:
        assert await own_page(tunnel) == 101
        assert await status(tunnel, origin=PAGE) == 403


@pytest.mark.parametrize("access", [{}, {"hosts": []}])
async def test_hosts_left_out_or_empty_add_no_name(access: dict[str, Any]) -> None:
    async with running(access=access) as tunnel:
        assert await status(tunnel, host="vnc.example") == 403
        assert await status(tunnel) == 101


async def test_what_is_taken_from_a_list_while_it_runs_is_refused_from_then_on() -> None:
    async with running(access={"origins": [PAGE], "hosts": ["vnc.example"]}) as tunnel:
        assert await status(tunnel, origin=PAGE, host="vnc.example") == 101
        await tunnel.engine.configure(profile(target="demo:", access={"origins": [], "hosts": ["vnc.example"]}))
        assert await status(tunnel, origin=PAGE, host="vnc.example") == 403
        assert await status(tunnel, host="vnc.example") == 101
        await tunnel.engine.configure(profile(target="demo:"))
        assert await status(tunnel, host="vnc.example") == 403
        assert await status(tunnel, origin=PAGE) == 403


NONSENSE: list[Any] = [[""], "", [" "], [None], [5], ["a b"], ["http://"], [[]], {"a": 1}, None, True]


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize("field", LISTS)
def test_a_list_that_is_none_makes_no_profile(field: str, value: Any) -> None:
    section, _, name = field.partition(".")
    with pytest.raises(ProfileError) as caught:
        profile(target="demo:", **{section: {name: value}})
    assert field in str(caught.value)


@pytest.mark.parametrize("field", LISTS)
async def test_a_list_that_becomes_nonsense_while_it_runs_leaves_the_old_rule(
    field: str, run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    section, _, name = field.partition(".")
    start = f'listen = "127.0.0.1:0"\ntarget = "demo:"\n[{section}]\n'
    write_profile("lab", start + 'origins = []\nhosts = ["vnc.example"]\n')
    process = await run_wsgui("--profile", "lab")
    url = await process.address("lab")
    write_profile("lab", start + f'{name} = [""]\n')
    process.signal(signal.SIGHUP)
    await process.logged(field)
    for fields, answer in (({"origin": PAGE}, 403), ({"host": "vnc.example"}, 101), ({"host": "evil.example"}, 403)):
        async with await RawClient.connect(url) as client:
            client.send(client.head(**fields))
            assert (await client.answer()).status == answer


async def test_common_names_left_out_are_any_and_an_empty_list_is_nobody(house: House) -> None:
    nameless = house.authority.sign()
    tls = house.tls | {"client_authority": str(house.authority.path)}
    for names, anna, nobody in (
        ({}, 101, 101),
        ({"client_names": []}, 403, 403),
        ({"client_names": [""]}, 403, 403),
        ({"client_names": ["anna"]}, 101, 403),
        ({"client_names": ["ann", "anna "]}, 403, 403),
    ):
        async with running(tls=tls, access=names) as tunnel:
            assert await status(tunnel, tls=house.shown(house.anna)) == anna, names
            assert await status(tunnel, tls=house.shown(nameless)) == nobody, names
            await tunnel.engine.configure(profile(**DEMO, tls=tls, access={"client_names": ["ben"]}))
            assert await status(tunnel, tls=house.shown(house.anna)) == 403


@pytest.mark.parametrize("value", ["anna", None, True, [None], [5], ["a\nb"], [[]], {"a": 1}], ids=repr)
def test_common_names_that_are_none_make_no_profile(value: Any, house: House) -> None:
    tls = house.tls | {"client_authority": str(house.authority.path)}
    if value is not None:  # what is null stands in no TOML
        no_profile("access.client_names", **DEMO, tls=tls, access={"client_names": value})


async def test_allowed_targets_left_out_are_any_and_an_empty_list_is_none(house: House) -> None:
    source = {"source": f"file:{house.tokens}"}
    for allow, leads in (
        ({}, True),
        ({"allow": ["127.0.0.0/8:1-65535"]}, True),
        ({"allow": []}, False),
        ({"allow": ["127.0.0.0/8:1"]}, False),
    ):
        async with running(target=None, tokens=source | allow) as tunnel:
            assert await reaches(tunnel) is leads, allow
            await tunnel.engine.configure(profile(tokens=source | {"allow": []}))
            assert await reaches(tunnel) is False


@pytest.mark.parametrize(
    "value", [[""], "", ["10.0.0.0/8"], ["x:1"], ["10.0.0.0/8:0-x"], [5], [None], {"a": 1}], ids=repr
)
def test_allowed_targets_that_are_none_make_no_profile(value: Any) -> None:
    no_profile("tokens.allow", tokens={"source": "file:/x", "allow": value})


async def reaches(tunnel: Running) -> bool:
    """Whether anna's token leads to the echo."""
    async with await RawClient.connect(tunnel.url) as client:
        client.send(client.head("/?token=anna"))
        assert (await client.answer()).status == 101
        client.send(client_frame(2, b"hello"))
        opcode, payload = await client.frame()
        return (opcode, payload) == (2, b"hello")


async def test_targets_that_are_taken_away_or_replaced_lead_nowhere_from_then_on(house: House) -> None:
    async with running(target=None, targets={"anna": house.target}) as tunnel:
        assert await status(tunnel, "/?token=anna") == 101
        await tunnel.engine.configure(profile(targets={"ben": house.target}))
        assert await status(tunnel, "/?token=anna") == 404
        assert await status(tunnel) == 404
        with pytest.raises(ProfileError):
            profile(targets={})


async def test_an_audience_that_is_asked_for_is_needed_and_the_host_too_where_it_is_the_token(house: House) -> None:
    jwt = {"source": f"jwt:{house.jwt_key}"}
    async with running(target=None, tokens=jwt | {"audience": "lab"}) as tunnel:
        for claims, answer in (({}, 404), ({"aud": ""}, 404), ({"aud": "lob"}, 404), ({"aud": "lab"}, 101)):
            assert await status(tunnel, f"/?token={house.jwt(**claims)}") == answer
    async with running(target=None, targets={"desk.example": house.target}, tokens={"by_host": True}) as tunnel:
        for host, answer in (("desk.example:1", 101), ("desk", 404), ("", 403), (":80", 403)):
            assert await status(tunnel, "/?token=desk.example", host=host) == answer, host


# Nothing is forgotten


def test_every_field_that_is_built_is_gone_through() -> None:
    sections = {"tls": Tls, "access": Access, "tokens": Tokens}
    fields = {f"{section}.{name}" for section, model in sections.items() for name in model.model_fields}
    built = {field for field in fields if field not in NOT_BUILT and field.partition(".")[0] not in NOT_BUILT}
    files = {name.partition(" ")[0] for name in RULES}
    tables = files | set(REFERENCES) | set(NAMES) | set(LISTS) | set(NONSENSE_OF) | {"access.client_names"}
    assert built | {"targets", "web.require_access"} == tables
