"""Tables of what `benchmarks.render` has measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_TIMES_HEAD = (
    "| footage | speed | film frames | turns | reference: wall / CPU s | ours | encode only "
    "| decode only |\n|--|--|--|--|--|--|--|--|"
)
_RATIOS_HEAD = (
    "| footage | speed | ours / reference: wall, CPU | ours / encode: wall, CPU "
    "| ours / (encode + decode): wall, CPU | least / reference: wall, CPU "
    "| size / encode's | size / reference's | SSIM: ours, encode, difference |\n"
    "|--|--|--|--|--|--|--|--|--|"
)
_NAMES = ("reference", "ours", "encode", "decode")


@dataclass(frozen=True, slots=True)
class Measure:
    """One run of one contestant; ``likeness`` is its mean SSIM where that was looked at."""

    footage: str
    speed: int
    film_frames: int
    turn: str
    contestant: str
    wall_secs: float
    cpu_secs: float
    size_bytes: int
    likeness: float | None = None


_Turn = dict[str, Measure]


def print_tables(measures: Sequence[Measure]) -> None:
    """Times, and ratios, a row for each footage and speed that every contestant has met."""
    rows: dict[tuple[str, int, int], dict[str, _Turn]] = {}
    for one in measures:
        key = (one.footage, one.speed, one.film_frames)
        rows.setdefault(key, {}).setdefault(one.turn, {})[one.contestant] = one
    kept = {
        key: [turn for turn in turns.values() if turn.keys() >= set(_NAMES)]
        for key, turns in sorted(rows.items(), key=lambda row: row[0])
    }
    for head, cells_of in ((_TIMES_HEAD, _times), (_RATIOS_HEAD, _ratios)):
        print(head)
        for key, turns in kept.items():
            if turns:
                print(f"| {' | '.join(cells_of(key, turns))} |")
        print()


def _times(key: tuple[str, int, int], turns: Sequence[_Turn]) -> list[str]:
    footage, speed, frames = key
    cells = [
        f"{median(turn[name].wall_secs for turn in turns):.2f} / "
        f"{median(turn[name].cpu_secs for turn in turns):.2f}"
        for name in _NAMES
    ]
    return [footage, str(speed), str(frames), str(len(turns)), *cells]


def _ratios(key: tuple[str, int, int], turns: Sequence[_Turn]) -> list[str]:
    footage, speed, _ = key
    least = ("encode", "decode")
    compared = [
        (("ours",), ("reference",)),
        (("ours",), ("encode",)),
        (("ours",), least),
        (least, ("reference",)),
    ]
    cells = [
        ", ".join(
            f"{median(_sum(turn, over, kind) / _sum(turn, under, kind) for turn in turns):.2f}"
            for kind in ("wall_secs", "cpu_secs")
        )
        for over, under in compared
    ]
    return [footage, str(speed), *cells, *_quality(turns)]


def _quality(turns: Sequence[_Turn]) -> list[str]:
    """Sizes and SSIM, which are looked at in the first turn only."""
    for turn in turns:
        ours, encode = turn.get("planned", turn["ours"]), turn["encode"]
        if ours.likeness is not None and encode.likeness is not None:
            size, reference = ours.size_bytes, turn["reference"].size_bytes
            difference = f"{ours.likeness - encode.likeness:+.4f}"
            likenesses = f"{ours.likeness:.4f}, {encode.likeness:.4f}, {difference}"
            return [f"{size / encode.size_bytes:.3f}", f"{size / reference:.3f}", likenesses]
    return ["-", "-", "-"]


def _sum(turn: _Turn, names: Sequence[str], field: str) -> float:
    return sum(float(getattr(turn[name], field)) for name in names)
