#!/usr/bin/env bash
# Sets wsgui up and starts it: with a display the tray app, without one the demo, printing the address to open.
#
#   packaging/run.sh                             the main job
#   packaging/run.sh --listen 127.0.0.1:7000     the demo on another address, without a window
#   packaging/run.sh --profile NAME              any other way to start wsgui; its commands too: profile list, status ...
#
# A fresh Debian 12 with Python 3.11 or newer is enough; see packaging/setup.sh for what is done to it.
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    # What Qt's xcb and wayland plugins link to, and a font for them to draw with.
    need_packages "the system libraries of a Qt window" libegl1 libgl1 libdbus-1-3 libfontconfig1 libglib2.0-0 \
        libwayland-client0 libwayland-cursor0 libwayland-egl1 libx11-xcb1 libxcb-cursor0 libxcb-icccm4 libxcb-image0 \
        libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 \
        libxkbcommon-x11-0 fonts-dejavu-core
fi
if ! command -v cc >/dev/null && ! command -v clang >/dev/null; then
    want_packages "a C compiler, without which wsgui cannot wrap programs" gcc libc6-dev
fi
command -v npm >/dev/null || want_packages "npm, without which wsgui has no VNC and terminal pages of its own" npm
make_environment run ""

demo=true
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    demo=false
fi
for argument in "$@"; do
    case "$argument" in
    --listen | --listen=*) demo=true ;;
    --profile | --profile=* | --demo | --help | -h | --version)
        demo=false
        break
        ;;
    esac
done
case "${1:-}" in
"" | -*) ;;
*) demo=false ;; # a command of wsgui's
esac
if $demo; then
    set -- --demo "$@"
fi
exec "$environment/bin/wsgui" "$@"
