"""Addresses of payouts, gathered by `royalties.urls`."""

from django.urls import path

from royalties.payouts.pages import batches, creators

urlpatterns = [
    path("payouts/", batches.payouts, name="payouts"),
    path("payouts/start/", batches.start, name="payout_start"),
    path("payouts/policy/", batches.policy, name="payout_policy"),
    path("payouts/entries/", batches.entries, name="payout_entries"),
    path("payouts/mine/", creators.my_payouts, name="my_payouts"),
    path("payouts/payments/<int:payment_id>/", batches.payment, name="payment"),
    path("payouts/<int:batch_id>/", batches.payout, name="payout"),
    path("payouts/<int:batch_id>/progress/", batches.progress, name="payout_progress"),
    path("payouts/<int:batch_id>/ask/", batches.ask, name="payout_ask"),
    path("payouts/<int:batch_id>/decide/", batches.decide, name="payout_decide"),
    path("payouts/<int:batch_id>/order/", batches.order, name="payout_order"),
    path("payouts/<int:batch_id>/discard/", batches.discard, name="payout_discard"),
    path("payouts/<int:batch_id>/file/<slug:form>/", batches.take_file, name="payout_file"),
    path("payouts/<int:batch_id>/answer/", batches.answer, name="payout_answer"),
    path("payouts/<int:batch_id>/settle/", batches.settle, name="payout_settle"),
]
