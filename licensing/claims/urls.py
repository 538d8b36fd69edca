"""Where the queue, the public list and the claims lie."""

from django.urls import path

from licensing.claims.pages import claims, public, queue

urlpatterns = [
    path("matching/", queue.queue, name="matching_queue"),
    path("matching/decisions/", queue.decisions, name="decisions"),
    path("matching/decisions/<int:match_rule_id>/withdraw/", queue.withdraw_decision, name="decision_withdraw"),
    path("matching/<int:item_id>/", queue.item, name="matching_item"),
    path("matching/<int:item_id>/decide/", queue.decide, name="matching_decide"),
    path("matching/<int:item_id>/new-work/", queue.new_work, name="matching_new_work"),
    path("matching/<int:item_id>/skip/", queue.skip, name="matching_skip"),
    path("unmatched/", public.unmatched, name="unmatched"),
    path("unmatched/<int:item_id>/", public.unmatched_item, name="unmatched_item"),
    path("unmatched/<int:item_id>/claim/", public.make_claim, name="claim_make"),
    path("claims/", claims.claims, name="claims"),
    path("claims/<int:claim_id>/", claims.claim, name="claim"),
    path("claims/<int:claim_id>/evidence/", claims.evidence, name="claim_evidence"),
    path("claims/<int:claim_id>/decide/", claims.decide, name="claim_decide"),
    path("claims/<int:claim_id>/withdraw/", claims.withdraw, name="claim_withdraw"),
]
