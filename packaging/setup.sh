# shellcheck shell=bash
# What run.sh and test.sh share: system packages, a Python, a virtual environment. Sourced, never run.
#
# Nothing here asks a question: what may be done is done, and what may not is named with the command that does it.

checkout="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# as_root COMMAND...: as root, when this user is or may become it without a password; false when not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

may_become_root() { as_root true 2>/dev/null; }

# missing_packages NAME...: those Debian packages of the list that are neither installed nor provided by one that is
# (newer releases have some libraries under another name).
missing_packages() {
    local name here
    here="$(dpkg-query -W -f='${db:Status-Status}\t${Package}, ${Provides}\n' |
        sed -n 's/^installed\t//; T; s/([^)]*)//g; s/ //g; p' | tr ',' '\n')" || here=""
    for name in "$@"; do
        grep -qxF -- "$name" <<<"$here" || printf '%s\n' "$name"
    done
}

# install_packages NAME...: with apt, when that is allowed.
lists_are_new=false
install_packages() {
    say "Installing with apt: $*"
    if ! $lists_are_new; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >/dev/null || return 1
        lists_are_new=true
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

# need_packages WHY NAME...: sees to it that these are installed; stops, naming what is missing, when it cannot.
need_packages() {
    local why="$1" missing
    shift
    if ! command -v apt-get >/dev/null; then
        say "No apt-get here, so not checked: $why. If something is missing, Debian calls it: $*"
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    may_become_root ||
        fail "Missing: $why. As root, run: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    install_packages "${missing[@]}" || fail "apt-get could not install ${missing[*]} (see above). Missing: $why."
}

# want_packages WHY NAME...: the same, but does without them when it cannot.
want_packages() {
    local why="$1" missing
    shift
    command -v apt-get >/dev/null || return 0
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if may_become_root && install_packages "${missing[@]}"; then
        return 0
    fi
    say "Going on without: $why. As root, run: apt-get install -y --no-install-recommends ${missing[*]}"
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# find_python: prints a Python of 3.11 or newer that can make virtual environments.
find_python() {
    local candidate
    while read -r candidate; do
        if is_new_enough "$candidate" && makes_environments "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done < <(type -aP python3 python3.14 python3.13 python3.12 python3.11)
    return 1
}

# choose_python: puts it into $python, installing Debian's venv module, or Python itself, where that is what is missing.
choose_python() {
    if ! python="$(find_python)"; then
        if [ -x /usr/bin/python3 ] && ! is_new_enough /usr/bin/python3; then
            fail "wsgui needs Python 3.11 or newer; here is $(/usr/bin/python3 --version). Install a newer one as python3."
        fi
        need_packages "Python's venv module" python3 python3-venv
        python="$(find_python)" || fail "No Python of 3.11 or newer with its venv module was found. Install one as python3."
    fi
}

# make_environment NAME EXTRAS: the virtual environment $environment, with this checkout in it (editable, so what is
# changed here counts at once). Made anew only when Python or what decides about the packages in it has changed.
make_environment() {
    local name="$1" extras="$2" stamp
    choose_python
    if [ -w "$checkout" ]; then
        environment="$checkout/.venv-$name"
    else
        environment="${XDG_CACHE_HOME:-$HOME/.cache}/wsgui/venv-$name-$(printf '%s' "$checkout" | cksum | cut -d ' ' -f 1)"
    fi
    stamp="$(
        cd -- "$checkout" || exit
        {
            printf '%s\n' "$environment" "$extras"
            "$python" -c 'import sys; print(sys.executable, sys.version)'
            command -v cc gcc clang npm || true
            cat pyproject.toml packaging/hatch_build.py packaging/viewers.py rebind/rebind.c
        } | sha256sum
    )"
    if [ -x "$environment/bin/python" ] && [ "$(cat -- "$environment/wsgui.stamp" 2>/dev/null)" = "$stamp" ]; then
        return 0
    fi
    say "Setting up $environment (this takes a minute or two, the first time only) ..."
    rm -f -- "$environment/wsgui.stamp"
    "$python" -m venv --clear "$environment" </dev/null >&2
    "$environment/bin/python" -m pip install --disable-pip-version-check --quiet --editable "$checkout$extras" </dev/null >&2 ||
        fail "pip could not install wsgui (see above). Is a package index reachable?"
    printf '%s\n' "$stamp" >"$environment/wsgui.stamp"
}
