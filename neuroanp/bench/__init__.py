"""What an update costs, beside what else could have been used, measured on this machine."""

from neuroanp.bench.run import measure as measure
from neuroanp.bench.table import Report as Report
from neuroanp.bench.table import Row as Row
