"""Experiments of the paper with our engine, beside true backpropagation and our recipes: one HTML report."""

from neuroanp.reproduce.report import write_report
from neuroanp.reproduce.runs import Plan, run_all

__all__ = ["Plan", "run_all", "write_report"]
