"""The rules of the pack isolation: walls between tenants, what they cost, and what a broken node reaches."""

from policies.isolation import reach, tenants, waste

RULES = (*tenants.RULES, *waste.RULES, *reach.RULES)
