"""Decoding by a graphics processor, where there is one.

H.264 and HEVC define every pixel of a decoded frame; hardware only stores them in another order
(NV12). So a film of whole footage has the same bytes wherever it was decoded. A film of damaged
footage may differ: hardware hides damage without saying so, and each device in its own way.
"""

import logging
from functools import cache

import av
from av.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available

from upvs_tasks.model.encoding import HardwareAcceleration

log = logging.getLogger(__name__)

# Cameras record no other codec. A device may know only one of them; software decodes the other.
_CODECS = ("h264", "hevc")


def decoding_device(acceleration: HardwareAcceleration) -> str | None:
    """Type of the device that decodes, by libav's name for it; None where software does.

    Devices are tried once in each process, and the outcome is logged.
    """
    return _working_device() if acceleration is HardwareAcceleration.AUTO else None


def accelerated_by(device: str | None) -> HWAccel | None:
    """Libav's setting for a clip that this device decodes; its frames are copied to main memory."""
    return None if device is None else HWAccel(device, allow_software_fallback=True)


@cache
def _working_device() -> str | None:
    reasons = []
    for device in hwdevices_available():
        reason = _unusable_because(device)
        if reason is None:
            log.info("hardware decodes", extra={"device": device})
            return device
        reasons.append(f"{device}: {reason}")
    log.info("software decodes", extra={"reason": "; ".join(reasons) or "libav knows no hardware"})
    return None


def _unusable_because(device: str) -> str | None:
    """Why a type of device decodes nothing on this machine; None where it decodes something."""
    reason = "libav cannot decode with it"
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
