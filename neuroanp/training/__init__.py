"""Task, recipe and training loop, and what a run leaves behind."""
