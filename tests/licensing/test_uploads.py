"""A large file in parts (tus 1.0.0): cut off anywhere it goes on there, and what is attached is what was sent."""

from __future__ import annotations

import datetime
import errno
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.access.models import Membership, Token
from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM, Forbidden, Refusal
from accounts.identity.models import User
from config.actors import actor_of_token
from licensing.declarations import services
from licensing.declarations.models import Declaration
from licensing.declarations.services import drafting, quotas
from licensing.declarations.tasks import finish_upload
from licensing.intake import objects, tus, uploads
from licensing.intake.models import StoredFile, Upload
from licensing.intake.services import keep, path_of
from tests.accounts import people
from tests.licensing.declaring import Firm, counts, declare, firm, lines
from tests.licensing.uploading import PART, TUS, begin, checksum, client, draft, offset, part, sha256

pytestmark = pytest.mark.django_db
DATA = lines(*(f"domain,news.example.co.kr,{n}" for n in range(1, 200)))


@pytest.fixture
def made() -> Firm:
    cache.clear()
    return firm()


@pytest.fixture
def program(made: Firm) -> Client:
    return client(made)


def parts_left() -> list[str]:
    return [key for key in objects.folders("parts") if Upload.objects.filter(key=key).exists()]


def test_a_server_says_what_it_can_to_anybody(made: Firm) -> None:
    for address in (f"/api/v1/declarations/{draft(made).pk}/uploads/", "/api/v1/uploads/anything/"):
        answer = Client().options(address)
        assert answer.status_code == 204
        assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
        assert set(answer["Tus-Extension"].split(",")) == {"creation", "checksum", "termination", "expiration"}
        assert answer["Tus-Checksum-Algorithm"] == "sha256,sha1"
        assert int(answer["Tus-Max-Size"]) > 0


def test_a_file_in_parts_is_attached_as_it_was_sent(made: Firm, program: Client) -> None:
    declaration = draft(made)
    answer = begin(program, declaration, len(DATA), filename="use.csv", sha256=sha256(DATA))
    assert answer.status_code == 201 and answer["Upload-Expires"].endswith("GMT")
    where = answer["Location"]
    for start in range(0, len(DATA), 1000):
        assert offset(program, where) == start
        piece = DATA[start : start + 1000]
        sent = part(program, where, start, piece, Upload_Checksum=checksum(piece, "sha1"))
        assert (sent.status_code, int(sent["Upload-Offset"])) == (204, start + len(piece))
    state = program.get(where).json()
    assert (state["status"], state["received"]) == ("done", len(DATA))
    file = declaration.files.get()
    assert state["file"] == file.file_id
    assert path_of(file.file).read_bytes() == DATA
    declaration.refresh_from_db()
    assert (declaration.status, declaration.sha256, file.file.name) == ("received", sha256(DATA), "use.csv")
    assert counts(services.process(declaration.pk)) == {"licensed": 199}
    assert offset(program, where) == len(DATA), "a client that missed the last answer finds nothing left to send"
    listed = program.get(f"/api/v1/declarations/{declaration.pk}/uploads/").json()["results"]
    assert [each["upload"] for each in listed] == [where.split("/")[-2]]


@given(cuts=st.lists(st.integers(1, len(DATA) - 1), max_size=6, unique=True))
@examples(max_examples=25, suppress_health_check=list(HealthCheck))
def test_wherever_it_is_cut_it_resumes_to_the_same_bytes(cuts: list[int], made: Firm, program: Client) -> None:
    declaration = draft(made, sandbox=False)
    Declaration.objects.exclude(pk=declaration.pk).update(sha256="")
    where = begin(program, declaration, len(DATA), filename="use.csv")["Location"]
    for end in sorted([*cuts, len(DATA)]):
        start = offset(program, where)
        assert part(program, where, start, DATA[start:end]).status_code == 204
    assert path_of(declaration.files.get().file).read_bytes() == DATA
    assert not StoredFile.objects.exclude(sha256=sha256(DATA)).exists()


def test_of_two_clients_at_one_offset_one_wins(made: Firm, program: Client) -> None:
    where = begin(program, draft(made), 6, filename="x")["Location"]
    assert part(program, where, 0, b"abc").status_code == 204
    late = part(program, where, 0, b"xyz")
    assert (late.status_code, late.json()["code"]) == (409, "wrong_offset")
    assert part(program, where, 4, b"f").status_code == 409
    assert offset(program, where) == 3


