import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import Corrupt, InvalidInput, RateLimited
from bylaw.tenancy.passwords import MAX_LENGTH, MIN_LENGTH, Passwords, checked_password, plain

ABOUT = ("ada.lovelace@example.com", "Ada", "Lovelace", "Northwind Traders", "Northwind", "Traders")


@pytest.mark.parametrize(
    "text",
    [
        "nine green lanterns",
        "7340 1925 8861 5027",
        "пароль из четырёх слов",
        "ein schönes Pferd",
        "x" * 200 + "abcd",
    ],
)
def test_whatever_is_long_and_not_what_everybody_tries_first_may_be_chosen(text):
    assert checked_password(text, about=ABOUT) == plain(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("elevenchars", "bad_length"),
        ("x y" * 86, "bad_length"),
        ("", "bad_length"),
        ("password1234", "easily_guessed"),
        ("Passwort2026!", "easily_guessed"),
        ("qwertyuiop12", "easily_guessed"),
        ("1234567890123456", "easily_guessed"),
        ("aaaaaaaaaaaaaaaa", "easily_guessed"),
        ("abcabcabcabcabc", "easily_guessed"),
        ("ada.lovelace@example.com", "easily_guessed"),
        ("Lovelace Lovelace", "easily_guessed"),
        ("Northwind2026", "easily_guessed"),
        ("northwind traders", "easily_guessed"),
        ("".join(chr(ord(each) + 0xFEE0) for each in "password1234"), "easily_guessed"),  # full width
    ],
)
def test_what_anybody_would_try_is_refused(text, code):
    with pytest.raises(InvalidInput) as refused:
        checked_password(text, about=ABOUT, path="new")
    (problem,) = refused.value.problems
    assert (problem.path, problem.code) == ("new", code)


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=4))
def test_a_chosen_password_has_its_length_and_is_chosen_again(text, about):
    with suppress(InvalidInput):
        chosen = checked_password(text, about=about)
        assert MIN_LENGTH <= len(chosen) <= MAX_LENGTH
        assert checked_password(chosen, about=about) == chosen


async def test_a_hash_fits_its_password_however_it_was_typed_and_no_other():
    passwords = Passwords()
    known = await passwords.hash("ﬁne café lanterns")
    assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert known != await passwords.hash("ﬁne café lanterns")
    assert await passwords.fits("fine café lanterns", known)
    assert not await passwords.fits("fine cafe lanterns", known)
    assert not await passwords.fits("fine café lanterns", None)
    with pytest.raises(Corrupt):
        await passwords.fits("anything", "no hash")


async def test_few_wait_and_those_who_stop_waiting_make_room_once_they_are_done():
    passwords = Passwords()
    asked = [asyncio.create_task(passwords.fits(str(n), None)) for n in range(30)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in found if isinstance(each, RateLimited)]
    assert len(refused) == 12
    assert refused[0].retry_after_s >= 1
    assert found.count(False) == 18
    gone = [asyncio.create_task(passwords.fits(str(n), None)) for n in range(18)]
    await asyncio.sleep(0)
    for each in gone:
        each.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    passwords._threads.shutdown()
    assert passwords._room._value == 18
