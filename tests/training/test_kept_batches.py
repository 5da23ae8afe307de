import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from motifmix.training.objectives.duets import kept_batches
from motifmix.training.objectives.duets.kept_batches import Fields, Items, KeptBatches

FIELDS = Fields(("motion",), ("valid", "number"), frames=6)
COUNT = 7


def batch(number: int) -> Items:
    valid = torch.ones(2, 4 + number % 2, dtype=torch.bool)
    motion = torch.full((2, 2, valid.shape[1], 3), float(number))
    return {"motion": motion, "valid": valid, "number": torch.tensor([2.0 * number, 2.0 * number + 1])}


def test_who_was_stopped_goes_on_where_he_was(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_batches, "SAVED_EVERY", 1)
    made: list[int] = []

    def stopped(number: int) -> Items:
        if number == 2:
            raise KeyboardInterrupt
        made.append(number)
        return batch(number)

    with pytest.raises(KeyboardInterrupt):
        KeptBatches.of(tmp_path / "kept", FIELDS, COUNT, stopped)
    assert made == [0, 1] and not (tmp_path / "kept.npz").exists()

    said: list[tuple[int, int]] = []
    kept = KeptBatches.of(
        tmp_path / "kept",
        FIELDS,
        COUNT,
        lambda number: made.append(number) or batch(number),
        lambda done, total: said.append((done, total)),
    )
    assert made == [0, 1, 2, 3] and said == [(6, COUNT), (COUNT, COUNT)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".kept.lock", "kept.npy", "kept.npz"]
    drawn = kept.draw(np.random.default_rng(0), COUNT)
    assert drawn["number"].tolist() == list(range(COUNT)) and drawn["valid"].shape == (COUNT, 5)
    assert drawn["motion"][:, 0, 0, 0].tolist() == [0, 0, 1, 1, 2, 2, 3]
    whole = KeptBatches.of(tmp_path / "whole", FIELDS, COUNT, batch).draw(np.random.default_rng(0), COUNT)
    assert all(torch.equal(value, drawn[name]) for name, value in whole.items())


def test_who_was_killed_between_the_two_names_makes_nothing_again(tmp_path):
    KeptBatches.of(tmp_path / "kept", FIELDS, COUNT, batch)
    (tmp_path / "kept.npz").rename(tmp_path / ".kept.part.npz")
    kept = KeptBatches.of(tmp_path / "kept", FIELDS, COUNT, lambda number: pytest.fail("made again"))
    assert kept.draw(np.random.default_rng(0), COUNT)["number"].tolist() == list(range(COUNT))


def test_two_who_need_the_same_make_it_once(tmp_path):
    made: list[int] = []

    def slowly(number: int) -> Items:
        made.append(number)
        time.sleep(0.02)
        return batch(number)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(KeptBatches.of, tmp_path / "kept", FIELDS, COUNT, slowly) for _ in range(2)]
    for one in both:
        assert one.result().draw(np.random.default_rng(0), COUNT)["number"].tolist() == list(range(COUNT))
    assert made == [0, 1, 2, 3]


def test_what_is_there_is_read_and_not_made(tmp_path):
    KeptBatches.of(tmp_path / "kept", FIELDS, COUNT, batch)
    KeptBatches.of(tmp_path / "kept", FIELDS, COUNT, lambda number: pytest.fail("made again"))
