"""Lists as CSV files: who gets them, what is in them, and that they are streamed."""

import csv
import io
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection

from coruscant import history
from coruscant.admin.columns import Export
from coruscant.admin.export import cell, write
from coruscant.admin.tests.bank import THEN, make_bank, make_loan, make_representative
from coruscant.admin.tests.test_base import page
from loans.models import CollateralPosting, Loan

pytestmark = pytest.mark.usefixtures("clean_cache")


def rows_of(response):
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(text.splitlines()))


def address(row):
    return page(row, "changelist") + "export/"


class TestCells:
    @pytest.mark.parametrize(
        "text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t1", "\r1", "\n1", "＝1", ' "=1']
    )
    def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(self, text):
        assert cell(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["-5", "-0.25", "1+1", "a=b", "L-1", "", "'=1", "a;b=c", "a, -b", "a\n\nb"])
    def test_other_texts_and_plain_negative_numbers_stay_as_they_are(self, text):
        assert cell(text) == text

    @pytest.mark.parametrize("text", ["x;=1+1;", 'x; "=1+1";', "x\n@SUM(A1)", "\r\n+1"])
    def test_nothing_is_run_where_a_semicolon_begins_a_cell(self, text):
        """As in the spreadsheets of most of Europe."""
        columns = [Export("Loan", lambda row: row), Export("Borrower", lambda _row: text), Export("GC", lambda _row: 5)]
        file = io.StringIO("".join(write(columns, ["loan-1"])), newline="")
        cells = [one for line in csv.reader(file, delimiter=";") for one in line]
        assert not [one for one in cells if one.lstrip(' "\t').startswith(("=", "+", "-", "@"))]

    def test_figures_are_exact_and_negative_ones_stay_numbers(self):
        assert cell(Decimal("1000.500000000000000000000001")) == "1000.500000000000000000000001"
        assert cell(Decimal("-1E-24")) == "-0.000000000000000000000001"
        assert cell(-7) == "-7"

    def test_instants_are_in_iso_8601_and_utc(self):
        at = datetime(2026, 5, 4, 12, 30, 0, 250000, tzinfo=timezone(timedelta(hours=2)))
        assert cell(at) == "2026-05-04T10:30:00.250000Z"
        assert cell(THEN) == "2026-05-04T10:30:00Z"

    def test_what_is_not_there_is_empty_and_yes_and_no_are_words(self):
        assert [cell(value) for value in (None, True, False)] == ["", "true", "false"]


def test_a_hundred_thousand_rows_take_no_more_memory_than_a_few():
    row = SimpleNamespace(name="=" + "x" * 200)

    def most_memory(count):
        tracemalloc.start()
        taken = sum(len(lines) for lines in write([Export("Name", lambda one: one.name)], (row for _ in range(count))))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert taken == len("Name\r\n") + count * len(f"'{row.name}\r\n")
        return most

    few, many = most_memory(2_000), most_memory(100_000)
    assert many < few * 1.5
    assert many < 100_000 * len(row.name) / 20


def test_rows_are_asked_for_only_when_the_file_is_read():
    asked = []

    def rows():
        for number in range(100_000):
            asked.append(number)
            yield SimpleNamespace(number=number)

    lines = write([Export("Number", lambda row: row.number)], rows())
    assert next(lines) == "Number\r\n"
    assert len(asked) == 0
    next(lines)
    assert len(asked) == 1000


