"""A program without any key or secret, which calls through okru proxy."""
import json
import os
import urllib.parse
import urllib.request

for name in ("OKRU_APPLICATION_SECRET", "OKRU_ACCESS_TOKEN", "OKRU_SESSION_SECRET_KEY"):
    assert name not in os.environ, name
base = os.environ["OKRU_PROXY_URL"]


def call(path, **form):
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(base + path, data) as response:
        return json.load(response), response.headers


user, _ = call("/api/users/getCurrentUser")
assert user["uid"].startswith("58"), user
status, _ = call("/fb.do", method="users.setStatus", status="Привет из Python")
assert status is True, status
error, headers = call("/fb.do?method=users.getNothing")
assert error["error_code"] == 3 and headers["Invocation-Error"] == "3", error
print("ok", user["uid"])
