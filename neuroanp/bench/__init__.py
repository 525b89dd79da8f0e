"""Speed and memory on this machine, beside what else could have been used."""

from neuroanp.bench.run import measure as measure
from neuroanp.bench.table import Report as Report
from neuroanp.bench.table import Row as Row