@pytest.mark.django_db
class TestLists:
    @pytest.fixture
    def bank(self):
        return make_bank()

    @pytest.fixture
    def browser(self, client):
        client.force_login(make_representative())
        return client

    def test_every_list_is_exported_with_all_its_columns(self, bank, browser):
        for row in bank.rows:
            shown = browser.get(page(row, "changelist"))
            response = browser.get(address(row))
            assert response.status_code == 200, row
            header, *rows = rows_of(response)
            columns = [name for name in shown.context["cl"].list_display if name != "action_checkbox"]
            assert len(header) == len(columns), row
            assert len(rows) == shown.context["cl"].result_count, row
            assert not any("<" in text and "script" not in text for line in rows for text in line), row
            assert f'href="export/{shown.context["cl"].get_query_string()}"' in shown.content.decode(), row

    def test_headings_name_the_units_and_cells_hold_the_exact_figures(self, bank, browser):
        with history.cause("test", correlation_id="x"):
            Loan.objects.filter(pk=bank.active.pk).update(outstanding_balance=Decimal("999.000000000000000000000007"))
        header, *rows = rows_of(browser.get(address(bank.active), {"q": "L-active"}))
        assert header == [
            "Loan", "Borrower", "Status", "Amount (GC)", "Outstanding balance (GC)", "Collateral (units)", "LTV now",
            "Margin call", "Applied for",
        ]  # fmt: skip
        assert rows == [
            [
                "L-active", "borrower-of-L-active", "active", "1000", "999.000000000000000000000007", "40", "49.95 %",
                "", "2026-05-04T10:30:00Z",
            ]
        ]  # fmt: skip

    def test_filters_and_sorting_are_those_of_the_list(self, bank, browser):
        _, *rows = rows_of(browser.get(address(bank.active), {"status__exact": "active", "o": "1"}))
        assert [row[0] for row in rows] == ["L-active", "L-warned"]
        _, *rows = rows_of(browser.get(address(bank.active), {"status__exact": "active", "o": "-1"}))
        assert [row[0] for row in rows] == ["L-warned", "L-active"]

    def test_all_pages_are_in_it(self, bank, browser):
        with history.cause("test", correlation_id="many"):
            CollateralPosting.objects.bulk_create(
                CollateralPosting(loan=bank.active, amount=1, request_id=f"p-{number}", created_at=THEN)
                for number in range(120)
            )
        posting = CollateralPosting.objects.first()
        _, *rows = rows_of(browser.get(address(posting), {"p": "2"}))
        assert len(rows) == 121

    def test_what_a_client_wrote_is_not_run(self, bank, browser):
        with history.cause("test", correlation_id="formula"):
            make_loan('=HYPERLINK("http://evil.example","click")')
        _, first, *_ = rows_of(browser.get(address(bank.active)))
        assert first[0] == '\'=HYPERLINK("http://evil.example","click")'

    def test_the_file_is_named_after_the_list_and_is_kept_nowhere(self, bank, browser):
        response = browser.get(address(bank.active))
        today = datetime.now(UTC).strftime("%Y-%m")
        assert response["Content-Disposition"].startswith(f'attachment; filename="loans-{today}')
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert "no-store" in response["Cache-Control"]

    def test_the_database_hands_the_rows_over_in_pieces(self, bank, browser, django_assert_num_queries):
        response = browser.get(address(bank.active))
        with connection.execute_wrapper(_refuse), pytest.raises(AssertionError, match="a query of the stream"):
            list(response.streaming_content)

    def test_whoever_may_not_see_the_list_gets_no_file(self, bank, client):
        assert client.get(address(bank.active)).status_code == 302
        clerk = User.objects.create_user("clerk", is_staff=True)
        client.force_login(clerk)
        assert client.get(address(bank.active)).status_code == 403
        clerk.user_permissions.add(Permission.objects.get(codename="view_loan"))
        assert client.get(address(bank.active)).status_code == 200

    def test_it_is_only_read(self, bank, browser):
        assert browser.post(address(bank.active)).status_code == 405

    def test_a_wrong_filter_leads_back_to_the_list(self, bank, browser):
        response = browser.get(address(bank.active), {"created_at__nonsense": "1"})
        assert response.status_code == 302
        assert response.url == "../?e=1"


def _refuse(execute, sql, params, many, context):
    raise AssertionError("a query of the stream")
