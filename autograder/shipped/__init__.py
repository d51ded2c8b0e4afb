"""What travels in notebooks and check files as text: NumPy and the standard library only, nothing of ours."""
