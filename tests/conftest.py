"""What holds for every test: hypothesis keeps no folder of its own, and a slow machine is no failure."""

from hypothesis import settings

settings.register_profile("house", database=None, deadline=None)
settings.load_profile("house")
