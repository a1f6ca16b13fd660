#!/bin/bash
# Prepares this machine: the system's packages that are missing, .venv, and in it the Python packages
# of requirements.txt. Does nothing when .venv was made from the present requirements.txt.
#   ./setup.sh          what simulating needs
#   ./setup.sh --all    looks at everything again, and brings GTKWave and Chromium as well
set -euo pipefail
cd "$(dirname "$0")"
stamp=.venv/requirements.txt log=build/setup.log
if [ $# = 0 ] && [ -x .venv/bin/python ] && cmp -s requirements.txt $stamp; then exit 0; fi
mkdir -p build && : >$log

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null; }
header() { echo "#include <$1>" | g++ -E - >/dev/null 2>&1; }

# progress LABEL PATTERN TOTAL: logs its input, and draws how many of its lines match
progress() {
    local line n=0 total=$3 bar='####################'
    while IFS= read -r line; do
        echo "$line" >>$log
        if [[ $line =~ ([0-9]+)' newly installed' ]]; then total=$((2 * BASH_REMATCH[1])); fi
        if [[ -t 2 && $line =~ $2 ]]; then
            n=$((n < total ? n + 1 : n))
            printf '\rsetup: %s [%-20s] %d/%d ' "$1" "${bar::20*n/total}" $n $total >&2
        fi
    done
    if [ $n != 0 ]; then echo >&2; fi
}

# install PACKAGE...: by the system; if that can't be, one sentence and false
apt=(env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get)
install() {
    if ! has apt-get; then
        say "please install what your system calls $*"; return 1
    elif [ "$(id -u)" != 0 ]; then
        has sudo || { say "please have an administrator run: apt-get install $*"; return 1; }
        [ "${apt[0]}" = sudo ] || apt=(sudo "${apt[@]}")
    fi
    say "installing $*"
    { [ -n "${updated:-}" ] || "${apt[@]}" update >>$log 2>&1; } && updated=1 &&
        "${apt[@]}" install -y --no-install-recommends "$@" 2>&1 |
        progress "system packages" '^(Unpacking|Setting up)' 1 ||
        { tail -n 3 $log >&2; say "could not install $* (see $log)"; return 1; }
}

# The Python
recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
for python in "${PYTHON:-python3}" python3.11 python3.12 python3.13; do if recent "$python"; then break; fi; done
recent "$python" || fail "Python 3.11 or later is needed; PYTHON=/path/to/python3 names one"

# The system's packages: without those of `need` nothing works
need=() want=()
"$python" -c 'import ensurepip, venv' 2>/dev/null || need+=(python3-venv)
"$python" -c 'import ctypes, sysconfig
ctypes.CDLL(sysconfig.get_config_var("LIBDIR") + "/" + sysconfig.get_config_var("INSTSONAME"))' 2>/dev/null ||
    need+=(libpython3-dev)
has g++ || need+=(g++)
has make || need+=(make)
perl -MPod::Usage -e 1 2>/dev/null || need+=(perl)
has iverilog || need+=(iverilog)
has ccache || want+=(ccache)
header lz4.h || want+=(liblz4-dev)
header zlib.h || want+=(zlib1g-dev)
if [ $# != 0 ] && ! has gtkwave; then want+=(gtkwave); fi
if [ $# != 0 ] && ! has chromium && ! has chromium-browser && ! has google-chrome; then want+=(chromium); fi
if [ ${#need[@]} != 0 ]; then install "${need[@]}" || exit 1; fi
for package in "${want[@]}"; do install "$package" || say "going on without $package"; done

# .venv
.venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear .venv
say "installing the Python packages of requirements.txt into .venv"
.venv/bin/python -m pip install -r requirements.txt 2>&1 |
    progress "Python packages" '^(Collecting|Requirement already)' "$(grep -c == requirements.txt)" ||
    { tail -n 3 $log >&2; fail "pip could not install them (see $log)"; }
.venv/bin/python -m pip install --no-deps --no-build-isolation --no-index -e . >>$log 2>&1 ||
    { tail -n 3 $log >&2; fail "pip could not install conv-core into .venv (see $log)"; }
cp requirements.txt $stamp
