"""Tickets, for what cannot send a header."""

from __future__ import annotations

import base64

from rotoclear.auth.errors import InvalidCredentials
from rotoclear.auth.tickets import MOST, Tickets

from .house import HERE, IDLE, HouseTestCase

PATH = "/api/recordings/7"


class TicketTests(HouseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tickets = Tickets(self.reactor)
        self.session = self.login("viewer").session

    def test_random(self) -> None:
        tickets = {self.tickets.issue(self.session, PATH) for _ in range(20)}
        self.assertEqual(len(tickets), 20)
        for ticket in tickets:
            self.assertGreaterEqual(len(base64.urlsafe_b64decode(ticket + "=")) * 8, 128)

    def test_it_stands_for_its_token(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        self.assertIs(self.tickets.redeem(ticket, PATH), self.session)

    def test_for_its_path_only(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        for path in ("/api/recordings/70", "/api/recordings", PATH + "/", "", "/api/snapshot"):
            self.assertIsNone(self.tickets.redeem(ticket, path))
        self.assertIs(self.tickets.redeem(ticket, PATH), self.session)

    def test_unknown(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        for guess in ("", ticket[:-1], ticket + "x", "\ud800"):
            self.assertIsNone(self.tickets.redeem(guess, PATH))

    def test_a_minute_to_start(self) -> None:
        in_time, late = (self.tickets.issue(self.session, PATH) for _ in range(2))
        self.reactor.advance(59.9)
        self.assertIs(self.tickets.redeem(in_time, PATH), self.session)
        self.reactor.advance(0.1)
        self.assertIsNone(self.tickets.redeem(late, PATH))
        self.assertIsNone(self.tickets.redeem(late, PATH))

    def test_repeats_are_allowed_afterwards(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        for _ in range(10):
            self.assertIs(self.tickets.redeem(ticket, PATH), self.session)
            self.reactor.advance(1000)

    def test_a_wrong_path_is_no_start(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        self.tickets.redeem(ticket, "/api/snapshot")
        self.reactor.advance(60)
        self.assertIsNone(self.tickets.redeem(ticket, PATH))

    def test_it_dies_with_the_token(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        self.tickets.redeem(ticket, PATH)
        self.successResultOf(self.accounts.logout(self.session))
        self.assertIsNone(self.tickets.redeem(ticket, PATH))
        self.assertEqual(len(self.tickets), 0)

    def test_also_when_that_expires(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        self.tickets.redeem(ticket, PATH)
        self.reactor.rightNow += IDLE  # no timer has fired yet
        self.assertIsNone(self.tickets.redeem(ticket, PATH))
        self.reactor.advance(60)
        self.assertEqual(len(self.tickets), 0)

    def test_none_for_a_token_that_has_ended(self) -> None:
        self.successResultOf(self.accounts.logout(self.session))
        self.assertRaises(InvalidCredentials, self.tickets.issue, self.session, PATH)
        self.assertEqual(len(self.tickets), 0)

    def test_it_has_the_rights_of_the_moment(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        self.successResultOf(self.accounts.set_role("viewer", "operator", "admin", HERE))
        redeemed = self.tickets.redeem(ticket, PATH)
        assert redeemed is not None
        self.assertIn("Media_rw", redeemed.permissions)

    def test_the_oldest_gives_way(self) -> None:
        other = self.tickets.issue(self.login("operator").session, PATH)
        tickets = [self.tickets.issue(self.session, PATH) for _ in range(MOST + 1)]
        self.assertIsNone(self.tickets.redeem(tickets[0], PATH))
        for ticket in tickets[1:]:
            self.assertIs(self.tickets.redeem(ticket, PATH), self.session)
        self.assertIsNotNone(self.tickets.redeem(other, PATH))
        self.assertEqual(len(self.tickets), MOST + 1)

    def test_those_that_came_to_nothing_give_way_first(self) -> None:
        used = self.tickets.issue(self.session, PATH)
        self.tickets.redeem(used, PATH)
        for _ in range(MOST - 1):
            self.tickets.issue(self.session, PATH)
        self.reactor.advance(60)
        self.tickets.issue(self.session, PATH)
        self.assertEqual(len(self.tickets), 2)
        self.assertIs(self.tickets.redeem(used, PATH), self.session)

    def test_the_ticket_itself_is_not_kept(self) -> None:
        ticket = self.tickets.issue(self.session, PATH)
        self.assertNotIn(ticket, repr(vars(self.tickets)))
