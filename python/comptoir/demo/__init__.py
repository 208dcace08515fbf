"""The main job on real input: a stock history is valued, summed up on the terminal and drawn in a report.

Started as ``python -m comptoir.demo [DATA]``; needs what ``pip install comptoir[demo]`` brings.
"""
