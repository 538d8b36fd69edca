"""What headers, TDMRep files, pages, RSL documents, assertions and declarations reserve: the decision tables of each."""

import json

import pytest

from licensing.signals import cawg, content_usage, markup, rsl, tdmai, tdmrep
from licensing.signals.core import EVERYTHING, Statement

TRAIN = frozenset({"train", "finetune"})
GROUND = frozenset({"ground"})
INDEX = frozenset({"index"})
EVALUATE = frozenset({"evaluate"})
NONE: frozenset[str] = frozenset()


def only(signal):
    """What the one statement of a signal reserves and allows; None, where it says nothing."""
    return (signal.statements[0].reserved, signal.statements[0].allowed) if signal.statements else None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("train-ai=n", (TRAIN, NONE)),
        ("train-ai=n, search=y", (TRAIN, INDEX)),
        ("train-ai=y, search=n", (INDEX, TRAIN)),
        # The tokens y and n are the only values; of a repeated word the last counts.
        ('train-ai=y, train-ai, search=n, search="n"', None),
        ("train-ai;allow=n, train-ai=y", (NONE, TRAIN)),
        ('train-ai;has;parameters="?";', None),
        ("train-ai=?0, search=0", None),
        ("train-ai=no", None),
        ("train-ai=(n)", None),
        # Words in capitals make it no dictionary; unknown words are passed over.
        ("Train-AI=n", None),
        ("future=n, train-ai=n", (TRAIN, NONE)),
        ("train-ai=n;since=2026", (TRAIN, NONE)),
        # Words of older drafts: their no counts.
        ("train-genai=n", (TRAIN, NONE)),
        ("ai-use=n", (GROUND, NONE)),
        ("bots=n", (EVERYTHING, NONE)),
        ("bots=y", None),
        ("", None),
    ],
)
def test_content_usage(value, said):
    assert only(content_usage.read(value.encode())) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("search=yes, ai-train=no", (TRAIN, INDEX)),
        ("ai-input=no", (GROUND, NONE)),
        ("search=yes,ai-input=yes,ai-train=yes", (NONE, TRAIN | GROUND | INDEX)),
        ("Search = No", (INDEX, NONE)),
        ("ai-train=yes, ai-train=no", (TRAIN, NONE)),
        ("ai-train=maybe, other=no", None),
    ],
)
def test_content_signal(value, said):
    assert only(content_usage.read_signal(value.encode())) == said


