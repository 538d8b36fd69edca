"""Files that reserve themselves: books, PDFs, pictures with content credentials, and how a file is recognised."""

import datetime as dt
import io
import json
import struct
import zipfile
import zlib

import c2pa
import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from licensing.signals import cawg, epub, pdf, readers
from licensing.signals.core import EVERYTHING

TRAIN = frozenset({"train", "finetune"})
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)


def package(meta, prefix="tdm: http://www.w3.org/ns/tdmrep#"):
    return (
        f'<package xmlns="http://www.idpf.org/2007/opf" version="3.0" prefix="{prefix}">'
        f"<metadata>{meta}</metadata></package>"
    )


def book(meta="", *, opf=None, container=CONTAINER):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("OEBPS/content.opf", package(meta) if opf is None else opf)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("opf", "reserved"),
    [
        (package('<meta property="tdm:reservation">1</meta>'), EVERYTHING),
        (package('<meta property="tdm:reservation"> 0 </meta>'), frozenset()),
        (package('<meta property="tdm:reservation">2</meta>'), None),
        (package('<meta property="tdm:reservation">1</meta>', prefix=""), EVERYTHING),
        (package('<meta property="x:reservation">1</meta>', prefix="x: http://www.w3.org/ns/tdmrep#"), EVERYTHING),
        (package('<meta property="tdm:reservation">1</meta>', prefix="tdm: http://other.example/"), None),
        (package('<meta property="dcterms:modified">2026</meta>'), None),
    ],
)
def test_a_book_reserves_in_its_package_document(opf, reserved):
    signal = epub.read(book(opf=opf))
    assert (signal.statements[0].reserved if signal.statements else None) == reserved
    assert signal.raw == opf.encode()


def test_the_terms_of_a_book_are_kept():
    meta = '<meta property="tdm:reservation">1</meta><meta property="tdm:policy">https://e.example/t</meta>'
    assert epub.read(book(meta)).statements[0].policy == "https://e.example/t"


def xmp(inner):
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:tdm="http://www.w3.org/ns/tdmrep/" {inner}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def document(*, reservation=None, policy="", packet=None, packed=False):
    if packet is None and reservation is not None:
        escaped = policy.replace("&", "&amp;")
        policy_tag = f"<tdm:policy>{escaped}</tdm:policy>" if policy else ""
        packet = xmp(f"><tdm:reservation>{reservation}</tdm:reservation>{policy_tag}")
    made = io.BytesIO()
    with pikepdf.new() as new:
        new.add_blank_page()
        if packet is not None:
            new.Root.Metadata = pikepdf.Stream(new, packet)
            new.Root.Metadata.Type, new.Root.Metadata.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
        new.save(made, compress_streams=packed, recompress_flate=packed)
    return made.getvalue()


@pytest.mark.parametrize(
    ("packet", "reserved"),
    [
        (xmp("><tdm:reservation>1</tdm:reservation>"), EVERYTHING),
        (xmp('tdm:reservation="1">'), EVERYTHING),
        (xmp("><tdm:reservation>0</tdm:reservation>"), frozenset()),
        (xmp("><tdm:reservation>yes</tdm:reservation>"), None),
        (xmp(">"), None),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_pdf_reserves_in_its_metadata(packet, reserved, packed):
    signal = pdf.read(document(packet=packet, packed=packed))
    assert (signal.statements[0].reserved if signal.statements else None) == reserved


def test_a_pdf_without_metadata_says_nothing():
    signal = pdf.read(document())
    assert signal.statements == () and signal.problems


def picture():
    """A white PNG of one dot."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0\xff\xff\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def certificate(name, issuer, key, signing_key, *, authority):
    def named(common):
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
        )

    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(not authority, False, False, False, False, authority, False, False, False), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    if not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def signed(assertions):
    """The picture with content credentials, signed by nobody whom anybody trusts."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = [
        certificate("leaf", "root", leaf, root, authority=False),
        certificate("root", "root", root, root, authority=True),
    ]
    private = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    info = c2pa.C2paSignerInfo(
        alg=c2pa.C2paSigningAlg.ES256,
        sign_cert=b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain),
        private_key=private,
        ta_url=None,
    )
    out = io.BytesIO()
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
    created = {"action": "c2pa.created", "digitalSourceType": source}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [created]}}
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "title": "t",
        "assertions": [actions, *assertions],
    }
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest) as builder:
        builder.sign(signer, "image/png", io.BytesIO(picture()), out)
    return out.getvalue()


