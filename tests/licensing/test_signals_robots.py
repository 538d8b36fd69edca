"""What a robots.txt says about the use of a site's works by AI."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protego import Protego

from licensing.signals import robots
from licensing.signals.core import EVERYTHING
from licensing.signals.crawlers import crawlers

TRAIN = frozenset({"train", "finetune"})
GROUND = frozenset({"ground"})
INDEX = frozenset({"index"})


def reserved(text, path="/a"):
    statement = robots.read(text.encode()).speaks(path)
    return statement.reserved if statement else None


def allowed(text, path="/a"):
    statement = robots.read(text.encode()).speaks(path)
    return statement.allowed if statement else None


@pytest.mark.parametrize(
    ("crawler", "uses"),
    [
        ("GPTBot", TRAIN),
        ("CCBot", TRAIN),
        ("Google-Extended", TRAIN),
        ("ChatGPT-User", GROUND),
        ("Claude-User", GROUND),
        ("OAI-SearchBot", INDEX | GROUND),
        ("PerplexityBot", INDEX | GROUND),
        ("Claude-Web", TRAIN | GROUND | INDEX),
        ("Googlebot", None),
        ("bingbot", None),
    ],
)
def test_a_crawler_that_is_turned_away_says_what_it_would_have_come_for(crawler, uses):
    assert reserved(f"User-agent: {crawler}\nDisallow: /") == uses


@pytest.mark.parametrize(
    ("text", "path", "uses"),
    [
        # Everybody's group speaks to every crawler without one of its own, and to unknown ones: everything is reserved.
        ("User-agent: *\nDisallow: /", "/a", EVERYTHING),
        ("User-agent: *\nDisallow: /admin/", "/a", None),
        ("User-agent: *\nDisallow: /admin/", "/admin/1", EVERYTHING),
        ("User-agent: *\nDisallow:", "/a", None),
        ("User-agent: *\nAllow: /", "/a", None),
        # A crawler with a group of its own no longer follows everybody's, but others still do.
        ("User-agent: *\nDisallow: /\n\nUser-agent: GPTBot\nAllow: /", "/a", EVERYTHING),
        ("User-agent: *\nAllow: /\n\nUser-agent: GPTBot\nDisallow: /", "/a", TRAIN),
        # Of the rules of a group the longest speaks; of equal ones the one that lets in.
        ("User-agent: GPTBot\nDisallow: /\nAllow: /open/", "/open/1", frozenset()),
        ("User-agent: GPTBot\nDisallow: /\nAllow: /open/", "/closed", TRAIN),
        ("User-agent: GPTBot\nAllow: /\nDisallow: /books/", "/books/1", TRAIN),
        ("User-agent: GPTBot\nDisallow: /a\nAllow: /a", "/a", frozenset()),
        ("User-agent: GPTBot\nDisallow: /*.pdf$", "/x/y.pdf", TRAIN),
        ("User-agent: GPTBot\nDisallow: /*.pdf$", "/x/y.pdf?z", None),
        # Groups for the same crawler are one; several agents share the rules that follow.
        ("User-agent: GPTBot\nDisallow: /a\n\nUser-agent: gptbot\nDisallow: /b", "/b", TRAIN),
        ("User-agent: GPTBot\nUser-agent: ChatGPT-User\nDisallow: /", "/a", TRAIN | GROUND),
        ("User-agent: GPTBot\nUser-agent: Googlebot\nDisallow: /a", "/a", TRAIN),
        # Several crawlers: the most restrictive wins.
        ("User-agent: GPTBot\nAllow: /\n\nUser-agent: CCBot\nDisallow: /", "/a", TRAIN),
        # How people write.
        ("user-AGENT : GPTBot # theirs\r\ndisALLOW :/\r\n", "/a", TRAIN),
        ("\ufeffUser-agent: GPTBot\nDisallow: /", "/a", TRAIN),
        ("User-agent: GPTBot\rDisallow: /\r", "/a", TRAIN),
        ("User-agent: GPTBot/1.1\nDisallow: /", "/a", None),
        ("User-agent: GPTBot*\nDisallow: /", "/a", TRAIN),
        ("User-agent: GPTBot\nDisallow: books", "/books", TRAIN),
        ("User-agent: GPTBot\n\n\nDisallow: /", "/a", TRAIN),
        ("User-agent: GPTBot\nSitemap: https://e.example/s.xml\nDisallow: /", "/a", TRAIN),
        ("Disallow: /", "/a", None),
        ("", "/a", None),
    ],
)
def test_groups_and_rules(text, path, uses):
    assert reserved(text, path) == uses


def test_where_a_crawler_is_let_in_by_name_its_uses_are_not_reserved_and_that_is_said():
    assert allowed("User-agent: GPTBot\nDisallow:") == TRAIN
    assert allowed("User-agent: GPTBot\nDisallow: /\nAllow: /open/", "/open/1") == TRAIN
    # Letting everybody in is how the web works: it says nothing about AI.
    assert robots.read(b"User-agent: *\nAllow: /").statements == ()


@pytest.mark.parametrize(
    ("text", "path", "uses"),
    [
        ("User-Agent: *\nAllow: /\nContent-Usage: train-ai=n", "/a", TRAIN),
        ("User-Agent: *\nContent-Usage: train-ai=n\nContent-Usage: /ai-ok/ train-ai=y", "/ai-ok/1", frozenset()),
        ("User-Agent: *\nContent-Usage: train-ai=n\nContent-Usage: /ai-ok/ train-ai=y", "/test", TRAIN),
        # Equal paths: both count, and the most restrictive wins.
        ("User-Agent: *\nContent-Usage: /a train-ai=y\nContent-Usage: /a train-ai=n", "/a", TRAIN),
        ("User-Agent: *\nContent-Usage: /a train-ai=n\nContent-Usage: /a search=n", "/a", TRAIN | INDEX),
        # The longest path speaks alone, even where it is silent about a use.
        ("User-Agent: *\nContent-Usage: / train-ai=n\nContent-Usage: /b search=n", "/b", INDEX),
        # Every group's preferences count, whomever it is for.
        ("User-Agent: Googlebot\nContent-Usage: train-ai=n", "/a", TRAIN),
        ("User-Agent: *\nContent-Usage: train-ai=n\n\nUser-Agent: ExampleBot\nContent-Usage: train-ai=y", "/a", TRAIN),
        ("Content-Usage: train-ai=n", "/a", TRAIN),
        ("User-Agent: *\nContent-Usage: /books/\ttrain-ai=n", "/books/1", TRAIN),
        ("User-Agent: *\nContent-Usage: train-ai=n # all of it", "/a", TRAIN),
        ("User-Agent: *\nContent-Usage: train-ai=?0", "/a", None),
        ("User-Agent: *\nContent-Signal: search=yes, ai-input=no, ai-train=no", "/a", TRAIN | GROUND),
        ("User-Agent: *\nContent-Signal: /a search=no", "/a", INDEX),
        # Preferences and crawlers add up.
        ("User-Agent: *\nContent-Usage: search=n\n\nUser-agent: GPTBot\nDisallow: /b", "/b", TRAIN | INDEX),
        ("User-Agent: *\nContent-Usage: train-ai=y\n\nUser-agent: GPTBot\nDisallow: /", "/a", TRAIN),
    ],
)
def test_preferences_in_robots_txt(text, path, uses):
    assert reserved(text, path) == uses


def test_each_vocabulary_can_be_read_as_a_signal_of_its_own():
    text = b"User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nContent-Usage: search=n\nContent-Signal: ai-input=no\n"
    found = {signal.source: signal for signal in robots.read_all(text)}
    assert {source: each.speaks("/").reserved for source, each in found.items()} == {
        "robots": TRAIN,
        "content-usage": INDEX,
        "content-signal": GROUND,
    }
    assert [signal.source for signal in robots.read_all(b"User-agent: *\nDisallow:")] == ["robots"]


def test_licence_lines_are_found_in_and_outside_of_groups():
    text = b"License: https://a.example/l.xml\nUser-agent: GPTBot\nLicense: https://a.example/m.xml\nDisallow: /"
    assert robots.licences(text) == ["https://a.example/l.xml", "https://a.example/m.xml"]
    assert robots.read(text).speaks("/").policy == "https://a.example/l.xml"


plain = st.text(alphabet="ab/", max_size=4).map(lambda text: f"/{text}")
wild = plain | st.text(alphabet="ab/*", max_size=5).map(lambda text: f"/{text}")
names = st.sampled_from(["*", "GPTBot", "ChatGPT-User", "OAI-SearchBot", "CCBot", "Googlebot", "Ai2Bot"])


def files(of):
    rule = st.tuples(st.sampled_from(["Allow", "Disallow"]), of).map(lambda pair: f"{pair[0]}: {pair[1]}")
    group = st.tuples(st.lists(names, min_size=1, max_size=2, unique=True), st.lists(rule, min_size=1, max_size=4)).map(
        lambda pair: "\n".join([*(f"User-agent: {name}" for name in pair[0]), *pair[1]])
    )
    return st.lists(group, max_size=4).map("\n\n".join)


def by_the_crawlers_own_rules(text, path):
    """Protego answers for each crawler, as crawlers themselves would."""
    rules = Protego.parse(text)
    address = f"https://e.example{path}"
    found = [crawler.uses for crawler in crawlers() if not rules.can_fetch(address, crawler.name)]
    everybody = EVERYTHING if not rules.can_fetch(address, "some-unknown-thing") else frozenset()
    return everybody.union(*found)


@settings(max_examples=60)
@given(files(plain), st.text(alphabet="ab/", max_size=6).map(lambda text: f"/{text}"))
def test_what_is_reserved_is_what_the_crawlers_themselves_would_find_disallowed(text, path):
    assert (reserved(text, path) or frozenset()) == by_the_crawlers_own_rules(text, path)


@settings(max_examples=60)
@given(files(wild), st.text(alphabet="ab/", max_size=6).map(lambda text: f"/{text}"))
def test_with_wildcards_nothing_that_is_disallowed_is_missed(text, path):
    assert (reserved(text, path) or frozenset()) >= by_the_crawlers_own_rules(text, path)
