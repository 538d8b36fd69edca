"""Addresses of distribution, gathered by `royalties.urls`."""

from django.urls import path

from royalties.distribution.pages import preview, rules, runs

urlpatterns = [
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", runs.start, name="run_start"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<int:run_id>/differences/<slug:group>/", runs.run_differences, name="run_differences"),
    path("runs/<int:run_id>/notes/", preview.note, name="run_note"),
    path("rules/previews/", preview.previews, name="rule_previews"),
    path("rules/previews/<int:preview_id>/", preview.preview, name="rule_preview"),
    path("runs/<int:run_id>/checks/", runs.run_checks, name="run_checks"),
    path("runs/<int:run_id>/waiting/", runs.run_waiting, name="run_waiting"),
    path("runs/<int:run_id>/export.csv", runs.run_export, name="run_export"),
    path("runs/<int:run_id>/recompute/", runs.recompute, name="run_recompute"),
    path("runs/<int:run_id>/discard/", runs.discard, name="run_discard"),
    path("runs/<int:run_id>/ask/", runs.ask_approval, name="run_ask"),
    path("runs/<int:run_id>/decide/", runs.decide, name="run_decide"),
    path("runs/<int:run_id>/post/", runs.post, name="run_post"),
    path("runs/<int:run_id>/reversal/ask/", runs.ask_reversal, name="run_reversal_ask"),
    path("runs/<int:run_id>/reversal/decide/", runs.decide_reversal, name="run_reversal_decide"),
    path("rules/", rules.rules, name="rules"),
    path("rules/import/", rules.import_rule, name="rule_import"),
    path("rules/<int:rule_id>/", rules.rule, name="rule"),
    path("rules/<int:rule_id>/ask/", rules.ask_approval, name="rule_ask"),
    path("rules/<int:rule_id>/decide/", rules.decide, name="rule_decide"),
    path("suspense/", rules.suspense, name="suspense"),
]
