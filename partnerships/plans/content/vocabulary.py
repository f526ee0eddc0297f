"""The choices that the fields of a plan offer, such as tenures and statuses, with their codes and labels."""

from __future__ import annotations

from types import MappingProxyType

from partnerships.documents import Choices

# Tenures as MHCLG and the GLA name them (docs/glossary.md), in the order of the tables.
TENURES: Choices = MappingProxyType(
    {
        "social_rent": "Social Rent",
        "affordable_rent": "Affordable Rent",
        "london_affordable_rent": "London Affordable Rent",
        "rent_to_buy": "Rent to Buy",
        "london_living_rent": "London Living Rent",
        "other_intermediate": "other intermediate",
        "specified_accommodation": "specified accommodation",
        "shared_ownership": "Shared Ownership",
        "first_homes": "First Homes",
        "discounted_market_sale": "discounted market sale",
        "market_sale": "market sale",
        "market_rent": "market or build to rent",
        "unknown": "tenure not known",
    }
)
NEEDS: Choices = MappingProxyType({"general": "general needs", "supported": "supported", "older": "older people"})
PLANNING_STATUSES: Choices = MappingProxyType(
    {
        "allocated": "Allocated",
        "pre_application": "Pre-application",
        "submitted": "Application submitted",
        "outline": "Outline permission",
        "permission_in_principle": "Permission in principle",
        "permission": "Full or reserved matters permission",
        "refused": "Refused",
        "appeal": "At appeal",
        "none": "No application yet",
    }
)
CONFIDENCE: Choices = MappingProxyType({"high": "High", "medium": "Medium", "low": "Low"})
MILESTONE_STATUSES: Choices = MappingProxyType(
    {
        "planned": "Planned",
        "on_track": "On track",
        "at_risk": "At risk",
        "late": "Late",
        "achieved": "Achieved",
        "cancelled": "Cancelled",
    }
)
SCALE: Choices = MappingProxyType(
    {"1": "1, very low", "2": "2, low", "3": "3, medium", "4": "4, high", "5": "5, very high"}
)
