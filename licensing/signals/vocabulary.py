"""Our five uses and the words of each public vocabulary: what its "no" reserves, and how we say no in it.

A vocabulary may have one word for several of our uses (training and fine-tuning, nearly everywhere). Who reserves one of
them then reserves all that the word covers: `normal_form` says what, `unsaid` what a vocabulary has no word for at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from licensing.signals.core import EVERYTHING, Statement, said

AIPREF: Final = "aipref-vocab-08"
CONTENT_SIGNALS: Final = "content-signals"
ROBOTS: Final = "rfc9309"
TDMREP: Final = "tdmrep-2024"
RSL: Final = "rsl-1.0"
CAWG: Final = "cawg-1.1"
C2PA: Final = "c2pa-1.0"  # the assertion before CAWG took it over
TDMAI: Final = "tdmai-1.0"

TRAINING: Final = frozenset({"train", "finetune"})
GROUNDING: Final = frozenset({"ground"})
INDEXING: Final = frozenset({"index"})

# What a "no" to each word reserves. Words of older drafts are understood too, as long as sites still use them.
RESERVED_BY: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    AIPREF: {
        "train-ai": TRAINING,
        "search": INDEXING,
        "train-genai": TRAINING,
        "genai": TRAINING,
        "ai": TRAINING,
        "ai-use": GROUNDING,
        "all": EVERYTHING,
        "bots": EVERYTHING,
        "tdm": EVERYTHING,
    },
    CONTENT_SIGNALS: {"ai-train": TRAINING, "ai-input": GROUNDING, "search": INDEXING},
    ROBOTS: {"training": TRAINING, "fetching": GROUNDING, "search": INDEXING},
    TDMREP: {"tdm-reservation": EVERYTHING},
    RSL: {
        "ai-train": TRAINING,
        "ai-input": GROUNDING,
        "ai-index": INDEXING,
        "search": INDEXING,
        "ai-all": EVERYTHING,
        "all": EVERYTHING,
        "train-ai": TRAINING,
        "train-genai": TRAINING,
        "ai-use": GROUNDING,
    },
    CAWG: {
        "cawg.ai_generative_training": TRAINING,
        "cawg.ai_training": TRAINING,
        "cawg.ai_inference": GROUNDING,
        "cawg.data_mining": INDEXING,
    },
    TDMAI: {
        "train-ai": TRAINING,
        "train-genai": TRAINING,
        "ai-use": GROUNDING,
        "search": INDEXING,
        "all": EVERYTHING,
    },
}

# How we say no to a use: every word that together says it. `*` stands for everything, where a vocabulary has a word for that.
_ALL: Final = "*"
_WIDE: Final = frozenset({"all", "ai-all"})  # nobody says yes to everything by one word of ours
_SAID_BY: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    AIPREF: {"train": ("train-ai",), "finetune": ("train-ai",), "index": ("search",)},
    CONTENT_SIGNALS: {
        "train": ("ai-train",), "finetune": ("ai-train",), "ground": ("ai-input",), "index": ("search",),
    },
    ROBOTS: {"train": ("training",), "finetune": ("training",), "ground": ("fetching",), "index": ("search",)},
    TDMREP: {_ALL: ("tdm-reservation",)},
    RSL: {
        "train": ("ai-train",), "finetune": ("ai-train",), "ground": ("ai-input",), "index": ("ai-index",),
        _ALL: ("ai-all",),
    },
    CAWG: {
        "train": ("cawg.ai_generative_training", "cawg.ai_training"),
        "finetune": ("cawg.ai_generative_training", "cawg.ai_training"),
        "ground": ("cawg.ai_inference",),
        "index": ("cawg.data_mining",),
    },
    TDMAI: {
        "train": ("train-ai", "train-genai"), "finetune": ("train-ai", "train-genai"), "ground": ("ai-use",),
        "index": ("search",), _ALL: ("all", "train-ai", "train-genai", "ai-use", "search"),
    },
}  # fmt: skip


def words(uses: Iterable[str], vocabulary: str) -> tuple[str, ...]:
    """The words that say no to these uses, each once, in the vocabulary's own order.

    >>> words({"finetune"}, CAWG)
    ('cawg.ai_generative_training', 'cawg.ai_training')
    >>> words({"evaluate"}, RSL), words({"ground"}, AIPREF)
    (('ai-all',), ())
    """
    reserved, ways = frozenset(uses), _SAID_BY[vocabulary]
    if _ALL in ways and (reserved - ways.keys() or reserved == EVERYTHING):
        chosen = frozenset(ways[_ALL])
    else:
        chosen = frozenset(word for use in reserved for word in ways.get(use, ()))
    return tuple(word for word in RESERVED_BY[vocabulary] if word in chosen)


def reserved_by(word: str, vocabulary: str) -> frozenset[str]:
    """The uses that a "no" to this word reserves; none, where the vocabulary has no such word."""
    return RESERVED_BY[vocabulary].get(word, frozenset())


def normal_form(uses: Iterable[str], vocabulary: str) -> frozenset[str]:
    """The smallest set of uses that the vocabulary can reserve and that holds these, as far as it has words for them.

    >>> sorted(normal_form({"train"}, RSL)), sorted(normal_form({"ground"}, TDMREP)) == sorted(EVERYTHING)
    (['finetune', 'train'], True)
    """
    return frozenset().union(*(reserved_by(word, vocabulary) for word in words(uses, vocabulary)))


def unsaid(uses: Iterable[str], vocabulary: str) -> frozenset[str]:
    """The uses that cannot be reserved in this vocabulary: another one must say them.

    >>> unsaid({"train", "ground"}, AIPREF)
    frozenset({'ground'})
    """
    return frozenset(uses) - normal_form(uses, vocabulary)


def sayable(vocabulary: str) -> frozenset[str]:
    """The uses for which this vocabulary has words."""
    return normal_form(EVERYTHING, vocabulary)


def allowed_words(statement: Statement, vocabulary: str) -> tuple[str, ...]:
    """The words that this statement says yes to: all that they cover is allowed, and none of it reserved.

    >>> allowed_words(Statement("", frozenset({"index"}), frozenset({"train", "finetune"})), AIPREF)
    ('train-ai',)
    """
    if vocabulary == RSL:
        return ()  # a yes in RSL is a licence
    reserved = normal_form(statement.reserved, vocabulary)
    usual = {word for chosen in _SAID_BY[vocabulary].values() for word in chosen} - _WIDE
    return tuple(
        word
        for word, uses in RESERVED_BY[vocabulary].items()
        if word in usual and uses <= statement.allowed and not uses & reserved
    )


def normal(statement: Statement, vocabulary: str) -> Statement:
    """What is left of a statement when it is said in a vocabulary and read again.

    >>> sorted(normal(Statement("/", frozenset({"train"}), frozenset({"index", "ground"})), AIPREF).allowed)
    ['index']
    """
    yes = frozenset().union(*(reserved_by(word, vocabulary) for word in allowed_words(statement, vocabulary)))
    no, yes = said(normal_form(statement.reserved, vocabulary), yes)
    return replace(statement, reserved=no, allowed=yes)
