"""Sources of signals, and what went wrong while reading them, as people say it."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

SOURCES: Final[dict[str, Any]] = {
    "robots": _("robots.txt: crawlers turned away, and preferences"),
    "content-usage": _("Content-Usage preference (AIPREF)"),
    "content-signal": _("Content-Signal preference"),
    "tdmrep": _("TDM reservation file (tdmrep.json)"),
    "tdmrep-header": _("TDM reservation header"),
    "tdmrep-meta": _("TDM reservation in the page"),
    "epub": _("TDM reservation in an EPUB book"),
    "pdf": _("TDM reservation in a PDF document"),
    "rsl": _("RSL licence document"),
    "c2pa": _("content credentials (CAWG, C2PA)"),
    "tdmai": _("TDM·AI declaration"),
}

# Of a reading: what it means, and what to do.
PROBLEMS: Final[dict[str, Any]] = {
    "unreachable": _("The site did not answer. Nothing changes until it does."),
    "too_slow": _("The site answered too slowly. Nothing changes until it can be read."),
    "server_error": _("The site answered with an error of its own. Nothing changes until it can be read."),
    "refused": _("The site refuses to be read by us. Let our reader in, or nothing can be learnt from it."),
    "elsewhere": _("The address leads to another site, which is not read. Register that one as well."),
    "too_large": _("The document is too large to be read."),
    "refused_address": _("The name leads to an address inside a private network, which is never read."),
    "too_many_redirects": _("The address leads on and on. Nothing changes until it can be read."),
    "bad_address": _("This is no web address."),
    "other_server": _("The licence document lies on another server, which is not read. Put it on the site itself."),
    "too_many": _("There are more licence documents than are read. The first ones count."),
    "missing": _("It was not found this time. If the next reading does not find it either, its reservations end."),
    "not_understood": _("What is there now is not understood. What was understood last still counts."),
    "proved_by_another": _("Another member has proved this host. The society looks into it."),
    "bad_proof": _("The proof file is there, but holds another token."),
}

# Texts for a holder's own site: what each is, and where it goes.
OUTPUTS: Final[dict[str, tuple[Any, Any]]] = {
    "robots.txt": (
        _("Lines for robots.txt"),
        _("Add these lines to the file robots.txt at the top of your site. Crawlers read it first."),
    ),
    "tdmrep.json": (
        _("File tdmrep.json"),
        _(
            "Put this file on your site as /.well-known/tdmrep.json. It is how European law’s opt-out is said to machines."
        ),
    ),
    "policy.json": (
        _("Terms that the reservation points to"),
        _("It stays here: tdmrep.json points to it. It says that mining needs consent and is paid for."),
    ),
    "head.html": (
        _("Lines for the head of each page"),
        _("Paste these lines into the head of your pages, for instance in your blog’s template."),
    ),
    "content-usage.txt": (
        _("Value of the Content-Usage header"),
        _("Have your server send the header Content-Usage with this value. Whoever runs your server can set it."),
    ),
    "rsl.xml": (
        _("RSL licence document"),
        _(
            "Put this file on your site and name it in robots.txt with a line “License:” and its address. It points to the tariff."
        ),
    ),
    "cawg.json": (
        _("Assertion for content credentials"),
        _(
            "Give this file to the program with which you sign pictures, sound or films. The reservation then travels with them."
        ),
    ),
    "tdmai.json": (
        _("TDM·AI declaration"),
        _("It is bound to the fingerprint of the work (its ISCC), wherever a copy of it lies."),
    ),
}


def source_said(source: str) -> str:
    """The kind of a signal in words."""
    return str(SOURCES.get(source, source))


def place_said(location: str) -> str:
    """Where a statement speaks: the whole site, this file, or its pattern of paths as it is."""
    if location == "":
        return gettext("this file")
    if location in ("/", "/*"):
        return gettext("the whole site")
    if location == "/$":
        return gettext("the first page alone")
    return location
