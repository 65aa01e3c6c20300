#!/bin/sh
# Unpacks Prometheus, Alertmanager and VictoriaMetrics from Debian's packages into a directory of this
# project. Nothing is installed, no service is started, and nothing outside the directory is written.
#
#   deploy/fetch-servers.sh [--force] [DIRECTORY]      (default: .servers beside pyproject.toml)
#
# Without --force only what is neither on this machine nor in the directory is fetched.
# Works as root and as an ordinary user. Exit 0: every server is there. Exit 1: one line says why not.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
force=no
target=$root/.servers
for argument in "$@"; do
    case $argument in
        --force) force=yes ;;
        -*) echo "usage: $0 [--force] [DIRECTORY]" >&2; exit 2 ;;
        *) target=$argument ;;
    esac
done

fail() {
    echo "fetch-servers: $1; use the container images of deploy/compose.yaml instead" >&2
    exit 1
}

present() { # present NAME...: one of the names is an executable here
    for name in "$@"; do
        for directory in "$target/usr/bin" $([ $force = yes ] || echo "$PATH:/usr/bin:/usr/sbin" | tr : ' '); do
            if [ -x "$directory/$name" ]; then return 0; fi
        done
    done
    return 1
}

wanted() { # the packages that are still missing, one per line
    { present prometheus && present promtool; } || echo prometheus
    { present prometheus-alertmanager alertmanager && present amtool; } || echo prometheus-alertmanager
    { present victoria-metrics victoria-metrics-prod && present vmalert vmalert-prod; } || echo victoria-metrics
}

packages=$(wanted | tr '\n' ' ')
if [ -z "$packages" ]; then
    echo "fetch-servers: all servers are here"
    exit 0
fi
for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool is not on this machine, so no packages can be fetched"
done

mkdir -p "$target" 2>/dev/null || fail "cannot write to $target"
target=$(CDPATH='' cd -- "$target" && pwd)
work=$(mktemp -d "$target/fetch.XXXXXX") || fail "cannot write to $target"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
log=$work/apt.log

apt() { # apt PROGRAM ARGUMENT...: with the lists chosen below, as whoever runs this
    program=$1
    shift
    # shellcheck disable=SC2086
    "$program" -q -o APT::Sandbox::User="$(id -un)" $lists "$@" >>"$log" 2>&1
}

known() { # the lists say where to download every wanted package from
    # shellcheck disable=SC2086
    apt apt-get download --print-uris $packages
}

lists=
if ! known; then
    if [ "$(id -u)" -ne 0 ]; then
        mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
        lists="-o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache"
    fi
    echo "fetch-servers: reading the package lists"
    apt apt-get update || fail "apt-get update failed ($(tail -n 1 "$log"))"
    known || fail "these packages are in no package list: $packages"
fi

echo "fetch-servers: fetching $packages"
# shellcheck disable=SC2086
(cd "$work" && apt apt-get download $packages) || fail "apt-get download failed ($(tail -n 1 "$log"))"
for archive in "$work"/*.deb; do
    dpkg-deb -x "$archive" "$target" || fail "$archive does not unpack"
done

# Debian's Alertmanager and amtool read their default templates from a fixed place under /usr/share.
# There they are missing, so both are pointed (by a path of the same length) to a directory that is
# handed over as descriptor 9.
fixed=/usr/share/prometheus/alertmanager
handed=/proc/self/fd/9///////alertmanager
for program in prometheus-alertmanager amtool; do
    binary=$target/usr/bin/$program
    if [ -f "$binary" ] && [ "$(head -c 2 "$binary")" != '#!' ]; then
        LC_ALL=C sed "s|$fixed|$handed|g" "$binary" >"$binary.bin"
        chmod 755 "$binary.bin"
        cat >"$binary.new" <<'WRAPPER'
#!/bin/sh
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec 9<"$here/../share/prometheus"
exec "$here/$(basename -- "$0").bin" "$@"
WRAPPER
        chmod 755 "$binary.new"
        mv "$binary.new" "$binary"
    fi
done

for program in prometheus promtool prometheus-alertmanager amtool victoria-metrics vmalert; do
    binary=$target/usr/bin/$program
    if [ -x "$binary" ] && ! "$binary" --version >"$log" 2>&1; then
        fail "$binary does not run here ($(tail -n 1 "$log"))"
    fi
done
missing=$(wanted | tr '\n' ' ')
[ -z "$missing" ] || fail "these packages lack a program that is needed: $missing"
echo "fetch-servers: unpacked into $target/usr/bin"
