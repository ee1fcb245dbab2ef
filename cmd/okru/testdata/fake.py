"""A program that signs its calls itself, against okru fake."""
import hashlib
import json
import os
import urllib.parse
import urllib.request

env = os.environ


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def send(url, **form):
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(url, data) as response:
        return json.load(response)


def call(method, **params):
    params |= {"method": method, "format": "json", "application_key": env["OKRU_APPLICATION_KEY"]}
    text = "".join(f"{name}={params[name]}" for name in sorted(params))
    params["sig"] = md5(text + md5(env["OKRU_ACCESS_TOKEN"] + env["OKRU_APPLICATION_SECRET"]))
    return send(env["OKRU_API_URL"] + "/fb.do", access_token=env["OKRU_ACCESS_TOKEN"], **params)


control = env["OKRU_CONTROL_URL"]
user = call("users.getCurrentUser")
assert user["uid"].startswith("58"), user

send(control + "/faults", method="friends.get", code="8", times="1")
assert call("friends.get")["error_code"] == 8
assert len(call("friends.get")) == 7

send(control + "/limits", calls="2", window="1h", method="users.isAppUser")
assert [call("users.isAppUser") for _ in range(3)][2]["error_code"] == 8

boris = send(control + "/users", login="boris", password="his password", scopes="VALUABLE_ACCESS,SET_STATUS")
send(control + "/sessions/revoke", access_token=env["OKRU_ACCESS_TOKEN"])
assert call("users.getCurrentUser")["error_code"] == 103
env["OKRU_ACCESS_TOKEN"] = boris["access_token"]
assert call("users.getCurrentUser")["uid"] == boris["user_id"] != user["uid"]

with urllib.request.urlopen(control + "/calls") as response:
    calls = json.load(response)
assert [c["Method"] for c in calls][:2] == ["users.getCurrentUser", "friends.get"], calls
print("ok", len(calls))
