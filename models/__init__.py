"""Model zoo: one model a file."""

import lazy_loader

# One class needs one file of them, and `neuroanp train` is quick.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
