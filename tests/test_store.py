"""The cache of what was learnt: versioned, checksummed, atomic, and never in the way."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.store import Damaged, Saved, Store

KEYS = [b'{"service":"a"}', b'{"service":"b \\" \xc3\xa4"}']


def saved(time: int = 1_700_000_000) -> Saved:
    """What a query of two series might have learnt."""
    random = np.random.default_rng(1)
    state = {"level": random.normal(size=(3, 2)), "seen": random.integers(0, 9, 2).astype(np.float32)}
    exposed = {"anomaly_score": np.array([0.5, np.nan])}
    return Saved("print", time, time - 86_400, KEYS, np.array([time, time - 60]), state, exposed)


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    """Keys, times and arrays come back exactly, with their shapes and types."""
    store = Store(tmp_path / "state")
    store.save("rate", saved())
    loaded = store.load("rate")
    assert loaded is not None
    assert (loaded.fingerprint, loaded.time, loaded.begun, loaded.keys) == ("print", *loaded_times(), KEYS)
    for name, array in saved().state.items():
        assert loaded.state[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.state[name], array)
    np.testing.assert_array_equal(loaded.last_seen, saved().last_seen)
    np.testing.assert_array_equal(loaded.exposed["anomaly_score"], [0.5, np.nan])


def loaded_times() -> tuple[int, int]:
    """Time and begin of `saved()`."""
    return saved().time, saved().begun


def test_a_query_without_series_is_saved_too(tmp_path: Path) -> None:
    """No series is a state like any other."""
    store = Store(tmp_path)
    store.save("rate", Saved("print", 1, 0, [], np.zeros(0, np.int64), {"level": np.zeros((3, 0))}, {}))
    loaded = store.load("rate")
    assert loaded is not None
    assert loaded.keys == []


def test_nothing_saved_is_nothing_loaded(tmp_path: Path) -> None:
    """A first start finds no state, and that is no error."""
    assert Store(tmp_path / "nowhere").load("rate") is None


@given(st.data())
@settings(max_examples=30)
def test_a_file_cut_anywhere_is_damaged(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever part of a file is lost, it is noticed."""
    store = Store(tmp_path_factory.mktemp("state"))
    store.save("rate", saved())
    path = store.directory / "rate.tidemark"
    raw = path.read_bytes()
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(Damaged) as caught:
        store.load("rate")
    assert caught.value.reason == "damaged"


def test_a_flipped_bit_is_damage(tmp_path: Path) -> None:
    """A file of the right length with one wrong bit does not pass its checksum."""
    store = Store(tmp_path)
    store.save("rate", saved())
    path = tmp_path / "rate.tidemark"
    raw = bytearray(path.read_bytes())
    raw[-100] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(Damaged, match="does not match its checksum"):
        store.load("rate")


def test_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    """A file from a newer tidemark is not guessed at."""
    store = Store(tmp_path)
    store.save("rate", saved())
    path = tmp_path / "rate.tidemark"
    path.write_bytes(path.read_bytes().replace(b'{"tidemark_state":1', b'{"tidemark_state":2', 1))
    with pytest.raises(Damaged, match="has version 2; this tidemark reads version 1") as caught:
        store.load("rate")
    assert caught.value.reason == "version"


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    """A file that holds something else entirely is damaged, not executed."""
    import pickle

    (tmp_path / "rate.tidemark").write_bytes(pickle.dumps({"tidemark_state": 1}))
    with pytest.raises(Damaged, match="is not a state file"):
        Store(tmp_path).load("rate")


def test_a_file_set_aside_is_kept(tmp_path: Path) -> None:
    """A damaged file leaves the way free and stays for inquiry."""
    store = Store(tmp_path)
    (tmp_path / "rate.tidemark").write_bytes(b"broken")
    aside = Path(store.set_aside("rate", now=1_700_000_000))
    assert aside.read_bytes() == b"broken"
    assert store.load("rate") is None


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """Until the new file is whole, the old one stays, and no scraps are left."""
    store = Store(tmp_path)
    store.save("rate", saved(time=1))
    broken = Saved("print", 2, 0, KEYS, np.array([object()]), {}, {})
    with pytest.raises(ValueError, match="pickle"):
        store.save("rate", broken)
    loaded = store.load("rate")
    assert loaded is not None
    assert loaded.time == 1
    assert [path.name for path in tmp_path.iterdir()] == ["rate.tidemark"]


def test_size_counts_the_state_files(tmp_path: Path) -> None:
    """The size on disk is that of all queries together."""
    store = Store(tmp_path)
    assert store.size() == 0
    store.save("rate", saved())
    assert store.size() == (tmp_path / "rate.tidemark").stat().st_size
