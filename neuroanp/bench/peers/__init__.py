"""Other libraries' ways to the same result, timed beside ours."""
