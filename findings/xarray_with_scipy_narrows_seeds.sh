#!/usr/bin/env bash
# xarray with SciPy alone: integers come back narrower, and a large seed is an error about dates.
#
# Versions   xarray 2026.9.0, SciPy 1.17.1 (NumPy 2.3.5, Python 3.11).
# Behaviour  A coordinate of seeds, int64, through `to_netcdf` and `open_dataset`. Without another backend the file is
#            NetCDF-3, which has no 64-bit integers.
# Seen       1, 2: int64 comes back as int32
#            1, 2147483653: ValueError, whose text is about nanoseconds of dates
# A guess    would have been the same type again, or a word on which variable doesn't fit and which backend has room.
# Matters    because seeds are often drawn from 32 or 64 bits: a table of runs is written or not by chance, and the
#            message points at dates that nobody has. Use h5netcdf or zarr.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'xarray==2026.9.0' 'scipy==1.17.1' 'numpy==2.3.5'

cat >"$dir/trial.py" <<'PYTHON'
import numpy as np
import xarray

for seeds in ([1, 2], [1, 2**31 + 5]):
    table = xarray.Dataset({"loss": ("seed", [0.1, 0.2])}, coords={"seed": np.array(seeds)})
    shown = ", ".join(map(str, seeds))
    try:
        table.to_netcdf("table.nc")
        with xarray.open_dataset("table.nc") as again:
            print(f"{shown}: {table.seed.dtype} comes back as {again.seed.dtype}")
    except ValueError as error:
        print(f"{shown}: ValueError, about nanoseconds: {'nanoseconds' in str(error)}")
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" trial.py)
echo "$seen"
expected="1, 2: int64 comes back as int32
1, 2147483653: ValueError, about nanoseconds: True"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
