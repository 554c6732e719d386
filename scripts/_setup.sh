# shellcheck shell=bash
# Sourced by the other scripts: makes .venv hold what the lock files name.
#
#   set_up        what isostack needs, requirements.txt
#   set_up_dev    and the tools of those who work on it, requirements-dev.txt
#
# Afterwards "$python" runs with this checkout's packages. When nothing is to be done it takes a few milliseconds.
# Bash 3.2 is enough: macOS has no newer one.
set -euo pipefail

root=${BASH_SOURCE[0]%/scripts/_setup.sh}
venv=$root/.venv
python=$venv/bin/python

set_up() {
    provide requirements.txt
}

set_up_dev() {
    provide requirements.txt requirements-dev.txt
}

provide() { # LOCK_FILE...
    installed "$@" || install_once "$@"
    export PYTHONPATH=$root
    # Bytecode goes into .venv and leaves the checkout clean, so PYTHONDONTWRITEBYTECODE, with which each start would
    # compile everything again, has nothing to protect.
    export PYTHONPYCACHEPREFIX=$venv/bytecode
    unset PYTHONDONTWRITEBYTECODE PYTHONHOME
}

# Whether .venv holds these locks. The copy of a lock in .venv is its stamp: removed first, written last.
installed() { # LOCK_FILE...
    local lock
    [[ -x $python ]] || return 1
    for lock; do
        [[ -f $venv/$lock && $(<"$venv/$lock") == "$(<"$root/$lock")" ]] || return 1
    done
}

install_once() { # LOCK_FILE...
    local host
    host=$(host_python)
    unset PYTHONHOME PYTHONPATH
    (
        trap 'exit 130' INT # pip makes a mere failure of it
        exec 9>>"$root/.venv.lock"
        wait_for_others "$host"
        installed "$@" || install "$host" "$@"
    )
}

install() { # PYTHON LOCK_FILE...
    local host=$1 lock
    shift
    say "setting up .venv (once, about a minute) ..."
    # The tools can be added to what is there. All else, such as an interrupted set-up or a new lock, starts from nothing.
    if ! installed requirements.txt || [[ -e $venv/requirements-dev.txt ]]; then
        rm -rf "$venv"
        "$host" -m venv "$venv" >&2
        # pulumi-equinix-metal comes as source alone. Left to itself, pip fetches the newest setuptools, unhashed, to build
        # it. So the locked one comes first, and builds it.
        pip_install -r <(sed -n '/^setuptools==/,/[^\\]$/p' "$root/requirements.txt")
    fi
    rm -f "$venv"/requirements*.txt
    for lock; do
        pip_install --no-build-isolation --use-pep517 -r "$root/$lock"
    done
    for lock; do
        cp "$root/$lock" "$venv/$lock"
    done
    say "done in $SECONDS s"
}

pip_install() { # ARGUMENT...
    # The setup.py of pulumi-equinix-metal runs `pulumi plugin install`, and fails where that finds no network. Pulumi
    # fetches plugins when it needs them, so while pip runs `pulumi` is a command that does nothing.
    local empty=$venv/empty
    mkdir -p "$empty"
    printf '#!/bin/sh\n' >"$empty/pulumi"
    chmod +x "$empty/pulumi"
    # A lock is complete (--no-deps), and most of its modules are never imported (--no-compile). Index, proxy and
    # certificates are those of the user's pip; only `user = true` makes no sense in a venv.
    PATH=$empty:$PATH "$python" -m pip install --quiet --disable-pip-version-check --no-input --no-user \
        --require-hashes --no-deps --no-compile "$@" >&2 ||
        fail "pip failed, see above. Its index, proxy and certificates: python3 -m pip config list" \
            "The next run starts the set-up anew."
}

host_python() {
    local candidate
    for candidate in python3 python3.11 python3.12 python3.13; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        "$candidate" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "$("$candidate" -c 'import sys; print(sys.executable)') has no venv module." \
                "Debian, Ubuntu: apt install $("$candidate" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        echo "$candidate"
        return
    done
    fail "needs Python 3.11 or newer, and python3 is $(python3 -V 2>/dev/null || echo missing)." \
        "Debian 12, Ubuntu 24.04 and newer: apt install python3 python3-venv" \
        "Fedora, RHEL: dnf install python3.11" \
        "macOS: brew install python@3.11"
}

# Locks file descriptor 9 by way of Python, since macOS has no flock command. The system frees it however we end.
wait_for_others() { # PYTHON
    "$1" - <<'EOF' || fail "another set-up of this checkout does not end; what hangs has $root/.venv.lock open"
import fcntl, sys, time

for second in range(600):
    try:
        fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sys.exit()
    except BlockingIOError:
        if second == 1:
            print("isostack: waiting for another set-up of this checkout ...", file=sys.stderr)
        time.sleep(1)
sys.exit(1)
EOF
}

say() { # TEXT
    printf 'isostack: %s\n' "$1" >&2
}

fail() { # LINE...
    say "$1"
    shift
    printf '  %s\n' "$@" >&2
    exit 1
}
