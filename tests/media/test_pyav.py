"""What upvs relies on in PyAV (av), one test each: it shows which part an upgrade has changed."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.bitstream import BitStreamFilterContext
from av.codec import Codec, CodecContext
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from samples.clips import Recipe, frame_number, make_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two groups of ten frames, with B frames."""
    return make_clip(tmp_path / "clip.mp4", Recipe(b_frames=2, gop=10))


@pytest.fixture
def plain_clip(tmp_path: Path) -> Path:
    """Two groups of ten frames, stored in the order in which they are shown."""
    return make_clip(tmp_path / "plain.mp4", Recipe(gop=10))


def test_open_takes_metadata_that_is_no_text(plain_clip: Path) -> None:
    """By ``metadata_errors``, a parameter that PyAV 19 has not."""
    content = plain_clip.read_bytes()
    name = b"VideoHandler"
    assert name in content
    plain_clip.write_bytes(content.replace(name, b"\xff\xfe" + name[2:]))
    with av.open(str(plain_clip), metadata_errors="replace") as container:
        assert container.streams.video[0].frames == 20


def test_index_entries_name_every_frame_without_reading_one(plain_clip: Path) -> None:
    """They are gone with the container."""
    with av.open(str(plain_clip)) as container:
        entries = list(container.streams.video[0].index_entries)
        times = [entry.timestamp for entry in entries]
        keyframes = [place for place, entry in enumerate(entries) if entry.is_keyframe]
        assert all(entry.pos > 0 and entry.size > 0 and not entry.is_discard for entry in entries)
    assert len(set(times)) == 20
    assert times == sorted(times)
    assert keyframes == [0, 10]


def test_container_size_is_that_of_the_file(plain_clip: Path) -> None:
    with av.open(str(plain_clip)) as container:
        assert container.size == plain_clip.stat().st_size


def test_packets_say_where_they_lie_and_whether_they_count(clip: Path) -> None:
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert len(packets) == 20
    assert all(packet.pos for packet in packets)
    assert not any(packet.is_discard or packet.is_corrupt for packet in packets)


def test_a_discarded_stream_gives_no_packets(tmp_path: Path) -> None:
    """Except the first one, which libav reads when it opens the file."""
    path = make_clip(tmp_path / "sound.mp4", Recipe(audio_secs=2))
    with av.open(str(path)) as container:
        container.streams.audio[0].discard = Discard.all
        kinds = [packet.stream.type for packet in container.demux() if packet.size]
    assert kinds.count("video") == 20
    assert kinds.count("audio") <= 1


def test_a_decoder_knows_whether_frames_are_reordered(clip: Path, plain_clip: Path) -> None:
    depths = []
    for path in (plain_clip, clip):
        with av.open(str(path)) as container:
            depths.append(container.streams.video[0].codec_context.reorder_depth)
    assert depths[0] == 0 < depths[1]


def test_skip_frame_can_change_between_packets(clip: Path) -> None:
    """Of the second group only what other frames refer to is decoded."""
    shown = []
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        for number, packet in enumerate(container.demux(stream)):
            stream.codec_context.skip_frame = "DEFAULT" if number < 10 else "NONREF"
            shown += [frame_number(frame) for frame in stream.codec_context.decode(packet)]
    assert shown[:10] == list(range(10))
    assert 10 in shown
    assert len(shown) < 20


def test_a_drained_decoder_decodes_again_once_it_is_flushed(clip: Path) -> None:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        for _ in range(2):
            container.seek(0, stream=stream)
            frames = [frame for packet in container.demux(stream) for frame in packet.decode()]
            assert [frame_number(frame) for frame in frames] == list(range(20))
            assert not any(frame.is_corrupt for frame in frames)
            stream.codec_context.flush_buffers()


def test_an_encoder_makes_a_keyframe_of_the_frame_that_asks_for_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(6):
            frame = VideoFrame(160, 90, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            frame.pict_type = PictureType.I if number == 4 else PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        keyframes = [frame.key_frame for frame in container.decode(video=0)]
    assert keyframes == [True, False, False, False, True, False]


def test_a_bitstream_filter_can_be_made_for_a_codec_by_name() -> None:
    """This one removes the text that x264 writes into the stream."""
    encoder = CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 160, 90, "yuv420p"
    encoder.time_base = Fraction(1, 10)
    text_filter = BitStreamFilterContext("filter_units=remove_types=6", "h264")
    packets = [*encoder.encode(VideoFrame(160, 90, "yuv420p")), *encoder.encode(None)]
    assert [b"x264" in bytes(packet) for packet in packets] == [True]
    filtered = [bytes(one) for packet in packets for one in text_filter.filter(packet)]
    assert [b"x264" in content for content in filtered] == [False]


@pytest.mark.parametrize("device", hwdevices_available())
def test_a_device_says_that_it_does_not_know_a_codec(device: str) -> None:
    """Whether or not this machine has such a device."""
    with pytest.raises(NotImplementedError):
        HWAccel(device).create(Codec("png", "r"))
