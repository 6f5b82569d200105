"""Periodic tones in sound."""
