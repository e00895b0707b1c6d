"""Every reason for a decline has words that say what to do."""

import pytest

from billing.declines import HARD_DECLINES, explain_decline

ELSEWHERE = (
    "Use another",
    "use another",
    "Try again",
    "Ask your bank",
    "another way",
    "contact us",
)


@pytest.mark.parametrize("code", ["", "never_heard_of", "fraudulent", *sorted(HARD_DECLINES)])
def test_every_code_has_a_sentence_that_says_what_to_do(code: str) -> None:
    sentence = str(explain_decline(code))
    assert sentence.endswith(".")
    assert any(words in sentence for words in ELSEWHERE)


def test_a_suspicion_of_the_bank_is_not_told() -> None:
    assert explain_decline("fraudulent") == explain_decline("never_heard_of")


@pytest.mark.parametrize("code", ["insufficient_funds", "card_declined", "processing_error"])
def test_what_may_pass_is_tried_again(code: str) -> None:
    assert code not in HARD_DECLINES


@pytest.mark.parametrize("code", ["method_unavailable", "stolen_card", "authentication_failed"])
def test_what_cannot_pass_is_not_tried_again(code: str) -> None:
    assert code in HARD_DECLINES
