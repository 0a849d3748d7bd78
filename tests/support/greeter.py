"""A program to wrap: greets whoever connects to 127.0.0.1 at its port, and ends with a status when it is sent a q.

Its arguments: port, greeting, status.
"""

from __future__ import annotations

import socket
import sys


def main() -> None:
    port, greeting, status = sys.argv[1:]
    with socket.create_server(("127.0.0.1", int(port))) as server:
        while True:
            sock, _ = server.accept()
            with sock:
                sock.sendall(greeting.encode())
                if sock.recv(1) == b"q":
                    sys.exit(int(status))


if __name__ == "__main__":
    main()
