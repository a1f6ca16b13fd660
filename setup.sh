#!/bin/sh
# Prepares this machine: the system's packages that are missing, .venv, and the Python packages of
# requirements.txt in it. Does nothing when .venv was made from the present requirements.txt.
#   ./setup.sh            what simulating needs
#   ./setup.sh --all      looks again, and brings GTKWave as well
set -eu
cd "$(dirname "$0")"
stamp=.venv/requirements.txt
if [ $# -eq 0 ] && [ -x .venv/bin/python ] && cmp -s requirements.txt $stamp; then exit 0; fi

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
header() { echo "#include <$1>" | g++ -E - >/dev/null 2>&1; }

# install PACKAGE...: true if they were installed; a sentence on why not otherwise
install() {
    if ! has apt-get; then
        say "please install what your system calls: $*"; return 1
    elif [ "$(id -u)" = 0 ]; then
        apt=apt-get
    elif has sudo; then
        apt="sudo apt-get"
    else
        say "please ask an administrator for: apt-get install $*"; return 1
    fi
    say "installing $*"
    $apt update -q >/dev/null && DEBIAN_FRONTEND=noninteractive $apt install -qq -y --no-install-recommends "$@" >/dev/null ||
        { say "could not install: $*"; return 1; }
}

# The Python
usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
for python in "${PYTHON:-python3}" python3.11 python3.12 python3.13; do usable "$python" && break; done
usable "$python" || fail "Python 3.11 or later is needed: name one by PYTHON=/path/to/python3"

# The system's packages: `need` stops the set-up, `want` does not
need= want=
"$python" -c 'import ensurepip, venv' 2>/dev/null || need="$need python3-venv"
"$python" - 2>/dev/null <<'PY' || need="$need libpython3-dev"
import ctypes, sysconfig
ctypes.CDLL(sysconfig.get_config_var("LIBDIR") + "/" + sysconfig.get_config_var("INSTSONAME"))
PY
has g++ || need="$need g++"
has make || need="$need make"
perl -MPod::Usage -e 1 2>/dev/null || need="$need perl"
has iverilog || need="$need iverilog"
has ccache || want="$want ccache"
header lz4.h || want="$want liblz4-dev"
header zlib.h || want="$want zlib1g-dev"
[ $# -eq 0 ] || has gtkwave || want="$want gtkwave"
# shellcheck disable=SC2086  # lists of words
if [ -n "$need" ]; then install $need $want || fail "cannot go on without:$need"
elif [ -n "$want" ]; then install $want || say "going on without:$want"
fi

# .venv
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then "$python" -m venv --clear .venv; fi
say "installing the Python packages of requirements.txt into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
cp requirements.txt $stamp
