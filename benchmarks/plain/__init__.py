"""Plain readings of the published structures: what a reader of the papers would write, with PyTorch's own layers.

They are what our models are timed against (``published_models.py``): branches of guidance one after the other, people
one after the other, nothing kept from step to step. Parameters have the published names, so that our models load a
plain reading's weights through the same key maps as published files. For inference only.
"""
