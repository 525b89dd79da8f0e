"""Shell command ``neuroanp``."""
