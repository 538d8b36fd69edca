"""The API of the top floor: each slice registers its views here."""

from rest_framework.routers import SimpleRouter

from royalties.bank.api import BankEntryViewSet, BankStatementViewSet
from royalties.billing.api import InvoiceViewSet
from royalties.distribution.api import RunViewSet
from royalties.payees.api import MyPayeeViewSet
from royalties.payouts.api import MyPayoutViewSet
from royalties.statements.api import MyStatementViewSet, MyUseViewSet, MyWorkViewSet

router = SimpleRouter()
router.register("bank/statements", BankStatementViewSet, "bank-statement")
router.register("bank/entries", BankEntryViewSet, "bank-entry")
router.register("invoices", InvoiceViewSet, "invoice")
router.register("runs", RunViewSet, "run")
router.register("me/statements", MyStatementViewSet, "my-statement")
router.register("me/works", MyWorkViewSet, "my-work")
router.register("me/uses", MyUseViewSet, "my-use")
router.register("me/payouts", MyPayoutViewSet, "my-payout")
router.register("me/payee", MyPayeeViewSet, "my-payee")

urlpatterns = [*router.urls]
