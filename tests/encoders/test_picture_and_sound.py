import struct
import warnings
import wave
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from tests.joint_files import write_sound

from motifmix.encoders import image, sound, video
from motifmix.encoders.clip_times import clip_times
from motifmix.errors import FileError, RequestError

RANDOM = np.random.default_rng(0)


def test_clips_spread_from_the_beginning_to_the_end():
    assert clip_times(4.0, 3, 2) == [(0, 2), (1, 3), (2, 4)]
    assert clip_times(1.0, 2, 2) == [(0, 2), (0, 2)]
    assert clip_times(3.0, 4, 2)[1] == (Fraction(1, 3), Fraction(7, 3))


def test_a_picture_becomes_the_square_in_its_middle(tmp_path):
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[:, 30:70] = 255
    Image.fromarray(picture).save(tmp_path / "p.png")
    square = image.prepared_image(image.read_image(tmp_path / "p.png"), 40)
    white = (1 - torch.tensor(image.PIXEL_MEAN)) / torch.tensor(image.PIXEL_STD)
    torch.testing.assert_close(square, white[:, None, None].expand(3, 40, 40))
    assert image.prepared_image(picture.transpose(1, 0, 2), 16).shape == (3, 16, 16)


def test_a_picture_stands_as_its_camera_noted(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(np.zeros((10, 20, 3), np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    assert image.read_image(tmp_path / "turned.jpg").shape == (20, 10, 3)


def write_film(path, frames: int = 60) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(frames):
            picture = np.full((48, 64, 3), 4 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def test_a_film_file_gives_its_clips(tmp_path):
    write_film(tmp_path / "film.mp4")
    frames, total, fps = video.read_video(tmp_path / "film.mp4")
    assert (total, fps) == (60, 20.0)
    numbers = video.frame_numbers(total, fps)
    assert numbers == [[0, 39], [5, 44], [10, 49], [15, 54], [20, 59]]
    assert set(frames) == {i for clip in numbers for i in clip}
    assert abs(int(frames[44].mean()) - 4 * 44) < 6
    clips = video.prepared_video(frames, total, fps, size=32)
    assert clips.shape == (15, 3, 2, 32, 32)
    middle = video.prepared_video(frames, total, fps, size=32, crops=1)
    assert torch.equal(middle, clips[1::3])
    with pytest.raises(ValueError, match="2 crops"):
        video.prepared_video(frames, total, fps, crops=2)


def test_a_film_of_one_frame_is_enough():
    assert video.frame_numbers(1, 25.0) == [[0, 0]] * 5


def test_a_sound_file_keeps_its_samples(tmp_path):
    tone = np.sin(2 * np.pi * 440 * np.arange(32000) / 16000).astype(np.float32)
    with av.open(str(tmp_path / "tone.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray((tone * 32000).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    waveform, rate = sound.read_sound(tmp_path / "tone.wav")
    assert (rate, waveform.shape) == (16000, (1, 32000))
    np.testing.assert_allclose(waveform[0], tone * 32000 / 32768, atol=1e-4)
    clips = sound.prepared_sound(waveform, rate)
    assert clips.shape == (3, 1, 128, 204)
    # 440 Hz is 549.6 mel: between 31.7 and 2840 mel, cut into 129 steps, the filter around number 23.
    assert abs(int(clips[0, 0, :, :198].mean(-1).argmax()) - 23) <= 1


def test_resampling_keeps_a_tone_and_its_length():
    wave = np.sin(2 * np.pi * 200 * np.arange(44100) / 44100)[None]
    made = sound.resampled(wave, 44100, 16000)
    expected = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)[None]
    assert made.shape == (1, 16000)
    np.testing.assert_allclose(made[:, 100:-100], expected[:, 100:-100], atol=3e-3)
    assert sound.resampled(wave, 16000, 16000) is wave


def test_only_the_published_way_lets_clip_means_add_up():
    waveform = RANDOM.normal(0.3, 0.2, (1, 40000))
    before = waveform.copy()
    right = sound.clip_energies(waveform, 16000)
    published = sound.clip_energies(waveform, 16000, quirks=[sound.CLIP_MEANS_ADD_UP])
    assert np.array_equal(waveform, before)
    assert np.array_equal(right[0], published[0])
    assert not np.array_equal(right[1], published[1])


def test_a_sound_shorter_than_a_window_is_refused():
    with pytest.raises(RequestError, match="shorter than one window"):
        sound.clip_energies(np.zeros((1, 300)), 16000)


def test_silence_lies_at_the_floor_and_padding_at_zero():
    energies = sound.clip_energies(np.zeros((1, 32000)), 16000)
    np.testing.assert_allclose(energies[..., :198], np.log(np.finfo(np.float32).eps))
    assert not energies[..., 198:].any()


def test_files_that_cannot_be_read_are_named(tmp_path):
    wrong = tmp_path / "wrong.bin"
    wrong.write_bytes(b"neither picture nor sound")
    for read in (image.read_image, video.read_video, sound.read_sound):
        with pytest.raises(FileError, match=r"wrong\.bin"):
            read(wrong)
        with pytest.raises(FileError, match="absent"):
            read(tmp_path / "absent")
    write_film(tmp_path / "silent.mp4", 3)
    with pytest.raises(FileError, match="no sound"):
        sound.read_sound(tmp_path / "silent.mp4")


def test_clips_of_a_video_begin_at_exact_times():
    # 2.2 s at 10 frames a second: the middle of three clips ends at frame 21 and a trace, so frame 21 is in it.
    assert video.frame_numbers(22, 10, clips=3) == [[0, 19], [2, 21], [3, 21]]


def test_a_decompression_bomb_and_a_thread_are_refused_before_they_are_unpacked(tmp_path):
    def png(name: str, width: int, height: int) -> Path:
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
        data = b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + data)
        return tmp_path / name

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for side in (9_000, 12_000, 200_000):  # below and above Pillow's own bounds
            with pytest.raises(FileError, match=r"bomb\.png.*too large"):
                image.read_image(png("bomb.png", side, side))
    with pytest.raises(FileError, match=r"1 x 60000 points is a thread"):
        image.read_image(png("thread.png", 1, 60_000))
    with pytest.raises(FileError, match=r"cut\.png: this picture cannot be read"):
        image.read_image(png("cut.png", 500, 500))


def test_only_common_pictures_are_opened(tmp_path):
    noise = Image.fromarray(RANDOM.integers(0, 256, (40, 30, 3), dtype=np.uint8))
    noise.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[noise])  # two in one, as phones write
    noise.save(tmp_path / "web.webp")
    for name in ("phone.jpg", "web.webp"):
        assert image.read_image(tmp_path / name).shape == (40, 30, 3)
    (tmp_path / "program.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(FileError, match="cannot be read"):
        image.read_image(tmp_path / "program.png")


def test_silence_one_sample_and_endless_sounds_are_refused(tmp_path, monkeypatch):
    offset = 0.5 * np.ones(16000)
    for samples, words in (
        (np.zeros(16000), "is silent"),
        (offset, "is silent"),
        (offset[:1], r"1 sample \(0\.0001 s\)"),
    ):
        waveform, rate = sound.read_sound(write_sound(tmp_path / "s.wav", samples))
        with pytest.raises(RequestError, match=rf"s\.wav.*{words}"):
            sound.check_heard(tmp_path / "s.wav", waveform, rate)
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
    with pytest.raises(FileError, match=r"empty\.wav"):
        sound.read_sound(tmp_path / "empty.wav")
    monkeypatch.setattr(sound, "MOST_NUMBERS", 20_000)
    with pytest.raises(FileError, match="longer than"):
        sound.read_sound(write_sound(tmp_path / "long.wav"))


def test_a_rate_that_shares_nothing_with_ours_needs_no_endless_filter(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_101) / 44_101)
    waveform, rate = sound.read_sound(write_sound(tmp_path / "odd.wav", tone, 44_101))
    assert rate == 16000 and abs(waveform.shape[1] - 16000) < 20
    spectrum = np.abs(np.fft.rfft(waveform[0]))
    assert abs(int(spectrum.argmax()) - 440) <= 2
    assert sound.read_sound(write_sound(tmp_path / "usual.wav", tone, 44_100))[1] == 44_100


def test_long_sounds_are_resampled_piece_by_piece(monkeypatch):
    noise = RANDOM.normal(size=(2, 30_000))
    whole = sound.resampled(noise, 48_000, 16_000)
    monkeypatch.setattr(sound, "ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(sound.resampled(noise, 48_000, 16_000), whole, atol=1e-12)


def test_a_film_without_a_frame_and_a_giant_one_are_refused(tmp_path, monkeypatch):
    write_film(tmp_path / "none.mp4", 0)
    with pytest.raises(FileError, match=r"none\.mp4"):
        video.read_video(tmp_path / "none.mp4")
    monkeypatch.setattr(video, "MOST_POINTS", 1000)
    write_film(tmp_path / "giant.mp4", 3)
    with pytest.raises(FileError, match=r"64 x 48 points is too large"):
        video.read_video(tmp_path / "giant.mp4")


@pytest.mark.parametrize(
    ("place", "number", "words"),
    [(24, 1_912_618_624, "1,912,618,624 Hz"), (24, 3, "3 Hz"), (20, 0x0001_EEEE, "cannot be read")],
    ids=["a rate of gigahertz", "a rate of nothing", "an unknown code"],
)
def test_a_sound_whose_header_was_changed_is_refused_at_once(tmp_path, place, number, words):
    data = bytearray(write_sound(tmp_path / "s.wav").read_bytes())
    data[place : place + 4] = struct.pack("<I", number)
    (tmp_path / "s.wav").write_bytes(data)
    with pytest.raises(FileError, match=rf"s\.wav.*{words}"):
        sound.read_sound(tmp_path / "s.wav")
