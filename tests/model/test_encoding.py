"""The film's size follows the footage."""

import pytest

from upvs_tasks.model.encoding import film_size


@pytest.mark.parametrize(
    ("sizes", "height", "expected"),
    [
        ({(1920, 1080): 10, (640, 360): 9}, None, (1920, 1080)),
        ({(1920, 1080): 10, (640, 360): 11}, None, (640, 360)),
        ({(1920, 1080): 10, (640, 360): 10}, None, (1920, 1080)),
        ({(2688, 1512): 1}, 720, (1280, 720)),
        ({(1080, 1920): 1}, 480, (270, 480)),
        ({(640, 360): 1}, 1080, (640, 360)),
        ({(641, 361): 1}, None, (640, 360)),
        ({(640, 361): 1}, 91, (160, 90)),
        ({(1, 1): 1}, None, (64, 64)),
        ({(80, 46): 1}, None, (110, 64)),
        ({(1080, 1920): 1}, 64, (64, 114)),
        ({(2000, 2): 1}, None, (2000, 64)),
        ({(1, 0): 1}, None, (64, 64)),
    ],
)
def test_it_is_that_of_most_footage(
    sizes: dict[tuple[int, int], int], height: int | None, expected: tuple[int, int]
) -> None:
    """Scaled down to a height if one is asked for, never up, even, and not too small to encode."""
    assert film_size(sizes, height) == expected