@pytest.mark.parametrize(
    ("rules", "path", "reserved"),
    [
        ([{"location": "/", "tdm-reservation": 1}], "/a", EVERYTHING),
        ([{"location": "/", "tdm-reservation": 0}], "/a", NONE),
        # The first rule that covers a path wins, whatever follows.
        ([{"location": "/a/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}], "/a/b", NONE),
        ([{"location": "/", "tdm-reservation": 1}, {"location": "/a/", "tdm-reservation": 0}], "/a/b", EVERYTHING),
        ([{"location": "/*.jpg$", "tdm-reservation": 1}], "/x/y.jpg", EVERYTHING),
        ([{"location": "/*.jpg$", "tdm-reservation": 1}], "/x/y.jpg?z", None),
        ([{"location": "/b/*", "tdm-reservation": 1}], "/b/1", EVERYTHING),
        ([{"location": "/b/*", "tdm-reservation": 1}], "/c", None),
        ([{"location": "b/", "tdm-reservation": 1}], "/b/1", EVERYTHING),
        ([{"location": "https://e.example/b/", "tdm-reservation": 1}], "/b/1", EVERYTHING),
        # Any other value is not set, and the next rule may speak.
        ([{"location": "/", "tdm-reservation": 2}], "/a", None),
        ([{"location": "/", "tdm-reservation": True}], "/a", None),
        ([{"location": "/", "tdm-reservation": 1.0}], "/a", None),
        ([{"location": "/", "tdm-reservation": "0"}], "/a", None),
        ([{"location": "/", "tdm-reservation": "1"}], "/a", EVERYTHING),
        ([{"location": "/", "tdm-reservation": 2}, {"location": "/", "tdm-reservation": 1}], "/a", EVERYTHING),
        ([{"location": "/"}], "/a", None),
        ([{"tdm-reservation": 1}], "/a", None),
        ({"location": "/", "tdm-reservation": 1}, "/a", EVERYTHING),
        ([1, None, "x", {"location": "/", "tdm-reservation": 1}], "/a", EVERYTHING),
        ("nonsense", "/a", None),
        ([], "/a", None),
    ],
)
def test_tdmrep_file(rules, path, reserved):
    statement = tdmrep.read(json.dumps(rules).encode()).speaks(path)
    assert (statement.reserved if statement else None) == reserved


def test_a_tdmrep_policy_is_kept_where_there_is_a_reservation():
    rules = [
        {"location": "/a", "tdm-reservation": 1, "tdm-policy": "https://e.example/terms.json"},
        {"location": "/b", "tdm-reservation": 0, "tdm-policy": "https://e.example/terms.json"},
        {"location": "/c", "tdm-reservation": 1, "tdm-policy": "javascript:alert(1)"},
    ]
    assert [each.policy for each in tdmrep.read(json.dumps(rules).encode()).statements] == [
        "https://e.example/terms.json",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"TDM-Reservation": "1"}, (EVERYTHING, NONE)),
        ({"tdm-reservation": " 0 "}, (NONE, EVERYTHING)),
        ({"tdm-reservation": "yes"}, None),
        ([("tdm-reservation", "0"), ("tdm-reservation", "1")], (EVERYTHING, NONE)),
    ],
)
def test_tdmrep_headers(headers, said):
    assert only(tdmrep.read_headers(headers)) == said


def test_an_answer_without_tdmrep_headers_makes_no_signal():
    assert tdmrep.read_headers({"content-type": "text/html"}) is None


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ('<html><head><meta name="tdm-reservation" content="1"></head></html>', (EVERYTHING, NONE)),
        ("<META NAME=TDM-RESERVATION CONTENT=1>", (EVERYTHING, NONE)),
        ('<meta name="tdm-reservation" content="0">', (NONE, EVERYTHING)),
        ('<meta name="tdm-reservation" content="2">', None),
        ('<meta name="tdm-reservation">', None),
    ],
)
def test_tdmrep_in_a_page(page, said):
    assert only(markup.read(page.encode())) == said


def test_the_policy_of_a_page_is_kept_and_a_page_without_makes_no_signal():
    page = b'<meta name="tdm-reservation" content="1"><meta name="tdm-policy" content="/terms.json">'
    assert markup.read(page).statements[0].policy == "/terms.json"
    assert (
        markup.read(b"<html><p>tdm-reservation: 1</p><!-- <meta name='tdm-reservation' content='1'> --></html>") is None
    )


def document(inner, url="/", attributes=""):
    return (
        f'<rsl xmlns="https://rslstandard.org/rsl"><content url="{url}" {attributes}>{inner}</content></rsl>'.encode()
    )


def usage(kind, words):
    return f'<{kind} type="usage">{words}</{kind}>'


PAID = '<payment type="subscription"><amount currency="USD">100</amount></payment>'
FREE = '<payment type="free"/>'


