"""Find, measure, remove and prevent checkerboard artifacts in neural networks."""
