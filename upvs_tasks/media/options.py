"""Options of ffmpeg and of x264 that more than one command, or encoder, is given."""

# ffmpeg asks nothing, writes warnings and errors to stderr, and its progress to stdout.
REPORTED = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-progress", "pipe:1")
# By default x264 takes other algorithms on other processors. Those for AVX-512 even read memory
# that nobody wrote, at widths such as 480 and 720: then two films of the same clips may differ.
X264_REPEATABLE = "cpu-independent=1"