def test_a_part_with_another_checksum_is_sent_again(made: Firm, program: Client) -> None:
    where = begin(program, draft(made), len(DATA), filename="use.csv")["Location"]
    for sent, said in ((DATA[:100], DATA[:99]), (DATA[:50], DATA[:100])):
        answer = part(program, where, 0, sent, Upload_Checksum=checksum(said))
        assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
        assert offset(program, where) == 0
    for unknown in ("md5 eA==", "sha256 eA==", "sha256", "sha256 ?"):
        assert part(program, where, 0, DATA[:100], Upload_Checksum=unknown).status_code == 400
    assert part(program, where, 0, DATA[:100], Upload_Checksum=checksum(DATA[:100])).status_code == 204


def test_a_whole_with_another_digest_than_announced_is_refused(made: Firm, program: Client) -> None:
    declaration = draft(made)
    where = begin(program, declaration, len(DATA), filename="use.csv", sha256=sha256(b"other"))["Location"]
    answer = part(program, where, 0, DATA)
    assert (answer.status_code, answer.json()["code"]) == (460, "sha256_mismatch")
    assert not declaration.files.exists() and not StoredFile.objects.exists()
    assert program.head(where, headers=TUS).status_code == 410
    state = program.get(where).json()
    assert state["status"] == "failed" and sha256(DATA) in state["problem"]
    assert part(program, where, len(DATA), b"x").status_code == 410


def test_the_same_file_again_changes_nothing(made: Firm, program: Client) -> None:
    declaration = draft(made)
    for _again in range(2):
        where = begin(program, declaration, len(DATA), filename="use.csv")["Location"]
        assert part(program, where, 0, DATA).status_code == 204
        assert program.get(where).json()["status"] == "done"
    assert declaration.files.count() == StoredFile.objects.count() == 1


def test_what_a_declaration_refuses_is_said_at_the_last_part(made: Firm, program: Client) -> None:
    declare(made, DATA)
    where = begin(program, draft(made), len(DATA), filename="again.csv")["Location"]
    answer = part(program, where, 0, DATA)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_declared")
    assert program.get(where).json()["status"] == "failed"
    assert objects.has(hashlib.sha256(DATA).hexdigest(), len(DATA)), "another declaration has the same bytes"


def test_the_bytes_of_what_is_refused_do_not_stay(made: Firm, program: Client) -> None:
    declaration = draft(made)
    where = begin(program, declaration, len(DATA), filename="late.csv")["Location"]
    Declaration.objects.filter(pk=declaration.pk).update(status="submitted")
    assert part(program, where, 0, DATA).status_code == 409
    assert program.get(where).json()["status"] == "failed"
    assert not StoredFile.objects.exists() and not objects.has(hashlib.sha256(DATA).hexdigest(), len(DATA))


def test_a_file_that_comes_while_others_are_settled_waits_for_its_turn(made: Firm, program: Client) -> None:
    declaration = draft(made)
    where = begin(program, declaration, len(DATA), filename="use.csv")["Location"]
    Declaration.objects.filter(pk=declaration.pk).update(status="processing", step="match")
    assert part(program, where, 0, DATA).status_code == 204
    assert program.get(where).json()["status"] == "open"
    assert services.resume_uploads() == 0
    Declaration.objects.filter(pk=declaration.pk).update(status="processed", step="")
    assert services.resume_uploads() == 1
    assert declaration.files.get().file.sha256 == sha256(DATA)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Tus-Resumable": "0.2.2"}, 412),
        (TUS, 400),
        (TUS | {"Upload-Length": "-1"}, 400),
        (TUS | {"Upload-Length": "0"}, 400),
        (TUS | {"Upload-Length": "5", "Upload-Defer-Length": "1"}, 201),
        (TUS | {"Upload-Length": "5", "Upload-Metadata": "filename ?"}, 400),
        (TUS | {"Upload-Length": "5", "Upload-Metadata": "a YQ==,a YQ=="}, 400),
        (TUS | {"Upload-Length": "5", "Upload-Metadata": "path Li4veA=="}, 400),  # ../x
        (TUS | {"Upload-Length": "1" * 13}, 413),
    ],
)
def test_an_announcement_that_cannot_be(made: Firm, program: Client, headers: dict[str, str], status: int) -> None:
    answer = program.post(f"/api/v1/declarations/{draft(made).pk}/uploads/", headers=headers)
    assert answer.status_code == status, answer.content
    assert answer["Tus-Resumable"] == "1.0.0"
    assert (answer.get("Tus-Version") == "1.0.0") == (status == 412)
    assert Upload.objects.exists() == (status == 201)


