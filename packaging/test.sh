#!/usr/bin/env bash
# Sets up what the tests need and runs them all: lint, format, types, layers, and pytest with the coverage of wsgui/.
#
#   packaging/test.sh                        everything but what is marked slow
#   packaging/test.sh --all                  everything
#   packaging/test.sh [--all] ARGUMENTS      these go to pytest: tests/command, -k name, -n 0 ...
#
# A fresh Debian 12 with Python 3.11 or newer is enough; see packaging/setup.sh for what is done to it.
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

selected=(-m "not slow")
if [ "${1:-}" = --all ]; then
    selected=()
    shift
fi

# Real peers: a browser, a VNC server and viewer, a desktop with a tray to click in, relays to compare with.
need_packages "the programs that the tests run against" ca-certificates git gcc libc6-dev procps openssl shellcheck \
    chromium tigervnc-standalone-server tigervnc-common tigervnc-viewer xterm xvfb openbox trayer xdotool haproxy lighttpd \
    lighttpd-mod-openssl socat dbus dbus-x11 imagemagick curl x11-apps x11-utils x11-xserver-utils fonts-dejavu-core fonts-inter \
    libegl1 libgl1 libdbus-1-3 libfontconfig1 libglib2.0-0 libx11-xcb1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 \
    libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 \
    libwayland-client0 libwayland-cursor0 libwayland-egl1 redis-server inetutils-telnetd inetutils-telnet novnc \
    apache2-utils openssh-client libnss3-tools gnome-keyring libsecret-tools zbar-tools
command -v npm >/dev/null || need_packages "npm, which fetches what the viewer pages stand on" npm
make_environment test "[test]"

cd -- "$checkout"
export PATH="$environment/bin:$PATH"
python packaging/viewers.py >/dev/null

ruff check .
ruff format --check .
mypy
lint-imports
# One file's tests stay in one process; the machine that this is made for has two cores.
exec python -m pytest -n 2 --dist loadfile --cov=wsgui --cov-report=term "${selected[@]}" "$@" </dev/null