@pytest.mark.parametrize(
    ("licences", "reserved", "allowed"),
    [
        # What is prohibited is reserved; of the rest such a licence says nothing.
        (usage("prohibits", "ai-train"), TRAIN, NONE),
        (usage("prohibits", "ai-input"), GROUND, NONE),
        (usage("prohibits", "ai-index"), INDEX, NONE),
        (usage("prohibits", "search"), INDEX, NONE),
        (usage("prohibits", "ai-train ai-input"), TRAIN | GROUND, NONE),
        (usage("prohibits", "ai-all"), EVERYTHING, NONE),
        (usage("prohibits", "all"), EVERYTHING, NONE),
        # A list of permitted usages leaves all others out.
        (usage("permits", "search"), EVERYTHING, NONE),
        (usage("permits", "ai-train"), EVERYTHING - TRAIN, TRAIN),
        (usage("permits", "ai-input ai-index"), TRAIN | EVALUATE, GROUND | INDEX),
        (usage("permits", "ai-all"), NONE, EVERYTHING),
        (usage("permits", "all") + FREE, NONE, EVERYTHING),
        (usage("permits", "all") + usage("prohibits", "ai-train"), TRAIN, EVERYTHING - TRAIN),
        # A permission on a condition is none for who has not met it.
        (usage("permits", "ai-all") + PAID, EVERYTHING, NONE),
        (usage("permits", "ai-train") + '<payment type="attribution"/>', EVERYTHING, NONE),
        (usage("permits", "ai-all") + "<payment><standard>https://c.example/l</standard></payment>", EVERYTHING, NONE),
        (usage("permits", "ai-all") + '<permits type="user">education</permits>', EVERYTHING, NONE),
        (usage("permits", "ai-all") + '<prohibits type="user">commercial</prohibits>', EVERYTHING, NONE),
        (usage("permits", "ai-all") + '<permits type="geo">us eu</permits>', EVERYTHING, NONE),
        (
            usage("permits", "ai-all")
            + '<permits type="user">commercial non-commercial education government personal</permits>',
            NONE,
            EVERYTHING,
        ),
        (PAID, EVERYTHING, NONE),
        (FREE, NONE, EVERYTHING),
        ("", NONE, NONE),
        # Words of drafts.
        (usage("prohibits", "train-ai"), TRAIN, NONE),
        (usage("permits", "train-ai") + '<payment type="royalty"/>', EVERYTHING, NONE),
        ("<prohibits>ai-train, ai-input</prohibits>", TRAIN | GROUND, NONE),
    ],
)
def test_one_rsl_licence(licences, reserved, allowed):
    statement = rsl.read(document(f"<license>{licences}</license>")).speaks("/a")
    assert (statement.reserved, statement.allowed) == (reserved, allowed)


@pytest.mark.parametrize(
    ("licences", "reserved", "allowed"),
    [
        # Licences are alternatives: what one permits freely is open, unless another prohibits it.
        (
            [usage("permits", "search ai-input") + FREE, usage("permits", "ai-train") + PAID],
            EVERYTHING - GROUND,
            GROUND,
        ),
        ([usage("permits", "ai-all") + FREE, usage("prohibits", "ai-train")], TRAIN, EVERYTHING - TRAIN),
        ([usage("permits", "ai-train") + PAID, usage("prohibits", "ai-train")], TRAIN, NONE),
    ],
)
def test_several_rsl_licences(licences, reserved, allowed):
    inner = "".join(f"<license>{each}</license>" for each in licences)
    statement = rsl.read(document(inner)).speaks("/a")
    assert (statement.reserved, statement.allowed) == (reserved, allowed)


def test_rsl_a_licence_server_means_that_a_licence_is_needed_even_if_it_is_free():
    inner = f"<license>{usage('permits', 'all')}{FREE}</license>"
    assert rsl.read(document(inner, attributes='server="https://s.example/olp"')).speaks("/").reserved == EVERYTHING


def test_rsl_a_prohibited_country_is_the_territory():
    signal = rsl.read(document('<license><prohibits type="geo">kr</prohibits></license>'))
    assert (signal.speaks("/").reserved, signal.speaks("/").territory) == (EVERYTHING, ("KR",))


def test_rsl_the_longest_url_speaks_and_terms_are_kept():
    raw = (
        '<rsl xmlns="https://rslstandard.org/rsl">'
        f'<content url="/"><license>{usage("prohibits", "ai-train")}</license></content>'
        f'<content url="https://e.example/open/*"><terms>https://e.example/t</terms><license>{FREE}</license></content>'
        f'<content url="https://other.example/"><license>{usage("prohibits", "all")}</license></content>'
        f"<content><license>{usage('prohibits', 'all')}</license></content>"
        '<content url="/silent/"/></rsl>'
    ).encode()
    signal = rsl.read(raw, host="e.example")
    assert signal.speaks("/a").reserved == TRAIN
    assert signal.speaks("/open/1").reserved == NONE
    assert signal.speaks("/open/1").policy == "https://e.example/t"
    assert signal.speaks("/silent/1").reserved == TRAIN
    assert len(signal.problems) == 3