@pytest.fixture(scope="module")
def credentials():
    return signed([json.loads(json.dumps({
        "label": "cawg.training-mining",
        "data": {"entries": {
            "cawg.ai_generative_training": {"use": "notAllowed"},
            "cawg.data_mining": {"use": "constrained", "constraint_info": "https://e.example/t"},
            "cawg.ai_inference": {"use": "allowed"},
        }},
    }))])  # fmt: skip


def test_a_picture_reserves_in_its_content_credentials(credentials):
    signal = readers.read_file("a.png", "image/png", credentials)
    [statement] = signal.statements
    assert (signal.source, signal.vocabulary) == ("c2pa", "cawg-1.1")
    assert statement.reserved == TRAIN | {"index"}
    assert statement.allowed == {"ground"}
    assert statement.policy == "https://e.example/t"


def test_credentials_that_were_tampered_with_still_reserve_and_say_so(credentials):
    at = credentials.rindex(b"IDAT") + 6
    broken = credentials[:at] + bytes([credentials[at] ^ 1]) + credentials[at + 1 :]
    signal = cawg.read_file(broken, media_type="image/png")
    assert signal.statements[0].reserved == TRAIN | {"index"}
    assert any("signature" in problem for problem in signal.problems)


def test_a_picture_without_credentials_makes_no_signal():
    assert cawg.read_file(picture(), media_type="image/png") is None
    assert readers.read_file("a.png", "image/png", picture()).problems


@pytest.mark.parametrize(
    ("name", "raw", "source"),
    [
        ("robots.txt", b"User-agent: GPTBot\nDisallow: /", "robots"),
        ("tdmrep.json", b'[{"location": "/", "tdm-reservation": 1}]', "tdmrep"),
        ("x", b"tdm-reservation: 1\n", "tdmrep-header"),
        ("x", b"Content-Usage: train-ai=n", "content-usage"),
        ("x", b"train-ai=n, search=y", "content-usage"),
        ("x", b"Content-Signal: ai-train=no", "content-signal"),
        ("page.html", b'<!DOCTYPE html><html><meta name="tdm-reservation" content="1">', "tdmrep-meta"),
        ("l.xml", b'<?xml version="1.0"?><rsl xmlns="https://rslstandard.org/rsl"><content url="/"/></rsl>', "rsl"),
        ("c.json", b'{"label": "cawg.training-mining", "data": {"entries": {}}}', "c2pa"),
        ("d.json", b'{"iscc": "ISCC:KACT4EBWK27737D2", "all": "false"}', "tdmai"),
        ("b.epub", book('<meta property="tdm:reservation">1</meta>'), "epub"),
        ("b.bin", document(reservation="1"), "pdf"),
        ("notes.txt", b"Dear society,", ""),
        ("empty", b"", ""),
    ],
)
def test_a_file_is_recognised_by_what_it_holds(name, raw, source):
    assert readers.read_file(name, "application/octet-stream", raw).source == source


def test_every_source_has_a_reader():
    assert set(readers.READERS) == {
        "robots", "content-usage", "content-signal", "tdmrep", "tdmrep-header", "tdmrep-meta",
        "epub", "pdf", "rsl", "c2pa", "tdmai",
    }  # fmt: skip


def test_damaged_credentials_are_a_problem_and_never_an_error(credentials):
    for at in range(40, len(credentials), len(credentials) // 60):
        damaged = credentials[:at] + b"\xff\0\xff\xff" + credentials[at + 4 :]
        signal = cawg.read_file(damaged, media_type="image/png")
        assert signal is None or signal.statements or signal.problems
    cut = cawg.read_file(credentials[: len(credentials) // 2], media_type="image/png")
    assert cut is None or cut.problems


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"II*\0",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0WAVE",
        b"\0\0\0\x18ftypisom",
        b"ID3\x03",
        b"fLaC",
    ],
)
def test_a_picture_sound_or_film_that_is_none_is_a_problem(start):
    signal = readers.read_file("x", "", start + b"\0\xff" * 200)
    assert signal.statements == () and signal.problems
