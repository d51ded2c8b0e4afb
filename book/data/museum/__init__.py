"""Tiny Museum: small pictures of ten kinds of objects, drawn by code from a seed.

shapes      where on the drawing a shape lies
artefacts   the ten kinds, upright and alone, no two objects alike
scenes      an object in the world: turned, lit, half hidden, in front of something, badly photographed
files       all pictures as Parquet in the layout of Hugging Face, with their datasheet
"""
