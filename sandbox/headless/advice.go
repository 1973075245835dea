package headless

// advice is what to do about whatever stopped a login, in terms of the API:
// every code that a person of the default seed or an ordinary mistake meets.
var advice = map[string]string{
	"wrong_credentials":     `give the person's own "password", or set one: PATCH /personas/{cccd} {"password": "…"}`,
	"too_many_passwords":    `the number is locked after wrong passwords: POST /clock {"advance": "15m"}, or PATCH /personas/{cccd} {"password": "…"}`,
	"account_locked":        `PATCH /personas/{cccd} {"status": "active"}`,
	"account_not_activated": `PATCH /personas/{cccd} {"status": "active"}`,
	"account_level_too_low": `PATCH /personas/{cccd} {"account_level": 2}, or PATCH /clients/{client_id} {"min_account_level": 0}`,
	"account_no_phone":      `PATCH /personas/{cccd} {"phone": "095…"}, or use the method "qr"`,
	"account_no_app":        `GET /phones/{cccd} gives the person a ready phone`,
	"app_shows_no_code":     "sign in once more: another login took the code's place, or it expired",
	"sms_never":             `PATCH /personas/{cccd} {"sms": "instant"}, or use the method "qr"`,
	"sms_late":              `give "wait" and move the clock meanwhile: POST /clock {"advance": "90s"}; or PATCH /personas/{cccd} {"sms": "instant"}`,
	"too_many_sms":          `POST /clock {"advance": "10m"}, or configure policy.sms_per_number`,
	"otp_expired":           "the clock was moved past the one-time password's life while the login waited; sign in again",
	"web_login_off":         `PATCH /phones/{cccd} {"web_login": true}`,
	"qr_level":              `PATCH /personas/{cccd} {"account_level": 2}, or use the method "otp"`,
	"passcode_wrong":        `give the "passcode" of the person's phone, or set one: PATCH /personas/{cccd} {"passcode": "…"}`,
	"passcode_format":       "a passcode has 6 digits",
	"passcode_locked":       `POST /clock {"advance": "15m"}, or PATCH /personas/{cccd} {"passcode": "…"}`,
	"match_wrong":           `leave "number" out: the one on the page is read`,
	"consent_refused":       `"consent": true agrees`,
	"redirect_uri_invalid":  "redirect_uri must equal a registered one to the character: GET /clients/{client_id}",
	"unknown_client":        "GET /clients lists them",
	"consent_required":      "prompt=none, and the person has not agreed yet: sign in once without it",
	"login_required":        "prompt=none needs a browser that is signed in, and each login here is a new one",
	"invalid_scope":         `PATCH /clients/{client_id} {"scope": "…"}`,
	"unauthorized_client":   `PATCH /clients/{client_id} {"grant_types": […, "authorization_code"]}`,
	"overloaded":            "try again",
	"unavailable":           "try again",
	"timeout":               "try again with fewer at once",
}
