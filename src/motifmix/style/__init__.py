"""Part of motifmix."""
