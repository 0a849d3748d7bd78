"""wsgui: WebSocket tunnels to VNC, SSH, telnet and any other TCP service, from a tray or a server."""

__version__ = "0.1.0"