def test_rsl_in_a_feed_is_found_by_its_namespace():
    feed = (
        '<rss xmlns:rsl="https://rslstandard.org/rsl" version="2.0"><channel><item>'
        '<rsl:content url="/a"><rsl:license><rsl:prohibits type="usage">ai-train</rsl:prohibits></rsl:license></rsl:content>'
        "</item></channel></rss>"
    )
    assert rsl.read(feed.encode()).speaks("/a").reserved == TRAIN


def test_where_rsl_documents_are_found():
    page = (
        b'<html><head><link rel="license" type="application/rsl+xml" href="/license.xml">'
        b'<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">'
        b'<link rel="LICENSE nofollow" type="application/rsl+xml; charset=utf-8" href="/two.xml">'
        b'<script type="application/rsl+xml"><rsl xmlns="https://rslstandard.org/rsl"><content url="/x"><license>'
        b'<prohibits type="usage">ai-train</prohibits></license></content></rsl></script></head></html>'
    )
    assert rsl.links_in_page(page) == ["/license.xml", "/two.xml"]
    assert [rsl.read(each).speaks("/x").reserved for each in rsl.inline(page)] == [TRAIN]
    assert rsl.links_in_header(
        '<https://e.example/l.xml>; rel="license"; type="application/rsl+xml", </cc>; rel="license", '
        "<l2.xml>; type=application/rsl+xml; rel=license"
    ) == ["https://e.example/l.xml", "l2.xml"]
    assert rsl.links_in_header("<" * 20_000) == []


def assertion(**entries):
    return {
        "label": "cawg.training-mining",
        "data": {"entries": {f"cawg.{word}": answer for word, answer in entries.items()}},
    }


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (assertion(ai_training={"use": "notAllowed"}), (TRAIN, NONE)),
        (assertion(ai_generative_training={"use": "notAllowed"}, ai_training={"use": "allowed"}), (TRAIN, NONE)),
        (assertion(ai_inference={"use": "notAllowed"}, data_mining={"use": "allowed"}), (GROUND, INDEX)),
        (assertion(data_mining={"use": "constrained", "constraint_info": "ask us"}), (INDEX, NONE)),
        (assertion(ai_inference={"use": "perhaps"}, other={"use": "notAllowed"}), None),
        ({"entries": {"cawg.ai_inference": {"use": "notAllowed"}}}, (GROUND, NONE)),
        (
            {"label": "c2pa.training-mining", "data": {"entries": {"c2pa.data_mining": {"use": "notAllowed"}}}},
            (INDEX, NONE),
        ),
        ({"assertions": [assertion(ai_inference={"use": "notAllowed"}), {"label": "c2pa.actions"}]}, (GROUND, NONE)),
        # What an ingredient reserves counts for the whole.
        (
            {
                "active_manifest": "b",
                "manifests": {
                    "a": {"assertions": [assertion(ai_training={"use": "notAllowed"})]},
                    "b": {"assertions": [assertion(ai_training={"use": "allowed"}, ai_inference={"use": "allowed"})]},
                },
            },
            (TRAIN, GROUND),
        ),
        ({"entries": []}, None),
        ([], None),
        ("text", None),
    ],
)
def test_training_and_data_mining_assertions(document, said):
    assert only(cawg.read(json.dumps(document).encode())) == said


def test_an_assertion_of_the_older_kind_is_named_so_and_terms_are_kept():
    old = {"label": "c2pa.training-mining", "data": {"entries": {"c2pa.ai_training": {"use": "notAllowed"}}}}
    assert cawg.read(json.dumps(old).encode()).vocabulary == "c2pa-1.0"
    terms = assertion(ai_training={"use": "constrained", "constraint_info": "https://e.example/t"})
    signal = cawg.read(json.dumps(terms).encode())
    assert (signal.vocabulary, signal.statements[0].policy) == ("cawg-1.1", "https://e.example/t")


