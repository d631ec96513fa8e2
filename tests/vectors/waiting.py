"""The expectations that belong to parts of the product not built yet. Each use is named in the test run."""

CASE_STAGE = (
    "contact_fcr_",
    "contact_cases_",
    "contact_eligible_",
    "contact_repeat_",
    "contact_resolution_",
    "contact_survey_",
)
CALENDARS = ("local_day", "local_hour", "in_hours")
KINDS = ("cases", "fcr", "bounds")  # whole kinds of expectation, all of the case stage

seen: set[str] = set()


def waits(name: str) -> bool:
    """Whether an expectation, or a whole kind of them, waits for a later part; remembers that it was met."""
    later = name.startswith(CASE_STAGE) or name in (*CALENDARS, *KINDS)
    if later:
        seen.add(name)
    return later
