from checkfirst.service.hashing import LARGE_BYTES, Hashed, Hashing

MIB = 1024 * 1024


def test_a_large_file_is_told_while_it_is_read_and_how_far():
    hashing = Hashing(lambda: False)
    with hashing.of(7, 64 * MIB) as stopped:
        assert hashing.now() == (Hashed(7, 0, 64 * MIB),)
        assert not stopped()
        assert hashing.now()[0].words == "its bytes are being read, 16.8 MB of 67.1 MB so far"
        for _ in range(9):
            stopped()
        assert hashing.now()[0].words.startswith("its bytes are being read, 67.1 MB of")
    assert hashing.now() == ()


def test_a_small_one_is_not_worth_telling_and_stops_all_the_same():
    hashing = Hashing(lambda: True)
    with hashing.of(7, LARGE_BYTES - 1) as stopped:
        assert hashing.now() == ()
        assert stopped()
