"""Each broken promise is noticed, and only broken ones are."""

import msgspec

from chaos.boards import BoardMessage
from chaos.history import Acknowledged, Given, History
from chaos.verdict import LedgerRow, judge_answers, judge_board, judge_rivals, judge_screens
from tiebreak.load_test.replies import Row

ROW = LedgerRow("row", "ann", "q1", "a1", 1, 10)
ROWS = [Row(1, "ann", "Ann", 30), Row(1, "bob", "Bob", 30), Row(3, "cleo", "Cleo", 10)]
BOARD = BoardMessage("session", "epoch", 7, 3, ROWS)


def given(**changes):
    """An acknowledged answer, as ROW has it."""
    sound = Given("session", "ann", "q1", 1, 10, "a1", attempts=1, acknowledged=[Acknowledged("row", True, 10)])
    return msgspec.structs.replace(sound, **changes)


def judged(answers, ledger):
    return " ".join(judge_answers(History("session", answers), ledger))


def test_acknowledged_once_and_there_once_is_well():
    """Acknowledged twice under the same id, too."""
    assert judged([given()], [ROW]) == ""
    assert judged([given(acknowledged=[Acknowledged("row", True, 10)] * 2)], [ROW]) == ""


def test_refused_and_not_there_is_well():
    assert judged([given(acknowledged=[], refused=["question_already_answered"])], []) == ""


def test_lost_answer():
    assert "acknowledged and is not in the ledger" in judged([given()], [])


def test_answer_twice_in_the_ledger():
    """The unique constraint forbids it; the verdict does not rely on that."""
    twice = [ROW, msgspec.structs.replace(ROW, id="other")]
    assert "twice" in judged([given()], twice)
    other_answer_id = [ROW, msgspec.structs.replace(ROW, id="other", answer_id="a2")]
    assert "two answers to q1" in judged([given()], other_answer_id)


def test_unacknowledged_answer_there_twice():
    never = given(acknowledged=[], attempts=3)
    assert "never acknowledged, in 3 attempts" in judged([never], [ROW])
    assert "twice" in judged([never], [ROW, msgspec.structs.replace(ROW, id="other", question_id="q2")])


def test_refused_answer_that_counts():
    refused = given(acknowledged=[], refused=["session_finished"])
    assert "refused as session_finished and is in the ledger" in judged([refused], [ROW])


def test_acknowledged_and_refused():
    assert "acknowledged, and refused" in judged([given(refused=["question_already_answered"])], [ROW])


def test_acknowledged_under_two_ids():
    two = given(acknowledged=[Acknowledged("row", True, 10), Acknowledged("other", True, 10)])
    assert "several ids" in judged([two], [ROW])


def test_answer_nobody_sent():
    assert "nobody sent it" in judged([], [ROW])


def test_altered_answer():
    """Another answer, another score, another participant; true is not 1."""
    for altered in ({"answer": 2}, {"score": 20}, {"answer": True}):
        assert "is in the ledger as" in judged([given()], [msgspec.structs.replace(ROW, **altered)])
    assert "somebody else's" in judged([given()], [msgspec.structs.replace(ROW, participant_id="bob")])
    assert "acknowledged as row for 20" in judged([given(acknowledged=[Acknowledged("row", True, 20)])], [ROW])


def test_two_answers_to_one_question_that_were_both_acknowledged():
    rival = given(answer_id="a2", is_rival=True)
    assert "both count" in " ".join(judge_rivals([given(), rival]))
    refused = given(answer_id="a2", is_rival=True, acknowledged=[], refused=["question_already_answered"])
    assert judge_rivals([given(), refused]) == []


def test_first_answer_that_was_refused_for_no_reason():
    assert "refused as not_joined" in " ".join(judge_rivals([given(acknowledged=[], refused=["not_joined"])]))


def test_board_that_is_the_ledger():
    assert judge_board("board", 3, ROWS, ROWS) == []


def test_board_with_other_totals_order_ranks_or_rows():
    """Doubled points, a tie that is none, a place lost, somebody missing or too many."""
    doubled = [msgspec.structs.replace(ROWS[0], score=60), *ROWS[1:]]
    untied = [ROWS[0], msgspec.structs.replace(ROWS[1], rank=2), ROWS[2]]
    for wrong in (doubled, untied, [ROWS[1], ROWS[0], ROWS[2]]):
        assert "has at place" in " ".join(judge_board("board", 3, wrong, ROWS))
    assert "2 participants" in " ".join(judge_board("board", 2, ROWS[:2], ROWS))
    assert "has 2 rows" in " ".join(judge_board("board", 3, ROWS[:2], ROWS))


def test_screens_that_show_the_board():
    assert judge_screens({"ann": BOARD}, BOARD) == []


def test_screen_behind_in_another_epoch_blank_or_different():
    """The last message was not sent, the room does not know of the new epoch, nobody came back, rows were made up."""
    for wrong in ({"version": 6}, {"epoch": "old"}):
        assert "was shown version" in " ".join(judge_screens({"ann": msgspec.structs.replace(BOARD, **wrong)}, BOARD))
    assert "never shown" in " ".join(judge_screens({"ann": None}, BOARD))
    assert "other rows" in " ".join(judge_screens({"ann": msgspec.structs.replace(BOARD, rows=ROWS[:2])}, BOARD))
