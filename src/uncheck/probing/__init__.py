"""The network as a black box: signals in, lattice out, and who is to blame."""
