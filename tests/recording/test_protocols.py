"""The first bytes of real programs are recognised, and others are not."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.recording.protocols import guess

# As TigerVNC, OpenSSH, PuTTY, telnetd, nginx, curl, mosquitto, FreeRDP, spice-gtk and the others begin.
REAL = [
    ("VNC (RFB 3.8)", b"RFB 003.008\n", b""),
    ("VNC (RFB 3.8)", b"RFB 003.008\n", b"RFB 003.008\n\x01\x01"),
    ("VNC (RFB 3.3)", b"RFB 003.003\n", b""),
    ("VNC (RFB 3.889)", b"RFB 003.889\n", b""),  # macOS
    ("VNC (RFB 0.0)", b"RFB 000.000\n", b""),  # UltraVNC's repeater
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", b""),
    ("SSH", b"SSH-1.99-Cisco-1.25\n", b""),
    ("SSH", b"Welcome to the lab\r\nSSH-2.0-dropbear_2022.83\r\n", b""),
    ("SSH", b"", b"SSH-2.0-PuTTY_Release_0.81\r\n"),
    ("telnet", b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27", b""),
    ("telnet", b"", b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"),
    ("telnet", b"Linux 6.1 (lab) (pts/0)\r\n\xff\xfb\x01", b""),
    ("HTTP", b"", b"GET /index.html HTTP/1.1\r\nHost: x\r\n"),
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n", b"RFB 003.0"),
    ("HTTP", b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("HTTP", b"", b"CONNECT host:443 HTTP/1.1\r\n"),
    ("TLS", b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("SPICE", b"", b"REDQ\x02\x00\x00\x00\x02\x00\x00\x00\x1a\x00\x00\x00"),
    ("SPICE", b"REDQ\x02\x00\x00\x00\x02\x00\x00\x00\xba\x00\x00\x00", b""),
    ("RDP", b"", b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00"),
    ("RDP", b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00", b""),
    ("MQTT", b"", b"\x10\x20\x00\x04MQTT\x04\x02\x00\x3c\x00\x14mosq"),
    ("MQTT", b"", b"\x10\x25\x00\x06MQIsdp\x03\x02\x00\x3c"),
    ("MQTT", b"", b"\x10\xa4\x01\x00\x04MQTT\x05\x02"),
    ("SMTP", b"220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n", b""),
    ("SMTP", b"220 mail.example.org ready\r\n", b"EHLO lab-pc\r\n"),
    ("FTP", b"220 (vsFTPd 3.0.3)\r\n", b""),
    ("FTP", b"220 Welcome\r\n", b"USER anonymous\r\n"),
    ("IMAP", b"* OK [CAPABILITY IMAP4rev1 SASL-IR] Dovecot ready.\r\n", b""),
    ("POP3", b"+OK Dovecot ready.\r\n", b""),
    ("PostgreSQL", b"", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
    ("PostgreSQL", b"", b"\x00\x00\x00\x54\x00\x03\x00\x00user\x00me\x00"),
    ("MySQL", b"\x4a\x00\x00\x00\x0a8.0.36\x00\x0b\x00\x00\x00", b""),
    ("Redis", b"", b"*1\r\n$4\r\nPING\r\n"),
    ("X11", b"", b"l\x00\x0b\x00\x00\x00\x12\x00\x10\x00\x00\x00MIT-MAGIC-COOKIE-1"),
    ("AMQP", b"", b"AMQP\x00\x00\x09\x01"),
    ("XMPP", b"", b"<?xml version='1.0'?><stream:stream to='lab'>"),
    ("wsgui demo", b"\x01\x00\x00\x00\x0cwsgui demo 1", b""),
]

UNKNOWN = [
    (b"", b""),
    (b"R", b""),
    (b"RFB 003", b""),
    (b"RFB 00x.008\n", b""),
    (b"SSH", b"SSH"),
    (b"220 ", b""),
    (b"hello\r\n", b"hello\r\n"),
    (b"\xff\xff\xff\xff", b"\xff"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", b""),
    (b"\xff\xfeh\x00i\x00", b""),  # UTF-16
    (b"\x00\x01\xff\xfb\x01", b""),
    (b"\x00" * 64, b"\x00" * 64),
    (b"HTTPS", b"GETTING"),
    (b"\x03\x00\x00\x07\x02\xf0\x80", b""),
    (b"", b"\x10\x04MQ"),
]


@pytest.mark.parametrize(("name", "to_client", "to_target"), REAL)
def test_real_first_bytes_are_recognised(name: str, to_client: bytes, to_target: bytes) -> None:
    assert guess(to_client, to_target) == name


@pytest.mark.parametrize(("to_client", "to_target"), UNKNOWN)
def test_what_is_not_known_is_not_named(to_client: bytes, to_target: bytes) -> None:
    assert guess(to_client, to_target) == ""


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_no_bytes_make_it_raise_and_what_it_says_can_be_shown(to_client: bytes, to_target: bytes) -> None:
    assert guess(to_client, to_target).isascii()


def test_it_is_quick_on_bytes_made_to_be_slow() -> None:
    started = time.perf_counter()
    for hostile in (b"\n" * 1_000_000, b"a\n" * 500_000, b"\r\n" * 500_000, b"\x10" + b"\xff" * 1_000_000):
        guess(hostile, hostile)
    assert time.perf_counter() - started < 0.5


@pytest.mark.skipif(shutil.which("Xtigervnc") is None, reason="needs tigervnc-standalone-server")
def test_a_real_vnc_server_is_recognised() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["Xtigervnc", "-rfbport", str(port), "-SecurityTypes", "None", "-localhost", "-displayfd", "1"]
    with subprocess.Popen([*command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().strip().isdigit()  # it listens once it has said its display
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                assert guess(client.recv(12), b"") == "VNC (RFB 3.8)"
        finally:
            server.terminate()
