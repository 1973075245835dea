package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// A sign-in by QR code: what a browser and a phone ask the provider for, from
// /authorize to the tokens. The phone is a program that speaks docs/phoneapi.md,
// with a passcode whose hash costs next to nothing.

const (
	qrLogin  = "QR login without hash"
	passcode = "123456"
)

// qrPerson is somebody with a phone.
func qrPerson(i int) person { return numbered("038092", "0952", i) }

func (u *user) qrLogin(p person) (t tokens, err error) {
	phone := u.s.phones.of[p.cccd]
	u.freshBrowser()
	page, err := u.firstPage()
	if err != nil {
		return t, err
	}
	if err := u.expect(http.StatusOK, "GET", u.s.issuer+page+"/qr.svg?g=1", nil, ""); err != nil {
		return t, err
	}
	l := &vneid.Login{ID: page[len("/login/"):], QR: vneid.QR{Generation: 1}}
	for _, c := range []struct {
		name    string
		members map[string]any
	}{
		{"unlock", map[string]any{"passcode": passcode}},
		{"scan", map[string]any{"code": l.QRCode(u.s.sandbox+"/Q", u.s.phones.salt)}},
		{"confirm", map[string]any{"login": l.ID}},
	} {
		if err := phone.call(u.s, c.name, c.members); err != nil {
			return t, err
		}
	}
	resp, body, err := u.do("GET", u.s.issuer+page, nil, "")
	if err != nil {
		return t, err
	}
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		return t, fmt.Errorf("after the confirmation: %s to %q: %.300s", resp.Status, resp.Header.Get("Location"), body)
	}
	return u.token(url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")},
		"redirect_uri": {"http://127.0.0.1:1/callback"}, "code_verifier": {verifier}})
}
