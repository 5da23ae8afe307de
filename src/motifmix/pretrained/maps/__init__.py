"""Key maps: the published names of a checkpoint's tensors to the names of our networks, one file a family of models."""