def test_a_part_that_cannot_be(made: Firm, program: Client, settings: Any) -> None:
    settings.UPLOAD_MAX_PART_BYTES = 10
    where = begin(program, draft(made), 15, filename="x")["Location"]
    assert part(program, where, 0, b"x" * 11).json()["code"] == "part_too_large"
    assert part(program, where, 0, b"x" * 10).status_code == 204
    answer = part(program, where, 10, b"x" * 6)
    assert (answer.status_code, answer.json()["code"]) == (413, "beyond_the_end")
    headers = TUS | {"Upload-Offset": "10"}
    assert program.patch(where, b"x", content_type="text/csv", headers=headers).status_code == 415
    assert program.patch(where, b"x", content_type=PART, headers=TUS).status_code == 400
    assert program.patch(where, b"x", content_type=PART, headers={"Upload-Offset": "10"}).status_code == 400
    assert offset(program, where) == 10


def test_more_than_the_licence_may_send_is_refused_before_it_is_sent(made: Firm, program: Client) -> None:
    quotas.Quota.objects.create(licence=made.licence, most_bytes=100, most_rows=10)
    declaration = draft(made)
    answer = begin(program, declaration, 101, filename="x")
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_bytes")
    assert begin(program, declaration, 60, filename="x").status_code == 201
    assert begin(program, declaration, 60, filename="y").status_code == 413, "what is under way counts"


