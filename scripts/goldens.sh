#!/usr/bin/env bash
# Makes all golden numbers of the tests anew: bash scripts/goldens.sh
#
# Needs, in a virtual environment:
#   pip install keras mpmath msgpack numpy scikit-learn scipy torch
set -euo pipefail
cd "$(dirname "$0")/.."
for script in crates/*/tests/goldens/*.py; do
    # The others are parts of these.
    if grep -q '__main__' "$script"; then
        echo "$script"
        python3 "$script"
    fi
done
