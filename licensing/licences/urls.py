"""Where the pages of licences lie."""

from django.urls import path

from licensing.licences.pages import board, offers, requests, wizard
from licensing.licences.pages import licences as pages

urlpatterns = [
    path("licences/", pages.licences, name="licences"),
    path("licences/new/", pages.create, name="licence_create"),
    path("licences/<int:licence_id>/", pages.licence, name="licence"),
    path("licences/<int:licence_id>/activate/", pages.activate, name="licence_activate"),
    path("licences/<int:licence_id>/suspend/", pages.suspend, name="licence_suspend"),
    path("licences/<int:licence_id>/resume/", pages.resume, name="licence_resume"),
    path("licences/<int:licence_id>/terminate/", pages.terminate, name="licence_terminate"),
    path("licences/<int:licence_id>/renewal/", wizard.follow, {"how": "renews"}, name="licence_renew"),
    path("licences/<int:licence_id>/amendment/", wizard.follow, {"how": "amends"}, name="licence_amend"),
    path("licences/board/", board.board, name="licence_board"),
    path("licences/requests/", requests.requests, name="licence_requests"),
    path("licences/requests/new/", wizard.start, name="licence_request_start"),
    path("licences/requests/<int:request_id>/", requests.page, name="licence_request"),
    path("licences/requests/<int:request_id>/uses/", wizard.uses, name="licence_request_uses"),
    path("licences/requests/<int:request_id>/term/", wizard.term, name="licence_request_term"),
    path("licences/requests/<int:request_id>/figures/", wizard.figures, name="licence_request_figures"),
    path("licences/requests/<int:request_id>/check/", wizard.check, name="licence_request_check"),
    path("licences/requests/<int:request_id>/price/", wizard.price, name="licence_request_price"),
    path("licences/requests/<int:request_id>/withdraw/", requests.withdraw, name="licence_request_withdraw"),
    path("licences/requests/<int:request_id>/quote/", requests.quote, name="licence_request_quote"),
    path("licences/requests/<int:request_id>/decline/", requests.decline, name="licence_request_decline"),
    path("licences/requests/<int:request_id>/offer/", offers.make, name="licence_request_offer"),
    path("licences/requests/<int:request_id>/files/<int:file_id>/", requests.file, name="licence_request_file"),
    path("licences/offers/<int:offer_id>/", offers.offer, name="licence_offer"),
    path("licences/offers/<int:offer_id>/sign/", offers.sign, name="licence_offer_sign"),
    path("licences/offers/<int:offer_id>/withdraw/", offers.withdraw, name="licence_offer_withdraw"),
    path("licences/offers/<int:offer_id>/<slug:language>.pdf", offers.document, name="licence_offer_document"),
]
