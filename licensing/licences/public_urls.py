"""Where everybody reads standard terms and certificates, and takes a licence that stands ready."""

from django.urls import path

from licensing.licences.pages import certificates, standing, terms

urlpatterns = [
    path("terms/", terms.terms_list, name="terms"),
    path("terms/new/", terms.terms_new, name="terms_new"),
    path("terms/<int:terms_id>/", terms.terms_version, name="terms_version"),
    path("terms/<int:terms_id>/terms.json", terms.terms_document, name="terms_document"),
    path("terms/<int:terms_id>/edit/", terms.terms_edit, name="terms_edit"),
    path("terms/<int:terms_id>/publish/", terms.terms_publish, name="terms_publish"),
    path("terms/<int:terms_id>/discard/", terms.terms_discard, name="terms_discard"),
    path("certificates/", certificates.lookup, name="certificates"),
    path("certificates/vocabulary.jsonld", certificates.vocabulary, name="certificate_vocabulary"),
    path("certificates/<str:code>/", certificates.certificate, name="certificate"),
    path("certificates/<str:code>/certificate-<str:language>.pdf", certificates.paper, name="certificate_paper"),
    path("certificates/<str:code>/<str:name>", certificates.file, name="certificate_file"),
    path("licences/<int:licence_id>/certificate/", certificates.issue, name="certificate_issue"),
    path("licences/<int:licence_id>/signed-<str:language>.pdf", certificates.signed_copy, name="licence_signed_copy"),
    path("licences/ready/", standing.ready, name="ready"),
    path("licences/ready/new/", standing.prepare, name="ready_prepare"),
    path("licences/ready/<int:standing_id>/", standing.ready_offer, name="ready_offer"),
    path("licences/ready/<int:standing_id>/take/", standing.take, name="ready_take"),
    path("licences/ready/<int:standing_id>/sign/", standing.sign, name="ready_sign"),
    path("licences/ready/<int:standing_id>/close/", standing.close, name="ready_close"),
    path("licences/ready/done/<int:licence_id>/", standing.done, name="ready_done"),
]