ISCC = "ISCC:KACT4EBWK27737D2AYCJRAL5Z36G76RFRMO4554RU26HZ4ORJGIVHDI"


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"train-ai": "false"}, (TRAIN, NONE)),
        ({"train-genai": "false"}, (TRAIN, NONE)),
        ({"train-genai": "true", "train-ai": "false"}, (TRAIN, NONE)),
        ({"ai-use": "false", "search": "true"}, (GROUND, INDEX)),
        ({"search": "false"}, (INDEX, NONE)),
        # "all" reserves everything but what lies outside of it and is open by its own word.
        ({"all": "false"}, (EVERYTHING, NONE)),
        ({"all": "false", "ai-use": "true", "search": "true"}, (TRAIN | EVALUATE, GROUND | INDEX)),
        ({"all": "true", "train-genai": "false"}, (TRAIN, EVERYTHING - TRAIN)),
        ({"all": False}, (EVERYTHING, NONE)),
        ({"train-ai": "n"}, (TRAIN, NONE)),
        ({"tdm-reservation": 1}, (EVERYTHING, NONE)),
        ({"tdm-reservation": 0}, (NONE, EVERYTHING)),
        ({"all": "no"}, None),
        ({}, None),
    ],
)
def test_tdmai_declarations(declared, said):
    signal = tdmai.read(json.dumps({"version": "1.0", "iscc": ISCC, "intent": "activate"} | declared).encode())
    assert only(signal) == said
    assert all(each.location == ISCC for each in signal.statements)


def test_a_tdmai_declaration_speaks_of_its_work_alone():
    signal = tdmai.read(json.dumps([{"iscc": ISCC, "all": "false"}, {"all": "false"}]).encode())
    assert signal.speaks(ISCC).reserved == EVERYTHING
    assert signal.speaks("/") is None
    assert len(signal.problems) == 1


def test_the_policy_that_a_reservation_points_to_is_an_offer_to_mine_on_conditions():
    policy = json.loads(
        tdmrep.write_policy(
            uid="https://e.example/tdm.json",
            assigner="https://society.example",
            name="Society",
            email="ai@society.example",
            page="https://society.example/tariffs/",
            targets=["https://e.example/"],
        )
    )
    assert (policy["@type"], policy["profile"]) == ("Offer", "http://www.w3.org/ns/tdmrep")
    assert policy["assigner"]["uid"] == "https://society.example"
    assert policy["assigner"]["vcard:hasEmail"] == "mailto:ai@society.example"
    [permission] = policy["permission"]
    assert permission["action"] == "tdm:mine" and permission["target"] == "https://e.example/"
    assert [duty["action"] for duty in permission["duty"]] == ["obtainConsent", "compensate"]
    free = json.loads(tdmrep.write_policy(uid="u", assigner="a", paid=False))
    assert free["permission"] == [{"action": "tdm:mine", "duty": [{"action": "obtainConsent"}]}]


def test_an_rsl_offer_names_the_tariff_and_reserves_until_it_is_met():
    offer = rsl.Offer(tariff="https://society.example/tariffs/WEB", server="https://society.example/olp")
    part = rsl.write([Statement("/", TRAIN)], offer=offer)
    assert rsl.read(part).speaks("/").reserved == TRAIN
    assert rsl.read(part).speaks("/").policy == offer.tariff
    assert b"server=" not in part
    whole = rsl.write([Statement("/", EVERYTHING)], offer=offer)
    assert rsl.read(whole).speaks("/").reserved == EVERYTHING
    assert b'server="https://society.example/olp"' in whole and offer.tariff.encode() in whole


def test_what_a_writer_puts_into_a_document_stays_text():
    hostile = Statement('/"><evil a="&\x00', EVERYTHING, policy='https://e.example/?a="><script>&b=1')
    assert rsl.read(rsl.write([hostile])).statements[0].reserved == EVERYTHING
    assert json.loads(tdmrep.write([hostile]))[0]["location"].startswith("/")
    assert markup.read(markup.write(tdmrep.write_headers([hostile])).encode()).statements[0].policy == hostile.policy
