"""Reads the token Fleetline wrote and writes one for it to read, with botocore's own loader.

Usage: shared_cache.py DIRECTORY SESSION START_URL EXPECTED_TOKEN. Prints "ok".
"""
import datetime
import sys

from botocore.utils import JSONFileCache, SSOTokenLoader

directory, session, start_url, expected = sys.argv[1:]
loader = SSOTokenLoader(cache=JSONFileCache(directory))
token = loader(start_url, session_name=session)
assert token["accessToken"] == expected, token
assert token["startUrl"] == start_url and token["clientId"] and token["clientSecret"], token
parsed = datetime.datetime.strptime(token["expiresAt"], "%Y-%m-%dT%H:%M:%SZ")
assert parsed > datetime.datetime(2030, 1, 1), parsed
datetime.datetime.strptime(token["registrationExpiresAt"], "%Y-%m-%dT%H:%M:%SZ")
token["accessToken"] = "from-botocore"
token["refreshToken"] = "refresh-from-botocore"
loader.save_token(start_url, token, session_name=session)
print("ok")
