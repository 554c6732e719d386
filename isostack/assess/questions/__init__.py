"""Every question of the assessment and its inputs: a module a topic."""

from __future__ import annotations

from functools import cache

from isostack.assess.inputs import Input
from isostack.assess.question import Question
from isostack.assess.questions import balance, blast, cost, fleet, patching, recovery, rollback, sizing

TOPICS = (sizing, recovery, balance, blast, rollback, patching, fleet, cost)


@cache
def questions() -> dict[str, Question]:
    """By id, in the order in which they are told."""
    return {question.id: question for topic in TOPICS for question in topic.QUESTIONS}


@cache
def inputs() -> dict[str, Input]:
    """By id, each once."""
    return {each.id: each for question in questions().values() for each in question.inputs}
