"""The shell command ``neuroanp``."""
