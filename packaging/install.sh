#!/bin/sh
# Installs Rangefinder from this directory, or a newer one over it: ./install.sh [--prefix DIR]
# Takes it away again: ./install.sh --uninstall [--prefix DIR] [--purge]
#   --prefix DIR  where its files go (/usr/local); the configuration is always in /etc/rangefinder, the history in /var/lib/rangefinder
#   --purge       delete the configuration, the tokens and the history, too
set -eu

say() { printf '%s\n' "$*"; }
die() {
    say "install.sh: $*" >&2
    exit 1
}

prefix=/usr/local
uninstall=false
purge=false
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -ge 2 ] || die "--prefix wants a directory"
        prefix=${2%/}
        shift
        ;;
    --uninstall) uninstall=true ;;
    --purge) purge=true ;;
    -h | --help)
        sed -n '2,5s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *) die "there is no option $1; --help lists them" ;;
    esac
    shift
done
# The path is written into the unit, where other signs would need quotes.
case $prefix in
*[!A-Za-z0-9/._-]* | *..*) die "a prefix of letters, digits and / . _ - is needed" ;;
/home/* | /root* | /tmp/* | /var/tmp/* | /run/user/*)
    die "the service can't see $prefix: its unit hides homes and temporary directories"
    ;;
/?*) ;;
*) die "a prefix begins with / and is longer" ;;
esac
$uninstall || ! $purge || die "--purge goes with --uninstall"
[ "$(id -u)" = 0 ] || die "run this as root"
[ ! -e /usr/lib/systemd/system/rangefinder.service ] || die "remove the Debian package first: apt-get remove rangefinder"

cd "$(dirname "$0")"
units=/etc/systemd/system
manifest=$prefix/share/rangefinder/installed
is_running() { [ -d /run/systemd/system ]; }

if $uninstall; then
    [ -e "$manifest" ] || die "nothing is installed in $prefix: there is no $manifest"
    # The socket goes first, or it would start the daemon again.
    for unit in rangefinder.socket rangefinder.service; do
        if [ ! -e "$units/$unit" ] || ! command -v systemctl >/dev/null; then continue; fi
        if is_running; then systemctl stop "$unit"; fi
        systemctl --quiet disable "$unit" || true
    done
    while IFS= read -r file; do rm -f "$file"; done <"$manifest"
    rm -f "$manifest"
    # Empty directories of our own; others' are theirs, as /usr/local/bin is.
    case ${prefix##*/} in
    *rangefinder*) ours=$prefix ;;
    *) ours=$prefix/share/rangefinder ;;
    esac
    for directory in "$ours" "$prefix/share/doc/rangefinder"; do
        [ ! -d "$directory" ] || find "$directory" -depth -type d -empty -delete
    done
    if is_running; then systemctl daemon-reload; fi
    if $purge; then
        rm -rf /etc/rangefinder /var/lib/rangefinder /etc/credstore/rangefinder.* /etc/credstore.encrypted/rangefinder.* "$units/rangefinder.service.d" "$units/rangefinder.socket.d"
        say "Rangefinder is gone, with its configuration and history. The user rangefinder is left, for files of its own elsewhere."
    else
        say "Rangefinder is gone. /etc/rangefinder, /var/lib/rangefinder and the user rangefinder are left; --purge deletes the first two."
    fi
    exit 0
fi

# --- Installing -------------------------------------------------------------------------------------------------------------

bin/rangefinder --version >/dev/null 2>&1 || {
    ldd bin/rangefinder 2>&1 | grep -E 'not found|not a dynamic' >&2 || bin/rangefinder --version >&2 || true
    die "the program doesn't run here. On Debian 12 it needs: libcurl4 libssl3 libsqlite3-0 libpcre2-8-0 libc-ares2 zlib1g libstdc++6 ca-certificates"
}

umask 022
mkdir -p "$prefix/share/rangefinder"
: >"$manifest.new"
# put MODE FILE PLACE: by a name of its own first, so that a program that runs is replaced and not written into.
put() {
    mkdir -p "$(dirname "$3")"
    cp "$2" "$3.new"
    chmod "$1" "$3.new"
    mv -f "$3.new" "$3"
    say "$3" >>"$manifest.new"
}

put 755 bin/rangefinder "$prefix/bin/rangefinder"
for page in man/*; do put 644 "$page" "$prefix/share/man/man1/${page##*/}"; done
put 644 completions/rangefinder.bash "$prefix/share/bash-completion/completions/rangefinder"
put 644 completions/_rangefinder "$prefix/share/zsh/site-functions/_rangefinder"
put 644 completions/rangefinder.fish "$prefix/share/fish/vendor_completions.d/rangefinder.fish"
for file in *.md LICENSE copyright $(find docs config -type f); do put 644 "$file" "$prefix/share/doc/rangefinder/$file"; done

has_systemd=false
if command -v systemctl >/dev/null; then
    has_systemd=true
    for unit in systemd/rangefinder.service systemd/rangefinder.socket; do
        [ -e "$unit" ] || continue
        sed "s|/usr/bin/rangefinder|$prefix/bin/rangefinder|g" "$unit" >"$manifest.unit"
        put 644 "$manifest.unit" "$units/${unit##*/}"
        rm -f "$manifest.unit"
    done
    if ! getent passwd rangefinder >/dev/null; then
        if command -v systemd-sysusers >/dev/null; then
            systemd-sysusers "$PWD/systemd/rangefinder.sysusers"
        else
            useradd --system --user-group --home-dir /var/lib/rangefinder --no-create-home --shell /usr/sbin/nologin rangefinder
        fi
    fi
fi

# Not in the list of what is installed: the configuration outlives the program.
mkdir -p /etc/rangefinder /etc/credstore
chmod 700 /etc/credstore
is_new=false
if [ ! -e /etc/rangefinder/rangefinder.yaml ]; then
    is_new=true
    cp config/rangefinder.yaml /etc/rangefinder/rangefinder.yaml
fi

# What the version before had and this one has no more.
if [ -e "$manifest" ]; then
    grep -Fxv -f "$manifest.new" "$manifest" | while IFS= read -r file; do rm -f "$file"; done
fi
mv -f "$manifest.new" "$manifest"

if is_running; then
    systemctl daemon-reload
    systemctl try-restart rangefinder.service || say "The service didn't start again; see: systemctl status rangefinder"
fi

say "$("$prefix/bin/rangefinder" --version) is installed in $prefix."
if $is_new; then
    say "Next: set the client and its token in /etc/rangefinder/rangefinder.yaml; the token belongs in /etc/credstore/rangefinder.user-token."
else
    say "/etc/rangefinder/rangefinder.yaml is as it was. Every key of this version is explained in"
    say "$prefix/share/doc/rangefinder/config/rangefinder.yaml."
fi
say "Check it:   $prefix/bin/rangefinder doctor --config /etc/rangefinder/rangefinder.yaml"
if $has_systemd; then
    say "Start it:   systemctl enable --now rangefinder"
else
    say "Start it:   $prefix/bin/rangefinder run --config /etc/rangefinder/rangefinder.yaml   (there is no systemd here, so no service)"
fi
