"""What a finished run amounts to: tables, scores, bounds and optimal codes; `results/paper` sets it beside
the publication.
"""
