#!/usr/bin/env bash
# What the scripts share: saying what happens, installing what is missing, building while something is shown.
# Sourced, never run. Everything here speaks on standard error; standard output belongs to the commands.

# shellcheck disable=SC2034  # used by the scripts that source this file
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
minimum_swift=6.2

# Debian's names. libcurl and OpenSSL for the probes, c-ares for their names, SQLite for the history, zlib for compressed pages, git for the packages.
build_packages=(libcurl4-openssl-dev libc-ares-dev libssl-dev libsqlite3-dev libpcre2-dev zlib1g-dev libcrypt-dev pkg-config ca-certificates git)
# Prometheus scrapes and checks, blackbox_exporter's page is held against ours, Alertmanager's amtool checks, nginx stands for targets. curl
# and sqlite3 read what the daemon wrote. gcc compiles the programs of the benchmark. Chromium shows the pages, and tidy reads them. systemd
# and procps check the unit, umoci unpacks the container image, and the rest checks scripts, packages and examples.
test_packages=(prometheus prometheus-blackbox-exporter prometheus-alertmanager nginx-light openssl curl sqlite3 python3 python3-venv gcc
    libc6-dev chromium tidy systemd procps umoci binutils shellcheck lintian yamllint)
# A Debian in a folder: one with a booted systemd, and one that has nothing yet (fresh-machine).
container_packages=(debootstrap systemd-container procps)

# The benchmark's: its C programs need gcc, libcurl, OpenSSL and SQLite, its targets are nginx's, its certificates openssl's, its addresses ip's.
bench_packages=(gcc libc6-dev libcurl4-openssl-dev libssl-dev ca-certificates openssl python3 nginx-light sqlite3 libsqlite3-dev iproute2)
# What makes packages; man-db and mandoc check the manual pages. Of libyaml-0-2 only its licence is taken: Yams has the code without it.
package_packages=(dpkg-dev binutils python3 man-db mandoc libyaml-0-2)
# What checks a release.
release_packages=(lintian python3-venv)
# What shows pages, and makes pictures of them.
browser_packages=(chromium python3 python3-venv)
# What the daemon is compared with.
peer_packages=(prometheus prometheus-blackbox-exporter)

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# need_swift: a Swift toolchain that is new enough, or how to get one.
need_swift() {
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1) || true
    local how="Get it from https://www.swift.org/install/linux/ (swiftly is the shortest way), then run this again."
    [[ -n $version ]] || die "Swift $minimum_swift or newer is needed, and no 'swift' was found. $how"
    if [[ $(printf '%s\n%s\n' "$minimum_swift" "$version" | sort -V | head -n 1) != "$minimum_swift" ]]; then
        die "Swift $minimum_swift or newer is needed, and this is $version. $how"
    fi
}

