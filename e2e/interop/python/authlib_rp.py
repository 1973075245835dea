"""A relying party by Authlib with Flask: discovery, state, nonce, PKCE, userinfo."""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session

env = os.environ
app = Flask(__name__)
app.secret_key = "only for this test"
oauth = OAuth(app)
oauth.register(
    "vneid",
    server_metadata_url=env["ISSUER"] + "/.well-known/openid-configuration",
    client_id=env["CLIENT_ID"],
    client_secret=env["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
)


@app.get("/login")
def login():
    return oauth.vneid.authorize_redirect(env["BASE"] + "/callback")


@app.get("/callback")
def callback():
    token = oauth.vneid.authorize_access_token()
    session["name"] = oauth.vneid.userinfo(token=token)["name"]
    return redirect("/")


@app.errorhandler(Exception)
def failed(error):
    print(repr(error), flush=True)
    return "sign-in failed", 400


@app.get("/")
def home():
    return f"signed in: {session['name']}" if "name" in session else "signed out"


app.run("127.0.0.1", int(env["PORT"]))
