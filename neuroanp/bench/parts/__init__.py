"""Parts of the benchmark, one a file."""
