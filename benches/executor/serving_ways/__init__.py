"""Ways to serve the job of `serving.py`."""
