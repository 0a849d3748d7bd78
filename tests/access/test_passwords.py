"""Lists of users: what htpasswd writes is understood, and nothing malformed lets anybody in."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from passlib.hash import ldap_salted_sha1, md5_crypt

from wsgui.access.passwords import Passwords
from wsgui.errors import SecretError

PASSWORD = "correct horse ü"


def htpasswd(*options: str, password: str = PASSWORD, user: str = "anna") -> str:
    if shutil.which("htpasswd") is None:
        pytest.skip("htpasswd is not installed")
    done = subprocess.run(
        ["htpasswd", "-nbi", *options, user], input=password, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def right(text: str, user: str, password: str | bytes) -> bool:
    typed = password.encode() if isinstance(password, str) else password
    return Passwords(text).check(user, [typed]) is not None


@pytest.mark.parametrize(
    "options", [("-m",), ("-B", "-C", "4"), ("-s",), ("-2",), ("-5",), ("-5", "-r", "1500"), ("-p",)]
)
def test_what_htpasswd_writes_is_understood(options: tuple[str, ...]) -> None:
    line = htpasswd(*options)
    assert right(line, "anna", PASSWORD)
    assert not right(line, "anna", PASSWORD + "x")
    assert not right(line, "anna", "")
    assert not right(line, "berta", PASSWORD)


@pytest.mark.parametrize("hashing", [ldap_salted_sha1, md5_crypt])
def test_salted_sha_and_md5_crypt_are_understood(hashing: type[md5_crypt]) -> None:
    line = f"anna:{hashing.hash(PASSWORD)}"
    assert right(line, "anna", PASSWORD)
    assert not right(line, "anna", "other")


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_every_prefix_of_bcrypt_is_the_same(prefix: str) -> None:
    line = htpasswd("-B", "-C", "4").replace("$2y$", prefix)
    assert right(line, "anna", PASSWORD)


def test_of_a_long_password_bcrypt_looks_at_the_beginning_as_htpasswd_does() -> None:
    line = htpasswd("-B", "-C", "4", password="x" * 72)
    assert right(line, "anna", "x" * 100)
    assert not right(line, "anna", "x" * 71)


@pytest.mark.parametrize("options", [("-m",), ("-B", "-C", "4"), ("-5",), ("-p",)])
@pytest.mark.parametrize("odd", [b"a\0b", b"x" * 100_000, b"\xff\xfe"])
def test_odd_passwords_are_wrong_and_no_fault(options: tuple[str, ...], odd: bytes) -> None:
    assert not right(htpasswd(*options), "anna", odd)


def test_several_users_comments_and_empty_lines() -> None:
    text = f"# who may come in\r\n\nanna:one:two\r\n{htpasswd('-m', user='berta')}\n \nclara: spaces \n"
    passwords = Passwords(text)
    assert passwords.check("anna", [b"one:two"])
    assert passwords.check("berta", [PASSWORD.encode()])
    assert passwords.check("clara", [b" spaces "])
    assert not passwords.check("# who may come in", [b""])


def test_each_spelling_of_a_password_counts() -> None:
    assert Passwords("anna:ü").check("anna", [b"\xfc", "ü".encode()])


def test_a_hash_is_no_password_itself() -> None:
    line = htpasswd("-m")
    assert not right(line, "anna", line.partition(":")[2])


@pytest.mark.parametrize("text", ["", "\n\n", "# nobody\n"])
def test_an_empty_list_is_refused(text: str) -> None:
    with pytest.raises(SecretError, match="The list of users is empty"):
        Passwords(text)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("s3cret", "is not user:password"),
        (":s3cret", "is not user:password"),
        ("berta:", "has an empty password"),
        ("berta:  ", "has an empty password"),
        ("anna:s3cret", "names a user a second time"),
        ("berta:$y$j9T$s3cret", "has a hash of a kind that is not known here"),
        ("berta:{SSHA512}s3cret", "has a hash of a kind that is not known here"),
        ("berta:$apr1$s3cret", "has a damaged hash"),
        ("berta:$apr1$abcdefgh$s3cret", "has a damaged hash"),
        ("berta:$2y$05$s3cret", "has a damaged hash"),
        ("berta:$2y$99$" + "a" * 53, "has a damaged hash"),
        ("berta:$6$s3cret", "has a damaged hash"),
        ("berta:$5$rounds=s3cret$x$y", "has a damaged hash"),
        ("berta:{SHA}s3cret", "has a damaged hash"),
    ],
)
def test_a_malformed_line_is_named_by_its_number_alone(line: str, why: str) -> None:
    with pytest.raises(SecretError) as caught:
        Passwords(f"anna:one\n{line}\n")
    assert caught.value.message == f"Line 2 of the list of users {why}."
    assert caught.value.field == "access.basic"
    assert "s3cret" not in repr(caught.value)


def test_an_unknown_user_is_checked_as_long_as_the_slowest_hash_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    import bcrypt

    checked: list[bytes] = []
    real = bcrypt.checkpw

    def counting(password: bytes, hashed: bytes) -> bool:
        checked.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    passwords = Passwords(f"{htpasswd('-B', '-C', '4')}\nplain:one\n{htpasswd('-m', user='quick')}")
    assert passwords.blocking
    for user in ("anna", "plain", "quick", "nobody"):
        checked.clear()
        assert not passwords.check(user, [b"wrong"])
        assert len(checked) == 1, user


def test_plain_passwords_do_not_block() -> None:
    assert not Passwords("anna:one").blocking


def test_nothing_of_a_password_is_in_a_repr() -> None:
    password = Passwords("anna:s3cret").get("anna")
    assert password is not None
    assert "s3cret" not in repr(password)
