#!/bin/sh
# Makes .venv with Python 3.11 or newer and installs Tidemark in it, editable, with the tools for development.
#
#   deploy/make-venv.sh [DIRECTORY]      (default: .venv beside pyproject.toml)
#
# As root on Debian or Ubuntu it installs what Python lacks for this (python3-venv). Safe to run again.
# PYTHON=/path/to/python chooses the interpreter. Exit 1: one line says what is missing.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=${1:-$root/.venv}

say() { echo "setup: $1"; }
fail() { echo "setup: $1" >&2; exit 1; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
able() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() { # prints the first Python that is recent enough, one that can make environments first
    for test in able recent; do
        for name in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3}; do
            if recent "$name" && $test "$name"; then command -v "$name"; return; fi
        done
    done
    return 1
}

install_packages() { # install_packages PACKAGE...: for root on a machine with apt
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        fail "the packages $* are needed: install them (as root: apt-get install $*), then run make again"
    fi
    say "installing $*"
    log=$(mktemp)
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@"; } \
        >"$log" 2>&1 || fail "apt-get install $* failed ($(tail -n 1 "$log"))"
    rm -f "$log"
}

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    find_python >/dev/null || [ -n "${PYTHON:-}" ] || install_packages python3 python3-venv
    python=$(find_python) || fail "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python"
    able "$python" || install_packages "python3-venv"
    able "$python" || fail "$python cannot make environments: its venv and ensurepip are missing"
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

say "installing the libraries of constraints.txt (the first time takes a minute or two)"
"$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check \
    --constraint "$root/constraints.txt" --editable "${root}[dev]" ||
    fail "pip could not install the libraries; its message is above"
say "ready: $venv/bin/tidemark"
