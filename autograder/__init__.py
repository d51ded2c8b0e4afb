"""Builds and checks the exercises, and grades what students hand in: *Mostly Harmless Convolutions*."""
