"""Receipts and digests: what is written once is read for ever."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiebreak.quiz.receipts import PREFIX, Receipt, empty_log, leaf_of, next_digest, parse_receipt

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
RECEIPT = Receipt(ONE, TWO, 1_795_000_000_000, 7, bytes(range(32)))
TEXT = (
    "tb1.AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAIAAAGh7lZeAAAAAAAAAAAHAAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    "GBkaGxwdHh8O32jT"
)

receipts = st.builds(
    Receipt,
    st.uuids(),
    st.uuids(),
    st.integers(0, 2**63 - 1),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)


def leaf(**changes) -> bytes:
    fields = {"correct": True, "score": 100, "answered_at_us": 1_795_000_000_000_000, "answer": '"à"'} | changes
    ids = [fields.pop(name, given) for name, given in (("id", ONE), ("participant", TWO), ("question", THREE))]
    return leaf_of(*ids, **fields)


def test_texts_and_digests_stay_what_they_are():
    """Players keep receipts: another version of Tiebreak has to make the same of them."""
    assert (RECEIPT.text(), parse_receipt(TEXT)) == (TEXT, RECEIPT)
    assert leaf().hex() == "5900df62cadefdfbd43c3d6ae04002f36fe9a5c758ddee1e1a8ed1a8972d2481"
    assert empty_log(TWO).hex() == "692865c9a376a1a82d161b0f9578595554873797fa9ebbb068b797828122e61d"
    assert (
        next_digest(empty_log(TWO), leaf()).hex() == "8beed3078da2e00cd0aa2c23182f9ca9e394d354e2ac84b2ee450418c973a6f7"
    )


@given(receipts)
def test_receipt_comes_back_from_its_text(receipt):
    """It is one word of characters that mails and URLs leave alone; blanks around it do no harm."""
    text = receipt.text()
    assert parse_receipt(f" {text}\n") == receipt
    assert len(text) == 116
    assert text.removeprefix(PREFIX).replace("-", "").replace("_", "").isalnum()


@given(receipts, st.integers(0, 115), st.characters(codec="utf-8"))
def test_a_slip_is_no_other_receipt(receipt, place, character):
    """A character mistyped or left out is told as such, not as a log that was changed."""
    text = receipt.text()
    for slip in (text[:place] + character + text[place + 1 :], text[:place] + text[place + 1 :]):
        if slip.strip() != text:
            with pytest.raises(ValueError, match=r"receipt|mistyped"):
                parse_receipt(slip)


@given(st.text() | st.text().map(PREFIX.__add__))
def test_any_other_text_is_no_receipt(text):
    """Whatever it is, it is refused with a reason."""
    with pytest.raises(ValueError, match=r"receipt|mistyped"):
        parse_receipt(text)


@pytest.mark.parametrize(
    "change",
    [
        {"id": TWO},
        {"participant": ONE},
        {"question": ONE},
        {"correct": False},
        {"score": 99},
        {"answered_at_us": 1_795_000_000_000_001},
        {"answer": '"a"'},
        {"answer": ' "à"'},
    ],
)
def test_every_field_is_in_the_leaf(change):
    """Nothing of an answer can be changed without it, not even a blank or a microsecond."""
    assert leaf(**change) != leaf()


def test_digest_depends_on_all_before_it():
    """Order, grouping and beginning."""
    first, second = leaf(), leaf(score=0)
    digests = {
        next_digest(empty_log(ONE), first + second),
        next_digest(empty_log(ONE), second + first),
        next_digest(next_digest(empty_log(ONE), first), second),
        next_digest(empty_log(TWO), first + second),
    }
    assert len(digests) == 4
