"""Training: recipes, the compiled loop over steps and members, heads on frozen codes, evaluation; arrays in,
arrays out, no files.
"""
