"""Blocks and seams: steps across the lines of a grid, larger than elsewhere, without a common sign."""
