"""The demo's profile."""

from __future__ import annotations

import socket

from wsgui.profiles.addresses import DemoAddress, InheritedAddress, TcpAddress
from wsgui.profiles.builtin import demo_profile, first_free


def test_the_demo_needs_nothing_else() -> None:
    demo = demo_profile()
    assert demo.name == "Demo"
    assert demo.target == DemoAddress()
    assert demo.web.root == "demo"
    assert isinstance(demo.listen, TcpAddress)
    assert demo.listen.host == "127.0.0.1"
    assert demo.listen.port >= 6080


def test_the_demo_listens_where_it_is_told() -> None:
    assert demo_profile(InheritedAddress(3)).listen == InheritedAddress(3)


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = first_free("127.0.0.1", port)
    assert found.host == "127.0.0.1"
    assert found.port > port
