"""The main jobs as objects, put together from parts."""
