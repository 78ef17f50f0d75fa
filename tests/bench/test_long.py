"""The long film's shots, and what is read of a run's looks."""

from tests.bench.long import FRAMES, SHOTS, Looked, _trend, shot_lengths


def test_shots_of_all_lengths_make_two_hours() -> None:
    found = shot_lengths()
    assert (len(found), sum(found), FRAMES / 24) == (SHOTS, FRAMES, 7200)
    assert min(found) == 2
    assert 10 * 60 * 24 < max(found) < 11 * 60 * 24
    assert found != sorted(found)
    assert found == shot_lengths()


def test_growth_shows_between_the_first_quarter_and_the_last() -> None:
    looks = [Looked(float(at), {"driver": 100 + at, "renderer": 50}, {"driver": 7}) for at in range(8)]
    assert _trend(looks, "resident") == {
        "driver": {"first_quarter": 101, "last_quarter": 107, "most": 107},
        "renderer": {"first_quarter": 50, "last_quarter": 50, "most": 50},
    }
    assert _trend(looks, "descriptors") == {"driver": {"first_quarter": 7, "last_quarter": 7, "most": 7}}
