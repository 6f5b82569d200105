"""Shared by the experiments of the claims: runs with seeds and resume, data, layers, measure, figures."""
