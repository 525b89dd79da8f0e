"""Declaration of the parts of an experiment: options, checks, units, names, and ``config.json``."""
