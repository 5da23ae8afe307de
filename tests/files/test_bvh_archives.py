"""The small archives, every clip or some, read without being told and written again; ``make check-data`` reads all."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


@pytest.mark.parametrize(("archive", "every"), [("misc-clips", 1), ("cmu-sample", 7), ("cmu-salsa-pairs", 11)])
def test_clips_come_in_upright_and_go_out_again(archive, every):
    if not (DATA / f"{archive}.tar.xz").is_file():
        pytest.skip("the archive is not at hand")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/check_bvh_data.py", DATA, "--only", archive, "--every", str(every)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failures" in done.stdout
