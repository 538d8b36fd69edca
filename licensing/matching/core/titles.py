"""One spelling for a title and its creators, however people write them: case, articles, signs, scripts, order of names.

>>> title_key("The Sun Also Rises", "Hemingway, Ernest, 1899-1961")
'sun also rises / ernest hemingway'
>>> title_key("Sun also rises, The", "Ernest HEMINGWAY")
'sun also rises / ernest hemingway'
>>> title_key("진달래 꽃", "김 소월"), title_key("Война и мир", "Лев Толстой")
('진달래꽃 / 김소월', 'voyna i mir / lev tolstoy')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from anyascii import anyascii

BETWEEN: Final = " / "  # title and creators; neither has such a sign once it is spelled

_ARTICLES: Final = frozenset({
    "the", "a", "an", "le", "la", "les", "l", "un", "une", "der", "die", "das", "den", "ein", "eine", "el", "los",
    "las", "una", "uno", "il", "lo", "gli", "het", "een", "de", "det",
})  # fmt: skip
_TRAILING = re.compile(rf",\s*(?:{'|'.join(sorted(_ARTICLES))})['’]?\s*(?=$|[.:;(\[])", re.IGNORECASE)
_ELIDED = re.compile(r"^\s*l['’](?=\w)", re.IGNORECASE)  # L'Étranger
_HAN: Final = "\u3400-\u9fff\uf900-\ufaff"
_HANGUL: Final = "\uac00-\ud7a3"
_EAST = re.compile(rf"(?<=[{_HANGUL}{_HAN}])\s+|\s+(?=[{_HANGUL}{_HAN}])")  # blanks that mean nothing there
_HANJA_BESIDE = re.compile(rf"(?<=[{_HANGUL}])\s*[(\[（]\s*[{_HAN}\s]+[)\]）]")
_HANGUL_BESIDE = re.compile(rf"[{_HAN}][{_HAN}\s]*[(\[（]\s*([{_HANGUL}][{_HANGUL}\s]*)[)\]）]")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}", re.UNICODE)
_UMLAUT = re.compile(r"([aou])e+")
_NO_LETTER = re.compile(r"[^\w]|_", re.UNICODE)
_SUBTITLE = re.compile(r"\s*(?:[:;(\[=]|[.,]\s+or,?\s|\.\s+|\s[-–—]+\s|—)")

_DATES = re.compile(
    r"[,(\[]?\s*\b(?:b\.|d\.|c\.?|ca\.?|born|died|fl\.)?\s*\d{3,4}\??\s*(?:[-–]\s*(?:\d{2,4}\??)?)?\s*[)\]]?"
)
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_ROLES: Final = frozenset({
    "ed", "eds", "editor", "editors", "edited", "tr", "trans", "translator", "translated", "comp", "compiler",
    "compiled", "illus", "illustrator", "illustrated", "author", "aut", "writer", "composer", "lyricist", "arr",
    "arranger", "by", "sir", "dr", "prof", "professor", "mr", "mrs", "miss", "ms", "rev", "st", "saint", "jr",
    "sr", "ii", "iii", "iv", "inc", "ltd", "co", "corp", "company", "gmbh", "pseud", "pseudonym", "지음", "글",
    "그림", "옮김", "저", "역", "편", "엮음", "작사", "작곡",
})  # fmt: skip
_NOBODY: Final = frozenset(
    ("et al", "and others", "others", "anonymous", "anon", "unknown", "various", "작자 미상", "작자미상")
)
_BETWEEN_NAMES = re.compile(r"\s*(?:[;|/·&]|\s(?:and|und|et|y|with)\s)\s*", re.IGNORECASE)
_LONGEST_SHORT: Final = 8  # letters: a shorter title without its subtitle says too little, unless it has two words


def title_key(title: str, creators: str) -> str:
    """How a work that is named by title only is told apart: the title, and every creator by all words of the name."""
    names = ";".join(sorted({" ".join(sorted(words)) for words in _creators(creators) if words}))
    plain = plain_title(title)
    return f"{plain}{BETWEEN}{names}" if names else plain


def key_parts(key: str) -> tuple[str, tuple[str, ...]]:
    """The title and the creators of a key."""
    title, _sign, names = key.partition(BETWEEN)
    return title, tuple(name for name in names.split(";") if name)


def spellings(title: str, creators: str) -> list[tuple[str, bool]]:
    """Every key under which a work of the register is found, and whether it is the plain one.

    Others say less of the names: initials for given names, the first initial, or the surname alone. A title without
    creators is kept for likenesses alone, in a spelling that no line has: by itself it says too little.

    >>> [key for key, _plain in spellings("Tender is the night", "Fitzgerald, F. Scott")][1:]
    ['tender is the night / f fitzgerald s', 'tender is the night / f fitzgerald', 'tender is the night / fitzgerald']
    """
    parsed = [_parsed(name) for name in _names(creators)]
    parsed = [(surname, given) for surname, given in parsed if surname]
    plain = plain_title(title)
    if not parsed:
        return [(plain + BETWEEN, True)]
    forms = [
        [[*surname, *given] for surname, given in parsed],
        [[*surname, *(word[0] for word in given)] for surname, given in parsed],
        [[*surname, *(word[0] for word in given[:1])] for surname, given in parsed],
        [list(surname) for surname, _given in parsed],
    ]
    keys = [plain + BETWEEN + ";".join(sorted({" ".join(sorted(words)) for words in form})) for form in forms]
    return [(key, nth == 0) for nth, key in enumerate(dict.fromkeys(keys))]


def plain_title(title: str) -> str:
    """A title in one spelling, without its article. One that is all signs stays as it is, in lower case."""
    text = _TRAILING.sub(" ", _one_script(unicodedata.normalize("NFKC", title)))
    text = _ELIDED.sub("", text)
    words = _letters(text).split()
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return _EAST.sub("", " ".join(words)) or " ".join(unicodedata.normalize("NFC", title).casefold().split())


def short_title(title: str) -> str:
    """The same without the subtitle; empty where there is none, or where what is left says too little.

    >>> short_title("Moby-Dick; or, The whale"), short_title("Poems: second series"), short_title("Ulysses")
    ('moby dick', '', '')
    """
    found = _SUBTITLE.search(title.strip(), 1)
    if not found:
        return ""
    short = plain_title(title.strip()[: found.start()])
    enough = " " in short or len(short) >= _LONGEST_SHORT or bool(re.match(f"[{_HANGUL}{_HAN}]{{4}}", short))
    return short if enough and short != plain_title(title) else ""


def _one_script(text: str) -> str:
    """`진달래꽃(花)` and `韓國(한국) 문학` in Hangul alone."""
    return _HANGUL_BESIDE.sub(r"\1 ", _HANJA_BESIDE.sub(" ", text))


def _letters(text: str) -> str:
    """Words of letters and digits: Latin ones without marks, Hangul and Han as they are, other scripts in Latin."""
    text = _INITIALS.sub(lambda found: found[0].replace(".", "").replace(" ", "") + " ", text)
    text = text.replace("&", " and ")
    for sign in "'’‘`´ʼ":
        text = text.replace(sign, "")
    latin = text.casefold() if text.isascii() else "".join(_latin(text))
    return " ".join(_NO_LETTER.sub(" ", _UMLAUT.sub(r"\1", latin)).split())


def _latin(text: str) -> Iterator[str]:
    for sign in text:
        if sign.isascii() or re.match(f"[{_HANGUL}{_HAN}]", sign):
            yield sign.casefold()
        elif sign.isalnum():
            yield anyascii(sign).casefold()
        elif not unicodedata.combining(sign):
            yield " "


def _names(creators: str) -> list[str]:
    """The texts of the single creators, without dates and remarks in brackets."""
    text = _BRACKETS.sub(" ", _one_script(unicodedata.normalize("NFKC", creators)))
    return [name for name in _BETWEEN_NAMES.split(_DATES.sub(" ", text)) if name.strip(" .,")]


def _creators(creators: str) -> list[list[str]]:
    return [[*surname, *given] for surname, given in map(_parsed, _names(creators))]


def _parsed(name: str) -> tuple[list[str], list[str]]:
    """The words of surname and given names, without titles, roles and forms of companies.

    `Surname, Given` and `Given Surname`; a name in Hangul or Han is one word.
    """
    before, comma, after = name.partition(",")
    words, given = _words(before), _words(after)
    if " ".join([*words, *given]) in _NOBODY:
        return [], []
    if comma and given and words:
        return words, given
    words = words or given
    if len(words) < 2 or re.match(f"[{_HANGUL}{_HAN}]", words[0]):
        return words, []
    return words[-1:], words[:-1]


def _words(text: str) -> list[str]:
    spaced = text.replace(".", ". ")  # `F.Scott` has two words
    words = _NO_LETTER.sub(" ", _plain_letters(spaced)).split()
    return _EAST.sub("", " ".join(word for word in words if word not in _ROLES)).split()


def _plain_letters(text: str) -> str:
    """As `_letters`, but initials stay apart."""
    for sign in "'’‘`´ʼ":
        text = text.replace(sign, "")
    latin = text.casefold() if text.isascii() else "".join(_latin(text))
    return _UMLAUT.sub(r"\1", latin)
