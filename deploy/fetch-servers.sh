#!/bin/sh
# Unpacks Prometheus, Alertmanager and VictoriaMetrics from Debian's packages into a directory of this
# project. Nothing is installed, no service is started, and nothing outside the directory is written.
#
#   deploy/fetch-servers.sh [--force] [--exporters] [DIRECTORY]   (default: .servers beside pyproject.toml)
#
# Without --force only what is neither on this machine nor in the directory is fetched. With --exporters also
# what the tests of the packs start: exporters, and a Redis and a PostgreSQL behind them.
# Works as root and as an ordinary user. Exit 0: every server is there. Exit 1: one line says why not.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
force=no
exporters=no
target=$root/.servers
for argument in "$@"; do
    case $argument in
        --force) force=yes ;;
        --exporters) exporters=yes ;;
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

postgres_present() { # a PostgreSQL of any version is here
    for directory in "$target" $([ $force = yes ] || echo /); do
        for binary in "$directory"/usr/lib/postgresql/*/bin/postgres; do
            if [ -x "$binary" ]; then return 0; fi
        done
    done
    return 1
}

wanted_exporters() { # what the tests of the packs lack, one per line
    for source in node blackbox redis postgres; do
        present "prometheus-$source-exporter" || echo "prometheus-$source-exporter"
    done
    present redis-server || echo redis-server
    postgres_present || echo postgresql
}

with_libraries() { # package names with, for databases, the packages that they need and this machine lacks
    for package in "$@"; do
        echo "$package"
        # shellcheck disable=SC2086
        case $package in
            postgresql) apt-cache $lists depends postgresql | sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p' ;;
        esac
        # shellcheck disable=SC2086
        case $package in
            redis-server | postgresql)
                apt-get $lists -s --no-install-recommends install "$package" 2>>"$log" |
                    sed -n 's/^Inst \([^ ]*\) (.*/\1/p' |
                    grep -E '^(lib|redis-|postgresql-[0-9])' | grep -vE '^lib(llvm|perl|z3)|-perl$' || true ;;
        esac
    done | sort -u
}

wanted() { # the packages that are still missing, one per line
    { present prometheus && present promtool; } || echo prometheus
    { present prometheus-alertmanager alertmanager && present amtool; } || echo prometheus-alertmanager
    { present victoria-metrics victoria-metrics-prod && present vmalert vmalert-prod; } || echo victoria-metrics
    [ $exporters = no ] || wanted_exporters
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

read_lists() {
    if [ "$(id -u)" -ne 0 ]; then
        mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
        lists="-o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache"
    fi
    echo "fetch-servers: reading the package lists"
    apt apt-get update || fail "apt-get update failed ($(tail -n 1 "$log"))"
}

download() {
    # shellcheck disable=SC2086
    packages=$(with_libraries $packages | tr '\n' ' ')
    echo "fetch-servers: fetching $packages"
    # shellcheck disable=SC2086
    (cd "$work" && apt apt-get download $packages)
}

lists=
if ! known; then
    read_lists
    known || fail "these packages are in no package list: $packages"
fi
# Lists that are old name versions that are gone: then they are read again, once.
download || { read_lists && download; } || fail "apt-get download failed ($(tail -n 1 "$log"))"
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