def test_a_full_disk_is_said_and_nothing_is_lost(made: Firm, program: Client, monkeypatch: Any) -> None:
    where = begin(program, draft(made), len(DATA), filename="use.csv")["Location"]
    part(program, where, 0, DATA[:500])

    def full(_out: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(objects, "flush", full)
        answer = part(program, where, 500, DATA[500:])
        assert (answer.status_code, answer.json()["code"]) == (507, "no_space")
    assert offset(program, where) == 500
    with monkeypatch.context() as patch:
        patch.setattr(objects, "put_content", lambda *_given: full(None))
        assert part(program, where, 500, DATA[500:]).status_code == 204, "all bytes are here for good"
    assert program.get(where).json()["status"] == "open"
    assert services.resume_uploads() == 1
    assert program.get(where).json()["status"] == "done"


def test_a_part_that_a_dead_server_left_is_written_over(made: Firm, program: Client, monkeypatch: Any) -> None:
    declaration = draft(made)
    where = begin(program, declaration, len(DATA), filename="use.csv")["Location"]
    put = objects.put

    def dies(temporary: Path, name: str) -> None:
        put(temporary, name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(objects, "put", dies)
        with pytest.raises(KeyboardInterrupt):
            part(program, where, 0, DATA[:800])
    assert offset(program, where) == 0, "it lay in storage, but was not counted"
    part(program, where, 0, DATA[:300])
    part(program, where, 300, DATA[300:])
    assert path_of(declaration.files.get().file).read_bytes() == DATA


def test_a_very_large_file_is_put_together_by_a_worker(made: Firm, program: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("licensing.declarations.services.uploads._AT_ONCE", 1000)
    declaration = draft(made)
    where = begin(program, declaration, len(DATA), filename="use.csv")["Location"]
    assert part(program, where, 0, DATA).status_code == 204
    assert program.get(where).json()["status"] == "open" and not declaration.files.exists()
    finish_upload(Upload.objects.get().pk)
    assert program.get(where).json()["status"] == "done" and declaration.files.exists()
    finish_upload(Upload.objects.get().pk)
    assert declaration.files.count() == 1


def test_a_worker_that_dies_while_it_finishes_leaves_nothing_half_done(
    made: Firm, program: Client, monkeypatch: Any
) -> None:
    declaration = draft(made)
    where = begin(program, declaration, len(DATA), filename="use.csv")["Location"]
    part(program, where, 0, DATA[:800])

    def dies(**_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("licensing.declarations.services.uploads.attach_stored", dies)
        with pytest.raises(KeyboardInterrupt):
            part(program, where, 800, DATA[800:])
    assert offset(program, where) == len(DATA)
    assert not declaration.files.exists() and Upload.objects.get().status == "open"
    assert services.resume_uploads() == 1
    assert path_of(declaration.files.get().file).read_bytes() == DATA


def test_lost_parts_are_said(made: Firm, program: Client) -> None:
    where = begin(program, draft(made), len(DATA), filename="use.csv")["Location"]
    part(program, where, 0, DATA[:300])
    objects.remove_folder(f"parts/{where.split('/')[-2]}")
    assert part(program, where, 300, DATA[300:]).json()["code"] == "parts_lost"


def test_an_upload_is_let_go(made: Firm, program: Client, django_capture_on_commit_callbacks: Any) -> None:
    where = begin(program, draft(made), 10, filename="x")["Location"]
    part(program, where, 0, b"abc")
    assert parts_left()
    assert program.delete(where).status_code == 400
    with django_capture_on_commit_callbacks(execute=True):
        assert program.delete(where, headers=TUS).status_code == 204
    assert not parts_left()
    assert program.head(where, headers=TUS).status_code == 410
    assert program.delete(where, headers=TUS).status_code == 204


def test_an_upload_that_rests_is_forgotten(made: Firm, program: Client, settings: Any) -> None:
    where = begin(program, draft(made), 10, filename="x")["Location"]
    part(program, where, 0, b"abc")
    fresh = begin(program, draft(made), 10, filename="y")["Location"]
    Upload.objects.filter(key=where.split("/")[-2]).update(
        moved_at=timezone.now() - datetime.timedelta(hours=settings.UPLOAD_EXPIRY_HOURS, minutes=1)
    )
    assert services.sweep_uploads() == 1
    assert program.head(where, headers=TUS).status_code == 410
    assert offset(program, fresh) == 0
    assert services.sweep_uploads() == 0 and not parts_left()


def test_a_stranger_finds_nothing(made: Firm, program: Client) -> None:
    declaration = draft(made)
    where = begin(program, declaration, 10, filename="x")["Location"]
    stranger = Client(headers={"Authorization": f"Bearer {people.token(people.organisation('OTHER', 'licensee'))[1]}"})
    for other in (client(made, sandbox=True), stranger):
        assert begin(other, declaration, 10, filename="x").status_code in (403, 404)
        assert other.head(where, headers=TUS).status_code in (403, 404)
        assert part(other, where, 0, b"abc").status_code in (403, 404)
        assert other.delete(where, headers=TUS).status_code in (403, 404)
    assert client(made, scopes="declarations.view").head(where, headers=TUS).status_code == 403
    assert offset(program, where) == 0
    assert Client().patch(where, b"abc", content_type=PART, headers=TUS).status_code == 401


def test_a_person_needs_the_word_that_a_form_carries(made: Firm) -> None:
    declaration = draft(made)
    person = Client(enforce_csrf_checks=True)
    person.force_login(people.person(made.licensee, "declarant"))
    assert begin(person, declaration, 3, filename="x").status_code == 403
    person.get(f"/declarations/{declaration.pk}/")
    word = {"X-CSRFToken": person.cookies["csrftoken"].value}
    headers = TUS | word | {"Upload-Length": "3"}
    where = person.post(f"/api/v1/declarations/{declaration.pk}/uploads/", headers=headers)["Location"]
    assert part(person, where, 0, b"abc").status_code == 403
    assert part(person, where, 0, b"abc", **word).status_code == 204


def test_a_proxy_that_knows_post_alone(made: Firm, program: Client) -> None:
    where = begin(program, draft(made), 6, filename="x")["Location"]
    headers = TUS | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert program.post(where, b"abc", content_type=PART, headers=headers).status_code == 204
    assert offset(program, where) == 3


def test_a_handed_in_declaration_takes_no_more(made: Firm, program: Client) -> None:
    declaration = declare(made, DATA, submit=True)
    assert begin(program, declaration, 10, filename="x").status_code == 409


def test_throwing_a_declaration_away_ends_its_uploads(made: Firm, program: Client) -> None:
    declaration = draft(made)
    where = begin(program, declaration, 6, filename="x")["Location"]
    services.discard(actor=made.declarant, declaration=declaration)
    assert program.head(where, headers=TUS).status_code == 410


def test_a_header_is_read_to_the_letter() -> None:
    assert tus.metadata("filename dXNlLmNzdg==, empty") == {"filename": "use.csv", "empty": ""}
    assert tus.metadata(None) == {}
    for said in ("1 2", "१", "", None, "1" * 19):
        with pytest.raises(Refusal):
            tus.whole_number("Upload-Offset", said)


def _left(of: Firm, who: Any, token: Any) -> None:
    Membership.objects.filter(user_id=who.user_id).delete()


def _other_role(of: Firm, who: Any, token: Any) -> None:
    Membership.objects.filter(user_id=who.user_id).update(role="viewer")


def _locked(of: Firm, who: Any, token: Any) -> None:
    User.objects.filter(pk=who.user_id).update(is_active=False)


def _revoked(of: Firm, who: Any, token: Any) -> None:
    Token.objects.filter(pk=token.pk).update(revoked_at=timezone.now())


def _expired(of: Firm, who: Any, token: Any) -> None:
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - datetime.timedelta(seconds=1))


@pytest.mark.parametrize("change", [_left, _other_role, _locked, _revoked, _expired])
def test_who_began_an_upload_must_still_be_allowed_to_declare_when_it_is_attached(made: Firm, change: Any) -> None:
    """Given an upload that is whole, when its sender may no longer declare, it is refused, and its bytes are forgotten."""
    token, _secret = issue_token(actor=SYSTEM, organisation=made.licensee, scopes="declarations.declare")
    who = people.actor(made.licensee, "declarant")
    sender = actor_of_token(token) if change in (_revoked, _expired) else who
    declaration = draft(made)
    upload = services.begin_upload(actor=sender, declaration=declaration, name="use.csv", size=len(DATA))
    uploads.receive(upload=upload, stream=io.BytesIO(DATA), offset=0, length=len(DATA))
    change(made, who, token)
    with pytest.raises(Forbidden, match="may no longer declare for"):
        services.finish_upload(upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.problem["code"]) == ("failed", "forbidden")
    assert not declaration.files.exists() and not StoredFile.objects.exists()
    assert not objects.has(hashlib.sha256(DATA).hexdigest(), len(DATA))


def test_who_still_may_has_it_attached_though_another_token_was_revoked(made: Firm) -> None:
    who = people.actor(made.licensee, "declarant")
    declaration = draft(made)
    upload = services.begin_upload(actor=who, declaration=declaration, name="use.csv", size=len(DATA))
    uploads.receive(upload=upload, stream=io.BytesIO(DATA), offset=0, length=len(DATA))
    assert services.finish_upload(upload.pk).status == "done"
    assert declaration.files.count() == 1


def test_what_is_announced_holds_its_room(made: Firm, program: Client) -> None:
    """Given a quota of 100 bytes, neither two manifests nor an upload beside a manifest pass it together."""
    quotas.Quota.objects.create(licence=made.licence, most_bytes=100, most_rows=10)
    first, second = draft(made), draft(made)
    services.announce(actor=made.declarant, declaration=first, files=[services.Announced("a.csv", 60)])
    with pytest.raises(Refusal, match="may take 100 bytes"):
        services.announce(actor=made.declarant, declaration=second, files=[services.Announced("b.csv", 60)])
    assert begin(program, second, 60, filename="b.csv").status_code == 413
    assert begin(program, first, 60, path="a.csv").status_code == 201, "its room was held"
    assert quotas.allowance(made.licence).arriving == 60, "counted once, announced and under way"
    assert begin(program, second, 41, filename="c.csv").status_code == 413
    assert begin(program, second, 40, filename="d.csv").status_code == 201


def test_a_file_in_one_request_takes_no_room_of_what_is_under_way(made: Firm, program: Client) -> None:
    quotas.Quota.objects.create(licence=made.licence, most_bytes=len(DATA) + 50, most_rows=1000)
    where = begin(program, draft(made), len(DATA), filename="use.csv")["Location"]
    stored = keep(actor=SYSTEM, stream=io.BytesIO(DATA + b"\n"), name="other.csv", organisation=made.licensee)
    with pytest.raises(Refusal, match="may take"):
        drafting.attach_stored(actor=made.declarant, declaration=draft(made), stored=stored)
    assert part(program, where, 0, DATA).status_code == 204
    assert program.get(where).json()["status"] == "done"


def test_the_bytes_of_a_file_that_is_refused_in_one_request_are_forgotten(made: Firm, program: Client) -> None:
    declare(made, DATA)
    other = draft(made)
    services.attach(actor=made.declarant, declaration=other, stream=io.BytesIO(DATA + b"\n"), name="new.csv")
    Declaration.objects.filter(pk=other.pk).update(status="draft")
    services.announce(actor=made.declarant, declaration=other, files=[services.Announced("a.csv", 9)])
    more = DATA + b"\n\n"
    with pytest.raises(Refusal, match="none of the files that were announced"):
        services.attach(actor=made.declarant, declaration=other, stream=io.BytesIO(more), name="x.csv")
    digest = hashlib.sha256(more).hexdigest()
    assert not StoredFile.objects.filter(sha256=digest).exists() and not objects.has(digest, len(more))
    assert StoredFile.objects.count() >= 2, "what others name stays"
