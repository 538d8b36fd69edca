"""What can be done with payees: one verb a function."""

from royalties.payees.services.law import as_treaty, import_tax_rule, tax_rules, treaties
from royalties.payees.services.reading import reveal

__all__ = ["as_treaty", "import_tax_rule", "reveal", "tax_rules", "treaties"]
