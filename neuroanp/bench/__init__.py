"""What an update costs, beside what else could have been used, measured on this machine."""

from neuroanp.bench.report import Report as Report
from neuroanp.bench.rows import Row as Row
from neuroanp.bench.run import measure as measure
