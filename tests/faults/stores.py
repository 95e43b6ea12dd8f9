"""Faults of object stores, web servers and plans."""

from tests.faults.fault import Fault

__all__ = ["STORES"]

_CLASSIFY = "tests/emotool/cli/test_classify_remote.py"
_READING = "tests/emotool/files/test_remote_reading.py"
_WRITING = "tests/emotool/files/test_remote_file.py"
_LISTING = "tests/emotool/inputs/test_listing.py"
_PLAN = "tests/emotool/inputs/test_plan.py"
_WEB = "tests/emotool/files/test_web.py"

STORES = (
    Fault(
        "one request in ten is refused, cut off or dropped, others are slow (in `make torture` one "
        "in a hundred of 10,000, by runs that are killed)",
        "all rows, once each, as without failures",
        code=0,
        tests=(
            f"{_CLASSIFY}::test_failing_requests_cost_no_row",
            f"{_READING}::test_requests_are_tried_again",
        ),
    ),
    Fault(
        "an object that is replaced after it was listed or planned",
        "`failed`",
        "open: it changed after it was listed",
        3,
        (
            f"{_CLASSIFY}::test_what_cannot_be_read_has_a_row_with_the_reason",
            f"{_CLASSIFY}::test_an_object_that_changes_after_planning_has_a_row_with_the_reason",
        ),
    ),
    Fault(
        "a long recording that is replaced while it is read",
        "`failed`: what was read until then is not taken for all of it",
        "open: it changed after it was listed",
        3,
        (f"{_READING}::test_a_recording_that_changes_while_it_is_read_fails",),
    ),
    Fault(
        "a key that the credentials may not read",
        "`failed`",
        "open: access denied",
        3,
        (f"{_CLASSIFY}::test_what_cannot_be_read_has_a_row_with_the_reason",),
    ),
    Fault(
        "no credentials, and no service that gives any",
        "an error after a second at most; no request is sent",
        "error: no credentials for …",
        1,
        (f"{_CLASSIFY}::test_without_credentials_an_error_says_what_to_do_at_once",),
    ),
    Fault(
        "a listing that breaks off, or has a key that cannot be read",
        "an error, or a row that says where it ended",
        tests=(f"{_LISTING}::test_a_listing_that_fails_on_the_way_is_an_error",),
    ),
    Fault(
        "a web server that redirects to another host or protocol",
        "`failed`; no request goes there",
        "open: the server redirects to another host or protocol",
        3,
        (f"{_WEB}::test_redirects_elsewhere_are_refused",),
    ),
    Fault(
        "signed links and passwords in URLs",
        "in no table, report, log, journal or message",
        tests=(f"{_CLASSIFY}::test_no_secret_is_shown_or_written",),
    ),
    Fault(
        "two runs that write the same object",
        "the later one fails",
        "error: cannot write …: another program has written it meanwhile",
        1,
        (f"{_WRITING}::test_what_another_program_has_written_meanwhile_stays",),
    ),
    Fault(
        "a plan whose keys lead out of its prefix, or that is damaged or too large",
        "refused",
        "error: the plan …",
        1,
        (
            f"{_PLAN}::test_plans_that_are_spoilt_are_refused",
            f"{_PLAN}::test_pages_that_are_damaged_are_errors",
            f"{_PLAN}::test_a_plan_of_large_shards_is_refused",
        ),
    ),
)
