#!/usr/bin/env bash
# h5netcdf: installed by its name alone it can write no file.
#
# Versions   h5netcdf 1.8.2, xarray 2026.9.0 (NumPy 2.3.5, Python 3.11).
# Behaviour  h5py has become one of three optional backends. `to_netcdf(engine="h5netcdf")` after
#            `pip install xarray h5netcdf`.
# Seen       ImportError, which names h5py: True
# A guess    would have been a file: the package is a wrapper of h5py by its own description, and xarray lists
#            its engine as available.
# Matters    because `h5netcdf` in a list of requirements was enough before. Require h5py beside it.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'h5netcdf==1.8.2' 'xarray==2026.9.0' 'numpy==2.3.5'

cat >"$dir/trial.py" <<'PYTHON'
import xarray

table = xarray.Dataset({"loss": ("seed", [0.1, 0.2])})
print("listed:", "h5netcdf" in xarray.backends.list_engines())
try:
    table.to_netcdf("table.nc", engine="h5netcdf")
    print("written")
except ImportError as error:
    print("ImportError, which names h5py:", "h5py" in str(error))
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" trial.py)
echo "$seen"
expected="listed: True
ImportError, which names h5py: True"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
