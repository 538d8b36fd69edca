"""Catalogues compile without the gettext programs, as Django reads them."""

import gettext
from pathlib import Path

import pytest
from babel.messages.pofile import PoFileError

from config.messages import LOCALE, compile_catalogue

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n'


def catalogue(folder: Path, text: str) -> Path:
    path = folder / "ko" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + text, encoding="utf-8")
    return path


def test_a_catalogue_is_compiled_beside_its_source(tmp_path: Path) -> None:
    text = '\nmsgid "Works"\nmsgstr "저작물"\n\n#, fuzzy\nmsgid "Guess"\nmsgstr "추측"\n\nmsgctxt "verb"\nmsgid "Use"\nmsgstr "이용"\n'
    target = compile_catalogue(catalogue(tmp_path, text))
    with target.open("rb") as stream:
        read = gettext.GNUTranslations(stream)
    assert read.gettext("Works") == "저작물"
    assert read.pgettext("verb", "Use") == "이용"
    assert read.gettext("Guess") == "Guess", "a fuzzy entry is no translation"
    assert [path.name for path in target.parent.iterdir() if path.suffix not in (".po", ".mo")] == []


def test_a_broken_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PoFileError):
        compile_catalogue(catalogue(tmp_path, '\nmsgid "Works"\nrubbish\n'))


@pytest.mark.parametrize("source", sorted(LOCALE.glob("*/LC_MESSAGES/*.po")), ids=str)
def test_the_projects_catalogues_compile(source: Path) -> None:
    assert compile_catalogue(source).read_bytes()
