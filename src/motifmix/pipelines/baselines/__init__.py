"""What StyleMotif is compared with, trained on the same data: one file a method, all with the signature of ``generate``."""
