"""Builds, checks and (later) grades the exercises of the course *Mostly Harmless Convolutions*."""
