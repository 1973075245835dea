package phoneapi

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// call is a request that the phone signed. Which members a call has is written
// in docs/phoneapi.md.
type call struct {
	Audience string `json:"aud"` // this very address: a call to another one is worth nothing here
	IssuedAt int64  `json:"iat"`
	ID       string `json:"jti"`
	Session  string `json:"session"`

	Username   string `json:"username"`
	Password   string `json:"password"`
	Name       string `json:"name"`
	Activation string `json:"activation"`
	OTP        string `json:"otp"`
	Passcode   string `json:"passcode"`
	Code       string `json:"code"`
	Login      string `json:"login"`
	Number     int    `json:"number"`
	On         bool   `json:"on"`

	key    ed25519.PublicKey // that signed
	device *vneid.Device     // whose key that is; nil while the phone is nobody's
}

// phone is who calls, for vneid.
func (c *call) phone() vneid.PhoneCall {
	return vneid.PhoneCall{DeviceID: c.device.ID, Device: c.device, Call: vneid.DeviceCall{JTI: c.ID, At: c.IssuedAt}, Session: c.Session}
}

// callType is the typ of the JWS: no other kind of JWT passes for a call
// (RFC 8725 §3.11).
const callType = "phone+jwt"

// clockSkew is how far iat may be from the world's time; vneid.Device holds
// each call to the same.
const clockSkew = time.Minute

func malformed(hint string, args ...any) error {
	return vneid.Errorf(vneid.CodeInvalid, "call_malformed", hint, args...)
}

// verify reads a signed call. The key is that of the device or the activation
// that kid names; the first call of a new phone brings its key with it.
func (a *API) verify(ctx context.Context, raw, name string) (*call, error) {
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return nil, malformed("the body is no compact JWS signed with EdDSA")
	}
	header := jws.Signatures[0].Protected
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != callType {
		return nil, malformed("typ is not %s", callType)
	}
	c := &call{}
	switch {
	case name == "activate" && header.JSONWebKey != nil && header.KeyID == "":
		key, ok := header.JSONWebKey.Key.(ed25519.PublicKey)
		if !ok || len(key) != ed25519.PublicKeySize {
			return nil, malformed("jwk is no Ed25519 public key")
		}
		c.key = key
	case header.JSONWebKey != nil || header.KeyID == "" || name == "activate":
		return nil, malformed("activate brings jwk and no kid, every other call kid and no jwk")
	case name == "activate_otp" || name == "activate_resend" || name == "activate_finish":
		if c.key, err = a.Service.ActivationKey(ctx, header.KeyID); err != nil {
			return nil, err
		}
	default:
		d, err := a.Service.DeviceKey(ctx, header.KeyID)
		if err != nil {
			return nil, err
		}
		c.key, c.device = d.PublicKey, d
	}
	payload, err := jws.Verify(c.key)
	if err != nil {
		return nil, vneid.Errorf(vneid.CodeForbidden, "call_forged", "the signature is not that of %s", header.KeyID)
	}
	if err := decode(payload, c); err != nil {
		return nil, err
	}
	w := vneid.WorldFrom(ctx)
	if want := w.Issuer + Prefix + name; c.Audience != want {
		return nil, vneid.Errorf(vneid.CodeForbidden, "call_forged", "aud is %.200q, this is %s", c.Audience, want)
	}
	if c.ID == "" || len(c.ID) > 64 {
		return nil, malformed("jti has 1 to 64 characters")
	}
	if off := time.Unix(c.IssuedAt, 0).Sub(w.Clock.Now()); off > clockSkew || off < -clockSkew {
		return nil, vneid.Errorf(vneid.CodeForbidden, "call_stale", "iat is %s from now", off.Round(time.Second))
	}
	if c.Activation != "" && c.Activation != header.KeyID {
		return nil, malformed("activation and kid differ")
	}
	return c, nil
}

func decode(payload []byte, c *call) error {
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return malformed("the payload is no call: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("something follows the payload")
	}
	return nil
}
