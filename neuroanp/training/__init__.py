"""Task, recipe, training loop and the run that they give."""
