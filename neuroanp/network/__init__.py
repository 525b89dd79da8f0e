"""A model, its noise and its plant as Brian2 objects: a `Trial` goes in, a `Record` comes out."""
