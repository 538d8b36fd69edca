"""The pages and the API of sites, and files that people hand in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.permissions.models import FoundSignal, Reservation, Site
from licensing.permissions.services import handing_in
from licensing.repertoire.models import Holder, Representation, Share, Work
from tests.accounts import people
from tests.licensing import site_web
from tests.licensing.site_web import ALL, BUT_PRESS, PAGE, TDMREP, Web, proved, read

pytestmark = pytest.mark.django_db
web = site_web.web
RESERVED = b'[{"location": "/", "tdm-reservation": 1}]'


@pytest.fixture
def society() -> Organisation:
    return people.organisation("KOLAA", "society")


@pytest.fixture
def holder(society: Organisation) -> Holder:
    return Holder.objects.create(society=society, ref="H-1", name="Kim")


@pytest.fixture
def work(society: Organisation, holder: Holder) -> Work:
    work = Work.objects.create(society=society, ref="W-1", kind="book", title="Poems")
    Share.objects.create(work=work, holder=holder, ppm=1_000_000, valid=("2020-01-01", None))
    return work


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def creator(society: Organisation, holder: Holder) -> Client:
    user = User.objects.create_user(email="kim@example.org", password="pw")
    Representation.objects.create(user=user, holder=holder)
    return _client(user)


@pytest.fixture
def keeper(society: Organisation) -> Client:
    return _client(people.person(society, "repertoire"))


@pytest.fixture
def stranger() -> Client:
    user = User.objects.create_user(email="lee@example.org", password="pw")
    other = Holder.objects.create(society=people.organisation("OTHER", "society"), ref="H-1", name="Lee")
    Representation.objects.create(user=user, holder=other)
    return _client(user)


def _text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_member_adds_a_site_and_reads_how_to_prove_it(creator: Client) -> None:
    assert "No sites yet" in _text(creator.get("/sites/"))
    answer = creator.post("/sites/new/", {"host": "HTTPS://Example.com/", "holder": str(Holder.objects.get().pk)})
    site = Site.objects.get()
    assert answer["Location"] == f"/sites/{site.pk}/"
    shown = _text(creator.get(answer["Location"]))
    assert "https://example.com/.well-known/jeongsan-proof.txt" in shown and site.token in shown
    assert f"&lt;meta name=&quot;jeongsan-proof&quot; content=&quot;{site.token}&quot;&gt;" in shown
    assert "example.com" in _text(creator.get("/sites/"))


def test_a_wrong_host_is_said_at_its_field(creator: Client) -> None:
    shown = _text(creator.post("/sites/new/", {"host": "10.0.0.1", "holder": str(Holder.objects.get().pk)}))
    assert "This is no host" in shown and not Site.objects.exists()


def test_the_page_shows_what_each_signal_means_and_how_it_changed(holder: Holder, creator: Client, web: Web) -> None:
    site = proved(holder)
    web.put(TDMREP, ALL)
    web.put(PAGE, (200, {"content-usage": "train-ai=n"}, b"<b>ignored</b>"))
    read(site)
    web.put(TDMREP, BUT_PRESS)
    read(site)
    shown = _text(creator.get(f"/sites/{site.pk}/"))
    signal = FoundSignal.objects.get(source="tdmrep", ended_at=None)
    for text in (
        "the whole site", "/press/", "All AI use", "Training", signal.sha256, "tdmrep-2024", "Earlier versions",
        "What changed then", "+[{&quot;location&quot;: &quot;/press/&quot;",
    ):  # fmt: skip
        assert text in shown, text


def test_what_was_found_is_never_shown_as_markup(holder: Holder, creator: Client, web: Web) -> None:
    site = proved(holder)
    web.put(TDMREP, b'[{"location": "/<script>alert(1)</script>", "tdm-reservation": 1}]')
    web.put(PAGE, (200, {"content-usage": "<script>alert(2)</script>"}, b""))
    read(site)
    assert "<script>alert" not in _text(creator.get(f"/sites/{site.pk}/"))
    signal = FoundSignal.objects.filter(source="tdmrep").get()
    raw = creator.get(f"/sites/signals/{signal.pk}/raw")
    assert raw.content == bytes(signal.raw) and raw["Content-Disposition"].startswith("attachment")


def test_problems_are_said_in_words(holder: Holder, creator: Client, web: Web) -> None:
    site = proved(holder)
    web.put(TDMREP, "too_slow")
    read(read(site))
    shown = _text(creator.get(f"/sites/{site.pk}/"))
    assert "answered too slowly" in shown and "In 2 readings in a row." in shown


def test_what_was_not_understood_is_said_in_the_readers_language(holder: Holder, creator: Client, web: Web) -> None:
    site = proved(holder)
    web.put(PAGE, (200, {"content-usage": "train-ai=n, bogus=y"}, b""))
    read(site)
    assert "bogus" in _text(creator.get(f"/sites/{site.pk}/"))
    korean = _text(creator.get(f"/sites/{site.pk}/", headers={"Accept-Language": "ko"}))
    assert "bogus" in korean and "Content-Usage knows no" not in korean


def test_strangers_find_nothing(holder: Holder, stranger: Client, web: Web) -> None:
    site = proved(holder)
    web.put(TDMREP, ALL)
    read(site)
    signal = FoundSignal.objects.get()
    for address in (f"/sites/{site.pk}/", f"/sites/{site.pk}/outputs/", f"/sites/signals/{signal.pk}/raw"):
        assert stranger.get(address).status_code == 404
    for act in ("read", "mark", "take-back"):
        assert stranger.post(f"/sites/{site.pk}/{act}/").status_code == 404


def test_staff_check_a_site_themselves_and_take_it_back(holder: Holder, creator: Client, keeper: Client) -> None:
    site = Site.objects.create(society=holder.society, holder=holder, host="example.com", token="t" * 32)
    assert creator.post(f"/sites/{site.pk}/mark/").status_code == 403
    keeper.post(f"/sites/{site.pk}/mark/")
    site.refresh_from_db()
    assert site.proof == "staff"
    keeper.post(f"/sites/{site.pk}/take-back/")
    site.refresh_from_db()
    assert site.proved_at is None


def test_read_now_is_asked_for_once_a_minute(holder: Holder, creator: Client, web: Web) -> None:
    site = read(proved(holder))
    back = {"Referer": f"http://testserver/sites/{site.pk}/"}
    answer = creator.post(f"/sites/{site.pk}/read/", headers=back, follow=True)
    assert "less than a minute ago" in _text(answer)


def test_each_text_is_shown_with_its_place_and_download(work: Work, holder: Holder, creator: Client) -> None:
    site = proved(holder)
    for address in (f"/sites/{site.pk}/outputs/", f"/works/{work.pk}/outputs/", f"/members/{holder.pk}/outputs/"):
        shown = _text(creator.get(address))
        assert "Nothing is reserved." in shown and "tdmrep.json?download" in shown
    download = creator.get("/signals/sites/example.com/tdmrep.json?download")
    assert download["Content-Disposition"] == 'attachment; filename="tdmrep.json"'


# --- Handing in


def _hand_in(client: Client, **given: Any) -> Any:
    return client.post(
        "/sites/hand-in/", {"holder": str(Holder.objects.get().pk), "about": "work", "which": "W-1"} | given
    )


def _looked_at(answer: Any) -> str:
    found = re.search(r'name="looked_at" value="([^"]+)"', answer.content.decode())
    assert found, answer.content.decode()
    return found[1]


def test_a_text_is_shown_as_understood_before_anything_is_reserved(work: Work, creator: Client) -> None:
    looked = _hand_in(creator, text="Content-Usage: train-ai=n")
    assert "Training" in _text(looked) and not Reservation.objects.exists() and not FoundSignal.objects.exists()
    answer = creator.post("/sites/hand-in/", {"looked_at": _looked_at(looked)})
    made = Reservation.objects.get()
    assert answer["Location"] == f"/reservations/{made.ref}/"
    assert (made.work, made.status, made.source, sorted(made.uses)) == (
        work,
        "effective",
        "signal",
        ["finetune", "train"],
    )
    assert made.signal and made.signal.holder == work.shares.get().holder


def test_a_file_is_read_by_what_it_holds(work: Work, creator: Client) -> None:
    file = SimpleUploadedFile("terms.bin", b'{"iscc": "ISCC:KACT4EBWK27737D2", "train-ai": "false"}')
    looked = _hand_in(creator, about="identifier", which="iscc:KACT4EBWK27737D2", file=file)
    creator.post("/sites/hand-in/", {"looked_at": _looked_at(looked)})
    made = Reservation.objects.get()
    # Whose fingerprint it is has still to be checked; it counts all the same.
    assert (made.scheme, made.value, made.status) == ("iscc", "KACT4EBWK27737D2", "received")
    assert Reservation.objects.counting(timezone.now()).exists()


def test_a_declaration_for_another_fingerprint_reserves_nothing_of_this_one(creator: Client) -> None:
    file = SimpleUploadedFile("a.json", b'{"iscc": "ISCC:KACT4EBWK27737D2", "train-ai": "false"}')
    assert "Nothing is reserved by it." in _text(
        _hand_in(creator, about="identifier", which="iscc:KACYPXW445FTYNJ3", file=file)
    )


@pytest.mark.parametrize(("is_proved", "status"), [(True, "effective"), (False, "received")])
def test_a_file_about_a_site_reserves_each_of_its_locations(
    holder: Holder, creator: Client, is_proved: bool, status: str
) -> None:
    if is_proved:
        proved(holder)
    looked = _hand_in(creator, about="place", which="example.com", text=BUT_PRESS.decode())
    creator.post("/sites/hand-in/", {"looked_at": _looked_at(looked)})
    made = Reservation.objects.get()
    assert (made.place, made.excepting, made.status) == ("example.com", ["/press/"], status)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "hello"}, "We know no signal in this form"),
        ({"text": ""}, "one of the two"),
        ({"text": "Content-Usage: train-ai=n", "which": "W-9"}, "There is no work of yours"),
        ({"text": "Content-Usage: train-ai=n", "about": "place", "which": "co.kr"}, "This is no web address"),
        ({"text": "Content-Usage: train-ai=n", "about": "identifier", "which": "x"}, "with its scheme"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_made(
    work: Work, creator: Client, given: dict[str, str], said: str
) -> None:
    assert said in _text(_hand_in(creator, **given))
    assert not FoundSignal.objects.exists() and not Reservation.objects.exists()


def test_what_was_looked_at_is_put_on_record_by_who_looked_at_it(work: Work, creator: Client, keeper: Client) -> None:
    looked_at = _looked_at(_hand_in(creator, text="Content-Usage: train-ai=n"))
    for client, passed in ((keeper, looked_at), (creator, looked_at + "x")):
        assert client.post("/sites/hand-in/", {"looked_at": passed})["Location"] == "/sites/hand-in/"
    assert not Reservation.objects.exists()


def test_a_file_that_is_too_large_is_not_kept(work: Work, creator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing_in, "MOST_BYTES", 10)
    assert "larger than 10 bytes" in _text(_hand_in(creator, text="Content-Usage: train-ai=n"))


# --- API


def _api(client: Client, method: str, address: str, body: dict[str, Any] | None = None) -> Any:
    options: dict[str, Any] = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(f"/api/v1/sites/{address}", **options)


@pytest.fixture
def program(society: Organisation) -> Client:
    text = people.token(society, "sites.manage")[1]
    return Client(headers={"Authorization": f"Bearer {text}"})


def test_programs_keep_sites_and_see_their_signals(holder: Holder, program: Client, web: Web) -> None:
    made = _api(program, "post", "", {"host": "example.com", "holder_ref": "H-1"})
    assert made.status_code == 201 and made.json()["proof_file"].startswith("https://example.com/.well-known/")
    site = Site.objects.get()
    assert _api(program, "post", "", {"host": "example.com", "holder_ref": "H-1"}).json()["id"] == site.pk
    web.put(TDMREP, RESERVED)
    read(site)
    [shown] = _api(program, "get", f"{site.pk}/signals/").json()["results"]
    assert shown["source"] == "tdmrep" and shown["text"] == RESERVED.decode()
    assert shown["statements"][0]["location"] == "/" and len(shown["statements"][0]["reserved"]) == 5
    assert [each["host"] for each in _api(program, "get", "").json()["results"]] == ["example.com"]


def test_programs_read_a_site_once_a_minute(holder: Holder, program: Client, web: Web) -> None:
    site = read(proved(holder))
    assert _api(program, "post", f"{site.pk}/read/").json()["code"] == "read_just_now"
    Site.objects.update(fetched_at=None)
    assert _api(program, "post", f"{site.pk}/read/").status_code == 202


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"host": "co.kr", "holder_ref": "H-1"}, "/host"),
        ({"host": "a.kr"}, "/holder_ref"),
        ({"host": "a.kr", "holder_ref": "?"}, "/holder_ref"),
    ],
)  # fmt: skip
def test_programs_are_told_what_is_wrong(holder: Holder, program: Client, body: dict[str, str], pointer: str) -> None:
    answer = _api(program, "post", "", body)
    assert answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == pointer


def test_a_test_token_keeps_no_sites(holder: Holder, society: Organisation) -> None:
    text = people.token(society, "sites.manage", sandbox=True)[1]
    client = Client(headers={"Authorization": f"Bearer {text}"})
    assert _api(client, "post", "", {"host": "example.com", "holder_ref": "H-1"}).status_code == 403
    assert not Site.objects.exists()
