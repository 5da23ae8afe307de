"""Pairs of people: those that were recorded together (`recorded.py`), and pairs choreographed out of real single clips.

`parts.py` finds the pieces of clips that a part can be played with, `staging.py` puts two people into one world,
`interactions.py` is the table of what they do, `choreography.py` draws pairs and checks them, `words.py` says what they
do, `preparing.py` writes all of it in InterHuman's published layout.
"""
