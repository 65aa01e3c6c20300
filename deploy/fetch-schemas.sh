#!/bin/sh
# Fetches what the tests of the dashboards compare them with: Grafana's own SDK for Python (Apache-2.0), whose
# classes are generated from the schema that Grafana publishes with each version.
#
#   deploy/fetch-schemas.sh [DIRECTORY]      (default: .servers/grafana-schema beside pyproject.toml)
#
# Needs .venv. Safe to run again: what is there is kept. Exit 1: one line says what is missing.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
target=${1:-$root/.servers/grafana-schema}

fetch() { # fetch NAME VERSION: the SDK for Grafana NAME, which is a package version of its own
    [ ! -d "$target/$1" ] || return 0
    rm -rf "$target/$1.new"
    "$root/.venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-deps \
        --target "$target/$1.new" "grafana-foundation-sdk==$2" ||
        { echo "fetch-schemas: pip could not install the schema of Grafana $1; its message is above" >&2; exit 1; }
    mv "$target/$1.new" "$target/$1"
    echo "fetch-schemas: the schema of Grafana $1 is in $target/$1"
}

mkdir -p "$target"
fetch 10.1 '1769699998!10.1.0'
fetch 11.6 '1769699379!11.6.0'
fetch 12 '1769699241' # called next by its makers: the Grafana after 11.6, as of January 2026
