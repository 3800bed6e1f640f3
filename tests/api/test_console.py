"""The console's files, as they are served."""

from __future__ import annotations

import gzip
import re

from rotoclear.console import assets
from tests.api.site import SiteTestCase


class Serving(SiteTestCase):
    """The page, the files that it is made of, and the client."""

    def test_the_page(self):
        page = self.client().get("/")
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers["content-type"], "text/html; charset=utf-8")
        self.assertEqual(page.body, assets()["index.html"].content)

    def test_the_page_may_load_from_this_server_only(self):
        policy = self.client().get("/").headers["content-security-policy"]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        self.assertEqual(rules["default-src"], "'none'")
        for what in ("script-src", "style-src", "connect-src", "media-src"):
            self.assertEqual(rules[what], "'self'")
        for what in ("frame-ancestors", "base-uri", "form-action", "trusted-types"):
            self.assertEqual(rules[what], "'none'")
        self.assertNotIn("unsafe", policy)

    def test_every_file(self):
        kinds = {
            ".css": "text/css; charset=utf-8",
            ".js": "text/javascript; charset=utf-8",
            ".svg": "image/svg+xml",
            ".webmanifest": "application/manifest+json",
        }
        names = [name for name in assets() if name.startswith("app/")]
        self.assertGreater(len(names), 20)
        for name in names:
            with self.subTest(name=name):
                answer = self.client().get(f"/{name}")
                self.assertEqual((answer.status, answer.body), (200, assets()[name].content))
                kind = kinds["." + name.rpartition(".")[2]]
                self.assertEqual(answer.headers["content-type"], kind)
                self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def test_what_is_no_file(self):
        for path in (
            "/app",
            "/app/",
            "/app/nothing.js",
            "/app/main.js/",
            "/app/main.js/more",
            "/app/../index.html",
            "/app/%2e%2e/index.html",
            "/app/..%2f__init__.py",
            "/app/index.html",
            "/index.html",
            "/__init__.py",
            "/app//main.js",
            "/app/main.js%00",
        ):
            with self.subTest(path=path):
                self.assert_error(self.client().get(path), 404, "Not found")

    def test_a_browser_that_has_it_gets_nothing(self):
        for path in ("/", "/app/main.js", "/rotoclear-client.js"):
            for coding in ("", "gzip, deflate, br"):
                with self.subTest(path=path, coding=coding):
                    first = self.client().get(path, **{"Accept-Encoding": coding})
                    tag = first.headers["etag"]
                    self.assertEqual(first.headers["cache-control"], "no-cache")
                    self.assertIn("Accept-Encoding", first.headers["vary"])
                    ask = {"Accept-Encoding": coding, "If-None-Match": tag}
                    again = self.client().get(path, **ask)
                    self.assertEqual((again.status, again.body), (304, b""))
                    self.assertEqual(again.headers["etag"], tag)
                    ask["If-None-Match"] = '"another"'
                    self.assertEqual(self.client().get(path, **ask).status, 200)

    def test_compressed_for_who_takes_it(self):
        plain = self.client().get("/app/main.js")
        self.assertNotIn("content-encoding", plain.headers)
        for accepted in ("gzip", "deflate, gzip;q=0.5", "GZIP", "*", "br, x-gzip; q=1.0"):
            packed = self.client().get("/app/main.js", **{"Accept-Encoding": accepted})
            self.assertEqual(packed.headers["content-encoding"], "gzip", accepted)
            self.assertEqual(gzip.decompress(packed.body), plain.body)
            self.assertNotEqual(packed.headers["etag"], plain.headers["etag"])
            self.assertLess(len(packed.body), len(plain.body))
        for accepted in ("", "br", "gzip;q=0", "gzip; q=0.0", "identity"):
            answer = self.client().get("/app/main.js", **{"Accept-Encoding": accepted})
            self.assertEqual(answer.body, plain.body, accepted)

    def test_the_page_itself_is_not(self):
        """Scanners look there for BREACH."""
        answer = self.client().get("/", **{"Accept-Encoding": "gzip"})
        self.assertNotIn("content-encoding", answer.headers)
        self.assertIn(b"<!DOCTYPE html>", answer.body)

    def test_the_client_is_for_pages_from_anywhere(self):
        for path, kind in (
            ("/rotoclear-client.js", "text/javascript; charset=utf-8"),
            ("/rotoclear-client.d.ts", "text/plain; charset=utf-8"),
        ):
            answer = self.client().get(path, Origin="http://panel.example")
            self.assertEqual(answer.headers["content-type"], kind)
            self.assertEqual(answer.headers["access-control-allow-origin"], "*")
            self.assertEqual(answer.headers["cross-origin-resource-policy"], "cross-origin")
        answer = self.client().get("/app/main.js", Origin="http://panel.example")
        self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_a_token_makes_no_difference(self):
        answer = self.client().get("/", Authorization="Bearer nonsense")
        self.assertEqual(answer.status, 200)


class Page(SiteTestCase):
    """What the page is made of."""

    def setUp(self):
        super().setUp()
        self.page = assets()["index.html"].content.decode()
        self.scripts = {
            name: asset.content.decode() for name, asset in assets().items() if name.endswith(".js")
        }

    def test_whatever_it_names_is_there(self):
        named = re.findall(r'(?:src|href)="([^"#]+)"', self.page)
        self.assertGreater(len(named), 20)
        for path in named:
            self.assertEqual(self.client().get(f"/{path}").status, 200, path)

    def test_whatever_is_imported_is_there_and_asked_for_at_once(self):
        preloaded = set(re.findall(r'<link rel="modulepreload" href="([^"]+)">', self.page))
        imported = {"rotoclear-client.js"}
        for source in self.scripts.values():
            imported |= {f"app/{name}" for name in re.findall(r'from "\./([\w-]+\.js)"', source)}
        self.assertEqual(preloaded, imported)

    def test_every_script_is_used(self):
        loaded = set(re.findall(r'(?:src|href)="([\w./-]+\.js)"', self.page))
        self.assertEqual(loaded, set(self.scripts))

    def test_nothing_comes_from_elsewhere(self):
        for name, asset in assets().items():
            text = asset.content.decode().replace("http://www.w3.org/2000/svg", "")
            if name.startswith("rotoclear-client"):
                continue  # its examples name addresses
            self.assertNotRegex(text, r"(?:https?|wss?)://", name)
            self.assertNotRegex(text, r"@import|url\(", name)

    def test_nothing_that_the_policy_forbids(self):
        self.assertNotRegex(self.page, r"<style|\sstyle=|\son\w+=|<script>")
        for name, source in self.scripts.items():
            self.assertNotRegex(source, r"innerHTML|outerHTML|insertAdjacentHTML|eval\(", name)

    def test_it_is_small(self):
        first = [asset for name, asset in assets().items() if not name.endswith(".d.ts")]
        self.assertLess(sum(len(asset.packed) for asset in first), 100_000)
        self.assertLess(sum(len(asset.content) for asset in first), 250_000)