# need_packages NAME…: installs those that are missing, as root; otherwise prints the command that does and stops.
need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        say "This is not Debian. Make sure that you have what these packages hold there: $*"
        return
    fi
    local missing=() name
    for name in "$@"; do
        [[ $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) == 'install ok installed' ]] || missing+=("$name")
    done
    ((${#missing[@]})) || return 0

    if [[ $(id -u) != 0 ]]; then
        say "These Debian packages are missing. Install them with the next line, then run this again:"
        say "    sudo apt-get install ${missing[*]}"
        local service
        for service in prometheus prometheus-alertmanager prometheus-blackbox-exporter nginx-light; do
            [[ " ${missing[*]} " == *" $service "* ]] || continue
            say "Debian starts some of them as services, which nothing here needs. To stop those:"
            say "    sudo systemctl disable --now prometheus prometheus-node-exporter prometheus-alertmanager prometheus-blackbox-exporter nginx"
            break
        done
        exit 1
    fi
    say "Installing from Debian: ${missing[*]}"
    if ! compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; then
        quietly "apt-get update" apt-get -y update
    fi
    # The lists may be older than the archive, so a failure is worth one update and one more try.
    without_starting_services apt-get -y --no-install-recommends install "${missing[@]}" ||
        { quietly "apt-get update" apt-get -y update &&
            without_starting_services apt-get -y --no-install-recommends install "${missing[@]}"; } ||
        die "The packages could not be installed."
}

# Debian starts a service when its package is installed, unless this file says no (see invoke-rc.d(8)). The tests want the
# programs, not a Prometheus and an nginx that listen on every address of someone's machine.
policy_file=/usr/sbin/policy-rc.d
without_starting_services() {
    local is_ours=false status=0
    if [[ ! -e $policy_file ]]; then
        is_ours=true
        printf '#!/bin/sh\n# Put here by scripts/lib/common.sh while it installs packages; it may be deleted.\nexit 101\n' >"$policy_file"
        chmod 755 "$policy_file"
        trap 'rm -f "$policy_file"' EXIT
    fi
    DEBIAN_FRONTEND=noninteractive "$@" </dev/null >&2 || status=$?
    if $is_ours; then
        rm -f "$policy_file"
        trap - EXIT
    fi
    return "$status"
}

# quietly LABEL COMMAND…: runs a command with its output in a log, and shows the time and the log's last line while it runs.
# The log is named, and its end is shown, only when the command fails.
quietly() {
    local label=$1 log status=0 start=$SECONDS told=0 line
    shift
    log=$(mktemp "${TMPDIR:-/tmp}/rangefinder-XXXXXX.log")
    "$@" >"$log" 2>&1 </dev/null &
    local child=$!
    # A child of a script ignores the keyboard's interrupt, so it is passed on as one that it doesn't ignore.
    trap 'kill "$child" 2>/dev/null; exit 130' INT TERM
    while kill -0 "$child" 2>/dev/null; do
        sleep 1
        line=$(tail -n 1 "$log" 2>/dev/null | tr -cd '[:print:]' | cut -c 1-90)
        if [[ -t 2 ]]; then
            printf '\r\033[K%s %ds  %s' "$label" $((SECONDS - start)) "$line" >&2
        elif ((SECONDS - start >= told + 30)); then
            told=$((SECONDS - start))
            say "$label ${told}s  $line"
        fi
    done
    wait "$child" || status=$?
    trap - INT TERM
    if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
    if ((status)); then
        say "$label failed after $((SECONDS - start))s. What failed, and the end of $log:"
        # A test that failed early is not among the last lines of a thousand that ran beside each other.
        grep -A 3 -e '✘.*recorded an issue' -e ': error: ' "$log" | cut -c 1-2000 | head -n 60 >&2 || true
        tail -n 40 "$log" >&2
        return "$status"
    fi
    rm -f "$log"
    say "$label: done in $((SECONDS - start))s"
}

# need_pypi "MODULE…" REQUIREMENT…: what PyPI has, in a virtual environment beside the build, when its modules aren't there yet.
need_pypi() {
    local modules=${1// /, } python=$root/.build/venv/bin/python
    shift
    # One that was cut short has no pip.
    if ! "$python" -m pip --version >/dev/null 2>&1; then
        mkdir -p "$root/.build"
        quietly "Making .build/venv" python3 -m venv --clear "$root/.build/venv" || return 1
    fi
    "$python" -c "import $modules" 2>/dev/null ||
        quietly "Getting $modules from PyPI" "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 "$@"
}

# prepare_browser: Chromium, what drives it, and axe-core, which looks for what keeps people out.
prepare_browser() {
    need_pypi "playwright axe_playwright_python" 'playwright>=1.45' 'axe-playwright-python>=0.1.4' || return 1
    RANGEFINDER_BROWSER=$(command -v chromium) || return 1
    export RANGEFINDER_BROWSER
}

# How all of a release build is compiled. A program that is built with other options has every module compiled again. C's __FILE__ becomes a
# path below this folder, so that the program doesn't name the folder that it was built in.
release_options=(-c release -Xcc "-ffile-prefix-map=$root=.")

# build_release: .build/release/rangefinder, with the Swift runtime in it and every symbol bound at the start, so that its relocations are
# read-only afterwards. There is no build id. It would be of the debug information, too, which names the folder.
build_release() {
    quietly "Building (release)" swift build --package-path "$root" "${release_options[@]}" --product rangefinder \
        --static-swift-stdlib -Xlinker -z -Xlinker now -Xlinker --build-id=none
}

# need_maintainer: $maintainer is who answers for a package, as Debian wants it. No one is made up: without an option and without Debian's own
# variables a person at a terminal is asked.
need_maintainer() {
    if [[ -z ${maintainer:-} && -n ${DEBFULLNAME:-} && -n ${DEBEMAIL:-} ]]; then maintainer="$DEBFULLNAME <$DEBEMAIL>"; fi
    if [[ -z ${maintainer:-} && -t 0 && -t 2 ]]; then
        read -r -p "Who answers for this package? (NAME <ADDRESS>) " maintainer || true
    fi
    [[ -n ${maintainer:-} ]] || die "A package names who answers for it. Give --maintainer 'NAME <ADDRESS>', or set DEBFULLNAME and DEBEMAIL."
    [[ $maintainer =~ ^[^\<\>]*[^\<\>[:space:]]\ \<[^\<\>@[:space:]]+@[^\<\>@[:space:]]+\>$ && $maintainer != *$'\n'* ]] ||
        die "'$maintainer' is no maintainer. A name and an address are needed, as in 'Ann Example <ann@example.org>'."
}

# http_get PORT PATH: the answer of a server on loopback, with its head; needs no program besides bash.
http_get() {
    local connection
    { exec {connection}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&"$connection"
    timeout 5 cat <&"$connection" | tr -d '\0' || true
    exec {connection}>&-
}

# free_port: a port of loopback that nothing listens on now.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s\n' "$port"
}
