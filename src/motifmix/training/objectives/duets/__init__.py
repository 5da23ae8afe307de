"""The models of one person and of two that a laptop trains and runs, for ``mix/`` to mix: in2IN's pair, MDM with InterGen."""
