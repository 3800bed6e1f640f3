"""Offers of compression."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.api.extensions import acceptable


class Offers(SynchronousTestCase):
    def test_good_ones_stay_as_they_are(self) -> None:
        for offer in (
            b"permessage-deflate",
            b"Permessage-Deflate; Client_Max_Window_Bits",
            b"permessage-deflate ; client_max_window_bits = 9",
            b'permessage-deflate; server_max_window_bits="15"',
            b"permessage-deflate; client_no_context_takeover; server_no_context_takeover",
        ):
            self.assertEqual(acceptable([offer]), [offer])

    def test_others_go(self) -> None:
        for offer in (
            b"",
            b"permessage-bzip2",
            b"permessage-deflate;",
            b"permessage-deflate; server_max_window_bits",
            b"permessage-deflate; server_max_window_bits=8",
            b"permessage-deflate; server_max_window_bits=16",
            b"permessage-deflate; server_max_window_bits=09",
            b'permessage-deflate; server_max_window_bits="10',
            b"permessage-deflate; client_no_context_takeover=9",
            b"permessage-deflate; client_max_window_bits=9; client_max_window_bits=9",
            b"permessage-deflate; window=9",
        ):
            self.assertEqual(acceptable([offer]), [], offer)

    def test_the_order_is_the_clients_in_whichever_header(self) -> None:
        good, other = b"permessage-deflate; client_max_window_bits", b"permessage-deflate"
        self.assertEqual(acceptable([b"x-webkit, " + good, other]), [good, other])
