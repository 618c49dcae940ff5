"""What libav makes of a clip, in as many ways as a decoder may be driven."""

from pathlib import Path

import av
from av.video.frame import VideoFrame

Pictures = dict[int, bytes]  # by their time stamps


def pictures(path: Path) -> list[Pictures]:
    """What libav makes of a clip from its start; and again, with other remains in its memory."""
    passes: list[Pictures] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for _ in range(2):
            container.seek(0, stream=stream)
            passes.append({})
            for packet in container.demux(stream):
                passes[-1] |= decoded(stream, packet if packet.size else None)
            stream.codec_context.flush_buffers()
    return passes


def group_by_group(path: Path) -> Pictures:
    """What libav makes of a clip when it begins anew at each keyframe."""
    shown: Pictures = {}
    with av.open(str(path)) as container:
        keys = [packet.pts or 0 for packet in container.demux(video=0) if packet.is_keyframe]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for key, after in zip(keys, [*keys[1:], 1 << 40], strict=True):
            container.seek(key, stream=stream)
            group: Pictures = {}
            for packet in container.demux(stream):
                group |= decoded(stream, packet if packet.size else None)
                if max(group, default=0) >= after:
                    break
            stream.codec_context.flush_buffers()
            shown |= {ticks: picture for ticks, picture in group.items() if key <= ticks < after}
    return shown


def decoded(stream: av.VideoStream, packet: "av.Packet[av.VideoStream] | None") -> Pictures:
    """Pictures by their time stamps; none where libav refuses the packet."""
    try:
        frames = stream.codec_context.decode(packet)
    except av.FFmpegError:
        return {}
    return {frame.pts or 0: packed(frame) for frame in frames}


def packed(frame: VideoFrame) -> bytes:
    """The planes of a picture one after another, without what pads their lines."""
    parts = []
    for plane in frame.planes:
        content = bytes(plane)
        if plane.line_size != plane.width:
            starts = range(0, plane.line_size * plane.height, plane.line_size)
            content = b"".join(content[at : at + plane.width] for at in starts)
        parts.append(content)
    return b"".join(parts)
