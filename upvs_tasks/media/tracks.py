"""Finds the video track that a film is made of."""

from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from upvs_tasks.media.mp4_boxes import check_boxes


def video_track(container: InputContainer, path: Path) -> VideoStream | None:
    """The video track with the most frames: others are stills, or previews. None without any.

    Raises BrokenFootageError where there are several, and their boxes are broken.
    """
    videos = container.streams.video
    if len(videos) > 1:
        track_id = check_boxes(path).track_id
        videos = tuple(video for video in videos if video.id == track_id) or videos
    return next(iter(videos), None)
