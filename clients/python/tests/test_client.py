"""The client against the real program; run by unittest, so that it needs nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
import urllib.parse
from datetime import timedelta

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import vneid_sandbox  # noqa: E402

AN = "038090000001"


def parameters(callback: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(callback).query))


class ClientTest(unittest.TestCase):
    sandbox: vneid_sandbox.Sandbox

    @classmethod
    def setUpClass(cls) -> None:
        cls.sandbox = vneid_sandbox.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.sandbox.stop()

    def test_a_person_signs_in_by_password_and_by_qr_code(self) -> None:
        world = self.sandbox.world()
        query = urllib.parse.urlencode({"client_id": "my-portal", "redirect_uri": "http://localhost:3000/callback",
                                        "response_type": "code", "scope": "openid", "state": "a b&c"})
        for method in ("otp", "qr"):
            result = world.login(authorize=f"{world.issuer}/authorize?{query}", cccd=AN, method=method)
            self.assertNotIn("refused", result)
            came = parameters(result["callback"])
            self.assertEqual((came["state"], came["iss"]), ("a b&c", world.issuer))
            self.assertTrue(came["code"])
        self.assertRegex(world.last_otp(AN), r"^\d{6}$")

    def test_a_refusal_leads_back_to_the_portal(self) -> None:
        result = self.sandbox.world().login(client_id="my-portal", cccd="038188000004")
        self.assertEqual(result["refused"]["code"], "account_locked")
        self.assertEqual(parameters(result["callback"])["error"], "access_denied")

    def test_worlds_do_not_see_each_other(self) -> None:
        one, two = self.sandbox.world(), self.sandbox.world(policy={"otp_lifetime": "10s"})
        client = one.register(redirect_uris=["http://localhost:3000/cb"], consent="never")
        one.login(client_id=client["client_id"], cccd=AN)
        self.assertEqual((len(one.sms(AN)), len(two.sms(AN))), (1, 0))
        before = two.clock.now()
        self.assertGreater(one.clock.advance(timedelta(hours=2)) - before, timedelta(minutes=119))
        self.assertLess(two.clock.now() - before, timedelta(minutes=1))
        self.assertLess(one.clock.set(before).timestamp() - before.timestamp(), 2)
        one.clock.reset()
        one.reset()
        self.assertEqual(one.sms("0950000001"), [])
        self.sandbox.delete_world(two.id)
        with self.assertRaises(vneid_sandbox.SandboxError) as gone:
            two.personas()
        self.assertEqual(gone.exception.status, 404)

    def test_a_mistake_is_told_with_every_field(self) -> None:
        with self.assertRaises(vneid_sandbox.SandboxError) as told:
            self.sandbox.register(redirect_uris=["http://evil.com/"], consent="maybe")
        self.assertEqual(told.exception.status, 400)
        self.assertRegex(str(told.exception), "consent: ")
        self.assertRegex(str(told.exception), "redirect_uris")
        with self.assertRaises(vneid_sandbox.SandboxError) as told:
            self.sandbox.phone(AN).scan("XXXX-XXXX")
        self.assertEqual(told.exception.code, "qr_unknown")
        with self.assertRaises(LookupError):
            self.sandbox.last_otp("001302000010")  # no phone on the account

    def test_a_program_that_does_not_start_says_why(self) -> None:
        with self.assertRaisesRegex(RuntimeError, r"ended with 2(.|\n)*\.gov\.vn"):
            vneid_sandbox.start(args=["--issuer", "https://vneid.gov.vn"])
        with self.assertRaisesRegex(RuntimeError, "cannot be started"):
            vneid_sandbox.start(bin="/nowhere/vneid-sandbox")

    def test_tokens_and_tls(self) -> None:
        token = "a token of sixteen or more"
        with vneid_sandbox.start(args=["--tls", "auto"], env={"VNEID_SANDBOX_TOKEN": token}) as guarded:
            self.assertTrue(guarded.issuer.startswith("https://"))
            self.assertEqual(guarded.personas("nguyen van an")[0]["cccd"], AN)
            self.assertIn("callback", guarded.world().login(client_id="my-portal", cccd=AN))
            stranger = vneid_sandbox.connect(guarded.issuer, guarded.sandbox_url, ca=guarded.ca)
            with self.assertRaises(vneid_sandbox.SandboxError) as refused:
                stranger.personas()
            self.assertEqual(refused.exception.status, 401)


class FixtureTest(unittest.TestCase):
    def test_pytest_gives_each_test_a_world(self) -> None:
        here = os.path.dirname(os.path.abspath(__file__))
        ran = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "pytest_vneid_sandbox", "-p", "no:cacheprovider", os.path.join(here, "fixture_example.py")],
                             env={**os.environ, "PYTHONPATH": os.path.dirname(here), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, encoding="utf-8")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn("2 passed", ran.stdout)


if __name__ == "__main__":
    unittest.main()
