"""Decoding by a graphics processor, where there is one.

H.264 and HEVC define every pixel of a decoded picture, and what hardware hands over is only
arranged otherwise (NV12): of whole footage a film has the same bytes wherever it was decoded. Of
damaged footage it need not: hardware conceals damage and does not say so, so that a film may show a
smeared picture where software would have taken its neighbour, and no two devices smear alike.
"""

import logging
from functools import cache

import av
from av.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available

from upvs_tasks.model.encoding import HardwareAcceleration

log = logging.getLogger(__name__)

# Cameras record no other codec; a device that knows only one of them leaves the other to software.
_CODECS = ("h264", "hevc")


def decoding_device(acceleration: HardwareAcceleration) -> str | None:
    """Type of the device that decodes, by libav's name for it; None where software does.

    Devices are tried once a process, and the log is told the outcome.
    """
    return _working_device() if acceleration is HardwareAcceleration.AUTO else None


def accelerated_by(device: str | None) -> HWAccel | None:
    """The device for one clip to be opened; its pictures come back to ordinary memory."""
    return None if device is None else HWAccel(device, allow_software_fallback=True)


@cache
def _working_device() -> str | None:
    reasons = []
    for device in hwdevices_available():
        reason = _refusal(device)
        if reason is None:
            log.info("hardware decodes", extra={"device": device})
            return device
        reasons.append(f"{device}: {reason}")
    log.info("software decodes", extra={"reason": "; ".join(reasons) or "libav knows no hardware"})
    return None


def _refusal(device: str) -> str | None:
    """Why a type of device decodes nothing here, None where it decodes something."""
    reason = "libav decodes nothing by it"
    for codec in _CODECS:
        try:
            HWAccel(device).create(Codec(codec, "r"))
        except NotImplementedError:
            continue
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = str(getattr(error, "strerror", None) or error)
        else:
            return None
    return reason
