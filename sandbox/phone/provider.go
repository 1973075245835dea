package phone

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What the provider answers. docs/phoneapi.md.
type (
	activation struct {
		Activation    string `json:"activation"`
		Phone         string `json:"phone"`
		OTPSeconds    int    `json:"otp_seconds"`
		ResendSeconds int    `json:"resend_seconds"`
	}
	activated struct {
		Device         string `json:"device"`
		CCCD           string `json:"cccd"`
		Session        string `json:"session"`
		SessionSeconds int    `json:"session_seconds"`
	}
	unlocked struct {
		Session        string `json:"session"`
		SessionSeconds int    `json:"session_seconds"`
	}
	// Home is what the unlocked app shows.
	Home struct {
		CCCD         string   `json:"cccd"`
		Name         string   `json:"name"`
		Birthdate    string   `json:"birthdate"`
		Gender       string   `json:"gender"`
		Phone        string   `json:"phone"`
		AccountLevel int      `json:"account_level"`
		Status       string   `json:"status"`
		WebLogin     bool     `json:"web_login"`
		DeviceName   string   `json:"device_name"`
		ActivatedAt  string   `json:"activated_at"`
		Codes        []Code   `json:"codes"`
		Recent       []SignIn `json:"recent"`
	}
	// Code is a one-time password that the app shows (second_factor: app_code).
	Code struct {
		Login      string `json:"login"`
		ClientName string `json:"client_name"`
		Host       string `json:"host"`
		Browser    string `json:"browser"`
		IP         string `json:"ip"`
		Code       string `json:"code"`
		Seconds    int    `json:"seconds"`
	}
	// SignIn is a sign-in on the web of the last day.
	SignIn struct {
		Login      string `json:"login"`
		ClientID   string `json:"client_id"`
		ClientName string `json:"client_name"`
		Host       string `json:"host"`
		Browser    string `json:"browser"`
		IP         string `json:"ip"`
		At         string `json:"at"`
		Device     bool   `json:"device"`
		Method     string `json:"method"`
		Open       bool   `json:"open"`
	}
	// Scan is what the provider says of a scanned code.
	Scan struct {
		Login          string `json:"login"`
		ClientID       string `json:"client_id"`
		ClientName     string `json:"client_name"`
		Host           string `json:"host"`
		Browser        string `json:"browser"`
		IP             string `json:"ip"`
		At             string `json:"at"`
		Seconds        int    `json:"seconds"`
		Allowed        bool   `json:"allowed"`
		Message        string `json:"message"`
		Choices        []int  `json:"choices,omitempty"`
		PasscodeNeeded bool   `json:"passcode_needed"`
		Device         bool   `json:"device,omitempty"` // a kiosk or the like waits, no browser
		// Shares is what confirming gives it, by the names of "share.…" texts.
		Shares []string `json:"shares,omitempty"`
	}
)

// members are those of one call.
type members map[string]any

// maxAnswer bounds what we read of an answer, in bytes.
const maxAnswer = 1 << 20

// call signs and makes one call. kid is the device, or the activation under
// way; "" sends the public key instead. A refusal of the provider is a
// *vneid.Error with its code as MsgKey.
func (p *Phones) call(ctx context.Context, key ed25519.PrivateKey, kid, name string, m members, answer any) error {
	w := vneid.WorldFrom(ctx)
	url := w.Issuer + "/phoneapi/v1/" + name
	payload := members{"aud": url, "iat": w.Clock.Now().Unix(), "jti": vneid.NewID(p.Rand)}
	for k, v := range m {
		payload[k] = v
	}
	body, err := sign(key, kid, payload)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/jose")
	resp, err := p.Client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &vneid.Error{Code: vneid.CodeUnavailable, MsgKey: "unavailable", Hint: "the provider cannot be reached", Cause: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return &vneid.Error{Code: vneid.CodeUnavailable, MsgKey: "unavailable", Hint: "the provider's answer broke off", Cause: err}
	}
	if resp.StatusCode != http.StatusOK {
		return refusalOf(resp.StatusCode, raw)
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return &vneid.Error{Code: vneid.CodeUnavailable, MsgKey: "unavailable", Hint: "the provider's answer is not JSON", Cause: err}
	}
	return nil
}

func sign(key ed25519.PrivateKey, kid string, payload members) (string, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("phone+jwt")
	var with any = key
	if kid == "" {
		options.EmbedJWK = true
	} else {
		with = jose.JSONWebKey{Key: key, KeyID: kid}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: with}, options)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// codeOf says what kind of refusal a status is. op/phoneapi chose the status
// by the kind.
var codeOf = map[int]vneid.Code{
	http.StatusBadRequest: vneid.CodeInvalid, http.StatusUnprocessableEntity: vneid.CodeInvalid,
	http.StatusForbidden: vneid.CodeForbidden, http.StatusUnauthorized: vneid.CodeForbidden,
	http.StatusNotFound: vneid.CodeNotFound, http.StatusConflict: vneid.CodeConflict, http.StatusGone: vneid.CodeExpired,
	http.StatusTooManyRequests: vneid.CodeExhausted, http.StatusServiceUnavailable: vneid.CodeUnavailable,
}

// refusalOf reads an RFC 9457 problem. Anything else that is no answer of ours
// (a proxy's page) is a provider that does not work now.
func refusalOf(status int, raw []byte) error {
	var problem struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
		Args   []any  `json:"args"`
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&problem); err != nil || problem.Code == "" {
		return vneid.Errorf(vneid.CodeUnavailable, "unavailable", "the provider answered %d", status)
	}
	e := vneid.Errorf(codeOf[status], problem.Code, "%s", problem.Detail)
	if e.Code == "" {
		e.Code = vneid.CodeUnavailable
	}
	for _, arg := range problem.Args {
		if n, ok := arg.(json.Number); ok {
			if i, err := n.Int64(); err == nil {
				arg = int(i)
			}
		}
		e.Args = append(e.Args, arg)
	}
	return e
}

// argsOf are the numbers of a refusal's text.
func argsOf(err error) []any {
	var e *vneid.Error
	if errors.As(err, &e) {
		return e.Args
	}
	return nil
}

// argOf is the first of them, or 0.
func argOf(err error) int {
	if args := argsOf(err); len(args) > 0 {
		if n, ok := args[0].(int); ok {
			return n
		}
	}
	return 0
}
