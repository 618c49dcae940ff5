"""Options of ffmpeg and of x264 that more than one command, or encoder, is given."""

from upvs_tasks.model.encoding import Codec, Encoding

# ffmpeg asks nothing, writes warnings and errors to stderr, and its progress to stdout.
REPORTED = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-progress", "pipe:1")
# The best quality that each encoder can be asked for. Below it x264 writes a lossless profile that
# telephones do not play; libsvtav1 takes 0 for its own default, and with its fastest presets writes
# up to 3 what no decoder reads.
_BEST_CRF = {Codec.H264: 1, Codec.HEVC: 0, Codec.AV1: 5}

# By default x264 takes other algorithms on other processors. Those for AVX-512 even read memory
# that nobody wrote, at widths such as 480 and 720: then two films of the same clips may differ.
X264_REPEATABLE = "cpu-independent=1"


def encoder_crf(encoding: Encoding) -> int:
    """CRF that the encoder is asked for: that of the encoding, or the best that players show."""
    return max(encoding.crf, _BEST_CRF[encoding.codec])
