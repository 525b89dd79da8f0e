"""C++ source of a network, from Brian2's standalone generator to one translation unit."""
