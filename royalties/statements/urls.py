"""Addresses of statements and of the overview, gathered by `royalties.urls`."""

from django.urls import path

from royalties.statements.pages import accounts, archives, creators, mandates, overview, statements

urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("statements/", statements.statements, name="statements"),
    path("statements/<int:statement_id>/", statements.statement, name="statement"),
    path("statements/<int:statement_id>/lines/<int:line_id>/", statements.why, name="statement_why"),
    path("statements/<int:statement_id>/statement.<slug:form>", statements.download, name="statement_file"),
    path("account/", accounts.accounts, name="holder_accounts"),
    path("account/<int:holder_account_id>/", accounts.account, name="holder_account"),
    path("account/<int:holder_account_id>/<int:year>.<slug:form>", accounts.download, name="holder_account_file"),
    path("join/", mandates.join, name="join"),
    path("mandates/<int:mandate_id>/", mandates.mandate, name="mandate"),
    path("earnings/", mandates.use, name="use_earnings"),
    path("uses/", creators.uses, name="uses"),
    path("runs/<int:run_id>/archives/", archives.archives, name="run_archives"),
    path("archives/<int:archive_part_id>/statements.zip", archives.part, name="archive_part"),
    path("runs/<int:run_id>/publish/", statements.publish, name="run_publish"),
]
