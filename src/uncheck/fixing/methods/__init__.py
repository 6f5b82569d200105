"""The ways to repair a network, one file each: what it tries on a case, as candidates not yet judged."""
