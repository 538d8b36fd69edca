"""Where the pages of tariffs lie."""

from django.urls import path

from licensing.tariffs.pages import consultation, deciding, editor, procedure
from licensing.tariffs.pages import tariffs as pages

urlpatterns = [
    path("tariffs/", pages.tariffs, name="tariffs"),
    path("tariffs/draft/", editor.new, name="tariff_new"),
    path("tariffs/draft/preview/", editor.preview, name="tariff_preview"),
    path("tariffs/versions/<int:version_id>/edit/", editor.edit, name="tariff_edit"),
    path("tariffs/<int:tariff_id>/", pages.tariff, name="tariff"),
    path("tariffs/<int:tariff_id>/compare/", pages.compare, name="tariff_compare"),
    path("tariffs/versions/<int:version_id>/document.json", pages.document, name="tariff_document"),
    path("tariffs/versions/<int:version_id>/publish/", procedure.publish, name="tariff_publish"),
    path("tariffs/versions/<int:version_id>/extend/", procedure.extend, name="tariff_extend"),
    path("tariffs/versions/<int:version_id>/withdraw/", procedure.withdraw, name="tariff_withdraw"),
    path("tariffs/versions/<int:version_id>/discard/", procedure.discard, name="tariff_discard"),
    path("tariffs/versions/<int:version_id>/decide/", deciding.decide, name="tariff_decide"),
    path("consultations/", consultation.consultations, name="consultations"),
    path("consultations/sent/", consultation.sent, name="comment_sent"),
    path("consultations/<int:version_id>/", consultation.consultation, name="consultation"),
    path("consultations/comments/<str:ref>/confirm/", consultation.confirm, name="comment_confirm"),
    path("consultations/comments/<int:comment_id>/answer/", procedure.answer, name="comment_answer"),
    path("consultations/comments/<int:comment_id>/moderate/", deciding.moderate, name="comment_moderate"),
    path("consultations/attachments/<int:attachment_id>/", consultation.attachment, name="comment_attachment"),
    path("rates/work/", deciding.work, name="rate_work"),
]
