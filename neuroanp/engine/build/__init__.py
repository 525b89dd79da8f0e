"""Compiler and build cache."""
