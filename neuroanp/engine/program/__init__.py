"""A network ready to run: compiled library, or Brian2's runtime."""
